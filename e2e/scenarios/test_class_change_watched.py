"""One Ingress, never edited but for its class, moves from the nodes to AWS and back while its name is watched: at every moment the
name leads to something that answers.

A sample is the name's record, whether what it leads to is alive, and the record again: only a record that did not change meanwhile
is judged.
"""

import threading
import time

import pytest

from e2e.lib import manifests, site as sites
from e2e.lib.waiting import eventually, need

pytestmark = pytest.mark.nodes

PREFIX = "alb.ingress.kubernetes.io/"
# The first two mean the same in both places.
PORTABLE = {"listen-ports": '[{"HTTP": 80}, {"HTTPS": 443}]', "ssl-redirect": "443"}
ALB_ONLY = {"scheme": "internet-facing", "target-type": "ip", "load-balancer-attributes": "idle_timeout.timeout_seconds=90"}
MOVE_SECONDS = 60.0
# Long enough that a move that does not wait for it is seen.
PROVISIONING_SECONDS = 4


class Watch:
    """Samples, from the beginning of the block to its end."""

    def __init__(self, shop, authority):
        self._shop, self._authority, self._over = shop, authority, threading.Event()
        self._zone = shop.cloud.zone("example.com")
        self.samples, self.dead, self.failure = [], [], None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join(60)
        assert not self._thread.is_alive(), "the watch hangs"

    def _run(self):
        try:
            while not self._over.is_set():
                before = self.record()
                alive = self.alive(before)
                if before == self.record():
                    self.samples.append(before)
                    if not alive:
                        self.dead.append((round(time.monotonic(), 1), before))
                time.sleep(0.05)
        except Exception as failure:  # noqa: BLE001  (the test fails by it, see `complete`)
            self.failure = failure

    def record(self):
        """What the name leads to: `address <ip>`, `alias <dns name>`, or nothing."""
        answer = self._shop.cloud.dns.list_resource_record_sets(
            HostedZoneId=self._zone, StartRecordName=f"{self._shop.host}.", StartRecordType="A", MaxItems="1")
        for found in answer["ResourceRecordSets"]:
            if (found["Name"], found["Type"]) == (f"{self._shop.host}.", "A"):
                if "AliasTarget" in found:
                    return f"alias {found['AliasTarget']['DNSName'].rstrip('.').removeprefix('dualstack.')}"
                return f"address {','.join(value['Value'] for value in found['ResourceRecords'])}"
        return None

    def alive(self, record):
        """Whether a client that follows the record is answered."""
        kind, _, target = (record or "").partition(" ")
        if kind == "address":
            return self._shop.curl(target, authority=self._authority)[0] == 200
        return kind == "alias" and balancer_is_live(self._shop.cloud, target)

    def complete(self, kinds):
        """Nothing was dead, and the record was of these kinds, one after the other."""
        assert self.failure is None, self.failure
        assert self.dead == [], f"{len(self.dead)} of {len(self.samples)} samples lead nowhere: {self.dead[:5]}"
        seen = [sample.partition(" ")[0] for sample in self.samples]
        assert [kind for number, kind in enumerate(seen) if number == 0 or kind != seen[number - 1]] == kinds
        assert all(seen.count(kind) >= 3 for kind in kinds), f"too few samples: {seen}"


def balancer_is_live(cloud, name):
    """Active, listens on 443 and has targets."""
    elb = cloud.elb
    found = [item for item in elb.describe_load_balancers()["LoadBalancers"] if item["DNSName"].lower() == name]
    if not found or found[0]["State"]["Code"] != "active":
        return False
    arn = found[0]["LoadBalancerArn"]
    try:
        ports = {listener["Port"] for listener in elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]}
        groups = [group["TargetGroupArn"] for group in elb.describe_target_groups(LoadBalancerArn=arn)["TargetGroups"]]
        health = [entry for group in groups for entry in elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]]
    except (elb.exceptions.LoadBalancerNotFoundException, elb.exceptions.TargetGroupNotFoundException):
        return False
    return ports == {80, 443} and any(entry["TargetHealth"]["State"] != "draining" for entry in health)


@pytest.fixture
def slow_provisioning(node_cloud):
    node_cloud.settings(provisioning_seconds=PROVISIONING_SECONDS, interface_linger_seconds=1)
    yield
    node_cloud.settings(provisioning_seconds=0, interface_linger_seconds=0)


def put(shop, class_name):
    annotations = {PREFIX + key: value for key, value in {**PORTABLE, **ALB_ONLY}.items()}
    routes, tls = [(shop.host, "/", "Prefix", "web", 80)], [{"hosts": [shop.host], "secretName": "tls"}]
    shop.cluster.apply(manifests.ingress(shop.namespace, "web", routes, annotations, class_name, tls=tls))


