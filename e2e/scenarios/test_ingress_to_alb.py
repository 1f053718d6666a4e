"""Ingresses become application load balancers, follow what changes, and leave nothing behind."""

import pytest

from e2e.lib import manifests
from e2e.lib.shop import WEB
from e2e.lib.waiting import eventually, need, steadily

PUBLIC = {"scheme": "internet-facing", "target-type": "ip"}
IP = {"target-type": "ip"}
HOST = "a.other.test"
CLUSTER_TAG = ("elbv2.k8s.aws/cluster", "lab")
OWNER = None  # names are test_route53's
OWN = "own-group"


def on_web(path="/", kind="Prefix", host=HOST):
    return (host, path, kind, "web", 80)


@pytest.fixture(scope="module")
def world(world):
    """The site with a security group of somebody else, made before the operator looks: one that it missed it asks for again after 30 s."""
    world.cloud.plant_group(OWN, {"Name": OWN})
    return world


@pytest.fixture
def certificate(cloud):
    """The ARN of the account's certificate for *.example.com."""
    return cloud.acm.list_certificates()["CertificateSummaryList"][0]["CertificateArn"]


def test_an_ingress_becomes_a_load_balancer(shop, cluster, cloud, request):
    cloud.settings(provisioning_seconds=0)  # as AWS: a look has to find it active
    request.addfinalizer(lambda: cloud.settings(provisioning_seconds=None))
    stack = shop.ingress("a", [on_web(), on_web("/exact", "Exact"), on_web("/raw*", "ImplementationSpecific")], PUBLIC)
    balancer = shop.up("a")
    assert (balancer["type"], balancer["scheme"], balancer["ip"]) == ("application", "internet-facing", "ipv4")
    assert balancer["zones"] == ["us-east-1a/10.0.128.0/20", "us-east-1b/10.0.144.0/20", "us-east-1c/10.0.160.0/20"]
    assert balancer["tags"] == {**dict([CLUSTER_TAG]), "ingress.k8s.aws/stack": f"{shop.namespace}/a", "ingress.k8s.aws/resource": "LoadBalancer"}
    assert list(balancer["listeners"]) == ["80/HTTP"]
    assert balancer["listeners"]["80/HTTP"]["default"] == [
        {"Type": "fixed-response", "FixedResponseConfig": {"ContentType": "text/plain", "StatusCode": "404"}}]
    assert shop.routes("a") == [f"{HOST} /exact -> a-web:80", f"{HOST} /* -> a-web:80", f"{HOST} /raw* -> a-web:80"]
    assert shop.target_groups()["web:80"]["TargetType"] == "ip"
    shop.targets("web:80", [f"{address}:{WEB}" for address in shop.addresses["web"]])

    managed, backend = sorted(balancer["securityGroups"], key=lambda name: name.startswith("k8s-traffic-"))
    groups = cloud.dump()["securityGroups"]
    assert groups[managed]["ingress"] == ['{"p": "tcp", "f": 80, "t": 80, "c": [["0.0.0.0/0", ""]], "c6": [], "g": [], "pl": []}']
    assert groups[backend]["tags"] == {**dict([CLUSTER_TAG]), "elbv2.k8s.aws/resource": "backend-sg"}

    def let_in():
        nodes = cloud.dump()["securityGroups"]["nodes"]["ingress"]
        need([rule for rule in nodes if backend in rule and f'"f": {WEB}' in rule], nodes)

    eventually("the rule for the pods", let_in)

    assert cluster.get("Ingress", shop.namespace, "a")["metadata"]["finalizers"] == ["ingress.k8s.aws/resources"]
    assert cluster.state(stack)["status"]["addresses"][0]["hostname"] == shop.address("a")

    def told():
        reasons = [event.reason for event in cluster.events("Ingress", shop.namespace, "a")]
        need("SuccessfullyReconciled" in reasons, reasons)

    eventually("the event", told)


def test_nodes_are_targets_unless_something_else_is_asked_for(shop, cluster):
    shop.ingress("a", [(None, "/", "Prefix", "nodes", "http")])
    balancer = shop.up("a")
    assert balancer["scheme"] == "internal"
    assert balancer["zones"] == ["us-east-1a/10.0.0.0/19", "us-east-1b/10.0.32.0/19", "us-east-1c/10.0.64.0/19"]
    assert shop.routes("a") == ["* /* -> a-nodes:http"]
    port = cluster.get("Service", shop.namespace, "nodes")["spec"]["ports"][0]["nodePort"]
    shop.targets("nodes:http", [f"{node['instance']}:{port}" for node in shop.site.instances])


