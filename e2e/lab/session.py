"""One lab from its start to its end: the class that tests and the command line use."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from . import build, description, environment, images, network, nodes, paths, plan, ports, processes, starting, teardown
from .images import Image, Recipe
from .kubernetes import Api
from .processes import Process
from .progress import Progress
from .starting import Site, Wish
from .warden import Warden

HOST = "host"


class AlreadyUp(RuntimeError):
    """There is a lab of that name already."""


class NotUp(RuntimeError):
    """There is no lab of that name, or it is not ready."""


class CommandFailed(RuntimeError):
    """A command in a lab failed; the message holds what it complained of."""


class Lab:
    """A lab. As a context manager it is up inside the block and gone after it, whatever ends the block or the process.

    `Lab(name, nodes=.., aws=..)` describes a lab to be started by `up`; `Lab.attach(name)` finds one that runs.
    """

    def __init__(self, name: str, *, nodes: int = 0, aws: bool = False, quiet: bool = False) -> None:
        self.name = name
        self.folder: Path = paths.folder(name)
        self.progress = Progress(quiet)
        self._wish = Wish(nodes, aws)
        self._warden: Warden | None = None

    @classmethod
    def attach(cls, name: str) -> Self:
        """The running lab `name`. Leaving it does not end it."""
        lab = cls(name, quiet=True)
        if (description.read(lab.folder) or {}).get("state") != description.READY:
            raise NotUp(f"there is no lab {name} that is ready; `lab status` lists them")
        return lab

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.down()

    # Life

    def up(self) -> None:
        """Starts the lab and returns when it is ready. If that fails, nothing of it stays."""
        sweep(self.progress)
        starting.prepare(self._wish, self.progress)
        content = self._claim()
        try:
            self._warden = Warden(self.name)
            content.update(starting.start(Site(self.name, self.folder, content["ports"], self.progress), self._wish))
            description.write(self.folder, content)
        except BaseException:
            self.down()
            raise
        self.progress.step(f"lab {self.name} is ready")

    def detach(self) -> None:
        """Lets the lab outlive this process: only `lab down` ends it."""
        description.write(self.folder, {**self.describe(), "owner": None})
        self._release()

    def down(self) -> None:
        """Removes the lab. Doing so twice is fine; if anything stays, `TeardownFailed` says what."""
        self.progress.step(f"removing lab {self.name}")
        teardown.remove(self.name)
        self._release()

    # What it is

    def describe(self) -> dict[str, Any]:
        """`lab.json`; its fields are in README.md."""
        content = description.read(self.folder)
        if content is None:
            raise NotUp(f"there is no lab {self.name}")
        return content

    @property
    def api(self) -> Api:
        """The API server, as administrator, reached from the host."""
        kubernetes = self.describe()["kubernetes"]
        return Api(kubernetes["server"], kubernetes["token"], Path(kubernetes["authority"]))

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig, for programs on the host."""
        return Path(self.describe()["kubernetes"]["kubeconfig"])

    @property
    def environment(self) -> dict[str, str]:
        """What programs on the host need in their environment to use the lab."""
        return environment.of(self.describe(), inside=False)

    # Use

    def exec(
        self, where: str, argv: Sequence[str | Path], *,
        check: bool = True, capture: bool = True, stdin: str | None = None, timeout: float | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end on the `host`, in `control` or `client`, or on a node. `timeout` is in seconds.

        With `check`, a status other than 0 raises `CommandFailed`.
        """
        words = [*self.enter(where), *map(str, argv)]
        done = subprocess.run(words, env=self._env(where), text=True, check=False, capture_output=capture, input=stdin, timeout=timeout)
        if check and done.returncode:
            raise CommandFailed(f"{' '.join(map(str, argv))}: status {done.returncode}: {done.stderr or ''}")
        return done

    def kubectl(self, *arguments: str | Path, stdin: str | None = None) -> str:
        """Runs kubectl as administrator on the host and returns what it prints."""
        return self.exec(HOST, [build.kubectl(), *arguments], stdin=stdin).stdout

    def helm(self, *arguments: str | Path) -> str:
        """Runs helm as administrator on the host and returns what it prints; installs it first if need be."""
        return self.exec(HOST, [build.helm(self.progress), *arguments]).stdout

    def start(self, name: str, argv: Sequence[str | Path], where: str = HOST, env: Mapping[str, str] | None = None) -> Process:
        """Starts a program in the background, with its output in `logs/NAME.log`; it ends with the lab at the latest."""
        variables = {**self._env(where), **(env or {})}
        if self._is_node(where):
            return nodes.run(self.folder, where, name, argv, variables)
        return processes.start(self.folder, name, [*self.enter(where), *argv], variables)

    def stop(self, process: Process, grace: float = 10.0) -> None:
        """Ends a program: SIGTERM first, SIGKILL after `grace` seconds."""
        processes.stop([process], grace)

    def enter(self, where: str) -> list[str]:
        """The words before a command that run it there."""
        if where == HOST:
            return []
        if self._is_node(where):
            return nodes.enter(self.folder, where)
        namespaces = self.describe()["namespaces"]
        if where in namespaces:
            return network.enter(namespaces[where])
        raise NotUp(f"{where} is no part of lab {self.name}")

    def service_account_kubeconfig(self, namespace: str, name: str, inside: bool = False) -> Path:
        """Writes a kubeconfig of a service account that exists, so that a program runs under its own RBAC.

        `inside` is for programs in the lab's namespaces, which reach the API server by another address.
        """
        api = self.api.for_service_account(namespace, name)
        if inside:
            api = api.at(self.describe()["kubernetes"]["inside"]["server"])
        path = self.folder / f"kubeconfig-{namespace}-{name}{'-inside' if inside else ''}"
        return api.write_kubeconfig(path, user=f"{namespace}-{name}", namespace=namespace)

    def build_image(self, name: str, files: Mapping[str, Path], arguments: Sequence[str] = ()) -> Image:
        """Makes an image of programs and the libraries they link, and gives it to every node.

        `files` maps paths in the image to files of this machine; the first one is what the image runs.
        """
        archive = self.folder / "images" / f"{name.replace('/', '_').replace(':', '_')}.tar"
        image = images.make(Recipe(name, files, arguments), archive)
        self.load(image)
        return image

    def load(self, image: Image) -> None:
        """Gives an image to every node."""
        for node in self.describe()["nodes"]:
            nodes.load(self.folder, node["name"], image.archive)

    def kill_node(self, name: str) -> None:
        """Ends a node as a power failure would: all its processes, kubelet and pods at once, and its wire is cut."""
        if not self._is_node(name):
            raise NotUp(f"{name} is no node of lab {self.name}")
        nodes.kill(self.folder, self.name, name)

    def start_node(self, name: str) -> None:
        """Starts a killed node again, with its disk as it was, and waits until it is Ready."""
        if not self._is_node(name):
            raise NotUp(f"{name} is no node of lab {self.name}")
        starting.restart_node(self.folder, self.name, plan.named(name), self.describe())

    def _is_node(self, name: str) -> bool:
        return name in (node["name"] for node in self.describe()["nodes"])

    def _env(self, where: str) -> dict[str, str]:
        own = environment.of(self.describe(), inside=where != HOST)
        return {**os.environ, **own, processes.MARKER: str(self.folder)}

    def _claim(self) -> dict[str, Any]:
        """Takes the name and free ports for this process."""
        with paths.locked("registry"):
            if self.folder.exists():
                raise AlreadyUp(f"lab {self.name} is up; `lab down --name {self.name}` ends it")
            owner = processes.current(os.getpid(), "owner")
            assert owner is not None, "this process runs"
            content = description.first(self.name, owner, ports.pick(starting.PORTS))
            self.folder.mkdir(parents=True)
            description.write(self.folder, content)
            return content

    def _release(self) -> None:
        if self._warden is not None:
            self._warden.release()
            self._warden = None


def sweep(progress: Progress) -> None:
    """Removes what earlier runs left: labs whose owner is gone, and detached ones of which nothing runs any more."""
    with paths.locked("registry"):
        left = [folder.name for folder in paths.folders() if not description.is_held(folder)]
    for name in left:
        progress.step(f"removing lab {name}, left by an earlier run")
        teardown.remove(name)


def names() -> list[str]:
    """Names of the labs that are up."""
    return [folder.name for folder in paths.folders()]
