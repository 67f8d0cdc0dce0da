"""Units of a matrix: those whose weights another one has too, and how many independent ones there are in effect."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fanin.dense import dense_forward
from fanin.stats import Summary, summarize
from fanin.weights.formats.tensors import PIECE_BYTES, Elements, Tensor, native_dtype
from fanin.weights.scale import Axes

_HEAD = 8  # elements: two different units almost never share so many
_ODD = 0x9E3779B97F4A7C15  # 2^64 over the golden ratio
_MOST_ELEMENTS = 1 << 22  # of a matrix that is read whole: 32 MB in float64
_MOST_COST = 1 << 27  # multiplications for one effective rank: a few milliseconds


@dataclass
class Units:
    """The units of a matrix or kernel whose rows are units: each stands in one piece of the file.

    The first weights of all units tell nearly all of them apart; only where some are equal the whole units are compared.
    """

    count: int
    length: int
    heads: NDArray[Any]  # a unit a row, of the type that is stored; 0 beyond the end of a shorter unit

    @classmethod
    def of(cls, tensor: Tensor, axes: Axes) -> Units | None:
        """Return the units of a tensor; None where they are not rows, or longer than a piece."""
        if axes.out_axis != 0 or tensor.shape[0] < 2:
            return None
        length = math.prod(tensor.shape[1:])
        if length * 8 > PIECE_BYTES or length == 0:
            return None
        return cls(tensor.shape[0], length, np.zeros((tensor.shape[0], _HEAD), native_dtype(tensor.dtype)))

    def look(self, begin: int, values: Elements) -> None:
        """Keep the first weights of the units in a piece, whose elements begin there."""
        units = values.reshape(-1, self.length)[:, :_HEAD]
        self.heads[begin // self.length :][: len(units), : units.shape[1]] = units

    def copies(self, tensor: Tensor, whole: Summary) -> int:
        """Return how many units have the very weights of an earlier one, bit by bit."""
        if whole.finite == tensor.size and whole.min == whole.max and whole.min != 0:  # 0 and -0 are no copies
            return self.count - 1
        asked = _twice(self.heads)
        if not asked.any():
            return 0
        from hashlib import blake2b

        seen: Counter[bytes] = Counter()
        most = most_elements(tensor, self)
        assert tensor.pieces is not None
        for i, piece in enumerate(tensor.pieces(most)):
            first = i * (most // self.length)
            rows = piece().reshape(-1, self.length)
            wanted = np.flatnonzero(asked[first : first + len(rows)])
            seen.update(blake2b(rows[row].tobytes(), digest_size=16).digest() for row in wanted)
        return sum(seen.values()) - len(seen)


def most_elements(tensor: Tensor, units: Units | None) -> int:
    """Return the elements of a piece: whole units, where they are looked at."""
    most = PIECE_BYTES // native_dtype(tensor.dtype).itemsize
    return most if units is None else max(units.length, most // units.length * units.length)


def _twice(heads: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which rows have the key of another one: equal rows do, and about one in 10^19 others."""
    words = heads.view(np.uint64)
    keys = words @ np.array([_ODD**power % 2**64 for power in range(1, words.shape[1] + 1)], np.uint64)
    asked = np.zeros(len(keys), bool)
    in_order = np.sort(keys)
    if not (in_order[1:] == in_order[:-1]).any():
        return asked
    order = np.argsort(keys)
    same = keys[order][1:] == keys[order][:-1]
    asked[order[1:][same]] = asked[order[:-1][same]] = True
    return asked


def rank(tensor: Tensor, whole: Summary, budget: int) -> tuple[float | None, int]:
    """Return the effective rank of a matrix of finite numbers, and the multiplications that it took.

    That is tr(C)^2 / tr(C^2) of C = w w.T: 1 where all units are multiples of one, min(n_in, n_out) where they are orthogonal
    and equally long, about n_in n_out / (n_in + n_out) for independent weights. None where it would cost more than `budget`,
    or than a few milliseconds.
    """
    least, most = min(tensor.shape), max(tensor.shape)
    cost = least * least * most
    if cost > min(budget, _MOST_COST) or tensor.size > _MOST_ELEMENTS or whole.rms == 0:
        return None, 0
    w: NDArray[Any] = tensor.array()
    # of the size of 1, so that no square leaves the range
    w = np.asarray(w / np.float64(max(whole.max, -whole.min)), w.dtype)
    w = np.ascontiguousarray(w if w.shape[0] == least else w.T)
    gram = dense_forward(w, w).a
    size, trace = summarize(gram, bins=None, moments="two"), summarize(w, bins=None, moments="two")
    if size.rms == 0:
        return None, cost
    return min((trace.count * trace.rms**2) ** 2 / (size.count * size.rms**2), float(least)), cost