def test_class_parameters_and_the_default_class_are_read(shop, cluster, request):
    words = {"scheme": "internet-facing", "targetType": "ip", "tags": [{"key": "team", "value": "shop"}]}
    cluster.apply(manifests.class_params("standard", words))
    cluster.apply(manifests.ingress_class("standard", "ingress.k8s.aws/alb", params="standard", default=True))
    try:
        shop.ingress("a", [on_web()], {"scheme": "internal", "tags": "team=other,own=yes"}, class_name=None)
        balancer = shop.up("a")
        assert balancer["scheme"] == "internet-facing", "the class is stronger than the annotation"
        assert {"team": "shop", "own": "yes"}.items() <= balancer["tags"].items()
        assert shop.target_groups()["web:80"]["TargetType"] == "ip"
        shop.remove("Ingress", "a")
    finally:
        cluster.delete("IngressClass", None, "standard")
        cluster.delete("IngressClassParams", None, "standard")


def test_an_ingress_of_another_class_is_left_alone(shop, cluster, cloud):
    cluster.apply(manifests.ingress_class("other", "example.com/other"))
    mark = cloud.mark()
    shop.ingress("theirs", [on_web()], PUBLIC, class_name="other")
    shop.ingress("a", [on_web()], PUBLIC)
    shop.up("a")
    theirs = cluster.get("Ingress", shop.namespace, "theirs")
    assert "finalizers" not in theirs["metadata"] and theirs["status"] == {"loadBalancer": {}}
    assert len([call for call in cloud.writes(mark) if call["operation"] == "CreateLoadBalancer"]) == 1
    assert cluster.events("Ingress", shop.namespace, "theirs") == []
    cluster.delete("IngressClass", None, "other")


def test_a_group_shares_a_load_balancer_and_lets_members_go(shop, cluster, cloud):
    group = {**PUBLIC, "group.name": shop.namespace}
    shop.ingress("late", [on_web("/late")], {**group, "group.order": "10"})
    shop.ingress("early", [on_web("/early"), on_web("/also")], {**group, "group.order": "-5"})

    wanted = [f"{HOST} /also,/also/* -> early-web:80", f"{HOST} /early,/early/* -> early-web:80", f"{HOST} /late,/late/* -> late-web:80"]

    def grouped() -> None:
        lines = shop.routes("late")
        need(sorted(lines[:2]) == wanted[:2] and lines[2:] == wanted[2:], lines)

    eventually("rules of both, in the order of the group", grouped)
    assert shop.address("early") == shop.address("late")
    arn = shop.arn("late")
    for name in ("early", "late"):
        assert cluster.get("Ingress", shop.namespace, name)["metadata"]["finalizers"] == [f"group.ingress.k8s.aws/{shop.namespace}"]

    mark = cloud.mark()
    shop.remove("Ingress", "early")
    eventually("rules of one", lambda: need(all("late-web" in line for line in shop.routes("late")), shop.routes("late")))
    assert shop.arn("late") == arn, "the load balancer stays"
    assert "CreateLoadBalancer" not in [call["operation"] for call in cloud.writes(mark)]
    eventually("target groups of one", lambda: need(list(shop.target_groups()) == ["web:80"], shop.target_groups()))


def test_plain_requests_are_redirected_and_certificates_used(shop, certificate):
    ports = {"listen-ports": '[{"HTTP": 80}, {"HTTPS": 443}]', "ssl-redirect": "443", "certificate-arn": certificate}
    shop.ingress("a", [on_web()], {**PUBLIC, **ports})
    listeners = shop.up("a")["listeners"]
    assert sorted(listeners) == ["443/HTTPS", "80/HTTP"]
    assert listeners["443/HTTPS"]["certificates"] == [certificate]
    assert listeners["443/HTTPS"]["ssl"] == "ELBSecurityPolicy-2016-08"
    assert shop.routes("a", "443/HTTPS") == [f"{HOST} /* -> a-web:80"]
    redirect = listeners["80/HTTP"]["default"][0]["RedirectConfig"]
    assert listeners["80/HTTP"]["rules"] == []
    assert (redirect["Protocol"], redirect["Port"], redirect["StatusCode"]) == ("HTTPS", "443", "HTTP_301")


