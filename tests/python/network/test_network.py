"""`fi.Network` against NumPy in float64 and central differences; live arrays, conversion, fit, refusals."""

from __future__ import annotations

import gc
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

import fanin as fi
from fanin.verify import reference

LOSSES = fi.loss.names()


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ["identity", "relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_equals_numpy(case, layers, loss, activation, dtype):
    net, x, y = case(loss, activation, dtype=dtype)
    wide = [(w.astype(np.float64), b.astype(np.float64)) for w, b in layers(net)]
    cost, expected = reference.gradients(wide, x, y, activation, loss)
    tolerance = 1e3 * float(np.finfo(dtype).eps)  # three layers of sums of at most 24 terms near 1
    assert net.loss(x, y) == pytest.approx(cost, rel=tolerance)
    for (dw, db), (dw_expected, db_expected) in zip(net.gradients(x, y), expected, strict=True):
        np.testing.assert_allclose(dw, dw_expected, atol=tolerance)
        np.testing.assert_allclose(db, db_expected, atol=tolerance)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_gradients_are_the_cost_s(case, loss, activation):
    net, x, y = case(loss, activation)
    h = 1e-5  # truncation h^2, rounding 1e-16 / h: some 1e-10 of gradients near 0.1; no kink lies within 1e-5 here
    for (dw, db), w, b in zip(net.gradients(x, y), net.weights, net.biases, strict=True):
        for gradient, parameter in ((dw, w), (db, b)):
            slopes = np.empty_like(gradient)
            for index in np.ndindex(*parameter.shape):
                kept = parameter[index]
                parameter[index] = kept + h
                up = net.loss(x, y)
                parameter[index] = kept - h
                slopes[index] = (up - net.loss(x, y)) / (2 * h)
                parameter[index] = kept
            assert np.abs(gradient - slopes).max() < 1e-6 * np.abs(gradient).max()


def test_steps_equal_numpy(case, layers):
    net, x, y = case("cross_entropy", "tanh")
    expected, sgd = layers(net), fi.SGD(0.2)
    for _ in range(20):
        cost = reference.step(expected, x, y, "tanh", "cross_entropy", 0.2)
        assert net.step(x, y, optimizer=sgd) == pytest.approx(cost, rel=1e-12)
    for w, (w_expected, _) in zip(net.weights, expected, strict=True):
        np.testing.assert_allclose(w, w_expected, rtol=1e-11, atol=1e-12)


def test_a_row_does_not_depend_on_its_batch(case):
    net, x, _ = case("cross_entropy", "tanh", n=100, dtype="float32")
    z = net.forward(x)
    for i in (0, 17, 99):
        assert np.array_equal(net.forward(x[i : i + 1])[0], z[i])
    assert net.forward(x[:0]).shape == (0, 4)


@pytest.mark.parametrize(
    "optimizer",
    [
        fi.SGD(0.1),
        fi.SGD(0.1, 0.9),
        fi.SGD(0.1, 0.9, nesterov=True),
        fi.SGD(0.1, clip_norm=0.1),
        fi.RMSProp(0.001),
        fi.RMSProp([0.001, 0.002, 0.003], momentum=0.5),
        fi.Adam(0.002),
        fi.Adam(0.002, weight_decay=0.1, clip_norm=0.1),
    ],
    ids=repr,
)
def test_same_bits_everywhere(tmp_path, optimizer, everywhere):
    # 200 steps, at once or resumed from a file half way; test_sweep.py has them in sweeps.
    found = set()
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((160, 40)), rng.integers(0, 5, 160)
    for isa, threads in everywhere(1, 2, 3):
        slow = isa == "generic"  # software fused multiply-adds: once is enough
        if slow and threads != 2:
            continue
        for epochs in ([50, 50],) if slow else ([100], [50, 50]):
            net, rule = fi.Network([40, 96, 64, 5], ["relu", "sigmoid"], "he_normal", seed=4), optimizer.copy()
            for n in epochs:
                net.fit(x, y, epochs=n, batch_size=100, optimizer=rule)
                net.save(tmp_path / "net", rule)
                net, rule = fi.load(tmp_path / "net")
            assert rule.steps == 200
            found.add(b"".join(p.tobytes() for p in (*net.weights, *net.biases)) + str(net.loss(x, y)).encode())
    assert len(found) == 1


# ------------------------------------------------------------------------------------------------ what it is


def test_attributes():
    net = fi.Network([4, 6, 5, 3], ["relu", "tanh"], "he_normal", seed=9)
    assert net.sizes == (4, 6, 5, 3)
    assert net.activations == ("relu", "tanh", "identity")
    assert (net.loss_name, net.dtype, net.seed, net.init) == ("cross_entropy", np.float32, 9, "he_normal")
    assert [w.shape for w in net.weights] == [(6, 4), (5, 6), (3, 5)]
    assert [b.shape for b in net.biases] == [(6,), (5,), (3,)]
    assert not any(b.any() for b in net.biases)
    for layer, w in enumerate(net.weights):
        assert np.array_equal(w, fi.init.he_normal(w.shape, seed=9, stream=f"{layer}.weight"))
    assert fi.Network([2, 2]).seed != fi.Network([2, 2]).seed
    repeated = fi.Network([2, 3, 2])
    assert np.array_equal(fi.Network([2, 3, 2], seed=repeated.seed).weights[0], repeated.weights[0])
    assert repr(net).startswith("Network([4, 6, 5, 3], activation='relu, tanh', init='he_normal'")


def test_laws_and_arrays():
    given = np.arange(6.0).reshape(3, 2)
    net = fi.Network(
        [2, 3, 3, 2], init=[given, "constant(value=0.5)", fi.init.Law("normal", std=0.1)], bias_init="ones", seed=1
    )
    assert np.array_equal(net.weights[0], given)
    assert np.array_equal(net.weights[1], np.full((3, 3), 0.5))
    assert np.array_equal(net.weights[2], fi.init.normal((2, 3), std=0.1, seed=1, stream="2.weight"))
    assert all((b == 1).all() for b in net.biases)
    assert net.init == "explicit, constant(value=0.5), normal(std=0.1)"
    assert fi.Network([2, 2], init=fi.init.lecun_normal, seed=0).init == "lecun_normal"


def test_without_biases():
    net = fi.Network([2, 3, 2], bias=False, seed=0)
    assert net.biases == ()
    x, y = np.ones((4, 2)), np.zeros(4, int)
    assert all(db is None for _, db in net.gradients(x, y))
    w0, w1 = net.weights
    np.testing.assert_allclose(net.forward(x), np.tanh(x @ w0.T) @ w1.T, rtol=1e-5)
    net.step(x, y, optimizer=fi.SGD(0.1))


def test_views_are_live_and_keep_the_network():
    net = fi.Network([2, 2], seed=0, dtype="float64")
    w, b = net.weights[0], net.biases[0]
    w[...] = [[1, 2], [3, 4]]
    b[...] = [10, 20]
    assert net.forward([[1, 1]]).tolist() == [[13, 27]]
    net.step([[1, 1]], [0], optimizer=fi.SGD(1))
    assert w[0, 0] != 1
    del net
    gc.collect()
    w += 1
    assert w.flags.writeable
    assert not w.flags.owndata


def test_copies_share_nothing(case):
    net, x, y = case("cross_entropy", "tanh")
    net.fit(x, y, epochs=2, optimizer=fi.SGD(0.1))
    other = net.copy()
    a = net.fit(x, y, epochs=2, batch_size=5, optimizer=fi.SGD(0.1))
    b = other.fit(x, y, epochs=2, batch_size=5, optimizer=fi.SGD(0.1))  # the same shuffles too
    assert np.array_equal(a.costs, b.costs)
    other.weights[0][...] = 0
    assert net.weights[0].any()


# ------------------------------------------------------------------------------------------------ data


def test_data_is_converted(case):
    net, x, y = case("cross_entropy", "tanh", dtype="float32")
    expected = net.loss(x.astype(np.float32), y)
    for same in (x, x.tolist(), np.asfortranarray(x), np.repeat(x, 2, axis=0)[::2], x.astype(np.float32)[:, ::-1][:, ::-1]):
        assert net.loss(same, y) == expected
    for labels in (y.astype(np.uint8), y.astype(np.int32), y.tolist(), np.repeat(y, 2)[::2]):
        assert net.loss(x, labels) == expected
    for one_hot in (np.eye(4)[y], np.eye(4, dtype=int)[y], np.eye(4, dtype=bool)[y], np.eye(4)[y].tolist()):
        assert net.loss(x, one_hot) == expected
        assert net.score(x, one_hot) == net.score(x, y)
        assert fi.trace(net, x, one_hot).cost == fi.trace(net, x, y).cost
    one, x, y = case("binary_cross_entropy", "tanh")
    assert one.loss(x, y.astype(bool)) == one.loss(x, y.astype(np.float32)) == one.loss(x, y)
    assert one.loss((100 * x).astype(int), y) == one.loss((100 * x).astype(int).astype(float), y)


# ------------------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"sizes": [3]}, ValueError, "sizes must have at least 2 widths"),
        ({"sizes": [3, 0, 2]}, ValueError, r"sizes must hold widths of at least 1, got \[3, 0, 2\]"),
        ({"sizes": [3, -1]}, ValueError, "sizes must hold widths of at least 1"),
        ({"sizes": [3, 2.5]}, TypeError, "sizes must be a sequence of integers"),
        ({"sizes": 3}, TypeError, "sizes must be a sequence of integers"),
        ({"activation": "tahn"}, ValueError, "did you mean 'tanh'"),
        ({"activation": ["tanh", "tanh"]}, ValueError, "activations must have one for each of the 1 hidden layers, got 2"),
        ({"loss": "hing"}, ValueError, "did you mean 'hinge'"),
        ({"loss": "hinge"}, ValueError, "loss hinge must have 1 output, got 2"),
        ({"sizes": [3, 1]}, ValueError, "at least 2 outputs"),
        ({"init": "kaiming_normal"}, ValueError, "he_normal"),
        ({"init": ["zeros"]}, ValueError, "init must have one entry for each of the 2 layers, got 1"),
        (
            {"init": [np.ones((2, 3)), "zeros"]},
            ValueError,
            r"init\[0\] must have shape \(n_out, n_in\) = \(4, 3\), got \(2, 3\)",
        ),
        ({"init": [np.full((4, 3), np.nan), "zeros"]}, ValueError, r"init\[0\] must not hold NaN"),
        ({"bias_init": [np.ones(3), "zeros"]}, ValueError, r"bias_init\[0\] must have shape \(n_out,\) = \(4,\), got \(3,\)"),
        ({"init": 3}, TypeError, "law must be"),
        ({"dtype": "float16"}, TypeError, "dtype must be float32 or float64, got float16"),
        ({"seed": -1}, ValueError, "seed must be"),
        ({"sizes": [3, 2**70, 2]}, ValueError, "sizes must hold widths below"),
        ({"sizes": [2**20, 2**26, 2]}, MemoryError, r"sizes must give a network that fits memory, got \[1048576,"),
        ({"activation": None}, TypeError, "activation must be a name, or a sequence of one for each hidden layer, got None"),
        ({"activation": [np.tanh]}, TypeError, "activation must be a name"),
        ({"loss": None}, TypeError, "loss must be a string, got None"),
        ({"dtype": "real"}, TypeError, "dtype must be float32 or float64, got real"),
        ({"dtype": None}, TypeError, "dtype must be float32 or float64, got None"),
        ({"bias": "no"}, TypeError, "bias must be True or False, got 'no'"),
    ],
)
def test_bad_networks(options, error, message):
    with pytest.raises(error, match=message):
        fi.Network(**{"sizes": [3, 4, 2], **options})


