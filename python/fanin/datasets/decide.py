"""One decision a column: number, category, dropped; and for the target labels or a quantity. Nothing is guessed silently."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

# The plain spelling of a number: sign, digits, point, exponent; ASCII alone.
NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_COMMA = NUMBER.replace(r"\.", ",")
_DATE = r"^\s*[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}([ T].*)?$"
# A number in another spelling, or with a unit: digits of any script, marks of thousands, a currency, a percent sign.
_DRESSED = re.compile(r"[$€£¥]?\s*[-+\u2212]?\s*[\d.,'_ \u00a0]*\d[\d.,'_ \u00a0]*\s*([eE][-+]?\d+)?\s*[^\W\d_]{0,3}[%‰°€$£¥]?")
_WORDS = {"inf", "infinity", "+inf", "-inf", "+infinity", "-infinity"}
_BOOLEANS = ({"True", "False"}, {"true", "false"}, {"TRUE", "FALSE"})

EXACT = 2**53  # beyond it float64 does not hold every whole number
_LABELS = 20  # different values that a target of labels may have, or a tenth of the rows
_CATEGORIES = 100  # columns that one category may become
_ROW_NUMBERS = ("", "index", "__index_level_0__")


@dataclass(frozen=True)
class Decision:
    """What became of a column: `kind` is "number", "category", "dropped", "labels" or "quantity", `why` says more."""

    column: str
    kind: str
    why: str = ""
    values: tuple[Any, ...] = ()  # of a category or of labels, in the order of their columns or numbers


@dataclass(frozen=True)
class Source:
    """A table to decide on: Arrow columns, and the way back to where a cell stands."""

    name: str
    table: Any
    place: Callable[[int, str], str]
    cell: Callable[[str, int], str]
    floats: dict[str, NDArray[np.float64]] = field(default_factory=dict)  # columns of numbers that are not in `table`
    holes: frozenset[str] = frozenset()  # those of `floats` where a cell is missing
    order: tuple[str, ...] = ()  # of all columns, where `table` is not all

    def at(self, column: str, row: int) -> str:
        """Return where a cell is and what it holds, for a message."""
        return f"{self.place(row, column)}: {self.cell(column, row)!r}"


def numbers(source: Source, column: str) -> tuple[NDArray[Any] | None, int]:
    """Return a column as float64, NaN where a cell is missing; or None and the first row that holds no number."""
    if column in source.floats:
        return source.floats[column], 0
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = source.table[column]
    kind = cells.type
    if pa.types.is_dictionary(kind):
        cells = cells.cast(kind.value_type)
        kind = cells.type
    if pa.types.is_null(kind):
        return np.full(len(cells), np.nan), 0
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        plain = pc.fill_null(pc.match_substring_regex(cells, NUMBER), True)
        if not pc.all(plain).as_py() and pc.count_distinct(cells).as_py() <= 2:
            two = set(pc.drop_null(pc.unique(cells)).to_pylist())
            if two and any(two <= words for words in _BOOLEANS):
                cells = pc.equal(pc.utf8_lower(cells), "true").cast(pa.float64())
                return np.asarray(pc.fill_null(cells, np.nan)), 0
        if not pc.all(plain).as_py():
            return None, int(pc.index(plain, False).as_py())
        cells = pc.if_else(pc.starts_with(cells, "+"), pc.utf8_slice_codeunits(cells, 1), cells) if _any_plus(cells) else cells
        values = np.asarray(pc.fill_null(cells.cast(pa.float64()), np.nan))
        whole = np.abs(values) >= EXACT
        if whole.any():
            spelled = pc.match_substring_regex(cells, r"^[+-]?[0-9]+\.?0*$")
            wrong = whole & np.asarray(pc.fill_null(spelled, False))
            if wrong.any():
                raise _too_large(source, column, int(np.argmax(wrong)))
        wrong = np.isinf(values)
        if wrong.any():
            raise ValueError(
                f"{source.at(column, int(np.argmax(wrong)))} is larger than float64 holds: leave the column out "
                f"(drop={[column]!r}, --drop {column}) or correct it"
            )
        return values, 0
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        if pa.types.is_integer(kind):
            low, high = pc.min_max(cells).as_py().values()
            if low is not None and max(abs(low), abs(high)) > EXACT:
                at = next(i for i, one in enumerate(cells.to_pylist()) if one is not None and abs(one) > EXACT)
                raise _too_large(source, column, at)
        values = np.asarray(pc.fill_null(cells.cast(pa.float64(), safe=False), np.nan))
        if np.isinf(values).any():
            raise ValueError(
                f"{source.at(column, int(np.argmax(np.isinf(values))))} is no finite number: correct it, or leave "
                f"the column out (drop={[column]!r}, --drop {column})"
            )
        return values, 0
    return None, 0


def _any_plus(cells: Any) -> bool:
    import pyarrow.compute as pc

    return bool(pc.any(pc.starts_with(cells, "+")).as_py())


def _too_large(source: Source, column: str, row: int) -> ValueError:
    return ValueError(
        f"{source.at(column, row)} is a whole number beyond 2^53, which float64 does not hold exactly: an identifier? As a "
        f"feature leave it out (drop={[column]!r}, --drop {column}) or make it a category (--categorical {column})"
    )


def texts(source: Source, column: str) -> Any:
    """Return a column as Arrow strings, null where a cell is missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = source.table[column]
    if pa.types.is_dictionary(cells.type):
        cells = cells.cast(cells.type.value_type)
    if pa.types.is_boolean(cells.type):
        cells = pc.if_else(cells, "True", "False")
    elif not (pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type)):
        cells = cells.cast(pa.string())
    return cells


