"""Parts of the lab that need no cluster: the address plan, AWS's seed, images, control groups, ports."""

import ipaddress
import json
import os
import signal
import subprocess
import tarfile
from pathlib import Path

import pytest

from lab import Recipe, aws, build, cgroups, images, paths, plan, ports, processes, unique_name

ALL = plan.nodes(plan.MAX_NODES)


def test_every_address_is_in_the_vpc_and_used_once() -> None:
    addresses = [plan.CONTROL, plan.CLIENT, *(node.address for node in ALL), *(address for node in ALL for address in node.pod_addresses)]
    assert len(set(addresses)) == len(addresses)
    assert all(address in plan.VPC for address in addresses)
    assert not [address for address in addresses if address in plan.ANNOUNCED]


def test_networks_in_the_vpc_do_not_overlap() -> None:
    networks = [*plan.PRIVATE, *plan.PUBLIC, plan.ANNOUNCED, ipaddress.ip_network(plan.CONTROL), ipaddress.ip_network(plan.CLIENT)]
    assert all(network.subnet_of(plan.VPC) for network in networks)
    assert not [(one, other) for one in networks for other in networks if one is not other and one.overlaps(other)]


def test_a_node_and_its_pods_are_in_the_subnet_of_its_zone() -> None:
    for node in ALL:
        assert node.subnet == dict(zip(plan.ZONES, plan.PRIVATE, strict=True))[node.zone]
        assert node.address in node.subnet
        assert node.pods.subnet_of(node.subnet)
        assert node.address not in node.pods
    assert [node.zone for node in ALL[:4]] == [*plan.ZONES, plan.ZONES[0]]


def test_a_node_is_told_the_way_to_all_pods_but_its_own() -> None:
    first, second, third = plan.nodes(3)
    assert plan.routes_of(second, [first, second, third]) == {first.pods: first.address, third.pods: third.address}
    assert len(plan.routes_of(None, [first, second, third])) == 3


def test_the_seed_gives_each_node_an_instance_in_a_subnet_that_exists() -> None:
    seed = aws.seed(plan.nodes(4))
    subnets = {subnet["name"]: subnet for subnet in seed["subnets"]}
    assert len(subnets) == 6
    for node, instance in zip(plan.nodes(4), seed["instances"], strict=True):
        assert instance["id"] == node.instance
        assert subnets[instance["subnet"]]["zone"] == node.zone
        network = ipaddress.ip_network(subnets[instance["subnet"]]["cidr"])
        assert all(ipaddress.ip_address(address) in network for address in [instance["privateAddress"], *instance["podAddresses"]])
    json.dumps(seed)


@pytest.mark.parametrize("name", ["", "Upper", "a.b", "-a", "a-", "bin", "logs", "locks", "a" * 25, "../a"])
def test_names_that_would_not_do_are_refused(name: str) -> None:
    with pytest.raises(paths.BadName):
        paths.folder(name)


def test_an_image_of_equal_content_is_equal(tmp_path: Path) -> None:
    recipe = Recipe("test/true:1", {"/usr/bin/true": Path("/bin/true")}, ["--version"])
    one, other = (images.make(recipe, tmp_path / name).archive for name in ("one.tar", "other.tar"))
    assert one.read_bytes() == other.read_bytes()
    with tarfile.open(one) as archive:
        manifest = json.load(archive.extractfile("manifest.json"))[0]
        config = json.load(archive.extractfile(manifest["Config"]))
        with tarfile.open(fileobj=archive.extractfile(manifest["Layers"][0])) as layer:
            files = {member.name for member in layer.getmembers() if member.isfile()}
    assert manifest["RepoTags"] == ["test/true:1"]
    assert config["config"]["Entrypoint"] == ["/usr/bin/true", "--version"]
    assert "usr/bin/true" in files
    assert {str(library).lstrip("/") for library in images.libraries(Path("/bin/true"))} <= files


def test_an_image_needs_a_program(tmp_path: Path) -> None:
    with pytest.raises(images.BadImage, match="no program"):
        images.make(Recipe("test/empty:1", {}), tmp_path / "empty.tar")


def test_a_program_is_built_anew_when_its_sources_or_flags_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "SOURCES", tmp_path)
    (tmp_path / "tool").mkdir()
    (tmp_path / "tool" / "main.go").write_text("package main")
    first = build.Program("tool").path()
    assert build.Program("tool").path() == first
    assert build.Program("tool", "-w").path() != first
    (tmp_path / "tool" / "main.go").write_text("package main\n")
    assert build.Program("tool").path() != first


def test_ports_given_to_one_lab_differ_and_are_free() -> None:
    found = ports.pick(["a", "b", "c", "d"])
    assert list(found) == ["a", "b", "c", "d"]
    assert len(set(found.values())) == 4
    assert all(ports.FIRST <= port <= ports.LAST for port in found.values())


def use_tree(monkeypatch: pytest.MonkeyPatch, point: Path, kind: str) -> None:
    monkeypatch.setattr(cgroups, "ROOT", point)
    monkeypatch.setattr(cgroups, "_mounts", lambda: {str(point): kind})


def v2_tree() -> Path | None:
    """Where a v2 tree is mounted on this machine: alone, or beside v1."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()]
    return next((Path(words[1]) for words in mounts if words[2] == "cgroup2"), None)


def check_groups(lab: str) -> None:
    """Groups are made, a process in one is found and killed, and the groups go, also those that others made below them."""
    assert cgroups.make(lab, "node1") == f"/fairway.{lab}/node1"
    groups = cgroups.existing(lab)
    assert groups
    sleeper = subprocess.Popen(["sleep", "60"])
    try:
        for group in groups:
            (group / "node1" / "pod").mkdir()
        (groups[0] / "node1" / "pod" / "cgroup.procs").write_text(str(sleeper.pid))
        assert cgroups.processes(lab, "node1") == {sleeper.pid}
        assert cgroups.processes(lab, "node2") == set()
        assert sleeper.poll() is None
        cgroups.kill(lab)
        assert sleeper.wait(timeout=5) == -signal.SIGKILL
    finally:
        sleeper.kill()
        sleeper.wait()
        cgroups.remove(lab)
    assert cgroups.existing(lab) == []


def test_groups_come_and_go_in_the_trees_of_this_machine() -> None:
    check_groups(unique_name("groups"))


@pytest.mark.skipif(v2_tree() is None, reason="no v2 tree on this machine")
def test_groups_come_and_go_in_a_v2_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = v2_tree()
    assert tree is not None
    use_tree(monkeypatch, tree, "cgroup2")
    assert cgroups.version() == "v2"
    check_groups(unique_name("groups2"))


def test_the_environment_of_a_process_is_known_while_its_program_is_loaded() -> None:
    for _ in range(200):
        with subprocess.Popen(["sleep", "60"], env={"PATH": os.defpath, "MARK": "here"}) as process:
            try:
                assert b"MARK=here" in processes.environment(process.pid)
            finally:
                process.kill()


def test_a_marked_process_is_found_without_a_record(tmp_path: Path) -> None:
    stray = processes.start(tmp_path, "stray", ["sleep", "60"])
    (tmp_path / "processes" / "stray.json").unlink()
    assert processes.recorded(tmp_path) == []
    assert [process.pid for process in processes.marked(tmp_path)] == [stray.pid]
    processes.stop(processes.marked(tmp_path))
    assert processes.marked(tmp_path) == []
