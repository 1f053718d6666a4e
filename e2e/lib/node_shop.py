"""A namespace on real nodes: pods that answer, Ingresses in front of them, and a client of the nodes' network."""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

from lab import Lab

from . import manifests
from .cloud import Cloud
from .cluster import Cluster
from .manifests import Route
from .waiting import eventually, need

ECHO = "lab.fairway.dev/echo:1"
POOL = "10.0.240.50-10.0.240.60"
TAKEOVER_SECONDS = 45.0


def pool(cluster: Cluster) -> None:
    """Addresses that Ingresses in the cluster may take, and that they are announced."""
    place = {"name": "e2e", "namespace": "fairway-system"}
    cluster.apply(
        {"apiVersion": "metallb.io/v1beta1", "kind": "IPAddressPool", "metadata": place, "spec": {"addresses": [POOL]}},
        {"apiVersion": "metallb.io/v1beta1", "kind": "L2Advertisement", "metadata": place, "spec": {"ipAddressPools": ["e2e"]}})


class NodeShop:
    """See the module. The Services `web` and `other` (port 80) have a pod on each node."""

    def __init__(self, lab: Lab, cluster: Cluster, cloud: Cloud, namespace: str) -> None:
        self.lab, self.cluster, self.cloud, self.namespace = lab, cluster, cloud, namespace
        self.host = f"{namespace}.example.com"
        cluster.apply(manifests.namespace(namespace))
        for name in ("web", "other"):
            cluster.apply(_deployment(namespace, name), manifests.service(namespace, name, [manifests.port(80, "http", "http")]))
        eventually("pods ready", self._running, 60.0)

    def ingress(
        self, class_name: str, routes: list[Route] | None = None, annotations: dict[str, str] | None = None, **rest: Any,
    ) -> None:
        """Applies the Ingress `web`, by default with one route, in a class; `annotations` are added to those that it has."""
        usual = {"alb.ingress.kubernetes.io/scheme": "internet-facing", "alb.ingress.kubernetes.io/target-type": "ip"}
        annotations = usual | (annotations or {})
        routes = routes or [(self.host, "/", "Prefix", "web", 80)]
        self.cluster.apply(manifests.ingress(self.namespace, "web", routes, annotations, class_name, **rest))

    def address(self) -> str:
        """Waits for the one address of the Ingress."""
        return self.cluster.published("Ingress", self.namespace, "web", 40.0)

    def curl(
        self, address: str, path: str = "/", host: str | None = None, authority: Path | None = None, where: str = "client",
    ) -> tuple[int, dict[str, Any]]:
        """Status and what the pod saw of a request by a member of the network; status 0 when there is no answer. With an authority,
        by TLS."""
        host = host or self.host
        scheme, port = ("https", 443) if authority else ("http", 80)
        words = ["curl", "--silent", "--max-time", "2", "--write-out", "\n%{http_code}", "--resolve", f"{host}:{port}:{address}", f"{scheme}://{host}{path}"]
        done = self.lab.exec(where, [*words, *(["--cacert", authority] if authority else [])], check=False)
        body, _, status = done.stdout.rpartition("\n")
        return int(status or 0), json.loads(body) if body.startswith("{") else {}

    def served(self, address: str, app: str = "web", seconds: float = 20.0, **how: Any) -> None:
        """Waits until a pod of `app` answers at an address."""

        def probe() -> None:
            status, seen = self.curl(address, **how)
            need(status == 200 and seen["pod"].startswith(f"{app}-"), f"{status} {seen.get('pod')}")

        eventually(f"{address} answers from {app}", probe, seconds)

    def certificate(self, name: str) -> Path:
        """A Secret with a certificate for the host, and the file of its authority, which is itself."""
        key, crt = self.lab.folder / f"{self.namespace}.key", self.lab.folder / f"{self.namespace}.crt"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={self.host}",
             "-addext", f"subjectAltName=DNS:{self.host}", "-keyout", key, "-out", crt], check=True, capture_output=True)
        content = {"tls.crt": crt, "tls.key": key}
        self.cluster.apply({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": self.namespace}, "type": "kubernetes.io/tls",
            "data": {entry: base64.b64encode(file.read_bytes()).decode() for entry, file in content.items()}})
        return crt

    def close(self) -> None:
        """Deletes the Ingress, waits until it is gone, and lets the namespace go."""
        self.cluster.delete("Ingress", self.namespace, "web")
        self.cluster.gone("Ingress", self.namespace, "web", 40.0)
        self.cluster.delete("Namespace", None, self.namespace)

    def _running(self) -> None:
        for deployment in self.cluster.all("Deployment", self.namespace):
            need(deployment["status"].get("readyReplicas") == 2, f"{deployment['metadata']['name']}: {deployment['status']}")


def _deployment(namespace: str, name: str) -> dict[str, Any]:
    labels = {"app": name}
    spread = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": labels}}
    container = {
        "name": "main", "image": ECHO, "imagePullPolicy": "IfNotPresent", "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 1},
    }
    pod = {"terminationGracePeriodSeconds": 1, "topologySpreadConstraints": [spread], "containers": [container]}
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": namespace},
        "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}},
    }
