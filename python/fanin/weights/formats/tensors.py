"""What every reader returns: the tensors of a file, each read piece by piece."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float32] | NDArray[np.float64]
Elements: TypeAlias = NDArray[np.float32] | NDArray[np.float64] | NDArray[np.float16] | NDArray[np.uint16]
Piece: TypeAlias = Callable[[], Elements]
Layout: TypeAlias = Literal["out_in", "in_out"]

PIECE_BYTES = 1 << 22  # of a piece: it stays in the caches between the reading and the statistics
# How much longer data may get by deflating, as the format has it: 1032 to 1 (RFC 1951: 258 bytes of 2 bits).
MOST_DEFLATED = 1032


class FileError(ValueError):
    """What is wrong with a file, in words that name it."""


def known(dtype: str) -> bool:
    """Return whether elements of a type are read: F64, F32, F16 and BF16, in the words of safetensors."""
    return dtype in _STORED


def native(raw: NDArray[Any], dtype: str) -> Elements:
    """Return elements as they are stored, in this machine's order of bytes; those of BF16 as uint16."""
    return cast(Elements, raw.astype(native_dtype(dtype), copy=False))


_STORED: dict[str, np.dtype[Any]] = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),
}


def stored_dtype(dtype: str) -> np.dtype[Any]:
    """Return the NumPy type of the stored elements of a type that is `known`."""
    return _STORED[dtype]


def native_dtype(dtype: str) -> np.dtype[Any]:
    """Return the NumPy type of what pieces give: the same in this machine's order of bytes, float64 of whole numbers."""
    stored: np.dtype[Any] = _STORED.get(dtype, _STORED["F64"])
    return cast("np.dtype[Any]", stored.newbyteorder("="))


def word_of(dtype: np.dtype[Any]) -> str:
    """Return the word for a NumPy type: "F32", "I64", "BOOL", ..., and its own name where the format has none."""
    if dtype.name == "bfloat16":  # of ml_dtypes
        return "BF16"
    kinds = {"f": "F", "i": "I", "u": "U"}
    if dtype.kind == "b":
        return "BOOL"
    return f"{kinds[dtype.kind]}{8 * dtype.itemsize}" if dtype.kind in kinds else str(dtype)


class Place(NamedTuple):
    """A file, and the bytes in it before the first element."""

    path: str
    offset: int


@dataclass(frozen=True)
class Tensor:
    """One tensor of a file.

    Attributes
    ----------
    name : str
        As the file has it.
    dtype : str
        In the words of safetensors; another word where the format has none for it.
    shape : tuple of int
    pieces : callable
        ``pieces(most)`` yields what reads the elements, at most `most` a piece, in C order: functions without arguments that
        return float64, float32, float16, or the bits of BF16 as uint16, to be called in any thread, each once, before or after
        the next is asked for. What they return is good until the same thread calls another. None where the type is unknown.
    layout : {"out_in", "in_out"} or None
        Of a matrix, where the format says it.
    kind : str or None
        What the tensor is, where the format says it: "embedding", "convolution", ...
    place : Place or None
        Where the elements lie in a file as they would in memory, in C order; None where the format keeps them in another way.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    pieces: Callable[[int], Iterator[Piece]] | None
    layout: Layout | None = None
    kind: str | None = None
    place: Place | None = None

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    def array(self) -> FloatArray:
        """Read the whole tensor, as float32 where that holds its type, otherwise as float64; no value changes."""
        assert self.pieces is not None
        out: FloatArray = np.empty(self.size, np.float32 if self.dtype in ("F32", "F16", "BF16") else np.float64)
        at = 0
        for piece in self.pieces(PIECE_BYTES // 4):
            values = piece()
            part = out[at : at + values.size]
            if self.dtype == "BF16":  # the upper half of a float32
                np.left_shift(values, np.uint32(16), out=part.view(np.uint32), dtype=np.uint32)
            else:
                np.copyto(part, values)
            at += values.size
        return out.reshape(self.shape)


class Stage(NamedTuple):
    """A dense layer, where the format says which tensors are its own: names, and the layout of its matrix."""

    weight: str
    bias: str | None
    layout: Layout


@dataclass
class TensorFile:
    """The tensors of a file, in the order in which they stand in it.

    Attributes
    ----------
    path : str
    format : str
        In words: "safetensors", "NPZ", ...
    tensors : list of Tensor
    ordered : bool
        Whether the order of the tensors is that of a program, rather than one that the format imposes.
    aliases : dict
        Names of tensors that the file leaves out because they equal another, whose name is the value.
    metadata : dict
    stages : list of Stage or None
        The layers, where the format says them.
    activations : list of str or None
        Of the hidden layers, where the format says them.
    loss, classes
        Where the format says them.
    no_network : str or None
        Why this is no network of dense layers, where the format says so.
    notes : list of str
        What has been passed over.
    """

    path: str
    format: str
    tensors: list[Tensor]
    ordered: bool = False
    aliases: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    stages: list[Stage] | None = None
    activations: list[str] | None = None
    loss: str | None = None
    classes: list[Any] | None = None
    no_network: str | None = None
    notes: list[str] = field(default_factory=list)


def in_memory(name: str, array: NDArray[Any], dtype: str | None = None, **more: Any) -> Tensor:
    """Return an array that is in memory as a tensor.

    Parameters
    ----------
    name : str
    array : ndarray
        Any type; those of BF16 as 16-bit integers, or as ml_dtypes' bfloat16.
    dtype : str, optional
        The word, where the array's own type does not say it.
    **more
        `layout` and `kind` of the tensor.
    """
    word = word_of(array.dtype) if dtype is None else dtype
    if word == "BF16":
        array = array.view(np.uint16)
    if not known(word):
        return Tensor(name, word, array.shape, None, **more)

    def pieces(most: int) -> Iterator[Piece]:
        flat = array.reshape(-1)
        for begin in range(0, flat.size, most):
            yield lambda part=flat[begin : begin + most]: native(part, word)  # type: ignore[misc]

    return Tensor(name, word, array.shape, pieces, **more)
