"""What nothing else pins down of the readers: damaged headers, saved networks asked for otherwise, folders."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fanin as fi
from fanin.weights import read, read_network, survey
from fanin.weights.formats.keras import read_archive
from fanin.weights.formats.opening import opened
from fanin.weights.formats.pytorch import _line
from fanin.weights.rows import _printable

RNG = np.random.default_rng(8)


def saved(path: Path, **options: Any) -> fi.Network:
    """A network in a file, whose biases are not 0 and whose loss is not the usual one."""
    net = fi.Network([4, 4, 4, 2], "tanh", "xavier_normal", "mean_squared_error", seed=3, **options)
    for b in net.biases:
        b[...] = RNG.standard_normal(b.shape)
    net.save(path)
    return net


def test_a_saved_network_in_another_type_or_with_another_activation(tmp_path):
    path = tmp_path / "net.safetensors"
    net = saved(path)
    same = read_network(path, activation="tanh", dtype="float32")
    wide = read_network(path, dtype="float64")
    relu = read_network(path, activation="relu")
    both = read_network(path, activation="relu", dtype="float64")
    assert [one.dtype for one in (same, wide, relu, both)] == ["float32", "float64", "float32", "float64"]
    assert [list(one.activations[:-1]) for one in (same, wide, relu, both)] == [["tanh"] * 2] * 2 + [["relu"] * 2] * 2
    for one in (same, wide, relu, both):
        assert (one.loss_name, one.seed, one.init) == ("mean_squared_error", net.seed, net.init)
        for mine, theirs in zip((*one.weights, *one.biases), (*net.weights, *net.biases), strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_activations_of_a_saved_network_that_differ_are_all_looked_at(tmp_path):
    """Asked for the first layer's activation, the second's changes too."""
    path = tmp_path / "net.safetensors"
    fi.Network([4, 4, 4, 2], ["tanh", "relu"], "xavier_normal", seed=3).save(path)
    assert list(read_network(path).activations[:-1]) == ["tanh", "relu"]
    assert list(read_network(path, dtype="float64").activations[:-1]) == ["tanh", "relu"]
    assert list(read_network(path, activation="tanh").activations[:-1]) == ["tanh", "tanh"]


def test_shared_matrices_stay_shared_in_another_type(tmp_path):
    path = tmp_path / "net.safetensors"
    saved(path, shared=[[0, 1]])
    other = read_network(path, dtype="float64")
    assert [list(group) for group in other.shared] == [[0, 1]]
    assert np.shares_memory(other.weights[0], other.weights[1])


def test_the_loss_of_a_file_without_one(tmp_path):
    path = tmp_path / "net.npz"
    np.savez(path, RNG.standard_normal((5, 4)), RNG.standard_normal((3, 5)))
    assert read_network(path).loss_name == "cross_entropy"


def test_one_output_makes_two_classes(tmp_path):
    np.savez(tmp_path / "n.npz", RNG.standard_normal((5, 4)), RNG.standard_normal((1, 5)))
    assert read_network(tmp_path / "n.npz").loss_name == "binary_cross_entropy"
    assert read_network(tmp_path / "n.npz", loss="hinge").loss_name == "hinge"


def test_what_was_read_prints_as_its_network_and_notes(tmp_path):
    np.savez(tmp_path / "n.npz", RNG.standard_normal((5, 4)), RNG.standard_normal((3, 5)))
    found = read(tmp_path / "n.npz")
    assert repr(found).splitlines() == [*repr(found.network).splitlines(), *found.notes]
    assert found.notes[-1] == "activation: tanh, the file says none (--activation NAME)"
    kept = json.loads(survey(tmp_path / "n.npz").to_json())
    assert (kept["kind"], kept["path"]) == ("weights", str(tmp_path / "n.npz"))


def test_a_saved_network_without_biases_has_none_with_another_activation(tmp_path):
    fi.Network([4, 6, 3], "tanh", "he_normal", seed=1, bias=False).save(tmp_path / "net")
    assert not read_network(tmp_path / "net", activation="relu").biases


def test_a_single_matrix_has_no_hidden_layer_to_speak_of(tmp_path):
    np.savez(tmp_path / "n.npz", RNG.standard_normal((5, 4)))
    assert not any("activation" in note for note in read(tmp_path / "n.npz").notes)
    assert read_network(tmp_path / "n.npz", layout="in_out").sizes == (5, 4)
    for layout in ("out_in", "in_out"):
        assert survey(tmp_path / "n.npz", layout=layout).rows[0].n_in == (4 if layout == "out_in" else 5)


def npz(path: Path, **entries: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(f"{name}.npy", content)
    return path


def array(values: Any, version: tuple[int, int] = (1, 0)) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.asarray(values), version=version)
    return stream.getvalue()


def test_an_array_of_a_version_that_is_not_known_is_passed_over(tmp_path):
    later = array(np.ones((2, 2)), (3, 0))
    found = opened(npz(tmp_path / "a.npz", later=later, plain=array(np.ones((3, 2)))))
    assert [(one.name, one.shape) for one in found.tensors] == [("later", ()), ("plain", (3, 2))]
    assert found.tensors[0].dtype == "an NPY file of version 3.0"


def test_a_header_that_cannot_be_read_is_named(tmp_path):
    header = b"\x93NUMPY\x01\x00\x0b\x00" + b"{'descr': 4}"[:11]
    with pytest.raises(ValueError, match=r"a.npz: no NPZ file of arrays: broken: \S"):
        read(npz(tmp_path / "a.npz", broken=header))


@pytest.mark.parametrize("place", [20, 24])
def test_an_entry_larger_than_its_bytes_is_refused_before_anything_is_allocated(tmp_path, place):
    """The sizes that the archive's directory states: of the bytes in the file, and of what they hold."""
    path = npz(tmp_path / "a.npz", w=array(np.ones((3, 2))))
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\x01\x02")
    size = int.from_bytes(content[entry + 24 : entry + 28], "little")
    content[entry + place : entry + place + 4] = (size + 2**20).to_bytes(4, "little")
    path.write_bytes(content)
    sizes = f"{size} bytes of {size + 2**20}" if place == 20 else f"{size + 2**20} bytes of {size}"
    with pytest.raises(ValueError, match=f"a.npz: w.npy is damaged: {sizes} in the file"):
        opened(path)


