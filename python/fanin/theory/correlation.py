"""What one layer does to the angle between two signals: the correlation map, its slope, and kernels in closed form.

Two inputs whose pre-activations have variance q and correlation c go to the covariance
``sigma_w^2 E[g(z1) g(z2)] + sigma_b^2`` (Poole et al. 2016, eq. 5). Their gradients' covariance changes by
``sigma_w^2 E[g'(z1) g'(z2)]``, which is also the derivative of that covariance (Schoenholz et al. 2016, sec. 3).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from fanin.theory.integrals.function import Activation, Estimate, Function, Points, Slope, checked, resolve
from fanin.theory.integrals.moments import TOL, integral
from fanin.theory.integrals.quadrature import Array, Integral, expect_pair


def arc_cosine(c: ArrayLike, order: int = 1) -> Array | float:
    """Return the arc-cosine kernel, normalized to 1 at c = 1: of ReLU (order 1) or of its derivative, the step (order 0).

    Order 1: ``(sqrt(1 - c^2) + c (pi - arccos c)) / pi``, the correlation map of bias-free ReLU layers. Order 0:
    ``1 - arccos(c) / pi``, its derivative. Cho and Saul, "Kernel methods for deep learning", 2009, sec. 2.

    Examples
    --------
    >>> from fanin import theory
    >>> f"{theory.arc_cosine(0.0):.10f}"  # 1 / pi
    '0.3183098862'
    """
    cosine = _correlations(c)
    angle = np.pi - np.arccos(cosine)
    if order not in (0, 1):
        raise ValueError(f"order must be 0 or 1, got {order!r}")
    value = angle / np.pi if order == 0 else (np.sqrt((1 - cosine) * (1 + cosine)) + cosine * angle) / np.pi
    return np.asarray(value) if cosine.ndim else float(value)


def correlation_map(
    activation: Function,
    c: ArrayLike,
    q: float,
    *,
    sigma_w: float = 1.0,
    sigma_b: float = 0.0,
    derivative: Slope = None,
    breakpoints: Points = None,
    tol: float = TOL,
) -> Array | Estimate:
    """Return the correlation of two inputs' pre-activations one layer on.

    Parameters
    ----------
    activation : str, callable or Activation
        A name that `fanin` knows, or any elementwise function of a float64 array.
    c : float or array in [-1, 1]
        Correlation of the pre-activations of this layer.
    q : float, above 0
        Their variance, the same for both inputs. The result is the next covariance over the next variance,
        ``(sigma_w^2 E[g(z1) g(z2)] + sigma_b^2) / variance_map(q)``.
    sigma_w, sigma_b, derivative, breakpoints, tol
        As in `variance_map`.

    Returns
    -------
    Estimate or ndarray
        As in `variance_map`. ReLU and the identity are evaluated in closed form.

    Raises
    ------
    ValueError
        If c or q is out of range, the next variance is 0 or not finite, or `tol` cannot be reached.

    Examples
    --------
    >>> from fanin import theory
    >>> f"{theory.correlation_map('tanh', 0.5, 4.079123875, sigma_w=2.5, sigma_b=0.3):.6f}"
    '0.444241'
    """
    g = resolve(activation, derivative, breakpoints)
    given = _correlations(c)
    power = integral(g, lambda z: g.value(z) ** 2, _variance(q), slopes=False, what="the second moment", tol=tol)
    following = sigma_w**2 * float(power.value[0]) + sigma_b**2
    if not following > 0:
        raise ValueError(f"the next variance must be above 0, got {following}")
    pairs = [_covariance(g, float(one), q, slopes=False, tol=tol) for one in given.reshape(-1)]
    value = np.array([(sigma_w**2 * pair + sigma_b**2) / following for pair in pairs]).reshape(given.shape)
    error = max((sigma_w**2 * (pair.error + float(power.error[0])) / following for pair in pairs), default=0.0)
    return value if given.ndim else Estimate(float(value), error)


def correlation_slope(
    activation: Function,
    c: ArrayLike,
    q: float,
    *,
    sigma_w: float = 1.0,
    derivative: Slope = None,
    breakpoints: Points = None,
    tol: float = TOL,
) -> Array | Estimate:
    """Return sigma_w^2 E[g'(z1) g'(z2)] for pre-activations of variance q and correlation c.

    It is the derivative of the correlation map where q is a fixed point of the variance map, chi at c = 1, and the factor of
    the covariance of two inputs' gradients over one layer, backward. Arguments, result and errors are those of
    `correlation_map`.
    """
    g = resolve(activation, derivative, breakpoints)
    given = _correlations(c)
    pairs = [_covariance(g, float(one), float(_variance(q)[0]), slopes=True, tol=tol) for one in given.reshape(-1)]
    value = np.array([sigma_w**2 * pair for pair in pairs]).reshape(given.shape)
    return value if given.ndim else Estimate(float(value), sigma_w**2 * pairs[0].error)


def _covariance(g: Activation, c: float, q: float, *, slopes: bool, tol: float) -> Estimate:
    """Return E[g(z1) g(z2)], or of the derivatives."""
    if g.activation == "relu":
        whole = 0.5 if slopes else q / 2
        return Estimate(whole * float(arc_cosine(c, 0 if slopes else 1)), 4e-16 * whole)
    if g.activation == "identity":
        return Estimate(1.0 if slopes else q * c, 0.0)
    of = g.slope if slopes else g.value
    what = "the covariance of the " + ("derivatives" if slopes else "values")
    if abs(c) == 1:
        found = integral(g, lambda z: of(z) * of(c * z), np.array([q]), slopes=slopes, what=what, tol=tol)
    else:
        with np.errstate(all="ignore"):
            found = expect_pair(of, c, q, g.shape(q, slopes=slopes, kinks=True), tol)
        found = checked(_against_product(found, g, q, slopes, tol), g, what, tol)
    return Estimate(float(found.value[0]), float(found.error[0]))


def _against_product(found: Integral, g: Activation, q: float, slopes: bool, tol: float) -> Integral:
    """The scale of a covariance is that of the variance: for odd functions |E f f| alone would be too small to compare with."""
    of = g.slope if slopes else g.value
    power = integral(g, lambda z: of(z) ** 2, np.array([q]), slopes=slopes, what="the second moment", tol=tol)
    return Integral(found.value, found.error, np.maximum(found.scale, power.scale))


def _correlations(c: ArrayLike) -> Array:
    given = np.asarray(c, dtype=np.float64)
    if not np.all(np.abs(given) <= 1):
        raise ValueError(f"c must be in [-1, 1], got {given[~(np.abs(given) <= 1)].flat[0]}")
    return given


def _variance(q: float) -> Array:
    if not (q > 0 and math.isfinite(q)):
        raise ValueError(f"q must be above 0 and finite, got {q}")
    return np.array([float(q)])
