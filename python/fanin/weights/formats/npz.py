"""NPZ archives and NPY files of NumPy: read as streams, nothing is unpickled."""

from __future__ import annotations

import lzma
import os
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from fanin.weights.formats.tensors import MOST_DEFLATED, FileError, Piece, Tensor, TensorFile, known, native, word_of

# What zipfile and NumPy raise for bytes that are no archive and no header; NotImplementedError and RuntimeError are of
# compressions and encryptions that zipfile does not know.
BAD_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    struct.error,
    ValueError,
    OverflowError,
    IndexError,
    KeyError,
)
_BAD_HEADER = (ValueError, SyntaxError, tokenize.TokenError, TypeError, KeyError, EOFError, MemoryError, RecursionError)


def read(path: str) -> TensorFile:
    """Read the headers of an NPZ archive, in the order in which it was written."""
    size = os.stat(path).st_size
    tensors, notes = [], []
    try:
        with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
            for entry in archive.infolist():
                if not entry.filename.endswith(".npy"):
                    notes.append(f"{entry.filename} is no array: passed over")
                    continue
                check_size(path, entry, size)
                with archive.open(entry) as stream:
                    tensor = _header(path, entry.filename[:-4], stream, entry.file_size)
                tensors.append(_streamed(path, entry.filename, tensor))
    except FileError:
        raise
    except BAD_ZIP as error:
        raise FileError(f"{path}: no NPZ file of arrays: {' '.join(str(error).split()) or type(error).__name__}") from error
    names = [tensor.name for tensor in tensors]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise FileError(f"{path}: no NPZ file of arrays: {twice} stands twice")
    return TensorFile(path, "NPZ", tensors, ordered=True, notes=notes)


def check_size(path: str, entry: zipfile.ZipInfo, size: int) -> None:
    """Refuse an entry that says it is larger than its bytes can hold, before anything is allocated for it."""
    most = entry.compress_size if entry.compress_type == zipfile.ZIP_STORED else MOST_DEFLATED * entry.compress_size + 64
    if entry.compress_size > size or entry.file_size > most:
        raise FileError(f"{path}: {entry.filename} is damaged: {entry.file_size} bytes of {entry.compress_size} in the file")


def _header(path: str, name: str, stream: IO[bytes], size: int) -> tuple[Tensor, np.dtype[Any], bool]:
    """The tensor without its elements, their stored type, and whether they are in Fortran's order."""
    try:
        version = npy.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            return Tensor(name, f"an NPY file of version {version[0]}.{version[1]}", (), None), np.dtype("V1"), False
        parse: Any = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = parse(stream)
    except _BAD_HEADER as error:
        raise FileError(f"{path}: no NPZ file of arrays: {name}: {' '.join(str(error).split())[:200]}") from None
    # ml_dtypes' bfloat16 is written as two nameless bytes
    word = "BF16" if dtype == np.dtype("V2") else word_of(dtype) if dtype.subdtype is None else str(dtype)
    shape = tuple(int(n) for n in shape)
    tensor = Tensor(name, word, shape, None)
    if any(n < 0 or n >= 2**63 for n in shape):
        raise FileError(f"{path}: {name} has the shape {shape}")
    if dtype.hasobject:
        raise FileError(f"{path}: no NPZ file of arrays: {name} holds Python objects, as a pickle that is not opened")
    if tensor.size * dtype.itemsize != size - stream.tell():
        raise FileError(f"{path}: {name} must have {tensor.size * dtype.itemsize} bytes, got {size - stream.tell()}")
    return tensor, dtype, bool(fortran)


def _streamed(path: str, entry: str, found: tuple[Tensor, np.dtype[Any], bool]) -> Tensor:
    tensor, dtype, fortran = found
    if not (known(tensor.dtype) or dtype.kind in "iu"):
        return tensor
    stored = dtype if tensor.dtype != "BF16" else np.dtype("<u2")

    def elements(most: int) -> Iterator[Any]:
        try:
            with open(path, "rb") as file, zipfile.ZipFile(file) as archive, archive.open(entry) as stream:
                _header(path, tensor.name, stream, archive.getinfo(entry).file_size)
                for begin in range(0, tensor.size, most):
                    count = min(most, tensor.size - begin) * stored.itemsize
                    raw = stream.read(count)
                    if len(raw) != count:
                        raise FileError(f"{path}: {tensor.name} ends after {begin * stored.itemsize + len(raw)} bytes")
                    yield np.frombuffer(raw, stored)
        except FileError:
            raise
        except BAD_ZIP as error:
            raise FileError(f"{path}: {tensor.name} is damaged: {' '.join(str(error).split())}") from error

    def pieces(most: int) -> Iterator[Piece]:
        parts = elements(most)
        if fortran and len(tensor.shape) > 1:  # C order needs the whole
            whole = np.concatenate(list(parts) or [np.empty(0, stored)]).reshape(tensor.shape, order="F").reshape(-1)
            parts = (whole[begin : begin + most] for begin in range(0, whole.size, most))
        for part in parts:
            yield lambda part=part: native(part, "F64" if dtype.kind in "iu" else tensor.dtype)  # type: ignore[misc]

    return Tensor(tensor.name, tensor.dtype, tensor.shape, pieces)
