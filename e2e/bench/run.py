"""`make bench`: runs the benches, or the one that is named, prints a table and appends to `target/bench/results.jsonl`.

    python e2e/bench/run.py [alb]        PEER_LBC=/path/to/controller measures the peer, too
"""

import argparse
import subprocess
import sys
from pathlib import Path

E2E = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(E2E.parent), str(E2E), str(E2E.parent / "localstack")]

from e2e.bench import alb, results  # noqa: E402  (the paths above come first)
from e2e.lib import site as sites  # noqa: E402

BENCHES = {"alb": alb.run}
RESULTS = E2E.parent / "target" / "bench" / "results.jsonl"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", nargs="*", help=f"of {', '.join(BENCHES)}; all when none is named")
    parser.add_argument("--program", type=Path, help="the operator's binary, in place of a release build")
    wish = parser.parse_args()
    if unknown := set(wish.bench) - set(BENCHES):
        parser.error(f"no bench {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    program = wish.program or built()
    rows: list[results.Row] = []
    for name in wish.bench or BENCHES:
        with sites.opened(program) as site:
            rows += BENCHES[name](site)
    results.write(RESULTS, rows)
    print(results.table(rows))
    return 0


def built() -> Path:
    """A release build: what users run."""
    subprocess.run(["cargo", "build", "--release", "--package=fairway"], cwd=E2E.parent, check=True)
    return E2E.parent / "target" / "release" / "fairway"


if __name__ == "__main__":
    sys.exit(main())
