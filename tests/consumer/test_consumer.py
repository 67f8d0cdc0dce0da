"""A C++ program that embeds the library prints the digest that Python computes: from `cmake --install` and from the wheel."""

from __future__ import annotations

import os
import subprocess
from functools import reduce
from pathlib import Path

import numpy as np
import pytest

import fanin as fi
from fanin import _core

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def digest() -> str:
    x = np.empty((32, 784), np.float32)
    _core.fill_normal(x, 7, fi.random.stream_id("x"), 0, 0.0, 1.0)
    w = fi.init.he_normal((300, 784), seed=7, stream="0.weight")
    a = fi.dense_forward(x, w, np.zeros(300, np.float32), activation="relu").a
    hashed = reduce(lambda value, byte: (value ^ byte) * 0x100000001B3 % 2**64, a.tobytes(), 0xCBF29CE484222325)
    return f"{hashed:016x}"


def check(tools, folder: Path, digest: str, *options: str) -> None:
    build = tools.build(HERE, folder, *options)
    for threads in ("1", "2"):
        for isa in fi.available_isas():
            env = {**os.environ, "FANIN_NUM_THREADS": threads, "FANIN_ISA": isa}
            printed = subprocess.run([build / "consumer"], env=env, capture_output=True, text=True, check=True).stdout
            assert printed == digest + "\n", (threads, isa)


def test_consumer_of_cmake_install(tools, cpp_prefix, tmp_path, digest):
    check(tools, tmp_path, digest, f"-DCMAKE_PREFIX_PATH={cpp_prefix}")


def test_consumer_of_the_wheel(tools, tmp_path, digest):
    try:
        package = fi.get_cmake_dir()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    assert (Path(fi.get_include()) / "fanin" / "random.hpp").is_file()
    check(tools, tmp_path, digest, f"-Dfanin_DIR={package}")


def test_flags_of_pkg_config(cpp_prefix):
    # No pkg-config on every machine: the file is read, and what it names must be there.
    (file,) = cpp_prefix.glob("lib*/pkgconfig/fanin.pc")
    variables = {"pcfiledir": str(file.parent)}
    for name, value in (line.split("=", 1) for line in file.read_text().splitlines() if line.partition(":")[0].count("=") == 1):
        for known, path in variables.items():
            value = value.replace("${" + known + "}", path)
        variables[name] = value
    assert (Path(variables["includedir"]) / "fanin" / "random.hpp").is_file()
    assert (Path(variables["libdir"]) / "libfanin.a").is_file()
    assert f"Version: {fi.__version__}" in file.read_text()
