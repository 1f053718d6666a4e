"""etcd, API server, controllers and scheduler of one lab.

In a lab without nodes they listen on 127.0.0.1 with ports of their own. In a lab with nodes they live in the namespace `control`
and the API server is on all its addresses. Nothing outlives the lab: etcd does not even wait for the disk.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from . import processes
from .certificates import Certificates
from .kubernetes import Api, ApiError
from .wait import until

SERVICES = "10.96.0.0/16"
API_SERVICE = "10.96.0.1"  # the first address of SERVICES, given to the Service `kubernetes`
ISSUER = "https://kubernetes.default.svc"
# Without kubelets nobody renews node leases or runs pods: these would taint the nodes and delete the pods that a test made by hand.
NEED_KUBELETS = ("node-lifecycle-controller", "pod-garbage-collector-controller", "taint-eviction-controller")
READY_SECONDS = 60.0


class ComponentEnded(RuntimeError):
    """A component stopped by itself while it was waited for."""


@dataclasses.dataclass(frozen=True)
class ControlPlane:
    """What to start and where. `enter` is the command that enters the namespace, empty on the host."""

    folder: Path
    program: Path
    certificates: Certificates
    token: str
    ports: dict[str, int]  # etcd, peer, api
    advertise: str | None  # the address nodes use; without one there are no nodes
    enter: Sequence[str] = ()

    def start(self) -> None:
        """Starts etcd and the API server; the latter waits for the former by itself."""
        tokens = self.certificates.folder / "tokens.csv"
        tokens.write_text(f'{self.token},admin,admin,"system:masters"\n', encoding="ascii")
        tokens.chmod(0o600)
        self._run("etcd", self._etcd())
        self._run("kube-apiserver", self._api_server(tokens))

    def start_controllers(self, kubeconfig: Path) -> None:
        """Starts what works through the API server, which must be ready: the controllers give up early otherwise."""
        self._run("kube-controller-manager", self._controllers(kubeconfig))
        self._run("kube-scheduler", [f"--kubeconfig={kubeconfig}", "--leader-elect=false", "--secure-port=0"])

    def _run(self, component: str, arguments: Sequence[str]) -> None:
        processes.start(self.folder, component, [*self.enter, self.program, component, *arguments])

    def _etcd(self) -> list[str]:
        client, peer = (f"http://127.0.0.1:{self.ports[port]}" for port in ("etcd", "peer"))
        return [
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync", "--log-level=warn",
        ]

    def _api_server(self, tokens: Path) -> list[str]:
        files = self.certificates
        if self.advertise is None:
            place = ["--bind-address=127.0.0.1", "--endpoint-reconciler-type=none"]
        else:
            place = ["--bind-address=0.0.0.0", f"--advertise-address={self.advertise}"]
        return [
            *place,
            f"--etcd-servers=http://127.0.0.1:{self.ports['etcd']}",
            f"--secure-port={self.ports['api']}",
            f"--tls-cert-file={files.server}", f"--tls-private-key-file={files.server_key}",
            f"--service-account-issuer={ISSUER}", f"--api-audiences={ISSUER}",
            f"--service-account-key-file={files.accounts_public}", f"--service-account-signing-key-file={files.accounts_key}",
            f"--token-auth-file={tokens}",
            "--authorization-mode=RBAC",
            f"--service-cluster-ip-range={SERVICES}",
            "--allow-privileged=true",
            "--kubelet-preferred-address-types=InternalIP",
            # Webhooks are called at their pods: no kube-proxy serves the control plane's namespace.
            "--enable-aggregator-routing=true",
        ]

    def _controllers(self, kubeconfig: Path) -> list[str]:
        off = NEED_KUBELETS if self.advertise is None else ()
        return [
            f"--kubeconfig={kubeconfig}",
            "--controllers=" + ",".join(["*", *(f"-{controller}" for controller in off)]),
            f"--service-account-private-key-file={self.certificates.accounts_key}",
            f"--root-ca-file={self.certificates.authority}",
            f"--flex-volume-plugin-dir={self.folder / 'volume-plugins'}",  # made where it is not, by default in /usr
            "--use-service-account-credentials", "--leader-elect=false", "--secure-port=0",
            # Half the default, since the lab's kubelets renew their leases three times as often.
            "--node-monitor-grace-period=20s", "--node-monitor-period=2s",
            "--kube-api-qps=500", "--kube-api-burst=1000",  # tests come in bursts; the defaults (20, 30) would be what they measure
        ]


def wait_ready(api: Api, folder: Path) -> None:
    """Waits until the API server serves, or says why it never will."""

    def probe() -> bool:
        ended = [process.name for process in processes.recorded(folder) if not process.alive()]
        if ended:
            raise ComponentEnded(f"{', '.join(ended)} ended; see {folder / 'logs'}")
        try:
            return bool(api.get("/readyz") == "ok")
        except ApiError:  # it answers before all its parts are ready
            return False

    until("API server ready", READY_SECONDS, probe)


def wait_accounts(api: Api) -> None:
    """Waits for the first service account: without it no pod can be created, so the controllers are known to work."""

    def probe() -> bool:
        try:
            return bool(api.get("/api/v1/namespaces/default/serviceaccounts/default"))
        except ApiError as error:
            if error.status != 404:
                raise
            return False

    until("service account of the namespace default", READY_SECONDS, probe)
