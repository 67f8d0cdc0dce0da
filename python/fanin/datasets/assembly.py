"""Columns and the decisions on them become x and y."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fanin.datasets import decide
from fanin.datasets.decide import Decision, Source

_ROWS = 1 << 16  # moved at once
KEPT = "became NaN"


@dataclass(frozen=True)
class Table:
    """A table ready for a network; print it for the decisions in words.

    Attributes
    ----------
    x : ndarray, shape (n, n_in), float64
        Finite numbers; NaN where a cell is missing and ``missing="keep"`` keeps it so.
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
    matrix: NDArray[np.float64] | None = None,
) -> Table:
    """Decide on every column, and make x and y; `matrix` holds the columns of `source.floats` and may become x."""
    names = list(source.order or source.table.column_names)
    floats = {column: i for i, column in enumerate(source.floats)}
    for argument, wanted in (("target", [target]), ("drop", drop), ("categorical", categorical)):
        for one in wanted:
            if names.count(one) != 1:
                hint = _hint(names) or _near(one, names)
                raise ValueError(f"{source.name}: {argument} must name one column of {_listed(names)}, got {one!r}{hint}")
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
    if not lenient:
        _refuse_empty(source, target, holes)
    kept, notes = _filled(source, target, arrays, decisions, holes, missing, list(notes))
    if kept is not None:
        rows = np.flatnonzero(kept)
        arrays = {column: values[rows] for column, values in arrays.items() if column not in floats}
        matrix = None if matrix is None else _moved(matrix, rows, range(matrix.shape[1]))
        place, cell = source.place, source.cell
        source = Source(
            source.name,
            source.table.select([target]).take(rows),
            lambda row, column: place(int(rows[row]), column),
            lambda column, row: cell(column, int(rows[row])),
        )
    y, last = decide.target(source, target, task, lenient)
    columns: list[str] = []
    blocks: list[NDArray[Any] | int] = []  # an array, or the number of a column of `matrix`
    for decision in decisions:
        if decision.kind == "number":
            columns.append(decision.column)
            blocks.append(floats[decision.column] if decision.column in floats else arrays.pop(decision.column))
        elif decision.kind == "category":
            places = arrays.pop(decision.column)
            columns += [f"{decision.column}={value}" for value in decision.values]
            blocks += [places == i for i in range(len(decision.values))]
    chosen = [block for block in blocks if isinstance(block, int)]
    if matrix is not None and len(chosen) == len(blocks):
        x = _moved(matrix, None, chosen)
    else:
        x = np.empty((len(y), len(blocks)))
        for i, block in enumerate(blocks):
            x[:, i] = matrix[:, block] if isinstance(block, int) and matrix is not None else block
    return Table(x, y, tuple(columns), last.values, (*decisions, last), tuple(notes))


def two_classes(y: NDArray[Any], loss: str) -> tuple[NDArray[np.int64], tuple[Any, ...]]:
    """Return labels as a loss of one output takes them, 0 and 1 or -1 and 1 (hinge), and the two values in their order."""
    found = np.unique(y)
    if y.ndim != 1 or len(found) != 2:
        raise ValueError(f"loss {loss} tells two classes apart, the target has {len(found)}: take cross_entropy")
    labels = (y == found[1]).astype(np.int64)
    return 2 * labels - 1 if loss == "hinge" else labels, tuple(found.tolist())


def _moved(matrix: NDArray[np.float64], rows: NDArray[Any] | None, columns: Sequence[int]) -> NDArray[np.float64]:
    """Return ascending rows (None: all) and columns of a matrix, moved to its own beginning: it is not held twice."""
    count = len(matrix) if rows is None else len(rows)
    if rows is None and len(columns) == matrix.shape[1]:
        return matrix
    out = matrix.reshape(-1)[: count * len(columns)].reshape(count, len(columns))
    for begin in range(0, count, _ROWS):  # what is written lies before what is still to be read
        part = slice(begin, begin + _ROWS)
        out[part] = matrix[part if rows is None else rows[part]][:, list(columns)]
    return out


