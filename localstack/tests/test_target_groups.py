"""Target groups and targets: what AWS does. In order, in one account."""

import pytest
from account import Account, outcome, satisfies, unique

OBJECTS = ("base",)


def deregister_and_look(on):
    on.elbv2.deregister_targets(TargetGroupArn=on.group_arn, Targets=[{"Id": "10.0.0.9", "Port": 80}])
    found = on.elbv2.describe_target_health(TargetGroupArn=on.group_arn)["TargetHealthDescriptions"]
    return [target["TargetHealth"]["State"] for target in found]


def register_1001(on):
    targets = [{"Id": f"10.0.{i // 250}.{i % 250 + 1}", "Port": 80} for i in range(1001)]
    return outcome(on.elbv2.register_targets, TargetGroupArn=on.target_group(), Targets=targets)


CHECKS = [
    (
        "tg.idempotent_same",
        "OK",
        lambda on: outcome(
            on.elbv2.create_target_group, Name="tg1", Protocol="HTTP", Port=80, VpcId=on.vpc, TargetType="ip"
        ),
    ),
    (
        "tg.dup_other_settings",
        "DuplicateTargetGroupName",
        lambda on: outcome(
            on.elbv2.create_target_group, Name="tg1", Protocol="HTTP", Port=81, VpcId=on.vpc, TargetType="ip"
        ),
    ),
    (
        "tg.name33",
        "ValidationError",
        lambda on: outcome(on.elbv2.create_target_group, Name="a" * 33, Protocol="HTTP", Port=80, VpcId=on.vpc),
    ),
    (
        "tg.proto_version_default",
        "HTTP1",
        lambda on: on.elbv2.describe_target_groups(TargetGroupArns=[on.group_arn])["TargetGroups"][0].get(
            "ProtocolVersion"
        ),
    ),
    (
        "tg.grpc",
        lambda g: g == ("GRPC", "12"),
        lambda on: (lambda t: (t.get("ProtocolVersion"), t["Matcher"].get("GrpcCode")))(
            on.elbv2.describe_target_groups(TargetGroupArns=[on.target_group(ProtocolVersion="GRPC")])["TargetGroups"][
                0
            ]
        ),
    ),
    (
        "tg.control_port",
        3000,
        lambda on: on.elbv2.describe_target_groups(TargetGroupArns=[on.target_group(TargetControlPort=3000)])["TargetGroups"][0].get(
            "TargetControlPort"
        ),
    ),
    (
        "tg.control_port_of_instances",
        "InvalidConfigurationRequest",
        lambda on: outcome(
            on.elbv2.create_target_group,
            Name=unique("tg"), Protocol="HTTP", Port=80, VpcId=on.vpc, TargetType="instance", TargetControlPort=3000,
        ),
    ),
    (
        "tg.ipv6",
        "ipv6",
        lambda on: on.elbv2.describe_target_groups(TargetGroupArns=[on.target_group(IpAddressType="ipv6")])[
            "TargetGroups"
        ][0].get("IpAddressType"),
    ),
    (
        "tg.tcp_udp",
        lambda g: g[0] == "TCP_UDP",
        lambda on: (
            lambda t: (
                t["Protocol"],
                t["HealthCheckProtocol"],
                t.get("HealthCheckIntervalSeconds"),
                t.get("HealthCheckTimeoutSeconds"),
            )
        )(on.elbv2.describe_target_groups(TargetGroupArns=[on.target_group(Protocol="TCP_UDP")])["TargetGroups"][0]),
    ),
    (
        "tg.quic",
        "OK",
        lambda on: outcome(
            on.elbv2.create_target_group, Name=unique(), Protocol="QUIC", Port=443, VpcId=on.vpc, TargetType="ip"
        ),
    ),
    (
        "tg.alb_type",
        "OK",
        lambda on: outcome(
            on.elbv2.create_target_group, Name=unique(), Protocol="TCP", Port=80, VpcId=on.vpc, TargetType="alb"
        ),
    ),
    (
        "tg.hc_defaults_http",
        lambda g: g == (30, 5, 5, 2, "traffic-port", "/", "200"),
        lambda on: (
            lambda t: (
                t["HealthCheckIntervalSeconds"],
                t["HealthCheckTimeoutSeconds"],
                t["HealthyThresholdCount"],
                t["UnhealthyThresholdCount"],
                t["HealthCheckPort"],
                t["HealthCheckPath"],
                t["Matcher"]["HttpCode"],
            )
        )(on.elbv2.describe_target_groups(TargetGroupArns=[on.group_arn])["TargetGroups"][0]),
    ),
    (
        "tg.hc_interval_bad",
        "ValidationError",
        lambda on: outcome(
            on.elbv2.create_target_group,
            Name=unique(),
            Protocol="HTTP",
            Port=80,
            VpcId=on.vpc,
            HealthCheckIntervalSeconds=1000,
        ),
    ),
    (
        "tg.vpc_notfound",
        "ValidationError",
        lambda on: outcome(on.elbv2.create_target_group, Name=unique(), Protocol="HTTP", Port=80, VpcId="vpc-0000"),
    ),
    (
        "tg.attrs_default",
        lambda g: {
            "deregistration_delay.timeout_seconds",
            "stickiness.enabled",
            "load_balancing.algorithm.type",
            "slow_start.duration_seconds",
            "load_balancing.cross_zone.enabled",
            "target_group_health.dns_failover.minimum_healthy_targets.count",
        }
        <= set(g),
        lambda on: sorted(
            (a["Key"] for a in on.elbv2.describe_target_group_attributes(TargetGroupArn=on.group_arn)["Attributes"])
        ),
    ),
    (
        "tg.attr_unknown",
        "ValidationError|InvalidConfigurationRequest",
        lambda on: outcome(
            on.elbv2.modify_target_group_attributes,
            TargetGroupArn=on.group_arn,
            Attributes=[{"Key": "nope", "Value": "1"}],
        ),
    ),
    (
        "tg.notfound",
        "TargetGroupNotFound",
        lambda on: outcome(on.elbv2.describe_target_groups, TargetGroupArns=[on.group_arn[:-4] + "0000"]),
    ),
    (
        "tg.delete_nonexistent_ok",
        "OK",
        lambda on: outcome(on.elbv2.delete_target_group, TargetGroupArn=on.group_arn[:-4] + "0000"),
    ),
    (
        "tg.pagesize",
        lambda g: g[0] == 2 and g[1],
        lambda on: (lambda r: (len(r["TargetGroups"]), r.get("NextMarker")))(
            on.elbv2.describe_target_groups(PageSize=2)
        ),
    ),
    (
        "tg.register_ip_outside_vpc",
        "InvalidTarget",
        lambda on: outcome(
            on.elbv2.register_targets, TargetGroupArn=on.group_arn, Targets=[{"Id": "8.8.8.8", "Port": 80}]
        ),
    ),
    (
        "tg.register_bad_instance",
        "InvalidTarget",
        lambda on: outcome(
            on.elbv2.register_targets,
            TargetGroupArn=on.target_group(TargetType="instance"),
            Targets=[{"Id": "i-0123456789"}],
        ),
    ),
    (
        "th.unused_when_not_attached",
        lambda g: g[0] == "unused" and g[1] == "Target.NotInUse",
        lambda on: (lambda h: (h["State"], h.get("Reason")))(
            on.elbv2.describe_target_health(TargetGroupArn=on.group_arn)["TargetHealthDescriptions"][0]["TargetHealth"]
        ),
    ),
    ("th.attached", lambda g: g.startswith("arn:"), lambda on: on.listener),
    (
        "th.initial_after_attach",
        lambda g: g[0] in ("initial", "healthy", "unhealthy"),
        lambda on: (lambda h: (h["State"], h.get("Reason")))(
            on.elbv2.describe_target_health(TargetGroupArn=on.group_arn)["TargetHealthDescriptions"][0]["TargetHealth"]
        ),
    ),
    (
        "th.unregistered_target",
        lambda g: g[0] == "unused" and g[1] == "Target.NotRegistered",
        lambda on: (lambda h: (h["State"], h.get("Reason")))(
            on.elbv2.describe_target_health(TargetGroupArn=on.group_arn, Targets=[{"Id": "10.0.0.77", "Port": 80}])[
                "TargetHealthDescriptions"
            ][0]["TargetHealth"]
        ),
    ),
    ("th.draining_after_deregister", ["draining"], lambda on: deregister_and_look(on)),
    (
        "tg.delete_in_use",
        "ResourceInUse",
        lambda on: outcome(on.elbv2.delete_target_group, TargetGroupArn=on.group_arn),
    ),
    (
        "tg.two_lbs",
        "TargetGroupAssociationLimit",
        lambda on: outcome(
            on.elbv2.create_listener,
            LoadBalancerArn=on.balancer()["LoadBalancerArn"],
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": on.group_arn}],
        ),
    ),
    (
        "tg.lbarns_after_attach",
        lambda g: g[1] == [g[0]],
        lambda on: (on.base_arn, on.described_group(on.group_arn)["LoadBalancerArns"]),
    ),
    ("tg.quota_1000_targets", "TooManyTargets|TooManyRegistrationsForTargetId", lambda on: register_1001(on)),
]


@pytest.fixture(scope="module")
def account(emulator, clients):
    emulator.control("POST", "reset", {"seed": None})
    return Account(clients).with_objects(OBJECTS)


@pytest.mark.parametrize(("wanted", "look"), [pytest.param(*check[1:], id=check[0]) for check in CHECKS])
def test_check(wanted, look, account):
    found = look(account)
    assert satisfies(wanted, found), f"wanted {wanted}, found {found}"
