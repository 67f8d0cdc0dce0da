"""The command line: what it prints, where, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import fanin as fi
from fanin.cli import main
from fanin.cli.options import laws
from fanin.datasets import scaled

pytest.importorskip("rich")
pytest.importorskip("matplotlib")
FAST = ["--hidden", "8,8", "--epochs", "1", "--batch-size", "20"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty current directory with two tables of 80 rows: labels.csv (a, b, kind: text) and sizes.csv (a, b, size: real)."""
    monkeypatch.chdir(tmp_path)
    rows = np.random.default_rng(1).standard_normal((80, 2)) * [1, 100]
    kinds = ["up" if a + b / 100 > 0 else "down" for a, b in rows]
    for name, column, values in (("labels", "kind", kinds), ("sizes", "size", [f"{a + b:.6g}" for a, b in rows])):
        lines = [f"{a:.6g},{b:.6g},{value}" for (a, b), value in zip(rows, values, strict=True)]
        (tmp_path / f"{name}.csv").write_text("\n".join([f"a,b,{column}", *lines, ""]))
    np.savez(tmp_path / "both.npz", x=rows, y=np.array(kinds) == "up")
    return tmp_path


def test_compare_on_labels(folder, capsys):
    assert main(["compare", "--data", "labels.csv", "--target", "kind", *FAST, "--init", "zeros,xavier_normal"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    lines = out.splitlines()
    assert lines[0].startswith("2-8-8-2 tanh, cross_entropy, SGD(lr=0.1), batch 20, 1 epoch, 64 rows, 16 held out, seed 0")
    assert [line.split()[0] for line in lines[3:5]] == ["zeros", "xavier_normal"]
    assert lines[-1] == "picture: compare.png"
    assert (folder / "compare.png").read_bytes()[:4] == b"\x89PNG"


def test_compare_on_real_targets_and_npz(folder, capsys):
    options = [*FAST, "--init", "he_normal", "--activation", "relu", "--figure", "f.svg"]
    assert main(["compare", "--data", "sizes.csv", "--target", "size", *options]) == 0
    assert "mean_squared_error" in capsys.readouterr().out
    assert (
        main(["compare", "--data", "both.npz", *options, "--held-out", "10", "--optimizer", "momentum", "--dtype", "float64"])
        == 0
    )
    assert "SGD(lr=0.1, momentum=0.9), batch 20, 1 epoch, 70 rows, 10 held out" in capsys.readouterr().out


def test_digits_by_default(folder, capsys):
    pytest.importorskip("sklearn")
    assert main(["compare", *FAST]) == 0
    out = capsys.readouterr().out
    assert "64-8-8-10" in out
    assert "1400 rows, 397 held out, seed 0" in out
    assert [line.split()[0] for line in out.splitlines()[3:7]] == ["zeros", "fan_in_uniform", "xavier_normal", "normal"]


def test_seed_gives_the_same_table(folder, capsys):
    outs = []
    for seed in ("1", "1", "2"):
        main(["compare", "--data", "both.npz", *FAST, "--init", "xavier_normal", "--seed", seed, "--figure", "f.png"])
        outs.append(capsys.readouterr().out)
    assert outs[0] == outs[1] != outs[2]


def test_a_picture_is_not_overwritten_in_silence(folder, capsys):
    for name in ("compare.png", "compare-2.png", "compare-3.png"):
        assert main(["compare", "--data", "both.npz", *FAST, "--init", "zeros", "--optimizer", "adam"]) == 0
        assert f"picture: {name}\n" in capsys.readouterr().out


def test_hints_in_the_terms_of_the_command_line(capsys, fails):
    assert "fanin describe 'he_normal' 300 784" in fails("describe", "he_normal", "300")
    with pytest.raises(SystemExit):
        main(["compare", "--init", "zeros", "he_normal"])
    assert "--init zeros,he_normal" in capsys.readouterr().err


def test_linear(capsys):
    assert main(["compare", "--linear"]) == 0
    out = capsys.readouterr().out
    assert "38.44336" in out
    assert "0.001953125" in out
    assert [line.split(":")[1].split(";")[0].strip() for line in out.splitlines()[-3:]] == ["exploding", "healthy", "vanishing"]


def test_config_and_describe(capsys):
    assert main(["config"]) == 0
    assert capsys.readouterr().out == fi.show_config() + "\n"
    assert main(["describe", "he_normal", "300", "784"]) == 0
    assert capsys.readouterr().out == f"{fi.init.describe('he_normal', (300, 784))}\n"
    assert main(["describe", "he_normal", "3", "3", "16", "32", "--in-axis", "2", "--out-axis=-1", "--batch-axis", "0,1"]) == 0
    assert "axes          in 2, out -1, batch (0, 1)\nfans          n_in = 16, n_out = 32" in capsys.readouterr().out


def test_help(capsys):
    assert main([]) == 0
    assert "compare" in capsys.readouterr().out
    with pytest.raises(SystemExit) as stop:
        main(["compare", "--help"])
    assert stop.value.code == 0
    out = capsys.readouterr().out
    assert "examples:" in out
    for option in (
        "--data",
        "--target",
        "--scale",
        "--held-out",
        "--hidden",
        "--init",
        "--epochs",
        "--lr",
        "--seed",
        "--linear",
    ):
        assert option in out


def test_errors_are_one_line(folder, fails):
    assert "add --loss mean_squared_error" not in fails("compare", "--data", "labels.csv", "--target", "nothing")
    assert "needs --target NAME" in fails("compare", "--data", "labels.csv")
    assert "--target is of tables, got --data missing" in fails("compare", "--target", "kind")
    assert "no_such.csv" in fails("compare", "--data", "no_such.csv", "--target", "kind")
    assert "needs --target NAME" in fails("compare", "--data", "labels.txt")
    assert "end with .npz" in fails("compare", "--data", "one.npy")
    assert "xavier_normal" in fails("compare", "--data", "both.npz", "--init", "xavier_norm", *FAST)
    assert "tanh" in fails("compare", "--data", "both.npz", "--activation", "tan", *FAST)
    assert "no folder" in fails("compare", "--figure", "nowhere/a.png")
    assert "figure must end with" in fails("compare", "--figure", "a.nonsense")
    assert "lr must" in fails("compare", "--lr", "-1")
    np.savez(folder / "many.npz", x=np.ones((80, 2)), y=np.arange(80))
    assert "add --loss mean_squared_error" in fails("compare", "--data", "many.npz", *FAST)
    assert not (folder / "compare.png").exists()


@pytest.mark.parametrize(
    "wrong", [["--epochs", "x"], ["--hidden", "3,0"], ["--hidden", "3,a"], ["--scale", "big"], ["--nonsense"]]
)
def test_wrong_options(wrong, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["compare", *wrong])
    assert stop.value.code == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(("fanin compare: error: ", "fanin: error: "))


def test_delimiters(folder, capsys, fails):
    table = (folder / "labels.csv").read_text()
    (folder / "semi.csv").write_text(table.replace(",", ";"))
    (folder / "tab.csv").write_text(table.replace(",", "\t"))
    mine = ["--target", "kind", *FAST, "--init", "zeros", "--figure", "f.png"]
    outs = []
    for name, more in (
        ("labels", []),
        ("semi", ["--delimiter", ";"]),
        ("tab", ["--delimiter", "tab"]),
    ):
        assert main(["compare", "--data", f"{name}.csv", *mine, *more]) == 0
        outs.append(capsys.readouterr().out)
    assert outs[0] == outs[1] == outs[2]
    for name, said in (("semi", "semicolons"), ("tab", "tabs")):  # found, and said
        assert main(["compare", "--data", f"{name}.csv", *mine]) == 0
        assert capsys.readouterr().out.replace(f"; found: cells separated by {said}", "") == outs[0]
    assert "separated by ';'" in fails("compare", "--data", "semi.csv", *mine, "--delimiter", ",")
    assert "--delimiter is of tables" in fails("compare", "--data", "both.npz", *FAST, "--delimiter", ";")
    assert "--target is of tables" in fails("compare", "--data", "both.npz", *FAST, "--target", "kind")


@pytest.mark.parametrize("loss", ["binary_cross_entropy", "hinge"])
def test_losses_of_one_output_take_any_two_classes(folder, capsys, fails, loss):
    rows = [(i / 4, i * 5 % 7, ("no", "yes")[i * 3 % 5 > 2]) for i in range(40)]
    (folder / "two.csv").write_text("\n".join(["a,b,y", *(f"{a},{b},{y}" for a, b, y in rows), ""]))
    np.savez(
        folder / "two.npz", x=np.array([row[:2] for row in rows]), y=np.array([7 if row[2] == "yes" else 3 for row in rows])
    )
    outs = []
    for data in (["two.csv", "--target", "y"], ["two.npz"]):
        more = ["--loss", loss, "--init", "he_normal", "--figure", "f.png", "--json", "r.json"]
        assert main(["compare", "--data", *data, *FAST, *more]) == 0
        outs.append(capsys.readouterr().out.splitlines())
        assert json.loads((folder / "r.json").read_text())["settings"]["loss"] == loss
    assert outs[0][:3] == outs[1][:3]
    assert f"2 classes, {loss.replace('_', ' ')} (no, yes)" in outs[0][-3]
    assert "the target has 10: take cross_entropy" in fails("compare", *FAST, "--loss", loss)
    assert "is not for labels: add --task regression" in fails(
        "compare", "--data", "labels.csv", "--target", "kind", "--task", "classification", "--loss", "mean_squared_error"
    )


def test_every_loss_and_optimizer_is_there():
    from fanin.cli import compare, options

    assert sorted(options.LOSSES) == sorted(fi.loss.names())
    assert {name for name, _ in compare._OPTIMIZERS.values()} == {"SGD", "Adam", "RMSProp", "AdaGrad"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["compaer"], "did you mean compare? command must be one of"),
        (["compare", "--loss", "mse"], "did you mean mean_squared_error? --loss must be one of"),
        (["compare", "--optimizer", "adm"], "did you mean adam? --optimizer must be one of"),
        (["compare", "--optimzer", "adam"], "did you mean --optimizer? there is no option --optimzer"),
        (["compare", "--epochs", "many"], "--epochs must be a whole number, got 'many'"),
        (["compare", "--lr", "fast"], "--lr must be a number, got 'fast'"),
        (["compare", "--hidden", "3,x"], "--hidden must be whole numbers"),
        (["compare", "--seed"], "--seed must have a value"),
        (["compare", "--init", "zeros", "he_normal"], "as in --init zeros,he_normal"),
    ],
)
def test_wrong_arguments_in_one_line(wrong, said, capsys):
    with pytest.raises(SystemExit) as stop:
        main(wrong)
    assert stop.value.code == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.partition("error: ")[2].startswith(said) or said in err


