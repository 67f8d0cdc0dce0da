"""docs/checklist.md names every claim and every test of one; `scripts/checklist.py` writes its two last columns."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "checklist.md"
LINES = (line.split("|") for line in PAGE.read_text().splitlines() if re.match(r"\| \d+ \|", line))
ROWS = {int(cells[1]): cells for cells in LINES}


def functions_of_rows():
    """Every test_row_NN_... in tests/ as (name, file)."""
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        for name in re.findall(r"^\s*def (test_row_\d\d_\w+)", file.read_text(), re.M):
            yield name, file.relative_to(ROOT).as_posix()


@pytest.fixture
def script(monkeypatch):
    spec = importlib.util.spec_from_file_location("checklist", ROOT / "scripts" / "checklist.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "checklist", module)  # a dataclass looks itself up there
    spec.loader.exec_module(module)
    return module


def test_every_row_is_there_with_its_tests():
    assert list(ROWS) == list(range(1, 61))
    named = {(name, file) for cells in ROWS.values() for name, file in re.findall(r"\[(\w+)\]\(\.\./([\w/.]+)\)", cells[4])}
    assert named == set(functions_of_rows()), "run scripts/checklist.py --write after a test of a row was added or renamed"
    for row, cells in ROWS.items():
        assert all(f"test_row_{row:02}_" in name for name in re.findall(r"\[(\w+)\]", cells[4]))


def test_every_row_says_what_became_of_it():
    for row, cells in ROWS.items():
        state = cells[5].strip()
        assert state == "met" or re.match(r"(\*\*not met( yet)?\*\*|skipped): ", state), (row, state)
        assert state != "met" or cells[4].strip()


def report(name, outcome, **more):
    return SimpleNamespace(nodeid=f"tests/a.py::{name}", passed=outcome == "passed", failed=outcome == "failed", **more)


def test_status_is_the_worst_of_a_row_s_tests(script):
    recorder = script.Recorder()
    for each in (
        report("test_row_01_a[x]", "passed"),
        report("test_row_02_a", "passed"),
        report("test_row_02_b[x]", "failed"),
        report("test_row_03_a", "skipped", wasxfail="off by one"),
        report("test_row_04_a", "skipped", longrepr=("a.py", 3, "Skipped: no data")),
        report("test_row_30_a", "passed"),
        report("test_rows", "failed"),
    ):
        recorder.pytest_runtest_logreport(each)
    states = {row: script.status(row, proofs) for row, proofs in recorder.rows.items()}
    assert states[1] == "met"
    assert states[2] == "**not met**: test_row_02_b[x] failed"
    assert states[3] == "**not met**: off by one"
    assert states[4] == "skipped: no data"
    assert states[30].startswith("**not met yet**")
    assert script.status(5, {}) == "**not met**: no test"
    assert set(states) == {1, 2, 3, 4, 30}


def test_a_row_that_became_worse_is_named(script):
    page = "| row | a | b | c | status |\n" + "".join(f"| {row} | a | b | c | {{}} |\n" for row in range(1, 6))
    missed = "**not met**: test_row_02_a failed"
    before = page.format("met", "met", missed, "skipped: no data", "met")
    after = page.format("met", missed, "met", missed, "skipped: no data")
    assert script.regressed(before, after) == [
        (2, "met", missed),
        (4, "skipped: no data", missed),
        (5, "met", "skipped: no data"),
    ]
    assert script.regressed(before, before) == []


def test_page_is_filled_line_by_line(script):
    proofs = {"test_row_01_a": script.Proof("tests/a.py", 1)}
    page = "# Claims\n\n| 1 | a | b | old | old |\n| 2 | c | d | | |\n"
    assert script.filled(page, {1: proofs}) == (
        "# Claims\n\n| 1 | a | b | [test_row_01_a](../tests/a.py) | met |\n| 2 | c | d |  | **not met**: no test |\n"
    )
