"""Objects put straight into a lab's etcd: the one way to a given UID and creation time, since the API server gives its own.

The API server reads JSON as well as the binary form that it writes itself, and its watches see what is put here.
"""

import base64
import json
import urllib.request
from typing import Any

from lab import Lab

FOLDERS = {"Node": "minions", "Pod": "pods", "Service": "services/specs"}


def put(lab: Lab, manifest: dict[str, Any]) -> None:
    """Stores an object as it is written; nothing is checked and no default is filled in."""
    metadata = manifest["metadata"]
    place = [metadata["namespace"]] if "namespace" in metadata else []
    key = "/".join(["/registry", FOLDERS[manifest["kind"]], *place, metadata["name"]])
    body = {"key": _encoded(key), "value": _encoded(json.dumps(manifest))}
    port = lab.describe()["ports"]["etcd"]
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v3/kv/put", data=json.dumps(body).encode(), headers={"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        answer.read()


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
