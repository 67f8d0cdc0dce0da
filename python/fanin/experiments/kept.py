"""Rows of sweeps in a table file, written as they come: what a sweep that was interrupted need not run again."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from dataclasses import fields
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any

from fanin._core import ALGORITHM_VERSION
from fanin.common.digest import digest
from fanin.experiments.run import Experiment
from fanin.experiments.sweep_result import AXES, COLUMNS, Point, Row

_KEY = "sweep"  # the column that says to which data and settings a row belongs
_HEADS = (_KEY, *COLUMNS)
_TYPES = {one.name: str(one.type) for one in fields(Row)}


def key_of(settings: Mapping[str, Any], experiment: Experiment) -> str:
    """Return 16 digits that settings, data and the algorithms' version determine."""
    arrays = [experiment.train.x, experiment.train.y, experiment.held_out.x, experiment.held_out.y]
    return sha256(f"{ALGORITHM_VERSION} {sorted(settings.items())} {digest(arrays)}".encode()).hexdigest()[:16]


class Kept:
    """The rows of one sweep in a file of comma-separated values, which may hold those of others.

    Raises ValueError where the file is there and is no such table. A last line that was cut off is left out.
    """

    def __init__(self, path: str | os.PathLike[str], key: str) -> None:
        self._path, self._key = Path(path), key
        self.rows: dict[Point, Row] = {}
        text = self._path.read_text(encoding="utf-8") if self._path.exists() else ""
        lines = text.splitlines(keepends=True)
        whole = [line for line in lines if line.endswith("\n")]
        if whole and tuple(next(csv.reader(whole[:1]))) != _HEADS:
            raise ValueError(f"resume must be a table that a sweep wrote, got {os.fspath(path)!r} with other columns")
        for found in csv.DictReader(whole):
            if found[_KEY] == key and not found["failure"] and None not in found.values():
                row = Row(**{name: _read(found[name], _TYPES[name]) for name in COLUMNS})
                self.rows[Point(**{name: getattr(row, name) for name in AXES})] = row
        if len(whole) < len(lines):  # what an end in the middle of a line has left
            self._path.write_text("".join(whole), encoding="utf-8")
        self._file = self._path.open("a", newline="", encoding="utf-8")
        self._writer = csv.writer(self._file, lineterminator="\n")
        if not whole:
            self._line(_HEADS)

    def add(self, row: Row) -> None:
        """Write a row; it is in the file when this returns."""
        self._line([self._key, *(_written(getattr(row, name)) for name in COLUMNS)])

    def _line(self, values: Any) -> None:
        self._writer.writerow(values)
        self._file.flush()

    def __enter__(self) -> Kept:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return " ".join(repr(float(one)) for one in value)
    text = repr(float(value)) if isinstance(value, float) else str(value)
    return " ".join(text.split())  # an error's words may have several lines


def _read(text: str, kind: str) -> Any:
    if "None" in kind and text == "":
        return None
    if kind.startswith("float"):
        numbers = tuple(float(one) for one in text.split())
        return numbers if "tuple" in kind and len(numbers) > 1 else numbers[0]
    return text == "True" if kind == "bool" else int(text) if kind == "int" else text
