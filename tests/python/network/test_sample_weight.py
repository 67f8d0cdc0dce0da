"""Weights of rows: a weight is a repetition, 0 is absence, and the gradient is that of the weighted mean."""

import numpy as np
import pytest

import fanin as fi

RNG = np.random.default_rng(4)
X = RNG.normal(size=(40, 3))
LABELS = RNG.integers(0, 3, 40)
W = RNG.integers(0, 4, 40)
LOSSES = {
    "cross_entropy": (3, LABELS),
    "binary_cross_entropy": (1, LABELS % 2),
    "hinge": (1, LABELS % 2 * 2 - 1),
    "mean_squared_error": (2, RNG.normal(size=(40, 2))),
}


def network(loss, dtype="float64"):
    return fi.Network([3, 8, LOSSES[loss][0]], "tanh", loss=loss, seed=1, dtype=dtype)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_weight_is_a_repetition(loss):
    """The sums have other orders: some 200 roundings of float64."""
    net, y = network(loss), LOSSES[loss][1]
    rows = np.repeat(np.arange(40), W)
    assert net.loss(X, y, sample_weight=W) == pytest.approx(net.loss(X[rows], y[rows]), rel=1e-13)
    for (dw, db), (dw2, db2) in zip(net.gradients(X, y, sample_weight=W), net.gradients(X[rows], y[rows]), strict=True):
        np.testing.assert_allclose(dw, dw2, rtol=1e-11, atol=1e-15)
        np.testing.assert_allclose(db, db2, rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("loss", LOSSES)
def test_equal_weights_are_none(loss):
    y = LOSSES[loss][1]
    net, same = network(loss, "float32"), network(loss, "float32")
    a = net.fit(X, y, epochs=3, batch_size=7, optimizer=fi.Adam())
    b = same.fit(X, y, epochs=3, batch_size=7, optimizer=fi.Adam(), sample_weight=np.ones(40))
    assert (a.costs == b.costs).all()
    assert (a.epoch_costs == b.epoch_costs).all()
    assert all((u == v).all() for u, v in zip(net.weights, same.weights, strict=True))


def test_gradients_by_finite_differences():
    """Central differences of a cost near 1: 1e-6^2 of truncation and 1e-16 / 1e-6 of rounding."""
    net, (_, y) = network("cross_entropy"), LOSSES["cross_entropy"]
    weight = RNG.uniform(0, 2, 40)
    ((dw, _), *_) = net.gradients(X, y, sample_weight=weight)
    for place in ((0, 0), (3, 1), (7, 2)):
        costs = []
        for step in (1e-6, -2e-6):
            net.weights[0][place] += step
            costs.append(net.loss(X, y, sample_weight=weight))
        net.weights[0][place] += 1e-6
        assert dw[place] == pytest.approx((costs[0] - costs[1]) / 2e-6, abs=1e-8)


def test_a_fit_follows_the_shuffle_and_skips_rows_of_weight_0():
    net, same = network("cross_entropy"), network("cross_entropy")
    kept = W > 0
    x = X.copy()
    x[~kept] = 1e6
    net.fit(x, LABELS, epochs=2, batch_size=None, optimizer=fi.SGD(0.1), sample_weight=W)
    same.fit(X[kept], LABELS[kept], epochs=2, batch_size=None, optimizer=fi.SGD(0.1), sample_weight=W[kept])
    for u, v in zip(net.weights, same.weights, strict=True):
        np.testing.assert_allclose(u, v, rtol=1e-10)
    nothing = network("cross_entropy")
    before = [w.copy() for w in nothing.weights]
    history = nothing.fit(X, LABELS, epochs=1, batch_size=8, optimizer=fi.SGD(0.1), sample_weight=np.zeros(40))
    assert (history.costs == 0).all()
    assert history.epoch_costs.tolist() == [0]
    assert all((u == v).all() for u, v in zip(before, nothing.weights, strict=True))


def test_epochs_are_weighted_means():
    net = network("mean_squared_error")
    history = net.fit(X, LOSSES["mean_squared_error"][1], batch_size=9, shuffle=False, optimizer=fi.SGD(1e-9), sample_weight=W)
    sums = [W[i : i + 9].sum() for i in range(0, 40, 9)]
    assert history.epoch_costs[0] == pytest.approx(np.average(history.costs, weights=sums), rel=1e-12)


@pytest.mark.parametrize(
    ("weight", "words"),
    [
        (np.ones(39), r"sample_weight must have shape \(batch,\) = \(40,\), got \(39,\)"),
        (-np.ones(40), "sample_weight must hold finite numbers of at least 0, got -1 at row 0"),
        (np.full(40, np.nan), "sample_weight must hold finite numbers"),
        (np.full(40, np.inf), "sample_weight must hold finite numbers"),
        (["a"] * 40, "sample_weight must hold real numbers"),
    ],
)
def test_refusals(weight, words):
    net = network("cross_entropy")
    for call in (net.loss, net.gradients):
        with pytest.raises((TypeError, ValueError), match=words):
            call(X, LABELS, sample_weight=weight)
    with pytest.raises((TypeError, ValueError), match=words):
        net.fit(X, LABELS, optimizer=fi.SGD(0.1), sample_weight=weight)


def test_a_step_is_weighted():
    net, same = network("hinge"), network("hinge")
    y = LOSSES["hinge"][1]
    rows = np.repeat(np.arange(40), W)
    cost = net.step(X, y, optimizer=fi.SGD(0.1), sample_weight=W)
    assert cost == pytest.approx(same.step(X[rows], y[rows], optimizer=fi.SGD(0.1)), rel=1e-12)
    np.testing.assert_allclose(net.weights[0], same.weights[0], rtol=1e-11)
