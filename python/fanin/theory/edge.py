"""The edge of chaos: where gradients neither vanish nor explode in deep networks.

Poole et al. 2016; Schoenholz et al., "Deep information propagation", 2016, section 3.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fanin.common import require
from fanin.theory.integrals.function import Activation, Function, Points, Slope, resolve
from fanin.theory.integrals.moments import TOL, chi, second_moment
from fanin.theory.integrals.root import root


@dataclass(frozen=True)
class EdgeOfChaos:
    """A point where gradients neither vanish nor explode, chi_1 = 1, and the variance that belongs to it."""

    sigma_w: float
    sigma_b: float
    q: float


def edge_of_chaos(
    activation: Function,
    *,
    sigma_b: float | None = None,
    sigma_w: float | None = None,
    q: float | None = None,
    derivative: Slope = None,
    breakpoints: Points = None,
    tol: float = TOL,
) -> EdgeOfChaos:
    """Return the point of the edge of chaos, chi_1 = 1, that has the `sigma_b`, the `sigma_w` or the `q` given.

    Along the edge sigma_w^2 = 1 / E[g'(z)^2] and sigma_b^2 = q - sigma_w^2 E[g(z)^2] (Schoenholz et al. 2016, sec. 3). Where
    several points fit, that of the least q is returned.

    Parameters
    ----------
    activation, derivative, breakpoints, tol
        As in `gain`.
    sigma_b, sigma_w, q : float
        Exactly one of them.

    Raises
    ------
    TypeError
        If not exactly one of them is given.
    ValueError
        If there is no such point with q in [1e-12, 1e6], or `tol` cannot be reached.

    Examples
    --------
    >>> from fanin import theory
    >>> f"{theory.edge_of_chaos('tanh', sigma_b=0.05 ** 0.5).sigma_w ** 2:.9f}"
    '1.760954640'
    >>> round(theory.edge_of_chaos("relu", sigma_b=0.0).sigma_w, 12)
    1.414213562373
    """
    if sum(value is not None for value in (sigma_b, sigma_w, q)) != 1:
        raise TypeError("edge_of_chaos takes exactly one of sigma_b, sigma_w and q")
    g = resolve(activation, derivative, breakpoints)

    def weights(at: float) -> float:
        slope = float(chi(g, at, tol=tol))
        return 1 / slope if slope > 0 else math.inf

    def biases(at: float) -> float:
        return at - weights(at) * float(second_moment(g, at, tol=tol))

    if q is None:
        q = _on_the_edge(g, weights, biases, sigma_w, sigma_b)
    rest = biases(q) if sigma_b is None else sigma_b**2
    if rest < -1e-12 * q:
        raise ValueError(f"no edge of chaos of {g} at q = {q:g}: sigma_b^2 would be {rest:g}")
    return EdgeOfChaos(math.sqrt(weights(q)), math.sqrt(max(rest, 0.0)), q)


def _on_the_edge(
    g: Activation,
    weights: Callable[[float], float],
    biases: Callable[[float], float],
    sigma_w: float | None,
    sigma_b: float | None,
) -> float:
    """The least q whose sigma_w^2 or sigma_b^2 is the one wanted."""
    name, wanted = ("sigma_w", sigma_w) if sigma_w is not None else ("sigma_b", sigma_b)
    wanted = require.scale(name, wanted)
    along = weights if sigma_w is not None else biases

    def miss(at: float) -> float:
        return along(at) - wanted**2

    at_zero = g.at_zero()[0] == 0
    if at_zero and abs(miss(0.0)) <= 1e-12 * (wanted**2 if sigma_w is not None else 1.0):
        return 0.0
    low, before = 0.0, math.nan
    for high in 10.0 ** np.arange(-12.0, 6.26, 0.25):
        after = miss(float(high))
        if after == 0:
            return float(high)
        if before * after < 0:
            return root(miss, low, float(high))
        low, before = float(high), after
    raise ValueError(f"no edge of chaos of {g} with {name} = {wanted:g} for q in [1e-12, 1e6]")
