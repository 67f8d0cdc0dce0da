"""The remedy: which of the changes to a network helps, by trying each on a copy."""

from __future__ import annotations

import math

from fanin.diagnosis.advice import Fix, remedies
from fanin.diagnosis.trial import RATES, Attempt, Rows, Trial, looking_ahead
from fanin.network.network import Network
from fanin.optimizer import Optimizer

_CLOSE = 0.05  # of the score: remedies so near to the best are as good, and the simpler one is taken


def best_fix(net: Network, rows: Rows, trial: Trial, optimizer: Optimizer | None) -> tuple[Fix | None, str]:
    """Return the remedy that helped most, and what it reached beside now; none where none helps.

    Remedies are tried at the trial's pace and the two largest rates that suit the reference. Another rate alone is the
    simplest, then all weights anew by the rule for the activation, then less.
    """
    steps, pace = trial.steps, trial.pace
    starts: dict[str, Fix] = {}
    reached: dict[str, Attempt] = {}
    if optimizer is not None and (own := looking_ahead(net, rows, steps, pace=pace)) is not None:
        name = f"SGD at {own.rate:g}"
        starts[name], reached[name] = Fix(None, zero_biases=False, rate=own.rate), own
    if trial.reference is not None:
        starts[trial.law], reached[trial.law] = Fix(trial.law), trial.reference
    rates = RATES if trial.reference is None else sorted(trial.reference.works)[-2:]
    for name, fix in remedies(net).items():
        found = looking_ahead(fix.apply(net), rows, steps, rates, pace)
        if found is not None:
            starts[name], reached[name] = fix, found
    now = math.inf if trial.own is None else trial.own.cost
    helps = {name: one for name, one in reached.items() if one.cost < min(now, trial.constant_cost)}
    if not helps:
        return None, _standardized(net, rows, trial, trial.constant_cost)
    top = max(one.score for one in helps.values())
    name = next(name for name, one in helps.items() if one.score >= top - _CLOSE)
    before = "diverges now" if trial.own is None else f"now {now:.3g}"
    words = f"{name}: cost {helps[name].cost:.3g} after {steps * pace} steps, {before}"
    more = _standardized(net, rows, trial, helps[name].cost / 2)
    return starts[name], f"{words}; {more}" if more else words


def _standardized(net: Network, rows: Rows, trial: Trial, limit: float) -> str:
    """Try inputs of mean 0 and variance 1 where they are far from it; say what they bring, if less than a limit."""
    if rows.is_standard():
        return ""
    found = looking_ahead(Fix(trial.law).apply(net), rows.standardized(), trial.steps, pace=trial.pace)
    if found is None or found.cost >= limit:
        return ""
    return f"standardized inputs and {trial.law}: cost {found.cost:.3g}"
