"""How a trace is taken: one pass forward, one backward, and every array summarized once."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fanin import loss as _loss
from fanin import saturation
from fanin.dense import dense_backward, dense_forward
from fanin.network.network import Network
from fanin.stats import Summaries, Summary, summarize
from fanin.theory.expected import LayerScale
from fanin.tracing import likeness
from fanin.tracing.expectation import Expectation
from fanin.tracing.record import LayerTrace, Trace

_BINS = 64
_Array: TypeAlias = NDArray[Any]


@dataclass
class Measured:
    """A trace, and the gradients (dw, db) of all layers that it was taken with; none unless asked for."""

    trace: Trace
    gradients: list[tuple[_Array, _Array | None]]


@dataclass
class _Layer:
    """One layer on its way into a trace; `found` gathers the fields of its LayerTrace."""

    w: _Array
    b: _Array | None
    activation: str
    x: _Array
    z: _Array
    a: _Array
    found: dict[str, Any] = field(default_factory=dict)
    units: dict[str, Summaries] | None = None


def measure(net: Network, data: _Array, y: ArrayLike | None, *, full: bool, per_unit: bool, keep: bool = False) -> Measured:
    """Take the trace of a batch of the network's dtype and shape, and finite; see `fanin.trace`. `keep`: keep the gradients."""
    options: dict[str, Any] = {} if full else {"bins": None, "moments": "two"}
    of_x = summarize(data, **options)
    targets = None if y is None else net._y(y)
    layers: list[_Layer] = []
    biases = net.biases or (None,) * len(net.weights)
    for w, b, activation in zip(net.weights, biases, net.activations, strict=True):
        layers.append(_forward(layers[-1].a if layers else data, w, b, activation, options, full, per_unit))
    cost, gradients = (None, []) if targets is None else _backward(net, layers, targets, options, keep)

    scales = []
    for layer in layers:
        of_w, of_b = layer.found["w"], layer.found["b"]
        strange = bool(of_w.nans or of_w.infs or (of_b is not None and (of_b.nans or of_b.infs)))
        var_b = math.nan if strange else 0.0 if of_b is None else float(of_b.rms) ** 2
        scales.append(LayerScale(layer.activation, layer.w.shape[1], layer.w.shape[0], layer.found["n_var_w"], var_b))
    expectation = Expectation(data, scales)
    whole = Trace(
        layers=tuple(_traces(layers, expectation)),
        x=of_x,
        neighbours=likeness.neighbours(data) if full else None,
        batch=data.shape[0],
        loss_name=net.loss_name,
        cost=cost,
        uninformed_cost=_uninformed_cost(net),
    )
    return Measured(whole, gradients)


def _forward(
    x: _Array, w: _Array, b: _Array | None, activation: str, options: dict[str, Any], full: bool, per_unit: bool
) -> _Layer:
    """Carry the batch through one layer and measure z and a on the way, then what else needs no gradient."""
    of_a: dict[str, Any] = {"bins": None, "saturation": saturation.limits(activation)}
    of_a |= {"moments": options.get("moments", "all")}
    known = saturation.value_range(activation)
    if known is not None and full:
        of_a |= {"bins": _BINS, "range": known}
    f = dense_forward(x, w, b, activation=activation, stats={"z": options, "a": of_a})
    assert f.stats is not None
    assert f.z is not None
    summary = f.stats.a
    if full and known is None:  # 64 bins over the values' own range
        low, high = float(summary.min), float(summary.max)
        if low < high and math.isfinite(high - low):
            with suppress(ValueError):  # values a few ulp apart have no 64 bins: what was measured stays without them
                summary = summarize(f.a, bins=_BINS, range=(low, high), saturation=of_a["saturation"])
    of_w = summarize(w, **options)
    top = math.nan if summary.nans or summary.infs else max(abs(float(summary.min)), abs(float(summary.max)))
    rank, cosine = likeness.similarity(f.a, top) if full else (None, None)
    layer = _Layer(w, b, activation, x, f.z, f.a, units={} if per_unit else None)
    layer.found = {
        "z": f.stats.z,
        "a": summary,
        "w": of_w,
        "b": None if b is None else summarize(b, **options),
        "n_var_w": w.shape[1] * float(of_w.rms) ** 2,
        "saturated": summary.saturated / summary.count if of_a["saturation"] else None,
        "dead": likeness.dead(f.a, summary.zeros),
        "copies": (copies := likeness.twins(w, b, None)),
        "twins": copies,
        "effective_rank": rank,
        "cosine": cosine,
    }
    _add_units(layer, options, z=(f.z, 0), a=(f.a, 0), w=(w, 1))
    return layer


