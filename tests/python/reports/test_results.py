"""Traces, comparisons, sweeps and learning rates write, draw and show themselves alike."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace

import pytest

import fanin as fi


@pytest.fixture(scope="module")
def results():
    x, y = fi.datasets.circle(60)
    laws = ["zeros", "xavier_normal"]
    net = fi.Network([2, 6, 5, 2], seed=1)
    return {
        "layers": fi.trace(net, x, y),
        "comparison": fi.compare(laws, x, y, hidden=[6, 5], epochs=1),
        "sweep": fi.sweep(laws, x, y, depths=[1, 2], widths=6, lrs=[0.1, (0.1,) * 3], epochs=1, threads=1),
        "learning rates": fi.find_lr(net, x, y, steps=5),
    }


@pytest.mark.parametrize("kind", ["layers", "comparison", "sweep", "learning rates"])
def test_plain_data(results, kind, tmp_path):
    result = results[kind]
    rows = result.to_rows()
    assert len(rows) == {"layers": 3, "comparison": 2, "sweep": 8, "learning rates": 11}[kind]
    assert all(list(row) == list(rows[0]) for row in rows)
    file = io.StringIO()
    result.to_csv(file)
    read = list(csv.DictReader(io.StringIO(file.getvalue())))
    assert [list(row) for row in read] == [list(row) for row in rows]
    written = result.to_json(tmp_path / "r.json")
    assert written == (tmp_path / "r.json").read_text()
    read = json.loads(written)
    assert read["kind"] == kind
    assert set(result.to_dict()) == set(read) - {"fanin", "kind", "format"}


@pytest.mark.parametrize("kind", ["layers", "comparison", "sweep"])
def test_pages_and_pictures(results, kind, tmp_path):
    pytest.importorskip("bokeh")
    pytest.importorskip("matplotlib")
    result = results[kind]
    result.to_html(tmp_path / "r.html", title="a <title>")
    assert "<h1>a &lt;title&gt;</h1>" in (tmp_path / "r.html").read_text()
    result.plot(tmp_path / "r.svg")
    assert "<svg" in (tmp_path / "r.svg").read_text()
    with pytest.raises(ValueError, match=r"must end with \.html"):
        result.to_html(tmp_path / "r.txt")


def test_picture_of_learning_rates(results, tmp_path):
    pytest.importorskip("matplotlib")
    found = results["learning rates"]
    found.plot(tmp_path / "r.svg")
    assert "<svg" in (tmp_path / "r.svg").read_text()
    assert f"best: {found.best:g}" in [one.get_text() for one in found.plot().axes[0].get_legend().get_texts()]
    x, y = fi.datasets.circle(60)
    worse = fi.find_lr(fi.Network([2, 6, 2], init="zeros", seed=1), x, y, steps=2)
    worse = replace(worse, costs=(*worse.costs[:-1], math.inf), constant_cost=min(worse.costs) / 2)
    assert worse.best is None
    assert "diverges" in [one.get_text() for one in worse.plot().axes[0].get_legend().get_texts()]


def test_layers_are_numbered_once(results):
    trace = results["layers"]
    assert [layer.index for layer in trace.layers] == [0, 1, 2]
    assert [layer.name for layer in trace.layers] == ["hidden 1", "hidden 2", "output"]
    assert [layer.is_output for layer in trace.layers] == [False, False, True]
    assert all(layer.expected.name == layer.name for layer in trace.layers)
