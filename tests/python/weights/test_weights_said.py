"""What is said of every file of tests/data/weights, word for word: the survey's table, the network and its notes, refusals.

``python tests/python/weights/test_weights_said.py`` writes tests/data/weights_said.txt anew; read what has changed.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fanin as fi
from fanin.weights import read, survey
from fanin.weights.formats.tensors import Tensor
from fanin.weights.naming import kinds, may_belong, natural, role, series, short
from fanin.weights.rows import Row, Survey
from fanin.weights.scale import Axes, law

DATA = Path(__file__).parents[2] / "data"
SAID = DATA / "weights_said.txt"
CASES = json.loads((DATA / "weights" / "expected.json").read_text())
NEEDS = {".pt": "torch", ".pth": "torch", ".keras": "h5py", ".h5": "h5py", ".onnx": "onnx"}


def network_said(call: Callable[[], Any]) -> str:
    try:
        found = call()
    except (ValueError, TypeError) as error:
        return f"{type(error).__name__}: {error}"
    net = found.network
    lines = [f"{net.sizes} {net.activations} {net.loss_name} {net.dtype} bias {bool(net.biases)} shared {net.shared}"]
    lines.append(f"init {net.init!r}, classes {net.classes}, activation stated: {net.activation_stated}")
    return "\n".join([*lines, *(f"- {note}" for note in found.notes)])


def survey_said(path: Path) -> str:
    try:
        return repr(survey(path))
    except ValueError as error:
        return f"ValueError: {error}"


def file_said(name: str) -> str:
    path = DATA / "weights" / name
    text = (
        f"== {name} {CASES[name]['options']}\n{survey_said(path)}\n{network_said(lambda: read(path, **CASES[name]['options']))}"
    )
    return "\n".join(line.rstrip() for line in text.replace(str(path.parent) + "/", "").splitlines())


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_of_a_file(name):
    pytest.importorskip(NEEDS.get(Path(name).suffix, "numpy"))
    expected = {text.split()[1]: text for text in SAID.read_text().rstrip("\n").split("\n\n")}
    assert set(expected) == set(CASES)
    assert file_said(name) == expected[name]


# ------------------------------------------------------------------------------------------------ names

KINDS = {
    "matrix": [("0.weight", (3, 4)), ("fc.kernel", (3, 4)), ("w", (2, 2))],
    "bias": [("0.bias", (3,)), ("fc/b:0", (3,)), ("intercepts.1", (5,))],
    "vector": [("scale_of_it", (3,)), ("a", (1,))],
    "scalar": [("step", ()), ("0.weight", ())],
    "convolution": [("conv.weight", (8, 3, 3, 3)), ("conv.weight", (8, 3, 5)), ("c.weight", (2, 2, 2, 2, 2))],
    "array": [("t", (2, 2, 2, 2, 2, 2))],
    "norm": [("ln.weight", (4,)), ("bn1.bias", (4,)), ("layer_norm_2.beta", (4,)), ("x.gamma", (4,)), ("rmsnorm.scale", (4,))],
    "attention": [("h.0.attn.c_proj.weight", (4, 4)), ("q_proj.weight", (4, 4)), ("block.self_attn.in_proj_weight", (12, 4))],
    "attention bias": [("h.0.attn.c_proj.bias", (4,)), ("k_proj.bias", (4,))],
    "embedding": [("embed.weight", (10, 4)), ("wte.weight", (10, 4)), ("tok_embeddings.weight", (9, 4))],
    "recurrent": [("lstm.weight_ih_l0", (8, 4)), ("gru/recurrent_kernel", (4, 4)), ("rnn.bias_hh_l1", (8,))],
}


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_by_name_and_shape(kind):
    for name, shape in KINDS[kind]:
        assert kinds([Tensor(name, "F32", shape, None)]) == [kind], (name, shape)


def test_kinds_beside_each_other():
    batch = [Tensor(f"a.{word}", "F32", (4,), None) for word in ("weight", "bias", "running_mean", "running_var")]
    assert kinds([*batch, Tensor("b.bias", "F32", (4,), None)]) == ["norm"] * 4 + ["bias"]


def test_names():
    assert [short(name) for name in ("module.fc1.weight", "_orig_mod.module.a/kernel:0", "fc1.bias")] == [
        "fc1",
        "a",
        "fc1.bias",
    ]
    assert series("module.fc10.weight") == "fc#.weight"
    assert sorted(["w10", "w2", "module.w1", "v"], key=natural) == ["v", "module.w1", "w2", "w10"]
    assert role("fc1.weight") == ("weight", "fc1.*")
    assert role("fc1_b") == ("bias", "fc1_*")
    assert role("arr_0") == (None, "arr_0")
    assert may_belong("fc1.weight", "fc1_bias")
    assert not may_belong("fc1.weight", "fc2.bias")
    assert may_belong("arr_0", "arr_1")


def test_vectors_that_scale():
    def kind(name: str, n: int) -> str:
        return kinds([Tensor(name, "F32", (n,), None)])[0]

    assert [kind("h.0.mystery.weight", n) for n in (4, 2, 1)] == ["norm", "norm", "vector"]
    assert [kind("h.0.mystery.scale", 4), kind("h.0.mystery.beta", 4)] == ["vector", "norm"]


def test_names_of_other_words_do_not_belong_together():
    assert not may_belong("encoder1.weight", "decoder1.bias")
    assert may_belong("Encoder1.weight", "encoder_1.bias")


def test_numbers_come_before_letters():
    assert sorted(["wb", "w10", "w2", "w2b", "w"], key=natural) == ["w", "w2", "w2b", "w10", "wb"]


# ------------------------------------------------------------------------------------------------ laws

LAWS = {
    "he_normal": "he_normal",
    "he_uniform": "he_uniform",
    "he_truncated": "he_truncated",
    "xavier_normal": "xavier_normal",
    "glorot_uniform": "glorot_uniform",
    "fan_in_uniform": "fan_in_uniform",
    "normal(std=0.02)": "normal(std=0.02)",
    "normal(std=0.1)": "normal(std=0.1)",
    "uniform(low=-0.0346410162, high=0.0346410162)": "std 0.02",
    "zeros": "zeros",
    "ones": "constant(value=1)",
    "constant(value=0.25)": "constant(value=0.25)",
}


@pytest.mark.parametrize("name", LAWS)
def test_a_drawn_matrix_names_its_law(name):
    w = fi.Network([400, 300], init=name, seed=1, dtype="float64").weights[0]
    assert law(w.shape, Axes(1, 0), fi.summarize(w), None) == LAWS[name]


def test_scales_of_no_law():
    w = fi.init.normal((300, 400), std=1, seed=1, stream="w", dtype="float64")
    for scale, said in ((1.55, "1.2 x he"), (0.85, "0.72 x xavier"), (0.37, "0.41 x fan_in_uniform")):
        found = law(w.shape, Axes(1, 0), fi.summarize(w * scale * np.sqrt(1 / 400)), None)
        assert found.split(" ", 1)[1] == said.split(" ", 1)[1], found
        assert float(found.split()[0]) == pytest.approx(
            scale**2 / {"he": 2, "xavier": 1, "fan_in_uniform": 1 / 3}[said.split()[-1]], rel=0.02
        )
    orthogonal = fi.init.orthogonal((30, 50), seed=1, stream="o", dtype="float64")
    for gain, said in ((1.0, "orthogonal"), (2.0, "orthogonal(gain=2)")):
        assert law((30, 50), Axes(1, 0), fi.summarize(orthogonal * gain), 30.0) == said
        assert not law((30, 50), Axes(1, 0), fi.summarize(orthogonal * gain), 29.0).startswith("orthogonal")
    few = np.array([[0.5, -0.25], [1.0, 2.0]])
    assert law((2, 2), Axes(1, 0), fi.summarize(few), None) == "-"
    assert law((2, 2), Axes(1, 0), fi.summarize(np.full((2, 2), np.nan)), None) == "-"
    rare = fi.init.laplace((300, 400), seed=1, stream="l") if hasattr(fi.init, "laplace") else np.sign(w) * np.sqrt(1 / 400)
    assert law(w.shape, Axes(1, 0), fi.summarize(rare), None) == "xavier"  # the variance fits, no kurtosis does


# ------------------------------------------------------------------------------------------------ tables and JSON


def test_rows_in_words(tmp_path):
    row = Row(
        "a\nb" + "x" * 60, "matrix", "F32", (10, 4), 4, 10, 0.0, 1.0, -1.0, 1.0, 3.0, 4.0, "he", 4, 2, 1, 7.25, 3, 2, 3.456
    )
    assert row.size == 40
    assert row.remarks == "2 NaN, 1 infinite, 10 % zeros, 3 beyond 6 std, 2 of 10 units are copies"
    assert Row("z", "bias", "F32", (4,), mean=0.0, zeros=4).remarks == ""
    unread = Row.unread(Tensor("s", "F4", (2, 2), None), "matrix")
    assert (unread.remarks, unread.mean) == ("not read: F4", None)
    found = Survey("p", "NPZ", (row, unread, Row("scalar", "scalar", "F32", (), mean=1.0)), ("a note",))
    head, *rows, total, note = repr(found).splitlines()
    name = "a\\nb" + "x" * 18 + "..." + "x" * 23
    assert re.split(" {2,}", head) == [
        *("tensor", "kind", "type", "shape", "n_in", "n_out", "std", "n_in Var(w)", "law", "largest", "rank", "remarks"),
    ]
    assert [re.split(" {2,}", line.rstrip()) for line in rows] == [
        [name, "matrix", "F32", "10x4", "4", "10", "1.0000", "4.0000", "he", "7.25", "3.46", row.remarks],
        ["s", "matrix", "F4", "2x2", *"------", "-", "not read: F4"],
        ["scalar", "scalar", "F32", "()", *"------", "-"],
    ]
    for at in ("n_in", "n_out", "std", "n_in Var(w)", "largest", "rank"):  # numbers stand at the right
        end = head.index(f"  {at}  ") + len(at) + 2
        assert {line[end - 1] for line in rows} <= set("0123456789-")
    assert total == "3 tensors of NPZ, 45 elements. largest: distance from the mean in std"
    assert note == "note: a note"
    path = tmp_path / "s.json"
    text = found.to_json(str(path))
    assert path.read_text().strip() == text.strip()
    plain = json.loads(text)
    assert {key: plain[key] for key in ("path", "format", "notes")} == {"path": "p", "format": "NPZ", "notes": ["a note"]}
    assert [one["name"] for one in plain["tensors"]] == [row.name, "s", "scalar"]
    assert plain["tensors"][0]["rank"] == 3.456
    assert "weights" in text.split('"tensors"')[0]


# ------------------------------------------------------------------------------------------------ NPZ and scikit-learn


def test_types_of_npz(tmp_path):
    """Integers, bfloat16 as the two bytes that ml_dtypes saves, Fortran's order, compressed or not, and what is not read."""
    w = (np.arange(12, dtype=np.float32) / 8 - 0.5).reshape(3, 4)
    bits = (w.view(np.uint32) >> 16).astype(np.uint16)
    for save in (np.savez, np.savez_compressed):
        for stored in (
            w,
            np.asfortranarray(w),
            w.astype("f8"),
            w.astype("f2"),
            bits.view("V2"),
            np.asfortranarray(bits).view("V2"),
        ):
            path = tmp_path / "a.npz"
            save(path, **{"0.weight": stored})
            net = read(path).network
            np.testing.assert_array_equal(net.weights[0], w)
            assert net.dtype == (np.float64 if stored.dtype == np.float64 else np.float32)
            (row,) = survey(path).rows
            assert (row.min, row.max, row.zeros) == (-0.5, 0.875, 1)
        whole = np.arange(6, dtype=np.int32).reshape(2, 3)
        save(path, **{"0.weight": whole, "1.weight": np.ones((2, 2), complex)})
        np.testing.assert_array_equal(read(path, layers=["0"]).network.weights[0], whole)
        assert [row.remarks for row in survey(path).rows] == ["16.7 % zeros", "not read: complex128"]
        assert repr(survey(path)).splitlines()[-1].startswith("2 tensors of NPZ, 10 elements")


