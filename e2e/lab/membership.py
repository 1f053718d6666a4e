"""Nodes as the cluster sees them: whether they are Ready, and which pod network is theirs."""

import datetime

from .kubernetes import Api, ApiError
from .plan import Node
from .wait import until

READY_SECONDS = 120.0


def now() -> datetime.datetime:
    """This moment, as a bound for `wait_ready`; the API counts whole seconds."""
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0)


def wait_ready(api: Api, node: Node, since: datetime.datetime) -> None:
    """Waits until the node takes pods, as told by its kubelet after `since`: an older word may be a dead kubelet's last."""
    until(f"{node.name} Ready", READY_SECONDS, lambda: _is_ready(api, node, since), pause=0.2)


def give_pod_network(api: Api, node: Node) -> None:
    """Notes a node's pod network in its spec, as a cloud's controller would. It cannot be changed later."""
    api.patch(f"/api/v1/nodes/{node.name}", {"spec": {"podCIDR": str(node.pods), "podCIDRs": [str(node.pods)]}})


def _is_ready(api: Api, node: Node, since: datetime.datetime) -> bool:
    try:
        found = api.get(f"/api/v1/nodes/{node.name}")
    except ApiError as error:
        if error.status != 404:
            raise
        return False
    conditions = {condition["type"]: condition for condition in found["status"].get("conditions", [])}
    ready = conditions.get("Ready")
    if ready is None or ready["status"] != "True" or found["spec"].get("taints"):
        return False
    return datetime.datetime.fromisoformat(ready["lastHeartbeatTime"]) >= since
