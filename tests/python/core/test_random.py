"""Addressable sampling: an element is a function of (seed, stream, index), whatever else changes."""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import fanin as fi
from fanin import _core
from fanin.random import permutation, seed_number, stream_id, words

DTYPES = [np.float32, np.float64]


def normal(n: int, dtype: type, first: int = 0) -> NDArray[np.floating]:
    out = np.empty(n, dtype)
    _core.fill_normal(out, 7, 11, first, 0.0, 1.0)
    return out


def uniform(n: int, dtype: type, first: int = 0) -> NDArray[np.floating]:
    out = np.empty(n, dtype)
    _core.fill_uniform(out, 7, 11, first, -1.0, 1.0)
    return out


DRAWS = [normal, uniform]


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        (0, 0, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        (2**128 - 1, 2**64 - 1, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (0x0370734413198A2E85A308D3243F6A88, 0x299F31D0A4093822, "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
)
def test_published_known_answers(counter: int, key: int, expected: str) -> None:
    """Random123's kat_vectors for philox4x32-10."""
    out = np.empty(4, np.uint32)
    _core.philox_words(out, key, counter >> 64, counter & (2**64 - 1))
    assert " ".join(f"{w:08x}" for w in out) == expected


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("draw", DRAWS)
@given(first=st.integers(0, 2**40), n=st.integers(0, 300), skip=st.integers(0, 300))
def test_any_part_of_a_range_is_the_same(
    draw: Callable[..., NDArray[np.floating]], dtype: type, first: int, n: int, skip: int
) -> None:
    np.testing.assert_array_equal(draw(n, dtype, first + skip), draw(n + skip, dtype, first)[skip:])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("draw", DRAWS)
def test_same_bits_on_every_instruction_set_and_thread_count(
    draw: Callable[..., NDArray[np.floating]], dtype: type, everywhere: Any
) -> None:
    expected = draw(200_001, dtype)
    for _ in everywhere(1, 2, 3, 8):
        np.testing.assert_array_equal(draw(200_001, dtype), expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_normal_is_box_muller_of_the_words(dtype: type) -> None:
    """Against NumPy in float64, from the raw words: within 2 ULP of the radius' and the angle's product (r <= 6.8)."""
    n = 100_000
    raw = words(2 * n, seed=7, stream=11).astype(np.uint64)
    if dtype is np.float32:
        raw = raw[:n]
        k, turns, size = raw[0::2].astype(float), raw[1::2] / 2**32, 2.0**32
    else:
        wide = raw[0::2] | raw[1::2] << np.uint64(32)
        k, turns, size = (wide[0::2] >> np.uint64(11)).astype(float), (wide[1::2] >> np.uint64(11)) / 2**53, 2.0**53
    # ln u from u or, above 1/2, from 1 - u: both are exact
    r = np.sqrt(-2 * np.where(k < size / 2, np.log((k + 0.5) / size), np.log1p(-(size - 1 - k + 0.5) / size)))
    expected = np.stack([r * np.cos(2 * np.pi * turns), r * np.sin(2 * np.pi * turns)], axis=1).reshape(-1)
    # cos and sin are right to 2 ULP of 1 where they are near 0, the radius to 2 ULP, the product rounds once more
    np.testing.assert_allclose(normal(n, dtype), expected, rtol=4 * np.finfo(dtype).eps, atol=6.8 * 2 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", DTYPES)
def test_moments_are_within_five_standard_errors(dtype: type) -> None:
    n = 2_000_000
    z, v = normal(n, dtype).astype(float), uniform(n, dtype).astype(float)
    assert abs(z.mean()) < 5 / np.sqrt(n)
    assert abs((z**2).mean() - 1) < 5 * np.sqrt(2 / n)
    assert abs((z**3).mean()) < 5 * np.sqrt(15 / n)
    assert abs((z**4).mean() - 3) < 5 * np.sqrt(96 / n)
    assert abs(v.mean()) < 5 * np.sqrt(1 / 3 / n)
    assert abs((v**2).mean() - 1 / 3) < 5 * np.sqrt((1 / 5 - 1 / 9) / n)
    assert np.abs(v).max() < 1


def test_streams_and_seeds_are_different_draws() -> None:
    draws = {words(4, seed=s, stream=t).tobytes() for s in (0, 1, 2**32, 2**63) for t in (0, 1, 2**32, "a", "b")}
    assert len(draws) == 20


def test_stream_of_a_name_is_fnv1a() -> None:
    def fnv1a(text: str) -> int:
        h = 0xCBF29CE484222325
        for byte in text.encode():
            h = (h ^ byte) * 0x100000001B3 % 2**64
        return h | 2**63

    for name in ("a", "0.weight", "hidden1.weight", "gewicht-ä"):
        assert stream_id(name) == fnv1a(name)
    assert stream_id(np.int64(5)) == 5


@pytest.mark.parametrize(
    ("value", "error"), [(-1, ValueError), (2**64, ValueError), (1.0, TypeError), ("7", TypeError), (None, TypeError)]
)
def test_bad_seeds(value: object, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"seed must be an integer in \[0, 2\^64\), got"):
        seed_number(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "error"), [(-1, ValueError), (2**63, ValueError), (1.5, TypeError), ("", ValueError), ("fanin/x", ValueError)]
)
def test_bad_streams(value: object, error: type[Exception]) -> None:
    with pytest.raises(error, match="stream must"):
        stream_id(value)  # type: ignore[arg-type]


@given(n=st.integers(0, 2000), round_=st.integers(0, 2**32 - 1))
def test_permutation_holds_every_number_once(n: int, round_: int) -> None:
    np.testing.assert_array_equal(np.sort(permutation(n, seed=1, stream=2, round=round_)), np.arange(n))


def test_permutations_are_uniform() -> None:
    """All 24 orders of four, 24,000 rounds: chi-square with 23 degrees of freedom, 5 standard deviations."""
    orders = [tuple(permutation(4, seed=3, stream=4, round=r)) for r in range(24_000)]
    counts = np.unique(orders, axis=0, return_counts=True)[1]
    assert len(counts) == 24
    chi2 = ((counts - 1000) ** 2 / 1000).sum()
    assert chi2 < 23 + 5 * np.sqrt(2 * 23)


def test_outputs_are_checked_before_anything_is_written() -> None:
    strided = np.zeros(10, np.float32)[::2]
    with pytest.raises(ValueError, match="out must be C-contiguous"):
        _core.fill_normal(strided, 1, 2, 0, 0.0, 1.0)
    frozen = np.zeros(4, np.float32)
    frozen.setflags(write=False)
    with pytest.raises(ValueError, match="out must be writable"):
        _core.fill_normal(frozen, 1, 2, 0, 0.0, 1.0)
    with pytest.raises(TypeError, match="out must have dtype float32 or float64, got int32"):
        _core.fill_normal(np.zeros(4, np.int32), 1, 2, 0, 0.0, 1.0)
    out = np.zeros(4, np.float32)
    for std in (-1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="std must be finite and at least 0"):
            _core.fill_normal(out, 1, 2, 0, 0.0, std)
    assert not out.any()


@pytest.mark.slow
def test_sweep(cpp_sweep: Callable[..., str]) -> None:
    """All 2^32 words through every draw that one word decides: never NaN, infinite or out of bounds; 2 to 5 minutes."""
    if "x86_64_v3" not in fi.available_isas() and platform.machine() in ("x86_64", "AMD64"):
        pytest.skip("the program is compiled for AVX2")
    print(cpp_sweep("random"))
