"""Starts the emulator in host mode: one process, no Docker, no token.

Needs nothing but the standard library, because it also builds the virtual environment that everything else runs in.

| folder (below `target/localstack`) | holds                                                       |
|------------------------------------|-------------------------------------------------------------|
| `venv`                             | the pinned packages; rebuilt when the pins change           |
| `run/<pid>`                        | what LocalStack writes for itself; emptied by a later start |
"""

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TARGET = HERE.parent / "target" / "localstack"
VENV = TARGET / "venv"
PINS = (HERE / "requirements.txt", HERE / "constraints.txt")
PYTHON = "python3.11"
SERVICES = (
    "acm,cognito-idp,ec2,elbv2,globalaccelerator,iam,resourcegroupstaggingapi,route53,shield,sts,waf-regional,wafv2"
)


def say(text):
    print(f"localstack: {text}", file=sys.stderr, flush=True)


def ensure_venv():
    """Path of the environment's Python; creates the environment unless one with the same pins stands there."""
    TARGET.mkdir(parents=True, exist_ok=True)
    with open(TARGET / "venv.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        marker, wanted = VENV / ".pins", _pins_hash()
        if not (marker.exists() and marker.read_text() == wanted):
            _build_venv()
            marker.write_text(wanted)
    return VENV / "bin" / "python"


def _pins_hash():
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in PINS))
    return digest.hexdigest()


def _build_venv():
    python = shutil.which(PYTHON)
    if python is None:
        raise SystemExit(f"localstack: {PYTHON} is needed (LocalStack's community core 4.13 runs on no newer one)")
    shutil.rmtree(VENV, ignore_errors=True)
    say(f"creating {VENV} with {python}")
    subprocess.run([python, "-m", "venv", str(VENV)], check=True)
    say("installing the pinned packages (about 240 MB, about a minute)")
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"]
    subprocess.run([*pip, "-r", str(PINS[0]), "-c", str(PINS[1])], check=True, stdout=sys.stderr)


def free_port(bind):
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((bind, 0))
        return probe.getsockname()[1]


def check_port(bind, port):
    """LocalStack would start without a socket, and its place be taken for the process that has the port."""
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind, port))
        except OSError as error:
            raise SystemExit(f"localstack: cannot bind {bind} port {port}: {error.strerror}") from error


def parse(argv):
    parser = argparse.ArgumentParser(prog="localstack/run", description="Fairway's AWS emulator, in the foreground.")
    parser.add_argument("--port", type=int, default=4566, help="0 picks a free one (default: 4566)")
    parser.add_argument(
        "--bind", default="::1", help="an IPv6 address, or 0.0.0.0 inside a network namespace (default: ::1)"
    )
    parser.add_argument("--seed", type=Path, help="environment to start with (default: an empty account)")
    parser.add_argument("--ready-file", type=Path, help="written when requests are served: {endpoint, pid}")
    arguments = parser.parse_args(argv)
    arguments.bind = arguments.bind.strip("[]")
    if ":" not in arguments.bind and arguments.bind != "0.0.0.0":
        parser.error("LocalStack binds every IPv4 address to 0.0.0.0; give an IPv6 address, or 0.0.0.0 in a namespace")
    return arguments


def environment(arguments):
    """The process environment of the emulator; the caller's AWS settings are kept away from it."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "PYTHON"))}
    host = f"[{arguments.bind}]" if ":" in arguments.bind else arguments.bind
    reached_at = "127.0.0.1" if host == "0.0.0.0" else host
    options = {"endpoint": f"http://{reached_at}:{arguments.port}"}
    if arguments.seed:
        options["seed"] = str(arguments.seed.resolve())
    if arguments.ready_file:
        options["ready_file"] = str(arguments.ready_file.resolve())
    return {
        **kept,
        "PYTHONPATH": str(HERE / "plugin"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "FILESYSTEM_ROOT": str(_own_folder()),
        "FAIRWAY_LOCALSTACK": json.dumps(options),
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DNS_ADDRESS": "0",
        # Nobody starts from an image here, and making 1,200 of them is most of the time that a reset takes.
        "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
        "LS_LOG": "warning",
        "GATEWAY_LISTEN": f"{host}:{arguments.port}",
        "SERVICES": SERVICES,
    }


def _own_folder():
    """A folder for this process alone (exec keeps the pid); those of processes that are gone are removed."""
    runs = TARGET / "run"
    runs.mkdir(parents=True, exist_ok=True)
    for old in runs.iterdir():
        if not Path(f"/proc/{old.name}").exists():
            shutil.rmtree(old, ignore_errors=True)
    own = runs / str(os.getpid())
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir()
    return own


def run(argv):
    arguments = parse(argv)
    if arguments.seed and not arguments.seed.is_file():
        raise SystemExit(f"localstack: no seed file {arguments.seed}")
    if arguments.ready_file:
        arguments.ready_file.unlink(missing_ok=True)
    python = ensure_venv()
    if arguments.port:
        check_port(arguments.bind, arguments.port)
    else:
        arguments.port = free_port(arguments.bind)
    os.execve(python, [str(python), "-m", "localstack.runtime.main"], environment(arguments))
