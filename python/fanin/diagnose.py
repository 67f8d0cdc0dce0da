"""A diagnosis: one verdict about a network at one point of its life, its reasons layer by layer, and what to try.

The first that applies decides: a value that is not finite; no gradient in any hidden layer; a layer of twins; a layer mostly
dead; a layer mostly saturated; activations, then gradients, that vanish or explode over the depth. Forward and backward are
also judged apart.

A signal vanishes or explodes when its rms changes, from the first hidden layer to the last (gradients: from the last to the
first), by more than `TOTAL` altogether or by more than `PER_LAYER` in the geometric mean over the layers. One draw of the
weights scatters around its law, the more the fewer and narrower the layers are, so both limits are widened by one standard
deviation of that scatter; a change above `CERTAIN` is never explained by scatter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fanin.network import Network
from fanin.trace import Trace, trace
from fanin.trace_table import number

TOTAL = 10.0  # over the whole depth
PER_LAYER = 4 / 3  # tanh under its own rule loses at most 1.29 (.628 to .486), ReLU under it sqrt(2), U(+-1/sqrt(n)) sqrt(3)
CERTAIN = 1000.0
MOST = 0.5  # of a layer's units or activations


@dataclass(frozen=True)
class Diagnosis:
    """What `diagnose` returns; print it.

    Attributes
    ----------
    verdict : str
        "healthy", "vanishing", "exploding", "saturated", "dead", "symmetric", "no gradient" or "diverged".
    forward : str
        Of the activations alone: "healthy", "vanishing", "exploding", "saturated", "dead" or "diverged".
    backward : str or None
        Of the gradients alone: "healthy", "vanishing", "exploding", "no gradient" or "diverged"; None if they were not
        measured.
    reasons : tuple of str
        The evidence, with the names of the layers.
    advice : str
        What to try; empty when nothing is wrong.
    """

    verdict: str
    forward: str
    backward: str | None
    reasons: tuple[str, ...]
    advice: str

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain strings and lists."""
        return {**self.__dict__, "reasons": list(self.reasons)}

    def __str__(self) -> str:
        backward = "not measured" if self.backward is None else self.backward
        lines = [f"{self.verdict} (activations: {self.forward}; gradients: {backward})", *(f"  - {r}" for r in self.reasons)]
        return "\n".join([*lines, f"  try: {self.advice}"] if self.advice else lines)


def diagnose(what: Trace | Network, x: ArrayLike | None = None, y: ArrayLike | None = None) -> Diagnosis:
    """Judge a trace, or a network on one batch.

    Parameters
    ----------
    what : Trace or Network
        With a network, `x` is needed; without `y` only the activations are judged.
    x, y : array
        As `fanin.trace` takes them. A hundred rows or more make a steady verdict.

    Returns
    -------
    Diagnosis
        A function of the trace alone. Networks without hidden layers are healthy as long as their values are finite.

    Raises
    ------
    TypeError
        If `what` is something else, or arguments are missing or too many.
    """
    if isinstance(what, Network):
        if x is None:
            raise TypeError("x is needed to diagnose a network: fi.diagnose(net, x, y)")
        what = trace(what, x, y)
    elif not isinstance(what, Trace):
        raise TypeError(f"what must be a Trace or a Network, got {type(what).__name__}")
    elif x is not None or y is not None:
        raise TypeError("a trace has its data already: fi.diagnose(trace)")
    return _judge(what)


def _judge(t: Trace) -> Diagnosis:
    forward, forward_reasons = _forward(t)
    backward, backward_reasons = _backward(t)
    twins = [layer for layer in t.hidden if layer.twins > 1 and layer.twins >= MOST * layer.n_out]
    notes = []
    if "diverged" in (forward, backward):
        weights = any(_non_finite(s) for layer in t.layers for s in (layer.w, layer.b)) or _non_finite(t.x)
        verdict = "diverged" if weights else "exploding"
    elif backward == "no gradient":
        verdict = "no gradient"
    elif twins:
        verdict = "symmetric"
    elif forward != "healthy":
        verdict = forward
    else:
        verdict = backward or "healthy"
    if twins:
        notes = [f"{_names(twins)}: units have the same weights and the same gradients, bit for bit, and will stay alike"]
    reasons = (*forward_reasons, *backward_reasons, *notes, *_cost_reason(t))
    return Diagnosis(verdict, forward, backward, reasons, _advice(verdict, t, forward))


def _forward(t: Trace) -> tuple[str, list[str]]:
    bad = [layer for layer in t.layers if any(_non_finite(s) for s in (layer.w, layer.b, layer.z, layer.a))]
    if bad or _non_finite(t.x):
        return "diverged", [f"{_names(bad) or 'the data'}: values that are not finite, going forward"]
    dead = [layer for layer in t.hidden if layer.dead > MOST]
    full = [layer for layer in t.hidden if layer.saturated is not None and layer.saturated > MOST]
    word, reasons = _trend(
        [float(layer.a.rms) for layer in t.hidden], [layer.forward_noise for layer in t.hidden], "activations"
    )
    if full:
        parts = ", ".join(f"{layer.name} {100 * (layer.saturated or 0):.0f} %" for layer in full)
        word, reasons = "saturated", [f"activations at the flat ends of their function: {parts}", *reasons]
    if dead:
        parts = ", ".join(f"{layer.name} {100 * layer.dead:.0f} %" for layer in dead)
        word, reasons = "dead", [f"units that are 0 for every input: {parts}", *reasons]
    return word, reasons


