"""Every block of the README and the documentation: Python runs, shell is read and called, C++ is compiled; docstrings too."""

from __future__ import annotations

import doctest
import importlib
import itertools
import os
import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import pages

import fanin

os.environ.setdefault("KERAS_BACKEND", "torch")
LANGUAGES = {"", "python", "sh", "cpp", "cmake"}


def parameters(language: str):
    return [pytest.param(page, id=pages.name(page)) for page in pages.PAGES if pages.blocks(page, language)]


def test_every_block_has_a_language_that_is_tried():
    assert {block.language for page in pages.PAGES for block in pages.blocks(page)} <= LANGUAGES
    assert len(pages.blocks(pages.DOCS / "training.md", "python")) > 8


@pytest.mark.parametrize("page", parameters("python"))
def test_python(page, tmp_path, monkeypatch):
    if pages.name(page) in pages.NEEDS:
        pytest.skip("tests/interop runs it")
    monkeypatch.chdir(tmp_path)
    pages.run_python(page, tmp_path)


@pytest.mark.parametrize("page", parameters("sh"))
def test_shell_is_read(page):
    """Bash can read it, and each call of fanin has options that there are."""
    from fanin.cli import parser

    for block in pages.blocks(page, "sh"):
        subprocess.run(["bash", "-n"], input=block.code, text=True, check=True)
    for words in pages.commands(page):
        _, left = parser().parse_known_args(words)
        assert left == []


CALLS = list(dict.fromkeys(tuple(words) for page in pages.PAGES for words in pages.commands(page)))


@pytest.mark.slow
@pytest.mark.parametrize("words", CALLS, ids=" ".join)
def test_commands_run(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pages.provide(tmp_path)
    net = fanin.Network([2, 30, 30, 2], activation="relu", init="he_normal", seed=1)
    for name in ("mine", "model"):
        net.save(tmp_path / f"{name}.safetensors")
    (tmp_path / "model.safetensors.index.json").write_text(
        '{"weight_map": {"0.weight": "model.safetensors", "0.bias": "model.safetensors", "1.weight": "model.safetensors", '
        '"1.bias": "model.safetensors", "2.weight": "model.safetensors", "2.bias": "model.safetensors"}}'
    )
    np.savez(tmp_path / "mine.npz", **{f"{i}.weight": w for i, w in enumerate(net.weights)})
    from fanin.cli import main

    assert main(list(words)) == 0
    named = [word for before, word in itertools.pairwise(words) if before in ("--html", "--json", "--out")]
    assert all((tmp_path / name).stat().st_size for name in named)


@pytest.mark.parametrize("page", parameters("cpp"))
def test_cpp(page, tmp_path):
    """Whole programs run, other blocks compile inside a function."""
    compiler = os.environ.get("CXX") or shutil.which("c++")
    if compiler is None:
        pytest.skip("needs a C++ compiler")
    include = fanin.get_include()
    for block in pages.blocks(page, "cpp"):
        whole = "int main(" in block.code
        lines = block.code.splitlines()
        heads = [line for line in lines if line.startswith("#include")]
        body = [line for line in lines if not line.startswith("#include")]
        inside = ["#include <vector>", *heads, "void block() {", *body, "}"]
        (tmp_path / "main.cpp").write_text(block.code if whole else "\n".join(inside))
        call = [compiler, "-std=c++20", "-Wall", "-Wextra", "-Werror", f"-I{include}", str(tmp_path / "main.cpp")]
        library = Path(include).parent / "lib" / "libfanin.a"
        made = [str(library), "-pthread", "-o", str(tmp_path / "main")] if whole else ["-fsyntax-only", "-Wno-unused-variable"]
        done = subprocess.run([*call, *made], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        if whole:
            done = subprocess.run([tmp_path / "main"], capture_output=True, text=True, check=True)
            assert "= " in done.stdout


@pytest.mark.slow
def test_the_project_of_the_how_to_builds_and_prints_what_python_prints(tools, tmp_path):
    page = pages.DOCS / "howto" / "embed.md"
    for language, name in (("cpp", "main.cpp"), ("cmake", "CMakeLists.txt")):
        (tmp_path / name).write_text(pages.blocks(page, language)[0].code)
    build = tools.build(tmp_path, tmp_path / "build", f"-Dfanin_DIR={fanin.get_cmake_dir()}")
    assert tools.run(build / "mine") in pages.blocks(page, "python")[0].code


def modules() -> list[str]:
    found = pkgutil.walk_packages(fanin.__path__, "fanin.")
    return [one.name for one in found if one.name not in ("fanin.__main__", "fanin._core")]


@pytest.mark.parametrize("module", modules())
@pytest.mark.filterwarnings("ignore:.*__array__.*copy keyword:DeprecationWarning")  # Keras' torch backend and NumPy 2
def test_docstrings(module):
    if module.startswith("fanin.interop."):
        pytest.importorskip(module, exc_type=ImportError)
    assert doctest.testmod(importlib.import_module(module)).failed == 0
