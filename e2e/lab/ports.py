"""Ports that are free on 127.0.0.1 and ::1, such that labs starting at the same time do not pick the same."""

import random
import socket

from . import description, paths

# Below the kernel's ephemeral range (32768 on), from which outgoing connections take theirs at any moment.
FIRST, LAST = 20000, 31999
TRIES = 1000


def pick(names: list[str]) -> dict[str, int]:
    """A free port for each name. The caller holds the lock `ports` and writes them into its description before it lets go."""
    taken = _of_other_labs()
    found: dict[str, int] = {}
    for _ in range(TRIES):
        if len(found) == len(names):
            return found
        port = random.randint(FIRST, LAST)
        if port not in taken and _is_free(port):
            taken.add(port)
            found[names[len(found)]] = port
    raise OSError(f"no {len(names)} free ports between {FIRST} and {LAST} on the loopback addresses")


def _of_other_labs() -> set[int]:
    taken: set[int] = set()
    for folder in paths.folders():
        taken.update((description.read(folder) or {}).get("ports", {}).values())
    return taken


def _is_free(port: int) -> bool:
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.socket(family) as probe:
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True
