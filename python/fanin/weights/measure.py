"""A table of all tensors of a file: read once, piece by piece, in the memory of a few pieces."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import numpy as np

from fanin.stats import Summary, summarize, summarize_bfloat16
from fanin.threads import compute_alone, num_threads
from fanin.weights import naming
from fanin.weights.formats import sklearn
from fanin.weights.formats.opening import opened
from fanin.weights.formats.tensors import PIECE_BYTES, Elements, Layout, Piece, Tensor
from fanin.weights.rows import Row, Survey
from fanin.weights.scale import Axes, law
from fanin.weights.units import Units, rank

_OUTLIERS = 6.0  # standard deviations: 2 of 10^9 elements of a normal law lie beyond
_MOST_RANK = 1 << 31  # multiplications for the effective ranks of all tensors together

_T = TypeVar("_T")


def survey(path: str | os.PathLike[str] | Any, *, layout: Layout | None = None) -> Survey:
    """Measure every tensor of a file of weights, whatever model it is of.

    Parameters
    ----------
    path : path, or fitted estimator
        As `read_network` takes.
    layout : {"out_in", "in_out"}, optional
        Of matrices: by default what the format says, otherwise (n_out, n_in). Kernels are (n_out, n_in, ...), Keras'
        (..., n_in, n_out).

    Returns
    -------
    Survey
        A `Row` a tensor, in the order of the file; prints as a table.

    Raises
    ------
    OSError, ModuleNotFoundError, ValueError
        As `read_network`, but for networks that are not of dense layers, which are surveyed like all others.

    Notes
    -----
    Statistics are those of `fanin.summarize`: the same file gives the same numbers on every machine. Pieces of 4 MB are read
    and measured beside one another, on as many threads as `fanin.num_threads` says. A tensor is read again where it has
    elements beyond 6 standard deviations, to count them, and where the first weights of two units are equal.
    """
    if layout not in (None, "out_in", "in_out"):
        raise ValueError(f"layout must be out_in or in_out, got {layout!r}")
    file = sklearn.read(path) if sklearn.is_estimator(path) else opened(path)
    kinds = naming.kinds(file.tensors)
    rows = []
    budget = _MOST_RANK
    with ThreadPoolExecutor(num_threads()) as pool:
        measured = _measured(pool, file.tensors, [_axes(t, k, layout) for t, k in zip(file.tensors, kinds, strict=True)])
        for tensor, kind, (axes, found) in zip(file.tensors, kinds, measured, strict=True):
            if found is None:
                rows.append(Row.unread(tensor, kind))
                continue
            effective = None
            if axes is not None and len(tensor.shape) == 2 and found.whole.finite == tensor.size:
                effective, cost = rank(tensor, found.whole, budget)
                budget -= cost
            rows.append(_row(pool, tensor, kind, axes, found, effective))
    notes = [*file.notes, *(f"{name} is {kept}: stored once" for name, kept in file.aliases.items())]
    return Survey(file.path, file.format, tuple(rows), tuple(notes))


class _Found(NamedTuple):
    whole: Summary
    units: Units | None


def _axes(tensor: Tensor, kind: str, layout: Layout | None) -> Axes | None:
    """Which axes count inputs and outputs; None where nothing does."""
    rank = len(tensor.shape)
    if rank < 2 or 0 in tensor.shape or kind == "norm":
        return None
    way = layout or tensor.layout or ("in_out" if rank == 2 and naming.bare(tensor.name).endswith("kernel") else "out_in")
    if rank == 2:
        return Axes(1, 0) if way == "out_in" else Axes(0, 1)
    return Axes(rank - 2, rank - 1) if tensor.layout == "in_out" else Axes(1, 0)


def _most(tensor: Tensor, units: Units | None) -> int:
    """Elements of a piece: whole units, where they are looked at."""
    most = PIECE_BYTES // {"F64": 8, "F32": 4}.get(tensor.dtype, 2)
    return most if units is None else max(units.length, most // units.length * units.length)


def _measured(
    pool: ThreadPoolExecutor, tensors: list[Tensor], axes: list[Axes | None]
) -> Iterator[tuple[Axes | None, _Found | None]]:
    """Summaries of all tensors in order, while the pieces of the next ones are being read."""
    units = [
        Units.of(t.shape, a) if a is not None and t.pieces is not None else None for t, a in zip(tensors, axes, strict=True)
    ]

    def work() -> Iterator[Callable[[], tuple[Summary, Any]] | None]:
        for tensor, of in zip(tensors, units, strict=True):
            if tensor.pieces is not None:
                most = _most(tensor, of)
                shape = tensor.shape if tensor.size <= most else None
                for piece in tensor.pieces(most):
                    yield lambda piece=piece, like=tensor, of=of, shape=shape: _piece(piece, like, of, shape)  # type: ignore[misc]
            yield None

    done = _in_order(pool, work())
    for tensor, axis, of in zip(tensors, axes, units, strict=True):
        parts = []
        while (part := next(done)) is not None:
            parts.append(part)
        if tensor.pieces is None:
            yield axis, None
            continue
        whole = parts[0][0] if parts else summarize(np.empty(0, np.float32), bins=None)
        for summary, _ in parts[1:]:
            whole = whole + summary
        if of is not None:
            of.heads = [heads for _, heads in parts]
        yield axis, _Found(whole, of)


def _piece(piece: Piece, tensor: Tensor, units: Units | None, shape: tuple[int, ...] | None) -> tuple[Summary, Any]:
    with compute_alone():
        values = piece()
        heads = None if units is None else units.head(values)
        return _summary(tensor)(values if shape is None else values.reshape(shape), bins=None), heads


def _summary(tensor: Tensor) -> Callable[..., Summary]:
    """What summarizes pieces of the tensor: each in the type in which it is stored."""
    return summarize_bfloat16 if tensor.dtype == "BF16" else summarize


def _in_order(pool: ThreadPoolExecutor, work: Iterable[Callable[[], _T] | None]) -> Iterator[_T | None]:
    """Results in order, a few ahead; None stands for itself."""
    ahead: deque[Future[_T] | None] = deque()
    waiting = 0
    for task in work:
        ahead.append(None if task is None else pool.submit(task))
        waiting += task is not None
        while waiting > 2 * num_threads() or (ahead and ahead[0] is None):
            first = ahead.popleft()
            waiting -= first is not None
            yield None if first is None else first.result()
    for left in ahead:
        yield None if left is None else left.result()


def _row(pool: ThreadPoolExecutor, tensor: Tensor, kind: str, axes: Axes | None, found: _Found, effective: float | None) -> Row:
    whole = found.whole
    n_in = n_out = None
    if axes is not None:
        receptive = tensor.size // (tensor.shape[axes.in_axis] * tensor.shape[axes.out_axis])
        n_in, n_out = tensor.shape[axes.in_axis] * receptive, tensor.shape[axes.out_axis] * receptive
    largest = max(whole.max - whole.mean, whole.mean - whole.min) if whole.finite else 0.0
    beyond = whole.finite > 0 and largest > _OUTLIERS * whole.std > 0
    return Row(
        name=tensor.name,
        kind=kind,
        dtype=tensor.dtype,
        shape=tensor.shape,
        n_in=n_in,
        n_out=n_out,
        mean=whole.mean,
        std=whole.std,
        min=whole.min,
        max=whole.max,
        kurtosis=whole.kurtosis,
        n_var=None if n_in is None else n_in * whole.var,
        law=None if axes is None else law(tensor.shape, axes, whole, effective),
        zeros=whole.zeros,
        nans=whole.nans,
        infs=whole.infs,
        largest=largest / whole.std if whole.finite and whole.std > 0 else None,
        outliers=_beyond(pool, tensor, whole) if beyond else 0,
        copies=None if found.units is None else found.units.copies(tensor, whole, _most(tensor, found.units)),
        rank=effective,
    )


def _beyond(pool: ThreadPoolExecutor, tensor: Tensor, whole: Summary) -> int:
    """The number of finite elements that lie beyond 6 standard deviations from the mean."""
    limits = whole.mean - _OUTLIERS * whole.std, whole.mean + _OUTLIERS * whole.std
    assert tensor.pieces is not None

    def count(values: Elements) -> int:
        with compute_alone():
            return _summary(tensor)(values, bins=None, moments="two", saturation=limits).saturated

    tasks = (lambda piece=piece: count(piece()) for piece in tensor.pieces(_most(tensor, None)))
    return sum(n for n in _in_order(pool, tasks) if n is not None) - whole.infs
