"""Summaries of arrays: counts, moments to the fourth, extremes and a histogram, in one pass; two summaries add up to one."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any, Literal, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from fanin import _core
from fanin._core import Histogram, Summary, SummaryOptions

__all__ = ["Histogram", "Summary", "SummaryOptions", "stats_options", "summarize", "summary_options"]

Bins = SupportsIndex | Literal["powers"] | None
Range = Sequence[float] | None


def summarize(
    x: NDArray[np.floating[Any]],
    *,
    bins: Bins = "powers",
    range: Range = None,  # noqa: A002
    moments: Literal["all", "two"] = "all",
) -> Summary:
    """Summarize an array in one pass.

    Parameters
    ----------
    x : ndarray, float32 or float64
        Any shape and any strides; only read. Sums are in float64.
    bins : int, "powers" or None
        The number of equal bins over `range`, at most 65536; signed powers of two (the default, where no range is known);
        or no histogram.
    range : (low, high), optional
        Finite, low < high; goes with a number of bins. Elements outside are counted as `below` and `above`.
    moments : {"all", "two"}
        "two" leaves out the third and fourth: `m3`, `m4`, `skewness` and `kurtosis` are then NaN.

    Returns
    -------
    Summary
        ``count nans infs zeros subnormals mean var std rms min max skewness kurtosis histogram``. Moments, extremes and
        histogram are those of the finite elements; kurtosis is 3 for a normal law; variances divide by n.

    Raises
    ------
    TypeError
        If `x` is no array of float32 or float64.
    ValueError
        If `bins`, `range` and `moments` do not fit together.

    Notes
    -----
    **Reproducibility.** The same shape and elements give the same bits on every CPU, at any number of threads and for any
    strides. ``summarize(a) + summarize(b)`` has the counts, extremes and histogram of the whole exactly, and its moments
    up to rounding: the sum of (x - mean)^r within 1e-13 n std^r.

    A linear histogram equals ``numpy.histogram(x.astype("float64"), bins, range)``.

    Examples
    --------
    >>> import numpy as np
    >>> import fanin as fi
    >>> x = np.array([[0.5, -1.5], [0.0, 3.0]])
    >>> s = fi.summarize(x, bins=4, range=(-2, 2))
    >>> s.mean, s.var, s.zeros
    (0.5, 2.625, 1)
    >>> s.histogram.counts.tolist(), s.histogram.above
    ([1, 0, 2, 0], 1)
    >>> (fi.summarize(x[:1]) + fi.summarize(x[1:])).mean
    0.5
    """
    if not isinstance(x, np.ndarray):
        raise TypeError(f'x must be an array, got {type(x).__name__}: write numpy.asarray(x, dtype="float64")')
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError("x must be a plain array, got a masked one: write x.compressed() or x.filled(numpy.nan)")
    if x.dtype not in (np.float32, np.float64):
        raise TypeError(f'x must have dtype float32 or float64, got {x.dtype}: write x.astype("float64")')
    return _core.summarize(x, summary_options(bins=bins, range=range, moments=moments))


def summary_options(
    *,
    bins: Bins = "powers",
    range: Range = None,  # noqa: A002
    moments: Literal["all", "two"] = "all",
) -> SummaryOptions:
    """Check the options of `summarize` and put them into one object."""
    if moments not in ("all", "two"):
        raise ValueError(f'moments must be "all" or "two", got {moments!r}')
    moments_only = moments == "two"
    if bins is None or isinstance(bins, str):
        if bins not in (None, "powers"):
            raise ValueError(f'bins must be a number, "powers" or None, got {bins!r}')
        if range is not None:
            raise ValueError(f"bins must be a number where range is given, got bins={bins!r}: write bins=64")
        return SummaryOptions(moments_only=moments_only, histogram=bins or "none")
    try:
        number = operator.index(bins)
    except TypeError:
        raise TypeError(f'bins must be a number, "powers" or None, got {bins!r}') from None
    if range is None:
        raise ValueError(f'range must be given with bins={number}: write range=(-1, 1), or bins="powers" where none is known')
    try:
        low, high = (float(end) for end in range)
    except (TypeError, ValueError):
        raise ValueError(f"range must be (low, high), two numbers, got {range!r}") from None
    return SummaryOptions(moments_only=moments_only, histogram="linear", bins=number, low=low, high=high)


def stats_options(stats: bool | str | Mapping[str, Any]) -> SummaryOptions | None:
    """Read the argument ``stats=`` of whatever measures on the way.

    Parameters
    ----------
    stats : bool, "moments" or mapping
        False: nothing (None is returned). True: everything, the histogram over signed powers of two. "moments": count,
        mean, var, min and max. A mapping: keyword arguments of `summarize`.
    """
    if isinstance(stats, Mapping):
        unknown = sorted(set(stats) - {"bins", "range", "moments"})
        if unknown:
            raise ValueError(f"stats must have the keys bins, range and moments only, got {unknown[0]!r}")
        return summary_options(**stats)
    if isinstance(stats, str) and stats == "moments":
        return summary_options(bins=None, moments="two")
    if isinstance(stats, (bool, np.bool_)):
        return summary_options() if stats else None
    raise ValueError(f'stats must be True, False, "moments" or dict(bins=, range=), got {stats!r}')
