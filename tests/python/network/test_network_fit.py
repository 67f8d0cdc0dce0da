"""`Network.fit`: epochs, callbacks, validation, progress, Ctrl-C, and what is not finite."""

from __future__ import annotations

import contextlib
import pickle
import signal
import sys
import threading
import time

import numpy as np
import pytest

import fanin as fi
from fanin import _core

X, Y = np.zeros((6, 3)), np.zeros(6, int)


@pytest.mark.parametrize("shuffle", [True, False])
def test_fit_is_steps(case, shuffle):
    net, x, y = case("cross_entropy", "tanh", n=23)
    other, sgd, twin = net.copy(), fi.SGD(0.1, 0.5), fi.SGD(0.1, 0.5)
    history = net.fit(x, y, epochs=3, batch_size=10, shuffle=shuffle, optimizer=sgd)
    costs = []
    for epoch in range(3):
        order = np.arange(23)
        if shuffle:  # the library's own stream, which fanin.random does not hand out
            _core.permutation(order, net.seed, _core.own_stream("fanin/shuffle"), epoch)
        for begin in (0, 10, 20):
            rows = order[begin : begin + 10]
            costs.append(other.step(x[rows], y[rows], optimizer=twin))
    assert history.costs.tolist() == costs
    assert all(np.array_equal(a, b) for a, b in zip(net.weights, other.weights, strict=True))
    sizes = np.array([10, 10, 3])
    np.testing.assert_allclose(history.epoch_costs, history.costs.reshape(3, 3) @ sizes / 23, rtol=1e-15)
    assert history.epochs == 3
    assert not history.diverged


def test_fit_in_parts_is_fit(case):
    net, x, y = case("cross_entropy", "tanh")
    other, sgd, twin, seen = net.copy(), fi.SGD(0.1), fi.SGD(0.1), []
    whole = net.fit(x, y, epochs=6, batch_size=7, optimizer=sgd)
    parts = [other.fit(x, y, epochs=1, batch_size=7, optimizer=twin, on_epoch=lambda e: seen.append(e.epoch)) for _ in range(2)]
    parts.append(other.fit(x, y, epochs=4, batch_size=7, optimizer=twin, progress=lambda e, n, c: seen.append((e, n, c))))
    assert np.array_equal(whole.costs, np.concatenate([p.costs for p in parts]))
    assert all(np.array_equal(a, b) for a, b in zip(net.weights, other.weights, strict=True))
    assert seen[:2] == [1, 1]
    assert [s[:2] for s in seen[2:]] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert seen[-1][2] == whole.epoch_costs[-1]


def test_full_batch_and_nothing(case):
    net, x, y = case("cross_entropy", "tanh")
    other = net.copy()
    assert len(net.fit(x, y, epochs=0, optimizer=fi.SGD(1)).costs) == 0
    history = net.fit(x, y, epochs=4, batch_size=None, shuffle=False, optimizer=fi.SGD(0.1))
    sgd = fi.SGD(0.1)
    assert history.costs.tolist() == [other.step(x, y, optimizer=sgd) for _ in range(4)]
    assert np.array_equal(history.costs, history.epoch_costs)


def test_ctrl_c_keeps_what_was_learned(case, layers, ctrl_c):
    net, x, y = case("cross_entropy", "tanh")
    before, sgd = layers(net), fi.SGD(0.01)
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    timer.start()
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        net.fit(x, y, epochs=2_000_000, optimizer=sgd)
    assert len(net.history.costs) == sgd.steps
    assert np.isfinite(net.history.costs).all()
    timer.join()
    assert time.monotonic() - begin < 20
    assert sgd.steps > 0
    assert not np.array_equal(before[0][0], net.weights[0])
    net.step(x, y, optimizer=sgd)  # it is not left busy


