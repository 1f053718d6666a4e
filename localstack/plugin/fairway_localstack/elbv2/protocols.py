"""Which protocols go together. Source: "Listeners" and "Routing configuration" in the two load balancer user guides."""

HTTP = frozenset({"HTTP", "HTTPS"})
TRANSPORT = frozenset({"TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC"})
ENCRYPTED = frozenset({"HTTPS", "TLS"})

# listener protocol -> target group protocols of a Network Load Balancer
_FORWARDS_TO = {
    "TCP": {"TCP", "TCP_UDP"},
    "TLS": {"TCP", "TLS"},
    "UDP": {"UDP", "TCP_UDP"},
    "TCP_UDP": {"TCP_UDP"},
    "QUIC": {"QUIC", "TCP_QUIC"},
    "TCP_QUIC": {"TCP_QUIC"},
}


def of_load_balancer(kind):
    return HTTP if kind == "application" else TRANSPORT


def compatible(kind, listener_protocol, group):
    """Whether a listener of this protocol may forward to the target group."""
    if kind == "application":
        return group["TargetType"] == "lambda" or group["Protocol"] in HTTP
    return group["Protocol"] in _FORWARDS_TO.get(listener_protocol, ())


def share_a_port(one, other):
    """TCP and UDP listeners may stand on the same port; any other two may not."""
    return {one, other} == {"TCP", "UDP"}
