"""Examples of the article that need no training: its linear network of nine hidden layers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fanin.common.text import number
from fanin.diagnosis.diagnosis import diagnose
from fanin.network.network import Network
from fanin.tracing.record import Trace
from fanin.tracing.take import trace

FACTORS = (1.5, 1.0, 0.5)
HIDDEN = 9


def linear_network(factor: float) -> Network:
    """Return the article's "9-layer" network: 2 inputs, 9 hidden linear layers of 2 with the weights `factor` * I, 1 output.

    It has L = 10 weight matrices; the last is [1 1]. Biases are 0, so the output is 1.5^9 (x1 + x2) for the factor 1.5.
    """
    net = Network(
        [2] * (HIDDEN + 1) + [1], activation="identity", init="zeros", loss="mean_squared_error", seed=0, dtype="float64"
    )
    for w in net.weights[:-1]:
        w[...] = factor * np.eye(2)
    net.weights[-1][...] = 1.0
    return net


def linear_trace(factor: float) -> Trace:
    """Trace that network on the four inputs (+-1, +-1), all of scale 1, with the target 2 (x1 + x2)."""
    x = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    return trace(linear_network(factor), x, 2 * x.sum(axis=1, keepdims=True))


def linear_table(factors: Sequence[float] = FACTORS) -> str:
    """Return the scale of activations and gradients by layer, as a table of text, with a verdict for each network.

    Activations: rms of a[l], the input's being 1. Gradients: rms of dJ/da[l] over that of dJ/da[9]; the factor a layer does
    not depend on the target. The rms of dJ/dW[l] is the same in every hidden layer: to see the signal vanish, look at da.
    """
    traces = [linear_trace(factor) for factor in factors]
    lines = [f"9 hidden linear layers of 2, one output: L = {HIDDEN + 1} weight matrices; W[1] = ... = W[9] = factor x I", ""]
    lines.append(f"{'':<10}" + "".join(f"{f'{factor:g} I':^24}" for factor in factors).rstrip())
    lines.append(f"{'layer':<10}" + "".join(f"{'a':>10} {'da':>10}   " for _ in factors).rstrip())
    for i in range(HIDDEN):
        cells = []
        for t in traces:
            here, last = t.hidden[i].da, t.hidden[-1].da
            if here is None or last is None:
                raise AssertionError("a trace with targets has gradients")
            cells.append(f"{float(t.hidden[i].a.rms):>10.7g} {float(here.rms) / float(last.rms):>10.7g}   ")
        lines.append(f"{traces[0].hidden[i].name:<10}" + "".join(cells).rstrip())
    lines.append("")
    for factor, t in zip(factors, traces, strict=True):
        dw = t.hidden[0].dw
        scale = "" if dw is None else f"; rms of dW the same in layers 1 to 9: {number(float(dw.rms), 0)}"
        lines.append(f"{factor:g} I: {diagnose(t).verdict}{scale}")
    return "\n".join(lines)
