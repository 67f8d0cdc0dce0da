"""Links inside the repository lead somewhere, anchors too; what a page includes is there."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import pages

FILES = [*pages.PAGES, pages.ROOT / "CHANGELOG.md", *sorted((pages.DOCS / "article").glob("*.md"))]
LINK = re.compile(r"""(?:\]\(|(?:src|srcset|href)=")([^)\s"]+)[)"]""")
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """Of headings, as GitHub and the site make them: in small letters, without punctuation, hyphens for spaces."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    heads = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", head) for head in re.findall(r"^#+ (.+)$", text, re.MULTILINE)]
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", FILES, ids=pages.name)
def test_links(page):
    for link in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8"))):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link}: there is no such file"
        assert not target.is_dir(), f"{link}: a folder is no page"
        if anchor:
            assert anchor in anchors(target), f"{link}: there is no such heading"


@pytest.mark.parametrize("page", [page for page in FILES if "```{include}" in page.read_text()], ids=pages.name)
def test_included_texts_are_there(page):
    for path, options in re.findall(r"^```\{include\} (\S+)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL):
        text = (page.parent / path).read_text()
        for mark in re.findall(r'^:(?:start-after|end-before): "(.*)"$', options, re.MULTILINE):
            assert text.count(mark) == 1


def test_every_page_is_in_the_site():
    """A page that no table of contents names is lost; Sphinx -W says so too, where it is installed."""
    for page in pages.DOCS.rglob("*.md"):
        if page == pages.DOCS / "index.md":
            continue
        trees = [page.parent / "index.md", pages.DOCS / "index.md"]
        named = {
            (tree.parent / f"{line.strip()}.md").resolve()
            for tree in trees
            if tree.exists()
            for block in re.findall(r"^```\{toctree\}\n(.*?)^```$", tree.read_text(), re.MULTILINE | re.DOTALL)
            for line in block.splitlines()
        }
        assert page.resolve() in named
