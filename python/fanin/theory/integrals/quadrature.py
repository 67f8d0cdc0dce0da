"""Expectations over one and over two correlated normal variables, with an error estimate.

An integral is a sum over panels. On each panel two Gauss-Legendre rules, of 14 and 22 nodes, are compared; a panel where they
differ by more than the tolerance is halved, all panels of all integrals of a call at once. The first panels end at the
breakpoints of the integrand, where an activation has its kinks (Gauss-Hermite quadrature converges there like 1/n and not
exponentially), and form a ladder of powers of two around them, so that a feature of width 1 is not missed where the variance is
1e16. The density of a standard normal variable is 1e-22 at 10, the first end of the range; a callable whose growth is
unknown is followed to 38, where the density leaves the double precision numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Integrand: TypeAlias = Callable[[NDArray[np.intp], Array], Array]  # (owner, u): owner of each panel, u of shape (panels, nodes)

_COARSE, _FINE = 14, 22
_X14, _W14 = np.polynomial.legendre.leggauss(_COARSE)
_X22, _W22 = np.polynomial.legendre.leggauss(_FINE)
_NODES = np.concatenate([_X14, _X22])
_CHUNK = 1 << 14  # values at a time: they stay in the cache
_LEVELS = 60
_MOST, _MOST_EACH = 40_000, 300  # panels of one level, in all and per integral: beyond both the rest keeps its error
_STEP = 2.0  # width of a panel
REACH = 10.0
FAR_REACH = 38.0
_ROOT_TWO_PI = float(np.sqrt(2 * np.pi))


class Integral(NamedTuple):
    """Values of several integrals, estimates of their absolute errors, and the integrals of the absolute values."""

    value: Array
    error: Array
    scale: Array


def density(u: Array) -> Array:
    """Return the density of a standard normal variable."""
    return np.asarray(np.exp(u * u / -2) / _ROOT_TWO_PI)


def integrate(f: Integrand, edges: Array, tol: float, weight: Array | None = None) -> Integral:
    """Integrate several functions of one variable over their panels.

    Parameters
    ----------
    f : callable
        ``f(owner, u)`` returns the integrand of problem ``owner[i]`` at ``u[i]``, u of shape (panels, nodes).
    edges : array, shape (problems, edges)
        Ends of the first panels, ascending along a row; empty panels are skipped.
    tol : float
        Error wanted, relative to the integral of the absolute value.
    weight : array, optional
        Of each problem in what its integral is used for: those that weigh little need less.

    Returns
    -------
    Integral
        Not finite where the integrand was not. The error may exceed `tol`: the caller decides.
    """
    problems = edges.shape[0]
    left, right = edges[:, :-1].reshape(-1), edges[:, 1:].reshape(-1)
    owner = np.repeat(np.arange(problems), edges.shape[1] - 1)
    kept = right > left
    left, right, owner = left[kept], right[kept], owner[kept]
    value, error, scale = np.zeros(problems), np.zeros(problems), np.zeros(problems)
    local = max(tol / 100, 2e-14)
    for level in range(_LEVELS):
        fine, absolute, difference = _panels(f, owner, left, right)
        total = scale + np.bincount(owner, absolute, problems)
        if weight is not None:
            total = np.maximum(total, np.max(weight * total) / np.maximum(weight, 1e-300))
        width = right - left
        done = ~(difference > local * total[owner])  # NaN is done, and spreads
        done |= width <= 4e-15 * np.maximum(np.abs(left), np.abs(right)) + 1e-290
        done |= difference <= 2e-15 * absolute
        if level == _LEVELS - 1 or 2 * np.count_nonzero(~done) > max(_MOST, _MOST_EACH * problems):
            done[:] = True
        value += np.bincount(owner[done], fine[done], problems)
        error += np.bincount(owner[done], difference[done], problems)
        scale += np.bincount(owner[done], absolute[done], problems)
        if done.all():
            break
        left, right, owner = left[~done], right[~done], owner[~done]
        middle = (left + right) / 2
        left, right, owner = np.concatenate([left, middle]), np.concatenate([middle, right]), np.concatenate([owner, owner])
    return Integral(value, error + 1e-15 * scale, scale)


def _panels(f: Integrand, owner: NDArray[np.intp], left: Array, right: Array) -> tuple[Array, Array, Array]:
    """Integral by the fine rule, of the absolute value, and the difference between the rules, panel by panel."""
    fine, absolute, difference = np.empty(left.size), np.empty(left.size), np.empty(left.size)
    step = max(1, _CHUNK // _NODES.size)
    for first in range(0, left.size, step):
        part = slice(first, first + step)
        half = (right[part] - left[part]) / 2
        u = ((left[part] + right[part]) / 2)[:, None] + half[:, None] * _NODES
        values = f(owner[part], u)
        fine[part] = values[:, _COARSE:] @ _W22 * half
        absolute[part] = np.abs(values[:, _COARSE:]) @ _W22 * half
        difference[part] = np.abs(fine[part] - values[:, :_COARSE] @ _W14 * half)
    return fine, absolute, difference


def _ladder(points: Array, scale: Array) -> Array:
    """Points, and steps of powers of two times `scale` away from them on both sides: shape (problems, many)."""
    finest = float(np.min(scale, initial=1.0))
    steps = int(np.ceil(np.log2(_STEP / finest))) + 1 if finest < 1 else 0  # otherwise a feature is as wide as a panel
    away = scale[:, None] * 2.0 ** np.arange(steps)
    offsets = np.concatenate([np.zeros((scale.size, 1)), away, -away], axis=1)
    return np.asarray((points[:, :, None] + offsets[:, None, :]).reshape(scale.size, -1))


def panels(points: Array, scale: Array, low: float, reach: float) -> Array:
    """Edges of the first panels in units of the standard normal variable: steps of 2, `points` and a ladder around them.

    Parameters
    ----------
    points : array, shape (problems, points)
        Where the integrand is not smooth, or changes within `scale`.
    scale : array, shape (problems,)
        Width of the narrowest feature.
    low, reach : float
        Ends of the range; panels beyond `REACH` grow.
    """
    base = np.arange(0.0, REACH + _STEP / 2, _STEP)
    if reach > REACH:
        base = np.concatenate([base, [13.0, 18.0, 26.0, reach]])
    base = np.concatenate([-base[:0:-1], base]) if low < 0 else base
    own = np.clip(_ladder(points, scale), low, reach)
    return np.sort(np.concatenate([np.broadcast_to(base, (scale.size, base.size)), own], axis=1), axis=1)


class Shape(NamedTuple):
    """What is known of an integrand: its kinks, the width of its narrowest feature, how far out it is followed, its period."""

    breakpoints: tuple[float, ...] = ()
    feature: float = 1.0
    reach: float = REACH
    period: float = math.inf


def expect(f: Callable[[Array], Array], mean: Array, q: Array, shape: Shape, tol: float) -> Integral:
    """Return E[f(z)] for z ~ N(mean, q), q > 0, one integral for each pair; `f` takes z of any shape."""
    std = np.sqrt(q)
    points = np.array(sorted({*shape.breakpoints, 0.0}))
    edges = panels((points - mean[:, None]) / std[:, None], shape.feature / std, -shape.reach, shape.reach)
    periods = min(2 * shape.reach * float(np.max(std, initial=0.0)) / shape.period, _MOST)
    if periods > edges.shape[1]:  # on wider panels both rules can be wrong by the same
        own = np.linspace(-shape.reach, shape.reach, math.ceil(periods) + 1)
        edges = np.sort(np.concatenate([edges, np.broadcast_to(own, (std.size, own.size))], axis=1), axis=1)

    def integrand(owner: NDArray[np.intp], u: Array) -> Array:
        return f(mean[owner, None] + std[owner, None] * u) * density(u)

    return integrate(integrand, edges, tol)


def expect_pair(f: Callable[[Array], Array], c: float, q: float, shape: Shape, tol: float) -> Integral:
    """Return E[f(z1) f(z2)], z1 and z2 normal of mean 0, variance q > 0 and correlation c in (-1, 1); one integral.

    With z = sqrt(q) (p a +- r b), p^2 = (1 + c) / 2, r^2 = (1 - c) / 2, and a, b independent, the integrand is even in b. Kinks
    of f at k and k' lie on the lines p a +- r b = k / sqrt(q): the integral over b is smooth in a but for where two of them
    cross, a = (k + k') / (2 sqrt(q) p).
    """
    std, p, r = np.sqrt(q), np.sqrt((1 + c) / 2), np.sqrt((1 - c) / 2)
    kinks = np.array(sorted({*shape.breakpoints, 0.0})) / std
    crossings = np.unique((kinks[:, None] + kinks) / (2 * p))
    inner_error = [0.0]

    def outer(_: NDArray[np.intp], a: Array) -> Array:
        flat = a.reshape(-1)
        points = np.abs(kinks - p * flat[:, None]) / r
        edges = panels(points, np.full(flat.size, shape.feature / (std * r)), 0.0, shape.reach)

        def inner(owner: NDArray[np.intp], b: Array) -> Array:
            centre = p * flat[owner, None]
            return f(std * (centre + r * b)) * f(std * (centre - r * b)) * density(b)

        found = integrate(inner, edges, tol, density(flat))
        weighted = found.error * density(flat)
        inner_error[0] = max(inner_error[0], float(np.max(weighted)) if np.all(np.isfinite(weighted)) else np.inf)
        return np.asarray(2 * (found.value * density(flat)).reshape(a.shape))

    width = min(shape.feature / std, r) / p  # near c = 1 a step is r wide
    edges = panels(crossings[None, :], np.array([width]), -shape.reach, shape.reach)
    whole = integrate(outer, edges, tol)
    return Integral(whole.value, whole.error + 2 * REACH * inner_error[0], whole.scale)
