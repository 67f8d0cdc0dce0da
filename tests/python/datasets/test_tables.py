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


@pytest.mark.parametrize("name", made.CASES)
def test_both_readers_of_text_agree(name, monkeypatch):
    _, _, options, expected = made.CASES[name]
    monkeypatch.setattr("fanin.datasets.table.read_plain", lambda *_: None)
    if not isinstance(expected, str):
        same(load_table(made.FOLDER / name, **{"target": "y", **options}), *expected)


MANY = 3000


@pytest.fixture
def many(tmp_path):
    """A table of many pieces: numbers in all spellings, holes, words, a target of labels."""
    rng = np.random.default_rng(3)
    rows = [
        f"{rng.normal()!r},{rng.normal():.3e},{'' if i % 7 == 0 else i},{'p q' if i % 2 else 'é'},{i % 3}" for i in range(MANY)
    ]
    path = tmp_path / "many.csv"
    path.write_text("\n".join([' a , "b" ,c d,kind,y', *rows, ""]))
    return path


def test_pieces_make_the_whole(many, monkeypatch):
    from fanin.datasets import plain

    for missing in ("drop", "mean"):
        options = {"missing": missing, "categorical": ["kind"]}
        monkeypatch.setattr("fanin.datasets.table.read_plain", lambda *_: None)
        asked = load_table(many, "y", **options)
        monkeypatch.setattr("fanin.datasets.table.read_plain", plain.read_plain)
        monkeypatch.setattr(plain, "_PIECE", 1 << 12)
        monkeypatch.setattr("fanin.datasets.delimited.SAMPLE", 1 << 10)
        found = load_table(many, "y", **options)
        same(found, asked.x, asked.y, asked.classes)
        assert found.columns == ("a", "b", "c d", "kind=p q", "kind=é")
        assert str(found) == str(asked)
    quick = plain.read_plain(many, None, True, {"y", "kind"})
    assert quick is not None
    assert (quick.names, quick.floats.shape, quick.holes) == (("a", "b", "c d"), (MANY, 3), {"c d"})
    monkeypatch.setattr("fanin.datasets.assembly._ROWS", 100)
    whole = quick.floats[~np.isnan(quick.floats[:, 2])].copy()
    for drop, left in ((["kind", "a"], [1, 2]), (["kind"], [0, 1, 2]), (["b", "kind", "a"], [2])):  # moved within one array
        np.testing.assert_array_equal(load_table(many, "y", missing="drop", drop=drop).x, whole[:, left])
    with pytest.raises(ValueError, match=r"line 2, column 'c d': must be a finite number, got ''"):
        load_table(many, "y", drop=["kind"])


@pytest.mark.parametrize("cell", ["Nan", "nan(1)", "inf", "1e999", "9007199254740993", '"1"', " 1", "1 ", "\t1", "1_0", "x"])
def test_a_late_cell_that_leaves_a_question_is_asked_about(many, cell):
    """Beyond the rows that say which columns hold numbers: the answer is that of the reader that asks."""
    text = many.read_text().splitlines()
    parts = text[-1].split(",")
    many.write_text("\n".join([*text, ",".join([parts[0], cell, *parts[2:]]), ""]))
    if cell.strip(' "') == "1":
        table = load_table(many, "y", drop=["kind", "c d"])
        assert table.x[-1, 1] == 1
    else:
        with pytest.raises(ValueError, match=rf"line {MANY + 2}, column 'b'"):
            load_table(many, "y", drop=["kind", "c d"])


CHILD = """
import resource, sys, time
import pyarrow.compute, pyarrow.csv
from fanin import datasets
before = time.perf_counter()
table = datasets.load_table(sys.argv[1], target="y")
train, held = datasets.split(table.x, table.y, 0.2, 0)
x, held_x = datasets.scaled("standard", train.x, held.x, own=True)
used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(time.perf_counter() - before, used / (x.nbytes + train.y.nbytes + held_x.nbytes + held.y.nbytes))
"""


@pytest.mark.slow
def test_a_million_rows(tmp_path):
    """The whole process has at most four times the memory of the array; how long it took is printed."""
    import subprocess
    import sys

    from pyarrow import csv

    rng = np.random.default_rng(0)
    path = tmp_path / "large.csv"
    csv.write_csv(pa.table({name: rng.normal(size=1_000_000) for name in [*"abcdefghijklmnopqrs", "y"]}), path)
    out = subprocess.run([sys.executable, "-c", CHILD, str(path)], capture_output=True, text=True, check=True)
    seconds, ratio = map(float, out.stdout.split())
    print(f"read and standardized in {seconds:.2f} s, {ratio:.2f} times the array")
    assert ratio < 4


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


