"""A restart with settled load balancers costs nearly nothing."""

import time

from e2e.lib.manifests import port
from e2e.lib.waiting import eventually, need

IP = {"target-type": "ip"}
FRONT = {**IP, "enable-frontend-nlb": "true"}
INGRESSES = 6
# Whatever the number of load balancers: what the cluster shares (subnets, groups, interfaces, limits), the zones, and the records of one.
SHARED_CALLS = 11


def test_a_restart_costs_nearly_nothing(world, cloud, cluster):
    shop = world.shop("restart")
    first = world.operator("test_restart-first", world.flags()).ready()
    try:
        for number in range(INGRESSES):
            shop.ingress(f"a{number}", [(f"a{number}-{shop.namespace}.example.com", "/", "Prefix", "web", 80)], IP)
        front = shop.ingress("front", [(None, "/", "Prefix", "web", 80)], FRONT)
        shop.balancer("lb", [port(80, "http", "http")], {"nlb-target-type": "ip"})
        for number in range(INGRESSES):
            shop.up(f"a{number}")
        shop.up("lb", "Service")
        cluster.ready(front)
        hosts = {(f"a{number}-{shop.namespace}.example.com", "A") for number in range(INGRESSES)}
        eventually("records", lambda: need(hosts <= set(cloud.records()), sorted(cloud.records())))
        wanted = cloud.dump()
    finally:
        assert first.stop() == 0

    cloud.forget()
    second = world.operator("test_restart-second", world.flags()).ready()
    try:
        eventually("it leads and has looked", lambda: need(looks(second, "stack") >= INGRESSES + 2, second.metrics()))
        time.sleep(3.0)
        calls = cloud.counters()["calls"]
        looked = [call for call in calls if call.startswith("elbv2.") and call != "elbv2.DescribeAccountLimits"]
        assert not looked, f"load balancers are not looked at: {calls}"
        assert sum(calls.values()) <= SHARED_CALLS, calls
        assert cloud.writes() == []
        assert cloud.dump() == wanted
    finally:
        shop.close()
        second.stop()


def looks(operator, unit):
    return sum(value for name, value in operator.metrics().items() if name.startswith("fairway_looks_total") and f'unit="{unit}"' in name)
