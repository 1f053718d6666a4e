"""Rules of Ingresses: actions, conditions and rewrites as annotations ask for them, seen on the AWS side."""

import json

import pytest

from e2e.lib.shop import WEB
from e2e.lib.waiting import eventually, need, steadily

IP = {"target-type": "ip"}
HOST = "a.other.test"
USE = "use-annotation"
OWNER = None  # names are test_route53's


def path(where, service="web", port=80, kind="Prefix", host=HOST):
    return (host, where, kind, service, port)


def written(annotations):
    """Annotations whose documents are JSON."""
    return {**IP, **{key: value if isinstance(value, str) else json.dumps(value) for key, value in annotations.items()}}


class Rules:
    """The rules of an Ingress' plain listener, as AWS has them."""

    def __init__(self, shop, name="a"):
        self.shop, self.name = shop, name

    def now(self):
        return self.shop.seen(self.name)["listeners"]["80/HTTP"]["rules"]

    def become(self, what, check):
        """Waits until `check` is true of the rules, and gives them."""

        def probe():
            rules = self.now()
            need(check(rules), rules)
            return rules

        return eventually(what, probe)


@pytest.fixture
def rules(shop):
    return Rules(shop)


def canary(web, nodes, **rest):
    targets = [{"serviceName": "web", "servicePort": 80, "weight": web}, {"serviceName": "nodes", "servicePort": "http", "weight": nodes}]
    return {"type": "forward", "forwardConfig": {"targetGroups": targets, **rest}}


def weights(rules):
    return [group["Weight"] for group in rules[-1]["actions"][0]["ForwardConfig"]["TargetGroups"]]


def test_an_action_is_what_its_annotation_says(shop, cluster, rules):
    actions = {
        "actions.red": {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}},
        "actions.fix": {"type": "fixed-response", "fixedResponseConfig": {"contentType": "text/plain", "statusCode": "410", "messageBody": "gone"}},
        "actions.canary": canary(80, 20, targetGroupStickinessConfig={"enabled": True, "durationSeconds": 200}),
    }
    routes = [path("/r", "red", USE, "Exact"), path("/f", "fix", USE), path("/w", "canary", USE), path("/g", "nosuch", USE, "Exact")]
    shop.ingress("a", routes, written(actions))
    shop.address("a")
    redirect, missing, fixed, forward = rules.become("four rules", lambda found: len(found) == 4)
    assert redirect["actions"][0]["RedirectConfig"] == {
        "Host": "#{host}", "Path": "/#{path}", "Port": "443", "Protocol": "HTTPS", "Query": "#{query}", "StatusCode": "HTTP_301"}
    assert missing["actions"][0]["FixedResponseConfig"] == {
        "ContentType": "text/plain", "MessageBody": "Backend action does not exist", "StatusCode": "503"}
    assert fixed["actions"][0]["FixedResponseConfig"] == {"ContentType": "text/plain", "MessageBody": "gone", "StatusCode": "410"}
    assert weights([forward]) == [80, 20]
    assert forward["actions"][0]["ForwardConfig"]["TargetGroupStickinessConfig"] == {"Enabled": True, "DurationSeconds": 200}
    note = cluster.warned("Ingress", shop.namespace, "a", "BackendNotFound")
    assert note == "there is no annotation alb.ingress.kubernetes.io/actions.nosuch: requests to it are answered with 503"

    # Services that only an action names get their pods, too, and a change of them is seen.
    shop.targets("web:80", [f"{address}:{WEB}" for address in shop.addresses["web"]])
    shop.pods("web", 1)
    shop.targets("web:80", [f"{address}:{WEB}" for address in shop.addresses["web"]])

    shop.ingress("a", routes, written({**actions, "actions.canary": canary(50, 50)}))
    found = rules.become("other weights", lambda found: weights(found) == [50, 50])
    assert found[-1]["actions"][0]["ForwardConfig"]["TargetGroupStickinessConfig"] == {"Enabled": False}


