"""The agents serve Ingresses on real nodes, at addresses that one of them answers for.

Most tests record the address in the stack's state themselves: what an agent does depends on no operator.
"""

import hashlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lab import Api, ApiError, Lab, Process, leftovers, unique_name, until

pytestmark = [
    pytest.mark.nodes,
    pytest.mark.skipif(os.geteuid() != 0 and "CI" not in os.environ, reason="nodes need root"),
]

ROOT = Path(__file__).resolve().parents[2]
ECHO = "lab.fairway.dev/echo:1"
NAMESPACE = "fairway-system"
ADDRESS, OTHER = "10.0.240.10", "10.0.240.11"
NODES = ("node1", "node2")
SHOP, WILD = "shop.example.com", "*.wild.example.com"


@dataclass
class Agents:
    """The agents of a lab, one process a node, under the chart's own permissions."""

    lab: Lab
    program: Path
    kubeconfig: Path
    running: dict[str, Process] = field(default_factory=dict)

    def start(self, node: str) -> None:
        env = {"KUBECONFIG": str(self.kubeconfig), "NODE_NAME": node, "POD_NAMESPACE": NAMESPACE}
        argv = [self.program, "--log=info,fairway_agent=debug", "--drain-seconds=3", f"--default-ssl-certificate={NAMESPACE}/default-tls"]
        self.running[node] = self.lab.start(f"{node}.agent", argv, where=node, env=env)

    def ready(self, node: str) -> None:
        until(f"the agent of {node} to be ready", 20, lambda: self.admin(node, "readyz") == "ok\n")

    def admin(self, node: str, path: str) -> str:
        return self.lab.exec(node, ["curl", "-s", "-m", "2", f"http://127.0.0.1:7480/{path}"], check=False).stdout

    def metric(self, node: str, name: str) -> int:
        rows = dict(line.rsplit(" ", 1) for line in self.admin(node, "metrics").splitlines() if not line.startswith("#"))
        return int(rows[f"fairway_agent_{name}"])

    def log(self, node: str) -> str:
        return (self.lab.folder / "logs" / f"{node}.agent.log").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Two nodes with echo pods, the CRDs, a class, a pool that is announced, and an Ingress with an address."""
    with Lab(unique_name("agent"), nodes=2, quiet=True) as lab:
        prepare(lab)
        yield lab
    assert leftovers(lab.name) == []


@pytest.fixture(scope="module")
def agents(lab: Lab) -> Iterator[Agents]:
    named = os.environ.get("FAIRWAY_AGENT_BIN")
    if named is None:
        subprocess.run(["cargo", "build", "--quiet", "--package=fairway-agent"], cwd=ROOT, check=True)
    program = Path(named).resolve() if named else ROOT / "target" / "debug" / "fairway-agent"
    agents = Agents(lab, program, lab.service_account_kubeconfig(NAMESPACE, "fairway-agent", inside=True))
    for node in NODES:
        agents.start(node)
    for node in NODES:
        agents.ready(node)
    until("both agents to see each other", 10, lambda: all(agents.metric(node, "peers_alive") == 2 for node in NODES))
    yield agents


def prepare(lab: Lab) -> None:
    lab.kubectl("apply", "-f", ROOT / "crds" / "yaml")
    lab.kubectl("create", "namespace", NAMESPACE)
    chart = lab.helm("template", "fairway", ROOT / "charts" / "fairway", "--namespace", NAMESPACE, "--kube-version", "1.35.0",
                     "--show-only", "templates/agent.yaml")
    permissions = "---".join(part for part in chart.split("---") if "kind: DaemonSet" not in part)
    lab.kubectl("apply", "--namespace", NAMESPACE, "-f", "-", stdin=permissions)
    for name in ("web", "cart", "rest"):
        lab.kubectl("apply", "-f", "-", stdin=json.dumps(echo(name)))
        lab.kubectl("apply", "-f", "-", stdin=json.dumps(service(name)))
    lab.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=20s")
    for name, hosts in (("shop-tls", [SHOP]), ("wild-tls", [WILD])):
        make_secret(lab, name, hosts)
    make_secret(lab, "default-tls", ["other.example.org"], NAMESPACE)
    for manifest in (
        {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "metal"},
         "spec": {"controller": "fairway.dev/in-cluster"}},
        {"apiVersion": "metallb.io/v1beta1", "kind": "IPAddressPool", "metadata": {"name": "lab", "namespace": NAMESPACE},
         "spec": {"addresses": ["10.0.240.10-10.0.240.20"]}},
        {"apiVersion": "metallb.io/v1beta1", "kind": "L2Advertisement", "metadata": {"name": "lab", "namespace": NAMESPACE},
         "spec": {"interfaces": []}},
        ingress("shop"),
    ):
        lab.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))
    record(lab, "default/shop", [ADDRESS])
    for name in ("web", "cart", "rest"):
        lab.kubectl("rollout", "status", f"deployment/{name}", "--timeout=60s")


def echo(name: str) -> dict[str, Any]:
    spread = {
        "maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {"app": name}},
    }
    fields = {"POD_NAME": "metadata.labels['app']", "NODE_NAME": "spec.nodeName"}
    container = {
        "name": "echo", "image": ECHO, "imagePullPolicy": "IfNotPresent", "ports": [{"containerPort": 8080, "name": "http"}],
        "env": [{"name": key, "valueFrom": {"fieldRef": {"fieldPath": path}}} for key, path in fields.items()],
        "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1},
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": {
        "replicas": 2, "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": {
            "topologySpreadConstraints": [spread], "terminationGracePeriodSeconds": 1, "containers": [container]}}}}


def service(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
            "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}}


def ingress(name: str, extra: dict[str, str] | None = None, **annotations: str) -> dict[str, Any]:
    """Two hosts, exact and prefix paths, certificates, a default backend. `extra`: more paths of the first host."""

    def path(text: str, kind: str, service: str) -> dict[str, Any]:
        return {"path": text, "pathType": kind, "backend": {"service": {"name": service, "port": {"name": "http"}}}}

    paths = [path("/", "Prefix", "web"), path("/cart", "Prefix", "cart"), path("/cart/exact", "Exact", "web"), path("/gone", "Prefix", "nobody")]
    paths += [path(text, "Prefix", service) for text, service in (extra or {}).items()]
    return {
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": name, "annotations": {f"alb.ingress.kubernetes.io/{key}": value for key, value in annotations.items()}},
        "spec": {
            "ingressClassName": "metal",
            "defaultBackend": {"service": {"name": "rest", "port": {"number": 80}}},
            "tls": [{"hosts": [SHOP], "secretName": "shop-tls"}, {"hosts": [WILD], "secretName": "wild-tls"},
                    {"hosts": ["broken.example.com"], "secretName": "no-such-secret"}],
            "rules": [{"host": SHOP, "http": {"paths": paths}}, {"host": WILD, "http": {"paths": [path("/", "Prefix", "cart")]}}],
        },
    }


def make_secret(lab: Lab, name: str, hosts: list[str], namespace: str = "default") -> None:
    chain, key = lab.folder / f"{name}.crt", lab.folder / f"{name}.key"
    names = ",".join(f"DNS:{host}" for host in hosts)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", f"/CN={name}", "-addext", f"subjectAltName={names}", "-keyout", key, "-out", chain],
                   check=True, capture_output=True)
    manifest = lab.kubectl("create", "secret", "tls", name, f"--cert={chain}", f"--key={key}", "-n", namespace, "--dry-run=client", "-o", "json")
    lab.kubectl("apply", "-f", "-", stdin=manifest)


def state_name(stack: str) -> str:
    """Name of the state of an in-cluster Ingress, as the operator would name it."""
    digest = hashlib.sha256(f"in-cluster\ningress\n{stack}".encode()).hexdigest()
    return f"in-cluster-ingress-{digest[:16]}"


def record(lab: Lab, stack: str, addresses: list[str]) -> None:
    """Gives a stack its addresses, as the operator does."""
    base = "/apis/fairway.dev/v1alpha1/loadbalancerstates"
    identity = {"apiVersion": "fairway.dev/v1alpha1", "kind": "LoadBalancerState", "metadata": {"name": state_name(stack)}}
    spec = {"stack": f"in-cluster:ingress:{stack}", "provider": "in-cluster"}
    lab.kubectl("apply", "-f", "-", stdin=json.dumps({**identity, "spec": spec}))
    status = {"status": {"arns": {f"address/{address}": address for address in addresses}}}
    lab.api.patch(f"{base}/{state_name(stack)}/status", status)


def announced(api: Api, stack: str) -> str:
    """What the agents say in a stack's state."""
    status = api.get(f"/apis/fairway.dev/v1alpha1/loadbalancerstates/{state_name(stack)}").get("status", {})
    return next((c["message"] for c in status.get("conditions", []) if c["type"] == "Announced" and c["status"] == "True"), "")


