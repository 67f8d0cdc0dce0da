"""Networks and optimizers in safetensors files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fanin as fi

OPTIMIZERS = [
    lambda: fi.SGD(0.1),
    lambda: fi.SGD([0.1, 0.2, 0.3], 0.9, nesterov=True),
    lambda: fi.RMSProp(0.01, momentum=0.5, clip_norm=0.5),
    lambda: fi.RMSProp(1 / 3),
    lambda: fi.Adam(0.01, weight_decay=0.1),
    lambda: fi.AdaGrad(0.05),
]


def data(dtype="float32"):
    rng = np.random.default_rng(0)
    return rng.standard_normal((50, 4)).astype(dtype), rng.integers(0, 3, 50)


def parameters(net: fi.Network) -> bytes:
    return b"".join(p.tobytes() for p in (*net.weights, *net.biases))


def header(path: Path) -> dict:
    raw = path.read_bytes()
    return json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])


@pytest.mark.parametrize("make", OPTIMIZERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("names", ["fanin", "torch"])
def test_a_resumed_run_is_the_whole_one(tmp_path, make, dtype, names):
    x, y = data(dtype)
    path = tmp_path / "net.safetensors"
    net = fi.Network([4, 8, 8, 3], ["leaky_relu(0.2)", "tanh"], "he_normal", seed=5, dtype=dtype)
    whole, optimizer, other = net.copy(), make(), make()
    expected = whole.fit(x, y, epochs=7, batch_size=16, optimizer=other)
    net.fit(x, y, epochs=3, batch_size=16, optimizer=optimizer)
    net.save(path, optimizer, names=names)
    again, restored = fi.load(path)
    assert (repr(again), repr(restored), restored.steps) == (repr(net), repr(optimizer), 12)
    assert (again.activations, again.seed, again.dtype, again.init) == (net.activations, 5, np.dtype(dtype), "he_normal")
    history = again.fit(x, y, epochs=4, batch_size=16, optimizer=restored)
    assert np.array_equal(history.costs, expected.costs[12:])
    assert parameters(again) == parameters(whole)


def test_in_another_process(tmp_path):
    x, y = data()
    net, adam = fi.Network([4, 8, 3], seed=5), fi.Adam()
    net.fit(x, y, epochs=2, optimizer=adam)
    net.save(tmp_path / "a", adam)
    np.savez(tmp_path / "data.npz", x=x, y=y)
    code = (
        "import fanin as fi, numpy as np; d = np.load('data.npz'); net, adam = fi.load('a');"
        "net.fit(d['x'], d['y'], epochs=3, optimizer=adam); net.save('b')"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, env={**os.environ, "FANIN_NUM_THREADS": "1"})
    net.fit(x, y, epochs=3, optimizer=adam)
    assert parameters(fi.Network.load(tmp_path / "b")) == parameters(net)


def test_what_a_file_holds(tmp_path):
    path = tmp_path / "net"
    net = fi.Network([4, 5, 5, 3], "tanh", "normal(std=0.01)", seed=2**64 - 1, shared=[1])
    net.save(path)
    found = header(path)
    metadata = found.pop("__metadata__")
    assert list(found) == ["0.weight", "0.bias", "1.weight", "1.bias", "2.weight", "2.bias"]
    assert found["0.weight"] == {"dtype": "F32", "shape": [5, 4], "data_offsets": [0, 80]}
    assert metadata == {
        "fanin.version": fi.__version__,
        "fanin.algorithm_version": str(fi.ALGORITHM_VERSION),
        "network.sizes": "4,5,5,3",
        "network.activations": "tanh,tanh",
        "network.loss": "cross_entropy",
        "network.bias": "1",
        "network.seed": str(2**64 - 1),
        "network.epochs": "0",
        "network.init": "normal(std=0.01)",
    }
    assert fi.load(path).optimizer is None
    assert [p.name for p in tmp_path.iterdir()] == ["net"]


@pytest.mark.parametrize("sizes", [[2, 1], [3, 4, 1]])
@pytest.mark.parametrize("bias", [True, False])
def test_small_networks(tmp_path, sizes, bias):
    net = fi.Network(sizes, loss="hinge", bias=bias, seed=1)
    net.save(tmp_path / "a")
    again = fi.Network.load(os.fsencode(tmp_path / "a"))
    assert parameters(again) == parameters(net)
    assert len(again.biases) == len(net.biases)
    assert again.loss_name == "hinge"


def test_shared_matrices(tmp_path):
    net = fi.Network([3, 4, 4, 4, 2], shared=[1, 2], seed=1)
    x, y = np.ones((5, 3)), np.zeros(5, int)
    adam = fi.Adam()
    net.step(x, y, optimizer=adam)
    net.save(tmp_path / "a", adam)
    again, restored = fi.load(tmp_path / "a")
    assert again.shared == ((1, 2),)
    net.step(x, y, optimizer=adam)
    again.step(x, y, optimizer=restored)
    assert parameters(again) == parameters(net)
    fi.Network([3, 4, 4, 4, 2]).load_weights(tmp_path / "a")
    fi.Network([3, 4, 4, 4, 2], seed=2).save(tmp_path / "b")
    with pytest.raises(ValueError, match=r"tensor '2.weight' must be that of layer 1, whose matrix it shares"):
        net.load_weights(tmp_path / "b")


def test_the_other_reader(tmp_path):
    safetensors = pytest.importorskip("safetensors")
    numpy = pytest.importorskip("safetensors.numpy")
    x, y = data()
    net, adam = fi.Network([4, 8, 3], seed=5), fi.Adam()
    net.fit(x, y, optimizer=adam)
    net.save(tmp_path / "a", adam, names="torch")
    tensors = numpy.load_file(tmp_path / "a")
    assert np.array_equal(tensors["2.weight"], net.weights[1])
    assert {"optimizer.mean.0.weight", "optimizer.square.2.bias"} <= set(tensors)
    with safetensors.safe_open(tmp_path / "a", "numpy") as file:
        assert file.metadata()["network.sizes"] == "4,8,3"
    numpy.save_file({name: tensors[name] + 1 for name in ("0.weight", "0.bias", "2.weight", "2.bias")}, tmp_path / "b")
    other = fi.Network([4, 8, 3])
    other.load_weights(tmp_path / "b")
    assert np.array_equal(other.weights[1], net.weights[1] + 1)


# ------------------------------------------------------------------------------------------------ refusals


def rewrite(path: Path, **changes: str | None) -> None:
    """Change texts of the metadata ("network.sizes" as network_sizes); None takes one out."""
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    found = json.loads(raw[8 : 8 + length])
    for name, value in changes.items():
        key = name.replace("_", ".", 1)
        if value is None:
            del found["__metadata__"][key]
        else:
            found["__metadata__"][key] = value
    text = json.dumps(found).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + raw[8 + length :])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network_sizes": None}, "no description of a network: fanin.Network.save did not write it"),
        ({"network_loss": None}, "lacks 'network.loss' in its metadata"),
        ({"network_sizes": "4,8"}, r"its weights are not those of sizes \[4, 8\]"),
        ({"network_sizes": "1000000000000,1000000000000,3"}, "its weights are not those of sizes"),
        ({"network_sizes": "4,x,3"}, "'x' is not a number"),
        ({"network_sizes": "-4,8,3"}, "'-4' is not a number"),
        ({"network_sizes": "9" * 5000}, "is not a number"),
        ({"network_activations": "tahn"}, "did you mean 'tanh'"),
        ({"network_activations": ""}, "activations must have one for each of the 1 hidden layers"),
        ({"network_loss": "hinge"}, "loss hinge must have 1 output"),
        ({"network_seed": "18446744073709551616"}, "is not a number below"),
        ({"network_epochs": "1e3"}, "damaged 'network.epochs'"),
        ({"network_weight_of": "1,0"}, "weight_of must name"),
        ({"optimizer_rule": "lion"}, "optimizer.rule must be one of sgd, rmsprop, adam, adagrad, got 'lion'"),
        ({"optimizer_rule": "rmsprop"}, "lacks 'optimizer.alpha'"),
        ({"optimizer_beta1": "2"}, r"beta1 must be in \[0, 1\)"),
        ({"optimizer_beta1": "two"}, "could not convert"),
        ({"optimizer_lr": "0.1,0.1,0.1"}, "lr must be one number, or one for each"),
        ({"optimizer_steps": "-1"}, "damaged 'optimizer.steps'"),
        ({"optimizer_powers": "0.5"}, "damaged 'optimizer.powers'"),
        ({"optimizer_powers": "0.5,nan"}, r"powers must be in \[0, 1\]"),
        ({"optimizer_steps": None}, "no 'optimizer.steps' in its metadata"),
    ],
)
def test_damaged_descriptions(tmp_path, changes, message):
    net, adam = fi.Network([4, 8, 3], seed=5), fi.Adam()
    net.save(tmp_path / "a", adam)
    rewrite(tmp_path / "a", **changes)
    with pytest.raises(ValueError, match=message):
        fi.load(tmp_path / "a")


def test_another_version_warns(tmp_path):
    fi.Network([4, 8, 3], seed=5).save(tmp_path / "a")
    rewrite(tmp_path / "a", fanin_algorithm_version="999")
    with pytest.warns(RuntimeWarning, match="written by version 999 of the algorithms"):
        fi.load(tmp_path / "a")


def test_foreign_files(tmp_path):
    net = fi.Network([4, 8, 3], seed=5)
    before = parameters(net)
    for content in (
        b"",
        b"PK\x03\x04 a zip file, or a pickle",
        b"\x80\x04" * 100,
        b"\xff" * 8,
        (2).to_bytes(8, "little") + b"{}",
    ):
        (tmp_path / "a").write_bytes(content)
        with pytest.raises(ValueError, match=r"damaged or not a safetensors file|no description of a network"):
            fi.load(tmp_path / "a")
        with pytest.raises(
            ValueError, match=r"damaged or not a safetensors file|must be named 0.weight, 0.bias, ..., got none"
        ):
            net.load_weights(tmp_path / "a")
    with pytest.raises(FileNotFoundError):
        fi.load(tmp_path / "none")
    with pytest.raises(IsADirectoryError):
        fi.load(tmp_path)
    with pytest.raises(FileNotFoundError):
        net.save(tmp_path / "none" / "a")
    for call in (fi.load, net.save, net.load_weights):
        with pytest.raises(TypeError, match="path must be a path, got 3"):
            call(3)
    with pytest.raises(ValueError, match="null character"):
        net.save("a\0b")
    with pytest.raises(ValueError, match="names must be 'fanin' or 'torch', got 'keras'"):
        net.save(tmp_path / "a", names="keras")
    with pytest.raises(TypeError, match="optimizer must be an optimizer"):
        net.save(tmp_path / "a", "sgd")
    sgd = fi.SGD(0.1)
    fi.Network([2, 2]).step([[1, 1]], [0], optimizer=sgd)
    with pytest.raises(ValueError, match="optimizer must belong to one network"):
        net.save(tmp_path / "b", sgd)
    assert not (tmp_path / "b").exists()
    assert parameters(net) == before
