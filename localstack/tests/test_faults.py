"""The fault layer: what fails, how it looks to a client, that it is the same in every run, and what is counted."""

import time

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError, ReadTimeoutError

NEW_GROUP = {"Name": "one", "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-00000000000000001", "TargetType": "ip"}


@pytest.fixture
def elb(world, clients):
    return clients.client("elbv2")


def groups(elb):
    return [group["TargetGroupName"] for group in elb.describe_target_groups()["TargetGroups"]]


def script(world, *rules, **more):
    world("PUT", "faults", {"rules": list(rules), **more})


@pytest.mark.parametrize(
    ("service", "call", "code", "status"),
    [
        ("elbv2", "describe_load_balancers", "Throttling", 400),
        ("route53", "list_hosted_zones", "Throttling", 400),
        ("ec2", "describe_vpcs", "RequestLimitExceeded", 503),
        ("acm", "list_certificates", "ThrottlingException", 400),
        ("resourcegroupstaggingapi", "get_resources", "ThrottlingException", 400),
    ],
)
def test_each_service_throttles_in_its_own_words(service, call, code, status, world, clients):
    script(world, {"id": "slow", "service": service})
    with pytest.raises(ClientError) as failure:
        getattr(clients.client(service), call)()
    answer = failure.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    getattr(clients.client(service), call)()


def test_an_error_comes_before_the_request_is_applied(world, elb):
    script(world, {"id": "e", "operation": "CreateTargetGroup", "action": "error"})
    with pytest.raises(ClientError) as failure:
        elb.create_target_group(**NEW_GROUP)
    assert failure.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert groups(elb) == []


def test_a_lost_answer_is_an_error_although_the_request_was_applied(world, elb):
    script(world, {"id": "l", "operation": "CreateTargetGroup", "action": "lost"})
    with pytest.raises(ClientError) as failure:
        elb.create_target_group(**NEW_GROUP)
    assert failure.value.response["Error"]["Code"] == "InternalFailure"
    assert groups(elb) == ["one"]


def test_a_cut_connection_leaves_the_request_applied(world, elb):
    script(world, {"id": "c", "operation": "CreateTargetGroup", "action": "cut"})
    with pytest.raises(HTTPClientError):
        elb.create_target_group(**NEW_GROUP)
    assert groups(elb) == ["one"]


def test_a_delay_beyond_the_time_out_is_a_time_out(world, clients):
    script(world, {"id": "d", "operation": "DescribeVpcs", "action": "delay", "delay_seconds": 1.5})
    impatient = clients.make("ec2", Config(read_timeout=0.3, retries={"total_max_attempts": 1}))
    started = time.monotonic()
    with pytest.raises(ReadTimeoutError):
        impatient.describe_vpcs()
    assert time.monotonic() - started < 1.4


def test_skip_and_count_choose_the_calls(world, elb):
    script(world, {"id": "s", "operation": "DescribeTargetGroups", "skip": 2, "count": 1})
    assert pattern(elb, 5) == "..X.."


def pattern(elb, calls):
    seen = ""
    for _ in range(calls):
        try:
            elb.describe_target_groups()
            seen += "."
        except ClientError:
            seen += "X"
    return seen


def test_chance_is_the_same_in_every_run_and_differs_between_seeds(world, elb):
    rule = {"id": "p", "operation": "DescribeTargetGroups", "count": -1, "probability": 0.3}
    runs = []
    for seed in (7, 7, 8):
        script(world, rule, seed=seed)
        runs.append(pattern(elb, 40))
    assert runs[0] == runs[1] != runs[2]
    assert 4 <= runs[0].count("X") <= 20


def test_a_rule_can_look_at_the_parameters(world, elb):
    script(world, {"id": "m", "operation": "CreateTargetGroup", "match": '"two"', "count": -1})
    elb.create_target_group(**NEW_GROUP)
    with pytest.raises(ClientError):
        elb.create_target_group(**{**NEW_GROUP, "Name": "two"})


def test_an_empty_bucket_throttles_until_virtual_time_refills_it(world, elb):
    limit = {"match": "elbv2.Describe*", "capacity": 3, "refill_per_second": 0.001}
    world("PUT", "faults", {"limits": [limit]})
    assert pattern(elb, 5) == "...XX"
    world("POST", "clock", {"advance": 2000})
    assert pattern(elb, 3) == "..X"


def test_reads_may_lag_behind_writes(world, elb):
    world("PUT", "settings", {"visibility_lag_seconds": 30})
    created = elb.create_target_group(**NEW_GROUP)["TargetGroups"][0]["TargetGroupArn"]
    with pytest.raises(ClientError) as failure:
        elb.describe_target_groups(TargetGroupArns=[created])
    assert failure.value.response["Error"]["Code"] == "TargetGroupNotFound"
    assert groups(elb) == []
    elb.modify_target_group(TargetGroupArn=created, HealthCheckPath="/ok")
    world("POST", "clock", {"advance": 31})
    assert groups(elb) == ["one"]


