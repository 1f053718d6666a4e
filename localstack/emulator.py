"""Starts, steers and stops an emulator from Python; needs nothing but the standard library.

with Emulator.start(seed="localstack/seeds/three-zones.json") as emulator:
    emulator.control("PUT", "faults", {"rules": [{"id": "one", "operation": "CreateRule"}]})
"""

import json
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

RUN = Path(__file__).resolve().parent / "run"
# Building the environment takes a minute or two, starting two seconds.
START_SECONDS = 300
STOP_SECONDS = 20


class Emulator:
    def __init__(self, process, endpoint):
        self._process, self.endpoint = process, endpoint

    @classmethod
    def start(cls, seed=None, log=None, prefix=()):
        """Starts one on a free loopback port; `prefix` is a command to run it under, `log` an open file."""
        with tempfile.TemporaryDirectory(prefix="fairway-localstack-") as folder:
            ready = Path(folder) / "ready.json"
            command = [*prefix, str(RUN), "--port", "0", "--ready-file", str(ready)]
            command += ["--seed", str(seed)] if seed else []
            process = subprocess.Popen(command, stdout=log or subprocess.DEVNULL, stderr=log)
            try:
                return cls(process, _wait_for(ready, process)["endpoint"])
            except BaseException:
                process.kill()
                process.wait()
                raise

    @property
    def pid(self):
        return self._process.pid

    def control(self, method, route, body=None):
        """Calls `/_fairway/<route>`; the answer, or a RuntimeError with what the emulator says is wrong."""
        request = urllib.request.Request(
            f"{self.endpoint}/_fairway/{route}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {route}: {error.code} {error.read().decode()}") from error

    def stop(self):
        """Ends it and gives its exit code; may be called again."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.stop()


def _wait_for(ready, process):
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if ready.exists():
            return json.loads(ready.read_text())
        if process.poll() is not None:
            raise RuntimeError(f"the emulator ended with code {process.returncode} before it was ready")
        time.sleep(0.05)
    raise TimeoutError("the emulator did not get ready")
