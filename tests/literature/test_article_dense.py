"""Rows of the article's checklist that need one dense layer at a time: explicit weights, forward and backward."""

from __future__ import annotations

import numpy as np
import pytest

import fanin as fi

# The figure's network: 2 inputs, 9 hidden layers of 2, 1 output, so L = 10 weight matrices.
L = 10


def matrices(scale):
    return [scale * np.eye(2)] * (L - 1) + [np.array([[1.0, 1.0]])]


def forward(weights, x, activation="identity"):
    """a[0] = x, ..., a[L]."""
    a = [x]
    for w in weights:
        a.append(fi.dense_forward(a[-1], w, activation=activation).a)
    return a


def backward(weights, a, da):
    """The gradients of a linear network: dW[1..L] and dA[0..L]."""
    das, dws = [da], []
    for w, x in zip(reversed(weights), reversed(a[:-1]), strict=True):
        g = fi.dense_backward(das[0], x, w, None)
        das.insert(0, g.dx)
        dws.insert(0, g.dw)
    return dws, das


def test_row_04_forward_propagate_an_input():
    x = np.array([[0.5, -1.0], [2.0, 0.25]])
    w1, b1 = np.array([[1.0, 2.0], [-0.5, 0.75], [0.1, 0.2]]), np.array([0.1, -0.2, 0.3])
    w2, b2 = np.array([[0.3, -0.6, 0.9]]), np.array([-0.05])
    one = fi.dense_forward(x, w1, b1, activation="tanh")
    two = fi.dense_forward(one.a, w2, b2, activation="sigmoid")
    z1 = np.array(
        [[0.5 - 2.0 + 0.1, -0.25 - 0.75 - 0.2, 0.05 - 0.2 + 0.3], [2.0 + 0.5 + 0.1, -1.0 + 0.1875 - 0.2, 0.2 + 0.05 + 0.3]]
    )
    a1 = np.tanh(z1)
    z2 = 0.3 * a1[:, :1] - 0.6 * a1[:, 1:2] + 0.9 * a1[:, 2:] - 0.05
    np.testing.assert_allclose(one.z, z1, rtol=0, atol=1e-12)
    np.testing.assert_allclose(one.a, a1, rtol=0, atol=1e-12)
    np.testing.assert_allclose(two.z, z2, rtol=0, atol=1e-12)
    np.testing.assert_allclose(two.a, 1 / (1 + np.exp(-z2)), rtol=0, atol=1e-12)


@pytest.mark.parametrize("alpha", [0.1, 0.5, 1.0, -0.3])
def test_row_13_constant_weights_give_equal_units(alpha):
    x = np.random.default_rng(13).standard_normal((100, 2))
    a = fi.dense_forward(x, np.full((2, 2), alpha), activation="relu").a
    np.testing.assert_allclose(a[:, 0], np.maximum(0, alpha * x[:, 0] + alpha * x[:, 1]), rtol=1e-15, atol=1e-15)
    np.testing.assert_array_equal(a[:, 0], a[:, 1])


@pytest.mark.parametrize("alpha", [0.1, 0.5, 1.0, -0.3])
def test_row_14_constant_weights_give_equal_gradients(alpha):
    x = np.random.default_rng(14).standard_normal((100, 2))
    y = (x[:, :1] * x[:, 1:] > 0).astype(float)
    w1, w2 = np.full((2, 2), alpha), np.full((1, 2), alpha)
    one = fi.dense_forward(x, w1, activation="relu")
    two = fi.dense_forward(one.a, w2, activation="sigmoid")
    g2 = fi.dense_backward((two.a - y) / len(x), one.a, w2, None)  # of the cross-entropy by z
    g1 = fi.dense_backward(g2.dx, x, w1, one.z, activation="relu")
    np.testing.assert_array_equal(g1.dw[0], g1.dw[1])
    assert g2.dw[0, 0] == g2.dw[0, 1]
    assert g1.db[0] == g1.db[1]
    assert np.any(g1.dw != 0)


