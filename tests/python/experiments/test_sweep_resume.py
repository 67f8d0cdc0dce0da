"""Rows that are kept as they come: a sweep goes on where another ended, and lost points are handed out again."""

import itertools
from concurrent.futures import Executor, Future

import pytest

import fanin as fi

X, Y = fi.datasets.circle(60, 0)
GRID = {"depths": [0, 2], "widths": 5, "seeds": [0, 1], "lrs": [0.1, 1e30], "epochs": 1}


def run(path, laws=("zeros", "he_normal"), **options):
    return fi.sweep(list(laws), X, Y, **{**GRID, **options}, resume=path)


def test_a_sweep_goes_on_where_another_ended(tmp_path):
    file = tmp_path / "rows.csv"
    whole = fi.sweep(["zeros", "he_normal"], X, Y, **GRID)
    told = []

    def stop(done, points, row):
        told.append(row)
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(file, progress=stop, threads=1)
    assert len(file.read_text().splitlines()) == 1 + 5
    again = []
    found = run(file, progress=lambda done, points, row: again.append(done), threads=1)
    assert found == whole
    assert again == list(range(6, 17))
    assert run(file, progress=lambda *_: pytest.fail("nothing is left to run")) == whole


def test_a_cut_line_is_run_again(tmp_path):
    file = tmp_path / "rows.csv"
    whole = run(file)
    text = file.read_text()
    file.write_text(text[:-20])
    told = []
    assert run(file, progress=lambda done, points, row: told.append(row)) == whole
    assert len(told) == 1
    assert sorted(file.read_text().splitlines()[1:])[0].count(",") == text.splitlines()[0].count(",")


def test_other_data_and_settings_are_other_rows(tmp_path):
    file = tmp_path / "rows.csv"
    run(file)
    for options in ({"epochs": 2}, {"split_seed": 1}, {"optimizer": fi.SGD(0.1, momentum=0.5)}):
        told = []
        assert run(file, **options, progress=lambda *_, told=told: told.append(1)) == fi.sweep(
            ["zeros", "he_normal"], X, Y, **{**GRID, **options}
        )
        assert len(told) == 16
    told = []
    fi.sweep("zeros", X, 1 - Y, **GRID, resume=file, progress=lambda *_: told.append(1))
    assert len(told) == 8


def test_a_rate_for_each_layer(tmp_path):
    rates = fi.sweep("he_normal", X, Y, depths=1, widths=5, lrs=[(0.1, 0.2)], epochs=1, resume=tmp_path / "rows.csv")
    assert fi.sweep("he_normal", X, Y, depths=1, widths=5, lrs=[(0.1, 0.2)], epochs=1, resume=tmp_path / "rows.csv") == rates


def test_another_file_is_refused(tmp_path):
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="resume must be a table that a sweep wrote"):
        run(tmp_path / "other.csv")
    assert (tmp_path / "other.csv").read_text() == "a,b\n1,2\n"


class Loses(Executor):
    """An executor whose workers are lost: every third point that it is given."""

    def __init__(self):
        self.given = itertools.count()

    def submit(self, function, /, *arguments):
        future = Future()
        if next(self.given) % 3 == 0:
            future.set_exception(ConnectionError("the worker is gone"))
        else:
            future.set_result(function(*arguments))
        return future


def test_a_lost_worker_costs_its_points_alone(tmp_path):
    whole = fi.sweep(["zeros", "he_normal"], X, Y, **GRID)
    once = run(tmp_path / "once.csv", executor=Loses())
    lost = [row for row in once if row.failure is not None]
    assert [row.failure for row in lost] == ["ConnectionError: the worker is gone"] * 6
    assert run(tmp_path / "once.csv") == whole  # what failed is run again
    assert fi.sweep(["zeros", "he_normal"], X, Y, **GRID, executor=Loses(), retries=4) == whole
    with pytest.raises(ValueError, match="retries must be"):
        run(tmp_path / "once.csv", retries=-1)


def test_compare_by_an_executor():
    from concurrent.futures import ThreadPoolExecutor

    laws = ["zeros", "he_normal", fi.init.normal]
    alone = fi.compare(laws, X, Y, hidden=[5, 5], epochs=2)
    with ThreadPoolExecutor(2) as pool:
        told = []
        found = fi.compare(laws, X, Y, hidden=[5, 5], epochs=2, executor=pool, progress=lambda *one: told.append(one))
    assert found.to_dict() == alone.to_dict()
    assert sorted(told) == sorted((name, done, 2) for name in ("zeros", "he_normal", "normal") for done in (0, 2))
    assert fi.compare(laws, X, Y, hidden=[5, 5], epochs=2, executor=Loses(), retries=3).to_dict() == alone.to_dict()
    with pytest.raises(ConnectionError):
        fi.compare(laws, X, Y, hidden=[5, 5], epochs=2, executor=Loses())
