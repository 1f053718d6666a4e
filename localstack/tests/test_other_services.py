"""ACM, IAM, WAF, tagging, Cognito, Shield and the rest: what AWS does. In order, in one account."""

import pytest
from account import Account, outcome, satisfies, self_signed, unique

OBJECTS = (
    "https",
    "requested",
    "network",
    "group_arn",
)


def describe_user_pool_client(on):
    pool = on.cognito.create_user_pool(PoolName=unique())["UserPool"]["Id"]
    made = on.cognito.create_user_pool_client(UserPoolId=pool, ClientName="x")["UserPoolClient"]["ClientId"]
    return outcome(on.cognito.describe_user_pool_client, UserPoolId=pool, ClientId=made)


def reimport(on):
    """ARN before and after, and what there is then: another certificate with the same tags."""
    certificate, key = self_signed(1)
    before = on.acm.import_certificate(Certificate=certificate, PrivateKey=key, Tags=[{"Key": "cl", "Value": "y"}])["CertificateArn"]
    certificate, key = self_signed(2)
    after = on.acm.import_certificate(CertificateArn=before, Certificate=certificate, PrivateKey=key)["CertificateArn"]
    found = on.acm.describe_certificate(CertificateArn=after)["Certificate"]["DomainName"]
    return before, after, found, on.acm.list_tags_for_certificate(CertificateArn=after)["Tags"]


