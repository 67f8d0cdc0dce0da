"""How a trace is taken: one pass forward, one backward, and every array summarized once."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from fanin import loss
from fanin.activation import traits
from fanin.dense import dense_backward, dense_forward
from fanin.network.network import Network
from fanin.stats import summarize
from fanin.tracing import likeness
from fanin.tracing.assemble import Array, Layer, layer_of, trace_of
from fanin.tracing.record import Trace

MOMENTS: dict[str, Any] = {"bins": None, "moments": "two"}  # what stats="moments" measures of an array
_BINS = 64


class _Pass(NamedTuple):
    """One layer and the arrays of its pass."""

    layer: Layer
    x: Array
    z: Array
    a: Array


def measure(net: Network, data: Array, y: ArrayLike | None, *, full: bool, per_unit: bool) -> Trace:
    """Take the trace of a batch of the network's dtype and shape, and finite; see `fanin.trace`."""
    options: dict[str, Any] = {} if full else MOMENTS
    targets = None if y is None else net._y(y)
    passes: list[_Pass] = []
    biases = net.biases or (None,) * len(net.weights)
    for w, b, activation in zip(net.weights, biases, net.activations, strict=True):
        passes.append(_forward(passes[-1].a if passes else data, w, b, activation, options, full, per_unit))
    cost = None if targets is None else _backward(net, passes, targets, options)
    neighbours = likeness.neighbours(data) if full else None
    return trace_of(net, [one.layer for one in passes], data, summarize(data, **options), cost, neighbours)


def _forward(
    x: Array, w: Array, b: Array | None, activation: str, options: dict[str, Any], full: bool, per_unit: bool
) -> _Pass:
    """Carry the batch through one layer and measure z and a on the way, then what else needs no gradient."""
    of_a: dict[str, Any] = {"bins": None, "saturation": traits(activation).limits}
    of_a |= {"moments": options.get("moments", "all")}
    known = traits(activation).value_range
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
    of_w, of_b = summarize(w, **options), None if b is None else summarize(b, **options)
    layer = layer_of(w, b, activation, z=f.stats.z, a=summary, of_w=of_w, of_b=of_b, dead=likeness.dead(f.a, summary.zeros))
    if full:
        top = math.nan if summary.nans or summary.infs else max(abs(float(summary.min)), abs(float(summary.max)))
        layer.found["effective_rank"], layer.found["cosine"] = likeness.similarity(f.a, top)
    if per_unit:
        layer.units = {}
        _add_units(layer, options, z=(f.z, 0), a=(f.a, 0), w=(w, 1))
    return _Pass(layer, x, f.z, f.a)


def _backward(net: Network, passes: list[_Pass], targets: Array, options: dict[str, Any]) -> float:
    """Measure the gradients, each as soon as it is there; returns the cost."""
    logits = passes[-1].z
    one = logits.shape[1] == 1 and targets.ndim == 1
    cost, dz = loss.evaluate(net.loss_name, logits[:, 0] if one else logits, targets)
    da = np.asarray(dz).reshape(logits.shape)
    of_da = summarize(da, **options)
    for layer, x, z, _ in reversed(passes):
        need = ("dx", "dw", "db", "dz") if layer is not passes[0].layer else ("dw", "db", "dz")
        g = dense_backward(da, x, layer.w, z, activation=layer.activation, need=need)
        assert g.dw is not None
        assert g.dz is not None
        layer.add_gradients(
            g.dw,
            da=of_da,
            dz=of_da if layer.activation == "identity" else summarize(g.dz, **options),
            of_dw=summarize(g.dw, **options),
            of_db=None if layer.b is None or g.db is None else summarize(g.db, **options),
        )
        _add_units(layer, options, dz=(g.dz, 0), da=(da, 0), dw=(g.dw, 1))
        if g.dx is not None:
            da = g.dx
            of_da = summarize(da, **options)
    return float(cost)


def _add_units(layer: Layer, options: dict[str, Any], **arrays: tuple[Array, int]) -> None:
    """Summarize units: over the batch where each is a column, over the row where each is a row."""
    few = {key: value for key, value in options.items() if key != "bins"}
    if layer.units is not None:
        layer.units |= {key: summarize(values, axis=axis, **few) for key, (values, axis) in arrays.items()}
