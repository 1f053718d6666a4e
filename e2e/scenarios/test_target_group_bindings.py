"""TargetGroupBindings that users made for target groups of their own: no stack is behind them."""

import boto3

from e2e.lib.shop import WEB
from e2e.lib.waiting import eventually, need, steadily

FLAGS = ["--max-targets-per-target-group=3"]
ELSEWHERE = "222222222222"
ROLE = f"arn:aws:iam::{ELSEWHERE}:role/targets"


def client(cloud, service, account="000000000000"):
    """A client of an account: the emulator takes the key's id for its number."""
    key = "test" if account == "000000000000" else account
    return boto3.client(service, endpoint_url=cloud.endpoint, region_name=cloud.region, aws_access_key_id=key, aws_secret_access_key="test")


def target_group(cloud, name, kind="ip", **settings):
    asked = {"Protocol": "HTTP", "Port": 80, "VpcId": cloud.vpc, **settings}
    return cloud.elb.create_target_group(Name=name, TargetType=kind, **asked)["TargetGroups"][0]["TargetGroupArn"]


def bind(shop, name, **spec):
    manifest = {
        "apiVersion": "elbv2.k8s.aws/v1beta1", "kind": "TargetGroupBinding", "metadata": {"name": name, "namespace": shop.namespace},
        "spec": {"serviceRef": {"name": "web", "port": 80}, **spec},
    }
    shop.cluster.apply(manifest)


def targets(elb, arn):
    """Registered targets that are not on their way out."""
    told = elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    return sorted(f"{one['Target']['Id']}:{one['Target']['Port']}" for one in told if one["TargetHealth"]["State"] != "draining")


def of_web(shop):
    return sorted(f"{address}:{WEB}" for address in shop.addresses["web"])


def registers(elb, arn, wanted):
    eventually(f"targets {wanted}", lambda: need(targets(elb, arn) == wanted, targets(elb, arn)))


def condition(shop, name, kind):
    status = shop.cluster.get("TargetGroupBinding", shop.namespace, name).get("status", {})
    found = [one for one in status.get("conditions", []) if one["type"] == kind]
    need(found, f"status is {status}")
    return found[0]["status"], found[0]["reason"]


def becomes(shop, name, kind, want):
    def probe():
        told = condition(shop, name, kind)
        need(told == want, told)

    eventually(f"{name} {kind} {want}", probe)


def node_rules(cloud):
    """Rules of ours on the nodes' group, as (source, ports)."""
    rules = cloud.ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [nodes_group(cloud)]}])["SecurityGroupRules"]
    ours = [rule for rule in rules if "targetGroupBinding=shared" in rule.get("Description", "") and not rule["IsEgress"]]
    return sorted((rule.get("CidrIpv4", "group"), rule["FromPort"], rule["ToPort"]) for rule in ours)


def nodes_group(cloud):
    groups = cloud.ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [cloud.vpc]}])["SecurityGroups"]
    return next(group["GroupId"] for group in groups if group["GroupName"] == "nodes")


def test_pods_are_registered_by_arn_and_leave_with_the_binding(shop, cloud):
    arn = target_group(cloud, shop.namespace)
    cloud.elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": "10.0.0.9", "Port": 1}])
    everybody = {"from": [{"ipBlock": {"cidr": "10.0.0.0/16"}}], "ports": []}
    bind(shop, "mine", targetGroupARN=arn, targetType="ip", networking={"ingress": [everybody]})
    registers(cloud.elb, arn, of_web(shop))
    for kind, reason in (("TargetsRegistered", "Ready"), ("NetworkingReady", "Ready"), ("Ready", "Ready")):
        becomes(shop, "mine", kind, ("True", reason))
    # An entry without ports is for every TCP port.
    assert node_rules(cloud) == [("10.0.0.0/16", 0, 65535)]
    made = shop.cluster.get("TargetGroupBinding", shop.namespace, "mine")
    assert made["metadata"]["finalizers"] == ["elbv2.k8s.aws/resources"]
    assert made["status"]["observedGeneration"] == made["metadata"]["generation"]

    shop.pods("web", 1)
    registers(cloud.elb, arn, of_web(shop))
    shop.remove("TargetGroupBinding", "mine")
    assert targets(cloud.elb, arn) == []
    eventually("no rule of ours", lambda: need(node_rules(cloud) == [], node_rules(cloud)))


def test_nodes_are_registered_by_name(shop, cloud):
    arn = target_group(cloud, shop.namespace, "instance", Protocol="TCP")
    bind(shop, "by-name", targetGroupName=shop.namespace, serviceRef={"name": "nodes", "port": "http"})
    port = shop.cluster.get("Service", shop.namespace, "nodes")["spec"]["ports"][0]["nodePort"]
    wanted = sorted(f"{instance['provider_id'].rpartition('/')[2]}:{port}" for instance in shop.site.instances)
    registers(cloud.elb, arn, wanted)
    becomes(shop, "by-name", "NetworkingReady", ("True", "NotAsked"))

    # A port that does not exist keeps what is registered; a Service that does not exist does not.
    bind(shop, "by-name", targetGroupName=shop.namespace, serviceRef={"name": "nodes", "port": 81})
    shop.cluster.warned("TargetGroupBinding", shop.namespace, "by-name", "BackendNotFound")
    becomes(shop, "by-name", "Ready", ("False", "BackendNotFound"))
    assert targets(cloud.elb, arn) == wanted
    bind(shop, "by-name", targetGroupName=shop.namespace, serviceRef={"name": "gone", "port": 80})
    registers(cloud.elb, arn, [])
    shop.remove("TargetGroupBinding", "by-name")