def test_a_second_call_beside_the_first_raises(case, tmp_path):
    net, x, y = case("cross_entropy", "tanh")
    net.copy().save(tmp_path / "other")
    sgd, done = fi.SGD(0.01), threading.Event()

    def train() -> None:
        while not done.is_set():
            with contextlib.suppress(RuntimeError):  # it came second
                net.fit(x, y, epochs=20_000, optimizer=sgd)

    def repeat(call) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            call()

    thread = threading.Thread(target=train, daemon=True)
    thread.start()
    calls = [lambda call=call: call(x, y, optimizer=sgd) for call in (net.fit, net.step)]
    calls += [lambda call=call: call(x, y) for call in (net.loss, net.gradients, net.score)]
    calls += [lambda: net.predict(x), net.copy, lambda: pickle.dumps(net)]
    calls += [lambda: net.save(tmp_path / "net"), lambda: net.load_weights(tmp_path / "other")]
    try:
        for call in calls:
            with pytest.raises(RuntimeError, match="this network is at work in another call"):
                repeat(call)
    finally:
        done.set()
        thread.join(30)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"validation": (X, Y + 2)}, ValueError, "validation: y must hold labels"),
        ({"validation": (X[:, :2], Y)}, ValueError, r"validation: x must have shape \(batch, 3\)"),
        ({"validation": (X,)}, TypeError, r"validation must be \(x, y\), got 1 items"),
        ({"validation": 0.2}, TypeError, r"validation must be \(x, y\), got float"),
        ({"epochs": -1}, ValueError, "epochs must be an integer of at least 0, got -1"),
        ({"epochs": 1.5}, TypeError, "epochs must be an integer of at least 0, got 1.5"),
        ({"epochs": 2**60}, ValueError, "epochs must be below"),
        ({"epochs": 2**47, "batch_size": 1}, ValueError, "epochs must give fewer than"),
        ({"batch_size": 0}, ValueError, "batch_size must be an integer of at least 1, or None for all rows, got 0"),
        ({"batch_size": "all"}, TypeError, "batch_size must be an integer of at least 1, or None for all rows, got 'all'"),
        ({"shuffle": "no"}, TypeError, "shuffle must be True or False, got 'no'"),
        ({"optimizer": "sgd"}, TypeError, "optimizer must be an optimizer"),
        ({"on_step": 3}, TypeError, "on_step must be a function, got 3"),
        ({"on_epoch": "a"}, TypeError, "on_epoch must be a function, got 'a'"),
        ({"progress": "bar"}, TypeError, "progress must be True, False or a function, got 'bar'"),
        ({"trace_every": 1.5}, TypeError, "trace_every must be an integer of at least 1, or None for no traces, got 1.5"),
        ({"on_nonfinite": "ignore"}, ValueError, "on_nonfinite must be 'stop', 'raise' or 'continue', got 'ignore'"),
    ],
)
def test_bad_fit_options(layers, options, error, message):
    net = fi.Network([3, 4, 2], seed=0)
    before = layers(net)
    with pytest.raises(error, match=message):
        net.fit(**{"x": X, "y": Y, "optimizer": fi.SGD(1), **options})
    assert np.array_equal(net.weights[0], before[0][0])
    assert net.history.epochs == 0


# ------------------------------------------------------------------------------------------------ callbacks


def test_validation(case):
    net, x, y = case("binary_cross_entropy", "tanh", n=60)
    history = net.fit(x, y, epochs=3, optimizer=fi.SGD(0.5), validation=(x, y))
    assert len(history.validation_costs) == len(history.validation_scores) == 3
    assert history.validation_costs[-1] == net.loss(x, y)
    assert history.validation_scores[-1] == np.mean(net.predict(x) == y)
    assert repr(history).startswith("History(epochs=3, steps=6, cost ")
    assert history is net.history


def test_callbacks_change_nothing(case):
    net, x, y = case("cross_entropy", "tanh", n=23)
    plain, steps, epochs = net.copy(), [], []

    def on_step(event: fi.FitEvent) -> None:
        event.network.predict(x)  # the network is free
        steps.append(event)

    adam, twin = fi.Adam(), fi.Adam()
    history = net.fit(x, y, epochs=3, batch_size=5, optimizer=adam, on_step=on_step, on_epoch=epochs.append, validation=(x, y))
    expected = plain.fit(x, y, epochs=3, batch_size=5, optimizer=twin)
    assert np.array_equal(history.costs, expected.costs)
    assert np.array_equal(history.epoch_costs, expected.epoch_costs)
    assert all(np.array_equal(a, b) for a, b in zip(net.weights, plain.weights, strict=True))
    assert [e.step for e in steps] == list(range(1, 16))
    assert [e.epoch for e in steps] == [1] * 5 + [2] * 5 + [3] * 5
    assert [e.cost for e in steps] == history.costs.tolist()
    assert steps[0].validation_cost is None
    assert [(e.epoch, e.epochs, e.step, e.cost) for e in epochs] == [
        (i + 1, 3, 5 * (i + 1), c) for i, c in enumerate(history.epoch_costs)
    ]
    assert [e.validation_cost for e in epochs] == history.validation_costs.tolist()
    assert epochs[0].network is net


