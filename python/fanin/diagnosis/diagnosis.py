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
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fanin.common import require, upward
from fanin.common.text import number
from fanin.diagnosis import rules as verdicts
from fanin.diagnosis import trial as trials
from fanin.diagnosis.advice import Fix, aim_of, law_of, reference_law, remedies
from fanin.diagnosis.trial import Trial
from fanin.network.batch import batch
from fanin.network.history import History
from fanin.network.network import Network
from fanin.optimizer import Optimizer
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
    trial: Trial | None = None
    fix: Fix | None = None
    untried: str = field(default="", compare=False)  # why there was no trial

    @property
    def outlook(self) -> str | None:
        """What training will do, by the trial: "trains", "slow", "stuck", "diverges"; None where nothing can be said."""
        return None if self.trial is None else self.trial.outlook

    @property
    def findings(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The signals, each a word and the names of its layers: "dead", "shrinks", "no gradient" and the like."""
        found: dict[str, list[str]] = {}
        for layer in self.evidence:
            for word in (*layer.forward, *layer.backward):
                if layer.name not in found.setdefault(word, []):
                    found[word].append(layer.name)
        return tuple((word, tuple(names)) for word, names in found.items())

    def apply(self, net: Network) -> Network:
        """Return a copy of a network with the advice carried out; a plain copy where there is none."""
        return net.copy() if self.fix is None else self.fix.apply(net)

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
            "outlook": self.outlook,
            "findings": [[word, list(names)] for word, names in self.findings],
            "trial": None if self.trial is None else self.trial.to_dict(),
            "fix": None if self.fix is None else vars(self.fix).copy(),
            "layers": [{k: list(v) if isinstance(v, tuple) else v for k, v in vars(one).items()} for one in self.evidence],
            "thresholds": {name: [one.value, one.source] for name, one in self.thresholds.items()},
        }

    def _repr_html_(self) -> str:
        return upward.html("diagnosis", self)

    def __str__(self) -> str:
        parts = ["not measured" if part is None else part for part in (self.forward, self.backward)]
        said = "" if self.trial is None else f": {self.trial.words()}"
        lines = [f"{self.verdict}{said} (activations: {parts[0]}; gradients: {parts[1]})"]
        if self.trial is not None:
            lines += [f"  tried: {line}" for line in _tried(self.trial)]
        elif self.untried:
            lines.append(f"  not tried: {self.untried}")
        lines += [f"  - {reason}" for reason in self.reasons] + [f"  note: {note}" for note in self.notes]
        return "\n".join([*lines, f"  try: {self.advice}"] if self.advice else lines)


def _tried(t: Trial) -> list[str]:
    out = []
    for name, one in (("this network", t.own), (t.law, t.reference)):
        if one is not None:
            rate = "" if math.isnan(one.rate) else f" at {one.rate:g}"
            out.append(f"{name}: cost {one.cost:.3g} after {t.steps} steps{rate}")
    return [*out, f"the best constant prediction: cost {t.constant_cost:.3g}"]


def diagnose(
    what: Trace | Network | History,
    x: ArrayLike | None = None,
    y: ArrayLike | None = None,
    optimizer: Optimizer | None = None,
    trial: bool | int | None = None,
) -> Diagnosis:
    """Judge a trace, a network on one batch, or a course of training.

    Parameters
    ----------
    what : Trace, Network or History
        With a network, `x` is needed; without `y` only the activations are judged. Of a history the costs are judged
        (diverged, plateau); then its last trace, if ``fit(trace_every=n)`` took any.
    x, y : array
        As `fanin.trace` takes them. A hundred rows or more make a steady verdict.
    optimizer : Optimizer, optional
        The outlook is about this optimizer at its own rate; otherwise about SGD at five rates from 0.003 to 1. Not touched.
    trial : bool or int, optional
        Whether to train copies of the network for 100 steps, or how many steps. By default where `y` is given and the
        estimated multiply-adds are at most ``fanin.diagnosis.trial.BUDGET``.

    Returns
    -------
    Diagnosis
        A function of the arguments alone, with the same bits at any number of threads; the network stays as it is. With a
        trial the verdict is "healthy" where the network trains, else the word of the worst signal.

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
        return _with_trial(what, _judge(trace(what, x, y)), x, y, optimizer, trial)
    if not isinstance(what, Trace | History):
        raise TypeError(f"what must be a Trace, a Network or a History, got {type(what).__name__}")
    if x is not None or y is not None or optimizer is not None or trial:
        kind = "trace" if isinstance(what, Trace) else "history"
        raise TypeError(f"a {kind} has its data already: fi.diagnose({kind})")
    if isinstance(what, Trace):
        return _judge(what)
    if not len(what.costs) and not what.traces:
        raise ValueError("what must be a History of at least one step, got one of none")
    return _course(what)


def _with_trial(
    net: Network, d: Diagnosis, x: ArrayLike, y: ArrayLike | None, optimizer: Optimizer | None, trial: bool | int | None
) -> Diagnosis:
    """Add the trial to what the signals say, and let it decide whether they cost something."""
    if y is None:
        if trial:
            raise TypeError("y is needed for a trial: fi.diagnose(net, x, y, trial=True)")
        return d
    if trial is False:
        return d
    steps = trials.STEPS if trial is None or trial is True else require.integer("trial", trial, 1, ", or True or False")
    data, targets = batch(net, x), net._y(y)
    if trial is None and trials.work(net, len(data), steps) > trials.BUDGET:
        return replace(d, untried=f"{trials.work(net, len(data), steps):.1e} multiply-adds; fi.diagnose(net, x, y, trial=True)")
    rows, law = trials.Rows(net, data, targets), reference_law(net)
    found = trials.judge(net, Fix(law).apply(net), law, rows, steps, optimizer)
    if found.outlook is None:
        return replace(d, trial=found)
    if found.outlook == "trains":
        return replace(d, verdict="healthy", advice="", trial=found)
    word = d.verdict if d.verdict != "healthy" else "diverged" if found.outlook == "diverges" else "plateau"
    fix, words = _best_fix(net, rows, found)
    return replace(d, verdict=word, advice=words or d.advice, trial=found, fix=fix)


def _best_fix(net: Network, rows: trials.Rows, found: Trial) -> tuple[Fix | None, str]:
    """The remedy that reached most in its trial, and what it reached; none if none helps."""
    starts = remedies(net)
    reached = trials.tried({name: fix.apply for name, fix in starts.items()}, net, rows, found)
    if found.reference is not None:
        starts[found.law], reached[found.law] = Fix(found.law), found.reference
    if not reached:
        return None, ""
    name = max(reached, key=lambda one: (reached[one].score, -reached[one].cost))
    now = math.inf if found.own is None else found.own.cost
    if reached[name].cost >= min(now, found.constant_cost):
        return None, ""
    before = "diverges now" if found.own is None else f"now {now:.3g}"
    return starts[name], f"{name}: cost {reached[name].cost:.3g} after {found.steps} steps, {before}"


def _judge(t: Trace) -> Diagnosis:
    forward, backward = verdicts.forward(t)[0], verdicts.backward(t)[0]
    if "diverged" in (forward, backward):
        verdict = "diverged"
    elif backward == "no gradient":
        verdict = verdicts.cause_of_no_gradient(t)
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
    start, end, peak = float(first.mean()), float(last.mean()), int(np.argmax(costs))
    before, limit = float(costs[0]), verdicts.THRESHOLDS["diverged"].value
    if costs[peak] > limit * before and end > 0.9 * before:
        return "diverged", f"cost {before:.4g} at the first step, {costs[peak]:.4g} at step {peak + 1}, {end:.4g} over the last"
    rest = costs[1:window] if window > 2 else last
    if before - end > 8 * float(rest.std()) and before - end > 0.1 * before:  # it fell within the first tenth
        return None
    if end > verdicts.THRESHOLDS["diverged"].value * max(start, 1e-300):
        return "diverged", f"cost {start:.4g} over the first steps, {end:.4g} over the last"
    noise = 2 * math.sqrt((float(first.var()) + float(last.var())) / window) if window > 1 else 0.0
    if start - end < max(verdicts.THRESHOLDS["plateau"].value * start, noise):
        return "plateau", f"cost {start:.5g} over the first steps, {end:.5g} over the last of {len(costs)}"
    return None


def _advice(verdict: str, t: Trace) -> str:
    law = law_of(t)
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
        typical, aim = verdicts.typical(t), aim_of(t)
        factor = math.sqrt(aim / typical)
        if not 0.8 < factor < 1.25 and (factor > 1) == (verdict == "vanishing"):
            bigger = "larger" if factor > 1 else "smaller"
            return f"{bigger} weights, x {factor:.3g}: {law} (n_in * Var(w) is {number(typical, 0).strip()} here)"
        return f"{law}; fewer layers, or an activation and a width that keep both signals: see the reasons"
    return ""
