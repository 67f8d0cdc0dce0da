"""How a layer represents a batch: how many directions it uses, how alike its inputs have become, which units are copies."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fanin.dense import dense_forward
from fanin.stats import summarize
from fanin.theory.integrals.scatter import evenly

ROWS = 1024  # of a larger batch, so many rows are looked at, evenly spaced


def similarity(a: NDArray[Any], top: float) -> tuple[float | None, float | None]:
    """Return the effective rank of a batch of representations, and the mean cosine between two of them.

    Parameters
    ----------
    a : ndarray, shape (batch, units), float32 or float64
        Of more than 1024 rows, 1024 evenly spaced ones are used.
    top : float
        Its largest magnitude; NaN or infinite where an element is.

    Returns
    -------
    rank : float or None
        tr(G)^2 / ||G||_F^2 of the Gram matrix G = a a^T: from 1, all representations parallel, to min(batch, units). None
        where all are 0 or one is not finite.
    cosine : float or None
        Mean over the pairs of different rows of G_ij / sqrt(G_ii G_jj), without rows of zeros; None if fewer than two are left.
    """
    if not (0 < top < math.inf):
        return None, None
    rows = a if len(a) <= ROWS else evenly(a, ROWS)
    if not 1e-9 < top < 1e9:
        rows = (rows / top).astype(rows.dtype)  # squares of squares would leave the range of float32
    tall = rows.shape[0] > rows.shape[1]
    side = rows.T if tall else rows
    gram = dense_forward(side, side, keep_z=False).a  # a^T a has the same trace and norm
    size = summarize(gram, bins=None, moments="two")
    if size.rms == 0:  # the rows that were taken are all 0
        return None, None
    rank = float(np.trace(gram, dtype=np.float64)) ** 2 / (size.count * float(size.rms) ** 2)
    squares = np.einsum("ij,ij->i", rows, rows) if tall else np.diagonal(gram)
    alive = squares > 0
    count = int(alive.sum())
    if count < 2:
        return rank, None
    unit = np.where(alive, 1 / np.sqrt(np.where(alive, squares, 1)), 0).astype(rows.dtype)
    # The sum over all pairs is the squared length of the sum of the unit vectors.
    total = float(np.square(unit @ rows, dtype=np.float64).sum()) if tall else float(unit @ (gram @ unit))
    return rank, min(max((total - count) / (count * (count - 1)), -1.0), 1.0)


def dead(a: NDArray[Any], zeros: int) -> float:
    """Return the fraction of the units that are 0 for every input; `zeros` counts the zeros of all."""
    return float(np.mean(~a.any(axis=0))) if zeros >= a.shape[0] else 0.0


def twins(w: NDArray[Any], b: NDArray[Any] | None, dw: NDArray[Any] | None) -> int:
    """Units whose weights, bias and gradient are those of another unit, bit for bit (-0 equals 0)."""
    column = np.sort(w[:, 0])
    if not (column[1:] == column[:-1]).any() and not np.isnan(column).any():
        return 0
    _, inverse, counts = np.unique(w[:, 0], return_inverse=True, return_counts=True)
    alike = np.flatnonzero(counts[inverse.reshape(-1)] > 1)
    if not alike.size:
        return 0
    units = np.concatenate([v[alike].reshape(alike.size, -1) for v in (w, b, dw) if v is not None], axis=1) + 0  # no -0
    return sum(count for count in Counter(unit.tobytes() for unit in units).values() if count > 1)


def neighbours(x: NDArray[Any]) -> float | None:
    """Return the median correlation, over the batch, of neighbouring inputs (columns) that both vary; None without any.

    Of more than 1024 rows, 1024 evenly spaced ones are used.
    """
    if x.shape[0] < 2 or x.shape[1] < 2:
        return None
    rows = x if len(x) <= ROWS else evenly(x, ROWS)
    centred = rows - rows.mean(axis=0)
    squares = np.einsum("ij,ij->j", centred, centred)
    varies = (squares[1:] > 0) & (squares[:-1] > 0)
    if not varies.any():
        return None
    products = np.einsum("ij,ij->j", centred[:, 1:], centred[:, :-1])
    return float(np.median(products[varies] / np.sqrt(squares[1:][varies] * squares[:-1][varies])))
