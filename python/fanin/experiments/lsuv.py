"""Layer-sequential unit variance: weights scaled until every layer's pre-activations have variance 1 on a batch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fanin.common import require
from fanin.common.text import layer_name
from fanin.dense import dense_forward
from fanin.network.batch import batch
from fanin.network.network import Network

TOL = 1e-5
MAX_ITERATIONS = 10


@dataclass(frozen=True)
class LSUV:
    """What `lsuv` returns.

    Attributes
    ----------
    scales : tuple of float
        What each layer's weights were multiplied by, after the orthonormal draw.
    variances : tuple of float
        Of each layer's pre-activations at the end, over the batch and the units.
    iterations : tuple of int
        Times that each layer was scaled.
    """

    scales: tuple[float, ...]
    variances: tuple[float, ...]
    iterations: tuple[int, ...]


def lsuv(
    net: Network, x: ArrayLike, *, init: Any = "orthogonal", tol: float = TOL, max_iterations: int = MAX_ITERATIONS
) -> LSUV:
    """Initialize a network from data (Mishkin and Matas 2016, "All you need is a good init", algorithm 1).

    Layer by layer, from the first: ``w <- w / sqrt(Var(x @ w.T + b))`` until that variance, over the whole batch and all units,
    is 1; then the batch goes on through the layer's activation.

    Parameters
    ----------
    net : Network
        Its weights are overwritten; its biases are not touched.
    x : array, shape (batch, n_in)
        A batch like those that the network will see.
    init : law, sequence of laws and arrays, or None
        Where the weights come from before they are scaled, from the network's own seed and streams: orthonormal, as in the
        paper. None: scale those that the network has.
    tol : float
        The variance lies within `tol` of 1 at the end. Without biases one scaling is exact up to rounding; the paper takes 0.1.
    max_iterations : int
        Scalings of a layer before it is given up.

    Returns
    -------
    LSUV

    Raises
    ------
    ValueError
        If `x` has a wrong shape, an empty batch or values that are not finite; if a layer's variance is 0 or not finite, or
        does not come within `tol` of 1: biases that vary by more than that cannot be scaled away. Nothing is written then.

    Notes
    -----
    **Reproducibility.** A function of the network's seed, its biases and `x`: the same bits on every CPU and at any thread
    count, and the same weights when it is called again.

    Examples
    --------
    >>> import numpy as np
    >>> import fanin as fi
    >>> net = fi.Network([20, 100, 100, 5], activation="relu", seed=1)
    >>> done = fi.lsuv(net, fi.init.normal((200, 20), seed=2, stream="x"))
    >>> done.iterations, np.allclose(done.variances, 1, atol=1e-5)
    ((1, 1, 1), True)
    """
    if not 0 < require.number("tol", tol) < 1:
        raise ValueError(f"tol must lie between 0 and 1, got {tol}")
    max_iterations = require.integer("max_iterations", max_iterations, 1)
    data = batch(net, x)
    scratch = net.copy()
    weights = scratch.weights
    if init is not None:
        scratch._draw(init)
    scales, variances, iterations = [], [], []
    with np.errstate(all="ignore"):
        for layer, w in enumerate(weights):
            b = net.biases[layer] if net.biases else None
            scale, variance, times = _scale(layer_name(layer, len(weights)), data, w, b, tol, max_iterations)
            data = dense_forward(data, w, b, activation=net.activations[layer], keep_z=False).a
            scales.append(scale)
            variances.append(variance)
            iterations.append(times)
    for w, new in zip(net.weights, weights, strict=True):
        w[...] = new
    return LSUV(tuple(scales), tuple(variances), tuple(iterations))


def _scale(name: str, x: Any, w: Any, b: Any, tol: float, max_iterations: int) -> tuple[float, float, int]:
    """Scale w in place; returns the factor, the last variance and the number of scalings."""
    base, scale = w.copy(), 1.0
    for times in range(max_iterations + 1):
        f = dense_forward(x, w, b, stats="moments", keep_z=False)
        assert f.stats is not None
        variance = float(f.stats.z.var)
        if f.stats.z.nans or f.stats.z.infs or not variance > 0:
            raise ValueError(f"{name}: the variance of z must be above 0 and finite, got {variance:g}; nothing was written")
        if abs(variance - 1) <= tol:
            return scale, variance, times
        scale /= math.sqrt(variance)
        w[...] = base * w.dtype.type(scale)  # of the weights that were drawn, so that rounding does not add up
    why = (
        "biases add a variance that no weights scale away" if b is not None and np.any(b) else "the dtype is too coarse for tol"
    )
    raise ValueError(
        f"{name}: the variance of z must come within {tol:g} of 1 in {max_iterations} scalings, got {variance:g}: {why}; "
        "nothing was written"
    )
