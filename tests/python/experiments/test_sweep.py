"""`fi.sweep`: the same rows wherever they ran, what it refuses, how it ends."""

from __future__ import annotations

import csv
import io
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

import fanin as fi
from fanin.common.digest import digest
from fanin.experiments import handover

RNG = np.random.default_rng(4)
X = RNG.standard_normal((120, 6))
Y = (X[:, 0] + X[:, 1] > 0).astype(int) + (X[:, 2] > 1)
GRID = {"activations": ["tanh", "relu"], "depths": [1, 3], "widths": 8, "seeds": [0, 5], "lrs": [0.1, 0.01]}
SMALL = {"epochs": 2, "batch_size": 20, **GRID}
LAWS = ["zeros", "xavier_normal"]


def test_same_rows_wherever_they_ran(monkeypatch):
    one = fi.sweep(LAWS, X, Y, threads=1, **SMALL)
    assert len(one) == 32
    assert not any(row.failure for row in one)
    assert fi.sweep(LAWS, X, Y, threads=3, **SMALL) == one
    with ThreadPoolExecutor(2) as pool:
        assert fi.sweep(LAWS, X, Y, executor=pool, **SMALL) == one
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert fi.sweep(LAWS, X, Y, executor=pool, **SMALL) == one
        monkeypatch.setattr(handover, "_LARGE", 0)  # through files
        assert fi.sweep(LAWS, X, Y, executor=pool, **SMALL) == one
        monkeypatch.setattr(handover.Stored, "open", lambda self: None)
        assert fi.sweep(LAWS, X, Y, executor=pool, **SMALL) == one
    back = fi.sweep(LAWS[::-1], X, Y, **(SMALL | {name: values[::-1] for name, values in GRID.items() if name != "widths"}))
    assert set(back.rows) == set(one.rows)
    assert fi.sweep("zeros", X, Y, epochs=2, batch_size=20, depths=3, widths=8, seeds=5, lrs=0.01).rows[0] in one.rows


class Elsewhere(Executor):
    """Another machine, where the files are not."""

    def __init__(self):
        self.sent = []

    def submit(self, fn, /, *args, **kwargs):
        self.sent.append(type(args[0].data).__name__)
        future = Future()
        future.set_result(None if self.sent[-1] == "Stored" else fn(*args, **kwargs))
        return future


def test_a_machine_without_the_files_is_sent_the_data(monkeypatch):
    monkeypatch.setattr(handover, "_LARGE", 0)
    elsewhere = Elsewhere()
    found = fi.sweep(LAWS, X, Y, executor=elsewhere, **SMALL)
    assert elsewhere.sent == ["Stored"] * 32 + ["Experiment"] * 32
    assert found == fi.sweep(LAWS, X, Y, **SMALL)


@pytest.mark.parametrize(
    "optimizer",
    [
        fi.SGD(0.1),
        fi.SGD(0.1, 0.9),
        fi.SGD(0.1, 0.9, True, clip_norm=0.5),
        fi.RMSProp(),
        fi.RMSProp(momentum=0.5, clip_norm=0.5),
        fi.Adam(),
        fi.Adam(weight_decay=0.1, clip_norm=0.5),
    ],
    ids=repr,
)
def test_weights_are_those_of_a_network_trained_alone(optimizer):
    options = {"depths": 2, "widths": 8, "seeds": [3, 4], "optimizer": optimizer, "epochs": 40, "batch_size": 20}
    found = fi.sweep("he_normal", X, Y, threads=2, **options)
    assert optimizer.steps == 0
    train, held_out = fi.datasets.split(X.astype("float32"), Y, 0.2, 0)
    for row in found:
        net = fi.Network([6, 8, 8, 3], init="he_normal", seed=row.seed)
        history = net.fit(train.x, train.y, epochs=40, batch_size=20, optimizer=optimizer.copy())
        assert row.steps == len(history.costs) == 200
        assert row.digest == digest([*net.weights, *net.biases])
        assert row.cost_end == net.loss(*train)
        assert row.error == np.mean(net.predict(held_out.x) != held_out.y)
        assert row.lr == optimizer.lr


def test_a_point_is_a_run_of_compare():
    compared = fi.compare(LAWS, X, Y, hidden=[8, 8], epochs=2, batch_size=20)
    for row, run in zip(fi.sweep(LAWS, X, Y, depths=2, widths=8, epochs=2, batch_size=20), compared.runs, strict=True):
        assert (row.law, row.cost_start, row.cost_end, row.error) == (run.law, run.cost_start, run.cost_end, run.error)
        assert row.verdict == run.diagnosis.verdict


def test_one_that_diverges_and_one_that_fails():
    found = fi.sweep(
        "he_normal", X, X[:, 0], loss="mean_squared_error", widths=8, activations="relu", lrs=[0.01, 1e6], epochs=5
    )
    good, bad = found
    assert good.error < np.inf
    assert (bad.diverged, bad.error, bad.cost_end) == (True, None, np.inf)
    assert bad.steps < good.steps
    assert "diverges" in str(found)
    assert found.best() is good
    found = fi.sweep("he_normal", X, Y, depths=[1, 3], widths=8, optimizer=fi.SGD([0.1, 0.2]), epochs=1)  # rates of two layers
    assert found.rows[0].failure is None
    assert found.rows[1].failure.startswith("ValueError: lr must be one number, or one for each of the 4 layers")
    assert "failed: ValueError" in str(found)
    with pytest.raises(ValueError, match="no row has a finite error"):
        found.where(depth=3).best()


