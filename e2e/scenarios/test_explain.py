"""`fairway explain`: why there is no address, why a rule is not there, why a target is unhealthy, and whose move it is."""

import json

import pytest

from e2e.lib.command import CHANGES, ERROR, HELD, NOTHING, reader
from e2e.lib.waiting import eventually, need

PREFIX = "alb.ingress.kubernetes.io/"


@pytest.fixture(scope="module")
def fairway(world, tmp_path_factory):
    with reader(world, tmp_path_factory.mktemp("explain")) as command:
        yield command


def on_web(shop):
    return [(f"{shop.namespace}.example.com", "/", "Prefix", "web", 80)]


def explained(fairway, shop, name="ingress/a"):
    """What the command says, as text and as JSON; both end alike."""
    text = fairway.run("explain", name, f"--namespace={shop.namespace}")
    page = fairway.run("explain", name, f"--namespace={shop.namespace}", "--output=json")
    assert text.code == page.code, (text.complaint, page.complaint)
    return text, json.loads(page.text)


def test_nobody_serves_it(fairway, world):
    shop = world.shop("nobody")
    try:
        shop.ingress("a", on_web(shop), class_name="of-somebody")
        text, story = explained(fairway, shop)
        assert text.code == NOTHING and story["verdict"]["whose"] == "not Fairway's"
        assert text.text.splitlines()[1] == "  not ours: there is no IngressClass of-somebody"
        absent = fairway.run("explain", "ingress/b", f"--namespace={shop.namespace}")
        assert absent.code == ERROR and f"there is no Ingress {shop.namespace}/b" in absent.complaint
        assert fairway.run("explain", "pod/b").code == ERROR, "a wrong word is not a plan with changes"
    finally:
        shop.close()


def test_no_operator_has_looked_at_it(fairway, world):
    shop = world.shop("unseen")
    try:
        shop.ingress("a", on_web(shop), {"target-type": "ip"})
        text, story = explained(fairway, shop)
        assert text.code == CHANGES and story["verdict"]["whose"] == "Fairway's", text.text
        assert "  address: none yet" in text.text and "  + create internal load balancer" in text.text
        assert "look whether an operator runs" in text.text.splitlines()[-1]
        unnamed = fairway.run("explain", "ingress/a", f"--namespace={shop.namespace}", flags=[])
        assert unnamed.code == ERROR and "--cluster-name, --aws-region and --aws-vpc-id" in unnamed.text.splitlines()[-1]
        half = fairway.run("plan", flags=["--cluster-name=lab", "--aws-region=us-east-1"])
        assert half.code == ERROR and "--aws-vpc-id is missing" in half.complaint
    finally:
        shop.close()


def test_it_is_served(fairway, shop):
    shop.ingress("a", on_web(shop), {"target-type": "ip"})
    shop.up("a")
    shop.targets("web:80", [f"{address}:8080" for address in shop.addresses["web"]])
    text, story = eventually_settled(fairway, shop)
    assert story["verdict"]["whose"] == "nobody's" and story["addresses"] == [shop.address("a")]
    (group,) = story["target_groups"]
    assert group["service"] == f"{shop.namespace}/web" and {one["state"] for one in group["targets"]} == {"healthy"}
    assert "    Ready is True" in text.text

    sick = shop.addresses["web"][0]
    shop.cloud.control("PUT", "health", {sick: {"State": "unhealthy", "Reason": "Target.Timeout"}})
    try:
        text, story = explained(fairway, shop)
        assert story["verdict"]["whose"] == "the workload's" and text.code == NOTHING
        assert f"    {sick}:8080 unhealthy (Target.Timeout" in text.text
    finally:
        shop.cloud.control("PUT", "health", {})


def test_it_cannot_be_read(fairway, shop):
    shop.ingress("a", on_web(shop), {"target-type": "ip"})
    shop.up("a")
    key = f"{PREFIX}healthcheck-interval-seconds"
    shop.cluster.annotate("Ingress", shop.namespace, "a", {key: "often"})
    text, story = explained(fairway, shop)
    assert text.code == HELD and story["verdict"]["whose"] == "yours"
    assert key in story["verdict"]["why"] and '"often"' in story["verdict"]["why"]
    assert text.text.splitlines()[-1].startswith(f"Whose move: yours - {key}")


def eventually_settled(fairway, shop):
    def probe():
        text, story = explained(fairway, shop)
        need(text.code == NOTHING, text.text)
        return text, story

    return eventually("nothing to do", probe, 60.0)
