"""The article's product form: what independent weights of mean 0 do to the variance over depth, in the linear regime.

Forward ``Var(a[L]) = prod n[l-1] Var(W[l]) Var(x)``, backward ``Var(da[0]) = prod n[l] Var(W[l]) Var(dz[L])``: Glorot and
Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010, eq. 5 and 6.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from fanin import init as _init

TOTAL = 10.0  # change of the rms over the whole depth
PER_LAYER = 4 / 3  # geometric mean per layer


@dataclass(frozen=True)
class PredictedVariance:
    """What `predict_variance` returns.

    Attributes
    ----------
    n_var : tuple of float
        n[l-1] Var(W[l]) layer by layer: below 1 the signal shrinks, above 1 it grows.
    n_out_var : tuple of float
        n[l] Var(W[l]), the same for gradients.
    forward : tuple of float
        Var(a[l]) of layers 1 to L.
    backward : tuple of float
        Var(da[l]) of layers 0 to L - 1, where Var(dz[L]) is 1.
    """

    n_var: tuple[float, ...]
    n_out_var: tuple[float, ...]
    forward: tuple[float, ...]
    backward: tuple[float, ...]

    @property
    def forward_verdict(self) -> str:
        """Return "vanishing", "healthy" or "exploding"."""
        return classify(math.prod(self.n_var), len(self.n_var))

    @property
    def backward_verdict(self) -> str:
        """Return "vanishing", "healthy" or "exploding", from the output to the input."""
        return classify(math.prod(self.n_out_var), len(self.n_out_var))


def classify(factor: float, depth: int) -> str:
    """Judge a change of the variance over `depth` layers.

    "vanishing" or "exploding" where the rms changes by more than 10 altogether or 4/3 a layer, the limits of `fanin.diagnose`;
    otherwise "healthy".

    Examples
    --------
    >>> from fanin import theory
    >>> [theory.classify(n_var**50, 50) for n_var in (0.9, 1.0, 1.1)]
    ['vanishing', 'healthy', 'exploding']
    """
    if not factor >= 0 or depth < 1:
        raise ValueError(f"factor must be at least 0 and depth at least 1, got {factor} and {depth}")
    rms = math.sqrt(factor)
    limit = min(TOTAL, PER_LAYER**depth)
    return "vanishing" if rms < 1 / limit else "exploding" if rms > limit else "healthy"


def predict_variance(
    sizes: Sequence[int], init: Any = None, *, n_var: float | Sequence[float] | None = None, variance: float = 1.0
) -> PredictedVariance:
    """Return the variance of every layer of a linear network, or of any network in its linear regime.

    Parameters
    ----------
    sizes : sequence of int
        Widths, the input's first.
    init : law or sequence of laws, optional
        For all layers or one each: whatever `fanin.Network` takes.
    n_var : float or sequence of float, optional
        n_in * Var(w) itself, instead of a law.
    variance : float
        Var(x), exactly the mean square where x is not centred.

    Raises
    ------
    TypeError
        If not exactly one of `init` and `n_var` is given.
    ValueError
        If sizes are too few, or a sequence has another length than there are layers.

    Examples
    --------
    >>> from fanin import theory
    >>> theory.predict_variance([300] * 6, n_var=0.5).forward[-1]
    0.03125
    >>> p = theory.predict_variance([784, 300], "glorot_normal")
    >>> round(p.n_var[0], 3), round(p.n_out_var[0], 3)
    (1.446, 0.554)
    """
    if (init is None) == (n_var is None):
        raise TypeError("predict_variance takes exactly one of init and n_var")
    layers = len(sizes) - 1
    if layers < 1 or any(n < 1 for n in sizes):
        raise ValueError(f"sizes must hold two widths or more, each at least 1, got {list(sizes)}")
    if n_var is not None:
        factors = [float(n_var)] * layers if isinstance(n_var, int | float) else [float(v) for v in n_var]
    else:
        laws = list(init) if isinstance(init, list | tuple) else [init] * layers
        shapes = [(n_out, n_in) for n_in, n_out in pairwise(sizes)]
        factors = [n_in * second_moment_of(one, (n_out, n_in)) for one, (n_out, n_in) in zip(laws, shapes, strict=False)]
        factors += [math.nan] * (len(laws) - len(factors))
    if len(factors) != layers:
        raise ValueError(f"{layers} layers need {layers} factors or laws, got {len(factors)}")
    out = [factor / n_in * n_out for factor, n_in, n_out in zip(factors, sizes[:-1], sizes[1:], strict=True)]
    forward = [variance * math.prod(factors[: layer + 1]) for layer in range(layers)]
    backward = [math.prod(out[layer:]) for layer in range(layers)]
    return PredictedVariance(tuple(factors), tuple(out), tuple(forward), tuple(backward))


def second_moment_of(law: Any, shape: tuple[int, int]) -> float:
    """Return E[w^2] under a law: its variance, for laws of mean 0."""
    moments = _init.law(law).moments(shape)
    return float(moments.variance + moments.mean**2)
