"""A course of training: what its costs say, beside the cost of the best constant prediction."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fanin.diagnosis.signals.thresholds import limit

FEW = 10  # steps that say nothing about a plateau


def judge(costs: NDArray[np.float64], constant: float | None) -> tuple[str, str] | None:
    """Return "diverged" or "plateau" and why; None for a course that falls, or that has come down.

    Parameters
    ----------
    costs : array, shape (steps,)
        Of each step's batch.
    constant : float or None
        Of the best constant prediction.
    """
    if not np.isfinite(costs).all():
        step = int(np.argmin(np.isfinite(costs))) + 1
        return "diverged", f"cost not finite at step {step}, after {costs[0]:.4g} at the first"
    if len(costs) < FEW:
        return None
    window = max(1, len(costs) // 10)
    first, last, peak = costs[:window], costs[-window:], int(np.argmax(costs))
    start, end, before = float(first.mean()), float(last.mean()), float(costs[0])
    means = np.convolve(costs, np.full(window, 1 / window), mode="valid")
    best = float(means.min())
    if wild := _diverged(costs, before, start, best, end, peak):
        return "diverged", wild
    if constant is not None and end < limit("converged") * constant:
        return None
    if constant is not None and end >= limit("chance") * constant:
        from_where = f"cost {before:.4g} at the first step, {end:.4g} over the last"
        return "plateau", f"{from_where}: the best constant prediction has {constant:.4g}"
    rest = costs[1:window] if window > 2 else last
    if before - end > 8 * float(rest.std()) and before - end > 0.1 * before:  # it fell within the first tenth
        return None
    noise = 2 * math.sqrt((float(first.var()) + float(last.var())) / window) if window > 1 else 0.0
    if start - end < max(limit("plateau") * start, noise):
        return "plateau", f"cost {start:.5g} over the first steps, {end:.5g} over the last of {len(costs)}"
    return None


def _diverged(costs: NDArray[np.float64], before: float, start: float, best: float, end: float, peak: int) -> str | None:
    if costs[peak] > limit("diverged") * before and end > 0.9 * before:
        return f"cost {before:.4g} at the first step, {costs[peak]:.4g} at step {peak + 1}, {end:.4g} over the last"
    if end > limit("diverged") * max(start, 1e-300):
        return f"cost {start:.4g} over the first steps, {end:.4g} over the last"
    if end > limit("rebound") * best and end > 0.5 * before:
        return f"cost {before:.4g} at the first step, {best:.4g} at its best, {end:.4g} over the last"
    return None


def spiked(costs: NDArray[np.float64]) -> bool:
    """Whether a cost stood far above the first: the steps were too large, whatever came after."""
    return bool(len(costs) and costs.max() > limit("diverged") * costs[0])


def came_down(costs: NDArray[np.float64], constant: float | None) -> bool:
    """Whether a cost from far above the constant prediction's came down by half: the steps were not too small to move it."""
    far = constant is not None and len(costs) > 0 and costs[0] > limit("first cost") * constant
    return bool(far and costs.min() < 0.5 * costs[0])
