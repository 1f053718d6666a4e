"""Listeners: what AWS does. In order, in one account."""

import pytest
from account import NOT_FOUND, Account, outcome, satisfies, self_signed

OBJECTS = (
    "listener",
    "https",
    "network",
)


CHECKS = [
    (
        "li.duplicate_port",
        "DuplicateListener",
        lambda on: outcome(
            on.elbv2.create_listener, LoadBalancerArn=on.base_arn, Protocol="HTTP", Port=80, DefaultActions=NOT_FOUND
        ),
    ),
    (
        "li.https_without_cert",
        "ValidationError|CertificateNotFound",
        lambda on: outcome(
            on.elbv2.create_listener, LoadBalancerArn=on.base_arn, Protocol="HTTPS", Port=443, DefaultActions=NOT_FOUND
        ),
    ),
    (
        "li.cert_notfound",
        "CertificateNotFound",
        lambda on: outcome(
            on.elbv2.create_listener,
            LoadBalancerArn=on.base_arn,
            Protocol="HTTPS",
            Port=443,
            Certificates=[{"CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/nope"}],
            DefaultActions=NOT_FOUND,
        ),
    ),
    ("li.default_ssl_policy", "ELBSecurityPolicy-2016-08", lambda on: on.https.get("SslPolicy")),
    (
        "li.bad_ssl_policy",
        "SSLPolicyNotFound",
        lambda on: outcome(on.elbv2.modify_listener, ListenerArn=on.https_arn, SslPolicy="ELBSecurityPolicy-NOPE"),
    ),
    (
        "li.ssl_policy_tls13",
        "OK",
        lambda on: outcome(
            on.elbv2.modify_listener, ListenerArn=on.https_arn, SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06"
        ),
    ),
    (
        "li.mutual_auth_roundtrip",
        lambda g: (g or {}).get("Mode") == "passthrough",
        lambda on: on.elbv2.modify_listener(ListenerArn=on.https_arn, MutualAuthentication={"Mode": "passthrough"})[
            "Listeners"
        ][0].get("MutualAuthentication"),
    ),
    (
        "li.alpn_nlb_tls",
        lambda g: g == ["HTTP2Preferred"],
        lambda on: on.elbv2.create_listener(
            LoadBalancerArn=on.network["LoadBalancerArn"],
            Protocol="TLS",
            Port=443,
            Certificates=[{"CertificateArn": on.imported}],
            AlpnPolicy=["HTTP2Preferred"],
            DefaultActions=[{"Type": "forward", "TargetGroupArn": on.target_group(Protocol="TCP")}],
        )["Listeners"][0].get("AlpnPolicy"),
    ),
    (
        "li.attrs_roundtrip",
        "OK",
        lambda on: outcome(
            on.elbv2.modify_listener_attributes,
            ListenerArn=on.listener,
            Attributes=[{"Key": "routing.http.response.server.enabled", "Value": "false"}],
        ),
    ),
    (
        "li.attr_unknown",
        "ValidationError|InvalidConfigurationRequest",
        lambda on: outcome(
            on.elbv2.modify_listener_attributes, ListenerArn=on.listener, Attributes=[{"Key": "nope", "Value": "x"}]
        ),
    ),
    (
        "li.nlb_tcp_idle_attr",
        lambda g: "tcp.idle_timeout.seconds" in g,
        lambda on: [
            a["Key"]
            for a in on.elbv2.describe_listener_attributes(
                ListenerArn=on.elbv2.create_listener(
                    LoadBalancerArn=on.network["LoadBalancerArn"],
                    Protocol="TCP",
                    Port=81,
                    DefaultActions=[{"Type": "forward", "TargetGroupArn": on.target_group(Protocol="TCP")}],
                )["Listeners"][0]["ListenerArn"]
            )["Attributes"]
        ],
    ),
    (
        "li.certs_add_list",
        lambda g: len(g) == 2 and any((c.get("IsDefault") for c in g)),
        lambda on: (
            on.elbv2.add_listener_certificates(
                ListenerArn=on.https_arn,
                Certificates=[
                    {
                        "CertificateArn": on.acm.import_certificate(
                            Certificate=self_signed(1)[0], PrivateKey=self_signed(1)[1]
                        )["CertificateArn"]
                    }
                ],
            ),
            on.elbv2.describe_listener_certificates(ListenerArn=on.https_arn)["Certificates"],
        )[1],
    ),
    (
        "li.http_listener_on_nlb",
        "ValidationError|InvalidConfigurationRequest|UnsupportedProtocol",
        lambda on: outcome(
            on.elbv2.create_listener,
            LoadBalancerArn=on.network["LoadBalancerArn"],
            Protocol="HTTP",
            Port=8080,
            DefaultActions=NOT_FOUND,
        ),
    ),
    (
        "li.lb_notfound",
        "LoadBalancerNotFound",
        lambda on: outcome(
            on.elbv2.create_listener,
            LoadBalancerArn=on.base_arn[:-4] + "0000",
            Protocol="HTTP",
            Port=8080,
            DefaultActions=NOT_FOUND,
        ),
    ),
    (
        "li.delete_nonexistent",
        "ListenerNotFound",
        lambda on: outcome(on.elbv2.delete_listener, ListenerArn=on.listener[:-4] + "0000"),
    ),
    (
        "li.tg_protocol_mismatch",
        "InvalidConfigurationRequest|ValidationError|IncompatibleProtocols",
        lambda on: outcome(
            on.elbv2.create_listener,
            LoadBalancerArn=on.base_arn,
            Protocol="HTTP",
            Port=8081,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": on.target_group(Protocol="TCP")}],
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
