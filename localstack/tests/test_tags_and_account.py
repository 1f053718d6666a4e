"""Tags, cascades and account-wide answers: what AWS does. In order, in one account."""

import pytest
from account import NOT_FOUND, Account, outcome, satisfies

OBJECTS = (
    "listener",
    "first_rule",
)


CHECKS = [
    (
        "tag.51",
        "TooManyTags",
        lambda on: outcome(
            on.elbv2.add_tags,
            ResourceArns=[on.target_group()],
            Tags=[{"Key": f"k{i}", "Value": "v"} for i in range(51)],
        ),
    ),
    (
        "tag.aws_prefix",
        "ValidationError|InvalidParameterValue",
        lambda on: outcome(on.elbv2.add_tags, ResourceArns=[on.group_arn], Tags=[{"Key": "aws:x", "Value": "v"}]),
    ),
    (
        "tag.dup_keys",
        "DuplicateTagKeys",
        lambda on: outcome(
            on.elbv2.add_tags,
            ResourceArns=[on.group_arn],
            Tags=[{"Key": "a", "Value": "v"}, {"Key": "a", "Value": "w"}],
        ),
    ),
    (
        "tag.describe_21",
        "ValidationError",
        lambda on: outcome(
            on.elbv2.describe_tags, ResourceArns=[on.group_arn] * 1 + [on.target_group() for _ in range(20)]
        ),
    ),
    (
        "tag.on_listener_rule",
        "OK",
        lambda on: outcome(
            on.elbv2.add_tags, ResourceArns=[on.listener, on.first_rule], Tags=[{"Key": "a", "Value": "v"}]
        ),
    ),
    (
        "tag.describe_notfound",
        "TargetGroupNotFound|LoadBalancerNotFound",
        lambda on: outcome(on.elbv2.describe_tags, ResourceArns=[on.group_arn[:-4] + "0000"]),
    ),
    (
        "del.lb_cascades",
        lambda g: g == "ListenerNotFound" or g[0] == "ListenerNotFound",
        lambda on: (
            lambda a, l: (
                on.elbv2.delete_load_balancer(LoadBalancerArn=a),
                outcome(on.elbv2.describe_listeners, ListenerArns=[l]),
            )[1]
        )(
            *(
                lambda a: (
                    a,
                    on.elbv2.create_listener(LoadBalancerArn=a, Protocol="HTTP", Port=80, DefaultActions=NOT_FOUND)[
                        "Listeners"
                    ][0]["ListenerArn"],
                )
            )(on.balancer()["LoadBalancerArn"])
        ),
    ),
    ("trust.describe", "TrustStoreNotFound", lambda on: outcome(on.elbv2.describe_trust_stores, Names=["nope"])),
    (
        "cap.modify",
        "OK|InsufficientCapacity|CapacityUnitsLimitExceeded",
        lambda on: outcome(
            on.elbv2.modify_capacity_reservation,
            LoadBalancerArn=on.base_arn,
            MinimumLoadBalancerCapacity={"CapacityUnits": 100},
        ),
    ),
    ("cap.describe", "OK", lambda on: outcome(on.elbv2.describe_capacity_reservation, LoadBalancerArn=on.base_arn)),
    ("limits.describe", lambda g: len(g) > 5, lambda on: on.elbv2.describe_account_limits()["Limits"]),
    ("sslpol.list", lambda g: g > 10, lambda on: len(on.elbv2.describe_ssl_policies()["SslPolicies"])),
]


@pytest.fixture(scope="module")
def account(emulator, clients):
    emulator.control("POST", "reset", {"seed": None})
    return Account(clients).with_objects(OBJECTS)


@pytest.mark.parametrize(("wanted", "look"), [pytest.param(*check[1:], id=check[0]) for check in CHECKS])
def test_check(wanted, look, account):
    found = look(account)
    assert satisfies(wanted, found), f"wanted {wanted}, found {found}"
