"""tests/cpp/known_math.hpp, against which the C++ tests hold the elementary functions, computed anew in 60 digits."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from mpmath import mp, mpf

HEADER = Path(__file__).resolve().parents[2] / "cpp" / "known_math.hpp"
FUNCTIONS = {
    "exp": mp.exp,
    "log": mp.log,
    "log1p": mp.log1p,
    "tanh": mp.tanh,
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "erf": mp.erf,
    "sin_turns": lambda x: mp.sinpi(2 * x),
    "cos_turns": lambda x: mp.cospi(2 * x),
    "tanh_derivative": lambda x: mp.sech(x) ** 2,
    "sigmoid_derivative": lambda x: 1 / (2 + mp.exp(x) + mp.exp(-x)),
}
ROWS = re.findall(r'^    \{"(\w+)", (-?0x[^,]+), (-?[\d.e+-]+)L\},$', HEADER.read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_rows(name: str) -> None:
    rows = [(float.fromhex(x), value) for function, x, value in ROWS if function == name]
    assert len(rows) >= 10
    with mp.workdps(60):
        for x, value in rows:
            assert float(np.float32(x)) == x
            assert value == mp.nstr(FUNCTIONS[name](mpf(x)), 30, min_fixed=1, max_fixed=0)


def test_every_row_is_read() -> None:
    assert len(ROWS) == HEADER.read_text().count("0x")
    assert {name for name, _, _ in ROWS} == set(FUNCTIONS)
