"""safetensors files, one or many beside an index: read in place, piece by piece."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from threading import local
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fanin.weights.formats.tensors import PIECE_BYTES, FileError, Piece, Place, Tensor, TensorFile, known, native, stored_dtype

_MOST_HEADER = 100_000_000  # what other readers take
_MOST_INDEX = 1 << 30
_KEYS = {"dtype", "shape", "data_offsets"}


def read(path: str) -> TensorFile:
    """Read the header of a safetensors file.

    Raises
    ------
    OSError
        If the system refuses.
    FileError
        If the file is cut short, or its header is none.
    """
    size = os.stat(path).st_size
    with open(path, "rb") as file:
        head = file.read(8)
        length = int.from_bytes(head, "little")
        if len(head) < 8 or length > min(_MOST_HEADER, size - 8):
            raise _damaged(path, f"a header of {length} bytes in a file of {size}" if len(head) == 8 else "less than 8 bytes")
        header = file.read(length)
    try:
        entries = _object(json.loads(header.decode("utf-8"), object_pairs_hook=_Pairs, parse_constant=_no_constant))
        metadata = {str(key): str(value) for key, value in _object(entries.pop("__metadata__", _Pairs())).items()}
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"its header is not one: {' '.join(str(error).split())[:200] or 'nested too deeply'}") from None
    tensors = []
    total, at = size - 8 - length, 0
    spans = sorted((_entry(path, name, entry) for name, entry in entries.items()), key=lambda span: span[1:3])
    for tensor, begin, end in spans:
        if begin != at or end > total:
            raise _damaged(path, f"tensor {tensor.name!r} has bytes {begin} .. {end} of {total}, expected them from {at} on")
        at = end
        tensors.append(_placed(path, tensor, 8 + length + begin))
    if at != total:
        raise _damaged(path, f"{total - at} bytes belong to no tensor")
    names = {tensor.name for tensor in tensors}
    # safetensors' save_model keeps one of the tensors that share memory; the metadata says which stands for the others.
    aliases = {key: value for key, value in metadata.items() if value in names and key not in names}
    return TensorFile(path, "safetensors", tensors, aliases=aliases, metadata=metadata)


def read_index(path: str) -> TensorFile:
    """Read a file ``model.safetensors.index.json`` and the headers of the files that it names, which lie beside it."""
    if os.stat(path).st_size > _MOST_INDEX:
        raise FileError(f"{path}: an index of more than 1 GiB")
    with open(path, "rb") as file:
        text = file.read()
    try:
        index = _object(json.loads(text.decode("utf-8"), object_pairs_hook=_Pairs))
        where = _object(index["weight_map"])
    except (ValueError, KeyError, RecursionError) as error:
        raise FileError(f"{path} is no index of safetensors files: {' '.join(str(error).split())[:200]}") from None
    folder = os.path.dirname(path)
    tensors: list[Tensor] = []
    whole = TensorFile(path, "safetensors", tensors)
    for shard in dict.fromkeys(where.values()):
        if not isinstance(shard, str) or os.path.basename(shard) != shard or shard in ("", ".", ".."):
            raise FileError(f"{path} must name files in its own folder, got {shard!r}")
        part = read(os.path.join(folder, shard))
        here = {tensor.name for tensor in part.tensors}
        missing = [name for name, of in where.items() if of == shard and name not in here and name not in part.aliases]
        if missing:
            raise FileError(f"{path}: {shard} has no tensor {missing[0]!r}")
        tensors += [tensor for tensor in part.tensors if where.get(tensor.name) == shard]
        whole.aliases |= part.aliases
        whole.metadata |= part.metadata
    return whole


class _Pairs(dict[str, Any]):
    """An object in which no key stands twice."""

    def __init__(self, pairs: list[tuple[str, Any]] | None = None) -> None:
        super().__init__(pairs or [])
        if len(self) != len(pairs or []):
            seen: set[str] = set()
            twice = next(key for key, _ in pairs or [] if key in seen or seen.add(key))  # type: ignore[func-returns-value]
            raise ValueError(f"{twice!r} stands twice")


def _object(value: Any) -> Any:
    if not isinstance(value, _Pairs):
        raise ValueError(f"must be an object, got {type(value).__name__}")
    return value


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def _damaged(path: str, reason: str) -> FileError:
    return FileError(f"{path} is damaged or not a safetensors file: {reason}")


def _entry(path: str, name: str, entry: Any) -> tuple[Tensor, int, int]:
    if not isinstance(entry, _Pairs) or set(entry) != _KEYS:
        raise _damaged(path, f"tensor {name!r} must have dtype, shape and data_offsets")
    dtype, shape, span = entry["dtype"], entry["shape"], entry["data_offsets"]
    numbers = (
        isinstance(shape, list) and isinstance(span, list) and all(type(n) is int and 0 <= n < 2**63 for n in shape + span)
    )
    if not isinstance(dtype, str) or not numbers or len(span) != 2 or span[0] > span[1]:
        raise _damaged(path, f"tensor {name!r} has a dtype, shape or data_offsets that is none")
    if known(dtype) and math.prod(shape) * stored_dtype(dtype).itemsize != span[1] - span[0]:
        raise _damaged(path, f"tensor {name!r} has {span[1] - span[0]} bytes, not those of its shape")
    return Tensor(name, dtype, tuple(shape), None), span[0], span[1]


_rooms = local()


def _room(size: int) -> NDArray[np.uint8]:
    """Memory for one piece a thread: fresh memory for each would cost as much as the reading."""
    if size > 2 * PIECE_BYTES:
        return np.empty(size, np.uint8)
    room: NDArray[np.uint8] | None = getattr(_rooms, "room", None)
    if room is None or room.size < size:
        room = np.empty(size, np.uint8)
        _rooms.room = room
    return room[:size]


def _placed(path: str, tensor: Tensor, offset: int) -> Tensor:
    """The tensor with its bytes at an offset of the file. They are read, not mapped: a file that gets shorter is an error."""
    if not known(tensor.dtype):
        return tensor
    stored = stored_dtype(tensor.dtype)

    def part(begin: int, count: int) -> Any:
        raw = _room(count * stored.itemsize).view(stored)
        with open(path, "rb", buffering=0) as file:
            file.seek(offset + begin * stored.itemsize)
            view, done = memoryview(raw.data).cast("B"), 0
            while done < len(view):
                got = file.readinto(view[done:])
                if not got:
                    raise FileError(f"{path} became shorter while it was read")
                done += got
        return native(raw, tensor.dtype)

    def pieces(most: int) -> Iterator[Piece]:
        for begin in range(0, tensor.size, most):
            yield lambda begin=begin: part(begin, min(most, tensor.size - begin))  # type: ignore[misc]

    return Tensor(tensor.name, tensor.dtype, tensor.shape, pieces, place=Place(path, offset))
