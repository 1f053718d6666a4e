"""A certificate that is awaited is not requested again: neither when an answer is lost, nor after a restart."""

from e2e.lib.waiting import eventually, need, steadily

FLAGS = ("--feature-gates=EnableCertificateManagement=true", "--default-pca-arn=arn:aws:acm-pca:us-east-1:000000000000:certificate-authority/one")
NEVER = 10**6


def test_a_lost_answer_and_a_restart_cost_no_second_certificate(world, cloud):
    shop = world.shop("awaited")
    cloud.settings(certificate_seconds=NEVER)
    cloud.faults({"service": "acm", "operation": "RequestCertificate", "count": 2, "action": "lost"})
    flags = world.flags(*FLAGS, owner=None)
    first = world.operator("test_created_certificates_restart-first", flags).ready()
    try:
        shop.ingress("a", [(f"a.{shop.namespace}.internal", "/", "Exact", "web", 80)], {"target-type": "ip", "create-acm-cert": "true"})
        eventually("it is asked for, and the answer lost, twice", lambda: need(counted(cloud) >= 3, cloud.counters()))
    finally:
        assert first.stop() == 0
    cloud.faults()
    arn = only(cloud)
    before = counted(cloud)

    second = world.operator("test_created_certificates_restart-second", flags).ready()
    try:
        eventually("it has looked", lambda: need(second.calls().get("acm.DescribeCertificate", 0), second.calls()), 60.0)
        steadily("it is not asked for again", lambda: need(counted(cloud) == before, cloud.counters()["calls"]), 12.0)
        assert only(cloud) == arn
        cloud.settings(certificate_seconds=0)
        assert shop.up("a", seconds=60.0)["listeners"]["443/HTTPS"]["certificates"] == [arn]
    finally:
        shop.close()
        second.stop()


def only(cloud):
    found = [one["CertificateArn"] for one in cloud.acm.list_certificates()["CertificateSummaryList"] if one["Type"] == "PRIVATE"]
    need(len(found) == 1, found)
    return found[0]


def counted(cloud):
    return cloud.counters()["calls"].get("acm.RequestCertificate", 0)
