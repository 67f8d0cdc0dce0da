"""docs/article: every page's cells run, as plain Python, so that a false claim in one fails here and not only in the build."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "article"
PAGES = sorted(FOLDER.glob("[0-9]-*.md"))
CELL = re.compile(r"^```\{code-cell\} python\n((?::\w+:.*\n)*)\n?(.*?)^```$", re.M | re.S)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_claim_of_the_page_holds(page, monkeypatch, capsys):
    pytest.importorskip("sklearn")
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    def show() -> None:
        for figure in map(pyplot.figure, pyplot.get_fignums()):
            figure.canvas.draw()
        pyplot.close("all")

    monkeypatch.setattr(pyplot, "show", show)
    cells, names = CELL.findall(page.read_text()), {"__name__": "__main__"}
    assert page.read_text().count("{code-cell}") == len(cells) > 0
    with matplotlib.rc_context(fname=FOLDER / "matplotlibrc"):
        for number, (_, source) in enumerate(cells, 1):
            exec(compile(source, f"{page.name}, cell {number}", "exec"), names)
            assert not pyplot.get_fignums(), f"cell {number} of {page.name} draws a figure and does not show it"
    assert "assert " in page.read_text()


def test_the_index_lists_every_page():
    toc = re.search(r"```\{toctree\}.*?```", (FOLDER / "index.md").read_text(), re.S)[0]
    assert re.findall(r"^\d-[\w-]+$", toc, re.M) == [page.stem for page in PAGES]
    assert len(PAGES) == 7
