"""Where results are to be written: refused before the work that makes them."""

from __future__ import annotations

import os
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
