"""The API server asks before it stores an object: mistakes are refused where they are made, and pods get what they need."""

import json
import time

import pytest

from e2e.lib import chart, manifests, webhook
from e2e.lib.operator import free_port
from e2e.lib.waiting import NotYet, eventually, need
from lab import ApiError

pytestmark = pytest.mark.lab  # the API server reaches the operator on loopback
OWNER = None
PORT = free_port()
PEERS = "aws-load-balancer-webhook"
FLAGS = webhook.flags(PORT, f"--webhook-replaces={PEERS}", "--targetgroupbinding-requeue-duration=1")
ALB = "alb.ingress.kubernetes.io/"
GATE = "target-health.elbv2.k8s.aws/"
INJECT = {"elbv2.k8s.aws/pod-readiness-gate-inject": "enabled"}
HOLD = "fairway.dev/drain-hold"
IP = {"target-type": "ip"}
# What the API server waits for an answer, twice: a mutating and a validating hook.
TIMEOUT_SECONDS = 10.0


@pytest.fixture(scope="module", autouse=True)
def hooks(operator, world):
    """The webhook configurations, with the hook for Services that the chart leaves out by default."""
    world.cluster.apply(*(rule for rule in chart.rendered(**chart.NAMED, **{"admission.replaces": PEERS}) if rule["kind"] == "ClusterRole"))
    with webhook.installed(world.cluster, PORT, **{"admission.services": "true"}):
        yield
    assert "panicked" not in operator.tail(10_000)


def on_web():
    return [("a.other.test", "/", "Prefix", "web", 80)]


def refusal(cluster, manifest):
    """The sentence with which an object is refused."""
    with pytest.raises(ApiError) as refused:
        cluster.apply(manifest)
    assert refused.value.status == 422, refused.value
    return str(refused.value)


def bare(shop, name, annotations=None, class_name="alb", backend=None):
    made = manifests.ingress(shop.namespace, name, on_web(), annotations, class_name=class_name)
    if backend:
        made["spec"]["rules"][0]["http"]["paths"][0]["backend"] = backend
    return made


RESOURCE = {"resource": {"apiGroup": "example.com", "kind": "Bucket", "name": "b"}}


@pytest.mark.parametrize(("annotations", "backend", "why"), [
    ({f"{ALB}target-type": "pods"}, None, f"{ALB}target-type"),
    ({f"{ALB}group.name": "No!"}, None, f"{ALB}group.name"),
    ({f"{ALB}conditions.web": '[{"field":"cookie","cookieConfig":{"values":["a"]}}]'}, None, f"{ALB}conditions.web"),
    ({f"{ALB}conditions.web": "[{"}, None, f"{ALB}conditions.web"),
    ({}, RESOURCE, "a resource cannot be a backend, only a Service"),
])
def test_an_ingress_that_could_never_be_read_is_refused(shop, cluster, annotations, backend, why):
    assert why in refusal(cluster, bare(shop, "bad", annotations, backend=backend))
    assert cluster.find("Ingress", shop.namespace, "bad") is None


def test_defect_18_an_ingress_of_somebody_else_is_never_refused(shop, cluster):
    cluster.apply(manifests.ingress_class("nginx", "k8s.io/ingress-nginx"))
    bad = {f"{ALB}target-type": "pods"}
    try:
        cluster.apply(bare(shop, "theirs", bad, "nginx", RESOURCE), bare(shop, "nobodys", bad, "no-such-class", RESOURCE))
        cluster.apply(bare(shop, "classless", bad, None, RESOURCE))
    finally:
        cluster.delete("IngressClass", None, "nginx")


def test_what_others_can_put_right_and_what_has_no_effect_is_a_warning(shop, world):
    made = bare(shop, "a", {f"{ALB}schem": "internal"}, backend=manifests.backend("later", 80))
    applied = world.lab.exec("host", [world.lab.environment["KUBECTL"], "apply", "--dry-run=server", "-f", "-"], stdin=json.dumps(made))
    warnings = [line for line in applied.stderr.splitlines() if line.startswith("Warning: ")]
    assert any(f"did you mean {ALB}scheme?" in line for line in warnings), applied.stderr
    assert any(f"Service {shop.namespace}/later does not exist" in line for line in warnings), applied.stderr


