"""`fairway plan` and `fairway capture`: what would be done and for whom, live and from files, and nothing is written.

No operator runs while a test does. `settled` is what one has made, `asked` is what none has looked at yet. The command has an account
that may read and nothing else.
"""

import pytest
import yaml

from e2e.lib import chart, site as sites
from e2e.lib.cloud import READS
from e2e.lib.command import CHANGES, ERROR, HELD, NOTHING, NOWHERE, reader
from e2e.lib.waiting import eventually, need

PREFIX = "alb.ingress.kubernetes.io/"
PUBLIC = {"scheme": "internet-facing", "target-type": "ip"}


@pytest.fixture(scope="module")
def fairway(world, tmp_path_factory):
    with reader(world, tmp_path_factory.mktemp("plan")) as command:
        yield command


@pytest.fixture
def asked(world):
    """A namespace with an Ingress that no operator has looked at."""
    shop = world.shop("asked")
    shop.ingress("a", on_web(shop, "/", "/more"), PUBLIC)
    yield shop
    shop.close()


@pytest.fixture(scope="module")
def settled(world):
    """A namespace with an Ingress and a Service for which everything has been made."""
    shop = world.shop("settled")
    with running(world, "settled"):
        shop.ingress("a", on_web(shop, "/", "/more"), PUBLIC)
        shop.up("a")
        name = (host(shop), "A")
        eventually("its name", lambda: need(name in world.cloud.records(), sorted(world.cloud.records())))
        shop.targets("web:80", [f"{address}:8080" for address in shop.addresses["web"]])
        rules = lambda: world.cloud.dump()["securityGroups"]["nodes"]["ingress"]  # noqa: E731
        eventually("its rules on nodes", lambda: need(rules(), "there are none"))
    yield shop
    with running(world, "leaving"):
        shop.close()
        left = lambda: sites.left_of_ours(world.cloud.dump(), world.account["cluster"])  # noqa: E731
        eventually("nothing of ours left in AWS", lambda: need(not left(), left()))


class running:
    """An operator, for as long as the block lasts."""

    def __init__(self, site, name):
        site.clear_lease()
        self.operator = site.operator(f"test_plan_command-{name}", site.flags())

    def __enter__(self):
        return self.operator.ready()

    def __exit__(self, *_):
        assert self.operator.stop() == 0, self.operator.tail()


def host(shop):
    return f"{shop.namespace}.example.com"


def on_web(shop, *paths):
    return [(host(shop), path, "Prefix", "web", 80) for path in paths]


def unit_of(shop):
    return f"aws:ingress:{shop.namespace}/a"


def edited(folder, name, change):
    """A copy of captured files with one object changed."""
    text = (folder / "manifests.yaml").read_text(encoding="utf-8")
    manifests = yaml.safe_load(text)
    found = [item for item in manifests["items"] if (item["kind"], item["metadata"]["name"]) == ("Ingress", "a")]
    assert len(found) == 1, [item["metadata"]["name"] for item in found]
    change(found[0])
    copy = folder.parent / name
    copy.mkdir()
    for file in ("facts.yaml", "observed.yaml"):
        (copy / file).write_text((folder / file).read_text(encoding="utf-8"), encoding="utf-8")
    (copy / "manifests.yaml").write_text(yaml.safe_dump(manifests), encoding="utf-8")
    return copy


# Nothing exists yet


def test_everything_is_planned_with_who_asked_for_it(fairway, asked):
    done = fairway.plan()
    assert done.code == CHANGES, done.complaint
    stack = done.units()[unit_of(asked)]
    kinds = [(op["effect"], op["resource"].partition("/")[0]) for op in stack["ops"]]
    assert sorted(kinds) == [
        ("create", "listener"), ("create", "load-balancer"), ("create", "rule"), ("create", "rule"), ("create", "security-group"),
        ("create", "target-group"), ("modify", "binding"), ("modify", "security-group")]
    by_kind = {op["resource"].partition("/")[0]: op for op in stack["ops"]}
    of = f"Ingress {asked.namespace}/a"
    assert f"{of} {PREFIX}scheme" in by_kind["load-balancer"]["because"], "who asked for the scheme"
    assert f"{of} spec.rules" in by_kind["rule"]["because"]
    assert [op["resource"] for unit in done.units().values() for op in unit["ops"] if not op.get("because")] == []
    position = {kind: kinds.index(("create", kind)) for kind in ("security-group", "target-group", "load-balancer", "listener", "rule")}
    assert sorted(position, key=position.__getitem__) == list(position), "what is referred to comes first"
    network = done.units()["cluster network"]["ops"]
    assert [(op["effect"], op["resource"]) for op in network] == [("create", "security-group/backend")]


