"""Traces, comparisons and sweeps write, draw and show themselves alike."""

from __future__ import annotations

import csv
import io
import json

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
    }


@pytest.mark.parametrize("kind", ["layers", "comparison", "sweep"])
def test_plain_data(results, kind, tmp_path):
    result = results[kind]
    rows = result.to_rows()
    assert len(rows) == {"layers": 3, "comparison": 2, "sweep": 8}[kind]
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


def test_layers_are_numbered_once(results):
    trace = results["layers"]
    assert [layer.index for layer in trace.layers] == [0, 1, 2]
    assert [layer.name for layer in trace.layers] == ["hidden 1", "hidden 2", "output"]
    assert [layer.is_output for layer in trace.layers] == [False, False, True]
    assert all(layer.expected.name == layer.name for layer in trace.layers)
