"""Without an owner id nothing is written to DNS, and it is not even asked for."""

OWNER = None


def test_dns_is_left_alone(shop, cloud):
    before = cloud.records()
    shop.ingress("a", [("a.example.com", "/", "Prefix", "web", 80)], {"target-type": "ip"})
    shop.up("a")
    shop.remove("Ingress", "a")
    mine = [call for call in cloud.journal() if call["service"] == "route53"]
    assert cloud.records() == before
    assert {call["operation"] for call in mine} <= {"ListHostedZones", "ListResourceRecordSets"}, "the test's own reads"


def test_the_operator_made_no_call_of_route_53(operator):
    assert operator.calls(), "it made others"
    assert not [call for call in operator.calls() if call.startswith("route53.")]