def _backward(
    net: Network, layers: list[_Layer], targets: _Array, options: dict[str, Any], keep: bool
) -> tuple[float, list[tuple[_Array, _Array | None]]]:
    """Measure the gradients, each as soon as it is there; returns the cost, and what is to be kept."""
    logits = layers[-1].z
    one = logits.shape[1] == 1 and targets.ndim == 1
    cost, dz = _loss.evaluate(net.loss_name, logits[:, 0] if one else logits, targets)
    da = np.asarray(dz).reshape(logits.shape)
    kept: list[tuple[_Array, _Array | None]] = []
    of_da = summarize(da, **options)
    for layer in reversed(layers):
        need = ("dx", "dw", "db", "dz") if layer is not layers[0] else ("dw", "db", "dz")
        g = dense_backward(da, layer.x, layer.w, layer.z, activation=layer.activation, need=need)
        assert g.dw is not None
        assert g.dz is not None
        layer.found["da"] = of_da
        layer.found["dz"] = of_da if layer.activation == "identity" else summarize(g.dz, **options)
        layer.found["dw"] = summarize(g.dw, **options)
        layer.found["db"] = None if layer.b is None or g.db is None else summarize(g.db, **options)
        if layer.found["copies"]:
            layer.found["twins"] = likeness.twins(layer.w, layer.b, g.dw)
        _add_units(layer, options, dz=(g.dz, 0), da=(da, 0), dw=(g.dw, 1))
        if keep:
            kept.append((g.dw, None if layer.b is None else g.db))
        if g.dx is not None:
            da = g.dx
            of_da = summarize(da, **options)
    return float(cost), kept[::-1]


def _add_units(layer: _Layer, options: dict[str, Any], **arrays: tuple[_Array, int]) -> None:
    """Summarize units: over the batch where each is a column, over the row where each is a row."""
    few = {key: value for key, value in options.items() if key != "bins"}
    if layer.units is not None:
        layer.units |= {key: summarize(values, axis=axis, **few) for key, (values, axis) in arrays.items()}


def _traces(layers: list[_Layer], expectation: Expectation) -> list[LayerTrace]:
    """Add names, and what two neighbouring hidden layers say together."""
    traces, hidden = [], len(layers) - 1
    of_output = layers[-1].found.get("da")
    for layer in layers:
        layer.found = {"dz": None, "da": None, "dw": None, "db": None} | layer.found
    for i, layer in enumerate(layers):
        found = layer.found
        traces.append(
            LayerTrace(
                name="output" if i == hidden else f"hidden {i + 1}",
                activation=layer.activation,
                n_in=layer.w.shape[1],
                n_out=layer.w.shape[0],
                **found,
                forward_ratio=_ratio(found["a"], layers[i - 1].found["a"]) if 0 < i < hidden else None,
                backward_ratio=_ratio(found["da"], layers[i + 1].found["da"]) if i < hidden - 1 else None,
                units=layer.units,
                expectation=expectation,
                gradient_scale=None if of_output is None else float(of_output.rms),
            )
        )
    return traces


def _ratio(over: Summary | None, under: Summary | None) -> float | None:
    if over is None or under is None or over.rms == under.rms == 0:
        return None
    return float(np.divide(over.rms, under.rms))


def _uninformed_cost(net: Network) -> float | None:
    if net.loss_name == "cross_entropy":
        return math.log(net.sizes[-1])
    return math.log(2) if net.loss_name == "binary_cross_entropy" else None
