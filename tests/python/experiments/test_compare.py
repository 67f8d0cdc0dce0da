"""`fi.compare`: what it holds equal, what it reports, what it refuses; and the bar of the default run."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import fanin as fi
from fanin.common.text import evenly, narrow

RNG = np.random.default_rng(4)
X = RNG.standard_normal((120, 6))
Y = (X[:, 0] + X[:, 1] > 0).astype(int) + (X[:, 2] > 1)
SMALL = {"hidden": [12, 12], "epochs": 2, "batch_size": 20, "seed": 1}


def test_rows_and_settings():
    r = fi.compare(["zeros", "xavier_normal"], X, Y, **SMALL)
    assert [run.law for run in r.runs] == ["zeros", "xavier_normal"]
    assert r.settings["sizes"] == [6, 12, 12, 3]
    assert (r.settings["rows"], r.settings["held_out"]) == (96, 24)
    zeros, xavier = r.runs
    assert zeros.diagnosis.verdict == "no gradient"
    assert zeros.cost_start == pytest.approx(np.log(3), rel=1e-6)
    assert len(xavier.costs) == 2 * 5
    assert len(xavier.spread) == len(xavier.gradients) == 2
    assert xavier.trace.batch == 96, "100 rows are wanted, 96 are there"
    assert xavier.cost_end < xavier.cost_start
    assert r["zeros"] is zeros
    with pytest.raises(KeyError, match="no run of 'he_normal'"):
        r["he_normal"]


def test_a_run_is_the_network_trained_alone():
    """One seed for split, weights and order, and a fresh optimizer for every law: no run sees the one before it."""
    optimizer = fi.SGD(lr=0.05, momentum=0.9)
    r = fi.compare(["zeros", "normal", "xavier_normal"], X, Y, optimizer=optimizer, **SMALL)
    assert optimizer.steps == 0
    train, held_out = fi.datasets.split(X.astype("float32"), Y, 0.2, 1)
    net = fi.Network([6, 12, 12, 3], init="xavier_normal", seed=1)
    history = net.fit(train.x, train.y, epochs=2, batch_size=20, optimizer=fi.SGD(lr=0.05, momentum=0.9))
    assert r["xavier_normal"].costs.tolist() == np.asarray(history.costs, float).tolist()
    assert r["xavier_normal"].error == np.mean(net.predict(held_out.x) != held_out.y)


def test_laws_in_every_form():
    r = fi.compare([fi.init.xavier_normal, "normal(std=0.1)"], X, Y, **SMALL)
    assert [run.law for run in r.runs] == ["xavier_normal", "normal(std=0.1)"]


def test_held_out_data_of_its_own():
    r = fi.compare(["xavier_normal"], X, Y, held_out=(X[:10], Y[:10]), **SMALL)
    assert (r.settings["rows"], r.settings["held_out"]) == (120, 10)


def test_a_table_brings_its_targets(tmp_path):
    (path := tmp_path / "t.csv").write_text(
        "a,b,kind\n" + "".join(f"{a},{b},k{y}\n" for (a, b), y in zip(X[:, :2], Y, strict=True))
    )
    table = fi.datasets.load_table(path, "kind")
    a, b = (fi.compare(["xavier_normal"], *data, **SMALL) for data in ((table,), (table.x, table.y)))
    assert a.runs[0].costs.tolist() == b.runs[0].costs.tolist()


def test_labels_of_any_kind_are_numbered_in_sorted_order():
    words = np.array(["c", "a", "b"])[Y]
    r = fi.compare(["xavier_normal"], X, words, **SMALL)
    assert r.settings["sizes"][-1] == 3
    same = fi.compare(["xavier_normal"], X, np.unique(words, return_inverse=True)[1], **SMALL)
    assert r.runs[0].costs.tolist() == same.runs[0].costs.tolist()


@pytest.mark.parametrize(("loss", "y"), [("mean_squared_error", X @ np.ones((6, 1))), ("mean_squared_error", X[:, 0])])
def test_real_targets(loss, y):
    r = fi.compare(["xavier_normal"], X, y, loss=loss, **SMALL)
    assert r.settings["sizes"][-1] == 1
    assert "held-out cost" in str(r)
    assert 0 < r.runs[0].error < np.inf


def test_two_classes_through_one_output():
    for loss, y in (("binary_cross_entropy", Y > 0), ("hinge", np.where(Y > 0, 1, -1))):
        r = fi.compare(["xavier_normal"], X, y, loss=loss, **SMALL)
        assert r.settings["sizes"][-1] == 1
        assert 0 <= r.runs[0].error < 0.6


def test_a_run_that_ends_at_chance_is_not_said_to_train():
    """Labels drawn beside the numbers: trials learn the rows by heart in more steps than the runs take."""
    found = []
    for seed, epochs in [(0, 1), (0, 10), (1, 1), (1, 10)]:
        draw = np.random.default_rng(seed)
        x, y = draw.standard_normal((200, 20)), draw.integers(0, 2, 200)
        r = fi.compare(["xavier_normal", "fan_in_uniform"], x, y, hidden=[100] * 4, epochs=epochs, seed=seed)
        cost, error = r.settings["constant_cost"], r.settings["constant_error"]
        for run in r:
            assert run.constant == (cost, error)
            assert run.is_at_chance == (run.cost_end >= 0.98 * cost)
            if run.diagnosis.outlook != "trains":
                continue
            if run.is_at_chance:
                words = f"no better than a constant after {2 * epochs} steps"
            elif run.error >= error:
                words = "held-out rows no better than a constant"
            else:
                words = run.diagnosis.trial.words()
            assert run.verdict == f"healthy: {words}"
            assert run.verdict in str(r)
            found.append(words)
    assert {"no better than a constant after 2 steps", "held-out rows no better than a constant"} <= set(found)


def test_words_at_the_end_go_with_the_figures():
    r = fi.compare(["xavier_normal"], X, Y, hidden=[12, 12], epochs=30, batch_size=20, seed=1)
    run = r.runs[0]
    assert run.verdict.startswith("healthy: trains")
    cost, error = run.constant
    at = replace(run, cost_end=0.98 * cost)
    assert at.verdict == "healthy: no better than a constant after 150 steps"
    assert replace(run, cost_end=0.97 * cost).verdict == run.verdict
    assert replace(run, error=error).verdict == "healthy: held-out rows no better than a constant"
    assert replace(run, error=0.0, constant=(cost, 0.0)).verdict == run.verdict, "nothing is left to be better at"
    untrained = replace(run, costs=run.costs[:0], cost_end=run.cost_start, error=error)
    assert untrained.verdict == run.verdict, "no step was taken"
    one = replace(at, costs=run.costs[:1])
    assert one.verdict == "healthy: no better than a constant after 1 step"


def test_what_stays_at_the_constant_does_not_learn_late():
    run = fi.compare(["normal(std=0.02)"], X, Y, **SMALL).runs[0]
    assert run.diagnosis.signal == "vanishing"
    late = replace(run, cost_start=4 * run.constant[0], cost_end=run.constant[0] / 2)
    assert late.learns_late
    assert "learns late" in late.verdict
    assert not replace(late, cost_end=run.constant[0]).learns_late


def test_no_hidden_layer():
    r = fi.compare(["zeros"], X, Y, **(SMALL | {"hidden": []}))
    assert r.runs[0].diagnosis.verdict == "healthy"
    assert "zeros" in str(r)


def test_progress_is_told():
    told = []
    fi.compare(["zeros", "normal"], X, Y, progress=lambda *args: told.append(args), **SMALL)
    assert told == [(law, done, 2) for law in ("zeros", "normal") for done in range(3)]


def test_divergence_is_reported_and_not_an_accident():
    r = fi.compare(
        ["normal(std=100)"], X, X[:, 0], loss="mean_squared_error", activation="relu", optimizer=fi.SGD(lr=1), **SMALL
    )
    assert "diverges" in r.runs[0].verdict
    assert "nan" in str(r) or "inf" in str(r)


def test_to_dict_is_json():
    r = fi.compare(["zeros", "normal"], X, Y, **SMALL)
    back = json.loads(json.dumps(r.to_dict()))
    assert back["runs"][1]["diagnosis"]["verdict"] == r.runs[1].diagnosis.verdict
    assert back["runs"][1]["costs"] == r.runs[1].costs.tolist()


def test_one_hot_targets_are_labels():
    one_hot = fi.compare(["normal"], X, np.eye(3)[Y], **SMALL).runs[0]
    assert np.array_equal(one_hot.costs, fi.compare(["normal"], X, Y, **SMALL).runs[0].costs)
    with pytest.raises(ValueError, match=r"y must be one-hot, .* at row 2"):
        fi.compare(["normal"], X, np.where(np.arange(120)[:, None] == 2, 0.5, np.eye(3)[Y]), **SMALL)


def test_table_is_plain_text():
    lines = str(fi.compare(["zeros", "normal"], X, Y, **SMALL)).splitlines()
    assert lines[0].startswith("6-12-12-3 tanh, cross_entropy, SGD(lr=0.1), batch 20, 2 epochs, 96 rows, 24 held out, seed 1")
    assert lines[2].split()[:4] == ["initialization", "std", "of", "a"]
    assert [line.split()[0] for line in lines[3:]] == ["zeros", "normal", "always"]


def test_numbers_of_the_table():
    values = [0, 0.26, 0.999, 5.06, 0.0001, 6.4e-05, 3e-12, 250.0, 1.2e8, float("inf")]
    assert [narrow(v) for v in values] == ["0", ".26", "1.00", "5.1", "1e-4", "6e-5", "3e-12", "2e2", "1e8", "inf"]
    assert evenly(3, 4) == [0, 1, 2]
    assert evenly(10, 4) == [0, 3, 6, 9]


def test_refusals():
    with pytest.raises(ValueError, match="laws must name at least one"):
        fi.compare([], X, Y)
    with pytest.raises(ValueError, match="laws must name at least one initialization, got none"):
        fi.compare(None, X, Y)
    with pytest.raises(ValueError, match="laws must differ"):
        fi.compare(["zeros", "zeros"], X, Y)
    with pytest.raises(ValueError, match="same number of rows"):
        fi.compare(["zeros"], X, Y[:-1])
    with pytest.raises(ValueError, match=r"x must have shape \(n, n_in\)"):
        fi.compare(["zeros"], X[:, 0], Y)
    with pytest.raises(ValueError, match="x must hold finite numbers, got NaN or infinity in row 3"):
        fi.compare(["zeros"], np.where(np.arange(120)[:, None] == 3, np.nan, X), Y)
    with pytest.raises(ValueError, match='use loss="mean_squared_error"'):
        fi.compare(["zeros"], X, X[:, 0])
    for options, message in (
        ({"hidden": 3}, "hidden must be a sequence of integers, got 3"),
        ({"hidden": [2.5]}, "hidden must be a sequence of integers"),
        ({"activation": None}, "activation must be a string, got None"),
        ({"epochs": "a"}, "epochs must be an integer of at least 0, got 'a'"),
        ({"batch_size": "a"}, "batch_size must be an integer of at least 1, or None for all rows, got 'a'"),
        ({"optimizer": "sgd"}, "optimizer must be an optimizer"),
        ({"seed": None}, "seed must be an integer"),
        ({"progress": "bar"}, "progress must be a function"),
    ):
        with pytest.raises(TypeError, match=message):
            fi.compare(**{"laws": ["zeros"], "x": X, "y": Y, **options})
    with pytest.raises(ValueError, match="at least two classes"):
        fi.compare(["zeros"], X, np.zeros(120, int))
    with pytest.raises(ValueError, match="held_out must be"):
        fi.compare(["zeros"], X, Y, held_out=(X[:10, :5], Y[:10]))
    with pytest.raises(ValueError, match="xavier_normal"):
        fi.compare(["zeros", "xavier_norm"], X, Y)


def digits(seed):
    return fi.compare(["zeros", "fan_in_uniform", "xavier_normal", "normal"], *fi.datasets.digits(), held_out=397, seed=seed)


@pytest.fixture(scope="module")
def default_run():
    """The default run of `fanin compare`."""
    pytest.importorskip("sklearn")
    return digits(0)


def check_digits(r):
    """The errors' ranges are wide around a NumPy run's .92, .07, .03, .41."""
    zeros, uniform, xavier, normal = r.runs
    assert zeros.diagnosis.verdict == "no gradient"
    assert uniform.diagnosis.signal == "vanishing"
    assert uniform.learns_late
    assert "learns late" in uniform.verdict
    assert xavier.diagnosis.verdict == "healthy"
    assert normal.diagnosis.verdict == "saturated"
    assert normal.verdict.startswith("saturated: ")
    assert normal.verdict.endswith(" at 0.1, gradients exploding")
    assert "always the commonest class: cost 2.3" in str(r)
    assert xavier.error == min(run.error for run in r.runs)
    assert xavier.error < 0.08
    assert zeros.error > 0.8
    assert 0.2 < normal.error < 0.7


def test_the_default_run(default_run):
    check_digits(default_run)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_the_default_run_for_20_seeds(seed):
    pytest.importorskip("sklearn")
    check_digits(digits(seed))


def test_figure(tmp_path):
    pytest.importorskip("matplotlib")
    from fanin.reports import comparison_figure as report

    r = fi.compare(["zeros", "normal", "xavier_normal"], X, Y, **SMALL)
    report.save_figure(r, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
    deep = fi.compare(["he_normal"], X, Y, activation="relu", hidden=[8] * 9, epochs=1)
    assert len(report.figure(deep).subfigs[1].axes) == 5
    none = fi.compare(["zeros"], X, Y, **(SMALL | {"hidden": []}))
    report.save_figure(none, tmp_path / "b.svg")
    diverging = fi.compare(
        ["normal(std=100)"], X, X[:, 0], loss="mean_squared_error", activation="relu", optimizer=fi.SGD(lr=1), **SMALL
    )
    report.save_figure(diverging, tmp_path / "c.png")
    with pytest.raises(ValueError, match="figure must end with one of"):
        report.check_path("a.nonsense")
    with pytest.raises(FileNotFoundError, match="no folder"):
        report.check_path(tmp_path / "nowhere" / "a.png")


@pytest.mark.parametrize("width", [80, 100, 160])
def test_rich_table_keeps_every_word(default_run, width):
    pytest.importorskip("rich")
    from rich.console import Console

    from fanin.reports import comparison_figure as report

    console = Console(width=width, file=None, record=True, quiet=False, force_terminal=False)
    with console.capture() as capture:
        console.print(report.rich_table(default_run, width))
    text = capture.get()
    assert "…" not in text
    words = set(text.split())
    for row in default_run.table()[1]:
        assert set(" ".join(row).split()) <= words