def test_frames_as_arrays_name_their_columns():
    pd = pytest.importorskip("pandas")
    mixed = pd.DataFrame({"a": [1, 2, 3], "b": [True, False, True], "c": [0.5, 1.5, 2.5]})
    y = np.array([0, 1, 0])
    plain = np.column_stack([[1, 2, 3], [1, 0, 1], [0.5, 1.5, 2.5]])
    options = {"hidden": [2], "epochs": 1, "held_out": 1}
    found = fi.compare("he_normal", mixed, y, **options).runs[0].costs
    np.testing.assert_array_equal(found, fi.compare("he_normal", plain, y, **options).runs[0].costs)
    with pytest.raises(TypeError, match="x must hold real numbers, got others in columns kind, when"):
        fi.compare("he_normal", mixed.assign(kind=list("pqp"), when=pd.to_datetime(["2020-01-01"] * 3)), y, **options)
    with pytest.raises(ValueError, match="x must hold finite numbers, got NaN or infinity in row 1, column 2"):
        fi.compare("he_normal", mixed.assign(c=[0.5, np.nan, 1]), y, **options)


def test_complaints_say_which_columns_can_be_categories(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["who,sex,a,y", *(f"n{i},{'fm'[i % 2]},{i % 7},{i % 3}" for i in range(60)), ""]))
    with pytest.raises(
        ValueError, match=r"categories of some .*--categorical 'sex'\) and leave the others out .*--drop 'who'\)"
    ):
        load_table(path, "y")
    with pytest.raises(ValueError, match="target must name one column of who, sex, a, y, got 'sexx': did you mean 'sex'"):
        load_table(path, "sexx")
    assert load_table(path, "y", categorical=["sex"], drop=["who"]).columns == ("sex=f", "sex=m", "a")


def test_texts_become_classes(tmp_path):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(60, 2))
    y = np.where(x[:, 0] > 0.4, "late", np.where(x[:, 0] < -0.4, "early", "noon"))
    plain = np.unique(y, return_inverse=True)[1]
    frame = pa.table({"a": x[:, 0], "b": x[:, 1], "when": y})
    nets = [fi.Network([2, 8, 3], seed=1) for _ in range(4)]
    courses = [
        net.fit(*data, epochs=3, optimizer=fi.SGD(lr=0.5), validation=(x, labels))
        for net, data, labels in zip(
            nets,
            [(x, plain), (x, y), (x, y.tolist()), (frame, "when")],
            [plain, y, y.astype(object), y],
            strict=True,
        )
    ]
    for net, course in zip(nets[1:], courses[1:], strict=True):
        np.testing.assert_array_equal(course.costs, courses[0].costs)
        assert net.classes == ("early", "late", "noon")
        assert net.score(x, y) == nets[0].score(x, plain)
        assert net.loss(x, y) == nets[0].loss(x, plain)
    assert nets[0].classes is None
    nets[1].save(tmp_path / "n.safetensors")
    again = fi.load(tmp_path / "n.safetensors").network
    assert again.score(x, y) == nets[1].score(x, y)
    assert (again.predict(x, names=True) == y).mean() == again.score(x, y)
    with pytest.raises(ValueError, match="names must be of a network with classes"):
        nets[0].predict(x, names=True)
    with pytest.raises(ValueError, match=r"y must hold the network's classes \['early', 'late', 'noon'\], got \['never'\]"):
        again.fit(x[:1], ["never"], optimizer=fi.SGD(lr=0.5))
    with pytest.raises(ValueError, match="y must hold 3 different classes for 3 outputs, got 1: 'noon'"):
        fi.Network([2, 3], seed=1).fit(x[:2], ["noon", "noon"], optimizer=fi.SGD(lr=0.5))
    with pytest.raises(ValueError, match="fit\\(x, y\\) names the classes"):
        fi.Network([2, 3], seed=1).score(x, y)