def test_the_first_line_of_what_pytorch_says():
    assert _line(ValueError("  first\nsecond")) == "first"
    assert _line(ValueError("x" * 300)) == "x" * 200
    assert _line(EOFError()) == "EOFError"


def test_arrays_without_elements_in_fortrans_order(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, empty=np.empty((0, 3), order="F"), two=np.asfortranarray(RNG.standard_normal((2, 3))))
    found = {one.name: one for one in opened(path).tensors}
    assert found["empty"].shape == (0, 3)
    assert found["empty"].array().shape == (0, 3)
    np.testing.assert_array_equal(found["two"].array(), np.load(path)["two"])


def test_a_folder_of_one_file_is_that_file(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    saved(folder / "net.safetensors")
    assert opened(folder).path == str(folder / "net.safetensors")
    saved(folder / "other.safetensors")
    with pytest.raises(ValueError, match=r"model has 2 files \*.safetensors: name one, as .*net.safetensors"):
        opened(folder)


@pytest.mark.parametrize(("text", "why"), [("[1]", "."), ("{", "."), ('{"metadata": {}}', "weight_map")])
def test_an_index_that_is_none_is_named(tmp_path, text, why):
    path = tmp_path / "model.safetensors.index.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"index.json is no index of safetensors files: .*{why}"):
        read(path)


def test_names_are_printed_as_they_are_but_for_what_cannot_be_seen():
    assert _printable("weight.µ 'a'") == "weight.µ 'a'"
    assert _printable("a\nb\x1b") == "a\\nb\\x1b"


def test_onnx_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    (tmp_path / "a.onnx").write_bytes(b"\x08\x07")
    with pytest.raises(ModuleNotFoundError, match=r"a.onnx is an ONNX model: pip install onnx") as error:
        read(tmp_path / "a.onnx")
    assert error.value.name == "onnx"


def test_what_is_no_onnx_is_named(tmp_path):
    pytest.importorskip("onnx")
    (tmp_path / "a.onnx").write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match=r"a.onnx is no ONNX model, or damaged: ."):
        read(tmp_path / "a.onnx")


