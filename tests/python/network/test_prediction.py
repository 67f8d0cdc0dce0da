"""Predictions, probabilities and scores, in pieces of bounded memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import fanin as fi
from fanin.network import predict as prediction

LOSSES = fi.loss.names()


@pytest.mark.parametrize("loss", LOSSES)
def test_predictions(case, loss):
    net, x, _ = case(loss, "relu", n=50)
    z, labels = net.forward(x), net.predict(x)
    assert np.array_equal(net.decision_function(x), z if z.shape[1] > 1 else z[:, 0])
    if loss == "cross_entropy":
        assert np.array_equal(labels, z.argmax(axis=1))
    elif loss == "mean_squared_error":
        assert np.array_equal(labels, z)
    else:
        assert np.array_equal(labels, np.where(z[:, 0] > 0, 1, -1 if loss == "hinge" else 0))
        assert set(labels) == {1, -1 if loss == "hinge" else 0}


def test_probabilities(case):
    net, x, _ = case("cross_entropy", "relu", n=50, dtype="float32")
    z = net.forward(x).astype(np.float64)
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = net.predict_proba(x)
    assert p.dtype == np.float32
    np.testing.assert_allclose(p, e / e.sum(axis=1, keepdims=True), rtol=1e-6)  # some ULP of float32
    net, x, _ = case("binary_cross_entropy", "relu", n=50)
    s = 1 / (1 + np.exp(-net.decision_function(100 * x)))
    np.testing.assert_allclose(net.predict_proba(100 * x)[:, 1], s, rtol=1e-13)
    np.testing.assert_allclose(net.predict_proba(100 * x)[:, 0], 1 - s, atol=1e-15)
    for loss in ("hinge", "mean_squared_error"):
        net, x, _ = case(loss, "relu")
        with pytest.raises(ValueError, match=f"predict_proba needs the loss cross_entropy or .*, got {loss}"):
            net.predict_proba(x)


@pytest.mark.parametrize("loss", LOSSES)
def test_scores(case, loss):
    from sklearn.metrics import accuracy_score, r2_score

    net, x, y = case(loss, "relu", n=50)
    expected = (r2_score if loss == "mean_squared_error" else accuracy_score)(y, net.predict(x))
    assert net.score(x, y) == pytest.approx(expected, rel=1e-12)
    with pytest.raises(ValueError, match="y must have shape"):
        net.score(x, y[:-1])
    with pytest.raises(ValueError, match="at least one row"):
        net.score(x[:0], y[:0])


def test_scores_of_constants():
    net = fi.Network([1, 1], loss="mean_squared_error", init="zeros", seed=0)
    assert net.score([[1.0], [2.0]], [0.0, 0.0]) == 1
    assert net.score([[1.0], [2.0]], [1.0, 1.0]) == 0
    with pytest.raises(ValueError, match="y must not hold NaN"):
        net.score([[1.0], [2.0]], [np.nan, 1.0])


def test_pieces_are_the_whole(case, monkeypatch):
    net, x, y = case("cross_entropy", "tanh", n=7000)
    whole = net.predict(x), net.predict_proba(x), net.decision_function(x), net.score(x, y)
    monkeypatch.setattr(prediction, "_PIECE_ELEMENTS", 1)
    pieces = net.predict(x), net.predict_proba(x), net.decision_function(x), net.score(x, y)
    assert all(np.array_equal(a, b) for a, b in zip(whole, pieces, strict=True))
    x[5001, 2] = np.nan
    with pytest.raises(ValueError, match="x must not hold NaN, got one at row 5001"):
        net.predict(x)
    assert net.predict(x[:0]).shape == (0,)
    with pytest.raises(ValueError, match=r"x must have shape \(batch, 5\)"):
        net.predict(x[0])
    with pytest.raises(ValueError, match=r"x must have shape \(batch, 5\)"):
        net.predict(3.0)


def test_memory_is_bounded():
    net = fi.Network([64, 8, 2], seed=0)
    x = np.zeros((1_000_000, 64), np.int8)  # 256 MB as float32
    net.predict(x[:100_000])
    tracemalloc.start()
    net.predict(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6  # labels 8 MB, twice; a piece 17 MB
