"""The summary of a Dask array: one of every chunk, where it lies, merged by a tree."""

from __future__ import annotations

from typing import Any

import dask
import dask.array as da

from fanin.stats import Summary
from fanin.stats import summarize as of_chunk


def summarize(
    x: da.Array,
    *,
    bins: Any = "default",
    range: Any = None,  # noqa: A002
    moments: Any = "all",
    saturation: Any = None,
) -> Summary:
    """Summarize a Dask array; chunks never leave their workers, their summaries do.

    Parameters are those of `fanin.summarize` but for `axis`. The chunks merge pairwise in C order, so that the bits depend on
    the array and its chunks alone, not on the workers. Counts, extremes and histogram are exactly those of the whole, moments
    up to rounding.

    Examples
    --------
    >>> import fanin as fi
    >>> from fanin.interop.dask import array, summarize
    >>> x = array("normal", 100_000, seed=7, stream="x", chunks=10_000)
    >>> found, whole = summarize(x), fi.summarize(x.compute())
    >>> found.min == whole.min, abs(found.std - whole.std) < 1e-12
    (True, True)
    """
    if not isinstance(x, da.Array):
        raise TypeError(f"x must be a Dask array, got {type(x).__name__}: fanin.summarize takes others")
    options = {"bins": bins, "range": range, "moments": moments, "saturation": saturation}
    parts = [dask.delayed(of_chunk)(chunk, **options) for chunk in x.to_delayed().reshape(-1)]
    while len(parts) > 1:
        pairs = zip(parts[::2], parts[1::2], strict=False)
        parts = [*(dask.delayed(_merged)(left, right) for left, right in pairs), *parts[len(parts) - len(parts) % 2 :]]
    found: Summary = parts[0].compute()
    return found


def _merged(left: Summary, right: Summary) -> Summary:
    return left + right
