"""The AWS emulator of a lab, and the account it starts with: one that such a cluster would really have.

Every node of the lab is an instance with the same id, zone and address, and its pods' addresses are secondary addresses of the
instance's interface. A lab without nodes has instances too, so that a test can make Node objects that match them.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import paths, plan, processes
from .wait import until

SOURCES = paths.REPOSITORY / "localstack"
CLUSTER = "lab"
ACCOUNT = "000000000000"  # of every key that is not itself an account's number
VPC = "vpc-00000000000000001"
NODES_GROUP = "nodes"
ZONE = "example.com"
CERTIFICATE = "*.example.com"
INSTANCES_WITHOUT_NODES = 3  # one per zone
READY_SECONDS = 60.0


def prepare() -> None:
    """Makes the emulator's environment, which needs a network that the lab's namespaces do not have."""
    subprocess.run([sys.executable, "-c", "import launcher; launcher.ensure_venv()"], cwd=SOURCES, check=True)


def start(folder: Path, seed: dict[str, Any], bind: str, port: int, enter: Sequence[str] = ()) -> None:
    """Starts the emulator; `wait_ready` waits for it."""
    file = folder / "aws-seed.json"
    file.write_text(json.dumps(seed, indent=1), encoding="utf-8")
    processes.start(folder, "aws", [
        *enter, sys.executable, SOURCES / "run", "--port", str(port), "--bind", bind, "--seed", file, "--ready-file", _ready(folder)])


def wait_ready(folder: Path) -> None:
    """Waits until the emulator serves the seeded account."""

    def probe() -> bool:
        processes.find(folder, "aws")  # no use in waiting for one that has ended
        return _ready(folder).exists()

    until("AWS emulator ready", READY_SECONDS, probe)


def members(nodes: list[plan.Node]) -> list[plan.Node]:
    """The nodes that have an instance."""
    return nodes or plan.nodes(INSTANCES_WITHOUT_NODES)


def seed(instances: list[plan.Node]) -> dict[str, Any]:
    """The account's content, in the shape that the emulator's README describes."""
    of_cluster = f"kubernetes.io/cluster/{CLUSTER}"
    return {
        "account": ACCOUNT, "region": plan.REGION,
        "vpc": {"id": VPC, "cidr": str(plan.VPC), "tags": {"Name": CLUSTER, of_cluster: "shared"}},
        "subnets": _subnets("private", plan.PRIVATE, "kubernetes.io/role/internal-elb") + _subnets("public", plan.PUBLIC, "kubernetes.io/role/elb"),
        "securityGroups": [{"name": NODES_GROUP, "description": "Nodes of the cluster", "tags": {"Name": NODES_GROUP, of_cluster: "owned"}}],
        "instances": [_instance(node) for node in instances],
        "hostedZones": [{"name": ZONE}],
        "certificates": [{"domain": CERTIFICATE, "type": "AMAZON_ISSUED"}],
    }


def describe(instances: list[plan.Node], endpoint: str, inside: str | None) -> dict[str, Any]:
    """The part of `lab.json` about AWS."""
    return {
        "endpoint": endpoint, "inside": inside, "account": ACCOUNT, "region": plan.REGION, "cluster": CLUSTER, "vpc": VPC,
        "hosted_zone": ZONE, "certificate": CERTIFICATE, "security_group": NODES_GROUP,
        "instances": [{
            "name": node.name, "instance": node.instance, "provider_id": node.provider_id, "zone": node.zone,
            "address": str(node.address), "pod_addresses": [str(address) for address in node.pod_addresses],
        } for node in instances],
    }


def _ready(folder: Path) -> Path:
    return folder / "aws-ready.json"


def _subnets(kind: str, networks: Sequence[plan.Network], role: str) -> list[dict[str, Any]]:
    return [{
        "name": f"{kind}-{zone[-1]}", "zone": zone, "cidr": str(network),
        "tags": {"Name": f"{kind}-{zone[-1]}", role: "1", f"kubernetes.io/cluster/{CLUSTER}": "shared"},
    } for zone, network in zip(plan.ZONES, networks, strict=True)]


def _instance(node: plan.Node) -> dict[str, Any]:
    return {
        "id": node.instance, "name": node.name, "type": plan.INSTANCE_TYPE,
        "subnet": f"private-{node.zone[-1]}", "privateAddress": str(node.address), "securityGroups": [NODES_GROUP],
        "podAddresses": [str(address) for address in node.pod_addresses],
        "tags": {"Name": node.name, f"kubernetes.io/cluster/{CLUSTER}": "owned"},
    }
