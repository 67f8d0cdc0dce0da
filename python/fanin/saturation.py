"""Where activations saturate: one table for traces, diagnoses and whoever else asks."""

from __future__ import annotations

import math
import re

SHARE = 0.03  # of the bound: the slope of tanh is below 6 % there

# name: the bounds of the activation's values (an infinite one is none), both in units of its parameter where it has one.
_BOUNDS = {
    "tanh": (-1.0, 1.0),
    "hardtanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
    "sigmoid": (0.0, 1.0),
    "elu": (-1.0, math.inf),
    "selu": (-1.7580993408473768, math.inf),  # -lambda alpha
}
_SCALED = ("elu",)  # by their parameter
_NUMBER = re.compile(r"\(\s*(?:\w+\s*=)?\s*([^)]+)\)")


def bounds(activation: str) -> tuple[float, float] | None:
    """Return the least and greatest value that an activation comes near on its flat sides; None where it has no flat side.

    Parameters
    ----------
    activation : str
        A name, with its parameter in parentheses where it has one.

    Examples
    --------
    >>> from fanin.saturation import bounds
    >>> bounds("sigmoid"), bounds("elu(0.5)"), bounds("relu")
    ((0.0, 1.0), (-0.5, inf), None)
    """
    name = activation.split("(")[0].strip()
    if name not in _BOUNDS:
        return None
    low, high = _BOUNDS[name]
    given = _NUMBER.search(activation)
    if name in _SCALED and given:
        scale = float(given[1])
        low = scale * low if scale > 0 else -math.inf  # only then a bound below
    return (low, high) if math.isfinite(low) or math.isfinite(high) else None


def value_range(activation: str) -> tuple[float, float] | None:
    """Return the bounds of an activation that has both."""
    found = bounds(activation)
    return found if found and math.isfinite(found[0]) and math.isfinite(found[1]) else None


def limits(activation: str) -> tuple[float, float] | None:
    """Return the values outside which an activation counts as saturated: within 3 % of a bound.

    Of sigmoid 3 % of its range, of the others 3 % of the bound. This is what `fanin.summarize` takes as ``saturation=``.

    Examples
    --------
    >>> from fanin.saturation import limits
    >>> limits("tanh"), limits("sigmoid")
    ((-0.97, 0.97), (0.03, 0.97))
    """
    found = bounds(activation)
    if found is None:
        return None
    low, high = found
    if low == 0:
        return SHARE, high - SHARE
    return low * (1 - SHARE), high * (1 - SHARE)
