"""`lab.json`: what a lab is, for tests, tools and later runs of the lab itself.

Written first when the lab has a name and an owner and nothing runs yet, last when it is ready. The fields are in README.md.
"""

import json
import os
from pathlib import Path
from typing import Any

from . import processes
from .processes import Process

FILE = "lab.json"
STARTING = "starting"
READY = "ready"


def first(name: str, owner: Process, ports: dict[str, int]) -> dict[str, Any]:
    """The description of a lab of which nothing runs yet."""
    return {"name": name, "state": STARTING, "owner": {"pid": owner.pid, "started": owner.started}, "ports": ports}


def write(folder: Path, content: dict[str, Any]) -> None:
    """Replaces the description in one step: a reader sees the old or the new one, never half."""
    unfinished = folder / f"{FILE}.unfinished"
    unfinished.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    unfinished.chmod(0o600)
    os.replace(unfinished, folder / FILE)


def read(folder: Path) -> dict[str, Any] | None:
    """The description, or nothing when there is no lab."""
    try:
        content: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return content


def is_held(folder: Path) -> bool:
    """Whether somebody still wants the lab: its owner lives, or it was detached and still runs."""
    content = read(folder)
    if content is None:
        return False
    if content["owner"] is not None:
        return Process("owner", **content["owner"]).alive()
    return any(process.alive() for process in processes.recorded(folder))
