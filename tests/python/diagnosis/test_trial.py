"""The trial, the advice that was tried, and find_lr."""

from __future__ import annotations

import re

import numpy as np
import pytest

import fanin as fi

RNG = np.random.default_rng(3)
CENTRES = 2 * RNG.standard_normal((4, 8))
Y = RNG.integers(0, 4, 300)
X = CENTRES[Y] + 0.5 * RNG.standard_normal((300, 8))


def net(init="xavier_normal", activation="tanh", sizes=(8, 30, 30, 4), **options):
    return fi.Network(list(sizes), activation, init, seed=2, **options)


def test_a_healthy_network_trains_and_is_not_touched():
    n = net()
    before = [w.copy() for w in n.weights]
    d = fi.diagnose(n, X, Y)
    assert (d.verdict, d.outlook) == ("healthy", "trains")
    assert all(np.array_equal(w, old) for w, old in zip(n.weights, before, strict=True))
    assert "trains" in str(d).splitlines()[0]


def test_same_bits_at_any_thread_count():
    found = []
    for threads in (1, 2):
        fi.set_num_threads(threads)
        found.append(fi.diagnose(net("normal(std=0.01)"), X, Y).to_dict())
    assert found[0] == found[1]


def test_zeros_are_stuck_and_the_advice_mends_them():
    n = net("zeros")
    d = fi.diagnose(n, X, Y)
    assert (d.verdict, d.outlook) == ("no gradient", "stuck")
    assert re.search(r"after 300 steps at [\d.]+, now", d.advice)
    assert fi.diagnose(d.apply(n), X, Y).outlook == "trains"


def test_a_last_layer_of_zeros_trains():
    n = net()
    n.weights[-1][...] = 0
    assert fi.diagnose(n, X, Y, trial=False).verdict != "no gradient"
    assert fi.diagnose(n, X, Y).outlook == "trains"


def test_the_smallest_rate_alone_trains():
    """300 plain steps at 0.001 reach 100 %; momentum at that rate, and plain steps at larger ones, half of it."""
    n = net(activation="softplus")
    n.weights[0][...] *= 300
    d = fi.diagnose(n, X, Y)
    assert (d.outlook, d.trial.own.rate) == ("trains", 0.001)


def test_rates_that_wreck_a_network_say_nothing_of_smaller_ones():
    """Twenty layers of tanh, one of rank 1: nothing is left at rates above 0.1, and the cost hardly shows it."""
    n = net(init="orthogonal", sizes=(8, *[10] * 20, 4))
    u, s, v = np.linalg.svd(n.weights[5])
    n.weights[5][...] = np.linalg.norm(s) * np.outer(u[:, 0], v[0])
    assert fi.diagnose(n, X, Y).trial.own.rate < 0.1


def test_a_layer_of_dead_units_is_dead():
    n = net("he_normal", "relu")
    n.biases[1][...] = -1e3
    assert fi.diagnose(n, X, Y, trial=False).verdict == "dead"


def test_saturated_units_without_a_gradient_are_saturated():
    n = net()
    n.biases[0][...] = 1e3
    n.biases[1][...] = 1e3
    assert fi.diagnose(n, X, Y, trial=False).verdict == "saturated"


def test_values_a_few_ulp_apart_are_traced():
    n = fi.Network([1, 3, 2], "relu", "zeros", seed=0, dtype="float64")
    n.weights[0][...] = 2.0**-49
    n.biases[0][...] = 10
    assert fi.trace(n, np.array([[0.0], [1.0]])).hidden[0].a.max >= 10


def test_the_optimizer_decides():
    d = fi.diagnose(net("normal(std=0.01)"), X, Y, optimizer=fi.SGD(lr=0.001))
    assert d.outlook == "stuck"
    assert str(d).startswith("vanishing: stuck at 0.001")
    assert "SGD at" in d.advice or "xavier_normal" in d.advice


def test_courses():
    def judged(costs):
        return fi.diagnose(fi.History(costs=np.asarray(costs, dtype=float))).verdict

    assert judged([2.33, *[205.0] * 20, *[10.6] * 100]) == "diverged"
    assert judged([0.7, 3e11, *[0.693] * 100]) == "diverged"
    assert judged([2.68, *[0.014] * 100]) == "healthy"


def test_find_lr():
    n = net()
    found = fi.find_lr(n, X, Y, steps=50)
    low, high = found.range
    assert found.best > 0.003
    assert low <= found.best <= high
    assert "best" in str(found)
    assert n.fit(X, Y, optimizer=found, epochs=5).costs[-1] < 0.5
    with pytest.raises(ValueError, match="steps"):
        fi.find_lr(n, X, Y, steps=0)