def test_true_ends_it(case):
    net, x, y = case("cross_entropy", "tanh", n=23)
    other = net.copy()
    history = net.fit(x, y, epochs=3, batch_size=5, optimizer=fi.SGD(0.1), on_step=lambda e: e.step == 7)
    assert (len(history.costs), history.epochs) == (7, 1)
    history = other.fit(x, y, epochs=9, batch_size=5, optimizer=fi.SGD(0.1), on_epoch=lambda e: e.epoch == 2)
    assert (len(history.costs), history.epochs) == (10, 2)
    history = other.fit(x, y, epochs=2, batch_size=5, optimizer=fi.SGD(0.1), on_step=lambda _: 1)  # truth is not enough
    assert history.epochs == 2


def test_a_callback_that_fits_and_one_that_raises(case):
    net, x, y = case("cross_entropy", "tanh", n=23)
    sgd = fi.SGD(0.01)

    def nested(event: fi.FitEvent) -> None:
        if event.step == 2:
            net.fit(x, y, epochs=1, batch_size=5, optimizer=sgd)
        if event.step == 4:
            raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        net.fit(x, y, epochs=3, batch_size=5, optimizer=sgd, on_step=nested)
    assert len(net.history.costs) == 4
    assert sgd.steps == 9


def test_data_that_a_callback_spoils(case):
    net, x, y = case("cross_entropy", "tanh", n=24)

    def spoil(_: fi.FitEvent) -> None:
        y[...] = 1 << 40

    with pytest.raises(ValueError, match="y must hold labels"):
        net.fit(x, y, epochs=3, batch_size=5, optimizer=fi.SGD(0.1), on_step=spoil)
    assert len(net.history.costs) == 1


def test_progress(case, capsys, monkeypatch):
    net, x, y = case("cross_entropy", "tanh", n=23)
    other = net.copy()
    history = net.fit(x, y, epochs=3, batch_size=2, optimizer=fi.SGD(0.1), progress=True)
    assert capsys.readouterr().err == ""  # no terminal
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    shown = other.fit(x, y, epochs=3, batch_size=2, optimizer=fi.SGD(0.1), progress=True)
    assert np.array_equal(shown.costs, history.costs)
    assert "epoch 3 of 3" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "rich.console", None)  # not installed
    net.fit(x, y, epochs=3, batch_size=2, optimizer=fi.SGD(0.1), progress=True)
    err = capsys.readouterr().err
    assert "epoch 3 of 3  step 36 of 36  cost " in err
    assert err.endswith("\n")


# ------------------------------------------------------------------------------------------------ not finite


def diverging() -> fi.Network:
    return fi.Network([1, 1], loss="mean_squared_error", init="ones", seed=0)


DATA = [[1.0], [2.0]], [3.0, 5.0]


def test_divergence_stops():
    net = diverging()
    with pytest.warns(RuntimeWarning, match=r"training stopped: the cost is inf: .* at step \d+ \(epoch \d+\)"):
        history = net.fit(*DATA, epochs=200, optimizer=fi.SGD(10))
    assert history.diverged
    assert not np.isfinite(history.costs[-1])
    assert np.isfinite(history.costs[:-1]).all()
    assert f"at step {len(history.costs)} " in history.nonfinite
    assert np.isfinite(net.weights[0]).all()
    assert "diverged" in repr(history)


