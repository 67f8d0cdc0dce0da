"""Optimizers against their formulas in NumPy, through a network; whose state it is; refusals."""

from __future__ import annotations

import numpy as np
import pytest

import fanin as fi
from fanin.verify import reference


def network(**options) -> fi.Network:
    return fi.Network([3, 4, 2], seed=3, dtype="float64", **options)


def data(n: int = 16):
    rng = np.random.default_rng(1)
    return rng.standard_normal((n, 3)), rng.integers(0, 2, n)


@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, False), (0.9, False), (0.7, True)])
def test_equals_the_formulas(momentum, nesterov):
    net, (x, y) = network(), data()
    sgd = fi.SGD(0.3, momentum, nesterov)
    weights = [w.copy() for w in net.weights]
    velocity: list = [None, None]
    for _ in range(5):
        grads = net.gradients(x, y)
        net.step(x, y, optimizer=sgd)
        velocity = [
            reference.sgd(w, dw, v, 0.3, momentum, nesterov) for w, (dw, _), v in zip(weights, grads, velocity, strict=True)
        ]
        for w, expected in zip(net.weights, weights, strict=True):
            np.testing.assert_allclose(w, expected, rtol=1e-14, atol=1e-15)  # a fused product rounds once less
    assert sgd.steps == 5


@pytest.mark.parametrize(
    ("optimizer", "formula"),
    [
        (fi.RMSProp(), lambda w, g, s: reference.rmsprop(w, g, s, 0.01)),
        (fi.RMSProp(0.05, 0.8, 1e-4, 0.6), lambda w, g, s: reference.rmsprop(w, g, s, 0.05, 0.8, 1e-4, 0.6)),
        (fi.AdaGrad(), lambda w, g, s: reference.adagrad(w, g, s, 0.01)),
        (fi.AdaGrad(0.3, 0.1), lambda w, g, s: reference.adagrad(w, g, s, 0.3, 0.1)),
        (fi.Adam(), lambda w, g, s: reference.adam(w, g, s, 0.001)),
        (
            fi.Adam(0.02, 0.7, 0.95, 1e-6, weight_decay=0.3),
            lambda w, g, s: reference.adam(w, g, s, 0.02, 0.7, 0.95, 1e-6, 0.3),
        ),
    ],
    ids=lambda value: "" if callable(value) else repr(value),
)
def test_adaptive_ones_equal_the_formulas(optimizer, formula):
    net, (x, y) = network(), data()
    optimizer = optimizer.copy()
    weights, states = [w.copy() for w in net.weights], [None, None]
    for _ in range(6):
        grads = net.gradients(x, y)
        net.step(x, y, optimizer=optimizer)
        states = [formula(w, dw, s) for w, (dw, _), s in zip(weights, grads, states, strict=True)]
        for w, expected in zip(net.weights, weights, strict=True):
            np.testing.assert_allclose(w, expected, rtol=1e-12, atol=1e-13)


def test_a_learning_rate_for_each_layer():
    net, (x, y) = network(), data()
    grads, before = net.gradients(x, y), [w.copy() for w in net.weights]
    sgd = fi.SGD(lr=[0.5, 0.125])
    net.step(x, y, optimizer=sgd)
    for w, old, (dw, _), lr in zip(net.weights, before, grads, (0.5, 0.125), strict=True):
        np.testing.assert_allclose(w, old - lr * dw, rtol=1e-14, atol=1e-15)
    assert sgd.lr == (0.5, 0.125)
    assert repr(sgd) == "SGD(lr=(0.5, 0.125))"
    sgd.lr = np.array([0.25, 1.0])
    assert sgd.copy().lr == (0.25, 1.0)
    with pytest.raises(ValueError, match="lr must be one number, or one for each of the 2 layers, got 3"):
        sgd.lr = (1, 2, 3)
    with pytest.raises(ValueError, match="lr must be one number, or one for each of the 2 layers, got 3"):
        network().step(x, y, optimizer=fi.Adam([1, 2, 3]))
    with pytest.raises(ValueError, match="lr must be a number, or one for each layer"):
        fi.SGD([])


@pytest.mark.parametrize("clip", [1e-3, 1e3])
def test_gradients_are_clipped_by_their_norm(clip):
    net, (x, y) = network(), data()
    grads, before = net.gradients(x, y), [w.copy() for w in net.weights]
    norm = np.sqrt(sum((d**2).sum() for pair in grads for d in pair))
    sgd = fi.SGD(0.5, clip_norm=clip)
    assert sgd.gradient_norm == 0
    net.step(x, y, optimizer=sgd)
    assert sgd.gradient_norm == pytest.approx(norm, rel=1e-14)
    for w, old, (dw, _) in zip(net.weights, before, grads, strict=True):
        np.testing.assert_allclose(w, old - 0.5 * min(1, clip / (norm + 1e-6)) * dw, rtol=1e-14, atol=1e-15)
    assert fi.SGD(1).gradient_norm is None
    assert repr(fi.Adam(clip_norm=2)) == "Adam(lr=0.001, clip_norm=2.0)"
    for bad in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="clip_norm must"):
            fi.Adam(clip_norm=bad)


