"""Data for a page: JSON and the bytes of its arrays, compressed, in letters that HTML holds as they are."""

from __future__ import annotations

import base64
import gzip
import json
import struct
from typing import Any

import numpy as np

_KINDS = {"f8": "<f8", "f4": "<f4", "u2": "<u2", "u1": "u1"}


def pack(data: Any) -> str:
    """Return `data` as base64 of gzip, for ``fanin.unpack`` in page.js.

    Parameters
    ----------
    data : dict, list, str, number, bool, None or ndarray, nested
        Arrays of float64, float32, uint16 and uint8 keep their exact bits and come out as ``{shape, values}`` with a typed
        array. Other numbers travel as JSON; those that are not finite come out as null.

    Returns
    -------
    str
        The same for the same data: no time, no order of hashes.

    Raises
    ------
    TypeError
        If something is of another type.

    Notes
    -----
    Decompressed: a little-endian uint32 with the length of the JSON, the JSON, padded with spaces to a multiple of 8 with the
    length, then the arrays, each padded to 8 bytes. An array of items of n bytes is stored as n planes, first all first
    bytes: signs and exponents of neighbours are alike, so planes compress better.
    """
    blobs: list[bytes] = []
    text = json.dumps(_plain(data, blobs), ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-(4 + len(text)) % 8)
    return compress(b"".join([struct.pack("<I", len(text)), text, *blobs]))


def compress(raw: bytes) -> str:
    """Return bytes as base64 of gzip, without a time stamp."""
    return base64.b64encode(gzip.compress(raw, 9, mtime=0)).decode("ascii")


def _plain(value: Any, blobs: list[bytes]) -> Any:
    if isinstance(value, np.ndarray):
        kind = value.dtype.kind + str(value.dtype.itemsize)
        if kind not in _KINDS:
            raise TypeError(f"arrays of a page must be float64, float32, uint16 or uint8, got {value.dtype}")
        planes = (
            np.ascontiguousarray(value, dtype=_KINDS[kind]).reshape(-1).view(np.uint8).reshape(value.size, value.itemsize).T
        )
        raw = planes.tobytes()
        array = {"$": kind, "at": sum(map(len, blobs)), "shape": list(value.shape)}
        blobs.append(raw + bytes(-len(raw) % 8))
        return array
    if isinstance(value, dict):
        return {str(key): _plain(item, blobs) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, blobs) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    raise TypeError(f"data of a page must be plain values and arrays, got {type(value).__name__}")
