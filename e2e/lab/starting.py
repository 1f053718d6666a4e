"""Starts the parts of a lab in order, and describes what was started."""

import dataclasses
import secrets
from pathlib import Path
from typing import Any

from . import build, certificates, control_plane, description, nodes, packages
from .control_plane import API_SERVICE, SERVICES, ControlPlane
from .kubernetes import Api
from .progress import Progress

LOOPBACK = "127.0.0.1"
PORTS = ["etcd", "peer", "api", "aws"]


@dataclasses.dataclass(frozen=True)
class Wish:
    """What kind of lab is wanted. Without nodes there is only a control plane, on 127.0.0.1."""

    nodes: int
    aws: bool


def build_all(wish: Wish, progress: Progress) -> None:
    """Builds and installs what the wish needs, before anything of the lab exists."""
    packages.install(packages.CONTROL_PLANE, progress)
    build.program(build.CLUSTER, progress)


def start(folder: Path, wish: Wish, ports: dict[str, int], progress: Progress) -> dict[str, Any]:
    """Starts a lab and returns the rest of its description."""
    return start_control_plane(folder, wish, ports, progress)


def start_control_plane(folder: Path, wish: Wish, ports: dict[str, int], progress: Progress) -> dict[str, Any]:
    progress.step("starting etcd and the API server")
    files = certificates.make(folder / "certificates", [LOOPBACK, "::1", API_SERVICE])
    api = Api(f"https://{LOOPBACK}:{ports['api']}", secrets.token_hex(16), files.authority)
    kubeconfig = api.write_kubeconfig(folder / "kubeconfig")
    plane = ControlPlane(folder, build.CLUSTER.path(), files, api.token, ports, advertise=None)
    plane.start()
    control_plane.wait_ready(api, folder)
    progress.step("starting the controllers")
    plane.start_controllers(kubeconfig)
    control_plane.wait_accounts(api)
    return {
        "state": description.READY, "file": str(folder / description.FILE), "mode": "control-plane", "aws": None, "nodes": [], "namespaces": {},
        "kubernetes": {
            "version": build.KUBERNETES, "server": api.server, "token": api.token, "authority": str(files.authority),
            "kubeconfig": str(kubeconfig), "kubectl": str(build.kubectl()), "inside": None, "services": SERVICES,
        },
    }
