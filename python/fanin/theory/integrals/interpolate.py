"""The derivative and the kinks of a function of which only values can be had.

The function is interpolated by polynomials on panels that are halved until the interpolant is right between its nodes. The
derivative is that of the interpolant; panels that shrink to nothing show where the function is not smooth.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from fanin.theory.integrals.quadrature import Array

_ORDER = 20  # Chebyshev points a panel
_MOST = 20_000  # panels
_NARROW = 1e-8  # half width, relative to where the panel is, that only a kink explains
_NARROWEST = 4e-13  # at which halving ends
_EPSILON = float(np.finfo(np.float64).eps)


@cache
def _rules() -> tuple[Array, Array, Array, Array]:
    """Nodes on [-1, 1], points to check at, values at the nodes to Chebyshev coefficients, coefficients to the check points."""
    angle = np.pi * (np.arange(_ORDER) + 0.5) / _ORDER
    k = np.arange(_ORDER)
    forward = 2 / _ORDER * np.cos(np.outer(k, angle))
    forward[0] /= 2
    check = np.cos(np.pi * np.arange(1, _ORDER) / _ORDER)
    return np.cos(angle), check, forward, np.cos(np.outer(np.arccos(check), k))


class Interpolant:
    """A function on [-reach, reach] by polynomials.

    Parameters
    ----------
    function : callable
        Elementwise, of a float64 array.
    reach : float
        Values beyond it are those of the outermost panel's polynomial.
    breakpoints : tuple of float
        Kinks that are known.

    Attributes
    ----------
    kinks : tuple of float
        Kinks that were found: points inside the range where the function or a low derivative jumps.
    jumps : tuple of float
        Points where the function itself jumps, so that it has no derivative there.

    Raises
    ------
    ValueError
        If the function has too much detail on that range.
    """

    def __init__(self, function: Callable[[Array], Array], reach: float, breakpoints: tuple[float, ...]) -> None:
        nodes, check, forward, to_check = _rules()
        ladder = reach * 2.0 ** -np.arange(0.0, max(1.0, np.ceil(np.log2(reach)) + 2))
        inside = [b for b in breakpoints if abs(b) < reach]
        edges = np.unique(np.concatenate([-ladder, [0.0], ladder, inside]))
        left, right = edges[:-1], edges[1:]
        done: list[tuple[Array, Array, Array]] = []
        narrow: list[tuple[float, float]] = []  # middle and half width
        count, usual = 0, float(np.abs(function(np.linspace(-reach, reach, 9) / 40)).max())  # what is far below it is noise
        while left.size:
            middle, half = (left + right) / 2, (right - left) / 2
            values = function(middle[:, None] + half[:, None] * nodes)
            between = function(middle[:, None] + half[:, None] * check)
            coefficients = values @ forward.T
            size = np.abs(values).max(axis=1)
            wrong = np.abs(coefficients @ to_check.T - between).max(axis=1)
            rounding = _EPSILON * (usual + size + np.abs(middle) * np.abs(between[:, 0] - between[:, -1]) / half)
            fine = ~(wrong > 16 * rounding)
            relative = half / np.maximum(np.abs(middle), 0.01)
            fine |= relative < _NARROWEST
            if count + 2 * left.size > _MOST:
                raise ValueError(f"no interpolant on +-{reach:.3g} has fewer than {_MOST} panels; give derivative=")
            at_kink = fine & (relative < _NARROW)
            narrow += zip(middle[at_kink], half[at_kink], strict=True)
            done.append((left[fine], right[fine], coefficients[fine]))
            count += int(np.count_nonzero(fine))
            left, right, middle = left[~fine], right[~fine], middle[~fine]
            left, right = np.concatenate([left, middle]), np.concatenate([middle, right])
        left, right = (np.concatenate([part[i] for part in done]) for i in (0, 1))
        order = np.argsort(left)
        self._left, self._right = left[order], right[order]
        coefficients = np.concatenate([part[2] for part in done])[order]
        self._slopes = np.asarray(np.polynomial.chebyshev.chebder(coefficients, axis=1))
        self.kinks = _clusters(narrow)
        self.jumps = _jumps(coefficients, self._right, usual)

    def slope(self, z: Array) -> Array:
        """Return the derivative at z."""
        panel = np.clip(np.searchsorted(self._left, z, side="right") - 1, 0, self._left.size - 1)
        left, right = self._left[panel], self._right[panel]
        x = (2 * z - left - right) / (right - left)
        slopes = np.ascontiguousarray(np.moveaxis(self._slopes[panel], -1, 0))
        above, here = np.zeros_like(x), np.zeros_like(x)
        for k in range(_ORDER - 2, 0, -1):  # Clenshaw's recurrence
            above, here = here, 2 * x * here - above + slopes[k]
        return np.asarray((x * here - above + slopes[0]) * 2 / (right - left))


def _jumps(coefficients: Array, right: Array, usual: float) -> tuple[float, ...]:
    """Ends of panels where the value changes by more than 1e-9 of its size, between panels or across a narrow one."""
    start, end = coefficients @ (-1.0) ** np.arange(_ORDER), coefficients.sum(axis=1)
    size = np.abs(coefficients).sum(axis=1) + 1e-4 * usual
    left = np.append(-np.inf, right[:-1])
    # Where a kink is at a value of 0, narrow panels have next to no size: that of the nearest wide ones counts.
    last = len(right) - 1
    wide, place = right - left > 0.01 * np.maximum(np.abs(right), 0.01), np.arange(last + 1)
    before = np.maximum.accumulate(np.where(wide, place, 0))
    after = np.minimum.accumulate(np.where(wide, place, last)[::-1])[::-1]
    size = np.maximum(size, np.maximum(size[before], size[after]))
    between = np.abs(start[1:] - end[:-1]) > 1e-9 * np.maximum(size[1:], size[:-1])
    across = (np.abs(end - start) > 1e-9 * size) & (right - left < 2.1 * _NARROWEST * np.maximum(np.abs(right), 0.01))
    return tuple(sorted(float(z) for z in np.concatenate([right[:-1][between], right[across]])))


def _clusters(narrow: list[tuple[float, float]]) -> tuple[float, ...]:
    """The middle of the narrowest panels of each run of neighbours."""
    runs: list[list[tuple[float, float]]] = []
    for middle, half in sorted(narrow):
        if not runs or middle - runs[-1][-1][0] > 4 * _NARROW * max(abs(middle), 0.01):
            runs.append([])
        runs[-1].append((middle, half))
    found = []
    for run in runs:
        least = min(half for _, half in run)
        found.append(float(np.mean([middle for middle, half in run if half <= 1.01 * least])))
    return tuple(found)
