"""A C++ program that embeds the library prints the digests that Python computes.

From `cmake --install`, moved elsewhere too, from the wheel, from the sources, and with the flags of pkg-config.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import fanin as fi

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


LAWS = [
    "he_normal",
    "glorot_uniform(gain=tanh)",
    "truncated_normal(std=0.02, corrected=true)",
    "lecun_truncated",
    "truncated_normal(lower=3, upper=4)",
    "orthogonal(gain=relu)",
    "sparse(sparsity=0.9)",
    "variance_scaling(scale=2, mode=fan_avg, distribution=uniform)",
]
SHAPE = (150, 391)
INVERSE = np.uint64(pow(0x100000001B3, -1, 2**64))


def line(name: str, values: np.ndarray) -> str:
    data = np.frombuffer(values.tobytes(), np.uint8)
    powers = np.cumprod(np.full(data.size, 0x100000001B3, np.uint64)) * INVERSE  # 1, p, p^2, ... modulo 2^64
    return f"{name} {int((data[::-1] * powers).sum()):016x}"


@pytest.fixture(scope="module")
def lines() -> list[str]:
    """What the program prints."""
    address = {"seed": 7, "stream": "0.weight"}
    printed = [
        line(f"{law} {dtype}", fi.init.law(law)(SHAPE, **address, dtype=dtype))
        for law in LAWS
        for dtype in ("float32", "float64", "float16")
    ]
    block = fi.init.he_normal(SHAPE, **address, block=(slice(80, 144), slice(280, 380)))
    x = fi.init.normal((32, 391), seed=7, stream="x")
    a = fi.dense_forward(x, fi.init.he_normal(SHAPE, **address), np.zeros(150, np.float32), activation="relu").a
    return [*printed, line("block", block), line("layer", a)]


def check(tools, folder: Path, lines: list[str], *options: str, isas: list[str]) -> None:
    check_built(tools.build(HERE, folder, *options), lines, isas)


def check_built(build: Path, lines: list[str], isas: list[str]) -> None:
    for threads in ("1", "2"):
        for isa in isas:
            env = {**os.environ, "FANIN_NUM_THREADS": threads, "FANIN_ISA": isa}
            printed = subprocess.run([build / "consumer"], env=env, capture_output=True, text=True, check=True).stdout
            assert printed.splitlines() == lines, (threads, isa)


def test_consumer_of_cmake_install(tools, cpp_prefix, tmp_path, lines):
    check(tools, tmp_path, lines, f"-DCMAKE_PREFIX_PATH={cpp_prefix}", isas=fi.available_isas())


def test_consumer_of_the_shared_library(tools, shared_prefix, tmp_path, lines):
    check(tools, tmp_path, lines, f"-DCMAKE_PREFIX_PATH={shared_prefix}", "-DFANIN_FROM=shared", isas=["generic"])


def test_consumer_of_the_wheel(tools, tmp_path, lines):
    try:
        package = fi.get_cmake_dir()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    assert (Path(fi.get_include()) / "fanin" / "random.hpp").is_file()
    check(tools, tmp_path, lines, f"-Dfanin_DIR={package}", isas=fi.available_isas()[-1:])


def test_consumer_of_a_subdirectory(embedded, lines):
    check_built(embedded, lines, ["generic"])


@pytest.mark.slow
def test_consumer_of_fetched_sources(tools, tmp_path, lines):
    # Inside a project whose flags would change bits and flush subnormals, and without threads.
    options = ["-DFANIN_FROM=fetch", f"-DFANIN_SOURCE={ROOT}", "-DCMAKE_CXX_FLAGS=-ffast-math"]
    check(tools, tmp_path, lines, *options, "-DFANIN_THREADS=OFF", isas=fi.available_isas()[-1:])


def test_consumer_of_a_moved_prefix(tools, cpp_prefix, tmp_path, lines):
    moved = shutil.copytree(cpp_prefix, tmp_path / "moved")
    for file in moved.rglob("*"):
        if file.suffix in (".cmake", ".pc"):
            assert str(cpp_prefix) not in file.read_text(), file
    check(tools, tmp_path / "build", lines, f"-DCMAKE_PREFIX_PATH={moved}", isas=fi.available_isas()[-1:])


def test_consumer_of_another_version(tools, cpp_prefix, tmp_path):
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.24)\nproject(old LANGUAGES CXX)\nfind_package(fanin 99.0 CONFIG REQUIRED)\n"
    )
    words = [tools.cmake, "-S", tmp_path, "-B", tmp_path / "build", "-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={tools.ninja}"]
    done = subprocess.run([*words, f"-DCMAKE_PREFIX_PATH={cpp_prefix}"], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert f"version: {fi.__version__}" in done.stderr


def test_consumer_of_pkg_config(tools, cpp_prefix, tmp_path, lines):
    compiler, pkg_config = shutil.which("c++"), shutil.which("pkg-config")
    if compiler is None or pkg_config is None:
        pytest.skip("needs c++ and pkg-config")
    (file,) = cpp_prefix.glob("lib*/**/pkgconfig/fanin.pc")
    env = {**os.environ, "PKG_CONFIG_PATH": str(file.parent)}

    def ask(*words: str) -> list[str]:
        return subprocess.run([pkg_config, *words, "fanin"], env=env, capture_output=True, text=True, check=True).stdout.split()

    assert ask("--modversion") == [fi.__version__]
    tools.run(compiler, "-O2", *ask("--cflags"), HERE / "main.cpp", "-o", tmp_path / "consumer", *ask("--libs"))
    env["LD_LIBRARY_PATH"] = str(file.parents[1])  # where there is a shared library too, -lfanin means that
    done = subprocess.run([tmp_path / "consumer"], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == lines


def test_flags_of_pkg_config(cpp_prefix):
    # No pkg-config on every machine: the file is read, and what it names must be there.
    (file,) = cpp_prefix.glob("lib*/**/pkgconfig/fanin.pc")
    variables = {"pcfiledir": str(file.parent)}
    for name, value in (line.split("=", 1) for line in file.read_text().splitlines() if line.partition(":")[0].count("=") == 1):
        for known, path in variables.items():
            value = value.replace("${" + known + "}", path)
        variables[name] = value
    assert (Path(variables["includedir"]) / "fanin" / "random.hpp").is_file()
    assert (Path(variables["libdir"]) / "libfanin.a").is_file()
    assert f"Version: {fi.__version__}" in file.read_text()
