"""Many Ingresses of one cluster, each with a load balancer, a Service and five pods of its own.

The EndpointSlices are written here, not by the cluster's controller, whose own rate limit would be measured otherwise.
"""

import itertools
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from lab import aws, plan

from e2e.lib import manifests
from e2e.lib.site import Site

PODS_EACH = 5
SPARES = 100  # the first Services have one pod more, which is not ready at first
WRITERS = 8
PORT = 8080
CLASS = "alb"


class Fleet:
    """Places for `count` Ingresses; `make` puts them there. Numbers count from 0."""

    def __init__(self, site: Site, namespace: str, count: int) -> None:
        self.site, self.namespace, self.count = site, namespace, count
        self.spares = min(count, SPARES)
        spots = count * PODS_EACH + self.spares
        self.nodes = [plan.Node(number) for number in range(1, 2 + spots // plan.POD_ADDRESSES)]
        self._instances = aws.describe(self.nodes, "", None)["instances"]
        spread = itertools.chain.from_iterable(zip(*([(node, str(address)) for address in node.pod_addresses] for node in self.nodes), strict=True))
        self._spots = list(itertools.islice(spread, spots))

    def account(self) -> dict[str, Any]:
        """The seed of an account with the instances that the pods run on."""
        return aws.seed(self.nodes)

    def make(self) -> None:
        """Everything but the Ingresses, so that there is nothing to be done yet."""
        cluster = self.site.cluster
        cluster.apply(manifests.namespace(self.namespace))
        self.site.put_nodes(self._instances)

        def shop(number: int) -> None:
            cluster.apply(manifests.service(self.namespace, f"s{number}", [manifests.port(80, "http", "http")], selector=None))
            for place in range(PODS_EACH + (number < self.spares)):
                node, address = self._spot(number, place)
                pod = manifests.pod(self.namespace, f"p{number}-{place}", f"s{number}", node.name, address, {"http": PORT})
                status = pod.pop("status")
                cluster.apply(pod)
                cluster.apply_status({**pod, "status": status})
            self.serve(number, range(PODS_EACH))

        self._each(shop)

    def open(self) -> None:
        """The Ingresses."""
        self._each(lambda number: self.route(number, "/"))

    def route(self, number: int, path: str) -> None:
        """Applies one Ingress with one path."""
        annotations = {"alb.ingress.kubernetes.io/target-type": "ip"}
        routes = [(f"a{number}.example.com", path, "Prefix", f"s{number}", 80)]
        self.site.cluster.apply(manifests.ingress(self.namespace, f"a{number}", routes, annotations))

    def serve(self, number: int, places: Iterable[int]) -> None:
        """Says which pods of a Service are ready; place `PODS_EACH` is the spare one."""
        endpoints = []
        for place in places:
            node, address = self._spot(number, place)
            endpoints.append({
                "addresses": [address], "conditions": {"ready": True, "serving": True, "terminating": False},
                "nodeName": node.name, "zone": node.zone,
                "targetRef": {"kind": "Pod", "namespace": self.namespace, "name": f"p{number}-{place}"},
            })
        self.site.cluster.apply({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "endpoints": endpoints,
            "metadata": {"name": f"s{number}", "namespace": self.namespace, "labels": {
                "kubernetes.io/service-name": f"s{number}", "endpointslice.kubernetes.io/managed-by": "e2e"}},
            "ports": [{"name": "http", "port": PORT, "protocol": "TCP"}],
        })

    def spare(self, number: int) -> str:
        """The address of a Service's spare pod."""
        return self._spot(number, PODS_EACH)[1]

    def addressed(self) -> int:
        """How many Ingresses have an address."""
        ingresses = self.site.cluster.all("Ingress", self.namespace)
        return sum(bool(ingress["status"].get("loadBalancer", {}).get("ingress")) for ingress in ingresses)

    def leave(self) -> None:
        """Takes the objects away without asking anybody to clean up AWS, which is made anew for the next fleet."""
        self.site.sweep()
        for kind in ("Ingress", "Service", "EndpointSlice", "Pod"):
            self.site.cluster.delete_all(kind, self.namespace)
        for instance in self._instances[len(self.site.instances):]:
            self.site.cluster.delete("Node", None, instance["name"])
        self.site.cluster.delete("Namespace", None, self.namespace)

    def _spot(self, number: int, place: int) -> tuple[plan.Node, str]:
        return self._spots[number * PODS_EACH + place if place < PODS_EACH else self.count * PODS_EACH + number]

    def _each(self, work: Callable[[int], None]) -> None:
        with ThreadPoolExecutor(WRITERS) as pool:
            for _ in pool.map(work, range(self.count)):
                pass
