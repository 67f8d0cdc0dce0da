"""Groups of options that commands share."""

from __future__ import annotations

import argparse
from typing import Any

LOSSES = ["cross_entropy", "binary_cross_entropy", "mean_squared_error", "hinge"]
LAWS = "zeros,fan_in_uniform,xavier_normal,normal"


def data(parser: argparse.ArgumentParser) -> None:
    """Add where data comes from, and how it is split and scaled."""
    group = parser.add_argument_group("data")
    group.add_argument(
        "--data",
        metavar="FILE",
        help="a table (CSV, TSV, Parquet, Arrow, Feather), or .npz with arrays x and y (default: the digits)",
    )
    group.add_argument("--target", metavar="NAME", help="the column of a table to learn")
    group.add_argument(
        "--delimiter", type=_delimiter, metavar="C", help="what separates the cells of a text: ';', tab, ... (default: found)"
    )
    group.add_argument("--task", choices=["classification", "regression"], help="what the target is, where that is in doubt")
    group.add_argument("--drop", action="append", type=_columns, metavar="NAME,...", help="columns of a table to leave out")
    group.add_argument(
        "--categorical", action="append", type=_columns, metavar="NAME,...", help="columns that become one a value, of 0 and 1"
    )
    group.add_argument(
        "--missing", choices=["refuse", "drop", "mean"], help="missing cells: an error (default), drop the row, or the mean"
    )
    group.add_argument("--decimal", choices=[".", ","], help="the decimal mark of a text (default: a point)")
    group.add_argument("--encoding", metavar="NAME", help="of a text, as latin-1 (default: UTF-8, or UTF-16 with its mark)")
    group.add_argument("--no-header", action="store_true", help="a text whose first line holds data: columns are 1, 2, ...")
    group.add_argument(
        "--scale",
        choices=["none", "unit", "standard"],
        help="columns as they are, to [0, 1], or to mean 0 and variance 1, by the training rows; real targets likewise "
        "(default: standard, none for the digits)",
    )
    group.add_argument(
        "--held-out",
        type=_held_out,
        metavar="PART",
        help="fraction or number of rows held out (default: 0.2; digits: 397)",
    )


def network(parser: argparse.ArgumentParser) -> Any:
    """Add what the network is, but for its initialization; returns the group."""
    group = parser.add_argument_group("network")
    group.add_argument("--hidden", type=_sizes, metavar="N,N,...", help="hidden layers, or none (default: 4 of 300)")
    group.add_argument("--activation", metavar="NAME", help="relu, gelu, leaky_relu(0.2), ... (default: tanh)")
    group.add_argument(
        "--loss",
        choices=LOSSES,
        help="default: cross_entropy for labels (whole numbers or text), mean_squared_error for real targets; "
        "binary_cross_entropy and hinge tell two classes apart by one output",
    )
    return group


def dtype(group: Any) -> None:
    """Add the type of all arithmetic."""
    group.add_argument("--dtype", choices=["float32", "float64"], help="default: float32")


def seed(group: Any, of: str) -> None:
    """Add the seed."""
    group.add_argument("--seed", type=int, default=0, metavar="N", help=f"of {of} (default: 0)")


def laws(given: list[str] | None) -> list[str]:
    """Split at commas outside parentheses: "zeros,normal(mean=0, std=1)" names two laws."""
    found, depth = [""], 0
    for character in ",".join(given or [LAWS]):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            found.append("")
        else:
            found[-1] += character
    return [law.strip() for law in found if law.strip()]


def _held_out(text: str) -> float | int:
    try:
        return int(text) if text.isdigit() else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a fraction or a number of rows, got {text!r}") from None


def _sizes(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",")]
    if text.strip() in ("", "none"):
        return []
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise argparse.ArgumentTypeError(f"must be whole numbers, each at least 1, as in 300,300, or none, got {text!r}")
    return [int(part) for part in parts]


def _columns(text: str) -> list[str]:
    return [name for name in (part.strip() for part in text.split(",")) if name]


def _delimiter(text: str) -> str:
    found = {"tab": "\t", "\\t": "\t"}.get(text, text)
    if len(found) != 1 or found in '"\r\n ':
        raise argparse.ArgumentTypeError(f"must be one character, or tab, got {text!r}")
    return found
