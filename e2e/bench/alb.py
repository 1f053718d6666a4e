"""What Ingresses cost, each with a load balancer, a Service and five pods of its own.

| row                              | what is measured                                                                        |
|----------------------------------|-----------------------------------------------------------------------------------------|
| `calls per new Ingress`          | 100 of them, from nothing until all is made: everything but Route 53, polling included   |
| `Route 53 calls per new Ingress` | the same, Route 53 alone                                                                |
| `calls per settled Ingress`      | everything after a restart with all 100 in place, until nothing has been called for 10 s |
| `seconds to settle N limited`    | N = 100 under AWS's rate limits: from the start of the program to its last write         |
| `seconds to settle N`            | N = 100 and 1,000 without rate limits, each call 50 ms late: the same                    |
| `seconds to restart N`           | with N in place: from the start to ready, or to the last call if that is later           |
| `calls to restart N`             | with N in place                                                                         |
| `membership p50 ms`, `p99 ms`    | with 1,000 in place: from a change of one EndpointSlice to the arrival of RegisterTargets |
| `rule change p50 ms`             | with 1,000 in place: from a change of one path to the arrival of CreateRule or ModifyRule |
| `memory MB`                      | resident, with 1,000 Ingresses and 5,100 pods, after all of this                           |

The emulator counts and tells the time, not the program. A load balancer is provisioned for 5 s: AWS takes minutes, in which polling
goes on, but what a poll costs is shared by all that are being provisioned. Calls are counted under AWS's documented rate limits, so
that attempts that were throttled count, too.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab import until

from e2e.lib.operator import CREDENTIALS, Operator
from e2e.lib.site import Site

from . import results
from .fleet import PODS_EACH, Fleet

SMALL, LARGE = 100, 1000
MEMBERSHIPS, RULES = 100, 20
LATENCY = {"id": "latency", "service": "*", "operation": "*", "action": "delay", "delay_seconds": 0.05, "count": -1}
# What AWS documents; its own quota page has the same shape: reads together, writes together.
LIMITS = [
    {"match": "elbv2.Describe*", "capacity": 40, "refill_per_second": 10},
    {"match": "elbv2.*", "capacity": 20, "refill_per_second": 3},
    {"match": "route53.*", "capacity": 5, "refill_per_second": 5, "per_region": False},
    {"match": "ec2.Describe*", "capacity": 100, "refill_per_second": 20},
    {"match": "ec2.*", "capacity": 100, "refill_per_second": 5},
]
PROVISIONING_SECONDS = 5
READY_SECONDS = 1200.0
QUIET_SECONDS = 10.0
DNS = "route53."


class Stopped(RuntimeError):
    """The program under measurement ended."""


def run(site: Site) -> list[results.Row]:
    """All rows; the peer's values beside ours when PEER_LBC names its binary."""
    ours = measure(site, lambda phase: site.operator(f"bench-alb-{phase}", site.flags()))
    peer: dict[str, float] = {}
    if binary := os.environ.get("PEER_LBC"):
        peer = measure(site, lambda phase: Peer(site, Path(binary)))
    return [results.Row("alb", row, value, unit(row), "LBC" if peer else None, peer.get(row)) for row, value in ours.items()]


def unit(row: str) -> str:
    """The unit of a row is the word that its name has of it."""
    return next(word for word in ("calls", "seconds", "ms", "MB") if word in row.split())


def measure(site: Site, start: Callable[[str], "Operator | Peer"]) -> dict[str, float]:
    """All rows of one program, each said as soon as it is measured: all of them take half an hour."""
    rows: dict[str, float] = {}

    def take(*measured: Callable[[], dict[str, float]]) -> None:
        for measure_next in measured:
            for row, value in measure_next().items():
                print(f"  {row}: {value:g}", file=sys.stderr, flush=True)
                rows[row] = value

    limited = Measurement(site, start, SMALL, limits=LIMITS)
    take(limited.calls, limited.done)
    small = Measurement(site, start, SMALL, rules=[LATENCY])
    take(small.settle, small.done)
    large = Measurement(site, start, LARGE, rules=[LATENCY])
    take(large.settle, large.restart, large.membership, large.rule_change, large.memory, large.done)
    return rows


