"""Dense layers from Python: against NumPy in float64, identities of the gradients, the promised order of sums."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fanin as fi

DTYPES = ("float32", "float64")
ACTIVATIONS = ("identity", "relu", "tanh", "sigmoid")

G = {
    "identity": lambda z: z,
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
}
DG = {
    "identity": np.ones_like,
    "relu": lambda z: (z > 0).astype(z.dtype),
    "tanh": lambda z: 1 / np.cosh(z) ** 2,
    "sigmoid": lambda z: 1 / (2 + np.exp(z) + np.exp(-z)),
}


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(4)


def draw(rng, shape, dtype="float64"):
    return rng.standard_normal(shape).astype(dtype)


def layer(rng, batch, n_in, n_out, dtype):
    return (
        draw(rng, (batch, n_in), dtype),
        draw(rng, (n_out, n_in), dtype),
        draw(rng, n_out, dtype),
        draw(rng, (batch, n_out), dtype),
    )


def strided(array, kind):
    """The same values behind other strides."""
    if kind == "transposed":
        return np.ascontiguousarray(array.T).T
    if kind == "spread":
        wide = np.full(tuple(2 * n + 1 for n in array.shape), np.nan, array.dtype)
        view = wide[tuple(slice(1, None, 2) for _ in array.shape)]
        view[...] = array
        return view
    if kind == "reversed":
        flip = (slice(None, None, -1),) * array.ndim
        return np.ascontiguousarray(array[flip])[flip]
    return array


def same(a, b):
    np.testing.assert_array_equal(a, b, strict=True)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 7, 5), (32, 9, 2), (20, 784, 50), (5, 1500, 33), (130, 64, 40)])
def test_equals_numpy(rng, shape, activation, dtype):
    # |error| <= k eps sum |x w| bounds any order of k rounded operations (Higham, Accuracy and Stability, eq. 3.5); the
    # terms of the next sum add theirs. tanh and sigmoid have slopes at most 1 and are right to 2 ULP.
    x, w, b, da = layer(rng, *shape, dtype)
    eps = np.finfo(dtype).eps
    f = fi.dense_forward(x, w, b, activation=activation)
    x64, w64, b64, da64 = (v.astype("float64") for v in (x, w, b, da))
    z = x64 @ w64.T + b64
    bound = (shape[1] + 2) * eps * (np.abs(x64) @ np.abs(w64).T + np.abs(b64))
    assert f.z.dtype == f.a.dtype == np.dtype(dtype)
    assert np.all(np.abs(f.z - z) <= bound)
    assert np.all(np.abs(f.a - G[activation](z)) <= bound + 2 * eps)

    g = fi.dense_backward(da, x, w, f.z, activation=activation, need=("dx", "dw", "db", "dz"))
    dz = da64 * DG[activation](f.z.astype("float64"))
    assert np.all(np.abs(g.dz - dz) <= 6 * eps * np.abs(dz) + np.finfo(dtype).tiny)
    near = 8 * eps
    assert np.all(np.abs(g.dx - dz @ w64) <= (shape[2] * eps + near) * (np.abs(dz) @ np.abs(w64)))
    assert np.all(np.abs(g.dw - dz.T @ x64) <= (shape[0] * eps + near) * (np.abs(dz).T @ np.abs(x64)))
    assert np.all(np.abs(g.db - dz.sum(0)) <= (shape[0] * eps + near) * np.abs(dz).sum(0))


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(*[st.integers(0, 20)] * 3),
    st.sampled_from(DTYPES),
    st.sampled_from(ACTIVATIONS),
    st.lists(st.sampled_from(["plain", "transposed", "spread", "reversed"]), min_size=8, max_size=8),
)
def test_strides_change_no_bit(shape, dtype, activation, kinds):
    rng = np.random.default_rng(7)
    x, w, b, da = layer(rng, *shape, dtype)
    f = fi.dense_forward(x, w, b, activation=activation)
    g = fi.dense_backward(da, x, w, f.z, activation=activation)
    sx, sw, sb, sda, sz = (strided(v, kind) for v, kind in zip((x, w, b, da, f.z), kinds, strict=False))
    out_a, out_z = (strided(np.zeros_like(f.a), kind) for kind in kinds[5:7])
    sf = fi.dense_forward(sx, sw, sb, activation=activation, out_a=out_a, out_z=out_z)
    assert sf.a is out_a
    assert sf.z is out_z
    same(out_a, f.a)
    same(out_z, f.z)
    out_dw = strided(np.zeros_like(g.dw), kinds[7])
    sg = fi.dense_backward(sda, sx, sw, sz, activation=activation, out_dw=out_dw)
    assert sg.dw is out_dw
    for name in ("dx", "dw", "db"):
        same(getattr(sg, name), getattr(g, name))


def test_broadcast_inputs(rng):
    x, w, _, da = layer(rng, 6, 5, 4, "float64")
    row, one = np.broadcast_to(x[0], (6, 5)), np.broadcast_to(np.float64(0.5), (4,))
    same(fi.dense_forward(row, w, one).a, fi.dense_forward(row.copy(), w, one.copy()).a)
    da = np.broadcast_to(da[0], (6, 4))
    same(fi.dense_backward(da, row, w, None).dw, fi.dense_backward(da.copy(), row.copy(), w, None).dw)


@pytest.mark.parametrize("dtype", DTYPES)
def test_row_alone_equals_its_row_in_the_batch(rng, dtype, everywhere):
    x, w, b, da = layer(rng, 47, 530, 37, dtype)
    whole = fi.dense_forward(x, w, b, activation="tanh")
    back = fi.dense_backward(da, x, w, whole.z, activation="tanh")
    for _ in everywhere():
        for i in range(0, 47, 5):
            f = fi.dense_forward(x[i : i + 1], w, b, activation="tanh")
            same(f.a[0], whole.a[i])
            same(f.z[0], whole.z[i])
            same(fi.dense_backward(da[i : i + 1], x[i : i + 1], w, f.z, activation="tanh").dx[0], back.dx[i])


@pytest.mark.parametrize("dtype", DTYPES)
def test_same_bits_on_every_isa_and_thread_count(rng, dtype, everywhere):
    x, w, b, da = layer(rng, 150, 300, 110, dtype)
    fi.set_num_threads(1)
    f = fi.dense_forward(x, w, b, activation="sigmoid")
    g = fi.dense_backward(da, x, w, f.z, activation="sigmoid")
    for _ in everywhere(1, 2, 3, 8):
        same(fi.dense_forward(x, w, b, activation="sigmoid").a, f.a)
        h = fi.dense_backward(da, x, w, f.z, activation="sigmoid")
        for name in ("dx", "dw", "db"):
            same(getattr(h, name), getattr(g, name))


def test_shards_of_the_batch_accumulate_to_the_whole(rng):
    x, w, _, dz = layer(rng, 3 * fi.dense.SUM_BLOCK + 100, 21, 13, "float32")
    whole = fi.dense_backward(dz, x, w, None)
    dw, db = np.zeros_like(whole.dw), np.zeros_like(whole.db)
    for begin in range(0, len(x), fi.dense.SUM_BLOCK):
        rows = slice(begin, begin + fi.dense.SUM_BLOCK)
        fi.dense_backward(dz[rows], x[rows], w, None, need=("dw", "db"), out_dw=dw, out_db=db, accumulate=True)
    same(dw, whole.dw)
    same(db, whole.db)


def test_accumulate_adds_to_all_but_dz(rng):
    x, w, b, da = layer(rng, 8, 6, 5, "float64")
    z = fi.dense_forward(x, w, b, activation="tanh").z
    plain = fi.dense_backward(da, x, w, z, activation="tanh", need=("dx", "dw", "db", "dz"))
    outs = {f"out_{n}": np.full_like(getattr(plain, n), 2.0) for n in ("dx", "dw", "db", "dz")}
    g = fi.dense_backward(da, x, w, z, activation="tanh", accumulate=True, **outs)
    for name in ("dx", "dw", "db"):
        same(getattr(g, name), 2.0 + getattr(plain, name))  # one block: a single addition
    same(g.dz, plain.dz)


def test_need_and_optional_results(rng):
    x, w, b, da = layer(rng, 4, 3, 2, "float32")
    f = fi.dense_forward(x, w, b, activation="tanh", keep_z=False)
    assert f.z is None
    assert f.stats is None
    z = fi.dense_forward(x, w, b, activation="tanh").z
    g = fi.dense_backward(da, x, w, z, activation="tanh", need="dw")
    assert g.dx is None
    assert g.db is None
    assert g.dz is None
    same(g.dw, fi.dense_backward(da, x, w, z, activation="tanh").dw)
    dz = da.copy()
    h = fi.dense_backward(dz, x, w, z, activation="tanh", out_dz=dz)  # in place of da
    assert h.dz is dz
    same(h.dw, g.dw)


@pytest.mark.parametrize(("activation", "bounds"), [("tanh", (-1, 1)), ("sigmoid", (0, 1)), ("relu", None)])
def test_stats_are_those_of_summarize(rng, activation, bounds):
    x, w, b, _ = layer(rng, 33, 20, 40, "float32")
    f = fi.dense_forward(x, w, b, activation=activation, stats=True)
    assert f.stats.z == fi.summarize(f.z)
    assert f.stats.a == (fi.summarize(f.a, bins=64, range=bounds) if bounds else fi.summarize(f.a))
    g = fi.dense_forward(x, w, b, activation=activation, stats="moments", keep_z=False)
    assert g.z is None
    assert g.stats.z == fi.summarize(f.z, bins=None, moments="two")
    h = fi.dense_forward(x, w, b, activation=activation, stats={"bins": 8, "range": (-2, 2)})
    assert h.stats.a == fi.summarize(f.a, bins=8, range=(-2, 2))
    with pytest.raises(ValueError, match="stats must"):
        fi.dense_forward(x, w, b, stats="all")


def test_adjoint(rng):
    # <dz, x w^T> = <dz w, x> = <dz^T x, w>: the three products are one trilinear form. Each side is a sum of 30 * 40 * 50
    # products of numbers below 6, wrong by at most k eps of the sum of magnitudes, k = 50 + the rows' pairwise sums.
    x, w, _, dz = layer(rng, 30, 40, 50, "float64")
    g = fi.dense_backward(dz, x, w, None)
    forward = np.sum(dz * fi.dense_forward(x, w).z)
    tolerance = 200 * np.finfo(float).eps * np.sum(np.abs(dz) * (np.abs(x) @ np.abs(w).T))
    assert abs(forward - np.sum(g.dx * x)) <= tolerance
    assert abs(forward - np.sum(g.dw * w)) <= tolerance


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_finite_differences(rng, activation):
    # Central differences with h = 1e-5 on the scalar c = sum(v * a): error h^2/6 c''' + eps c / h, both near 1e-10.
    x, w, b, v = layer(rng, 5, 4, 3, "float64")
    z = fi.dense_forward(x, w, b, activation=activation).z
    assert np.min(np.abs(z)) > 1e-3  # off relu's kink
    g = fi.dense_backward(v, x, w, z, activation=activation)

    def cost():
        return np.sum(v * fi.dense_forward(x, w, b, activation=activation).a)

    h = 1e-5
    for parameter, gradient in ((x, g.dx), (w, g.dw), (b, g.db)):
        for i in np.ndindex(parameter.shape):
            kept = parameter[i]
            parameter[i] = kept + h
            up = cost()
            parameter[i] = kept - h
            down = cost()
            parameter[i] = kept
            assert abs((up - down) / (2 * h) - gradient[i]) < 1e-8 * (1 + abs(gradient[i]))


@pytest.mark.parametrize("dtype", DTYPES)
def test_special_operands(dtype, everywhere):
    tiny, top = np.finfo(dtype).smallest_subnormal, np.finfo(dtype).max
    x = np.array([[np.nan, 0], [np.inf, 1], [0, -np.inf], [tiny, tiny], [top, -top], [-0.0, -0.0]], dtype)
    w = np.array([[1, 1], [0, 1], [2, -1], [1, -2]], dtype)
    with np.errstate(all="ignore"):
        expected = x[:, :1] * w[:, 0] + x[:, 1:] * w[:, 1]  # exact products, or infinities: one rounding as in fma
    for _ in everywhere():
        np.testing.assert_array_equal(fi.dense_forward(x, w).z, expected)


@pytest.mark.parametrize(("batch", "n_in", "n_out"), [(0, 3, 2), (4, 0, 2), (4, 3, 0), (0, 0, 0)])
def test_empty(rng, batch, n_in, n_out):
    x, w, b, da = layer(rng, batch, n_in, n_out, "float32")
    f = fi.dense_forward(x, w, b, activation="tanh")
    assert f.a.shape == f.z.shape == (batch, n_out)
    if n_in == 0:
        same(f.z, np.broadcast_to(b, (batch, n_out)))
    g = fi.dense_backward(da, x, w, f.z, activation="tanh")
    assert g.dx.shape == (batch, n_in)
    assert g.dw.shape == (n_out, n_in)
    assert g.db.shape == (n_out,)
    if batch == 0:
        assert not g.dw.any()
        assert not g.db.any()


def test_linear_network_is_exact():
    # [2] x 10 + [1], W[1..9] = 1.5 I, W[10] = [1 1]: 1.5^9 has 15 bits, so integers up to 127 stay exact in float32.
    eye, last = np.eye(2, dtype="float32") * np.float32(1.5), np.ones((1, 2), "float32")
    x = np.stack(np.meshgrid(np.arange(-127, 128), np.arange(-127, 128)), -1).reshape(-1, 2).astype("float32")
    a = [x]
    for w in [eye] * 9 + [last]:
        a.append(fi.dense_forward(a[-1], w).a)
    same(a[-1][:, 0], ((x[:, 0].astype(float) + x[:, 1]) * 1.5**9).astype("float32"))
    da = np.ones_like(a[-1])
    da = fi.dense_backward(da, a[9], last, None).dx
    for i in range(9, 0, -1):
        same(da, np.full_like(x, 1.5 ** (9 - i)))
        da = fi.dense_backward(da, a[i - 1], eye, None).dx


@pytest.mark.parametrize("dtype", DTYPES)
def test_constant_weights_give_identical_units_anywhere(rng, dtype):
    x = draw(rng, (9, 600), dtype)
    w = np.full((61, 600), 0.1, dtype)
    a = fi.dense_forward(x, w, np.full(61, 0.3, dtype), activation="tanh").a
    same(a, np.repeat(a[:, :1], 61, axis=1))
    g = fi.dense_backward(np.ones((9, 61), dtype), x, w, np.zeros((9, 61), dtype), activation="tanh")
    same(g.dw, np.repeat(g.dw[:1], 61, axis=0))
