"""Services of type LoadBalancer become network load balancers."""

import pytest

from e2e.lib.manifests import port
from e2e.lib.shop import WEB
from e2e.lib.waiting import eventually, need

OWNER = None
IP = {"nlb-target-type": "ip"}
PUBLIC = {**IP, "scheme": "internet-facing"}


@pytest.fixture
def certificate(cloud):
    return cloud.acm.list_certificates()["CertificateSummaryList"][0]["CertificateArn"]


def up(shop, name="lb"):
    return shop.up(name, "Service")


def group_behind(shop, balancer, listener):
    """The target group that a listener forwards to."""
    action = balancer["listeners"][listener]["default"][0]
    return shop.cloud.dump()["targetGroups"][action["TargetGroupArn"]]


def test_tcp_and_udp_ports_with_pods_as_targets(shop, cluster, cloud):
    shop.balancer("lb", [port(80, "http", "http"), port(53, "dns", 5353, "UDP")], PUBLIC)
    balancer = up(shop)
    assert (balancer["type"], balancer["scheme"]) == ("network", "internet-facing")
    assert balancer["zones"] == ["us-east-1a/10.0.128.0/20", "us-east-1b/10.0.144.0/20", "us-east-1c/10.0.160.0/20"]
    assert sorted(balancer["listeners"]) == ["53/UDP", "80/TCP"]
    assert balancer["tags"] == {
        "elbv2.k8s.aws/cluster": "lab", "service.k8s.aws/stack": f"{shop.namespace}/lb", "service.k8s.aws/resource": "LoadBalancer"}
    shop.targets("lb:80", [f"{address}:{WEB}" for address in shop.addresses["web"]])
    shop.targets("lb:53", [f"{address}:5353" for address in shop.addresses["web"]])
    groups = shop.target_groups()
    assert (groups["lb:80"]["Protocol"], groups["lb:53"]["Protocol"], groups["lb:53"]["HealthCheckProtocol"]) == ("TCP", "UDP", "TCP")
    assert cluster.get("Service", shop.namespace, "lb")["metadata"]["finalizers"] == ["service.k8s.aws/resources"]
    ports = [(entry["port"], entry["protocol"]) for entry in cluster.addresses("Service", shop.namespace, "lb")[0]["ports"]]
    assert sorted(ports) == [(53, "UDP"), (80, "TCP")]


def test_nodes_as_targets(shop, cluster):
    shop.balancer("lb", [port(80, "http", "http")], {"nlb-target-type": "instance"})
    balancer = up(shop)
    assert balancer["scheme"] == "internal"
    node_port = cluster.get("Service", shop.namespace, "lb")["spec"]["ports"][0]["nodePort"]
    shop.targets("lb:80", [f"{node['instance']}:{node_port}" for node in shop.site.instances])
    group = group_behind(shop, balancer, "80/TCP")
    assert (group["TargetType"], group["Port"], group["HealthCheckPort"]) == ("instance", node_port, "traffic-port")


def test_local_traffic_is_checked_on_its_own_port(shop, cluster):
    shop.balancer("lb", [port(80, "http", "http")], {"nlb-target-type": "instance"}, externalTrafficPolicy="Local")
    group = group_behind(shop, up(shop), "80/TCP")
    check = cluster.get("Service", shop.namespace, "lb")["spec"]["healthCheckNodePort"]
    want = {
        "HealthCheckProtocol": "HTTP", "HealthCheckPort": str(check), "HealthCheckPath": "/healthz", "HealthCheckTimeoutSeconds": 6,
        "HealthyThresholdCount": 2, "UnhealthyThresholdCount": 2,
    }
    assert want.items() <= group.items()


