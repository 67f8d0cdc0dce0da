"""A diagnosis: what is measured in a network, what training will make of it, one verdict, and what to try.

Signals are what one batch shows: `Diagnosis.findings`, of which `forward`, `backward` and `signal` are the words. The outlook
is what training will do: by a trial (`fanin.diagnosis.trial`), or expected from the trace (`fanin.diagnosis.forecast`). The
verdict names a cause only where it costs something: "healthy" where the outlook is "trains", else the worst finding's word.

A signal vanishes or explodes when its rms changes, from the first hidden layer to the last (gradients: from the last to the
first), tenfold altogether or by a geometric mean over the layers outside [0.75, 1.33], or a thousandfold from one layer to the
next. `Diagnosis.thresholds` has every number with its source. What depth explains by itself is said beside the verdict: ReLU
units that die, tanh that decays.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fanin.common import require, upward
from fanin.diagnosis import course as courses
from fanin.diagnosis import trial as trials
from fanin.diagnosis.advice import Fix, reference_law, untried
from fanin.diagnosis.attempt import RATES, Attempt, Rows, looking_ahead
from fanin.diagnosis.forecast import expected_outlook
from fanin.diagnosis.remedy import best_fix
from fanin.diagnosis.signals.evidence import LayerEvidence, evidence
from fanin.diagnosis.signals.findings import Finding, findings, of_activations, of_gradients, word_of
from fanin.diagnosis.signals.notes import assumptions
from fanin.diagnosis.signals.reasons import reasons
from fanin.diagnosis.signals.thresholds import THRESHOLDS, Threshold
from fanin.diagnosis.trial import Trial
from fanin.network.batch import batch
from fanin.network.history import History
from fanin.network.network import Network
from fanin.optimizer import Optimizer
from fanin.tracing.record import Trace
from fanin.tracing.take import trace

_CERTAIN = ("diverged", "no gradient")  # no training mends these


@dataclass(frozen=True)
class Diagnosis:
    """What `diagnose` returns; print it.

    Attributes
    ----------
    verdict : str
        "healthy", "vanishing", "exploding", "saturated", "dead", "symmetric", "no gradient", "diverged" or "plateau": "healthy"
        where the network trains, else the word of the worst signal.
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
    trial : Trial or None
        What came out of training copies, where that was done.
    fix : Fix or None
        The advice for a program, where a remedy was tried and helped: `apply` carries it out.
    expected : str or None
        The outlook that the trace alone lets expect: "trains", "slow" or "diverges".
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
    expected: str | None = None
    remarks: tuple[str, ...] = field(default=(), compare=False)  # what is known of the network beside its trace

    @property
    def outlook(self) -> str | None:
        """What training will do: "trains", "slow", "stuck" or "diverges"; None where nothing can be said.

        By the trial, where there was one; otherwise as expected from the trace, which knows no "stuck".
        """
        return self.expected if self.trial is None else self.trial.outlook

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """The signals: what is wrong with the trace, the worst first."""
        return () if self.trace is None else findings(self.trace)

    @property
    def signal(self) -> str:
        """The word of the worst finding in activations, weights and gradients, whatever training makes of it."""
        return word_of([one for one in self.findings if one.side != "cost"])

    def apply(self, net: Network) -> Network:
        """Return a copy of a network with the advice carried out; a plain copy where there is none.

        Advice about the inputs is left to the caller: of "standardized inputs and he_normal" the weights are drawn.
        """
        return (Fix(None, zero_biases=False) if self.fix is None else self.fix).apply(net)

    @cached_property
    def reasons(self) -> tuple[str, ...]:
        """The evidence in words, with the names of the layers and what theory expects of them."""
        return (*self.course, *(() if self.trace is None else reasons(self.trace, self.findings)))

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """Where the batch or the parameters are not what the rules of initialization assume."""
        return (*self.remarks, *(() if self.trace is None else assumptions(self.trace)))

    @cached_property
    def evidence(self) -> tuple[LayerEvidence, ...]:
        """The figures of every hidden layer beside their expectations, and what was found."""
        return () if self.trace is None else evidence(self.trace)

    @property
    def thresholds(self) -> Mapping[str, Threshold]:
        """The numbers that decide, with their sources."""
        return THRESHOLDS

    def to_dict(self) -> dict[str, Any]:
        """Return plain strings, numbers, lists and dictionaries."""
        return {
            "verdict": self.verdict,
            "forward": self.forward,
            "backward": self.backward,
            "reasons": list(self.reasons),
            "notes": list(self.notes),
            "advice": self.advice,
            "signal": self.signal,
            "outlook": self.outlook,
            "expected": self.expected,
            "findings": [vars(one) | {"layers": list(one.layers)} for one in self.findings],
            "trial": None if self.trial is None else self.trial.to_dict(),
            "fix": None if self.fix is None else vars(self.fix).copy(),
            "layers": [{k: list(v) if isinstance(v, tuple) else v for k, v in vars(one).items()} for one in self.evidence],
            "thresholds": {name: [one.value, one.source] for name, one in self.thresholds.items()},
        }

    def _repr_html_(self) -> str:
        return upward.html("diagnosis", self)

    @property
    def headline(self) -> str:
        """The verdict and the outlook in a few words: "vanishing: trains 4 times as slowly, at rates up to 0.3"."""
        words = _EXPECTED.get(self.expected or "", "") if self.trial is None else self.trial.words()
        return f"{self.verdict}: {words}" if words else self.verdict

    def __str__(self) -> str:
        parts = ["not measured" if part is None else part for part in (self.forward, self.backward)]
        lines = [f"{self.headline} (activations: {parts[0]}; gradients: {parts[1]})"]
        if self.trial is not None:
            lines += [f"  tried: {line}" for line in _tried(self.trial)]
        elif self.untried:
            lines.append(f"  not tried: {self.untried}")
        lines += [f"  - {reason}" for reason in self.reasons] + [f"  note: {note}" for note in self.notes]
        return "\n".join([*lines, f"  try: {self.advice}"] if self.advice else lines)


