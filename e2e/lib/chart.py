"""The chart's objects, for programs that run outside of pods: definitions, accounts, roles and classes, but no workloads."""

import functools
import subprocess
from typing import Any

import yaml

from lab import build, paths
from lab.progress import Progress

from .cluster import Cluster
from .waiting import eventually, need

CHART = paths.REPOSITORY / "charts" / "fairway"
NAMESPACE = "fairway-system"
ACCOUNT = "fairway"
KUBERNETES = "1.35.0"  # the lab's; helm assumes an older one when it asks nobody
# What needs pods: a webhook of which none answers would only delay whoever writes.
WORKLOADS = ("Deployment", "DaemonSet", "Service", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
# Without them the chart leaves everything out that is for AWS.
NAMED = {"clusterName": "lab", "region": "us-east-1", "vpcId": "vpc-0"}


def rendered(**values: str) -> list[dict[str, Any]]:
    """What `helm template` makes of the chart."""
    words = [build.helm(Progress(True)), "template", "fairway", CHART, "--namespace", NAMESPACE, "--kube-version", KUBERNETES]
    for key, value in values.items():
        words += ["--set", f"{key}={value}"]
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"helm template failed: {done.stderr}")
    return [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]


@functools.cache
def environment() -> dict[str, str]:
    """What the chart sets in the operator's environment, but for what is different in each pod."""
    (deployment,) = (manifest for manifest in rendered(**NAMED) if manifest["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return {entry["name"]: entry["value"] for entry in container["env"] if "value" in entry}


def definitions() -> list[dict[str, Any]]:
    """The custom resource definitions that come with the chart."""
    files = sorted((CHART / "crds").glob("*.yaml"))
    return [manifest for file in files for manifest in yaml.safe_load_all(file.read_text(encoding="utf-8")) if manifest]


def install(cluster: Cluster) -> None:
    """Puts everything but the workloads into a cluster, and waits until the definitions are served."""
    crds = definitions()
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}, *crds)
    cluster.apply(*(manifest for manifest in rendered(**NAMED) if manifest["kind"] not in WORKLOADS))

    def established() -> None:
        for crd in crds:
            name = crd["metadata"]["name"]
            conditions = cluster.get("CustomResourceDefinition", None, name).get("status", {}).get("conditions", [])
            need(any(entry["type"] == "Established" and entry["status"] == "True" for entry in conditions), f"{name} is not served yet")
            cluster.all(crd["spec"]["names"]["kind"])

    eventually("custom resource definitions", established)
