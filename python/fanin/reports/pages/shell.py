"""The frame of a page: views as tabs, styles for light and dark, the plotting library and the data, all in one file."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from fanin.common import files
from fanin.reports import palette
from fanin.reports.pages.pack import compress, pack

MAX_BYTES = 6_000_000
_SCRIPTS = ("page.js", "controls.js", "charts.js")
_LIBRARY = ("bokeh.min.js", "bokeh-api.min.js")


class View(NamedTuple):
    """One view of a page, shown under a tab of its own.

    Attributes
    ----------
    name : str
        In the page's address, ``#view=name``, and of the script's ``fanin.define(name, setup)``: letters and digits.
    title : str
        On the tab.
    html : str
        Inside of the view's section. It may hold ``{{key}}`` for what `texts` says.
    data : dict
        What `fanin.reports.pages.pack.pack` takes; ``setup(root, data, state)`` gets it.
    scripts, styles : sequence of str
        The view's own assets, by name; those that several views name are written once.
    texts : dict
        Replacements in `html`, escaped here.
    """

    name: str
    title: str
    html: str
    data: dict[str, Any]
    scripts: Sequence[str] = ()
    styles: Sequence[str] = ()
    texts: dict[str, str] | None = None


def asset(name: str) -> str:
    """Return the text of a file of ``assets``."""
    return (resources.files("fanin.reports.pages") / "assets" / name).read_text(encoding="utf-8")


def library() -> str:
    """Return BokehJS with its plotting interface, from Bokeh's Python package.

    Raises
    ------
    ModuleNotFoundError
        If Bokeh is not installed; it comes with the extra ``fanin[report]``.
    """
    scripts = resources.files("bokeh") / "server" / "static" / "js"
    return ";\n".join((scripts / name).read_text(encoding="utf-8") for name in _LIBRARY)


def assemble(title: str, lead: str, views: Sequence[View], *, footer: str = "") -> str:
    """Return a page as one string of HTML.

    Parameters
    ----------
    title, lead, footer : str
        Plain text: the heading, the sentence below it, the last line.
    views : sequence of View
        At least one; the first is shown where the address names none.

    Returns
    -------
    str
        A page that makes no network requests: a Content-Security-Policy forbids them. Text, styles and controls are
        read first; library and data are compressed and follow, so that the first paint waits for neither. The same for the
        same arguments and the same version of Bokeh.

    Raises
    ------
    ValueError
        If there is no view, two views have one name, or the page would be larger than 6 MB.
    """
    names = [view.name for view in views]
    if not views or len(set(names)) < len(names):
        raise ValueError(f"views must be at least one, each with a name of its own, got {names}")
    tabs = "\n".join(
        f'<button type="button" role="tab" id="tab-{v.name}" aria-controls="{v.name}" aria-selected="{_true(i == 0)}"'
        f' tabindex="{0 if i == 0 else -1}">{html.escape(v.title)}</button>'
        for i, v in enumerate(views)
    )
    panels = "\n".join(
        f'<section role="tabpanel" id="{v.name}" aria-labelledby="tab-{v.name}"{"" if i == 0 else " hidden"}>\n'
        f"{fill(v.html, {k: html.escape(t) for k, t in (v.texts or {}).items()})}\n</section>"
        for i, v in enumerate(views)
    )
    scripts = dict.fromkeys([*_SCRIPTS, *(name for view in views for name in view.scripts)])
    styles = dict.fromkeys(["page.css", *(name for view in views for name in view.styles)])
    page = fill(
        asset("page.html"),
        {
            "title": html.escape(title),
            "lead": html.escape(lead),
            "footer": html.escape(footer),
            "tabs": tabs,
            "panels": panels,
            "style": "\n".join([palette.css(), *(asset(name) for name in styles)]),
            "script": "\n".join(asset(name) for name in scripts),
            "library": compress(library().encode()),
            "data": "\n".join(f'<script type="text/plain" id="data-{v.name}">{pack(v.data)}</script>' for v in views),
        },
    )
    if len(page.encode()) > MAX_BYTES:
        raise ValueError(f"the page must be at most {MAX_BYTES / 1e6:g} MB, got {len(page.encode()) / 1e6:.1f} MB")
    return page


def fill(template: str, values: dict[str, str]) -> str:
    """Replace every ``{{key}}`` once; what is put in is not looked at again."""
    return re.sub(r"\{\{(\w+)\}\}", lambda match: values[match[1]], template)


def check_path(path: str | os.PathLike[str]) -> None:
    """Raise ValueError or OSError where `write` could not work, before the work: the ending is not .html, no such folder."""
    files.check("html", path, ("html",))


def write(path: str | os.PathLike[str], page: str) -> None:
    """Write a page as UTF-8, with the line ends that it has."""
    Path(path).write_bytes(page.encode())


def _true(value: bool) -> str:
    return "true" if value else "false"
