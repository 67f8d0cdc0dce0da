"""Raw draws into an existing array. PyTorch's and NumPy's own generators have other streams: there the moments are compared."""

from __future__ import annotations

import numpy as np
import pytest

from fanin import _core
from fanin.verify import reference

SEED, STREAM = 7, 11


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("law", ["normal", "uniform"])
def bench_against_the_reference(race, law, dtype):
    n = 1 << 16
    out = np.empty(n, dtype)

    def fanin():
        if law == "normal":
            _core.fill_normal(out, SEED, STREAM, 0, 0.0, 1.0)
        else:
            _core.fill_uniform(out, SEED, STREAM, 0, -1.0, 1.0)
        return out

    same = reference.standard_normal if law == "normal" else reference.standard_uniform
    # 35 eps: tests/python/test_reference.py says why.
    race(
        f"{law} {dtype} 2^16, the same numbers",
        fanin=fanin,
        numpy=lambda: same(n, SEED, STREAM, 0, dtype),
        atol=35 * np.finfo(dtype).eps,
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("law", ["normal", "uniform"])
def bench_against_other_generators(race, torch, law, dtype):
    n = 1 << 20
    ours, theirs = np.empty(n, dtype), np.empty(n, dtype)
    generator = np.random.Generator(np.random.Philox(SEED))
    tensor = torch and torch.from_numpy(theirs)
    calls = {
        "normal": (
            lambda: _core.fill_normal(ours, SEED, STREAM, 0, 0.0, 1.0),
            lambda: generator.standard_normal(dtype=dtype, out=theirs),
            torch and tensor.normal_,
        ),
        "uniform": (
            lambda: _core.fill_uniform(ours, SEED, STREAM, 0, 0.0, 1.0),
            lambda: generator.random(dtype=dtype, out=theirs),
            torch and tensor.uniform_,
        ),
    }
    fanin, numpy, pytorch = calls[law]
    mean, std = (0, 1) if law == "normal" else (0.5, 12**-0.5)
    for call, out in ((fanin, ours), (numpy, theirs), (pytorch, theirs)):
        if call is not None:
            call()
            # Five standard errors of the mean and (kurtosis at most 3) of the standard deviation.
            assert abs(out.mean(dtype=np.float64) - mean) < 5 * std * n**-0.5
            assert abs(out.std(dtype=np.float64) / std - 1) < 5 * (2 * n) ** -0.5
    race(f"{law} {dtype} 2^20, own generators", fanin=fanin, numpy=numpy, torch=pytorch, check=False)


def bench_permutation(race, torch):
    n = 60_000
    out = np.empty(n, np.int64)
    generator = np.random.Generator(np.random.Philox(SEED))

    def fanin():
        _core.permutation(out, SEED, STREAM, 0)

    fanin()
    np.testing.assert_array_equal(np.sort(out), np.arange(n))
    race(
        "permutation of 60 000",
        fanin=fanin,
        numpy=lambda: generator.permutation(n),
        torch=torch and (lambda: torch.randperm(n)),
        check=False,
    )