def owner(lab: Lab) -> str:
    """The node that the state says answers for the address."""
    message = until("the address to be announced", 15, lambda: announced(lab.api, "default/shop"))
    parts = dict(part.split(" on ") for part in message.split(", "))
    return parts[ADDRESS]


def curl(lab: Lab, *arguments: str, where: str = "client") -> subprocess.CompletedProcess[str]:
    return lab.exec(where, ["curl", "-s", "-m", "5", *arguments], check=False)


def ask(lab: Lab, url: str, *arguments: str, where: str = "client") -> dict[str, Any]:
    """The echo server's answer to a request for `url`, whose host is resolved to the address."""
    host, port = url.split("/")[2], "443" if url.startswith("https") else "80"
    done = curl(lab, "--resolve", f"{host}:{port}:{ADDRESS}", *arguments, url, where=where)
    assert done.returncode == 0, f"{url}: curl ended with {done.returncode}"
    return json.loads(done.stdout)


def who_answers(lab: Lab, address: str = ADDRESS) -> set[str]:
    """Nodes whose Ethernet address the client is told when it asks for the address anew."""
    macs = {link_address(lab, node): node for node in NODES}
    lab.exec("client", ["ip", "neigh", "flush", "to", address], check=False)
    curl(lab, "-m", "1", "-o", "/dev/null", f"http://{address}/")
    seen = lab.exec("client", ["ip", "-j", "neigh", "show", "to", address]).stdout
    return {macs[entry["lladdr"]] for entry in json.loads(seen or "[]") if "lladdr" in entry}


