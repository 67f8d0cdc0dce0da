"""The findings: one list of what is wrong with a trace. Verdict, reasons and advice are views of it.

A finding has a word, the side that it stands on, its layers, and its figure. The list is in order of weight: values that are
not finite, no gradient, copies, dead units, saturated units, activations that vanish or explode, then gradients that do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from fanin.common.text import number
from fanin.diagnosis.signals.evidence import alike, names
from fanin.diagnosis.signals.summaries import is_zero, non_finite
from fanin.diagnosis.signals.thresholds import limit
from fanin.tracing.record import LayerTrace, Trace


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes
    ----------
    word : str
        "diverged", "no gradient", "symmetric", "dead", "saturated", "vanishing" or "exploding".
    side : str
        "activations", "gradients", "weights" or "cost".
    layers : tuple of str
        The names of the layers; of a signal that vanishes or explodes, the two ends of the stretch.
    figure : float or None
        How bad: the worst fraction of the units, or the factor that the signal changes by.
    text : str
        The same as a sentence.
    """

    word: str
    side: str
    layers: tuple[str, ...]
    figure: float | None
    text: str


def findings(t: Trace) -> tuple[Finding, ...]:
    """Return what is wrong, the worst first; nothing for a healthy signal."""
    forward, backward = of_activations(t), of_gradients(t)
    weights = [*_copies(t), *_cost(t)]
    found = [*forward, *weights, *backward]
    order: tuple[str, ...] = ("diverged", "no gradient", "symmetric", "dead", "saturated")
    if any(one.word == "no gradient" for one in found) and (cause := _cause_of_no_gradient(t)):
        order = ("diverged", cause, *order)
    rank = {word: i for i, word in enumerate(dict.fromkeys(order))}
    return tuple(sorted(found, key=lambda one: rank.get(one.word, len(rank) + (one.side == "cost"))))


def of_activations(t: Trace) -> list[Finding]:
    """Judge the way forward."""
    bad = [layer for layer in t.layers if any(non_finite(s) for s in (layer.w, layer.b, layer.z, layer.a))]
    if bad:
        words = f"{names(bad)}: values that are not finite, going forward"
        return [Finding("diverged", "activations", _names(bad), None, words)]
    out = []
    dead = [layer for layer in t.hidden if layer.dead > limit("dead")]
    if dead:
        words = f"units that are 0 for every input: {_shares(dead, [layer.dead for layer in dead])}"
        out.append(Finding("dead", "activations", _names(dead), max(layer.dead for layer in dead), words))
    full = [layer for layer in t.hidden if (layer.saturated or 0) > limit("saturated")]
    if full:
        shares = [layer.saturated or 0.0 for layer in full]
        words = f"activations at the flat ends of their function: {_shares(full, shares)}"
        out.append(Finding("saturated", "activations", _names(full), max(shares), words))
    return out + _trend(t.hidden, t.forward_scales, "activations")


def of_gradients(t: Trace) -> list[Finding]:
    """Judge the way back; nothing for a trace that goes forward only."""
    if t.cost is None and all(layer.dw is None for layer in t.layers):
        return []
    bad = [layer for layer in t.layers if any(non_finite(s) for s in (layer.dz, layer.da, layer.dw, layer.db))]
    if bad or (t.cost is not None and not math.isfinite(t.cost)):
        return [Finding("diverged", "gradients", _names(bad), None, f"{names(bad) or 'cost'}: gradients that are not finite")]
    if t.hidden and all(is_zero(layer.dw) for layer in t.hidden) and not _starts_closed(t):
        words = f"{names(t.hidden)}: dw is exactly 0, nothing there can learn"
        return [Finding("no gradient", "gradients", _names(t.hidden), 0.0, words)]
    back = [layer for layer in reversed(t.hidden) if layer.da is not None]
    return _trend(back, t.backward_scales, "gradients", t.gradient_tolerance)


def word_of(found: Sequence[Finding]) -> str:
    """Return the word of the worst finding: "healthy" without one."""
    return found[0].word if found else "healthy"


def keeps(t: Trace) -> list[str]:
    """Say of each way without a finding that the signal keeps its scale, where there is a stretch to keep it over."""
    out = []
    for side, found, rms in (
        ("activations", of_activations(t), t.forward_scales),
        ("gradients", of_gradients(t), t.backward_scales),
    ):
        if any(one.word in ("vanishing", "exploding", "diverged") for one in found) or len(rms) < 2 or not any(rms):
            continue
        if rms[0] == rms[-1]:
            out.append(f"{side} keep their scale")
        elif rms[0] and rms[-1]:
            out.append(f"{side} keep their scale: {_change(rms, side)}")
    return out