def test_what_contradicts_the_group_changes_nothing(shop, cloud):
    arn = target_group(cloud, shop.namespace)
    cloud.elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": "10.0.0.9", "Port": 1}])
    bind(shop, "wrong", targetGroupARN=arn, targetType="ip", targetGroupProtocol="TCP")
    said = shop.cluster.warned("TargetGroupBinding", shop.namespace, "wrong", "TargetGroupMismatch")
    assert "spec.targetGroupProtocol is TCP" in said and "HTTP" in said
    becomes(shop, "wrong", "Ready", ("False", "TargetGroupMismatch"))
    assert targets(cloud.elb, arn) == ["10.0.0.9:1"]
    shop.cluster.delete("TargetGroupBinding", shop.namespace, "wrong")
    shop.cluster.gone("TargetGroupBinding", shop.namespace, "wrong")


def test_a_shared_group_loses_only_what_is_ours(shop, cloud):
    arn = target_group(cloud, shop.namespace)
    theirs = {"Id": "10.0.0.9", "Port": 1}
    cloud.elb.register_targets(TargetGroupArn=arn, Targets=[theirs])
    bind(shop, "shared", targetGroupARN=arn, targetType="ip", multiClusterTargetGroup=True)
    registers(cloud.elb, arn, sorted(["10.0.0.9:1", *of_web(shop)]))
    record = shop.cluster.get("ConfigMap", shop.namespace, "aws-lbc-targets-shared")
    assert sorted(record["data"]["targets"].split(",")) == of_web(shop)
    shop.remove("TargetGroupBinding", "shared")
    assert targets(cloud.elb, arn) == ["10.0.0.9:1"]
    assert shop.cluster.find("ConfigMap", shop.namespace, "aws-lbc-targets-shared") is None


def test_a_group_of_another_account_is_reached_in_its_role(shop, cloud):
    vpc = client(cloud, "ec2", ELSEWHERE).create_vpc(CidrBlock="172.16.0.0/16")["Vpc"]["VpcId"]
    elb = client(cloud, "elbv2", ELSEWHERE)
    group = elb.create_target_group(Name=shop.namespace, Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip")
    arn = group["TargetGroups"][0]["TargetGroupArn"]
    mark = cloud.mark()
    bind(shop, "elsewhere", targetGroupARN=arn, targetType="ip", vpcID=vpc, iamRoleArnToAssume=ROLE, assumeRoleExternalId="shop")
    registers(elb, arn, of_web(shop))
    zones = {one["Target"]["AvailabilityZone"] for one in elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]}
    assert zones == {"all"}
    calls = [call for call in cloud.journal(mark) if call["operation"] == "RegisterTargets"]
    assert {call["account"] for call in calls} == {ELSEWHERE}
    assumed = [call["parameters"] for call in cloud.journal(mark) if call["operation"] == "AssumeRole"]
    assert [(one["RoleArn"], one["ExternalId"]) for one in assumed] == [(ROLE, "shop")], "once, and kept"
    shop.remove("TargetGroupBinding", "elsewhere")
    assert targets(elb, arn) == []


def test_defect_08_a_full_group_is_left_as_it_is(shop, cloud):
    arn = target_group(cloud, shop.namespace)
    shop.pods("web", 2)
    four = [{"Id": address, "Port": WEB} for address in shop.addresses["web"]]
    cloud.elb.register_targets(TargetGroupArn=arn, Targets=four)
    bind(shop, "full", targetGroupARN=arn, targetType="ip")
    said = shop.cluster.warned("TargetGroupBinding", shop.namespace, "full", "TooManyTargets")
    assert "4 targets" in said and "3" in said
    steadily("nothing dropped", lambda: need(targets(cloud.elb, arn) == of_web(shop), targets(cloud.elb, arn)), 1)
    shop.remove("TargetGroupBinding", "full")


def test_stacks_leave_bindings_of_users_alone(shop, cloud):
    arn = target_group(cloud, shop.namespace)
    bind(shop, "mine", targetGroupARN=arn, targetType="ip")
    registers(cloud.elb, arn, of_web(shop))
    shop.ingress("shop", [(None, "/", "Prefix", "web", 80)], {"target-type": "ip"})
    shop.up("shop")
    shop.remove("Ingress", "shop")
    assert targets(cloud.elb, arn) == of_web(shop)
    shop.remove("TargetGroupBinding", "mine")
