"""Summaries of arrays: counts, moments to the fourth, extremes and a histogram, in one pass; two summaries add up to one."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, SupportsIndex, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from fanin import _core
from fanin._core import Histogram, Quantile, Summary, SummaryOptions
from fanin.common import foreign, require

__all__ = [
    "Histogram",
    "Quantile",
    "Summaries",
    "Summarizer",
    "Summary",
    "SummaryOptions",
    "stats_options",
    "summarize",
    "summary_options",
]

Bins: TypeAlias = SupportsIndex | Literal["default", "powers"] | None
Range: TypeAlias = Sequence[float] | None
Axis: TypeAlias = SupportsIndex | Sequence[SupportsIndex] | None


@overload
def summarize(
    x: Any,
    *,
    axis: None = None,
    bins: Bins = "default",
    range: Range = None,
    moments: Literal["all", "two"] = "all",
    saturation: Range = None,
) -> Summary: ...
@overload
def summarize(
    x: Any,
    *,
    axis: SupportsIndex | Sequence[SupportsIndex],
    bins: Bins = "default",
    range: Range = None,
    moments: Literal["all", "two"] = "all",
    saturation: Range = None,
) -> Summaries: ...


def summarize(
    x: Any,
    *,
    axis: Axis = None,
    bins: Bins = "default",
    range: Range = None,  # noqa: A002
    moments: Literal["all", "two"] = "all",
    saturation: Range = None,
) -> Summary | Summaries:
    """Summarize an array in one pass, the whole of it or along axes.

    Parameters
    ----------
    x : array
        Real numbers of any dtype, of any library on the CPU (DLPack, the buffer protocol or ``__array__``). Any shape and any
        strides; only read (an array that is not aligned is copied). Sums are in float64. float16, bfloat16 and integers are
        read as they are and widened block by block: the summary is that of the same values in float32, of integers of 32 and
        64 bits in float64, and `subnormals` are those of x's own dtype.
    axis : int or tuple of int, optional
        The axes that each summary runs over, as in NumPy: of a batch (rows, units), 0 gives a summary for each unit and 1 one
        for each row. Left out: one summary of the whole.
    bins : int, "powers" or None
        The number of equal bins over `range`, at most 65536; signed powers of two, where no range is known; or no histogram.
        Left out: powers, and with `axis` none (each histogram takes 4 KiB).
    range : (low, high), optional
        Finite, low < high; goes with a number of bins. Elements outside are counted as `below` and `above`.
    moments : {"all", "two"}
        "two" leaves out the third and fourth: `m3`, `m4`, `skewness` and `kurtosis` are then NaN.
    saturation : (low, high), optional
        Count the elements below low or above high as `saturated`; see `fanin.activation` for where an activation saturates.

    Returns
    -------
    Summary, or Summaries with `axis`
        ``count nans infs zeros subnormals mean var std rms min max skewness kurtosis saturated histogram``, and
        ``quantile(q)``. Moments, extremes and histogram are those of the finite elements; kurtosis is 3 for a normal law;
        variances divide by n. Summaries hold the same names as arrays, and a `Summary` at each index: the bits of
        `summarize` of that slice.

    Raises
    ------
    TypeError
        If `x` is no array of real numbers.
    ValueError
        If `bins`, `range` and `moments` do not fit together, or `axis` is no axis of `x`.

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
    >>> fi.summarize(x, axis=0).max
    array([0.5, 3. ])
    """
    x = _elements(x)
    if axis is None:
        return _core.summarize(x, summary_options(bins=bins, range=range, moments=moments, saturation=saturation))
    if isinstance(bins, str) and bins == "default" and range is None:
        bins = None
    axes = _axes(axis, x.ndim)
    found = _core.summarize_axes(x, axes, summary_options(bins=bins, range=range, moments=moments, saturation=saturation))
    return Summaries(found, tuple(size for i, size in enumerate(x.shape) if i not in axes))


def summarize_bfloat16(
    bits: NDArray[np.uint16],
    *,
    bins: Bins = "default",
    range: Range = None,  # noqa: A002
    moments: Literal["all", "two"] = "all",
    saturation: Range = None,
) -> Summary:
    """Summarize numbers of bfloat16 that are given by their bits; NumPy has no type for them. Otherwise `summarize`."""
    return _core.summarize(bits, summary_options(bins=bins, range=range, moments=moments, saturation=saturation), True)


def summarize_stored(
    path: str,
    offset: int,
    dtype: str,
    shape: Sequence[int],
    *,
    heads: NDArray[Any] | None = None,
    deviations: float = 0,
) -> tuple[Summary, int]:
    """Summarize an array that lies in a file, in C order from a byte on, without a histogram: with the bits of `summarize`.

    Parameters
    ----------
    path, offset : str, int
    dtype : {"F64", "F32", "F16", "BF16"}
    shape : sequence of int
    heads : ndarray, optional
        (units, k), C-contiguous, of the file's own elements (of BF16 uint16): gets the first k elements of each unit, where the
        array is a row of units, or all if there are fewer.
    deviations : float, optional
        Count the finite elements more than so many standard deviations from the mean. Blocks that have some are read again.

    Returns
    -------
    Summary, int

    Raises
    ------
    OSError
        If the system refuses.
    ValueError
        If the file ends inside the array.
    """
    return _core.summarize_stored(os.fsencode(path), offset, dtype, shape, summary_options(bins=None), heads, deviations)


def _elements(x: Any) -> NDArray[Any]:
    x = foreign.view("x", x)
    if not isinstance(x, np.ndarray):
        raise TypeError(f'x must be an array, got {type(x).__name__}: write numpy.asarray(x, dtype="float64")')
    if type(x) is not np.ndarray and isinstance(x, np.ma.MaskedArray):  # importing numpy.ma takes 15 ms
        raise TypeError("x must be a plain array, got a masked one: write x.compressed() or x.filled(numpy.nan)")
    if x.dtype.name != "bfloat16":
        x = foreign.plain(x)
    if x.dtype.kind not in "biufV" or x.dtype.itemsize > 8 or not x.dtype.isnative:
        raise TypeError(f'x must hold native real numbers of at most 64 bits, got {x.dtype}: write x.astype("float64")')
    return require.aligned(x)


def _axes(axis: SupportsIndex | Sequence[SupportsIndex], rank: int) -> list[int]:
    axes: list[int] = []
    for one in axis if isinstance(axis, Sequence) else (axis,):
        try:
            index = operator.index(one)
        except TypeError:
            raise TypeError(f"axis must be an integer or a tuple of integers, got {axis!r}") from None
        if not -rank <= index < rank or index % rank in axes:
            raise ValueError(f"axis must hold different axes of x, in -{rank} .. {rank - 1}, got {axis!r}")
        axes.append(index % rank)
    return axes


class Summaries:
    """Summaries along axes: what `summarize` returns with ``axis=``.

    Every number of a `Summary` is here an array of the kept shape (``s.mean``, ``s.std``, ``s.zeros``, ...); ``s[i, j]`` is
    the Summary of one slice, and iteration goes through them in C order.
    """

    def __init__(self, summaries: Sequence[Summary], shape: tuple[int, ...]) -> None:
        self._all = tuple(summaries)
        self.shape = shape

    def __getattr__(self, name: str) -> NDArray[Any]:
        if name not in _NUMBERS:
            raise AttributeError(f"Summaries has no attribute {name!r}; it has {', '.join(_NUMBERS)}")
        return np.array([getattr(s, name) for s in self._all], _NUMBERS[name]).reshape(self.shape)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *_NUMBERS})

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Summary]:
        return iter(self._all)

    def __getitem__(self, index: int | tuple[int, ...]) -> Summary:
        indices = index if isinstance(index, tuple) else (index,)
        if len(indices) != len(self.shape):
            raise IndexError(f"index must have one number for each of the axes {self.shape}, got {index!r}")
        places = [operator.index(i) for i in indices]
        if any(not -size <= i < size for i, size in zip(places, self.shape, strict=True)):
            raise IndexError(f"index must lie in the shape {self.shape}, got {index!r}")
        flat = 0
        for i, size in zip(places, self.shape, strict=True):
            flat = flat * size + i % size
        return self._all[flat]

    def __add__(self, other: Summaries) -> Summaries:
        if not isinstance(other, Summaries):
            return NotImplemented
        if self.shape != other.shape:
            raise ValueError(f"summaries must have the same shape to be added, got {self.shape} and {other.shape}")
        return Summaries([a + b for a, b in zip(self, other, strict=True)], self.shape)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Summaries) and self.shape == other.shape and self._all == other._all

    def __hash__(self) -> int:
        return hash((self.shape, self._all))

    def __repr__(self) -> str:
        return f"<Summaries of shape {self.shape}>"

    def __reduce__(self) -> tuple[type[Summaries], tuple[tuple[Summary, ...], tuple[int, ...]]]:
        return Summaries, (self._all, self.shape)


_COUNTS = ("count", "nans", "infs", "zeros", "subnormals", "finite", "saturated")
_MEASURES = ("mean", "m2", "m3", "m4", "min", "max", "var", "std", "rms", "skewness", "kurtosis")
_NUMBERS: dict[str, type[np.int64] | type[np.float64]] = dict.fromkeys(_COUNTS, np.int64) | dict.fromkeys(_MEASURES, np.float64)


class Summarizer(_core.Summarizer):
    """Summarize what comes piece by piece: data larger than memory, a stream.

    ``update(x)`` adds the elements of an array; ``merge(other)`` what another Summarizer, or a `Summary` of the same options,
    has seen; ``summary`` is that of everything so far. The same pieces in the same order give the same bits. Parameters are
    those of `summarize`.

    Examples
    --------
    >>> import numpy as np
    >>> import fanin as fi
    >>> s = fi.Summarizer(bins=None)
    >>> for piece in np.split(np.arange(6.0), 3):
    ...     s.update(piece)
    >>> s.summary.mean, s.summary.count
    (2.5, 6)
    """

    def __init__(
        self,
        *,
        bins: Bins = "default",
        range: Range = None,  # noqa: A002
        moments: Literal["all", "two"] = "all",
        saturation: Range = None,
    ) -> None:
        super().__init__(summary_options(bins=bins, range=range, moments=moments, saturation=saturation))
        self._options = {"bins": bins, "range": range, "moments": moments, "saturation": saturation}

    def __reduce__(self) -> tuple[Any, tuple[dict[str, Any], Summary]]:
        return _resumed, (self._options, self.summary)

    def update(self, x: Any) -> None:
        """Add the elements of an array, of any dtype and library that `summarize` takes."""
        super().update(_elements(x))


def _resumed(options: dict[str, Any], summary: Summary) -> Summarizer:
    again = Summarizer(**options)
    again.merge(summary)
    return again


def summary_options(
    *,
    bins: Bins = "default",
    range: Range = None,  # noqa: A002
    moments: Literal["all", "two"] = "all",
    saturation: Range = None,
) -> SummaryOptions:
    """Check the options of `summarize` and put them into one object."""
    if isinstance(bins, str) and bins == "default":
        bins = "powers"
    limits = None if saturation is None else _pair(saturation, "saturation")
    if moments not in ("all", "two"):
        raise ValueError(f'moments must be "all" or "two", got {moments!r}')
    moments_only = moments == "two"
    if bins is None or isinstance(bins, str):
        if bins not in (None, "powers"):
            raise ValueError(f'bins must be a number, "powers" or None, got {bins!r}')
        if range is not None:
            raise ValueError(f"bins must be a number where range is given, got bins={bins!r}: write bins=64")
        return SummaryOptions(moments_only=moments_only, histogram=bins or "none", saturation=limits)
    try:
        number = operator.index(bins)
    except TypeError:
        raise TypeError(f'bins must be a number, "powers" or None, got {bins!r}') from None
    if range is None:
        raise ValueError(f'range must be given with bins={number}: write range=(-1, 1), or bins="powers" where none is known')
    low, high = _pair(range, "range")
    return SummaryOptions(moments_only=moments_only, histogram="linear", bins=number, low=low, high=high, saturation=limits)


def _pair(ends: Sequence[float], name: str) -> tuple[float, float]:
    try:
        low, high = (float(end) for end in ends)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be (low, high), two numbers, got {ends!r}") from None
    return low, high


def stats_options(stats: bool | str | Mapping[str, Any]) -> SummaryOptions | None:
    """Read the argument ``stats=`` of whatever measures on the way.

    Parameters
    ----------
    stats : bool, "moments" or mapping
        False: nothing (None is returned). True: everything, the histogram over signed powers of two. "moments": count,
        mean, var, min and max. A mapping: keyword arguments of `summarize`.
    """
    if isinstance(stats, Mapping):
        unknown = sorted(set(stats) - {"bins", "range", "moments", "saturation"})
        if unknown:
            raise ValueError(f"stats must have the keys bins, range, moments and saturation only, got {unknown[0]!r}")
        return summary_options(**stats)
    if isinstance(stats, str) and stats == "moments":
        return summary_options(bins=None, moments="two")
    if isinstance(stats, (bool, np.bool_)):
        return summary_options() if stats else None
    raise ValueError(f'stats must be True, False, "moments" or dict(bins=, range=), got {stats!r}')
