"""A flag says how much the account has, whatever AWS says of it; where AWS says nothing, its defaults hold."""

import pytest

FLAGS = ("--quotas=rules=1",)
OWNER = None


@pytest.fixture(scope="module")
def world(world):
    """An account that does not answer how much it has."""
    world.cloud.faults({"operation": "DescribeAccountLimits", "count": -1, "action": "error", "code": "AccessDenied", "status": 403})
    return world


def test_the_flag_holds_where_aws_does_not_answer(shop, cluster, cloud, operator):
    paths = [("a.example.com", path, "Prefix", "web", 80) for path in ("/one", "/two")]
    mark = cloud.mark()
    shop.ingress("a", paths, {"target-type": "ip"})
    note = cluster.warned("Ingress", shop.namespace, "a", "LimitExceeded")
    assert note == "2 rules on the load balancer are needed with it, and 1 is the most (quota rules)"
    # The security group that all load balancers share is nobody's in particular.
    made = [call for call in cloud.writes(mark) if call["service"] == "elbv2"]
    assert made == [], "nothing of it is made"
    assert "limits are not known" in operator.log.read_text(encoding="utf-8")
    shop.ingress("a", paths[:1], {"target-type": "ip"})
    shop.up("a")
    assert len(shop.routes("a")) == 1
