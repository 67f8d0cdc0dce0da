"""``fanin describe``: what a law would draw for a shape."""

from __future__ import annotations

import argparse
from typing import Any

from fanin.cli import output
from fanin.cli.parser import Help

_DESCRIBE = """\
Say what a law would draw for a parameter of a shape: fans, standard deviation, bounds, and n_in Var(w), the factor by which a
linear layer multiplies the variance of the signal. Nothing is drawn."""

_EXAMPLES = """\
examples:
  fanin describe he_normal 300 784
  fanin describe 'truncated_normal(std=0.02)' 300 784
  fanin describe 'xavier_uniform(gain=tanh)' 3 3 16 32 --in-axis 2 --out-axis 3   a kernel in Keras' layout"""


def add(commands: Any) -> None:
    """Add the command to the parser's."""
    parser = commands.add_parser(
        "describe",
        help="what a law would draw for a shape",
        description=_DESCRIBE,
        epilog=_EXAMPLES,
        formatter_class=Help,
    )
    parser.add_argument("law", metavar="LAW", help="for example he_normal or 'normal(std=0.01)'")
    parser.add_argument("shape", metavar="N", type=int, nargs="+", help="n_out n_in [kernel ...]")
    for role, default in (("in", "1"), ("out", "0"), ("batch", "")):
        parser.add_argument(
            f"--{role}-axis",
            type=_axes,
            default=default,
            metavar="I,...",
            help=f"axes, as of a kernel (default: {default or 'none'})",
        )
    output.shared(parser)
    parser.set_defaults(run=_run)


def _axes(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(axis) for axis in text.split(",") if axis)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be whole numbers, as in 0,1, got {text!r}") from None


def _run(args: argparse.Namespace) -> None:
    from fanin import init

    said = output.Said(args)
    axes = {"in_axis": args.in_axis, "out_axis": args.out_axis, "batch_axis": args.batch_axis}
    law = init.law(args.law)
    try:
        found = init.describe(law, tuple(args.shape), **axes)
    except ValueError:
        if len(args.shape) > 1 or args.in_axis != (1,):
            raise
        one = args.shape[0]
        raise ValueError(
            f"{args.law} needs the numbers of outputs and inputs, got {one}: fanin describe '{args.law}' {one} 784, or say "
            "which axes they are with --in-axis and --out-axis"
        ) from None
    said(found)
    said.json("description", found._asdict())
