"""Where ACM is stricter than moto: pages, default filter, certificates in use, what may be imported.

A handler is `(base, emulator, context, request) -> answer`; `base(context, request)` is moto's answer.
"""

import re

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from moto.acm.models import acm_backends

from . import acm_requests
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
    certificate = acm_requests.described(emulator, context, answer["Certificate"])
    return {**answer, "Certificate": {**certificate, "InUseBy": sorted(in_use_by)}}


def delete_certificate(base, emulator, context, request):
    """Source: DeleteCertificate, "You cannot delete an ACM certificate that is being used by another AWS service"."""
    arn = request["CertificateArn"]
    if arn in _used(emulator, context):
        refuse("ResourceInUseException", f"Certificate {arn} is in use.")
    return base(context, request)


def import_certificate(base, emulator, context, request):
    """Source: ImportCertificate, and its guide's prerequisites."""
    certificates = _certificates(request["Certificate"], "certificate")
    if len(certificates) > 1:
        refuse("ValidationException", "The certificate field contains more than one certificate. You can specify only one certificate in this field.")
    chain = _certificates(request["CertificateChain"], "certificate chain") if request.get("CertificateChain") else []
    _check_key(request["PrivateKey"], certificates[0])
    for index, (one, issuer) in enumerate(zip([*certificates, *chain], chain)):
        _check_issuer(index, one, issuer)
    arn = request.get("CertificateArn")
    before = acm_backends[context.account_id][context.region]._certificates.get(arn)
    if arn and request.get("Tags"):
        refuse("ValidationException", "You cannot apply tags when reimporting a certificate.")
    if before and before.type != "IMPORTED":
        refuse("ValidationException", f"Certificate {arn} was not imported.")
    answer = base(context, request)
    if before:
        # The certificate stays the same resource: its tags belong to the ARN.
        acm_backends[context.account_id][context.region]._certificates[arn].tags = before.tags
    return answer


def _certificates(pem, field):
    blocks = re.findall(b"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", pem, re.DOTALL)
    try:
        found = [x509.load_pem_x509_certificate(block) for block in blocks]
    except ValueError:
        found = []
    if not found:
        refuse("ValidationException", f"The {field} is not in a valid PEM format.")
    return found


def _check_key(pem, certificate):
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (TypeError, ValueError):
        refuse("ValidationException", "The private key is not supported.")
    spki = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(*spki) != certificate.public_key().public_bytes(*spki):
        refuse("ValidationException", "The private key does not match the certificate.")


def _check_issuer(index, certificate, issuer):
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, TypeError, ValueError):
        refuse(
            "ValidationException",
            "Unable to validate certificate chain. The certificate chain must start with the immediate signing certificate, followed by any "
            f"intermediaries in order. The index within the chain of the invalid certificate is: {index}",
        )


def _used(emulator, context):
    return certificates_in_use(emulator.elb(context.account_id, context.region))


OPERATIONS = {
    "DeleteCertificate": delete_certificate,
    "DescribeCertificate": describe_certificate,
    "ImportCertificate": import_certificate,
    "ListCertificates": list_certificates,
    "RequestCertificate": acm_requests.request_certificate,
}
