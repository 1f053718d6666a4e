"""Certificates of Secrets: imported for their listener, renewed under the same ARN, deleted when nothing needs them."""

import json

import pytest
from cryptography import x509

from e2e.lib import tls
from e2e.lib.waiting import eventually, need, steadily

OWNER = None
FLAGS = ("--secrets-period=5",)
HOST = "certificates.example.com"
ASKED = {"target-type": "ip", "fairway.dev/import-certificates": "true"}
DIGEST = "fairway.dev/secret-digest"
# Within which Secrets are read again.
REFRESH = 20.0
OF_ACM = ("ImportCertificate", "DeleteCertificate", "AddTagsToCertificate", "RemoveTagsFromCertificate")


@pytest.fixture(scope="module")
def authority():
    return tls.Authority()


class Imported:
    """The certificates that a namespace's Secrets became, in ACM."""

    def __init__(self, shop):
        self.shop, self.acm, self.made = shop, shop.cloud.acm, {}

    def put(self, name, entries):
        self.shop.cluster.apply(tls.secret(self.shop.namespace, name, entries))
        self.made[name] = entries

    def tags(self):
        """Tags by ARN."""
        kinds = {"keyTypes": ["EC_prime256v1", "RSA_2048"]}
        arns = [one["CertificateArn"] for one in self.acm.list_certificates(Includes=kinds)["CertificateSummaryList"]]
        found = {arn: {tag["Key"]: tag["Value"] for tag in self.acm.list_tags_for_certificate(CertificateArn=arn)["Tags"]} for arn in arns}
        return {arn: tags for arn, tags in found.items() if tags.get("ingress.k8s.aws/resource", "").startswith(f"imported/{self.shop.namespace}/")}

    def only(self):
        found = self.tags()
        need(len(found) == 1, found)
        return next(iter(found.items()))

    def is_content(self, arn, name):
        """Whether ACM has what the Secret holds now."""
        serial = x509.load_pem_x509_certificate(self.made[name]["tls.crt"].encode()).serial_number
        has = x509.load_pem_x509_certificate(self.acm.get_certificate(CertificateArn=arn)["Certificate"].encode()).serial_number
        return has == serial

    def written(self, place):
        return [call["operation"] for call in self.shop.cloud.writes(place)]


@pytest.fixture
def imported(shop):
    return Imported(shop)


def ingress(shop, name, secret, annotations=None, host=HOST):
    shop.ingress(name, [(host, "/", "Exact", "web", 80)], {**ASKED, **(annotations or {})}, tls=[{"hosts": [host], "secretName": secret}])


def test_a_secret_becomes_a_certificate_and_is_renewed_under_its_arn(shop, imported, authority, cluster, cloud, operator):
    ingress(shop, "a", "shop-tls")
    assert cluster.warned("Ingress", shop.namespace, "a", "SecretNotFound") == (
        f"spec.tls names Secret {shop.namespace}/shop-tls, which does not exist")
    imported.put("shop-tls", authority.issue(HOST))
    listener = shop.up("a")["listeners"]["443/HTTPS"]
    arn, tags = imported.only()
    assert listener["certificates"] == [arn]
    assert imported.is_content(arn, "shop-tls")
    assert (tags["ingress.k8s.aws/stack"], tags["ingress.k8s.aws/resource"]) == (
        f"{shop.namespace}/a", f"imported/{shop.namespace}/shop-tls")

    # Renewed as issuers do: another key, the same Secret.
    place = cloud.mark()
    imported.put("shop-tls", authority.issue(HOST))
    eventually("the tag says what it has", lambda: need(imported.only()[1][DIGEST] != tags[DIGEST], tags), REFRESH)
    shop.up("a")
    assert imported.only()[0] == arn
    assert imported.is_content(arn, "shop-tls")
    assert imported.written(place) == ["ImportCertificate", "AddTagsToCertificate"], "the listener is left alone"

    # Another look finds nothing to do.
    place = cloud.mark()
    cluster.annotate("Ingress", shop.namespace, "a", {"team": "a"})
    shop.ingress("a", [(HOST, "/", "Exact", "web", 80), (HOST, "/too", "Exact", "web", 80)], ASKED, tls=[{"secretName": "shop-tls"}])
    eventually("a rule more", lambda: need("CreateRule" in imported.written(place), imported.written(place)))
    shop.up("a")
    assert not [name for name in imported.written(place) if name in OF_ACM]

    keys = [line for entries in imported.made.values() for line in entries["tls.key"].splitlines()[1:-1]]
    texts = (json.dumps(cluster.state(f"aws:ingress:{shop.namespace}/a")), operator.log.read_text(encoding="utf-8"),
             str(cluster.events("Ingress", shop.namespace, "a")))
    assert keys and not [line for line in keys for text in texts if line in text]


def test_what_no_listener_needs_any_more_is_deleted_after_it(shop, imported, authority, cloud):
    group = {"group.name": f"{shop.namespace}-shop"}
    other = f"blog.{HOST}"
    imported.put("shop-tls", authority.issue(HOST))
    imported.put("blog-tls", authority.issue(other))
    ingress(shop, "a", "shop-tls", group)
    ingress(shop, "b", "blog-tls", group, other)
    shop.up("b")
    eventually("two certificates", lambda: need(len(shop.seen("a")["listeners"]["443/HTTPS"]["certificates"]) == 2, imported.tags()))
    place = cloud.mark()
    shop.remove("Ingress", "b")
    eventually("one is left", imported.only)
    names = imported.written(place)
    assert names.index("RemoveListenerCertificates") < names.index("DeleteCertificate")
    assert imported.only()[1]["ingress.k8s.aws/resource"].endswith("/shop-tls")

    # AWS says for a while that it is in use: it is asked again, and the Ingress waits for nothing else.
    cloud.faults({"service": "acm", "operation": "DeleteCertificate", "count": 2, "action": "error", "code": "ResourceInUseException", "status": 400})
    shop.remove("Ingress", "a", 60.0)
    cloud.faults()
    assert imported.tags() == {}


def test_a_bad_secret_holds_its_ingress_and_nobody_else(shop, imported, authority, cluster, cloud):
    group = {"group.name": f"{shop.namespace}-shop"}
    other = f"blog.{HOST}"
    imported.put("shop-tls", authority.issue(HOST))
    ingress(shop, "a", "shop-tls", group)
    shop.up("a")
    crossed = {**authority.issue(other), "tls.key": authority.issue(other)["tls.key"]}
    imported.put("blog-tls", crossed)
    place = cloud.mark()
    ingress(shop, "b", "blog-tls", group, other)
    assert cluster.warned("Ingress", shop.namespace, "b", "SecretUnusable") == (
        f"spec.tls names Secret {shop.namespace}/blog-tls, which has an entry tls.key that is not the key of tls.crt")
    steadily("nothing is sent", lambda: need(not [name for name in imported.written(place) if name in OF_ACM], imported.written(place)), 3.0)
    assert shop.routes("a", "443/HTTPS") == [f"{HOST} / -> a-web:80"]
    imported.put("blog-tls", authority.issue(other, expired=True))
    eventually("it has expired", lambda: cluster.warned("Ingress", shop.namespace, "b", "CertificateExpired", 0.1), REFRESH)
    imported.put("blog-tls", authority.issue(other))
    eventually("both are served", lambda: need(len(imported.tags()) == 2, imported.tags()), REFRESH)
    shop.up("b")