def _nan_of(source: Source, column: str) -> NDArray[Any] | None:
    import pyarrow as pa

    if column in source.floats:
        return source.floats[column]
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
    bad = {c: e for c, e in holes.items() if missing == "refuse" or kinds.get(c) != "number"}
    if bad:
        column, empty = next(iter(bad.items()))
        row = int(np.argmax(empty))
        listed = ", ".join(f"{c!r} ({int(e.sum())})" for c, e in bad.items())
        fits = missing == "refuse" and kinds.get(column) == "number"
        means = ", fill numbers with their column's mean (missing='mean', --missing mean)" if fits else ""
        why = "the target and categories have no mean; " if missing in ("mean", "keep") else ""
        words = "a finite number or the name of a class" if column == target else "a category"
        what = "a finite number" if kinds.get(column) == "number" else words
        raise ValueError(
            f"{source.place(row, column)}: must be {what}, got {source.cell(column, row)!r}, a missing cell; such cells are in "
            f"{listed}. {why}Leave their rows out (missing='drop', --missing drop){means}; a text of that name stands in quotes"
        )
    total = sum(int(empty.sum()) for empty in holes.values())
    cells = f"{total} missing cell{'s' * (total > 1)}"
    if missing == "keep":
        return None, [*notes, f"{cells} {KEPT}: {_listed(list(holes))}"]
    for column, empty in holes.items():
        mean = np.nanmean(arrays[column])
        if column in source.floats:
            np.copyto(arrays[column], mean, where=empty)
        else:
            arrays[column] = np.where(empty, mean, arrays[column])
    return None, [*notes, f"{cells} became the column's mean: {_listed(list(holes))}"]


def _refuse_empty(source: Source, target: str, holes: Mapping[str, NDArray[np.bool_]]) -> None:
    """Refuse columns that are missing in every row: no mean, no rows left and no labels come of them."""
    empty = [column for column, cells in holes.items() if cells.all()]
    if target in empty:
        raise ValueError(f"{source.name}: target {target!r} is missing in every row: name another column to learn")
    if empty:
        columns, them = ("columns", "them") if len(empty) > 1 else ("column", "it")
        listed = ", ".join(repr(column) for column in empty[:12]) + (f", ... ({len(empty)} in all)" if len(empty) > 12 else "")
        raise ValueError(
            f"{source.name}: a cell is missing in every row of {columns} {listed}: leave {them} out ({_settle('drop', empty)})"
        )


def _complain(source: Source, complaints: list[tuple[str, str]], lenient: bool) -> ValueError:
    listed = "; ".join(text for _, text in complaints[:12])
    listed += f"; ... ({len(complaints)} in all)" if len(complaints) > 12 else ""
    if lenient:
        return ValueError(f"{complaints[0][1]}; fanin.datasets.load_table settles such columns")
    names = [column for column, _ in complaints]
    such, made, them = ("these columns are", "categories", "them") if len(names) > 1 else ("this column is", "a category", "it")
    few = [name for name in names if name and decide.few(source, name)]
    if few and len(few) < len(names):  # what can be no category
        rest = [name for name in names if name not in few]
        ways = f"Make categories of some ({_settle('categorical', few)}) and leave the others out ({_settle('drop', rest)})"
    else:
        ways = f"Make {made} of {them} ({_settle('categorical', names)}), leave {them} out ({_settle('drop', names)})"
    return ValueError(f"{listed}: {such} not of plain numbers. {ways}, or correct the cells")


def _settle(option: str, names: list[str]) -> str:
    return f"{option}={names!r}, --{option} '{','.join(names)}'"


def _near(got: str, names: Sequence[str]) -> str:
    """Return words for a name that is nearly another one."""
    found = get_close_matches(got, names, 1)
    return f": did you mean {found[0]!r}?" if found else ""


def _hint(names: list[str]) -> str:
    other = next((mark for mark in ";\t,|" if len(names) == 1 and mark in names[0]), None)
    return "" if other is None else f"; its cells seem to be separated by {other!r}: that is the delimiter to name"


def _listed(names: list[str]) -> str:
    shown = [name or "(no name)" for name in names]
    return ", ".join(shown[:12]) + (f", ... ({len(shown)} in all)" if len(shown) > 12 else "")
