"""What `fanin.Network` takes: widths, data and parameters, checked and converted."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from fanin.init import law

FloatArray = NDArray[np.float32] | NDArray[np.float64]


def widths(sizes: Sequence[SupportsIndex]) -> tuple[int, ...]:
    """Check the widths of a network's layers."""
    try:
        found = tuple(operator.index(n) for n in sizes)
    except TypeError:
        raise TypeError(f"sizes must be a sequence of integers, got {sizes!r}") from None
    if any(n < 1 for n in found):
        raise ValueError(f"sizes must hold widths of at least 1, got {list(found)}")
    return found


def converted(name: str, array: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Convert real numbers to `dtype`; a finite number that it cannot hold is an error."""
    if array.dtype == dtype:
        return array
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold real numbers, got dtype {array.dtype}")
    with np.errstate(over="ignore"):
        result = array.astype(dtype)
    if array.dtype.kind == "f" and not np.array_equal(np.isinf(array), np.isinf(result)):
        raise ValueError(f"{name} must hold numbers that fit {dtype}, got {array[np.isinf(result) & ~np.isinf(array)][0]}")
    return result


def draw_parameters(name: str, init: Any, kind: str, arrays: Sequence[FloatArray], seed: int) -> str:
    """Fill the parameters; nothing is written unless all of them can be. Returns the laws as text."""
    specs = list(init) if isinstance(init, (list, tuple)) else [init] * len(arrays)
    if len(specs) != len(arrays):
        raise ValueError(f"{name} must have one entry for each of the {len(arrays)} layers, got {len(specs)}")
    texts = []
    drawn = []
    for layer, (spec, array) in enumerate(zip(specs, arrays, strict=True)):
        if isinstance(spec, np.ndarray):
            given = converted(f"{name}[{layer}]", spec, array.dtype)
            if given.shape != array.shape:
                words = "(n_out, n_in)" if kind == "weight" else "(n_out,)"
                raise ValueError(f"{name}[{layer}] must have shape {words} = {array.shape}, got {given.shape}")
            if np.isnan(given).any():
                raise ValueError(f"{name}[{layer}] must not hold NaN")
            texts.append("explicit")
            drawn.append(given)
        else:
            rule = law(spec)
            texts.append(str(rule))
            drawn.append(rule(array.shape, seed=seed, stream=f"{layer}.{kind}", dtype=array.dtype))
    for array, values in zip(arrays, drawn, strict=True):
        array[...] = values
    return texts[0] if len(set(texts)) == 1 else ", ".join(texts)
