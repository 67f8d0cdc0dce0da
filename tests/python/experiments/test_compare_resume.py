"""Runs of a comparison that are kept as they come: it goes on where another ended, and lost workers cost their laws alone."""

import csv
from concurrent.futures import Executor, Future, ThreadPoolExecutor

import numpy as np
import pytest

import fanin as fi

X, Y = fi.datasets.circle(120, 0)
LAWS = ("zeros", "he_normal", "normal(std=1e30)", fi.init.xavier_normal)
OPTIONS = {"hidden": [6, 6], "activation": "relu", "epochs": 3}


def run(path, laws=LAWS, x=X, y=Y, **options):
    return fi.compare(list(laws), x, y, **{**OPTIONS, **options}, resume=path)


@pytest.fixture(scope="module")
def whole():
    return fi.compare(list(LAWS), X, Y, **OPTIONS)


def same(found, whole):
    """Every number of the settings, traces, diagnoses, trials and costs, and every word; but for the times."""
    words = [[str(one.diagnosis) for one in result] for result in (found, whole)]
    return found.to_json() == whole.to_json() and words[0] == words[1]


def test_a_comparison_goes_on_where_another_ended(tmp_path, whole):
    file = tmp_path / "runs.csv"
    told = []

    def stop(law, done, epochs):
        told.append(law)
        if law == "normal(std=1e30)" and done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(file, progress=stop)
    with file.open(newline="") as lines:
        assert [line["law"] for line in csv.DictReader(lines)] == ["zeros", "he_normal"]
    again = []
    found = run(file, progress=lambda law, done, epochs: again.append((law, done)))
    assert same(found, whole)
    assert again == [(law, done) for law in ("normal(std=1e30)", "xavier_normal") for done in range(4)]
    for first, kept in zip(found, run(file, progress=lambda *_: pytest.fail("nothing is left to train")), strict=True):
        assert kept.seconds == first.seconds
        assert kept.diagnosis == first.diagnosis
        np.testing.assert_array_equal(kept.costs, first.costs)
        np.testing.assert_array_equal(kept.trace.layers[0].a.histogram, first.trace.layers[0].a.histogram)


def test_the_order_and_the_choice_of_laws_are_free(tmp_path, whole):
    run(tmp_path / "runs.csv")
    found = run(tmp_path / "runs.csv", laws=("xavier_normal", "zeros"), progress=lambda *_: pytest.fail("all are kept"))
    assert [one.law for one in found] == ["xavier_normal", "zeros"]
    assert found["zeros"].diagnosis == whole["zeros"].diagnosis


def test_other_data_and_settings_are_other_runs(tmp_path):
    file = tmp_path / "runs.csv"
    run(file, laws=["zeros"])
    for options in ({"epochs": 2}, {"seed": 1}, {"hidden": [6]}, {"activation": "tanh"}, {"optimizer": fi.SGD(0.2)}):
        told = []
        found = run(file, laws=["zeros"], **options, progress=lambda *_, told=told: told.append(1))
        assert told
        assert same(found, fi.compare(["zeros"], X, Y, **{**OPTIONS, **options}))
    told = []
    run(file, laws=["zeros"], y=1 - Y, progress=lambda *_: told.append(1))
    assert told


def test_a_cut_line_is_run_again(tmp_path, whole):
    file = tmp_path / "runs.csv"
    run(file)
    text = file.read_text()
    for cut in (1, 20, len(text.splitlines()[-1]) + 1):
        file.write_text(text[:-cut])
        told = set()
        assert same(run(file, progress=lambda law, *_, told=told: told.add(law)), whole)
        assert told == {"xavier_normal"}
        assert len(file.read_text().splitlines()) == 1 + len(LAWS)


def test_costs_of_a_long_training(tmp_path):
    """A field of more than 131072 characters, csv's own limit."""
    options = {"hidden": [2], "activation": "tanh", "epochs": 100, "batch_size": 1, "loss": "mean_squared_error"}
    first = run(tmp_path / "runs.csv", laws=["he_normal"], **options)
    assert (tmp_path / "runs.csv").stat().st_size > 131072
    assert same(run(tmp_path / "runs.csv", laws=["he_normal"], **options, progress=lambda *_: pytest.fail("kept")), first)
    assert csv.field_size_limit() == 131072


def test_another_file_is_refused(tmp_path):
    fi.sweep("zeros", X, Y, depths=1, widths=3, epochs=1, resume=tmp_path / "rows.csv")
    before = (tmp_path / "rows.csv").read_text()
    with pytest.raises(ValueError, match="resume must be a table that a comparison wrote"):
        run(tmp_path / "rows.csv")
    assert (tmp_path / "rows.csv").read_text() == before


class Loses(Executor):
    """An executor whose worker is lost with one law, so many times."""

    def __init__(self, law, times=10**9):
        self.law, self.times = law, times

    def submit(self, function, /, *arguments):
        future = Future()
        if arguments[1] == self.law and self.times:
            self.times -= 1
            future.set_exception(ConnectionError("the worker is gone"))
        else:
            future.set_result(function(*arguments))
        return future


def test_a_lost_worker_costs_its_law_alone(tmp_path, whole):
    file = tmp_path / "runs.csv"
    with pytest.raises(ConnectionError):
        run(file, executor=Loses("zeros"), retries=1)
    with file.open(newline="") as lines:
        assert {line["law"] for line in csv.DictReader(lines)} == {"he_normal", "normal(std=1e30)", "xavier_normal"}
    told = set()
    with ThreadPoolExecutor(2) as pool:
        assert same(run(file, executor=pool, progress=lambda law, *_: told.add(law)), whole)
    assert told == {"zeros"}
    assert same(run(tmp_path / "other.csv", executor=Loses("he_normal", 2), retries=2), whole)
