"""``fanin trace``, and what ``fanin compare`` writes beside its picture."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import fanin as fi
from fanin.cli import main
from fanin.weights.networks import read_network

for module in ("rich", "matplotlib", "bokeh", "sklearn"):
    pytest.importorskip(module)
FAST = ["--hidden", "8,8", "--epochs", "1", "--batch-size", "20"]
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty current directory with a table of 150 rows: a, b, kind (of names "up" and "<script>...")."""
    monkeypatch.chdir(tmp_path)
    rows = np.random.default_rng(1).standard_normal((150, 2)) * [1, 100]
    kinds = ["up" if a + b / 100 > 0 else HOSTILE for a, b in rows]
    lines = [f"{a:.6g},{b:.6g},{kind}" for (a, b), kind in zip(rows, kinds, strict=True)]
    (tmp_path / "t.csv").write_text("\n".join([f"a,{HOSTILE},kind", *lines, ""]))
    return tmp_path


MINE = ["--data", "t.csv", "--target", "kind"]


def test_compare_writes_page_picture_and_json(folder, capsys):
    outputs = ["--html", "p.html", "--figure", "f.pdf", "--json", "r.json"]
    assert main(["compare", *MINE, *FAST, "--init", "zeros,he_normal", *outputs]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert [line.split(":")[0] for line in out.splitlines()[-3:]] == ["picture", "page", "json"]
    page = (folder / "p.html").read_text()
    assert "Which initialization learns? t.csv, target kind" in page
    assert "<script>alert" not in page
    assert (folder / "f.pdf").read_bytes().startswith(b"%PDF")
    read = json.loads((folder / "r.json").read_text())
    assert read["settings"]["data"] == "t.csv"
    assert read["settings"]["sizes"] == [2, 8, 8, 2]
    assert [run["law"] for run in read["runs"]] == ["zeros", "he_normal"]


def test_hostile_target(folder, capsys):
    assert main(["trace", "--data", "t.csv", "--target", HOSTILE, "--html", "p.html"]) == 2  # "kind" holds text
    assert "column 'kind': must be a finite number" in capsys.readouterr().err
    text = (folder / "t.csv").read_text().splitlines()[1:]
    (folder / "u.csv").write_text("\n".join([f"a,{HOSTILE}", *(",".join(line.split(",")[:2]) for line in text), ""]))
    assert main(["trace", "--data", "u.csv", "--target", HOSTILE, "--hidden", "5", "--html", "p.html"]) == 0
    page = (folder / "p.html").read_text()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_trace_is_that_of_compare(folder, capsys):
    main(["compare", *MINE, *FAST, "--batch-size", "100", "--init", "he_normal", "--activation", "relu", "--json", "c.json"])
    options = ["--init", "he_normal", "--activation", "relu", "--hidden", "8,8"]
    assert main(["trace", *MINE, *options, "--json", "t.json", "--csv", "l.csv", "--html", "t.html", "--figure", "t.svg"]) == 0
    compared, traced = (json.loads((folder / f"{name}.json").read_text()) for name in "ct")
    assert traced["kind"] == "trace"
    assert traced["trace"] == compared["runs"][0]["trace"]
    own, other = traced["diagnosis"], compared["runs"][0]["diagnosis"]  # the trial of `compare` is about its optimizer
    assert all(own[key] == other[key] for key in ("signal", "findings", "layers", "notes", "reasons", "expected"))
    assert traced["settings"]["rows"] == 100
    with open("l.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == ["hidden 1", "hidden 2", "output"]
    assert float(rows[0]["a.std"]) == traced["trace"]["layers"][0]["a"]["std"]
    assert (folder / "t.html").stat().st_size < 700_000
    assert (folder / "t.svg").read_bytes().startswith(b"<?xml")


def test_trace_prints_and_repeats(folder, capsys):
    outs = []
    for _ in range(2):
        assert main(["trace", "--hidden", "20,20", "--html", "p.html"]) == 0
        outs.append((capsys.readouterr().out, (folder / "p.html").read_bytes()))
    assert outs[0] == outs[1]
    out = outs[0][0]
    assert "hidden 2" in out
    assert "(activations: " in out
    assert "note: inputs are not of unit size" in out
    assert sorted(path.name for path in folder.iterdir()) == ["p.html", "t.csv"]


def signals(out):
    """What was measured, without what was tried: a file without biases trains without them."""
    lines = [line for line in out.splitlines() if not line.startswith(("  tried:", "  try:"))]
    return [line[line.index("(activations") :] if "(activations" in line else line for line in lines]


def test_weights_of_files(folder, capsys):
    net = fi.Network([64, 12, 11, 10], activation="relu", init="he_normal", seed=3)
    net.save("net.safetensors")
    net.save("torch.safetensors", names="torch")
    pairs = zip(net.weights, net.biases, strict=True)
    np.savez(
        "named.npz",
        **{f"{i}.{kind}": a for i, pair in enumerate(pairs) for kind, a in zip(("weight", "bias"), pair, strict=True)},
    )
    np.savez("plain.npz", *net.weights)
    outs = []
    for name in ("net.safetensors", "torch.safetensors", "named.npz", "plain.npz"):
        assert main(["trace", "--weights", name, "--activation", "relu", "--html", "w.html"]) == 0
        outs.append(capsys.readouterr().out)
        assert name in (folder / "w.html").read_text()
    assert outs[0] == outs[1] == outs[2]
    assert signals(outs[3]) == signals(outs[0])
    assert main(["trace", "--weights", "net.safetensors", "--html", "w.html"]) == 0  # its own activation
    assert capsys.readouterr().out == outs[0]
    np.testing.assert_array_equal(read_network("named.npz").weights[1], net.weights[1])


def test_weights_without_biases_and_of_one_output(folder, capsys, fails):
    net = fi.Network([2, 6, 1], "tanh", "xavier_normal", "binary_cross_entropy", bias=False, seed=1)
    net.save("bare.safetensors", names="torch")
    np.savez("bare.npz", *net.weights)
    outs = []
    for name in ("bare.safetensors", "bare.npz"):
        assert main(["trace", *MINE, "--weights", name]) == 0
        outs.append(capsys.readouterr().out)
    unstated = [
        line for line in outs[1].splitlines() if line.startswith("  note: the file says no activation: tanh is assumed")
    ]
    assert outs[0].splitlines() == [line for line in outs[1].splitlines() if line not in unstated]
    assert len(unstated) == 1
    assert "a network that favours no class: 0.693" in outs[0]
    assert not read_network("bare.safetensors").biases
    np.savez("three.npz", np.ones((1, 2)))  # one output, three classes
    rows = [f"{i},{i * i},{'abc'[i % 3]}" for i in range(20)]
    (folder / "three.csv").write_text("\n".join(["a,b,kind", *rows, ""]))
    wrong = ["trace", "--data", "three.csv", "--target", "kind", "--weights", "three.npz"]
    assert "tells 2 classes apart, the data has 3" in fails(*wrong)


def cost(capsys):
    return next(line for line in capsys.readouterr().out.splitlines() if line.startswith("cost "))


def test_labels_are_matched_to_the_classes_of_the_file(folder, capsys, fails):
    """The same network with its outputs and classes in the other order has the same cost; without classes they sort."""
    mine = ["trace", "--data", "two.csv", "--target", "kind", "--held-out", "10", "--weights"]
    rows = np.random.default_rng(2).standard_normal((40, 2))
    (folder / "two.csv").write_text("\n".join(["a,b,kind", *(f"{a},{b},{'up' if a > 0 else 'down'}" for a, b in rows), ""]))
    net = fi.Network([2, 5, 2], seed=4)
    net.save("bare.safetensors")
    net.classes = ["down", "up"]
    net.save("sorted.safetensors")
    net.weights[1][:] = net.weights[1][::-1].copy()
    net.classes = ["up", "down"]
    net.save("turned.safetensors")
    costs = []
    for name in ("bare", "sorted", "turned"):
        assert main([*mine, f"{name}.safetensors"]) == 0
        costs.append(cost(capsys))
    assert costs[0] == costs[1] == costs[2]
    net.classes = ["left", "right"]
    net.save("other.safetensors")
    said = fails(*mine, "other.safetensors")
    assert "y must hold the network's classes ['left', 'right'], got ['down', 'up']" in said
    hinge = fi.Network([2, 5, 1], loss="hinge", seed=4)
    hinge.classes = ["up", "down"]
    hinge.save("hinge.safetensors")
    hinge.weights[1][:] *= -1
    hinge.classes = ["down", "up"]
    hinge.save("turned.safetensors")
    costs = []
    for more in ([], ["--loss", "hinge"]):
        for name in ("hinge", "turned"):
            assert main([*mine, f"{name}.safetensors", *more]) == 0
            costs.append(cost(capsys))
    assert len(set(costs)) == 1


def test_weights_in_the_order_of_people(tmp_path):
    layers = {f"w{i}": np.full((2, 2), float(i)) for i in range(12)}
    np.savez(tmp_path / "w.npz", **layers)
    net = read_network(tmp_path / "w.npz")
    assert [w[0, 0] for w in net.weights] == list(range(12))
    assert net.dtype == np.float64
    assert net.init == "w.npz"
    assert read_network(tmp_path / "w.npz", dtype="float32").dtype == np.float32


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"w0": np.ones((3, 2)), "w1": np.ones((2, 4))}, r"w1 must take the 3 outputs of w0, got shape \(2, 4\)"),
        ({"w": np.ones((2, 3, 4))}, "must hold a matrix"),
        ({"w0": np.ones((3, 2)), "b0": np.ones(3), "b1": np.ones(3)}, "a vector for each or none"),
        ({"w0": np.ones((3, 2)), "b0": np.ones(2)}, r"b0 must have shape \(3,\), got \(2,\)"),
        ({"w": np.array([["a"]])}, "w must hold real numbers"),
        ({"w": np.array([[None]])}, "no NPZ file of arrays"),
        ({"w": np.ones((0, 2))}, r"w must have shape \(n_out, n_in\), got \(0, 2\)"),
        ({}, "got nothing"),
    ],
)
def test_weights_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "w.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        read_network(tmp_path / "w.npz")


