"""A namespace of one test, with pods behind Services, and everything in it that Fairway serves."""

import typing
from typing import Any

from . import manifests
from .manifests import Route
from .waiting import PATIENCE, eventually, need

if typing.TYPE_CHECKING:
    from .site import Site

# What pods of the Service `web` listen on.
WEB = 8080
# In the order in which a route is written.
_CONFIGS = {"host-header": "HostHeaderConfig", "path-pattern": "PathPatternConfig"}


class Shop:
    """See the module. `web` (port 80, named http) and `nodes` (the same as a NodePort) have two pods each."""

    def __init__(self, site: "Site", namespace: str) -> None:
        self.site, self.cluster, self.cloud, self.namespace = site, site.cluster, site.cloud, namespace
        self._pods = 0
        self._made: dict[tuple[str, str], str] = {}  # object: its stack
        self.addresses: dict[str, list[str]] = {}
        self.cluster.apply(manifests.namespace(namespace))
        self.service("web", [manifests.port(80, "http", "http")])
        self.service("nodes", [manifests.port(80, "http", "http")], type="NodePort")
        self.pods("web", 2)
        self.pods("nodes", 2)
        # Whoever registers targets finds all of them from the start: what a test counts afterwards is its own doing.
        eventually("the pods' addresses", self._endpoints)

    # Objects

    def ingress(self, name: str, routes: list[Route], annotations: dict[str, str] | None = None, **rest: Any) -> str:
        """Applies an Ingress; annotations are named without `alb.ingress.kubernetes.io/` unless they have a slash. Gives its stack."""
        full = _prefixed("alb.ingress.kubernetes.io/", annotations)
        self.cluster.apply(manifests.ingress(self.namespace, name, routes, full, **rest))
        group = full.get("alb.ingress.kubernetes.io/group.name")
        return self._remember("Ingress", name, f"aws:group:{group}" if group else f"aws:ingress:{self.namespace}/{name}")

    def service(self, name: str, ports: list[dict[str, Any]], annotations: dict[str, str] | None = None, **spec: Any) -> str:
        """Applies a Service; annotations are named without `service.beta.kubernetes.io/aws-load-balancer-`. Gives its stack."""
        full = _prefixed("service.beta.kubernetes.io/aws-load-balancer-", annotations)
        self.cluster.apply(manifests.service(self.namespace, name, ports, full, **spec))
        stack = f"aws:service:{self.namespace}/{name}"
        return self._remember("Service", name, stack) if spec.get("type") == "LoadBalancer" else stack

    def balancer(self, name: str, ports: list[dict[str, Any]], annotations: dict[str, str] | None = None, **spec: Any) -> str:
        """A Service of type LoadBalancer, of our class, over the pods of `web`."""
        rest = {"type": "LoadBalancer", "loadBalancerClass": "service.k8s.aws/nlb", "selector": {"app": "web"}, **spec}
        return self.service(name, ports, annotations, **rest)

    def pods(self, app: str, count: int) -> list[str]:
        """Makes pods that run and are ready; gives their names."""
        names = []
        for _ in range(count):
            self._pods += 1
            node, address = self.site.place_pod()
            pod = manifests.pod(self.namespace, f"{app}-{self._pods}", app, node, address, {"http": WEB})
            status = pod.pop("status")
            self.cluster.apply(pod)
            self.cluster.apply_status({**pod, "status": status})
            self.addresses.setdefault(app, []).append(address)
            names.append(pod["metadata"]["name"])
        return names

    def remove(self, kind: str, name: str, seconds: float = PATIENCE) -> None:
        """Deletes an object and waits until it is gone."""
        self.cluster.delete(kind, self.namespace, name)
        self.cluster.gone(kind, self.namespace, name, seconds)
        self._made.pop((kind, name), None)

    def close(self, seconds: float = PATIENCE) -> None:
        """Deletes everything that Fairway serves here, waits until it is gone, and lets the namespace go."""
        for kind, name in self._made:
            self.cluster.delete(kind, self.namespace, name)
        for kind, name in self._made:
            self.cluster.gone(kind, self.namespace, name, seconds)
        self.cluster.delete("Namespace", None, self.namespace)

    # What became of them

    def address(self, name: str, kind: str = "Ingress", seconds: float = PATIENCE) -> str:
        """Waits for an object's address."""
        return self.cluster.published(kind, self.namespace, name, seconds)

    def up(self, name: str, kind: str = "Ingress", seconds: float = PATIENCE) -> dict[str, Any]:
        """Waits until all is made that an object asks for, and gives its load balancer as the dump of the account shows it."""
        self.cluster.ready(self._made[(kind, name)], seconds)
        return self.seen(name, kind)

    def seen(self, name: str, kind: str = "Ingress") -> dict[str, Any]:
        """The load balancer at an object's address, as the dump of the account shows it."""
        return self.cloud.seen(self.address(name, kind))

    def arn(self, name: str, kind: str = "Ingress") -> str:
        """The ARN of the load balancer at an object's address."""
        return self.cloud.balancer(self.address(name, kind))["LoadBalancerArn"]

    def routes(self, name: str, listener: str = "80/HTTP") -> list[str]:
        """The rules of a listener, one line each: `host path -> target groups`, as `{ingress}-{service}:{port}`, or what is answered."""
        balancer, tags = self.cloud.routed(self.address(name))
        lines = []
        for rule in balancer["listeners"][listener]["rules"]:
            values = {condition["Field"]: condition[_CONFIGS[condition["Field"]]]["Values"] for condition in rule["conditions"]}
            places = [",".join(values.get(field, ["*"])) for field in _CONFIGS]
            lines.append(f"{' '.join(places)} -> {_outcome(rule['actions'], tags)}")
        return lines

    def target_groups(self) -> dict[str, Any]:
        """Target groups by the name of the Service they are for, of those in this namespace."""
        bindings = self.cluster.all("TargetGroupBinding", self.namespace)
        groups = self.cloud.target_groups()
        return {
            f"{binding['spec']['serviceRef']['name']}:{binding['spec']['serviceRef']['port']}": groups[binding["metadata"]["name"]]
            for binding in bindings if binding["metadata"]["name"] in groups
        }

    def targets(self, service: str, wanted: list[str], seconds: float = PATIENCE) -> None:
        """Waits until the target group of `service:port` has exactly these targets."""

        def probe() -> None:
            groups = self.target_groups()
            need(service in groups, f"there are target groups for {sorted(groups)}")
            need(groups[service]["targets"] == sorted(wanted), f"targets are {groups[service]['targets']}")

        eventually(f"targets of {service} to be {sorted(wanted)}", probe, seconds)

    def _endpoints(self) -> None:
        found: dict[str, set[str]] = {}
        for part in self.cluster.all("EndpointSlice", self.namespace):
            ready = (one for one in part["endpoints"] or [] if one["conditions"]["ready"])
            found.setdefault(part["metadata"]["labels"]["kubernetes.io/service-name"], set()).update(*(one["addresses"] for one in ready))
        wanted = {app: set(addresses) for app, addresses in self.addresses.items()}
        need(found == wanted, f"{found} of {wanted}")

    def _remember(self, kind: str, name: str, stack: str) -> str:
        self._made[(kind, name)] = stack
        return stack


def _outcome(actions: list[dict[str, Any]], tags: dict[str, dict[str, str]]) -> str:
    last = actions[-1]
    if last["Type"] == "fixed-response":
        return last["FixedResponseConfig"]["StatusCode"]
    if last["Type"] == "redirect":
        return f"redirect to {last['RedirectConfig']['Protocol']}:{last['RedirectConfig']['Port']}"
    groups = last["ForwardConfig"]["TargetGroups"]
    serving = [group["TargetGroupArn"] for group in groups if len(groups) == 1 or group["Weight"]]
    need(all(arn in tags for arn in serving), "a target group came after the list was read")
    return "+".join(tags[arn]["ingress.k8s.aws/resource"].partition("/")[2] for arn in serving)


def _prefixed(prefix: str, annotations: dict[str, str] | None) -> dict[str, str]:
    return {key if "/" in key else prefix + key: value for key, value in (annotations or {}).items()}
