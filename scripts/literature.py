"""Run the tests of published results, slow ones too, and write the table of docs/literature.md from what they measured."""

from __future__ import annotations

import argparse
import ast
import itertools
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "literature.md"
MARKS = "<!-- figures -->\n", "<!-- end of figures -->\n"


def number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def heading(work: str) -> str:
    """The first line of the test file's docstring; the article's rows stand together."""
    if work.startswith("row "):
        return "The article, by the rows of its [checklist](checklist.md)"
    text = ast.get_docstring(ast.parse((ROOT / "tests" / "literature" / f"test_{work}.py").read_text())) or work
    return text.partition("\n")[0].rstrip(".")


def tables(rows: list[dict[str, Any]]) -> str:
    lines = []
    ordered = sorted(rows, key=lambda row: heading(row["work"]).casefold())  # stable: in a work they stay in their order
    for title, group in itertools.groupby(ordered, lambda row: heading(row["work"])):
        lines += ["", f"## {title}", "", "| figure | published | predicted | measured | within |", "|---|--:|--:|--:|--:|"]
        for row in group:
            predicted = row["computed"] if row["expected"] is None else row["expected"]
            figures = (row["published"], predicted, row["measured"], row["within"])
            what = row["what"].replace("|", r"\|").replace("*", r"\*").replace("$", r"\$").replace("<", r"\<")
            lines.append(f"| {what} | {' | '.join(map(number, figures))} |")
    return "\n".join([*lines[1:], ""])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/literature.md; without it, print the table")
    parser.add_argument("--rows", type=Path, help="what pytest --literature-json wrote: nothing is run")
    options = parser.parse_args()
    os.chdir(ROOT)
    status = 0
    if options.rows is None:
        options.rows = Path(tempfile.mkdtemp()) / "rows.json"
        tests = ["tests/literature", "-q", "-m", "slow or not slow", f"--literature-json={options.rows}"]
        status = int(pytest.main(tests))
    found = tables(json.loads(options.rows.read_text()))
    if not options.write:
        print(found)
        return status
    before, _, rest = PAGE.read_text().partition(MARKS[0])
    PAGE.write_text(f"{before}{MARKS[0]}\n{found}\n{MARKS[1]}{rest.partition(MARKS[1])[2]}")
    return status


if __name__ == "__main__":
    sys.exit(main())