def test_what_it_returns():
    found = fi.sweep(LAWS, X, Y, **SMALL)
    lines = str(found).splitlines()
    assert max(map(len, lines)) <= 100
    assert lines[0].startswith("32 points: width 8, cross_entropy, SGD(), batch 20, 2 epochs, 96 rows, 24 held out")
    text = io.StringIO()
    found.to_csv(text)
    rows = list(csv.DictReader(io.StringIO(text.getvalue())))
    assert [row["digest"] for row in rows] == found.column("digest")
    assert json.loads(json.dumps(found.to_dict()))["rows"][3]["error"] == found.rows[3].error
    assert len(found.where(law="zeros", depth=[1, 3], lr=0.1)) == 8
    assert found.best().error == min(found.column("error"))
    assert "... 24 more" in str(fi.sweep("zeros", X, Y, depths=0, seeds=range(64), epochs=0))
    for call in (lambda: found.column("loss"), lambda: found.where(loss=1), lambda: found.best("law")):
        with pytest.raises(ValueError, match="must be"):
            call()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"laws": []}, ValueError, "laws must have at least one value, got none"),
        ({"laws": ["zeros", "zeros"]}, ValueError, "laws must differ, got zeros, zeros"),
        ({"laws": "he_norm"}, ValueError, "did you mean 'he_normal'"),
        ({"activations": "tahn"}, ValueError, "did you mean 'tanh'"),
        ({"depths": -1}, ValueError, "depths must be an integer of at least 0, got -1"),
        ({"widths": [0]}, ValueError, "widths must be an integer of at least 1, got 0"),
        ({"widths": 2.5}, TypeError, "widths must be an integer of at least 1, got 2.5"),
        ({"seeds": -1}, ValueError, "seed must be an integer"),
        ({"lrs": [0.1, 0]}, ValueError, "lr must be"),
        ({"epochs": -1}, ValueError, "epochs must"),
        ({"activations": None}, TypeError, "activations must be a string, got None"),
        ({"held_out": (X,)}, TypeError, r"held_out must be \(x, y\), got 1 items"),
        ({"x": X.astype(complex)}, TypeError, "x must hold real numbers, got dtype complex128"),
        ({"x": 3.0}, ValueError, r"x must have shape \(n, n_in\)"),
        ({"y": 3}, ValueError, "same number of rows"),
        ({"split_seed": 1.5}, TypeError, "seed must be an integer"),
        ({"dtype": "float31"}, TypeError, "dtype must be float32 or float64, got float31"),
        ({"progress": 3}, TypeError, "progress must be"),
        ({"batch_size": 0}, ValueError, "batch_size must"),
        ({"optimizer": "sgd"}, TypeError, "optimizer must be an optimizer"),
        ({"threads": 0}, ValueError, "threads must"),
        ({"threads": 2, "executor": Elsewhere()}, ValueError, "threads must be left out with an executor"),
        ({"executor": 3}, TypeError, "executor must be a concurrent.futures.Executor, got 3"),
        ({"y": Y[:-1]}, ValueError, "same number of rows"),
        ({"loss": "hinge"}, ValueError, "y must"),
    ],
)
def test_refusals(options, error, message):
    with pytest.raises(error, match=message):
        fi.sweep(**({"laws": "zeros", "x": X, "y": Y} | options))


def test_threads_are_given_back():
    before = fi.num_threads()
    seen = []
    fi.sweep(LAWS, X, Y, threads=2, progress=lambda *_: seen.append(fi.num_threads()), **SMALL)
    assert fi.num_threads() == before
    assert len(seen) == 32


def test_progress(capsys, monkeypatch):
    told = []
    found = fi.sweep(LAWS, X, Y, threads=2, progress=lambda *args: told.append(args), **SMALL)
    assert [t[:2] for t in told] == [(i, 32) for i in range(1, 33)]
    assert {t[2] for t in told} == set(found.rows)
    assert fi.sweep(LAWS, X, Y, progress=True, **SMALL) == found
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setitem(sys.modules, "rich.console", None)
    fi.sweep(LAWS, X, Y, progress=True, **SMALL)
    assert "point 32 of 32  least error 0." in capsys.readouterr().err


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c(threads, ctrl_c):
    before, begin = fi.num_threads(), time.monotonic()
    timer = threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT])  # as the terminal does: to the process
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        fi.sweep("zeros", X, Y, seeds=range(4), widths=8, epochs=1_000_000, threads=threads)
    timer.join()
    assert time.monotonic() - begin < 10
    assert fi.num_threads() == before


@pytest.mark.parametrize("whole_group", [True, False], ids=["terminal", "kill"])
def test_ctrl_c_over_processes(tmp_path, whole_group, ctrl_c):
    # A point runs for half a minute: waiting for those begun, or for those that the pool has taken in, would be seen.
    (tmp_path / "script.py").write_text(
        """
import multiprocessing, time
from concurrent.futures import ProcessPoolExecutor
import fanin as fi
if __name__ == "__main__":
    x, y = fi.datasets.circle(200)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        list(pool.map(abs, range(8)))
        print("ready", flush=True)
        try:
            fi.sweep("zeros", x, y, seeds=range(20), widths=8, epochs=5_000_000, batch_size=None, executor=pool)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
"""
    )
    script = ctrl_c([sys.executable, tmp_path / "script.py"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert script.stdout.readline() == b"ready\n"
    time.sleep(0.5)
    begin = time.monotonic()
    (os.killpg if whole_group else os.kill)(script.pid, signal.SIGINT)
    assert script.communicate(timeout=60)[0] == b"interrupted\n"
    assert time.monotonic() - begin < 15
