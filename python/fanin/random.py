"""Addressable random numbers: an element is a function of (seed, stream, index) and of nothing else.

The generator is Philox4x32-10 (Salmon et al., SC'11). `fanin.init` draws weights with it; this module hands out the raw
words and permutations.
"""

from __future__ import annotations

from typing import SupportsIndex

import numpy as np
from numpy.typing import NDArray

from fanin import _core


def seed_number(seed: SupportsIndex) -> int:
    """Check a seed: an integer in [0, 2^64).

    Raises
    ------
    TypeError
        If `seed` is no integer.
    ValueError
        If it is out of range.
    """
    return _core.seed_number(seed)


def stream_id(stream: SupportsIndex | str) -> int:
    """Return the 64-bit number of a stream.

    Parameters
    ----------
    stream : int or str
        An integer in [0, 2^63) stands for itself; a name for 2^63 | (the low 63 bits of the 64-bit FNV-1a hash of its
        UTF-8 bytes). Names that begin with ``fanin/`` are the library's own.

    Examples
    --------
    >>> from fanin.random import stream_id
    >>> stream_id(7)
    7
    >>> hex(stream_id("hidden1.weight"))
    '0x96fbbfa65de0d0aa'
    """
    return _core.stream_id(stream)


def words(n: int, *, seed: int, stream: int | str, first_block: int = 0) -> NDArray[np.uint32]:
    """Return the first `n` 32-bit words from block `first_block` on: four a block of Philox4x32-10.

    Key words are (seed low, seed high), counter words (block low, block high, stream low, stream high).
    """
    if n < 0:
        raise ValueError(f"n must be at least 0, got {n}")
    out = np.empty(n, np.uint32)
    _core.philox_words(out, seed_number(seed), stream_id(stream), first_block)
    return out


def permutation(n: int, *, seed: int, stream: int | str, round: int = 0) -> NDArray[np.int64]:  # noqa: A002
    """Return a permutation of 0 .. n - 1, the `round`-th of its stream (Fisher and Yates, 64-bit draws)."""
    if n < 0:
        raise ValueError(f"n must be at least 0, got {n}")
    out = np.empty(n, np.int64)
    _core.permutation(out, seed_number(seed), stream_id(stream), round)
    return out