_EXPECTED = {"trains": "expected to train", "slow": "expected to learn slowly or not at all", "diverges": "expected to diverge"}


def _tried(t: Trial) -> list[str]:
    out = []
    for name, one in (("this network", t.own), (t.law, t.reference)):
        if one is not None:
            rate = "" if math.isnan(one.rate) else f" at {one.rate:g}"
            out.append(f"{name}: cost {one.cost:.3g} after {t.steps * t.pace} steps{rate}")
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
        The outlook is about this optimizer at its own rate; otherwise about SGD at rates from 0.001 to 0.3. Not touched.
    trial : bool or int, optional
        Whether to train copies of the network for 100 steps, or how many steps; each stands for three of plain SGD. By default
        where `y` is given and the estimated multiply-adds are at most ``fanin.diagnosis.trial.BUDGET``.

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
        return _with_trial(what, judge(what, trace(what, x, y)), x, y, optimizer, trial)
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
    """Add the trial to what the signals say, where there can be one."""
    if y is None:
        if trial:
            raise TypeError("y is needed for a trial: fi.diagnose(net, x, y, trial=True)")
        return d
    if trial is False:
        return d
    steps = trials.STEPS if trial is None or trial is True else require.integer("trial", trial, 1, ", or True or False")
    return tried(net, d, batch(net, x), net._y(y), optimizer, steps, ask=trial is None)