def test_a_target_group_of_somebody_else_is_found_by_name_and_left_alone(shop, cluster, cloud, rules):
    action = {"actions.ext": {"type": "forward", "targetGroupName": "theirs"}}
    shop.ingress("a", [path("/e", "ext", USE), path("/")], written(action))
    note = cluster.warned("Ingress", shop.namespace, "a", "TargetGroupNotFound")
    assert note == "there is no target group theirs"
    group = cloud.elb.create_target_group(Name="theirs", Protocol="HTTP", Port=80, VpcId=cloud.vpc, TargetType="ip")["TargetGroups"][0]
    before = cloud.dump()["targetGroups"]["theirs"]
    by_arn = {"actions.ext": {"type": "forward", "targetGroupARN": group["TargetGroupArn"]}}
    shop.ingress("a", [path("/e", "ext", USE), path("/"), path("/more")], written(by_arn))
    shop.address("a")
    found = rules.become("three rules", lambda found: len(found) == 3)
    assert [rule["actions"][0]["TargetGroupArn"] for rule in found].count("theirs") == 1, found
    shop.remove("Ingress", "a")
    assert cloud.dump()["targetGroups"]["theirs"] == before
    cloud.elb.delete_target_group(TargetGroupArn=group["TargetGroupArn"])


def test_conditions_and_rewrites_come_change_and_go(shop, rules):
    header = {"field": "http-header", "httpHeaderConfig": {"httpHeaderName": "X-A", "values": ["1", "2", "3"]}}
    rewrite = {"type": "url-rewrite", "urlRewriteConfig": {"rewrites": [{"regex": "^/c/(.*)$", "replace": "/$1"}]}}
    shop.ingress("a", [path("/c"), path("/", "nodes")], written({"conditions.web": [header], "transforms.web": [rewrite]}))
    shop.address("a")
    # Six values do not fit into one rule.
    first, second, other = rules.become("the rule in two", lambda found: len(found) == 3)
    fields = lambda rule: [condition["Field"] for condition in rule["conditions"]]  # noqa: E731
    assert fields(first) == fields(second) == ["http-header", "host-header", "path-pattern"]
    values = [rule["conditions"][0]["HttpHeaderConfig"]["Values"] for rule in (first, second)]
    assert sorted(sum(values, [])) == ["1", "2", "3"]
    wanted = [{"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": "^/c/(.*)$", "Replace": "/$1"}]}}]
    assert first["transforms"] == second["transforms"] == wanted and "transforms" not in other

    expressions = {"field": "http-header", "httpHeaderConfig": {"httpHeaderName": "X-A", "regexValues": ["^[123]$"]}}
    routes = [path("/^c/.*$", kind="ImplementationSpecific"), path("/", "nodes")]
    shop.ingress("a", routes, written({"conditions.web": [expressions], "use-regex-path-match": "true"}))
    found = rules.become("expressions", lambda found: len(found) == 2 and any("RegexValues" in str(rule) for rule in found))
    assert not any("transforms" in rule for rule in found), found
    regex = next(rule for rule in found if "RegexValues" in str(rule))
    assert [c[config]["RegexValues"] for c, config in zip(regex["conditions"][::2], ["HttpHeaderConfig", "PathPatternConfig"])] == [["^[123]$"], ["^c/.*$"]]


def test_defect_03_an_unknown_condition_is_held_and_its_neighbour_goes_on(shop, cluster):
    group = {"group.name": shop.namespace}
    stack = shop.ingress("good", [path("/good")], written(group))
    method = {"field": "http-request-method", "httpRequestMethodConfig": {"values": ["GET"]}}
    shop.ingress("bad", [path("/bad", "nodes")], written({**group, "conditions.nodes": [method]}))
    shop.address("good")
    rules = Rules(shop, "good")
    where = lambda rule: rule["conditions"][-1]["PathPatternConfig"]["Values"][0]  # noqa: E731
    before = rules.become("both", lambda found: sorted(map(where, found)) == ["/bad", "/good"])
    kept = next(rule for rule in before if where(rule) == "/bad")

    shop.ingress("bad", [path("/bad", "nodes")], written({**group, "conditions.nodes": [{**method, "field": "http-method"}]}))
    note = cluster.warned("Ingress", shop.namespace, "bad", "InvalidSetting")
    assert '[0].field "http-method" is none of host-header' in note
    shop.ingress("good", [path("/better")], written(group))
    after = rules.become("the neighbour's change", lambda found: sorted(map(where, found)) == ["/bad", "/better"])
    held = next(rule for rule in after if where(rule) == "/bad")
    assert {**held, "priority": None} == {**kept, "priority": None}, "nothing broader"
    condition = eventually("condition", lambda: cluster.condition(stack, "InvalidSetting"))
    assert f"{shop.namespace}/bad" in condition["message"]
    steadily("held", lambda: need(rules.now() == after, rules.now()), 1.0)
