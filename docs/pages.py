"""How generated pages are written, and checked against what is committed."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def settle(script: str, wanted: str, arguments: list[str]) -> int:
    """Writes docs/reference/SCRIPT.md, or, with `--check`, says whether it is what is wanted; gives the exit code."""
    page = ROOT / f"docs/reference/{script}.md"
    if arguments != ["--check"]:
        page.write_text(wanted, encoding="utf-8")
        return 0
    if not page.exists() or page.read_text(encoding="utf-8") != wanted:
        print(f"docs/reference/{script}.md is not current: run docs/{script}.py", file=sys.stderr)
        return 1
    print(f"{script}: the page is current")
    return 0
