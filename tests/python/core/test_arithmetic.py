"""The same bits whatever rounding mode and flags another library has set in the thread that calls."""

from __future__ import annotations

import ctypes
import ctypes.util
import platform
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

import fanin as fi

MODES = {"nearest": 0, "down": 0x400, "up": 0x800, "zero": 0xC00}  # of fesetround on x86-64
N = 1 << 20


@contextmanager
def rounding(mode: str) -> Iterator[None]:
    libm = ctypes.CDLL(ctypes.util.find_library("m"))
    assert libm.fesetround(MODES[mode]) == 0
    try:
        yield
        assert libm.fegetround() == MODES[mode]  # fanin has put it back
    finally:
        libm.fesetround(0)


@contextmanager
def flushing(flush: bool) -> Iterator[None]:
    torch = pytest.importorskip("torch")
    assert torch.set_flush_denormal(flush)
    try:
        yield
        assert (np.float32(1e-40) * np.float32(1) == 0) == flush  # fanin has put it back
    finally:
        torch.set_flush_denormal(False)


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = fi.num_threads()
    fi.set_num_threads(request.param)
    yield request.param
    fi.set_num_threads(before)


def computed() -> list[bytes]:
    """Bytes of one result of each topic; every input of theirs is drawn by fanin or exact."""
    x = fi.init.normal((64, 300), std=3, seed=1, stream="x")
    w = fi.init.he_normal((200, 300), seed=1, stream="w")
    f = fi.dense_forward(x, w, activation="gelu", stats=True)
    g = fi.dense_backward(f.a, x, w, f.z, activation="gelu")
    network = fi.Network([300, 30, 5], activation="tanh", init="xavier_normal", seed=3)
    history = network.fit(x, np.arange(64) % 5, epochs=3, batch_size=16, optimizer=fi.Adam(lr=0.01))
    s = f.stats.a
    return [
        x.tobytes(),
        fi.init.normal((N,), std=1e-40, seed=1, stream="small").tobytes(),
        fi.init.uniform((N,), low=-0.1, high=0.7, seed=1, stream="u").tobytes(),
        fi.init.truncated_normal((N,), std=0.3, seed=1, stream="t").tobytes(),
        *(v.tobytes() for v in (f.a, f.z, g.dx, g.dw, g.db)),
        *(network.weights[layer].tobytes() for layer in range(2)),
        np.asarray(history.costs).tobytes(),
        repr((s.mean, s.std, s.rms, s.skewness, s.kurtosis, s.zeros, s.subnormals)).encode(),
        repr(fi.init.describe("he_normal(gain=0.3)", (200, 300))).encode(),
    ]


x86 = pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="fesetround's numbers are those of x86-64")


@x86
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("flush", [False, True])
def test_same_bits_in_every_mode(threads: int, mode: str, flush: bool) -> None:
    expected = computed()
    with flushing(flush), rounding(mode):
        got = computed()
    assert got == expected


def test_gelu_far_left_is_subnormal() -> None:
    z = np.array([-13.5], np.float32)
    with flushing(True):
        a = fi.activation.evaluate("gelu", z)
    assert -1.06e-40 < float(a.astype(np.float64)[0]) < -1.05e-40


def test_draws_of_a_tiny_deviation_are_no_zeros() -> None:
    with flushing(True):
        w = fi.init.normal((1000,), std=1e-40, seed=1, stream="w")
    assert np.count_nonzero(w) == 1000


def test_subnormals_are_counted_once(threads: int) -> None:
    x = np.full(N, 1e-40, np.float32)
    with flushing(True):
        s = fi.summarize(x)
    assert (s.count, s.zeros, s.subnormals) == (N, 0, N)
