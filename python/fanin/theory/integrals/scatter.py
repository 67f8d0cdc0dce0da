"""How far one draw of the weights strays from what is expected, for a batch of correlated inputs.

The units of a layer are independent given the layer below. So the mean of f(z) over n units and a batch has
the variance ``(1 / n) mean over pairs of inputs of Cov(f(z), f(z'))``, and for normal z, z' of variance q and correlation c the
covariance is ``sum_{k >= 1} alpha_k^2 c^k`` with the Hermite coefficients alpha_k of f (Mehler's formula). A batch of
independent inputs scatters little; inputs that have become parallel, as in deep ReLU networks, scatter like one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fanin.theory.integrals.function import Activation
from fanin.theory.integrals.quadrature import _W22, _X22, Array, density, panels

_TERMS = 24  # Hermite coefficients kept; the rest of the power goes to the next one
_ROWS = 64  # inputs whose pairs stand for the batch's


class Kernel:
    """Hermite coefficients of functions of one normal variable of variance q."""

    def __init__(self, g: Activation, q: float) -> None:
        std = np.sqrt(max(q, 1e-30))
        shape = g.shape(float(std**2), slopes=True)
        points = np.array([[0.0, *shape.breakpoints]]) / std
        edges = np.unique(panels(points, np.array([1 / std]), -10.0, 10.0))
        half = (edges[1:] - edges[:-1]) / 2
        u = ((edges[1:] + edges[:-1]) / 2)[:, None] + half[:, None] * _X22
        self._weights = (density(u) * _W22 * half[:, None]).reshape(-1)
        self.z = (std * u).reshape(-1)
        rows = [np.ones_like(self.z), u.reshape(-1)]
        for k in range(1, _TERMS):  # h_k+1 sqrt(k + 1) = u h_k - sqrt(k) h_k-1
            rows.append((rows[1] * rows[k] - np.sqrt(k) * rows[k - 1]) / np.sqrt(k + 1))
        self._hermite = np.array(rows)
        self.value, self.slope = g.value(self.z), g.slope(self.z)

    def mean(self, f: Array) -> float:
        """E[f], from the values of f at `z`."""
        return float(self._weights @ f)

    def powers(self, f: Array) -> Array:
        """alpha_k^2 for k = 0, 1, ..., the last one with all that is left of E[f^2]."""
        squares = (self._hermite @ (self._weights * f)) ** 2
        return np.append(squares, max(float(self._weights @ f**2) - float(squares.sum()), 0.0))


def at(powers: Array, c: Array) -> Array:
    """E[f(z) f(z')] at correlations c."""
    return np.asarray(np.polynomial.polynomial.polyval(c, powers))


def evenly(x: NDArray[Any], most: int = _ROWS) -> NDArray[Any]:
    """Return a copy of the rows that stand for the batch: at most so many, evenly spaced."""
    rows: NDArray[Any] = x[_even_rows(x.shape[0], most)]
    return rows


@lru_cache(maxsize=8)
def _even_rows(rows: int, most: int) -> NDArray[np.intp]:
    return np.linspace(0, rows - 1, min(most, rows)).astype(np.intp)


class Pairs:
    """Correlations of the pairs of inputs of a batch, carried through the layers.

    Width adds noise: over n units a measured correlation strays from its expectation c by about (1 - c^2) / sqrt(n). The
    variance of that is carried along, and averages are taken half above and half below.
    """

    def __init__(self, x: NDArray[Any], batch: int | None = None) -> None:
        self._batch = x.shape[0] if batch is None else batch
        some = evenly(x).astype(np.float64)
        norms = np.sqrt((some**2).sum(axis=1))
        some = some[norms > 0] / norms[norms > 0, None]
        self.c = np.clip((some @ some.T)[np.triu_indices(len(some), 1)], -1.0, 1.0)
        self._spread = np.zeros_like(self.c)

    def weigh(self, own: float, others: Array) -> float:
        """Mean over all pairs of the batch, those of an input with itself included."""
        return float(own / self._batch + (1 - 1 / self._batch) * others.mean()) if others.size else own

    def covariance(self, powers: Array) -> float:
        """Mean over the pairs of Cov(f(z), f(z'))."""
        centred = np.concatenate([[0.0], powers[1:]])
        noise = np.sqrt(self._spread)
        above, below = (at(centred, np.clip(c, -1, 1)) for c in (self.c + noise, self.c - noise))
        return self.weigh(float(centred.sum()), (above + below) / 2)

    def add_bias(self, fraction: float) -> None:
        """Biases, alike for all inputs, leave `fraction` of the variance to the signal."""
        self.c = fraction * self.c + (1 - fraction)
        self._spread = fraction**2 * self._spread

    def activate(self, values: Array, slopes: Array, width: int) -> None:
        """Go from the pre-activations of `width` units to their activations; powers of g and of q^(1/2) g'."""
        total = values.sum()
        if total > 0:
            self._spread = self._spread * (at(slopes, self.c) / total) ** 2
            self.c = np.clip(at(values, self.c) / total, -1.0, 1.0)
        self._spread = np.minimum(self._spread + (1 - self.c**2) ** 2 / width, 1.0)
