"""How large the library is, and how much of it a program carries that only draws."""

from __future__ import annotations

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
