"""Rows of a bench: a table for people, one JSON object a line for programs.

| field        | meaning                                                               |
|--------------|-----------------------------------------------------------------------|
| `bench`      | which bench                                                           |
| `row`        | what was measured                                                     |
| `value`      | of Fairway, in `unit`                                                 |
| `peer`       | whose `peer_value` stands beside it; both null when no peer was given |
| `ratio`      | peer's value by ours: above 1, Fairway is better                      |
"""

import dataclasses
import json
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Row:
    """One measurement; less is better."""

    bench: str
    row: str
    value: float
    unit: str
    peer: str | None = None
    peer_value: float | None = None

    @property
    def ratio(self) -> float | None:
        """Above 1, Fairway is better; nothing without a peer, or when Fairway needs none at all."""
        return round(self.peer_value / self.value, 2) if self.peer_value is not None and self.value else None


def write(path: Path, rows: list[Row]) -> None:
    """Appends the rows to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps({**dataclasses.asdict(row), "ratio": row.ratio}) + "\n")


def table(rows: list[Row]) -> str:
    """The rows for a terminal."""
    cells = [["bench", "row", "value", "unit", "peer", "ratio"]]
    for row in rows:
        peer = "no peer" if row.peer is None else f"{row.peer} {row.peer_value:g}"
        cells.append([row.bench, row.row, f"{row.value:g}", row.unit, peer, "" if row.ratio is None else f"{row.ratio:g}"])
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells)
