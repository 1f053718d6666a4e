"""A cluster that the AWS Load Balancer Controller left is taken over without a change, and is left as that would leave it."""

import json
import types

import pytest

from e2e.lib import chart, peer, recorded
from e2e.lib.command import HELD, NOTHING, reader
from e2e.lib.leaves import differences
from e2e.lib.operator import Operator
from e2e.lib.site import LEASE, LOGS, left_of_ours
from e2e.lib.waiting import eventually, need, steadily

pytestmark = pytest.mark.lab

# What nobody may write. Our own memory is in LoadBalancerStates.
KINDS = ("Ingress", "Service", "TargetGroupBinding", "IngressClassParams", "IngressClass")
QUIET_SECONDS = 2.0


@pytest.fixture
def fairway(lab, cluster, cloud, program, tmp_path):
    site = types.SimpleNamespace(cluster=cluster, cloud=cloud, program=program, flags=lambda: recorded.flags(cloud.vpc))
    with reader(site, tmp_path) as command:
        yield command


class Left:
    """A recorded case in the account and in the cluster, as the peer left it."""

    def __init__(self, lab, cluster, cloud, name):
        self.case, self._cluster, self._cloud = recorded.load(name), cluster, cloud
        self.before = cloud.dump()
        self.account = peer.Planted(cloud, self.case)
        present = {item["metadata"]["name"] for item in cluster.all("Service", recorded.NAMESPACE)}
        new = lambda item: item["kind"] != "Service" or item["metadata"]["name"] not in present  # noqa: E731
        self.items = [item for item in self.case.classes + [self.account.object(item) for item in self.case.objects] if new(item)]
        # A binding before what it is for would be looked for in vain; nobody looks yet.
        for item in sorted(self.items, key=lambda item: KINDS.index(item["kind"]), reverse=True):
            peer.put(lab, cluster, item)

    def differing(self):
        return differences(self.case.wanted, recorded.state(self._cluster, self._cloud.dump(), self.case), recorded.ignored())

    def versions(self):
        """Every object that is not ours to write, by its version."""
        found = [(kind, item["metadata"]) for kind in KINDS for item in self._cluster.all(kind)]
        return {(kind, of.get("namespace"), of["name"]): of["resourceVersion"] for kind, of in found}

    def rule_tags(self):
        return {rule["RuleArn"]: self._cloud.tags(rule["RuleArn"]) for rule in self.account.rules()}

    def stacks(self):
        return [state["spec"]["stack"] for state in self._cluster.all("LoadBalancerState")]

    def leave(self):
        """Whoever runs takes everything away."""
        written = [item for item in self.items if item["kind"] not in recorded.PRODUCTS]
        for item in sorted(written, key=lambda item: KINDS.index(item["kind"])):
            self._cluster.delete(*recorded.named(item))
        for item in written:
            self._cluster.gone(*recorded.named(item))

        def cleaned():
            dump = self._cloud.dump()
            left = left_of_ours(dump, recorded.CLUSTER)
            need(not left, f"left: {left}")
            need(dump == self.before, "the account is not as it was before")

        eventually("an account as before", cleaned)


class running:
    """An operator, for as long as the block lasts."""

    def __init__(self, program, cluster, cloud, name):
        cluster.delete("Lease", chart.NAMESPACE, LEASE)
        kubeconfig = cluster.kubeconfig_for(chart.NAMESPACE, chart.ACCOUNT)
        self.operator = Operator(program, LOGS / f"takeover-{name}.log", kubeconfig, cloud.endpoint, recorded.flags(cloud.vpc))

    def __enter__(self):
        return self.operator.ready()

    def __exit__(self, *_):
        assert self.operator.stop() == 0, self.operator.tail()


def settled(left, cluster):
    """Every stack has been looked at and is as it should be."""
    stacks = {state["spec"]["stack"]: state.get("status", {}) for state in cluster.all("LoadBalancerState")}
    need(stacks, "no stack has been looked at")
    for stack, status in stacks.items():
        need(status.get("fingerprint"), f"{stack}: {status.get('conditions')}")
        cluster.condition(stack, "Ready")


@pytest.mark.parametrize("name", recorded.CASES)
def test_nothing_changes_and_all_of_it_is_ours_to_take_away(name, lab, cluster, cloud, program, fairway):
    left = Left(lab, cluster, cloud, name)
    try:
        assert left.differing() == [], "the case is there as it was recorded"
        eventually("endpoints", lambda: need(cluster.all("EndpointSlice", recorded.NAMESPACE), "there are none"))
        planned = fairway.run("takeover", "--output=json")
        report = json.loads(planned.text)
        assert [op for unit in report["units"] for op in unit["ops"]] == [] and report["finalizers"] == [], planned.text + planned.complaint
        # Of a Service that is missing, the author hears.
        assert planned.code == (HELD if name == "missing-backend" else NOTHING), planned.text
        mark, versions, rules = cloud.mark(), left.versions(), left.rule_tags()
        with running(program, cluster, cloud, name):
            eventually("a look at everything", lambda: settled(left, cluster))
            steadily("nothing is written", lambda: need(not cloud.writes(mark), cloud.writes(mark)), QUIET_SECONDS)
            assert left.versions() == versions, "no object of the cluster is written"
        assert left.differing() == [] and left.rule_tags() == rules, "the peer finds what it left"
    finally:
        with running(program, cluster, cloud, f"{name}-leaving"):
            left.leave()


def test_rules_known_by_their_priority_alone_are_left_alone(lab, cluster, cloud, program, fairway):
    left = Left(lab, cluster, cloud, "group")
    try:
        left.account.retag_rules(lambda resource: resource.partition(":")[2])
        mark, rules = cloud.mark(), left.rule_tags()
        assert {tags["ingress.k8s.aws/resource"] for tags in rules.values()} == {"1", "2", "3"}
        planned = fairway.run("plan")
        assert planned.code == NOTHING, planned.text + planned.complaint
        with running(program, cluster, cloud, "priorities"):
            eventually("a look at everything", lambda: settled(left, cluster))
            steadily("nothing is written", lambda: need(not cloud.writes(mark), cloud.writes(mark)), QUIET_SECONDS)
        assert left.rule_tags() == rules
    finally:
        with running(program, cluster, cloud, "priorities-leaving"):
            left.leave()


def test_rules_without_tags_get_them_and_stay_the_same_rules(lab, cluster, cloud, program):
    left = Left(lab, cluster, cloud, "group")
    try:
        tagged, rules = left.rule_tags(), left.account.rules()
        for arn, tags in tagged.items():
            cloud.elb.remove_tags(ResourceArns=[arn], TagKeys=list(tags))
        mark = cloud.mark()
        with running(program, cluster, cloud, "untagged"):
            eventually("tags of rules", lambda: need(left.rule_tags() == tagged, left.rule_tags()))
            steadily("nothing else", lambda: need({call["operation"] for call in cloud.writes(mark)} == {"AddTags"}, cloud.writes(mark)), 1.0)
        assert left.account.rules() == rules
    finally:
        with running(program, cluster, cloud, "untagged-leaving"):
            left.leave()
