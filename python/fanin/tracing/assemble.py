"""From the summaries of one pass to a trace: shared by `fanin.trace` and by the traces of a fit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fanin.activation import traits
from fanin.common.text import layer_name
from fanin.stats import Summaries, Summary
from fanin.theory.expected import LayerScale
from fanin.tracing import likeness
from fanin.tracing.expectation import Expectation, layer_scale
from fanin.tracing.record import LayerTrace, Trace

Array: TypeAlias = NDArray[Any]


@dataclass
class Layer:
    """One layer on its way into a trace; `found` gathers the fields of its LayerTrace."""

    w: Array
    b: Array | None
    activation: str
    found: dict[str, Any]
    units: dict[str, Summaries] | None = None
    gradients: dict[str, Any] = field(default_factory=lambda: dict.fromkeys(("dz", "da", "dw", "db")))

    def add_gradients(self, dw: Array, **summaries: Summary | None) -> None:
        """Take the summaries dz, da, of_dw and of_db; `dw` tells which copies will stay alike."""
        self.gradients = {name.removeprefix("of_"): one for name, one in summaries.items()}
        if self.found["copies"]:
            self.found["twins"] = likeness.twins(self.w, self.b, dw)


def layer_of(
    w: Array, b: Array | None, activation: str, *, z: Summary, a: Summary, of_w: Summary, of_b: Summary | None, dead: float
) -> Layer:
    """Return a layer whose forward pass was summarized; ranks and cosines are None until they are filled in."""
    copies = likeness.twins(w, b, None)
    found = {
        "z": z,
        "a": a,
        "w": of_w,
        "b": of_b,
        "n_var_w": w.shape[1] * float(of_w.rms) ** 2,
        "saturated": None if traits(activation).limits is None else a.saturated / a.count,
        "dead": dead,
        "copies": copies,
        "twins": copies,
        "effective_rank": None,
        "cosine": None,
    }
    return Layer(w, b, activation, found)


def trace_of(
    net: Any, layers: Sequence[Layer], data: Array, of_x: Summary, cost: float | None, neighbours: float | None = None
) -> Trace:
    """Put a trace together.

    Parameters
    ----------
    net : Network
        For the names of its loss and its outputs.
    layers : sequence of Layer
    data : array, shape (batch, n_in)
        The batch.
    of_x : Summary
        Of the batch.
    cost, neighbours : float, optional
        As in `Trace`.
    """
    expectation = Expectation(data, [_scale(layer) for layer in layers])
    return Trace(
        layers=tuple(_records(layers, expectation)),
        x=of_x,
        neighbours=neighbours,
        batch=data.shape[0],
        loss_name=net.loss_name,
        cost=cost,
        uninformed_cost=_uninformed_cost(net),
    )


def _scale(layer: Layer) -> LayerScale:
    n_out, n_in = layer.w.shape
    return layer_scale(layer.activation, n_in, n_out, layer.found["n_var_w"], layer.found["w"], layer.found["b"])


def _records(layers: Sequence[Layer], expectation: Expectation) -> list[LayerTrace]:
    """Add names, and what two neighbouring hidden layers say together."""
    hidden, of_output = len(layers) - 1, layers[-1].gradients["da"]
    return [
        LayerTrace(
            name=layer_name(i, len(layers)),
            index=i,
            is_output=i == hidden,
            activation=layer.activation,
            n_in=layer.w.shape[1],
            n_out=layer.w.shape[0],
            **layer.found,
            **layer.gradients,
            forward_ratio=_ratio(layer.found["a"], layers[i - 1].found["a"]) if 0 < i < hidden else None,
            backward_ratio=_ratio(layer.gradients["da"], layers[i + 1].gradients["da"]) if i < hidden - 1 else None,
            units=layer.units,
            expectation=expectation,
            gradient_scale=None if of_output is None else float(of_output.rms),
        )
        for i, layer in enumerate(layers)
    ]


def _ratio(over: Summary | None, under: Summary | None) -> float | None:
    if over is None or under is None or over.rms == under.rms == 0:
        return None
    return float(np.divide(over.rms, under.rms))


def _uninformed_cost(net: Any) -> float | None:
    if net.loss_name == "cross_entropy":
        return math.log(net.sizes[-1])
    return math.log(2) if net.loss_name == "binary_cross_entropy" else None
