"""The rules of a diagnosis: thresholds with their sources, and what they say of a trace."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fanin.common.text import number
from fanin.tracing.record import LayerTrace, Trace


@dataclass(frozen=True)
class Threshold:
    """A number that decides, and where it comes from."""

    value: float
    source: str

    def __str__(self) -> str:
        return f"{self.value:g}: {self.source}"


THRESHOLDS = {
    "total": Threshold(10.0, "a scale changed tenfold over the hidden layers: no learning rate suits both ends"),
    "shrink": Threshold(0.75, "a layer: tanh under its own rule has at least 0.77 (.628 to .486), ReLU under tanh's rule 0.71"),
    "grow": Threshold(1.33, "the inverse of the limit of shrinking"),
    "dead": Threshold(0.5, "ReLU units die with depth by themselves, but no more than half of them (Lu et al. 2019)"),
    "saturated": Threshold(0.5, "most activations within 3 % of a bound, where the slope of tanh is below 6 %"),
    "copies": Threshold(0.5, "at least half of a layer's units compute the same, bit for bit"),
    "first cost": Threshold(2.0, "times the cost of a network that favours no class, ln(classes)"),
    "mean of inputs": Threshold(0.1, "times their standard deviation: LeCun et al. 1998, section 4.3, asks for a mean of 0"),
    "size of inputs": Threshold(2.0, "E[x^2] above it or below its inverse: LeCun et al. 1998, section 4.3, asks for 1"),
    "neighbours": Threshold(0.5, "median correlation of neighbouring inputs; the derivation takes them to be independent"),
    "plateau": Threshold(0.001, "of the cost: it falls by less over the run, or by less than twice the noise of the batches"),
    "diverged": Threshold(10.0, "times the first costs, at the end of the run"),
}


def _of(name: str) -> float:
    return THRESHOLDS[name].value


@dataclass(frozen=True)
class LayerEvidence:
    """What speaks for and against one hidden layer, beside what theory expects at its depth."""

    name: str
    n_var_w: float
    saturated: float | None
    dead: float
    expected_dead: float | None
    copies: int
    forward_ratio: float | None
    expected_forward_ratio: float | None
    backward_ratio: float | None
    expected_backward_ratio: float | None
    forward: tuple[str, ...]  # findings: "not finite", "dead", "saturated", "shrinks", "grows", "copies"
    backward: tuple[str, ...]  # "not finite", "no gradient", "shrinks", "grows"


def evidence(t: Trace) -> tuple[LayerEvidence, ...]:
    """Return the evidence of every hidden layer."""
    out = []
    for i, layer in enumerate(t.hidden):
        before = t.hidden[i - 1].expected if i else None
        own = layer.expected
        known = before is not None and own is not None and before.a_rms > 0
        expected = own.a_rms / before.a_rms if known and own is not None and before is not None else None
        forward = [word for word, found in _findings(layer) if found]
        if layer.forward_ratio is not None and not math.isnan(layer.forward_ratio):
            forward += _step(layer.forward_ratio)
        backward = []
        if any(non_finite(s) for s in (layer.dz, layer.da, layer.dw, layer.db)):
            backward.append("not finite")
        elif is_zero(layer.dw):
            backward.append("no gradient")
        if layer.backward_ratio is not None and not math.isnan(layer.backward_ratio):
            backward += _step(layer.backward_ratio)
        out.append(
            LayerEvidence(
                name=layer.name,
                n_var_w=layer.n_var_w,
                saturated=layer.saturated,
                dead=layer.dead,
                expected_dead=layer.expected_dead,
                copies=layer.copies,
                forward_ratio=layer.forward_ratio,
                expected_forward_ratio=expected,
                backward_ratio=layer.backward_ratio,
                expected_backward_ratio=layer.expected_backward_ratio,
                forward=tuple(forward),
                backward=tuple(backward),
            )
        )
    return tuple(out)


def _step(ratio: float) -> list[str]:
    return ["shrinks"] if ratio < _of("shrink") else ["grows"] if ratio > _of("grow") else []


def _findings(layer: LayerTrace) -> Iterable[tuple[str, bool]]:
    yield "not finite", any(non_finite(s) for s in (layer.w, layer.b, layer.z, layer.a))
    yield "dead", layer.dead > _of("dead")
    yield "saturated", (layer.saturated or 0) > _of("saturated")
    yield "copies", alike(layer)


def alike(layer: LayerTrace) -> bool:
    """Whether the layer is symmetric."""
    return layer.copies > 1 and layer.copies >= _of("copies") * layer.n_out


def forward(t: Trace, *, explain: bool = False) -> tuple[str, list[str]]:
    """Judge the activations; `explain`: with what theory expects, which takes longer."""
    bad = [layer for layer in t.layers if any(non_finite(s) for s in (layer.w, layer.b, layer.z, layer.a))]
    if bad:
        return "diverged", [f"{names(bad)}: values that are not finite, going forward"]
    word, reasons = trend(t.forward_scales, "activations")
    if explain and word != "healthy":
        reasons += _in_theory(t, word)
    full = [layer for layer in t.hidden if (layer.saturated or 0) > _of("saturated")]
    if full:
        parts = ", ".join(f"{layer.name} {100 * (layer.saturated or 0):.0f} %" for layer in full)
        word, reasons = "saturated", [f"activations at the flat ends of their function: {parts}", *reasons]
    dead = [layer for layer in t.hidden if layer.dead > _of("dead")]
    if dead:
        parts = ", ".join(f"{layer.name} {100 * layer.dead:.0f} %" for layer in dead)
        word, reasons = "dead", [f"units that are 0 for every input: {parts}", *reasons]
    return word, reasons + (_dying(t, bool(dead)) if explain else [])


def _dying(t: Trace, verdict: bool) -> list[str]:
    """Dead ReLU units beside those that depth alone brings."""
    worst = max(t.hidden, key=lambda layer: layer.dead, default=None)
    if worst is None or worst.dead < 0.02 or worst.expected_dead is None:
        return []
    if any(layer.b is not None and not is_zero(layer.b) for layer in t.hidden):
        return []  # biases kill units too: the expectation is then not what depth alone brings
    own = f"{worst.name}: {100 * worst.dead:.0f} % of the units are dead;" if not verdict else f"{worst.name}:"
    return [f"{own} ReLU has {100 * worst.expected_dead:.0f} % at this depth by itself, on a batch of {t.batch}"]


def _in_theory(t: Trace, word: str) -> list[str]:
    """Whether the law of the weights explains the trend."""
    first, last = t.hidden[0], t.hidden[-1]
    if first.expected is None or last.expected is None or not first.expected.a_rms or not last.expected.a_rms:
        return []
    steps = len(t.hidden) - 1
    factor = (last.expected.a_rms / first.expected.a_rms) ** (1 / steps)
    out = [f"theory expects x {factor:.3g} a layer from n_in * Var(w) = {number(typical(t), 0).strip()}"]
    if word == "vanishing" and all(layer.activation == "tanh" and 0.8 < layer.n_var_w < 1.25 for layer in t.hidden):
        out.append("tanh under n_in * Var(w) = 1 decays as 1 / sqrt(2 l) by itself: so deep, it needs a gain above 1")
    if first.a.rms and last.a.rms and _mild(factor) and factor**steps < _of("total") and factor**-steps < _of("total"):
        scatter = math.hypot(first.expected.a_error, last.expected.a_error)
        stray = abs(math.log(float(last.a.rms) / float(first.a.rms)) - steps * math.log(factor))
        if stray < 3 * scatter:
            out.append(f"layers so few and narrow scatter, by a factor of {math.exp(scatter):.2g}: another draw may be healthy")
    return out


def _mild(factor: float) -> bool:
    return _of("shrink") <= factor <= _of("grow")


def backward(t: Trace) -> tuple[str | None, list[str]]:
    """Judge the gradients; None if there are none."""
    if t.cost is None and all(layer.dw is None for layer in t.layers):
        return None, []
    gradients = [(layer, s) for layer in t.layers for s in (layer.dz, layer.da, layer.dw, layer.db)]
    if (t.cost is not None and not math.isfinite(t.cost)) or any(non_finite(s) for _, s in gradients):
        bad = [layer for layer in t.layers if any(non_finite(s) for s in (layer.dz, layer.da, layer.dw, layer.db))]
        return "diverged", [f"{names(bad) or 'cost'}: gradients that are not finite"]
    if t.hidden and all(is_zero(layer.dw) for layer in t.hidden) and not _starts_closed(t):
        return "no gradient", [f"{names(t.hidden)}: dw is exactly 0, nothing there can learn"]
    return trend(t.backward_scales, "gradients", t.gradient_tolerance)


def _starts_closed(t: Trace) -> bool:
    """Whether only the output's zero weights hold the gradient back: its own dw opens them at the first step."""
    last = t.hidden[-1]
    differ = not alike(last) and not is_zero(last.w)
    return differ and is_zero(t.output.w) and not is_zero(t.output.dw)


