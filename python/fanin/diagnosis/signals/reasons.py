"""Reasons: the findings in words, beside what theory expects of such weights."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fanin.common.text import number
from fanin.diagnosis.signals.evidence import names
from fanin.diagnosis.signals.findings import Finding, keeps, odd_layers
from fanin.diagnosis.signals.summaries import is_zero
from fanin.diagnosis.signals.thresholds import limit
from fanin.tracing.record import Trace

_SIDES = ("activations", "gradients", "weights", "cost")


def reasons(t: Trace, found: Sequence[Finding]) -> list[str]:
    """Return the evidence in words: of the activations, of the gradients, of copies, of the cost."""
    kept = keeps(t)
    out = []
    for side in _SIDES:
        out += [one.text for one in found if one.side == side]
        out += [words for words in kept if words.startswith(side)]
        if side == "activations":
            trend = next((one for one in found if one.side == side and one.word in ("vanishing", "exploding")), None)
            out += ([] if trend is None else _in_theory(t, trend.word)) + _dying(t)
    return out + _odd(t)


def typical(t: Trace) -> float:
    """Return the geometric mean of the hidden layers' n_in * Var(w), the odd ones left out; NaN without a hidden layer."""
    apart = {layer.name for layer in odd_layers(t)}
    scales = [math.log(max(layer.n_var_w, 1e-300)) for layer in t.hidden if layer.name not in apart]
    return math.exp(sum(scales) / len(scales)) if scales else math.nan


def _odd(t: Trace) -> list[str]:
    found = odd_layers(t)
    if not found:
        return []
    scales = ", ".join(number(layer.n_var_w, 0).strip() for layer in found)
    return [f"{names(found)}: n_in * Var(w) is {scales}, in the other hidden layers {number(typical(t), 0).strip()}"]


def _dying(t: Trace) -> list[str]:
    """Dead ReLU units beside those that depth alone brings."""
    worst = max(t.hidden, key=lambda layer: layer.dead, default=None)
    if worst is None or worst.dead < 0.02 or worst.expected_dead is None:
        return []
    if any(layer.b is not None and not is_zero(layer.b) for layer in t.hidden):
        return []  # biases kill units too: the expectation is then not what depth alone brings
    own = f"{worst.name}: {100 * worst.dead:.0f} % of the units are dead"
    return [f"{own}; ReLU has {100 * worst.expected_dead:.0f} % at this depth by itself, on a batch of {t.batch}"]


def _in_theory(t: Trace, word: str) -> list[str]:
    """Whether the law of the weights explains the trend."""
    first, last = t.hidden[0], t.hidden[-1]
    if first.expected is None or last.expected is None or not first.expected.a_rms or not last.expected.a_rms or first is last:
        return []
    steps = len(t.hidden) - 1
    factor = (last.expected.a_rms / first.expected.a_rms) ** (1 / steps)
    out = []
    if not odd_layers(t):
        out.append(f"theory expects x {factor:.3g} a layer from n_in * Var(w) = {number(typical(t), 0).strip()}")
    if word == "vanishing" and all(layer.activation == "tanh" and 0.8 < layer.n_var_w < 1.25 for layer in t.hidden):
        out.append("tanh under n_in * Var(w) = 1 decays as 1 / sqrt(2 l) by itself: so deep, it needs a gain above 1")
    if first.a.rms and last.a.rms and _mild(factor) and factor**steps < limit("total") and factor**-steps < limit("total"):
        scatter = math.hypot(first.expected.a_error, last.expected.a_error)
        stray = abs(math.log(float(last.a.rms) / float(first.a.rms)) - steps * math.log(factor))
        if stray < 3 * scatter:
            out.append(f"layers so few and narrow scatter, by a factor of {math.exp(scatter):.2g}: another draw may be healthy")
    return out


def _mild(factor: float) -> bool:
    return limit("shrink") <= factor <= limit("grow")