def test_an_update_is_refused_for_what_it_makes_worse(shop, cluster):
    shop.ingress("a", on_web(), IP)
    shop.up("a")
    with pytest.raises(ApiError, match="scheme"):
        cluster.annotate("Ingress", shop.namespace, "a", {f"{ALB}scheme": "open"})
    cluster.annotate("Ingress", shop.namespace, "a", {"team": "x"})


def test_what_was_stored_unasked_can_be_repaired_and_deleted(shop, cluster, hooks):
    kind, name = webhook.KINDS[0], webhook.NAME
    kept = cluster.get(kind, None, name)
    cluster.delete(kind, None, name)
    bad = bare(shop, "old", {f"{ALB}target-type": "pods", f"{ALB}scheme": "open"})
    eventually("nobody asks", lambda: accepted(cluster, bad))
    kept["metadata"] = {"name": name}
    cluster.apply(kept)
    eventually("asked again", lambda: need(not is_accepted(cluster, bare(shop, "new", {f"{ALB}target-type": "pods"})), "stored"))
    cluster.annotate("Ingress", shop.namespace, "old", {"team": "x"})
    cluster.annotate("Ingress", shop.namespace, "old", {f"{ALB}scheme": "internal"})
    with pytest.raises(ApiError, match="ip-address-type"):
        cluster.annotate("Ingress", shop.namespace, "old", {f"{ALB}ip-address-type": "ipv5"})
    for ingress in ("old", "new"):
        cluster.delete("Ingress", shop.namespace, ingress)
        cluster.gone("Ingress", shop.namespace, ingress)


def accepted(cluster, manifest):
    try:
        cluster.apply(manifest)
    except ApiError as error:
        need(error.status != 422, error)
        raise


def is_accepted(cluster, manifest):
    try:
        accepted(cluster, manifest)
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize(("spec", "why"), [
    ({"inboundCIDRs": ["10.1.2.3/8"]}, "did you mean 10.0.0.0/8?"),
    ({"inboundCIDRs": ["everybody"]}, "is not a range of addresses"),
    ({"subnets": {"ids": ["subnet-1", "subnet-1"]}}, "subnet-1 is named twice"),
    ({"subnets": {"ids": ["subnet-1"], "tags": {"a": ["b"]}}}, "cannot be given together"),
    ({"subnets": {"tags": {}}}, "either ids or tags have to be given"),
    ({"sslRedirectPort": "https"}, "spec.sslRedirectPort"),
])
def test_class_parameters_that_no_ingress_could_use_are_refused(cluster, spec, why):
    assert why in refusal(cluster, manifests.class_params("bad", spec))
    good = {"inboundCIDRs": ["10.0.0.0/8"], "subnets": {"ids": ["subnet-1"]}, "sslRedirectPort": "443"}
    cluster.apply(manifests.class_params("good", good))
    cluster.delete("IngressClassParams", None, "good")


def test_a_service_without_a_class_gets_ours(shop, cluster):
    ports = [manifests.port(80, "http", "http")]
    for name, spec in (("bare", {}), ("theirs", {"loadBalancerClass": "example.com/other"})):
        cluster.apply(manifests.service(shop.namespace, name, ports, type="LoadBalancer", **spec))
    cluster.apply(manifests.service(shop.namespace, "inside", ports))
    classes = [cluster.get("Service", shop.namespace, name)["spec"].get("loadBalancerClass") for name in ("bare", "theirs", "inside")]
    assert classes == ["service.k8s.aws/nlb", "example.com/other", None]
    cluster.delete("Service", shop.namespace, "bare")
    cluster.gone("Service", shop.namespace, "bare")


def test_the_chart_leaves_services_alone_unless_told_otherwise():
    hooks = [hook["name"] for manifest in chart.rendered(**chart.NAMED) if manifest["kind"] in webhook.KINDS for hook in manifest["webhooks"]]
    assert "service.admission.fairway.dev" not in hooks and "ingress.admission.fairway.dev" in hooks