def test_tls_ends_at_the_ports_that_are_named(shop, certificate):
    shop.balancer("lb", [port(443, "https", "http"), port(80, "http", "http")], {
        **PUBLIC, "ssl-cert": certificate, "ssl-ports": "https", "backend-protocol": "ssl",
        "ssl-negotiation-policy": "ELBSecurityPolicy-TLS13-1-2-2021-06"})
    balancer = up(shop)
    assert sorted(balancer["listeners"]) == ["443/TLS", "80/TCP"]
    listener = balancer["listeners"]["443/TLS"]
    assert listener["certificates"] == [certificate] and listener["ssl"] == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    assert group_behind(shop, balancer, "443/TLS")["Protocol"] == "TLS"
    assert group_behind(shop, balancer, "80/TCP")["Protocol"] == "TCP"


def test_attributes_proxy_protocol_and_tags(shop, cluster):
    shop.balancer("lb", [port(80, "http", "http")], {
        **IP, "attributes": "load_balancing.cross_zone.enabled=true", "proxy-protocol": "*", "additional-resource-tags": "team=shop",
        "target-group-attributes": "deregistration_delay.timeout_seconds=20", "healthcheck-interval": "20", "healthcheck-protocol": "http",
        "healthcheck-path": "/live"})
    balancer = up(shop)
    group = group_behind(shop, balancer, "80/TCP")
    assert balancer["attributes"]["load_balancing.cross_zone.enabled"] == "true"
    assert group["attributes"]["proxy_protocol_v2.enabled"] == "true" and group["attributes"]["deregistration_delay.timeout_seconds"] == "20"
    assert balancer["tags"]["team"] == group["tags"]["team"] == "shop"
    assert (group["HealthCheckProtocol"], group["HealthCheckPath"], group["HealthCheckIntervalSeconds"]) == ("HTTP", "/live", 20)
    key = "service.beta.kubernetes.io/aws-load-balancer-target-group-attributes"
    cluster.annotate("Service", shop.namespace, "lb", {key: "deregistration_delay.timeout_seconds=25"})

    def changed():
        attributes = group_behind(shop, shop.seen("lb", "Service"), "80/TCP")["attributes"]
        need(attributes["deregistration_delay.timeout_seconds"] == "25", attributes)

    eventually("a changed attribute", changed)


def test_a_port_comes_and_goes(shop, cloud):
    shop.balancer("lb", [port(80, "http", "http")], IP)
    up(shop)
    arn = shop.arn("lb", "Service")

    def listeners(*names):
        eventually(f"listeners {names}", lambda: need(sorted(shop.seen("lb", "Service")["listeners"]) == sorted(names), shop.seen("lb", "Service")["listeners"]))

    shop.balancer("lb", [port(80, "http", "http"), port(81, "more", "http")], IP)
    listeners("80/TCP", "81/TCP")
    shop.balancer("lb", [port(81, "more", "http")], IP)
    listeners("81/TCP")
    eventually("one target group", lambda: need(list(shop.target_groups()) == ["lb:81"], list(shop.target_groups())))
    assert shop.arn("lb", "Service") == arn


def test_a_service_of_another_class_or_type_is_left_alone(shop, cluster, cloud):
    mark = cloud.mark()
    shop.balancer("theirs", [port(80, "http", "http")], IP, loadBalancerClass="example.com/other")
    shop.balancer("lb", [port(80, "http", "http")], IP)
    up(shop)
    assert "finalizers" not in cluster.get("Service", shop.namespace, "theirs")["metadata"]
    assert len([call for call in cloud.writes(mark) if call["operation"] == "CreateLoadBalancer"]) == 1


def test_a_service_that_is_no_load_balancer_any_more_gives_its_own_back(shop, cluster, cloud):
    shop.balancer("lb", [port(80, "http", "http")], IP)
    up(shop)
    name = cloud.balancer(shop.address("lb", "Service"))["LoadBalancerName"]
    cluster.patch("Service", shop.namespace, "lb", {"spec": {"type": "ClusterIP", "loadBalancerClass": None}})

    def gone():
        need(name not in cloud.dump()["loadBalancers"], "it is still there")
        found = cluster.get("Service", shop.namespace, "lb")
        need("finalizers" not in found["metadata"] and found["status"] == {"loadBalancer": {}}, found)

    eventually("load balancer, status and finalizer gone", gone)