def test_what_was_meant_comes_first(folder, fails):
    assert "error: did you mean 'he_normal'? law must be one of" in fails("compare", "--init", "he_norml", *FAST)
    assert "error: did you mean 'relu'? activation must be one of" in fails("trace", "--activation", "rellu")


def test_means_of_the_training_rows(folder, capsys):
    """The held-out rows say nothing: other numbers there leave the training as it was."""
    rows = [[i % 5, i * 3 % 11, i % 2] for i in range(30)]
    order = fi.datasets.split(np.arange(30.0)[:, None], np.arange(30), 6, 0)
    held, train = order.held_out.y.tolist(), order.train.y.tolist()
    rows[train[0]][0] = ""
    found = []
    for far in (0, 1000):
        changed = [row if i not in held else [far + i, *row[1:]] for i, row in enumerate(rows)]
        (folder / "h.csv").write_text("\n".join(["a,b,y", *(",".join(map(str, row)) for row in changed), ""]))
        mine = ["--missing", "mean", "--held-out", "6", "--init", "he_normal", "--figure", "f.png", "--json", "r.json"]
        assert main(["compare", "--data", "h.csv", "--target", "y", *FAST, *mine]) == 0
        assert "1 missing cell became the mean of the column's training rows: a" in capsys.readouterr().out
        found.append(json.loads((folder / "r.json").read_text())["runs"][0]["epoch_costs"])
    assert found[0] == found[1]