def test_the_text_says_the_same(fairway, asked):
    done = fairway.run("plan")
    assert done.code == CHANGES, done.complaint
    lines = done.text.splitlines()
    start = next(number for number, line in enumerate(lines) if "create internet-facing load balancer" in line)
    assert lines[start].startswith("  + ") and lines[start + 1].strip() == "waits until the shared backend security group exists"
    assert lines[start + 2].strip() == f"asked for by Ingress {asked.namespace}/a {PREFIX}scheme, Ingress {asked.namespace}/a spec.rules"
    assert lines[-1] == "Plan: 7 to create, 2 to modify, 0 to delete."


def test_defect_17_nothing_is_written(fairway, asked, cloud, cluster):
    before, mark = versions(cluster, asked.namespace), cloud.mark()
    assert fairway.plan().code == CHANGES
    fairway.capture("unwritten")
    calls = [call["operation"] for call in cloud.journal(mark)]
    assert {"DescribeLoadBalancers", "ListHostedZones"} <= set(calls), calls
    assert [name for name in calls if not name.startswith(READS)] == []
    assert versions(cluster, asked.namespace) == before
    assert "finalizers" not in cluster.get("Ingress", asked.namespace, "a")["metadata"]


def versions(cluster, namespace):
    """Every object that an operator would write, by its version."""
    kinds = ("Ingress", "Service", "TargetGroupBinding", "LoadBalancerState", "Event", "Lease")
    places = (None, namespace, chart.NAMESPACE)  # others renew their own Leases
    found = [(kind, item["metadata"]) for kind in kinds for item in cluster.all(kind)]
    return {(kind, of.get("namespace"), of["name"]): of["resourceVersion"] for kind, of in found if of.get("namespace") in places}


def test_only_the_named_unit_is_shown(fairway, asked):
    asked.ingress("b", [(f"b-{host(asked)}", "/", "Prefix", "web", 80)], PUBLIC)
    assert {unit_of(asked), f"aws:ingress:{asked.namespace}/b"} <= set(fairway.plan().units())
    done = fairway.plan(f"--only={asked.namespace}/a")
    assert (done.code, list(done.units())) == (CHANGES, [unit_of(asked)])
    nobody = fairway.plan("--only=nobody")
    assert nobody.code == ERROR and nobody.complaint.startswith('error: no unit\'s name contains "nobody"')


def test_what_cannot_be_read_is_held(fairway, asked, cluster):
    key = f"{PREFIX}healthcheck-interval-seconds"
    cluster.annotate("Ingress", asked.namespace, "a", {key: "often"})
    done = fairway.plan(f"--only={unit_of(asked)}")
    assert done.code == HELD, done.complaint
    (note,) = done.units()[unit_of(asked)]["notes"]
    assert note["held"] and note["code"] == "InvalidSetting" and key in note["message"] and '"often"' in note["message"]
    assert done.ops() == []
    text = fairway.run("plan", f"--only={unit_of(asked)}").text
    assert f"  ! Ingress {asked.namespace}/a InvalidSetting: {key}" in text and "1 held." in text


def test_errors_are_told(fairway, asked):
    elsewhere = [flag for flag in fairway.site.flags() if not flag.startswith("--aws-vpc-id")]
    done = fairway.plan(flags=[*elsewhere, "--aws-vpc-id=vpc-0badbadbad"])
    assert done.code == ERROR and "vpc-0badbadbad" in done.errors()["account"], done.text

    done = fairway.plan(endpoint=f"http://{NOWHERE}")
    error = done.errors()[unit_of(asked)]
    assert done.code == ERROR and error.startswith("AwsUnavailable: ec2 DescribeSubnets: no answer: "), done.text
    assert error.endswith("Connection refused (os error 111)"), "the cause, and not how Rust spells it"
    assert done.ops() == []


def test_a_cluster_that_does_not_answer_is_an_error(fairway):
    server = fairway.site.cluster.api.server
    broken = fairway.folder / "broken-kubeconfig"
    broken.write_text(fairway.kubeconfig.read_text(encoding="utf-8").replace(server, f"https://{NOWHERE}"), encoding="utf-8")
    done = fairway.plan(kubeconfig=broken)
    assert done.code == ERROR and "the cluster does not answer" in done.complaint and done.text == ""

    done = fairway.plan(kubeconfig="/nonexistent/kubeconfig")
    (line,) = done.complaint.splitlines()
    assert done.code == ERROR and line.startswith("error: there is no cluster to talk to") and "'\"/nonexistent/kubeconfig\"'" in line


def test_files_give_the_same_plan(fairway, asked):
    live = fairway.plan()
    captured = fairway.capture("asked")
    offline = fairway.offline(captured)
    assert offline.code == CHANGES, offline.complaint
    assert offline.units() == live.units()
    without = fairway.offline(captured, f"--only={unit_of(asked)}", leave_out=["observed"])
    assert without.code == CHANGES and without.units() == {unit_of(asked): live.units()[unit_of(asked)]}, "what is not observed does not exist"