X, Y = np.zeros((6, 3)), np.zeros(6, int)
NAN = np.array([[0.0] * 3] * 4 + [[0, np.nan, 0]] + [[0.0] * 3])


@pytest.mark.parametrize(
    ("x", "y", "error", "message"),
    [
        (X[:, :2], Y, ValueError, r"x must have shape \(batch, 3\), got \(6, 2\)"),
        (X[0], Y, ValueError, r"x must have shape \(batch, 3\), got \(3,\)"),
        (X[:0], Y[:0], ValueError, "x must have at least one row"),
        (NAN, Y, ValueError, "x must not hold NaN, got one at row 4"),
        (X + 1e300, Y, ValueError, "x must hold numbers that fit float32, got 1e"),
        (X.astype(complex), Y, TypeError, "x must hold real numbers, got dtype complex128"),
        ([["a"] * 3] * 6, Y, TypeError, "x must hold real numbers"),
        (X, Y[:5], ValueError, r"y must have shape \(batch,\) = \(6,\), got \(5,\)"),
        (X, Y[:, None], ValueError, r"y must have shape \(batch,\), or \(batch, 2\) with one-hot rows, got \(6, 1\)"),
        (X, np.eye(3)[Y], ValueError, r"y must have shape \(batch,\), or \(batch, 2\) with one-hot rows, got \(6, 3\)"),
        (X, np.eye(2)[Y] * 0.5, ValueError, "y must be one-hot, a single 1 among zeros in each row, got another row at row 0"),
        (X, np.array([[0, 1]] * 4 + [[1, 1], [0, 1]]), ValueError, "one-hot, .* at row 4"),
        (X, np.array([[0, 1]] * 5 + [[np.nan, 1]]), ValueError, "one-hot, .* at row 5"),
        (X, Y.astype("uint64") + 2**63, ValueError, "y must hold numbers that fit int64, got 9223372036854775808"),
        ([[1, 2, 3], [1]], Y, ValueError, "x must be an array: "),
        (X, Y + 2, ValueError, r"y must hold labels in 0 \.\. 1, got 2 at row 0"),
        (X, Y - 1, ValueError, r"y must hold labels in 0 \.\. 1, got -1 at row 0"),
        (X, Y.astype(float), TypeError, "y must hold integer labels for cross_entropy, got dtype float64"),
    ],
)
def test_bad_data_changes_nothing(layers, x, y, error, message):
    net, sgd = fi.Network([3, 4, 2], seed=0), fi.SGD(0.1)
    before = layers(net)
    for call in (net.loss, net.gradients):
        with pytest.raises(error, match=message):
            call(x, y)
    for call in (net.step, net.fit):
        with pytest.raises(error, match=message):
            call(x, y, optimizer=sgd)
    assert sgd.steps == 0
    assert all(np.array_equal(a, b[0]) for a, b in zip(net.weights, before, strict=True))