def test_a_column_without_a_mean_is_named(folder, fails):
    """Missing in every row, or in every row but one that is held out."""
    mine = ["compare", "--data", "h.csv", "--target", "y", "--missing", "mean", "--held-out", "6", *FAST]
    (folder / "h.csv").write_text("a,b,y\n" + "".join(f"{i % 5},,{i % 2}\n" for i in range(30)))
    assert "in every row of column 'b': leave it out (drop=['b'], --drop 'b')" in fails(*mine)
    held = fi.datasets.split(np.arange(30.0)[:, None], np.arange(30), 6, 0).held_out.y[0]
    (folder / "h.csv").write_text("a,b,y\n" + "".join(f"{i % 5},{1 if i == held else ''},{i % 2}\n" for i in range(30)))
    assert "column 'b' without a number among the training rows" in (said := fails(*mine))
    assert "leave it out (--drop 'b')" in said


def test_a_comparison_is_resumed(folder, capsys, fails):
    """A run that the file has is not trained again: its time is the first one's, and its numbers are the same."""
    mine = ["compare", "--data", "labels.csv", "--target", "kind", *FAST, "--resume", "runs.csv", "--figure", "f.png"]
    assert main([*mine, "--init", "zeros"]) == 0
    first = (folder / "runs.csv").read_text()
    assert main([*mine, "--init", "zeros,he_normal", "--json", "kept.json"]) == 0
    kept = (folder / "runs.csv").read_text()
    assert kept.startswith(first)
    assert len(kept.splitlines()) == 1 + 2
    assert main([*mine, "--init", "he_normal,zeros"]) == 0
    assert (folder / "runs.csv").read_text() == kept
    del mine[mine.index("--resume") : mine.index("--figure")]
    assert main([*mine, "--init", "zeros,he_normal", "--json", "whole.json"]) == 0
    assert (folder / "kept.json").read_text() == (folder / "whole.json").read_text()
    assert main([*mine, "--init", "zeros", "--resume", "runs.csv", "--seed", "5"]) == 0
    assert len((folder / "runs.csv").read_text().splitlines()) == 1 + 3, "another seed is another comparison"
    capsys.readouterr()
    said = fails(*mine, "--init", "zeros", "--resume", "labels.csv")
    assert "resume must be a table that a comparison wrote, got 'labels.csv' with other columns" in said


