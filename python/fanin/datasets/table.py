"""Tables of any format as x and y, with one stated decision a column."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fanin.datasets import decide
from fanin.datasets.columnar import is_frame, read_columnar, read_frame
from fanin.datasets.decide import Decision, Source
from fanin.datasets.delimited import read_text
from fanin.datasets.files import Data

_NEEDS = "tables need PyArrow: pip install 'fanin[report]'"


@dataclass(frozen=True)
class Table:
    """A table ready for a network; print it for the decisions in words.

    Attributes
    ----------
    x : ndarray, shape (n, n_in), float64
        Finite numbers.
    y : ndarray, shape (n,)
        float64 for a quantity; int64 for labels: whole numbers as they are, texts numbered in sorted order.
    columns : tuple of str
        Of x; a category "kind" with the value "cat" gives the column "kind=cat".
    classes : tuple
        The labels in sorted order, as they are written; empty for a quantity.
    decisions : tuple of Decision
        One for each column of the file, the target's last.
    notes : tuple of str
        What was found rather than told, and rows left out.
    """

    x: NDArray[np.float64]
    y: NDArray[Any]
    columns: tuple[str, ...]
    classes: tuple[Any, ...]
    decisions: tuple[Decision, ...]
    notes: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        """Name of the column to learn."""
        return self.decisions[-1].column

    @property
    def loss(self) -> str:
        """The loss that fits the target: "cross_entropy" for labels, "mean_squared_error" for a quantity."""
        return "cross_entropy" if self.decisions[-1].kind == "labels" else "mean_squared_error"

    def __str__(self) -> str:
        *columns, last = self.decisions
        parts = []
        count = sum(one.kind == "number" for one in columns)
        if count:
            parts.append(f"{count} number{'s' * (count > 1)}")
        kinds = [one for one in columns if one.kind == "category"]
        if kinds:
            sizes = " + ".join(str(len(one.values)) for one in kinds)
            parts.append(f"{len(kinds)} {'categories' if len(kinds) > 1 else 'category'} ({sizes} columns)")
        dropped = [one for one in columns if one.kind == "dropped"]
        if dropped:
            listed = ", ".join(
                f"{'`' + one.column + '`' if one.column else 'the one without a name'}: {one.why}" for one in dropped[:6]
            ) + (", ..." if len(dropped) > 6 else "")
            parts.append(f"{len(dropped)} dropped ({listed})")
        loss = self.loss.replace("_", " ")
        words = f"{len(columns)} column{'s' * (len(columns) > 1)}: {', '.join(parts)}; target `{last.column}`: {last.kind}"
        words += f", {last.why}, {loss}" if last.why else f", {loss}"
        if last.kind == "labels" and len(last.values) <= 12:
            words += f" ({', '.join(str(value) for value in last.values)})"
        return "\n".join([words, *self.notes])


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
    missing : {"refuse", "drop", "mean"}
        A missing cell is an error; its row is left out; or it becomes the mean of the column's numbers (a category and the
        target know no mean: refused).
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
    found, notes = _open(source, delimiter, decimal, encoding, header)
    return decided(found, target, notes, task=task, drop=drop, categorical=categorical, missing=missing)


def _check(target: str, task: str | None, missing: str, decimal: str) -> None:
    if not isinstance(target, str):
        raise TypeError(f"target must be the name of a column, got {target!r}")
    if task not in (None, "classification", "regression"):
        raise ValueError(f"task must be None, 'classification' or 'regression', got {task!r}")
    if missing not in ("refuse", "drop", "mean"):
        raise ValueError(f"missing must be 'refuse', 'drop' or 'mean', got {missing!r}")
    if decimal not in (".", ","):
        raise ValueError(f"decimal must be '.' or ',', got {decimal!r}")


def _names(argument: str, names: Any) -> list[str]:
    if isinstance(names, str) or not all(isinstance(one, str) for one in names):
        raise TypeError(f"{argument} must be a sequence of names of columns, got {names!r}")
    return list(dict.fromkeys(names))


def _open(source: Any, delimiter: str | None, decimal: str, encoding: str | None, header: bool) -> tuple[Source, list[str]]:
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise ModuleNotFoundError(_NEEDS, name="pyarrow") from None
    if is_frame(source):
        return read_frame(source), []
    if not isinstance(source, str | os.PathLike):
        raise TypeError(f"source must be a path or a DataFrame, got {type(source).__name__}")
    name = os.fspath(source)
    if name.lower().endswith((".parquet", ".pq", ".arrow", ".feather", ".ipc")):
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


def decided(
    source: Source,
    target: str,
    notes: Sequence[str],
    *,
    task: str | None,
    drop: Sequence[str],
    categorical: Sequence[str],
    missing: str,
    lenient: bool = False,
) -> Table:
    """Decide on every column, and make x and y."""
    names = list(source.table.column_names)
    for argument, wanted in (("target", [target]), ("drop", drop), ("categorical", categorical)):
        for one in wanted:
            if names.count(one) != 1:
                raise ValueError(
                    f"{source.name}: {argument} must name one column of {_listed(names)}, got {one!r}{_hint(names)}"
                )
    if target in drop or target in categorical or set(drop) & set(categorical):
        raise ValueError("target, drop and categorical must name different columns")
    if set(names) == {target, *drop}:
        raise ValueError(f"{source.name}: must hold at least one row, and a column beside {target!r}")
    decisions, arrays, complaints, holes = [], {}, [], {}
    for column in names:
        if column == target:
            continue
        if column in drop:
            decisions.append(Decision(column, "dropped", "as told"))
            continue
        decision, values, complaint = decide.feature(source, column, column in categorical, lenient)
        decisions.append(decision)
        if complaint is not None:
            complaints.append((column, complaint))
        elif values is not None:
            arrays[column] = values
            empty = decide.missing(source, column, values if decision.kind == "number" else None)
            if empty.any():
                holes[column] = empty
    if complaints:
        raise _complain(source, complaints, lenient)
    if not arrays:
        raise ValueError(f"{source.name}: must hold a column to learn from beside {target!r}")
    is_missing = decide.missing(source, target, _nan_of(source, target))
    if is_missing.any():
        holes[target] = is_missing
    kept, notes = _filled(source, target, arrays, decisions, holes, missing, list(notes))
    if kept is not None:
        rows = np.flatnonzero(kept)
        arrays = {column: values[rows] for column, values in arrays.items()}
        place, cell = source.place, source.cell
        source = Source(
            source.name,
            source.table.select([target]).take(rows),
            lambda row, column: place(int(rows[row]), column),
            lambda column, row: cell(column, int(rows[row])),
        )
    y, last = decide.target(source, target, task, lenient)
    columns, blocks = [], []
    for decision in decisions:
        if decision.kind == "number":
            columns.append(decision.column)
            blocks.append(arrays.pop(decision.column))
        elif decision.kind == "category":
            cells = arrays.pop(decision.column)
            columns += [f"{decision.column}={value}" for value in decision.values]
            blocks += [(cells == value).astype(np.float64) for value in decision.values]
    x = np.empty((len(y), len(blocks)))
    for i, block in enumerate(blocks):
        x[:, i] = block
    return Table(x, y, tuple(columns), last.values, (*decisions, last), tuple(notes))


def _nan_of(source: Source, column: str) -> NDArray[Any] | None:
    import pyarrow as pa

    if pa.types.is_floating(source.table[column].type):
        return np.asarray(source.table[column].cast(pa.float64()).fill_null(np.nan))
    return None


def _filled(
    source: Source,
    target: str,
    arrays: dict[str, NDArray[Any]],
    decisions: list[Decision],
    holes: dict[str, NDArray[np.bool_]],
    missing: str,
    notes: list[str],
) -> tuple[NDArray[np.bool_] | None, list[str]]:
    """Refuse missing cells, fill them with means, or return the rows to keep."""
    if not holes:
        return None, notes
    if missing == "drop":
        kept = ~np.logical_or.reduce(list(holes.values()))
        if not kept.any():
            raise ValueError(
                f"{source.name}: every row misses a cell, in {_listed(list(holes))}: leave such a column out (--drop)"
            )
        return kept, [*notes, f"{int((~kept).sum())} of {len(kept)} rows left out: a cell is missing in {_listed(list(holes))}"]
    kinds = {decision.column: decision.kind for decision in decisions}
    bad = {c: e for c, e in holes.items() if missing == "refuse" or kinds.get(c) != "number" or np.isnan(arrays[c]).all()}
    if bad:
        column, empty = next(iter(bad.items()))
        row = int(np.argmax(empty))
        listed = ", ".join(f"{c!r} ({int(e.sum())})" for c, e in bad.items())
        fits = missing == "refuse" and kinds.get(column) == "number"
        means = ", fill numbers with their column's mean (missing='mean', --missing mean)" if fits else ""
        why = "the target and categories have no mean; " if missing == "mean" else ""
        words = "a finite number or the name of a class" if column == target else "a category"
        what = "a finite number" if kinds.get(column) == "number" else words
        raise ValueError(
            f"{source.place(row, column)}: must be {what}, got {source.cell(column, row)!r}, a missing cell; such cells are in "
            f"{listed}. {why}Leave their rows out (missing='drop', --missing drop){means}; a text of that name stands in quotes"
        )
    for column, empty in holes.items():
        arrays[column] = np.where(empty, np.nanmean(arrays[column]), arrays[column])
    total = sum(int(empty.sum()) for empty in holes.values())
    return None, [*notes, f"{total} missing cells became the mean of their column: {_listed(list(holes))}"]


def _complain(source: Source, complaints: list[tuple[str, str]], lenient: bool) -> ValueError:
    named = ",".join(column for column, _ in complaints)
    listed = "; ".join(text for _, text in complaints[:12])
    listed += f"; ... ({len(complaints)} in all)" if len(complaints) > 12 else ""
    python = repr([column for column, _ in complaints])
    if lenient:
        return ValueError(f"{complaints[0][1]}; fanin.datasets.load_table settles such columns")
    such = "these columns are" if len(complaints) > 1 else "this column is"
    return ValueError(
        f"{listed}: {such} not of plain numbers. Make categories of them (categorical={python}, --categorical '{named}'), "
        f"leave them out (drop={python}, --drop '{named}'), or correct the cells"
    )


def _hint(names: list[str]) -> str:
    other = next((mark for mark in ";\t,|" if len(names) == 1 and mark in names[0]), None)
    return "" if other is None else f"; its cells seem to be separated by {other!r}: that is the delimiter to name"


def _listed(names: list[str]) -> str:
    shown = [name or "(no name)" for name in names]
    return ", ".join(shown[:12]) + (f", ... ({len(shown)} in all)" if len(shown) > 12 else "")


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


def arrays(x: Any, y: Any, loss: str) -> tuple[Any, Any]:
    """Return x and y of a DataFrame whose target `y` names; anything else as it is.

    Raises
    ------
    ValueError
        If the DataFrame is refused by `load_table`, or `loss` is not for such a target.
    """
    if not (isinstance(y, str) and is_frame(x)):
        return x, y
    quantity = loss == "mean_squared_error"
    table = load_table(x, y, task="regression" if quantity else None)
    if table.loss != "cross_entropy" and not quantity:
        raise ValueError(
            f'target {y!r} is a quantity, {table.decisions[-1].why}: loss must be "mean_squared_error", got {loss!r}'
        )
    return table.x, table.y
