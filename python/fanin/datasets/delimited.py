"""Tables in text: bytes become cells through PyArrow, and what another reader would guess about is refused with its line."""

from __future__ import annotations

import codecs
import gzip
import os
import re
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

_BLOCK = 1 << 24  # bytes that PyArrow parses in one go
SAMPLE = 1 << 16  # bytes that the delimiter is found by
_MARKS = (",", ";", "\t", "|")  # the delimiters that are found; any other is named

# Unquoted cells that other programs write where a value is missing. In quotes they are texts: the country "NA".
_WRITTEN = ("", "NA", "N/A", "n/a", "na", "#N/A", "#NA", "<NA>", "NaN", "nan", "NAN", "-nan", "NaT", "NULL", "Null", "null")
_WORDS = ("None", "none", "missing", "?", "-", "--", ".")
MISSING = (*_WRITTEN, *_WORDS, "#VALUE!", "#DIV/0!", "#REF!", "#NUM!", "#NAME?")

# What other files begin with.
OTHER = {
    b"PAR1": "a Parquet file: name it .parquet",
    b"ARROW1": "an Arrow file: name it .arrow or .feather",
    b"PK\x03\x04": "a zip archive (an Excel workbook is one too): unpack it, or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook: save the sheet as CSV",
    b"BZh": "packed by bzip2: unpack it first",
    b"\xfd7zXZ": "packed by xz: unpack it first",
    b"\x28\xb5\x2f\xfd": "packed by zstd: unpack it first",
    b"\x89HDF": "an HDF5 file: save the table as CSV or Parquet",
}


@dataclass(frozen=True)
class Text:
    """A table of cells as they are written: `table` holds strings, null where an unquoted cell is missing."""

    name: str
    table: Any
    said: tuple[str, ...]  # what was found rather than told
    delimiter: str
    body: bytes  # the records below the header, UTF-8
    first: int  # number of the body's first line in the file

    def line(self, row: int) -> int:
        """Return the line on which a row begins, 1 the first of the file."""
        for index, record in enumerate(_RECORD.finditer(self.body)):
            if index == row:
                before = self.body[: record.start()]
                return self.first + _breaks(before)
        return self.first

    def cell(self, column: str, row: int) -> str:
        """Return a cell as it is written, those that count as missing too."""
        table = parse(self.body, self.table.column_names, self.delimiter, (), [column])
        return str(table[column][row].as_py())


# A record that is not blank; quoted parts may hold line ends.
_RECORD = re.compile(rb'(?:"(?:[^"]|"")*"|[^"\r\n])+')