@pytest.mark.parametrize(("scale", "said"), [("standard", ", standardized"), ("unit", ", scaled to 0 .. 1"), ("none", "")])
def test_the_scale_is_said_and_kept(folder, capsys, scale, said):
    mine = ["--data", "labels.csv", "--target", "kind", "--init", "he_normal", "--json", "r.json", "--html", "r.html"]
    assert main(["compare", *mine, *FAST, *(() if scale == "standard" else ("--scale", scale))]) == 0
    assert capsys.readouterr().out.splitlines()[0].endswith(f"seed 0{said}")
    assert json.loads((folder / "r.json").read_text())["settings"]["scale"] == scale
    assert f"<dt>scale</dt><dd>{scale}</dd>" in (folder / "r.html").read_text()


def test_a_missing_target_lists_the_columns(folder, fails):
    said = fails("compare", "--data", "labels.csv")
    assert said.rstrip().endswith("needs --target NAME, the column to learn: one of a, b, kind")


def test_counts_in_npz_are_asked_about(folder, fails):
    np.savez(folder / "counts.npz", x=np.ones((100, 1)), y=np.arange(100) % 30)
    said = fails("compare", "--data", "counts.npz", *FAST)
    assert "y has 30 different whole numbers in 100 rows: for a quantity add --loss mean_squared_error" in said
    assert "for labels add --loss cross_entropy" in said


def test_tables_that_teach_nothing(folder, fails):
    mine = ["--data", "t.csv", "--target", "y", *FAST]
    (folder / "t.csv").write_text("a,y\n1,up\n")
    assert "at least two rows" in fails("compare", *mine)
    (folder / "t.csv").write_text("a,y\n" + "1e308,up\n-1e308,down\n" * 20)
    assert "--scale standard: the numbers are too large, up to 1e+308" in fails("compare", *mine)
    assert "--scale unit: the numbers are too large" in fails("compare", *mine, "--scale", "unit")
    assert "must hold numbers that fit float32" in fails("compare", *mine, "--scale", "none")


