"""Which reader a file is given to, by its first bytes and its name; what is said of one that none takes; what readers share."""

from __future__ import annotations

import errno
import io
import json
import pickle
import re
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from fanin.weights.formats import keras, npz, onnx, pytorch, safetensors
from fanin.weights.formats.opening import WHAT, opened
from fanin.weights.formats.tensors import PIECE_BYTES, in_memory, word_of

RNG = np.random.default_rng(5)
PICKLE = pickle.dumps({"a": 1}, protocol=2)
NOTHING = b"\x01\x02 nothing that anybody writes"
PICKLES = "Of scikit-learn's: load it yourself and give the estimator to fanin.weights.read; of PyTorch's: name it .pt"
MANY = "write numpy.savez('weights.npz', w0, b0, w1, b1)"
HEADER = b'{"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
SAFETENSORS = len(HEADER).to_bytes(8, "little") + HEADER + bytes(4)


def archive(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name in names:
            file.writestr(name, b"")
    return stream.getvalue()


@pytest.fixture
def reader(monkeypatch, tmp_path):
    """``reader(name, content)``: the reader that a file of that name is given to."""
    for module, names in {
        keras: ("read", "read_archive"),
        npz: ("read",),
        onnx: ("read",),
        pytorch: ("read",),
        safetensors: ("read", "read_index"),
    }.items():
        for name in names:
            said = f"{module.__name__.rpartition('.')[2]}.{name}"
            monkeypatch.setattr(module, name, lambda path, said=said: (said, Path(path).name))

    def run(name: str, content: bytes) -> str:
        (tmp_path / name).write_bytes(content)
        said, found = opened(tmp_path / name)
        assert found == name
        return said

    return run


def test_the_first_bytes_decide(reader):
    assert reader("x.npz", b"\x89HDF\r\n\x1a\n" + bytes(99)) == "keras.read"
    assert reader("x.pt", SAFETENSORS) == "safetensors.read"
    assert reader("x.bin.safetensors", SAFETENSORS) == "safetensors.read"
    assert reader("x", SAFETENSORS) == "safetensors.read"
    assert reader("x.safetensors", NOTHING) == "safetensors.read", "whose own error says what is wrong"
    assert reader("x.JSON", b' {"weight_map": {}}') == "safetensors.read_index"
    assert reader("x.npz", archive("w.npy")) == "npz.read"
    assert reader("x.zip", archive("model.weights.h5", "config.json")) == "keras.read_archive"
    assert reader("x.npz", archive("net/data.pkl")) == "pytorch.read"
    assert reader("x.npz", archive("data.pkl")) == "pytorch.read"
    assert reader("x.pt", archive("w.npy")) == "npz.read"


@pytest.mark.parametrize("end", [".pt", ".pth", ".bin", ".ckpt", ".PTH"])
def test_pytorchs_names(reader, end):
    """A pickle of such a name, what nothing is said of, an archive that ends too soon: PyTorch's loader says what is wrong."""
    broken = archive("data.pkl")[:40]
    assert [reader(f"m{end}", content) for content in (PICKLE, NOTHING, broken)] == ["pytorch.read"] * 3


def test_names_of_the_others(reader):
    broken = archive("data.pkl")[:40]
    assert reader("m.keras", broken) == "keras.read_archive"
    assert reader("m.npz", broken) == "npz.read"
    assert reader("m.zip", archive()) == "npz.read"
    assert reader("m.ONNX", NOTHING) == "onnx.read"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("m.pkl", PICKLE, "{path} is a pickle, which executes what it holds: it is not opened. " + PICKLES),
        ("m.npy", b"\x93NUMPY\x01\x00", "{path} is one array: weights are many, " + MANY),
        ("m.h5", NOTHING, "{path}: no HDF5 file, or damaged: its first bytes are others"),
        ("m.hdf5", NOTHING, "{path}: no HDF5 file, or damaged: its first bytes are others"),
        ("m.KERAS", NOTHING, "{path}: no HDF5 file, or damaged: its first bytes are others"),
        ("m.npz", NOTHING, "{path}: no NPZ file of arrays: it is no archive"),
        ("m.txt", NOTHING, f"weights must be a file {WHAT}, got {{path}}"),
        ("m.txt", b'{"a": 1}', f"weights must be a file {WHAT}, got {{path}}"),
    ],
)
def test_what_no_reader_takes(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match="^" + re.escape(said.format(path=tmp_path / name)) + "$"):
        opened(tmp_path / name)


