"""The NumPy reference itself: published known answers, the generator's own words, finite differences, hand calculations."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import fanin as fi
from fanin import _core
from fanin.verify import reference

# Random123's known answers for Philox4x32-10 (tests/kat_vectors): counter, key, words.
KNOWN = [
    ((0, 0, 0, 0), (0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_philox_known_answers(counter, key, words):
    block, stream, seed = (low | high << 32 for low, high in (counter[:2], counter[2:], key))
    expected = [int(word, 16) for word in words.split()]
    assert reference.philox(seed, stream, block, 1).tolist() == [expected]


def test_philox_equals_the_core():
    seed, stream, first = 2**64 - 3, 2**63 + 12345, 2**32 - 5  # the block number carries into its high word
    ours = np.empty(4 * 1000, np.uint32)
    _core.philox_words(ours, seed, stream, first)
    np.testing.assert_array_equal(reference.philox(seed, stream, first, 1000).reshape(-1), ours)
    np.testing.assert_array_equal(reference.philox(3, 9, 0, 5).reshape(-1), fi.random.words(20, seed=3, stream=9))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("first", [0, 1, 2, 3, 4, 7])
@pytest.mark.parametrize("n", [0, 1, 2, 5, 1000])
def test_draws_equal_the_core(dtype, first, n):
    out = np.empty(n, dtype)
    eps = np.finfo(dtype).eps
    # Radius and direction of the core are within a few ULP; a component near a zero of the cosine keeps the absolute error of
    # the direction, so the bound is absolute: 4 eps of the radius, which is at most 6.8 (float64: 8.7).
    _core.fill_normal(out, 7, 11, first, 0.0, 1.0)
    np.testing.assert_allclose(reference.standard_normal(n, 7, 11, first, dtype), out, rtol=0, atol=35 * eps)
    _core.fill_uniform(out, 7, 11, first, -1.0, 1.0)
    np.testing.assert_array_equal(reference.standard_uniform(n, 7, 11, first, dtype), out)


def test_normal_near_the_ends_of_the_radius():
    # 2^16 blocks hold words within 2^-16 of both ends; compare where the radius is largest and smallest.
    n = 1 << 18
    out = np.empty(n, np.float64)
    _core.fill_normal(out, 1, 2, 0, 0.0, 1.0)
    ours = reference.standard_normal(n, 1, 2, 0, "float64")
    r_core, r_ours = (np.hypot(*v.reshape(-1, 2).T) for v in (out, ours))
    np.testing.assert_allclose(r_ours, r_core, rtol=8 * np.finfo(float).eps)
    assert r_core.min() < 0.01
    assert r_core.max() > 4.5


def test_law_std():
    assert reference.law_std("xavier_normal", 784, 300) == 1 / 28
    assert reference.law_std("he_uniform", 50, 9) == 0.2
    assert math.isclose(reference.law_std("glorot_normal", 784, 300) ** 2, 2 / 1084)
    assert math.isclose(reference.law_std("fan_in_uniform", 12, 7, gain=2), 2 / 6)


@pytest.mark.parametrize("name", reference.ACTIVATIONS)
def test_derivatives_against_central_differences(name):
    g, d = reference.ACTIVATIONS[name]
    z = np.linspace(-5.99, 5.99, 400)  # no kink among the points
    h = 1e-6
    # Truncation h^2 g''' / 6 < 1e-12, rounding eps |g| / h < 2e-9 (identity: |g| = 6).
    np.testing.assert_allclose(d(z), (g(z + h) - g(z - h)) / (2 * h), atol=3e-9)


def test_activations_at_the_far_ends():
    far = np.array([-1e4, -800.0, 800.0, 1e4])
    for name, ends in {"relu": (0, 1e4), "tanh": (-1, 1), "sigmoid": (0, 1)}.items():
        g, d = reference.ACTIVATIONS[name]
        assert (g(far)[0], g(far)[-1]) == ends
        assert np.isfinite(d(far)).all()
        assert np.isnan(g(np.array([np.nan]))).all()
        assert np.isnan(d(np.array([np.nan]))).all()
    assert reference.ACTIVATIONS["relu"][1](np.zeros(1)) == 0
    np.testing.assert_allclose(reference.ACTIVATIONS["tanh"][1](np.array([20.0])), 4 * math.exp(-40), rtol=1e-15)
    for name in reference.ACTIVATIONS:
        for f in reference.ACTIVATIONS[name]:
            assert f(np.ones(3, np.float32)).dtype == np.float32


def test_summarize():
    x = np.array([[1, -2, 0, 0.5], [np.nan, np.inf, 5e-324, -0.0]])
    s = reference.summarize(x, bins=4, range=(-2, 2))
    finite = np.array([1, -2, 0, 0.5, 5e-324, 0])
    assert (s["count"], s["zeros"], s["nans"], s["infs"], s["subnormals"]) == (8, 2, 1, 1, 1)
    assert (s["min"], s["max"]) == (-2, 1)
    np.testing.assert_allclose([s["mean"], s["var"], s["rms"]], [finite.mean(), finite.var(), np.sqrt(np.mean(finite**2))])
    assert s["histogram"].tolist() == [1, 0, 4, 1]
    normal = reference.summarize(reference.standard_normal(1 << 18, 3, 4))
    # Standard errors sqrt(6 / n) and sqrt(24 / n): five of each.
    assert abs(normal["skewness"]) < 0.024
    assert abs(normal["kurtosis"] - 3) < 0.048


def net(rng, widths):
    return [(rng.normal(size=(n, m)) / math.sqrt(m), rng.normal(size=n) / 10) for m, n in itertools.pairwise(widths)]


def targets(loss, rng, n, outputs):
    return {
        "cross_entropy": lambda: rng.integers(0, outputs, n),
        "binary_cross_entropy": lambda: rng.integers(0, 2, n),
        "mean_squared_error": lambda: rng.normal(size=(n, outputs)),
        "hinge": lambda: 2 * rng.integers(0, 2, n) - 1,
    }[loss]()


@pytest.mark.parametrize("loss", reference.LOSSES)
@pytest.mark.parametrize("activation", reference.ACTIVATIONS)
def test_gradients_against_central_differences(loss, activation):
    rng = np.random.default_rng(1)
    outputs = 1 if loss in ("binary_cross_entropy", "hinge") else 3
    layers, x = net(rng, [4, 5, 5, outputs]), rng.normal(size=(7, 4))
    y = targets(loss, rng, 7, outputs)
    cost, grads = reference.gradients(layers, x, y, activation, loss)
    h = 1e-6
    for parameters, gradient in zip(layers, grads, strict=True):
        for p, dp in zip(parameters, gradient, strict=True):
            direction = rng.normal(size=p.shape)
            saved = p.copy()
            p += h * direction
            up = reference.gradients(layers, x, y, activation, loss)[0]
            p -= 2 * h * direction
            down = reference.gradients(layers, x, y, activation, loss)[0]
            p[...] = saved
            np.testing.assert_allclose((up - down) / (2 * h), np.sum(dp * direction), rtol=1e-6, atol=2e-9)
    before = [(w.copy(), b.copy()) for w, b in layers]
    assert reference.step(layers, x, y, activation, loss, 0.1) == cost
    for (w, b), (w0, b0), (dw, db) in zip(layers, before, grads, strict=True):
        np.testing.assert_array_equal(w, w0 - 0.1 * dw)
        np.testing.assert_array_equal(b, b0 - 0.1 * db)


def test_losses_by_hand_and_far_out():
    z = np.array([[1000.0, 0.0], [0.0, 0.0]])
    cost, dz = reference.cross_entropy(z, np.array([1, 0]))
    assert cost == pytest.approx((1000 + math.log(2)) / 2)
    np.testing.assert_allclose(dz, [[0.5, -0.5], [-0.25, 0.25]])
    cost, dz = reference.binary_cross_entropy(np.array([[-1000.0], [0.0]]), np.array([1, 0]))
    assert cost == pytest.approx((1000 + math.log(2)) / 2)
    np.testing.assert_allclose(dz, [[-0.5], [0.25]])
    assert reference.mean_squared_error(np.array([[1.0, 3.0]]), np.array([[0.0, 1.0]]))[0] == 2.5
    cost, dz = reference.hinge(np.array([[0.5], [2.0], [1.0]]), np.array([-1, 1, 1]))
    assert cost == 0.5
    np.testing.assert_allclose(dz, [[1 / 3], [0], [0]])


def test_sgd():
    w, g = np.array([1.0]), np.array([2.0])
    v = reference.sgd(w, g, None, lr=0.1, momentum=0.5)
    assert w[0] == 1 - 0.2
    v = reference.sgd(w, g, v, lr=0.1, momentum=0.5)
    assert v[0] == 3.0
    assert w[0] == 0.8 - 0.1 * 3
    w = np.array([1.0])
    reference.sgd(w, g, None, lr=0.1, momentum=0.5, nesterov=True)
    assert w[0] == 1 - 0.1 * 3
