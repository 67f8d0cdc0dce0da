"""What is said of every file of tests/data/tables, word for word: decisions and notes, or the refusal; and of DataFrames.

``python tests/python/datasets/test_tables_said.py`` writes tests/data/tables_said.txt anew; read what has changed.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

from fanin.datasets import load_csv, load_table
from fanin.datasets import table as tables
from fanin.datasets.assembly import two_classes

pa = pytest.importorskip("pyarrow")
DATA = Path(__file__).parents[2] / "data"
SAID = DATA / "tables_said.txt"
_spec = importlib.util.spec_from_file_location("make_tables", DATA / "make_tables.py")
assert _spec is not None
assert _spec.loader is not None
made = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(made)


def said_of(call: Callable[[], Any]) -> str:
    try:
        table = call()
    except (ValueError, TypeError) as error:
        return f"{type(error).__name__}: {error}"
    lines = [str(table)] + [f"- {one.column!r}: {one.kind}" + (one.why and f", {one.why}") for one in table.decisions]
    return "\n".join([*lines, f"x of {', '.join(table.columns)}; y {table.y.dtype}, classes {table.classes}"])


def file_said(name: str) -> str:
    """With the reader that took it: one that asks nothing, or the other."""
    options = {"target": "y", **made.CASES[name][2]}
    with mock.patch.object(tables, "_open", side_effect=tables._open) as other:
        text = said_of(lambda: load_table(made.FOLDER / name, **options))
    how = "asked" if other.called else "read at once"
    return f"== {name} {made.CASES[name][2]}: {how}\n{text}".replace(str(made.FOLDER / name), name)


def test_what_is_said_of_every_file():
    found = [file_said(name) for name in made.CASES]
    expected = SAID.read_text(encoding="utf-8").rstrip("\n").split("\n\n")
    for ours, theirs in zip(found, expected, strict=True):
        assert ours == theirs


def frame(**columns: Any) -> Any:
    return pa.table({"a": [1.0, 4.0, 3.0], "y": ["up", "down", "up"], **columns})


HOW = (
    "this column is not of plain numbers. Make a category of it (categorical=['b'], --categorical 'b'), leave it out "
    "(drop=['b'], --drop 'b'), or correct the cells"
)
MISSING = "such cells are in 'b' (1). Leave their rows out (missing='drop', --missing drop)"
QUOTES = "a text of that name stands in quotes"
FRAMES = {
    "texts": (
        {"b": ["p", "q", "p"]},
        {},
        f"ValueError: DataFrame, row 0, column 'b': must be a finite number, got 'p': {HOW}",
    ),
    "categories": (
        {"b": ["p", "q", "p"]},
        {"categorical": ["b"]},
        (
            "2 columns: 1 number, 1 category (2 columns); target `y`: labels, 2 classes, cross entropy (down, up)\n"
            "- 'a': number\n- 'b': category, 2 columns\n- 'y': labels, 2 classes\n"
            "x of a, b=p, b=q; y int64, classes ('down', 'up')"
        ),
    ),
    "booleans as categories": (
        {"b": [True, False, True]},
        {"categorical": ["b"], "drop": ["a"]},
        (
            "2 columns: 1 category (2 columns), 1 dropped (`a`: as told); target `y`: labels, 2 classes, cross entropy "
            "(down, up)\n- 'a': dropped, as told\n- 'b': category, 2 columns\n- 'y': labels, 2 classes\n"
            "x of b=False, b=True; y int64, classes ('down', 'up')"
        ),
    ),
    "nothing but missing cells": (
        {"b": [None, None, None]},
        {"missing": "drop"},
        "ValueError: DataFrame: a cell is missing in every row of column 'b': leave it out (drop=['b'], --drop 'b')",
    ),
    "a missing cell": (
        {"b": [2.0, None, 2.0]},
        {},
        (
            "ValueError: DataFrame, row 1, column 'b': must be a finite number, got 'None', a missing cell; "
            f"{MISSING}, fill numbers with their column's mean (missing='mean', --missing mean); {QUOTES}"
        ),
    ),
    "a missing category": (
        {"b": ["p", None, "q"]},
        {"categorical": ["b"], "missing": "mean"},
        (
            "ValueError: DataFrame, row 1, column 'b': must be a category, got 'None', a missing cell; such cells are in "
            "'b' (1). the target and categories have no mean; Leave their rows out (missing='drop', --missing drop); "
            f"{QUOTES}"
        ),
    ),
    "means": (
        {"b": [2.0, None, 5.0]},
        {"missing": "mean"},
        (
            "2 columns: 2 numbers; target `y`: labels, 2 classes, cross entropy (down, up)\n"
            "1 missing cell became the column's mean: b\n- 'a': number\n- 'b': number\n- 'y': labels, 2 classes\n"
            "x of a, b; y int64, classes ('down', 'up')"
        ),
    ),
    "a large number": (
        {"b": [2, 2**53 + 1, 2]},
        {},
        (
            "ValueError: DataFrame, row 1, column 'b': '9007199254740993' is a whole number beyond 2^53, which float64 does "
            "not hold exactly: an identifier? As a feature leave it out (drop=['b'], --drop b) or make it a category "
            "(--categorical b)"
        ),
    ),
    "infinity": (
        {"b": [2.0, 1.0, np.inf]},
        {},
        (
            "ValueError: DataFrame, row 2, column 'b': 'inf' is no finite number: correct it, or leave the column out "
            "(drop=['b'], --drop b)"
        ),
    ),
    "an identifier": (
        {"row_id": [7, 9, 8]},
        {},
        (
            "ValueError: DataFrame, row 0, column 'row_id': '7', an identifier: all different: this column is not of plain "
            "numbers. Make a category of it (categorical=['row_id'], --categorical 'row_id'), leave it out "
            "(drop=['row_id'], --drop 'row_id'), or correct the cells"
        ),
    ),
}


@pytest.mark.parametrize("name", FRAMES)
def test_what_is_said_of_a_frame(name):
    columns, options, expected = FRAMES[name]
    assert said_of(lambda: load_table(frame(**columns), "y", **options)) == expected


def test_values_of_frames():
    table = load_table(
        frame(b=pa.array(["p", "q", "p"]).dictionary_encode(), c=[True, None, False]), "y", categorical=["b"], missing="mean"
    )
    np.testing.assert_array_equal(table.x, [[1, 1, 0, 1], [4, 0, 1, 0.5], [3, 1, 0, 0]])
    wide = load_table(frame(b=pa.array([1, 2, 3], pa.decimal128(5, 1)), c=pa.array(["1", "2", "3"], pa.large_string())), "y")
    np.testing.assert_array_equal(wide.x[:, 1:], [[1, 1], [2, 2], [3, 3]])
    dates = pa.array([0, 1, 2], pa.date32())
    assert said_of(lambda: load_table(pa.table({"a": [1.0, 2, 3], "y": dates}), "y")) == (
        "ValueError: DataFrame: target 'y' holds date32[day]: make it a number or a text first"
    )


def test_frames_of_pandas(said):
    pd = pytest.importorskip("pandas")
    twice = pd.DataFrame([[1.0, 2.0, "u"], [3.0, 4.0, "v"]], columns=["a", "a", "y"])
    message = "ValueError: DataFrame: every column must have a name of its own, got a more than once"
    assert said(lambda: load_table(twice, "y")) == message
    four = pd.DataFrame([[1.0, 2, 3, 4, "u"]], columns=["b", "a", "b", "a", "y"])
    assert said(lambda: load_table(four, "y")) == message.replace("got a", "got a, b")
    assert said(lambda: load_table(pa.Table.from_arrays([pa.array([1.0])] * 4, ["b", "a", "b", "a"]), "y")) == (
        message.replace("got a", "got a, b")
    )
    numbered = load_table(pd.DataFrame({1: [1.0, np.nan], "y": ["u", "v"]}), "y", missing="keep")
    assert numbered.columns == ("1",)
    np.testing.assert_array_equal(numbered.x, [[1], [np.nan]])
    mixed = pd.DataFrame({"a": [2, "x"], "y": ["u", "v"]})
    assert said(lambda: load_table(mixed, "y")).startswith(
        "TypeError: DataFrame, column 'a': must hold one type, got a mixture ("
    )
    nothing = "ValueError: DataFrame: must hold at least one row and one column, got 0 x 2"
    assert said(lambda: load_table(pd.DataFrame({"a": [], "y": []}), "y")) == nothing


def test_files_of_columns(said, tmp_path):
    from pyarrow import feather

    path = tmp_path / "t.feather"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # PyArrow's, of files of the first version
        feather.write_feather(frame(), path, version=1)
        np.testing.assert_array_equal(load_table(path, "y").x, [[1], [4], [3]])
    feather.write_feather(frame(), path)
    assert said(lambda: load_table(path, "z")) == f"ValueError: {path}: target must name one column of a, y, got 'z'"
    assert said(lambda: load_table(path, "y", delimiter=";")) == f"ValueError: delimiter is of tables in text, got {path}"
    assert said(lambda: load_table(path, "y", encoding="utf-8")) == f"ValueError: encoding is of tables in text, got {path}"
    path.write_bytes(b"nothing of the kind")
    assert said(lambda: load_table(path, "y")).startswith(
        f"ValueError: {path}: no Parquet, Arrow or Feather file, or damaged: "
    )


def test_arguments(said, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b,y\n1,2,u\n3,5,v\n")
    for options, message in [
        ({"target": 3}, "TypeError: target must be the name of a column, got 3"),
        ({"task": "ranking"}, "ValueError: task must be None, 'classification' or 'regression', got 'ranking'"),
        ({"missing": "zero"}, "ValueError: missing must be 'refuse', 'drop', 'mean' or 'keep', got 'zero'"),
        ({"decimal": ";"}, "ValueError: decimal must be '.' or ',', got ';'"),
        ({"drop": "a"}, "TypeError: drop must be a sequence of names of columns, got 'a'"),
        ({"categorical": [1]}, "TypeError: categorical must be a sequence of names of columns, got [1]"),
        ({"drop": ["q"]}, f"ValueError: {path}: drop must name one column of a, b, y, got 'q'"),
        ({"drop": ["y"]}, "ValueError: target, drop and categorical must name different columns"),
        ({"drop": ["a"], "categorical": ["a"]}, "ValueError: target, drop and categorical must name different columns"),
        ({"drop": ["a", "b"]}, f"ValueError: {path}: must hold at least one row, and a column beside 'y'"),
    ]:
        assert said(lambda options=options: load_table(path, **{"target": "y", **options})) == message
    path.write_text("a,y\nx,1\n2,0\n")
    cell = f"{path}, line 2, column 'a': must be a finite number, got 'x'"
    assert said(lambda: load_csv(path, "y")) == f"ValueError: {cell}; fanin.datasets.load_table settles such columns"


def test_files_of_text(said, tmp_path):
    assert said(lambda: load_table(tmp_path, "y")) == f"ValueError: {tmp_path} is a folder: name one file in it"
    path = tmp_path / "t.csv"
    path.write_text("a,y\n1,u\n2,v\n")
    assert said(lambda: load_table(path, "y", encoding="nonsense")) == (
        "ValueError: encoding must be one that Python knows, as latin-1 or cp1252, got 'nonsense'"
    )
    assert said(lambda: load_table(path, "y", delimiter="ab")) == (
        "ValueError: delimiter must be one ASCII character, no quote or line end, got 'ab'"
    )
    names = [f"c{i:02}" for i in range(15)]
    path.write_text(",".join([*names, *names, "y"]) + "\n" + ",".join("1" * 31) + "\n")
    twice = f"ValueError: {path}: every column must have a name of its own, got"
    assert said(lambda: load_table(path, "y")) == f"{twice} {', '.join(names[:12])} more than once"
    path.write_text(",,y\n1,2,3\n")
    assert said(lambda: load_table(path, "y")) == f"{twice} a column without a name more than once"


def test_labels_of_frames_and_of_two_classes(said):
    x, y, columns = tables.arrays(pa.table({"a": [1.0, 2.0, 3.0], "y": [3, 5, 3]}), "y", "cross_entropy")
    assert (x.tolist(), y.tolist(), columns) == ([[1], [2], [3]], [3, 5, 3], ("a",))
    labels, classes = two_classes(np.array(["u", "v", "u"]), "hinge")
    assert (labels.tolist(), labels.dtype, classes) == ([-1, 1, -1], np.int64, ("u", "v"))
    labels, classes = two_classes(np.array([2.0, 4.0]), "binary_cross_entropy")
    assert (labels.tolist(), labels.dtype, classes) == ([0, 1], np.int64, (2, 4))
    message = "ValueError: loss hinge tells two classes apart, the target has 3: take cross_entropy"
    assert said(lambda: two_classes(np.array([1, 2, 3]), "hinge")) == message


if __name__ == "__main__":
    SAID.write_text("\n\n".join(map(file_said, made.CASES)) + "\n", encoding="utf-8")
