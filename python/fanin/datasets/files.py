"""Readers of data files: IDX, CSV with a header, NPZ. NumPy and the standard library only; reached as `fanin.datasets`."""

from __future__ import annotations

import csv
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
    for candidate in (name, name + ".gz"):
        path = os.path.join(folder, candidate)
        if os.path.exists(path):
            return path
    raise FileNotFoundError(f"{os.fspath(folder)} must hold {name} or {name}.gz")


def load_csv(path: str | os.PathLike[str], target: str, *, delimiter: str = ",") -> Data:
    """Read a CSV file with a header: the column `target` is y, every other column is x.

    Parameters
    ----------
    path : path
        A text file in UTF-8. Its first line names the columns; every other cell is a finite number.
    target : str
        Name of the column to learn. Text in it becomes class numbers, in the sorted order of the texts.
    delimiter : str
        What separates the cells.

    Returns
    -------
    Data
        x of shape (n, columns - 1) in float64; y of shape (n,), in int64 if every value is a whole number, else float64.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is no such text, there is no such column, two columns have one name, a line has more or fewer cells than the
        header, or a cell is no finite number; the message names line and column.
    """
    name = os.fspath(path)
    try:
        header, lines, rows = _csv_rows(path, target, delimiter)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{name}: must be a text file in UTF-8, cells separated by {delimiter!r}: {error}") from error
    column = header.index(target)
    if not rows or len(header) < 2:
        raise ValueError(f"{name}: must hold at least one row, and a column beside {target!r}")
    answers = [row.pop(column).strip() for row in rows]
    rest = header[:column] + header[column + 1 :]
    try:
        x = np.array(rows, dtype=np.float64)
    except ValueError:
        x = np.array([[_number(cell) for cell in row] for row in rows])
    if not np.isfinite(x).all():
        i, j = np.argwhere(~np.isfinite(x))[0]
        raise ValueError(f"{name}, line {lines[i]}, column {rest[j]!r}: must be a finite number, got {rows[i][j]!r}")
    return Data(x, _targets(answers, [f"{name}, line {line}, column {target!r}" for line in lines]))


def _csv_rows(path: str | os.PathLike[str], target: str, delimiter: str) -> tuple[list[str], list[int], list[list[str]]]:
    """Header, numbers of the lines, and cells of a CSV file whose header names the target once."""
    name = os.fspath(path)
    with open(path, encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, skipinitialspace=True)
        header = [cell.strip() for cell in next(reader, [])]
        if header.count(target) != 1:
            other = next((mark for mark in ";\t,|" if len(header) == 1 and mark in header[0]), None)
            hint = "" if other is None else f"; its cells seem to be separated by {other!r}: that is the delimiter to name"
            raise ValueError(f"{name}: target must name one column of {_listed(header)}, got {target!r}{hint}")
        twice = sorted({column for column in header if column and header.count(column) > 1})
        if twice:
            raise ValueError(f"{name}: every column must have a name of its own, got {_listed(twice)} more than once")
        lines, rows = [], []
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                raise ValueError(f"{name}, line {reader.line_num}: must have {len(header)} cells as the header, got {len(row)}")
            lines.append(reader.line_num)
            rows.append(row)
    return header, lines, rows


def _listed(names: list[str]) -> str:
    """Names for a message, the first twelve of many."""
    if not any(names):
        return "an empty file"
    return ", ".join(names[:12]) + (f", ... ({len(names)} in all)" if len(names) > 12 else "")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _targets(answers: list[str], places: list[str]) -> NDArray[Any]:
    """Numbers where all answers are numbers, class numbers where any is text; a missing answer is an error."""
    for answer, place in zip(answers, places, strict=True):
        if not answer or answer.lower() in ("nan", "na", "null", "none", "inf", "-inf"):
            raise ValueError(f"{place}: must be a finite number or the name of a class, got {answer!r}")
    values = np.array([_number(answer) for answer in answers])
    if np.isfinite(values).all():
        return _whole(values)
    return np.unique(np.array(answers), return_inverse=True)[1].astype(np.int64).reshape(-1)


def _whole(values: NDArray[Any]) -> NDArray[Any]:
    """Values in int64 where all of them are whole numbers, else unchanged."""
    whole = values.dtype.kind in "biu" or bool((np.trunc(values) == values).all() and (np.abs(values) < 2**53).all())
    return values.astype(np.int64) if whole else values


def load_npz(path: str | os.PathLike[str]) -> Data:
    """Read the arrays ``x`` and ``y`` of an NPZ file (``numpy.savez(path, x=x, y=y)``).

    Returns
    -------
    Data
        x of shape (n, features), further axes joined, float32 kept and other numbers in float64; y of shape (n,) or
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
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{name}: no NPZ file with x and y: {error}") from error
    for key, array in (("x", x), ("y", y)):
        if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
            raise ValueError(f"{name}: {key} must hold finite real numbers, got {array.dtype} {array.shape}")
    if x.ndim < 2 or y.ndim not in (1, 2) or len(x) != len(y) or len(x) == 0:
        raise ValueError(f"{name}: x and y must have shapes (n, features) and (n,), n > 0, got {x.shape} and {y.shape}")
    x = x.reshape(len(x), -1)
    return Data(x if x.dtype == np.float32 else x.astype(np.float64), _whole(y))
