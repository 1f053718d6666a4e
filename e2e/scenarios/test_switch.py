"""A rule lets go of its targets, and a status of its load balancer, when what comes after them is healthy."""

import pytest

from e2e.lib.waiting import eventually, need, steadily

IP = {"target-type": "ip"}
HOST = "a.example.com"
PATIENCE = 40.0


@pytest.fixture
def sick(shop):
    """The pods behind `nodes` fail their health checks until told otherwise."""
    health = dict.fromkeys(shop.addresses["nodes"], {"State": "unhealthy", "Reason": "Target.ResponseCodeMismatch"})
    shop.cloud.control("PUT", "health", health)
    yield
    shop.cloud.control("PUT", "health", {})


def served(shop):
    """Waits until the pods behind `web` serve."""
    shop.targets("web:80", [f"{address}:8080" for address in shop.addresses["web"]])

    def healthy():
        for name in [binding["metadata"]["name"] for binding in shop.cluster.all("TargetGroupBinding", shop.namespace)]:
            (group,) = shop.cloud.elb.describe_target_groups(Names=[name])["TargetGroups"]
            found = shop.cloud.elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
            need(found and all(one["TargetHealth"]["State"] == "healthy" for one in found), found)

    eventually("healthy pods", healthy)


def on(service):
    return [(HOST, "/", "Prefix", service, 80)]


def test_requests_go_where_they_went_until_the_next_targets_are_healthy(shop, cluster, sick):
    stack = shop.ingress("a", on("web"), IP)
    shop.up("a")
    served(shop)

    shop.ingress("a", on("nodes"), IP)
    condition = eventually("the wait is told", lambda: cluster.condition(stack, "WaitingForTargets"))
    assert "no target of target group k8s-" in condition["message"]
    shop.targets("nodes:80", [f"{address}:8080" for address in shop.addresses["nodes"]])

    def unchanged():
        assert shop.routes("a") == [f"{HOST} /* -> a-web:80"]
        assert shop.target_groups()["web:80"]["targets"] == sorted(f"{address}:8080" for address in shop.addresses["web"])

    steadily("the old targets serve", unchanged, 3.0)

    shop.cloud.control("PUT", "health", {})
    eventually("the rule", lambda: need(shop.routes("a") == [f"{HOST} /* -> a-nodes:80"], shop.routes("a")), PATIENCE)
    cluster.ready(stack)
    eventually("the old group goes", lambda: need(list(shop.target_groups()) == ["nodes:80"], shop.target_groups()))


def test_a_neighbour_does_not_wait(shop, cluster, sick):
    group = {**IP, "group.name": shop.namespace}
    shop.ingress("a", on("web"), group)
    shop.ingress("b", [(HOST, "/b", "Prefix", "web", 80)], group)
    shop.up("b")
    served(shop)
    shop.ingress("a", on("nodes"), group)
    eventually("the wait is told", lambda: cluster.condition(f"aws:group:{shop.namespace}", "WaitingForTargets"))

    shop.ingress("b", [(HOST, "/c", "Prefix", "web", 80)], group)
    wanted = [f"{HOST} /c,/c/* -> b-web:80", f"{HOST} /* -> a-web:80"]
    eventually("the neighbour's rule", lambda: need(sorted(shop.routes("b")) == sorted(wanted), shop.routes("b")))


@pytest.fixture
def slow_checks(cloud):
    """Targets are healthy some seconds after they were registered."""
    cloud.control("PUT", "settings", {"target_initial_seconds": 8.0})
    yield
    cloud.control("PUT", "settings", {"target_initial_seconds": 0.0})


def test_a_status_shows_the_load_balancer_that_serves_until_its_successor_does(shop, cluster, slow_checks):
    stack = shop.ingress("a", on("web"), {**IP, "scheme": "internal"})
    shop.up("a")
    served(shop)
    before, old = shop.address("a"), shop.arn("a")

    shop.ingress("a", on("web"), {**IP, "scheme": "internet-facing"})
    eventually("the wait is told", lambda: cluster.condition(stack, "WaitingForTargets"))
    assert shop.address("a") == before

    def moved():
        need(shop.address("a") != before, before)

    eventually("the new address", moved, PATIENCE)
    (group,) = shop.cloud.elb.describe_target_groups(LoadBalancerArn=shop.arn("a"))["TargetGroups"]
    found = shop.cloud.elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
    assert "healthy" in [one["TargetHealth"]["State"] for one in found]
    cluster.ready(stack)
    gone = "the old load balancer goes"
    eventually(gone, lambda: need(old not in str(shop.cloud.elb.describe_load_balancers()), old), PATIENCE)
