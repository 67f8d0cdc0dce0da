"""The expected outlook: what a trace alone says of the training to come, where nothing was tried.

A table of small decision trees, each adding to the odds (gradient boosting, Friedman 2001), reads some figures of the trace:
the worst stretch of the signal forward and backward, the scale of the weights beside the rule for the activation, of the output
and of the first cost, the gradient and the step that a rate of 1 makes in each layer beside its weights, dead, saturated and
equal units, biases and inputs. There is one table for whole traces, one for those that go forward only, and one for moments
alone. ``scripts/forecast.py`` makes them from networks that were trained; docs/diagnosis.md says how often they are right on
others.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from fanin import activation
from fanin.diagnosis.signals.summaries import non_finite
from fanin.stats import Summary
from fanin.tracing.record import Trace

_TABLE = Path(__file__).with_name("forecast.json")
_LEARNED = 0.5  # of the cost of a network that favours no class: training has done its work


def expected_outlook(t: Trace) -> str | None:
    """Return "trains" or "slow" where the table is sure enough of either, "diverges" of values that are not finite.

    None for a network without a hidden layer, whose start decides nothing.
    """
    if not is_finite(t):
        return "diverges"
    if t.cost is not None and t.uninformed_cost is not None and t.cost < _LEARNED * t.uninformed_cost:
        return "trains"
    kind = _kind(t)
    if kind is None:
        return None
    return "trains" if chance(t) > _tables()[kind]["limit"] else "slow"


def is_finite(t: Trace) -> bool:
    """Whether all values of a trace are finite: no table is asked about others."""
    return not any(
        non_finite(s) for layer in t.layers for s in (layer.w, layer.b, layer.z, layer.a, layer.dz, layer.da, layer.dw)
    )


def chance(t: Trace) -> float:
    """Return the table's probability that a network trains; NaN for a trace that no table is for."""
    kind = _kind(t)
    if kind is None:
        return math.nan
    table = _tables()[kind]
    found = features(t)
    values = [found[name] for name in table["features"]]
    odds = table["start"] + sum(_leaf(tree, values) for tree in table["trees"])
    return 1 / (1 + math.exp(-max(min(odds, 50.0), -50.0)))


def _kind(t: Trace) -> str | None:
    """Name the table for what a trace has: "both" ways, "forward" alone, or both in "moments"; None for less.

    None for networks that no table has seen, too: linear ones, and modules of another library.
    """
    if type(t) is not Trace:
        return None
    if not t.hidden or (t.cost is None and not _is_whole(t)):
        return None
    if all(layer.activation == "identity" for layer in t.hidden):
        return None
    return "forward" if t.cost is None else "both" if _is_whole(t) else "moments"


def _is_whole(t: Trace) -> bool:
    """Whether inputs were compared: their rank and cosine are None for activations of zeros, too."""
    return t.x.histogram is not None


def _leaf(tree: Sequence[Any], values: Sequence[float]) -> float:
    """Walk down a tree: [feature, limit, where at most, where above], or a number to add."""
    node: Any = tree
    while isinstance(node, list):
        feature, limit, low, high = node
        node = low if values[feature] <= limit else high
    return float(node)


@cache
def _tables() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(_TABLE.read_text())
    return found


