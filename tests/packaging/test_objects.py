"""What the kernels' object files hold: code for a large instruction set must never be linked into that for a small one.

A weak symbol (an inline function, a template of the standard library) exists once in a program, and the linker may keep the
copy that was compiled for AVX-512; the program then dies on a CPU without it, far from any kernel.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest

import fanin as fi

# What a compiler may call by itself; none of them rounds anything.
ALLOWED_CALLS = {"memcpy", "memmove", "memset", "memcmp", "__stack_chk_fail", "_GLOBAL_OFFSET_TABLE_"}

LISTED = re.findall(r"fanin_add_isa\((\w+) \d", (Path(__file__).parents[2] / "CMakeLists.txt").read_text())


@pytest.fixture(scope="module")
def symbols(tools, cpp_core: Path) -> dict[str, list[tuple[str, str]]]:
    """For each instruction set: (type letter, demangled name) of every symbol in the object files of its kernels."""
    cache = (cpp_core / "CMakeCache.txt").read_text()
    nm = re.search(r"^CMAKE_NM:FILEPATH=(.+)$", cache, re.MULTILINE)
    if nm is None or nm[1].endswith("NOTFOUND"):
        pytest.skip("needs nm, which the compiler's tools bring")
    found: dict[str, list[tuple[str, str]]] = {}
    for path in sorted(cpp_core.glob("CMakeFiles/fanin_kernels.dir/cpp/src/kernels/*.o")):
        lines = tools.run(nm[1], "-C", path).splitlines()
        pairs = [re.fullmatch(r"[0-9a-f]* *([A-Za-z]) (.+)", line) for line in lines]
        isa = next(isa for isa in LISTED if path.name.startswith(f"{isa}_"))
        found.setdefault(isa, []).extend((pair[1], pair[2]) for pair in pairs if pair)
    return found


def test_every_instruction_set_is_looked_at(symbols):
    assert {"generic"} <= set(symbols) <= set(LISTED)
    assert all(len(pairs) > 1 for pairs in symbols.values())


def test_no_weak_symbols(symbols):
    weak = [(isa, name) for isa, pairs in symbols.items() for letter, name in pairs if letter in "WwVvu"]
    assert weak == []


def test_globals_stay_in_the_namespace_of_their_instruction_set(symbols):
    for isa, pairs in symbols.items():
        outside = [n for letter, n in pairs if letter in "TDRBCGS" and not n.startswith(f"fanin::{isa}::")]
        assert outside == [], isa


def test_kernels_call_nothing(symbols):
    # No libm, nothing of the standard library, not one function of fanin's own outside the kernels.
    for isa, pairs in symbols.items():
        assert {name.split("@")[0] for letter, name in pairs if letter == "U"} <= ALLOWED_CALLS, isa


def test_the_extension_module_shows_its_entry_points_alone(tools):
    # A weak or unique symbol could be taken from another module of the process, built by another compiler.
    if sys.platform != "linux" or shutil.which("nm") is None:
        pytest.skip("needs nm, and a system whose linker takes a version script")
    shown = {line.split()[2] for line in tools.run("nm", "-D", "--defined-only", fi._core.__file__).splitlines()}
    shown -= {name for name in shown if name.startswith("PyInit_")}
    assert shown == {"fanin_get_num_threads", "fanin_set_num_threads"}
