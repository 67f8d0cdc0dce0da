"""Large tables of plain numbers in text: read piece by piece into one array, never held as text as a whole.

Only what leaves no question is read here: no blanks beside cells, no line ends inside them, every number finite and below 2^53.
For anything else `read_plain` returns None, and the file is read with all questions asked (`delimited`).
"""

from __future__ import annotations

import codecs
import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from fanin.datasets import delimited
from fanin.datasets.decide import EXACT, NUMBER

_BARE = NUMBER.replace("[+-]?(", "-?(", 1)  # as Arrow reads numbers, without a plus

_PIECE = 1 << 22  # bytes read at once: parsed while they are in the caches
_BLOCK = 1 << 20  # bytes of it that one thread parses
_HEAD = 200  # rows that say which columns hold numbers


@dataclass(frozen=True)
class Plain:
    """A table of numbers and texts: `floats` holds the columns of numbers side by side, `texts` the others as strings."""

    floats: NDArray[np.float64]
    names: tuple[str, ...]  # of the columns of `floats`
    holes: frozenset[str]  # those of them where a cell is missing, NaN
    texts: Any
    order: tuple[str, ...]  # of all columns, as in the file
    said: str  # what was found rather than told


def read_plain(
    path: str | os.PathLike[str],
    delimiter: str | None,
    header: bool,
    as_text: Collection[str],
    without: Collection[str] = (),
    decimal: str = ".",
) -> Plain | None:
    """Read a table whose cells leave no question, or return None.

    Parameters
    ----------
    path : path
    delimiter, header
        As `delimited.read_text` takes.
    as_text : collection of str
        Columns that stay as they are written.
    without : collection of str
        Columns that are not read.
    decimal : {".", ","}
        The decimal mark; texts keep theirs.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    name = os.fspath(path)
    if delimiter == " " or not stat.S_ISREG(os.stat(name).st_mode):
        return None
    try:
        with open(name, "rb", buffering=0) as file:
            return _read(name, file, delimiter, header, decimal, as_text, without)
    except ValueError:  # of a wrong table too: the other reader says what is wrong with it
        return None


def _read(
    name: str,
    file: Any,
    delimiter: str | None,
    header: bool,
    decimal: str,
    as_text: Collection[str],
    without: Collection[str],
) -> Plain | None:
    import pyarrow as pa

    pieces = _pieces(file)
    piece = next(pieces, b"").removeprefix(codecs.BOM_UTF8)
    if piece[:2] in (b"\x1f\x8b", b"\xff\xfe", b"\xfe\xff") or any(piece.startswith(magic) for magic in delimited.OTHER):
        return None
    if b"\0" in piece:
        return None
    piece.decode()
    mark = delimited.delimiter_of(name, piece) if delimiter is None else delimiter
    said = "" if delimiter is not None or mark == "," else f"cells separated by {delimited.called(mark)}"
    if len(piece) < delimited.SAMPLE < os.fstat(file.fileno()).st_size:
        return None
    if mark == decimal:
        return None
    names, body = delimited.first_line(name, piece, mark, header)
    reader = _Pieces(mark, decimal, names, as_text, without, body)
    size = os.fstat(file.fileno()).st_size
    floats = np.empty((0, len(reader.floats)))
    texts, rows = [], 0
    while True:
        table = reader.parsed(body)
        if table is None:
            return None
        end = rows + table.num_rows
        if end > len(floats):  # memory that is not written to is not taken
            guess = end + int(1.1 * table.num_rows * size / len(body)) if rows == 0 else 2 * end
            grown = np.empty((guess, floats.shape[1])) if rows == 0 else floats
            grown.resize((guess, floats.shape[1]), refcheck=False)
            floats = grown
        if not reader.fill(table, floats[rows:end]):
            return None
        texts.append(table.select(reader.texts))
        rows = end
        following = next(pieces, None)
        if following is None:
            break
        body = following
    floats.resize((rows, floats.shape[1]), refcheck=False)
    return Plain(floats, tuple(reader.floats), frozenset(reader.holes), pa.concat_tables(texts), tuple(names), said)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    """The file in pieces that end with a line."""
    rest = b""
    while piece := file.read(_PIECE):
        cut = piece.rfind(b"\n") + 1
        if cut:
            yield rest + piece[:cut]
            rest = piece[cut:]
        else:
            rest += piece
            if len(rest) > 8 * _PIECE:
                raise ValueError("no line ends")
    if rest:
        yield rest


class _Pieces:
    """How the pieces of a file are parsed: which columns hold numbers, by the first rows."""

    def __init__(
        self, mark: str, decimal: str, names: list[str], as_text: Collection[str], without: Collection[str], body: bytes
    ) -> None:
        import pyarrow.compute as pc

        head = b"".join(body[: 1 << 18].splitlines(keepends=True)[:_HEAD])
        table = delimited.parse(head, names, mark, delimited.MISSING)

        bare = _BARE if decimal == "." else _BARE.replace(r"\.", ",")

        def plain(name: str) -> bool:
            cells = table[name]
            return pc.all(pc.fill_null(pc.match_substring_regex(cells, bare), True)).as_py() is True

        self.names = names
        self.kept = [name for name in names if name not in without]
        self.floats = [name for name in self.kept if name not in as_text and plain(name)]
        self.texts = [name for name in self.kept if name not in self.floats]
        self.holes: set[str] = set()
        self._mark, self._decimal = mark, decimal

    def parsed(self, body: bytes) -> Any:
        """Return the columns of a piece, or None where its text leaves a question."""
        delimited.checked_quotes("", body, self._mark)
        if b"\0" in body or (b"\t" in body and self._mark != "\t") or delimited.blanks_beside(body, self._mark):
            return None
        if body.startswith(codecs.BOM_UTF8):  # Arrow passes over a mark at the beginning of a piece
            return None
        if not body.isascii():
            body.decode()
        return delimited.parse(
            body,
            self.names,
            self._mark,
            delimited.MISSING,
            self.kept,
            numbers=self.floats,
            block=_BLOCK,
            decimal=self._decimal,
        )

    def fill(self, table: Any, out: NDArray[np.float64]) -> bool:
        """Write the numbers of a piece, NaN where a cell is missing; False where one is not finite, or beyond 2^53."""
        for i, name in enumerate(self.floats):
            column = table[name]
            values = column.to_numpy()
            out[:, i] = values
            if column.null_count:
                self.holes.add(name)
                values = values[~np.isnan(values)]
                if len(values) != len(column) - column.null_count:
                    return False
            if len(values) and not (values.max() < EXACT and values.min() > -EXACT):  # NaN too
                return False
        return True
