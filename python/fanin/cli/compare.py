"""``fanin compare``: which initialization learns, and why."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fanin.cli.progress import bars

if TYPE_CHECKING:
    from fanin.compare import Comparison
    from fanin.datasets import Data

_LAWS = "zeros,fan_in_uniform,xavier_normal,normal"
_DIGITS_HELD_OUT = 397  # of 1797

_COMPARE = """\
Train one network from several initializations and say which one learns, and why. Prints one table, a row an
initialization: the spread of every layer's activations and gradients at the start, the cost at the start and the end, the
held-out error, a verdict. Writes one picture: cost curves, and histograms of every layer's activations at the start.

Without --data it trains on scikit-learn's 1797 handwritten digits (pixels / 16; 397 held out)."""

_EXAMPLES = """\
examples:
  fanin compare
  fanin compare --activation relu --init he_normal,xavier_normal --hidden 100,100,100,100,100,100,100,100,100,100
  fanin compare --init 'normal(std=0.01)' --init xavier_normal --epochs 20 --seed 3
  fanin compare --data measurements.csv --target label --hidden 64,64 --figure label.png
  fanin compare --data images.npz --scale unit --optimizer momentum --lr 0.02 --held-out 0.1
  fanin compare --linear"""


def add(commands: Any) -> None:
    """Add the command to the parser's."""
    text = argparse.RawDescriptionHelpFormatter
    parser = commands.add_parser(
        "compare", help="which initialization learns, and why", description=_COMPARE, epilog=_EXAMPLES, formatter_class=text
    )
    _options(parser)
    parser.set_defaults(run=_run)


def _options(parser: argparse.ArgumentParser) -> None:
    data = parser.add_argument_group("data")
    data.add_argument("--data", metavar="FILE", help=".npz with arrays x and y, or .csv with a header (default: the digits)")
    data.add_argument("--target", metavar="NAME", help="the column of a .csv to learn")
    data.add_argument(
        "--scale",
        choices=["none", "unit", "standard"],
        help="columns as they are, to [0, 1], or to mean 0 and variance 1, by the training rows; real targets likewise "
        "(default: standard, none for the digits)",
    )
    data.add_argument(
        "--held-out",
        type=_held_out,
        metavar="PART",
        help="fraction or number of rows held out (default: 0.2; digits: 397)",
    )
    net = parser.add_argument_group("network")
    net.add_argument("--hidden", type=_sizes, default=[300] * 4, metavar="N,N,...", help="hidden layers (default: 4 of 300)")
    net.add_argument("--activation", default="tanh", metavar="NAME", help="relu, gelu, leaky_relu(0.2), ... (default: tanh)")
    net.add_argument(
        "--init", action="append", metavar="LAW,...", help=f"initializations; may be given again (default: {_LAWS})"
    )
    net.add_argument(
        "--loss",
        choices=["cross_entropy", "mean_squared_error"],
        help="default: cross_entropy for labels (whole numbers or text), mean_squared_error for real targets",
    )
    net.add_argument("--dtype", choices=["float32", "float64"], default="float32", help="default: float32")
    train = parser.add_argument_group("training")
    train.add_argument("--epochs", type=int, default=10, metavar="N", help="default: 10")
    train.add_argument("--batch-size", type=int, default=100, metavar="N", help="default: 100")
    train.add_argument("--lr", type=float, default=0.1, metavar="RATE", help="learning rate (default: 0.1)")
    train.add_argument("--optimizer", choices=["sgd", "momentum"], default="sgd", help="momentum: SGD with 0.9 (default: sgd)")
    train.add_argument("--seed", type=int, default=0, metavar="N", help="of the split, the weights and the order (default: 0)")
    out = parser.add_argument_group("output")
    out.add_argument(
        "--figure", default="compare.png", metavar="PATH", help="picture, .png, .pdf or .svg (default: compare.png here)"
    )
    out.add_argument(
        "--linear", action="store_true", help="print the article's linear network instead: 9 hidden layers, 1.5 I, I and 0.5 I"
    )


def _held_out(text: str) -> float | int:
    return int(text) if text.isdigit() else float(text)


def _sizes(text: str) -> list[int]:
    if text.strip() in ("", "none"):
        return []
    sizes = [int(part) for part in text.split(",")]
    if min(sizes) < 1:
        raise argparse.ArgumentTypeError(f"sizes must be at least 1, got {text!r}")
    return sizes


def _laws(given: list[str] | None) -> list[str]:
    """Split at commas outside parentheses: "zeros,normal(mean=0, std=1)" names two laws."""
    laws, depth = [""], 0
    for character in ",".join(given or [_LAWS]):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            laws.append("")
        else:
            laws[-1] += character
    return [law.strip() for law in laws if law.strip()]


def _run(args: argparse.Namespace) -> None:
    if args.linear:
        from fanin.article import linear_table

        print(linear_table())
        return
    from fanin import report
    from fanin.compare import compare
    from fanin.optimizer import SGD

    laws = _laws(args.init)
    report.check_path(args.figure)
    optimizer = SGD(lr=args.lr, momentum=0.9 if args.optimizer == "momentum" else 0.0)
    train, held_out, loss = _load(args)
    with bars(laws) as progress:
        result = compare(
            laws,
            *train,
            hidden=args.hidden,
            activation=args.activation,
            epochs=args.epochs,
            batch_size=args.batch_size,
            optimizer=optimizer,
            held_out=held_out,
            seed=args.seed,
            loss=loss,
            dtype=args.dtype,
            progress=progress,
        )
    _print(result)
    report.save_figure(result, args.figure)
    print(f"picture: {args.figure}")


def _load(args: argparse.Namespace) -> tuple[Data, Data, str]:
    """Training data, held-out data and the loss, as the arguments say."""
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
    x, x_held = _scaled(scale, train.x, held_out.x)
    y, y_held = (train.y, held_out.y) if loss == "cross_entropy" else _scaled(scale, train.y, held_out.y)
    return datasets.Data(x, y), datasets.Data(x_held, y_held), loss


def _scaled(how: str, train: NDArray[Any], held_out: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Shift and scale columns by what the training rows say; a constant column is only shifted."""
    if how == "none":
        return train, held_out
    train, held_out = train.astype(np.float64), held_out.astype(np.float64)
    centre = train.min(axis=0) if how == "unit" else train.mean(axis=0)
    width = np.ptp(train, axis=0) if how == "unit" else train.std(axis=0)
    width = np.where(width > 0, width, 1.0)
    return (train - centre) / width, (held_out - centre) / width


def _print(result: Comparison) -> None:
    """Print in colour on a terminal, as plain text in a pipe."""
    if not sys.stdout.isatty():
        print(result)
        return
    from rich.console import Console

    from fanin.report import rich_table

    console = Console()
    console.print(rich_table(result, console.width))
