"""Names of Ingresses and Services in Route 53: aliases with ownership, made after the load balancer and removed before it."""

import json

import pytest

from e2e.lib.manifests import port
from e2e.lib.waiting import eventually, need, steadily

IP = {"target-type": "ip"}
DEEP = "deep.example.com"


@pytest.fixture(scope="module")
def world(world):
    """The site with a second zone below the first."""
    world.cloud.dns.create_hosted_zone(Name=DEEP, CallerReference="e2e")
    return world


def on_web(host):
    return (host, "/", "Prefix", "web", 80)


def published(cloud, name, zone="example.com"):
    """Waits for the alias of a name and gives it with its ownership."""
    label, _, rest = name.partition(".")

    def probe():
        records = cloud.records(zone)
        need((name, "A") in records and (f"a-{label}.{rest}", "TXT") in records, sorted(records))
        return records[(name, "A")]["alias"], records[(f"a-{label}.{rest}", "TXT")]["values"]

    return eventually(f"alias and ownership of {name}", probe)


def absent(cloud, name, zone="example.com"):
    def probe():
        found = [key for key in cloud.records(zone) if name.split(".")[0] in key[0]]
        need(not found, found)

    eventually(f"no records of {name}", probe)


def expected(cloud, shop, name, address, kind="ingress", holder="a"):
    """What `published` should give for an object of the test's namespace."""
    balancer = cloud.balancer(address)
    alias = {"to": f"loadBalancer:{balancer['LoadBalancerName']}", "zone": balancer["CanonicalHostedZoneId"], "health": True}
    return alias, [f'"heritage=external-dns,external-dns/owner=e2e,external-dns/resource={kind}/{shop.namespace}/{holder}"']


def test_names_of_an_ingress_are_published(shop, cloud, cluster):
    tls, more = f"tls-{shop.namespace}.example.com", f"more-{shop.namespace}.example.com"
    host = f"host-{shop.namespace}.example.com"
    shop.ingress("a", [on_web(host)], {**IP, "external-dns.alpha.kubernetes.io/hostname": more}, tls=[{"hosts": [tls]}])
    address = shop.address("a")
    for name in (host, tls, more):
        assert published(cloud, name) == expected(cloud, shop, name, address)
    assert not [key for key in cloud.records() if key[1] == "AAAA"], "the load balancer has IPv4 addresses only"

    cluster.annotate("Ingress", shop.namespace, "a", {"external-dns.alpha.kubernetes.io/hostname": None})
    absent(cloud, more)
    assert (host, "A") in cloud.records() and (tls, "A") in cloud.records()


def test_names_of_a_service_are_published_in_its_own_zone_id(shop, cloud):
    name = f"{shop.namespace}.example.com"
    shop.balancer("lb", [port(80, "http", "http")], {"nlb-target-type": "ip", "external-dns.alpha.kubernetes.io/hostname": name})
    address = shop.address("lb", "Service")
    found = published(cloud, name)
    assert found == expected(cloud, shop, name, address, "service", "lb")
    shop.ingress("a", [on_web(f"a-{name}")], IP)
    alias, _ = published(cloud, f"a-{name}")
    assert alias["zone"] != found[0]["zone"], "application and network load balancers live in different zones"


def test_the_longest_zone_takes_a_name(shop, cloud):
    shallow, deep = f"{shop.namespace}.example.com", f"{shop.namespace}.{DEEP}"
    shop.ingress("a", [on_web(shallow), on_web(deep)], IP)
    published(cloud, shallow)
    published(cloud, deep, DEEP)
    assert (deep, "A") not in cloud.records() and (shallow, "A") not in cloud.records(DEEP)


def test_a_wildcard_is_published(shop, cloud):
    shop.ingress("a", [on_web(f"*.{shop.namespace}.example.com")], IP)

    def probe():
        names = {name for name, kind in cloud.records() if kind == "A" and shop.namespace in name}
        need(names in ({f"\\052.{shop.namespace}.example.com"}, {f"*.{shop.namespace}.example.com"}), names)

    eventually("the wildcard", probe)


def test_a_name_is_published_only_once_its_load_balancer_is_active(shop, cloud, cluster, request):
    name = f"{shop.namespace}.example.com"
    cloud.settings(provisioning_seconds=3600)
    request.addfinalizer(lambda: cloud.settings(provisioning_seconds=None))
    mark = cloud.mark()
    shop.ingress("a", [on_web(name)], IP)
    eventually("a load balancer", lambda: need("CreateListener" in [call["operation"] for call in cloud.writes(mark)], cloud.writes(mark)))

    def nothing():
        need(not [key for key in cloud.records() if shop.namespace in key[0]], cloud.records())
        need(not cluster.addresses("Ingress", shop.namespace, "a"), "the status has an address")

    steadily("nothing while the load balancer is provisioned", nothing, 3.0)
    cloud.control("POST", "clock", {"advance": 3601})
    address = shop.address("a")
    assert published(cloud, name) == expected(cloud, shop, name, address)


def test_a_name_is_removed_before_its_load_balancer(shop, cloud):
    name = f"{shop.namespace}.example.com"
    shop.ingress("a", [on_web(name)], IP)
    published(cloud, name)
    mark = cloud.mark()
    shop.remove("Ingress", "a")
    writes = cloud.writes(mark)
    removed = [call["number"] for call in writes if call["operation"] == "ChangeResourceRecordSets" and name in json.dumps(call["parameters"])]
    deleted = [call["number"] for call in writes if call["operation"] in ("DeleteLoadBalancer", "DeleteListener", "DeleteRule", "DeregisterTargets")]
    assert len(removed) == 1 and deleted, writes
    assert removed[0] < min(deleted), "the name was gone before anything that serves it"
    absent(cloud, name)


def test_a_name_moves_to_another_object_without_a_gap(shop, cloud):
    name = f"{shop.namespace}.example.com"
    shop.ingress("a", [on_web(name)], IP)
    before = published(cloud, name)
    shop.ingress("b", [on_web(name)], IP)
    shop.address("b")
    assert published(cloud, name) == before, "the older object keeps it"
    mark = cloud.mark()
    shop.remove("Ingress", "a")
    wanted = expected(cloud, shop, name, shop.address("b"), holder="b")
    eventually("the name points at the other", lambda: need(published(cloud, name) == wanted, published(cloud, name)))
    changes = [change for call in cloud.writes(mark) if call["operation"] == "ChangeResourceRecordSets"
               for change in call["parameters"]["ChangeBatch"]["Changes"] if change["ResourceRecordSet"]["Type"] == "A"]
    assert [change["Action"] for change in changes] == ["UPSERT"], changes