def resident() -> int:
    """Bytes of memory that this process has now; its peak, as `resource` has it, would hide what grows below it."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except FileNotFoundError:
        pytest.skip("needs /proc")
    return pages * os.sysconf("SC_PAGESIZE")


@pytest.mark.parametrize("fits", [False, True], ids=["step", "fit"])
def test_nothing_grows_over_100_000_steps(case, fits):
    net, x, y = case("cross_entropy", "tanh", dtype="float32")
    x, adam = x.astype("float32"), fi.Adam(1e-5, clip_norm=1)

    def train(steps: int) -> None:
        for _ in range(steps // 100 if fits else steps):
            net.fit(x, y, epochs=25, batch_size=6, optimizer=adam) if fits else net.step(x, y, optimizer=adam)

    train(2000)
    gc.collect()
    before = resident()
    train(100_000)
    assert adam.steps == 102_000
    assert resident() - before < 1 << 20  # 10 bytes a step


def unaligned(array: np.ndarray) -> np.ndarray:
    """The same values, one byte past where they should lie."""
    memory = np.empty(array.nbytes + 1, np.uint8)
    moved = memory[1:].view(array.dtype).reshape(array.shape)
    moved[...] = array
    assert not moved.flags.aligned
    return moved


def test_data_that_is_not_aligned_is_copied(case):
    net, x, y = case("cross_entropy", "tanh")
    moved_x, moved_y = unaligned(x), unaligned(y)
    assert net.loss(moved_x, moved_y) == net.loss(x, y)
    assert np.array_equal(net.predict(moved_x), net.predict(x))
    costs = [net.copy().fit(*data, epochs=2, optimizer=fi.SGD(0.1)).costs for data in ((x, y), (moved_x, moved_y))]
    assert np.array_equal(*costs)
    assert fi.trace(net, moved_x, moved_y).layers[0].a == fi.trace(net, x, y).layers[0].a
    assert fi.summarize(moved_x) == fi.summarize(x)
    assert fi.compare(["he_normal"], moved_x, moved_y, hidden=[3], epochs=1).runs[0].cost_end > 0
    with pytest.raises(ValueError, match="aligned"):
        fi.dense_forward(moved_x, net.weights[0], net.biases[0])


def test_an_unknown_activation_is_refused_without_a_hidden_layer_too():
    with pytest.raises(ValueError, match="relu"):
        fi.Network([4, 3], activation="rleu")


def test_pickles(case):
    net, x, y = case("cross_entropy", "leaky_relu(0.2)", dtype="float32")
    net.fit(x, y, epochs=2, optimizer=fi.SGD(0.1))
    twin = pickle.loads(pickle.dumps(net))
    assert repr(twin) == repr(net)
    assert twin.activations == net.activations
    a = net.fit(x, y, epochs=2, batch_size=5, optimizer=fi.SGD(0.1))
    b = twin.fit(x, y, epochs=2, batch_size=5, optimizer=fi.SGD(0.1))
    assert np.array_equal(a.costs, b.costs)
    assert len(pickle.loads(pickle.dumps(a)).costs) == len(a.costs)
    for optimizer in (fi.SGD([0.1, 0.2], 0.9, True, clip_norm=3), fi.RMSProp(), fi.Adam(weight_decay=0.1)):
        assert repr(pickle.loads(pickle.dumps(optimizer))) == repr(optimizer)
