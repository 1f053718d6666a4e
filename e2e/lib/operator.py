"""The operator's process: the real binary, under the RBAC of the chart, against one account."""

import ctypes
import os
import re
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import chart
from .waiting import eventually, need

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}
PR_SET_PDEATHSIG = 1
START_SECONDS = 20.0
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
WIDTH = 240  # of a log line that is shown; the file has all
CALLS = "fairway_aws_api_calls_total"


class Operator:
    """One replica. It ends with the process that started it, whatever ends that one."""

    def __init__(self, program: Path, log: Path, kubeconfig: Path, endpoint: str, flags: Sequence[str], identity: str = "e2e") -> None:
        self.identity, self.log = identity, log
        self.port = free_port()
        log.parent.mkdir(parents=True, exist_ok=True)
        loud = os.environ.get("FAIRWAY_E2E_LOG", "info")  # such as fairway_engine=debug
        command = [str(program), "run", f"--log={loud}", *flags, f"--identity={identity}", f"--metrics-bind-addr=127.0.0.1:{self.port}"]
        environment = _environment({**chart.environment(), "KUBECONFIG": str(kubeconfig), "AWS_ENDPOINT_URL": endpoint, **CREDENTIALS})
        with open(log, "wb") as output:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment, preexec_fn=_die_with_parent)

    @property
    def pid(self) -> int:
        return self._process.pid

    def alive(self) -> bool:
        return self._process.poll() is None

    def ready(self) -> "Operator":
        """Waits until it has read the cluster."""

        def probe() -> None:
            need(self.alive(), f"it ended with {self._process.returncode}; its last words: {self.tail()}")
            self._get("/readyz")

        eventually(f"operator {self.identity} ready", probe, START_SECONDS)
        return self

    def metrics(self) -> dict[str, float]:
        """Samples by their name with labels, as the text has them."""
        lines = self._get("/metrics").splitlines()
        samples = (line.rpartition(" ") for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, _, value in samples}

    def calls(self) -> dict[str, int]:
        """AWS calls by `service.Operation`, as the process counts them itself."""
        counted = {}
        for name, value in self.metrics().items():
            if name.startswith(CALLS):
                labels = dict(pair.split("=", 1) for pair in name[len(CALLS) + 1 : -1].split(","))
                counted[f"{labels['service']}.{labels['operation']}".replace('"', "")] = int(value)
        return counted

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def stop(self) -> int:
        """SIGTERM; gives the exit code. It has to end within 15 s by itself."""
        if self.alive():
            self.send(signal.SIGCONT)
            self.send(signal.SIGTERM)
        try:
            return self._process.wait(15)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"operator {self.identity} did not end within 15 s of SIGTERM: {self.tail()}") from None

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait()

    def tail(self, lines: int = 12) -> str:
        """The end of its log."""
        text = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        return "\n".join(COLOUR.sub("", line)[:WIDTH] for line in text.splitlines()[-lines:])

    def _get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            return answer.read().decode()


def free_port() -> int:
    """A port on loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    """The shell's environment, without anything that could lead to another cluster or account."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "KUBE", "FAIRWAY_", "POD_"))}
    return kept | dict(own)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