def test_a_certificate_is_found_by_the_host(shop, certificate):
    shop.ingress("a", [on_web(host="deep.example.com")], {**PUBLIC, "listen-ports": '[{"HTTPS": 8443}]'})
    listeners = shop.up("a")["listeners"]
    assert list(listeners) == ["8443/HTTPS"] and listeners["8443/HTTPS"]["certificates"] == [certificate]


def test_health_checks_are_as_asked_for(shop, cluster):
    checks = {
        "healthcheck-path": "/healthz", "healthcheck-port": "9090", "healthcheck-protocol": "HTTPS", "healthcheck-interval-seconds": "20",
        "healthcheck-timeout-seconds": "7", "healthy-threshold-count": "3", "unhealthy-threshold-count": "4", "success-codes": "200-299",
    }
    shop.ingress("a", [on_web()], {**IP, **checks})
    shop.up("a")
    want = {
        "HealthCheckPath": "/healthz", "HealthCheckPort": "9090", "HealthCheckProtocol": "HTTPS", "HealthCheckIntervalSeconds": 20,
        "HealthCheckTimeoutSeconds": 7, "HealthyThresholdCount": 3, "UnhealthyThresholdCount": 4, "Matcher": {"HttpCode": "200-299"},
    }
    assert want.items() <= shop.target_groups()["web:80"].items()
    cluster.annotate("Ingress", shop.namespace, "a", {"alb.ingress.kubernetes.io/healthcheck-path": "/live"})
    eventually("a changed path", lambda: need(shop.target_groups()["web:80"]["HealthCheckPath"] == "/live", shop.target_groups()["web:80"]))


def test_tags_and_attributes_arrive_and_change(shop, cluster):
    shop.ingress("a", [on_web()], {
        **IP, "tags": "team=a,env=prod", "load-balancer-attributes": "idle_timeout.timeout_seconds=90",
        "target-group-attributes": "deregistration_delay.timeout_seconds=30,stickiness.enabled=true",
    })
    balancer, group = shop.up("a"), shop.target_groups()["web:80"]
    for tags in (balancer["tags"], group["tags"], balancer["listeners"]["80/HTTP"]["tags"]):
        assert {"team": "a", "env": "prod"}.items() <= tags.items()
    assert balancer["attributes"]["idle_timeout.timeout_seconds"] == "90"
    assert group["attributes"]["deregistration_delay.timeout_seconds"] == "30" and group["attributes"]["stickiness.enabled"] == "true"

    cluster.annotate("Ingress", shop.namespace, "a", {
        "alb.ingress.kubernetes.io/tags": "team=b", "alb.ingress.kubernetes.io/load-balancer-attributes": "idle_timeout.timeout_seconds=45"})

    def changed() -> None:
        balancer = shop.seen("a")
        need(balancer["tags"].get("team") == "b" and "env" not in balancer["tags"], balancer["tags"])
        need(balancer["attributes"]["idle_timeout.timeout_seconds"] == "45", balancer["attributes"])

    eventually("changed tags and attribute", changed)


def test_given_subnets_and_security_groups_are_used(shop, cloud):
    subnets = cloud.subnets("private")
    shop.ingress("a", [on_web()], {**IP, "subnets": f"{subnets['private-a']}, private-c", "security-groups": OWN})
    balancer = shop.up("a")
    assert balancer["zones"] == ["us-east-1a/10.0.0.0/19", "us-east-1c/10.0.64.0/19"]
    assert balancer["securityGroups"] == [OWN], "neither a managed nor the backend group beside given ones"
    assert cloud.dump()["securityGroups"][OWN]["ingress"] == []


def test_targets_follow_the_endpoints(shop, cluster):
    shop.ingress("a", [on_web()], IP)
    shop.up("a")
    targets = lambda: [f"{address}:{WEB}" for address in shop.addresses["web"]]  # noqa: E731
    shop.targets("web:80", targets())
    shop.pods("web", 1)
    assert len(targets()) == 3
    shop.targets("web:80", targets())
    cluster.delete("Pod", shop.namespace, "web-1")
    shop.targets("web:80", targets()[1:])


