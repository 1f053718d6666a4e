"""Rules: what AWS does. In order, in one account."""

import pytest
from account import NOT_FOUND, OIDC, Account, outcome, paths, satisfies

OBJECTS = (
    "listener",
    "https",
    "first_rule",
)


def provider(**settings):
    """Users sign in to a provider; `None` leaves a setting away."""
    given = {key: value for key, value in {**OIDC, **settings}.items() if value is not None}
    return {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": given}


def create_until_refused(on):
    arn = on.balancer()["LoadBalancerArn"]
    listener = on.elbv2.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=NOT_FOUND)
    wanted = {"ListenerArn": listener["Listeners"][0]["ListenerArn"], "Actions": NOT_FOUND}
    for priority in range(1, 103):
        found = outcome(on.elbv2.create_rule, Priority=priority, Conditions=paths(f"/{priority}"), **wanted)
        if found[0] != "OK":
            return found[0], priority
    return "OK", 102


CHECKS = [
    (
        "ru.priority_in_use",
        "PriorityInUse",
        lambda on: outcome(
            on.elbv2.create_rule, ListenerArn=on.listener, Priority=1, Conditions=paths("/q"), Actions=NOT_FOUND
        ),
    ),
    (
        "ru.priority_0",
        "ValidationError",
        lambda on: outcome(
            on.elbv2.create_rule, ListenerArn=on.listener, Priority=0, Conditions=paths("/q"), Actions=NOT_FOUND
        ),
    ),
    (
        "ru.priority_50001",
        "ValidationError",
        lambda on: outcome(
            on.elbv2.create_rule, ListenerArn=on.listener, Priority=50001, Conditions=paths("/q"), Actions=NOT_FOUND
        ),
    ),
    (
        "ru.six_values",
        "ValidationError|TooManyConditions|InvalidConfigurationRequest",
        lambda on: outcome(
            on.elbv2.create_rule,
            ListenerArn=on.listener,
            Priority=901,
            Conditions=paths(*[f"/v{i}" for i in range(6)]),
            Actions=NOT_FOUND,
        ),
    ),
    (
        "ru.all_condition_kinds",
        "OK",
        lambda on: outcome(
            on.elbv2.create_rule,
            ListenerArn=on.listener,
            Priority=900,
            Conditions=[
                {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}},
                {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-A", "Values": ["b*"]}},
                {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "k", "Value": "v"}]}},
                {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}},
            ],
            Actions=NOT_FOUND,
        ),
    ),
    (
        "ru.regex_values",
        "OK",
        lambda on: outcome(
            on.elbv2.create_rule,
            ListenerArn=on.listener,
            Priority=905,
            Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^/a.*$"]}}],
            Actions=NOT_FOUND,
        ),
    ),
    (
        "ru.regex_roundtrip",
        lambda g: "RegexValues" in str(g),
        lambda on: [
            r["Conditions"] for r in on.elbv2.describe_rules(ListenerArn=on.listener)["Rules"] if r["Priority"] == "905"
        ],
    ),
    (
        "ru.transforms_roundtrip",
        lambda g: "url-rewrite" in str(g),
        lambda on: on.elbv2.create_rule(
            ListenerArn=on.listener,
            Priority=906,
            Conditions=paths("/rw"),
            Actions=NOT_FOUND,
            Transforms=[{"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": "^/a", "Replace": "/b"}]}}],
        )["Rules"][0].get("Transforms"),
    ),
    (
        "ru.jwt_validation_action",
        "OK",
        lambda on: outcome(
            on.elbv2.create_rule,
            ListenerArn=on.https_arn,
            Priority=7,
            Conditions=paths("/j"),
            Actions=[
                {
                    "Type": "jwt-validation",
                    "Order": 1,
                    "JwtValidationConfig": {"JwksEndpoint": "https://a.b/j", "Issuer": "https://a.b"},
                },
                {"Type": "fixed-response", "Order": 2, "FixedResponseConfig": {"StatusCode": "200"}},
            ],
        ),
    ),
    (
        "ru.oidc_on_http",
        "InvalidLoadBalancerAction|ValidationError|InvalidConfigurationRequest",
        lambda on: outcome(
            on.elbv2.create_rule,
            ListenerArn=on.listener,
            Priority=910,
            Conditions=paths("/o"),
            Actions=[
                provider(),
                {"Type": "fixed-response", "Order": 2, "FixedResponseConfig": {"StatusCode": "200"}},
            ],
        ),
    ),
    (
        "ru.oidc_secret_not_returned",
        lambda g: "ClientSecret" not in str(g),
        lambda on: on.elbv2.create_rule(
            ListenerArn=on.https_arn,
            Priority=11,
            Conditions=paths("/o"),
            Actions=[
                provider(),
                {"Type": "fixed-response", "Order": 2, "FixedResponseConfig": {"StatusCode": "200"}},
            ],
        )["Rules"][0],
    ),
    (
        "ru.oidc_defaults_filled",
        lambda g: "SessionTimeout" in str(g),
        lambda on: [
            r["Actions"] for r in on.elbv2.describe_rules(ListenerArn=on.https_arn)["Rules"] if r["Priority"] == "11"
        ],
    ),
    *(
        (
            f"ru.guard_{name}",
            "ValidationError|InvalidLoadBalancerAction",
            lambda on, guards=guards: outcome(
                on.elbv2.create_rule,
                ListenerArn=on.https_arn,
                Priority=913,
                Conditions=paths("/guard"),
                Actions=[*guards, {"Type": "fixed-response", "Order": 9, "FixedResponseConfig": {"StatusCode": "200"}}],
            ),
        )
        for name, guards in {
            "without_secret": [provider(ClientSecret=None)],
            "plain_endpoint": [provider(TokenEndpoint="http://i/t")],
            "for_too_long": [provider(SessionTimeout=604801)],
            "unknown_behavior": [provider(OnUnauthenticatedRequest="reject")],
            "too_many_parameters": [provider(AuthenticationRequestExtraParams={f"p{n}": "" for n in range(11)})],
            "twice": [provider(), {**provider(), "Order": 2}],
            "claim_checked_anyway": [
                {
                    "Type": "jwt-validation",
                    "Order": 1,
                    "JwtValidationConfig": {
                        "JwksEndpoint": "https://i/k",
                        "Issuer": "https://i",
                        "AdditionalClaims": [{"Format": "single-string", "Name": "exp", "Values": ["1"]}],
                    },
                }
            ],
        }.items()
    ),
    (
        "ru.fixed_body_too_long",
        "ValidationError",
        lambda on: outcome(
            on.elbv2.create_rule,
            ListenerArn=on.listener,
            Priority=911,
            Conditions=paths("/o"),
            Actions=[
                {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "MessageBody": "x" * 1025}}
            ],
        ),
    ),
    (
        "ru.fixed_status_bad",
        "ValidationError",
        lambda on: outcome(
            on.elbv2.create_rule,
            ListenerArn=on.listener,
            Priority=912,
            Conditions=paths("/o"),
            Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "999"}}],
        ),
    ),
    (
        "ru.six_tgs_forward",
        "TooManyActions|TooManyTargetGroups|ValidationError|TooManyUniqueTargetGroupsPerLoadBalancer|InvalidConfigurationRequest",
        lambda on: outcome(
            on.elbv2.create_rule,
            ListenerArn=on.listener,
            Priority=913,
            Conditions=paths("/o"),
            Actions=[
                {
                    "Type": "forward",
                    "ForwardConfig": {
                        "TargetGroups": [{"TargetGroupArn": on.target_group(), "Weight": 1} for _ in range(6)]
                    },
                }
            ],
        ),
    ),
    (
        "ru.weight_1000",
        "ValidationError",
        lambda on: outcome(
            on.elbv2.create_rule,
            ListenerArn=on.listener,
            Priority=914,
            Conditions=paths("/o"),
            Actions=[
                {
                    "Type": "forward",
                    "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": on.target_group(), "Weight": 1000}]},
                }
            ],
        ),
    ),
    (
        "ru.tg_notfound",
        "TargetGroupNotFound",
        lambda on: outcome(
            on.elbv2.create_rule,
            ListenerArn=on.listener,
            Priority=915,
            Conditions=paths("/o"),
            Actions=[{"Type": "forward", "TargetGroupArn": on.group_arn[:-4] + "0000"}],
        ),
    ),
    (
        "ru.forward_roundtrip_both_forms",
        lambda g: "TargetGroupArn" in g and "ForwardConfig" in g,
        lambda on: on.rule(20, actions=[{"Type": "forward", "TargetGroupArn": on.group_arn}])["Actions"][0],
    ),
    (
        "ru.weighted_roundtrip",
        lambda g: [t["Weight"] for t in g["ForwardConfig"]["TargetGroups"]] == [3, 0],
        lambda on: on.rule(
            21,
            actions=[
                {
                    "Type": "forward",
                    "ForwardConfig": {
                        "TargetGroups": [
                            {"TargetGroupArn": on.group_arn, "Weight": 3},
                            {"TargetGroupArn": on.target_group(), "Weight": 0},
                        ],
                        "TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 60},
                    },
                }
            ],
        )["Actions"][0],
    ),
    (
        "ru.redirect_defaults",
        lambda g: g["RedirectConfig"].get("Host") == "#{host}" and g["RedirectConfig"].get("Path") == "/#{path}",
        lambda on: on.rule(
            22,
            actions=[
                {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}
            ],
        )["Actions"][0],
    ),
    (
        "ru.default_listed_last",
        lambda g: g[-1] == ("default", True),
        lambda on: [(r["Priority"], r["IsDefault"]) for r in on.elbv2.describe_rules(ListenerArn=on.listener)["Rules"]],
    ),
    (
        "ru.ordered_by_priority",
        lambda g: g == sorted(g),
        lambda on: [
            int(r["Priority"]) for r in on.elbv2.describe_rules(ListenerArn=on.listener)["Rules"] if not r["IsDefault"]
        ],
    ),
    (
        "ru.delete_default",
        "OperationNotPermitted",
        lambda on: outcome(
            on.elbv2.delete_rule,
            RuleArn=[r for r in on.elbv2.describe_rules(ListenerArn=on.listener)["Rules"] if r["IsDefault"]][0][
                "RuleArn"
            ],
        ),
    ),
    (
        "ru.delete_nonexistent",
        "RuleNotFound",
        lambda on: outcome(on.elbv2.delete_rule, RuleArn=on.first_rule[:-4] + "0000"),
    ),
    (
        "ru.swap_priorities",
        "OK",
        lambda on: outcome(
            on.elbv2.set_rule_priorities,
            RulePriorities=[{"RuleArn": on.first_rule, "Priority": 2}, {"RuleArn": on.second_rule, "Priority": 1}],
        ),
    ),
    (
        "ru.set_priority_conflict",
        "PriorityInUse",
        lambda on: outcome(on.elbv2.set_rule_priorities, RulePriorities=[{"RuleArn": on.first_rule, "Priority": 20}]),
    ),
    (
        "ru.modify_keeps_other",
        lambda g: g[0][0]["Type"] == "fixed-response" and "new" in str(g[1]),
        lambda on: (lambda r: (r["Actions"], r["Conditions"]))(
            on.elbv2.modify_rule(RuleArn=on.first_rule, Conditions=paths("/new"))["Rules"][0]
        ),
    ),
    (
        "ru.page_size",
        lambda g: g[0] == 2 and g[1],
        lambda on: (lambda r: (len(r["Rules"]), r.get("NextMarker")))(
            on.elbv2.describe_rules(ListenerArn=on.listener, PageSize=2)
        ),
    ),
    ("ru.quota_100_per_lb", "TooManyRules", lambda on: create_until_refused(on)),
]


@pytest.fixture(scope="module")
def account(emulator, clients):
    emulator.control("POST", "reset", {"seed": None})
    return Account(clients).with_objects(OBJECTS)


@pytest.mark.parametrize(("wanted", "look"), [pytest.param(*check[1:], id=check[0]) for check in CHECKS])
def test_check(wanted, look, account):
    found = look(account)
    assert satisfies(wanted, found), f"wanted {wanted}, found {found}"
