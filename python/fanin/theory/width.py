"""What finite width adds: the law of a deep network's scale over draws of its weights.

With Gaussian weights of Var(w) = 2 / n_in and no biases, the mean square of a ReLU layer over that of its input is
``2 / n`` times chi-squared with Bin(n, 1/2) degrees of freedom, independently layer by layer; for the identity and
Var(w) = 1 / n_in it is ``1 / n`` times chi-squared with n. The same law holds for a tangent vector carried forward and for a
gradient carried backward. Logarithms therefore add: they are asymptotically normal, and while the mean square itself is
kept, the typical network is smaller by exp(log_mean), the more the larger beta = sum 1/n. Hanin and Rolnick, "How to start
training", 2018; Hanin, "Which neural net architectures give rise to exploding and vanishing gradients?", 2018; Hanin and Nica,
"Products of many large random matrices and gradients in deep neural networks", 2018.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fanin.theory.integrals.quadrature import Array

_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)  # B_2, B_4, ...
_SHIFT = 10  # both series below are right to 1e-16 from 10 on


def digamma(x: Array) -> Array:
    """Return psi(x) for x > 0: ten steps of the recurrence, then the series (Abramowitz and Stegun, 6.3.5 and 6.3.18)."""
    x = np.asarray(x, dtype=np.float64)
    steps = x[..., None] + np.arange(_SHIFT)
    large = x + _SHIFT
    series = np.log(large) - 0.5 / large - sum(b / (2 * k * large ** (2 * k)) for k, b in enumerate(_BERNOULLI, 1))
    return np.asarray(series - (1 / steps).sum(axis=-1))


def trigamma(x: Array) -> Array:
    """Return psi'(x) for x > 0 (Abramowitz and Stegun, 6.4.6 and 6.4.12)."""
    x = np.asarray(x, dtype=np.float64)
    steps = x[..., None] + np.arange(_SHIFT)
    large = x + _SHIFT
    series = 1 / large + 0.5 / large**2 + sum(b / large ** (2 * k + 1) for k, b in enumerate(_BERNOULLI, 1))
    return np.asarray(series + (1 / steps**2).sum(axis=-1))


@dataclass(frozen=True)
class FiniteWidth:
    """The law of M, the mean square of the last layer over its mean, for one input, over draws of the weights.

    Attributes
    ----------
    log_mean, log_var : float
        Mean and variance of log M; of networks that are not dead, where the activation is ReLU.
    second_moment : float
        E[M^2] / E[M]^2 = prod (1 + 5 / n) (ReLU) or prod (1 + 2 / n) (identity): the heavy tail that makes averages of M itself
        useless beyond beta of about 0.4.
    dead : float
        Probability that some layer is all zero.
    beta : float
        Sum of 1 / n over the layers.
    """

    log_mean: float
    log_var: float
    second_moment: float
    dead: float
    beta: float

    @property
    def log_std(self) -> float:
        """Standard deviation of log M."""
        return math.sqrt(self.log_var)

    @property
    def median(self) -> float:
        """Median of M, as far as log M is normal."""
        return math.exp(self.log_mean)


def finite_width(widths: Sequence[int], activation: str = "relu", *, kurtosis: float = 3.0) -> FiniteWidth:
    """Return the law of a network's scale at the second-moment gain: sqrt(2) for ReLU, 1 for the identity.

    Parameters
    ----------
    widths : sequence of int
        Of the layers whose activations are random: all but the input.
    activation : {"relu", "identity"}
        The homogeneous activations, for which the law is exact.
    kurtosis : float
        E[w^4] / E[w^2]^2 of the weights: 3 for a normal law, 1.8 for a uniform one, which adds ``12 (kurtosis - 3) / n^2`` to a
        layer's factor of E[M^2] and ``-6 (kurtosis - 3) / n^2`` to its mean of log M: the first order, for ReLU in deep layers.

    Raises
    ------
    ValueError
        If a width is below 1, the activation is another, or the kurtosis is below 1 or, for the identity, not 3.

    Examples
    --------
    >>> from fanin import theory
    >>> law = theory.finite_width([100] * 50)
    >>> f"{law.log_mean:.4f} {law.log_std:.4f} {law.median:.4f} {law.second_moment:.3f}"
    '-1.2710 1.6115 0.2805 11.467'
    """
    if activation not in ("relu", "identity"):
        raise ValueError(f'activation must be "relu" or "identity", got {activation!r}')
    if any(n < 1 for n in widths):
        raise ValueError(f"widths must be at least 1, got {list(widths)}")
    if kurtosis < 1 or (activation == "identity" and kurtosis != 3):
        raise ValueError(f"kurtosis must be at least 1, and 3 for the identity, got {kurtosis}")
    excess = kurtosis - 3
    log_mean = log_var = beta = 0.0
    second = alive = 1.0
    for n in widths:
        layer_mean, layer_var = _layer(int(n), activation)
        log_mean += layer_mean - 6 * excess / n**2
        log_var += layer_var
        second *= 1 + (5 if activation == "relu" else 2) / n + 12 * excess / n**2
        alive *= 1 - (0.5**n if activation == "relu" else 0.0)
        beta += 1 / n
    return FiniteWidth(log_mean, log_var, second, 1 - alive, beta)


def _layer(n: int, activation: str) -> tuple[float, float]:
    """Mean and variance of the logarithm of one layer's factor."""
    if activation == "identity":
        half = np.array([n / 2])
        return float(digamma(half)[0]) + math.log(2 / n), float(trigamma(half)[0])
    k = np.arange(1, n + 1)  # active units; none at all is a dead layer
    logs = np.array([math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) for i in k])
    weight = np.exp(logs - logs.max())
    weight /= weight.sum()
    means = digamma(k / 2) + math.log(4 / n)  # log of (2 / n) times chi-squared with k
    mean = float(weight @ means)
    return mean, float(weight @ (trigamma(k / 2) + (means - mean) ** 2))
