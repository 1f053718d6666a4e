"""Builds what a lab runs, once per state of the sources, into `target/lab/bin`.

A program is stored as `NAME-HASH`, the hash being over its sources and flags, with a link `NAME` to the newest. A lab that is up
keeps running an older one. Cold, the cluster program takes some minutes (it is all of Kubernetes); unchanged, it takes nothing.
"""

import dataclasses
import hashlib
import os
import subprocess
from pathlib import Path

from .paths import BIN, SOURCES, locked
from .progress import Progress

KUBERNETES = "v1.35.4"
HELM = "v3.19.0"

BUILD_MINUTES = 30
STILL_SECONDS = 30

STRIPPED = "-s -w"
VERSION = "k8s.io/component-base/version"
CLUSTER_FLAGS = " ".join((
    STRIPPED,
    f"-X {VERSION}.gitVersion={KUBERNETES}",
    f"-X {VERSION}.gitMajor=1",
    f"-X {VERSION}.gitMinor={KUBERNETES.split('.')[1]}",
))
# The cluster program acts as kubectl when it is called by that name.
CLUSTER_LINKS = ("cluster", "kubectl")


class BuildFailed(RuntimeError):
    """The Go tool refused; its own words are in the message."""


@dataclasses.dataclass(frozen=True)
class Program:
    """A Go program of this folder."""

    name: str
    flags: str = STRIPPED
    links: tuple[str, ...] = ()

    @property
    def sources(self) -> Path:
        return SOURCES / self.name

    def path(self) -> Path:
        """Where the program for the present sources is, or will be."""
        digest = hashlib.sha256(self.flags.encode())
        for file in sorted(self.sources.iterdir()):
            if file.suffix in (".go", ".mod", ".sum"):
                digest.update(file.name.encode() + b"\0" + file.read_bytes())
        return BIN / f"{self.name}-{digest.hexdigest()[:12]}"


CLUSTER = Program("cluster", CLUSTER_FLAGS, CLUSTER_LINKS)
ECHO = Program("echo", links=("echo",))
PAUSE = Program("pause", links=("pause",))


def program(wanted: Program, progress: Progress) -> Path:
    """Builds a program unless that was done already; only one builder works at a time."""
    path = wanted.path()
    BIN.mkdir(parents=True, exist_ok=True)
    with locked("build"):
        if not path.exists():
            progress.step(f"building {wanted.name}" + (" (all of Kubernetes: 4 to 6 minutes the first time)" if wanted is CLUSTER else ""))
            unfinished = path.with_suffix(".unfinished")
            _go(["build", "-trimpath", "-ldflags", wanted.flags, "-o", str(unfinished), "."], wanted.sources, progress)
            unfinished.rename(path)
            for old in BIN.glob(f"{wanted.name}-*"):
                if old != path:
                    old.unlink()
        for link in wanted.links:
            _point(BIN / link, path.name)
    return path


def helm(progress: Progress) -> Path:
    """Installs the pinned helm unless it is there."""
    path = BIN / f"helm-{HELM}"
    with locked("build-helm"):
        if not path.exists():
            progress.step(f"building helm {HELM} (about a minute)")
            BIN.mkdir(parents=True, exist_ok=True)
            folder = BIN / "helm.unfinished"
            _go(["install", f"helm.sh/helm/v3/cmd/helm@{HELM}"], SOURCES, progress, GOBIN=str(folder))
            (folder / "helm").rename(path)
            folder.rmdir()
        _point(BIN / "helm", path.name)
    return path


def helm_link() -> Path:
    """The link to helm, once it was installed."""
    return BIN / "helm"


def kubectl() -> Path:
    """The link by which the cluster program is kubectl."""
    return BIN / "kubectl"


def _go(arguments: list[str], where: Path, progress: Progress, **env: str) -> None:
    """Runs the Go tool for static programs, and says twice a minute that it still works."""
    environment = {**os.environ, "CGO_ENABLED": "0", **env}
    with subprocess.Popen(["go", *arguments], cwd=where, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as tool:
        said = ""
        for _ in range(BUILD_MINUTES * 60 // STILL_SECONDS):
            try:
                _, said = tool.communicate(timeout=STILL_SECONDS)
                break
            except subprocess.TimeoutExpired:
                progress.step(f"still building in {where.name}")
        else:
            tool.kill()
            raise BuildFailed(f"go {arguments[0]} in {where} took more than {BUILD_MINUTES} minutes")
    if tool.returncode:
        raise BuildFailed(f"go {arguments[0]} in {where} failed:\n{said.strip()}")


def _point(link: Path, target: str) -> None:
    """Makes `link` point to `target` without a moment in which it does not exist."""
    if link.is_symlink() and os.readlink(link) == target:
        return
    fresh = link.with_suffix(".fresh")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.rename(link)
