"""One short text for the bits of arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray


def digest(arrays: Iterable[NDArray[Any]]) -> str:
    """Return the first 16 digits of the SHA-256 of arrays as little-endian bytes."""
    hashed = hashlib.sha256()
    for array in arrays:
        hashed.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes())
    return hashed.hexdigest()[:16]
