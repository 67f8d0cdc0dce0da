"""Which part of a parameter is drawn, and whose numbers: the arguments `block`, `seed` and `stream`."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import SupportsIndex, TypeAlias

from fanin import _core

Shape: TypeAlias = SupportsIndex | Sequence[SupportsIndex]
Block: TypeAlias = Sequence[slice | SupportsIndex] | slice | SupportsIndex
Place: TypeAlias = tuple[list[int], list[int]]  # offset and shape of a part


def require_pair(seed: object, stream: object) -> None:
    """Refuse a seed without a stream, and a stream without a seed."""
    if (seed is None) == (stream is None):
        return
    if stream is None:
        raise ValueError(
            f"seed={seed!r} needs stream= too, so that no two parameters are alike: write stream='hidden1.weight' or stream=0"
        )
    raise ValueError(f"stream={stream!r} needs seed= too: write seed=0, or leave both out for fresh entropy")


def placed(block: Block | None, shape: Shape) -> Place | None:
    """Return where a block of one slice or integer an axis lies in a parameter of this shape; None for the whole.

    Bounds may be None or negative as in Python, but never outside the axis: a block that is cut silently would be a shard with
    a hole.
    """
    if block is None:
        return None
    full = _core.sizes(shape)
    if _is_part(block):
        items: Sequence[object] = (block,)
    elif isinstance(block, (tuple, list)):
        items = block
    else:
        raise TypeError(f"block must be a tuple of slices, got {block!r}")
    for item in items:
        if not _is_part(item):
            raise TypeError(f"block must hold slices or integers, got {item!r}")
    if len(items) != len(full):
        raise ValueError(f"block must have one slice an axis, {len(full)} in all, got {block!r}")
    ends = [_ends(item, axis, size) for axis, (item, size) in enumerate(zip(items, full, strict=True))]
    return [begin for begin, _ in ends], [end - begin for begin, end in ends]


def _is_part(item: object) -> bool:
    return isinstance(item, slice) or hasattr(type(item), "__index__")


def _ends(item: object, axis: int, size: int) -> tuple[int, int]:
    """Return the first index of a slice or an integer, and the one after its last."""
    outside = f"block must lie inside the shape: axis {axis} has length {size}, got {item!r}"

    def bound(value: SupportsIndex | None, otherwise: int) -> int:
        if value is None:
            return otherwise
        at = index(value)
        at = at + size if at < 0 else at
        if not 0 <= at <= size:
            raise ValueError(outside)
        return at

    if not isinstance(item, slice):
        begin = bound(item, 0)  # type: ignore[arg-type]
        if begin == size:
            raise ValueError(outside)
        return begin, begin + 1
    if item.step is not None and item.step != 1:
        raise ValueError(f"block must have slices of step 1, got {item!r}")
    begin, end = bound(item.start, 0), bound(item.stop, size)
    if end < begin:
        raise ValueError(f"block must have slices that start before they stop, got {item!r}")
    return begin, end
