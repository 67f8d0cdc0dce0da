"""Summaries of arrays: moments to the fourth, extremes, counts of special values, histogram."""

from __future__ import annotations

import numpy as np
import pytest

import fanin as fi
from fanin.verify import reference

SIZES = {"128 x 500": (128, 500), "2^20": (1 << 20,)}


def array(shape, dtype):
    return np.random.default_rng(1).normal(size=shape).astype(dtype)


def fields(s):
    """Moments, and the counts of the histogram where there is one."""
    get = s.get if isinstance(s, dict) else lambda name, default=None: getattr(s, name, default)
    histogram = get("histogram")
    counts = [] if histogram is None else [getattr(histogram, "counts", histogram)]
    return [get(name) for name in ("mean", "var", "min", "max", "skewness", "kurtosis")] + counts


@pytest.mark.parametrize("bins", [None, 64], ids=["no histogram", "64 bins"])
@pytest.mark.parametrize("size", SIZES)
def bench_summarize(race, torch, size, bins):
    x = array(SIZES[size], "float32")
    span = None if bins is None else (-4.0, 4.0)
    pytorch = None
    if torch:
        tensor = torch.from_numpy(x)

        def pytorch():
            # Float64 sums where PyTorch offers them without a copy; central moments need a pass of their own.
            var, mean = torch.var_mean(tensor, correction=0)
            centred = tensor - mean
            square = centred * centred
            third, fourth = (square * centred).mean(dtype=torch.float64), (square * square).mean(dtype=torch.float64)
            low, high = torch.aminmax(tensor)
            found = [mean, var, low, high, third / var**1.5, fourth / var**2]
            return found if bins is None else [*found, torch.histc(tensor, bins, *span)]

    # PyTorch sums in float32, in a tree: its moments agree to 1e-4. Its histogram decides a bin in float32: an element on an
    # edge may fall beside it, so counts agree to 8.
    if torch:
        for a, b in zip(fields(fi.summarize(x, bins=bins, range=span)), pytorch(), strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-4 if np.ndim(a) == 0 else 8)
    expected = fields(reference.summarize(x, bins, span))
    for a, b in zip(fields(fi.summarize(x, bins=bins, range=span)), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
    race(
        f"summarize {size}, " + ("moments to the fourth" if bins is None else f"and {bins} bins"),
        fanin=lambda: fi.summarize(x, bins=bins, range=span),
        numpy=lambda: reference.summarize(x, bins, span),
        torch=pytorch,
        check=False,
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def bench_two_moments(race, torch, dtype):
    x = array(1 << 20, dtype)
    pytorch = None
    if torch:
        tensor = torch.from_numpy(x)

        def pytorch():
            var, mean = torch.var_mean(tensor, correction=0)
            return [mean, var, *torch.aminmax(tensor)]

    def fanin():
        s = fi.summarize(x, bins=None, moments="two")
        return [s.mean, s.var, s.min, s.max]

    race(
        f"mean, var, min, max of 2^20 {dtype}",
        fanin=fanin,
        numpy=lambda: [x.mean(), x.var(), x.min(), x.max()],
        torch=pytorch,
        rtol=1e-4,  # NumPy and PyTorch sum in the dtype, in a tree
        atol=1e-5,
    )
