"""The cluster under test: objects in and out, and what has been said about them.

Manifests are JSON objects with `apiVersion` and `kind`; they are applied as the field manager `e2e`, so that applying one again
takes away what it does not say any more.
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab import Api, ApiError

from .waiting import PATIENCE, eventually, need

APPLY = "application/apply-patch+yaml"  # JSON is YAML

# kind: (API path, plural); whether an object has a namespace is written on it.
KINDS = {
    "ConfigMap": ("api/v1", "configmaps"),
    "Namespace": ("api/v1", "namespaces"),
    "Node": ("api/v1", "nodes"),
    "Pod": ("api/v1", "pods"),
    "Secret": ("api/v1", "secrets"),
    "Service": ("api/v1", "services"),
    "ServiceAccount": ("api/v1", "serviceaccounts"),
    "CustomResourceDefinition": ("apis/apiextensions.k8s.io/v1", "customresourcedefinitions"),
    "ClusterRole": ("apis/rbac.authorization.k8s.io/v1", "clusterroles"),
    "ClusterRoleBinding": ("apis/rbac.authorization.k8s.io/v1", "clusterrolebindings"),
    "Role": ("apis/rbac.authorization.k8s.io/v1", "roles"),
    "RoleBinding": ("apis/rbac.authorization.k8s.io/v1", "rolebindings"),
    "DaemonSet": ("apis/apps/v1", "daemonsets"),
    "Deployment": ("apis/apps/v1", "deployments"),
    "EndpointSlice": ("apis/discovery.k8s.io/v1", "endpointslices"),
    "Event": ("apis/events.k8s.io/v1", "events"),
    "Ingress": ("apis/networking.k8s.io/v1", "ingresses"),
    "IngressClass": ("apis/networking.k8s.io/v1", "ingressclasses"),
    "Lease": ("apis/coordination.k8s.io/v1", "leases"),
    "ValidatingWebhookConfiguration": ("apis/admissionregistration.k8s.io/v1", "validatingwebhookconfigurations"),
    "IngressClassParams": ("apis/elbv2.k8s.aws/v1beta1", "ingressclassparams"),
    "TargetGroupBinding": ("apis/elbv2.k8s.aws/v1beta1", "targetgroupbindings"),
    "ValidatingWebhookConfiguration": ("apis/admissionregistration.k8s.io/v1", "validatingwebhookconfigurations"),
    "MutatingWebhookConfiguration": ("apis/admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations"),
    "InClusterClassParams": ("apis/fairway.dev/v1alpha1", "inclusterclassparams"),
    "LoadBalancerState": ("apis/fairway.dev/v1alpha1", "loadbalancerstates"),
    "IPAddressPool": ("apis/metallb.io/v1beta1", "ipaddresspools"),
    "L2Advertisement": ("apis/metallb.io/v1beta1", "l2advertisements"),
}


def path(kind: str, namespace: str | None, name: str = "") -> str:
    """The API path of an object, or of all of a kind."""
    group, plural = KINDS[kind]
    place = f"namespaces/{namespace}/" if namespace else ""
    return f"/{group}/{place}{plural}" + (f"/{name}" if name else "")


def path_of(manifest: dict[str, Any]) -> str:
    """The API path of the object that a manifest describes."""
    return path(manifest["kind"], manifest["metadata"].get("namespace"), manifest["metadata"]["name"])


@dataclasses.dataclass(frozen=True)
class Said:
    """One event."""

    type: str
    reason: str
    note: str


class Cluster:
    """A cluster, as its administrator sees it."""

    def __init__(self, api: Api, kubeconfig_for: Callable[[str, str], Path]) -> None:
        self.api = api
        self.kubeconfig_for = kubeconfig_for

    # Objects

    def apply(self, *manifests: dict[str, Any]) -> None:
        """Creates or changes objects to be as the manifests say."""
        for manifest in manifests:
            self.api.patch(f"{path_of(manifest)}?fieldManager=e2e&force=true", manifest, APPLY)

    def apply_status(self, manifest: dict[str, Any]) -> None:
        """Writes the `status` of an object that exists, as the program would that watches over it."""
        self.api.patch(f"{path_of(manifest)}/status", {"status": manifest["status"]})

    def get(self, kind: str, namespace: str | None, name: str) -> dict[str, Any]:
        """One object; `ApiError` 404 when there is none."""
        return self.api.get(path(kind, namespace, name))

    def find(self, kind: str, namespace: str | None, name: str) -> dict[str, Any] | None:
        """One object, or nothing."""
        try:
            return self.get(kind, namespace, name)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def all(self, kind: str, namespace: str | None = None) -> list[dict[str, Any]]:
        """All objects of a kind, in one namespace or in all."""
        return self.api.get(path(kind, namespace))["items"]

    def patch(self, kind: str, namespace: str | None, name: str, change: dict[str, Any]) -> None:
        """A merge patch."""
        self.api.patch(path(kind, namespace, name), change)

    def annotate(self, kind: str, namespace: str, name: str, annotations: dict[str, str | None]) -> None:
        """Sets annotations; `None` takes one away."""
        self.patch(kind, namespace, name, {"metadata": {"annotations": annotations}})

    def delete(self, kind: str, namespace: str | None, name: str) -> None:
        """Asks for a deletion; an object that is gone is fine."""
        try:
            self.api.delete(path(kind, namespace, name))
        except ApiError as error:
            if error.status != 404:
                raise

    def delete_all(self, kind: str, namespace: str) -> None:
        """Asks for the deletion of all objects of a kind in a namespace."""
        self.api.delete(path(kind, namespace))

    # What has been said about objects

    def events(self, kind: str, namespace: str, name: str) -> list[Said]:
        """The events about an object."""
        return [
            Said(event["type"], event["reason"], event.get("note", ""))
            for event in self.all("Event", namespace)
            if event["regarding"].get("kind") == kind and event["regarding"].get("name") == name
        ]

    def warned(self, kind: str, namespace: str, name: str, reason: str, seconds: float = PATIENCE) -> str:
        """Waits for a Warning with this reason and gives its text."""

        def probe() -> str:
            events = self.events(kind, namespace, name)
            notes = [event.note for event in events if event.type == "Warning" and event.reason == reason]
            need(notes, f"events are {events}")
            return notes[-1]

        return eventually(f"Warning {reason} on {kind} {namespace}/{name}", probe, seconds)

    def addresses(self, kind: str, namespace: str, name: str) -> list[dict[str, Any]]:
        """`status.loadBalancer.ingress`."""
        status = self.get(kind, namespace, name).get("status", {})
        return status.get("loadBalancer", {}).get("ingress", [])

    def published(self, kind: str, namespace: str, name: str, seconds: float = PATIENCE) -> str:
        """Waits for the one address in an object's status and gives it."""

        def probe() -> str:
            entries = self.addresses(kind, namespace, name)
            events = [] if entries else self.events(kind, namespace, name)
            need(len(entries) == 1, f"status has {entries}; events are {events}")
            return entries[0].get("hostname") or entries[0]["ip"]

        return eventually(f"address of {kind} {namespace}/{name}", probe, seconds)

    def state(self, stack: str) -> dict[str, Any] | None:
        """The LoadBalancerState of a stack such as `aws:group:shop`."""
        found = [state for state in self.all("LoadBalancerState") if state["spec"]["stack"] == stack]
        return found[0] if found else None

    def condition(self, stack: str, kind: str) -> dict[str, Any]:
        """A condition of a stack's state; raises `NotYet` while there is none."""
        state = self.state(stack) or {}
        conditions = {entry["type"]: entry for entry in state.get("status", {}).get("conditions", [])}
        need(kind in conditions, f"{stack} has the conditions {sorted(conditions)}")
        return conditions[kind]

    def ready(self, stack: str, seconds: float = PATIENCE) -> None:
        """Waits until a stack says that all is as asked for."""

        def probe() -> None:
            condition = self.condition(stack, "Ready")
            need(condition["status"] == "True", f"{condition['reason']}: {condition['message']}")

        eventually(f"{stack} ready", probe, seconds)

    def gone(self, kind: str, namespace: str | None, name: str, seconds: float = PATIENCE) -> None:
        """Waits until an object is gone, its finalizers included."""

        def probe() -> None:
            found = self.find(kind, namespace, name)
            said = self.events(kind, namespace, name) if found and namespace else []
            need(found is None, f"it has the finalizers {(found or {}).get('metadata', {}).get('finalizers')}; events are {said[-3:]}")

        eventually(f"{kind} {namespace}/{name} gone", probe, seconds)
