#!/usr/bin/env python3
"""What each crate may see, checked against `cargo tree`.

A crate exists to forbid something. The table names, for every crate of the workspace, the crates of ours that it may
depend on and the outside crates that must not be anywhere below it. A crate that is missing from the table fails.
"""

import json
import subprocess
import sys

EFFECTS = {"tokio", "kube-client", "kube-runtime", "tracing", "rand", "hyper", "reqwest"}
SDKS = {"aws-config", "aws-sdk-elasticloadbalancingv2", "aws-sdk-route53", "aws-sdk-acm", "aws-smithy-runtime"}
KUBE = {"kube-client", "kube-runtime"}
NEVER = {"aws-sdk-ec2", "openssl", "ring", "native-tls", "serde_yaml", "serde_yml"}

PURE = EFFECTS | SDKS

# crate: (crates of ours that it may see, directly or below; outside crates that must not be below it)
RULES = {
    "fairway-crds": (set(), PURE),
    "fairway-core": ({"fairway-crds"}, PURE),
    "fairway-aws": ({"fairway-crds", "fairway-core"}, PURE),
    "fairway-dns": ({"fairway-crds", "fairway-core"}, PURE),
    "fairway-metal": ({"fairway-crds", "fairway-core"}, PURE),
    "fairway-engine": ({"fairway-crds", "fairway-core", "fairway-aws", "fairway-dns", "fairway-metal"}, SDKS | KUBE),
    "fairway-sim": (
        {"fairway-crds", "fairway-core", "fairway-aws", "fairway-dns", "fairway-metal", "fairway-engine"},
        SDKS | KUBE,
    ),
    "fairway-aws-api": (
        {"fairway-crds", "fairway-core", "fairway-aws", "fairway-dns", "fairway-engine", "fairway-metal"},
        KUBE,
    ),
    "fairway-cluster": ({"fairway-crds", "fairway-core"}, SDKS),
    # Answers whoever asks, and knows no cluster: where keys are kept is behind a trait.
    "fairway-admission": ({"fairway-crds", "fairway-core"}, SDKS | KUBE),
    "fairway": (
        {
            "fairway-crds", "fairway-core", "fairway-aws", "fairway-dns", "fairway-metal", "fairway-engine",
            "fairway-aws-api", "fairway-cluster", "fairway-admission",
        },
        set(),
    ),
    "fairway-sys": (set(), SDKS | KUBE),
    "fairway-announce": ({"fairway-sys"}, SDKS | KUBE),
    "fairway-l4": ({"fairway-sys"}, SDKS | KUBE),
    "fairway-l7": (set(), SDKS | KUBE),
    "fairway-agent": (
        {
            # The Kubernetes side is shared: the agent decides from the same watches as the operator.
            "fairway-crds", "fairway-core", "fairway-metal", "fairway-cluster", "fairway-sys", "fairway-announce",
            "fairway-l4", "fairway-l7",
        },
        SDKS,
    ),
}  # fmt: skip


def below(crate: str) -> set[str]:
    """Names of all crates that `crate` depends on in a normal build."""
    command = ["cargo", "tree", "--locked", "--package", crate, "--edges", "normal", "--prefix", "none", "--format", "{p}"]
    tree = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {line.split()[0] for line in tree.splitlines() if line.strip()} - {crate}


def members() -> set[str]:
    """Names of the crates of this workspace."""
    metadata = ["cargo", "metadata", "--locked", "--no-deps", "--format-version", "1"]
    answer = subprocess.run(metadata, check=True, capture_output=True, text=True).stdout
    return {package["name"] for package in json.loads(answer)["packages"]}


def main() -> int:
    problems = []
    ours = members()
    problems += [f"{crate} has no row in the table" for crate in sorted(ours - RULES.keys())]
    problems += [f"{crate} has a row but is no crate" for crate in sorted(RULES.keys() - ours)]
    for crate in sorted(ours & RULES.keys()):
        allowed, forbidden = RULES[crate]
        seen = below(crate)
        problems += [f"{crate} must not see {other}" for other in sorted((seen & ours) - allowed)]
        problems += [f"{crate} must not see {other}" for other in sorted(seen & (forbidden | NEVER))]
    for problem in problems:
        print(f"boundaries: {problem}", file=sys.stderr)
    print(f"boundaries: {len(ours)} crates checked, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
