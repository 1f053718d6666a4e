"""What stands in AWS as a tree in words: every node says what it is. Ids, addresses and hashes do not occur, so that it can be expected.

    load balancer of shop (application, internet-facing)
      listener 443 HTTPS
        rule shop.example.com /orders,/orders/*
          target pod of orders
"""

from typing import Any

from e2e.lib.cluster import Cluster

STACK_TAGS = ("ingress.k8s.aws/stack", "service.k8s.aws/stack")


def tree(dump: dict[str, Any], cluster: Cluster, owner: str) -> dict[str, Any]:
    """The load balancers and zones of a dumped account."""
    pods = {pod["status"].get("podIP"): pod["metadata"].get("labels", {}).get("app", "?") for pod in cluster.all("Pod")}
    names = {name: _stack(balancer["tags"]) for name, balancer in dump["loadBalancers"].items()}
    balancers = {
        f"load balancer of {names[name]} ({balancer['type']}, {balancer['scheme']})": {
            f"listener {_port(listener)}": _listener(content, dump["targetGroups"], pods) for listener, content in sorted(balancer["listeners"].items())
        }
        for name, balancer in sorted(dump["loadBalancers"].items(), key=lambda item: names[item[0]])
    }
    zones = {f"zone {zone.rstrip('.')}": sorted(_record(record, names, owner) for record in records) for zone, records in dump["records"].items()}
    return balancers | zones


def lines(node: Any, depth: int = 0) -> list[str]:
    """A tree as indented lines."""
    if isinstance(node, list):
        return ["  " * depth + text for text in node]
    return [line for text, below in node.items() for line in ["  " * depth + text, *lines(below, depth + 1)]]


def _stack(tags: dict[str, str]) -> str:
    return next((tags[key] for key in STACK_TAGS if key in tags), "somebody else")


def _port(listener: str) -> str:
    return listener.replace("/", " ")


def _listener(listener: dict[str, Any], groups: dict[str, Any], pods: dict[str, str]) -> dict[str, Any]:
    rules = {f"rule {_conditions(rule)}": _actions(rule["actions"], groups, pods) for rule in listener["rules"]}
    return rules | {"default": _actions(listener["default"], groups, pods)}


def _conditions(rule: dict[str, Any]) -> str:
    values = [condition[key]["Values"] for condition in rule["conditions"] for key in condition if key.endswith("Config")]
    return " ".join(",".join(some) for some in values)


def _actions(actions: list[dict[str, Any]], groups: dict[str, Any], pods: dict[str, str]) -> list[str]:
    last = actions[-1]
    if last["Type"] == "redirect":
        return [f"redirect to {last['RedirectConfig']['Protocol']} {last['RedirectConfig']['Port']}"]
    if last["Type"] == "fixed-response":
        return [f"answer {last['FixedResponseConfig']['StatusCode']}"]
    return sorted(f"target {_target(target, pods)}" for target in groups[last["TargetGroupArn"]]["targets"])


def _target(target: str, pods: dict[str, str]) -> str:
    address, _, port = target.rpartition(":")
    return f"pod of {pods[address]}, port {port}" if address in pods else target


def _record(record: dict[str, Any], names: dict[str, str], owner: str) -> str:
    name = record["Name"].rstrip(".")
    if "alias" in record:
        pointed = record["alias"]["to"].removeprefix("loadBalancer:")
        return f"alias {record['Type']} {name} -> load balancer of {names.get(pointed, pointed)}"
    if record["Type"] == "TXT":
        mark = next((part for value in record["values"] for part in value.strip('"').split(",") if part.startswith("external-dns/resource=")), "?")
        ours = any(f"external-dns/owner={owner}," in value for value in record["values"])
        return f"TXT {name}: {'ours' if ours else 'not ours'}, for {mark.partition('=')[2]}"
    return f"{record['Type']} {name} -> {', '.join(record['values'])}"