def link_address(lab: Lab, node: str) -> str:
    links = json.loads(lab.exec(node, ["ip", "-j", "link", "show", "eth0"]).stdout)
    return links[0]["address"]


class Load:
    """Requests one after the other in the client's namespace, bounded in time; counts what fails."""

    SCRIPT = """
import http.client, sys, time
end, good, bad, gap, last = time.monotonic() + float(sys.argv[3]), 0, [], 0.0, None
while time.monotonic() < end and not sys.stdin.closed:
    begun = time.monotonic()
    try:
        connection = http.client.HTTPConnection(sys.argv[1], 80, timeout=1)
        connection.request("GET", "/", headers={"Host": sys.argv[2]})
        answer = connection.getresponse(); answer.read(); connection.close()
        if answer.status != 200: raise OSError(f"status {answer.status}")
        now = time.monotonic(); gap = max(gap, now - (last or now)); last = now; good += 1
    except OSError as error:
        bad.append(repr(error))
    time.sleep(0.01)
print(good, len(bad), f"{gap:.3f}", "; ".join(sorted(set(bad))))
"""

    def __init__(self, lab: Lab, seconds: float, host: str = SHOP) -> None:
        self.result = ""

        def run() -> None:
            argv = ["python3", "-c", self.SCRIPT, ADDRESS, host, str(seconds)]
            self.result = lab.exec("client", argv, timeout=seconds + 20).stdout.strip()

        self._thread = threading.Thread(target=run)
        self._thread.start()

    def wait(self) -> tuple[int, int, float]:
        """Requests that succeeded, that failed, and the longest time in seconds between two successes."""
        self._thread.join()
        print(f"load: {self.result}")
        good, bad, gap = self.result.split(" ")[:3]
        return int(good), int(bad), float(gap)


