"""The command line of the lab."""

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from . import build, description, paths, starting
from .progress import Progress
from .session import Lab, names

DEFAULT_NAME = "lab"


def main(argv: Sequence[str]) -> int:
    """Runs one command; errors that a person can act on are printed without a trace."""
    arguments = _parser().parse_args(argv)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        status: int = arguments.run(arguments)
    except KeyboardInterrupt:
        return 130
    except (RuntimeError, ValueError, OSError, subprocess.SubprocessError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    return status


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lab", description="A real Kubernetes cluster for tests, with AWS beside it.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    up = commands.add_parser("up", help="start a lab; it stays until Ctrl-C, or with --detach until `lab down`")
    up.add_argument("--name", default=DEFAULT_NAME)
    up.add_argument("--nodes", type=int, default=0, help="real nodes (as root); without them there is only a control plane")
    up.add_argument("--aws", action="store_true", help="with the AWS emulator, seeded to match")
    up.add_argument("--detach", action="store_true")
    up.set_defaults(run=_up)

    down = commands.add_parser("down", help="remove a lab, or all")
    which = down.add_mutually_exclusive_group()
    which.add_argument("--name", default=DEFAULT_NAME)
    which.add_argument("--all", action="store_true")
    down.set_defaults(run=_down)

    commands.add_parser("status", help="list the labs that are up").set_defaults(run=_status)

    env = commands.add_parser("env", help="print shell exports for a lab: eval \"$(lab env)\"")
    env.add_argument("--name", default=DEFAULT_NAME)
    env.set_defaults(run=_env)

    run = commands.add_parser("exec", help="run a command on the host, in `control` or `client`, or on a node")
    run.add_argument("--name", default=DEFAULT_NAME)
    run.add_argument("--in", dest="where", default="host", metavar="PLACE")
    run.add_argument("words", nargs="+", metavar="CMD")
    run.set_defaults(run=_exec)

    image = commands.add_parser("image", help="make an image of a program and the libraries it links, and give it to all nodes")
    image.add_argument("--name", default=DEFAULT_NAME)
    image.add_argument("image", help="the image's name, as pods will ask for it")
    image.add_argument("files", nargs="+", metavar="PATH=FILE", help="a path in the image and the file that goes there; the first is the program")
    image.set_defaults(run=_image)

    kill = commands.add_parser("kill-node", help="end a node as a power failure would")
    kill.add_argument("--name", default=DEFAULT_NAME)
    kill.add_argument("node")
    kill.set_defaults(run=_kill_node)

    start = commands.add_parser("start-node", help="start a killed node again")
    start.add_argument("--name", default=DEFAULT_NAME)
    start.add_argument("node")
    start.set_defaults(run=_start_node)

    commands.add_parser("build", help="install and build all that labs need, helm and the emulator's environment included").set_defaults(run=_build)
    return parser


def _up(arguments: argparse.Namespace) -> int:
    lab = Lab(arguments.name, nodes=arguments.nodes, aws=arguments.aws)
    lab.up()
    if arguments.detach:
        lab.detach()
        print(_usage(lab))
        return 0
    try:
        print(_usage(lab), "\nCtrl-C ends it.", sep="", flush=True)
        signal.pause()
    finally:
        lab.down()
    return 0


def _usage(lab: Lab) -> str:
    command = os.path.join(os.curdir, os.path.relpath(paths.SOURCES / "lab"))
    return f'eval "$({command} env --name {lab.name})"; $KUBECTL get all -A'


def _down(arguments: argparse.Namespace) -> int:
    for name in names() if arguments.all else [arguments.name]:
        Lab(name).down()
    return 0


def _status(_: argparse.Namespace) -> int:
    for name in names():
        content = description.read(paths.folder(name)) or {}
        held = "" if description.is_held(paths.folder(name)) else ", left by an earlier run"
        parts = [content.get("mode", "control-plane"), f"{len(content.get('nodes', []))} nodes", "aws" if content.get("aws") else "no aws"]
        print(f"{name}: {content.get('state', 'broken')}{held} ({', '.join(parts)})")
    return 0


def _env(arguments: argparse.Namespace) -> int:
    for key, value in Lab.attach(arguments.name).environment.items():
        print(f"export {key}={shlex.quote(value)}")
    return 0


def _exec(arguments: argparse.Namespace) -> int:
    done = Lab.attach(arguments.name).exec(arguments.where, arguments.words, capture=False, check=False)
    return done.returncode


def _image(arguments: argparse.Namespace) -> int:
    files = {}
    for word in arguments.files:
        path, separator, file = word.partition("=")
        if not separator or not path.startswith("/") or not Path(file).is_file():
            raise ValueError(f"{word}: expected /path/in/image=existing-file")
        files[path] = Path(file)
    image = Lab.attach(arguments.name).build_image(arguments.image, files)
    print(json.dumps({"name": image.name, "archive": str(image.archive)}))
    return 0


def _kill_node(arguments: argparse.Namespace) -> int:
    Lab.attach(arguments.name).kill_node(arguments.node)
    return 0


def _start_node(arguments: argparse.Namespace) -> int:
    Lab.attach(arguments.name).start_node(arguments.node)
    return 0


def _build(_: argparse.Namespace) -> int:
    progress = Progress()
    starting.prepare(starting.Wish(nodes=1, aws=True), progress)
    progress.step(f"ready: {build.helm(progress).parent}")
    return 0
