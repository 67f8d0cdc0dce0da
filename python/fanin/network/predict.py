"""What a network says about data: converted and worked through a few thousand rows at a time, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fanin import activation
from fanin.common import require
from fanin.network.targets import FloatArray

if TYPE_CHECKING:
    from fanin.network.network import Network

_PIECE_ELEMENTS = 1 << 22  # of x, converted at a time


def _pieces(net: Network, x: ArrayLike) -> Iterator[tuple[int, FloatArray]]:
    """Rows in pieces, converted; each after the number of its first row. `x` may be memory-mapped."""
    rows = x if isinstance(x, np.ndarray) else require.array("x", x)
    at_once = max(2048, _PIECE_ELEMENTS // net.sizes[0])
    for begin in range(0, max(len(rows), 1) if rows.ndim == 2 else 1, at_once):
        yield begin, net._x(rows[begin : begin + at_once] if rows.ndim else rows)


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _each(net: Network, x: ArrayLike, of: Callable[[FloatArray], NDArray[Any]]) -> NDArray[Any]:
    return _joined([of(net._core.forward(rows, begin)) for begin, rows in _pieces(net, x)])


def values(net: Network, x: ArrayLike) -> NDArray[Any]:
    """Return the logits, of shape (batch,) for one output."""
    return _each(net, x, lambda z: z[:, 0] if net.sizes[-1] == 1 else z)


def labels(net: Network, x: ArrayLike) -> NDArray[Any]:
    """Return what `fanin.Network.predict` does."""
    if net.loss_name == "mean_squared_error":
        return values(net, x)
    return _joined([net._core.predict(rows, begin) for begin, rows in _pieces(net, x)])


def named(net: Network, found: NDArray[Any]) -> NDArray[Any]:
    """Return what labels stand for."""
    if net.classes is None or net.loss_name == "mean_squared_error":
        raise ValueError("names must be of a network with classes: fit on texts names them, or set network.classes")
    alike = len({type(name) for name in net.classes}) == 1
    classes = np.array(net.classes, None if alike else object)
    return np.asarray(classes[(found > 0).astype(np.int64) if net.loss_name == "hinge" else found])


def probabilities(net: Network, x: ArrayLike) -> NDArray[Any]:
    """Return what `fanin.Network.predict_proba` does."""
    if net.loss_name not in ("cross_entropy", "binary_cross_entropy"):
        raise ValueError(
            f"predict_proba needs the loss cross_entropy or binary_cross_entropy, got {net.loss_name}; "
            "decision_function gives its logits"
        )
    if net.loss_name == "cross_entropy":
        return _each(net, x, activation.softmax)
    return _each(net, x, lambda z: activation.evaluate("sigmoid", np.concatenate([-z, z], axis=1)))


def score(net: Network, x: ArrayLike, y: ArrayLike) -> float:
    """Return what `fanin.Network.score` does."""
    return agreement(net, labels(net, x), net._y(y))


def labels_of(net: Network, z: NDArray[Any]) -> NDArray[Any]:
    """Return what `labels` does, of finite logits."""
    if net.loss_name == "cross_entropy":
        best: NDArray[Any] = np.argmax(z, axis=1)
        return best
    one = z[:, 0] if net.sizes[-1] == 1 else z
    if net.loss_name == "mean_squared_error":
        return one
    return np.where(one > 0, 1, -1 if net.loss_name == "hinge" else 0)


def agreement(net: Network, found: NDArray[Any], targets: NDArray[Any]) -> float:
    """Return the score of labels, or of values, beside targets in the network's types."""
    if targets.shape != found.shape and not (found.ndim == 1 and targets.shape == (len(found), 1)):
        raise ValueError(f"y must have shape {found.shape}, got {targets.shape}")
    if len(found) == 0:
        raise ValueError("x must have at least one row, got 0")
    if np.isnan(targets).any():
        raise ValueError("y must not hold NaN")
    targets = targets.reshape(found.shape)
    if net.loss_name != "mean_squared_error":
        return float(np.mean(found == targets))
    left = np.square(targets - found, dtype=np.float64).sum(axis=0)
    whole = np.square(targets - targets.mean(axis=0, dtype=np.float64)).sum(axis=0)
    met = np.where(left == 0, 1.0, 0.0)
    return float(np.mean(np.divide(whole - left, whole, out=met, where=whole != 0)))
