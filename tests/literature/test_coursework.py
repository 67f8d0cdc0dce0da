"""The assignment "Initialization" of deeplearning.ai's course "Improving Deep Neural Networks", week 1, with its own weights.

Data, weights and the printed costs are the assignment's: circles, [2, 10, 5, 1], ReLU, a sigmoid output, learning rate 0.01,
15 000 full-batch steps in float64, the cost printed every 1000.
"""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np
import pytest

import fanin as fi

SIZES = (2, 10, 5, 1)
HE_COSTS = [
    0.8830537463419761,
    0.6879825919728063,
    0.6751286264523371,
    0.6526117768893807,
    0.6082958970572938,
    0.5304944491717495,
    0.4138645817071795,
    0.3117803464844441,
    0.2369621533032256,
    0.1859728720920684,
    0.1501555628037181,
    0.1232507929227355,
    0.0991774654652593,
    0.0845705595402428,
    0.0735789596267736,
]


# Chaotic at the third decimal: rounded as far as they repeat.
RANDOM_COSTS = [0.6243, 0.5984, 0.5641, 0.5502, 0.5445, 0.5375, 0.4793, 0.3979, 0.3935, 0.3920, 0.3893, 0.3862, 0.3850, 0.3828]


def weights(rule: str) -> list[np.ndarray]:
    rng = np.random.RandomState(3)  # the stream of np.random.seed(3)
    scale = {"zeros": lambda n: 0.0, "random": lambda n: 10.0, "he": lambda n: np.sqrt(2.0 / n), "small": lambda n: 0.01}[rule]
    return [rng.randn(n_out, n_in) * scale(n_in) for n_in, n_out in itertools.pairwise(SIZES)]


def network(rule: str) -> fi.Network:
    return fi.Network(SIZES, "relu", weights(rule), "binary_cross_entropy", dtype="float64", seed=0)


@cache
def trained(rule: str) -> tuple[list[float], float, float]:
    """Costs at the 15 prints and after the last step, accuracy on the training and on the test data."""
    pytest.importorskip("sklearn")
    data, net = fi.datasets.coursework_circles(), network(rule)
    history = net.fit(*data.train, epochs=15_000, batch_size=None, shuffle=False, optimizer=fi.SGD(lr=0.01))
    accuracies = [float(np.mean(net.predict(part.x) == part.y)) for part in data]
    return [*history.costs[::1000].tolist(), net.loss(*data.train)], accuracies[0], accuracies[1]


def test_weights_are_the_assignment_s():
    # The unit tests of the notebook print these.
    np.testing.assert_allclose(np.random.RandomState(3).randn(2, 3)[0] * 10, [17.88628473, 4.36509851, 0.96497468])
    w1 = np.random.RandomState(3).randn(4, 2) * np.sqrt(2 / 2)
    np.testing.assert_allclose(w1[0], [1.78862847, 0.43650985])


def test_zeros():
    costs, train, test = trained("zeros")
    np.testing.assert_allclose(costs, 0.6931471805599453, rtol=1e-15)
    assert (train, test) == (0.5, 0.5)


def test_row_05_the_cost_that_was_printed_as_infinite():
    pytest.importorskip("sklearn")
    x, y = fi.datasets.coursework_circles().train
    net = network("random")
    with np.errstate(all="ignore"):
        a = 1 / (1 + np.exp(-net.forward(x)[:, 0]))
        naive = np.nansum(-np.log(a) * y - np.log(1 - a) * (1 - y)) / len(y)
    assert naive == np.inf
    assert net.loss(x, y) == pytest.approx(1773.59, abs=0.01)


def test_row_07_costs_of_he():
    costs, _, _ = trained("he")
    np.testing.assert_allclose(costs[:-1], HE_COSTS, rtol=0, atol=1e-10)


def test_costs_of_random():
    costs, _, _ = trained("random")
    np.testing.assert_allclose(costs[1:-1], RANDOM_COSTS, rtol=0, atol=0.01)


def test_row_08_accuracies():
    assert trained("zeros")[1:] == (0.5, 0.5)
    _, train, test = trained("he")
    assert (round(train, 4), test) == (0.9933, 0.96)
    _, train, test = trained("random")  # chaotic in the last bits
    assert train == pytest.approx(0.83, abs=0.02)
    assert test == pytest.approx(0.86, abs=0.02)


def test_row_17_too_small_never_learns():
    """Weights of standard deviation 0.01: the cost is still .6931473 after 15 000 steps."""
    costs, train, test = trained("small")
    assert round(costs[-1], 7) == 0.6931473
    np.testing.assert_allclose(costs, np.log(2), atol=1e-5)
    assert (round(train, 2), round(test, 2)) == (0.46, 0.48)


@pytest.mark.parametrize("optimizer", [None, fi.SGD(lr=0.01)], ids=["any rate", "its own"])
def test_outlooks_are_what_the_assignment_shows(optimizer):
    """Zeros fail to break symmetry, large random weights and small ones are far behind, He's train: by trial, before training.

    At the assignment's own rate the trial stands for its 15 000 steps.
    """
    pytest.importorskip("sklearn")
    x, y = fi.datasets.coursework_circles().train
    steps = None if optimizer is None else 5000
    found = {rule: fi.diagnose(network(rule), x, y, optimizer, steps) for rule in ("zeros", "small", "random", "he")}
    told = {"zeros": "no gradient", "small": "vanishing", "random": "exploding", "he": "healthy"}
    assert {rule: d.verdict for rule, d in found.items()} == told
    large = "stuck" if optimizer is None else "slow"  # row 8: its own rate comes to .83, two thirds of the way to .99
    outlooks = {"zeros": "stuck", "small": "stuck", "random": large, "he": "trains"}
    assert {rule: d.outlook for rule, d in found.items()} == outlooks
    for rule in ("zeros", "small", "random"):
        assert fi.diagnose(found[rule].apply(network(rule)), x, y).outlook == "trains"
