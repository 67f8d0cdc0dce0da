"""Write the lines of sweep_math that come in on standard input to the table of errors in docs/activations.md.

build/dev/tests/cpp/sweep_math f32 1 relu6 | python scripts/activation_errors.py

A row holds the largest errors of a function and its derivative in float32 and float64; a cell that no line speaks of stays as
it is, and a function without a row gets one at the end.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

TABLE = Path(__file__).parent.parent / "docs" / "activations.md"
HEAD = "| | g, float32 | g, float64 | g', float32 | g', float64 |\n|---|---|---|---|---|\n"
LINE = re.compile(r"(\w+)('?) +(float32|float64) .*max ([\d.]+) ULP at ([^\s,]+)(?:, near the root ([\d.]+) )?")
ELEMENTARY = ("exp", "log", "log1p", "erf", "sin_turns", "cos_turns")  # in the text, not in the table


def main() -> None:
    text = TABLE.read_text()
    begin = text.index(HEAD) + len(HEAD)
    end = text.index("\n\n", begin)
    rows = {cells[1].strip(): [c.strip() for c in cells[2:6]] for cells in (r.split("|") for r in text[begin:end].split("\n"))}
    for name, prime, dtype, error, at, root in LINE.findall(sys.stdin.read()):
        if name in ELEMENTARY:
            continue
        cell = f"{float(error):.2f} at {float(at):.4g}" + (f"; root {float(root):.2f}" if root else "")
        rows.setdefault(name, ["", "", "", ""])[2 * bool(prime) + (dtype == "float64")] = cell
    table = "\n".join(f"| {name} | " + " | ".join(cells) + " |" for name, cells in rows.items())
    TABLE.write_text(text[:begin] + table + text[end:])


if __name__ == "__main__":
    main()
