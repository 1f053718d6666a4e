"""One cluster and one account for all control-plane scenarios of a run.

The cluster is a lab without nodes, or, when FAIRWAY_E2E_CLUSTER is `kubeconfig`, the one that KUBECONFIG names: then Nodes, Pods,
the chart's definitions and roles, and an account `fairway-e2e` that is cluster-admin are made there and removed afterwards.

Scenarios share the cluster one after the other: each module runs its operator alone, on an account made anew, and each test has
a namespace of its own.
"""

import contextlib
import itertools
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lab import Api, Lab, aws, paths, unique_name

from . import chart, manifests
from .cloud import Cloud
from .cluster import Cluster
from .operator import Operator
from .shop import Shop

LOGS = paths.REPOSITORY / "target" / "e2e" / "logs"
LEASE = "fairway-leader"
OWNER = "e2e"
ADMIN = "fairway-e2e"
LEAVING_SECONDS = 60.0
# Settings of the emulator: nothing is learnt from waiting for every load balancer to be provisioned, which takes a look that comes
# 5 s later, or for its interfaces. test_faults and test_ingress_to_alb do it.
QUICK = {"provisioning_seconds": None, "interface_linger_seconds": 0}


class Site:
    """See the module. `instances` are those of `lab.json`; `lab` is None on a foreign cluster."""

    def __init__(self, cluster: Cluster, cloud: Cloud, account: dict[str, Any], lab: Lab | None, program: Path) -> None:
        self.cluster, self.cloud, self.account, self.lab, self.program = cluster, cloud, account, lab, program
        self.instances: list[dict[str, Any]] = account["instances"]
        self._numbers = itertools.count(1)
        self._addresses = {node["name"]: itertools.cycle(node["pod_addresses"]) for node in self.instances}
        self._nodes = itertools.cycle(self.instances)

    def prepare(self) -> None:
        """Puts the chart's objects and the nodes there."""
        chart.install(self.cluster)
        self.put_nodes(self.instances)

    def put_nodes(self, instances: list[dict[str, Any]]) -> None:
        """Makes the Nodes of instances, as `lab.json` describes them."""
        for instance in instances:
            node = manifests.node(instance)
            status = node.pop("status")
            self.cluster.apply(node)
            # The admission plug-in taints every new node; the controller that would take that back is off in the lab.
            self.cluster.patch("Node", None, instance["name"], {"spec": {"taints": None}})
            self.cluster.apply_status({**node, "status": status})

    def flags(self, *more: str, owner: str | None = OWNER) -> list[str]:
        """The flags of an operator for this account; later ones win nothing, so name each one once."""
        own = [f"--cluster-name={self.account['cluster']}", f"--aws-region={self.account['region']}", f"--aws-vpc-id={self.account['vpc']}"]
        return [*own, *([f"--txt-owner-id={owner}"] if owner else []), *more]

    def operator(self, name: str, flags: Sequence[str], identity: str = "e2e") -> Operator:
        """Starts a replica under the chart's account; its log is `target/e2e/logs/<name>.log`."""
        kubeconfig = self.cluster.kubeconfig_for(chart.NAMESPACE, chart.ACCOUNT)
        return Operator(self.program, LOGS / f"{name}.log", kubeconfig, self.cloud.endpoint, flags, identity)

    def clear_lease(self) -> None:
        """Whoever led is forgotten, so that the next one need not wait for its lease to run out."""
        self.cluster.delete("Lease", chart.NAMESPACE, LEASE)

    def sweep(self) -> None:
        """Takes away what a failed test left, so that the next one does not fail because of it: nobody is asked to clean up AWS."""
        for kind in ("Ingress", "Service", "TargetGroupBinding"):
            for item in self.cluster.all(kind):
                metadata = item["metadata"]
                if any(".k8s.aws/" in finalizer for finalizer in metadata.get("finalizers", [])):
                    self.cluster.delete(kind, metadata["namespace"], metadata["name"])
                    self.cluster.patch(kind, metadata["namespace"], metadata["name"], {"metadata": {"finalizers": None}})
        for state in self.cluster.all("LoadBalancerState"):
            self.cluster.delete("LoadBalancerState", None, state["metadata"]["name"])

    def shop(self, purpose: str) -> Shop:
        """A namespace with Services and pods."""
        return Shop(self, f"{purpose}-{next(self._numbers)}")

    def place_pod(self) -> tuple[str, str]:
        """A node, in turn, and an address there that no other pod of this run has."""
        node = next(self._nodes)["name"]
        return node, next(self._addresses[node])