def odd_layers(t: Trace) -> list[LayerTrace]:
    """Return hidden layers whose n_in * Var(w) is ten times that of the others, or a tenth; none if all differ."""
    scales = sorted(layer.n_var_w for layer in t.hidden if math.isfinite(layer.n_var_w))
    if len(scales) < 3:
        return []
    middle = scales[len(scales) // 2]
    found = [layer for layer in t.hidden if not 0.1 * middle <= layer.n_var_w <= 10 * middle]
    return found if 2 * len(found) < len(t.hidden) else []


def _names(layers: Sequence[LayerTrace]) -> tuple[str, ...]:
    return tuple(layer.name for layer in layers)


def _shares(layers: Sequence[LayerTrace], shares: Sequence[float]) -> str:
    return ", ".join(f"{layer.name} {100 * share:.0f} %" for layer, share in zip(layers, shares, strict=True))


def _copies(t: Trace) -> list[Finding]:
    same = [layer for layer in t.hidden if alike(layer)]
    if not same:
        return []
    stay = all(layer.twins == layer.copies for layer in same)
    bits = " and the same gradients, bit for bit, and will stay alike" if stay else ", bit for bit, and compute the same"
    share = max(layer.copies / layer.n_out for layer in same)
    return [Finding("symmetric", "weights", _names(same), share, f"{names(same)}: units have the same weights{bits}")]


def _cost(t: Trace) -> list[Finding]:
    """A first cost far above ln(classes): the output is too large."""
    if t.cost is None or t.uninformed_cost is None or not math.isfinite(t.cost):
        return []
    factor = t.cost / t.uninformed_cost
    if factor <= limit("first cost"):
        return []
    words = f"cost {t.cost:.3g}: a network that favours no class has {t.uninformed_cost:.3g}"
    return [Finding("exploding", "cost", (t.output.name,), factor, words)]


def _starts_closed(t: Trace) -> bool:
    """Whether only the output's zero weights hold the gradient back: its own dw opens them at the first step."""
    last = t.hidden[-1]
    differ = not alike(last) and not is_zero(last.w)
    return differ and is_zero(t.output.w) and not is_zero(t.output.dw)


def _cause_of_no_gradient(t: Trace) -> str | None:
    """Return "dead" or "saturated" where a layer of such units keeps all gradients at 0."""
    if any(layer.dead == 1 and layer.z.max < 0 for layer in t.hidden):
        return "dead"
    if any(layer.saturated == 1 and not is_zero(layer.z) for layer in t.hidden):
        return "saturated"
    return None


_VERBS = {"vanishing": "vanish", "exploding": "explode"}
_WAYS = {"activations": "first hidden layer to the last", "gradients": "last hidden layer to the first"}


def _trend(layers: Sequence[LayerTrace], rms: Sequence[float], side: str, tolerance: float = 1.0) -> list[Finding]:
    """Judge how a scale changes along its way: from one end to the other, then over the worst stretch between.

    The limits are raised to the power `tolerance`.
    """
    if len(rms) < 2 or not any(rms) or rms[0] == rms[-1]:  # another rule names layers of zeros
        return _stretch(layers, rms, side) if len(layers) == len(rms) else []
    ends = (layers[0].name, layers[-1].name)
    if rms[-1] == 0:
        return [Finding("vanishing", side, ends, 0.0, f"{side} fall to exactly 0")]
    if rms[0] == 0:
        return [Finding("exploding", side, ends, math.inf, f"{side} rise from exactly 0")]
    total = math.log(rms[-1]) - math.log(rms[0])
    factor = _factor(rms)
    if total < -math.log(limit("total")) * tolerance or factor < limit("shrink") ** tolerance:
        word = "vanishing"
    elif total > math.log(limit("total")) * tolerance or factor > limit("grow") ** tolerance:
        word = "exploding"
    else:
        return _stretch(layers, rms, side) if len(layers) == len(rms) else []
    words = f"{side} {_VERBS[word]}: {_change(rms, side)}"
    return [Finding(word, side, ends, math.exp(min(total, 700.0)), words)]


def _stretch(layers: Sequence[LayerTrace], rms: Sequence[float], side: str) -> list[Finding]:
    """Name the step between two neighbours at which a scale changes a thousandfold, though both ends agree."""
    steps = [(after / before, i) for i, (before, after) in enumerate(pairwise(rms)) if before > 0 and after > 0]
    if not steps:
        return []
    ratio, i = max(steps, key=lambda one: abs(math.log(one[0])))
    if limit("step") ** -1 <= ratio <= limit("step"):
        return []
    word, ends = "vanishing" if ratio < 1 else "exploding", (layers[i].name, layers[i + 1].name)
    return [Finding(word, side, ends, ratio, f"{side} {_VERBS[word]}: x {ratio:.3g} from {ends[0]} to {ends[1]}")]


def _factor(rms: Sequence[float]) -> float:
    return math.exp(min((math.log(rms[-1]) - math.log(rms[0])) / (len(rms) - 1), 700))


def _change(rms: Sequence[float], side: str) -> str:
    scales = f"{number(rms[0], 0).strip()} to {number(rms[-1], 0).strip()}"
    return f"x {_factor(rms):.3g} a layer, {scales} from the {_WAYS[side]}"
