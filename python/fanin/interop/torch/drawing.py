"""One law into one tensor, wherever it lies: in place, in pieces through the CPU, or the shard that a DTensor holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from math import prod
from typing import Any, NamedTuple, SupportsIndex

import torch
from torch import Tensor

from fanin.init import Law

PIECE = 1 << 24  # elements drawn at a time where they are copied: 64 MB of float32
_DRAWN = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
_WHOLE = ("orthogonal", "sparse")  # a piece of these costs more than its share


class Key(NamedTuple):
    """What names a draw: PyTorch's generator, or a seed with a stream."""

    generator: torch.Generator | None
    seed: SupportsIndex | None
    stream: SupportsIndex | str | None

    def resolved(self) -> tuple[SupportsIndex, SupportsIndex | str]:
        """Return seed and stream; without them the seed is taken from the generator."""
        if (self.seed is None) != (self.stream is None):
            given, missing = ("stream", "seed") if self.seed is None else ("seed", "stream")
            raise ValueError(f"{given} needs {missing} too, got {given}={getattr(self, given)!r} alone")
        if self.seed is not None and self.stream is not None:
            if self.generator is not None:
                raise ValueError("generator must be left out where seed and stream name the draw")
            return self.seed, self.stream
        device = "cpu" if self.generator is None else self.generator.device
        return int(torch.randint(1 << 62, (), generator=self.generator, device=device)), 0


class Shard(NamedTuple):
    """A tensor of one's own, the shape of the whole, and where the tensor begins in it."""

    tensor: Tensor
    shape: tuple[int, ...]
    start: tuple[int, ...]


def shard_of(tensor: Tensor) -> Shard:
    """Return what of a tensor this process holds: the local shard of a DTensor, otherwise all of it."""
    if not hasattr(tensor, "to_local"):
        return Shard(tensor, tuple(tensor.shape), (0,) * tensor.dim())
    from torch.distributed.tensor._utils import compute_local_shape_and_global_offset

    whole: Any = tensor
    if any(one.is_partial() for one in whole.placements):
        raise ValueError(f"tensor must be sharded or replicated, got a DTensor placed {whole.placements}: redistribute it")
    local = whole.to_local()
    shape, start = compute_local_shape_and_global_offset(whole.shape, whole.device_mesh, whole.placements)
    if tuple(shape) != tuple(local.shape):
        raise ValueError(f"tensor must be sharded contiguously, got a DTensor placed {whole.placements}")
    return Shard(local, tuple(whole.shape), tuple(start) if local.numel() else (0,) * local.dim())


def draw(tensor: Tensor, law: Law, key: Key) -> Tensor:
    """Draw a law into a tensor of layout (n_out, n_in, *kernel); returns the tensor. On the meta device nothing happens."""
    if not tensor.is_floating_point():
        raise TypeError(f"tensor must be of a float dtype, got {tensor.dtype}")
    if tensor.is_meta or not tensor.numel():
        return tensor
    seed, stream = key.resolved()
    draw_shard(shard_of(tensor), law, seed, stream, {})
    return tensor


def draw_shard(
    shard: Shard,
    law: Law,
    seed: SupportsIndex,
    stream: SupportsIndex | str,
    axes: dict[str, Any],
    show: Callable[[int], object] | None = None,
) -> None:
    """Draw a shard piece by piece; `show` is called with the elements of each piece."""
    tensor, shape, start = shard
    in_place = tensor.device.type == "cpu" and tensor.dtype in _DRAWN and tensor.layout == torch.strided
    if tensor.layout != torch.strided:
        raise ValueError(f"tensor must be dense, got the layout {tensor.layout}")
    with torch.no_grad():
        target = tensor.detach()
        for cut in _pieces(tuple(tensor.shape), whole=law.name in _WHOLE):
            part = target[cut] if cut else target
            place = tuple(slice(at + one.start, at + one.stop) for at, one in zip(start, cut, strict=True))
            named: dict[str, Any] = {"seed": seed, "stream": stream, "block": place, **axes}
            if in_place:
                law(shape, out=part, dtype=tensor.dtype, **named)
            else:
                dtype = tensor.dtype if tensor.dtype in _DRAWN else torch.float32
                part.copy_(law(shape, out=torch.empty(part.shape, dtype=dtype), dtype=dtype, **named))
            if show is not None:
                show(part.numel())


def _pieces(shape: tuple[int, ...], *, whole: bool) -> Iterator[tuple[slice, ...]]:
    """Cut a shape into blocks of at most PIECE elements, along its first axes."""
    if 0 in shape:
        return
    steps = list(shape)
    for axis in range(len(shape)):
        if whole or prod(steps) <= PIECE:
            break
        steps[axis] = max(1, PIECE // (prod(steps) // steps[axis]))
    for begin in product(*(range(0, n, step) for n, step in zip(shape, steps, strict=True))):
        yield tuple(slice(a, min(a + step, n)) for a, step, n in zip(begin, steps, shape, strict=True))
