"""Every key that an Ingress, a Service behind one or a class may carry: its value changes, and AWS differs there and nowhere else.

All cases of `e2e/keys` are applied at once, and then all second values: each case is a load balancer of its own.
"""

import fnmatch

import pytest

from e2e.lib import manifests, tls
from e2e.lib.aws_state import client
from e2e.lib.front import Front
from e2e.lib.keys import cases
from e2e.lib.leaves import leaves
from e2e.lib.waiting import eventually, need

OWNER = None
FLAGS = ("--feature-gates=EnableCertificateManagement=true",)
AUTHORITY = "arn:aws:acm-pca:us-east-1:000000000000:certificate-authority/one"
NAMESPACE = "keys"
SETTINGS = {"quotas": {"application-load-balancers": 200, "target-groups": 1000}}
CASES = cases()
# For all cases together, and for one when its turn comes.
PATIENCE = 120.0
TIERS = {"front": ("private-a", "private-b"), "back": ("private-c", "public-a")}
# Seen only where a case is about them: they come when they come.
TARGETS = "targetGroups|*|targets*"


@pytest.fixture(scope="module")
def world(world):
    """The site with what cases name, put there before the operator looks."""
    subnets = world.cloud.subnets()
    ec2 = world.cloud.ec2
    ec2.associate_vpc_cidr_block(VpcId=world.cloud.vpc, AmazonProvidedIpv6CidrBlock=True)
    for number, subnet in enumerate(subnets.values()):
        ec2.associate_subnet_cidr_block(SubnetId=subnet, Ipv6CidrBlock=f"2001:db8:0:{number:x}::/64")
    for tier, names in TIERS.items():
        ec2.create_tags(Resources=[subnets[name] for name in names], Tags=[{"Key": "tier", "Value": tier}])
    for name in ("web-one", "web-two"):
        world.cloud.plant_group(name, {"Name": name})
    # No pod answers behind these Services: where nothing is healthy, no rule waits for the targets that come next.
    unhealthy = {"State": "unhealthy", "Reason": "Target.FailedHealthChecks"}
    world.cloud.control("PUT", "health", {instance["provider_id"].rpartition("/")[2]: unhealthy for instance in world.instances})
    yield world
    world.cloud.control("PUT", "health", {})


@pytest.fixture(scope="module")
def known(world):
    """What `${...}` in a case stands for."""
    visibility = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "m"}
    waf = client("wafv2", world.cloud.endpoint, world.cloud.region)
    known = {f"subnet:{name}": subnet for name, subnet in world.cloud.subnets().items()}
    for name in ("guard", "other"):
        made = waf.create_web_acl(Name=name, Scope="REGIONAL", DefaultAction={"Allow": {}}, Rules=[], VisibilityConfig=visibility)
        known[f"acl:{name}"] = made["Summary"]["ARN"]
    for name in ("one", "two"):
        made = world.cloud.acm.request_certificate(DomainName=f"{name}.example.org", CertificateAuthorityArn=AUTHORITY)
        known[f"certificate:{name}"] = made["CertificateArn"]
    for name in ("one", "two", "three", "four"):
        known[f"eip:{name}"] = world.cloud.ec2.allocate_address(Domain="vpc")["AllocationId"]
    return known


@pytest.fixture(scope="module")
def looks(operator, world, known):
    """What AWS had with the first values, by case; all second values are applied by then."""
    cluster, front = world.cluster, Front(world.cloud.endpoint, world.cloud.region)
    cluster.apply(manifests.namespace(NAMESPACE), {
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "oidc", "namespace": NAMESPACE},
        "stringData": {"clientID": "shop", "clientSecret": "opensesame"}},
        tls.secret(NAMESPACE, "tls", tls.Authority().issue("keys.example.com")))
    for case in CASES:
        cluster.apply(*case.objects(NAMESPACE, "from", known))
    before = {case.name: eventually(case.name, lambda case=case: settled(cluster, front, case), PATIENCE) for case in CASES}
    for case in CASES:
        cluster.apply(*case.objects(NAMESPACE, "to", known))
    yield before
    names = [(case, name) for case in CASES for which in ("from", "to") for name in case.ingresses(which)]
    for _, name in names:
        cluster.delete("Ingress", NAMESPACE, name)
    for _, name in names:
        cluster.gone("Ingress", NAMESPACE, name, PATIENCE)
    for case, name in names:
        if case.place == "Class":
            cluster.delete("IngressClass", None, name)
            cluster.delete("IngressClassParams", None, name)
    cluster.delete("Namespace", None, NAMESPACE)


def settled(cluster, front, case):
    """The leaves of a case's load balancer with its first value, all of it made."""
    name = case.ingresses("from")[0]
    stacks = [state for state in cluster.all("LoadBalancerState") if state["spec"]["stack"] in (f"aws:ingress:{NAMESPACE}/{name}", _group(cluster, name))]
    need(stacks, "no state yet")
    for stack in stacks:
        conditions = {one["type"]: one for one in stack.get("status", {}).get("conditions", [])}
        need(conditions.get("Ready", {}).get("status") == "True", conditions)
    return seen(cluster, front, case, name)


def _group(cluster, name):
    """The stack of an Ingress that is member of a group, by its finalizer."""
    finalizers = cluster.get("Ingress", NAMESPACE, name)["metadata"].get("finalizers", [])
    groups = [one.partition("/")[2] for one in finalizers if one.startswith("group.ingress.k8s.aws/")]
    return f"aws:group:{groups[-1]}" if groups else None


def seen(cluster, front, case, name):
    about_targets = any("|targets" in pattern for pattern in case.sees)
    published = cluster.addresses("Ingress", NAMESPACE, name)
    need(published, f"{name} has no address")
    # What stands in front comes second.
    found = leaves(front.look(published[0]["hostname"]))
    # Another Ingress has its own name in tags.
    found = {path.replace(name, case.name): _renamed(leaf, name, case.name) for path, leaf in found.items()}
    need(not about_targets or any(fnmatch.fnmatchcase(path, f"{TARGETS}|0") for path in found), "no targets yet")
    return found if about_targets else {path: leaf for path, leaf in found.items() if not fnmatch.fnmatchcase(path, TARGETS)}


def _renamed(leaf, name, plain):
    return leaf.replace(name, plain) if isinstance(leaf, str) else leaf


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_key(looks, world, case):
    before = looks[case.name]
    front, name = Front(world.cloud.endpoint, world.cloud.region), case.ingresses("to")[0]
    if case.refused:
        world.cluster.warned("Ingress", NAMESPACE, name, case.refused, PATIENCE)

    def probe():
        after = seen(world.cluster, front, case, name)
        differing = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
        met = {pattern for pattern in case.sees if fnmatch.filter(differing, pattern)}
        beyond = {path for path in differing if not any(fnmatch.fnmatchcase(path, pattern) for pattern in case.sees)}
        need(met == set(case.sees), f"differs in {sorted(differing)}, which is not all of {case.sees}")
        need(not beyond, f"differs also in {[(path, before.get(path), after.get(path)) for path in sorted(beyond)]}")

    eventually(f"the effect of {case.name}", probe, PATIENCE)
