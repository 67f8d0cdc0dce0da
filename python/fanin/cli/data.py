"""Data of the commands: read, split, scaled, as the shared options say."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fanin.datasets import Data, Table

_DIGITS_HELD_OUT = 397  # of 1797


class Loaded(NamedTuple):
    """Training data, held-out data, the loss, and words about all of them for a report."""

    train: Data
    held_out: Data
    loss: str
    about: dict[str, str]


def load(args: argparse.Namespace) -> Loaded:
    """Return the data of ``--data``, ``--target``, ``--scale``, ``--held-out``, ``--seed`` and ``--loss``."""
    import numpy as np

    from fanin import datasets

    data, table = _read(args)
    labels = np.issubdtype(data.y.dtype, np.integer)
    loss = args.loss or ("cross_entropy" if labels else "mean_squared_error")
    if table is not None and args.loss is not None and args.loss != table.loss:
        task = "regression" if table.loss == "cross_entropy" else "classification"
        raise ValueError(f"--loss {args.loss} is not for {table.decisions[-1].kind}: add --task {task} if that is meant")
    classes = len(np.unique(data.y))
    if table is None and loss == "cross_entropy" and args.loss is None and classes > max(2, len(data.y) // 4):
        raise ValueError(f"the target has {classes} values in {len(data.y)} rows: for a quantity add --loss mean_squared_error")
    default = 0.2 if args.data is not None else _DIGITS_HELD_OUT
    if len(data.y) < 2:
        raise ValueError(f"{args.data}: must hold at least two rows, one to train on and one to hold out, got {len(data.y)}")
    train, held_out = datasets.split(*data, default if args.held_out is None else args.held_out, args.seed)
    scale = args.scale or ("none" if args.data is None else "standard")
    x, x_held = scaled(scale, train.x, held_out.x, own=True)
    y, y_held = (train.y, held_out.y) if loss == "cross_entropy" else scaled(scale, train.y, held_out.y, own=True)
    about = {"data": "scikit-learn's digits" if args.data is None else os.path.basename(args.data)}
    about |= {"target": args.target} if args.target is not None else {}
    about |= {"columns": "; ".join(str(table).splitlines())} if table is not None else {}
    return Loaded(datasets.Data(x, y), datasets.Data(x_held, y_held), loss, {**about, "scale": scale})


def said(about: dict[str, str]) -> None:
    """Print what was decided on the columns of a table."""
    if "columns" in about:
        print(f"table: {about['columns']}")


def _read(args: argparse.Namespace) -> tuple[Data, Table | None]:
    """The data of ``--data`` and the options of tables."""
    from fanin import datasets

    name = args.data
    if name is not None and not name.lower().endswith((".npz", ".npy")):
        if args.target is None:
            raise ValueError(f"--data {name} needs --target NAME, the column to learn")
        task = args.task or {"mean_squared_error": "regression", "cross_entropy": "classification"}.get(args.loss)
        table = datasets.load_table(
            name,
            args.target,
            task=task,
            drop=[one for given in args.drop or [] for one in given],
            categorical=[one for given in args.categorical or [] for one in given],
            missing=args.missing or "refuse",
            delimiter=args.delimiter,
            decimal=args.decimal or ".",
            encoding=args.encoding,
            header=not args.no_header,
        )
        return datasets.Data(table.x, table.y), table
    for option in ("target", "delimiter", "task", "drop", "categorical", "missing", "decimal", "encoding", "no_header"):
        if getattr(args, option):
            raise ValueError(f"--{option.replace('_', '-')} is of tables, got --data {name or 'missing'}")
    if name is None:
        return datasets.digits(), None
    if name.lower().endswith(".npz"):
        return datasets.load_npz(name), None
    raise ValueError(f"--data must be a table (.csv, .tsv, .parquet, .feather, ...) or end with .npz, got {name}")


def scaled(how: str, train: NDArray[Any], held_out: NDArray[Any], *, own: bool = False) -> tuple[NDArray[Any], NDArray[Any]]:
    """Shift and scale columns by what the training rows say; a constant column is only shifted. `own`: in place where it can.

    Raises
    ------
    ValueError
        If a mean or a width overflows: the column would come out as zeros.
    """
    if how == "none":
        return train, held_out
    import numpy as np

    from fanin.stats import summarize

    train, held_out = (part.astype(np.float64, copy=not own) for part in (train, held_out))
    of = summarize(train, axis=0)
    low, high = np.asarray(of.min), np.asarray(of.max)
    with np.errstate(over="ignore"):
        reach = high - low
    if not np.isfinite(reach).all():
        raise ValueError(f"--scale {how}: the numbers are too large, up to {max(high.max(), -low.min()):.3g}")
    # Columns whose squares would under- or overflow are brought near 1 by a power of two, which is exact.
    largest = np.maximum(np.abs(low), np.abs(high))
    power = np.where((largest > 0) & ((largest < 1e-100) | (largest > 1e100)), -np.frexp(largest)[1], 0)
    if power.any():
        train, held_out = np.ldexp(train, power), np.ldexp(held_out, power)
        of = summarize(train, axis=0)
        low, high = np.asarray(of.min), np.asarray(of.max)
    centre, width = (low, high - low) if how == "unit" else (np.asarray(of.mean), np.asarray(of.std))
    width = np.where((high > low) & (width > 0), width, np.where(high > low, high - low, 1.0))
    for part in (train, held_out):
        part -= centre
        part /= width
    if not (np.isfinite(train).all() and np.isfinite(held_out).all()):
        raise ValueError(f"--scale {how}: a held-out number is too far from the training rows to be scaled")
    return train, held_out
