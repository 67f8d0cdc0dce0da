"""Layer-sequential unit variance (Mishkin and Matas 2016): for a linear map one scaling is exact."""

from __future__ import annotations

import numpy as np
import pytest

import fanin as fi

X = fi.init.normal((256, 100), seed=14, stream="x")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_one_scaling_is_exact(literature, activation, dtype):
    net = fi.Network([100, *[100] * 10, 10], activation=activation, seed=3, dtype=dtype)
    done = fi.lsuv(net, X)
    a = X.astype(np.float64)
    for layer, (w, g) in enumerate(zip(net.weights, net.activations, strict=True), start=1):
        z = a @ w.T.astype(np.float64)
        literature.check(f"{activation}, {dtype}: Var(z) of layer {layer}", z.var(), published=1.0, within=1e-5)
        a = fi.activation.evaluate(g, z)
    literature.check(f"{activation}, {dtype}: scalings of a layer", max(done.iterations), expected=1, within=1)
    weights = [w.copy() for w in net.weights]
    fi.lsuv(net, X)
    for w, same in zip(net.weights, weights, strict=True):
        np.testing.assert_array_equal(w, same)  # again: nothing changes
    assert fi.lsuv(net, X, init=None).iterations == (0,) * 11


def test_biases_are_untouched():
    net = fi.Network([100, 50, 50, 10], activation="tanh", bias_init="normal(std=0.3)", seed=3, dtype="float64")
    biases = [b.copy() for b in net.biases]
    done = fi.lsuv(net, X)
    np.testing.assert_allclose(done.variances, 1, atol=1e-5)
    for b, same in zip(net.biases, biases, strict=True):
        np.testing.assert_array_equal(b, same)


def test_directions_are_orthonormal():
    net = fi.Network([100, 50, 10], activation="relu", seed=3, dtype="float64")
    done = fi.lsuv(net, X)
    w = net.weights[0] / done.scales[0]
    np.testing.assert_allclose(w @ w.T, np.eye(50), atol=1e-12)


def test_refusals_write_nothing():
    net = fi.Network([100, 50, 10], activation="relu", seed=3, dtype="float64")
    before = [w.copy() for w in net.weights]
    net.biases[1][...] = np.linspace(-50, 50, 10)
    for given, options, words in (
        (X[:, :5], {}, r"x must have shape \(batch, n_in\) = \(1 or more, 100\), got \(256, 5\)"),
        (X * np.nan, {}, "row 0"),
        (np.zeros((4, 100)), {}, "hidden 1: the variance of z must be above 0"),
        (X, {}, "output: .* biases add a variance"),
        (X, {"tol": 0}, "tol must lie between 0 and 1"),
        (X, {"max_iterations": 0}, "max_iterations must be an integer of at least 1, got 0"),
    ):
        with pytest.raises(ValueError, match=words):
            fi.lsuv(net, given, **options)
    for w, same in zip(net.weights, before, strict=True):
        np.testing.assert_array_equal(w, same)
