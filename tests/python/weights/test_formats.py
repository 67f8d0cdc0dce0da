"""Small files of each format, made here part by part: what describes a network, what is none, and what is damaged."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fanin.weights import read, survey

RNG = np.random.default_rng(4)
W = [RNG.standard_normal((3, 5)), RNG.standard_normal((5, 2))]  # (n_in, n_out), as Keras and Gemm have them
B = [RNG.standard_normal(5), RNG.standard_normal(2)]


def holds(net: Any, biases: bool = True) -> None:
    for w, found in zip(W, net.weights, strict=True):
        np.testing.assert_array_equal(found, w.T)
    for b, found in zip(B, net.biases, strict=False):
        np.testing.assert_array_equal(found, b if biases else 0 * b)


# ------------------------------------------------------------------------------------------------ Keras


def keras_file(path: Path, layers: list[tuple[str, dict[str, Any]]], loss: Any = None, **inbound: Any) -> Path:
    """A file of Keras' older format, HDF5 with its description in attributes; the optimizer's state beside."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        for i, name in enumerate(("first", "second")):
            file[f"model_weights/{name}/{name}/kernel"] = W[i]
            file[f"model_weights/{name}/{name}/bias"] = B[i]
        file["optimizer_weights/m"] = np.ones((2, 2))
        file["_optimizer/v"] = np.ones((2, 2))
        described = [{"class_name": kind, "config": config, **inbound} for kind, config in layers]
        file.attrs["model_config"] = json.dumps({"config": {"layers": described}})
        if loss is not None:
            file.attrs["training_config"] = json.dumps({"loss": loss})
    return path


def dense(name: str, activation: str | None = None) -> tuple[str, dict[str, Any]]:
    return "Dense", {"name": name, "activation": activation}


@pytest.mark.parametrize(
    ("layers", "activation"),
    [
        ([dense("first", "relu"), dense("second")], "relu"),
        ([("InputLayer", {}), dense("first", "linear"), ("ReLU", {}), ("Dropout", {}), dense("second", "linear")], "relu"),
        ([dense("first"), ("Activation", {"activation": "tanh"}), dense("second", "softmax")], "tanh"),
        ([dense("first", "sigmoid"), dense("second"), ("Softmax", {})], "sigmoid"),
        ([dense("first"), ("Flatten", {}), dense("second")], "identity"),
    ],
)
def test_layers_of_keras(tmp_path, layers, activation):
    net = read(keras_file(tmp_path / "a.h5", layers)).network
    holds(net)
    assert net.activations == (activation, "identity")
    assert [row.name.split("/")[0] for row in survey(tmp_path / "a.h5").rows] == ["model_weights"] * 4


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("mean_squared_error", "mean_squared_error"),
        ("MeanSquaredError", "mean_squared_error"),
        ({"class_name": "MeanSquaredError", "config": {}}, "mean_squared_error"),
        ("categorical_hinge", "cross_entropy"),
        (None, "cross_entropy"),
    ],
)
def test_losses_of_keras(tmp_path, loss, expected):
    assert read(keras_file(tmp_path / "a.h5", [dense("first"), dense("second")], loss)).network.loss_name == expected


@pytest.mark.parametrize(
    ("layers", "inbound", "why"),
    [
        ([dense("first"), ("Conv2D", {}), ("Attention", {}), ("Conv2D", {})], {}, "it has layers Conv2D, Attention"),
        ([dense("first"), dense("second")], {"inbound_nodes": [{"args": [1, 2]}]}, "its layers are no chain"),
        ([("ReLU", {}), dense("first")], {}, "an activation stands before its first layer"),
    ],
)
def test_what_is_no_network_of_keras(tmp_path, layers, inbound, why):
    path = keras_file(tmp_path / "a.h5", layers, **inbound)
    with pytest.raises(ValueError, match=f"a.h5 is no network of dense layers alone: {why}[.] Its tensors one by one"):
        read(path)
    holds(read(path, layers=["model_weights/first/first", "model_weights/second/second"]).network)


