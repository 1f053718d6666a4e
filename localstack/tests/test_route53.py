"""Route 53: what AWS does. In order, in one account."""

import pytest
from account import Account, outcome, record, satisfies, unique

OBJECTS = ("zone",)


CHECKS = [
    ("r53.create", "OK", lambda on: on.change(record("CREATE", "a.example.com"))),
    (
        "r53.change_pending_or_insync",
        lambda g: g in ("PENDING", "INSYNC"),
        lambda on: on.change(record("UPSERT", "st.example.com"))[1]["ChangeInfo"]["Status"],
    ),
    ("r53.create_existing", "InvalidChangeBatch", lambda on: on.change(record("CREATE", "a.example.com"))),
    (
        "r53.delete_wrong_value",
        "InvalidChangeBatch",
        lambda on: on.change(record("DELETE", "a.example.com", value="2.2.2.2")),
    ),
    ("r53.delete_wrong_ttl", "InvalidChangeBatch", lambda on: on.change(record("DELETE", "a.example.com", ttl=61))),
    ("r53.delete_missing", "InvalidChangeBatch", lambda on: on.change(record("DELETE", "zz.example.com"))),
    (
        "r53.atomic_batch",
        lambda g: g[0] == "InvalidChangeBatch" and (not g[1]),
        lambda on: (lambda e: (e[0], any((n == "atom.example.com." for n, _ in on.record_names())), e[1]))(
            on.change(record("CREATE", "atom.example.com"), record("CREATE", "a.example.com"))
        ),
    ),
    (
        "r53.error_messages_listed",
        lambda g: "already exists" in str(g),
        lambda on: on.change(record("CREATE", "a.example.com"))[1],
    ),
    (
        "r53.cname_conflict",
        "InvalidChangeBatch",
        lambda on: on.change(record("CREATE", "a.example.com", "CNAME", "b.example.com")),
    ),
    (
        "r53.cname_apex",
        "InvalidChangeBatch",
        lambda on: on.change(record("CREATE", "example.com", "CNAME", "b.example.com")),
    ),
    ("r53.out_of_zone", "InvalidChangeBatch", lambda on: on.change(record("CREATE", "a.other.com"))),
    ("r53.bad_ip", "InvalidChangeBatch", lambda on: on.change(record("CREATE", "bad.example.com", value="999.1.1.1"))),
    (
        "r53.txt_unquoted",
        "InvalidChangeBatch",
        lambda on: on.change(record("CREATE", "t.example.com", "TXT", "noquotes")),
    ),
    (
        "r53.alias_to_alb",
        "OK",
        lambda on: on.change(
            record(
                "CREATE",
                "al.example.com",
                value=None,
                AliasTarget={
                    "HostedZoneId": "Z35SXDOTRQ7X7K",
                    "DNSName": "dualstack.x-1.us-east-1.elb.amazonaws.com",
                    "EvaluateTargetHealth": True,
                },
            )
        ),
    ),
    (
        "r53.alias_wrong_zone",
        "InvalidChangeBatch",
        lambda on: on.change(
            record(
                "CREATE",
                "al2.example.com",
                value=None,
                AliasTarget={
                    "HostedZoneId": "ZWRONG",
                    "DNSName": "x-1.us-east-1.elb.amazonaws.com",
                    "EvaluateTargetHealth": True,
                },
            )
        ),
    ),
    (
        "r53.alias_dnsname_trailing_dot",
        lambda g: g and g[0].endswith("."),
        lambda on: [
            r["AliasTarget"]["DNSName"]
            for r in on.route53.list_resource_record_sets(HostedZoneId=on.zone)["ResourceRecordSets"]
            if "AliasTarget" in r
        ],
    ),
    (
        "r53.wildcard_escaped",
        lambda g: any((n == "\\052.example.com." for n, _ in g)),
        lambda on: (on.change(record("CREATE", "*.example.com")), on.record_names())[1],
    ),
    (
        "r53.order_reversed_labels",
        lambda g: g.index("b.aa.example.com.") < g.index("ab.example.com.") if "b.aa.example.com." in g else False,
        lambda on: (
            on.change(record("CREATE", "b.aa.example.com"), record("CREATE", "ab.example.com")),
            [n for n, _ in on.record_names()],
        )[1],
    ),
    (
        "r53.weighted",
        "OK",
        lambda on: on.change(
            record("CREATE", "w.example.com", SetIdentifier="1", Weight=1),
            record("CREATE", "w.example.com", value="1.1.1.2", SetIdentifier="2", Weight=2),
        ),
    ),
    (
        "r53.weighted_plus_simple",
        "InvalidChangeBatch",
        lambda on: on.change(record("CREATE", "w.example.com", value="1.1.1.9")),
    ),
    (
        "r53.weighted_plus_latency",
        "InvalidChangeBatch",
        lambda on: on.change(record("CREATE", "w.example.com", value="1.1.1.9", SetIdentifier="3", Region="us-east-1")),
    ),
    (
        "r53.geo",
        "OK",
        lambda on: on.change(
            record("CREATE", "g.example.com", SetIdentifier="eu", GeoLocation={"ContinentCode": "EU"}),
            record("CREATE", "g.example.com", value="1.1.1.2", SetIdentifier="def", GeoLocation={"CountryCode": "*"}),
        ),
    ),
    (
        "r53.geoproximity",
        "OK",
        lambda on: on.change(
            record(
                "CREATE",
                "gp.example.com",
                SetIdentifier="x",
                GeoProximityLocation={"AWSRegion": "us-east-1", "Bias": 10},
            )
        ),
    ),
    (
        "r53.geoproximity_roundtrip",
        lambda g: "GeoProximityLocation" in str(g),
        lambda on: [
            r
            for r in on.route53.list_resource_record_sets(HostedZoneId=on.zone)["ResourceRecordSets"]
            if r["Name"].startswith("gp.")
        ],
    ),
    # With a health check, because "you include the HealthCheckId element and specify the health check that you want
    # Amazon Route 53 to perform for each resource record set" (API reference, ResourceRecordSet, Failover).
    (
        "r53.failover_multi",
        "OK",
        lambda on: on.change(
            record(
                "CREATE",
                "f.example.com",
                SetIdentifier="p",
                Failover="PRIMARY",
                HealthCheckId="00000000-0000-0000-0000-000000000001",
            ),
            record("CREATE", "m.example.com", SetIdentifier="p", MultiValueAnswer=True),
        ),
    ),
    (
        "r53.delete_then_create_same_batch",
        "OK",
        lambda on: on.change(record("DELETE", "a.example.com"), record("CREATE", "a.example.com", value="3.3.3.3")),
    ),
    (
        "r53.batch_1001",
        "InvalidChangeBatch|TooManyChanges|ValidationError",
        lambda on: on.change(*[record("CREATE", f"n{i}.example.com") for i in range(1001)]),
    ),
    (
        "r53.batch_500_upserts_over_1000_counts_ok",
        "OK",
        lambda on: on.change(*[record("UPSERT", f"n{i}.example.com") for i in range(500)]),
    ),
    (
        "r53.batch_501_upserts(=1002)",
        "InvalidChangeBatch",
        lambda on: on.change(*[record("UPSERT", f"n{i}.example.com") for i in range(501)]),
    ),
    (
        "r53.page_300",
        lambda g: g[0] == 300 and g[1] and g[2],
        lambda on: (lambda r: (len(r["ResourceRecordSets"]), r["IsTruncated"], r.get("NextRecordName")))(
            on.route53.list_resource_record_sets(HostedZoneId=on.zone)
        ),
    ),
    (
        "r53.paginate_all_unique",
        lambda g: g[0] == g[1] and g[0] > 500,
        lambda on: (lambda l: (len(l), len(set(l))))(
            [
                (r["Name"], r["Type"], r.get("SetIdentifier"))
                for p in on.route53.get_paginator("list_resource_record_sets").paginate(
                    HostedZoneId=on.zone, PaginationConfig={"PageSize": 100}
                )
                for r in p["ResourceRecordSets"]
            ]
        ),
    ),
    (
        "r53.delete_apex_ns",
        "InvalidChangeBatch",
        lambda on: (lambda r: on.change({"Action": "DELETE", "ResourceRecordSet": r}))(
            [
                r
                for r in on.route53.list_resource_record_sets(HostedZoneId=on.zone)["ResourceRecordSets"]
                if r["Type"] == "NS"
            ][0]
        ),
    ),
    ("r53.zone_notempty", "HostedZoneNotEmpty", lambda on: outcome(on.route53.delete_hosted_zone, Id=on.zone)),
    ("r53.zone_notfound", "NoSuchHostedZone", lambda on: on.change(record("CREATE", "a.example.com"), zone="ZNOPE123")),
    (
        "r53.private_zone",
        lambda g: g[0] and g[1],
        lambda on: (
            lambda q: (
                q["HostedZone"]["Config"]["PrivateZone"],
                on.route53.get_hosted_zone(Id=q["HostedZone"]["Id"])["VPCs"],
            )
        )(
            on.route53.create_hosted_zone(
                Name="example.com",
                CallerReference=unique(),
                VPC={"VPCRegion": "us-east-1", "VPCId": on.vpc},
                HostedZoneConfig={"PrivateZone": True},
            )
        ),
    ),
    (
        "r53.list_zones_page",
        lambda g: g[0] == 1 and g[1],
        lambda on: (lambda r: (len(r["HostedZones"]), r["IsTruncated"]))(on.route53.list_hosted_zones(MaxItems="1")),
    ),
    (
        "r53.zone_record_count",
        lambda g: g > 400,
        lambda on: on.route53.get_hosted_zone(Id=on.zone)["HostedZone"].get("ResourceRecordSetCount"),
    ),
    (
        "r53.caller_ref_dup",
        "HostedZoneAlreadyExists",
        lambda on: (
            lambda u: (
                on.route53.create_hosted_zone(Name="q.com", CallerReference=u),
                outcome(on.route53.create_hosted_zone, Name="q.com", CallerReference=u),
            )[1]
        )(unique()),
    ),
    (
        "r53.tags_for_resources",
        lambda g: g[0] == "OK" and len(g[1]["ResourceTagSets"]) == 1,
        lambda on: (
            on.route53.change_tags_for_resource(
                ResourceType="hostedzone", ResourceId=on.zone, AddTags=[{"Key": "a", "Value": "b"}]
            ),
            outcome(on.route53.list_tags_for_resources, ResourceType="hostedzone", ResourceIds=[on.zone]),
        )[1],
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
