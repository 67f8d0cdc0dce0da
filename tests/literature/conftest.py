"""Figures of the literature: one call compares and remembers; --literature-table prints published, expected and measured."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest


@dataclass
class Row:
    anchor: str
    what: str
    published: float | None
    expected: float | None
    measured: float
    within: float


@dataclass
class Literature:
    """What a test checks a figure with."""

    anchor: str
    rows: list[Row] = field(default_factory=list)

    def check(
        self, what: str, measured: float, *, published: float | None = None, expected: float | None = None, within: float
    ) -> None:
        """Compare `measured` with `expected` (the library's own theory), or with the published value where there is none.

        `within` is absolute. Where both are given, the measured value is held against the expected one.
        """
        self.rows.append(Row(self.anchor, what, published, expected, float(measured), float(within)))
        target = published if expected is None else expected
        assert target is not None
        words = f"{what}: measured {measured:.10g}, {'expected' if expected is not None else 'published'} {target:.10g}"
        assert abs(measured - target) <= within, f"{words}, which is {abs(measured - target):.3g} away, more than {within:.3g}"


_ROWS = pytest.StashKey[list[Row]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--literature-table", action="store_true", help="print published, expected and measured figures at the end"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_ROWS] = []


@pytest.fixture
def literature(request: pytest.FixtureRequest) -> Literature:
    """The recorder; the anchor is the number in the name of the module or of the test (test_anchor_7..., test_row_34...)."""
    words = request.node.name.split("[")[0].split("_")
    words = words if "row" in words or "anchor" in words else request.node.path.stem.split("_")
    kind = "row" if "row" in words else "anchor"
    number = words[words.index(kind) + 1] if kind in words else "-"
    recorder = Literature(f"{kind} {number}")
    if _ROWS in request.config.stash:
        recorder.rows = request.config.stash[_ROWS]
    return recorder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if not config.getoption("--literature-table", default=False):
        return
    terminalreporter.section("published, expected and measured")
    terminalreporter.write_line(f"{'':11}{'published':>15}{'expected':>15}{'measured':>15}{'within':>10}  figure")

    def number(value: float | None) -> str:
        return "-" if value is None else f"{value:.9g}"

    for row in config.stash[_ROWS]:
        figures = "".join(f"{number(value):>15}" for value in (row.published, row.expected, row.measured))
        terminalreporter.write_line(f"{row.anchor:11}{figures}{row.within:>10.1e}  {row.what}")
