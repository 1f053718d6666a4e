"""Certificates that are requested from ACM for the hosts of an Ingress: made, awaited without waiting, exchanged, deleted."""

from e2e.lib.waiting import eventually, need, steadily

FLAGS = ("--feature-gates=EnableCertificateManagement=true",)
AUTHORITY = "arn:aws:acm-pca:us-east-1:000000000000:certificate-authority/one"
IP = {"target-type": "ip"}
PRIVATE = {**IP, "create-acm-cert": "true", "acm-pca-arn": AUTHORITY}
NEVER = 10**6
KINDS = {"keyTypes": ["RSA_2048"]}
# A fresh certificate is asked after every ten seconds.
ISSUED = 60.0


def routes(*hosts):
    return [(host, "/", "Exact", "web", 80) for host in hosts]


def requested(cloud, namespace):
    """Certificates of a namespace's stacks, by ARN: names, and tags."""
    acm, found = cloud.acm, {}
    for one in acm.list_certificates(Includes=KINDS)["CertificateSummaryList"]:
        arn = one["CertificateArn"]
        try:
            tags = {tag["Key"]: tag["Value"] for tag in acm.list_tags_for_certificate(CertificateArn=arn)["Tags"]}
            names = acm.describe_certificate(CertificateArn=arn)["Certificate"]["SubjectAlternativeNames"]
        except acm.exceptions.ResourceNotFoundException:
            continue
        if tags.get("ingress.k8s.aws/stack", "").startswith(namespace):
            found[arn] = (sorted(names), tags)
    return found


def only(cloud, namespace, *hosts):
    found = requested(cloud, namespace)
    need([names for names, _ in found.values()] == [sorted(hosts)], found)
    return next(iter(found))


def written(cloud, place):
    return [call["operation"] for call in cloud.writes(place)]


def counted(cloud):
    return cloud.counters()["calls"].get("acm.RequestCertificate", 0)


def test_a_private_certificate_comes_changes_and_goes(shop, cloud):
    host, more = f"a.{shop.namespace}.internal", f"b.{shop.namespace}.internal"
    shop.ingress("a", routes(host), PRIVATE)
    listeners = shop.up("a", seconds=ISSUED)["listeners"]
    first = only(cloud, shop.namespace, host)
    assert {port: one["certificates"] for port, one in listeners.items()} == {"443/HTTPS": [first]}
    tags = requested(cloud, shop.namespace)[first][1]
    assert tags["ingress.k8s.aws/resource"].startswith(f"private/{host}-")

    place = cloud.mark()
    shop.ingress("a", routes(host, more), PRIVATE)
    second = eventually("one certificate for both hosts", lambda: only(cloud, shop.namespace, host, more), ISSUED)
    assert shop.up("a")["listeners"]["443/HTTPS"]["certificates"] == [second] != [first]
    names = written(cloud, place)
    assert names.index("RequestCertificate") < names.index("ModifyListener") < names.index("DeleteCertificate"), names

    shop.remove("Ingress", "a")
    assert requested(cloud, shop.namespace) == {}


def test_defect_15_a_certificate_that_does_not_come_keeps_nobody_waiting(shop, cluster, cloud):
    group = {"group.name": f"{shop.namespace}-shop"}
    ports = {"listen-ports": '[{"HTTP":80},{"HTTPS":443}]'}
    cloud.forget()
    cloud.settings(certificate_seconds=NEVER)
    host, other = f"a.{shop.namespace}.internal", f"b.{shop.namespace}.internal"
    stack = shop.ingress("a", routes(host), {**PRIVATE, **group, **ports})
    eventually("it is asked for", lambda: only(cloud, shop.namespace, host))
    assert counted(cloud) == 1
    eventually("its plain listener is served", lambda: need(shop.routes("a") == [f"{host} / -> a-web:80"], shop.routes("a")))
    assert list(shop.seen("a")["listeners"]) == ["80/HTTP"]

    def awaited():
        ready = next(one for one in cluster.state(stack)["status"]["conditions"] if one["type"] == "Ready")
        need((ready["status"], ready["reason"]) == ("False", "CertificatePending"), ready)

    eventually("it says what it waits for", awaited)
    # Neighbours in the group come, change and go.
    shop.ingress("b", routes(other), {**IP, **group})
    eventually("the neighbour is served", lambda: need(len(shop.routes("a")) == 2, shop.routes("a")))
    shop.remove("Ingress", "b")
    eventually("and gone", lambda: need(len(shop.routes("a")) == 1, shop.routes("a")))
    # So do other load balancers.
    shop.ingress("c", routes(other), IP)
    shop.up("c")
    steadily("nothing is asked for twice", lambda: need(counted(cloud) == 1, cloud.counters()["calls"]), 12.0)

    cloud.settings(certificate_seconds=0)
    eventually("the listener is there", lambda: need("443/HTTPS" in shop.seen("a")["listeners"], shop.seen("a")["listeners"]), ISSUED)
    shop.up("a")
    assert counted(cloud) == 1


def test_a_public_certificate_is_proved_in_its_zone(shop, cluster, cloud):
    host = f"pub-{shop.namespace}.example.com"
    shop.ingress("a", routes(host), {**IP, "create-acm-cert": "true"})
    listeners = shop.up("a", seconds=ISSUED)["listeners"]
    arn = only(cloud, shop.namespace, host)
    assert listeners["443/HTTPS"]["certificates"] == [arn]
    (option,) = cloud.acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"]
    record = option["ResourceRecord"]
    proof = (record["Name"].rstrip("."), "CNAME")
    found = cloud.records()[proof]
    assert [value.rstrip(".") for value in found["values"]] == [record["Value"].rstrip(".")] and found["TTL"] == 60, found

    shop.remove("Ingress", "a")
    assert requested(cloud, shop.namespace) == {}
    eventually("its name is given back", lambda: need((host, "A") not in cloud.records(), cloud.records()))
    assert proof in cloud.records(), "other certificates of the domain may be renewed by it"
    gone = {"Name": record["Name"], "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": value} for value in found["values"]]}
    batch = {"Changes": [{"Action": "DELETE", "ResourceRecordSet": gone}]}
    cloud.dns.change_resource_record_sets(HostedZoneId=cloud.zone("example.com"), ChangeBatch=batch)
