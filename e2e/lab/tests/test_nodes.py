"""Real nodes: containers run, Services are reached, AWS knows the nodes, a node dies and comes back, nothing stays behind."""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest
from owners import orphan, own

from lab import Lab, leftovers, patient, unique_name, until

pytestmark = pytest.mark.skipif(os.geteuid() != 0 and "CI" not in os.environ, reason="nodes need root")

ECHO = "lab.fairway.dev/echo:1"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Two nodes with AWS, an echo Deployment with a pod on each, and a NodePort Service in front."""
    with Lab(unique_name("nodes"), nodes=2, aws=True, quiet=True) as lab:
        deploy_echo(lab)
        yield lab
    assert leftovers(lab.name) == []


def deploy_echo(lab: Lab) -> None:
    spread = {
        "maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "echo"}},
    }
    fields = {"POD_NAME": "metadata.name", "NODE_NAME": "spec.nodeName"}
    container = {
        "name": "echo", "image": ECHO, "imagePullPolicy": "IfNotPresent", "ports": [{"containerPort": 8080}],
        "env": [{"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in fields.items()],
        "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1},
    }
    lab.api.post("/apis/apps/v1/namespaces/default/deployments", {
        "metadata": {"name": "echo"},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "echo"}}, "template": {
            "metadata": {"labels": {"app": "echo"}},
            "spec": {"topologySpreadConstraints": [spread], "terminationGracePeriodSeconds": 1, "containers": [container]},
        }},
    })
    lab.api.post("/api/v1/namespaces/default/services", {
        "metadata": {"name": "echo"},
        "spec": {"type": "NodePort", "selector": {"app": "echo"}, "ports": [{"port": 80, "targetPort": 8080, "nodePort": 30080}]},
    })
    lab.kubectl("rollout", "status", "deployment/echo", f"--timeout={patient(60):g}s")


def ask(lab: Lab, where: str, url: str, enter: Sequence[str] = ()) -> dict[str, Any] | None:
    """The echo server's answer, or nothing when there is none. `enter` leads from the place to where the question is asked."""
    done = lab.exec(where, [*enter, "curl", "-s", "-m", str(patient(3)), url], check=False)
    return json.loads(done.stdout) if done.returncode == 0 else None


def node(lab: Lab, name: str) -> dict[str, Any]:
    return next(node for node in lab.describe()["nodes"] if node["name"] == name)


def into_pod(lab: Lab, name: str) -> list[str]:
    """The words that enter the network of the echo pod on a node, from that node."""
    return ["nsenter", f"--target={lab.exec(name, ['pidof', 'echo']).stdout.split()[0]}", "--net"]


def answers_from_both_nodes(lab: Lab, where: str, url: str, enter: Sequence[str] = ()) -> bool:
    seen = {answer["node"] for _ in range(20) if (answer := ask(lab, where, url, enter))}
    return seen == {"node1", "node2"}


def test_each_node_is_ready_in_the_zone_of_its_instance(lab: Lab) -> None:
    items = lab.api.get("/api/v1/nodes")["items"]
    assert [item["metadata"]["name"] for item in items] == ["node1", "node2"]
    for item, described in zip(items, lab.describe()["nodes"], strict=True):
        ready = next(condition for condition in item["status"]["conditions"] if condition["type"] == "Ready")
        assert ready["status"] == "True"
        assert item["spec"]["providerID"] == f"aws:///{described['zone']}/{described['instance']}"
        assert item["metadata"]["labels"]["topology.kubernetes.io/zone"] == described["zone"]
        assert {"type": "InternalIP", "address": described["address"]} in item["status"]["addresses"]
        assert item["spec"]["podCIDR"] == described["pods"]


def test_a_node_port_leads_from_the_client_to_pods_on_both_nodes(lab: Lab) -> None:
    for name in ("node1", "node2"):
        url = f"http://{node(lab, name)['address']}:30080/"
        until(f"answers of both pods by {name}", 30, lambda url=url: answers_from_both_nodes(lab, "client", url))
    answer = ask(lab, "client", f"http://{node(lab, 'node1')['address']}:30080/path?query=1")
    assert answer is not None
    assert (answer["path"], answer["query"], answer["method"]) == ("/path", "query=1", "GET")


def test_a_service_address_leads_from_a_node_to_pods_on_both_nodes(lab: Lab) -> None:
    address = lab.api.get("/api/v1/namespaces/default/services/echo")["spec"]["clusterIP"]
    until("answers to the node", 30, lambda: answers_from_both_nodes(lab, "node1", f"http://{address}/"))
    # A pod of the same node, and the asking pod itself, answer as well.
    until("answers to a pod", 30, lambda: answers_from_both_nodes(lab, "node1", f"http://{address}/", into_pod(lab, "node1")))


def test_aws_knows_each_node_and_its_pods(lab: Lab) -> None:
    own = lab.environment
    ec2 = boto3.client("ec2", endpoint_url=own["AWS_ENDPOINT_URL"], region_name=own["AWS_REGION"],
                       aws_access_key_id=own["AWS_ACCESS_KEY_ID"], aws_secret_access_key=own["AWS_SECRET_ACCESS_KEY"])
    reservations = ec2.describe_instances(Filters=[{"Name": "vpc-id", "Values": [own["VPC_ID"]]}])["Reservations"]
    instances = {instance["InstanceId"]: instance for reservation in reservations for instance in reservation["Instances"]}
    assert sorted(instances) == sorted(node["instance"] for node in lab.describe()["nodes"])

    pods = lab.api.get("/api/v1/namespaces/default/pods?labelSelector=app=echo")["items"]
    assert len(pods) == 2
    for pod in pods:
        instance = instances[node(lab, pod["spec"]["nodeName"])["instance"]]
        held = {private["PrivateIpAddress"] for interface in instance["NetworkInterfaces"] for private in interface["PrivateIpAddresses"]}
        assert {pod["status"]["podIP"], pod["status"]["hostIP"]} <= held


