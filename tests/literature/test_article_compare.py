"""The article's linear network and its networks on handwritten digits: checklist rows that need a trace or a verdict."""

from __future__ import annotations

import math

import numpy as np
import pytest

import fanin as fi
from fanin.article.linear_network import linear_network, linear_table, linear_trace


def rms(layer, key):
    return float(getattr(layer, key).rms)


def test_row_19_the_nine_layer_network():
    """ "Consider this 9-layer neural network.": 10 weight matrices, 9 of (2, 2) and one of (1, 2)."""
    net = linear_network(1.5)
    assert [w.shape for w in net.weights] == [(2, 2)] * 9 + [(1, 2)]
    assert set(net.activations) == {"identity"}
    assert "9 hidden linear layers" in linear_table()
    assert "L = 10" in linear_table()


@pytest.mark.parametrize("factor", [1.5, 1.0, 0.5])
def test_row_20_gradients_are_amplified_or_minimized_towards_the_input(factor):
    """The factor per layer is exactly 1.5, 1 or .5 (1e-12), although dW has one norm in layers 1 to 9."""
    t = linear_trace(factor)
    assert [layer.backward_ratio for layer in t.hidden[:-1]] == pytest.approx([factor] * 8, rel=1e-12)
    norms = [rms(layer, "dw") for layer in t.hidden]
    assert norms == pytest.approx([norms[0]] * 9, rel=1e-12)
    assert fi.diagnose(t).backward == {1.5: "exploding", 1.0: "healthy", 0.5: "vanishing"}[factor]


def test_row_24_activations_increase_exponentially():
    """Slope log10 1.5 = .17609 per layer, R^2 > .9999; verdict "exploding"."""
    t = linear_trace(1.5)
    scale = np.log10([rms(layer, "a") for layer in t.hidden])
    slope, _ = np.polyfit(range(1, 10), scale, 1)
    assert slope == pytest.approx(0.17609, abs=5e-6)
    assert np.corrcoef(range(1, 10), scale)[0, 1] ** 2 > 0.9999
    assert fi.diagnose(t).verdict == "exploding"


def test_row_27_activations_decrease_exponentially():
    """a[9] has the scale .001953125, d y / dW the scale 2^-8; verdict "vanishing"."""
    t = linear_trace(0.5)
    assert rms(t.hidden[-1], "a") == 0.001953125
    assert rms(t.hidden[0], "da") / rms(t.hidden[-1], "da") == pytest.approx(0.00390625, rel=1e-12)
    assert fi.diagnose(t).verdict == "vanishing"
    assert fi.diagnose(linear_trace(1.0)).verdict == "healthy"


LAWS = {
    "fan_in_uniform": ([0.262, 0.147, 0.084, 0.049], 0.186, 2.30),
    "xavier_normal": ([0.407, 0.357, 0.321, 0.292], 0.735, 2.35),
    "normal": ([0.893, 0.973, 0.976, 0.976], 30, 26),
}


def medians(law, seeds, x, y, hidden=4):
    traces = [fi.trace(fi.Network([x.shape[1], *[300] * hidden, 10], init=law, seed=s), x, y) for s in range(seeds)]
    spread = np.median([[float(layer.a.std) for layer in t.hidden] for t in traces], axis=0)
    ratio = np.median([rms(t.hidden[0], "da") / rms(t.hidden[-1], "da") for t in traces])
    return spread, ratio, np.median([t.cost for t in traces]), traces


def check_digits(law, seeds, tolerance):
    pytest.importorskip("sklearn")
    x, y = fi.datasets.digits()
    spread, ratio, cost, _ = medians(law, seeds, x[:100], y[:100])
    expected_spread, expected_ratio, expected_cost = LAWS[law]
    assert spread == pytest.approx(expected_spread, rel=tolerance, abs=5e-4)
    assert ratio == pytest.approx(expected_ratio, rel=2 * tolerance)
    assert cost == pytest.approx(expected_cost, rel=0.1)


@pytest.mark.parametrize("law", LAWS)
def test_row_44_figures_of_the_digits(law):
    """Section 1.4 of the facts: medians over 200 seeds. One seed scatters by 5 % in layer 4, a median of 15 by 1.6 %."""
    check_digits(law, 15, 0.05)


@pytest.mark.slow
@pytest.mark.parametrize("law", LAWS)
def test_row_44_figures_of_the_digits_over_200_seeds(law):
    check_digits(law, 200, 0.015)


def test_row_44_digits_from_zeros():
    pytest.importorskip("sklearn")
    x, y = fi.datasets.digits()
    t = fi.trace(fi.Network([64, *[300] * 4, 10], init="zeros", seed=0), x[:100], y[:100])
    assert [float(layer.a.std) for layer in t.hidden] == [0] * 4
    assert [rms(layer, "da") for layer in t.hidden] == [0] * 4
    assert t.cost == pytest.approx(math.log(10), rel=1e-6)


@pytest.mark.parametrize(
    ("law", "expected"),
    [
        ("fan_in_uniform", [0.1778, 0.1015, 0.0584, 0.0337]),
        ("xavier_normal", [0.2901, 0.268, 0.2505, 0.236]),
        ("normal", [0.952, 0.9755, 0.9761, 0.9762]),
    ],
)
def test_row_44_expected_spread_is_the_mean_field_of_the_batch(law, expected, mnist):
    """The theory column of section 1.4, from the first 100 images; it is printed to 3 or 4 digits.

    The expectation uses a network's own n_in * Var(w), which scatters around the law's by sqrt(2 / 90000) = 0.5 % at most.
    """
    x, y = fi.datasets.mnist(mnist)
    _, _, _, traces = medians(law, 5, x[:100], y[:100])
    spread = np.mean([[layer.expected_std for layer in t.hidden] for t in traces], axis=0)
    assert spread == pytest.approx(expected, rel=0.004)
    measured = np.mean([[float(layer.a.std) for layer in t.hidden] for t in traces], axis=0)
    assert measured == pytest.approx(spread, rel=0.04)
