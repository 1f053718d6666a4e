"""What stands before a load balancer: attributes of listeners, client certificates, web ACLs, protection, capacity, pools, and the
class that speaks for it. Values change, and AWS differs; what nobody asks for is neither looked at nor touched."""

import json

import pytest

from e2e.lib import manifests
from e2e.lib.aws_state import client
from e2e.lib.waiting import eventually, need

HOST = "front.other.test"
PUBLIC = {"scheme": "internet-facing", "target-type": "ip"}
OWNER = None
SERVER = "routing.http.response.server.enabled"
CONTROLLER = "ingress.k8s.aws/alb"
ADDONS = {"wafv2", "waf-regional", "shield"}


@pytest.fixture(scope="module")
def world(world):
    """The site with a trait of subnets that a class can ask for, put there before the operator looks: it looks every ten minutes."""
    subnets = world.cloud.subnets("private")
    chosen = [subnets["private-b"], subnets["private-c"]]
    world.cloud.ec2.create_tags(Resources=chosen, Tags=[{"Key": "tier", "Value": "front"}])
    return world


def on_web(path="/", host=HOST):
    return (host, path, "Prefix", "web", 80)


class Front:
    """The account's services beside Elastic Load Balancing, and what they say of one load balancer."""

    def __init__(self, cloud, arn):
        self.elb, self.arn = cloud.elb, arn
        self.waf, self.classic, self.shield = (client(name, cloud.endpoint, cloud.region) for name in ("wafv2", "waf-regional", "shield"))

    def seen(self):
        described = self.elb.describe_load_balancers(LoadBalancerArns=[self.arn])["LoadBalancers"][0]
        reserved = self.elb.describe_capacity_reservation(LoadBalancerArn=self.arn).get("MinimumLoadBalancerCapacity", {})
        return {
            "acl": self.waf.get_web_acl_for_resource(ResourceArn=self.arn).get("WebACL", {}).get("Name"),
            "classic": self.classic.get_web_acl_for_resource(ResourceArn=self.arn).get("WebACLSummary", {}).get("WebACLId"),
            "shield": self._protection(),
            "capacity": reserved.get("CapacityUnits"),
            "pool": described.get("IpamPools", {}).get("Ipv4IpamPoolId"),
        }

    def becomes(self, **wanted):
        eventually(f"{wanted}", lambda: need(wanted.items() <= self.seen().items(), self.seen()))

    def _protection(self):
        try:
            return self.shield.describe_protection(ResourceArn=self.arn)["Protection"]["Name"]
        except self.shield.exceptions.ResourceNotFoundException:
            return None


@pytest.fixture(scope="module")
def acls(world):
    """ARNs of two web ACLs of the account, by name."""
    waf = client("wafv2", world.cloud.endpoint, world.cloud.region)
    visibility = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "m"}
    make = lambda name: waf.create_web_acl(  # noqa: E731
        Name=name, Scope="REGIONAL", DefaultAction={"Allow": {}}, Rules=[], VisibilityConfig=visibility)["Summary"]["ARN"]
    return {name: make(name) for name in ("guard", "other")}


@pytest.fixture(scope="module")
def trust_store(world):
    """The ARN of trust store `staff`."""
    made = world.cloud.elb.create_trust_store(Name="staff", CaCertificatesBundleS3Bucket="b", CaCertificatesBundleS3Key="k")
    return made["TrustStores"][0]["TrustStoreArn"]


def annotate(shop, name="a", **values):
    shop.cluster.annotate("Ingress", shop.namespace, name, {f"alb.ingress.kubernetes.io/{key}": value for key, value in values.items()})


def listener(cloud, arn, port):
    found = cloud.elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]
    return next(one for one in found if one["Port"] == port)


def server_header(cloud, arn, port):
    listed = cloud.elb.describe_listener_attributes(ListenerArn=listener(cloud, arn, port)["ListenerArn"])["Attributes"]
    return {pair["Key"]: pair["Value"] for pair in listed}[SERVER]


