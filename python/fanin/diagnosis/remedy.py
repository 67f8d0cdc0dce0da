"""The remedy: which of the changes to a network helps, by trying each on a copy."""

from __future__ import annotations

import math
from collections.abc import Callable

from fanin.diagnosis.advice import Fix, remedies
from fanin.diagnosis.attempt import RATES, WORKS, Attempt, Rows, looking_ahead
from fanin.diagnosis.trial import REPEATS, Trial
from fanin.network.network import Network
from fanin.optimizer import Optimizer

_CLOSE = 0.05  # of the score: remedies so near to the best are as good, and the simpler one is taken
_HELP = 0.01  # of the constant prediction's cost: what comes down by less does not help


def best_fix(
    net: Network, rows: Rows, trial: Trial, optimizer: Optimizer | None, begun: Callable[[int], Attempt | None]
) -> tuple[Fix | None, str]:
    """Return the remedy that helped most, and what it reached beside now; none where none helps.

    Remedies are tried at the trial's pace and the two largest rates that suit the reference. Another rate alone is the
    simplest, then all weights anew by the rule for the activation, then less. What cannot be better by enough is not tried.
    """
    steps, pace = trial.steps, trial.pace
    starts: dict[str, Fix] = {}
    reached: dict[str, Attempt] = {}
    if optimizer is not None and (own := looking_ahead(net, rows, steps, pace=pace)) is not None:
        name = f"SGD at {own.rate:g}"
        starts[name], reached[name] = Fix(None, zero_biases=False, rate=own.rate), own
    seed, drawn = _best_draw(trial, begun)
    if drawn is not None:
        starts[trial.law], reached[trial.law] = Fix(trial.law, seed=seed), drawn
    rates = RATES if drawn is None else sorted(drawn.works)[-2:][::-1]
    for name, fix in remedies(net).items():
        if max((one.score for one in reached.values()), default=-math.inf) >= 1 - _CLOSE:
            break  # nothing scores more than 1
        found = looking_ahead(fix.apply(net), rows, steps, rates, pace)
        if found is not None:
            starts[name], reached[name] = fix, found
    now = math.inf if trial.own is None else trial.own.cost
    least = min(now, trial.constant_cost) - _HELP * trial.constant_cost
    helps = {name: one for name, one in reached.items() if one.cost < least}
    if not helps:
        words = _standardized(net, rows, trial, trial.constant_cost)
        return Fix(trial.law) if words else None, words
    top = max(one.score for one in helps.values())
    name = next(name for name, one in helps.items() if one.score >= top - _CLOSE)
    before = "diverges now" if trial.own is None else f"now {now:.3g}"
    rate = "" if name.startswith("SGD at") else f" at {helps[name].rate:g}"
    words = f"{name}: cost {helps[name].cost:.3g} after {steps * pace} steps{rate}, {before}"
    more = _standardized(net, rows, trial, helps[name].cost / 2)
    return starts[name], f"{words}; {more}" if more else words


def _best_draw(trial: Trial, begun: Callable[[int], Attempt | None]) -> tuple[int, Attempt | None]:
    """Return the first draw of the rule that is as good as the trial's reference, and what it reached."""
    top = -math.inf if trial.reference is None else trial.reference.score
    for i in range(REPEATS + 1):
        if (found := begun(i)) is not None and found.score >= top - WORKS:
            return max(i - 1, 0), found
    return 0, None


def _standardized(net: Network, rows: Rows, trial: Trial, limit: float) -> str:
    """Try inputs of mean 0 and variance 1 where they are far from it; say what they bring, if less than a limit."""
    if rows.is_standard():
        return ""
    found = looking_ahead(Fix(trial.law).apply(net), rows.standardized(), trial.steps, pace=trial.pace)
    if found is None or found.cost >= limit:
        return ""
    return f"standardized inputs and {trial.law}: cost {found.cost:.3g} at {found.rate:g}"
