"""What holds without sampling in "Initializing neural networks" (Katanforoosh and Kunin 2019, deeplearning.ai AI Notes)."""

from __future__ import annotations

import numpy as np
import pytest

import fanin as fi


@pytest.mark.parametrize("factor", [1.5, 0.5])
@pytest.mark.parametrize("depth", [2, 5, 10, 25, 50])
def test_multiples_of_the_identity(literature, factor, depth):
    """y = W[L] 1.5^(L-1) x, and d y / d x the same factor: exact up to L = 10, then one rounding a layer.

    1.5^k has 1.58 k bits, so with inputs of few bits products stay exact in float64 for k <= 30; float32 rounds from 16 on.
    """
    w_last = np.array([[1.0, 2.0]])
    net = fi.Network(
        [2] * depth + [1],
        "identity",
        [factor * np.eye(2)] * (depth - 1) + [w_last],
        "mean_squared_error",
        dtype="float64",
        seed=0,
    )
    x = np.array([[1.0, 3.0], [-2.0, 5.0]])
    scale = factor ** (depth - 1)
    expected = x @ w_last.T * scale
    within = 0.0 if depth <= 10 else depth * 2.0**-52
    literature.check(
        f"y of {factor} I, L = {depth}, relative", np.abs(net.forward(x) / expected - 1).max(), expected=0, within=within
    )
    # The cost is mean (y - t)^2 with one output: dW[1] = mean over rows of 2 (y - t) (d y / d z[1])^T x.
    t = np.zeros((2, 1))
    dw = net.gradients(x, t)[0][0]
    by_hand = (2 * expected[:, :, None] * (w_last.T * scale / factor)[None] * x[:, None, :]).mean(axis=0)
    literature.check(
        f"dW[1] of {factor} I, L = {depth}, relative", np.abs(dw / by_hand - 1).max(), expected=0, within=4 * depth * 2.0**-52
    )


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_constant_weights_stay_alike(literature, activation):
    rng = np.random.default_rng(4)
    x, y = rng.standard_normal((100, 64)).astype(np.float32), rng.integers(0, 10, 100)
    net = fi.Network([64, 16, 16, 10], activation, "constant(value=0.1)", seed=0)
    before = net.weights[0].copy()
    for _ in range(200):
        net.step(x, y, optimizer=fi.SGD(lr=0.1))
    moved = np.abs(net.weights[0] - before).max()
    assert moved > 0.01
    first, second, third = net.weights
    spread = max(np.ptp(first, axis=0).max(), np.ptp(second), np.ptp(third, axis=1).max())
    literature.check(f"spread between {activation} units after 200 steps", spread, published=0, within=0)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_zeros_have_one_gradient(literature, activation):
    rng = np.random.default_rng(4)
    x, y = rng.random((100, 64)).astype(np.float32), rng.integers(0, 10, 100)
    gradients = fi.Network([64, 16, 16, 10], activation, "zeros", seed=0).gradients(x, y)
    largest = max([np.abs(dw).max() for dw, _ in gradients] + [np.abs(db).max() for _, db in gradients[:-1]])
    literature.check(f"largest gradient of zeros, {activation}, the output's bias apart", largest, published=0, within=0)
    assert np.abs(gradients[-1][1]).max() > 0


def test_powers():
    assert (1.5**9, 0.5**9) == (38.443359375, 0.001953125)
    assert pytest.approx(4.250810001426997e8, rel=1e-15) == 1.5**49
    assert np.float32(0.5) ** np.float32(149) == np.float32(1.401298464324817e-45)