def test_hosts_and_paths_lead_to_their_services(lab: Lab, agents: Agents) -> None:
    owner(lab)
    cases = [
        (f"http://{SHOP}/", "web"), (f"http://{SHOP}/cart", "cart"), (f"http://{SHOP}/cart/1?x=y", "cart"), (f"http://{SHOP}/cartoon", "web"),
        (f"http://{SHOP}/cart/exact", "web"), ("http://a.wild.example.com/", "cart"), ("http://other.example.org/", "rest"),
    ]
    for url, pod in cases:
        assert ask(lab, url)["pod"] == pod, url
    seen = ask(lab, f"http://{SHOP}/cart/1?x=y", "-H", "X-Forwarded-For: 192.0.2.99")
    assert (seen["path"], seen["query"], seen["host"]) == ("/cart/1", "x=y", SHOP)
    headers = {name.lower(): value for name, value in seen["headers"].items()}
    assert headers["x-forwarded-for"] == "10.0.200.100", "the client's own address, whatever it says itself"
    assert (headers["x-forwarded-proto"], headers["x-forwarded-port"], headers["x-forwarded-host"]) == ("http", "80", SHOP)
    gone = curl(lab, "-o", "/dev/null", "-w", "%{http_code}", "-H", f"Host: {SHOP}", f"http://{ADDRESS}/gone")
    assert gone.stdout == "503", "the Service of that path is missing"
    nodes = {ask(lab, f"http://{SHOP}/")["node"] for _ in range(10)}
    assert nodes == set(NODES), "requests are spread over all pods"


def test_tls_is_served_from_secrets_and_a_missing_one_harms_its_host_only(lab: Lab, agents: Agents) -> None:
    certificates = {SHOP: "shop-tls", "a.wild.example.com": "wild-tls", "other.example.org": "default-tls"}
    for host, secret in certificates.items():
        seen = ask(lab, f"https://{host}/", "--cacert", str(lab.folder / f"{secret}.crt"))
        headers = {name.lower(): value for name, value in seen["headers"].items()}
        assert (headers["x-forwarded-proto"], headers["x-forwarded-port"]) == ("https", "443")
    refused = curl(lab, "-k", "--resolve", f"broken.example.com:443:{ADDRESS}", "https://broken.example.com/")
    assert refused.returncode == 35, "the handshake fails, and no other certificate stands in"
    assert agents.metric("node1", "certificates_missing") == 1
    make_secret(lab, "no-such-secret", ["broken.example.com"])
    argv = ["--cacert", str(lab.folder / "no-such-secret.crt"), "--resolve", f"broken.example.com:443:{ADDRESS}", "https://broken.example.com/"]
    until("the Secret to be read", 15, lambda: curl(lab, *argv).returncode == 0)
    lab.kubectl("delete", "secret", "no-such-secret")


def test_one_node_answers_and_only_what_is_served_is_reached(lab: Lab, agents: Agents) -> None:
    first = owner(lab)
    assert who_answers(lab) == {first}
    assert sorted(agents.metric(node, "addresses_announced") for node in NODES) == [0, 1]
    addresses = {node: lab.exec(node, ["ip", "-j", "addr"]).stdout for node in NODES}
    assert not any(ADDRESS in text for text in addresses.values()), "the address is on no interface"
    begun = time.monotonic()
    refused = curl(lab, f"http://{ADDRESS}:81/")
    assert refused.returncode == 7 and time.monotonic() - begun < 1, "a port without service is refused at once"
    rules = lab.exec(first, ["nft", "list", "set", "inet", "fairway", "private-ip"]).stdout
    node_address = next(node["address"] for node in lab.describe()["nodes"] if node["name"] == first)
    assert node_address in rules
    port = rules.split(f"{node_address} . ")[1].split(",")[0].split()[0]
    assert curl(lab, "-m", "1", f"http://{node_address}:{port}/").returncode == 28, "the proxy's own socket is private"
    for node in NODES:
        assert ask(lab, f"http://{SHOP}/", where=node)["pod"] == "web", f"{node} itself reaches the address"
        tables = lab.exec(node, ["nft", "list", "tables"]).stdout
        assert "table ip kube-proxy" in tables and "table inet fairway" in tables
    cluster_ip = lab.api.get("/api/v1/namespaces/default/services/web")["spec"]["clusterIP"]
    assert json.loads(curl(lab, f"http://{cluster_ip}/", where="node1").stdout)["pod"] == "web", "kube-proxy serves beside it"


