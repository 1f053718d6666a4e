"""What is wrong is said in the author's words, neighbours go on, and nothing is deleted."""

import pytest

from e2e.lib.shop import WEB
from e2e.lib.waiting import eventually, need, steadily

IP = {"target-type": "ip"}
PREFIX = "alb.ingress.kubernetes.io/"
HOST = "a.example.com"


@pytest.fixture(scope="module")
def world(world):
    """The site without public subnets: their role tags are taken away."""
    subnets = list(world.cloud.subnets("public").values())
    world.cloud.ec2.delete_tags(Resources=subnets, Tags=[{"Key": "kubernetes.io/role/elb"}])
    return world


def on_web(path="/", host=None, service="web", port=80):
    return (host or HOST, path, "Prefix", service, port)


def deletions(cloud, mark):
    return [call["operation"] for call in cloud.writes(mark) if call["operation"].startswith(("Delete", "Deregister", "Revoke"))]


class Pair:
    """Two Ingresses of one group that both work; one is about to go wrong."""

    def __init__(self, shop, **hosts):
        self.shop, self.cloud, self.cluster = shop, shop.cloud, shop.cluster
        self.group = {**IP, "group.name": shop.namespace}
        self.stack = f"aws:group:{shop.namespace}"
        self.good("/good")
        shop.ingress("bad", [on_web("/bad")], self.group)
        shop.up("good")
        self.routed("/good", "/bad")
        self.mark = self.cloud.mark()

    def good(self, path):
        self.shop.ingress("good", [on_web(path)], self.group)

    def routed(self, *paths):
        def probe():
            lines = self.shop.routes("good")
            need(all(any(f"{path}," in line for line in lines) for path in paths), lines)

        eventually(f"rules for {paths}", probe)

    def still_works(self, reason, *, kept="/bad"):
        """The other member's changes arrive, the state says what is wrong, and nothing was deleted."""
        self.good("/better")
        self.routed("/better", *([kept] if kept else []))
        self.says(reason)
        others = [name for name in deletions(self.cloud, self.mark) if name != "DeleteRule"]
        assert others == [], others

    def says(self, reason):
        condition = eventually(f"condition {reason}", lambda: self.cluster.condition(self.stack, reason))
        assert f"{self.shop.namespace}/bad" in condition["message"]
        ready = self.cluster.condition(self.stack, "Ready")
        assert (ready["status"], ready["reason"]) == ("False", reason), ready


@pytest.fixture
def pair(shop):
    return Pair(shop)


def test_a_missing_service_is_answered_with_503(pair, cluster, shop):
    shop.ingress("bad", [on_web("/bad"), on_web("/gone", service="gone")], pair.group)
    note = cluster.warned("Ingress", shop.namespace, "bad", "BackendNotFound")
    assert note == f"Service {shop.namespace}/gone does not exist: requests to it are answered with 503"
    eventually("the 503", lambda: need(f"{HOST} /gone,/gone/* -> 503" in shop.routes("good"), shop.routes("good")))
    pair.still_works("BackendNotFound")


def test_a_missing_port_holds_its_ingress(pair, cluster, shop):
    shop.ingress("bad", [on_web("/bad"), on_web("/new", port=81)], pair.group)
    note = cluster.warned("Ingress", shop.namespace, "bad", "ServicePortNotFound")
    assert f"Service {shop.namespace}/web has no port 81" in note
    pair.still_works("ServicePortNotFound")
    assert not any("/new" in line for line in shop.routes("good"))


def test_an_unknown_annotation_is_told_and_the_rest_applied(pair, cluster, shop):
    shop.ingress("bad", [on_web("/bad"), on_web("/more")], {**pair.group, "target-typ": "ip"})
    note = cluster.warned("Ingress", shop.namespace, "bad", "UnknownAnnotation")
    assert f"{PREFIX}target-typ" in note and f"did you mean {PREFIX}target-type?" in note
    pair.routed("/good", "/bad", "/more")
    condition = eventually("condition", lambda: cluster.condition(pair.stack, "UnknownAnnotation"))
    assert f"{shop.namespace}/bad" in condition["message"]
    cluster.ready(pair.stack)
    assert deletions(pair.cloud, pair.mark) == []


def test_an_unparsable_value_holds_its_ingress_and_keeps_its_targets(pair, cluster, shop):
    wanted = sorted(f"{address}:{WEB}" for address in shop.addresses["web"])

    def registered():
        groups = [group for group in shop.cloud.dump()["targetGroups"].values() if f"{shop.namespace}/bad-web:80" in group["tags"].values()]
        need([group["targets"] for group in groups] == [wanted], groups)

    eventually("targets", registered)
    shop.ingress("bad", [on_web("/bad"), on_web("/new")], {**pair.group, "healthcheck-interval-seconds": "often"})
    note = cluster.warned("Ingress", shop.namespace, "bad", "InvalidSetting")
    assert f"{PREFIX}healthcheck-interval-seconds" in note and '"often"' in note
    pair.still_works("InvalidSetting")
    assert not any("/new" in line for line in shop.routes("good"))
    registered()

    shop.ingress("bad", [on_web("/bad"), on_web("/new")], pair.group)
    pair.routed("/new")
    cluster.ready(pair.stack)