def tried(
    net: Network,
    d: Diagnosis,
    x: Any,
    y: Any,
    optimizer: Optimizer | None,
    steps: int = trials.STEPS,
    *,
    ask: bool = True,
    references: MutableMapping[Any, Attempt | None] | None = None,
) -> Diagnosis:
    """Train copies, and let what they reach decide whether the signals of a diagnosis cost something.

    Parameters
    ----------
    net, d : Network, Diagnosis
        The network, and what its trace says.
    x, y : array
        In the network's types.
    optimizer : Optimizer or None
        As in `diagnose`.
    steps : int
        Of each attempt.
    ask : bool
        Whether a trial above the budget is left out.
    references : mapping, optional
        Where the attempts of references are kept, for networks that have the same one on the same rows.
    """
    if ask and (needed := trials.work(net, len(x), steps)) > trials.BUDGET:
        return replace(d, untried=f"{needed:.1e} multiply-adds; fi.diagnose(net, x, y, trial=True)")
    rows, law, pace = Rows(net, x, y), reference_law(net), trials.pace_of(optimizer)
    known = {} if references is None else references
    key = (law, net.sizes, net.activations, net.loss_name, steps, pace)

    def begun(i: int) -> Attempt | None:
        at = (*key, i)
        if at not in known and i == 0:
            known[at] = looking_ahead(Fix(law).apply(net), rows, steps, RATES, pace)
        elif at not in known:
            start, taken = Fix(law, seed=i - 1).apply(net), rows.again(i - 1)
            known[at] = looking_ahead(start, taken, steps, trials.near(begun(0), rows), pace, both=True)
        return known[at]

    found = trials.judge(net, begun, law, rows, steps, optimizer)
    if found.outlook is None and d.verdict == "healthy":
        return replace(d, trial=found)
    if found.outlook is None:  # the signals decide; what they suggest gives way to a remedy that learned more, if there is one
        fix, words = best_fix(net, rows, found, optimizer, begun)
        return replace(d, trial=found, fix=fix, advice=words or d.advice)
    if found.outlook == "trains":
        return replace(d, verdict="healthy", advice="", trial=found)
    word = word_of(d.findings)
    if word == "healthy":
        word = "diverged" if found.outlook == "diverges" else "plateau"
    fix, words = best_fix(net, rows, found, optimizer, begun)
    return replace(d, verdict=word, advice=words, trial=found, fix=fix)


def judge(net: Network, t: Trace) -> Diagnosis:
    """Judge a network's trace, with what is known of the network besides."""
    return replace(_judge(t), remarks=() if net.activation_stated else (_UNSTATED,))


_UNSTATED = (
    "the file says no activation: tanh is assumed; "
    "activation= of fi.weights.read_network states it, --activation of the command"
)


def _judge(t: Trace) -> Diagnosis:
    measured = t.cost is not None or any(layer.dw is not None for layer in t.layers)
    forward, back = word_of(of_activations(t)), word_of(of_gradients(t)) if measured else None
    found, expected = findings(t), expected_outlook(t)
    certain = next((one.word for one in found if one.word in _CERTAIN), None)
    # Of what nobody can expect anything the signals alone count: a large first cost may be mended in a few steps.
    counted = [one for one in found if expected is not None or one.side != "cost"]
    verdict = "healthy" if certain is None and expected == "trains" else word_of(counted)
    if verdict == "healthy" and expected == "slow":
        verdict = "plateau"  # nothing stands out, and it is not expected to train
    return Diagnosis(verdict, forward, back, untried(verdict, t), t, expected=expected)


def _course(history: History) -> Diagnosis:
    """Judge the costs, then the last trace."""
    traces = [one for _, one in history.traces]
    last = _judge(traces[-1]) if traces else None
    sides = (None, None) if last is None else (last.forward, last.backward)
    trace_ = None if last is None else last.trace
    start = _judge(traces[0]) if traces else None
    costs = np.asarray(history.costs, dtype=np.float64)
    found = courses.judge(costs, history.constant_cost)
    stopped = history.nonfinite
    if stopped is not None and (found is None or found[0] != "diverged"):
        found = "diverged", stopped
    if found is None:
        told = ("the cost falls",) if len(costs) >= courses.FEW else ()
        return last or Diagnosis("healthy", None, None, "", course=told)
    verdict, words = found
    rate = _SMALLER if verdict == "diverged" or courses.spiked(costs) else _LARGER
    if rate == _LARGER and courses.came_down(costs, history.constant_cost):
        rate = _EITHER
    if start is not None and start.signal != "healthy" and start.verdict != "healthy":
        advice = f"the network was {start.verdict} at the first trace: {start.advice}"
    elif start is not None:
        blame = "the learning rate is at fault, not the initialization"
        advice = f"the network was healthy at the first trace: {blame}; {rate}"
    else:
        advice = f"{rate}. {_ASK_FIRST}"
    return Diagnosis(verdict, *sides, advice, trace_, (words,))


_SMALLER, _LARGER = "a smaller learning rate", "a larger learning rate"
_EITHER = "the learning rate that fi.find_lr(net, x, y) finds"  # too large steps may end at a constant prediction, too
_ASK_FIRST = (
    "First ask fi.diagnose(net, x, y) about the network as it was before training. "
    "If it was not healthy, follow that advice instead"
)