def test_no_request_is_lost_while_routes_change(lab: Lab, agents: Agents) -> None:
    load = Load(lab, 6)
    time.sleep(0.5)
    for turn in range(15):
        lab.kubectl("apply", "-f", "-", stdin=json.dumps(ingress("shop", {f"/new{turn}": "cart"})))
        until("the new path", 5, lambda: ask(lab, f"http://{SHOP}/new{turn}")["pod"] == "cart")
    lab.kubectl("apply", "-f", "-", stdin=json.dumps(ingress("shop")))
    good, bad, _ = load.wait()
    assert bad == 0 and good > 100


def test_http_is_redirected_to_the_public_port(lab: Lab, agents: Agents) -> None:
    annotations = {"listen-ports": '[{"HTTP": 80}, {"HTTPS": 8443}]', "ssl-redirect": "8443"}
    lab.kubectl("apply", "-f", "-", stdin=json.dumps(ingress("shop", **annotations)))
    argv = ["-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", "-H", f"Host: {SHOP}", f"http://{ADDRESS}/cart?x=y"]
    until("the redirect", 5, lambda: curl(lab, *argv).stdout == f"301 https://{SHOP}:8443/cart?x=y")
    closed = curl(lab, "-k", "--resolve", f"{SHOP}:443:{ADDRESS}", f"https://{SHOP}/")
    assert closed.returncode == 7, "443 is not listened on any more"
    lab.kubectl("apply", "-f", "-", stdin=json.dumps(ingress("shop")))
    until("plain HTTP again", 5, lambda: curl(lab, *argv[:-1], f"http://{ADDRESS}/").stdout.startswith("200"))


def test_an_agent_that_is_told_to_stop_hands_over_without_a_gap(lab: Lab, agents: Agents) -> None:
    first = owner(lab)
    other = next(node for node in NODES if node != first)
    load = Load(lab, 8)
    time.sleep(0.5)
    agents.running[first].send(signal.SIGTERM)
    until(f"{other} to take over", 5, lambda: owner(lab) == other)
    until("the agent to end", 10, lambda: not agents.running[first].alive())
    assert "table inet fairway" not in lab.exec(first, ["nft", "list", "tables"]).stdout
    good, bad, gap = load.wait()
    assert bad == 0 and gap < 1 and good > 100
    agents.start(first)
    agents.ready(first)
    until("the address to come back", 10, lambda: owner(lab) == first)
    assert who_answers(lab) == {first}


def test_a_killed_agent_is_replaced_and_starts_again(lab: Lab, agents: Agents) -> None:
    first = owner(lab)
    other = next(node for node in NODES if node != first)
    begun = time.monotonic()
    agents.running[first].send(signal.SIGKILL)
    until(f"{other} to take over", 10, lambda: owner(lab) == other)
    print(f"takeover after a killed agent: {time.monotonic() - begun:.1f} s")
    assert ask(lab, f"http://{SHOP}/")["pod"] == "web"
    agents.start(first)
    agents.ready(first)
    until("the address to come back", 10, lambda: owner(lab) == first)
    assert ask(lab, f"http://{SHOP}/")["pod"] == "web"


def test_serving_goes_on_while_the_api_server_is_away(lab: Lab, agents: Agents) -> None:
    first = owner(lab)
    for node in NODES:
        cut_off(lab, node)
    try:
        good, bad, _ = Load(lab, 12).wait()
        assert bad == 0 and good > 300
        assert who_answers(lab) == {first}
        assert [agents.metric(node, "peers_dead") for node in NODES] == [0, 0], "nobody is declared dead by who cannot know"
    finally:
        for node in NODES:
            lab.exec(node, ["nft", "delete", "table", "inet", "away"])
    lab.kubectl("apply", "-f", "-", stdin=json.dumps(ingress("shop", {"/back": "cart"})))
    load = Load(lab, 20)
    until("changes to be seen again", 60, lambda: ask(lab, f"http://{SHOP}/back")["pod"] == "cart", pause=0.5)
    good, bad, _ = load.wait()
    assert bad == 0 and good > 500
    assert [agents.metric(node, "peers_alive") for node in NODES] == [2, 2]
    for node in NODES:
        assert 'died={"' not in agents.log(node).split("does not answer")[-1], "nobody was declared dead when it came back"


