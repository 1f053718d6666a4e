"""Objects that scenarios are made of."""

from typing import Any

# host, path, path type, Service, port (number or name)
Route = tuple[str | None, str, str, str, int | str]


def _object(api: str, kind: str, name: str, namespace: str | None = None, **rest: Any) -> dict[str, Any]:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **rest}


def namespace(name: str) -> dict[str, Any]:
    return _object("v1", "Namespace", name)


def ingress(
    place: str, name: str, routes: list[Route], annotations: dict[str, str] | None = None, class_name: str | None = "alb",
    default: tuple[str, int | str] | None = None, tls: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """An Ingress; routes of one host in a row become one rule."""
    rules: list[dict[str, Any]] = []
    for host, path, kind, service, port in routes:
        if not rules or rules[-1].get("host") != host:
            rules.append(({"host": host} if host else {}) | {"http": {"paths": []}})
        rules[-1]["http"]["paths"].append({"path": path, "pathType": kind, "backend": backend(service, port)})
    spec = {"rules": rules} if rules else {}
    if class_name is not None:
        spec["ingressClassName"] = class_name
    if default is not None:
        spec["defaultBackend"] = backend(*default)
    if tls is not None:
        spec["tls"] = tls
    made = _object("networking.k8s.io/v1", "Ingress", name, place, spec=spec)
    made["metadata"]["annotations"] = annotations or {}
    return made


def backend(service: str, port: int | str) -> dict[str, Any]:
    return {"service": {"name": service, "port": {"name" if isinstance(port, str) else "number": port}}}


def port(number: int, name: str, target: int | str, protocol: str = "TCP", node: int | None = None) -> dict[str, Any]:
    entry = {"name": name, "port": number, "targetPort": target, "protocol": protocol}
    return entry | ({"nodePort": node} if node else {})


def service(
    place: str, name: str, ports: list[dict[str, Any]], annotations: dict[str, str] | None = None, **spec: Any
) -> dict[str, Any]:
    """A Service over the pods with the label `app: <name>`, unless `spec` says otherwise."""
    made = _object("v1", "Service", name, place, spec={"selector": {"app": name}, "ports": ports, **spec})
    made["metadata"]["annotations"] = annotations or {}
    return made


def ingress_class(name: str, controller: str, params: str | None = None, default: bool = False) -> dict[str, Any]:
    spec: dict[str, Any] = {"controller": controller}
    if params:
        spec["parameters"] = {"apiGroup": "elbv2.k8s.aws", "kind": "IngressClassParams", "name": params}
    made = _object("networking.k8s.io/v1", "IngressClass", name, spec=spec)
    if default:
        made["metadata"]["annotations"] = {"ingressclass.kubernetes.io/is-default-class": "true"}
    return made


def class_params(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return _object("elbv2.k8s.aws/v1beta1", "IngressClassParams", name, spec=spec)


def node(instance: dict[str, Any]) -> dict[str, Any]:
    """The Node of an instance as `lab.json` describes it, ready."""
    made = _object("v1", "Node", instance["name"], spec={"providerID": instance["provider_id"]})
    made["metadata"]["labels"] = {"topology.kubernetes.io/zone": instance["zone"], "kubernetes.io/hostname": instance["name"]}
    made["status"] = {
        "addresses": [{"type": "InternalIP", "address": instance["address"]}],
        "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
        "capacity": {"pods": "60"}, "allocatable": {"pods": "60"},
    }
    return made


def pod(place: str, name: str, app: str, node_name: str, address: str, ports: dict[str, int] | None = None) -> dict[str, Any]:
    """A pod that runs on a node and is ready; `ports` are its named ones."""
    named = [{"name": word, "containerPort": number} for word, number in (ports or {}).items()]
    container = {"name": "main", "image": "none", "ports": named}
    made = _object("v1", "Pod", name, place, spec={
        "nodeName": node_name, "containers": [container], "automountServiceAccountToken": False, "terminationGracePeriodSeconds": 0,
    })
    made["metadata"]["labels"] = {"app": app}
    made["status"] = {
        "phase": "Running", "podIP": address, "podIPs": [{"ip": address}],
        "conditions": [{"type": kind, "status": "True"} for kind in ("PodScheduled", "Initialized", "ContainersReady", "Ready")],
    }
    return made
