"""``fanin weights``: every tensor of a file of weights."""

from __future__ import annotations

import argparse
from typing import Any

from fanin.cli import output
from fanin.cli.parser import Help

_WEIGHTS = """\
Measure every tensor of a file of weights, of any model, however large: shape and fans, standard deviation, n_in Var(w) and the
law whose scale that is, the largest weight in standard deviations, the effective rank where it is cheap; NaN, infinities,
zeros, outliers and units that are copies of others. The file is read once, in pieces; nothing in it is executed."""

_EXAMPLES = """\
examples:
  fanin weights model.safetensors
  fanin weights model.safetensors.index.json --json model.json
  fanin weights checkpoint.pt"""


def add(commands: Any) -> None:
    """Add the command to the parser's."""
    parser = commands.add_parser(
        "weights",
        help="every tensor of a file of weights",
        description=_WEIGHTS,
        epilog=_EXAMPLES,
        formatter_class=Help,
    )
    parser.add_argument(
        "file",
        metavar="FILE",
        help=".safetensors (one, or many by their .index.json), .npz, .pt or .pth of PyTorch, .keras or .h5, .onnx",
    )
    layout(parser)
    output.shared(parser)
    parser.set_defaults(run=_run)


def layout(group: Any) -> None:
    """Add the layout of matrices."""
    group.add_argument(
        "--layout",
        choices=["out_in", "in_out"],
        help="of matrices: (n_out, n_in) as PyTorch's, or (n_in, n_out) as Keras' (default: what the format says, else out_in)",
    )


def _run(args: argparse.Namespace) -> None:
    from fanin.weights.measure import survey

    said = output.Said(args)
    found = survey(args.file, layout=args.layout)
    said(found)
    said.json("weights", found.to_dict())