def cut_off(lab: Lab, node: str) -> None:
    server = lab.describe()["network"]["control"]
    chain = "add chain inet away out { type filter hook output priority 0; }"
    rules = ["add table inet away", chain, f"add rule inet away out ip daddr {server} drop"]
    lab.exec(node, ["nft", "; ".join(rules)])


def test_a_node_without_the_api_server_gives_way_to_one_that_has_it(lab: Lab, agents: Agents) -> None:
    first = owner(lab)
    other = next(node for node in NODES if node != first)
    cut_off(lab, first)
    try:
        until(f"{other} to take over", 12, lambda: owner(lab) == other)
        until(f"{first} to give way", 6, lambda: agents.metric(first, "addresses_announced") == 0)
        assert all(who_answers(lab) == {other} for _ in range(5))
        good, bad, _ = Load(lab, 3).wait()
        assert bad == 0 and good > 50
    finally:
        lab.exec(first, ["nft", "delete", "table", "inet", "away"])
    until("the address to come back", 30, lambda: owner(lab) == first)
    until("the client to be told", 5, lambda: who_answers(lab) == {first})


def test_an_operator_gives_an_address_and_takes_it_back(lab: Lab, agents: Agents, program: Path) -> None:
    name, path = "books", "/apis/networking.k8s.io/v1/namespaces/default/ingresses/books"
    argv = [program, "run", "--leader-election-namespace", NAMESPACE, "--metrics-bind-addr", "127.0.0.1:0"]
    operator = lab.start("fairway", argv, env={"KUBECONFIG": str(lab.kubeconfig)})
    begun = time.monotonic()
    try:
        lab.kubectl("apply", "-f", "-", stdin=json.dumps(ingress(name)))
        status = until("the address in the Ingress' status", 40, lambda: lab.api.get(path)["status"]["loadBalancer"].get("ingress"))
        print(f"an address after {time.monotonic() - begun:.1f} s: {status}")
        assert [entry["ip"] for entry in status] == [OTHER], "the first one is the other Ingress'"
        assert announced(lab.api, f"default/{name}").startswith(f"{OTHER} on ")
        seen = curl(lab, "-H", f"Host: {SHOP}", f"http://{OTHER}/cart")
        assert json.loads(seen.stdout)["pod"] == "cart", "what the status shows is reached"
        assert lab.api.get("/apis/networking.k8s.io/v1/namespaces/default/ingresses/shop")["status"]["loadBalancer"]["ingress"] == [{"ip": ADDRESS}]
        lab.kubectl("delete", "ingress", name, "--timeout=30s")
        base = f"/apis/fairway.dev/v1alpha1/loadbalancerstates/{state_name(f'default/{name}')}"
        until("its state to go", 20, lambda: not exists(lab.api, base))
        until("the address to be free", 10, lambda: who_answers(lab, OTHER) == set())
    finally:
        lab.stop(operator)


def exists(api: Api, path: str) -> bool:
    try:
        api.get(path)
    except ApiError as error:
        if error.status == 404:
            return False
        raise
    return True


def test_an_address_moves_when_its_node_dies(lab: Lab, agents: Agents) -> None:
    first = owner(lab)
    other = next(node for node in NODES if node != first)
    load = Load(lab, 16)
    time.sleep(1)
    lab.kill_node(first)
    good, _, gap = load.wait()
    print(f"longest time without an answer after the death of {first}: {gap:.1f} s")
    assert gap < 10 and good > 100
    assert owner(lab) == other
    assert ask(lab, f"http://{SHOP}/")["node"] == other
    begun = time.monotonic()
    for _ in range(20):
        assert ask(lab, f"http://{SHOP}/")["node"] == other, "nothing is sent to the dead node's pods"
    assert time.monotonic() - begun < 5
    lab.start_node(first)
    agents.start(first)
    agents.ready(first)
    until("the address to come back", 15, lambda: owner(lab) == first)
    until("the client to be told", 5, lambda: who_answers(lab) == {first})
