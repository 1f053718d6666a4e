"""Recorded cases: what to apply, and what the peer made of it (`e2e/vectors`)."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import yaml

from .cluster import Cluster
from .leaves import Ignored

VECTORS = Path(__file__).resolve().parent.parent / "vectors"
FOLDER = VECTORS / "lbc-3.5.0"
NAMESPACE = "default"
CLUSTER = "demo"
# All but `too-many-values`, which the peer cannot do.
CASES = (
    "plain-ip",
    "internal-instance",
    "group",
    "missing-backend",
    "cidrs-tags-attributes",
    "class-params",
    "https-redirect-discovery",
    "actions",
    "conditions",
    "nlb-ip",
    "nlb-instance-local",
    "nlb-tls",
)
# Made by Fairway, not by the author of a case.
PRODUCTS = ("TargetGroupBinding",)
# What an author writes, and what the API server adds once; the latter only takes effect where objects are put straight into etcd.
AUTHORED = ("name", "namespace", "labels", "annotations", "uid", "creationTimestamp")


@dataclasses.dataclass(frozen=True)
class Case:
    """One case: the peer's objects and AWS state afterwards."""

    name: str
    objects: list[dict[str, Any]]
    aws: dict[str, Any]
    # The classes that a case brings, as its manifest has them: they were recorded without what the API server adds.
    classes: list[dict[str, Any]]

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """Spec and metadata of the objects that an author wrote."""
        return [authored(item) for item in self.objects if item["kind"] not in PRODUCTS]

    @property
    def wanted(self) -> dict[str, Any]:
        """What to compare with `state`."""
        return {"aws": self.aws, "objects": {_name(item): _shown(item) for item in self.objects}}


def load(name: str) -> Case:
    """A recorded case."""
    read = lambda file: json.loads((FOLDER / name / file).read_text(encoding="utf-8"))  # noqa: E731
    written = yaml.safe_load_all((FOLDER / name / "in.yaml").read_text(encoding="utf-8"))
    classes = [item for item in written if item and item["kind"] == "IngressClass"]
    return Case(name, read("objects.json"), read("aws.json"), classes)


def environment() -> dict[str, Any]:
    """The account that all cases began with: a seed of the emulator."""
    return json.loads((FOLDER / "environment.json").read_text(encoding="utf-8"))


def environment_objects() -> list[dict[str, Any]]:
    """Objects that all cases share, with their status."""
    return json.loads((FOLDER / "environment-objects.json").read_text(encoding="utf-8"))


def flags(vpc: str) -> list[str]:
    """Flags of an operator that is to do what was recorded."""
    return [f"--cluster-name={CLUSTER}", "--aws-region=us-east-1", f"--aws-vpc-id={vpc}"]


def ignored() -> list[Ignored]:
    """The one list of what need not agree."""
    return [Ignored(**entry) for entry in json.loads((VECTORS / "ignored.json").read_text(encoding="utf-8"))]


def authored(item: dict[str, Any]) -> dict[str, Any]:
    """An object without what others than its author write."""
    metadata = {key: item["metadata"][key] for key in AUTHORED if key in item["metadata"]}
    return {"apiVersion": item["apiVersion"], "kind": item["kind"], "metadata": metadata, "spec": item["spec"]}


def state(cluster: Cluster, dump: dict[str, Any], case: Case) -> dict[str, Any]:
    """What there is now, in the form of a case: AWS, the case's objects, and every TargetGroupBinding."""
    found = [cluster.get(*named(item)) | {"kind": item["kind"]} for item in case.inputs]
    found += [item | {"kind": kind} for kind in PRODUCTS for item in cluster.all(kind)]
    return {"aws": dump, "objects": {_name(item): _shown(item) for item in found}}


def named(item: dict[str, Any]) -> tuple[str, str | None, str]:
    """Kind, namespace if it has one, and name."""
    return item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"]


def _name(item: dict[str, Any]) -> str:
    kind, namespace, name = named(item)
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def _shown(item: dict[str, Any]) -> dict[str, Any]:
    """Without what was not recorded: who wrote which field. An absent map of annotations is an empty one."""
    metadata = {key: value for key, value in item["metadata"].items() if key != "managedFields"}
    metadata["annotations"] = metadata.get("annotations", {})
    return {"metadata": metadata, "spec": item["spec"], "status": item.get("status", {})}
