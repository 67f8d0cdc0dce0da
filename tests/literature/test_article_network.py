"""Rows of the article's checklist that speak of a network in training; 5, 7 and 8 are with the coursework."""

from __future__ import annotations

import math

import numpy as np
import pytest

import fanin as fi

PLAYGROUND = (2, 6, 3, 1)


def playground(init, activation: str = "relu", **options) -> fi.Network:
    return fi.Network(PLAYGROUND, activation, init, "binary_cross_entropy", **{"seed": 0, "dtype": "float64", **options})


def descend(net: fi.Network, x, y, steps: int, lr: float = 0.1) -> np.ndarray:
    return net.fit(x, y, epochs=steps, batch_size=None, shuffle=False, optimizer=fi.SGD(lr)).costs


def accuracy(net: fi.Network, x, y) -> float:
    return float(np.mean(net.predict(x) == y))


def test_row_01_logistic_regression_learns_from_zeros_and_a_network_does_not():
    for seed in range(20):
        x, y = fi.datasets.gauss(100, seed, dtype="float64")
        logistic = fi.Network([2, 1], init="zeros", loss="binary_cross_entropy", dtype="float64")
        descend(logistic, x, y, 300)
        assert accuracy(logistic, x, y) >= 0.97
        net = playground("zeros")
        costs = descend(net, x, y, 300)
        assert abs(costs[-1] - math.log(2)) < 1e-9
        assert accuracy(net, x, y) == 0.5


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy"])
def test_row_06_gradients_are_central_differences(activation, loss):
    outputs = 3 if loss == "cross_entropy" else 1
    net = fi.Network([4, 6, 5, outputs], activation, "he_normal", loss, seed=2, dtype="float64", bias_init="normal(std=0.5)")
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((20, 4)), rng.integers(0, max(outputs, 2), 20)
    h = 1e-5
    for (dw, _), w in zip(net.gradients(x, y), net.weights, strict=True):
        slopes = np.empty_like(dw)
        for index in np.ndindex(*w.shape):
            kept = w[index]
            w[index] = kept + h
            up = net.loss(x, y)
            w[index] = kept - h
            slopes[index] = (up - net.loss(x, y)) / (2 * h)
            w[index] = kept
        assert np.linalg.norm(dw - slopes) < 1e-6 * np.linalg.norm(dw)


def test_row_09_zeros_stay_zeros():
    x, y = fi.datasets.circle(100, 1, dtype="float64")
    net, sgd = playground("zeros"), fi.SGD(0.1)
    for _ in range(2000):
        assert not any(dw.any() for dw, _ in net.gradients(x, y))
        assert abs(net.step(x, y, optimizer=sgd) - 0.693147) < 1e-6
    links = np.concatenate([w.ravel() for w in net.weights])
    assert links.size == 33
    assert (links == links[0]).all()


def unbalanced():
    x, y = fi.datasets.circle(200, 4, dtype="float64")
    rows = np.concatenate([np.flatnonzero(y == 1)[:60], np.flatnonzero(y == 0)[:40]])
    return x[rows], y[rows]


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_row_10_only_the_last_bias_moves(activation):
    net = playground("zeros", activation)
    descend(net, *unbalanced(), 2000)
    assert not any(w.any() for w in net.weights)
    assert not any(b.any() for b in net.biases[:-1])
    assert net.biases[-1][0] == pytest.approx(math.log(60 / 40), abs=1e-6)  # the odds of the classes


def test_row_10_sigmoid_units_learn_the_same_features():
    net = playground("zeros", "sigmoid")
    descend(net, *unbalanced(), 2000)
    for p in (*net.weights, *net.biases):
        assert p.all()
        assert np.ptp(p, axis=0).max() < 1e-12


@pytest.mark.parametrize("data", ["circle", "square"])
def test_row_11_a_constant_is_one_unit(data):
    sets = [getattr(fi.datasets, data)(100, seed, dtype="float64") for seed in range(10)]

    def runs(init) -> list[float]:
        accuracies = []
        for seed, (x, y) in enumerate(sets):
            net = playground(init, seed=seed)
            descend(net, x, y, 2000)
            accuracies.append(accuracy(net, x, y))
            if init != "xavier_normal":
                assert np.linalg.matrix_rank(net.weights[0]) == 1
        return accuracies

    for alpha in (0.1, 0.5, 1):
        assert np.median(runs(f"constant(value={alpha})")) <= 0.80
    assert runs("constant(value=-0.3)") == [0.5] * 10  # the second layer is dead
    assert np.median(runs("xavier_normal")) == 1.0


def test_row_12_biases_are_zero_unless_said_otherwise():
    net = playground("constant(value=0.5)")
    assert not any(b.any() for b in net.biases)
    assert all((w == 0.5).all() for w in net.weights)
    net = playground("constant(value=0.5)", bias_init="constant(value=0.1)")
    assert all((b == 0.1).all() for b in net.biases)


def twins(alpha: float = 0.5) -> fi.Network:
    return fi.Network([2, 2, 1], "relu", f"constant(value={alpha})", "binary_cross_entropy", seed=0, dtype="float64")


def test_row_14_equal_units_have_equal_gradients():
    x, y = fi.datasets.circle(100, 2, dtype="float64")
    for alpha in (0.5, -0.3):
        (dw1, db1), (dw2, _) = twins(alpha).gradients(x, y)
        assert np.array_equal(dw1[0], dw1[1])
        assert dw2[0, 0] == dw2[0, 1]
        assert db1[0] == db1[1]
        assert dw2.any()


def test_row_15_equal_units_stay_equal():
    x, y = fi.datasets.circle(100, 2, dtype="float64")
    net, sgd = twins(), fi.SGD(0.1)
    for _ in range(1000):
        net.step(x, y, optimizer=sgd)
        w1, w2 = net.weights
        assert np.array_equal(w1[0], w1[1])
        assert w2[0, 0] == w2[0, 1]
    assert net.biases[0][0] == net.biases[0][1]
    assert not np.array_equal(w1, np.full((2, 2), 0.5))
