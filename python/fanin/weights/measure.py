"""A table of all tensors of a file: read once, piece by piece, in the memory of a few pieces."""

from __future__ import annotations

import os
from typing import Any

from fanin.stats import Summary
from fanin.weights import naming
from fanin.weights.formats import sklearn
from fanin.weights.formats.opening import opened
from fanin.weights.formats.tensors import Layout, Tensor
from fanin.weights.rows import Row, Survey
from fanin.weights.scale import Axes, law
from fanin.weights.summaries import summary
from fanin.weights.units import Units, rank

_MOST_RANK = 1 << 31  # multiplications for the effective ranks of all tensors together


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
    Statistics are those of `fanin.summarize`, and the same on every machine; of a safetensors file they have the bits of
    `fanin.summarize` of each tensor. Such a file is mapped and measured on as many threads as `fanin.num_threads` says; blocks
    of 4096 that hold elements beyond 6 standard deviations are read again, to count them. It must not get shorter meanwhile:
    that is an error, and in rare cases the end of the process. Other formats are read in pieces of 4 MB, and again whole for
    such elements. So is any tensor of which two units begin alike.
    """
    if layout not in (None, "out_in", "in_out"):
        raise ValueError(f"layout must be out_in or in_out, got {layout!r}")
    file = sklearn.read(path) if sklearn.is_estimator(path) else opened(path)
    kinds = naming.kinds(file.tensors)
    rows = []
    budget = _MOST_RANK
    for tensor, kind in zip(file.tensors, kinds, strict=True):
        if tensor.pieces is None:
            rows.append(Row.unread(tensor, kind))
            continue
        axes = _axes(tensor, kind, layout)
        units = None if axes is None else Units.of(tensor, axes)
        whole, outliers = summary(tensor, units)
        effective = None
        if axes is not None and len(tensor.shape) == 2 and whole.finite == tensor.size:
            effective, cost = rank(tensor, whole, budget)
            budget -= cost
        rows.append(_row(tensor, kind, axes, whole, outliers, units, effective))
    notes = [*file.notes, *(f"{name} is {kept}: stored once" for name, kept in file.aliases.items())]
    return Survey(file.path, file.format, tuple(rows), tuple(notes))


def _axes(tensor: Tensor, kind: str, layout: Layout | None) -> Axes | None:
    """Which axes count inputs and outputs; None where nothing does."""
    rank = len(tensor.shape)
    if rank < 2 or 0 in tensor.shape or kind == "norm":
        return None
    way = layout or tensor.layout or ("in_out" if rank == 2 and naming.bare(tensor.name).endswith("kernel") else "out_in")
    if rank == 2:
        return Axes(1, 0) if way == "out_in" else Axes(0, 1)
    return Axes(rank - 2, rank - 1) if tensor.layout == "in_out" else Axes(1, 0)


def _row(
    tensor: Tensor,
    kind: str,
    axes: Axes | None,
    whole: Summary,
    outliers: int,
    units: Units | None,
    effective: float | None,
) -> Row:
    n_in = n_out = None
    if axes is not None:
        receptive = tensor.size // (tensor.shape[axes.in_axis] * tensor.shape[axes.out_axis])
        n_in, n_out = tensor.shape[axes.in_axis] * receptive, tensor.shape[axes.out_axis] * receptive
    largest = max(whole.max - whole.mean, whole.mean - whole.min) if whole.finite else 0.0
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
        outliers=outliers,
        copies=None if units is None else units.copies(tensor, whole),
        rank=effective,
    )