def _backward(t: Trace) -> tuple[str | None, list[str]]:
    if t.cost is None:
        return None, []
    if any(_non_finite(s) for layer in t.layers for s in (layer.dz, layer.da, layer.dw, layer.db)) or not math.isfinite(t.cost):
        return "diverged", ["cost or gradients that are not finite"]
    if t.hidden and all(_is_zero(layer.dw) for layer in t.hidden):
        return "no gradient", [f"{_names(t.hidden)}: every weight gradient is exactly 0, so no hidden weight will ever move"]
    rms = [float(layer.da.rms) if layer.da is not None else 0.0 for layer in t.hidden]
    return _trend(rms[::-1], [layer.backward_noise for layer in t.hidden][::-1], "gradients")


def _trend(rms: list[float], noise: list[float], what: str) -> tuple[str, list[str]]:
    """Judge how a scale changes along its way; `noise` holds the scatter of the logarithm at each layer."""
    steps = len(rms) - 1
    if steps < 1:
        return "healthy", []
    if rms[0] == 0 or rms[-1] == 0:
        return "vanishing", [f"{what} fall to exactly 0"]
    with np.errstate(divide="ignore"):
        logs = np.diff(np.log(rms))
    total = float(np.log(rms[-1]) - np.log(rms[0]))
    scatter = math.sqrt(sum(s * s for s in noise[1:]))
    if steps >= 4 and np.all(np.isfinite(logs)):  # enough layers to see the scatter itself: exact where every layer is alike
        scatter = min(scatter, float(np.std(logs, ddof=1)) * math.sqrt(steps))
    changed = abs(total) > min(math.log(TOTAL) + scatter, steps * math.log(PER_LAYER) + scatter, math.log(CERTAIN))
    word = "healthy" if not changed else "vanishing" if total < 0 else "exploding"
    way = "first hidden layer to the last" if what == "activations" else "last hidden layer to the first"
    factor = f"x {math.exp(total / steps):.3g} a layer, {number(rms[0], 0)} to {number(rms[-1], 0)} from the {way}"
    return word, [f"{what} {_VERBS[word]}: {factor}"]


_VERBS = {"healthy": "keep their scale", "vanishing": "vanish", "exploding": "explode"}


def _cost_reason(t: Trace) -> list[str]:
    if t.cost is None or t.uninformed_cost is None or not math.isfinite(t.cost) or t.cost <= 2 * t.uninformed_cost:
        return []
    return [f"cost {t.cost:.3g}: a network that favours no class has {t.uninformed_cost:.3g}"]


def _advice(verdict: str, t: Trace, forward: str) -> str:
    law = _law(t)
    if verdict in ("no gradient", "symmetric"):
        return f"independent random weights, so that units differ: {law}"
    if verdict == "dead":
        return f"{law}, zero biases, centred inputs, or a smaller learning rate if the units died in training"
    if verdict == "diverged":
        return "a smaller learning rate, and inputs without NaN or infinity"
    if verdict == "saturated":
        return f"smaller weights: {law}; inputs of mean 0 and variance 1"
    if verdict == "vanishing" and any(layer.activation == "sigmoid" for layer in t.hidden):
        return "tanh with xavier_normal, or a gain near 4 for sigmoid: its slope is at most 1/4"
    if verdict in ("vanishing", "exploding"):
        bigger = "larger" if verdict == "vanishing" else "smaller"
        typical = float(np.exp(np.mean([math.log(max(layer.n_var_w, 1e-300)) for layer in t.hidden])))
        return f"{bigger} weights: {law} (n_in * Var(w) is {number(typical, 0)} here)"
    return ""


def _law(t: Trace) -> str:
    relu = any(layer.activation == "relu" for layer in t.hidden)
    return "he_normal, n_in * Var(w) = 2 for ReLU" if relu else "xavier_normal, n_in * Var(w) = 1"


def _names(layers: Any) -> str:
    """Name layers, a run of neighbours by its ends."""
    names = [layer.name for layer in layers]
    if len(names) > 3:
        return f"{names[0]} to {names[-1]}" if _run(names) else ", ".join(names)
    return ", ".join(names)


def _run(names: list[str]) -> bool:
    numbers = [int(name.split()[-1]) for name in names if name != "output"]
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def _non_finite(summary: Any) -> bool:
    return summary is not None and bool(summary.nans or summary.infs)


def _is_zero(summary: Any) -> bool:
    return summary is not None and bool(summary.zeros == summary.count)
