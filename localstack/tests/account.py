"""An account that the checks of single services fill as they go: shared objects are made when first asked for."""

import datetime
import time
import uuid
from functools import cached_property, lru_cache

from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

NOT_FOUND = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]
PORT_80 = [
    {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "x"}]}
]
OIDC = {
    "Issuer": "https://i",
    "AuthorizationEndpoint": "https://i/a",
    "TokenEndpoint": "https://i/t",
    "UserInfoEndpoint": "https://i/u",
    "ClientId": "c",
    "ClientSecret": "s",
}


def unique(prefix="x"):
    return prefix + uuid.uuid4().hex[:8]


def paths(*values):
    return [{"Field": "path-pattern", "PathPatternConfig": {"Values": list(values)}}]


def outcome(call, **parameters):
    """`("OK", answer)`, or the code and message of the error."""
    try:
        answer = call(**parameters)
    except ClientError as failure:
        return failure.response["Error"]["Code"], failure.response["Error"]["Message"]
    answer.pop("ResponseMetadata", None)
    return "OK", answer


def satisfies(wanted, found):
    """A text names the allowed outcomes, separated by `|`; a function judges; everything else is compared."""
    if isinstance(wanted, str):
        return (found[0] if isinstance(found, tuple) else found) in wanted.split("|")
    return bool(wanted(found)) if callable(wanted) else found == wanted


