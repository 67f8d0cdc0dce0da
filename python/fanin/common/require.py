"""Checks of arguments: what is wrong is named, with what was expected and what came."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from fanin.common import foreign


def integer(name: str, value: Any, least: int, otherwise: str = "") -> int:
    """Return an integer of at least `least`, and below 2^48; `otherwise` says what else the argument takes."""
    words = f"{name} must be an integer of at least {least}{otherwise}, got {value!r}"
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(words) from None
    if number < least:
        raise ValueError(words)
    if number >= 2**48:
        raise ValueError(f"{name} must be below 2^48, got {value!r}")
    return number


def number(name: str, value: Any) -> float:
    """Return a real number."""
    words = f"{name} must be a number, got {value!r}"
    if isinstance(value, (str, bytes)):
        raise TypeError(words)
    try:
        return float(value)
    except TypeError:
        raise TypeError(words) from None
    except OverflowError:
        raise ValueError(f"{name} must be a number that fits float64, got one of more than 10^308") from None


def scale(name: str, value: Any) -> float:
    """Return a finite number of at least 0."""
    found = number(name, value)
    if not (found >= 0 and math.isfinite(found)):
        raise ValueError(f"{name} must be finite and at least 0, got {value}")
    return found


def flag(name: str, value: Any) -> bool:
    """Return True or False; 1 and 0 stand for them."""
    if not isinstance(value, (bool, int, np.bool_)) or value not in (True, False):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return bool(value)


def text(name: str, value: Any) -> str:
    """Return a string."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string, got {value!r}")
    return value


def function(name: str, value: Any) -> None:
    """Refuse what is neither callable nor None."""
    if value is not None and not callable(value):
        raise TypeError(f"{name} must be a function, got {value!r}")


def progress(value: Any) -> None:
    """Refuse what is neither True, False, None nor callable."""
    if value not in (None, True, False) and not callable(value):
        raise TypeError(f"progress must be True, False or a function, got {value!r}")


def float_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Return the dtype if it is float32 or float64."""
    try:
        wanted = np.dtype(dtype) if dtype is not None else None
    except TypeError:
        wanted = None
    if wanted is None or wanted not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise TypeError(f"dtype must be float32 or float64, got {dtype if wanted is None else wanted}")
    return wanted


def array(name: str, value: ArrayLike) -> NDArray[Any]:
    """Return an array of what is one: see `fanin.common.foreign.view`; sequences of numbers too."""
    try:
        found = np.asarray(foreign.view(name, value))
    except ValueError as error:  # rows of different lengths
        raise ValueError(f"{name} must be an array: {error}") from None
    columns = getattr(value, "columns", None)
    if found.dtype != object or found.ndim != 2 or columns is None or len(columns) != found.shape[1]:
        return found
    parts = [np.array(part.tolist()) for part in found.T]  # a DataFrame of several types
    wrong = [
        str(column) for column, part in zip(columns, parts, strict=True) if part.ndim != 1 or part.dtype.kind not in "biuf"
    ]
    if wrong:
        raise TypeError(f"{name} must hold real numbers, got others in column{'s' * (len(wrong) > 1)} {', '.join(wrong[:12])}")
    return np.column_stack(parts)


def aligned(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array that kernels read: itself, or a copy where its items do not lie at multiples of their size."""
    return array if array.flags.aligned else array.copy()


def pair(name: str, value: Any) -> tuple[Any, Any]:
    """Return x and y."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        came = f"{len(value)} items" if isinstance(value, (tuple, list)) else type(value).__name__
        raise TypeError(f"{name} must be (x, y), got {came}")
    return value[0], value[1]


def finite(name: str, values: NDArray[Any]) -> None:
    """Refuse NaN and infinity in a matrix."""
    rows = np.isfinite(values).all(axis=1)
    if not rows.all():
        row = int(np.argmin(rows))
        column = int(np.argmin(np.isfinite(values[row])))
        raise ValueError(f"{name} must hold finite numbers, got NaN or infinity in row {row}, column {column}")
