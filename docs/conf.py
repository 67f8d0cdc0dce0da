"""Sphinx: `sphinx-build -W docs build/site` makes the whole site, offline.

The cells of the article run on the way, and one that fails, fails the build; the other blocks are run by `tests/docs`.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent / "_extension"))
os.environ.setdefault("KERAS_BACKEND", "torch")

import fanin

project = "fanin"
author = "the fanin developers"
release = fanin.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "reachable", "reading"]
exclude_patterns = ["_extension"]
default_role = "code"  # `name` in docstrings

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_timeout = 120
nb_execution_raise_on_error = True
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say shapes and dtypes, which types do not
autodoc_default_options = {"members": True}
# Libraries that are not here are stood in for: the reference of fanin.interop is built without them.
autodoc_mock_imports = [
    name
    for name in ("torch", "jax", "flax", "keras", "dask", "distributed", "ray", "threadpoolctl", "ml_dtypes")
    if importlib.util.find_spec(name) is None
]
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_custom_sections = [("Attributes", "params_style")]  # "low, high : float" stays one line

suppress_warnings = ["ref.python"]  # a field such as `mean` belongs to several classes, and none is meant

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_title = f"fanin {release}"
html_show_sourcelink = False
html_show_copyright = False
html_math_renderer = "mathml"


def _inline(self: Any, node: nodes.Element) -> None:
    self.body.append(convert(node.astext()))
    raise nodes.SkipNode


def _block(self: Any, node: nodes.Element) -> None:
    self.body.append(convert(node.astext(), display="block"))
    raise nodes.SkipNode


def _skip(app: Sphinx, what: str, name: str, thing: Any, skip: bool, options: Any) -> bool | None:
    """Leave out the fields of named tuples, which have no words but those of the class."""
    return True if str(getattr(thing, "__doc__", "")).startswith("Alias for field number") else None


def setup(app: Sphinx) -> None:
    """Formulas become MathML, which browsers draw by themselves: the pages need no script and no network."""
    app.connect("autodoc-skip-member", _skip)
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