@lru_cache
def self_signed(number):
    """Certificate and key in PEM; kept, because making a key takes long."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"c{number}.example.com")])
    start = datetime.datetime(2026, 1, 1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1000 + number)
    builder = builder.not_valid_before(start).not_valid_after(start + datetime.timedelta(days=3000))
    names = x509.SubjectAlternativeName([x509.DNSName(f"c{number}.example.com")])
    certificate = builder.add_extension(names, False).sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM), private


class Account:
    def __init__(self, clients):
        for name in ("acm", "ec2", "elbv2", "globalaccelerator", "iam", "route53", "shield", "sts", "wafv2"):
            setattr(self, name, clients.client(name))
        self.cognito = clients.client("cognito-idp")
        self.tagging = clients.client("resourcegroupstaggingapi")
        self.waf_regional = clients.client("waf-regional")

    def with_objects(self, names):
        """Makes the named objects before the first check looks."""
        for name in names:
            getattr(self, name)
        return self

    # ---- network
    @cached_property
    def vpc(self):
        return self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]

    @cached_property
    def subnets(self):
        return {
            name: self.ec2.create_subnet(
                VpcId=self.vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"us-east-1{name[0]}"
            )["Subnet"]["SubnetId"]
            for number, name in enumerate(["a", "b", "c", "a2"])
        }

    @property
    def pair(self):
        return [self.subnets["a"], self.subnets["b"]]

    def group(self, **more):
        wanted = {"VpcId": self.vpc, "GroupName": unique("g"), "Description": "d", **more}
        return self.ec2.create_security_group(**wanted)["GroupId"]

    @cached_property
    def base_group(self):
        return self.group()

    @cached_property
    def tagged_group(self):
        tags = [{"ResourceType": "security-group", "Tags": [{"Key": "k", "Value": "v"}]}]
        group = self.group(TagSpecifications=tags)
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=PORT_80)
        return group

    @cached_property
    def interface(self):
        created = self.ec2.create_network_interface(SubnetId=self.pair[0], PrivateIpAddress="10.0.0.200")
        return created["NetworkInterface"]["NetworkInterfaceId"]

    @cached_property
    def other_web_acl(self):
        return self._web_acl()[1]["Summary"]["ARN"]

    @cached_property
    def web_acl(self):
        return self._web_acl()

    def _web_acl(self):
        visibility = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "m"}
        return outcome(
            self.wafv2.create_web_acl,
            Name=unique(),
            Scope="REGIONAL",
            DefaultAction={"Allow": {}},
            VisibilityConfig=visibility,
        )

    # ---- load balancing
    def balancer(self, name=None, **more):
        wanted = {"Name": name or unique("l"), "Subnets": self.pair, **more}
        if "SubnetMappings" in wanted:
            del wanted["Subnets"]
        return self.elbv2.create_load_balancer(**wanted)["LoadBalancers"][0]

    @cached_property
    def base(self):
        return self.balancer("base1", SecurityGroups=[self.base_group])

    @property
    def base_arn(self):
        return self.base["LoadBalancerArn"]

    @cached_property
    def network(self):
        return self.balancer("nlb1", Type="network")

    def target_group(self, name=None, **more):
        wanted = {"Name": name or unique("t"), "Protocol": "HTTP", "Port": 80, "VpcId": self.vpc, "TargetType": "ip"}
        return self.elbv2.create_target_group(**{**wanted, **more})["TargetGroups"][0]["TargetGroupArn"]

    @cached_property
    def group_arn(self):
        arn = self.target_group("tg1")
        self.elbv2.register_targets(TargetGroupArn=arn, Targets=[{"Id": "10.0.0.9", "Port": 80}])
        return arn

    def described_group(self, arn):
        return self.elbv2.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0]

    @cached_property
    def listener(self):
        return self.elbv2.create_listener(
            LoadBalancerArn=self.base_arn,
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": self.group_arn}],
        )["Listeners"][0]["ListenerArn"]

    @cached_property
    def imported(self):
        certificate, key = self_signed(0)
        return self.acm.import_certificate(Certificate=certificate, PrivateKey=key)["CertificateArn"]

    @cached_property
    def requested(self):
        return self.acm.request_certificate(DomainName="a.example.com", ValidationMethod="DNS")["CertificateArn"]

    @cached_property
    def https(self):
        return self.elbv2.create_listener(
            LoadBalancerArn=self.base_arn,
            Protocol="HTTPS",
            Port=443,
            Certificates=[{"CertificateArn": self.imported}],
            DefaultActions=NOT_FOUND,
        )["Listeners"][0]

    @property
    def https_arn(self):
        return self.https["ListenerArn"]

    def rule(self, priority, conditions=None, actions=None):
        return self.elbv2.create_rule(
            ListenerArn=self.listener,
            Priority=priority,
            Conditions=conditions or paths(f"/p{priority}"),
            Actions=actions or NOT_FOUND,
        )["Rules"][0]

    def rules(self, listener):
        return self.elbv2.describe_rules(ListenerArn=listener)["Rules"]

    @cached_property
    def first_rule(self):
        return self.rule(1)["RuleArn"]

    @cached_property
    def second_rule(self):
        return self.rule(2)["RuleArn"]

    def becomes_active(self):
        for _ in range(40):
            found = self.elbv2.describe_load_balancers(LoadBalancerArns=[self.base_arn])["LoadBalancers"][0]
            if found["State"]["Code"] == "active":
                break
            time.sleep(0.1)
        return found["State"]["Code"]

    def attributes(self, of, **resource):
        answer = getattr(self.elbv2, f"describe_{of}_attributes")(**resource)
        return sorted(attribute["Key"] for attribute in answer["Attributes"])

    # ---- DNS
    @cached_property
    def zone(self):
        created = self.route53.create_hosted_zone(Name="example.com", CallerReference=unique())
        return created["HostedZone"]["Id"].split("/")[-1]

    def change(self, *changes, zone=None):
        return outcome(
            self.route53.change_resource_record_sets,
            HostedZoneId=zone or self.zone,
            ChangeBatch={"Changes": list(changes)},
        )

    def record_sets(self):
        return self.route53.list_resource_record_sets(HostedZoneId=self.zone)["ResourceRecordSets"]

    def record_names(self):
        return [(record["Name"], record["Type"]) for record in self.record_sets()]


def record(action, name, kind="A", value="1.1.1.1", ttl=60, **more):
    wanted = {"Name": name, "Type": kind, **more}
    if value is not None:
        wanted |= {"TTL": ttl, "ResourceRecords": [{"Value": value}]}
    return {"Action": action, "ResourceRecordSet": wanted}
