"""The law whose scale the weights of a tensor have."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

from fanin import _core
from fanin.stats import Summary

_SIGMAS = 4.0  # of the sampling error: chance exceeds it once in 15 787 tensors
# Kurtosis of a uniform law, of a normal one cut at 2 sigma (m4 / m2^2 with m2 = 1 - 4 f / p, m4 = 3 - 28 f / p, where f is the
# density at 2 and p the probability of [-2, 2]), and of a normal one.
_KURTOSIS = {"uniform": 1.8, "truncated": 2.3656, "normal": 3.0}
_FAMILIES = ("xavier", "he", "glorot")  # as Var(w) = 1 / n_in, 2 / n_in, 2 / (n_in + n_out)
_FIXED = (0.02, 0.01, 0.1, 1.0)  # standard deviations that people state, 0.02 above all
_MOST_ERROR = 0.5  # of the variance, relative: with so few elements nothing is said


class Axes(NamedTuple):
    """Which axes of a tensor count inputs and outputs."""

    in_axis: int
    out_axis: int


def law(shape: tuple[int, ...], axes: Axes, found: Summary, rank: float | None) -> str:
    """Return the law that a tensor may have been drawn from, or how its scale compares with one.

    Parameters
    ----------
    shape : tuple of int
    axes : Axes
    found : Summary
        Of the elements, with all four moments.
    rank : float, optional
        The effective rank of a matrix.

    Returns
    -------
    str
        "zeros", "constant(value=1)", "orthogonal"; "he_normal" and the like where variance and kurtosis lie within 4 standard
        errors of the law's; "he" where only the variance does; "0.62 x xavier" where none does; "-" for fewer elements than
        would tell.
    """
    if found.finite == 0:
        return "-"
    if found.min == found.max:
        return "zeros" if found.max == 0 else f"constant(value={found.max:.6g})"
    least = min(shape)
    if rank is not None and least > 1 and len(shape) == 2 and rank >= least * (1 - 1e-4):
        gain = found.rms * math.sqrt(max(shape))
        return "orthogonal" if abs(gain - 1) < 1e-3 else f"orthogonal(gain={gain:.4g})"
    error = _SIGMAS * math.sqrt(max(found.kurtosis - 1, 0) / found.finite)
    if not error <= _MOST_ERROR or not found.var > 0:
        return "-"
    usual = {name: _variance(f"{name}_normal", shape, axes) for name in _FAMILIES}
    usual["fan_in"] = _variance("fan_in_uniform", shape, axes)
    form = _form(found)
    fits = [name for name, variance in usual.items() if abs(found.var / variance - 1) <= error]
    if fits:
        named = [_name(name, form) for name in fits]
        return " = ".join(dict.fromkeys(named))
    for std in _FIXED:
        if abs(found.var / std**2 - 1) <= error:
            return f"normal(std={std:g})" if form == "normal" else f"std {std:g}"
    nearest = min(("xavier", "he", "fan_in"), key=lambda name: abs(math.log(found.var / usual[name])))
    return f"{found.var / usual[nearest]:.3g} x {'fan_in_uniform' if nearest == 'fan_in' else nearest}"


@functools.lru_cache(maxsize=256)  # a model has many tensors of few shapes
def _variance(name: str, shape: tuple[int, ...], axes: Axes) -> float:
    law = _core.law_from_text(name)  # the core's own: `fanin.init` would take a third of the command's start
    return float(_core.describe(law, shape, axes.in_axis, axes.out_axis, ())["variance"])


def _form(found: Summary) -> str | None:
    """The form of the law, where the kurtosis tells it: its standard error is at most sqrt(24 / n), that of a normal law."""
    error = _SIGMAS * math.sqrt(24 / found.finite)
    near = [name for name, kurtosis in _KURTOSIS.items() if abs(found.kurtosis - kurtosis) <= error]
    return near[0] if len(near) == 1 else None


def _name(family: str, form: str | None) -> str:
    if family == "fan_in":
        return "fan_in_uniform" if form == "uniform" else "variance of fan_in_uniform"
    return family if form is None else f"{family}_{form}"