def features(t: Trace) -> dict[str, float]:
    """Return the figures that the tables read, scales as decimal logarithms; without gradients those of the way forward."""
    a = [_log(layer.a.std) for layer in t.hidden]
    out, hidden = t.output, t.hidden
    gains = [2 * _log(activation.gain(layer.activation)) for layer in hidden]
    beside = [_log(layer.n_var_w) - gain for layer, gain in zip(hidden, gains, strict=True)]  # the rule: n var(w) = gain^2
    found = {
        "depth": float(len(hidden)),
        "forward falls": _fall(a),
        "forward grows": _fall(a[::-1]),
        "a, last": a[-1],
        "a, least": min(a),
        "z of the output": _log(out.z.std),
        "n var(w) of the output": _log(out.n_var_w),
        "n var(w), least": min(_log(layer.n_var_w) for layer in hidden),
        "n var(w), most": max(_log(layer.n_var_w) for layer in hidden),
        "gain": sum(gains) / len(gains),
        "beside the rule, least": min(beside),
        "beside the rule, most": max(beside),
        "beside the rule, mean": sum(beside) / len(beside),
        "beside the rule, first": beside[0],
        "beside the rule, last": beside[-1],
        "dead": max(layer.dead for layer in hidden),
        "saturated": max(layer.saturated or 0.0 for layer in hidden),
        "copies": max(layer.copies / layer.n_out for layer in hidden),
        "mean of a": max(abs(_finite(layer.a.mean / layer.a.rms, 0.0)) if layer.a.rms else 0.0 for layer in hidden),
        "dead, mean": sum(layer.dead for layer in hidden) / len(hidden),
        "saturated, mean": sum(layer.saturated or 0.0 for layer in hidden) / len(hidden),
        "units": float(min(layer.n_out for layer in hidden)),
        "x": _log(t.x.rms),
        "mean of x": min(abs(float(t.x.mean)) / max(float(t.x.std), 1e-9), 1e9),
        "biases": max((_finite(layer.b.rms, 0.0) for layer in t.layers if layer.b is not None), default=0.0),
        "regression": float(t.loss_name == "mean_squared_error"),
    }
    if _is_whole(t):
        found |= {
            "inputs alike, first": _log(1 - min(_finite(hidden[0].cosine, 1.0), 1.0)),
            "inputs alike, last": _log(1 - min(_finite(hidden[-1].cosine, 1.0), 1.0)),
            "rank, last": _finite(hidden[-1].effective_rank, 0.0),
            "rank, least": min(_finite(layer.effective_rank, 0.0) for layer in hidden),
        }
    return found if t.cost is None else found | _of_gradients(t)


def _of_gradients(t: Trace) -> dict[str, float]:
    hidden = t.hidden
    da = [_rms(layer.da) for layer in hidden]
    dw = [_rms(layer.dw) for layer in t.layers]
    steps = [one - _log(layer.w.rms) for one, layer in zip(dw, t.layers, strict=True)]
    squares = sum(10 ** (2 * one) * layer.n_in * layer.n_out for one, layer in zip(dw, t.layers, strict=True))
    sources = [t.x, *(layer.a for layer in hidden)]
    agree = [one - _rms(layer.dz) - _log(a.rms) for one, layer, a in zip(dw, t.layers, sources, strict=True)]
    biases = [_rms(layer.db) - _rms(layer.dz) for layer in t.layers if layer.db is not None]
    return {
        "backward falls": _fall(da[::-1]),
        "backward grows": _fall(da),
        "da, most": max(da),
        "da, least": min(da),
        "cost": _log((t.cost or 0.0) / (t.uninformed_cost or 1.0)),
        "gradient": _log(math.sqrt(squares)),
        "dw, first": dw[0],
        "dw, last": dw[-1],
        "dw, most": max(dw),
        "dw, least": min(dw),
        "step, first": max(min(steps[0], 30.0), -30.0),
        "step, last": max(min(steps[-1], 30.0), -30.0),
        "step, most": max(min(one, 30.0) for one in steps),
        "step, least": min(max(one, -30.0) for one in steps),
        "agreement, first": agree[0],
        "agreement, last": agree[-1],
        "agreement, least": min(agree),
        "agreement of biases": min(biases, default=0.0),
        "dw falls": max(before - after for before, after in pairwise(dw)),
        "dw grows": max(after - before for before, after in pairwise(dw)),
    }


def _rms(summary: Summary | None) -> float:
    return 0.0 if summary is None else _log(summary.rms)


def _fall(scales: Sequence[float]) -> float:
    """Return the largest fall between any two layers, in decades."""
    top, worst = scales[0], 0.0
    for one in scales:
        top = max(top, one)
        worst = max(worst, top - one)
    return worst


def _log(value: Any) -> float:
    """Return the decimal logarithm, between -30 and 30; 0 for NaN."""
    value = float(value)
    return 0.0 if math.isnan(value) else math.log10(min(max(value, 1e-30), 1e30))


def _finite(value: Any, default: float) -> float:
    return default if value is None or not math.isfinite(value) else float(value)
