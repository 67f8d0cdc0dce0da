"""Files: where results are to be written, refused before the work that makes them; what a file is."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection


def check(name: str, path: str | os.PathLike[str], endings: Collection[str] = ()) -> None:
    """Refuse a path that could not be written.

    Parameters
    ----------
    name : str
        What the message calls it.
    path : path
    endings : collection of str, optional
        Those that are allowed, without the dot; any by default.

    Raises
    ------
    ValueError
        If the ending is another.
    OSError
        If there is no such folder, the path is a folder, or it may not be written.
    """
    where = os.fspath(path)
    folder = os.path.dirname(where) or "."
    if endings and os.path.splitext(where)[1][1:].lower() not in endings:
        one = "one of " if len(endings) > 1 else ""
        raise ValueError(f"{name} must end with {one}.{', .'.join(sorted(endings))}, got {where}")
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"{name}: there is no folder {folder}")
    if os.path.isdir(where):
        raise IsADirectoryError(f"{name}: {where} is a folder")
    if not os.access(where if os.path.exists(where) else folder, os.W_OK):
        raise PermissionError(f"{name}: {where} may not be written")


def kind(path: str | os.PathLike[str]) -> str:
    """Return what the first bytes of a file say that it is.

    Returns
    -------
    str
        "safetensors", "zip" (NPZ, PyTorch's and Keras' files), "hdf5", "npy", "pickle", "json", or "" where they say nothing.

    Raises
    ------
    OSError
        If the system refuses, and for what is no regular file.
    """
    where = os.fspath(path)
    if not stat.S_ISREG(os.stat(where).st_mode):  # a pipe would make it wait
        code = errno.EISDIR if os.path.isdir(where) else errno.EINVAL
        raise OSError(code, "is a folder" if os.path.isdir(where) else "is no regular file", where)
    with open(where, "rb") as file:
        head = file.read(16)
    # The length of the header, below 2^32, then its first brace. It comes first: a length of 640 begins like a pickle.
    if len(head) > 8 and head[4:8] == b"\0\0\0\0" and head[8:9] == b"{":
        return "safetensors"
    for magic, found in _MAGIC:
        if head.startswith(magic):
            return found
    return "json" if head.lstrip()[:1] in (b"{", b"[") else ""


_MAGIC = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),  # an empty one
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"\x93NUMPY", "npy"),
    *((bytes([0x80, protocol]), "pickle") for protocol in (2, 3, 4, 5)),
)
