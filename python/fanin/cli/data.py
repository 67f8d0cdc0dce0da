"""Data of the commands: read, split, scaled, as the shared options say."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from fanin.datasets import Data

_DIGITS_HELD_OUT = 397  # of 1797


class Loaded(NamedTuple):
    """Training data, held-out data, the loss, and words about all of them for a report."""

    train: Data
    held_out: Data
    loss: str
    about: dict[str, str]


def load(args: argparse.Namespace) -> Loaded:
    """Return the data of ``--data``, ``--target``, ``--scale``, ``--held-out``, ``--seed`` and ``--loss``."""
    from fanin import datasets

    data = _read(args)
    labels = np.issubdtype(data.y.dtype, np.integer)
    loss = args.loss or ("cross_entropy" if labels else "mean_squared_error")
    classes = len(np.unique(data.y))
    if loss == "cross_entropy" and args.loss is None and classes > max(2, len(data.y) // 4):
        raise ValueError(f"the target has {classes} values in {len(data.y)} rows: for a quantity add --loss mean_squared_error")
    default = 0.2 if args.data is not None else _DIGITS_HELD_OUT
    if len(data.y) < 2:
        raise ValueError(f"{args.data}: must hold at least two rows, one to train on and one to hold out, got {len(data.y)}")
    train, held_out = datasets.split(*data, default if args.held_out is None else args.held_out, args.seed)
    scale = args.scale or ("none" if args.data is None else "standard")
    x, x_held = scaled(scale, train.x, held_out.x)
    y, y_held = (train.y, held_out.y) if loss == "cross_entropy" else scaled(scale, train.y, held_out.y)
    about = {"data": "scikit-learn's digits" if args.data is None else Path(args.data).name}
    about |= {"target": args.target} if args.target is not None else {}
    return Loaded(datasets.Data(x, y), datasets.Data(x_held, y_held), loss, {**about, "scale": scale})


def _read(args: argparse.Namespace) -> Data:
    """The data of ``--data``, ``--target`` and ``--delimiter``."""
    from fanin import datasets

    ending = Path(args.data or "").suffix.lower()
    if ending == ".csv":
        if args.target is None:
            raise ValueError("--data FILE.csv needs --target NAME, the column to learn")
        return datasets.load_csv(args.data, args.target, delimiter=args.delimiter or ",")
    for option, value in (("--target", args.target), ("--delimiter", args.delimiter)):
        if value is not None:
            raise ValueError(f"{option} is of --data FILE.csv, got --data {args.data or 'missing'}")
    if args.data is None:
        return datasets.digits()
    if ending == ".npz":
        return datasets.load_npz(args.data)
    raise ValueError(f"--data must end with .npz or .csv, got {args.data}")


def scaled(how: str, train: NDArray[Any], held_out: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Shift and scale columns by what the training rows say; a constant column is only shifted.

    Raises
    ------
    ValueError
        If a mean or a width overflows: the column would come out as zeros.
    """
    if how == "none":
        return train, held_out
    from fanin.stats import summarize

    train, held_out = train.astype(np.float64), held_out.astype(np.float64)
    of = summarize(train, axis=0)
    low, high = np.asarray(of.min), np.asarray(of.max)
    with np.errstate(over="ignore"):
        centre, width = (low, high - low) if how == "unit" else (np.asarray(of.mean), np.asarray(of.std))
    if not (np.isfinite(centre).all() and np.isfinite(width).all()):
        raise ValueError(f"--scale {how}: the numbers are too large, up to {max(high.max(), -low.min()):.3g}")
    width = np.where(high > low, width, 1.0)
    return (train - centre) / width, (held_out - centre) / width