@pytest.mark.parametrize(
    ("estimator", "loss", "targets"),
    [
        ("MLPClassifier", "cross_entropy", ["a", "b", "c"] * 4),
        ("MLPClassifier", "binary_cross_entropy", ["a", "b"] * 6),
        ("MLPRegressor", "mean_squared_error", [0.5, 1.5, 2.5] * 4),
    ],
)
def test_estimators_of_scikit_learn(estimator, loss, targets):
    neural_network = pytest.importorskip("sklearn.neural_network")
    x = np.random.default_rng(0).normal(size=(12, 3))
    made = getattr(neural_network, estimator)(
        hidden_layer_sizes=(4,), activation="logistic", max_iter=5, solver="lbfgs", random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = made.fit(x, targets)
    found = read(fitted)
    assert found.network.loss_name == loss
    assert found.network.activations[:-1] == ("sigmoid",)
    assert found.network.classes == (None if estimator == "MLPRegressor" else tuple(sorted(set(targets))))
    np.testing.assert_allclose(found.network.weights[0], fitted.coefs_[0].T)


def ones(*shape: int) -> np.ndarray:
    return np.ones(shape, np.float32)


MUST = "must hold a matrix (n_out, n_in) for each layer, and a vector for each or none"
WAYS = "Its tensors one by one: fanin weights a.npz; its dense layers alone: --layers a,b,c"
LAYOUT = "layout: (n_out, n_in)"
TANH = "activation: tanh, the file says none (--activation NAME)"
SQUARE = "the shapes do not tell the layout: they fit as (n_in, n_out) too. Taken as (n_out, n_in); otherwise --layout in_out"
THREE = {f"fc{i}.weight": ones(3, 3) for i in range(3)}
ARCHIVES: list[tuple[dict[str, np.ndarray], dict[str, Any], str | list[str]]] = [
    ({"a": ones(3)}, {}, f"a.npz: {MUST}, got a (3,)"),
    (
        {"a": np.ones((2, 2), complex)},
        {},
        f"a.npz: {MUST}, got a (2, 2): a must hold real numbers, got complex128",
    ),
    (
        {"0.weight": ones(3, 3), **{f"c{i}.weight": ones(2, 2, 3, 3) for i in range(5)}},
        {},
        "a.npz is no network of dense layers alone, it has "
        + ", ".join(f"c{i}.weight (convolution (2, 2, 3, 3))" for i in range(5))
        + f": {MUST}. {WAYS}",
    ),
    (
        {"0.weight": ones(3, 3), **{f"c{i}.weight": ones(2, 2, 3, 3) for i in range(7)}},
        {},
        "a.npz is no network of dense layers alone, it has "
        + ", ".join(f"c{i}.weight (convolution (2, 2, 3, 3))" for i in range(5))
        + f" and 2 more: {MUST}. {WAYS}",
    ),
    (
        {"0.weight": ones(3, 4), "0.bias": ones(3), "z": ones(5)},
        {},
        f"a.npz: z without a weight: {MUST}, got 0.weight, 0.bias, z",
    ),
    (
        {"0.weight": ones(3, 4), "0.bias": ones(3), "1.weight": ones(2, 3)},
        {},
        [f"4-3-2 of NPZ; layers 0, 1; order: that of the names; {LAYOUT}", "without a bias, which is 0 then: 1", TANH],
    ),
    ({"0.weight": ones(0, 4)}, {}, "a.npz: 0.weight must have shape (n_out, n_in), got (0, 4)"),
    (
        {"1.weight": ones(3, 3), "01.weight": ones(3, 3)},
        {},
        "a.npz: 1.weight and 01.weight have the same number: name the order, --layers 1.weight,01.weight",
    ),
    (
        {"0.weight": ones(3, 4), "1.weight": ones(2, 5)},
        {},
        "a.npz: 1.weight must take the 3 outputs of 0.weight, got shape (2, 5); a matrix has shape (n_out, n_in)",
    ),
    (
        {"0.weight": ones(3, 4), "1.weight": ones(2, 5)},
        {"layers": ["0", "1"]},
        "a.npz: 1.weight must take the 3 outputs of 0.weight, got shape (2, 5); a matrix has shape (n_out, n_in)",
    ),
    (
        {"arr_0": ones(3, 4), "arr_1": ones(3), "arr_2": ones(2, 3), "arr_3": ones(2)},
        {},
        [f"4-3-2 of NPZ; layers arr_0, arr_2; order: that of the names; {LAYOUT}", TANH],
    ),
    (
        {"2.weight": ones(3, 4), "1.weight": ones(2, 3)},
        {},
        [f"4-3-2 of NPZ; layers 2, 1; order: as stored, the numbers in the names do not fit; {LAYOUT}", TANH],
    ),
    (
        THREE,
        {"layers": ["fc0", "fc2"]},
        [f"3x3 of NPZ; layers fc0, fc2; order: as named; {LAYOUT}", SQUARE, "left out: fc1", TANH],
    ),
    (THREE, {"layers": ["fc9"]}, "a.npz: --layers must be of fc0, fc1, fc2, got 'fc9'"),
    (THREE, {"layers": []}, "layers must name at least one layer, got none"),
    (THREE, {"layout": "rows"}, "layout must be out_in or in_out, got 'rows'"),
    (
        THREE,
        {"layout": "in_out"},
        ["3x4 of NPZ; layers fc0, fc1, fc2; order: that of the names; layout: (n_in, n_out)", TANH],
    ),
]


@pytest.mark.parametrize("case", range(len(ARCHIVES)))
def test_layers_of_archives(case, tmp_path):
    arrays, options, expected = ARCHIVES[case]
    np.savez(tmp_path / "a.npz", **arrays)
    if isinstance(expected, list):
        assert list(read(tmp_path / "a.npz", **options).notes) == expected
    else:
        with pytest.raises(ValueError, match=r"\A" + re.escape(expected).replace("a\\.npz", r"\S*a\.npz") + r"\Z"):
            read(tmp_path / "a.npz", **options)


def test_the_module_s_names():
    with pytest.raises(AttributeError, match=r"module 'fanin.weights' has no attribute 'nothing'"):
        _ = fi.weights.nothing
    assert {"read", "survey", "Row"} <= set(dir(fi.weights))


if __name__ == "__main__":
    SAID.write_text("\n\n".join(map(file_said, CASES)) + "\n")
