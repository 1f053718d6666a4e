#!/usr/bin/env python3
"""Sizes that keep the code readable: no Rust or Python file is longer than it may be before its tests."""

import pathlib
import subprocess
import sys

LINES = 400


def length(path: pathlib.Path) -> int:
    """Lines before the tests."""
    lines = path.read_text(encoding="utf-8").splitlines()
    tests = next((n for n, line in enumerate(lines) if line.strip() == "#[cfg(test)]"), len(lines))
    return tests


def is_test(name: str) -> bool:
    """Whether a file holds tests only."""
    return "tests" in name or pathlib.PurePath(name).name.startswith("test_")


def main() -> int:
    listed = subprocess.run(["git", "ls-files", "*.rs", "*.py"], check=True, capture_output=True, text=True)
    files = [pathlib.Path(name) for name in listed.stdout.splitlines() if not is_test(name)]
    problems = [f"{path}: {length(path)} lines before its tests, at most {LINES}" for path in files if length(path) > LINES]
    for problem in problems:
        print(f"sizes: {problem}", file=sys.stderr)
    print(f"sizes: {len(files)} files checked, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
