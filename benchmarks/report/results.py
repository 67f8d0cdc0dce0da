"""Results of a run: the rows that `race` has left in the JSON of pytest-benchmark, and the comparison of two runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

RIVALS = ("NumPy", "PyTorch", "JAX", "scikit-learn")


@dataclass
class Results:
    """The rows of a run, in its order, and where it was made."""

    rows: list[dict[str, Any]]
    machine: dict[str, Any]
    date: str

    @classmethod
    def read(cls, path: Path) -> Results:
        data = json.loads(path.read_text(encoding="utf-8"))
        rows = [one["extra_info"] for one in data["benchmarks"] if "topic" in one["extra_info"]]
        return cls(rows, data["machine_info"], data["datetime"])

    @property
    def topics(self) -> list[str]:
        return list(dict.fromkeys(row["topic"] for row in self.rows))

    def of(self, topic: str) -> list[dict[str, Any]]:
        return [row for row in self.rows if row["topic"] == topic]

    def words(self) -> str:
        """Instruction set, versions, processor, date."""
        ours, cpu = self.machine["fanin"], self.machine.get("cpu", {})
        peers = ", ".join(f"{name} {version}" for name, version in ours["peers"].items())
        where = f"{cpu.get('brand_raw') or self.machine['machine']}, {cpu.get('count', '?')} CPUs"
        version = f"fanin {ours['version']} ({ours['isa']}, compiler {ours['compiler']})"
        return f"{version}, {peers}; {where}; {self.date[:16].replace('T', ' ')}"


def compare(before: Results, after: Results) -> None:
    """Print the cases whose own time or ratio changed by more than the spread of their rounds, and how many did not."""
    old = {(row["topic"], row["case"], row["threads"]): row for row in before.rows}
    table = Table(title=f"{before.date[:16]}  →  {after.date[:16]}", caption="ratios: a rival's time over fanin's")
    for name in ("topic", "case", "threads", "fanin, before", "after", "rival", "ratio, before", "after "):
        table.add_column(name, justify="left" if name in ("topic", "case", "rival") else "right")
    same = 0
    for row in after.rows:
        was = old.pop((row["topic"], row["case"], row["threads"]), None)
        if was is None:
            continue
        for rival in RIVALS:
            if rival not in row or rival not in was:
                continue
            (low, high), (was_low, was_high) = row["spread"][rival], was["spread"][rival]
            if low <= was_high and was_low <= high:
                same += 1
                continue
            worse = row[rival] < was[rival]
            times = (f"{1e6 * one['seconds']:.3g} us" for one in (was, row))
            cells = (row["topic"], row["case"], str(row["threads"]), *times, rival, f"{was[rival]:.2f}", f"{row[rival]:.2f}")
            table.add_row(*cells, style="red" if worse else "green")
    console = Console()
    console.print(table)
    console.print(f"{same} ratios within the spread of their rounds; {len(old)} rows of the first are not in the second")
