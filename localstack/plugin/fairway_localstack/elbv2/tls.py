"""Certificates and security policies of listeners."""

from ..errors import refuse
from .checks import page

DEFAULT_POLICY = "ELBSecurityPolicy-2016-08"
# Source: "Security policies" in the Application Load Balancer user guide.
POLICIES = frozenset(
    {
        DEFAULT_POLICY,
        "ELBSecurityPolicy-FS-1-2-Res-2020-10",
        "ELBSecurityPolicy-TLS-1-1-2017-01",
        "ELBSecurityPolicy-TLS-1-2-2017-01",
        "ELBSecurityPolicy-TLS-1-2-Ext-2018-06",
        "ELBSecurityPolicy-TLS13-1-0-2021-06",
        "ELBSecurityPolicy-TLS13-1-1-2021-06",
        "ELBSecurityPolicy-TLS13-1-2-2021-06",
        "ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06",
        "ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06",
        "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
        "ELBSecurityPolicy-TLS13-1-3-2021-06",
    }
)


def check_certificates(elb, certificates):
    for certificate in certificates:
        if not elb.network.has_certificate(certificate["CertificateArn"]):
            refuse("CertificateNotFound", f"Certificate '{certificate['CertificateArn']}' not found")
        if not elb.network.is_issued(certificate["CertificateArn"]):
            refuse(
                "UnsupportedCertificate",
                f"The certificate '{certificate['CertificateArn']}' must have a fully-qualified domain name, a supported signature, and a supported key size",
            )


def check_tls(elb, certificates, policy):
    """What an encrypted listener needs: one certificate that exists, a policy that exists."""
    if not certificates:
        refuse("ValidationError", "A certificate must be specified for HTTPS and TLS listeners")
    if len(certificates) != 1:
        refuse("ValidationError", "A listener has exactly one default certificate")
    check_certificates(elb, certificates)
    if policy not in POLICIES:
        refuse("SSLPolicyNotFound", f"SSL policy '{policy}' not found")


def add_listener_certificates(elb, request):
    listener, added = elb.listener(request["ListenerArn"]), request["Certificates"]
    check_certificates(elb, added)
    arns = [certificate["CertificateArn"] for certificate in added]
    merged = listener["_certificates"] + [arn for arn in arns if arn not in listener["_certificates"]]
    # The default certificate does not count.
    if len(merged) - 1 > elb.quota("certificates-per-load-balancer"):
        refuse("TooManyCertificates", "The maximum number of certificates on the load balancer has been reached")
    listener["_certificates"] = merged
    return {"Certificates": [{"CertificateArn": arn, "IsDefault": False} for arn in arns]}


def remove_listener_certificates(elb, request):
    listener = elb.listener(request["ListenerArn"])
    arns = {certificate["CertificateArn"] for certificate in request["Certificates"]}
    if arns & set(listener["_certificates"][:1]):
        refuse("OperationNotPermitted", "The default certificate cannot be removed")
    listener["_certificates"] = [arn for arn in listener["_certificates"] if arn not in arns]
    return {}


def describe_listener_certificates(elb, request):
    listener = elb.listener(request["ListenerArn"])
    every = [{"CertificateArn": arn, "IsDefault": not index} for index, arn in enumerate(listener["_certificates"])]
    part, marker = page(elb, every, request)
    return {"Certificates": part, **marker}


def describe_ssl_policies(elb, request):
    names = request.get("Names") or sorted(POLICIES)
    if set(names) - POLICIES:
        refuse("SSLPolicyNotFound", "One or more SSL policies not found")
    part, marker = page(elb, [{"Name": name, "SslProtocols": ["TLSv1.2"], "Ciphers": []} for name in names], request)
    return {"SslPolicies": part, **marker}


def certificates_in_use(elb):
    """Certificate ARN -> ARNs of the load balancers whose listeners carry it."""
    used = {}
    for listener in elb.store.listeners.values():
        for arn in listener["_certificates"]:
            used.setdefault(arn, set()).add(listener["LoadBalancerArn"])
    return used
