"""2^28 float32 normals: moments within 5 standard errors, and the tails, which moments cannot see."""

from __future__ import annotations

import math

import numpy as np
import pytest

import fanin as fi

# Expected counts beyond 4, 4.5, 5 and 5.5, and the bounds of 5 standard errors
TAILS = {4.0: (17003, 17003 - 650, 17003 + 650), 4.5: (1824, 1824 - 215, 1824 + 215), 5.0: (153.9, 97, 220), 5.5: (10.2, 1, 28)}


@pytest.mark.slow
def test_normals(literature):
    n, step = 2**28, 2**24
    counts, whole = dict.fromkeys(TAILS, 0), None
    for first in range(0, n, step):
        z = fi.init.normal((n,), seed=16, stream="tails", block=(slice(first, first + step),))
        part = fi.summarize(z, bins=None)
        whole = part if whole is None else whole + part
        far = np.abs(z[np.abs(z) > min(TAILS)])
        for bound in TAILS:
            counts[bound] += int(np.count_nonzero(far > bound))
    for bound, (computed, low, high) in TAILS.items():
        expected = n * math.erfc(bound / math.sqrt(2))
        within = high - computed if counts[bound] > computed else computed - low
        literature.check(f"|z| > {bound} of 2^28", counts[bound], computed=computed, expected=expected, within=within)
    moments = (("mean", 0.0, 6.1e-5), ("var", 1.0, 8.6e-5), ("skewness", 0.0, 1.5e-4), ("kurtosis", 3.0, 3.0e-4))
    for name, expected, error in moments:
        literature.check(f"{name} of 2^28 normals", getattr(whole, name), expected=expected, within=5 * error)
