"""Where cells stand: after rows that are left out, below names over two lines, beside a column without a name."""

from __future__ import annotations

import numpy as np
import pytest

from fanin.datasets import load_csv, load_table
from fanin.datasets import table as tables

pytest.importorskip("pyarrow")


@pytest.fixture(params=["read at once", "asked"])
def wrote(request, tmp_path, monkeypatch):
    """Write a file that either reader of text reads, and return its path."""
    if request.param == "asked":
        monkeypatch.setattr(tables, "read_plain", lambda *_: None)

    def write(text: str):
        path = tmp_path / "t.tsv"
        path.write_bytes(text.encode())
        return path

    return write


def test_lines_are_those_of_the_file_after_rows_are_left_out(wrote, said):
    path = wrote("a\ty\n\t1\n2\t1\n\t2\n3\tx\n")
    assert said(lambda: load_table(path, "y", missing="drop")).startswith(
        f"ValueError: {path}, line 5, column 'y': 'x' is no plain number; beside it the target holds numbers"
    )
    table = load_table(path, "y", missing="drop", task="classification")
    assert (table.x.tolist(), table.classes, table.y.tolist()) == ([[2], [3]], ("1", "x"), [0, 1])
    assert table.notes[-1] == "2 of 4 rows left out: a cell is missing in a"


def test_a_first_column_without_a_name(wrote):
    """As pandas writes an index, in one row, too."""
    for rows in ("0\t5\tu\n1\t7\tv\n", "0\t5\tu\n", "\n1\t5\tu\n"):
        table = load_table(wrote(f"\ta\ty\n{rows}"), "y")
        assert table.columns == ("a",)
        assert table.x[0, 0] == 5


def test_names_in_quotes_may_hold_anything(wrote):
    table = load_table(wrote('"a\nb"\t"c\td"\t"e ""f"""\ty\n1\t2\t3\tu\n4\t5\t6\tv\n'), "y")
    assert table.columns == ("a\nb", "c\td", 'e "f"')
    np.testing.assert_array_equal(table.x, [[1, 2, 3], [4, 5, 6]])


def test_blank_lines_and_a_mark_before_the_names(wrote):
    for start in ("\n\n", "\ufeff", "\r\n"):
        table = load_table(wrote(f"{start}a\ty\n1\tu\n2\tv\n"), "y")
        assert (table.columns, table.x.tolist()) == (("a",), [[1], [2]])


def test_signs_of_numbers(wrote):
    table = load_table(wrote("a\tb\ty\n+5\t-1\t+1.5\n6\t+2.\t-.5e1\n"), "y")
    np.testing.assert_array_equal(table.x, [[5, -1], [6, 2]])
    assert (table.y.tolist(), table.loss) == ([1.5, -5], "mean_squared_error")


def test_points_of_plain_files(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b,y\n1.5,2,0\n.5,-3e2,1\n")
    x, y = load_csv(path, "y")
    assert (x.tolist(), y.tolist()) == ([[1.5, 2], [0.5, -300]], [0, 1])
