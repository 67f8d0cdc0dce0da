"""Results in a table file, written as they come: what a sweep or comparison that was interrupted need not run again."""

from __future__ import annotations

import csv
import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from fanin._core import ALGORITHM_VERSION
from fanin.common.digest import digest
from fanin.experiments.run import Experiment
from fanin.experiments.sweep_result import AXES, COLUMNS, Point, Row

if TYPE_CHECKING:
    from typing_extensions import Self

_TYPES = {one.name: str(one.type) for one in fields(Row)}
_LIMIT = threading.Lock()  # of csv's longest field, which is one number for the whole process


def key_of(settings: Mapping[str, Any], experiment: Experiment) -> str:
    """Return 16 digits that settings, data and the algorithms' version determine."""
    arrays = [experiment.train.x, experiment.train.y, experiment.held_out.x, experiment.held_out.y]
    return sha256(f"{ALGORITHM_VERSION} {sorted(settings.items())} {digest(arrays)}".encode()).hexdigest()[:16]


class Table:
    """The lines of one experiment in a file of comma-separated values, which may hold those of others.

    Raises ValueError where the file is there and is no such table. A last line that was cut off is left out.

    Parameters
    ----------
    path : path
        Made where it is missing.
    kind : str
        "sweep" or "comparison": the column that says to which data and settings a line belongs.
    key : str
        What this experiment has there, as `key_of` returns.
    columns : sequence of str
        The other columns.
    """

    def __init__(self, path: str | os.PathLike[str], kind: str, key: str, columns: Sequence[str]) -> None:
        self._path, self._key = Path(path), key
        heads = [kind, *columns]
        text = self._path.read_text(encoding="utf-8") if self._path.exists() else ""
        lines = text.splitlines(keepends=True)
        whole = [line for line in lines if line.endswith("\n")]
        if whole and next(csv.reader(whole[:1])) != heads:
            raise ValueError(f"resume must be a table that a {kind} wrote, got {os.fspath(path)!r} with other columns")
        with _any_length():
            self.found = [line for line in csv.DictReader(whole) if line[kind] == key and None not in line.values()]
        if len(whole) < len(lines):  # what an end in the middle of a line has left
            self._path.write_text("".join(whole), encoding="utf-8")
        self._file = self._path.open("a", newline="", encoding="utf-8")
        self._writer = csv.writer(self._file, lineterminator="\n")
        if not whole:
            self._line(heads)

    def write(self, values: Iterable[Any]) -> None:
        """Write a line; it is in the file when this returns."""
        self._line([self._key, *map(_written, values)])

    def _line(self, values: Sequence[str]) -> None:
        self._writer.writerow(values)
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()


class Kept(Table):
    """The rows of one sweep in a file that is written as they come."""

    def __init__(self, path: str | os.PathLike[str], key: str) -> None:
        super().__init__(path, "sweep", key, COLUMNS)
        self.rows: dict[Point, Row] = {}
        for line in self.found:
            if not line["failure"]:
                row = Row(**{name: _read(line[name], _TYPES[name]) for name in COLUMNS})
                self.rows[Point(**{name: getattr(row, name) for name in AXES})] = row

    def add(self, row: Row) -> None:
        """Write a row; it is in the file when this returns."""
        self.write(getattr(row, name) for name in COLUMNS)


@contextmanager
def _any_length() -> Iterator[None]:
    """Let csv read fields of any length: the costs of a long training are one."""
    with _LIMIT:
        before = csv.field_size_limit(2**31 - 1)  # of C's long, which has 32 bits on Windows
        try:
            yield
        finally:
            csv.field_size_limit(before)


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
