"""The spectrum of the input-output Jacobian J: how far a network is from an isometry.

Pennington, Schoenholz and Ganguli, "Resurrecting the sigmoid in deep learning through dynamical isometry", 2017, and "The
emergence of spectral universality in deep networks", 2018. Eigenvalues are those of J J^T, at gain 1 a layer (chi_1 = 1).
"""

from __future__ import annotations

from typing import NamedTuple

from fanin.theory.integrals.function import Function, Points, Slope, resolve
from fanin.theory.integrals.moments import TOL, integral, variances


class JacobianMoments(NamedTuple):
    """Expected moments of the eigenvalues of J J^T of a network of finite width."""

    second: float  # E[tr((J J^T)^2) / n]
    square: float  # E[(tr(J J^T) / n)^2]


def jacobian_moments(n: int, depth: int, activation: str = "identity") -> JacobianMoments:
    """Return the exact second moments of J J^T for Gaussian weights at the second-moment gain and no biases.

    With u = E[tr(A^2)] / n and t = E[(tr A)^2] / n^2, A = J J^T of the first layers, one more layer gives, by Wick's theorem:
    identity ``u' = (1 + 1/n) u + t, t' = t + (2 / n^2) u``; ReLU, whose masks are independent coins at a fixed input,
    ``u' = (1 + 3/n) u + 2 t, t' = (1 + 1/n) t + (4 / n^2) u``; both start at 1.

    Parameters
    ----------
    n, depth : int
        Width of all layers, and their number.
    activation : {"identity", "relu"}
        With Var(w) = 1 / n or 2 / n.

    Examples
    --------
    >>> from fanin import theory
    >>> round(theory.jacobian_moments(200, 10).second, 4), round(theory.jacobian_moments(200, 10, "relu").second, 4)
    (11.2876, 23.1021)
    """
    if activation not in ("identity", "relu"):
        raise ValueError(f'activation must be "identity" or "relu", got {activation!r}')
    if n < 1 or depth < 0:
        raise ValueError(f"n must be at least 1 and depth at least 0, got {n} and {depth}")
    u = t = 1.0
    for _ in range(depth):
        if activation == "identity":
            u, t = (1 + 1 / n) * u + t, t + 2 / n**2 * u
        else:
            u, t = (1 + 3 / n) * u + 2 * t, (1 + 1 / n) * t + 4 / n**2 * u
    return JacobianMoments(u, t)


def jacobian_variance(
    activation: Function,
    q: float,
    depth: int,
    *,
    weights: str = "gaussian",
    derivative: Slope = None,
    breakpoints: Points = None,
    tol: float = TOL,
) -> float:
    """Return the variance of the eigenvalues of J J^T in wide networks on the edge of chaos, whose mean is 1.

    ``depth * (mu_2 / mu_1^2 - 1 - s)`` with mu_k = E[g'(z)^(2k)] and s = -1 for Gaussian, 0 for orthogonal weights (Pennington
    et al. 2018). It grows with depth whatever the weights for ReLU, and vanishes with q for tanh and orthogonal weights:
    dynamical isometry.

    Parameters
    ----------
    q : float
        Variance of the pre-activations: the fixed point.
    weights : {"gaussian", "orthogonal"}
        Law of the weights.
    activation, derivative, breakpoints, tol
        As in `gain`.

    Examples
    --------
    >>> from fanin import theory
    >>> [round(theory.jacobian_variance("relu", 1.0, 10, weights=w), 12) for w in ("gaussian", "orthogonal")]
    [20.0, 10.0]
    """
    if weights not in ("gaussian", "orthogonal"):
        raise ValueError(f'weights must be "gaussian" or "orthogonal", got {weights!r}')
    g = resolve(activation, derivative, breakpoints)
    given = variances(q).reshape(1)
    first, second = (
        float(integral(g, lambda z, k=k: g.slope(z) ** (2 * k), given, slopes=True, what="the slope", tol=tol).value[0])  # type: ignore[misc]
        for k in (1, 2)
    )
    if not first > 0:
        raise ValueError(f"{g} has no slope at q = {q}")
    return depth * (second / first**2 - 1 + (1 if weights == "gaussian" else 0))


def largest_eigenvalue(depth: int) -> float:
    """Return the edge of the spectrum of J J^T of a wide linear Gaussian network: (L + 1)^(L + 1) / L^L, about e L.

    The end of the Fuss-Catalan law; Pennington et al. 2017.

    Examples
    --------
    >>> from fanin import theory
    >>> theory.largest_eigenvalue(2)
    6.75
    """
    if depth < 1:
        raise ValueError(f"depth must be at least 1, got {depth}")
    top, bottom = (depth + 1) ** (depth + 1), depth**depth
    return float(top / bottom)  # a quotient of integers, rounded once
