"""Summaries of 16-bit elements: those of their float32 values, with the subnormals of their own type."""

from __future__ import annotations

import numpy as np
import pytest

import fanin as fi
from fanin.stats import summarize_bfloat16


def test_subnormals_are_those_of_the_type():
    tiny = np.array([1, 0x80, 0x81, 0x8001], np.uint16)  # in bfloat16: a subnormal, two normal numbers, a subnormal
    assert summarize_bfloat16(tiny).subnormals == 2
    ml_dtypes = pytest.importorskip("ml_dtypes")
    assert fi.summarize(tiny.view(ml_dtypes.bfloat16)).subnormals == 2
    assert fi.summarize(np.array([1, 0x400], np.uint16).view(np.float16)).subnormals == 1
    assert fi.summarize(np.array([1, 0x400], np.uint16).view(np.float16).astype("float32")).subnormals == 0


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
@pytest.mark.parametrize("mask", [0xFFFF, 0x83FF, 0x801F])  # all patterns; of float16 the subnormals, and the least of them
@pytest.mark.parametrize("size", [31, 33, 513, 4096, 65536])
def test_every_16_bit_pattern_is_counted_as_its_float32(name, mask, size, everywhere):
    dtype = np.float16 if name == "float16" else pytest.importorskip("ml_dtypes").bfloat16
    x = (np.random.default_rng(0).permutation(65536)[:size].astype(np.uint16) & np.uint16(mask)).view(dtype)
    with np.errstate(invalid="ignore"):
        wide = x.astype(np.float32)
    size = np.abs(wide)
    subnormals = int(((size > 0) & (size < (2.0**-14 if name == "float16" else 2.0**-126))).sum())
    for where in everywhere(1):
        for options in ({}, {"bins": 9, "range": (-1, 1)}):
            found, wanted = (fi.summarize(one, **options).to_dict() for one in (x, wide))
            assert found.pop("subnormals") == subnormals, where
            wanted.pop("subnormals")
            assert repr(found) == repr(wanted), where  # NaN is itself
