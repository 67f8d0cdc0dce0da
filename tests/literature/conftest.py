"""Figures of the literature: one call compares and remembers; --literature-table prints them all side by side."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest


@dataclass
class Row:
    work: str
    what: str
    published: float | None
    computed: float | None
    expected: float | None
    measured: float
    within: float


@dataclass
class Literature:
    """What a test checks a figure with."""

    work: str
    rows: list[Row] = field(default_factory=list)

    def check(
        self,
        what: str,
        measured: float,
        *,
        published: float | None = None,
        computed: float | None = None,
        expected: float | None = None,
        within: float,
    ) -> None:
        """Hold `measured` against the most precise of three figures; the others are shown beside it. `within` is absolute.

        published: printed in the work, or a value of a formula that is
        computed: by us and outside of this library, with the work's formulas: quadrature (34 digits, mpmath) or a run in NumPy
        expected: the library's own theory, which other tests hold against the first two, or what is so by definition
        """
        self.rows.append(Row(self.work, what, published, computed, expected, float(measured), float(within)))
        held = {"expected": expected, "computed": computed, "published": published}
        name, target = next((name, value) for name, value in held.items() if value is not None)
        words = f"{what}: measured {measured:.10g}, {name} {target:.10g}"
        assert abs(measured - target) <= within, f"{words}, which is {abs(measured - target):.3g} away, more than {within:.3g}"


_ROWS = pytest.StashKey[list[Row]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--literature-table", action="store_true", help="print published, computed, expected and measured figures at the end"
    )
    parser.addoption("--literature-json", type=Path, help="the same for scripts/literature.py, as JSON")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_ROWS] = []


@pytest.fixture
def literature(request: pytest.FixtureRequest) -> Literature:
    """The recorder; the work is in the name of the module (test_poole_2016.py), or the row of the checklist in the test's."""
    row = re.match(r"test_row_(\d+)_", request.node.name)
    recorder = Literature(f"row {row[1]}" if row else request.node.path.stem.removeprefix("test_"))
    if _ROWS in request.config.stash:
        recorder.rows = request.config.stash[_ROWS]
    return recorder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if path := config.getoption("--literature-json", default=None):
        path.write_text(json.dumps([asdict(row) for row in config.stash[_ROWS]]))
    if not config.getoption("--literature-table", default=False):
        return
    columns = ("published", "computed", "expected", "measured")
    terminalreporter.section("published, computed, expected and measured")
    terminalreporter.write_line(f"{'':18}{''.join(f'{name:>15}' for name in columns)}{'within':>10}  figure")

    def number(value: float | None) -> str:
        return "-" if value is None else f"{value:.9g}"

    for row in config.stash[_ROWS]:
        figures = "".join(f"{number(getattr(row, name)):>15}" for name in columns)
        terminalreporter.write_line(f"{row.work:18}{figures}{row.within:>10.1e}  {row.what}")
