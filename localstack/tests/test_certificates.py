"""Certificates that ACM is asked for."""

import pytest
from account import Account, record
from botocore.exceptions import ClientError

AUTHORITY = "arn:aws:acm-pca:us-east-1:123456789012:certificate-authority/11111111-1111-1111-1111-111111111111"


@pytest.fixture
def account(world, clients):
    return Account(clients)


def request(on, *names, **more):
    asked = {"ValidationMethod": "DNS", **more} if "CertificateAuthorityArn" not in more else more
    return on.acm.request_certificate(DomainName=names[0], SubjectAlternativeNames=list(names), **asked)["CertificateArn"]


def refused(call, *given, **more):
    with pytest.raises(ClientError) as failure:
        call(*given, **more)
    return failure.value.response["Error"]["Code"]


def seen(on, arn):
    return on.acm.describe_certificate(CertificateArn=arn)["Certificate"]


def records(certificate):
    return [option.get("ResourceRecord") for option in certificate["DomainValidationOptions"]]


def validate(on, certificate):
    for one in {found["Name"]: found for found in records(certificate)}.values():
        answer = on.change(record("UPSERT", one["Name"].rstrip("."), "CNAME", one["Value"]))
        assert answer[0] == "OK", answer


def test_records_are_told_after_a_moment_and_validate_once_they_are_there(account, world):
    account.with_objects(["zone"])
    world("PUT", "settings", {"certificate_seconds": 10})
    arn = request(account, "a.example.com", "*.a.example.com")
    fresh = seen(account, arn)
    assert (fresh["Status"], fresh["Type"], records(fresh)) == ("PENDING_VALIDATION", "AMAZON_ISSUED", [None, None])
    world("POST", "clock", {"advance": 11})
    told = seen(account, arn)
    assert told["Status"] == "PENDING_VALIDATION"
    assert len({found["Name"] for found in records(told)}) == 1, "a wildcard shares the record of its parent"
    validate(account, told)
    assert seen(account, arn)["Status"] == "ISSUED"
    assert set(seen(account, arn)["SubjectAlternativeNames"]) == {"a.example.com", "*.a.example.com"}
    # The record is the domain's: another request for it needs no other.
    other = request(account, "a.example.com")
    world("POST", "clock", {"advance": 11})
    assert seen(account, other)["Status"] == "ISSUED"


def test_a_private_authority_issues_by_itself(account, world):
    world("PUT", "settings", {"certificate_seconds": 10})
    arn = request(account, "a.corp.example", CertificateAuthorityArn=AUTHORITY)
    fresh = seen(account, arn)
    assert (fresh["Status"], fresh["Type"], fresh["CertificateAuthorityArn"]) == ("PENDING_VALIDATION", "PRIVATE", AUTHORITY)
    assert "DomainValidationOptions" not in fresh
    world("POST", "clock", {"advance": 11})
    assert seen(account, arn)["Status"] == "ISSUED"


def test_a_token_names_one_request_for_an_hour(account, world):
    first = request(account, "a.example.com", IdempotencyToken="one")
    assert request(account, "a.example.com", IdempotencyToken="one") == first
    assert request(account, "a.example.com", IdempotencyToken="two") != first
    assert refused(request, account, "b.example.com", IdempotencyToken="one") == "ValidationException"
    world("POST", "clock", {"advance": 3601})
    assert request(account, "a.example.com", IdempotencyToken="one") != first


def test_what_is_not_validated_fails(account, world):
    assert (seen(account, request(account, "a.invalid"))["Status"], seen(account, request(account, "a.invalid"))["FailureReason"]) == (
        "FAILED", "INVALID_PUBLIC_DOMAIN")
    arn = request(account, "late.example.com")
    world("POST", "clock", {"advance": 72 * 3600})
    assert seen(account, arn)["Status"] == "VALIDATION_TIMED_OUT"


def test_quotas_of_names_and_of_requests(account, world):
    assert refused(request, account, *[f"{n}.example.com" for n in range(11)]) == "LimitExceededException"
    world("PUT", "settings", {"quotas": {"certificates-per-year": 1}})
    request(account, "a.example.com")
    assert refused(request, account, "b.example.com") == "LimitExceededException"


def test_a_listener_takes_only_what_is_issued(account):
    arn = request(account, "never.example.com")
    code = refused(
        account.elbv2.create_listener,
        LoadBalancerArn=account.base_arn,
        Protocol="HTTPS",
        Port=8443,
        Certificates=[{"CertificateArn": arn}],
        DefaultActions=[{"Type": "forward", "TargetGroupArn": account.group_arn}],
    )
    assert code == "UnsupportedCertificate"
