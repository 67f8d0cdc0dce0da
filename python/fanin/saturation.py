"""Where activations saturate: one table for traces and diagnoses, held by the core."""

from __future__ import annotations

import math

from fanin import _core


def bounds(activation: str) -> tuple[float, float] | None:
    """Return the least and greatest value that an activation comes near where it saturates; None where it does not.

    Parameters
    ----------
    activation : str
        A name, with its parameter in parentheses where it has one; ValueError for others, as in `fanin.activation`.

    Examples
    --------
    >>> from fanin.saturation import bounds
    >>> bounds("sigmoid"), bounds("elu(0.5)"), bounds("relu")
    ((0.0, 1.0), (-0.5, inf), None)
    """
    return _core.activation_traits(activation).bounds


def value_range(activation: str) -> tuple[float, float] | None:
    """Return the bounds of an activation that has both."""
    found = bounds(activation)
    return found if found and math.isfinite(found[0]) and math.isfinite(found[1]) else None


def limits(activation: str) -> tuple[float, float] | None:
    """Return the values outside which an activation counts as saturated: within 3 % of a bound.

    Where the lower bound is 0, as sigmoid's, 3 % of the range; otherwise 3 % of the bound. This is what `fanin.summarize`
    takes as ``saturation=``.

    Examples
    --------
    >>> from fanin.saturation import limits
    >>> limits("tanh"), limits("sigmoid")
    ((-0.97, 0.97), (0.03, 0.97))
    """
    return _core.activation_traits(activation).limits