def test_pods_reach_the_api_server_and_aws(lab: Lab) -> None:
    in_pod = [*into_pod(lab, "node1"), "curl", "-s", "-m", str(patient(5))]
    authority = lab.describe()["kubernetes"]["authority"]
    published = lab.api.get("/api/v1/namespaces/default/configmaps/kube-root-ca.crt")["data"]["ca.crt"]
    assert published == Path(authority).read_text(encoding="ascii"), "pods are told the authority"
    assert '"gitVersion": "v1.' in lab.exec("node1", [*in_pod, "--cacert", authority, "https://10.96.0.1/version"]).stdout
    assert '"route53"' in lab.exec("node1", [*in_pod, f"{lab.describe()['aws']['inside']}/_localstack/health"]).stdout


def test_logs_and_commands_reach_containers(lab: Lab) -> None:
    pod = lab.api.get("/api/v1/namespaces/default/pods?labelSelector=app=echo")["items"][0]["metadata"]["name"]
    assert lab.kubectl("logs", pod) == "", "the echo server has nothing to complain about"
    refused = lab.exec("host", [lab.environment["KUBECTL"], "exec", pod, "--", "/nothing"], check=False)
    assert "no such file" in refused.stderr, "the runtime was asked"


def test_an_image_of_a_dynamic_program_brings_its_libraries(lab: Lab) -> None:
    lab.build_image("test/printer:1", {"/usr/bin/printer": Path("/bin/echo")}, ["from a container"])
    lab.api.post("/api/v1/namespaces/default/pods", {
        "metadata": {"name": "printer"},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "printer", "image": "test/printer:1", "imagePullPolicy": "IfNotPresent"}]},
    })
    lab.kubectl("wait", "pod/printer", "--for=jsonpath={.status.phase}=Succeeded", f"--timeout={patient(30):g}s")
    assert lab.kubectl("logs", "printer") == "from a container\n"


def test_a_program_on_a_node_ends_when_told(lab: Lab) -> None:
    program = lab.start("sleeper", ["sleep", "600"], where="node2")
    assert Path(f"/proc/{program.pid}/cmdline").read_bytes().startswith(b"sleep"), "the record names the program itself"
    lab.stop(program)
    assert not program.alive()


def test_nodes_do_not_touch_the_host(lab: Lab) -> None:
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8")
    assert str(lab.folder) not in mounts
    assert list(Path("/var/lib/kubelet").iterdir()) == []
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    assert "veth" not in links


def test_a_killed_node_is_silent_and_comes_back(lab: Lab) -> None:
    address = node(lab, "node2")["address"]
    lab.kill_node("node2")
    assert ask(lab, "client", f"http://{address}:30080/") is None
    assert lab.exec("client", ["ping", "-c", "1", "-W", "1", address], check=False).returncode != 0
    lab.kubectl("wait", "node/node2", "--for=condition=Ready=Unknown", f"--timeout={patient(60):g}s")
    until("the rest to answer", 30, lambda: ask(lab, "client", f"http://{node(lab, 'node1')['address']}:30080/"))

    lab.start_node("node2")
    lab.kubectl("rollout", "status", "deployment/echo", f"--timeout={patient(90):g}s")
    until("answers of both pods", 60, lambda: answers_from_both_nodes(lab, "client", f"http://{address}:30080/"))


def test_labs_with_nodes_run_beside_each_other(lab: Lab) -> None:
    with Lab(unique_name("beside"), nodes=1, quiet=True) as other:
        assert other.describe()["nodes"][0]["address"] == node(lab, "node1")["address"], "each has networks of its own"
        deploy = other.kubectl("create", "deployment", "one", f"--image={ECHO}")
        assert "created" in deploy
        other.kubectl("rollout", "status", "deployment/one", f"--timeout={patient(60):g}s")
    assert leftovers(other.name) == []
    assert ask(lab, "client", f"http://{node(lab, 'node1')['address']}:30080/") is not None


def test_a_killed_owner_takes_its_nodes_along() -> None:
    name = unique_name("killed-nodes")
    owner = own(name, nodes=1)
    folder = Lab(name, quiet=True).folder
    assert (folder / "processes" / "node1.kubelet.json").exists()
    owner.kill()
    owner.communicate()
    until("the warden to tear the lab down", 30, lambda: leftovers(name) == [])


def test_nodes_that_nobody_tore_down_are_removed_by_the_next_start() -> None:
    name = unique_name("orphan-nodes")
    owner = own(name, nodes=1)
    deploy = Lab.attach(name).kubectl("create", "deployment", "one", f"--image={ECHO}")
    assert "created" in deploy
    Lab.attach(name).kubectl("rollout", "status", "deployment/one", f"--timeout={patient(60):g}s")
    orphan(owner)
    before = leftovers(name)
    for kind in ("process", "in a control group", "namespace", "control group", "folder"):
        assert any(kind in left for left in before), kind
    with Lab(unique_name("next-nodes"), quiet=True):
        assert leftovers(name) == []
    assert not any(path.name.startswith(f"fairway.{name}.") for path in Path("/run/netns").iterdir())
    assert not [path for path in Path("/sys/fs/cgroup").glob(f"**/fairway.{name}") if path.is_dir()]
