"""Ingresses that are served in the cluster: by hosts and paths, with certificates from Secrets, at an address from a pool."""

import pytest

from e2e.lib.node_shop import POOL
from e2e.lib.waiting import eventually, need, steadily

pytestmark = pytest.mark.nodes
INBOUND_CIDRS = "alb.ingress.kubernetes.io/inbound-cidrs"
FIRST = POOL.partition("-")[0]


def test_hosts_paths_and_default_backend(node_shop, node_cluster):
    shop = node_shop
    shop.ingress("fairway", [(shop.host, "/", "Prefix", "web", 80), (shop.host, "/other", "Exact", "other", "http")], default=("other", 80))
    address = shop.address()
    assert address.rpartition(".")[0] == FIRST.rpartition(".")[0]
    shop.served(address)
    shop.served(address, "other", path="/other")
    shop.served(address, "web", path="/other/more")
    shop.served(address, "other", host="unknown.example.com")
    status, seen = shop.curl(address, "/deep?x=1")
    assert (status, seen["path"], seen["query"], seen["host"]) == (200, "/deep", "x=1", shop.host)
    record = eventually("the name", lambda: shop.cloud.records()[(shop.host, "A")] if (shop.host, "A") in shop.cloud.records() else need(False, "there is none"))
    assert record["values"] == [address]


def test_certificates_come_from_secrets(node_shop):
    shop = node_shop
    authority = shop.certificate("tls")
    shop.ingress("fairway", tls=[{"hosts": [shop.host], "secretName": "tls"}])
    address = shop.address()
    shop.served(address, authority=authority)
    assert shop.curl(address, authority=shop.certificate("none"))[0] == 0, "another authority's certificate would not do"


def test_only_clients_in_the_ranges_are_let_in(node_shop, node_lab):
    shop = node_shop
    network = node_lab.describe()["network"]
    shop.ingress("fairway", annotations={INBOUND_CIDRS: f"{network['client']}/32, 192.0.2.0/24"})
    address = shop.address()
    shop.served(address)
    steadily("another client gets no answer", lambda: need(shop.curl(address, where="control")[0] == 0, "it does"), 5.0)
    shop.ingress("fairway", annotations={INBOUND_CIDRS: f"{network['control']}/32"})
    shop.served(address, where="control")
    steadily("the first client gets none any more", lambda: need(shop.curl(address)[0] == 0, "it does"), 5.0)
    shop.ingress("fairway")
    shop.served(address)
    shop.served(address, where="control")


def test_the_address_goes_with_its_ingress(node_shop, node_cluster):
    shop = node_shop
    shop.ingress("fairway")
    address = shop.address()
    shop.served(address)
    node_cluster.delete("Ingress", shop.namespace, "web")
    node_cluster.gone("Ingress", shop.namespace, "web", 40.0)
    eventually("no answer", lambda: need(shop.curl(address)[0] == 0, "it answers"), 20.0)
    assert (shop.host, "A") not in shop.cloud.records()