CHECKS = [
    (
        "acm.import",
        "OK",
        lambda on: outcome(on.acm.import_certificate, Certificate=self_signed(0)[0], PrivateKey=self_signed(0)[1]),
    ),
    (
        "acm.import_other_key",
        "ValidationException",
        lambda on: outcome(on.acm.import_certificate, Certificate=self_signed(0)[0], PrivateKey=self_signed(1)[1]),
    ),
    (
        "acm.import_two",
        "ValidationException",
        lambda on: outcome(
            on.acm.import_certificate,
            Certificate=self_signed(0)[0] + self_signed(1)[0],
            PrivateKey=self_signed(0)[1],
        ),
    ),
    (
        "acm.import_wrong_chain",
        "ValidationException",
        lambda on: outcome(
            on.acm.import_certificate,
            Certificate=self_signed(0)[0],
            CertificateChain=self_signed(1)[0],
            PrivateKey=self_signed(0)[1],
        ),
    ),
    (
        "acm.import_no_pem",
        "ValidationException",
        lambda on: outcome(on.acm.import_certificate, Certificate=b"x", PrivateKey=self_signed(0)[1]),
    ),
    (
        "acm.import_again_keeps_arn_and_tags",
        lambda g: g[0] == g[1] and g[2] == "c2.example.com" and g[3] == [{"Key": "cl", "Value": "y"}],
        lambda on: reimport(on),
    ),
    (
        "acm.import_again_with_tags",
        "ValidationException",
        lambda on: outcome(
            on.acm.import_certificate,
            CertificateArn=on.imported,
            Certificate=self_signed(0)[0],
            PrivateKey=self_signed(0)[1],
            Tags=[{"Key": "cl", "Value": "y"}],
        ),
    ),
    (
        "acm.import_over_a_requested_one",
        "ValidationException",
        lambda on: outcome(
            on.acm.import_certificate,
            CertificateArn=on.requested,
            Certificate=self_signed(0)[0],
            PrivateKey=self_signed(0)[1],
        ),
    ),
    (
        "acm.import_over_nothing",
        "ResourceNotFoundException",
        lambda on: outcome(
            on.acm.import_certificate,
            CertificateArn="arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000",
            Certificate=self_signed(0)[0],
            PrivateKey=self_signed(0)[1],
        ),
    ),
    (
        "rgt.certificates",
        lambda g: len(g) == 1 and ":certificate/" in g[0],
        lambda on: (
            on.acm.add_tags_to_certificate(CertificateArn=on.imported, Tags=[{"Key": "cl", "Value": "x"}]),
            [
                found["ResourceARN"]
                for found in on.tagging.get_resources(
                    TagFilters=[{"Key": "cl", "Values": ["x"]}], ResourceTypeFilters=["acm:certificate"]
                )["ResourceTagMappingList"]
            ],
        )[1],
    ),
    (
        "acm.pending_then",
        lambda g: g in ("PENDING_VALIDATION", "ISSUED"),
        lambda on: on.acm.describe_certificate(CertificateArn=on.requested)["Certificate"]["Status"],
    ),
    (
        "acm.imported_sans",
        lambda g: "c0.example.com" in str(g),
        lambda on: on.acm.describe_certificate(CertificateArn=on.imported)["Certificate"].get(
            "SubjectAlternativeNames"
        ),
    ),
    (
        "acm.list_summary_fields",
        lambda g: {"DomainName", "SubjectAlternativeNameSummaries", "KeyAlgorithm", "Type", "Status"} <= set(g),
        lambda on: list(
            on.acm.list_certificates(Includes={"keyTypes": ["RSA_2048", "RSA_1024", "EC_prime256v1"]})[
                "CertificateSummaryList"
            ][0]
        ),
    ),
    (
        "acm.list_filter_status",
        lambda g: all((c.get("Status", "ISSUED") == "ISSUED" for c in g)) and g,
        lambda on: on.acm.list_certificates(CertificateStatuses=["ISSUED"], Includes={"keyTypes": ["RSA_2048"]})[
            "CertificateSummaryList"
        ],
    ),
    (
        "acm.page",
        lambda g: g[0] == 1 and g[1],
        lambda on: (lambda r: (len(r["CertificateSummaryList"]), r.get("NextToken")))(
            on.acm.list_certificates(MaxItems=1)
        ),
    ),
    (
        "acm.in_use_by",
        lambda g: g[0] in g[1],
        lambda on: (
            on.base_arn,
            on.acm.describe_certificate(CertificateArn=on.imported)["Certificate"].get("InUseBy", []),
        ),
    ),
    (
        "acm.delete_in_use",
        "ResourceInUseException",
        lambda on: outcome(on.acm.delete_certificate, CertificateArn=on.imported),
    ),
    (
        "acm.notfound",
        "ResourceNotFoundException",
        lambda on: outcome(
            on.acm.describe_certificate,
            CertificateArn="arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000",
        ),
    ),
    (
        "iam.server_cert",
        "OK",
        lambda on: (
            outcome(
                on.iam.upload_server_certificate,
                ServerCertificateName=unique(),
                CertificateBody=self_signed(0)[0].decode(),
                PrivateKey=self_signed(0)[1].decode(),
            ),
            outcome(on.iam.list_server_certificates),
        )[1],
    ),
    (
        "waf.associate_get",
        lambda g: g[0] == "OK" and g[1].get("WebACL"),
        lambda on: (
            on.wafv2.associate_web_acl(WebACLArn=on.web_acl[1]["Summary"]["ARN"], ResourceArn=on.base_arn),
            outcome(on.wafv2.get_web_acl_for_resource, ResourceArn=on.base_arn),
        )[1],
    ),
    (
        "waf.associate_another",
        lambda g: g[0] and g[0] == g[1],
        lambda on: (
            on.wafv2.associate_web_acl(WebACLArn=on.web_acl[1]["Summary"]["ARN"], ResourceArn=on.base_arn),
            on.wafv2.associate_web_acl(WebACLArn=on.other_web_acl, ResourceArn=on.base_arn),
            on.wafv2.get_web_acl_for_resource(ResourceArn=on.base_arn)["WebACL"]["ARN"],
            on.other_web_acl,
        )[2:],
    ),
    (
        "waf.get_none",
        lambda g: g[0] == "OK" and (not g[1].get("WebACL")),
        lambda on: outcome(on.wafv2.get_web_acl_for_resource, ResourceArn=on.network["LoadBalancerArn"]),
    ),
    (
        "waf.assoc_bad",
        "WAFNonexistentItemException|WAFInvalidParameterException",
        lambda on: outcome(
            on.wafv2.associate_web_acl,
            WebACLArn="arn:aws:wafv2:us-east-1:123456789012:regional/webacl/x/00000000-0000-0000-0000-000000000000",
            ResourceArn=on.base_arn,
        ),
    ),
    (
        "rgt.filter_lb_tg",
        lambda g: g[0] == "OK" and len(g[1]["ResourceTagMappingList"]) == 2,
        lambda on: (
            on.elbv2.add_tags(ResourceArns=[on.base_arn, on.group_arn], Tags=[{"Key": "cl", "Value": "z"}]),
            outcome(
                on.tagging.get_resources,
                TagFilters=[{"Key": "cl", "Values": ["z"]}],
                ResourceTypeFilters=["elasticloadbalancing:loadbalancer", "elasticloadbalancing:targetgroup"],
            ),
        )[1],
    ),
    (
        "rgt.page",
        lambda g: g[0] == 1 and g[1],
        lambda on: (lambda r: (len(r["ResourceTagMappingList"]), r["PaginationToken"]))(
            on.tagging.get_resources(
                TagFilters=[{"Key": "cl"}],
                ResourcesPerPage=1,
                ResourceTypeFilters=["elasticloadbalancing:loadbalancer", "elasticloadbalancing:targetgroup"],
            )
        ),
    ),
    ("cog.client", "OK", lambda on: describe_user_pool_client(on)),
    ("shield.state", "OK", lambda on: outcome(on.shield.get_subscription_state)),
    (
        "shield.protect",
        lambda g: g[0] == "OK",
        lambda on: (
            outcome(on.shield.create_protection, Name=unique(), ResourceArn=on.base_arn),
            outcome(on.shield.describe_protection, ResourceArn=on.base_arn),
        )[1],
    ),
    (
        "shield.none",
        "ResourceNotFoundException",
        lambda on: outcome(on.shield.describe_protection, ResourceArn=on.network["LoadBalancerArn"]),
    ),
    (
        "wafr.get",
        "OK|WAFNonexistentItemException",
        lambda on: outcome(on.waf_regional.get_web_acl_for_resource, ResourceArn=on.base_arn),
    ),
    (
        "ga.create",
        "OK",
        lambda on: outcome(on.globalaccelerator.create_accelerator, Name=unique(), IdempotencyToken=unique()),
    ),
    (
        "sts.assume_role",
        "OK",
        lambda on: outcome(on.sts.assume_role, RoleArn="arn:aws:iam::123456789012:role/x", RoleSessionName="sess"),
    ),
    (
        "sts.web_identity",
        "OK",
        lambda on: outcome(
            on.sts.assume_role_with_web_identity,
            RoleArn="arn:aws:iam::123456789012:role/x",
            RoleSessionName="sess",
            WebIdentityToken="t",
        ),
    ),
]


@pytest.fixture(scope="module")
def account(emulator, clients):
    emulator.control("POST", "reset", {"seed": None})
    return Account(clients).with_objects(OBJECTS)


@pytest.mark.parametrize(("wanted", "look"), [pytest.param(*check[1:], id=check[0]) for check in CHECKS])
def test_check(wanted, look, account):
    found = look(account)
    assert satisfies(wanted, found), f"wanted {wanted}, found {found}"
