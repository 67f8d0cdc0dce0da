"""Traces during training: they are those of the batches, and training does not notice them."""

from __future__ import annotations

import numpy as np
import pytest

import fanin as fi
from fanin import _core

RNG = np.random.default_rng(6)
X = RNG.standard_normal((103, 6)).astype(np.float32)
Y = RNG.integers(0, 3, 103)


def network(**options):
    return fi.Network([6, 20, 20, 3], **{"seed": 4, **options})


def fit(net, **options):
    return net.fit(X, Y, **{"epochs": 3, "batch_size": 10, "optimizer": fi.Adam(lr=0.01), **options})


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("every", [1, 3, 11, 1000])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bias", [True, False])
def test_training_has_the_same_bits(every, shuffle, dtype, bias):
    plain, traced = network(dtype=dtype, bias=bias), network(dtype=dtype, bias=bias)
    a, b = fit(plain, shuffle=shuffle), fit(traced, shuffle=shuffle, trace_every=every)
    np.testing.assert_array_equal(a.costs, b.costs)
    np.testing.assert_array_equal(a.epoch_costs, b.epoch_costs)
    for one, other in zip(plain.weights + plain.biases, traced.weights + traced.biases, strict=True):
        np.testing.assert_array_equal(one, other)
    assert [step for step, _ in b.traces] == list(range(1, 34, every))
    for step, t in b.traces:
        assert t.cost == b.costs[step - 1]
        assert t.batch == (3 if step % 11 == 0 else 10)
    assert a.traces == []


@pytest.mark.parametrize("activation", ["relu", "gelu", "leaky_relu(0.2)"])
@pytest.mark.parametrize(("loss", "outputs"), [("mean_squared_error", 3), ("binary_cross_entropy", 1), ("hinge", 1)])
def test_every_loss_and_large_batches(loss, outputs, activation):
    """A batch of 3000 rows is one of two pieces for the core."""
    x = RNG.standard_normal((3000, 6))
    y = {"mean_squared_error": x[:, :3], "binary_cross_entropy": x[:, 0] > 0, "hinge": np.where(x[:, 0] > 0, 1, -1)}[loss]
    nets = [fi.Network([6, 20, 20, outputs], activation, loss=loss, seed=4) for _ in range(2)]
    for net, every in zip(nets, (None, 1), strict=True):
        net.fit(x, y, epochs=3, batch_size=None, optimizer=fi.SGD(lr=0.1), trace_every=every)
    for one, other in zip(nets[0].weights, nets[1].weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_traces_are_of_the_network_before_the_step():
    net = network()
    first = fi.trace(net, X[:10], Y[:10], stats="moments")
    h = fit(net, shuffle=False, trace_every=5)
    assert h.traces[0][1].to_dict() == first.to_dict()
    assert h.traces[0][1].hidden[0].w != h.traces[1][1].hidden[0].w


@pytest.mark.parametrize("shared", [None, [0, 1]])
@pytest.mark.parametrize("shuffle", [True, False])
def test_every_trace_is_that_of_its_batch(shuffle, shared):
    """Of each step: the network as it was, on the rows that the step took."""
    options = {
        "sizes": [20, 20, 20, 3],
        "activation": ["relu", "tanh"],
        "seed": 4,
        "shared": shared,
        "bias_init": "normal(std=0.1)",
    }
    x, y = RNG.standard_normal((53, 20)).astype(np.float32), RNG.integers(0, 3, 53)
    before = [fi.Network(**options)]
    net = before[0].copy()
    history = net.fit(
        x,
        y,
        epochs=2,
        batch_size=10,
        shuffle=shuffle,
        optimizer=fi.SGD(0.5),
        trace_every=1,
        on_step=lambda event: before.append(event.network.copy()) and None,
    )
    assert [step for step, _ in history.traces] == list(range(1, 13))
    for step, found in history.traces:
        epoch, batch = divmod(step - 1, 6)
        order = np.arange(53)
        if shuffle:
            _core.permutation(order, 4, _core.own_stream("fanin/shuffle"), epoch)
        rows = order[10 * batch : 10 * batch + 10]
        assert found.to_dict() == fi.trace(before[step - 1], x[rows], y[rows], stats="moments").to_dict()


def test_callbacks_and_validation_go_on():
    steps, epochs = [], []
    h = fit(
        network(),
        trace_every=4,
        validation=(X, Y),
        on_step=lambda event: steps.append(event.step),
        on_epoch=lambda event: epochs.append(event.epoch),
    )
    assert steps == list(range(1, 34))
    assert epochs == [1, 2, 3]
    assert len(h.traces) == 9


def test_shared_matrices():
    options = {"sizes": [20, 20, 20, 3], "activation": "tanh", "seed": 4, "shared": [0, 1]}
    x = RNG.standard_normal((50, 20))
    nets = [fi.Network(**options) for _ in range(2)]
    for net, every in zip(nets, (None, 2), strict=True):
        net.fit(x, Y[:50], epochs=3, batch_size=10, optimizer=fi.SGD(lr=0.1), trace_every=every)
    for one, other in zip(nets[0].weights, nets[1].weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_diagnosis_of_a_history():
    net = network(dtype="float64")
    learns = net.fit(X, X[:, :3].argmax(axis=1), epochs=5, batch_size=10, optimizer=fi.Adam(lr=0.01), trace_every=50)
    assert fi.diagnose(learns) == fi.diagnose(learns.traces[-1][1]), "neither diverged nor on a plateau"
    assert fi.diagnose(learns).trace is learns.traces[-1][1]
    late = fit(fi.Network([6, 50, 3], seed=4), epochs=5, optimizer=fi.SGD(lr=1e-9), trace_every=50)
    d = fi.diagnose(late)
    assert d.verdict == "plateau"
    assert "the learning rate is at fault, not the initialization; a larger learning rate" in d.advice
    zeros = fit(network(init="zeros"), epochs=5, optimizer=fi.SGD(lr=1e-3), trace_every=50)
    d = fi.diagnose(zeros)
    assert d.verdict == "plateau"
    assert "no gradient at the first trace" in d.advice
    net = fi.Network([6, 50, 3], "identity", seed=4, loss="mean_squared_error")
    with np.errstate(all="ignore"), pytest.warns(RuntimeWarning, match="training stopped"):
        wild = net.fit(X, X[:, :3], epochs=20, batch_size=10, optimizer=fi.SGD(lr=30.0), trace_every=50)
    d = fi.diagnose(wild)
    assert d.verdict == "diverged"
    assert "the learning rate is at fault, not the initialization; a smaller learning rate" in d.advice


def test_refusals():
    net = network()
    with pytest.raises(ValueError, match="trace_every must be an integer of at least 1, or None for no traces, got 0"):
        fit(net, trace_every=0)
    with pytest.raises(ValueError, match="y must"):
        net.fit(X, Y[:5], optimizer=fi.SGD(lr=0.1), trace_every=1)
    with pytest.raises(ValueError, match="x must"):
        net.fit(X[:, :3], Y, optimizer=fi.SGD(lr=0.1), trace_every=1)
    bad = X.copy()
    bad[50, 2] = np.nan
    with pytest.raises(ValueError, match="row 50"):
        net.fit(bad, Y, optimizer=fi.SGD(lr=0.1), trace_every=1)
