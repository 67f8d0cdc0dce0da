"""Where the decisions on tables change: names and delimiters that are found, blanks, quotes, lines, labels, counted rows."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from fanin import datasets
from fanin.datasets import delimited, load_table
from fanin.datasets import table as tables
from fanin.datasets.decide import Source, few, looks

pa = pytest.importorskip("pyarrow")


@pytest.fixture
def wrote(tmp_path):
    """Write a file, and return its path."""

    def write(text: str | bytes, name: str = "t.csv"):
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


# ------------------------------------------------------------------------------------------------ text into cells


@pytest.mark.parametrize(
    ("name", "raw", "mark"),
    [
        ("t.csv", b"a,b\n1,2\n", ","),
        ("t.csv", b"a\n1\n", ","),
        ("t.csv", b"a;b\n1,5;2\n", ";"),
        ("t.csv", b"a|b\n1|2\n", "|"),
        ("t.tsv", b"a,b\tc\n1,2\t3\n", "\t"),
        ("T.TAB", b"a,b\tc\n1,2\t3\n", "\t"),
        ("t.tsv.gz", b"a,b\tc\n1,2\t3\n", "\t"),
        ("t.tsv", b"a;b\n1;3\n", ";"),
        ("t.csv", b'"a,b";c\n"1,2";3\n', ";"),  # what stands in quotes is one cell
        ("t.csv", b"a;b\n1;2\n3\n", ";"),  # rows of unequal lengths: what the first line holds
        ("t.csv", b"a;b\n1;2,2\n3,3;3\n", ";"),
    ],
)
def test_delimiters_that_are_found(name, raw, mark):
    assert delimited.delimiter_of(name, raw) == mark


def test_delimiters_that_are_not_found(said):
    for name, raw, words in (
        ("t.csv", b"a,b\tc\n1,2\t3\n", "commas or tabs"),
        ("t.tsv", b"a,b;c\n1,2;3\n", "commas or semicolons"),
        ("t.csv", b"a,b;c\n1,2;2;2\n5\n", "commas or semicolons"),
    ):
        assert said(lambda name=name, raw=raw: delimited.delimiter_of(name, raw)) == (
            f"ValueError: {name}: cells are separated by {words}: name it, delimiter=',' (--delimiter)"
        )


def test_a_sample_that_may_be_cut_in_a_row(monkeypatch):
    monkeypatch.setattr(delimited, "SAMPLE", 10)
    assert delimited.delimiter_of("t.csv", b"a;b\n1;2\n3;4,5\n") == ";"
    assert delimited.delimiter_of("t.csv", b"aaaaaaaaaaaaa;b\n1;2\n") == ",", "one row that is cut holds no mark"


@pytest.mark.parametrize(("mark", "word"), [("\t", "tabs"), (";", "semicolons"), ("|", "bars"), (",", "commas"), (":", "':'")])
def test_words_for_delimiters(mark, word):
    assert delimited.called(mark) == word


@pytest.mark.parametrize(
    ("names", "accepted"),
    [
        ("a,b,c", True),
        ("1,2,3", True),
        ("0,1,2", True),
        ("5,6,7", True),
        ("1,3,2", False),
        ("1,2,4", False),
        ("7,8,c", True),
        ("8,7,c", True),
        ("1.5,b,c", False),
        ("-1,b,c", False),
        ("a,b,1e3", False),
        ("a,b,.5", False),
        ("a,b,1.", False),
        ("a,b,v1.5", True),
    ],
)
def test_names_of_columns_that_are_numbers(wrote, said, names, accepted):
    """A line of data in place of names is refused; columns may be counted, and single ones be called by whole numbers."""
    path, listed = wrote(f"{names}\n4,5,6\n7,8,9\n"), names.split(",")
    if accepted:
        assert load_table(path, listed[2]).columns == tuple(listed[:2])
    else:
        numbers = [one for one in listed if one not in "abc"]
        assert said(lambda: load_table(path, listed[2])) == (
            f"ValueError: {path}, line 1: must name the columns, got numbers ({', '.join(numbers)}, ...): add a line of names, "
            "or read it with header=False (--no-header), which calls them 1, 2, ..."
        )


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"a,b", False),
        (b"a b,c d", False),
        (b" a,b", True),
        (b"a,b ", True),
        (b"a ,b", True),
        (b"a, b", True),
        (b"a,b \nc,d", True),
        (b"a,b\n c,d", True),
        (b"a,b\r c,d", True),
        (b"a;b ;c", False),
    ],
)
def test_blanks_beside_cells(raw, found):
    assert delimited.blanks_beside(raw, ",") == found


def test_blanks_go_but_for_those_in_quotes(wrote):
    path = wrote(' a , "b " , " c" ,y \n 1 ,"  p q ", 2 , u\n"3","r" , 4,"v "\n')
    table = load_table(path, "y", categorical=["b"])
    assert table.columns == ("a", "b=  p q ", "b=r", "c")
    assert table.classes == ("u", "v ")
    np.testing.assert_array_equal(table.x, [[1, 1, 0, 2], [3, 0, 1, 4]])


def test_quotes_stand_around_whole_cells(wrote, said):
    quote, after, never = (
        "a quote inside a cell that begins with none: double it, in quotes",
        "text after the quote that closes a cell",
        "a quote that never closes",
    )
    for text, line, words in (
        ('a,y\n1,u"v"\n', 2, quote),
        ('a,y\n1,"u"v\n', 2, after),
        ('a,y\n1,u\n2,"v\n', 3, never),
        ('a,y\r1,u\r2,"v\r', 3, never),
        ('"a"x,y\n1,u\n', 1, after),
    ):
        path = wrote(text)
        assert said(lambda path=path: load_table(path, "y")) == f"ValueError: {path}, line {line}: {words}"
    for text, classes in (
        ('a,y\n1,"u""v"\n2,""\n', ("", 'u"v')),
        ('a,y\n1,"u\nv"\n2,"w"', ("u\nv", "w")),
        ('a,y\n1,""""\n2,"""x"""\n', ('"', '"x"')),
    ):
        assert load_table(wrote(text), "y").classes == classes


def test_lines_of_what_is_wrong(wrote, said):
    """Lines count from 1, blank ones and those in quotes, too, however they end."""
    for text, line in (
        (b"a,y\n1,u\n2,\xe9\n", 3),
        (b"\na,y\n1,\xe9\n", 3),
        (b"a,y\r\n1,u\r\n2,\xe9\r\n", 3),
        (b"a,y\r1,u\r2,\xe9\r", 3),
    ):
        path = wrote(text)
        assert said(lambda path=path: load_table(path, "y")).startswith(f"ValueError: {path}, line {line}: must be a text file")
    for text, line in ((b"a,y\n1,\0\n", 2), (b"\na,y\n1,\0\n", 3), (b"\0", 1)):
        path = wrote(text)
        assert said(lambda path=path: load_table(path, "y")) == f"ValueError: {path}, line {line}: a byte 0: no text file?"
    for text, line in (
        ('a,y\n1,"u\nv"\nx,w\n', 4),
        ("a,y\n\n1,u\n\n\nx,v\n", 6),
        ("\n\na,y\r\n1,u\r\nx,v\r\n", 5),
    ):
        path = wrote(text)
        assert f"{path}, line {line}, column 'a': must be a finite number, got 'x'" in said(
            lambda path=path: load_table(path, "y")
        )
    for cells, got in (("3", 1), ("3,4,5", 3)):
        hint = "; a comma inside a cell wants quotes around it" if got == 3 else ""
        path = wrote(f"a,y\n1,2\n\n{cells}\n")
        assert said(lambda path=path: load_table(path, "y")) == (
            f"ValueError: {path}, line 4: must have 2 cells as the header, got {got}{hint}"
        )


def test_files_without_a_row(wrote, said):
    for text, words in (
        ("", "must hold a table, got an empty file"),
        (" \n\n ", "must hold a table, got an empty file"),
        ("a,y\n", "must hold at least one row below the names of the columns"),
        ("a,y\n\r\n\n", "must hold at least one row below the names of the columns"),
    ):
        path = wrote(text)
        assert said(lambda path=path: load_table(path, "y")) == f"ValueError: {path}: {words}"
    assert said(lambda: delimited.top("t", b"\r\n\n", ",", True)) == "ValueError: t: must hold a table, got blank lines"


def test_rows_longer_than_a_block():
    body = b"x" * 1000 + b",1\n" + b"y,2\n" * 3
    found = delimited.parse(body, ["a", "b"], ",", (), block=16)
    assert found["b"].to_pylist() == ["1", "2", "2", "2"]
    assert len(found["a"][0].as_py()) == 1000
    assert delimited.parse(body, ["a", "b"], ",", (), ["b"], numbers=["b"], block=16)["b"].to_pylist() == [1, 2, 2, 2]


@pytest.mark.parametrize("cell", delimited.MISSING)
def test_every_spelling_of_a_missing_cell(wrote, cell):
    """In quotes it is a text."""
    table = load_table(wrote(f"a,k,y\n1,p,u\n{cell},p,v\n3,p,u\n"), "y", missing="keep", drop=["k"])
    np.testing.assert_array_equal(table.x, [[1], [np.nan], [3]])
    quoted = load_table(wrote(f'a,k,y\n1,p,u\n2,"{cell}",v\n'), "y", categorical=["k"])
    assert set(quoted.columns) == {"a", "k=p", f"k={cell}"}


@pytest.mark.parametrize("magic", list(delimited.OTHER))
def test_files_of_another_kind_are_named(wrote, said, magic):
    path = wrote(magic + b"more of it")
    assert said(lambda: load_table(path, "y")) == f"ValueError: {path}: no text, but {delimited.OTHER[magic]}"


@pytest.mark.parametrize("delimiter", ["", ",,", '"', "\n", "\r", "\0", "é"])
def test_what_is_no_delimiter(wrote, said, delimiter):
    words = "delimiter must be one ASCII character, no quote or line end, got"
    assert said(lambda: load_table(wrote("a,y\n1,u\n"), "y", delimiter=delimiter)) == f"ValueError: {words} {delimiter!r}"


# ------------------------------------------------------------------------------------------------ decisions


@pytest.mark.parametrize(
    ("values", "dropped"),
    [("0 1 2", True), ("1 2 3", True), ("2 3 4", False), ("0 1 3", False), ("1 0 1", False), ("0 2 4", False)],
)
@pytest.mark.parametrize("name", ["", "index", "Unnamed: 0"])
def test_a_column_that_counts_the_rows_is_left_out(wrote, said, name, values, dropped):
    rows = "\n".join(f"{value},{i * i},{'uv'[i % 2]}" for i, value in enumerate(values.split()))
    path = wrote(f"{name},a,y\n{rows}\n")
    if dropped:
        assert load_table(path, "y").columns == ("a",)
    elif name == "index" and len(set(values.split())) < 3:
        assert load_table(path, "y").columns == ("index", "a")
    else:
        why = "an identifier: all different" if name == "index" else "in a column without a name"
        assert f"line 2, column {name!r}: {values[0]!r}, {why}" in said(lambda: load_table(path, "y"))


@pytest.mark.parametrize(
    ("cell", "start"),
    [
        ("2020-01-31", "a date: "),
        ("31.1.2020", "a date: "),
        ("1/31/20 10:00", "a date: "),
        ("1,5", "a number with a decimal comma: "),
        ("-3,25e4", "a number with a decimal comma: "),
        ("inf", "a number in another spelling: correct it"),
        ("-Infinity", "a number in another spelling: correct it"),
        (" 1.5 ", "a number in another spelling: correct it"),
        ("$ 5", "a number in another spelling or with a unit: "),
        ("12 kg", "a number in another spelling or with a unit: "),
        ("40%", "a number in another spelling or with a unit: "),
        ("1'000.5", "a number in another spelling or with a unit: "),
        ("\u22125", "a number in another spelling or with a unit: "),
        ("five", ""),
        ("12 kilogram", ""),
        ("a1", ""),
        ("-", ""),
        ("", ""),
    ],
)
def test_what_a_text_looks_like(cell, start):
    assert looks(cell).startswith(start)
    assert bool(looks(cell)) == bool(start)


def test_columns_with_few_different_cells_can_be_categories():
    """At most a hundred, and half of the rows or 20."""

    def of(different: int, rows: int) -> bool:
        cells = pa.array([f"c{i % different}" for i in range(rows)])
        return few(Source("t", pa.table({"k": cells}), str, str), "k")

    assert [of(*pair) for pair in ((20, 20), (21, 21), (21, 42), (22, 43), (100, 200), (101, 300))] == [
        True,
        False,
        True,
        False,
        True,
        False,
    ]
    assert not few(Source("t", None, str, str, {"k": np.zeros(3)}), "k"), "what is read as numbers already"


@pytest.mark.parametrize(("different", "rows", "labels"), [(20, 40, True), (21, 40, False), (21, 210, True), (22, 210, False)])
def test_whole_numbers_are_labels_up_to_a_limit(wrote, said, different, rows, labels):
    text = "".join(f"{i * i % 97},{i % different}\n" for i in range(rows))
    path = wrote("a,y\n" + text)
    if labels:
        assert load_table(path, "y").classes == tuple(range(different))
    else:
        assert said(lambda: load_table(path, "y")) == (
            f"ValueError: {path}: target 'y' has {different} different whole numbers in {rows} rows: a quantity "
            "(task='regression', --task regression) or labels (task='classification', --task classification)?"
        )
    assert load_table(path, "y", task="regression").loss == "mean_squared_error"
    assert load_table(path, "y", task="classification").classes == tuple(range(different))


def test_a_category_may_have_a_hundred_values(wrote, said):
    path = wrote("k,y\n" + "".join(f"c{i},{i % 2}\n" for i in range(100)))
    assert load_table(path, "y", categorical=["k"]).x.sum() == 100
    path = wrote("k,y\n" + "".join(f"c{i},{i % 2}\n" for i in range(101)))
    assert said(lambda: load_table(path, "y", categorical=["k"])) == (
        f"ValueError: {path}: category 'k' has 101 different values, more than 100: group them first, or leave the column "
        "out (drop=['k'], --drop k)"
    )


@pytest.mark.parametrize("quick", [True, False])
def test_decimal_commas_beside_words_and_points(wrote, said, monkeypatch, quick):
    """Words keep their commas; points beside decimal commas may be of thousands, and are asked about."""
    if not quick:
        monkeypatch.setattr(tables, "read_plain", lambda *_: None)
    path = wrote('a;k;n;y\n1,5;"p,1";3;u\n-2;q;4;v\n')
    table = load_table(path, "y", decimal=",", categorical=["k"])
    assert (table.columns, table.classes) == (("a", "k=p,1", "k=q", "n"), ("u", "v"))
    np.testing.assert_array_equal(table.x, [[1.5, 1, 0, 3], [-2, 0, 1, 4]])
    path = wrote("a;b;y\n1,5;1.234;u\n2,5;5.678;v\n")
    assert f"{path}, line 2, column 'b': must be a finite number, got '1.234'" in said(
        lambda: load_table(path, "y", decimal=",")
    )
    assert load_table(path, "y", decimal=",", drop=["b"]).x.tolist() == [[1.5], [2.5]]
    assert load_table(path, "a", decimal=",", drop=["b"], categorical=["y"]).y.tolist() == [1.5, 2.5]


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for source in ("t.csv", "t.parquet"):
        with pytest.raises(ModuleNotFoundError, match=r"^tables need PyArrow: pip install 'fanin\[report\]'$") as caught:
            load_table(source, "y")
        assert caught.value.name == "pyarrow"


# ------------------------------------------------------------------------------------------------ frames as arrays


def test_a_frame_for_a_loss(said):
    frame = pa.table({"a": [1.0, 2.0, 3.0], "b": [0.5, 0.0, 1.0], "y": [3, 5, 3], "q": [0.5, 1.5, 2.5], "t": ["v", "u", "v"]})
    x, y, columns = tables.arrays(frame.select(["a", "b", "y"]), "y", "mean_squared_error")
    assert (y.dtype, y.tolist(), columns) == (np.float64, [3, 5, 3], ("a", "b"))
    np.testing.assert_array_equal(x, [[1, 0.5], [2, 0], [3, 1]])
    _, y, _ = tables.arrays(frame.select(["a", "t"]), "t", "hinge")
    assert y.tolist() == ["v", "u", "v"]
    plain = SimpleNamespace()
    assert tables.arrays(plain, "y", "hinge") == (plain, "y", None)
    assert tables.arrays(frame, [1], "hinge") == (frame, [1], None)
    assert said(lambda: tables.arrays(frame.select(["a", "q"]), "q", "cross_entropy")) == (
        "ValueError: target 'q' is a quantity, 0.5 to 2.5: loss must be \"mean_squared_error\", got 'cross_entropy'"
    )
    assert tables.arrays(frame.select(["a", "b", "y"]), "y", "hinge", ("a", "b"))[2] == ("a", "b")
    assert said(lambda: tables.arrays(frame.select(["b", "a", "y"]), "y", "hinge", ("a", "b"))) == (
        "ValueError: x must have the columns a, b in this order, got b, a"
    )


@pytest.mark.parametrize("kind", ["string", "large_string", "string_view"])
def test_every_type_of_text_in_a_frame(kind):
    make = {"string": pa.string, "large_string": pa.large_string, "string_view": pa.string_view}[kind]
    frame = pa.table(
        {"a": pa.array(["1", "2.5"], make()), "k": pa.array(["p", "q"], make()), "y": pa.array(["u", "v"], make())}
    )
    table = load_table(frame, "y", categorical=["k"])
    np.testing.assert_array_equal(table.x, [[1, 1, 0], [2.5, 0, 1]])
    assert table.classes == ("u", "v")


# ------------------------------------------------------------------------------------------------ other files


def test_whole_numbers_of_an_archive_are_labels_as_far_as_they_are_exact(tmp_path):
    path = tmp_path / "d.npz"
    for top, kind in ((2.0**53 - 1, np.int64), (2.0**53, np.float64), (-(2.0**53), np.float64), (0.5, np.float64)):
        np.savez(path, x=np.ones((2, 3)), y=np.array([0.0, top]))
        y = datasets.load_npz(path).y
        assert (y.dtype, y.tolist()) == (kind, [0, top])
    np.savez(path, x=np.ones((2, 3)), y=np.array([[1], [2**53]]))
    assert datasets.load_npz(path).y.tolist() == [1, 2**53]
