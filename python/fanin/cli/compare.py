"""``fanin compare``: which initialization learns, and why."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from fanin.cli import data, options, output
from fanin.cli.parser import Help
from fanin.common.progress import bars

if TYPE_CHECKING:
    from fanin.experiments.comparison import Comparison

_COMPARE = """\
Train one network from several initializations and say which one learns, and why. Prints one table, a row an
initialization: the spread of every layer's activations and gradients at the start, the cost at the start and the end, the
held-out error, a verdict. Writes one picture: cost curves, and histograms of every layer's activations at the start; with
--html a page for the browser that shows both, the reasons, and what theory expects of every layer.

Without --data it trains on scikit-learn's 1797 handwritten digits (pixels / 16; 397 held out)."""

_EXAMPLES = """\
examples:
  fanin compare
  fanin compare --activation relu --init he_normal,xavier_normal --hidden 100,100,100,100,100,100,100,100,100,100
  fanin compare --init 'normal(std=0.01)' --init xavier_normal --epochs 20 --seed 3
  fanin compare --data measurements.csv --target label --hidden 64,64 --html label.html
  fanin compare --data images.npz --scale unit --optimizer momentum --lr 0.02 --held-out 0.1 --json r.json
  fanin compare --epochs 500 --resume runs.csv
  fanin compare --linear"""

_OPTIMIZERS: dict[str, tuple[str, dict[str, float]]] = {
    "sgd": ("SGD", {}),
    "momentum": ("SGD", {"momentum": 0.9}),
    "rmsprop": ("RMSProp", {}),
    "adam": ("Adam", {}),
    "adagrad": ("AdaGrad", {}),
}


def add(commands: Any) -> None:
    """Add the command to the parser's."""
    parser = commands.add_parser(
        "compare", help="which initialization learns, and why", description=_COMPARE, epilog=_EXAMPLES, formatter_class=Help
    )
    _options(parser)
    parser.set_defaults(run=_run)


def _options(parser: argparse.ArgumentParser) -> None:
    options.data(parser)
    net = options.network(parser)
    net.add_argument(
        "--init", action="append", metavar="LAW,...", help=f"initializations; may be given again (default: {options.LAWS})"
    )
    options.dtype(net)
    train = parser.add_argument_group("training")
    train.add_argument("--epochs", type=int, default=10, metavar="N", help="default: 10")
    train.add_argument("--batch-size", type=int, default=100, metavar="N", help="default: 100")
    train.add_argument("--lr", type=float, default=0.1, metavar="RATE", help="learning rate (default: 0.1)")
    train.add_argument("--optimizer", choices=_OPTIMIZERS, default="sgd", help="momentum: SGD with 0.9 (default: sgd)")
    options.seed(train, "the split, the weights and the order")
    out = output.options(parser, "compare.png")
    out.add_argument(
        "--resume",
        metavar="PATH",
        help="a table (CSV) that each initialization's run is added to as it ends; those that it has are not trained again",
    )
    out.add_argument(
        "--linear", action="store_true", help="print the article's linear network instead: 9 hidden layers, 1.5 I, I and 0.5 I"
    )


def _run(args: argparse.Namespace) -> None:
    said = output.Said(args)
    if args.linear:
        from fanin.article.linear_network import FACTORS, linear_table, linear_trace

        said(linear_table())
        said.json("linear", {"factors": FACTORS, "traces": [linear_trace(factor).to_dict() for factor in FACTORS]})
        return
    from dataclasses import replace

    import fanin
    from fanin.experiments.compare import compare
    from fanin.reports import comparison_figure as report

    laws = options.laws(args.init)
    figure = output.free("compare.png") if args.figure is None else args.figure
    output.check(args.html, figure)
    make, more = _OPTIMIZERS[args.optimizer]
    optimizer = getattr(fanin, make)(lr=args.lr, **more)
    loaded = data.load(args)
    with bars(laws, shown=said.notes) as progress:
        result = compare(
            laws,
            *loaded.train,
            hidden=[300] * 4 if args.hidden is None else args.hidden,
            activation=args.activation or "tanh",
            epochs=args.epochs,
            batch_size=args.batch_size,
            optimizer=optimizer,
            held_out=loaded.held_out,
            seed=args.seed,
            loss=loaded.loss,
            dtype=args.dtype or "float32",
            progress=progress,
            resume=args.resume,
        )
    result = replace(result, settings={**loaded.about, **result.settings, "scale": loaded.about["scale"]})
    _print(said, result)
    for line in data.decided(loaded.about):
        said(line)
    report.save_figure(result, figure)
    said(f"picture: {figure}")
    if args.html is not None:
        result.to_html(args.html, title=_title(loaded.about))
        said.page(args.html)
    said.json("comparison", result.to_dict())


def _title(about: dict[str, str]) -> str:
    target = f", target {about['target']}" if "target" in about else ""
    return f"Which initialization learns? {about['data']}{target}"


def _print(said: output.Said, result: Comparison) -> None:
    """Print in colour on a terminal, as plain text in a pipe."""
    if not said.coloured:
        said(result)
        return
    from rich.console import Console

    from fanin.reports.comparison_figure import rich_table

    console = Console()
    console.print(rich_table(result, console.width))
