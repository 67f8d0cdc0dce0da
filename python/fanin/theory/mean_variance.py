"""The (mean, variance) map of activations, and SELU's in closed form.

Klambauer et al., "Self-normalizing neural networks", 2017.

A unit whose inputs have mean mu and variance nu, and whose weights have sum omega and sum of squares tau, sees a pre-activation
of mean mu omega and variance nu tau. Klambauer's map sends (mu, nu) to mean and variance of the activation for one unit's omega
and tau; over the units of a layer with independent weights of mean 0, omega is itself random, of variance tau, and mean and
variance over all units follow the pooled map: z ~ N(0, tau (nu + mu^2)).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from fanin.theory.integrals.function import Function, Points, Slope, resolve
from fanin.theory.integrals.moments import TOL, integral, variances
from fanin.theory.integrals.quadrature import Array

_ROOT_TWO = math.sqrt(2)
_BELOW = math.erfc(1 / _ROOT_TWO)
# The constants that make (0, 1) a fixed point: Klambauer et al., appendix.
SELU_ALPHA = -math.sqrt(2 / math.pi) / (math.exp(0.5) * _BELOW - 1)
_SQUARE = 2 * math.erfc(_ROOT_TWO) * math.e**2 + math.pi * _BELOW**2 * math.e - 2 * (2 + math.pi) * _BELOW * math.exp(0.5)
SELU_SCALE = (1 - _BELOW * math.exp(0.5)) * math.sqrt(2 * math.pi) / math.sqrt(_SQUARE + math.pi + 2)


class MeanVariance(NamedTuple):
    """Mean and variance of activations."""

    mean: float
    variance: float


def mean_variance_map(
    activation: Function,
    mean: float,
    variance: float,
    *,
    omega: float = 0.0,
    tau: float = 1.0,
    pooled: bool = False,
    derivative: Slope = None,
    breakpoints: Points = None,
    tol: float = TOL,
) -> MeanVariance:
    """Return mean and variance of a layer's activations from those of its inputs.

    Parameters
    ----------
    activation : str, callable or Activation
        A name that `fanin` knows, or any elementwise function of a float64 array.
    mean, variance : float
        Of the inputs.
    omega, tau : float
        Sum of a unit's weights and sum of their squares; tau is n_in * Var(w) for weights of mean 0.
    pooled : bool
        False: of the units with that omega, z ~ N(mean * omega, variance * tau) (Klambauer et al. 2017, eq. 3). True: over all
        units of a layer of independent weights, z ~ N(0, tau (variance + mean^2)); omega is not used.
    derivative, breakpoints, tol
        As in `gain`.

    Examples
    --------
    >>> from fanin import theory
    >>> m = theory.mean_variance_map("relu", 0.0, 2.0)
    >>> round(m.mean, 9), round(m.variance, 9)
    (0.564189584, 0.681690114)
    """
    g = resolve(activation, derivative, breakpoints)
    centre, q = (0.0, tau * (variance + mean**2)) if pooled else (mean * omega, variance * tau)
    given = variances(q).reshape(1)
    first = integral(g, g.value, given, slopes=False, what="the mean", tol=tol, mean=centre).value[0]
    spread = integral(g, lambda z: (g.value(z) - first) ** 2, given, slopes=False, what="the variance", tol=tol, mean=centre)
    return MeanVariance(float(first), float(spread.value[0]))


def selu(z: Array) -> Array:
    """Return SELU(z): SELU_SCALE * z above 0, SELU_SCALE * SELU_ALPHA * (exp(z) - 1) below."""
    return np.asarray(SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * np.expm1(np.minimum(z, 0))))


def selu_map(mean: float, variance: float, *, omega: float = 0.0, tau: float = 1.0) -> MeanVariance:
    """Return SELU's (mean, variance) map in closed form: Klambauer et al. 2017, eq. 4 and 5.

    With omega = 0 and tau = 1 its stable fixed point is (0, 1). Arguments are those of `mean_variance_map`.

    Examples
    --------
    >>> from fanin import theory
    >>> m = theory.selu_map(0.0, 4.0)
    >>> round(m.mean, 6), round(m.variance, 6)
    (0.254828, 2.941102)
    """
    m, v = mean * omega, variance * tau
    if not (v > 0 and math.isfinite(v) and math.isfinite(m)):
        raise ValueError(f"variance * tau must be above 0 and finite, got {v}")
    s = math.sqrt(2 * v)
    below = math.erfc(m / s) / 2  # the probability of z < 0
    once = math.exp(m + v / 2) * math.erfc((m + v) / s) / 2  # E[e^z; z < 0]
    twice = math.exp(2 * m + 2 * v) * math.erfc((m + 2 * v) / s) / 2
    height = math.sqrt(v / (2 * math.pi)) * math.exp(-m * m / (2 * v))
    first = SELU_SCALE * (m * (1 - below) + height + SELU_ALPHA * (once - below))
    second = SELU_SCALE**2 * ((m * m + v) * (1 - below) + m * height + SELU_ALPHA**2 * (twice - 2 * once + below))
    return MeanVariance(first, second - first**2)


def selu_jacobian(mean: float = 0.0, variance: float = 1.0, *, omega: float = 0.0, tau: float = 1.0) -> Array:
    """Return the Jacobian of SELU's map, rows (mean, variance) by columns (mean, variance).

    At the fixed point, omega = 0 and tau = 1, it is ((0, 0.088834), (0, 0.782648)), of spectral norm 0.7877 < 1: the fixed
    point attracts (Klambauer et al. 2017, theorem 1). By Stein's lemma the derivative of E[f(z)] is E[f'(z)] in the mean of z
    and E[f''(z)] / 2 in its variance; those integrals are again in closed form.
    """
    m, v = mean * omega, variance * tau
    s = math.sqrt(2 * v)
    below = math.erfc(m / s) / 2
    once = math.exp(m + v / 2) * math.erfc((m + v) / s) / 2
    twice = math.exp(2 * m + 2 * v) * math.erfc((m + 2 * v) / s) / 2
    at_zero = math.exp(-m * m / (2 * v)) / math.sqrt(2 * math.pi * v)  # density of z at 0
    first = selu_map(mean, variance, omega=omega, tau=tau).mean
    mean_by_m = SELU_SCALE * (1 - below + SELU_ALPHA * once)  # E[g']
    mean_by_v = SELU_SCALE * (SELU_ALPHA * once + (1 - SELU_ALPHA) * at_zero) / 2  # E[g''] / 2: g' jumps by 1 - alpha at 0
    above = m * (1 - below) + v * at_zero  # E[z; z > 0]
    second_by_m = 2 * SELU_SCALE**2 * (above + SELU_ALPHA**2 * (twice - once))  # E[(g^2)']
    second_by_v = SELU_SCALE**2 * (1 - below + SELU_ALPHA**2 * (2 * twice - once))  # E[(g^2)''] / 2
    by_m = np.array([mean_by_m, second_by_m - 2 * first * mean_by_m])
    by_v = np.array([mean_by_v, second_by_v - 2 * first * mean_by_v])
    return np.stack([by_m * omega, by_v * tau], axis=1)
