"""Deep signal propagation: fixed points of the maps, their stability and depth scales.

Poole et al., "Exponential expressivity in deep neural networks through transient chaos", 2016; Schoenholz et al., "Deep
information propagation", 2016.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from fanin.common import require
from fanin.theory.correlation import correlation_map, correlation_slope
from fanin.theory.integrals.function import Activation, Function, Points, Slope, resolve
from fanin.theory.integrals.moments import TOL, chi, variance_map, variance_slope
from fanin.theory.integrals.root import root

_ONE = 1e-11  # a slope this near to 1 is 1
_LARGEST = 1e30  # a variance beyond it has no fixed point
_SMALLEST = 1e-12


@dataclass(frozen=True)
class FixedPoint:
    """Where variance and correlation settle after many layers.

    Attributes
    ----------
    q : float
        Variance of the pre-activations, q = V(q); infinity where it grows without bound.
    chi_1 : float
        sigma_w^2 E[g'(z)^2] at q: the factor of the mean squared gradient a layer. Below 1 the network is ordered: gradients
        vanish and all inputs become parallel; above 1 chaotic: gradients explode; 1 is the edge of chaos.
    c : float
        The stable fixed point of the correlation map, 1 in the ordered phase; NaN where q is infinite.
    chi_c : float
        Slope of the correlation map there.
    xi_q, xi_c : float
        Depth scales: the distance of q and of c from their fixed points falls like exp(-l / xi). Infinite where the approach is
        slower than exponential.
    slope_q : float
        dV/dq; the fixed point is stable where its magnitude is below 1.
    """

    q: float
    chi_1: float
    c: float
    chi_c: float
    xi_q: float
    xi_c: float
    slope_q: float

    @property
    def phase(self) -> str:
        """Return "ordered", "edge of chaos" or "chaotic"."""
        return "edge of chaos" if abs(self.chi_1 - 1) <= _ONE else "ordered" if self.chi_1 < 1 else "chaotic"

    @property
    def stable(self) -> bool:
        """Whether a small change of q dies out."""
        return math.isfinite(self.q) and abs(self.slope_q) < 1 - _ONE


def depth_scale(slope: float) -> float:
    """Return xi = -1 / log|slope|, the layers over which a deviation falls by e; infinity where it does not fall exponentially.

    Schoenholz et al. 2016, sec. 3.
    """
    size = abs(slope)
    return 0.0 if size == 0 else math.inf if not size < 1 - _ONE else -1 / math.log(size)


def fixed_point(
    activation: Function,
    *,
    sigma_w: float,
    sigma_b: float = 0.0,
    q0: float = 1.0,
    derivative: Slope = None,
    breakpoints: Points = None,
    tol: float = TOL,
) -> FixedPoint:
    """Return the fixed point of the variance map that is reached from `q0`, and what it does to correlations and gradients.

    Parameters
    ----------
    activation : str, callable or Activation
        A name that `fanin` knows, or any elementwise function of a float64 array.
    sigma_w, sigma_b : float
        sqrt(n_in * Var(w)) of every layer, and the standard deviation of its biases.
    q0 : float, above 0
        Where the iteration of the variance map starts. It is also the answer where every variance is a fixed point (ReLU,
        sigma_w^2 = 2, sigma_b = 0).
    derivative, breakpoints, tol
        As in `gain`.

    Returns
    -------
    FixedPoint

    Raises
    ------
    ValueError
        If an argument is out of range, or `tol` cannot be reached.

    Notes
    -----
    The covariance map of two inputs is a power series in c with coefficients of no sign but plus (Mehler's formula), hence
    convex on [0, 1]; at c = 1 its slope is chi_1. So c = 1 is its stable fixed point where chi_1 <= 1, and there is exactly one
    other, on [0, 1), where chi_1 > 1. With q = 0 (tanh, sigma_w <= 1) correlations are those of the limit.

    Examples
    --------
    >>> from fanin import theory
    >>> p = theory.fixed_point("tanh", sigma_w=2.5, sigma_b=0.3)
    >>> f"{p.q:.8f} {p.chi_1:.8f} {p.c:.8f} {p.xi_c:.5f} {p.phase}"
    '4.07912388 1.58522477 0.12210375 5.10892 chaotic'
    """
    g = resolve(activation, derivative, breakpoints)
    sigma_w, sigma_b = require.scale("sigma_w", sigma_w), require.scale("sigma_b", sigma_b)
    if not 0 < require.number("q0", q0) < _LARGEST:
        raise ValueError(f"q0 must be above 0 and below {_LARGEST:g}, got {q0}")
    q = _fixed_variance(g, sigma_w, sigma_b, q0, tol)
    if math.isinf(q):
        chi_1 = float(chi(g, _LARGEST, sigma_w=sigma_w, tol=tol))
        return FixedPoint(q, chi_1, math.nan, math.nan, math.inf, math.nan, chi_1)
    chi_1 = float(chi(g, q, sigma_w=sigma_w, tol=tol))
    slope_q = variance_slope(g, q, sigma_w, tol)
    c, chi_c = (1.0, chi_1) if chi_1 <= 1 + _ONE or q == 0 else _fixed_correlation(g, sigma_w, sigma_b, q, tol)
    return FixedPoint(q, chi_1, c, chi_c, depth_scale(slope_q), depth_scale(chi_c), slope_q)


def _fixed_variance(g: Activation, sigma_w: float, sigma_b: float, q0: float, tol: float) -> float:
    """Go from q0 the way that the map goes, by factors of 2, until V(q) - q changes its sign; then close in."""

    def excess(q: float) -> float:
        return float(variance_map(g, q, sigma_w=sigma_w, sigma_b=sigma_b, tol=tol)) / q - 1

    start = excess(q0)
    if abs(start) < 1e-13:
        return q0
    up = start > 0
    passes = sigma_b == 0 and g.at_zero()[0] == 0
    zero_attracts = passes and bool(chi(g, 0.0, sigma_w=sigma_w, tol=tol) <= 1 + _SMALLEST)
    here, there = q0, q0
    while True:
        here, there = there, there * (2.0 if up else 0.5)
        if there > _LARGEST:
            return math.inf
        if there < 1e-280 or (there < _SMALLEST and zero_attracts):
            return 0.0
        if (excess(there) > 0) != up:
            return root(excess, *sorted((here, there)))


def _fixed_correlation(g: Activation, sigma_w: float, sigma_b: float, q: float, tol: float) -> tuple[float, float]:
    """The fixed point on [0, 1) of a convex map, and the slope there: Newton's method from the left never overshoots."""
    c = 0.0
    for _ in range(200):
        slope = float(correlation_slope(g, c, q, sigma_w=sigma_w, tol=max(tol, 1e-6)))  # it only steers
        excess = float(correlation_map(g, c, q, sigma_w=sigma_w, sigma_b=sigma_b, tol=tol)) - c
        step = excess / (1 - slope) if slope < 1 else 0.0
        if step <= 1e-14:
            break
        c = min(c + step, 1.0)
    c = 0.0 if c < 1e-13 else c
    return c, float(correlation_slope(g, c, q, sigma_w=sigma_w, tol=tol))
