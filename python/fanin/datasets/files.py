"""Readers of data files: IDX and NPZ. NumPy and the standard library only; reached as `fanin.datasets`."""

from __future__ import annotations

import gzip
import math
import os
import struct
import zipfile
import zlib
from typing import Any, BinaryIO, NamedTuple, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fanin.common.require import float_dtype

# Type codes of the IDX format, all big-endian (http://yann.lecun.com/exdb/mnist, "the IDX file format").
_IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


class Data(NamedTuple):
    """Inputs and targets, row by row."""

    x: NDArray[Any]
    y: NDArray[Any]


def load_idx(path: str | os.PathLike[str]) -> NDArray[Any]:
    """Read an IDX file, the format of MNIST and its kin; gzipped files are recognised by their content.

    Returns
    -------
    ndarray
        In the shape and type that the file states (uint8, int8, int16, int32, float32 or float64), native byte order.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is no IDX file, is cut short, is damaged, or holds more than its header states.
    """
    with open(path, "rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        if not packed:
            return _read_idx(raw, path)
        try:
            with gzip.open(raw) as unpacked:
                return _read_idx(cast(BinaryIO, unpacked), path)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(f"{os.fspath(path)}: damaged gzip file ({error})") from error


def _read_idx(file: BinaryIO, path: str | os.PathLike[str]) -> NDArray[Any]:
    name = os.fspath(path)
    head = file.read(4)
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in _IDX_TYPES:
        raise ValueError(
            f"{name}: no IDX file: it must begin with 00 00, a type code and the number of axes, got {head.hex(' ')}"
        )
    dtype, ndim = np.dtype(_IDX_TYPES[head[2]]), head[3]
    sizes = file.read(4 * ndim)
    if len(sizes) < 4 * ndim:
        raise ValueError(f"{name}: cut short: the sizes of {ndim} axes must follow the magic number")
    shape = struct.unpack(f">{ndim}I", sizes)
    stated = math.prod(shape) * dtype.itemsize
    body = file.read()
    if len(body) != stated:
        wrong = "cut short" if len(body) < stated else "too long"
        raise ValueError(f"{name}: {wrong}: shape {shape} of {dtype.newbyteorder('=')} is {stated} bytes, got {len(body)}")
    return np.frombuffer(body, dtype).astype(dtype.newbyteorder("=")).reshape(shape)


def mnist(folder: str | os.PathLike[str], part: str = "test", *, dtype: DTypeLike = "float32") -> Data:
    """Read MNIST (or a set in the same form, as Fashion-MNIST) from its IDX files, gzipped or not.

    Parameters
    ----------
    folder : path
        Where ``t10k-images-idx3-ubyte`` and ``t10k-labels-idx1-ubyte`` are (and ``train-...``), with or without ``.gz``.
    part : {"test", "train"}
        The 10 000 test images or the 60 000 to train on.
    dtype : dtype
        float32 or float64.

    Returns
    -------
    Data
        x of shape (n, rows * columns), pixels / 255 in [0, 1]; y of shape (n,) in int64.

    Raises
    ------
    FileNotFoundError
        If a file is not there.
    ValueError
        If `part` is another, a file is damaged, or images and labels do not belong together.
    """
    wanted = float_dtype(dtype)
    if part not in ("test", "train"):
        raise ValueError(f"part must be 'test' or 'train', got {part!r}")
    prefix = "t10k" if part == "test" else "train"
    images = load_idx(_find(folder, f"{prefix}-images-idx3-ubyte"))
    labels = load_idx(_find(folder, f"{prefix}-labels-idx1-ubyte"))
    if images.dtype != np.uint8 or images.ndim != 3 or labels.dtype != np.uint8 or labels.shape != images.shape[:1]:
        raise ValueError(
            f"images and labels must be uint8 of shapes (n, rows, columns) and (n,), "
            f"got {images.dtype} {images.shape} and {labels.dtype} {labels.shape}"
        )
    x = images.reshape(len(images), -1).astype(wanted)
    return Data(x / wanted.type(255), labels.astype(np.int64))


def _find(folder: str | os.PathLike[str], name: str) -> str:
    dotted = name.replace("-idx", ".idx")  # as some programs unpack it
    for candidate in (name, name + ".gz", dotted, dotted + ".gz"):
        path = os.path.join(folder, candidate)
        if os.path.exists(path):
            return path
    raise FileNotFoundError(f"{os.fspath(folder)} must hold {name} or {name}.gz")


def _whole(values: NDArray[Any]) -> NDArray[Any]:
    """Values in int64 where all of them are whole numbers, else unchanged."""
    whole = values.dtype.kind in "biu" or bool((np.trunc(values) == values).all() and (np.abs(values) < 2**53).all())
    return values.astype(np.int64) if whole else values


def load_npz(path: str | os.PathLike[str]) -> Data:
    """Read the arrays ``x`` and ``y`` of an NPZ file (``numpy.savez(path, x=x, y=y)``).

    Returns
    -------
    Data
        x of shape (n, features), further axes joined, float32 kept and other numbers in float64; y of shape (n,),
        also where the file has (n, 1), or
        (n, outputs), in int64 if every value is a whole number, else as it is. Nothing is unpickled.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is no NPZ file, an array is missing, holds anything but finite real numbers, or the lengths differ.
    """
    name = os.fspath(path)
    try:
        with open(path, "rb") as file, zipfile.ZipFile(file):  # an archive, not one array
            file.seek(0)
            arrays = np.load(file, allow_pickle=False)
            missing = [key for key in ("x", "y") if key not in arrays]
            if missing:
                raise ValueError(f"must hold arrays x and y, got {', '.join(arrays) or 'none'}")
            x, y = arrays["x"], arrays["y"]
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError) as error:
        if isinstance(error, OSError) and error.filename is not None:  # not the archive's own "invalid argument"
            raise
        raise ValueError(f"{name}: no NPZ file with x and y: {error}") from error
    for key, array in (("x", x), ("y", y)):
        if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
            raise ValueError(f"{name}: {key} must hold finite real numbers, got {array.dtype} {array.shape}")
    if x.ndim < 2 or y.ndim not in (1, 2) or len(x) != len(y) or len(x) == 0:
        raise ValueError(f"{name}: x and y must have shapes (n, features) and (n,), n > 0, got {x.shape} and {y.shape}")
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    x = x.reshape(len(x), -1)
    return Data(x if x.dtype == np.float32 else x.astype(np.float64), _whole(y))
