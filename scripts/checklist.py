"""Run every test of the article's checklist, slow ones too, and print the table of docs/checklist.md with what came out.

A row is met where all its tests, test_row_NN_... anywhere in tests/, pass. The exit status is 1 where a row has become worse
than the page says: it was met and is not, or a part of it could not be tried. The last lines say which.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "checklist.md"
BROWSER = {30, 44, 60}  # rows about what a reader does with the page: their proof is not complete without a test in tests/page
NAME = re.compile(r"test_row_(\d\d)_\w+")


@dataclass
class Proof:
    """What became of a test function, over all its parameters."""

    file: str
    runs: int = 0
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


class Recorder:
    """A plugin of pytest that keeps the outcomes of test_row_NN_... by row and function."""

    def __init__(self) -> None:
        self.rows: dict[int, dict[str, Proof]] = {}

    def proof(self, nodeid: str) -> Proof | None:
        file, _, name = nodeid.partition("::")
        found = NAME.match(name.rpartition("::")[2])
        if found is None:
            return None
        return self.rows.setdefault(int(found[1]), {}).setdefault(found[0], Proof(file))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            proof = self.proof(item.nodeid)
            if proof is not None:
                proof.runs += 1

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        proof = self.proof(report.nodeid)
        if proof is None or report.passed:
            return
        expected = getattr(report, "wasxfail", None)  # the figure is known to be missed: the row is not met all the same
        if report.failed or expected is not None:
            proof.failed.append(expected or f"{report.nodeid.partition('::')[2]} failed")
        else:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            proof.skipped.append(reason.removeprefix("Skipped: "))


def status(row: int, proofs: dict[str, Proof]) -> str:
    """In a few words, the worst first."""
    failed = dict.fromkeys(reason for proof in proofs.values() for reason in proof.failed)
    skipped = dict.fromkeys(reason for proof in proofs.values() for reason in proof.skipped)
    if not proofs:
        return "**not met**: no test"
    if failed:
        return f"**not met**: {'; '.join(failed)}"
    if row in BROWSER and not any(proof.file.startswith("tests/page/") for proof in proofs.values()):
        return "**not met yet**: the page has no test of it; what is computed is met"
    return f"skipped: {'; '.join(skipped)}" if skipped else "met"


def rank(state: str) -> int:
    """Higher is better."""
    return 2 if state == "met" else 1 if state.startswith("skipped") else 0


def regressed(before: str, after: str) -> list[tuple[int, str, str]]:
    """Rows that have become worse from one page to the next: number, state before, state after."""
    old, new = ({int(row[0]): row[4] for row in map(cells, page.splitlines()) if row[0].isdigit()} for page in (before, after))
    return [(row, state, new[row]) for row, state in old.items() if rank(new[row]) < rank(state)]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def filled(page: str, rows: dict[int, dict[str, Proof]]) -> str:
    """The page with the proofs and the status of each row."""
    lines = []
    for line in page.splitlines():
        found = re.match(r"\| (\d+) \|", line)
        if found is not None:
            row, (number, claim, criterion, *_) = int(found[1]), cells(line)
            proofs = rows.get(row, {})
            links = "<br>".join(f"[{name}](../{proof.file})" for name, proof in sorted(proofs.items()))
            line = f"| {number} | {claim} | {criterion} | {links} | {status(row, proofs)} |"
        lines.append(line)
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("only", nargs="*", help="rows (26 28) or parts of names; all rows without")
    parser.add_argument("--allow-skipped", action="store_true", help="a row that cannot be tried here is no failure")
    parser.add_argument("--write", action="store_true", help="write docs/checklist.md")
    options = parser.parse_args()
    if options.write and options.only:
        parser.error("--write needs all rows")
    words = [f"test_row_{int(word):02}_" if word.isdigit() else word for word in options.only] or ["test_row_"]
    os.chdir(ROOT)
    recorder = Recorder()
    pytest.main(["tests", "-q", "-m", "slow or not slow", "-k", " or ".join(words)], plugins=[recorder])
    before = PAGE.read_text()
    page = filled(before, recorder.rows)
    if options.write:
        PAGE.write_text(page)
    missed = 0
    print()
    for line in page.splitlines():
        if re.match(r"\| \d+ \|", line):
            number, claim, _, _, state = cells(line)
            if options.only and int(number) not in recorder.rows:
                continue
            missed += state != "met"
            tests = sum(proof.runs for proof in recorder.rows.get(int(number), {}).values())
            word, _, reason = state.replace("**", "").partition(": ")
            print(f"{number:>3}  {word:<12} {tests:>3} tests  {claim}{f'  [{reason}]' if reason else ''}")
    print(f"\n{missed} of these rows not met or skipped" if missed else "\nevery row is met")
    worse = [
        (row, old, new)
        for row, old, new in regressed(before, page)
        if (not options.only or row in recorder.rows) and not (options.allow_skipped and rank(new) == 1)
    ]
    for row, old, new in worse:
        print(f"row {row} has become worse: docs/checklist.md says {old!r}, now {new!r}")
    return int(bool(worse))


if __name__ == "__main__":
    sys.exit(main())
