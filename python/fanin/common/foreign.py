"""Arrays of other libraries as NumPy's: through DLPack, the buffer protocol or ``__array__``, copied only where these copy."""

from __future__ import annotations

import array as arrays
from typing import Any

import numpy as np

from fanin import _core

_CPU = 1  # DLPack's number
_OWN = (np.ndarray, np.generic, str, bytes, list, tuple, int, float)  # a union here would be built at every call


def view(name: str, value: Any) -> Any:
    """Return the NumPy array of what is an array of another library; anything else comes back as it is.

    PyTorch's and JAX's arrays on the CPU, pandas' and Polars' columns and frames, xarray's, memory views. A tensor that records
    gradients gives its values. bfloat16 is ml_dtypes' type; without that package it is widened to float32.
    """
    if type(value) is np.ndarray or value is None or isinstance(value, _OWN):
        return value
    if hasattr(value, "__dlpack__") and _on_cpu(value):
        found, is_bfloat16 = _core.array_from_dlpack(value, name)
        return _bfloat16(found) if is_bfloat16 else found
    if isinstance(value, memoryview | bytearray | arrays.array):
        return np.asarray(value)
    if hasattr(value, "__array__") and not isinstance(value, type):
        return np.asarray(value)
    return value


def plain(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Widen ml_dtypes' numbers, which NumPy does not count among the real ones, to float32; all of them fit."""
    if array.dtype.kind == "V" and array.dtype.type.__module__ == "ml_dtypes":
        return array.astype(np.float32)
    return array


def _on_cpu(value: Any) -> bool:
    try:
        return bool(value.__dlpack_device__()[0] == _CPU)
    except (AttributeError, BufferError, NotImplementedError, RuntimeError, TypeError, ValueError):
        return False  # then NumPy's own way, or its error, has the word


def _bfloat16(bits: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    try:
        import ml_dtypes
    except ImportError:
        return (bits.astype(np.uint32) << 16).view(np.float32)
    return bits.view(ml_dtypes.bfloat16)
