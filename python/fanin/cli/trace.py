"""``fanin trace``: one network on one batch, layer by layer, with a diagnosis."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any

from fanin.cli import data, options, output, weights
from fanin.cli.parser import Help
from fanin.common import text

if TYPE_CHECKING:
    from fanin.network.network import Network

_TRACE = """\
Send one batch through one network, forward and backward, and print a table: every layer's activations and gradients beside
what theory expects. Then say what is wrong, why, and what to try. The weights are drawn, or those of a file.

Without --data the batch is of scikit-learn's handwritten digits (pixels / 16). The rows are those that fanin compare judges at
the start: of the same seed, the first of the training part."""

_EXAMPLES = """\
examples:
  fanin trace
  fanin trace --init he_normal --activation relu --hidden 100,100,100,100,100,100,100,100 --html trace.html
  fanin trace --data measurements.csv --target label --weights mine.safetensors --activation relu --html mine.html
  fanin trace --data images.npz --weights mine.npz --json mine.json --csv mine.csv --figure mine.png"""


def add(commands: Any) -> None:
    """Add the command to the parser's."""
    parser = commands.add_parser(
        "trace",
        help="one network layer by layer, and what is wrong",
        description=_TRACE,
        epilog=_EXAMPLES,
        formatter_class=Help,
    )
    options.data(parser)
    net = options.network(parser)
    net.add_argument("--init", metavar="LAW", help="where the weights are drawn from (default: xavier_normal)")
    net.add_argument(
        "--weights",
        metavar="FILE",
        help=".safetensors (of fanin or any other program), .npz, .pt or .pth of PyTorch, .keras or .h5, .onnx",
    )
    net.add_argument(
        "--layers",
        type=lambda text: [name.strip() for name in text.split(",") if name.strip()],
        metavar="NAME,...",
        help="the layers of --weights in their order, where the file does not say it; others are left out",
    )
    weights.layout(net)
    options.dtype(net)
    net.add_argument("--rows", type=int, default=100, metavar="N", help="of the batch (default: 100)")
    options.seed(net, "the split and the weights")
    out = output.options(parser, None)
    out.add_argument("--csv", metavar="PATH", help="a line for each layer")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    from fanin.diagnosis.diagnosis import judge, tried
    from fanin.tracing.take import trace

    if args.weights is not None and (args.init is not None or args.hidden is not None):
        raise ValueError("--weights brings the weights and their sizes: leave out --init and --hidden")
    if args.weights is None and (args.layers is not None or args.layout is not None):
        raise ValueError("--layers and --layout are of --weights FILE")
    if args.rows < 1:
        raise ValueError(f"--rows must be at least 1, got {args.rows}")
    said = output.Said(args)
    output.check(args.html, args.figure, csv=args.csv)
    loaded = data.load(args)
    net, x, y = _drawn(args, loaded) if args.weights is None else _brought(args, loaded)
    x, y = x[: args.rows], y[: args.rows]
    found = trace(net, x, y)
    diagnosis = tried(net, judge(net, found), net._x(x), net._y(y), None)
    said(f"{found}\n\n{diagnosis}")
    for line in data.decided(loaded.about):
        said(line)
    about = {**loaded.about, **_about(net, args), "rows": len(x)}
    if args.figure is not None:
        found.plot(args.figure)
        said(f"picture: {args.figure}")
    if args.html is not None:
        from fanin.reports.pages.report import trace_page
        from fanin.reports.pages.shell import write

        title = f"{'A network' if args.weights is None else os.path.basename(args.weights)} on {loaded.about['data']}"
        write(args.html, trace_page(diagnosis, about, title, _lead(about)))
        said.page(args.html)
    said.json("trace", {"settings": about, "diagnosis": diagnosis.to_dict(), "trace": found.to_dict()})
    if args.csv is not None:
        found.to_csv(args.csv)
        said(f"csv: {args.csv}")


def _about(net: Network, args: argparse.Namespace) -> dict[str, Any]:
    return {
        "sizes": list(net.sizes),
        "activation": ", ".join(dict.fromkeys(net.activations[:-1])) or "none",
        "init": net.init,
        "loss": net.loss_name,
        "dtype": net.dtype.name,
        "seed": args.seed,
    }


def _lead(about: dict[str, Any]) -> str:
    sizes = text.sizes(about["sizes"])
    return f"{sizes}, {about['activation']}, weights of {about['init']}, {about['loss']}, a batch of {about['rows']} rows."


def _drawn(args: argparse.Namespace, loaded: data.Loaded) -> tuple[Network, Any, Any]:
    """A network for the data, its weights drawn: that of ``fanin compare``."""
    from fanin.experiments.run import prepare

    made = prepare(
        *loaded.train,
        tuple(loaded.held_out),
        args.seed,
        loss=loaded.loss,
        dtype=args.dtype or "float32",
        epochs=1,
        batch_size=None,
    )
    hidden = [300] * 4 if args.hidden is None else args.hidden
    return made.network(hidden, args.activation or "tanh", args.init or "xavier_normal", args.seed), *made.train


def _brought(args: argparse.Namespace, loaded: data.Loaded) -> tuple[Network, Any, Any]:
    """The network of a file, and the data as it wants them; how the file was read is said on the standard error."""
    from fanin.weights.networks import read

    net, notes = read(
        args.weights, activation=args.activation, loss=loaded.loss, dtype=args.dtype, layers=args.layers, layout=args.layout
    )
    x, y = _fitting(args, net, loaded)
    for note in () if args.quiet else notes:
        print(f"weights: {note}", file=sys.stderr)
    return net, x, y


def _fitting(args: argparse.Namespace, net: Network, loaded: data.Loaded) -> tuple[Any, Any]:
    """Return the data as a network wants them."""
    import numpy as np

    from fanin.network.targets import labels_of

    x, y = loaded.train
    if x.shape[1] != net.sizes[0]:
        raise ValueError(f"{args.weights}: its first layer takes {net.sizes[0]} inputs, the data has {x.shape[1]} columns")
    outputs = net.sizes[-1]
    if net.loss_name == "mean_squared_error":
        y = y.reshape(len(y), -1)
        if y.shape[1] != outputs:
            raise ValueError(f"{args.weights}: its last layer must have an output a target, {y.shape[1]}, got {outputs}")
        return x, y
    values = y if loaded.classes is None else np.array(loaded.classes)[(y > 0).astype(int) if y.min() < 0 else y]
    hinge = net.loss_name == "hinge"
    if net.classes is not None and not (loaded.classes is None and _labels(y, len(net.classes))):
        return x, labels_of(values, net.classes, hinge=hinge)
    most = max(outputs, 2)  # one output tells two classes apart
    if hinge and set(np.unique(y).tolist()) <= {-1, 1}:
        return x, y
    if not _labels(y, most):
        classes = np.unique(np.concatenate([y, loaded.held_out.y]))
        if len(classes) > most:
            raise ValueError(f"{args.weights}: its last layer tells {most} classes apart, the data has {len(classes)}")
        y = np.searchsorted(classes, y)
    return x, 2 * y - 1 if hinge else y


def _labels(y: Any, classes: int) -> bool:
    """Whether targets are labels 0, 1, ... as they are."""
    return bool(y.dtype.kind in "iu" and y.min() >= 0 and y.max() < classes)
