"""The start command: what it refuses, that it ends cleanly, that two can run at once."""

import os
import subprocess

import pytest
from emulator import RUN, Emulator


def refused(*arguments):
    ended = subprocess.run([str(RUN), *arguments], capture_output=True, text=True, timeout=30)
    assert ended.returncode != 0
    return ended.stderr


def test_a_port_that_is_taken_is_refused(emulator):
    port = emulator.endpoint.rsplit(":", 1)[1]
    assert "cannot bind" in refused("--port", port)


def test_an_ipv4_address_that_would_not_be_honoured_is_refused():
    assert "IPv6" in refused("--bind", "127.0.0.1")


def test_a_seed_that_is_not_there_is_refused():
    assert "no seed file" in refused("--port", "0", "--seed", "/nonexistent.json")


def test_a_second_one_runs_beside_the_first_and_ends_with_code_0(emulator):
    with Emulator.start() as second:
        assert second.endpoint != emulator.endpoint
        second.control("POST", "clock", {"advance": 5})
        assert emulator.control("GET", "clock")["offset_seconds"] != 5
        pid = second.pid
        assert second.stop() == 0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
