"""Moments and bounds of the initializers (Glorot and Bengio 2010, eq. 1, 12, 16; He et al. 2015, eq. 10; LeCun).

Matrices of 1000 x 800, N = 8e5 elements: the variance within 5 sqrt((kappa - 1) / N) of the target (normal 0.79 %, uniform
0.50 %, truncated 0.65 %), the mean within 5 sigma / sqrt(N), no element beyond the bound, and Kolmogorov and Smirnov's
p > 1e-6.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import kstwobign

import fanin as fi

N_OUT, N_IN = 1000, 800
N = N_OUT * N_IN
KAPPA = {"normal": 3.0, "uniform": 1.8, "truncated": 2.3655366171}
TWO_SIGMA = 0.8796256610342398

VARIANCES = {
    "xavier": ("", 1 / N_IN),  # the article's rule
    "xavier fan_out": ("mode=fan_out", 1 / N_OUT),
    "glorot": ("", 2 / (N_IN + N_OUT)),  # eq. 12 and 16
    "he": ("", 2 / N_IN),  # eq. 10
    "he fan_out": ("mode=fan_out", 2 / N_OUT),
    "lecun": ("", 1 / N_IN),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", ["normal", "uniform", "truncated"])
@pytest.mark.parametrize("scale", VARIANCES)
def test_moments_bounds_and_distribution(scale: str, shape: str, dtype: str) -> None:
    parameters, variance = VARIANCES[scale]
    law = fi.init.law(f"{scale.split()[0]}_{shape}({parameters})")
    check(law, shape, variance, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_standard_heuristic(dtype: str) -> None:
    check(fi.init.law("fan_in_uniform"), "uniform", 1 / (3 * N_IN), dtype)  # eq. 1


def check(law: fi.init.Law, shape: str, variance: float, dtype: str) -> None:
    w = law((N_OUT, N_IN), seed=2, stream="anchor", dtype=dtype).astype(np.float64).reshape(-1)
    sigma = sqrt(variance)
    assert abs(w.var() / variance - 1) <= 5 * sqrt((KAPPA[shape] - 1) / N)
    assert abs(w.mean()) <= 5 * sigma / sqrt(N)
    bound = {"normal": np.inf, "uniform": sqrt(3) * sigma, "truncated": 2 * sigma / TWO_SIGMA}[shape]
    assert np.abs(w).max() <= bound * (1 + 1e-15)
    assert law.moments((N_OUT, N_IN)).variance == pytest.approx(variance, rel=1e-14)
    w.sort()
    if shape == "uniform":
        p = (w / bound + 1) / 2
    else:
        z = w / (sigma if shape == "normal" else sigma / TWO_SIGMA)
        p = ndtr(z) if shape == "normal" else (ndtr(z) - ndtr(-2)) / (ndtr(2) - ndtr(-2))
    steps = np.arange(N) / N
    distance = max((p - steps).max(), (steps + 1 / N - p).max())
    assert kstwobign.sf(sqrt(N) * distance) > 1e-6
