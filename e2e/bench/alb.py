"""AWS calls that Ingresses cost: 100 of them, each with its own load balancer, one host and one path.

| row                        | what is counted                                                                               |
|----------------------------|-----------------------------------------------------------------------------------------------|
| `calls per new Ingress`    | everything until all are ready, but Route 53; shared reads and polling included               |
| `Route 53 calls per new Ingress` | the same, Route 53 alone                                                                |
| `calls per settled Ingress`| everything after a restart with all of them in place, until nothing has been called for 10 s  |

The emulator counts, not the program. A load balancer is provisioned for 5 s: AWS takes minutes, in which polling goes on, but what a
poll costs is shared by all that are being provisioned.
"""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from lab import until

from e2e.lib.operator import CREDENTIALS, Operator
from e2e.lib.shop import Shop
from e2e.lib.site import Site

from . import results

INGRESSES = 100
# An account that has 100 load balancers had its quotas raised.
QUOTAS = {"application-load-balancers": 2 * INGRESSES}
PROVISIONING_SECONDS = 5
READY_SECONDS = 300.0
QUIET_SECONDS = 10.0
DNS = "route53."


class Stopped(RuntimeError):
    """The program under measurement ended."""


def run(site: Site) -> list[results.Row]:
    """All rows; the peer's values beside ours when PEER_LBC names its binary."""
    ours = measure(site, lambda phase: site.operator(f"bench-alb-{phase}", site.flags()).ready())
    peer: dict[str, float] = {}
    if binary := os.environ.get("PEER_LBC"):
        peer = measure(site, lambda phase: Peer(site, Path(binary)))
    return [results.Row("alb", row, value, "calls", "LBC" if peer else None, peer.get(row)) for row, value in ours.items()]


def measure(site: Site, start: Callable[[str], "Operator | Peer"]) -> dict[str, float]:
    """Creates the Ingresses under one program, restarts it, and removes everything again."""
    site.cloud.reset()
    site.cloud.settings(interface_linger_seconds=0, provisioning_seconds=PROVISIONING_SECONDS, quotas=QUOTAS)
    site.clear_lease()
    shop = site.shop("bench")
    first = start("new")
    try:
        quiet(site)
        site.cloud.forget()
        names = [f"a{number}" for number in range(INGRESSES)]
        for name in names:
            shop.ingress(name, [(f"{name}.example.com", "/", "Prefix", "web", 80)], {"target-type": "ip"})
        until("an address for every Ingress", READY_SECONDS, lambda: ready(shop), pause=1.0)
        quiet(site)
        new = site.cloud.counters()["calls"]
    finally:
        first.stop()
    site.cloud.forget()
    second = start("settled")
    try:
        quiet(site)
        settled = site.cloud.counters()["calls"]
        shop.close(READY_SECONDS)
    finally:
        second.stop()
    dns = sum(count for call, count in new.items() if call.startswith(DNS))
    return {
        "calls per new Ingress": round((sum(new.values()) - dns) / INGRESSES, 2),
        "Route 53 calls per new Ingress": round(dns / INGRESSES, 2),
        "calls per settled Ingress": round(sum(settled.values()) / INGRESSES, 2),
    }


def ready(shop: Shop) -> bool:
    ingresses = shop.cluster.all("Ingress", shop.namespace)
    return all(ingress["status"].get("loadBalancer", {}).get("ingress") for ingress in ingresses)


def quiet(site: Site) -> None:
    """Waits until AWS has not been called for a while."""
    began = last_change = time.monotonic()
    total = -1
    while time.monotonic() - last_change < QUIET_SECONDS:
        if time.monotonic() - began > READY_SECONDS:
            raise TimeoutError(f"AWS is called without end: {site.cloud.counters()['calls']}")
        if (now := site.cloud.counters()["total"]) != total:
            total, last_change = now, time.monotonic()
        time.sleep(0.5)


class Peer:
    """The AWS Load Balancer Controller, as administrator of the cluster, without its webhooks."""

    def __init__(self, site: Site, binary: Path) -> None:
        if site.lab is None:
            raise Stopped("the peer is measured on the lab only")
        keys = site.lab.folder / "peer-keys"
        keys.mkdir(exist_ok=True)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=peer",
             "-keyout", keys / "tls.key", "-out", keys / "tls.crt"], check=True, capture_output=True)
        account = site.account
        self._lab = site.lab
        self._process = site.lab.start("peer", [
            binary, f"--cluster-name={account['cluster']}", f"--aws-region={account['region']}", f"--aws-vpc-id={account['vpc']}",
            f"--kubeconfig={site.lab.kubeconfig}", f"--webhook-cert-dir={keys}", "--metrics-bind-addr=0", "--health-probe-bind-addr=",
        ], env={"AWS_ENDPOINT_URL": site.cloud.endpoint, **CREDENTIALS})

    def stop(self) -> None:
        if not self._process.alive():
            raise Stopped("the peer ended by itself; see peer.log of the lab")
        self._lab.stop(self._process)