class Measurement:
    """One account and one fleet, under one program at a time."""

    def __init__(self, site: Site, start: Callable[[str], "Operator | Peer"], count: int, **faults: Any) -> None:
        self.site, self.cloud, self.count, self._start = site, site.cloud, count, start
        self.fleet = Fleet(site, f"bench-{count}-{'limited' if 'limits' in faults else 'late'}", count)
        self.cloud.reset(self.fleet.account())
        # An account with so many load balancers had its quotas raised.
        quotas = {"application-load-balancers": 2 * count, "target-groups": 4 * count}
        self.cloud.settings(interface_linger_seconds=0, provisioning_seconds=PROVISIONING_SECONDS, quotas=quotas)
        self.fleet.make()
        self.fleet.open()
        self.cloud.control("PUT", "faults", {"seed": 1, **faults})
        self._running: Operator | Peer | None = None

    def calls(self) -> dict[str, float]:
        """Under rate limits: what it takes from nothing, and after a restart."""
        seconds = self._from_nothing()
        new = self.cloud.counters()["calls"]
        self._restart()
        settled = self.cloud.counters()["total"]
        dns = sum(count for call, count in new.items() if call.startswith(DNS))
        return {
            "calls per new Ingress": round((sum(new.values()) - dns) / self.count, 2),
            "Route 53 calls per new Ingress": round(dns / self.count, 2),
            "calls per settled Ingress": round(settled / self.count, 2),
            f"seconds to settle {self.count} limited": seconds,
        }

    def settle(self) -> dict[str, float]:
        """From nothing to the last write."""
        return {f"seconds to settle {self.count}": self._from_nothing()}

    def restart(self) -> dict[str, float]:
        """A restart with everything in place."""
        seconds = self._restart()
        return {f"seconds to restart {self.count}": seconds, f"calls to restart {self.count}": self.cloud.counters()["total"]}

    def membership(self) -> dict[str, float]:
        """One pod more in a Service, one Service after the other."""
        taken = []
        for number in range(MEMBERSHIPS):
            mark = self.fleet.spare(number)

            def arrived(call: dict[str, Any], mark: str = mark) -> bool:
                return call["operation"] == "RegisterTargets" and mark in str(call["parameters"])

            taken.append(self._until(arrived, lambda number=number: self.fleet.serve(number, range(PODS_EACH + 1))))
        return {"membership p50 ms": _percentile(taken, 50), "membership p99 ms": _percentile(taken, 99)}

    def rule_change(self) -> dict[str, float]:
        """Another path in an Ingress, one Ingress after the other."""
        taken = []
        for number in range(RULES):

            def arrived(call: dict[str, Any], mark: str = f"/changed-{number}") -> bool:
                return call["operation"] in ("CreateRule", "ModifyRule") and mark in str(call["parameters"])

            taken.append(self._until(arrived, lambda number=number: self.fleet.route(number, f"/changed-{number}")))
        return {"rule change p50 ms": _percentile(taken, 50)}

    def memory(self) -> dict[str, float]:
        """Resident memory of the program now."""
        status = Path(f"/proc/{self._program.pid}/status").read_text(encoding="ascii")
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return {"memory MB": round(int(line.split()[1]) / 1024, 1)}

    def done(self) -> dict[str, float]:
        """Ends the program and takes the fleet away; no rows."""
        self._program.stop()
        self.cloud.faults()
        self.fleet.leave()
        return {}

    @property
    def _program(self) -> "Operator | Peer":
        if self._running is None or not self._running.alive():
            raise Stopped("the program ended by itself; see its log")
        return self._running

    def _from_nothing(self) -> float:
        """Starts the program, waits until all is made, and gives the seconds to its last write."""
        began = self._begin("new")

        def all_addressed() -> bool:
            self._program  # noqa: B018  (raises when it ended)
            return self.fleet.addressed() == self.count

        until(f"an address for each of {self.count} Ingresses", READY_SECONDS, all_addressed, pause=2.0)
        self._quiet()
        return round(max(call["at"] for call in self.cloud.writes()) - began, 1)

    def _restart(self) -> float:
        self._program.stop()
        began = self._begin("settled")
        self._program.ready()
        ready = time.monotonic()
        self._quiet()
        return round(max([ready, *(call["at"] for call in self.cloud.journal())]) - began, 1)

    def _begin(self, phase: str) -> float:
        self.site.clear_lease()
        self.cloud.forget()
        began = time.monotonic()  # the emulator's clock, too, as nobody advances it here
        self._running = self._start(f"{phase}-{self.count}")
        return began

    def _until(self, arrived: Callable[[dict[str, Any]], bool], change: Callable[[], None]) -> float:
        """Makes a change and gives the milliseconds until a call that answers to it came in."""
        self.cloud.forget()
        began = time.monotonic()
        change()
        found: list[float] = []

        def seen() -> bool:
            self._program  # noqa: B018  (raises when it ended)
            found.extend(call["at"] for call in self.cloud.journal() if arrived(call))
            return bool(found)

        until("the call that follows a change", READY_SECONDS, seen, pause=0.05)
        return (found[0] - began) * 1000

    def _quiet(self) -> None:
        """Waits until AWS has not been called for a while."""
        began = last_change = time.monotonic()
        total = -1
        while time.monotonic() - last_change < QUIET_SECONDS:
            if time.monotonic() - began > READY_SECONDS:
                raise TimeoutError(f"AWS is called without end: {self.cloud.counters()['calls']}")
            if (now := self.cloud.counters()["total"]) != total:
                total, last_change = now, time.monotonic()
            time.sleep(0.5)


def _percentile(values: list[float], percent: int) -> float:
    return round(statistics.quantiles(values, n=100, method="inclusive")[percent - 1], 1)


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

    @property
    def pid(self) -> int:
        return self._process.pid

    def alive(self) -> bool:
        return self._process.alive()

    def ready(self) -> None:
        """It says nothing of that without its probes; its last call will tell."""

    def stop(self) -> None:
        if not self.alive():
            raise Stopped("the peer ended by itself; see peer.log of the lab")
        self._lab.stop(self._process)
