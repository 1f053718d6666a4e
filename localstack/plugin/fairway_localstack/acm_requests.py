"""Certificates that ACM is asked for: tokens, records, and when one is issued, as AWS does and moto does not.

A private authority issues by itself. Amazon does when it sees a CNAME for each domain in a public zone, which is the same for
one domain of an account whoever asks and however often; a wildcard shares that of its parent. The records are told some time
after the request (`certificate_seconds`), and a private certificate takes as long. Names below `.invalid` are not public:
Amazon issues nothing for them.

Sources: RequestCertificate, DescribeCertificate (FailureReason); "DNS validation" and "Quotas" in the ACM user guide.
"""

import hashlib
from functools import partial

from moto.acm.models import acm_backends

from .errors import refuse
from .moto_bridge import is_private_zone

# "72 hours": how long Amazon looks for the records.
PATIENCE = 72 * 3600
MOST_NAMES = 100
NOT_PUBLIC = ".invalid"


def request_certificate(base, emulator, context, request):
    names = _names(request)
    if len(names) > min(MOST_NAMES, emulator.settings.quotas["domains-per-certificate"]):
        refuse("LimitExceededException", f"Error: the maximum number of domain names is {emulator.settings.quotas['domains-per-certificate']}.")
    if len(request["DomainName"]) > 64:
        refuse("ValidationException", "The first domain name can be no longer than 64 characters.")
    token = request.get("IdempotencyToken")
    if token is not None and not 1 <= len(token) <= 32:
        refuse("ValidationException", "idempotencyToken must have length between 1 and 32")
    backend = acm_backends[context.account_id][context.region]
    tokens = emulator.certificate_tokens
    known = tokens.get((context.account_id, context.region, token))
    # "If you call RequestCertificate multiple times with the same idempotency token within one hour".
    if token and known and emulator.clock.now() - known["at"] < 3600 and known["arn"] in backend._certificates:
        if known["names"] != names:
            refuse("ValidationException", "The idempotency token was used for another request.")
        return {"CertificateArn": known["arn"]}
    if emulator.certificates_requested >= emulator.settings.quotas["certificates-per-year"]:
        refuse("LimitExceededException", "Error: you have reached the maximum number of certificates for the last 365 days.")
    # moto's own hour is a real one.
    backend._idempotency_tokens.clear()
    answer = base(context, request)
    emulator.certificates_requested += 1
    arn = answer["CertificateArn"]
    if token:
        tokens[context.account_id, context.region, token] = {"arn": arn, "names": names, "at": emulator.clock.now()}
    bundle = backend._certificates[arn]
    bundle.requested_at, bundle.created, bundle.names, bundle.status = emulator.clock.now(), emulator.clock.wall(), names, "PENDING_VALIDATION"
    bundle.check = partial(_progress, emulator, context.account_id, bundle)
    return answer


def described(emulator, context, certificate):
    """The certificate as AWS shows it, in the place of moto's idea of it."""
    bundle = acm_backends[context.account_id][context.region]._certificates[certificate["CertificateArn"]]
    if not hasattr(bundle, "requested_at"):
        return certificate
    certificate = {**certificate, "CreatedAt": bundle.created, "SubjectAlternativeNames": bundle.names}
    if bundle.status == "FAILED":
        certificate["FailureReason"] = "INVALID_PUBLIC_DOMAIN"
    certificate.pop("DomainValidationOptions", None)
    if bundle.cert_authority_arn:
        return {**certificate, "CertificateAuthorityArn": bundle.cert_authority_arn}
    told = _age(emulator, bundle) >= emulator.settings.certificate_seconds
    return {**certificate, "DomainValidationOptions": [_option(bundle, name, told) for name in bundle.names]}


def _option(bundle, name, told):
    status = {"ISSUED": "SUCCESS", "PENDING_VALIDATION": "PENDING_VALIDATION"}.get(bundle.status, "FAILED")
    option = {"DomainName": name, "ValidationDomain": name, "ValidationStatus": status, "ValidationMethod": "DNS"}
    return {**option, "ResourceRecord": validation_record(name)} if told else option


def validation_record(name):
    domain = name.removeprefix("*.")
    digest = hashlib.sha256(domain.encode()).hexdigest()
    return {"Name": f"_{digest[:32]}.{domain}.", "Type": "CNAME", "Value": f"_{digest[32:]}.acm-validations.aws."}


def _names(request):
    names = [request["DomainName"], *(request.get("SubjectAlternativeNames") or [])]
    return list(dict.fromkeys(name.lower() for name in names))


def _age(emulator, bundle):
    return emulator.clock.now() - bundle.requested_at


def _progress(emulator, account, bundle):
    """What moto asks of a certificate before it shows it."""
    if bundle.status != "PENDING_VALIDATION" or _age(emulator, bundle) < emulator.settings.certificate_seconds:
        return
    if bundle.cert_authority_arn:
        bundle.status = "ISSUED"
    elif any(name.endswith(NOT_PUBLIC) for name in bundle.names):
        bundle.status = "FAILED"
    elif all(_is_there(emulator, account, validation_record(name)) for name in bundle.names):
        bundle.status = "ISSUED"
    elif _age(emulator, bundle) >= PATIENCE:
        bundle.status = "VALIDATION_TIMED_OUT"


def _is_there(emulator, account, record):
    wanted = (record["Name"].rstrip("."), record["Value"].rstrip("."))
    for (owner, zone_id), zone in emulator.zones.zones.items():
        if owner != account or is_private_zone(account, zone_id):
            continue
        for found in map(zone.get, zone.keys):
            if found["Type"] == "CNAME" and _plain(found) == wanted:
                return True
    return False


def _plain(found):
    return (found["Name"].rstrip("."), *(value["Value"].rstrip(".") for value in found.get("ResourceRecords", [])))
