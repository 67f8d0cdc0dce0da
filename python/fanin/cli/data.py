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

    if args.data is None:
        if args.target is not None:
            raise ValueError("--target names a column of --data FILE.csv, which is missing")
        data = datasets.digits()
    elif args.data.endswith(".npz"):
        data = datasets.load_npz(args.data)
    elif args.data.endswith(".csv"):
        if args.target is None:
            raise ValueError("--data FILE.csv needs --target NAME, the column to learn")
        data = datasets.load_csv(args.data, args.target)
    else:
        raise ValueError(f"--data must end with .npz or .csv, got {args.data}")
    labels = np.issubdtype(data.y.dtype, np.integer)
    loss = args.loss or ("cross_entropy" if labels else "mean_squared_error")
    classes = len(np.unique(data.y))
    if loss == "cross_entropy" and args.loss is None and classes > max(2, len(data.y) // 4):
        raise ValueError(f"the target has {classes} values in {len(data.y)} rows: for a quantity add --loss mean_squared_error")
    default = 0.2 if args.data is not None else _DIGITS_HELD_OUT
    train, held_out = datasets.split(*data, default if args.held_out is None else args.held_out, args.seed)
    scale = args.scale or ("none" if args.data is None else "standard")
    x, x_held = scaled(scale, train.x, held_out.x)
    y, y_held = (train.y, held_out.y) if loss == "cross_entropy" else scaled(scale, train.y, held_out.y)
    about = {"data": "scikit-learn's digits" if args.data is None else Path(args.data).name}
    about |= {"target": args.target} if args.target is not None else {}
    return Loaded(datasets.Data(x, y), datasets.Data(x_held, y_held), loss, {**about, "scale": scale})


def scaled(how: str, train: NDArray[Any], held_out: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Shift and scale columns by what the training rows say; a constant column is only shifted."""
    if how == "none":
        return train, held_out
    train, held_out = train.astype(np.float64), held_out.astype(np.float64)
    centre = train.min(axis=0) if how == "unit" else train.mean(axis=0)
    width = np.ptp(train, axis=0) if how == "unit" else train.std(axis=0)
    width = np.where(width > 0, width, 1.0)
    return (train - centre) / width, (held_out - centre) / width