def left_of_ours(dump: dict[str, Any], cluster: str, owner: str = OWNER) -> list[str]:
    """What stands in an account that Fairway made, by its marks, and the rules it put on others' security groups."""
    mark = ("elbv2.k8s.aws/cluster", cluster)
    left = []
    for kind in ("loadBalancers", "targetGroups", "securityGroups"):
        left += [f"{kind}/{name}" for name, item in dump[kind].items() if mark in item["tags"].items()]
    for name, group in dump["securityGroups"].items():
        left += [f"rule on {name}: {rule}" for rule in group["ingress"] if "elbv2.k8s.aws/targetGroupBinding" in rule]
    for zone, records in dump["records"].items():
        left += [f"{zone}: {r['Name']} {r['Type']}" for r in records if any(f"owner={owner}," in value for value in r.get("values", []))]
    return left


def on_foreign_cluster() -> bool:
    """Whether the environment asks for the cluster of KUBECONFIG."""
    return os.environ.get("FAIRWAY_E2E_CLUSTER") == "kubeconfig"


@contextlib.contextmanager
def opened(program: Path) -> Iterator[Site]:
    """The site of this run, as the environment asks for it."""
    with _foreign(program) if on_foreign_cluster() else _own(program) as site:
        site.prepare()
        yield site


@contextlib.contextmanager
def _own(program: Path) -> Iterator[Site]:
    with Lab(unique_name("e2e"), aws=True, quiet=True) as lab:
        account = lab.describe()["aws"]
        yield Site(Cluster(lab.api, lab.service_account_kubeconfig), Cloud(account["endpoint"], account["vpc"]), account, lab, program)


@contextlib.contextmanager
def _foreign(program: Path) -> Iterator[Site]:
    # Only here, because the emulator's folder is no package.
    from emulator import Emulator

    instances = aws.members([])
    with tempfile.TemporaryDirectory(prefix="fairway-e2e-") as name:
        folder = Path(name)
        seed = folder / "seed.json"
        seed.write_text(json.dumps(aws.seed(instances)), encoding="utf-8")
        with _admin(folder) as api, Emulator.start(seed=seed) as emulator:

            def kubeconfig_for(namespace: str, account: str) -> Path:
                return api.for_service_account(namespace, account).write_kubeconfig(folder / f"{namespace}-{account}", namespace=namespace)

            account = aws.describe(instances, emulator.endpoint, None)
            site = Site(Cluster(api, kubeconfig_for), Cloud(emulator.endpoint, account["vpc"]), account, None, program)
            try:
                yield site
            finally:
                _leave(site)


@contextlib.contextmanager
def _admin(folder: Path) -> Iterator[Api]:
    """An administrator known by a token, made with whatever credentials the kubeconfig has."""
    binding = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": ADMIN},
               "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
               "subjects": [{"kind": "ServiceAccount", "name": ADMIN, "namespace": "default"}]}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ADMIN, "namespace": "default"}}
    both = json.dumps({"apiVersion": "v1", "kind": "List", "items": [account, binding]})
    _kubectl("apply", "-f", "-", stdin=both)
    try:
        chosen = json.loads(_kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json"))["clusters"][0]["cluster"]
        authority = folder / "authority.crt"
        authority.write_text(_kubectl(
            "get", "configmap", "kube-root-ca.crt", "--namespace=default", "-o", r"jsonpath={.data.ca\.crt}"), encoding="utf-8")
        yield Api(chosen["server"], _kubectl("create", "token", ADMIN, "--namespace=default", "--duration=6h").strip(), authority)
    finally:
        _kubectl("delete", "--ignore-not-found", "-f", "-", stdin=both)


def _leave(site: Site) -> None:
    for instance in site.instances:
        site.cluster.delete("Node", None, instance["name"])
    for manifest in (*chart.rendered(**chart.NAMED), *chart.definitions()):
        if manifest["kind"] not in chart.WORKLOADS:
            site.cluster.delete(manifest["kind"], manifest["metadata"].get("namespace"), manifest["metadata"]["name"])
    site.cluster.delete("Namespace", None, chart.NAMESPACE)
    site.cluster.gone("Namespace", None, chart.NAMESPACE, LEAVING_SECONDS)  # or the next run would meet it on its way out


def _kubectl(*words: str, stdin: str | None = None) -> str:
    done = subprocess.run([os.environ.get("KUBECTL", "kubectl"), *words], input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"kubectl {' '.join(words[:2])} failed: {done.stderr}")
    return done.stdout