def test_frames_beside_frames():
    rng = np.random.default_rng(8)
    x, y = rng.normal(size=(50, 2)), rng.choice(["p", "q"], 50)
    train, other = (pa.table({"a": x[part, 0], "b": x[part, 1], "y": y[part]}) for part in (slice(40), slice(40, 50)))
    plain, framed = fi.Network([2, 3, 2], seed=1), fi.Network([2, 3, 2], seed=1)
    plain.fit(x[:40], y[:40], optimizer=fi.SGD(lr=0.1), validation=(x[40:], y[40:]))
    framed.fit(train, "y", optimizer=fi.SGD(lr=0.1), validation=(other, "y"))
    assert framed.history.validation_costs.tolist() == plain.history.validation_costs.tolist()
    options = {"hidden": [3], "epochs": 1}
    mine = fi.compare("he_normal", train, "y", held_out=(other, "y"), **options).runs[0]
    assert mine == fi.compare("he_normal", x[:40], y[:40], held_out=(x[40:], y[40:]), **options).runs[0]
    turned = other.select(["b", "a", "y"])
    net = fi.Network([2, 3, 2], seed=1)
    with pytest.raises(ValueError, match="x must have the columns a, b in this order, got b, a"):
        net.fit(train, "y", optimizer=fi.SGD(lr=0.1), validation=(turned, "y"))
    assert net.classes is None
    with pytest.raises(ValueError, match="x must have the columns a, b in this order, got b, a"):
        fi.compare("he_normal", train, "y", held_out=(turned, "y"), **options)


@pytest.mark.parametrize("loss", ["binary_cross_entropy", "hinge"])
def test_two_texts_for_one_output(loss):
    x = np.random.default_rng(6).normal(size=(40, 2))
    y = np.where(x[:, 1] > 0, "up", "down")
    plain = np.where(y == "up", 1, -1 if loss == "hinge" else 0)
    frame = pa.table({"a": x[:, 0], "b": x[:, 1], "y": y})
    costs = []
    for data in ((x, plain), (x, y), (frame, "y")):
        net = fi.Network([2, 4, 1], loss=loss, seed=1)
        costs.append(net.fit(*data, optimizer=fi.SGD(lr=0.1)).costs)
        assert net.classes == (None if data[1] is plain else ("down", "up"))
        if net.classes is not None:
            assert (net.predict(x, names=True) == y).mean() == net.score(x, y) == net.score(x, plain)
    np.testing.assert_array_equal(costs[0], costs[1])
    np.testing.assert_array_equal(costs[0], costs[2])
    runs = [
        fi.compare("he_normal", x, plain, hidden=[3], epochs=1, loss=loss),
        fi.compare("he_normal", x, y, hidden=[3], epochs=1, loss=loss),
        fi.compare("he_normal", frame, target="y", hidden=[3], epochs=1, loss=loss),
    ]
    for other in runs[1:]:
        np.testing.assert_array_equal(other.runs[0].costs, runs[0].runs[0].costs)
    for wrong in ({}, {"y": y, "target": "y"}):
        with pytest.raises(ValueError, match="y must be given, or target"):
            fi.compare("he_normal", frame, **wrong)


def test_missing_cells_are_kept_as_nan(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b,y\n1,2,u\n,3,v\n4,?,u\n")
    table = load_table(path, "y", missing="keep")
    np.testing.assert_array_equal(table.x, [[1, 2], [np.nan, 3], [4, np.nan]])
    assert table.notes == ("2 missing cells became NaN: a, b",)
    path.write_text("a,b,y\n1,2,u\n3,3,\n")
    with pytest.raises(ValueError, match="the target and categories have no mean"):
        load_table(path, "y", missing="keep")


@pytest.mark.parametrize("missing", ["refuse", "drop", "mean", "keep"])
def test_a_column_without_a_cell_is_to_be_left_out(missing, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b,c,d,y\n1,,?,p,u\n3,,nan,,v\n4,,,q,u\n")
    options = {"categorical": ["d"], "missing": missing}
    told = r"t.csv: a cell is missing in every row of columns 'b', 'c': leave them out \(drop=\['b', 'c'\], --drop 'b,c'\)"
    with pytest.raises(ValueError, match=told):
        load_table(path, "y", **options)
    with pytest.raises(ValueError, match=r"of column 'c': leave it out \(drop=\['c'\], --drop 'c'\)"):
        load_table(path, "y", drop=["b"], **options)
    with pytest.raises(ValueError, match="target 'b' is missing in every row: name another column to learn"):
        load_table(path, "b", categorical=["d", "y"], missing=missing)
    if missing == "drop":
        assert load_table(path, "y", drop=["b", "c"], **options).x.shape == (2, 3)


def test_rows_that_each_miss_another_cell(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b,y\n1,,u\n,3,v\n4,,u\n")
    with pytest.raises(ValueError, match=r"t.csv: every row misses a cell, in a, b: leave such a column out \(--drop\)"):
        load_table(path, "y", missing="drop")
    np.testing.assert_array_equal(load_table(path, "y", missing="mean").x, [[1, 3], [2.5, 3], [4, 3]])


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
