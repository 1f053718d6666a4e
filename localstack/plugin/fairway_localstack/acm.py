"""Where ACM is stricter than moto: pages, default filter, certificates in use.

A handler is `(base, emulator, context, request) -> answer`; `base(context, request)` is moto's answer.
"""

from .elbv2.tls import certificates_in_use
from .errors import refuse
from .pages import cut

MAX_ITEMS = 1000
# Source: Filters, keyTypes: "Default filtering returns only RSA_1024 and RSA_2048 certificates".
DEFAULT_KEY_TYPES = ("RSA_1024", "RSA_2048")


def list_certificates(base, emulator, context, request):
    summaries = base(context, request).get("CertificateSummaryList") or []
    if not (request.get("Includes") or {}).get("keyTypes"):
        summaries = [found for found in summaries if _key_type(found) in DEFAULT_KEY_TYPES]
    used = _used(emulator, context)
    summaries = [{**found, "InUse": found["CertificateArn"] in used} for found in summaries]
    size = request.get("MaxItems") or MAX_ITEMS
    if not 1 <= size <= MAX_ITEMS:
        refuse("ValidationException", f"MaxItems must be between 1 and {MAX_ITEMS}")
    size = min(size, emulator.settings.page_size or size)
    part, following = cut(summaries, size, request.get("NextToken"), "ValidationException")
    return {"CertificateSummaryList": part, **({"NextToken": following} if following else {})}


def _key_type(summary):
    return (summary.get("KeyAlgorithm") or "RSA_2048").replace("-", "_")


def describe_certificate(base, emulator, context, request):
    answer = base(context, request)
    in_use_by = _used(emulator, context).get(request["CertificateArn"], set())
    return {**answer, "Certificate": {**answer["Certificate"], "InUseBy": sorted(in_use_by)}}


def delete_certificate(base, emulator, context, request):
    """Source: DeleteCertificate, "You cannot delete an ACM certificate that is being used by another AWS service"."""
    arn = request["CertificateArn"]
    if arn in _used(emulator, context):
        refuse("ResourceInUseException", f"Certificate {arn} is in use.")
    return base(context, request)


def _used(emulator, context):
    return certificates_in_use(emulator.elb(context.account_id, context.region))


OPERATIONS = {
    "DeleteCertificate": delete_certificate,
    "DescribeCertificate": describe_certificate,
    "ListCertificates": list_certificates,
}
