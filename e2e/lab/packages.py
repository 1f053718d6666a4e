"""Debian packages a lab needs; whatever is missing is installed."""

import os
import shutil
import subprocess
from pathlib import Path

from .progress import Progress

# Each package by a program it brings.
CONTROL_PLANE = {"openssl": "openssl"}
# The agent links libnftables.so.1, which the package of `nft` depends on.
LINKED = {"nft": "nftables"}
NODES = {
    "containerd": "containerd",
    "runc": "runc",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    **LINKED,
    "iptables": "iptables",
    "conntrack": "conntrack",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "sysctl": "procps",
    "curl": "curl",
    "dig": "bind9-dnsutils",
    "arping": "iputils-arping",
}


class NotInstalled(RuntimeError):
    """A program is missing and could not be installed."""


def missing(wanted: dict[str, str]) -> list[str]:
    """Packages whose program is not there."""
    # Some of these live where only root usually looks.
    search = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    return sorted(package for program, package in wanted.items() if not (Path(program).is_file() or shutil.which(program, path=search)))


def install(wanted: dict[str, str], progress: Progress) -> None:
    """Installs what is missing with apt-get, as root or by sudo."""
    absent = missing(wanted)
    if not absent:
        return
    progress.step(f"installing {', '.join(absent)}")
    if shutil.which("apt-get") is None:
        raise NotInstalled(f"{', '.join(absent)}: missing, and there is no apt-get; install them by hand")
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    for words in (["update"], ["install", "-y", "--no-install-recommends", *absent]):
        done = subprocess.run([*as_root, *quiet, *words], capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotInstalled(f"apt-get {words[0]} failed: {done.stderr.strip()}")
    if still := missing(wanted):
        raise NotInstalled(f"apt-get installed {', '.join(absent)}, yet the programs of {', '.join(still)} are not there")