def test_paths_are_refused_before_the_work(folder, fails):
    (folder / "dir.html").mkdir()
    endless = ["--data", "both.npz", "--epochs", "1000000000"]
    assert "html: dir.html is a folder" in fails("compare", *endless, "--html", "dir.html")
    assert fails("compare", "--data", "no_such.npz") == "fanin compare: error: no_such.npz: No such file or directory\n"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions; root has them all")
def test_a_folder_that_may_not_be_written(folder, fails):
    (folder / "closed").mkdir(mode=0o500)
    assert "may not be written" in fails("compare", "--json", "closed/r.json")


def test_version_and_module():
    run = subprocess.run([sys.executable, "-m", "fanin", "--version"], capture_output=True, text=True, check=True)
    assert run.stdout == f"fanin {fi.__version__}\n"


@pytest.mark.parametrize("command", [["--help"], ["compare", "--help"], ["trace", "--help"], ["weights", "--help"]])
def test_help_loads_no_numpy(command):
    code = "import sys\nfrom fanin.cli import main\ntry: main(sys.argv[1:])\nfinally: print(*sys.modules, file=sys.stderr)"
    run = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("usage: fanin")
    assert not {"numpy", "fanin._core", "pyarrow", "rich"} & set(run.stderr.split())


@pytest.mark.parametrize("module", ["rich", "matplotlib", "sklearn"])
def test_a_missing_extra_is_named(module, monkeypatch, folder, fails):
    for name in [name for name in sys.modules if name.split(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    assert "pip install 'fanin[report]'" in fails("compare", *FAST)


def test_laws_are_split_outside_parentheses():
    assert laws(None) == ["zeros", "fan_in_uniform", "xavier_normal", "normal"]
    assert laws(["zeros, normal(mean=0, std=0.1)", "he_normal"]) == ["zeros", "normal(mean=0, std=0.1)", "he_normal"]


def test_scaling_is_by_the_training_rows():
    train, held = np.array([[1.0, 5], [3, 5]]), np.array([[5.0, 6]])
    assert scaled("none", train, held)[0] is train
    x, h = scaled("unit", train, held)
    assert (x.tolist(), h.tolist()) == ([[0, 0], [1, 0]], [[2, 1]])
    x, h = scaled("standard", train, held)
    assert (x.tolist(), h.tolist()) == ([[-1, 0], [1, 0]], [[3, 1]])
    y, h = scaled("standard", np.array([0.0, 2.0]), np.array([4.0]))
    assert (y.tolist(), h.tolist()) == ([-1, 1], [3])


def test_a_constant_column_is_only_shifted():
    """NumPy's mean of 241 times 0.1 is not 0.1 and its std is not 0: the quotient would be noise of size 1."""
    constant = np.full((241, 1), 0.1)
    for how in ("unit", "standard"):
        x, held = scaled(how, constant, np.array([[0.1], [1.1]]))
        assert np.abs(x).max() < 1e-15
        np.testing.assert_allclose(held, [[0], [1]], atol=1e-15)


def _start(popen, *args):
    code = "import sys; from fanin.cli import main; print('ready', file=sys.stderr, flush=True); sys.exit(main(sys.argv[1:]))"
    return popen([sys.executable, "-c", code, *args], stdout=-1, stderr=-1, text=True)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_ends_with_130_and_one_line(folder, ctrl_c):
    run = _start(
        ctrl_c, "compare", "--data", "both.npz", "--hidden", "500,500", "--epochs", "1000000", "--init", "xavier_normal"
    )
    assert run.stderr.readline() == "ready\n"
    time.sleep(2)  # from here on any moment will do; the training would take hours
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=20)
    assert (run.returncode, out, err) == (130, "", "fanin compare: interrupted\n")


def test_a_pipe_is_quiet(folder, ctrl_c):
    run = _start(ctrl_c, "compare", "--data", "both.npz", *FAST)
    out, err = run.communicate(timeout=60)
    assert (run.returncode, err) == (0, "ready\n")
    assert "\x1b" not in out