def test_divergence_raises_or_goes_on():
    net = diverging()
    with pytest.raises(FloatingPointError, match=r"the cost is inf: .* at step"):
        net.fit(*DATA, epochs=200, optimizer=fi.SGD(10), on_nonfinite="raise")
    assert np.isfinite(net.weights[0]).all()
    assert net.history.diverged
    net = diverging()
    history = net.fit(*DATA, epochs=200, optimizer=fi.SGD(10), on_nonfinite="continue")
    assert history.diverged
    step = 1 + int(np.argmin(np.isfinite(history.costs)))
    assert f"at step {step} (epoch {step})" in history.nonfinite
    assert not np.isfinite(history.costs[-1])
    assert len(history.costs) == 200


def test_the_layer_of_a_cost_is_named():
    net = fi.Network([1, 2, 2, 1], "relu", ["ones", "ones", "ones"], "mean_squared_error", seed=0)
    net.weights[1][...] = 3e38
    with pytest.warns(RuntimeWarning, match=r"the cost is inf: z of hidden 2 is not finite at step 1 \(epoch 1\)"):
        net.fit([[1.0]], [1.0], optimizer=fi.SGD(0.1))
    with pytest.warns(RuntimeWarning, match=r"^the cost is inf: z of hidden 2 is not finite$"):
        net.step([[1.0]], [1.0], optimizer=fi.SGD(0.1))


def test_the_layer_of_a_gradient_is_named():
    # the cost is finite; on the way back 1e30 * 1e30 overflows in the first layer
    net = fi.Network([1, 1, 1, 1], "relu", "ones", "mean_squared_error", seed=0)
    for w, value in zip(net.weights, (1e-30, 1e20, 1e20), strict=True):
        w[...] = value
    before = [w.copy() for w in net.weights]
    with pytest.warns(RuntimeWarning, match=r"the gradient of hidden 1 is not finite at step 1 \(epoch 1\)"):
        history = net.fit([[1.0]], [0.0], optimizer=fi.SGD(1e-30))
    assert np.isfinite(history.costs).all()
    assert history.diverged
    assert all(np.array_equal(a, b) for a, b in zip(before, net.weights, strict=True))
    with pytest.raises(FloatingPointError, match=r"the gradient of hidden 1 is not finite at step 1 \(epoch 1\)"):
        net.fit([[1.0]], [0.0], optimizer=fi.SGD(1e-30), on_nonfinite="raise")
    assert all(np.array_equal(a, b) for a, b in zip(before, net.weights, strict=True))
    twin = net.copy()
    with pytest.warns(RuntimeWarning, match="the gradient of hidden 1 is not finite"):
        net.step([[1.0]], [0.0], optimizer=fi.SGD(1e-30))
    history = twin.fit([[1.0]], [0.0], epochs=3, optimizer=fi.SGD(1e-30), on_nonfinite="continue")  # no warning
    assert history.nonfinite == "the gradient of hidden 1 is not finite at step 1 (epoch 1)"
    assert len(history.costs) == 3


def test_an_update_that_overflows_is_named():
    net = diverging()
    with pytest.warns(RuntimeWarning, match=r"parameters of (hidden 1|the output) are not finite at step 1 \(epoch 1\)"):
        net.fit(*DATA, optimizer=fi.SGD(3e38))


def test_clipped_infinite_gradients_are_found():
    net = fi.Network([3, 4, 2], seed=0)
    with pytest.warns(RuntimeWarning, match="is not finite at step 1"):
        net.fit([[np.inf, -np.inf, 0.0]], [0], optimizer=fi.SGD(0.1, clip_norm=1))
    assert all(np.isfinite(w).all() for w in net.weights)


# ------------------------------------------------------------------------------------------------ shared matrices


