"""Files of weights that other programs write: read with the right values in the right order, or refused in words."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import fanin as fi
from fanin.cli import main
from fanin.weights import read, survey

RNG = np.random.default_rng(0)
SHAPES = {
    "fc1.weight": (5, 6),
    "fc1.bias": (5,),
    "fc2.weight": (5, 5),
    "fc2.bias": (5,),
    "out.weight": (3, 5),
    "out.bias": (3,),
}
ARRAYS = {name: RNG.standard_normal(shape).astype("f4") for name, shape in SHAPES.items()}
X = RNG.standard_normal((7, 6)).astype("f4")
CODES = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}


def write(path, tensors, metadata=None):
    """A safetensors file; `tensors`: name to (dtype, shape, bytes), or to an array of float32."""
    header, data = {"__metadata__": metadata} if metadata else {}, b""
    for name, tensor in tensors.items():
        dtype, shape, raw = ("F32", tensor.shape, tensor.tobytes()) if isinstance(tensor, np.ndarray) else tensor
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def expected(arrays=ARRAYS):
    a = X.astype("f8")
    for layer in ("fc1", "fc2", "out"):
        a = a @ arrays[f"{layer}.weight"].T.astype("f8") + arrays[f"{layer}.bias"]
        a = np.maximum(a, 0) if layer != "out" else a
    return a


def right(net):
    # |error| <= n eps sum |terms|: 6 inputs, three layers of weights of the size of 1
    np.testing.assert_allclose(net.forward(X), expected(), atol=1e-4)


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.module."])
def test_class_style_names(tmp_path, prefix):
    path = write(tmp_path / "a", {prefix + name: ARRAYS[name] for name in sorted(ARRAYS)})
    found = read(path, activation="relu")
    right(found.network)
    assert "layers fc1, fc2, out; order: the only one in which their shapes fit; layout: (n_out, n_in)" in found.notes[0]
    right(read(path, activation="relu", layers=["fc1", "fc2", "out"]).network)


@pytest.mark.parametrize("dtype", ["F64", "F32", "F16", "BF16"])
def test_types_are_widened_exactly(tmp_path, dtype):
    w = np.array([[1.5, -0.25, 6e-5], [0.0, -0.0, np.inf]], "f4")  # the third is subnormal or rounded in F16
    if dtype == "BF16":
        raw = (w.view("u4") >> 16).astype("<u2")
        want = (raw.astype("u4") << 16).view("f4")
    else:
        raw = w.astype(CODES[dtype])
        want = raw.astype("f8")
    net = read(write(tmp_path / "a", {"0.weight": (dtype, w.shape, raw.tobytes())})).network
    assert net.dtype == (np.float64 if dtype == "F64" else np.float32)
    np.testing.assert_array_equal(net.weights[0], want)


def test_unknown_types_are_passed_over_with_a_word(tmp_path):
    path = write(tmp_path / "a", {**ARRAYS, "scales": ("F4", (2, 2), b"12")})
    found = read(path, activation="relu")
    right(found.network)
    assert "passed over, of types that are not read: scales (F4)" in found.notes
    fi.Network([2, 2], bias=False).load_weights(
        write(tmp_path / "b", {"0.weight": np.ones((2, 2), "f4"), "s": ("F4", (9,), b"1")})
    )


def test_tied_weights_that_are_stored_once(tmp_path):
    w, last = RNG.standard_normal((4, 4)).astype("f4"), RNG.standard_normal((2, 4)).astype("f4")
    net = read(write(tmp_path / "a", {"0.weight": w, "4.weight": last}, {"2.weight": "0.weight"})).network
    assert net.sizes == (4, 4, 4, 2)
    assert net.shared == ((0, 1),)
    np.testing.assert_array_equal(net.weights[1], w)


def test_shards(tmp_path):
    names = list(ARRAYS)
    parts = {"m-1.safetensors": names[:3], "m-2.safetensors": names[3:]}
    for part, of in parts.items():
        write(tmp_path / part, {name: ARRAYS[name] for name in of})
    index = tmp_path / "m.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {name: part for part, of in parts.items() for name in of}}))
    right(read(index, activation="relu").network)
    right(read(tmp_path, activation="relu").network)
    index.write_text(json.dumps({"weight_map": {"a": "../m-1.safetensors"}}))
    with pytest.raises(ValueError, match="files in its own folder"):
        read(index)
    index.write_text(json.dumps({"weight_map": {"other": "m-1.safetensors"}}))
    with pytest.raises(ValueError, match=r"m-1.safetensors has no tensor 'other'"):
        read(index)


def test_orders_that_nothing_tells_are_asked_for(tmp_path):
    enc, dec = ARRAYS["fc1.weight"], RNG.standard_normal((6, 5)).astype("f4")
    path = write(tmp_path / "a", {"dec.weight": dec, "enc.weight": enc})
    with pytest.raises(ValueError, match=r"more than one order.*--layers dec,enc"):
        read(path)
    assert read(path, layers=["enc", "dec"]).network.sizes == (6, 5, 6)
    np.savez(tmp_path / "a.npz", enc=enc, dec=dec)  # its order is that of the program
    found = read(tmp_path / "a.npz")
    assert found.network.sizes == (6, 5, 6)
    assert "as stored; their shapes fit in another order too (--layers dec,enc)" in found.notes[0]
    square = read(write(tmp_path / "b", {"0.weight": np.ones((2, 2), "f4")}))
    assert "the shapes do not tell the layout" in square.notes[1]


def test_layout(tmp_path):
    turned = {name: a.T for name, a in ARRAYS.items()}
    np.savez(tmp_path / "a.npz", **turned)
    with pytest.raises(ValueError, match="--layout in_out"):
        read(tmp_path / "a.npz")
    right(read(tmp_path / "a.npz", activation="relu", layout="in_out").network)
    np.savez(tmp_path / "k.npz", **{name.replace("weight", "kernel"): a for name, a in turned.items()})
    right(read(tmp_path / "k.npz", activation="relu").network)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ({"01.weight": (2, 2), "1.weight": (2, 2)}, "01.weight and 1.weight have the same number"),
        ({"0.weight": (2, 2), "0.bias": (2,), "1.bias": (2,)}, "1.bias without a weight"),
        ({"0.weight": (2, 2), "1.weight": (3, 2, 3, 3)}, "1.weight .convolution"),
        ({"fc.weight": (2, 2), "norm.weight": (2,), "norm.bias": (2,)}, "norm.weight .norm"),
        ({"a.weight": (3, 2), "b.weight": (5, 4)}, "b.weight must take the 3 outputs of a.weight"),
    ],
)
def test_refusals(tmp_path, names, words):
    with pytest.raises(ValueError, match=words):
        read(write(tmp_path / "a", {name: np.zeros(shape, "f4") for name, shape in names.items()}))


def test_digits_that_are_letters(tmp_path):
    np.savez(tmp_path / "a.npz", **{"w²": np.ones((2, 3)), "w³": np.ones((4, 2))})
    assert read(tmp_path / "a.npz").network.sizes == (3, 2, 4)


def test_a_bias_of_another_layer_is_no_bias_of_this_one(tmp_path):
    w, b = np.ones((3, 2), "f4"), np.ones(3, "f4")
    with pytest.raises(ValueError, match=r"fc2.bias without a weight"):
        read(write(tmp_path / "a", {"fc1.weight": w, "fc2.bias": b}))
    for names in (("fc1.weight", "fc1_bias"), ("arr_0", "arr_1"), ("W_1", "b1")):
        net = read(write(tmp_path / "a", dict(zip(names, (w, b), strict=True)))).network
        np.testing.assert_array_equal(net.biases[0], b)


def test_zeros_before_numbers(tmp_path):
    w = [RNG.standard_normal((2, 2)).astype("f4") for _ in range(3)]
    names = ["01", "2", "010"]
    path = write(tmp_path / "a", {f"{name}.weight": one for name, one in zip(names, w, strict=True)})
    net = fi.Network([2, 2, 2, 2], seed=1, bias=False)
    net.load_weights(path)
    for mine, one in zip(net.weights, w, strict=True):
        np.testing.assert_array_equal(mine, one)
    before = [one.copy() for one in net.weights]
    path = write(tmp_path / "b", {"1.weight": w[0], "2.weight": w[1], "01.weight": w[2]})
    with pytest.raises(ValueError, match=r"'01.weight' and '1.weight' have the same number"):
        net.load_weights(path)
    with pytest.raises(ValueError, match=r"01.weight and 1.weight have the same number|1.weight and 01.weight have"):
        read(path)
    with pytest.raises(ValueError, match=r"must be named 0.weight, 0.bias, ..., got fc1.bias"):
        fi.Network([6, 5, 5, 3]).load_weights(write(tmp_path / "c", {name: ARRAYS[name] for name in sorted(ARRAYS)}))
    for mine, one in zip(net.weights, before, strict=True):
        np.testing.assert_array_equal(mine, one)


def test_other_formats_are_named(tmp_path):
    np.savez(tmp_path / "m.pt.npz", ARRAYS["fc1.weight"])
    os.replace(tmp_path / "m.pt.npz", tmp_path / "m.pt")
    with pytest.raises(ValueError, match="it is an archive, as PyTorch"):
        fi.load(tmp_path / "m.pt")
    path = write(tmp_path / "c", ARRAYS)
    with pytest.raises(ValueError, match=r"must be named 0.weight, 0.bias, ..., got fc1.bias, fc1.weight"):
        fi.Network([6, 5, 5, 3]).load_weights(path)
    (tmp_path / "p").write_bytes(b"\x80\x04abc")
    with pytest.raises(ValueError, match="is a pickle, which executes what it holds"):
        read(tmp_path / "p")


def test_classes_and_loss_are_kept(tmp_path):
    net = fi.Network([2, 3, 3], seed=1)
    net.classes = np.array(["a", "b", "c"])
    net.save(tmp_path / "foo")
    assert fi.load(tmp_path / "foo").network.classes == ("a", "b", "c") == read(tmp_path / "foo").network.classes
    assert net.copy().classes == net.classes
    for wrong in (["a", "b"], ["a", "a", "b"]):
        with pytest.raises(ValueError, match="classes must be 3 different ones"):
            net.classes = wrong
    hinge = fi.Network([2, 3, 1], loss="hinge", seed=1)
    hinge.save(tmp_path / "hinge")
    assert read(tmp_path / "hinge", activation="relu", dtype="float64").network.loss_name == "hinge"


def test_pytorch(tmp_path):
    torch = pytest.importorskip("torch")
    state = {name: torch.tensor(a) for name, a in ARRAYS.items()}
    for name, held in {"a.pt": state, "b.pth": {"epoch": 3, "state_dict": state, "optimizer": {"m": torch.ones(3, 3)}}}.items():
        torch.save(held, tmp_path / name)
        found = read(tmp_path / name, activation="relu")
        right(found.network)
        assert "order: as stored" in found.notes[0]
    torch.save(torch.nn.Linear(2, 2), tmp_path / "whole.pt")
    with pytest.raises(ValueError, match=r"save model.state_dict\(\)"):
        read(tmp_path / "whole.pt")


def test_scikit_learn():
    neural_network = pytest.importorskip("sklearn.neural_network")
    fitted = neural_network.MLPClassifier((5,), max_iter=300, random_state=0, tol=1e-2).fit(X, list("abcabca"))
    net = read(fitted).network
    assert net.classes == ("a", "b", "c")
    np.testing.assert_allclose(net.predict_proba(X), fitted.predict_proba(X), atol=1e-6)


def test_safetensors_library_reads_ours(tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    net = fi.Network([3, 4, 2], seed=1)
    net.save(tmp_path / "a", fi.Adam())
    read_back = safetensors.load_file(tmp_path / "a")
    np.testing.assert_array_equal(read_back["1.weight"], net.weights[1])


def test_command(tmp_path, capsys, fails):
    path = write(tmp_path / "a.safetensors", ARRAYS)
    assert main(["weights", str(path), "--json", str(tmp_path / "a.json")]) == 0
    assert "fc1.weight" in capsys.readouterr().out
    assert len(json.loads((tmp_path / "a.json").read_text())["tensors"]) == 6
    assert "no_such" in fails("weights", "no_such")


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_what_killed_saves_left_is_removed(tmp_path):
    code = "import fanin as fi; n = fi.Network([1000, 2000, 2000], seed=1); print('go', flush=True)\nwhile True: n.save('net')"
    for _ in range(4):
        run = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
        assert run.stdout is not None
        assert run.stdout.readline() == "go\n"
        deadline = time.monotonic() + 20
        while not list(tmp_path.glob("net.*.tmp")) and time.monotonic() < deadline:
            time.sleep(0.001)
        run.send_signal(signal.SIGKILL)
        run.wait()
        run.stdout.close()
    (tmp_path / "net.other.tmp").write_text("not ours")
    fi.Network([2, 2], seed=1).save(tmp_path / "net")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["net", "net.other.tmp"]
    assert fi.load(tmp_path / "net").network.sizes == (2, 2)


@pytest.mark.parametrize("kind", ["safetensors", "npz", "index", "pt", "h5", "keras", "onnx"])
def test_mutations_are_refused_in_words(tmp_path, kind):
    """Bytes changed, cut and doubled: a value or a documented error. FANIN_MUTATIONS sets how many."""
    source, ending = valid(tmp_path, kind), {"index": ".safetensors.index.json"}.get(kind, f".{kind}")
    raw, rng, target = source.read_bytes(), random.Random(1), tmp_path / f"m{ending}"
    for _ in range(int(os.environ.get("FANIN_MUTATIONS", "100"))):
        data = bytearray(raw)
        for _ in range(rng.choice([1, 1, 2, 5])):
            at = rng.randrange(len(data) or 1)
            match rng.randrange(4):
                case 0:
                    data[at : at + 1] = bytes([rng.randrange(256)])
                case 1:
                    del data[at : at + rng.choice([1, 8, 1000])]
                case 2:
                    data[at:at] = data[at : at + rng.choice([1, 8, 100])]
                case _:
                    data[at : at + 4] = rng.randbytes(4)
        target.write_bytes(data)
        for use in (survey, read):
            with contextlib.suppress(ValueError, OSError):
                use(target)


def valid(folder, kind):
    path = folder / f"valid.{kind}"
    if kind == "safetensors":
        return write(path, ARRAYS, {"a": "b"})
    if kind == "npz":
        np.savez_compressed(path, **ARRAYS)
    elif kind == "keras":
        pytest.importorskip("h5py")
        path.write_bytes((Path(__file__).parents[2] / "data" / "weights" / "dense.keras").read_bytes())
    elif kind == "index":
        write(folder / "one.safetensors", ARRAYS)
        path.write_text(json.dumps({"weight_map": dict.fromkeys(ARRAYS, "one.safetensors")}))
    elif kind == "pt":
        torch = pytest.importorskip("torch")
        torch.save({name: torch.tensor(a) for name, a in ARRAYS.items()}, path)
    elif kind == "h5":
        with pytest.importorskip("h5py").File(path, "w") as file:
            for name, a in ARRAYS.items():
                file[name.replace(".weight", "/kernel").replace(".bias", "/bias")] = a.T
    else:
        onnx = pytest.importorskip("onnx")
        nodes = [onnx.helper.make_node("Gemm", ["x", "fc1.weight", "fc1.bias"], ["y"], transB=1)]
        ends = [[onnx.helper.make_tensor_value_info(name, 1, ["n", n])] for name, n in (("x", 6), ("y", 5))]
        graph = onnx.helper.make_graph(nodes, "g", *ends, [onnx.numpy_helper.from_array(a, name) for name, a in ARRAYS.items()])
        onnx.save(onnx.helper.make_model(graph), path)
    return path


def test_a_header_whose_length_begins_like_a_pickle(tmp_path):
    """640 = 0x280: the file begins with the two bytes of a pickle of protocol 2."""
    save_file = pytest.importorskip("safetensors.numpy").save_file
    w = np.ones((3, 4), np.float32)
    for words in range(1, 2000):
        save_file({"0.weight": w}, tmp_path / "w.safetensors", {"note": "x" * words})
        if (tmp_path / "w.safetensors").read_bytes()[:2] == b"\x80\x02":
            break
    else:
        pytest.fail("no header of such a length was written")
    assert np.array_equal(fi.weights.read(tmp_path / "w.safetensors").network.weights[0], w)
    fi.Network([4, 3], bias=False).load_weights(tmp_path / "w.safetensors")
