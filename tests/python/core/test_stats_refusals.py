"""What summarize refuses, word for word."""

from __future__ import annotations

import math

import numpy as np
import pytest

import fanin as fi


class Foreign:
    """An array of a library that speaks DLPack alone."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **_):
        return self.array.__dlpack__()

    def __dlpack_device__(self):
        return 1, 0


NATIVE = "TypeError: x must hold native real numbers of at most 64 bits, got"
DTYPES = "TypeError: x must have dtype float32, float64, float16 or bfloat16, or integers"
FLOATS = 'write x.astype("float64")'


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([1.0], 'TypeError: x must be an array, got list: write numpy.asarray(x, dtype="float64")'),
        (np.zeros(3, complex), f"{NATIVE} complex128: {FLOATS}"),
        (np.zeros(3, "longdouble"), f"{NATIVE} float128: {FLOATS}"),
        (np.zeros(3, ">f4"), f"{NATIVE} >f4: {FLOATS}"),
        (np.zeros(3, "datetime64[s]"), f"{NATIVE} datetime64[s]: {FLOATS}"),
        (np.zeros(3, "V9"), f"{NATIVE} |V9: {FLOATS}"),
        (np.zeros(3, "V2"), f"{NATIVE} dtype |V2"),
        (
            np.ma.masked_less(np.zeros(3), 1),
            "TypeError: x must be a plain array, got a masked one: write x.compressed() or x.filled(numpy.nan)",
        ),
        (
            Foreign(np.zeros(3, complex)),
            f"{DTYPES}, got DLPack type code 5 of 128 bits",
        ),
    ],
)
def test_wrong_types(said, x, message):
    assert said(lambda: fi.summarize(x)) == message


RANGE = "ValueError: range must be (low, high), finite with low < high, got"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"bins": 4},
            'ValueError: range must be given with bins=4: write range=(-1, 1), or bins="powers" where none is known',
        ),
        ({"range": (0, 1)}, "ValueError: bins must be a number where range is given, got bins='powers': write bins=64"),
        (
            {"bins": None, "range": (0, 1)},
            "ValueError: bins must be a number where range is given, got bins=None: write bins=64",
        ),
        ({"bins": "auto"}, "ValueError: bins must be a number, \"powers\" or None, got 'auto'"),
        ({"bins": 2.5, "range": (0, 1)}, 'TypeError: bins must be a number, "powers" or None, got 2.5'),
        ({"bins": 0, "range": (0, 1)}, "ValueError: bins must be in 1 .. 65536, got 0"),
        ({"bins": 65537, "range": (0, 1)}, "ValueError: bins must be in 1 .. 65536, got 65537"),
        ({"bins": 4, "range": (1, 0)}, f"{RANGE} (1, 0)"),
        ({"bins": 4, "range": (0, math.nan)}, f"{RANGE} (0, nan)"),
        ({"bins": 4, "range": (0, math.inf)}, f"{RANGE} (0, inf)"),
        ({"bins": 4, "range": 3}, "ValueError: range must be (low, high), two numbers, got 3"),
        ({"moments": "three"}, 'ValueError: moments must be "all" or "two", got \'three\''),
        ({"saturation": 3}, "ValueError: saturation must be (low, high), two numbers, got 3"),
    ],
)
def test_wrong_options(said, options, message):
    assert said(lambda: fi.summarize(np.zeros(3), **options)) == message


def test_a_range_narrower_than_its_numbers():
    with pytest.raises(ValueError, match="range must be wide enough"):
        fi.summarize(np.zeros(3), bins=64, range=(1, 1 + 1e-15))