def test_tensors_of_onnx_without_a_graph_and_constants_of_one(tmp_path):
    """A model of tensors alone is read, and so is one whose tensors are constants among its nodes."""
    onnx = pytest.importorskip("onnx")
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    w = RNG.standard_normal((3, 4))
    onnx.save(helper.make_model(helper.make_graph([], "g", [], [], [numpy_helper.from_array(w, "w")])), tmp_path / "a.onnx")
    assert [(one.name, one.shape) for one in opened(tmp_path / "a.onnx").tensors] == [("w", (3, 4))]
    nodes = [
        helper.make_node("Constant", [], ["c"], value=numpy_helper.from_array(w, "inner")),
        helper.make_node("Constant", [], ["f"], value_float=2.0),
        helper.make_node("Flatten", ["x"], ["y"], axis=1),
    ]
    ends = [[helper.make_tensor_value_info(name, 1, ["n", 3])] for name in ("x", "y")]
    onnx.save(helper.make_model(helper.make_graph(nodes, "g", *ends)), tmp_path / "b.onnx")
    found = opened(tmp_path / "b.onnx").tensors
    assert [(one.name, one.shape) for one in found] == [("c", (3, 4))]
    np.testing.assert_array_equal(found[0].array(), w)


def keras(path: Path, config: str, *, whole: bool = True) -> Path:
    h5py = pytest.importorskip("h5py")
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file["layers/dense/vars/0"] = np.ones((3, 2))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", config)
        if whole:
            archive.writestr("model.weights.h5", stream.getvalue())
    return path


def test_a_last_activation_that_fanin_does_not_know_leaves_the_others(tmp_path):
    """What follows the last layer is the loss's matter; what stands between layers must be known."""
    h5py = pytest.importorskip("h5py")
    for words, activations, notes in (
        (("relu", "swish"), ["relu"], []),
        (("swish", None), None, ["activations that are not those of fanin: [['swish']]"]),
        (("relu", None), ["relu"], []),
    ):
        path = tmp_path / f"{words[0]}-{words[1]}.h5"
        layers = [{"class_name": "Dense", "config": {"name": f"d{i}", "activation": word}} for i, word in enumerate(words)]
        with h5py.File(path, "w") as file:
            for i, shape in enumerate(((3, 4), (4, 2))):
                file[f"model_weights/d{i}/d{i}/kernel"] = RNG.standard_normal(shape)
            file.attrs["model_config"] = json.dumps({"config": {"layers": layers}})
        found = opened(path)
        assert (found.activations, found.notes) == (activations, notes)


def test_tensors_of_keras_of_no_rows_and_in_many_pieces(tmp_path):
    h5py = pytest.importorskip("h5py")
    w = RNG.standard_normal((7, 3))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["layer/w"], file["layer/scale"], file["layer/none"] = w, np.float64(2.5), h5py.Empty("f8")
        file["layer/words"] = np.array([b"a", b"b"])
    found = {one.name: one for one in opened(tmp_path / "a.h5").tensors}
    whole, one = found["layer/w"], found["layer/scale"]
    assert whole.pieces is not None
    pieces = [piece().copy() for piece in whole.pieces(6)]
    assert [piece.size for piece in pieces] == [6, 6, 6, 3]
    np.testing.assert_array_equal(np.concatenate(pieces), w.reshape(-1))
    assert (one.shape, one.array().item()) == ((), 2.5)
    assert found["layer/words"].pieces is None
    assert found["layer/none"].pieces is None


def test_an_archive_of_keras_without_its_weights_says_so(tmp_path):
    path = keras(tmp_path / "a.keras", "{}", whole=False)
    with pytest.raises(ValueError, match=r"a.keras: no file of Keras, or damaged: ") as error:
        read_archive(str(path))
    assert "There is no item named 'model.weights.h5' in the archive" in str(error.value)


@pytest.mark.parametrize("config", ["{", "[]", json.dumps({"config": {"layers": 4}})])
def test_a_description_of_keras_that_is_not_known_is_said(tmp_path, config):
    found = read_archive(str(keras(tmp_path / "a.keras", config)))
    assert found.format == "Keras"
    assert found.notes[-1] == "the description of its layers is none that is known here: the order is that of the names"
    assert [one.shape for one in found.tensors] == [(3, 2)]
