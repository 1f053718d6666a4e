"""What somebody changes in AWS behind our back is found and repaired within one drift period."""

import contextlib

from e2e.lib.leaves import differences
from e2e.lib.waiting import eventually, need

PERIOD = 5
# A look that has begun takes its time, on two busy processors.
GRACE = 8


def test_changes_behind_our_back_are_repaired(world, cloud):
    shop = world.shop("drift")
    name = f"{shop.namespace}.example.com"
    # AWS' lists may lag behind writes, so an operator believes its own for a while; this one has made nothing itself.
    with running(world, "made"):
        shop.ingress("a", [(name, "/", "Prefix", "web", 80), (name, "/more", "Prefix", "web", 80)], {"target-type": "ip", "tags": "team=shop"})
        shop.up("a")
        shop.targets("web:80", [f"{address}:8080" for address in shop.addresses["web"]])
        eventually("alias", lambda: need((name, "A") in cloud.records(), sorted(cloud.records())))
        eventually("node rules", lambda: need(cloud.dump()["securityGroups"]["nodes"]["ingress"], "there are none"))
    wanted = cloud.dump()

    with running(world, "repairs", f"--drift-period={PERIOD}") as operator:
        eventually("a look at the stack", lambda: need("fairway_looks" in str(operator.metrics()), operator.metrics()))
        spoil(shop, cloud, name)
        spoiled = cloud.dump()
        for kind in ("loadBalancers", "targetGroups", "securityGroups", "records"):
            assert spoiled[kind] != wanted[kind], kind

        def repaired():
            found = differences(wanted, cloud.dump(), [])
            need(not found, "\n  ".join(found))

        try:
            eventually("everything as before", repaired, PERIOD + GRACE)
        finally:
            shop.close()


@contextlib.contextmanager
def running(site, name, *flags):
    operator = site.operator(f"test_drift-{name}", site.flags(*flags)).ready()
    try:
        yield operator
    finally:
        assert operator.stop() == 0, operator.tail()


def spoil(shop, cloud, name):
    arn = shop.arn("a")
    listener = cloud.elb.describe_listeners(LoadBalancerArn=arn)["Listeners"][0]["ListenerArn"]
    rule = next(rule for rule in cloud.elb.describe_rules(ListenerArn=listener)["Rules"] if rule["Priority"] == "1")
    cloud.elb.delete_rule(RuleArn=rule["RuleArn"])
    group = cloud.elb.describe_target_groups(LoadBalancerArn=arn)["TargetGroups"][0]["TargetGroupArn"]
    cloud.elb.modify_target_group(TargetGroupArn=group, HealthCheckPath="/elsewhere")
    cloud.elb.remove_tags(ResourceArns=[arn], TagKeys=["team"])
    # Which resource of the stack they are: whose they are is still there to be read.
    cloud.elb.remove_tags(ResourceArns=[arn, group], TagKeys=["ingress.k8s.aws/resource"])
    target = cloud.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"][0]["Target"]
    cloud.elb.deregister_targets(TargetGroupArn=group, Targets=[target])
    for security in cloud.ec2.describe_security_groups()["SecurityGroups"]:
        ours = security["GroupName"] == "nodes" or any(tag["Value"] == "ManagedLBSecurityGroup" for tag in security.get("Tags", []))
        if ours and security["IpPermissions"]:
            cloud.ec2.revoke_security_group_ingress(GroupId=security["GroupId"], IpPermissions=security["IpPermissions"])
    zone = cloud.zone("example.com")
    record = next(found for found in cloud.dns.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
                  if found["Name"] == f"{name}." and found["Type"] == "A")
    cloud.dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "DELETE", "ResourceRecordSet": record}]})
