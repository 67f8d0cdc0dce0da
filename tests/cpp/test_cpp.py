"""The C++ tests, one here for each test_<topic>.cpp."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOPICS = [*sorted(path.stem.removeprefix("test_") for path in Path(__file__).parent.glob("test_*.cpp")), "sweep_math", "fuzz"]


@pytest.mark.parametrize("topic", TOPICS)
def test_cpp(cpp_run, topic):
    cpp_run.result()


@pytest.mark.slow
def test_many_fused_multiply_adds(tools, cpp_tests):
    tools.run(cpp_tests / "test_fma", "4")


@pytest.mark.slow
def test_built_by_clang(tools, tmp_path):
    """README: Clang 15 or newer will do. No warning, and the bits of the reference, which GCC's builds have too."""
    names = ["clang++", *(f"clang++-{version}" for version in range(15, 30))]
    clang = next(filter(None, map(shutil.which, names)), None)
    if clang is None:
        pytest.skip("needs Clang")
    options = (f"-DCMAKE_CXX_COMPILER={clang}", "-DFANIN_BUILD_TESTS=ON", "-DFANIN_WERROR=ON")
    build = tools.build(ROOT, tmp_path, *options)
    tools.run(tools.ctest, "--test-dir", build, "--no-tests=error", "--output-on-failure")
