"""`diagnose` on networks that a NumPy script has built and labelled: tests/data/labelled_networks.py says by which rules."""

from __future__ import annotations

import importlib.util
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import fanin as fi

DATA = Path(__file__).parents[2] / "data"
_spec = importlib.util.spec_from_file_location("labelled_networks", DATA / "labelled_networks.py")
script = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(script)


def load(name):
    return json.loads((DATA / name).read_text())


def network(entry):
    weights, biases, x, y = script.build(entry)
    loss = "mean_squared_error" if y.ndim == 2 else "cross_entropy"
    sizes = [x.shape[1], *entry["widths"], len(biases[-1])]
    # One array too long for its law would be refused: they are written in place, infinite ones too.
    net = fi.Network(sizes, entry["activation"], "zeros", loss, seed=0, dtype="float64")
    for w, b, w_given, b_given in zip(net.weights, net.biases, weights, biases, strict=True):
        w[...], b[...] = w_given, b_given
    return net, x, y


def score(entries):
    """Rightly judged, all, and what was mistaken for what."""
    entries = [entry for entry in entries if entry["activation"] in fi.activation.names()]
    wrong = Counter()
    for entry in entries:
        net, x, y = network(entry)
        d = fi.diagnose(net, x, y, trial=False)  # the labels are of the signals
        label = entry["label"]
        if label == "no gradient" and d.signal in ("dead", "saturated"):  # the cause is named where a whole layer has it
            label = d.signal if any(getattr(layer, d.signal) == 1 for layer in d.trace.hidden) else label
        wrong[label, d.signal] += label != d.signal
        never_healthy_with_a_ratio_of_1000(d)
    return len(entries) - wrong.total(), len(entries), +wrong


def never_healthy_with_a_ratio_of_1000(d):
    scales = [float(layer.da.rms) for layer in d.trace.hidden]
    if d.signal == "healthy" and len(scales) > 1 and min(scales) > 0:
        assert max(scales) / min(scales) < 1000


def test_a_third_of_the_frozen_set():
    right, all_, wrong = score(load("labelled_networks.json")[::3])
    assert right >= 0.95 * all_, wrong


@pytest.mark.slow
@pytest.mark.parametrize("name", ["labelled_networks.json", "labelled_networks_2.json"])
def test_all_labelled_networks(name):
    entries = load(name)
    assert len(entries) >= 200
    assert {e["label"] for e in entries} == set(fi_words())
    right, all_, wrong = score(entries)
    print(f"{name}: {right} of {all_} right ({100 * right / all_:.1f} %); {dict(wrong)}")
    assert right >= 0.95 * all_, wrong


def fi_words():
    return ("healthy", "vanishing", "exploding", "saturated", "dead", "symmetric", "no gradient", "diverged")


def test_labels_of_the_set_are_those_of_the_script():
    """Every 20th one anew; the rest on request: python tests/data/labelled_networks.py."""
    for entry in load("labelled_networks.json")[::20]:
        with np.errstate(all="ignore"):
            assert script.label(entry) == entry["label"]
