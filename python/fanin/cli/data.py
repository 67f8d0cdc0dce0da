"""Data of the commands: read, split, scaled, as the shared options say."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fanin.datasets import Data, Table

_DIGITS_HELD_OUT = 397  # of 1797
_LABELS = 20  # different labels, or a tenth of the rows: as in tables
_ONE_OUTPUT = ("binary_cross_entropy", "hinge")
_TASKS = {"mean_squared_error": "regression"} | dict.fromkeys(("cross_entropy", *_ONE_OUTPUT), "classification")


class Loaded(NamedTuple):
    """Training data, held-out data, the loss, words about all of them for a report, and what labels 0, 1, ... stand for.

    Labels are those of the loss: for one output 0 and 1, or -1 and 1 (hinge). `classes` is None where they are as given.
    """

    train: Data
    held_out: Data
    loss: str
    about: dict[str, str]
    classes: tuple[Any, ...] | None = None


def load(args: argparse.Namespace) -> Loaded:
    """Return the data of ``--data``, ``--target``, ``--scale``, ``--held-out``, ``--seed`` and ``--loss``."""
    import numpy as np

    from fanin import datasets
    from fanin.datasets.assembly import KEPT, two_classes

    data, table = _read(args)
    (x, y), classes = data, None if table is None or not table.classes else table.classes
    whole = np.issubdtype(y.dtype, np.integer)
    loss = args.loss or ("cross_entropy" if whole else "mean_squared_error")
    quantity = loss == "mean_squared_error"
    if table is not None and args.loss is not None and quantity != (table.loss == loss):
        task = "classification" if table.loss == "mean_squared_error" else "regression"
        raise ValueError(f"--loss {args.loss} is not for {table.decisions[-1].kind}: add --task {task} if that is meant")
    different = len(np.unique(y))
    if table is None and args.loss is None and whole and y.ndim == 1 and different > max(_LABELS, len(y) // 10):
        raise ValueError(
            f"{args.data}: y has {different} different whole numbers in {len(y)} rows: for a quantity add --loss "
            "mean_squared_error, for labels add --loss cross_entropy"
        )
    if len(y) < 2:
        raise ValueError(f"{args.data}: must hold at least two rows, one to train on and one to hold out, got {len(y)}")
    if loss in _ONE_OUTPUT:
        y, found = two_classes(y, loss)
        classes = found if classes is None else classes
    default = 0.2 if args.data is not None else _DIGITS_HELD_OUT
    train, held_out = datasets.split(x, y, default if args.held_out is None else args.held_out, args.seed)
    if args.missing == "mean":
        _fill(train.x, held_out.x, () if table is None else table.columns)
    scale = args.scale or ("none" if args.data is None else "standard")
    try:
        x, x_held = datasets.scaled(scale, train.x, held_out.x, own=True)
        y, y_held = datasets.scaled(scale, train.y, held_out.y, own=True) if quantity else (train.y, held_out.y)
    except ValueError as error:
        raise ValueError(f"--{error}") from None
    about = {"data": "scikit-learn's digits" if args.data is None else os.path.basename(args.data)}
    about |= {"target": args.target} if args.target is not None else {}
    words = str(table).replace(KEPT, "became the mean of the column's training rows")
    if loss in _ONE_OUTPUT:
        words = words.replace("classes, cross entropy", f"classes, {loss.replace('_', ' ')}")
    about |= {"columns": "; ".join(words.splitlines())} if table is not None else {}
    named = classes if classes is not None and (loss in _ONE_OUTPUT or isinstance(classes[0], str)) else None
    return Loaded(datasets.Data(x, y), datasets.Data(x_held, y_held), loss, {**about, "scale": scale}, named)


def _fill(train: NDArray[Any], held_out: NDArray[Any], columns: Sequence[str]) -> None:
    """Put the mean of a column's training rows where a cell is missing, NaN."""
    import numpy as np

    from fanin.stats import summarize

    of = summarize(train, axis=0)
    empty = [name for name, count in zip(columns, np.asarray(of.finite), strict=True) if count == 0]
    if empty:
        several, them = ("columns", "them") if len(empty) > 1 else ("column", "it")
        raise ValueError(
            f"--missing mean: {several} {', '.join(map(repr, empty[:12]))}{', ...' if len(empty) > 12 else ''} without a "
            f"number among the training rows, so without a mean: leave {them} out (--drop '{','.join(empty)}')"
        )
    for part in (train, held_out):
        rows, places = np.nonzero(np.isnan(part))
        part[rows, places] = np.asarray(of.mean)[places]


def decided(about: dict[str, str]) -> list[str]:
    """What was decided on the columns of a table: a line, or none."""
    return [f"table: {about['columns']}"] if "columns" in about else []


def _read(args: argparse.Namespace) -> tuple[Data, Table | None]:
    """The data of ``--data`` and the options of tables."""
    from fanin import datasets

    name = args.data
    if name is not None and not name.lower().endswith((".npz", ".npy")):
        if args.target is None:
            raise ValueError(f"--data {name} needs --target NAME, the column to learn{_columns(args)}")
        task = args.task or _TASKS.get(args.loss)
        table = datasets.load_table(
            name,
            args.target,
            task=task,
            drop=[one for given in args.drop or [] for one in given],
            categorical=[one for given in args.categorical or [] for one in given],
            missing="keep" if args.missing == "mean" else args.missing or "refuse",
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


def _columns(args: argparse.Namespace) -> str:
    """The columns of a table of text, in words for an error; nothing where they are not found easily."""
    from fanin.datasets import delimited

    if args.no_header or args.encoding is not None:
        return ""
    try:
        with open(args.data, "rb") as file:
            head = file.read(delimited.SAMPLE)
        head.decode("ascii", "strict")
        names, _ = delimited.first_line(args.data, head, args.delimiter or delimited.delimiter_of(args.data, head), True)
    except (OSError, ValueError, ModuleNotFoundError):
        return ""
    names = [name for name in names if name]
    return f": one of {', '.join(names[:20])}{', ...' if len(names) > 20 else ''}"
