"""The operator's commands that only look: run as a person would, by an account that may read and nothing else."""

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from . import chart
from .operator import CREDENTIALS

NOTHING, ERROR, CHANGES, HELD = 0, 1, 2, 3
READER = "e2e-reader"
# A command that hangs is a failure. An account that does not answer is asked four times.
COMMAND_SECONDS = 45.0
# Nobody listens on the port of discarded bytes.
NOWHERE = "127.0.0.1:9"


class Done:
    """How a command ended."""

    def __init__(self, done):
        self.code, self.text, self.complaint = done.returncode, done.stdout, done.stderr

    def units(self):
        """The plan by unit, of JSON output."""
        return {unit["unit"]: unit for unit in json.loads(self.text)}

    def ops(self):
        """Operations of all units: `effect resource`."""
        return [f"{op['effect']} {op['resource']}" for unit in self.units().values() for op in unit["ops"]]

    def errors(self):
        return {name: unit["error"] for name, unit in self.units().items() if "error" in unit}


class Fairway:
    """The command, against a site, by an account that may read only."""

    def __init__(self, site, folder):
        self.site, self.folder = site, folder
        self.kubeconfig = site.cluster.kubeconfig_for(chart.NAMESPACE, READER)

    def run(self, *words, flags=None, endpoint=None, kubeconfig=None):
        """With the site's flags, account and cluster, unless others are given."""
        own = {"KUBECONFIG": str(kubeconfig or self.kubeconfig), "AWS_ENDPOINT_URL": endpoint or self.site.cloud.endpoint, **CREDENTIALS}
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "KUBE", "FAIRWAY_", "POD_"))}
        flags = self.site.flags() if flags is None else flags
        return Done(subprocess.run(
            [self.site.program, *words, "--log=warn", *flags], env={**clean, "RUST_BACKTRACE": "0", **own},
            capture_output=True, text=True, check=False, timeout=COMMAND_SECONDS))

    def plan(self, *words, **how):
        return self.run("plan", "--output=json", *words, **how)

    def offline(self, captured, *words, leave_out=()):
        """From the files of a folder; neither cluster nor account can be reached."""
        files = [f"--{name}={captured / name}.yaml" for name in ("manifests", "facts", "observed") if name not in leave_out]
        return self.plan(*files, *words, endpoint=f"http://{NOWHERE}", kubeconfig=Path("/nonexistent"))

    def capture(self, name):
        """A folder with what was captured."""
        folder = self.folder / name
        done = self.run("capture", f"--directory={folder}")
        assert done.code == 0, done.complaint
        return folder


@contextlib.contextmanager
def reader(site, folder: Path) -> Iterator[Fairway]:
    """The command, for as long as its account exists."""
    rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]}]
    rbac = "rbac.authorization.k8s.io"
    made = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": READER, "namespace": chart.NAMESPACE}},
        {"apiVersion": f"{rbac}/v1", "kind": "ClusterRole", "metadata": {"name": READER}, "rules": rules},
        {"apiVersion": f"{rbac}/v1", "kind": "ClusterRoleBinding", "metadata": {"name": READER},
         "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": READER},
         "subjects": [{"kind": "ServiceAccount", "name": READER, "namespace": chart.NAMESPACE}]},
    ]
    site.cluster.apply(*made)
    try:
        yield Fairway(site, folder)
    finally:
        for manifest in made:
            site.cluster.delete(manifest["kind"], manifest["metadata"].get("namespace"), manifest["metadata"]["name"])
