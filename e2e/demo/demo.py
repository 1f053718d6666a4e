"""`make demo`: Fairway from its chart on a real cluster, with AWS beside it; shows what was made and that it works.

    python e2e/demo/demo.py [--programs FOLDER] [--write]

Ends with 0 when everything is there, with 1 and the differences otherwise. On a terminal it stays up until Ctrl-C.
"""

import argparse
import contextlib
import difflib
import json
import sys
import time
from pathlib import Path

DEMO = Path(__file__).resolve().parent
sys.path[:0] = [str(DEMO.parents[1]), str(DEMO.parent), str(DEMO)]

from lab import Lab, TimedOut, unique_name, until  # noqa: E402  (the paths above come first)
from lab.progress import Progress  # noqa: E402

from e2e.lib import delivery  # noqa: E402
from e2e.lib.cloud import Cloud  # noqa: E402
from e2e.lib.cluster import Cluster  # noqa: E402
import terminal  # noqa: E402
from tree import lines, tree  # noqa: E402

OWNER = "demo"
EXPECTED = DEMO / "expected.json"
OBJECTS = (("Ingress", "front"), ("Ingress", "orders"), ("Service", "feed"), ("Ingress", "cafe"))
# Provisioning takes no time in the emulator; images are loaded by then.
MADE_SECONDS = 60.0
# The cluster takes 20 s to notice a dead node, Fairway less; on two busy processors both are late.
TAKEOVER_SECONDS = 45.0


class Demo:
    """The demo in a running lab."""

    def __init__(self, lab: Lab, progress: Progress) -> None:
        self.lab, self.progress = lab, progress
        aws = lab.describe()["aws"]
        self.cloud = Cloud(aws["endpoint"], aws["vpc"], aws["region"])
        self.cluster = Cluster(lab.api, lab.service_account_kubeconfig)
        self.nodes = self.interfaces()

    def deliver(self, programs: dict[str, Path]) -> None:
        """Images and chart."""
        self.progress.step("making images of operator and agent")
        delivery.deliver(self.lab, programs)
        self.progress.step("helm install fairway charts/fairway")
        delivery.install(self.lab, OWNER)

    def apply(self) -> None:
        """The demo's objects; waits for their addresses."""
        for file in ("shop.yaml", "cafe.yaml"):
            self.progress.step(f"kubectl apply -f e2e/demo/{file}")
            self.lab.kubectl("apply", "-f", DEMO / file)
        for kind, name in OBJECTS:
            address = self.cluster.published(kind, "shop", name, MADE_SECONDS)
            self.progress.step(f"{kind.lower()} shop/{name} is at {address}")

    def compare(self, seconds: float = MADE_SECONDS) -> bool:
        """Prints what stands in AWS and says whether it is what was expected."""
        expected = json.loads(EXPECTED.read_text(encoding="utf-8"))
        with contextlib.suppress(TimedOut):
            until("everything in AWS as expected", seconds, lambda: self.tree() == expected, pause=0.5)
        found = self.tree()
        print("\nIn AWS, as an independent client sees it:\n")
        print("\n".join(lines(found)) + "\n")
        if found == expected:
            print("This is what e2e/demo/expected.json expects.\n")
            return True
        print("This is not what e2e/demo/expected.json expects:\n")
        print("\n".join(difflib.unified_diff(lines(expected), lines(found), "expected", "found", lineterm="")))
        return False

    def tree(self) -> dict:
        return tree(self.cloud.dump(), self.cluster, OWNER)

    def serves(self) -> bool:
        """The in-cluster address answers, and again after the node that owns it is dead."""
        address = self.cluster.published("Ingress", "shop", "cafe")
        owner = self.owner(address)
        self.progress.step(f"{address} is announced by {owner}")
        print(f"curl http://cafe.example.com/ at {address}: {self.curl(address)}")
        self.progress.step(f"killing {owner}: kubelet, containerd and agent, and its wire is cut")
        self.lab.kill_node(owner)
        began = time.monotonic()
        try:
            answer = until(f"{address} answers again", TAKEOVER_SECONDS, lambda: self.curl(address), pause=0.25)
        except TimedOut as failure:
            print(f"{address} does not answer any more: {failure}")
            return False
        took = time.monotonic() - began
        new = self.owner(address)
        print(f"curl http://cafe.example.com/ at {address}: {answer}, {took:.1f} s after the death of {owner}; {new} has taken over")
        return new != owner

    def curl(self, address: str) -> str | None:
        """Which pod answers a client of the cluster's network; nothing when none does."""
        words = ["curl", "--silent", "--show-error", "--fail", "--max-time", "2", "--header", "Host: cafe.example.com", f"http://{address}/"]
        done = self.lab.exec("client", words, check=False)
        if done.returncode:
            return None
        seen = json.loads(done.stdout)
        return f"200 from pod {seen['pod']} on {seen['node']}"

    def owner(self, address: str) -> str:
        """The node whose interface answers for an address, by the client's own table of neighbours."""
        self.lab.exec("client", ["ip", "neigh", "flush", "all"], check=False)

        def probe() -> str | None:
            self.curl(address)
            found = json.loads(self.lab.exec("client", ["ip", "-json", "neigh", "show", address]).stdout or "[]")
            return next((self.nodes.get(entry["lladdr"]) for entry in found if "lladdr" in entry), None)

        return until(f"somebody answers for {address}", 30.0, probe, pause=0.5)

    def interfaces(self) -> dict[str, str]:
        """Hardware addresses of the nodes, while all of them live."""
        found = {}
        for node in self.lab.describe()["nodes"]:
            for link in json.loads(self.lab.exec(node["name"], ["ip", "-json", "link"]).stdout):
                found[link.get("address", "")] = node["name"]
        return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=Path, help="folder with built binaries, in place of building them")
    parser.add_argument("--write", action="store_true", help="write expected.json from what was found; look at it before you believe it")
    wish = parser.parse_args()
    progress = Progress()
    if wish.programs:
        programs = {name: wish.programs / name for name in delivery.PROGRAMS}
    else:
        progress.step("building operator and agent")
        programs = delivery.build()
    with Lab(unique_name("demo"), nodes=2, aws=True) as lab:
        demo = Demo(lab, progress)
        demo.deliver(programs)
        demo.apply()
        if wish.write:
            time.sleep(10.0)
            EXPECTED.write_text(json.dumps(demo.tree(), indent=1) + "\n", encoding="utf-8")
        good = demo.compare()
        good = demo.serves() and good
        if sys.stdout.isatty():
            stay(lab)
        print("The demo is as it should be." if good else "Something is missing; see above.")
        return 0 if good else 1


def stay(lab: Lab) -> None:
    """Keeps the lab up until Ctrl-C and says how to use it."""
    print(f"It stays up until Ctrl-C. In another shell: eval \"$(e2e/lab/lab env --name {lab.name})\"; $KUBECTL get ingress --all-namespaces")
    with contextlib.suppress(KeyboardInterrupt), terminal.alone():
        while True:
            time.sleep(1.0)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
