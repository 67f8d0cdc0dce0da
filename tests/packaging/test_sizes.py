"""How large the library is, and how much of it a program carries that only draws."""

from __future__ import annotations

import platform
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

PROGRAM = """
#include <fanin/random.hpp>
int main() {
    float w[1000];
    fanin::fill_normal<float>(w, {.seed = 1, .stream = 2}, 0, 0.0f, 1.0f);
    return w[0] < -10;
}
"""


def setting(core: Path, name: str) -> str:
    """What CMake has for a name in the library's build tree."""
    found = re.search(rf"^{name}:\w+=(.*)$", (core / "CMakeCache.txt").read_text(), re.MULTILINE)
    return found[1] if found else ""


def symbols_of(tools: Any, core: Path, *files: Path) -> set[tuple[str, str]]:
    """(type letter, mangled name) of every symbol in object files or archives."""
    found = (line.split()[-2:] for line in tools.run(setting(core, "CMAKE_NM"), *files).splitlines() if not line.endswith(":"))
    return {(pair[0], pair[1]) for pair in found if len(pair) == 2}


@pytest.fixture(scope="module")
def merged(tools: Any, cpp_core: Path) -> Path:
    """The build tree of a library that cmake/merge.cmake has put together."""
    needed = [setting(cpp_core, f"CMAKE_{tool}") for tool in ("LINKER", "NM", "OBJCOPY")]
    if any(shutil.which(tool) is None for tool in needed) or "GNU ld" not in tools.run(needed[0], "--version"):
        pytest.skip("needs GNU ld, nm and objcopy")
    return cpp_core


def test_a_program_that_only_draws_is_small(tools: Any, cpp_prefix: Path, tmp_path: Path) -> None:
    compiler = shutil.which("c++")
    if compiler is None:
        pytest.skip("needs c++")
    library = next(cpp_prefix.glob("lib*/**/libfanin.a"))
    source, program = tmp_path / "draw.cpp", tmp_path / "draw"
    source.write_text(PROGRAM)
    tools.run(compiler, "-std=c++20", "-O2", "-I", cpp_prefix / "include", source, library, "-pthread", "-s", "-o", program)
    tools.run(program)
    print(f"the program has {program.stat().st_size} bytes, libfanin.a {library.stat().st_size}")
    assert program.stat().st_size < 300_000


def test_the_library_is_small(merged: Path) -> None:
    compiler = next(merged.glob("CMakeFiles/*/CMakeCXXCompiler.cmake")).read_text()
    if platform.machine() != "x86_64" or 'CMAKE_CXX_COMPILER_ID "GNU"' not in compiler:
        pytest.skip("the bound is that of GCC on x86-64")
    assert (merged / "libfanin.a").stat().st_size <= 2_500_000


def test_functions_that_one_object_has_for_itself_bear_no_name_in_the_library(tools: Any, merged: Path) -> None:
    symbols = symbols_of(tools, merged, merged / "libfanin.a")
    asked_for = {name for letter, name in symbols if letter == "U"}
    weak = {name for letter, name in symbols if letter == "W"} - asked_for
    assert {name for name in weak if re.match("_Z(NK?)?(St|9__gnu_cxx)", name)} == set()
    local = {name for letter, name in symbols if letter == "t"}
    assert {name for name in local if re.match("_ZZ|_Z(NK?)?(St|9__gnu_cxx)", name)} == set()


def test_what_must_be_one_in_a_program_stays_so_in_the_library(tools: Any, merged: Path) -> None:
    # Type information, by which exceptions are caught, and the static variables of inline functions.
    objects = symbols_of(tools, merged, *merged.glob("CMakeFiles/fanin.dir/**/*.o"))
    shared = {name for letter, name in objects if letter in "Vu"}
    assert any(name.startswith("_ZTI") for name in shared)
    assert shared <= {name for letter, name in symbols_of(tools, merged, merged / "libfanin.a") if letter in "Vu"}