@pytest.mark.parametrize("scale", [1.5, 1.0, 0.5])
def test_row_20_gradients_change_by_the_same_factor_at_each_layer(scale):
    weights = matrices(scale)
    a = forward(weights, np.array([[0.75, -0.5]]))
    dws, das = backward(weights, a, np.ones((1, 1)))
    norms = [np.linalg.norm(d) for d in das]
    for i in range(1, L):  # from dJ/da[i] to dJ/da[i - 1]
        assert norms[i - 1] / norms[i] == pytest.approx(scale, abs=1e-12)
    sizes = [np.linalg.norm(d) for d in dws[:-1]]
    np.testing.assert_allclose(sizes, sizes[0], rtol=1e-12)


def test_row_21_linear_network_is_the_product_of_its_matrices():
    rng = np.random.default_rng(21)
    weights = [rng.standard_normal((2, 2)) for _ in range(L - 1)] + [rng.standard_normal((1, 2))]
    x = rng.standard_normal((50, 2))
    product = np.eye(2)
    for w in weights:
        product = w @ product
    np.testing.assert_allclose(forward(weights, x)[-1], x @ product.T, rtol=1e-12, atol=1e-12 * np.abs(product).max())


def test_row_22_shared_matrix():
    rng = np.random.default_rng(22)
    w, last = rng.standard_normal((2, 2)), rng.standard_normal((1, 2))
    x = rng.standard_normal((50, 2))
    power = last @ np.linalg.matrix_power(w, L - 1)
    np.testing.assert_allclose(
        forward([w] * (L - 1) + [last], x)[-1], x @ power.T, rtol=1e-12, atol=1e-12 * np.abs(power).max()
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_row_23_activations_grow_by_three_halves(dtype):
    weights = [w.astype(dtype) for w in matrices(1.5)]
    a = forward(weights, np.ones((1, 2), dtype))
    scales = [1.5, 2.25, 3.375, 5.0625, 7.59375, 11.390625, 17.0859375, 25.62890625, 38.443359375]
    assert [float(v[0, 0]) for v in a[1:L]] == scales
    assert [float(v[0, 1]) for v in a[1:L]] == scales
    assert a[L][0, 0] == 2 * 38.443359375


def test_row_24_growth_is_exponential_in_the_layer():
    a = forward(matrices(1.5), np.ones((1, 2)))
    layers, logs = np.arange(L), np.log10([v[0, 0] for v in a[:L]])
    slope, _ = np.polyfit(layers, logs, 1)
    assert slope == pytest.approx(0.17609, abs=5e-6)
    assert np.corrcoef(layers, logs)[0, 1] ** 2 > 0.9999


def test_row_25_gradients_of_the_weights_are_too_big():
    x = np.array([[1.0, 3.0]])
    of = {}
    for scale in (1.5, 1.0):
        weights = matrices(scale)
        of[scale], _ = backward(weights, forward(weights, x), np.ones((1, 1)))
    for large, one in zip(of[1.5][:-1], of[1.0][:-1], strict=True):
        np.testing.assert_array_equal(large, 25.62890625 * one)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_row_27_activations_and_gradients_vanish(dtype):
    x = np.array([[1.0, 3.0]], dtype)
    halves, ones = ([w.astype(dtype) for w in matrices(scale)] for scale in (0.5, 1.0))
    a = forward(halves, x)
    np.testing.assert_array_equal(a[9], np.array([[0.001953125, 3 * 0.001953125]], dtype))
    da = np.ones((1, 1), dtype)
    small, whole = (backward(weights, forward(weights, x), da)[0] for weights in (halves, ones))
    for tiny, one in zip(small[:-1], whole[:-1], strict=True):
        np.testing.assert_array_equal(tiny, dtype_scalar(dtype, 0.00390625) * one)


def dtype_scalar(dtype, value):
    return np.dtype(dtype).type(value)