def left_behind(name):
    """A configuration without anybody who answers, as it stays when its controller is scaled to zero."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": name}, "webhooks": [{
            "name": "vingress.elbv2.k8s.aws", "clientConfig": {"url": "https://127.0.0.1:1/validate"}, "failurePolicy": "Fail",
            "sideEffects": "None", "admissionReviewVersions": ["v1"],
            "objectSelector": {"matchLabels": {"asks": name}},
            "rules": [{"apiGroups": ["networking.k8s.io"], "apiVersions": ["v1"], "resources": ["ingresses"], "operations": ["*"]}]}]}


def stored(cluster, manifest):
    try:
        cluster.apply(manifest)
    except ApiError as error:
        raise NotYet(str(error)) from error


def test_what_another_controller_left_behind_refuses_nothing_where_we_stand_in_for_it(shop, cluster):
    kind, other = "ValidatingWebhookConfiguration", "somebody-elses-webhook"
    try:
        cluster.apply(left_behind(PEERS), left_behind(other))
        before = cluster.get(kind, None, PEERS)["webhooks"]
        asked = bare(shop, "a", class_name="nobodys")
        asked["metadata"]["labels"] = {"asks": PEERS}
        eventually("stored", lambda: stored(cluster, asked))
        after = cluster.get(kind, None, PEERS)["webhooks"]
        assert after == [hook | {"failurePolicy": "Ignore"} for hook in before]
        asked["metadata"] |= {"name": "b", "labels": {"asks": other}}
        with pytest.raises(ApiError, match="vingress.elbv2.k8s.aws"):
            cluster.apply(asked)
    finally:
        for name in (PEERS, other):
            cluster.delete(kind, None, name)


# TargetGroupBindings


@pytest.fixture
def group(cloud, shop):
    """A target group of somebody else, by its ARN."""
    name = f"theirs-{shop.namespace}"[:32]
    made = cloud.elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=cloud.vpc, TargetType="ip")["TargetGroups"][0]
    yield made
    cloud.elb.delete_target_group(TargetGroupArn=made["TargetGroupArn"])


@pytest.fixture
def binding(shop, cluster):
    """Makes bindings to Service `web`; what it made is gone afterwards."""
    made = []

    def make(name, **spec):
        made.append(name)
        return {"apiVersion": "elbv2.k8s.aws/v1beta1", "kind": "TargetGroupBinding", "metadata": {"name": name, "namespace": shop.namespace},
                "spec": {"serviceRef": {"name": "web", "port": 80}, **spec}}

    yield make
    for name in made:
        cluster.delete("TargetGroupBinding", shop.namespace, name)
        cluster.gone("TargetGroupBinding", shop.namespace, name)


def test_a_binding_is_filled_in_from_its_target_group(shop, cluster, cloud, group, binding):
    cluster.apply(binding("mine", targetGroupName=group["TargetGroupName"]))
    spec = cluster.get("TargetGroupBinding", shop.namespace, "mine")["spec"]
    want = {"targetGroupARN": group["TargetGroupArn"], "targetType": "ip", "targetGroupProtocol": "HTTP", "ipAddressType": "ipv4", "vpcID": cloud.vpc}
    assert want.items() <= spec.items()


def test_a_binding_that_cannot_work_is_refused(shop, cluster, group, binding):
    arn = group["TargetGroupArn"]
    refusals = [
        ({"targetGroupName": "no-such-group"}, "there is no target group no-such-group"),
        ({"targetGroupARN": arn, "targetType": "instance"}, "spec.targetType is instance"),
        ({"targetGroupARN": arn, "ipAddressType": "ipv6"}, "spec.ipAddressType is ipv6"),
        ({"targetGroupARN": arn, "vpcID": "vpc-00000001"}, "spec.vpcID is vpc-00000001"),
        ({"targetGroupARN": arn, "targetGroupProtocol": "TCP"}, "spec.targetGroupProtocol is TCP"),
        ({"targetGroupARN": arn, "targetType": "ip", "nodeSelector": {}}, "spec.nodeSelector"),
        ({"targetType": "ip"}, "either spec.targetGroupARN or spec.targetGroupName"),
    ]
    for spec, why in refusals:
        assert why in refusal(cluster, binding("bad", **spec))
    cluster.apply(binding("first", targetGroupARN=arn))
    bound = lambda: need(f"is bound by TargetGroupBinding {shop.namespace}/first already" in refusal(cluster, binding("second", targetGroupARN=arn)), "another word")  # noqa: E731
    eventually("the operator knows of the first", bound)
    with pytest.raises(ApiError, match="spec.targetType cannot be changed"):
        cluster.patch("TargetGroupBinding", shop.namespace, "first", {"spec": {"targetType": "instance"}})


def test_an_aws_that_does_not_answer_holds_no_binding_up(shop, cluster, cloud, group, binding):
    cloud.faults({"operation": "DescribeTargetGroups", "count": 50, "action": "delay", "delay_seconds": 8})
    try:
        started = time.monotonic()
        cluster.apply(binding("slow", targetGroupARN=group["TargetGroupArn"], targetType="ip"))
        assert time.monotonic() - started < TIMEOUT_SECONDS
    finally:
        cloud.faults()
    assert "vpcID" not in cluster.get("TargetGroupBinding", shop.namespace, "slow")["spec"]


# Pods


def gates(cluster, shop, name):
    return [gate["conditionType"] for gate in cluster.get("Pod", shop.namespace, name)["spec"].get("readinessGates", [])]


def test_pods_get_a_gate_for_each_target_group_that_they_are_in(shop, cluster):
    shop.ingress("a", on_web(), IP)
    shop.ingress("b", [("b.other.test", "/", "Prefix", "nodes", 80)])
    shop.up("a")
    shop.up("b")
    [name] = shop.pods("web", 1)
    assert gates(cluster, shop, name) == [], "the namespace does not ask for it"
    cluster.patch("Namespace", None, shop.namespace, {"metadata": {"labels": INJECT}})
    [binding] = [item["metadata"]["name"] for item in cluster.all("TargetGroupBinding", shop.namespace) if item["spec"]["targetType"] == "ip"]

    def gated():
        [name] = shop.pods("web", 1)
        need(gates(cluster, shop, name) == [f"{GATE}{binding}"], gates(cluster, shop, name))
        return name

    gated_pod = eventually("a gate", gated)

    def let_in():
        conditions = cluster.get("Pod", shop.namespace, gated_pod)["status"]["conditions"]
        need(any(one["type"] == f"{GATE}{binding}" and one["status"] == "True" for one in conditions), conditions)

    eventually("its load balancer has found it healthy", let_in)
    [other] = shop.pods("nodes", 1)
    assert gates(cluster, shop, other) == [], "nodes are its targets"
    cluster.patch("Namespace", None, shop.namespace, {"metadata": {"labels": dict.fromkeys(INJECT)}})


def admitted(shop, cluster, name, annotations, **spec):
    """A pod as it was stored."""
    pod = manifests.pod(shop.namespace, name, "web", None, "", {})
    pod.pop("status")
    pod["metadata"]["annotations"] = annotations
    pod["spec"] = {"containers": [{"name": "main", "image": "none"}], "automountServiceAccountToken": False, **spec}
    cluster.apply(pod)
    return cluster.get("Pod", shop.namespace, name)["spec"]


def test_a_pod_that_asks_for_it_is_held_until_its_load_balancer_let_go(shop, cluster):
    attributes = {"target-group-attributes": "deregistration_delay.timeout_seconds=20"}
    shop.ingress("a", on_web(), {**IP, **attributes})
    shop.up("a")
    held = admitted(shop, cluster, "held", {HOLD: "true"})
    assert held["containers"][0]["lifecycle"]["preStop"] == {"sleep": {"seconds": 30}}
    assert held["terminationGracePeriodSeconds"] == 60
    long = admitted(shop, cluster, "long", {HOLD: "90"}, terminationGracePeriodSeconds=5)
    assert long["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"] == 90
    assert long["terminationGracePeriodSeconds"] == 95
    own = [{"name": "main", "image": "none", "lifecycle": {"preStop": {"exec": {"command": ["true"]}}}}]
    kept = admitted(shop, cluster, "kept", {HOLD: "true"}, containers=own)
    assert "exec" in kept["containers"][0]["lifecycle"]["preStop"] and kept["terminationGracePeriodSeconds"] == 30
    plain = admitted(shop, cluster, "plain", {})
    assert "lifecycle" not in plain["containers"][0] and plain["terminationGracePeriodSeconds"] == 30
    with pytest.raises(ApiError, match="neither true nor false nor a number of seconds"):
        admitted(shop, cluster, "bad", {HOLD: "soon"})


def test_answers_are_counted(operator, shop, cluster):
    refused = 'fairway_admission_reviews_total{path="/validate/ingress",verdict="refuse"}'
    before = operator.metrics().get(refused, 0)
    refusal(cluster, bare(shop, "bad", {f"{ALB}target-type": "pods"}))
    assert operator.metrics()[refused] == before + 1
