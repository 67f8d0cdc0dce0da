"""The C API: from C11, from ctypes and from Rust; what it computes has the bits of Python's own calls."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import fanin as fi

HERE = Path(__file__).parent
DTYPES = {np.dtype(np.float32): 0, np.dtype(np.float64): 1, np.dtype(np.float16): 2}


class Api:
    """The shared library through ctypes; a status that is not 0 becomes a ValueError with the words of the library."""

    def __init__(self, path: Path) -> None:
        self.library = ctypes.CDLL(str(path))
        self.library.fanin_last_error.restype = ctypes.c_char_p
        for name in ("inputs", "outputs", "workspace"):
            getattr(self.library, f"fanin_predictor_{name}").restype = ctypes.c_size_t

    def __call__(self, name: str, *arguments: Any) -> None:
        status = getattr(self.library, f"fanin_{name}")(*(self.converted(a) for a in arguments))
        if status != 0:
            raise ValueError(f"{status}: {self.library.fanin_last_error().decode()}")

    @staticmethod
    def converted(argument: Any) -> Any:
        if isinstance(argument, np.ndarray):
            return argument.ctypes.data_as(ctypes.c_void_p)
        if isinstance(argument, str):
            return argument.encode()
        if isinstance(argument, tuple):
            return (ctypes.c_size_t * len(argument))(*argument)
        return argument


@pytest.fixture(scope="module")
def api(shared_prefix: Path) -> Api:
    return Api(next((shared_prefix / "lib").glob("libfanin.*so*")))


def u64(value: int) -> ctypes.c_uint64:
    return ctypes.c_uint64(value)


def size(value: int) -> ctypes.c_size_t:
    return ctypes.c_size_t(value)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("law", ["he_normal", "orthogonal(gain=2)", "sparse(sparsity=0.5)", "truncated_normal(std=0.3)"])
def test_draws(api: Api, law: str, dtype: str) -> None:
    out = np.empty((30, 20), dtype)
    stream = u64(0)
    api("stream_id", "0.weight", ctypes.byref(stream))
    api("fill", DTYPES[out.dtype], out, (30, 20), size(2), law, u64(7), stream)
    np.testing.assert_array_equal(out, fi.init.law(law)((30, 20), seed=7, stream="0.weight", dtype=dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_layers(api: Api, dtype: str) -> None:
    x, da = (fi.init.normal(shape, seed=1, stream=s, dtype=dtype) for shape, s in (((9, 20), "x"), ((9, 11), "da")))
    w, b = fi.init.he_normal((11, 20), seed=1, stream="w", dtype=dtype), fi.init.normal((11,), seed=1, stream="b", dtype=dtype)
    a, z, dx, dw, db = (np.empty(shape, dtype) for shape in ((9, 11), (9, 11), (9, 20), (11, 20), (11,)))
    sizes = (size(9), size(20), size(11))
    api("dense_forward", DTYPES[x.dtype], *sizes, x, w, b, "gelu", a, z)
    api("dense_backward", DTYPES[x.dtype], *sizes, da, x, w, z, "gelu", dx, dw, db)
    f = fi.dense_forward(x, w, b, activation="gelu")
    g = fi.dense_backward(da, x, w, f.z, activation="gelu")
    for got, expected in ((a, f.a), (z, f.z), (dx, g.dx), (dw, g.dw), (db, g.db)):
        np.testing.assert_array_equal(got, expected)


def test_a_network_that_python_saved(api: Api, tmp_path: Path) -> None:
    net = fi.Network([6, 10, 4], activation="silu", init="he_normal", seed=3)
    path, x = tmp_path / "net.safetensors", fi.init.normal((5, 6), seed=1, stream="x")
    net.save(path)
    predictor, out = ctypes.c_void_p(), np.empty((5, 4), np.float32)
    api("predictor_load", str(path), 0, ctypes.byref(predictor))
    assert api.library.fanin_predictor_inputs(predictor) == 6
    api("predictor_predict", predictor, x, size(5), out, None, size(0))
    api.library.fanin_predictor_free(predictor)
    np.testing.assert_array_equal(out, logits_of(net, x))


def logits_of(net: fi.Network, x: NDArray[np.float32]) -> NDArray[np.float32]:
    for w, b, activation in zip(net.weights, net.biases, net.activations, strict=True):
        x = fi.dense_forward(x, w, b, activation=activation).a
    return x


def test_words_of_an_error(api: Api) -> None:
    gain = ctypes.c_double()
    with pytest.raises(ValueError, match=r"^1: activation must be one of .*did you mean 'tanh'\?$"):
        api("gain", "tahn", ctypes.byref(gain))
    network = ctypes.c_void_p()
    with pytest.raises(ValueError, match=r"^3: nowhere: No such file"):
        api("network_load", "nowhere", 0, ctypes.byref(network))


def test_shared_library_shows_the_public_headers_alone(shared_prefix: Path) -> None:
    nm = shutil.which("nm")
    if nm is None:
        pytest.skip("needs nm")
    library = next((shared_prefix / "lib").glob("libfanin.so"))
    shown = subprocess.run([nm, "-D", "--defined-only", library], capture_output=True, text=True, check=True).stdout.split()[
        2::3
    ]
    assert "fanin_fill" in shown
    assert not [name for name in shown if "fanin" not in name or "x86_64" in name or "generic" in name]
    header = (shared_prefix / "include" / "fanin" / "fanin.h").read_text()
    assert set(re.findall(r"\b(fanin_\w+)\(", header)) <= set(shown)


def test_c11(tools: Any, cpp_prefix: Path, tmp_path: Path) -> None:
    build = tools.build(HERE, tmp_path / "build", f"-DCMAKE_PREFIX_PATH={cpp_prefix}")
    tools.run(build / "test_capi_fanin", tmp_path / "saved.safetensors")


def test_c11_with_the_shared_library(tools: Any, shared_prefix: Path, tmp_path: Path) -> None:
    build = tools.build(HERE, tmp_path / "build", f"-DCMAKE_PREFIX_PATH={shared_prefix}")
    tools.run(build / "test_capi_fanin_shared", tmp_path / "saved.safetensors")


def test_rust(tools: Any, shared_prefix: Path, tmp_path: Path) -> None:
    rustc = shutil.which("rustc")
    if rustc is None:
        pytest.skip("needs rustc")
    library = shared_prefix / "lib"
    tools.run(
        rustc, "-L", library, "-l", "fanin", "-C", f"link-arg=-Wl,-rpath,{library}", "-o", tmp_path / "draw", HERE / "draw.rs"
    )
    w = fi.init.he_normal((4, 3), seed=7, stream=1)
    printed = tools.run(tmp_path / "draw").split()
    assert printed == [f"{bits:08x}" for bits in w.view(np.uint32).ravel()]
