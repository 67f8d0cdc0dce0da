"""Tables: the files of tests/data/tables, typed formats, DataFrames, and one decision a column."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

import fanin as fi
from fanin.datasets import load_table

pa = pytest.importorskip("pyarrow")
DATA = Path(__file__).parents[2] / "data"
_spec = importlib.util.spec_from_file_location("make_tables", DATA / "make_tables.py")
assert _spec is not None
assert _spec.loader is not None
made = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(made)


def same(table, x, y, classes):
    np.testing.assert_array_equal(table.x, x)
    assert table.x.dtype == np.float64
    np.testing.assert_array_equal(table.y, y)
    assert table.y.dtype == (np.int64 if classes else np.float64)
    assert table.classes == classes


def test_there_are_enough_files_and_they_are_the_script_s():
    assert len(made.CASES) >= 80
    assert sorted(path.name for path in made.FOLDER.iterdir()) == sorted(made.CASES)
    for name in made.CASES:
        assert (made.FOLDER / name).read_bytes() == made.content(name), name


@pytest.mark.parametrize("name", made.CASES)
def test_file(name):
    _, _, options, expected = made.CASES[name]
    options = {"target": "y", **options}
    if isinstance(expected, str):
        with pytest.raises(ValueError, match=re.escape(expected)):
            load_table(made.FOLDER / name, **options)
    else:
        same(load_table(made.FOLDER / name, **options), *expected)


FRAME = {"a": [1.0, 4.0, 3.0], "b": [2, 5, 2], "y": ["up", "down", "up"]}


@pytest.mark.parametrize("ending", ["parquet", "arrow", "feather", "ipc"])
def test_typed_files(tmp_path, ending):
    from pyarrow import feather, parquet

    path = tmp_path / f"t.{ending}"
    table = pa.table(FRAME)
    if ending == "parquet":
        parquet.write_table(table, path)
    elif ending == "feather":
        feather.write_feather(table, path)
    else:
        make = pa.ipc.new_file if ending == "arrow" else pa.ipc.new_stream
        with make(str(path), table.schema) as writer:
            writer.write_table(table)
    same(load_table(path, "y"), *made.UP)
    path.write_bytes(path.read_bytes()[:-20])
    if ending != "ipc":  # a stream may end without its mark
        with pytest.raises(ValueError, match="damaged"):
            load_table(path, "y")


def test_frames():
    same(load_table(pa.table(FRAME), "y"), *made.UP)
    hole = pa.table({**FRAME, "b": [2, None, 2]})
    with pytest.raises(ValueError, match="row 1, column 'b': must be a finite number, got 'None', a missing cell"):
        load_table(hole, "y")
    big = pa.table({**FRAME, "b": [2, 2**53 + 1, 2]})
    with pytest.raises(ValueError, match=r"row 1, column 'b'.*beyond 2\^53"):
        load_table(big, "y")
    with pytest.raises(TypeError, match="source must be a path or a DataFrame, got list"):
        load_table([1], "y")


def test_frames_of_pandas_and_polars():
    pd = pytest.importorskip("pandas")
    same(load_table(pd.DataFrame(FRAME, index=[7, 8, 9]), "y"), *made.UP)
    same(load_table(pd.DataFrame({**FRAME, "y": pd.Categorical(FRAME["y"])}), "y"), *made.UP)
    with pytest.raises(TypeError, match="column 'b': must hold one type"):
        load_table(pd.DataFrame({**FRAME, "b": [2, "x", 3.5]}), "y")
    pl = pytest.importorskip("polars")
    same(load_table(pl.DataFrame(FRAME), "y"), *made.UP)


def test_compare_and_fit_take_a_frame():
    rows = {
        "a": list(range(40)),
        "b": [i * i % 7 for i in range(40)],
        "y": ["up", "down"] * 20,
        "q": [i / 8 for i in range(40)],
    }
    frame = pa.table(rows)
    x = np.column_stack([rows["a"], rows["b"]]).astype(float)
    options = {"hidden": [4], "epochs": 2, "seed": 3}
    mine = fi.compare("xavier_normal", frame.drop_columns(["q"]), "y", **options)
    plain = fi.compare("xavier_normal", x, np.array([1, 0] * 20), **options)
    np.testing.assert_array_equal(mine.runs[0].costs, plain.runs[0].costs)
    with pytest.raises(ValueError, match=r'is a quantity.*loss must be "mean_squared_error"'):
        fi.compare("xavier_normal", frame.drop_columns(["y"]), "q", **options)
    nets = [fi.Network([2, 3, 2], seed=1) for _ in range(2)]
    first = nets[0].fit(frame.drop_columns(["q"]), "y", optimizer=fi.SGD(lr=0.1))
    second = nets[1].fit(x, np.array([1, 0] * 20), optimizer=fi.SGD(lr=0.1))
    np.testing.assert_array_equal(first.costs, second.costs)


def test_words(tmp_path):
    path = tmp_path / "t.csv"
    rows = [f"{i},{i * 3 % 11},{'pqr'[i % 3]},{'uv'[i % 2]},{13.5 + i}" for i in range(30)]
    path.write_text("\n".join([",size,kind,side,price", *rows, ""]))
    table = load_table(path, "price", categorical=["kind", "side"])
    assert table.columns == ("size", "kind=p", "kind=q", "kind=r", "side=u", "side=v")
    assert str(table) == (
        "4 columns: 1 number, 2 categories (3 + 2 columns), 1 dropped (the one without a name: the rows' numbers); "
        "target `price`: quantity, 13.5 to 42.5, mean squared error"
    )


def test_missing_pyarrow_names_the_extra(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ModuleNotFoundError, match=r"fanin\[report\]"):
        load_table("t.csv", "y")
