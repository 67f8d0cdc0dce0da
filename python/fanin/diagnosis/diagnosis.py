"""A diagnosis: one verdict about a network at one point of its life, its reasons layer by layer, and what to try.

The first that applies decides: a value that is not finite (diverged); no gradient in any hidden layer; a layer of copies
(symmetric); a layer mostly dead; a layer mostly saturated; activations, then gradients, that vanish or explode over the depth.
Forward and backward are also judged apart.

A signal vanishes or explodes when its rms changes, from the first hidden layer to the last (gradients: from the last to the
first), tenfold altogether or by a geometric mean over the layers outside [0.75, 1.33]. `Diagnosis.thresholds` has every number
with its source. What depth explains by itself is said beside the verdict: ReLU units that die, tanh that decays.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fanin import activation as _activation
from fanin.common import upward
from fanin.common.text import number
from fanin.diagnosis import rules as verdicts
from fanin.network.history import History
from fanin.network.network import Network
from fanin.tracing.record import Trace
from fanin.tracing.take import trace

_FEW = 10  # steps that say nothing about a plateau


@dataclass(frozen=True)
class Diagnosis:
    """What `diagnose` returns; print it.

    Attributes
    ----------
    verdict : str
        "healthy", "vanishing", "exploding", "saturated", "dead", "symmetric", "no gradient" or "diverged"; of a history also
        "plateau".
    forward : str or None
        Of the activations alone: "healthy", "vanishing", "exploding", "saturated", "dead" or "diverged"; None if they were not
        measured.
    backward : str or None
        Of the gradients alone: "healthy", "vanishing", "exploding", "no gradient" or "diverged"; None if they were not
        measured.
    advice : str
        What to try; empty when nothing is wrong.
    trace : Trace or None
        What was judged; None for a history without traces.
    course : tuple of str
        What the costs of a history say.
    """

    verdict: str
    forward: str | None
    backward: str | None
    advice: str
    trace: Trace | None = field(default=None, repr=False, compare=False)
    course: tuple[str, ...] = ()

    @cached_property
    def reasons(self) -> tuple[str, ...]:
        """The evidence in words, with the names of the layers and what theory expects of them."""
        return (*self.course, *(() if self.trace is None else verdicts.reasons(self.trace)))

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """Where the batch or the parameters are not what the rules of initialization assume."""
        return () if self.trace is None else tuple(verdicts.assumptions(self.trace))

    @cached_property
    def evidence(self) -> tuple[verdicts.LayerEvidence, ...]:
        """The figures of every hidden layer beside their expectations, and what was found."""
        return () if self.trace is None else verdicts.evidence(self.trace)

    @property
    def thresholds(self) -> Mapping[str, verdicts.Threshold]:
        """The numbers that decide, with their sources."""
        return verdicts.THRESHOLDS

    def to_dict(self) -> dict[str, Any]:
        """Return plain strings, numbers, lists and dictionaries."""
        return {
            "verdict": self.verdict,
            "forward": self.forward,
            "backward": self.backward,
            "reasons": list(self.reasons),
            "notes": list(self.notes),
            "advice": self.advice,
            "layers": [{k: list(v) if isinstance(v, tuple) else v for k, v in vars(one).items()} for one in self.evidence],
            "thresholds": {name: [one.value, one.source] for name, one in self.thresholds.items()},
        }

    def _repr_html_(self) -> str:
        return upward.html("diagnosis", self)

    def __str__(self) -> str:
        parts = ["not measured" if part is None else part for part in (self.forward, self.backward)]
        lines = [f"{self.verdict} (activations: {parts[0]}; gradients: {parts[1]})"]
        lines += [f"  - {reason}" for reason in self.reasons] + [f"  note: {note}" for note in self.notes]
        return "\n".join([*lines, f"  try: {self.advice}"] if self.advice else lines)


def diagnose(what: Trace | Network | History, x: ArrayLike | None = None, y: ArrayLike | None = None) -> Diagnosis:
    """Judge a trace, a network on one batch, or a course of training.

    Parameters
    ----------
    what : Trace, Network or History
        With a network, `x` is needed; without `y` only the activations are judged. Of a history the costs are judged
        (diverged, plateau); then its last trace, if ``fit(trace_every=n)`` took any.
    x, y : array
        As `fanin.trace` takes them. A hundred rows or more make a steady verdict.

    Returns
    -------
    Diagnosis
        A function of the trace or the history alone. Networks without hidden layers are healthy as long as their values are
        finite.

    Raises
    ------
    TypeError
        If `what` is something else, or arguments are missing or too many.
    ValueError
        If a history holds neither a step nor a trace.
    """
    if isinstance(what, Network):
        if x is None:
            raise TypeError("x is needed to diagnose a network: fi.diagnose(net, x, y)")
        return _judge(trace(what, x, y))
    if not isinstance(what, Trace | History):
        raise TypeError(f"what must be a Trace, a Network or a History, got {type(what).__name__}")
    if x is not None or y is not None:
        kind = "trace" if isinstance(what, Trace) else "history"
        raise TypeError(f"a {kind} has its data already: fi.diagnose({kind})")
    if isinstance(what, Trace):
        return _judge(what)
    if not len(what.costs) and not what.traces:
        raise ValueError("what must be a History of at least one step, got one of none")
    return _course(what)


def _judge(t: Trace) -> Diagnosis:
    forward, backward = verdicts.forward(t)[0], verdicts.backward(t)[0]
    if "diverged" in (forward, backward):
        verdict = "diverged"
    elif backward == "no gradient":
        verdict = "no gradient"
    elif any(verdicts.alike(layer) for layer in t.hidden):
        verdict = "symmetric"
    elif forward != "healthy":
        verdict = forward
    else:
        verdict = backward or "healthy"
    return Diagnosis(verdict, forward, backward, _advice(verdict, t), t)


def _course(history: History) -> Diagnosis:
    """Judge the costs, then the last trace."""
    traces = [one for _, one in history.traces]
    last = _judge(traces[-1]) if traces else None
    sides = (None, None) if last is None else (last.forward, last.backward)
    trace_ = None if last is None else last.trace
    start = _judge(traces[0]) if traces else None
    found = _costs(np.asarray(history.costs, dtype=np.float64))
    stopped = history.nonfinite
    if stopped is not None and (found is None or found[0] != "diverged"):
        found = "diverged", stopped
    if found is None:
        return last or Diagnosis("healthy", None, None, "", course=("the cost falls",) if len(history.costs) >= _FEW else ())
    verdict, words = found
    if start is not None and start.verdict != "healthy":
        advice = f"the network was {start.verdict} at the first trace: {start.advice}"
    elif start is not None:
        blame = "the learning rate is at fault, not the initialization"
        advice = f"the network was healthy at the first trace: {blame}; {_RATES[verdict]}"
    else:
        advice = (
            f"{_RATES[verdict]} if fi.diagnose(net, x, y) calls the network healthy before it is trained, else what that says"
        )
    return Diagnosis(verdict, *sides, advice, trace_, (words,))


_RATES = {"diverged": "a smaller learning rate", "plateau": "a larger learning rate"}


def _costs(costs: NDArray[np.float64]) -> tuple[str, str] | None:
    """What the costs of the steps say: diverged or plateau, and why."""
    if not np.isfinite(costs).all():
        step = int(np.argmin(np.isfinite(costs))) + 1
        return "diverged", f"cost not finite at step {step}, after {costs[0]:.4g} at the first"
    if len(costs) < _FEW:
        return None
    window = max(1, len(costs) // 10)
    first, last = costs[:window], costs[-window:]
    start, end = float(first.mean()), float(last.mean())
    if end > verdicts.THRESHOLDS["diverged"].value * max(start, 1e-300):
        return "diverged", f"cost {start:.4g} over the first steps, {end:.4g} over the last"
    noise = 2 * math.sqrt((float(first.var()) + float(last.var())) / window) if window > 1 else 0.0
    if start - end < max(verdicts.THRESHOLDS["plateau"].value * start, noise):
        return "plateau", f"cost {start:.5g} over the first steps, {end:.5g} over the last of {len(costs)}"
    return None


def _advice(verdict: str, t: Trace) -> str:
    law = _law(t)
    if verdict in ("no gradient", "symmetric"):
        return f"independent random weights, so that units differ: {law}"
    if verdict == "dead":
        return f"{law}, zero biases, centred inputs, or a smaller learning rate if the units died in training"
    if verdict == "diverged":
        if any(verdicts.non_finite(s) for layer in t.layers for s in (layer.w, layer.b)):
            return "a smaller learning rate: the weights themselves are not finite"
        return f"smaller weights: {law}; the weights are finite, what they make of the batch is not"
    if verdict == "saturated":
        return f"smaller weights: {law}; inputs of mean 0 and variance 1"
    if verdict in ("vanishing", "exploding"):
        if verdict == "vanishing" and any(layer.activation == "sigmoid" for layer in t.hidden):
            return "tanh with xavier_normal, or a gain near 4 for sigmoid: its slope is at most 1/4"
        typical, aim = verdicts.typical(t), _aim(t)
        factor = math.sqrt(aim / typical)
        if not 0.8 < factor < 1.25 and (factor > 1) == (verdict == "vanishing"):
            bigger = "larger" if factor > 1 else "smaller"
            return f"{bigger} weights, x {factor:.3g}: {law} (n_in * Var(w) is {number(typical, 0).strip()} here)"
        return f"{law}; fewer layers, or an activation and a width that keep both signals: see the reasons"
    return ""


def _activation_of(t: Trace) -> str:
    """The activation that most hidden layers have."""
    names = [layer.activation for layer in t.hidden]
    return max(dict.fromkeys(names), key=names.count) if names else "identity"


def _aim(t: Trace) -> float:
    """The n_in * Var(w) that suits the activation and the depth."""
    name = _activation_of(t)
    return 1.0 if name in ("tanh", "identity") and len(t.hidden) <= 20 else _activation.gain(name) ** 2


def _law(t: Trace) -> str:
    name, aim = _activation_of(t), _aim(t)
    if name == "relu":
        return "he_normal, n_in * Var(w) = 2 for ReLU"
    if name == "selu":
        return "lecun_normal, n_in * Var(w) = 1 for SELU"
    if aim == 1:
        return "xavier_normal, n_in * Var(w) = 1"
    return f"xavier_normal(gain={name}), n_in * Var(w) = {aim:.3g}"
