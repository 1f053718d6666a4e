"""Network namespaces of a lab with nodes, and the wires between them.

One namespace holds a bridge that plays the layer-2 switch; each other one hangs on it by its `eth0`. Pairs of devices are made
right in their namespaces, so nothing ever shows up on the host and labs with equal addresses do not meet. There is no way out:
the host has no leg in any of them, and the default route ends at the client, which forwards nothing.
"""

import ipaddress
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

FOLDER = Path("/run/netns")
SWITCH = "switch"
BRIDGE = "br0"


def name(lab: str, member: str) -> str:
    """The namespace of one member (`switch`, `control`, `client`, `node1`, ...) of a lab."""
    return f"fairway.{lab}.{member}"


def enter(namespace: str) -> list[str]:
    """The words before a command that run it in a namespace. `ip netns exec` would hide the control groups from it."""
    return ["nsenter", f"--net={FOLDER / namespace}"]


def wire(lab: str, members: Iterable[tuple[str, ipaddress.IPv4Interface]]) -> None:
    """Makes the switch and all members."""
    _make_switch(lab)
    for member, address in members:
        _attach(lab, member, address)


def _make_switch(lab: str) -> None:
    """Makes the namespace with the bridge."""
    switch = name(lab, SWITCH)
    _ip("netns", "add", switch)
    _ip("-n", switch, "link", "set", "lo", "up")
    _ip("-n", switch, "link", "add", BRIDGE, "type", "bridge")
    _ip("-n", switch, "link", "set", BRIDGE, "up")


def _attach(lab: str, member: str, address: ipaddress.IPv4Interface) -> None:
    """Makes the namespace of a member and wires it to the switch, where its port is named like the member."""
    own, switch = name(lab, member), name(lab, SWITCH)
    _ip("netns", "add", own)
    _ip("-n", own, "link", "set", "lo", "up")
    _ip("-n", switch, "link", "add", member, "type", "veth", "peer", "name", "eth0", "netns", own)
    _ip("-n", switch, "link", "set", member, "master", BRIDGE, "up")
    _ip("-n", own, "address", "add", str(address), "dev", "eth0")
    _ip("-n", own, "link", "set", "eth0", "up")


def route(lab: str, member: str, routes: Mapping[ipaddress.IPv4Network, ipaddress.IPv4Address]) -> None:
    """Adds routes to a member."""
    for destination, gateway in routes.items():
        _ip("-n", name(lab, member), "route", "add", str(destination), "via", str(gateway))


def forward(lab: str, member: str) -> None:
    """Makes a member a router, as a node is for its pods."""
    subprocess.run([*enter(name(lab, member)), "sysctl", "-qw", "net.ipv4.ip_forward=1"], check=True)


def unplug(lab: str, member: str) -> None:
    """Takes the member's port at the switch down: it hears and says nothing from now on."""
    _ip("-n", name(lab, SWITCH), "link", "set", member, "down")


def plug(lab: str, member: str) -> None:
    """Takes the member's port at the switch up again."""
    _ip("-n", name(lab, SWITCH), "link", "set", member, "up")


def existing(lab: str) -> list[str]:
    """Namespaces of a lab that exist."""
    return sorted(path.name for path in FOLDER.glob(f"fairway.{lab}.*")) if FOLDER.is_dir() else []


def remove(lab: str) -> None:
    """Removes all namespaces of a lab, and with them their devices, rules and connections."""
    for namespace in existing(lab):
        _ip("netns", "delete", namespace)


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")