def cause_of_no_gradient(t: Trace) -> str:
    """Return "dead" or "saturated" where a layer of such units keeps all gradients at 0, else "no gradient"."""
    if any(layer.dead == 1 and layer.z.max < 0 for layer in t.hidden):
        return "dead"
    if any(layer.saturated == 1 and not is_zero(layer.z) for layer in t.hidden):
        return "saturated"
    return "no gradient"


_VERBS = {"healthy": "keep their scale", "vanishing": "vanish", "exploding": "explode"}


def trend(rms: Sequence[float], what: str, tolerance: float = 1.0) -> tuple[str, list[str]]:
    """Judge how a scale changes along its way; the limits are raised to the power `tolerance`."""
    steps = len(rms) - 1
    if not any(rms):
        return "healthy", []  # another rule names layers of zeros
    if steps < 1 or rms[0] == rms[-1]:
        return "healthy", [f"{what} {_VERBS['healthy']}"] if steps >= 1 else []
    if rms[-1] == 0:
        return "vanishing", [f"{what} fall to exactly 0"]
    if rms[0] == 0:
        return "exploding", [f"{what} rise from exactly 0"]
    total = math.log(rms[-1]) - math.log(rms[0])
    factor = math.exp(min(total / steps, 700))
    word = "healthy"
    if total < -math.log(_of("total")) * tolerance or factor < _of("shrink") ** tolerance:
        word = "vanishing"
    elif total > math.log(_of("total")) * tolerance or factor > _of("grow") ** tolerance:
        word = "exploding"
    way = "first hidden layer to the last" if what == "activations" else "last hidden layer to the first"
    scales = f"{number(rms[0], 0).strip()} to {number(rms[-1], 0).strip()}"
    return word, [f"{what} {_VERBS[word]}: x {factor:.3g} a layer, {scales} from the {way}"]