def test_a_missing_fact_is_named(fairway, asked):
    captured = fairway.capture("factless")
    facts = yaml.safe_load((captured / "facts.yaml").read_text(encoding="utf-8"))
    questions = [question for question, _ in facts["aws"]["answers"]]
    assert "subnets" in questions, questions
    facts["aws"]["answers"] = [pair for pair in facts["aws"]["answers"] if pair[0] != "subnets"]
    (captured / "facts.yaml").write_text(yaml.safe_dump(facts), encoding="utf-8")
    done = fairway.offline(captured)
    assert done.code == ERROR, done.complaint
    assert done.errors() == {unit_of(asked): "FactMissing: the account's answer to Subnets is needed: give --facts, which `fairway capture` makes"}


# Everything has been made


def test_there_is_nothing_to_do_when_all_is_made(fairway, settled):
    text = fairway.run("plan")
    assert (text.code, text.text) == (NOTHING, f"Nothing to do: {len(fairway.plan().units())} units are as they should be.\n")
    done = fairway.plan()
    assert done.code == NOTHING and unit_of(settled) in done.units()
    assert done.ops() == []
    offline = fairway.offline(fairway.capture("settled"))
    assert offline.code == NOTHING and offline.units() == done.units()


def test_an_edited_manifest_plans_its_change(fairway, settled, cluster):
    captured = fairway.capture("unedited")

    def third_path(ingress):
        paths = ingress["spec"]["rules"][0]["http"]["paths"]
        paths.append({**paths[0], "path": "/a/new/one"})

    offline = fairway.offline(edited(captured, "edited", third_path))
    assert offline.code == CHANGES, offline.complaint
    ops = offline.units()[unit_of(settled)]["ops"]
    assert [f"{op['effect']} {op['resource'].partition('/')[0]}" for op in ops] == ["modify listener", "create rule", "modify rule", "modify rule"]
    assert ops[0]["what"].startswith("move 2 rules of listener "), "the longest path is first"
    assert "path /a/new/one or /a/new/one/*" in ops[1]["details"]
    assert len(offline.ops()) == len(ops), "no other unit has anything to do"

    settled.ingress("a", on_web(settled, "/", "/more", "/a/new/one"), PUBLIC)
    try:
        live = fairway.plan()
        assert live.code == CHANGES and live.units() == offline.units()
    finally:
        settled.ingress("a", on_web(settled, "/", "/more"), PUBLIC)


def test_what_was_changed_behind_our_back_is_planned(fairway, settled, cloud):
    (name,) = [group["HealthCheckPath"] for group in settled.target_groups().values()]
    arn = cloud.elb.describe_target_groups(LoadBalancerArn=settled.arn("a"))["TargetGroups"][0]["TargetGroupArn"]
    cloud.elb.modify_target_group(TargetGroupArn=arn, HealthCheckPath="/elsewhere")
    try:
        done = fairway.plan()
        assert done.code == CHANGES and len(done.ops()) == 1, done.text
        (op,) = done.units()[unit_of(settled)]["ops"]
        assert op["effect"] == "modify" and op["resource"].startswith("target-group/")
        assert any("/elsewhere" in line for line in op["details"]), op
        assert op["because"] == [f"Ingress {settled.namespace}/a spec.rules"]
    finally:
        cloud.elb.modify_target_group(TargetGroupArn=arn, HealthCheckPath=name)
    assert fairway.plan().code == NOTHING


def test_deletions_are_withheld_where_the_policy_allows_none(fairway, settled):
    def leave(ingress):
        ingress["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    left = edited(fairway.capture("staying"), "leaving", leave)
    done = fairway.offline(left)
    assert done.code == CHANGES, done.complaint
    wanted = [op for op in done.ops() if op.startswith("delete ")]
    assert {op.split(" ")[1].partition("/")[0] for op in wanted} >= {"load-balancer", "target-group", "security-group"}, done.ops()
    assert not [op for op in done.ops() if op.startswith("create ")]

    kept = fairway.offline(left, "--policy=upsert-only")
    assert kept.code == HELD and not [op for op in kept.ops() if op.startswith("delete ")]
    withheld = [entry for unit in kept.units().values() for entry in unit["withheld"]]
    assert len(withheld) >= len(wanted)
    assert {entry["reason"] for entry in withheld} <= {"the policy allows no deletions", "it comes after an operation that is withheld"}

    frozen = fairway.offline(left, "--policy=freeze")
    assert frozen.code == HELD and frozen.ops() == []
    assert fairway.plan("--policy=freeze").code == NOTHING, "nothing is withheld where nothing is to do"


def test_a_change_that_cannot_be_read_is_held_where_it_was(fairway, settled, cluster):
    cluster.annotate("Ingress", settled.namespace, "a", {f"{PREFIX}listen-ports": "eighty"})
    try:
        done = fairway.plan()
        assert done.code == HELD and done.ops() == [], done.text
        assert [note["code"] for note in done.units()[unit_of(settled)]["notes"] if note["held"]] == ["InvalidSetting"]
    finally:
        cluster.annotate("Ingress", settled.namespace, "a", {f"{PREFIX}listen-ports": None})
