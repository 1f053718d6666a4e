"""Starts the parts of a lab in order, and describes what was started."""

import concurrent.futures
import dataclasses
import os
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from . import aws, build, certificates, cgroups, control_plane, description, gateway, images, membership, network, nodes, packages, plan
from .control_plane import API_SERVICE, SERVICES, ControlPlane
from .images import Recipe
from .kubernetes import Api
from .progress import Progress

T = TypeVar("T")

LOOPBACK = "127.0.0.1"
PORTS = ["etcd", "peer", "api", "aws"]
# In the namespace `control` nobody else is.
INSIDE = {"etcd": 2379, "peer": 2380, "api": 6443, "aws": 4566}
ECHO_IMAGE = "lab.fairway.dev/echo:1"


class NeedsRoot(RuntimeError):
    """Nodes take namespaces and mounts."""


@dataclasses.dataclass(frozen=True)
class Wish:
    """What kind of lab is wanted. Without nodes there is only a control plane, on 127.0.0.1."""

    nodes: int
    aws: bool


@dataclasses.dataclass(frozen=True)
class Site:
    """Where a lab is being started."""

    name: str
    folder: Path
    ports: dict[str, int]
    progress: Progress


def prepare(wish: Wish, progress: Progress) -> None:
    """Builds and installs what the wish needs, before anything of the lab exists."""
    packages.install(packages.CONTROL_PLANE, progress)
    build.program(build.CLUSTER, progress)
    if wish.aws:
        aws.prepare()
    if wish.nodes:
        if os.geteuid() != 0:
            raise NeedsRoot("a lab with nodes must be started as root")
        packages.install(packages.NODES, progress)
        build.program(build.ECHO, progress)
        build.program(build.PAUSE, progress)


def start(site: Site, wish: Wish) -> dict[str, Any]:
    """Starts a lab and returns its description, but for what it had from the first."""
    members = plan.nodes(wish.nodes)
    content = start_with_nodes(site, members, wish.aws) if members else start_alone(site, wish.aws)
    return {"state": description.READY, "file": str(site.folder / description.FILE), **content}


def start_alone(site: Site, with_aws: bool) -> dict[str, Any]:
    """A control plane on 127.0.0.1, and AWS on ::1, the only loopback address that the emulator can keep to."""
    instances = aws.members([])
    if with_aws:
        site.progress.step("starting the AWS emulator")
        aws.start(site.folder, aws.seed(instances), "::1", site.ports["aws"])
    files = certificates.make(site.folder / "certificates", [LOOPBACK, "::1", API_SERVICE])
    plane = ControlPlane(site.folder, build.CLUSTER.path(), files, secrets.token_hex(16), site.ports, advertise=None)
    api = _run_plane(site, plane)
    if with_aws:
        aws.wait_ready(site.folder)
    return {
        "mode": "control-plane", "cgroups": None, "network": None, "namespaces": {}, "nodes": [],
        "kubernetes": _describe_api(site, api, None),
        "aws": aws.describe(instances, f"http://[::1]:{site.ports['aws']}", None) if with_aws else None,
    }


def start_with_nodes(site: Site, members: list[plan.Node], with_aws: bool) -> dict[str, Any]:
    """A control plane and nodes in namespaces of their own."""
    site.progress.step(f"wiring the control plane, a client and {len(members)} nodes")
    namespaces = _wire(site.name, members)
    enter = network.enter(namespaces["control"])
    if with_aws:
        site.progress.step("starting the AWS emulator")
        aws.start(site.folder, aws.seed(members), "0.0.0.0", INSIDE["aws"], enter)
    gateway.start(site.folder, enter, {site.ports[server]: INSIDE[server] for server in ("api", "aws")})
    files = certificates.make(site.folder / "certificates", [LOOPBACK, "::1", API_SERVICE, str(plan.CONTROL)])
    plane = ControlPlane(site.folder, build.CLUSTER.path(), files, secrets.token_hex(16), INSIDE, str(plan.CONTROL), enter)
    inside = Api(f"https://{plan.CONTROL}:{INSIDE['api']}", plane.token, files.authority)
    inside_config = inside.write_kubeconfig(site.folder / "kubeconfig-inside")

    with concurrent.futures.ThreadPoolExecutor() as pool:
        booting = pool.submit(_boot, site, members)
        api = _run_plane(site, plane)
        booting.result()
    if with_aws:
        aws.wait_ready(site.folder)  # before any pod that may speak to it
    site.progress.step(f"starting kubelets (cgroup {cgroups.version()})")
    since = membership.now()
    for node in members:
        nodes.join(site.folder, site.name, node, plane.program, inside_config)
    for node in members:
        membership.wait_ready(api, node, since)
        membership.give_pod_network(api, node)
    return {
        "mode": "nodes", "cgroups": cgroups.version(), "namespaces": namespaces,
        "network": _describe_network(), "nodes": [_describe_node(site, node) for node in members],
        "kubernetes": _describe_api(site, api, {"server": inside.server, "kubeconfig": str(inside_config)}),
        "aws": _describe_inner_aws(site, members) if with_aws else None,
    }


