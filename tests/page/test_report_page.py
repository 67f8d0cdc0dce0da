"""The pages of ``fanin compare`` and ``fanin trace`` in Chromium, offline: drawn, accessible, without complaints."""

from __future__ import annotations

import pytest

import fanin as fi
from fanin.reports.pages.report import trace_page
from fanin.reports.pages.shell import write


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    pytest.importorskip("bokeh")
    folder = tmp_path_factory.mktemp("reports")
    x, y = fi.datasets.circle(200)
    laws = ["zeros", "xavier_normal", "normal"]
    fi.compare(laws, x, y, hidden=[20, 20, 20], epochs=5).to_html(folder / "compare.html")
    net = fi.Network([2, 20, 20, 2], "relu", "he_normal", seed=1)
    write(folder / "trace.html", trace_page(fi.diagnose(net, x, y), {"data": "circle"}, "A network", "on circles"))
    return folder


@pytest.mark.parametrize(("scheme", "width"), [("light", "desk"), ("dark", "phone")])
@pytest.mark.parametrize(("name", "views"), [("compare", ("learning", "layers")), ("trace", ("diagnosis", "layers"))])
def test_views(visit, pages, name, views, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    tab = visit(path=pages / f"{name}.html", scheme=scheme, width=width)
    for view in views:
        tab.go(f"view={view}")
        assert tab.run("document.documentElement.scrollWidth <= innerWidth"), view
        found = axe.run(tab.page).response["violations"]
        assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == [], view
        if view == "learning":
            assert len(tab.chart("costs", "1")["x"]) == 10  # of 160 rows, two batches an epoch
        if view == "layers":
            assert len(tab.chart("spread", "dots 0")["y"]) == (3 if name == "compare" else 2)
            assert max(tab.chart("histogram-0-1", "line")["y"]) >= 1


def test_verdicts_on_a_phone(visit, pages):
    """Every number of the table is on the screen, below the name of its initialization, and still a table's cell."""
    tab = visit("view=learning", path=pages / "compare.html", width="phone")
    boxes = [box.bounding_box() for box in tab.page.locator(".verdicts tbody td").all()]
    assert len(boxes) == 12
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes)
    assert tab.page.get_by_role("row").count() == 4
    assert tab.page.get_by_role("cell", name="cost at the end").count() == 3


def test_tips_name_the_initialization(visit, pages):
    tab = visit("view=learning", path=pages / "compare.html")
    names = tab.run("[...fanin.charts].map((chart) => [...new Set(chart.data('1').name)])")
    assert names == [["xavier_normal"]]
