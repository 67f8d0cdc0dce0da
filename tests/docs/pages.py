"""The documentation's pages: their blocks, their links, and how a page's Python is run."""

from __future__ import annotations

import doctest
import re
from pathlib import Path
from typing import NamedTuple

import fanin as fi

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
# The article's pages have tests of their own: tests/literature/test_article_pages.py.
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "examples" / "README.md",
    *(page for page in sorted(DOCS.rglob("*.md")) if page.parent.name != "article"),
]
FENCE = re.compile(r"^```([\w{}+-]*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Pages that need a framework: tests/interop runs them.
NEEDS = {
    "docs/pytorch.md": "torch",
    "docs/howto/pytorch-model.md": "torch",
    "docs/howto/not-training.md": "torch",
    "docs/sklearn.md": "sklearn",
    "docs/jax.md": "jax",
    "docs/keras.md": "keras",
    "docs/dask.md": "dask",
}


class Block(NamedTuple):
    language: str
    line: int  # of its first line, from 1
    code: str
    run: bool = True  # false below "<!-- not run: why -->": it is compiled only


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str | None = None) -> list[Block]:
    """The page's fenced blocks, of a language or all that are not directives of the site."""
    text = page.read_text(encoding="utf-8")
    found = list(FENCE.finditer(text))
    assert 2 * len(found) == len(re.findall("^ *```", text, re.MULTILINE)), f"{name(page)}: a fence is indented, or not closed"
    made = [
        Block(
            fence[1],
            text[: fence.start(2)].count("\n") + 1,
            fence[2],
            re.search(r"<!-- not run: .+ -->\n$", text[: fence.start()]) is None,
        )
        for fence in found
        if fence[1][:1] != "{"
    ]
    return [block for block in made if language in (None, block.language)]


def provide(folder: Path) -> None:
    """The files that pages speak of as the reader's own."""
    x, y = fi.datasets.circle(300, seed=1)
    lines = [f"{a:.4f},{b:.4f},{('outside', 'inside')[c]}" for (a, b), c in zip(x.tolist(), y.tolist(), strict=True)]
    (folder / "measurements.csv").write_text("\n".join(["width,height,label", *lines, ""]))


def run_python(page: Path, folder: Path) -> None:
    """Run the Python of a page in its order, in `folder`, which is the working directory; sessions print what stands there."""
    provide(folder)
    names: dict[str, object] = {"__name__": page.stem}
    runner = doctest.DocTestRunner()
    for _, line, code, run in blocks(page, "python"):
        if not run:
            compile(code, page, "exec")
        elif ">>>" in code:
            session = doctest.DocTestParser().get_doctest(code, names, page.name, str(page), line - 1)
            runner.run(session, clear_globs=False)
            names.update(session.globs)  # a session works on a copy
        else:
            exec(compile("\n" * (line - 1) + code, page, "exec"), names)
    assert runner.summarize(verbose=False).failed == 0


def commands(page: Path) -> list[list[str]]:
    """The lines of the page's shell blocks that call fanin, as lists of words."""
    import shlex

    code = "\n".join(block.code for block in blocks(page, "sh"))
    found = re.findall(r"^(?:\.venv/bin/)?fanin\b(.*)$", code, re.MULTILINE)
    return [shlex.split(line, comments=True) for line in found]
