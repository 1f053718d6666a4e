"""Addresses of a lab: one plan for all of them, because each lab's networks are its own.

| network           | what                                                              |
|-------------------|-------------------------------------------------------------------|
| 10.0.0.0/16       | the VPC, and one layer-2 segment: everything below lies in it     |
| 10.0.0.0/19       | subnet of zone a; 10.0.32.0/19 of zone b; 10.0.64.0/19 of zone c  |
| 10.0.128.0/20     | public subnet of zone a; 10.0.144.0/20 of b; 10.0.160.0/20 of c   |
| 10.0.200.10       | control plane (API server 6443, AWS emulator 4566)                |
| 10.0.200.100      | clients                                                           |
| 10.0.240.0/24     | free addresses for the data plane to announce                     |
| 10.96.0.0/16      | Services                                                          |

Node i is in zone a, b, c, a, ... with the address 10 + i in its zone's subnet, and its pods have the next free /24 of that subnet,
so that a pod's address can be a secondary address of the node's interface, as on AWS. Every member has the whole VPC on its link;
only pod networks need routes.
"""

import dataclasses
import ipaddress

Address = ipaddress.IPv4Address
Network = ipaddress.IPv4Network

REGION = "us-east-1"
INSTANCE_TYPE = "m5.large"
ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")

ANYWHERE = Network("0.0.0.0/0")
VPC = Network("10.0.0.0/16")
PRIVATE = tuple(list(VPC.subnets(new_prefix=19))[: len(ZONES)])
PUBLIC = tuple(list(VPC.subnets(new_prefix=20))[8 : 8 + len(ZONES)])
CONTROL = Address("10.0.200.10")
CLIENT = Address("10.0.200.100")
ANNOUNCED = Network("10.0.240.0/24")

MAX_NODES = 60  # 20 per zone; far fewer fit on a machine
POD_ADDRESSES = 60  # of a node's /24: an interface has no more secondary addresses than that, and kubelet runs no more pods


@dataclasses.dataclass(frozen=True)
class Node:
    """One node's place. `instance` is its id at AWS, `number` counts from 1."""

    number: int

    @property
    def name(self) -> str:
        return f"node{self.number}"

    @property
    def zone(self) -> str:
        return ZONES[self._zone]

    @property
    def subnet(self) -> Network:
        return PRIVATE[self._zone]

    @property
    def address(self) -> Address:
        return self.subnet.network_address + 10 + self.number

    @property
    def pods(self) -> Network:
        """The /24 of its pods: the first /24 of the subnet is the nodes' own."""
        return list(self.subnet.subnets(new_prefix=24))[1 + (self.number - 1) // len(ZONES)]

    @property
    def pod_addresses(self) -> list[Address]:
        """Addresses given to pods, in order; .1 is the node's own leg."""
        return [self.pods.network_address + 2 + offset for offset in range(POD_ADDRESSES)]

    @property
    def instance(self) -> str:
        return f"i-{self.number:017x}"

    @property
    def provider_id(self) -> str:
        return f"aws:///{self.zone}/{self.instance}"

    @property
    def _zone(self) -> int:
        return (self.number - 1) % len(ZONES)


def nodes(count: int) -> list[Node]:
    """The first `count` nodes."""
    if not 0 <= count <= MAX_NODES:
        raise ValueError(f"{count} nodes: between 0 and {MAX_NODES} fit the address plan")
    return [Node(number) for number in range(1, count + 1)]


def named(name: str) -> Node:
    """The node of that name."""
    return next(node for node in nodes(MAX_NODES) if node.name == name)


def routes_of(member: Node | None, among: list[Node]) -> dict[Network, Address]:
    """Pod networks and the nodes that lead to them, as `member` must know them: a node does not need its own."""
    return {node.pods: node.address for node in among if node != member}


def on_link(address: Address) -> ipaddress.IPv4Interface:
    """An address as its owner's interface has it: with the whole VPC on the link."""
    return ipaddress.IPv4Interface(f"{address}/{VPC.prefixlen}")