def test_weights_refused_by_name(folder, fails):
    (folder / "w.txt").write_text("x")
    assert ".safetensors or .npz" in fails("trace", "--weights", "w.txt")
    assert "no_such.npz" in fails("trace", "--weights", "no_such.npz")
    (folder / "w.npz").write_bytes(b"PK\x03\x04 cut")
    assert "no NPZ file" in fails("trace", "--weights", "w.npz")
    (folder / "w.safetensors").write_bytes(b"12")
    assert "w.safetensors" in fails("trace", "--weights", "w.safetensors")
    np.savez("w.npz", w=np.ones((3, 2)))
    assert "takes 2 inputs, the data has 64 columns" in fails("trace", "--weights", "w.npz")
    np.savez("w.npz", w=np.ones((3, 64)))
    assert "tells 3 classes apart, the data has 10" in fails("trace", "--weights", "w.npz")
    assert "leave out --init" in fails("trace", "--weights", "w.npz", "--init", "zeros")


def test_errors_come_before_the_work(folder, fails):
    assert "must end with .html" in fails("compare", "--html", "a.txt")
    assert "no folder" in fails("compare", "--html", "nowhere/a.html")
    assert "json: there is no folder nowhere" in fails("compare", "--json", "nowhere/a.json")
    assert "csv: there is no folder nowhere" in fails("trace", "--csv", "nowhere/a.csv")
    assert "is a folder" in fails("trace", "--json", ".")
    assert "figure must end with" in fails("trace", "--figure", "a.nonsense")
    assert "--rows must be at least 1" in fails("trace", "--rows", "0")
    assert "xavier_normal" in fails("trace", "--init", "xavier_norm")
    (folder / "latin.csv").write_bytes(b"a,b\n1,\xe9\n")
    assert "latin.csv, line 2: must be a text file in UTF-8" in fails("trace", "--data", "latin.csv", "--target", "b")
    (folder / "wide.csv").write_text("a,b\n1," + "x" * 200_000 + "\n")
    assert "must hold at least two rows" in fails("trace", "--data", "wide.csv", "--target", "b")
    assert not (folder / "compare.png").exists()


def test_a_missing_bokeh_is_named(folder, fails, monkeypatch):
    monkeypatch.setitem(sys.modules, "bokeh", None)
    assert "needs bokeh: pip install 'fanin[report]'" in fails("trace", "--html", "a.html")


def test_help(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["trace", "--help"])
    assert stop.value.code == 0
    out = capsys.readouterr().out
    for option in ("--weights", "--init", "--rows", "--html", "--figure", "--json", "--csv", "--data", "--scale"):
        assert option in out


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_leaves_no_page(folder, ctrl_c):
    code = "import sys; from fanin.cli import main; print('ready', file=sys.stderr, flush=True); sys.exit(main(sys.argv[1:]))"
    args = ["compare", *MINE, "--hidden", "300,300", "--epochs", "1000000", "--html", "p.html", "--json", "r.json"]
    run = ctrl_c([sys.executable, "-c", code, *args], stdout=-1, stderr=-1, text=True)
    assert run.stderr.readline() == "ready\n"
    with pytest.raises(subprocess.TimeoutExpired):
        run.wait(2)  # it trains for hours
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=20)
    assert (run.returncode, out, err) == (130, "", "fanin compare: interrupted\n")
    assert sorted(path.name for path in folder.iterdir()) == ["t.csv"]