def test_descriptions_of_keras_that_say_nothing(tmp_path):
    path = keras_file(tmp_path / "a.h5", [dense("third"), dense("second")])
    unknown = "the description of its layers is none that is known here: the order is that of the names"
    assert unknown in survey(path).notes
    strange = read(keras_file(path, [dense("first", "swish9"), dense("second")]))
    assert "activations that are not those of fanin: [['swish9']]" in survey(path).notes
    assert strange.network.activations[0] == "tanh"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match=r"a.h5: no HDF5 file, or damaged: [A-Za-z(]+ \S+ "):
        read(path)


# ------------------------------------------------------------------------------------------------ ONNX


def onnx_file(path: Path, nodes: list[tuple[str, list[str], list[str], dict[str, Any]]], inputs=("x",)) -> Path:
    """A model of these nodes: type, inputs, outputs, attributes; w0, b0, w1, b1 are its parameters."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    parameters = {"w0": W[0], "b0": B[0], "w1": W[1], "b1": B[1], "t0": W[0].T.copy(), "t1": W[1].T.copy()}
    graph = helper.make_graph(
        [helper.make_node(kind, into, out, name=f"n{i}", **more) for i, (kind, into, out, more) in enumerate(nodes)],
        "g",
        [helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None, 3]) for name in inputs],
        [helper.make_tensor_value_info(nodes[-1][2][0], TensorProto.DOUBLE, None)] if nodes else [],
        [numpy_helper.from_array(value, name) for name, value in parameters.items()],
    )
    onnx.save(helper.make_model(graph), path)
    return path


FIRST = ("Gemm", ["x", "w0", "b0"], ["z0"], {})
RELU = ("Relu", ["z0"], ["a0"], {})
SECOND = ("Gemm", ["a0", "w1", "b1"], ["z1"], {})
CHAINS = {
    "gemm": ([FIRST, RELU, SECOND], "relu", "cross_entropy", True),
    "gemm, transposed": (
        [("Gemm", ["x", "t0", "b0"], ["z0"], {"transB": 1}), RELU, ("Gemm", ["a0", "t1", "b1"], ["z1"], {"transB": 1})],
        "relu",
        "cross_entropy",
        True,
    ),
    "gemm of factor 1": (
        [("Gemm", ["x", "w0", "b0"], ["z0"], {"alpha": 1.0, "beta": 1.0, "transA": 0}), RELU, SECOND],
        "relu",
        "cross_entropy",
        True,
    ),
    "matmul and add": (
        [
            ("MatMul", ["x", "w0"], ["m0"], {}),
            ("Add", ["m0", "b0"], ["z0"], {}),
            ("Tanh", ["z0"], ["a0"], {}),
            ("MatMul", ["a0", "w1"], ["m1"], {}),
            ("Add", ["m1", "b1"], ["z1"], {}),
        ],
        "tanh",
        "cross_entropy",
        True,
    ),
    "without biases, with a softmax": (
        [("MatMul", ["x", "w0"], ["z0"], {}), RELU, ("MatMul", ["a0", "w1"], ["z1"], {}), ("Softmax", ["z1"], ["p"], {})],
        "relu",
        "cross_entropy",
        False,
    ),
    "a sigmoid at the end": ([FIRST, RELU, SECOND, ("Sigmoid", ["z1"], ["p"], {})], "relu", "binary_cross_entropy", True),
    "labels beside probabilities": (
        [
            FIRST,
            RELU,
            SECOND,
            ("Softmax", ["z1"], ["p"], {}),
            ("ArgMax", ["p"], ["label"], {}),
            ("Cast", ["p"], ["q"], {"to": 1}),
        ],
        "relu",
        "cross_entropy",
        True,
    ),
    "labels and a table of probabilities": (
        [FIRST, RELU, SECOND, ("Softmax", ["z1"], ["p"], {}), ("ZipMap", ["p"], ["q"], {}), ("ArgMax", ["p"], ["label"], {})],
        "relu",
        "cross_entropy",
        True,
    ),
    "probabilities in another type and shape, then a table": (
        [
            FIRST,
            RELU,
            SECOND,
            ("Softmax", ["z1"], ["p"], {}),
            ("Cast", ["p"], ["q"], {"to": 1}),
            ("Identity", ["q"], ["r"], {}),
            ("ZipMap", ["r"], ["s"], {}),
        ],
        "relu",
        "cross_entropy",
        True,
    ),
    "the label alone": (
        [FIRST, RELU, SECOND, ("Softmax", ["z1"], ["p"], {}), ("ArgMax", ["p"], ["label"], {})],
        "relu",
        "cross_entropy",
        True,
    ),
}


@pytest.mark.parametrize("name", CHAINS)
def test_chains_of_onnx(tmp_path, name):
    nodes, activation, loss, biases = CHAINS[name]
    path = onnx_file(tmp_path / "a.onnx", nodes)
    if loss == "binary_cross_entropy":  # of two outputs it is no loss of fanin
        with pytest.raises(ValueError, match="binary_cross_entropy"):
            read(path)
        return
    net = read(path).network
    holds(net, biases)
    assert (net.activations[0], net.loss_name) == (activation, loss)
    assert repr(survey(path)).splitlines()[-1].startswith("6 tensors of ONNX, 57 elements")


NONE = {
    "n0 scales or transposes its input": [("Gemm", ["x", "w0", "b0"], ["z0"], {"alpha": 2.0}), RELU, SECOND],
    "n2 scales or transposes its input": [FIRST, RELU, ("Gemm", ["a0", "w1", "b1"], ["z1"], {"beta": 0.5})],
    "n1 scales or transposes its input": [("Identity", ["x"], ["y"], {}), ("Gemm", ["y", "w0"], ["z0"], {"transA": 1})],
    "n0 multiplies what are no weights": [("MatMul", ["w0", "x"], ["z0"], {})],
    "n1 adds to what has its bias": [FIRST, ("Add", ["z0", "b0"], ["a0"], {}), SECOND],
    r"it has a node Conv \(n1\)": [FIRST, ("Conv", ["z0", "w1"], ["a0"], {})],
    "its graph branches at 'z0'": [FIRST, RELU, ("Tanh", ["z0"], ["t"], {})],
    "its graph has no dense layer": [("Identity", ["x"], ["y"], {})],
    "Softmax stands before Gemm": [FIRST, ("Softmax", ["z0"], ["a0"], {}), SECOND],
    "its last layer has the activation tanh": [FIRST, RELU, SECOND, ("Tanh", ["z1"], ["p"], {})],
}


@pytest.mark.parametrize("why", NONE)
def test_what_is_no_network_of_onnx(tmp_path, why):
    path = onnx_file(tmp_path / "a.onnx", NONE[why])
    with pytest.raises(ValueError, match=f"a.onnx is no network of dense layers alone: {why}[.] Its tensors one by one"):
        read(path)


def test_inputs_of_onnx(tmp_path):
    path = onnx_file(tmp_path / "a.onnx", [FIRST, RELU, SECOND], ("x", "y"))
    with pytest.raises(ValueError, match="its graph has 2 inputs"):
        read(path)


# ------------------------------------------------------------------------------------------------ safetensors


def safetensors_file(path: Path, header: Any, data: bytes = b"") -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def entry(dtype: Any = "F32", shape: Any = (2,), span: Any = (0, 8)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": span}


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"a": entry()}, None),
        ({"a": {"dtype": "F32", "shape": [2]}}, "tensor 'a' must have dtype, shape and data_offsets"),
        ({"a": entry(dtype=3)}, "tensor 'a' has a dtype, shape or data_offsets that is none"),
        ({"a": entry(shape=[2.0])}, "tensor 'a' has a dtype, shape or data_offsets that is none"),
        ({"a": entry(shape=[-2])}, "tensor 'a' has a dtype, shape or data_offsets that is none"),
        ({"a": entry(span=[0, 8, 9])}, "tensor 'a' has a dtype, shape or data_offsets that is none"),
        ({"a": entry(span=[8, 0])}, "tensor 'a' has a dtype, shape or data_offsets that is none"),
        ({"a": entry(shape=[3])}, "tensor 'a' has 8 bytes, not those of its shape"),
        ({"a": entry("F8", span=[0, 6])}, "2 bytes belong to no tensor"),
        ({"a": entry(shape=[1], span=[4, 8])}, "tensor 'a' has bytes 4 .. 8 of 8, expected them from 0 on"),
        ({"a": entry(shape=[4], span=[0, 16])}, "tensor 'a' has bytes 0 .. 16 of 8, expected them from 0 on"),
        ([1], "its header is not one: must be an object, got list"),
        (b'{"a": NaN}', "its header is not one: NaN is no JSON"),
        (b'{"a": 1, "a": 2}', "its header is not one: 'a' stands twice"),
    ],
)
def test_headers_of_safetensors(tmp_path, header, reason):
    path = safetensors_file(tmp_path / "a.safetensors", header, b"\0" * 8)
    if reason is None:
        assert [row.zeros for row in survey(path).rows] == [2]
        return
    with pytest.raises(ValueError, match=r"\S*a.safetensors is damaged or not a safetensors file: ") as caught:
        survey(path)
    assert str(caught.value).endswith(f"file: {reason}")


def test_lengths_of_headers(tmp_path):
    """A header that fills the file is whole; one byte more, or fewer than the eight of its length, are not."""
    path = safetensors_file(tmp_path / "a.safetensors", {"0.weight": entry("F32", [0, 2], [0, 0])})
    assert [row.shape for row in survey(path).rows] == [(0, 2)]
    whole = path.read_bytes()
    for cut, words in (
        (-1, f"a header of {len(whole) - 8} bytes in a file of {len(whole) - 1}"),
        (5 - len(whole), "less than 8 bytes"),
    ):
        path.write_bytes(whole[:cut])
        with pytest.raises(ValueError, match=words):
            survey(path)


def test_a_survey_s_own_words(tmp_path):
    """Layout and order as they were given, and the path in what comes back."""
    pieces = {"dec.weight": np.ones((4, 3), "f4"), "enc.weight": np.ones((3, 4), "f4")}
    np.savez(tmp_path / "a.npz", **pieces)
    usual, turned = survey(tmp_path / "a.npz"), survey(tmp_path / "a.npz", layout="in_out")
    assert [(row.n_in, row.n_out) for row in usual.rows] == [(3, 4), (4, 3)]
    assert [(row.n_in, row.n_out) for row in turned.rows] == [(4, 3), (3, 4)]
    assert usual.path == str(tmp_path / "a.npz")
    assert usual.to_dict()["path"] == usual.path


# ------------------------------------------------------------------------------------------------ PyTorch


def test_tensors_of_pytorch(tmp_path):
    torch = pytest.importorskip("torch")
    shared = torch.ones(2, 3)
    state = {
        "a.weight": torch.arange(6.0).reshape(2, 3),
        "b": {"c": {"weight": torch.ones(4, 2, dtype=torch.float64)}},
        "whole": torch.ones(2, 3, dtype=torch.int64),
        "sparse": torch.eye(3).to_sparse(),
        "tied.weight": shared,
        "again.weight": shared,
        "complex": torch.ones(2, dtype=torch.complex64),
    }
    for ending in (".pt", ".ckpt", ".bin"):
        torch.save(state, tmp_path / f"a{ending}")
        found = survey(tmp_path / f"a{ending}")
        kinds = {row.name: (row.dtype, row.shape, row.mean is not None) for row in found.rows}
        assert kinds["a.weight"] == ("F32", (2, 3), True)
        assert kinds["b.c.weight"] == ("F64", (4, 2), True)
        assert kinds["sparse"] == ("torch.sparse_coo", (3, 3), False)
        assert not kinds["complex"][2]
        assert found.format == "PyTorch"
        assert any("stored once" in note and "tied.weight" in note and "again.weight" in note for note in found.notes)
    torch.save({"0.weight": torch.ones(2, 3)}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    assert read(tmp_path / "old.pt").network.sizes == (3, 2)