def test_folders(tmp_path):
    with pytest.raises(IsADirectoryError) as none:
        opened(tmp_path)
    assert (none.value.errno, none.value.strerror) == (errno.EISDIR, "is a folder without a file *.safetensors")
    assert none.value.filename == str(tmp_path)
    for name in ("b", "a"):
        (tmp_path / f"{name}.safetensors").write_bytes(SAFETENSORS)
    two = f"{tmp_path} has 2 files *.safetensors: name one, as {tmp_path / 'a.safetensors'}"
    with pytest.raises(ValueError, match="^" + re.escape(two) + "$"):
        opened(tmp_path)
    (tmp_path / "c.safetensors.index.json").write_text(json.dumps({"weight_map": {"t": "a.safetensors"}}))
    assert [tensor.name for tensor in opened(tmp_path).tensors] == ["t"]
    with pytest.raises(ValueError, match=r"path must not hold a null character, got 'a\\x00b'"):
        opened("a\0b")


# ------------------------------------------------------------------------------------------------ readers


def test_a_matrix_of_more_than_one_piece(tmp_path):
    """Of every type: read into one array in the order in which the pieces come."""
    shape = (3, PIECE_BYTES // 8 + 5)
    for dtype in ("float64", "float32", "float16", "int16"):
        w = (100 * RNG.standard_normal(shape)).astype(dtype)
        np.savez(tmp_path / "w.npz", w=w, turned=np.asfortranarray(w))
        for tensor in opened(tmp_path / "w.npz").tensors:
            assert tensor.array().dtype == ("float32" if dtype in ("float32", "float16") else "float64")
            assert np.array_equal(tensor.array(), w), (dtype, tensor.name)
    high = RNG.integers(0, 0x7F80, shape).astype(np.uint16)  # finite
    brain = in_memory("b", high, "BF16").array()
    assert np.array_equal(brain.view(np.uint32), high.astype(np.uint32) << 16)


def test_onnx_names_that_stand_twice_or_are_no_text(tmp_path):
    proto = pytest.importorskip("onnx")
    path = tmp_path / "m.onnx"

    def model(*names: str) -> bytes:
        tensors = [proto.numpy_helper.from_array(np.ones((2, 2), np.float32), name) for name in names]
        return bytes(proto.helper.make_model(proto.helper.make_graph([], "g", [], [], tensors)).SerializeToString())

    path.write_bytes(model("one", "twofold", "twofold"))
    with pytest.raises(ValueError, match=re.escape(f"{path} is damaged: 'twofold' stands twice")):
        opened(path)
    path.write_bytes(model())
    with pytest.raises(ValueError, match=re.escape(f"{path} is no ONNX model, or damaged: it has no nodes and no tensors")):
        opened(path)
    path.write_bytes(model("one", "twofold").replace(b"twofold", b"\xff\xfe\xfd\xff\xff\xff\xff"))
    with pytest.raises(ValueError, match=re.escape(f"{path} is")):
        opened(path)


def test_a_single_tensor_of_pytorch(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save(torch.ones(3, 2, dtype=torch.bfloat16), tmp_path / "t.pt")
    (tensor,) = opened(tmp_path / "t.pt").tensors
    assert (tensor.name, tensor.dtype, tensor.shape) == ("tensor", "BF16", (3, 2))
    assert np.array_equal(tensor.array(), np.ones((3, 2)))


def test_hdf5_is_asked_for_and_damage_is_said_in_one_line(tmp_path, monkeypatch):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "m.h5"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(200))
    with pytest.raises(OSError, match="open") as theirs:
        h5py.File(path, "r")
    said = " ".join(str(theirs.value).split())[:200]
    with pytest.raises(ValueError, match="^" + re.escape(f"{path}: no HDF5 file, or damaged: {said}") + "$"):
        opened(path)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ModuleNotFoundError, match=re.escape(f"{path} is an HDF5 file: pip install h5py")) as missing:
        opened(path)
    assert missing.value.name == "h5py"


def test_pytorch_is_asked_for(tmp_path, monkeypatch):
    (tmp_path / "m.pt").write_bytes(PICKLE)
    monkeypatch.setitem(sys.modules, "torch", None)
    said = f"{tmp_path / 'm.pt'} is a file of PyTorch: install torch, or save it there with safetensors.torch.save_file"
    with pytest.raises(ModuleNotFoundError, match="^" + re.escape(said) + "$") as missing:
        opened(tmp_path / "m.pt")
    assert missing.value.name == "torch"


def test_words_for_types():
    words = {"float16": "F16", "float64": "F64", "int64": "I64", "int8": "I8", "uint8": "U8", "bool": "BOOL"}
    assert {name: word_of(np.dtype(name)) for name in words} == words
    assert word_of(np.dtype("complex64")) == "complex64"
    assert word_of(np.dtype(pytest.importorskip("ml_dtypes").bfloat16)) == "BF16"
