"""Data for a network, converted to its types: real numbers, and labels of classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fanin.common import foreign, require

FloatArray = NDArray[np.float32] | NDArray[np.float64]


def converted(name: str, array: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Convert real numbers to `dtype`; a finite number that it cannot hold is an error."""
    if array.dtype == dtype:
        return require.aligned(array)
    array = foreign.plain(array)
    if array.dtype == dtype:
        return array
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold real numbers, got dtype {array.dtype}")
    if array.dtype == np.uint64 and dtype == np.int64 and (array >= 2**63).any():
        raise ValueError(f"{name} must hold numbers that fit {dtype}, got {array.max()}")
    with np.errstate(over="ignore"):
        result = array.astype(dtype)
    if array.dtype.kind == "f" and not np.array_equal(np.isinf(array), np.isinf(result)):
        raise ValueError(f"{name} must hold numbers that fit {dtype}, got {array[np.isinf(result) & ~np.isinf(array)][0]}")
    return result


def class_labels(y: NDArray[Any], n_classes: int) -> NDArray[Any]:
    """Return the labels of cross_entropy as they are, or those of one-hot rows."""
    if y.ndim == 2 and y.shape[1] == n_classes > 1 and y.dtype.kind in "biuf":
        ones = y == 1
        wrong = (ones.sum(axis=1) != 1) | (ones != (y != 0)).any(axis=1)
        if wrong.any():
            row = int(np.argmax(wrong))
            raise ValueError(f"y must be one-hot, a single 1 among zeros in each row, got another row at row {row}")
        found: NDArray[Any] = ones.argmax(axis=1)
        return found
    if y.ndim != 1:
        raise ValueError(f"y must have shape (batch,), or (batch, {n_classes}) with one-hot rows, got {y.shape}")
    if y.dtype.kind not in "iub":
        raise TypeError(f"y must hold integer labels for cross_entropy, got dtype {y.dtype}")
    return y


def is_text(y: NDArray[Any]) -> bool:
    """Whether targets are texts, in NumPy's strings or Python's."""
    return y.dtype.kind in "UT" or (y.dtype == object and y.size > 0 and all(isinstance(one, str) for one in y.flat))


def class_names(classes: Sequence[Any], n_outputs: int) -> tuple[Any, ...]:
    """Return what the labels of a network of so many outputs stand for, checked: different strings or numbers."""
    if isinstance(classes, str):
        raise TypeError(f"classes must be a sequence of strings or numbers, got {classes!r}")
    names = tuple(name.item() if isinstance(name, np.generic) else name for name in classes)
    if not all(isinstance(name, str | bool | int | float) for name in names):
        raise TypeError(f"classes must hold strings or numbers, got {classes!r}")
    if len(names) != max(n_outputs, 2) or len(set(names)) != len(names):
        raise ValueError(f"classes must be {max(n_outputs, 2)} different ones for {n_outputs} outputs, got {list(names)}")
    return names


def labels_of(values: NDArray[Any], classes: Sequence[Any], *, hinge: bool = False) -> NDArray[np.int64]:
    """Return the labels of targets that are written as their classes: 0, 1, ..., or -1 and 1.

    Raises
    ------
    ValueError
        If a value is none of the classes; the message lists both.
    """
    if values.ndim != 1:
        raise ValueError(f"y must have shape (batch,) where it holds classes, got {values.shape}")
    place = {name: label for label, name in enumerate(classes)}  # 1, 1.0 and True are one key, as they are one value
    found, where = np.unique(values, return_inverse=True)
    unknown = [name for name in found.tolist() if name not in place]
    if unknown:
        raise ValueError(f"y must hold the network's classes {list(classes)}, got {unknown[:10]}")
    labels = np.array([place[name] for name in found.tolist()], np.int64)[where.reshape(-1)]
    return 2 * labels - 1 if hinge else labels


def constant_prediction(loss: str, y: NDArray[Any]) -> tuple[float, float]:
    """Return the cost and the score of the best prediction that does not look at x.

    Of labels their frequencies, and the fraction of the commonest; of real targets the mean of each output, with a coefficient
    of determination of 0.

    Parameters
    ----------
    loss : str
        The name of a loss.
    y : array
        Targets as the network has them, finite.
    """
    if loss == "mean_squared_error":
        return float(np.mean(np.var(y, axis=0, dtype=np.float64))), 0.0
    if loss == "cross_entropy":
        counts = np.bincount(y)
        share = counts[counts > 0] / len(y)
        return float(-(share * np.log(share)).sum()), float(share.max())
    ones = np.mean(y > 0, axis=0, dtype=np.float64).reshape(-1)
    top = np.maximum(ones, 1 - ones)
    if loss == "hinge":  # the sign of the commoner label at distance 1
        return float(np.mean(2 * (1 - top))), float(top.mean())
    rest = np.clip(1 - top, 1e-300, 1)
    return float(-np.mean(top * np.log(top) + (1 - top) * np.log(rest))), float(top.mean())