def test_new_security_groups_lag_too(world, clients):
    ec2 = clients.client("ec2")
    world("PUT", "settings", {"visibility_lag_seconds": 30})
    group = ec2.create_security_group(GroupName="g", Description="g", VpcId=NEW_GROUP["VpcId"])["GroupId"]
    with pytest.raises(ClientError) as failure:
        ec2.describe_security_groups(GroupIds=[group])
    assert failure.value.response["Error"]["Code"] == "InvalidGroup.NotFound"
    world("POST", "clock", {"advance": 31})
    assert len(ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]) == 1


def test_pages_can_be_made_small(world, elb):
    for name in ("one", "two", "three"):
        elb.create_target_group(**{**NEW_GROUP, "Name": name})
    world("PUT", "settings", {"page_size": 2})
    assert groups(elb) == ["one", "two"]
    pages = elb.get_paginator("describe_target_groups").paginate()
    assert [len(page["TargetGroups"]) for page in pages] == [2, 1]


def test_calls_errors_and_faults_are_counted(world, elb):
    script(world, {"id": "once", "operation": "CreateTargetGroup", "action": "lost"})
    world("DELETE", "counters")
    with pytest.raises(ClientError):
        elb.create_target_group(**NEW_GROUP)
    assert groups(elb) == ["one"]
    assert world("GET", "counters") == {
        "total": 2,
        "calls": {"elbv2.CreateTargetGroup": 1, "elbv2.DescribeTargetGroups": 1},
        "errors": {"elbv2.CreateTargetGroup:InternalFailure": 1},
        "faults": {"once": 1},
    }


def test_the_journal_has_parameters_and_outcome(world, elb):
    elb.create_target_group(**NEW_GROUP)
    with pytest.raises(ClientError):
        elb.create_target_group(**{**NEW_GROUP, "Port": 81})
    first, second = world("GET", "journal?service=elbv2")
    assert (first["operation"], first["error"], first["parameters"]["Name"]) == ("CreateTargetGroup", "", "one")
    assert second["error"] == "DuplicateTargetGroupName"
    assert world("GET", f"journal?after={second['number']}") == []


def test_health_can_be_dictated(world, elb):
    group = elb.create_target_group(**NEW_GROUP)["TargetGroups"][0]["TargetGroupArn"]
    subnets = ["subnet-0000000000000000a", "subnet-0000000000000000b"]
    balancer = elb.create_load_balancer(Name="one", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=forward)
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "10.0.0.9"}])
    world("PUT", "health", {"10.0.0.9": {"State": "unhealthy", "Reason": "Target.Timeout"}})
    found = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert [target["TargetHealth"]["State"] for target in found] == ["unhealthy"]


def test_route53_has_a_second_form_of_its_error(world, clients):
    world("PUT", "settings", {"change_batch_error": "messages"})
    change = {
        "Action": "DELETE",
        "ResourceRecordSet": {
            "Name": "a.example.com",
            "Type": "A",
            "TTL": 60,
            "ResourceRecords": [{"Value": "192.0.2.1"}],
        },
    }
    with pytest.raises(ClientError) as failure:
        clients.client("route53").change_resource_record_sets(
            HostedZoneId="Z00000000000000000001", ChangeBatch={"Changes": [change]}
        )
    assert "it was not found" in str(failure.value.response)


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("faults", {"rules": [{"operation": "X"}]}),
        ("faults", {"rules": [{"id": "x", "action": "explode"}]}),
        ("faults", {"rulez": []}),
        ("settings", {"provisioning": 3}),
        ("settings", {"quotas": {"nothing": 3}}),
    ],
)
def test_what_cannot_be_read_is_refused(route, body, world):
    with pytest.raises(RuntimeError, match="400"):
        world("PUT", route, body)


def test_an_unknown_route_is_not_found(world):
    with pytest.raises(RuntimeError, match="404"):
        world("GET", "nothing")


@pytest.mark.parametrize(("seconds", "told", "seen"), [(0, "provisioning", "active"), (60, "provisioning", "provisioning"), (None, "active", "active")])
def test_provisioning_takes_as_long_as_was_set(seconds, told, seen, world, elb, clients):
    world("PUT", "settings", {"provisioning_seconds": seconds})
    own = [{"Name": "vpc-id", "Values": [NEW_GROUP["VpcId"]]}]
    subnets = {subnet["AvailabilityZone"]: subnet["SubnetId"] for subnet in clients.client("ec2").describe_subnets(Filters=own)["Subnets"]}
    made = elb.create_load_balancer(Name="one", Subnets=list(subnets.values()), Scheme="internal")["LoadBalancers"][0]
    assert made["State"]["Code"] == told
    assert elb.describe_load_balancers()["LoadBalancers"][0]["State"]["Code"] == seen