def test_shared_matrices():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((30, 3)), rng.integers(0, 2, 30)
    net = fi.Network([3, 5, 5, 5, 5, 2], seed=3, dtype="float64", shared=[1, 2, 3], bias_init="normal(std=0.1)")
    w = net.weights
    assert net.shared == ((1, 2, 3),)
    assert np.array_equal(w[1], fi.init.xavier_normal((5, 5), seed=3, stream="1.weight", dtype="float64"))
    assert all(np.shares_memory(w[1], w[layer]) for layer in (2, 3))
    alone = fi.Network(
        [3, 5, 5, 5, 5, 2], seed=3, dtype="float64", init=[np.array(one) for one in w], bias_init=list(net.biases)
    )
    assert np.array_equal(net.forward(x), alone.forward(x))
    shared, separate = net.gradients(x, y), alone.gradients(x, y)
    total = separate[3][0] + separate[2][0] + separate[1][0]  # from the last to the first
    for layer in range(5):
        assert np.array_equal(shared[layer][0], total if layer in (1, 2, 3) else separate[layer][0])
        assert np.array_equal(shared[layer][1], separate[layer][1])
    before = w[1].copy()
    net.step(x, y, optimizer=fi.SGD([0.1, 0.5, 9, 9, 0.1]))
    np.testing.assert_allclose(w[1], before - 0.5 * total, rtol=1e-12)
    for twin in (net.copy(), pickle.loads(pickle.dumps(net))):
        assert twin.shared == net.shared
        assert twin.fit(x, y, epochs=2, optimizer=fi.Adam()).costs[-1] < net.loss(x, y)
        assert np.shares_memory(twin.weights[1], twin.weights[3])


def test_the_slope_along_a_shared_matrix():
    net = fi.Network([4, 4, 4, 4], loss="mean_squared_error", seed=3, dtype="float64", shared=[[0, 1, 2]], bias=False)
    rng = np.random.default_rng(0)
    x, y, h = rng.standard_normal((3000, 4)), rng.standard_normal((3000, 4)), 1e-6  # more rows than a piece
    dw = net.gradients(x, y)[1][0]
    w = net.weights[0]
    for index in np.ndindex(4, 4):
        kept = w[index]
        w[index] = kept + h
        up = net.loss(x, y)
        w[index] = kept - h
        assert dw[index] == pytest.approx((up - net.loss(x, y)) / (2 * h), rel=1e-5, abs=1e-9)
        w[index] = kept


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"shared": [0, 1]}, ValueError, r"layers that share a matrix must have one shape, got layer 0 of \(5, 3\)"),
        ({"shared": [1, 5]}, ValueError, r"shared must name layers in 0 \.\. 3, each once, got \[1, 5\]"),
        ({"shared": [1, 1]}, ValueError, "each once"),
        ({"shared": [1.5]}, TypeError, "shared must hold numbers of layers"),
        ({"shared": 2}, TypeError, "shared must hold numbers of layers"),
        (
            {"shared": [1, 2], "init": ["ones", "ones", "zeros", "ones"]},
            ValueError,
            r"init\[2\] must be None or that of layer 1",
        ),
        ({"init": {0: "ones", "3.weight": "ones", 1: "ones"}}, ValueError, "init must have an entry for layer 2, got none"),
        ({"init": {"0.bias": "ones"}}, ValueError, r"init must have keys 0 \.\. 3 or '0.weight' \.\. '3.weight'.*got '0.bias'"),
        ({"init": {0: "ones", "0.weight": "ones"}}, ValueError, "each layer once, got '0.weight'"),
    ],
)
def test_bad_sharing_and_mappings(options, error, message):
    with pytest.raises(error, match=message):
        fi.Network([3, 5, 5, 5, 2], **options)


def test_mappings():
    w = np.ones((3, 2))
    net = fi.Network([2, 3, 2], init={"0.weight": w, 1: "zeros"}, bias_init={1: "ones", 0: np.full(3, 2.0)}, seed=0)
    assert net.init == "explicit, zeros"
    assert [p.mean() for p in (*net.weights, *net.biases)] == [1, 0, 2, 1]
    shared = fi.Network([3, 3, 3, 2], init={0: "ones", 2: "zeros"}, shared=[0, 1])
    assert shared.weights[1].all()


def test_gradients_whose_squares_overflow_are_finite():
    net = fi.Network([1, 1], loss="mean_squared_error", dtype="float64", seed=1)
    net.weights[0][:] = 1e-170
    net.step(np.full((1, 1), 1e170), np.zeros((1, 1)), optimizer=fi.SGD(lr=1e-300))
    assert net.weights[0][0, 0] == 1e-170 - 1e-300 * 2e170