def test_adam_trains():
    x, y = data(200)
    net = fi.Network([3, 16, 2], seed=1)
    y = (x[:, 0] * x[:, 1] > 0).astype(int)
    history = net.fit(x, y, epochs=60, batch_size=20, optimizer=fi.Adam(0.01))
    assert history.costs[-1] < 0.3 * history.costs[0]


def test_belongs_to_its_first_network():
    net, (x, y) = network(), data()
    sgd = fi.SGD(0.1, momentum=0.9)
    net.step(x, y, optimizer=sgd)
    other = network()
    before = [w.copy() for w in other.weights]
    with pytest.raises(ValueError, match=r"optimizer must belong to one network, got a second one: .*copy\(\).*reset\(\)"):
        other.step(x, y, optimizer=sgd)
    with pytest.raises(ValueError, match="optimizer must belong to one network"):
        net.copy().fit(x, y, optimizer=sgd)
    assert all(np.array_equal(a, b) for a, b in zip(before, other.weights, strict=True))
    fresh = sgd.copy()
    assert (fresh.lr, fresh.momentum, fresh.steps) == (0.1, 0.9, 0)
    other.step(x, y, optimizer=fresh)
    sgd.reset()
    again = network()
    again.step(x, y, optimizer=sgd)
    assert all(np.array_equal(a, b) for a, b in zip(again.weights, other.weights, strict=True))


def test_a_refused_step_binds_nothing():
    net, (x, y) = network(), data()
    sgd = fi.SGD(0.1)
    with pytest.raises(ValueError, match="y must hold labels"):
        net.step(x, y + 5, optimizer=sgd)
    network().step(x, y, optimizer=sgd)


def test_learning_rate_can_be_set():
    sgd = fi.SGD(lr=1)
    sgd.lr = np.float32(0.5)
    assert sgd.lr == 0.5
    with pytest.raises(ValueError, match="lr must be finite and above 0, got -1"):
        sgd.lr = -1
    assert sgd.lr == 0.5
    assert repr(sgd) == "SGD(lr=0.5)"
    assert repr(fi.SGD(0.1, 0.9, nesterov=True)) == "SGD(lr=0.1, momentum=0.9, nesterov=True)"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": 0}, "lr must be finite and above 0, got 0"),
        ({"lr": float("nan")}, "lr must be finite and above 0, got nan"),
        ({"lr": float("inf")}, "lr must be finite and above 0, got inf"),
        ({"lr": 1, "momentum": 1}, r"momentum must be in \[0, 1\), got 1"),
        ({"lr": 1, "momentum": -0.5}, r"momentum must be in \[0, 1\), got -0.5"),
        ({"lr": 1, "nesterov": True}, "nesterov=True needs momentum above 0"),
    ],
)
def test_bad_values(options, message):
    with pytest.raises(ValueError, match=message):
        fi.SGD(**options)


@pytest.mark.parametrize(
    ("rule", "options", "message"),
    [
        (fi.RMSProp, {"alpha": 1}, r"alpha must be in \[0, 1\), got 1"),
        (fi.RMSProp, {"eps": -1}, "eps must be finite and not negative, got -1"),
        (fi.Adam, {"beta1": -0.1}, r"beta1 must be in \[0, 1\), got -0.1"),
        (fi.Adam, {"beta2": 1}, r"beta2 must be in \[0, 1\), got 1"),
        (fi.Adam, {"weight_decay": float("inf")}, "weight_decay must be finite and not negative, got inf"),
    ],
)
def test_bad_values_of_the_adaptive_ones(rule, options, message):
    with pytest.raises(ValueError, match=message):
        rule(**options)


@pytest.mark.parametrize("lr", ["0.1", None, ["0.1"], [None]])
def test_bad_types(lr):
    with pytest.raises(TypeError, match="lr must be a number"):
        fi.SGD(lr)
    with pytest.raises(TypeError, match="nesterov must be True or False, got 'yes'"):
        fi.SGD(0.1, 0.9, "yes")
    with pytest.raises(ValueError, match="lr must be a number that fits float64"):
        fi.SGD(10**400)
    with pytest.raises(TypeError, match="optimizer must be"):
        network().step(*data(), optimizer=0.1)
