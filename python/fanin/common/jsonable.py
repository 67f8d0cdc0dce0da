"""Results as JSON that every reader takes: what is not finite becomes the string "NaN", "Infinity" or "-Infinity"."""

from __future__ import annotations

import json
import math
import os
from typing import Any

import numpy as np

from fanin._core import __version__

FORMAT = 1  # of the files; it counts up where a key changes its meaning or leaves


def finite(value: Any) -> Any:
    """Return `value` with plain types, tuples and arrays as lists, and what is not finite as a string.

    Parameters
    ----------
    value : dict, list, tuple, ndarray, str, number, bool or None, nested

    Raises
    ------
    TypeError
        If something is of another type.
    """
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise TypeError(f"results must be plain values, got {type(value).__name__}")


def dumps(kind: str, result: dict[str, Any]) -> str:
    """Return a result as JSON, after ``"fanin"`` (the version), ``"kind"`` and ``"format"``; the same text for the same."""
    head = {"fanin": __version__, "kind": kind, "format": FORMAT}
    return json.dumps({**head, **finite(result)}, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def write(text: str, path: str | os.PathLike[str]) -> None:
    """Write text as UTF-8."""
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
