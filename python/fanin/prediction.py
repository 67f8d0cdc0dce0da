"""What a trained network says about data, in pieces of bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fanin import activation, checks
from fanin.arguments import FloatArray

_PIECE_ELEMENTS = 1 << 22  # of x, converted at a time


class Prediction:
    """What `fanin.Network` inherits: the data is converted and worked through a few thousand rows at a time.

    `x` is an array of shape (batch, n_in), a memory-mapped one too, or anything that becomes one.
    """

    _core: Any
    sizes: tuple[int, ...]
    dtype: np.dtype[Any]
    loss_name: str
    _x: Callable[[ArrayLike], NDArray[Any]]
    _y: Callable[[ArrayLike], NDArray[Any]]

    def _logits(self, x: ArrayLike) -> Iterator[FloatArray]:
        rows = x if isinstance(x, np.ndarray) else checks.array("x", x)
        at_once = max(2048, _PIECE_ELEMENTS // self.sizes[0])
        for begin in range(0, max(len(rows), 1) if rows.ndim == 2 else 1, at_once):
            yield self._core.forward(self._x(rows[begin : begin + at_once] if rows.ndim else rows), begin)

    def _each(self, x: ArrayLike, of: Callable[[FloatArray], NDArray[Any]]) -> NDArray[Any]:
        parts = [of(z) for z in self._logits(x)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _values(self, z: FloatArray) -> NDArray[Any]:
        return z[:, 0] if self.sizes[-1] == 1 else z

    def _labels(self, z: FloatArray) -> NDArray[Any]:
        if self.loss_name == "mean_squared_error":
            return self._values(z)
        if self.loss_name == "cross_entropy":
            labels: NDArray[np.int64] = z.argmax(axis=1)
            return labels
        return np.where(z[:, 0] > 0, 1, -1 if self.loss_name == "hinge" else 0)

    def _probabilities(self, z: FloatArray) -> NDArray[Any]:
        if self.loss_name == "cross_entropy":
            return activation.softmax(z)
        return activation.evaluate("sigmoid", np.concatenate([-z, z], axis=1))

    def forward(self, x: ArrayLike) -> FloatArray:
        """Logits of the rows of `x`, shape (batch, n_in), at once: an array of shape (batch, outputs)."""
        return self._core.forward(self._x(x))  # type: ignore[no-any-return]

    def decision_function(self, x: ArrayLike) -> FloatArray:
        """Logits, shape (batch,) for one output, otherwise (batch, outputs)."""
        return self._each(x, self._values)

    def predict(self, x: ArrayLike) -> NDArray[Any]:
        """Labels of the rows of `x`: the first largest logit; 0 or 1, -1 or 1 for one output; values for mean_squared_error."""
        return self._each(x, self._labels)

    def predict_proba(self, x: ArrayLike) -> FloatArray:
        """Probabilities of the classes, shape (batch, classes): the softmax of the logits, or 1 - s and s of the sigmoid s.

        Raises
        ------
        ValueError
            If the loss is neither cross_entropy nor binary_cross_entropy: its logits are no probabilities.
        """
        if self.loss_name not in ("cross_entropy", "binary_cross_entropy"):
            raise ValueError(
                f"predict_proba needs the loss cross_entropy or binary_cross_entropy, got {self.loss_name}; "
                "decision_function gives its logits"
            )
        return self._each(x, self._probabilities)

    def score(self, x: ArrayLike, y: ArrayLike) -> float:
        """Fraction of the rows that `predict` labels right; for mean_squared_error the coefficient of determination.

        That is 1 - sum (y - z)^2 / sum (y - mean y)^2, the mean over the outputs; an output whose y is constant counts 1 where
        it is met exactly, otherwise 0.
        """
        found, targets = self.predict(x), self._y(y)
        if targets.shape != found.shape and not (found.ndim == 1 and targets.shape == (len(found), 1)):
            raise ValueError(f"y must have shape {found.shape}, got {targets.shape}")
        if len(found) == 0:
            raise ValueError("x must have at least one row, got 0")
        if np.isnan(targets).any():
            raise ValueError("y must not hold NaN")
        targets = targets.reshape(found.shape)
        if self.loss_name != "mean_squared_error":
            return float(np.mean(found == targets))
        left = np.square(targets - found, dtype=np.float64).sum(axis=0)
        whole = np.square(targets - targets.mean(axis=0, dtype=np.float64)).sum(axis=0)
        met = np.where(left == 0, 1.0, 0.0)
        return float(np.mean(np.divide(whole - left, whole, out=met, where=whole != 0)))
