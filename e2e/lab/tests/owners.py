"""Processes that own a lab and then do nothing, for tests that end them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from lab import processes

E2E = Path(__file__).resolve().parents[2]
# Arguments: the folder of the package, the lab's name, the number of nodes.
OWNER = """
import signal, sys
sys.path.insert(0, sys.argv[1])
from lab import Lab
Lab(sys.argv[2], nodes=int(sys.argv[3]), quiet=True).up()
print("up", flush=True)
signal.pause()
"""


def own(name: str, nodes: int = 0) -> subprocess.Popen[str]:
    """Starts an owner and returns when its lab is up."""
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(E2E), name, str(nodes)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    assert owner.stdout.readline() == "up\n"
    return owner


def orphan(owner: subprocess.Popen[str]) -> None:
    """Kills an owner and its lab's warden: nobody is left to tear the lab down."""
    wardens = [pid for pid in processes.children(owner.pid) if b"lab.warden" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert len(wardens) == 1
    os.kill(wardens[0], signal.SIGKILL)
    owner.kill()
    owner.communicate()