def restart_node(folder: Path, lab: str, node: plan.Node, content: dict[str, Any]) -> None:
    """Brings a killed node back, and waits until it is Ready again."""
    kubernetes = content["kubernetes"]
    api = Api(kubernetes["server"], kubernetes["token"], Path(kubernetes["authority"]))
    network.plug(lab, node.name)
    nodes.boot(folder, lab, node, build.PAUSE.path())
    nodes.wait_containers(folder, node)
    since = membership.now()
    nodes.join(folder, lab, node, build.CLUSTER.path(), Path(kubernetes["inside"]["kubeconfig"]))
    membership.wait_ready(api, node, since)


def _run_plane(site: Site, plane: ControlPlane) -> Api:
    """Starts a control plane and returns its API server as the host reaches it."""
    site.progress.step("starting etcd and the API server")
    plane.start()
    api = Api(f"https://{LOOPBACK}:{site.ports['api']}", plane.token, plane.certificates.authority)
    control_plane.wait_ready(api, site.folder)
    site.progress.step("starting controllers and scheduler")
    own = api.at(f"https://{LOOPBACK}:{plane.ports['api']}")
    plane.start_controllers(own.write_kubeconfig(site.folder / "kubeconfig-controllers"))
    api.write_kubeconfig(site.folder / "kubeconfig")
    control_plane.wait_accounts(api)
    return api


def _wire(name: str, members: list[plan.Node]) -> dict[str, str]:
    """Makes all namespaces with addresses and routes, and returns their names by member."""
    addresses = {"control": plan.CONTROL, "client": plan.CLIENT} | {node.name: node.address for node in members}
    network.wire(name, [(member, plan.on_link(address)) for member, address in addresses.items()])
    for member in addresses:
        node = next((node for node in members if node.name == member), None)
        network.route(name, member, plan.routes_of(node, members))
        if member != "client":
            # Leads nowhere, but without it nothing could be sent to a Service's address and be redirected on the way.
            network.route(name, member, {plan.ANYWHERE: plan.CLIENT})
        if node is not None:
            network.forward(name, member)
    return {member: network.name(name, member) for member in [network.SWITCH, *addresses]}


def _boot(site: Site, members: list[plan.Node]) -> None:
    """Brings up all nodes as far as containerd, and gives them the lab's own images."""
    pause = images.make(Recipe(nodes.PAUSE_IMAGE, {"/pause": build.PAUSE.path()}), site.folder / "images" / "pause.tar")
    echo = images.make(Recipe(ECHO_IMAGE, {"/echo": build.ECHO.path()}), site.folder / "images" / "echo.tar")

    def boot(node: plan.Node) -> None:
        nodes.boot(site.folder, site.name, node, build.PAUSE.path())
        nodes.wait_containers(site.folder, node)
        for image in (pause, echo):
            nodes.load(site.folder, node.name, image.archive)

    _all(boot, members)


def _all(act: Callable[[T], None], items: Iterable[T]) -> None:
    """Does the same to all items at once; the first failure is raised when all have ended."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for done in [pool.submit(act, item) for item in items]:
            done.result()


def _describe_api(site: Site, api: Api, inside: dict[str, str] | None) -> dict[str, Any]:
    return {
        "version": build.KUBERNETES, "server": api.server, "token": api.token, "authority": str(api.authority),
        "kubeconfig": str(site.folder / "kubeconfig"), "kubectl": str(build.kubectl()), "services": SERVICES, "inside": inside,
    }


def _describe_inner_aws(site: Site, members: list[plan.Node]) -> dict[str, Any]:
    return aws.describe(members, f"http://{LOOPBACK}:{site.ports['aws']}", f"http://{plan.CONTROL}:{INSIDE['aws']}")


def _describe_network() -> dict[str, Any]:
    return {"vpc": str(plan.VPC), "control": str(plan.CONTROL), "client": str(plan.CLIENT), "announced": str(plan.ANNOUNCED)}


def _describe_node(site: Site, node: plan.Node) -> dict[str, Any]:
    return {
        "name": node.name, "address": str(node.address), "pods": str(node.pods), "region": plan.REGION, "zone": node.zone,
        "instance": node.instance, "provider_id": node.provider_id, "namespace": network.name(site.name, node.name),
    }
