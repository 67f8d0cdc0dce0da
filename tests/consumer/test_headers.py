"""Every public header compiles alone, without a warning, for both compilers, and without run-time type information."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

HEADERS = Path(__file__).resolve().parents[2] / "cpp" / "include"
FLAGS = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wpedantic", "-Werror", "-fsyntax-only"]
CXX = ["g++", *(f"clang++-{version}" for version in range(15, 24))]


def compiled(compiler: str, tmp_path: Path, text: str, *flags: str, suffix: str = ".cpp") -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"needs {compiler}")
    source = tmp_path / f"alone{suffix}"
    source.write_text(text)
    done = subprocess.run(
        [compiler, *FLAGS, *flags, "-I", HEADERS, source], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("compiler", [name for name in CXX if shutil.which(name)])
def test_all_headers(compiler: str, tmp_path: Path) -> None:
    compiled(compiler, tmp_path, '#include "fanin/fanin.hpp"\n#include "fanin/fanin.h"\n', "-std=c++20", "-fno-rtti")


# Clang's turn is slow: what a header lacks, it lacks for GCC too, which has the same standard library here.
@pytest.mark.parametrize(
    "compiler",
    [pytest.param(name, marks=() if name == "g++" else pytest.mark.slow) for name in CXX if shutil.which(name)],
)
def test_each_header_alone(compiler: str, tmp_path: Path) -> None:
    for header in sorted(HEADERS.glob("fanin/*.h*")):
        text = f'#include "fanin/{header.name}"\n#include "fanin/{header.name}"\n'
        compiled(compiler, tmp_path, text, "-std=c++20", "-fno-rtti")


@pytest.mark.parametrize("compiler", ["gcc", "clang-15"])
@pytest.mark.parametrize("standard", ["c11", "c17"])
def test_the_c_header(compiler: str, standard: str, tmp_path: Path) -> None:
    compiled(compiler, tmp_path, "#include <fanin/fanin.h>\n", f"-std={standard}", "-Wstrict-prototypes", suffix=".c")


def test_no_streams_in_headers() -> None:
    for header in HEADERS.rglob("*.hpp"):
        text = header.read_text()
        for word in ("<iostream>", "<sstream>", "<fstream>", "<iomanip>", "dynamic_cast", "typeid"):
            assert word not in text, (header, word)
