"""SGD against its formulas in NumPy, through a network; whose state it is; refusals."""

from __future__ import annotations

import numpy as np
import pytest

import fanin as fi
from fanin import reference


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


@pytest.mark.parametrize("lr", ["0.1", None, [0.1]])
def test_bad_types(lr):
    with pytest.raises(TypeError, match="lr must be a number"):
        fi.SGD(lr)
    with pytest.raises(TypeError, match="optimizer must be"):
        network().step(*data(), optimizer=0.1)
