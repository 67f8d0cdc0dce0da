"""Mean-field theory of signals at initialization: gains, the variance map, the slope of the backward map.

In a wide layer of independent weights the pre-activations of one input are normal with mean 0 and variance q. What a layer
does to a signal is then an integral over one normal variable, and every function here is such an integral:
``q' = sigma_w^2 E[g(sqrt(q) u)^2] + sigma_b^2`` forward and ``chi = sigma_w^2 E[g'(sqrt(q) u)^2]`` backward, u standard
normal (Poole et al. 2016, eq. 3; Schoenholz et al. 2016, eq. 5).

Integrals are sums over Gauss-Legendre panels that shrink towards 0, where an activation has its kink or, at large q, all of
its slope; Gauss-Hermite quadrature would not reach 1e-9 at a kink. Activations that are smooth but for kinks at 0 or at whole
numbers: relative error below 1e-12 for gains.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fanin import activation as _activation

Array: TypeAlias = NDArray[np.float64]
Function: TypeAlias = str | Callable[[Array], Array]

_ORDER = 32  # nodes a panel; sin(30 u) turns 4.8 times on the widest panel, which needs 24


@cache
def _quadrature() -> tuple[Array, Array, Array]:
    """Nodes (panels, order) of a standard normal variable, their weights, and the derivative matrix of one panel.

    The matrix maps values at the nodes of [-1, 1] to the derivative of their interpolant there.
    """
    half = np.concatenate([[0.0], 2.0 ** np.arange(-12, 1), np.arange(2.0, 14.0)])  # the normal density is 1e-37 at 13
    edges = np.concatenate([-half[:0:-1], half])
    nodes, weights = np.polynomial.legendre.leggauss(_ORDER)
    middle, width = (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2
    u = middle[:, None] + width[:, None] * nodes
    density = np.exp(-(u**2) / 2) / np.sqrt(2 * np.pi)
    barycentric = (-1.0) ** np.arange(_ORDER) * np.sqrt((1 - nodes**2) * weights)
    gap = nodes[:, None] - nodes + np.eye(_ORDER)
    derivative = barycentric / barycentric[:, None] / gap
    np.fill_diagonal(derivative, 0)
    np.fill_diagonal(derivative, -derivative.sum(axis=1))
    return u, density * weights * width[:, None], derivative / width[:, None, None]


def _values(function: Function, q: Array) -> Array:
    """g(sqrt(q) u) at every node: shape (q.size, panels, order)."""
    z = np.sqrt(q)[:, None, None] * _quadrature()[0]
    if isinstance(function, str):
        return np.asarray(_activation.evaluate(function, z))
    values = np.asarray(function(z), dtype=np.float64)
    if values.shape != z.shape:
        raise ValueError(f"activation must work element by element: {z.shape} went in, {values.shape} came out")
    return values


def _slopes(function: Function, q: Array) -> Array:
    """g'(sqrt(q) u) at every node; for a callable, from its interpolant on each panel."""
    u, _, derivative = _quadrature()
    if isinstance(function, str):
        return np.asarray(_activation.derivative(function, np.sqrt(q)[:, None, None] * u))
    positive = np.maximum(q, 1e-20)  # the slope at q = 0 is the limit
    slopes: Array = np.einsum("pij,qpj->qpi", derivative, _values(function, positive)) / np.sqrt(positive)[:, None, None]
    return slopes


def _expect(values: Array) -> Array:
    expected: Array = np.einsum("qpi,pi->q", values, _quadrature()[1])
    return expected


def _apply(moment: Callable[[Array], Array], q: ArrayLike) -> Array | float:
    given = np.asarray(q, dtype=np.float64)
    if not np.all(given >= 0):
        raise ValueError(f"q must be at least 0, got {given.min() if given.ndim else given}")
    with np.errstate(all="ignore"):
        result = moment(given.reshape(-1)).reshape(given.shape)
    return result if given.ndim else float(result)


def mean(activation: Function, q: ArrayLike) -> Array | float:
    """Return E[g(z)] for z ~ N(0, q)."""
    return _apply(lambda v: _expect(_values(activation, v)), q)


def second_moment(activation: Function, q: ArrayLike) -> Array | float:
    """Return E[g(z)^2] for z ~ N(0, q)."""
    return _apply(lambda v: _expect(_values(activation, v) ** 2), q)


def variance_map(activation: Function, q: ArrayLike, *, sigma_w: float = 1.0, sigma_b: float = 0.0) -> Array | float:
    """Return the variance of the next layer's pre-activations: sigma_w^2 E[g(z)^2] + sigma_b^2 for z ~ N(0, q).

    Parameters
    ----------
    activation : str or callable
        A name that `fanin` knows, or any elementwise function of a float64 array.
    q : float or array, at least 0
        Variance of this layer's pre-activations.
    sigma_w, sigma_b : float
        sqrt(n_in * Var(w)) of the next layer, and the standard deviation of its biases.

    Examples
    --------
    >>> from fanin import theory
    >>> round(theory.variance_map("tanh", 1.0), 6)
    0.394294
    """
    return _apply(lambda v: sigma_w**2 * _expect(_values(activation, v) ** 2) + sigma_b**2, q)


def chi(activation: Function, q: ArrayLike, *, sigma_w: float = 1.0) -> Array | float:
    """Return sigma_w^2 E[g'(z)^2] for z ~ N(0, q): the factor of the mean squared gradient over one layer, backward."""
    return _apply(lambda v: sigma_w**2 * _expect(_slopes(activation, v) ** 2), q)


def gain(activation: Function, direction: str = "forward") -> float:
    """Return the gain that keeps the second moment of a signal, for standard normal pre-activations.

    Parameters
    ----------
    activation : str or callable
        A name, or any elementwise function. Kinks of a callable must lie at whole numbers.
    direction : {"forward", "backward"}
        ``1 / sqrt(E[g(u)^2])`` or ``1 / sqrt(E[g'(u)^2])``.

    Raises
    ------
    ValueError
        If `direction` is unknown, or if no gain exists because the moment is 0 or not finite.

    Examples
    --------
    >>> from fanin import theory
    >>> f"{theory.gain('tanh'):.10f} {theory.gain('tanh', 'backward'):.10f}"
    '1.5925374197 1.4674135916'
    """
    if direction not in ("forward", "backward"):
        raise ValueError(f'direction must be "forward" or "backward", got {direction!r}')
    moment = second_moment(activation, 1.0) if direction == "forward" else chi(activation, 1.0)
    if not 0 < moment < np.inf:
        raise ValueError(f"activation {activation!r} has no {direction} gain: its second moment is {moment}")
    return float(1 / np.sqrt(moment))


def relative_fluctuation(activation: Function, q: float, direction: str = "forward") -> float:
    """Return n times the relative variance of a layer's mean square, over draws of its weights, for one input.

    Forward it is Var(g^2) / E[g^2]^2, backward 2 + 3 (E[g'^4] / E[g'^2]^2 - 1), z ~ N(0, q) (2 for the identity, 5 for ReLU
    both ways: Hanin & Nica 2018). The standard deviation of the logarithm of an rms over a layer of n units is therefore
    about ``sqrt(relative_fluctuation / n) / 2``; averaging over the inputs of a batch makes it smaller.
    """
    variance = np.array([max(float(q), 1e-20)])
    with np.errstate(all="ignore"):
        squares = _values(activation, variance) ** 2 if direction == "forward" else _slopes(activation, variance) ** 2
        excess = float(_expect(squares**2)[0] / _expect(squares)[0] ** 2) - 1
    return excess if direction == "forward" else 2 + 3 * excess