def moved(shop, gone, here):
    """Waits until nothing of the old place is left, and gives the address that the status shows."""
    stacks = {place: f"{place}:ingress:{shop.namespace}/web" for place in ("aws", "in-cluster")}
    eventually(f"{stacks[gone]} gone", lambda: need(shop.cluster.state(stacks[gone]) is None, "its state is there"), MOVE_SECONDS)
    shop.cluster.ready(stacks[here], MOVE_SECONDS)
    wanted = {"aws": ["ingress.k8s.aws/resources"], "in-cluster": ["in-cluster.fairway.dev/resources"]}[here]
    finalizers = lambda: shop.cluster.get("Ingress", shop.namespace, "web")["metadata"]["finalizers"]  # noqa: E731
    eventually("the old finalizer gone", lambda: need(finalizers() == wanted, finalizers()), MOVE_SECONDS)
    (entry,) = shop.cluster.addresses("Ingress", shop.namespace, "web")
    return entry["hostname" if here == "aws" else "ip"]


def numbers(calls, *operations):
    """Places in the journal."""
    return [call["number"] for call in calls if call["operation"] in operations]


def renamed(shop, calls):
    """Places in the journal where the name's own record was changed."""
    def concerns(change):
        return (change["ResourceRecordSet"]["Name"].rstrip("."), change["ResourceRecordSet"]["Type"]) == (shop.host, "A")

    changes = [call for call in calls if call["operation"] == "ChangeResourceRecordSets"]
    return [call["number"] for call in changes if any(concerns(change) for change in call["parameters"]["ChangeBatch"]["Changes"])]


def test_the_name_leads_to_something_alive_at_every_moment(node_shop, node_cloud, node_cluster, slow_provisioning):
    shop = node_shop
    authority = shop.certificate("tls")
    put(shop, "fairway")
    first = shop.address()
    shop.served(first, authority=authority)
    watch = Watch(shop, authority)
    eventually("the name", lambda: need(watch.record() == f"address {first}", watch.record()), MOVE_SECONDS)
    notes = eventually("warnings", lambda: warnings(node_cluster, shop))
    assert not [note for note in notes if any(PREFIX + key in note for key in PORTABLE)], notes
    assert shop.curl(first)[0] == 301, "plain requests are redirected in the cluster"

    mark = node_cloud.mark()
    with watch:
        eventually("samples", lambda: need(len(watch.samples) > 3, f"{len(watch.samples)}; {watch.failure}"), MOVE_SECONDS)
        put(shop, "alb")
        hostname = moved(shop, "in-cluster", "aws")
        count = len(watch.samples)
        eventually("more samples", lambda: need(len(watch.samples) > count + 3, f"{len(watch.samples)}; {watch.failure}"), MOVE_SECONDS)
    watch.complete(["address", "alias"])
    assert watch.record() == f"alias {hostname.lower()}"
    calls = node_cloud.writes(mark)
    made = numbers(calls, "CreateLoadBalancer", "CreateListener", "CreateRule", "RegisterTargets")
    (turn,) = renamed(shop, calls)
    assert made and max(made) < turn, "the name moves when all is made"
    eventually("the old address is free", lambda: need(shop.curl(first, authority=authority)[0] == 0, "it answers"), MOVE_SECONDS)
    balancer = node_cloud.seen(hostname)
    assert balancer["attributes"]["idle_timeout.timeout_seconds"] == "90" and sorted(balancer["listeners"]) == ["443/HTTPS", "80/HTTP"]

    mark = node_cloud.mark()
    with Watch(shop, authority) as back:
        eventually("samples", lambda: need(len(back.samples) > 3, f"{len(back.samples)}; {back.failure}"), MOVE_SECONDS)
        put(shop, "fairway")
        second = moved(shop, "aws", "in-cluster")
        count = len(back.samples)
        eventually("more samples", lambda: need(len(back.samples) > count + 3, f"{len(back.samples)}; {back.failure}"), MOVE_SECONDS)
    back.complete(["alias", "address"])
    assert back.record() == f"address {second}"
    calls = node_cloud.writes(mark)
    (turn,) = renamed(shop, calls)
    taken = numbers(calls, "DeleteLoadBalancer", "DeleteListener", "DeleteRule", "DeregisterTargets", "DeleteTargetGroup")
    assert taken and turn < min(taken), "the name moves before anything goes"

    node_cluster.delete("Ingress", shop.namespace, "web")
    node_cluster.gone("Ingress", shop.namespace, "web", MOVE_SECONDS)
    eventually("nothing left", lambda: nothing_left(shop, second), MOVE_SECONDS)


def warnings(cluster, shop):
    """Notes of keys without effect: one for each key that means something on AWS only."""
    said = cluster.events("Ingress", shop.namespace, "web")
    notes = [event.note for event in said if (event.type, event.reason) == ("Warning", "SettingWithoutEffect")]
    missing = [key for key in ALB_ONLY if not any(PREFIX + key in note for note in notes)]
    need(not missing, f"nothing is said of {missing}; events are {said}")
    return notes


def nothing_left(shop, address):
    left = sites.left_of_ours(shop.cloud.dump(), shop.lab.describe()["aws"]["cluster"])
    need(not left, left)
    states = [state["spec"]["stack"] for state in shop.cluster.all("LoadBalancerState") if shop.namespace in state["spec"]["stack"]]
    need(not states, states)
    need(shop.curl(address)[0] == 0, f"{address} answers")
