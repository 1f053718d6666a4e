"""Whatever ends the owner of a lab, the lab goes too."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from owners import E2E, OWNER, orphan, own

from lab import Lab, leftovers, patient, processes, teardown, unique_name, until

COMMAND = E2E / "lab" / "lab"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_owner_takes_its_lab_along(number: signal.Signals) -> None:
    name = unique_name("killed")
    owner = own(name)
    assert leftovers(name), "there is something to tear down"
    owner.send_signal(number)
    owner.communicate()
    until("the warden to tear the lab down", 20, lambda: leftovers(name) == [])


def test_an_owner_killed_in_the_middle_of_the_start_leaves_nothing() -> None:
    name = unique_name("early")
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(E2E), name, "0"], stdout=subprocess.PIPE)
    folder = Lab(name, quiet=True).folder
    until("etcd to run", 30, (folder / "processes" / "etcd.json").exists)
    owner.kill()
    owner.communicate()
    until("the warden to tear the lab down", 20, lambda: leftovers(name) == [])


def test_the_next_start_removes_what_an_owner_and_its_warden_left() -> None:
    name = unique_name("orphan")
    owner = own(name)
    folder = Lab(name, quiet=True).folder
    orphan(owner)
    assert leftovers(name), "nobody was left to tear it down"
    assert folder.exists()
    with Lab(unique_name("next"), quiet=True):
        assert leftovers(name) == []


def test_ctrl_c_ends_the_command_orderly() -> None:
    name = unique_name("typed")
    command = subprocess.Popen([COMMAND, "up", "--name", name], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert command.stdout is not None
    assert "env --name" in command.stdout.readline()
    command.send_signal(signal.SIGINT)
    command.communicate(timeout=patient(30))
    assert command.returncode == 130
    assert leftovers(name) == [], "it is gone before the command ends"


def test_a_detached_lab_outlives_its_starter_and_is_ended_by_name() -> None:
    name = unique_name("detached")
    try:
        subprocess.run([COMMAND, "up", "--name", name, "--detach"], check=True, capture_output=True)
        exports = subprocess.run([COMMAND, "env", "--name", name], check=True, capture_output=True, text=True).stdout
        assert f"export LAB_NAME={name}" in exports
        assert Lab.attach(name).api.get("/readyz") == "ok"
        status = subprocess.run([COMMAND, "status"], check=True, capture_output=True, text=True).stdout
        assert f"{name}: ready (control-plane" in status
    finally:
        subprocess.run([COMMAND, "down", "--name", name], check=True, capture_output=True)
    assert leftovers(name) == []
    subprocess.run([COMMAND, "down", "--name", name], check=True, capture_output=True)


def test_a_reused_pid_is_never_signalled(tmp_path: Path) -> None:
    sleeper = processes.start(tmp_path, "sleeper", ["sleep", "60"])
    imposter = processes.Process("imposter", sleeper.pid, sleeper.started - 1)
    assert not imposter.alive()
    assert not imposter.send(signal.SIGKILL)
    assert sleeper.alive()
    processes.stop([sleeper])
    assert not sleeper.alive()


def test_a_teardown_that_leaves_something_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    name = unique_name("stuck")
    monkeypatch.setattr(teardown, "leftovers", lambda name: ["process 1"])
    with pytest.raises(teardown.TeardownFailed, match="process 1"):
        teardown.remove(name)
