"""A load balancer under deletion protection outlives its Ingress, and keeps its records."""

from e2e.lib.waiting import eventually, need, steadily

PROTECTED = {"target-type": "ip", "load-balancer-attributes": "deletion_protection.enabled=true"}
SWITCH = "deletion_protection.enabled"


def test_a_protected_load_balancer_stays_with_its_records_until_it_may_go(shop, cloud):
    host = f"protected-{shop.namespace}.example.com"
    shop.ingress("kept", [(host, "/", "Prefix", "web", 80)], PROTECTED)
    shop.up("kept")
    eventually("its record", lambda: need((host, "A") in cloud.records(), sorted(cloud.records())))
    arn, address, wanted = shop.arn("kept"), shop.address("kept"), cloud.records()
    mark = cloud.mark()

    shop.cluster.delete("Ingress", shop.namespace, "kept")
    said = shop.cluster.warned("Ingress", shop.namespace, "kept", "DeletionProtected")
    assert "switched off in AWS" in said
    steadily("nothing goes", lambda: need(cloud.records() == wanted and not cloud.writes(mark), cloud.writes(mark)), 5.0)
    assert shop.address("kept") == address

    cloud.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[{"Key": SWITCH, "Value": "false"}])
    # The next look would come within minutes; a change of the object brings it at once.
    shop.ingress("kept", [(host, "/", "Prefix", "web", 80)], {**PROTECTED, "example.com/note": "let it go"})
    shop.remove("Ingress", "kept")
    order = [call["operation"] for call in cloud.writes(mark) if call["operation"] in ("ChangeResourceRecordSets", "DeleteLoadBalancer")]
    assert order == ["ChangeResourceRecordSets", "DeleteLoadBalancer"], order
