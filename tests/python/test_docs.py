"""The Python blocks of the pages in docs/ and the examples of docstrings run: sessions (>>>) print what stands there."""

from __future__ import annotations

import doctest
import importlib
import os
import pkgutil
import re
from pathlib import Path

import pytest

import fanin

os.environ.setdefault("KERAS_BACKEND", "torch")
PAGES = sorted((Path(__file__).parents[2] / "docs").glob("*.md"))
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OTHER = {"", "cpp", "sh"}  # what is not run here
NEEDS = {name: f"fanin.interop.{name}" for name in ("sklearn", "jax", "keras", "dask")}  # pages that need a framework
NEEDS["pytorch"] = "fanin.interop.torch"


def blocks(page: Path) -> list[tuple[int, str]]:
    """The page's Python blocks, each with the number of its first line."""
    text = page.read_text(encoding="utf-8")
    found = list(FENCE.finditer(text))
    assert 2 * len(found) == len(re.findall("^ *```", text, re.MULTILINE)), "a fence is indented, or not closed"
    languages = {fence[1] for fence in found}
    assert languages <= OTHER | {"python"}, f"languages {languages - OTHER} are not run"
    return [(text[: fence.start(2)].count("\n") + 1, fence[2]) for fence in found if fence[1] == "python"]


def marked(page: Path):
    """The page of another library, whose own warnings are no errors of ours."""
    return pytest.param(page, marks=pytest.mark.filterwarnings("ignore")) if page.stem in NEEDS else page


@pytest.mark.parametrize("page", [marked(page) for page in PAGES if blocks(page)], ids=lambda page: page.stem)
def test_page(page, tmp_path, monkeypatch):
    if page.stem in NEEDS:
        pytest.importorskip(NEEDS[page.stem], exc_type=ImportError)
    monkeypatch.chdir(tmp_path)
    names: dict = {"__name__": page.stem}
    runner = doctest.DocTestRunner()
    for line, code in blocks(page):
        if ">>>" in code:
            session = doctest.DocTestParser().get_doctest(code, names, page.name, str(page), line - 1)
            runner.run(session, clear_globs=False)
            names.update(session.globs)  # a session works on a copy
        else:
            exec(compile("\n" * (line - 1) + code, page, "exec"), names)
    assert runner.summarize(verbose=False).failed == 0


def test_training_page_has_blocks():
    assert len(blocks(next(page for page in PAGES if page.stem == "training"))) > 8


def modules() -> list[str]:
    found = pkgutil.walk_packages(fanin.__path__, "fanin.")
    return [one.name for one in found if one.name not in ("fanin.__main__", "fanin._core")]


@pytest.mark.parametrize("module", modules())
@pytest.mark.filterwarnings("ignore:.*__array__.*copy keyword:DeprecationWarning")  # Keras' torch backend and NumPy 2
def test_docstrings(module):
    if module.startswith("fanin.interop."):
        pytest.importorskip(module, exc_type=ImportError)
    assert doctest.testmod(importlib.import_module(module)).failed == 0