def test_listeners_have_the_attributes_that_name_them(shop, cloud):
    ports = {"listen-ports": '[{"HTTP": 80}, {"HTTP": 8080}]'}
    shop.ingress("a", [on_web()], {**PUBLIC, **ports, "listener-attributes.HTTP-8080": f"{SERVER}=false"})
    shop.up("a")
    arn = shop.arn("a")
    assert (server_header(cloud, arn, 80), server_header(cloud, arn, 8080)) == ("true", "false")
    annotate(shop, **{"listener-attributes.HTTP-8080": None, "listener-attributes.HTTP-80": f"{SERVER}=false"})
    eventually("the other listener", lambda: need(server_header(cloud, arn, 80) == "false", "still true"))
    assert server_header(cloud, arn, 8080) == "false", "what nobody asks for any more stays"


def test_clients_are_asked_for_certificates(shop, cluster, cloud, trust_store):
    ask = lambda **rest: json.dumps([{"port": 443, **rest}])  # noqa: E731
    shop.ingress("a", [on_web(host="mutual.example.com")], {
        **PUBLIC, "listen-ports": '[{"HTTPS": 443}]', "mutual-authentication": ask(mode="verify", trustStore="staff")})
    shop.up("a")
    arn = shop.arn("a")
    asked = lambda: listener(cloud, arn, 443)["MutualAuthentication"]  # noqa: E731
    want = {"Mode": "verify", "TrustStoreArn": trust_store, "IgnoreClientCertificateExpiry": False}
    assert want.items() <= asked().items()
    annotate(shop, **{"mutual-authentication": ask(mode="passthrough")})
    eventually("passed on", lambda: need(asked()["Mode"] == "passthrough", asked()))
    annotate(shop, **{"mutual-authentication": ask(mode="verify", trustStore="nobodys")})
    assert "nobodys" in cluster.warned("Ingress", shop.namespace, "a", "TrustStoreNotFound")
    assert asked()["Mode"] == "passthrough", "held as it was"
    annotate(shop, **{"mutual-authentication": ask(mode="off")})
    eventually("not asked for", lambda: need(asked()["Mode"] == "off", asked()))


def test_add_ons_are_put_on_and_taken_away(shop, cloud, acls):
    mark = cloud.mark()
    shop.ingress("a", [on_web()], PUBLIC)
    shop.up("a")
    looked = [call for call in cloud.journal(mark) if call["service"] in ADDONS or "Capacity" in call["operation"]]
    assert looked == [], "nobody asked for any of it"
    front = Front(cloud, shop.arn("a"))
    annotate(shop, **{
        "wafv2-acl-name": "guard", "waf-acl-id": "classic-1", "shield-advanced-protection": "true",
        "minimum-load-balancer-capacity": "CapacityUnits=120", "ipam-ipv4-pool-id": "ipam-pool-1"})
    shielded = "managed by aws-load-balancer-controller"
    front.becomes(acl="guard", classic="classic-1", shield=shielded, capacity=120, pool="ipam-pool-1")
    annotate(shop, **{
        "wafv2-acl-name": None, "wafv2-acl-arn": acls["other"], "waf-acl-id": "none", "shield-advanced-protection": None,
        "minimum-load-balancer-capacity": "CapacityUnits=60", "ipam-ipv4-pool-id": "ipam-pool-2"})
    front.becomes(acl="other", classic=None, shield=shielded, capacity=60, pool="ipam-pool-2")
    annotate(shop, **{
        "wafv2-acl-arn": "none", "waf-acl-id": None, "shield-advanced-protection": "false",
        "minimum-load-balancer-capacity": "CapacityUnits=0", "ipam-ipv4-pool-id": None})
    front.becomes(acl=None, classic=None, shield=None, capacity=None, pool=None)


def test_a_member_that_contradicts_is_held_and_hears_with_whom(shop, cluster, cloud, acls):
    group = {**PUBLIC, "group.name": shop.namespace}
    shop.ingress("a", [on_web("/a")], {**group, "wafv2-acl-name": "guard", "inbound-cidrs": "10.1.0.0/16,10.2.0.0/16"})
    shop.up("a")
    front = Front(cloud, shop.arn("a"))
    front.becomes(acl="guard")
    shop.ingress("b", [on_web("/b")], {**group, "wafv2-acl-name": "other"})
    assert f"Ingress {shop.namespace}/a" in cluster.warned("Ingress", shop.namespace, "b", "ConflictingSetting")
    assert [line for line in shop.routes("a") if "/b" in line] == []
    shop.ingress("b", [on_web("/b")], {**group, "inbound-cidrs": "10.2.0.0/16,10.1.0.0/16"})
    eventually("rules of both", lambda: need(any("/b" in line for line in shop.routes("a")), shop.routes("a")))
    assert front.seen()["acl"] == "guard"


