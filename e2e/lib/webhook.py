"""The chart's webhook configurations, for operators that run outside of pods: the API server reaches them on loopback."""

import base64
import contextlib
import json
import socket
import ssl
from collections.abc import Iterator
from typing import Any

from . import chart
from .cluster import Cluster
from .waiting import eventually, need

NAME = "fairway-webhook"
KINDS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
HOST = "127.0.0.1"


def flags(port: int, *more: str) -> list[str]:
    """What an operator is told so that it answers on this port."""
    return [f"--webhook-bind-addr={HOST}:{port}", f"--webhook-host={HOST}", f"--webhook-secret={NAME}", f"--webhook-configuration={NAME}", *more]


def configurations(port: int, **values: str) -> list[dict[str, Any]]:
    """The chart's configurations with an address in place of the Service."""
    found = [manifest for manifest in chart.rendered(**chart.NAMED, **values) if manifest["kind"] in KINDS]
    for hook in (hook for manifest in found for hook in manifest["webhooks"]):
        hook["clientConfig"] = {"url": f"https://{HOST}:{port}{hook['clientConfig']['service']['path']}"}
    return found


@contextlib.contextmanager
def installed(cluster: Cluster, port: int, **values: str) -> Iterator[None]:
    """The configurations, known to the API server; afterwards they and the certificates are gone."""
    cluster.apply(*configurations(port, **values))
    try:
        eventually("every webhook has a bundle", lambda: need(all(bundles(cluster)), "one has none"))
        yield
    finally:
        remove(cluster)


def remove(cluster: Cluster) -> None:
    """Takes the configurations away, and what the Secret holds."""
    for kind in KINDS:
        cluster.delete(kind, None, NAME)
    cluster.patch("Secret", chart.NAMESPACE, NAME, {"data": None})


def bundles(cluster: Cluster) -> list[str]:
    """The bundle of every webhook, PEM."""
    hooks = [hook for kind in KINDS for hook in cluster.get(kind, None, NAME)["webhooks"]]
    return [base64.b64decode(hook["clientConfig"].get("caBundle", "")).decode() for hook in hooks]


def keyring(cluster: Cluster) -> dict[str, Any]:
    """What all replicas share."""
    data = cluster.get("Secret", chart.NAMESPACE, NAME).get("data", {})
    need("keyring.json" in data, "the Secret is empty")
    return json.loads(base64.b64decode(data["keyring.json"]))


def served(port: int, bundle: str) -> str:
    """The certificate, PEM, that a replica serves to who trusts a bundle; `OSError` when it is not to be trusted."""
    trusting = ssl.create_default_context(cadata=bundle)
    with socket.create_connection((HOST, port), timeout=5) as plain, trusting.wrap_socket(plain, server_hostname=HOST) as secured:
        found = secured.getpeercert(binary_form=True)
    assert found is not None
    return ssl.DER_cert_to_PEM_cert(found)