def reasons(t: Trace) -> list[str]:
    """Return the evidence in words: of the activations, of the gradients, of copies, of the cost."""
    words = forward(t, explain=True)[1] + backward(t)[1]
    same = [layer for layer in t.hidden if alike(layer)]
    if same and all(layer.twins == layer.copies for layer in same):
        words.append(f"{names(same)}: units have the same weights and the same gradients, bit for bit, and will stay alike")
    elif same:
        words.append(f"{names(same)}: units have the same weights, bit for bit, and compute the same")
    return words + cost(t)


def typical(t: Trace) -> float:
    """Return the geometric mean of the hidden layers' n_in * Var(w)."""
    return float(np.exp(np.mean([math.log(max(layer.n_var_w, 1e-300)) for layer in t.hidden])))


def cost(t: Trace) -> list[str]:
    """What a first cost far above ln(classes) says."""
    if t.cost is None or t.uninformed_cost is None or not math.isfinite(t.cost):
        return []
    if t.cost <= _of("first cost") * t.uninformed_cost:
        return []
    return [f"cost {t.cost:.3g}: a network that favours no class has {t.uninformed_cost:.3g}"]


def assumptions(t: Trace) -> list[str]:
    """Hold the batch and the parameters against what the rules of initialization take for granted."""
    out = []
    mean, std, square = float(t.x.mean), float(t.x.std), float(t.x.rms) ** 2
    if abs(mean) > _of("mean of inputs") * std:
        out.append(f"inputs are not centred: mean {mean:.3g}, std {std:.3g}; subtract the mean of each input over the data")
    if not 1 / _of("size of inputs") <= square <= _of("size of inputs"):
        out.append(f"inputs are not of unit size: E[x^2] = {square:.3g}; standardize them: (x - mean) / std")
    if t.neighbours is not None and abs(t.neighbours) > _of("neighbours"):
        out.append(
            f"inputs are not independent: neighbours correlate by {t.neighbours:.2f} (median); expectations are rough there"
        )
    biased = [layer for layer in t.layers if layer.b is not None and not is_zero(layer.b)]
    if biased:
        size = max(float(layer.b.rms) for layer in biased if layer.b is not None)
        out.append(f"{names(biased)}: biases are not 0 (rms up to {size:.3g}); the rules of initialization take them to be")
    shifted = [layer for layer in t.hidden if abs(layer.a.mean) > 0.5 * layer.a.rms > 0]
    for name in dict.fromkeys(layer.activation for layer in shifted):
        one = next(layer for layer in shifted if layer.activation == name)
        usual = one.expected is not None and one.expected.a_rms > 0 and abs(one.expected.a_mean) > 0.4 * one.expected.a_rms
        words = f", as expected for {name}" if usual else "" if one.expected is None else f", not expected for {name}"
        out.append(f"activations are not zero-mean{words}: mean {number(float(one.a.mean), 0).strip()} in {one.name}")
    return out


def names(layers: Iterable[LayerTrace]) -> str:
    """Name layers, a run of neighbours by its ends."""
    found = [layer.name for layer in layers]
    if len(found) > 3 and _run(found):
        return f"{found[0]} to {found[-1]}"
    return ", ".join(found)


def _run(found: list[str]) -> bool:
    ends = [name.split()[-1] for name in found if name != "output"]
    if not all(end.isdecimal() for end in ends) or not found[0].startswith("hidden"):
        return False  # the layers of another library's module
    numbers = [int(end) for end in ends]
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def non_finite(summary: Any) -> bool:
    """Whether a summary has counted a NaN or an infinity."""
    return summary is not None and bool(summary.nans or summary.infs)


def is_zero(summary: Any) -> bool:
    """Whether a summary is of zeros alone."""
    return summary is not None and bool(summary.zeros == summary.count)
