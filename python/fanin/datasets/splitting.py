"""Rows held out after one permutation, and columns scaled by what the training rows say."""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fanin import _core
from fanin.datasets.files import Data
from fanin.random import seed_number
from fanin.stats import summarize

SCALES = ("none", "standard", "unit")


class Split(NamedTuple):
    """The two parts of a data set."""

    train: Data
    held_out: Data


def split(x: ArrayLike, y: ArrayLike, held_out: float = 0.2, seed: int = 0) -> Split:
    """Hold a part of the data out, after one permutation drawn from the seed.

    Parameters
    ----------
    x, y : array_like, shape (n, ...)
        Rows that belong together.
    held_out : float or int
        A fraction in (0, 1) of the rows, rounded to a whole number of them; or that number, an integer in 1 .. n - 1.
    seed : int
        In [0, 2^64). The permutation depends on n and the seed alone; its last rows are held out.

    Returns
    -------
    Split
        ``train`` and ``held_out``, copies, each a `Data`.

    Raises
    ------
    TypeError, ValueError
        If x and y differ in length, or `held_out` or `seed` is of another type or out of range.

    Examples
    --------
    >>> from fanin import datasets
    >>> train, held_out = datasets.split(*datasets.circle(100), held_out=0.2, seed=3)
    >>> train.x.shape, held_out.x.shape
    ((80, 2), (20, 2))
    """
    x, y = np.asarray(x), np.asarray(y)
    if x.ndim == 0 or y.ndim == 0 or len(x) != len(y):
        raise ValueError(f"x and y must have the same number of rows, got shapes {x.shape} and {y.shape}")
    held = _held_out_rows(len(x), held_out)
    order = np.empty(len(x), np.int64)
    _core.permutation(order, seed_number(seed), _core.own_stream("fanin/datasets/split"), 0)
    train, rest = order[: len(x) - held], order[len(x) - held :]
    return Split(Data(x[train], y[train]), Data(x[rest], y[rest]))


_NEEDS_SKLEARN = "this data set needs scikit-learn: pip install 'fanin[report]'"

# Random numbers of one point. All sets take the same, used or not, so that their streams are laid out alike.
_NUMBERS = 4


def _held_out_rows(n: int, held_out: float) -> int:
    try:
        held = operator.index(held_out)  # type: ignore[arg-type]  # an integer counts rows
    except TypeError:
        if not isinstance(held_out, (float, np.floating)):
            raise TypeError(f"held_out must be a fraction in (0, 1) or a number of rows, got {held_out!r}") from None
        if not 0 < held_out < 1:
            raise ValueError(f"held_out must be a fraction in (0, 1) or an integer number of rows, got {held_out!r}") from None
        held = round(n * float(held_out))
    if not 1 <= held < n:
        raise ValueError(
            f"held_out must be 1 to {n - 1} of {n} rows, so that both parts have one, got {held_out!r} ({held} rows)"
        )
    return held


def scaled(how: str, train: NDArray[Any], held_out: NDArray[Any], *, own: bool = False) -> tuple[NDArray[Any], NDArray[Any]]:
    """Shift and scale columns by what the training rows say; a constant column is only shifted.

    Parameters
    ----------
    how : str
        "standard": mean 0 and variance 1; "unit": from 0 to 1; "none": as they are.
    train, held_out : array, shape (n, columns)
        Finite numbers.
    own : bool
        Whether the arrays may be changed in place, where they hold float64.

    Returns
    -------
    train, held_out : array
        float64, unless `how` is "none".

    Raises
    ------
    ValueError
        If `how` is another word, or a mean or a width overflows: the column would come out as zeros.
    """
    if how not in SCALES:
        raise ValueError(f"scale must be one of {', '.join(SCALES)}, got {how!r}")
    if how == "none":
        return train, held_out
    train, held_out = (part.astype(np.float64, copy=not own) for part in (train, held_out))
    of = summarize(train, axis=0)
    low, high = np.asarray(of.min), np.asarray(of.max)
    with np.errstate(over="ignore"):
        reach = high - low
    if not np.isfinite(reach).all():
        raise ValueError(f"scale {how}: the numbers are too large, up to {max(high.max(), -low.min()):.3g}")
    # Columns whose squares would under- or overflow are brought near 1 by a power of two, which is exact.
    largest = np.maximum(np.abs(low), np.abs(high))
    power = np.where((largest > 0) & ((largest < 1e-100) | (largest > 1e100)), -np.frexp(largest)[1], 0)
    if power.any():
        with np.errstate(over="ignore"):  # of held-out numbers, refused below
            train, held_out = np.ldexp(train, power), np.ldexp(held_out, power)
        of = summarize(train, axis=0)
        low, high = np.asarray(of.min), np.asarray(of.max)
    centre, width = (low, high - low) if how == "unit" else (np.asarray(of.mean), np.asarray(of.std))
    width = np.where((high > low) & (width > 0), width, np.where(high > low, high - low, 1.0))
    with np.errstate(over="ignore"):
        for part in (train, held_out):
            part -= centre
            part /= width
    if not (np.isfinite(train).all() and np.isfinite(held_out).all()):
        raise ValueError(f"scale {how}: a held-out number is too far from the training rows to be scaled")
    return train, held_out