def test_a_class_selects_subnets_and_opens_doors(shop, cluster, cloud):
    spec = {
        "subnets": {"tags": {"tier": ["front", "spare"]}}, "prefixListsIDs": ["pl-0a1b2c3d4e5f6a7b8"],
        "listeners": [{"protocol": "HTTP", "port": 80, "listenerAttributes": [{"key": SERVER, "value": "false"}]}],
        "minimumLoadBalancerCapacity": {"capacityUnits": 80},
    }
    cluster.apply(manifests.class_params("front", spec), manifests.ingress_class("front", CONTROLLER, params="front"))
    try:
        shop.ingress("a", [on_web()], {"target-type": "ip", "listener-attributes.HTTP-80": f"{SERVER}=true"}, class_name="front")
        balancer = shop.up("a")
        assert balancer["zones"] == ["us-east-1b/10.0.32.0/19", "us-east-1c/10.0.64.0/19"]
        arn = shop.arn("a")
        assert server_header(cloud, arn, 80) == "false", "the class is stronger"
        managed = next(name for name in balancer["securityGroups"] if not name.startswith("k8s-traffic-"))
        rules = [json.loads(rule) for rule in cloud.dump()["securityGroups"][managed]["ingress"]]
        assert [(rule["c"], rule["pl"]) for rule in rules] == [([], [["pl-0a1b2c3d4e5f6a7b8", ""]])]
        Front(cloud, arn).becomes(capacity=80)
        cluster.apply(manifests.class_params("front", {**spec, "minimumLoadBalancerCapacity": {"capacityUnits": 90}}))
        Front(cloud, arn).becomes(capacity=90)
        shop.remove("Ingress", "a")
    finally:
        cluster.delete("IngressClass", None, "front")
        cluster.delete("IngressClassParams", None, "front")


def test_a_class_for_other_namespaces_serves_none_of_this_one(shop, cluster):
    cluster.apply(
        manifests.class_params("chosen", {"namespaceSelector": {"matchLabels": {"front": shop.namespace}}}),
        manifests.ingress_class("chosen", CONTROLLER, params="chosen"))
    try:
        shop.ingress("a", [on_web()], PUBLIC, class_name="chosen")
        assert shop.namespace in cluster.warned("Ingress", shop.namespace, "a", "NamespaceNotSelected")
        assert "finalizers" not in cluster.get("Ingress", shop.namespace, "a")["metadata"]
        cluster.patch("Namespace", None, shop.namespace, {"metadata": {"labels": {"front": shop.namespace}}})
        shop.up("a")
        shop.remove("Ingress", "a")
    finally:
        cluster.delete("IngressClass", None, "chosen")
        cluster.delete("IngressClassParams", None, "chosen")


def test_a_class_that_goes_before_its_ingress_leaves_nothing_behind(shop, cluster, cloud):
    cluster.apply(
        manifests.class_params("brief", {"scheme": "internet-facing", "targetType": "ip"}),
        manifests.ingress_class("brief", CONTROLLER, params="brief"))
    shop.ingress("a", [on_web()], class_name="brief")
    shop.up("a")
    arn = shop.arn("a")
    cluster.delete("IngressClass", None, "brief")
    cluster.delete("IngressClassParams", None, "brief")
    assert "brief" in cluster.warned("Ingress", shop.namespace, "a", "IngressClassNotFound")
    assert shop.arn("a") == arn, "it is served as before"
    shop.remove("Ingress", "a")
    gone = lambda: [one["LoadBalancerArn"] for one in cloud.elb.describe_load_balancers()["LoadBalancers"]]  # noqa: E731
    eventually("the load balancer gone", lambda: need(arn not in gone(), gone()))
