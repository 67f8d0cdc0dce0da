"""What notebooks show: small, well-formed, escaped, without script."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

import fanin as fi

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def data():
    return fi.datasets.circle(100)


def shown(thing, most=20_000):
    """The text of what a notebook shows: a well-formed fragment without script, link or event."""
    page = thing._repr_html_()
    assert len(page) < most
    tree = ET.fromstring(page)
    for node in tree.iter():
        assert node.tag in {"div", "b", "ul", "li", "table", "thead", "tbody", "tr", "th", "td"}
        assert set(node.attrib) <= {"style", "colspan"}
        assert "url" not in node.attrib.get("style", "")
    return " ".join(" ".join(tree.itertext()).split())


def test_network(data):
    text = shown(fi.Network([2, 6, 3, 2], activation="relu", init="he_normal", seed=7))
    assert text.startswith("Network: 47 parameters, init he_normal, cross_entropy, float32, seed 7")
    assert "hidden 1 2 > 6 relu 18" in text
    assert "output 3 > 2 identity 8" in text
    assert "output 3 > 2 identity 6" in shown(fi.Network([2, 6, 3, 2], bias=False, seed=1))


def test_trace_and_diagnosis(data):
    net = fi.Network([2, 40, 40, 40, 2], init="normal(std=0.01)", seed=1)
    trace = fi.trace(net, *data)
    text = shown(trace)
    assert "Trace of a batch of 100, cost 0.693" in text
    for word in ("hidden 3", "rms of da", "expected", "saturated"):
        assert word in text
    assert "rms of da" not in shown(fi.trace(net, data.x))
    d = fi.diagnose(trace)
    text = shown(d)
    assert text.startswith("vanishing: expected to learn slowly or not at all (activations: vanishing; gradients: vanishing)")
    for reason in (*d.reasons, *d.notes, d.advice):
        assert " ".join(reason.split()) in text


def test_learning_rates(data):
    found = fi.find_lr(fi.Network([2, 6, 2], seed=1), *data, steps=5)
    text = shown(found)
    assert text.startswith(found.title())
    assert "constant prediction" in text


def test_comparison_and_sweep(data):
    result = fi.compare(["zeros", "xavier_normal"], *data, hidden=[5], epochs=1)
    text = shown(result)
    assert result.title() in text
    assert "no gradient" in text
    assert HOSTILE in shown(replace(result, runs=(replace(result.runs[0], law=HOSTILE),)))
    sweep = fi.sweep(["zeros", "xavier_normal"], *data, depths=1, widths=3, seeds=range(30), epochs=1)
    text = shown(sweep, 60_000)
    assert "… 20 more …" in text
    assert sweep.title() in text


@pytest.mark.parametrize(
    ("law", "words"),
    [
        ("he_normal(gain=2)", "Law: he_normal(gain=2) gain 2.0 mode fan_in moments depend on the shape"),
        ("uniform(low=-2, high=1)", "mean -0.5 std 0.866025 bounds -2 to 1"),
        ("normal(std=0.5)", "bounds none"),
        ("orthogonal", "depend on the shape"),
    ],
)
def test_laws(law, words):
    assert words in shown(fi.init.law(law))


def test_a_law_says_each_thing_once():
    text = fi.init.law("normal(std=0.1)")._repr_html_()
    assert text.count(">std<") == text.count(">mean<") == 1


def test_import_stays_light():
    code = "import fanin, sys; assert not {'fanin.reports.notebook', 'fanin.reports.pages', 'html'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