def read_text(path: str | os.PathLike[str], delimiter: str | None, encoding: str | None, header: bool) -> Text:
    """Read a table of text: CSV, TSV and their kin, gzipped or not.

    Parameters
    ----------
    path : path
    delimiter : str or None
        One character; None finds a comma, semicolon, tab or bar if the first lines leave no doubt.
    encoding : str or None
        None: UTF-8, or UTF-16 with its byte order mark.
    header : bool
        Whether the first line names the columns; otherwise they are called 1, 2, ...

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If the text has another encoding, a quote that does not close, rows of different lengths, two columns of one name, no
        row, or a first line of data where names are expected; the message names the line.
    """
    name = os.fspath(path)
    if delimiter is not None and (len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0'):
        raise ValueError(f"delimiter must be one ASCII character, no quote or line end, got {delimiter!r}")
    raw, said = _utf8(name, _unpacked(name), encoding)
    if not raw.strip():
        raise ValueError(f"{name}: must hold a table, got an empty file")
    if delimiter is None:
        delimiter = delimiter_of(name, raw)
        said += [] if delimiter == "," else [f"cells separated by {called(delimiter)}"]
    raw = checked_quotes(name, raw if delimiter == " " else _without_blanks(raw, delimiter), delimiter)
    names, begin = top(name, raw, delimiter, header)
    body, first = raw[begin:], 1 + _breaks(raw[:begin])
    if _RECORD.search(body) is None:
        raise ValueError(f"{name}: must hold at least one row below the names of the columns")
    try:
        table = parse(body, names, delimiter, MISSING)
    except ValueError as error:
        raise _located(name, body, first, names, delimiter, error) from None
    return Text(name, table, tuple(said), delimiter, body, first)


def top(name: str, raw: bytes, delimiter: str, header: bool) -> tuple[list[str], int]:
    """Return the names of the columns, and where the rows begin; `raw` begins with the file and is free of stray blanks."""
    record = _RECORD.search(raw)
    if record is None:
        raise ValueError(f"{name}: must hold a table, got blank lines")
    names = [str(cell).strip(" ") for cell in _split(name, record.group(), delimiter)]
    if not header:
        return [str(i + 1) for i in range(len(names))], record.start()
    _check_names(name, names)
    return names, record.end()


def first_line(name: str, raw: bytes, delimiter: str, header: bool) -> tuple[list[str], bytes]:
    """Return the names of the columns, and the rows, where only the first line may hold quotes and blanks beside cells."""
    raw = raw.lstrip(b"\r\n")
    line, _, rows = raw.partition(b"\n")
    if b"\r" in line[:-1]:
        raise ValueError(f"{name}: lines end in more than one way")
    names, _ = top(name, checked_quotes(name, _without_blanks(line, delimiter), delimiter), delimiter, header)
    return names, rows if header else raw


def _unpacked(name: str) -> bytes:
    if os.path.isdir(name):
        raise ValueError(f"{name} is a folder: name one file in it")
    with open(name, "rb") as file:
        raw = file.read()
    for magic, what in OTHER.items():
        if raw.startswith(magic):
            raise ValueError(f"{name}: no text, but {what}")
    if not raw.startswith(b"\x1f\x8b"):
        return raw
    try:
        return gzip.decompress(raw)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{name}: damaged gzip file ({error})") from error


def _utf8(name: str, raw: bytes, encoding: str | None) -> tuple[bytes, list[str]]:
    """Return the text as UTF-8 without a byte order mark."""
    said = []
    if encoding is None and raw[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        encoding, said = "utf-16", ["UTF-16"]
    if encoding is not None:
        try:
            raw = raw.decode(encoding).encode()
        except LookupError:
            raise ValueError(f"encoding must be one that Python knows, as latin-1 or cp1252, got {encoding!r}") from None
        except UnicodeError as error:
            raise ValueError(f"{name}: no text in {encoding}: {error}") from None
    raw = raw.removeprefix(codecs.BOM_UTF8)
    if b"\0" in raw:
        line = raw.count(b"\n", 0, raw.index(b"\0")) + 1
        half = raw[:64].count(b"\0") > 8
        hint = "UTF-16 without its mark? Name it: encoding='utf-16-le' (--encoding utf-16-le)" if half else "no text file?"
        raise ValueError(f"{name}, line {line}: a byte 0: {hint}")
    try:
        if not raw.isascii():
            raw.decode()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{name}, line {1 + _breaks(raw[: error.start])}: must be a text file in UTF-8, got byte {raw[error.start]:#04x}. "
            f"Latin-1 or Windows-1252? Name it: encoding='latin-1' (--encoding latin-1)"
        ) from None
    return raw, said


def _breaks(raw: bytes) -> int:
    return len(re.findall(rb"\r\n|\n|\r", raw))


def called(mark: str) -> str:
    """Return the word for a delimiter."""
    return {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas"}.get(mark, repr(mark))


def delimiter_of(name: str, raw: bytes) -> str:
    """Return the one mark that cuts the first lines into equally many cells."""
    sample = raw[:SAMPLE]
    records = [re.sub(rb'"(?:[^"]|"")*"', b"q", record.group()) for record in _RECORD.finditer(sample)][:50]
    if len(raw) > len(sample) and len(records) > 1:
        records.pop()  # it may be cut
    counts = {mark: [record.count(mark.encode()) for record in records] for mark in _MARKS}
    even = [mark for mark, found in counts.items() if found and found[0] and len(set(found)) == 1]
    if not even:  # rows of unequal lengths: what the first line holds
        even = [mark for mark, found in counts.items() if found and found[0]]
    if len(even) > 1 and name.lower().removesuffix(".gz").endswith((".tsv", ".tab")) and "\t" in even:
        even = ["\t"]
    if len(even) > 1:
        listed = " or ".join(called(mark) for mark in even)
        raise ValueError(f"{name}: cells are separated by {listed}: name it, delimiter={even[0]!r} (--delimiter)")
    return even[0] if even else ","


def checked_quotes(name: str, raw: bytes, delimiter: str) -> bytes:
    """Check that quotes stand around whole cells and close; blanks beside them go."""
    if b'"' not in raw:
        return raw
    data = np.frombuffer(raw, np.uint8)
    at = np.flatnonzero(data == ord('"'))
    edges = np.zeros(256, bool)
    edges[[ord(delimiter), ord("\n"), ord("\r")]] = True
    opening, closing = at[::2], at[1::2]
    begins = (opening == 0) | edges[data[np.maximum(opening, 1) - 1]]
    begins[1:] |= opening[1:] == closing[: len(opening) - 1] + 1  # a doubled quote
    ends = (closing == len(data) - 1) | edges[data[np.minimum(closing + 1, len(data) - 1)]]
    ends |= np.isin(closing + 1, opening)
    if not begins.all():
        where, what = (
            int(opening[np.argmin(begins)]),
            "a quote inside a cell that begins with none: double it, in quotes",
        )
    elif not ends.all():
        where, what = int(closing[np.argmin(ends)]), "text after the quote that closes a cell"
    elif len(at) % 2:
        where, what = int(at[-1]), "a quote that never closes"
    else:
        return raw
    raise ValueError(f"{name}, line {1 + _breaks(raw[:where])}: {what}")


def _beside(delimiter: str) -> re.Pattern[bytes]:
    mark = re.escape(delimiter.encode())
    return re.compile(rb"(?:^|(?<=[\r\n]|" + mark + rb")) +| +(?=[\r\n]|" + mark + rb"|$)")


def blanks_beside(raw: bytes, delimiter: str) -> bool:
    """Return whether blanks stand around cells."""
    if b" " not in raw:
        return False
    edges = [delimiter.encode(), b"\n", b"\r"]
    at = raw[:1] == b" " or raw[-1:] == b" "
    return at or any(edge + b" " in raw or b" " + edge in raw for edge in edges)


def _without_blanks(raw: bytes, delimiter: str) -> bytes:
    """Take the blanks away that stand around cells, but for those inside quotes."""
    if not blanks_beside(raw, delimiter):
        return raw
    beside = _beside(delimiter)
    if b'"' not in raw:
        return beside.sub(b"", raw)
    parts = re.split(rb'("(?:[^"]|"")*")', raw)
    for i in range(0, len(parts), 2):  # the odd ones are quoted
        part = b"\0" * (i > 0) + parts[i] + b"\0" * (i < len(parts) - 1)  # a quote on that side
        parts[i] = beside.sub(b"", re.sub(rb"\0 *| *\0", b"", part))
    return b"".join(parts)


def _check_names(name: str, names: list[str]) -> None:
    twice = sorted({one for one in names if names.count(one) > 1})
    numbers = [one for one in names if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", one)]
    counted = all(one.isdigit() for one in numbers) and [int(one) for one in numbers] == list(
        range(int(numbers[0]), int(numbers[0]) + len(numbers)) if numbers else []
    )
    if (len(numbers) == len(names) or any(not one.isdigit() for one in numbers)) and not counted:
        raise ValueError(
            f"{name}, line 1: must name the columns, got numbers ({', '.join(numbers[:3])}, ...): add a line of names, or "
            f"read it with header=False (--no-header), which calls them 1, 2, ..."
        )
    if twice:
        listed = ", ".join(one or "a column without a name" for one in twice[:12])
        raise ValueError(f"{name}: every column must have a name of its own, got {listed} more than once")


def _split(name: str, record: bytes, delimiter: str) -> list[str]:
    """Return the cells of one record as they are written."""
    import pyarrow as pa
    from pyarrow import csv

    most = record.count(delimiter.encode()) + 1
    options = csv.ConvertOptions(column_types={f"f{i}": pa.string() for i in range(most)}, null_values=[])
    parsing = csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    naming = csv.ReadOptions(autogenerate_column_names=True, block_size=len(record) + 16)
    try:
        row = csv.read_csv(_buffer(record + b"\n"), naming, parsing, options)
    except ValueError as error:
        raise ValueError(f"{name}, line 1: {error}") from None
    return [str(column[0]) for column in row.columns]


def _buffer(raw: bytes) -> Any:
    import pyarrow as pa

    return pa.BufferReader(pa.py_buffer(raw))


def parse(
    body: bytes,
    names: list[str],
    delimiter: str,
    missing: tuple[str, ...],
    only: list[str] | None = None,
    *,
    alone: bool = False,
    numbers: Collection[str] = (),
    block: int = _BLOCK,
    decimal: str = ".",
) -> Any:
    """Return the cells as strings, and as float64 where columns of `numbers` are named; ValueError where they are none."""
    import pyarrow as pa
    from pyarrow import csv

    size = min(2**31 - 2, block)
    while True:
        try:
            return csv.read_csv(
                _buffer(body),
                csv.ReadOptions(column_names=names, block_size=size, use_threads=not alone),
                csv.ParseOptions(delimiter=delimiter, newlines_in_values=b'"' in body),
                csv.ConvertOptions(
                    column_types={one: pa.float64() if one in numbers else pa.string() for one in names},
                    null_values=list(missing),
                    strings_can_be_null=bool(missing),
                    quoted_strings_can_be_null=False,
                    include_columns=only,
                    decimal_point=decimal,
                ),
            )
        except pa.ArrowInvalid as error:  # noqa: PERF203  # a row longer than a block
            if "straddl" not in str(error) or size > len(body) or size == 2**31 - 2:
                raise
            size = min(2**31 - 2, max(size * 16, 1))


def _located(name: str, body: bytes, first: int, names: list[str], delimiter: str, error: ValueError) -> ValueError:
    """Return the error of a row of another length, with its line."""
    try:
        parse(body, names, delimiter, MISSING, alone=True)
    except ValueError as again:
        found = re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+)", str(again))
        if found is None:
            return ValueError(f"{name}: {again}")
        row, expected, got = map(int, found.groups())
        line = Text(name, None, (), delimiter, body, first).line(row - 1)
        hint = "; a comma inside a cell wants quotes around it" if got > expected else ""
        return ValueError(f"{name}, line {line}: must have {expected} cells as the header, got {got}{hint}")
    return ValueError(f"{name}: {error}")
