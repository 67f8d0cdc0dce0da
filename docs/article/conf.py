"""Sphinx: `sphinx-build -W docs/article build/article` runs every cell of the pages; a cell that fails, fails the build."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx

project = "The article retold"
author = "the fanin developers"
extensions = ["myst_nb"]
myst_enable_extensions = ["dollarmath"]
nb_execution_mode = "force"
nb_execution_timeout = 120
nb_execution_raise_on_error = True
nb_merge_streams = True
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_title = "Xavier initialization, retold and checked"
html_show_sourcelink = False
html_show_copyright = False
html_math_renderer = "mathml"


def _inline(self: Any, node: nodes.Element) -> None:
    self.body.append(convert(node.astext()))
    raise nodes.SkipNode


def _block(self: Any, node: nodes.Element) -> None:
    self.body.append(convert(node.astext(), display="block"))
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Formulas become MathML, which browsers draw by themselves: the pages need no script and no network."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