def test_a_member_that_never_could_be_read_does_not_stop_its_group(pair, cluster, shop):
    shop.remove("Ingress", "bad")
    shop.ingress("bad", [on_web("/never")], {**pair.group, "group.order": "first"})
    cluster.warned("Ingress", shop.namespace, "bad", "InvalidSetting")
    pair.good("/better")
    pair.routed("/better")


def test_no_subnets(shop, cluster, cloud):
    mark = cloud.mark()
    stack = shop.ingress("bad", [on_web()], {**IP, "scheme": "internet-facing"})
    note = cluster.warned("Ingress", shop.namespace, "bad", "NoSubnets")
    assert "no suitable subnets for an internet-facing load balancer" in note
    condition = cluster.condition(stack, "Ready")
    assert (condition["status"], condition["reason"]) == ("False", "NoSubnets")
    shop.ingress("good", [on_web()], IP)
    shop.up("good")
    assert len([call for call in cloud.writes(mark) if call["operation"] == "CreateLoadBalancer"]) == 1
    assert deletions(cloud, mark) == []


def test_an_unknown_certificate(pair, cluster, shop, cloud):
    arn = "arn:aws:acm:us-east-1:000000000000:certificate/00000000-0000-0000-0000-000000000000"
    shop.ingress("bad", [on_web("/bad")], {**pair.group, "listen-ports": '[{"HTTPS": 443}]', "certificate-arn": arn})
    note = cluster.warned("Ingress", shop.namespace, "bad", "CertificateNotFound")
    assert arn in note
    pair.still_works("CertificateNotFound")


def test_a_name_without_a_zone(shop, cluster, cloud):
    host = f"{shop.namespace}.nowhere.test"
    stack = shop.ingress("bad", [on_web(host=host)], IP)
    assert cluster.warned("Ingress", shop.namespace, "bad", "NoZone") == f"no hosted zone for {host}"
    assert shop.address("bad"), "the load balancer does not wait for its name"
    condition = eventually("condition NoZone", lambda: cluster.condition(stack, "NoZone"))
    assert host in condition["message"]


def test_a_record_of_somebody_else(shop, cluster, cloud):
    host = f"{shop.namespace}.example.com"
    cloud.put_record("example.com", host, "A", "192.0.2.1")
    foreign = cloud.records()[(host, "A")]
    good = f"good-{host}"
    stack = shop.ingress("bad", [on_web(host=host), on_web(host=good)], IP)
    note = cluster.warned("Ingress", shop.namespace, "bad", "RecordConflict")
    assert host in note and "not owned by us" in note
    eventually("the other name", lambda: need((good, "A") in cloud.records(), sorted(cloud.records())))
    condition = eventually("condition RecordConflict", lambda: cluster.condition(stack, "RecordConflict"))
    assert host in condition["message"]
    steadily("the record stays", lambda: need(cloud.records()[(host, "A")] == foreign, cloud.records()), 1.0)
    shop.remove("Ingress", "bad")
    records = cloud.records()
    assert records[(host, "A")] == foreign and (good, "A") not in records and (f"a-{host}", "TXT") not in records


def test_a_load_balancer_of_somebody_else(shop, cluster, cloud, request):
    name = f"{shop.namespace}-taken"
    subnets = list(cloud.subnets("private").values())
    arn = cloud.elb.create_load_balancer(Name=name, Subnets=subnets, Scheme="internal")["LoadBalancers"][0]["LoadBalancerArn"]
    request.addfinalizer(lambda: cloud.elb.delete_load_balancer(LoadBalancerArn=arn))
    foreign = cloud.dump()["loadBalancers"][name]
    mark = cloud.mark()
    stack = shop.ingress("bad", [on_web()], {**IP, "load-balancer-name": name})
    note = cluster.warned("Ingress", shop.namespace, "bad", "NameTaken")
    assert name in note and "is not ours" in note, note
    condition = cluster.condition(stack, "Ready")
    assert (condition["status"], condition["reason"]) == ("False", "NameTaken")
    shop.ingress("good", [on_web()], IP)
    shop.up("good")
    shop.remove("Ingress", "bad")
    assert cloud.dump()["loadBalancers"][name] == foreign
    assert arn not in str([call["parameters"] for call in cloud.writes(mark)])
