"""One golden program, the same digests: from Python, C++ and C, on every instruction set, for both compilers at every level of
optimisation, linked statically and as a shared library, in every mode that a caller's control word can have; and on aarch64,
cross-compiled and emulated.

The digests are committed (digests.txt: percent of the corpus, section, digest). A change of one is a change of bits: the
changelog names it under *Reproducibility*, and ``python tests/golden/write.py`` writes the file.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import fanin as fi

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SHORT, WHOLE = 4, 100  # percent


def committed(percent: int) -> list[str]:
    lines = (line.split(" ", 1) for line in (HERE / "digests.txt").read_text().splitlines())
    return [rest for share, rest in lines if int(share) == percent]


def in_python() -> ModuleType:
    spec = importlib.util.spec_from_file_location("golden", HERE / "golden.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def printed(program: Path, *arguments: object, isa: str, threads: int = 1, emulator: Sequence[str] = ()) -> list[str]:
    env = {**os.environ, "FANIN_ISA": isa, "FANIN_NUM_THREADS": str(threads)}
    words = [*emulator, str(program), *map(str, arguments)]
    return subprocess.run(words, env=env, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.fixture(scope="module")
def program(tools: Any, cpp_prefix: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    build = tools.build(HERE, tmp_path_factory.mktemp("golden"), f"-DCMAKE_PREFIX_PATH={cpp_prefix}")
    return Path(build) / "golden_fanin"


def test_from_python(everywhere: Callable[..., Iterator[tuple[str, int]]]) -> None:
    golden = in_python()
    for _ in everywhere(2):
        assert golden.lines(SHORT) == committed(SHORT)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("isa", fi.available_isas())
def test_from_cpp_and_c(program: Path, isa: str, threads: int) -> None:
    assert printed(program, SHORT, isa=isa, threads=threads) == committed(SHORT)
    assert printed(program, "through_c", SHORT, isa=isa, threads=threads) == committed(SHORT)


def test_whole_corpus(program: Path) -> None:
    assert printed(program, isa=fi.available_isas()[-1], threads=2) == committed(WHOLE)


@pytest.mark.parametrize("isa", fi.available_isas())
def test_in_every_mode_of_the_caller(program: Path, isa: str) -> None:
    assert printed(program, "modes", 1, isa=isa, threads=2) == []


@pytest.mark.slow
@pytest.mark.parametrize("level", ["-O1", "-O2", "-O3"])
@pytest.mark.parametrize("compiler", ["g++", "clang++"])
def test_of_every_build(tools: Any, tmp_path: Path, compiler: str, level: str) -> None:
    found = next(filter(None, map(shutil.which, [compiler, *(f"{compiler}-{n}" for n in range(15, 30))])), None)
    if found is None:
        pytest.skip(f"needs {compiler}")
    options = [f"-DCMAKE_CXX_COMPILER={found}", f"-DCMAKE_CXX_FLAGS={level}", "-DCMAKE_BUILD_TYPE=None"]
    build = tools.build(ROOT, tmp_path / "library", *options, f"-DFANIN_KERNEL_OPTIMIZATION={level}", "-DFANIN_BUILD_SHARED=ON")
    tools.run(tools.cmake, "--install", build, "--prefix", tmp_path / "prefix")
    golden = tools.build(HERE, tmp_path / "golden", *options, f"-DCMAKE_PREFIX_PATH={tmp_path / 'prefix'}")
    for linked in ("golden_fanin", "golden_fanin_shared"):
        for isa in fi.available_isas():
            assert printed(golden / linked, isa=isa, threads=2) == committed(WHOLE), (linked, isa)
            assert printed(golden / linked, "through_c", SHORT, isa=isa) == committed(SHORT), (linked, isa)
        assert printed(golden / linked, "modes", SHORT, isa=fi.available_isas()[-1]) == [], linked


@pytest.mark.slow
def test_of_aarch64(tools: Any, tmp_path: Path) -> None:
    emulator = ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"]
    for needed in ("aarch64-linux-gnu-g++", emulator[0]):
        if shutil.which(needed) is None:
            pytest.skip(f"needs {needed}")
    options = [f"-DCMAKE_TOOLCHAIN_FILE={ROOT / 'cmake' / 'aarch64-linux-gnu.cmake'}"]
    build = tools.build(ROOT, tmp_path / "library", *options, "-DFANIN_BUILD_SHARED=ON")
    tools.run(tools.cmake, "--install", build, "--prefix", tmp_path / "prefix")
    golden = tools.build(HERE, tmp_path / "golden", *options, f"-Dfanin_DIR={tmp_path / 'prefix' / 'lib' / 'cmake' / 'fanin'}")
    for isa in ("generic", "neon"):
        assert printed(golden / "golden_fanin", isa=isa, emulator=emulator) == committed(WHOLE), isa
        assert printed(golden / "golden_fanin_shared", SHORT, isa=isa, threads=2, emulator=emulator) == committed(SHORT), isa
        assert printed(golden / "golden_fanin", "through_c", SHORT, isa=isa, emulator=emulator) == committed(SHORT), isa
        assert printed(golden / "golden_fanin", "modes", 1, isa=isa, emulator=emulator) == [], isa
