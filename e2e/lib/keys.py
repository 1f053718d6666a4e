"""Cases of `e2e/keys`; its README says what their fields mean. `operator/aws/tests/keys/case.rs` makes the same objects."""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import yaml

from . import manifests

FOLDER = Path(__file__).resolve().parent.parent / "keys"
CONTROLLER = "ingress.k8s.aws/alb"
ALB = "alb.ingress.kubernetes.io/"


@dataclasses.dataclass(frozen=True)
class Case:
    """A key, where it is written, and two values."""

    name: str
    prefix: str
    place: str
    told: dict[str, Any]

    @property
    def sees(self) -> list[str]:
        """Patterns of what differs."""
        return self.told.get("sees", [])

    @property
    def refused(self) -> str | None:
        """Why the second value is not applied."""
        return self.told.get("refused")

    def ingresses(self, which: str) -> list[str]:
        """Names of the Ingresses that carry a value; the first is looked at."""
        own = f"{self.name}-again" if which == "to" and self.told.get("fresh") else self.name
        return [own, f"{own}-beside"] if "beside" in self.told else [own]

    def objects(self, namespace: str, which: str, known: dict[str, str]) -> list[dict[str, Any]]:
        """The objects that carry a value, in the order in which they are applied."""
        name = self.ingresses(which)[0]
        own = {self.prefix + self.told["key"] + self.told.get("tail", ""): _text(self.told[which])}
        annotations = self._annotations({"target-type": "ip", **self.told.get("with", {})})
        ingress = {**annotations, **(own if self.place == "Ingress" else {})}
        if self.place == "Class" and self.told["key"] == "targetType":
            del ingress[f"{ALB}target-type"]
        spec = {"type": "NodePort", "selector": {"app": "web"}}
        made = [manifests.service(namespace, name, [manifests.port(80, "http", 8080)], own if self.place == "Service" else {}, **spec)]
        if self._has_class():
            fields = _nested(self.told["key"], self.told[which]) if self.place == "Class" else {}
            made += [
                manifests.class_params(name, {**self.told.get("class", {}), **fields}),
                manifests.ingress_class(name, CONTROLLER, params=name),
            ]
        made.append(self._ingress(namespace, name, name, ingress))
        if "beside" in self.told:
            made.append(self._ingress(namespace, f"{name}-beside", name, {**annotations, **self._annotations(self.told["beside"])}))
        text = json.dumps(made)
        for word, value in {**known, "name": name}.items():
            text = text.replace(f"${{{word}}}", value)
        return json.loads(text)

    def _annotations(self, values: dict[str, Any]) -> dict[str, str]:
        return {ALB + key: _text(value) for key, value in values.items()}

    def _has_class(self) -> bool:
        return self.place == "Class" or "class" in self.told

    def _ingress(self, namespace: str, name: str, service: str, annotations: dict[str, str]) -> dict[str, Any]:
        paths = self.told.get("paths", [{"path": "/"}])
        routes = [
            (f"{name}.example.com", path["path"], path.get("pathType", "Prefix"), path.get("service", service), path.get("port", 80))
            for path in paths
        ]
        made = manifests.ingress(namespace, name, routes, annotations, class_name=service if self._has_class() else "alb")
        if "tls" in self.told:
            made["spec"]["tls"] = [{"secretName": self.told["tls"]}]
        return made


def cases() -> list[Case]:
    """All cases."""
    found = []
    for file in sorted(FOLDER.glob("*.yaml")):
        told = yaml.safe_load(file.read_text(encoding="utf-8"))
        for case in told["cases"]:
            places = case.get("where", "Ingress")
            for place in [places] if isinstance(places, str) else places:
                found.append(Case(case.get("name") or _called(case["key"], place), told["prefix"], place, case))
    return found


def _called(key: str, place: str) -> str:
    plain = re.sub("[^a-z0-9]", "-", key.lower()).strip("-")
    return plain if place == "Ingress" else f"{plain}-{place.lower()}"


def _text(value: Any) -> str:
    """A value as an annotation has it."""
    return value if isinstance(value, str) else json.dumps(value)


def _nested(path: str, value: Any) -> dict[str, Any]:
    for field in reversed(path.split(".")):
        value = {field: value}
    return value
