"""Ingresses of a group that forward to one Service have one target group together where that is asked for."""

from e2e.lib.manifests import port
from e2e.lib.waiting import eventually, need

SHARED = {"fairway.dev/share-target-groups": "true"}
NAMES = ("a", "b", "c")


def members(shop, annotations=None, **of):
    """Three Ingresses of one group over the Service `web`; `of` has more annotations of one of them."""
    shared = {"target-type": "ip", "group.name": shop.namespace, **(annotations or {})}
    for name in NAMES:
        shop.ingress(name, [(f"{name}.example.com", "/", "Prefix", "web", 80)], {**shared, **of.get(name, {})})


def destinations(shop):
    """Where the rules go, in the order of the Ingresses."""
    return [line.partition(" -> ")[2] for line in shop.routes("c")]


def groups(shop):
    """Names of the target groups that are bound here."""
    return {binding["metadata"]["name"] for binding in shop.cluster.all("TargetGroupBinding", shop.namespace)}


def test_defect_19_ingresses_share_a_target_group_where_the_service_says_so(shop, cloud):
    shop.service("web", [port(80, "http", "http")], SHARED)
    members(shop)
    shop.up("c")
    eventually("three rules", lambda: need(len(shop.routes("c")) == 3, shop.routes("c")))
    (group,) = groups(shop)
    (destination,) = set(destinations(shop))
    assert destination.startswith("web:80-")
    shop.targets("web:80", [f"{address}:8080" for address in shop.addresses["web"]])
    mark = cloud.mark()

    shop.remove("Ingress", "a")
    eventually("two rules", lambda: need(destinations(shop) == [destination] * 2, shop.routes("c")))
    assert groups(shop) == {group}
    written = {call["operation"] for call in cloud.writes(mark)}
    assert not written & {"CreateTargetGroup", "DeleteTargetGroup", "RegisterTargets", "DeregisterTargets"}, written

    shop.remove("Ingress", "b")
    shop.remove("Ingress", "c")
    assert group not in cloud.target_groups()


def test_who_asks_for_something_else_has_one_of_its_own(shop):
    members(shop, SHARED, b={"healthcheck-path": "/healthz"})
    shop.up("c")
    eventually("three rules", lambda: need(len(shop.routes("c")) == 3, shop.routes("c")))
    first, second, third = destinations(shop)
    assert first == third != second
    assert len(groups(shop)) == 2


def test_groups_are_shared_later_and_parted_again(shop):
    members(shop)
    shop.up("c")
    own = [f"{name}-web:80" for name in NAMES]
    eventually("a group each", lambda: need(destinations(shop) == own, shop.routes("c")))

    members(shop, SHARED)

    def one():
        need(len(set(destinations(shop))) == 1, shop.routes("c"))
        need(len(groups(shop)) == 1, groups(shop))

    eventually("one group", one, 60.0)
    shop.up("c")

    members(shop)
    eventually("a group each", lambda: need(destinations(shop) == own and len(groups(shop)) == 3, shop.routes("c")), 60.0)
