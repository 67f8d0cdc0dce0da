"""Activations: equal bits everywhere, slopes, kinks, strides, refusals (tests/cpp/test_math.cpp has the functions beneath)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import fanin as fi

Array = NDArray[np.floating]
DTYPES = [np.float32, np.float64]
NAMES = fi.activation.names()
MORE = ["leaky_relu(0.2)", "elu(0.5)"]


def stratified(n: int, dtype: type, seed: int = 0) -> Array:
    """Bit patterns: half of them any, half with exponents -30 .. 9, where these functions bend."""
    rng = np.random.default_rng(seed)
    if dtype is np.float32:
        bits = rng.integers(0, 2**32, n, np.uint32)
        dense = (bits & 0x807FFFFF) | (rng.integers(97, 137, n).astype(np.uint32) << 23)
        return np.where(np.arange(n) % 2 == 0, bits, dense).astype(np.uint32).view(np.float32)
    bits = rng.integers(0, 2**64, n, np.uint64)
    dense = (bits & 0x800FFFFFFFFFFFFF) | (rng.integers(993, 1033, n).astype(np.uint64) << np.uint64(52))
    return np.where(np.arange(n) % 2 == 0, bits, dense).astype(np.uint64).view(np.float64)


@pytest.mark.parametrize("dtype", DTYPES)
def test_same_bits_on_every_instruction_set(dtype: type, everywhere: Any) -> None:
    z = stratified(100_003, dtype)
    seen = set()
    for _ in everywhere():
        results = [f(name, z) for name in NAMES + MORE for f in (fi.activation.evaluate, fi.activation.derivative)]
        seen.add(b"".join(np.where(np.isnan(r), np.array(0.5, dtype), r).tobytes() for r in results))
    assert len(seen) == 1


@pytest.mark.parametrize("dtype", DTYPES)
def test_saturated_gradients(dtype: type) -> None:
    """1 - tanh^2 is 0 from 9.02 on in float32 and sigma (1 - sigma) from 17 on; the derivative is not."""
    z = np.array([9, 10, 20, 30], dtype)
    exact = 1 / np.cosh(z.astype(np.float64)) ** 2
    np.testing.assert_allclose(fi.activation.derivative("tanh", z), exact, rtol=4 * np.finfo(dtype).eps)
    np.testing.assert_allclose(fi.activation.derivative("tanh", -z), exact, rtol=4 * np.finfo(dtype).eps)
    smallest = np.array([47.0 if dtype is np.float32 else 365.0], dtype)  # 4 exp(-2 z) is subnormal here
    got = fi.activation.derivative("tanh", smallest)[0]
    assert 0 < got < np.finfo(dtype).tiny


@pytest.mark.parametrize("name", NAMES + MORE)
def test_derivative_is_the_slope(name: str) -> None:
    """Central differences: error h^2 g'''/6 <= 1e-10 and rounding eps / h <= 1e-10, with h = 1e-5 and |g'''| <= 2."""
    z = np.linspace(-5.99, 5.99, 1000)  # no kink among them
    h = 1e-5
    slope = (fi.activation.evaluate(name, z + h) - fi.activation.evaluate(name, z - h)) / (2 * h)
    np.testing.assert_allclose(fi.activation.derivative(name, z), slope, atol=2e-10)


def test_kinks() -> None:
    z = np.array([-1.0, -0.0, 0.0, 5e-324, np.nan])
    relu, slope = fi.activation.evaluate("relu", z), fi.activation.derivative("relu", z)
    np.testing.assert_array_equal(relu, [0, 0, 0, 5e-324, np.nan])
    assert not np.signbit(relu[:3]).any()
    np.testing.assert_array_equal(slope, [0, 0, 0, 1, np.nan])
    np.testing.assert_array_equal(fi.activation.derivative("identity", z), np.ones(5))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["relu", "leaky_relu(0.2)", "tanh", "gelu"])
def test_any_strides(name: str, dtype: type) -> None:
    block = stratified(9 * 8 * 70, dtype, seed=2).reshape(9, 8, 70)
    for axes, (i, j, k) in product(permutations(range(3)), product([1, -1, 2], repeat=3)):
        z = block[::i, ::j, ::k].transpose(axes)
        expected = fi.activation.evaluate(name, np.ascontiguousarray(z))
        np.testing.assert_array_equal(fi.activation.evaluate(name, z), expected)
        out = np.full((20, 20, 80), 7, dtype)
        target = out.transpose(axes)[: z.shape[0], : z.shape[1], : z.shape[2]]
        if target.shape == z.shape:
            assert fi.activation.evaluate(name, z, out=target) is target
            np.testing.assert_array_equal(target, expected)
            assert (out == 7).sum() >= out.size - z.size


@settings(max_examples=60, deadline=None)
@given(shape=st.lists(st.integers(0, 20), max_size=5), name=st.sampled_from(NAMES), threads=st.integers(1, 3))
def test_any_rank(shape: list[int], name: str, threads: int) -> None:
    fi.set_num_threads(threads)
    z = np.linspace(-3, 3, int(np.prod(shape)), dtype=np.float32).reshape(shape)
    a = fi.activation.evaluate(name, z)
    assert a.shape == z.shape
    assert a.dtype == z.dtype
    again = fi.activation.evaluate(name, z.ravel()[::-1])[::-1]
    np.testing.assert_array_equal(a.ravel(), again)


def test_result_keeps_memory_order_and_input() -> None:
    z = np.asfortranarray(np.ones((3, 4)))
    assert fi.activation.evaluate("tanh", z).flags.f_contiguous
    z.setflags(write=False)
    fi.activation.derivative("tanh", z)
    assert (z == 1).all()
    np.testing.assert_array_equal(
        fi.activation.evaluate("relu", np.broadcast_to(np.float32(2), (3, 4))), np.full((3, 4), 2, "f")
    )
    assert fi.activation.evaluate("relu", np.array(-1.0)).shape == ()


def test_out_may_be_the_input_or_interleaved_with_it() -> None:
    z = np.arange(-6.0, 6.0)
    expected = fi.activation.evaluate("tanh", z)
    pair = np.empty((12, 2))
    pair[:, 0] = z
    fi.activation.evaluate("tanh", pair[:, 0], out=pair[:, 1])  # one block of memory, no element in common
    np.testing.assert_array_equal(pair[:, 1], expected)
    np.testing.assert_array_equal(pair[:, 0], z)
    assert fi.activation.evaluate("tanh", z, out=z) is z
    np.testing.assert_array_equal(z, expected)


@pytest.mark.parametrize("function", [fi.activation.evaluate, fi.activation.derivative])
def test_refusals(function: Callable[..., Array]) -> None:
    z = np.arange(12, dtype=np.float32).reshape(3, 4)
    frozen = np.zeros_like(z)
    frozen.setflags(write=False)
    before = z.copy()
    cases: list[tuple[type[Exception], str, Callable[[], object]]] = [
        (ValueError, r"activation must be one of identity, relu, leaky_relu, .*, got 'tahn': did you mean 'tanh'\?",
         lambda: function("tahn", z)),
        (ValueError, r"got 'swish': did you mean 'silu'\?", lambda: function("swish", z)),
        (ValueError, r"got 'logistic': did you mean 'sigmoid'\?", lambda: function("logistic", z)),
        (ValueError, r"got 'linear': did you mean 'identity'\?", lambda: function("linear", z)),
        (ValueError, r"got 'LeakyReLU': did you mean 'leaky_relu'\?", lambda: function("LeakyReLU", z)),
        (ValueError, r"must look like 'tanh' \(it takes no parameter\), got 'tanh\(1\)'", lambda: function("tanh(1)", z)),
        (ValueError, r"must look like 'elu\(1\)', got 'elu\(x\)'", lambda: function("elu(x)", z)),
        (ValueError, r"slope of leaky_relu must be in \[-1e6, 1e6\], got inf", lambda: function("leaky_relu(inf)", z)),
        (TypeError, "z must be a NumPy array, got list", lambda: function("tanh", [1.0])),
        (TypeError, "z must have dtype float32 or float64, got int64", lambda: function("tanh", np.arange(3, dtype=np.int64))),
        (TypeError, "z must have dtype float32 or float64, got >f4", lambda: function("tanh", z.astype(">f4"))),
        (TypeError, "out must be a NumPy array, got int", lambda: function("tanh", z, out=1)),
        (TypeError, "out must have dtype float32 like z, got float64", lambda: function("tanh", z, out=np.zeros((3, 4)))),
        (ValueError, r"out must have the shape of z, \(3, 4\), got \(4, 3\)",
         lambda: function("tanh", z, out=np.zeros((4, 3), "f"))),
        (ValueError, "out must be writable, got a read-only array", lambda: function("tanh", z, out=frozen)),
        (ValueError, "out must be z itself or share no memory with it", lambda: function("tanh", z[1:], out=z[:-1])),
        (ValueError, "out must be z itself or share no memory with it", lambda: function("tanh", z, out=z[::-1])),
        (ValueError, "z must be aligned", lambda: function("tanh", np.zeros(17, np.uint8)[1:].view(np.float32))),
    ]  # fmt: skip
    for error, message, call in cases:
        with pytest.raises(error, match=message):
            call()
    np.testing.assert_array_equal(z, before)


def test_names() -> None:
    assert NAMES[:3] == ["identity", "relu", "leaky_relu"]
    with pytest.raises(ValueError, match=r"got 'ReLU': did you mean 'relu'\?"):
        fi.activation.gain("ReLU")
    with pytest.raises(ValueError, match=r"got 'maxout'$"):
        fi.activation.gain("maxout")


@pytest.mark.slow
@pytest.mark.parametrize("argument", [["f32"], ["f64", "100000000"]])
def test_sweep(cpp_sweep: Callable[..., str], argument: list[str]) -> None:
    """Every float32 and 10^8 float64 inputs a function: prints the largest errors, fails above their bounds."""
    print(cpp_sweep("math", *argument))