def test_a_changed_path_changes_a_rule_and_nothing_else(shop, cloud):
    shop.ingress("a", [on_web("/one"), on_web("/two")], IP)
    shop.up("a")
    shop.targets("web:80", [f"{address}:8080" for address in shop.addresses["web"]])
    before = {kind: shop.seen("a")[kind] for kind in ("attributes", "tags", "securityGroups", "zones")}
    arn, groups, mark = shop.arn("a"), list(shop.target_groups()), cloud.mark()
    shop.ingress("a", [on_web("/one"), on_web("/three")], IP)
    eventually("the new path", lambda: need(any("/three," in line for line in shop.routes("a")), shop.routes("a")))
    assert sorted(shop.routes("a")) == [f"{HOST} /one,/one/* -> a-web:80", f"{HOST} /three,/three/* -> a-web:80"]
    assert (shop.arn("a"), list(shop.target_groups())) == (arn, groups)
    assert {kind: shop.seen("a")[kind] for kind in before} == before
    written = {call["operation"] for call in cloud.writes(mark)}
    assert written <= {"CreateRule", "ModifyRule", "DeleteRule", "SetRulePriorities", "AddTags", "RemoveTags"}, written


def test_a_deletion_leaves_what_is_not_ours(shop, cluster, cloud, request):
    shop.ingress("a", [on_web()], PUBLIC)
    name = cloud.balancer(shop.address("a"))["LoadBalancerName"]
    shop.up("a")
    planted = plant_beside(cloud, name)
    request.addfinalizer(lambda: [undo() for undo in planted])
    cloud.settings(interface_linger_seconds=2)
    request.addfinalizer(lambda: cloud.settings(interface_linger_seconds=0))
    foreign = without_ours(cloud.dump())
    assert len(foreign["loadBalancers"]) == 1 and len(foreign["targetGroups"]) == 1 and sorted(foreign["securityGroups"]) == sorted(["nodes", OWN, f"{name[:-1]}z"])
    shop.remove("Ingress", "a")

    def nothing() -> None:
        dump = cloud.dump()
        need(not any(CLUSTER_TAG in item["tags"].items() for kind in ("loadBalancers", "targetGroups", "securityGroups") for item in dump[kind].values()), dump)
        need(dump["securityGroups"]["nodes"]["ingress"] == [], dump["securityGroups"]["nodes"])

    eventually("nothing of ours in AWS", nothing)
    assert without_ours(cloud.dump()) == foreign
    assert cluster.all("TargetGroupBinding", shop.namespace) == []
    eventually("no state", lambda: need(cluster.state(f"aws:ingress:{shop.namespace}/a") is None, "there is one"))
    steadily("foreign things stay", lambda: need(without_ours(cloud.dump()) == foreign, "they changed"), 1.0)


def without_ours(dump):
    kinds = ("loadBalancers", "targetGroups", "securityGroups")
    kept = {kind: {name: item for name, item in dump[kind].items() if CLUSTER_TAG not in item["tags"].items()} for kind in kinds}
    return kept | {"securityGroups": {name: {**item, "ingress": []} for name, item in kept["securityGroups"].items()}}


def plant_beside(cloud, name):
    """A load balancer, target group and security group of somebody else, with names like ours and another cluster's tags."""
    theirs = [{"Key": "elbv2.k8s.aws/cluster", "Value": "other"}, {"Key": "ingress.k8s.aws/stack", "Value": "default/a"}]
    subnets = list(cloud.subnets("public").values())
    balancer = cloud.elb.create_load_balancer(Name=f"{name[:-1]}z", Subnets=subnets, Tags=theirs)["LoadBalancers"][0]["LoadBalancerArn"]
    group = cloud.elb.create_target_group(
        Name=f"{name[:-1]}z", Protocol="HTTP", Port=80, VpcId=cloud.vpc, TargetType="ip", Tags=theirs)["TargetGroups"][0]["TargetGroupArn"]
    security = cloud.plant_group(f"{name[:-1]}z", {tag["Key"]: tag["Value"] for tag in theirs})
    return [
        lambda: cloud.elb.delete_load_balancer(LoadBalancerArn=balancer),
        lambda: cloud.elb.delete_target_group(TargetGroupArn=group),
        lambda: cloud.ec2.delete_security_group(GroupId=security),
    ]
