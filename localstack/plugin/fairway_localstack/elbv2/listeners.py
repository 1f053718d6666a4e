"""Listeners and the default rule that each of them has. Source: CreateListener and its neighbours."""

from ..errors import refuse
from . import attributes, protocols
from .actions import count_uses, normal_actions
from .checks import as_tags, check_tag_count, page, put_tags
from .state import public
from .targets import is_target
from .tls import DEFAULT_POLICY, check_tls


def create_listener(elb, request):
    """Succeeds again for equal settings. Source: CreateListener, "This operation is idempotent"."""
    balancer = elb.load_balancer(request["LoadBalancerArn"])
    wanted = _settings(elb, balancer, request)
    others = elb.listeners_of(balancer["LoadBalancerArn"])
    for other in _on_same_port(others, wanted):
        if _identity(other) == _identity(wanted):
            return {"Listeners": [public(other)]}
        refuse("DuplicateListener", f"A listener already exists on port {wanted['Port']} for this load balancer")
    if len(others) >= elb.quota("listeners-per-load-balancer"):
        refuse("TooManyListeners", "The maximum number of listeners has been reached")
    tags = as_tags(request.get("Tags"))
    check_tag_count(elb, tags)
    created = _record(elb, balancer, wanted)
    elb.store.listeners[created["ListenerArn"]] = created
    put_tags(elb, created["ListenerArn"], tags)
    _add_default_rule(elb, created)
    return {"Listeners": [public(created)]}


def _settings(elb, balancer, request):
    protocol, port = request.get("Protocol"), request.get("Port")
    _check_endpoint(balancer, protocol, port)
    encrypted = protocol in protocols.ENCRYPTED
    certificates = request.get("Certificates") or []
    policy = (request.get("SslPolicy") or DEFAULT_POLICY) if encrypted else None
    if encrypted:
        check_tls(elb, certificates, policy)
    authentication = request.get("MutualAuthentication") or {"Mode": "off"}
    _check_trust(elb, authentication)
    return {
        "Protocol": protocol,
        "Port": port,
        "SslPolicy": policy,
        "Certificates": [{"CertificateArn": certificates[0]["CertificateArn"]}] if encrypted else None,
        "AlpnPolicy": request.get("AlpnPolicy") or None,
        "MutualAuthentication": authentication if protocol == "HTTPS" else None,
        "DefaultActions": normal_actions(elb, balancer, protocol, request["DefaultActions"]),
    }


def _check_endpoint(balancer, protocol, port):
    allowed = protocols.of_load_balancer(balancer["Type"])
    if protocol not in allowed:
        refuse("ValidationError", f"Listener protocol '{protocol}' must be one of '{', '.join(sorted(allowed))}'")
    if not port or not 1 <= port <= 65535:
        refuse("ValidationError", "Port must be between 1 and 65535")


def _check_trust(elb, authentication):
    if authentication.get("Mode") == "verify" and authentication.get("TrustStoreArn") not in elb.store.trust_stores:
        refuse("TrustStoreNotFound", "The specified trust store does not exist")


def _on_same_port(others, wanted):
    return [
        other
        for other in others
        if other["Port"] == wanted["Port"] and not protocols.share_a_port(other["Protocol"], wanted["Protocol"])
    ]


def _identity(settings):
    return [settings.get(key) for key in ("Protocol", "DefaultActions", "SslPolicy", "Certificates")]


def _record(elb, balancer, settings):
    parent = balancer["LoadBalancerArn"].replace(":loadbalancer/", ":listener/")
    certificates = [certificate["CertificateArn"] for certificate in settings["Certificates"] or []]
    return {
        "ListenerArn": f"{parent}/{elb.store.new_id()}",
        "LoadBalancerArn": balancer["LoadBalancerArn"],
        **settings,
        "_created": elb.clock.now(),
        "_certificates": certificates,
        "_attributes": attributes.defaults_of_listener(balancer["Type"], settings["Protocol"]),
    }


def _add_default_rule(elb, listener):
    arn = f"{listener['ListenerArn'].replace(':listener/', ':listener-rule/')}/{elb.store.new_id()}"
    elb.store.rules[arn] = {
        "RuleArn": arn,
        "Priority": "default",
        "Conditions": [],
        "Actions": listener["DefaultActions"],
        "IsDefault": True,
        "_listener": listener["ListenerArn"],
        "_created": elb.clock.now(),
    }
    count_uses(elb, listener["LoadBalancerArn"], listener["DefaultActions"], 1)


def describe_listeners(elb, request):
    if request.get("ListenerArns"):
        found = [elb.seen(elb.listener(arn), "Listener") for arn in request["ListenerArns"]]
    elif request.get("LoadBalancerArn"):
        balancer = elb.seen(elb.load_balancer(request["LoadBalancerArn"]), "LoadBalancer")
        found = [record for record in elb.listeners_of(balancer["LoadBalancerArn"]) if elb.visible(record)]
    else:
        refuse("ValidationError", "You must specify either listener ARNs or a load balancer ARN")
    part, marker = page(elb, found, request)
    return {"Listeners": [public(record) for record in part], **marker}


def modify_listener(elb, request):
    record = elb.listener(request["ListenerArn"])
    balancer = elb.load_balancer(record["LoadBalancerArn"])
    given = {key: value for key, value in request.items() if value is not None}
    wanted = _settings(elb, balancer, {**public(record), **given})
    others = [other for other in elb.listeners_of(record["LoadBalancerArn"]) if other is not record]
    if _on_same_port(others, wanted):
        refuse("DuplicateListener", f"A listener already exists on port {wanted['Port']} for this load balancer")
    _take_actions(elb, record, wanted["DefaultActions"])
    _take_certificate(record, wanted["Certificates"])
    if wanted["Protocol"] != record["Protocol"]:
        record["_attributes"] = attributes.defaults_of_listener(balancer["Type"], wanted["Protocol"])
    record.update(wanted)
    return {"Listeners": [public(record)]}


def _take_actions(elb, record, actions):
    count_uses(elb, record["LoadBalancerArn"], actions, 1)
    count_uses(elb, record["LoadBalancerArn"], record["DefaultActions"], -1)
    default = next(rule for rule in elb.rules_of(record["ListenerArn"]) if rule["IsDefault"])
    default["Actions"] = actions


def _take_certificate(record, certificates):
    """Replaces the default certificate; the additional ones stay."""
    if not certificates:
        record["_certificates"] = []
        return
    default = certificates[0]["CertificateArn"]
    record["_certificates"] = [default] + [arn for arn in record["_certificates"][1:] if arn != default]


def delete_listener(elb, request):
    record = elb.listener(request["ListenerArn"])
    if is_target(elb, record["LoadBalancerArn"], record["Port"]):
        refuse("ResourceInUse", f"Listener port '{record['Port']}' is in use by a registered target and cannot be removed")
    for rule in elb.rules_of(record["ListenerArn"]):
        count_uses(elb, record["LoadBalancerArn"], rule["Actions"], -1)
        elb.store.rules.pop(rule["RuleArn"])
        elb.store.tags.pop(rule["RuleArn"], None)
    elb.store.listeners.pop(record["ListenerArn"])
    elb.store.tags.pop(record["ListenerArn"], None)
    return {}


def modify_listener_attributes(elb, request):
    return attributes.change(elb.listener(request["ListenerArn"])["_attributes"], request.get("Attributes"))


def describe_listener_attributes(elb, request):
    return attributes.listed(elb.listener(request["ListenerArn"])["_attributes"])