def _values(cells: Any) -> list[str]:
    """Return the different texts in sorted order."""
    return sorted(cell for cell in cells.unique().to_pylist() if cell is not None)


def _numbered(cells: Any, values: Sequence[str]) -> NDArray[np.int64]:
    """Return the place of every text among `values`, -1 where it is missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    places = pc.index_in(cells, value_set=pa.array(values, pa.string()), skip_nulls=True)
    return np.asarray(pc.fill_null(places, -1)).astype(np.int64)


def missing(source: Source, column: str, values: NDArray[Any] | None) -> NDArray[np.bool_]:
    """Return which cells are missing: null, and NaN among numbers."""
    if column in source.floats:
        cells = source.floats[column]
        return np.isnan(cells) if column in source.holes else np.zeros(len(cells), bool)
    import pyarrow.compute as pc

    empty = np.asarray(pc.is_null(source.table[column]))
    return empty if values is None else empty | np.isnan(values)


def looks(cell: str) -> str:
    """Say what a text looks like, if it is more than a word."""
    bare = cell.strip()
    if re.fullmatch(_DATE[1:-1], bare):
        return "a date: take out of it what matters, as the year or the number of days, as a number"
    if re.fullmatch(_COMMA[1:-1], bare):
        return "a number with a decimal comma: name it, decimal=',' (--decimal ,); of thousands: take the comma out"
    if bare.lower() in _WORDS or re.fullmatch(NUMBER[1:-1], bare):
        return "a number in another spelling: correct it"
    if _DRESSED.fullmatch(bare):
        return "a number in another spelling or with a unit: leave sign, digits, point and exponent alone"
    return ""


def target(source: Source, column: str, task: str | None, lenient: bool = False) -> tuple[NDArray[Any], Decision]:
    """Return y and the decision on the target; its missing rows are gone already."""
    values, wrong = numbers(source, column)
    rows = source.table.num_rows
    most = max(_LABELS, rows // 10)
    if values is None:
        return _text_target(source, column, wrong, task, most if not lenient else rows)
    whole = bool((np.trunc(values) == values).all())
    different = len(np.unique(values))
    if task == "regression" or (task is None and not whole):
        return values, Decision(column, "quantity", _span(values))
    if not whole:
        raise ValueError(
            f"target {column!r} holds numbers that are not whole, as {values[np.trunc(values) != values][0]:g}: a "
            f"quantity, task='regression' (--task regression)"
        )
    if task is None and not lenient and different > most:
        raise ValueError(
            f"{source.name}: target {column!r} has {different} different whole numbers in {rows} rows: a quantity "
            f"(task='regression', --task regression) or labels (task='classification', --task classification)?"
        )
    _one_spelling(source, column, different)
    labels = values.astype(np.int64)
    return labels, Decision(column, "labels", _classes(different), tuple(np.unique(labels).tolist()))


def _one_spelling(source: Source, column: str, different: int) -> None:
    """Refuse labels that differ as texts and are one number."""
    import pyarrow as pa

    if not pa.types.is_string(source.table[column].type):
        return
    spelled = _values(texts(source, column))
    if len(spelled) > different:
        one: dict[float, str] = {}
        for text in spelled:
            other = one.setdefault(float(text), text)
            if other != text:
                raise ValueError(
                    f"{source.name}: target {column!r} spells one number in two ways, {other!r} and {text!r}: write each class "
                    f"in one way, or take it as a quantity (task='regression', --task regression)"
                )


def _text_target(source: Source, column: str, wrong: int, task: str | None, most: int) -> tuple[NDArray[Any], Decision]:
    import pyarrow as pa

    kind = source.table[column].type
    if pa.types.is_temporal(kind) or pa.types.is_nested(kind) or pa.types.is_binary(kind):
        raise ValueError(f"{source.name}: target {column!r} holds {kind}: make it a number or a text first")
    cells = texts(source, column)
    found = _values(cells)
    if task == "regression":
        hint = looks(str(cells[wrong].as_py())) or "correct it, or leave such rows out"
        raise ValueError(f"{source.at(column, wrong)} must be a number for a quantity; {hint}")
    if task is None:
        plain = [cell for cell in found if re.fullmatch(NUMBER[1:-1], cell)]
        strange = [cell for cell in found if not re.fullmatch(NUMBER[1:-1], cell) and looks(cell)]
        if plain or strange:
            first = wrong if not strange else int(np.argmax(_numbered(cells, strange) >= 0))
            hint = looks(str(cells[first].as_py())) or "beside it the target holds numbers: correct it, or leave such rows out"
            raise ValueError(
                f"{source.at(column, first)} is no plain number; {hint}. If the cells are names of "
                f"classes: task='classification' (--task classification)"
            )
        if len(found) > most:
            raise ValueError(
                f"{source.name}: target {column!r} has {len(found)} different texts in {len(cells)} rows: identifiers or free "
                f"text? If they are names of classes: task='classification' (--task classification)"
            )
    return _numbered(cells, found), Decision(column, "labels", _classes(len(found)), tuple(found))


def _classes(count: int) -> str:
    return f"{count} class{'es' * (count != 1)}"


def _span(values: NDArray[Any]) -> str:
    return f"{values.min():g} to {values.max():g}" if len(values) else ""


def feature(
    source: Source, column: str, as_category: bool, lenient: bool = False
) -> tuple[Decision, NDArray[Any] | None, str | None]:
    """Return the decision on a column, its numbers, and a complaint where it wants the user's word.

    The numbers of a category are the places of its texts among the decision's values, -1 where a cell is missing.
    """
    if as_category:
        cells = texts(source, column)
        found = tuple(_values(cells))
        if len(found) > _CATEGORIES:
            raise ValueError(
                f"{source.name}: category {column!r} has {len(found)} different values, more than {_CATEGORIES}: group them "
                f"first, or leave the column out (drop={[column]!r}, --drop {column})"
            )
        return Decision(column, "category", f"{len(found)} columns", found), _numbered(cells, found), None
    values, wrong = numbers(source, column)
    bare = re.sub(r"^Unnamed: \d+$", "", column)
    if values is None:
        cell = source.cell(column, wrong)
        different = len(set(texts_or_none(source, column)))
        words = looks(cell)
        if not words and different > max(_LABELS, source.table.num_rows // 2):
            words = "identifiers or free text"
        return Decision(column, "text"), None, f"{_must(source, column, wrong)}" + (f" ({words})" if words else "")
    if bare in _ROW_NUMBERS and _counts(values):
        return Decision(column, "dropped", "the rows' numbers"), None, None
    if bare == "" and not lenient:
        return Decision(column, "text"), None, f"{source.at(column, 0)}, in a column without a name"
    if not lenient and _is_identifier(column, values):
        return Decision(column, "text"), None, f"{source.at(column, 0)}, an identifier: all different"
    return Decision(column, "number"), values, None


def _must(source: Source, column: str, row: int) -> str:
    return f"{source.place(row, column)}: must be a finite number, got {source.cell(column, row)!r}"


def few(source: Source, column: str) -> bool:
    """Return whether a column has so few different cells that it can be a category: not all, and at most 100."""
    if column in source.floats:  # an identifier
        return False
    different = len(source.table[column].unique())
    return different <= _CATEGORIES and different <= max(_LABELS, source.table.num_rows // 2)


def texts_or_none(source: Source, column: str) -> list[Any]:
    """Return the cells of a column as Python objects that can be told apart."""
    return [str(cell) for cell in source.table[column].unique().to_pylist()]


def _counts(values: NDArray[Any]) -> bool:
    """Whether values count the rows, from 0 or 1."""
    return len(values) > 0 and values[0] in (0, 1) and bool((np.diff(values) == 1).all())


def _is_identifier(column: str, values: NDArray[Any]) -> bool:
    """Whether the column is called an identifier and holds as many whole numbers as rows."""
    called = re.search(r"(?:^|[_ .-])(?:id|ID|Id|uuid|index|idx|rowid)$|(?<=[a-z])(?:Id|ID)$", column)
    return called is not None and len(values) > 1 and len(np.unique(values)) == len(values) and bool((values % 1 == 0).all())
