"""The examples build and do what they say."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest

import fanin as fi

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="module")
def built(tools, cpp_prefix, tmp_path_factory):
    """The build tree of all examples in C and C++."""
    return tools.build(EXAMPLES, tmp_path_factory.mktemp("examples"), f"-DCMAKE_PREFIX_PATH={cpp_prefix}")


def test_train_then_score(tools, built, tmp_path):
    saved = tmp_path / "spirals.safetensors"
    assert "% right" in tools.run(built / "cpp" / "train" / "train", saved)
    lines = tools.run(built / "cpp" / "pipeline" / "pipeline", saved, "2000").splitlines()
    assert [line.split()[0] for line in lines] == ["1", "2", "4", "8"]

    net = fi.Network.load(saved)
    x = fi.init.normal((20, 2), seed=1, stream="x")
    logits = x
    for w, b, activation in zip(net.weights, net.biases, net.activations, strict=True):
        logits = fi.dense_forward(logits, w, b, activation=activation).a
    rows = "\n".join(f"{a:.9g} {b:.9g}" for a, b in x)  # nine digits: the same float32 again
    done = subprocess.run([built / "c" / "score" / "score", saved], input=rows, capture_output=True, text=True, check=True)
    scored = np.array([line.split() for line in done.stdout.splitlines()], np.float32)
    np.testing.assert_array_equal(scored, logits)


@pytest.mark.parametrize("processes", ["1", "3", "7"])
def test_shards(tools, built, tmp_path, processes):
    printed = tools.run(built / "cpp" / "shard_init" / "shard_init", tmp_path / "embedding.raw", processes)
    assert printed == f"{processes} processes: the bits of one\n"


def test_python_extension(tools, cpp_prefix, tmp_path):
    pybind11 = pytest.importorskip("pybind11")
    options = [f"-Dpybind11_DIR={pybind11.get_cmake_dir()}", f"-DPython_EXECUTABLE={sys.executable}"]
    build = tools.build(EXAMPLES / "python-extension", tmp_path, *options, f"-Dfanin_ROOT={cpp_prefix}")
    spec = importlib.util.spec_from_file_location("noisy", next(build.glob(f"noisy*{sysconfig.get_config_var('EXT_SUFFIX')}")))
    noisy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(noisy)
    x = np.ones((3, 4), np.float32)
    noise = fi.init.normal((3, 4), std=0.5, seed=9, stream="noise")
    np.testing.assert_array_equal(noisy.add_noise(x, 0.5, 9), x + noise)
    assert noisy.active_isa() in fi.available_isas()
