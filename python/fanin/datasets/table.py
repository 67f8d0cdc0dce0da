"""Tables of any format as x and y: which reader a source needs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from fanin.datasets import decide
from fanin.datasets.assembly import Table, decided
from fanin.datasets.columnar import is_frame, read_columnar, read_frame
from fanin.datasets.decide import Source
from fanin.datasets.delimited import read_text
from fanin.datasets.files import Data
from fanin.datasets.plain import read_plain

_COLUMNAR = (".parquet", ".pq", ".arrow", ".feather", ".ipc")
_NEEDS = "tables need PyArrow: pip install 'fanin[report]'"


def load_table(
    source: Any,
    target: str,
    *,
    task: str | None = None,
    drop: Sequence[str] = (),
    categorical: Sequence[str] = (),
    missing: str = "refuse",
    delimiter: str | None = None,
    decimal: str = ".",
    encoding: str | None = None,
    header: bool = True,
) -> Table:
    """Read a table: CSV, TSV and their kin (gzipped too), Parquet, Arrow, Feather, or a DataFrame in memory.

    A column is a number where every cell is one in the plain spelling (sign, digits, point, exponent) or True and False. A
    column that only counts the rows and has no name is left out. Whatever else is not certain is refused, with what settles it.

    Parameters
    ----------
    source : path or DataFrame
        The ending .parquet, .arrow or .feather names the format, any other is text. A DataFrame is of pandas, Polars or Arrow:
        whatever gives the Arrow interchange.
    target : str
        The column to learn. Text is labels; whole numbers are labels up to 20 different values or a tenth of the rows; other
        numbers are a quantity.
    task : {None, "classification", "regression"}
        What the target is, where that is in doubt.
    drop, categorical : sequence of str
        Columns left out, and columns that become one column of 0 and 1 for each of their at most 100 values.
    missing : {"refuse", "drop", "mean", "keep"}
        A missing cell is an error; its row is left out; it becomes the mean of the column's numbers, of all rows; or it stays
        NaN, to be filled with what the training rows alone say. A category and the target know no mean: "mean" and "keep"
        refuse them.
    delimiter, encoding : str, optional
        Of text: found where there is no doubt, and UTF-8 or UTF-16 with its mark.
    decimal : {".", ","}
        Of text: the decimal mark.
    header : bool
        Of text: whether the first line names the columns; otherwise they are called 1, 2, ...

    Returns
    -------
    Table

    Raises
    ------
    OSError
        If the file cannot be read.
    TypeError, ValueError
        If an argument is wrong or the table is not what it should be; the message names line, column and cell, and what to do.
    ModuleNotFoundError
        If PyArrow is not installed; the extra ``fanin[report]`` brings it.
    """
    _check(target, task, missing, decimal)
    drop, categorical = _names("drop", drop), _names("categorical", categorical)
    how: dict[str, Any] = {"task": task, "drop": drop, "categorical": categorical, "missing": missing}
    if _is_text(source) and encoding is None:
        table = _plain(source, target, delimiter, decimal, header, how)
        if table is not None:
            return table
    found, notes = _open(source, delimiter, decimal, encoding, header)
    return decided(found, target, notes, **how)


def _is_text(source: Any) -> bool:
    return isinstance(source, str | os.PathLike) and not os.fspath(source).lower().endswith(_COLUMNAR)


def _plain(source: Any, target: str, delimiter: str | None, decimal: str, header: bool, how: dict[str, Any]) -> Table | None:
    """Read a table of text that leaves no question; None for any other, which `_open` reads."""
    _needed()
    plain = read_plain(source, delimiter, header, {target, *how["categorical"]}, how["drop"], decimal)
    if plain is None:
        return None
    floats = {name: plain.floats[:, i] for i, name in enumerate(plain.names)}

    def nowhere(*_: Any) -> str:
        return ""

    texts = plain.texts if decimal == "." else _decimal_commas(plain.texts)
    found = Source(os.fspath(source), texts, nowhere, nowhere, floats, plain.holes, plain.order)
    try:
        return decided(found, target, [f"found: {plain.said}"] if plain.said else [], matrix=plain.floats, **how)
    except ValueError:  # the other reader knows the lines
        return None


def _check(target: str, task: str | None, missing: str, decimal: str) -> None:
    if not isinstance(target, str):
        raise TypeError(f"target must be the name of a column, got {target!r}")
    if task not in (None, "classification", "regression"):
        raise ValueError(f"task must be None, 'classification' or 'regression', got {task!r}")
    if missing not in ("refuse", "drop", "mean", "keep"):
        raise ValueError(f"missing must be 'refuse', 'drop', 'mean' or 'keep', got {missing!r}")
    if decimal not in (".", ","):
        raise ValueError(f"decimal must be '.' or ',', got {decimal!r}")


def _names(argument: str, names: Any) -> list[str]:
    if isinstance(names, str) or not all(isinstance(one, str) for one in names):
        raise TypeError(f"{argument} must be a sequence of names of columns, got {names!r}")
    return list(dict.fromkeys(names))


def _needed() -> None:
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise ModuleNotFoundError(_NEEDS, name="pyarrow") from None


def _open(source: Any, delimiter: str | None, decimal: str, encoding: str | None, header: bool) -> tuple[Source, list[str]]:
    _needed()
    if is_frame(source):
        return read_frame(source), []
    if not isinstance(source, str | os.PathLike):
        raise TypeError(f"source must be a path or a DataFrame, got {type(source).__name__}")
    name = os.fspath(source)
    if not _is_text(name):
        for option, value in (("delimiter", delimiter), ("encoding", encoding)):
            if value is not None:
                raise ValueError(f"{option} is of tables in text, got {name}")
        return read_columnar(name), []
    text = read_text(name, delimiter, encoding, header)
    table = text.table
    if decimal == ",":
        table = _decimal_commas(table)
    where = Source(
        name, table, lambda row, column: f"{name}, line {text.line(row)}, column {column!r}", lambda c, row: text.cell(c, row)
    )
    return where, [f"found: {', '.join(text.said)}"] if text.said else []


def _decimal_commas(table: Any) -> Any:
    """Replace the comma in columns whose every cell is a number with at most one; the others keep theirs."""
    import pyarrow.compute as pc

    for i, column in enumerate(table.columns):
        pattern = decide.NUMBER.replace(r"\.", ",")
        if pc.all(pc.match_substring_regex(column, pattern)).as_py():
            table = table.set_column(i, table.column_names[i], pc.replace_substring(column, ",", "."))
        elif pc.all(pc.match_substring_regex(column, decide.NUMBER)).as_py():  # points: with a decimal comma of thousands?
            table = table.set_column(i, table.column_names[i], pc.binary_join_element_wise(column, "", "\u00a0"))
    return table


def load_csv(path: str | os.PathLike[str], target: str, *, delimiter: str = ",") -> Data:
    """Read a CSV file with a header: the column `target` is y, every other column is x. `load_table` settles more.

    Parameters
    ----------
    path : path
        A text file in UTF-8. Its first line names the columns; every other cell is a finite number, or all cells of its
        column are True and False.
    target : str
        Name of the column to learn. A column of text becomes class numbers, in the sorted order of the texts.
    delimiter : str
        What separates the cells.

    Returns
    -------
    Data
        x of shape (n, columns - 1) in float64, a column without a name that counts the rows left out; y of shape (n,), in
        int64 if every value is a whole number, else float64.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is no such text, there is no such column, two columns have one name, a line has more or fewer cells than the
        header, or a cell is no finite number; the message names line and column.
    ModuleNotFoundError
        If PyArrow is not installed; the extra ``fanin[report]`` brings it.
    """
    _check(target, None, "refuse", ".")
    source, notes = _open(path, delimiter, ".", None, True)
    table = decided(source, target, notes, task=None, drop=(), categorical=(), missing="refuse", lenient=True)
    return Data(table.x, table.y)


def arrays(x: Any, y: Any, loss: str, columns: tuple[str, ...] | None = None) -> tuple[Any, Any, tuple[str, ...] | None]:
    """Return x and y of a DataFrame whose target `y` names, text labels as they are written, and the columns of x.

    Anything else is returned as it is, and None. `columns`: those that x must have.

    Raises
    ------
    ValueError
        If the DataFrame is refused by `load_table`, `loss` is not for such a target, or x has other columns.
    """
    if not (isinstance(y, str) and is_frame(x)):
        return x, y, None
    quantity = loss == "mean_squared_error"
    table = load_table(x, y, task="regression" if quantity else None)
    if table.loss != "cross_entropy" and not quantity:
        raise ValueError(
            f'target {y!r} is a quantity, {table.decisions[-1].why}: loss must be "mean_squared_error", got {loss!r}'
        )
    if columns is not None and table.columns != columns:
        raise ValueError(f"x must have the columns {', '.join(columns)} in this order, got {', '.join(table.columns)}")
    texts = bool(table.classes) and isinstance(table.classes[0], str)
    return table.x, np.array(table.classes)[table.y] if texts else table.y, table.columns
