"""Losses on logits: the mean cost of a batch and its gradient, finite wherever the true value is."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fanin import _core
from fanin.common import foreign

FloatArray = NDArray[np.float32] | NDArray[np.float64]


class LossResult(NamedTuple):
    """Mean cost of a batch, and its gradient with respect to the logits (None unless asked for)."""

    cost: float
    dz: FloatArray | None


def names() -> list[str]:
    """Names of all losses."""
    return _core.loss_names()


def evaluate(name: str, z: FloatArray, y: NDArray[Any], *, gradient: bool = True) -> LossResult:
    """Mean cost of the logits `z` against the targets `y`.

    Parameters
    ----------
    name : str
        ``"cross_entropy"``: -log softmax(z)[y]. ``"binary_cross_entropy"``: the same for one output, through a sigmoid.
        ``"mean_squared_error"``: the mean over batch and outputs of (z - y)^2, without a half. ``"hinge"``: max(0, 1 - y z),
        with derivative 0 at the kink.
    z : ndarray, shape (batch, outputs), float32 or float64
        Logits, batch >= 1. For one output the shape (batch,) is taken too. Any strides.
    y : ndarray
        cross_entropy: int64 labels, shape (batch,). binary_cross_entropy: 0 and 1, hinge: -1 and 1, shape (batch,) and the
        dtype of `z`. mean_squared_error: shape and dtype of `z`.
    gradient : bool
        Whether to return the gradient.

    Returns
    -------
    LossResult
        ``cost``, a float (computed in double precision from each row on), and ``dz``, like `z`.

    Raises
    ------
    TypeError
        If a dtype is wrong; nothing is converted here (`fanin.Network` converts).
    ValueError
        If a shape is wrong, or a target is out of range or NaN.

    Notes
    -----
    **Reproducibility.** The same bits on every CPU and at any thread count; sums run in the order that the C++ header
    ``fanin/loss.hpp`` states.

    Examples
    --------
    >>> import numpy as np
    >>> import fanin as fi
    >>> cost, dz = fi.loss.evaluate("cross_entropy", np.zeros((1, 2)), np.array([1]))
    >>> round(cost, 6), dz.tolist()
    (0.693147, [[0.5, -0.5]])
    """
    z, y = foreign.view("z", z), foreign.view("y", y)
    for argument, what in ((z, "z"), (y, "y")):
        if not isinstance(argument, np.ndarray):
            raise TypeError(f"{what} must be a NumPy array, got {type(argument).__name__}")
    logits: NDArray[Any] = np.ascontiguousarray(z) if z.ndim else z
    targets: NDArray[Any] = np.ascontiguousarray(y) if y.ndim else y
    dz = np.empty(logits.shape, logits.dtype)
    cost = _core.evaluate_loss(name, logits, targets, dz)
    return LossResult(cost, dz if gradient else None)
