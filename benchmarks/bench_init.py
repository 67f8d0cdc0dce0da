"""Weights into an existing array. Other libraries have other streams: their moments are compared."""

from __future__ import annotations

import numpy as np
import pytest

import fanin as fi
from fanin.verify import reference


def bench_against_the_reference(race):
    shape = (300, 784)
    out = np.empty(shape, np.float32)
    stream = fi.random.stream_id("0.weight")
    std = reference.law_std("he_normal", 784, 300)
    race(
        "he_normal 300 x 784, the same numbers",
        fanin=lambda: fi.init.he_normal(shape, seed=7, stream="0.weight", out=out),
        numpy=lambda: std * reference.standard_normal(out.size, 7, stream).reshape(shape),
        atol=35 * np.finfo(np.float32).eps * std,  # tests/python/test_reference.py says why
    )


@pytest.mark.parametrize("law", ["normal", "uniform"])
def bench_fill(race, torch, law):
    n = 1 << 24
    out = np.empty((n >> 12, 1 << 12), np.float32)
    generator = np.random.Generator(np.random.SFC64(7))  # NumPy's fastest
    fanin, numpy = {
        "normal": (
            lambda: fi.init.normal(out.shape, seed=7, stream=0, out=out),
            lambda: generator.standard_normal(dtype=np.float32, out=out),
        ),
        "uniform": (
            lambda: fi.init.uniform(out.shape, low=0.0, high=1.0, seed=7, stream=0, out=out),
            lambda: generator.random(dtype=np.float32, out=out),
        ),
    }[law]
    tensor = torch and torch.from_numpy(out)
    pytorch = torch and (tensor.normal_ if law == "normal" else tensor.uniform_)
    mean, std = (0, 1) if law == "normal" else (0.5, 12**-0.5)
    for call in (fanin, numpy, pytorch):
        if call is not None:
            call()
            # Five standard errors of the mean and (kurtosis at most 3) of the standard deviation.
            assert abs(out.mean(dtype=np.float64) - mean) < 5 * std * n**-0.5
            assert abs(out.std(dtype=np.float64) / std - 1) < 5 * (2 * n) ** -0.5
    race(f"{law} float32 2^24, own generators", fanin=fanin, numpy=numpy, torch=pytorch, check=False)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(1024, 1024), (300, 784)])
def bench_orthogonal(race, torch, shape, dtype):
    out = np.empty(shape, dtype)
    generator = np.random.Generator(np.random.SFC64(7))
    tensor = torch and torch.from_numpy(np.empty(shape, dtype))

    def numpy():
        q, r = np.linalg.qr(generator.standard_normal(shape[::-1], dtype=np.dtype(dtype)))
        return (q * np.sign(np.diag(r))).T

    def fanin():
        return fi.init.orthogonal(shape, seed=7, stream=0, out=out)

    pytorch = torch and (lambda: torch.nn.init.orthogonal_(tensor))
    for call in (fanin, numpy, pytorch):
        if call is not None:
            w = np.asarray(call(), np.float64)
            np.testing.assert_allclose(w @ w.T, np.eye(shape[0]), atol=1e-5 if dtype == "float32" else 1e-13)
    case = f"orthogonal {dtype} {shape[0]} x {shape[1]}"
    race(case, fanin=fanin, numpy=numpy, torch=pytorch, check=False)


def bench_small(race, torch):
    shape = (3, 3)
    out = np.empty(shape, np.float32)
    tensor = torch and torch.empty(shape)
    race(
        "he_normal 3 x 3, the call itself",
        fanin=lambda: fi.init.he_normal(shape, seed=7, stream=0, out=out),
        numpy=lambda: (2 / 3) ** 0.5 * reference.standard_normal(9, 7, 0).reshape(shape),
        torch=torch and (lambda: torch.nn.init.kaiming_normal_(tensor, nonlinearity="relu")),
        check=False,
    )
