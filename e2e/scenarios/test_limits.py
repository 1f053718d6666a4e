"""What does not fit a load balancer is held with the numbers, before AWS is asked for what it would refuse half of; others go on.

The account's limits are what AWS says of it; a flag, which test_limits_by_flag has, comes before that.
"""

import pytest

from e2e.lib.waiting import eventually, need, steadily

OWNER = None
IP = {"target-type": "ip"}


@pytest.fixture(scope="module")
def world(world):
    """An account with fewer rules and listeners than others, and made so before the operator asks."""
    world.cloud.settings(quotas={"rules-per-load-balancer": 3, "listeners-per-load-balancer": 2})
    return world


def grouped(shop, name, order, *paths, **more):
    """A member of the test's group."""
    routes = [(f"{name}.example.com", path, "Prefix", "web", 80) for path in paths]
    annotations = {**IP, "group.name": shop.namespace, "group.order": str(order), **more}
    return shop.ingress(name, routes, annotations)


def served(shop, name, *lines):
    """Waits until the group, of which `name` is served, has exactly these hosts and paths."""

    def probe():
        seen = [line.partition(" -> ")[0] for line in shop.routes(name)]
        need(sorted(seen) == sorted(lines), seen)

    eventually(f"rules are {lines}", probe)


def held(shop, cluster, name, stack, said):
    """Waits until a member is told that it does not fit."""
    assert cluster.warned("Ingress", shop.namespace, name, "LimitExceeded") == said

    def probe():
        ready = cluster.condition(stack, "Ready")
        need((ready["status"], ready["reason"]) == ("False", "LimitExceeded") and said in ready["message"], ready)

    eventually("the state says so", probe)


def test_limits_were_asked_for_once(operator, cloud):
    asked = [call for call in cloud.journal() if call["operation"] == "DescribeAccountLimits"]
    assert len(asked) == 1, asked


def test_the_member_that_does_not_fit_is_held_and_others_go_on(shop, cluster, cloud):
    stack = grouped(shop, "a", 2, "/one")
    grouped(shop, "b", 3, "/two")
    shop.up("b")
    served(shop, "b", "a.example.com /one,/one/*", "b.example.com /two,/two/*")
    before, mark = shop.seen("b"), cloud.mark()
    grouped(shop, "big", 9, "/three", "/four")
    said = "4 rules on the load balancer are needed with it, and 3 is the most (quota rules)"
    held(shop, cluster, "big", stack, said)
    steadily("nothing half is written", lambda: need(not cloud.writes(mark), cloud.writes(mark)), 1.0)
    assert shop.seen("b") == before

    shop.ingress("alone", [("alone.example.com", "/", "Prefix", "web", 80)], IP)
    shop.up("alone")
    grouped(shop, "b", 3, "/changed")
    # While somebody is held, no rule is deleted: what was there may be what is held.
    eventually("the change of another member", lambda: need(any("/changed," in line for line in shop.routes("b")), shop.routes("b")))
    refused = [call for call in cloud.writes(mark) if call["error"]]
    assert refused == [], "AWS was asked for nothing that it refuses"

    shop.remove("Ingress", "b")
    served(shop, "big", "big.example.com /three,/three/*", "big.example.com /four,/four/*", "a.example.com /one,/one/*")
    cluster.ready(stack)


def test_a_member_that_grows_keeps_what_it_had(shop, cluster, cloud):
    stack = grouped(shop, "a", 1, "/one")
    shop.up("a")
    mark = cloud.mark()
    grouped(shop, "a", 1, "/one", "/two", "/three", "/four")
    held(shop, cluster, "a", stack, "4 rules on the load balancer are needed with it, and 3 is the most (quota rules)")
    served(shop, "a", "a.example.com /one,/one/*")
    assert cloud.writes(mark) == []
    grouped(shop, "a", 1, "/one", "/two", "/three")
    cluster.ready(stack)
    served(shop, "a", *[f"a.example.com {path},{path}/*" for path in ("/one", "/two", "/three")])


def test_a_port_that_does_not_fit_is_not_opened(shop, cluster, cloud):
    ports = '[{"HTTP": 80}, {"HTTP": 81}]'
    stack = grouped(shop, "a", 1, "/one", **{"listen-ports": ports})
    shop.up("a")
    before, mark = cloud.dump()["securityGroups"], cloud.mark()
    grouped(shop, "b", 2, "/two", **{"listen-ports": '[{"HTTP": 82}]'})
    held(shop, cluster, "b", stack, "3 listeners on the load balancer are needed with it, and 2 is the most (quota listeners)")
    assert cloud.writes(mark) == [] and cloud.dump()["securityGroups"] == before
