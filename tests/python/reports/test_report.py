"""Reports of one's own data and network: pages, JSON, pictures; hostile names, numbers that are not finite."""

from __future__ import annotations

import html.parser
import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest

import fanin as fi
from fanin.common import jsonable, text
from fanin.experiments.run import Run
from fanin.reports import shapes
from fanin.reports.pages.report import comparison_page, trace_page

pytest.importorskip("bokeh")
HOSTILE = "<script>alert(1)</script> {{title}} \"' &amp;"


@pytest.fixture(scope="module")
def result():
    x, y = fi.datasets.circle(120)
    return fi.compare(["zeros", "normal(std=30)", "xavier_normal"], x, y, hidden=[9, 8], epochs=2, batch_size=20)


class Reader(html.parser.HTMLParser):
    """Tags, what they point to, and text outside of scripts and styles."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.tags, self.links, self.text, self.raw = [], [], "", ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.raw = tag if tag in ("script", "style") else ""
        self.links += [value for name, value in attrs if name in ("src", "href", "srcset", "data", "action")]

    def handle_endtag(self, tag):
        self.raw = ""

    def handle_data(self, data):
        self.text += "" if self.raw else data


def own_text(page):
    """The page without its compressed blocks."""
    return re.sub(r'(?s)<script type="text/plain".*?</script>', "", page)


def test_page_of_a_comparison(result, tmp_path):
    result.to_html(tmp_path / "a.html", title="My data")
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert 400_000 < len(page) < 700_000
    read = Reader(page)
    assert read.links == []
    assert "Content-Security-Policy" in page
    assert "http://" not in re.sub(r"http://www.w3.org/\S+", "", own_text(page))
    assert "https://" not in own_text(page)
    for run in result.runs:
        for words in (run.law, run.verdict, *run.diagnosis.reasons):
            assert words in read.text
    assert result.title() in read.text
    assert "My data" in read.text
    assert f"{100 * result['xavier_normal'].error:.1f} %" in read.text
    for part in ("costs", "spread", "gradient", "histogram-2-1"):
        assert f'data-part="{part}"' in page
    for setting in ("batch size", "SGD(lr=0.1)", "held out", "float32"):
        assert setting in read.text


def test_captions_say_what_is_there(result):
    page = comparison_page(result, "t")
    assert "Averaged over" not in page
    assert "A cross" not in page
    run = result.runs[0]
    long = replace(run, costs=np.r_[np.ones(900), np.inf])
    page = comparison_page(replace(result, runs=(long, *result.runs[1:])), "t")
    assert "Averaged over short windows of steps. A cross: from here on the cost is not finite." in page


def test_colours_of_more_than_eight(result):
    runs = tuple(replace(result.runs[2], law=f"law {i}") for i in range(10))
    text = own_text(comparison_page(replace(result, runs=runs), "t"))
    assert '<i style="background:var(--law-7)"></i>law 7' in text
    assert '<i class="ring" style="border-color:var(--law-0)"></i>law 8' in text


def test_a_network_about_which_nothing_is_to_be_said():
    x, y = fi.datasets.gauss(100)
    diagnosis = fi.diagnose(fi.Network([2, 30, 2], "tanh", "xavier_normal", seed=0), x, y)
    assert not diagnosis.reasons
    assert "Nothing stands out." in trace_page(diagnosis, {}, "t", "l")


def test_widths_in_words():
    assert text.sizes([64, 300, 300, 300, 10]) == "64-300x3-10"
    assert text.sizes([2, 8, 8, 2]) == "2-8-8-2"


def test_pages_are_the_same_for_the_same_result(result):
    assert comparison_page(result, "t") == comparison_page(result, "t")


def test_hostile_names_stay_text(result):
    runs = tuple(replace(run, law=f"{HOSTILE} {i}") for i, run in enumerate(result.runs))
    bad = fi.compare.__globals__["Comparison"](runs, {**result.settings, "target": HOSTILE, HOSTILE: 1})
    page = comparison_page(bad, HOSTILE)
    assert "<script>alert" not in page
    assert Reader(page).tags.count("script") == Reader(comparison_page(result, "t")).tags.count("script")
    assert Reader(page).text.count(HOSTILE) > 6
    page = trace_page(runs[0].diagnosis, {HOSTILE: HOSTILE}, HOSTILE, HOSTILE)
    assert "<script>alert" not in page
    assert Reader(page).text.count(HOSTILE) >= 5
    assert "<script>" not in bad._repr_html_()


def test_page_refuses_before_it_writes(result, tmp_path):
    with pytest.raises(ValueError, match=r"must end with \.html, got .*a\.txt"):
        result.to_html(tmp_path / "a.txt")
    with pytest.raises(FileNotFoundError, match="no folder"):
        result.to_html(tmp_path / "nowhere" / "a.html")
    assert list(tmp_path.iterdir()) == []


def diverged(run: Run) -> Run:
    costs = run.costs.copy()
    costs[3:] = np.nan
    return replace(run, costs=costs, cost_end=math.inf, error=0.5, diverged=True)


def test_json(result, tmp_path):
    text = result.to_json(tmp_path / "r.json")
    assert (tmp_path / "r.json").read_text(encoding="utf-8") == text == result.to_json()
    read = json.loads(text)
    assert list(read) == ["fanin", "kind", "format", "settings", "runs"]
    assert (read["kind"], read["format"], read["fanin"]) == ("comparison", 1, fi.__version__)
    assert read["settings"] == jsonable.finite(result.settings)
    for run, one in zip(result.runs, read["runs"], strict=True):
        assert one["law"] == run.law
        assert one["costs"] == run.costs.tolist()  # every bit
        assert one["spread"] == run.spread
        assert one["verdict"] == run.verdict
        assert one["diagnosis"]["reasons"] == list(run.diagnosis.reasons)
        assert [layer["name"] for layer in one["trace"]["layers"]] == ["hidden 1", "hidden 2", "output"]
        assert one["trace"]["layers"][0]["a"]["std"] == float(run.trace.layers[0].a.std)


def test_what_is_not_finite_has_words(result, tmp_path):
    bad = replace(result, runs=(diverged(result.runs[0]), *result.runs[1:]))

    def refuse(word):
        raise AssertionError(word)

    one = json.loads(bad.to_json(), parse_constant=refuse)["runs"][0]
    assert (one["cost_end"], one["costs"][3], one["diverged"]) == ("Infinity", "NaN", True)
    assert math.isinf(float(one["cost_end"]))
    bad.to_html(tmp_path / "b.html")
    assert "diverges" in Reader((tmp_path / "b.html").read_text(encoding="utf-8")).text


def test_finite():
    assert jsonable.finite({1: (np.float32(0.5), np.array([1, -np.inf])), "a": None, "b": True}) == {
        "1": [0.5, [1.0, "-Infinity"]],
        "a": None,
        "b": True,
    }
    with pytest.raises(TypeError, match="plain values, got set"):
        jsonable.finite({"a": {1}})


def test_networks_without_hidden_layers_and_with_many(tmp_path):
    x, y = fi.datasets.gauss(100)
    for hidden in ([], [6] * 40):
        one = fi.compare([f"normal(std={0.1 + i})" for i in range(10)], x, y, hidden=hidden, epochs=1)
        one.to_html(tmp_path / "deep.html")
        assert (tmp_path / "deep.html").stat().st_size < 1_500_000


def test_forward_only_trace():
    net = fi.Network([2, 5, 2], seed=1)
    t = fi.trace(net, fi.datasets.gauss(50).x)
    page = trace_page(fi.diagnose(t), {}, "forward", "lead")
    assert 'data-part="gradient"' not in page
    assert "not measured" in Reader(page).text


def test_only_networks_that_nobody_trained_stand_before_the_first_step(result):
    net, (x, y) = fi.Network([2, 5, 2], seed=1), fi.datasets.gauss(50)
    net.fit(x, y, optimizer=fi.SGD(lr=0.1))
    assert "Before the first step" not in Reader(trace_page(fi.diagnose(net, x, y), {}, "trained", "lead")).text
    assert "Before the first step" in Reader(comparison_page(result, "title")).text


@pytest.mark.parametrize(("ending", "magic"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_figures(result, tmp_path, ending, magic):
    pytest.importorskip("matplotlib")
    from fanin.reports.comparison_figure import save_figure

    save_figure(result, tmp_path / f"f.{ending}")
    raw = (tmp_path / f"f.{ending}").read_bytes()
    assert raw.startswith(magic)
    assert len(raw) < 400_000


def test_smooth_and_evenly():
    steps, means = shapes.smooth(np.arange(5.0))
    assert (steps.tolist(), means.tolist()) == ([1, 2, 3, 4, 5], [0, 1, 2, 3, 4])
    steps, means = shapes.smooth(np.arange(7.0), 2)
    assert (steps.tolist(), means.tolist()) == ([1, 2, 5], [0, 1, 4])
    assert text.evenly(3, 5) == [0, 1, 2]
    assert text.evenly(100, 4) == [0, 33, 66, 99]
