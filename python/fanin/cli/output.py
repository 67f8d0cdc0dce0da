"""What commands print and where they write: paths are refused before the work."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from fanin.common import files


def options(parser: Any, figure: str | None) -> Any:
    """Add ``--html``, ``--figure`` and ``--json``; returns the group. `figure`: the default picture, None for none."""
    group = parser.add_argument_group("output")
    group.add_argument("--html", metavar="PATH", help="a page for the browser that needs no network")
    default = "none" if figure is None else f"{figure} here, or the first free of its names with a number"
    group.add_argument("--figure", metavar="PATH", help=f"a picture, .png, .pdf, .svg, ... (default: {default})")
    shared(group)
    return group


def shared(group: Any) -> None:
    """Add what every command has: ``--json`` and ``--quiet``."""
    group.add_argument(
        "--json", metavar="PATH", help="the result for programs; -: to the standard output, and nothing else there"
    )
    group.add_argument("-q", "--quiet", action="store_true", help="print no result, note or progress; errors all the same")


class Said:
    """What one call prints on the standard output: everything, or with ``--quiet`` and ``--json -`` nothing."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._path = args.json
        self.silent = args.quiet or args.json == "-"
        self.notes = not args.quiet  # on the standard error: progress, how a file was read
        if self._path not in (None, "-"):
            files.check("json", self._path)

    def __call__(self, text: Any) -> None:
        """Print a text or a result, or nothing."""
        if not self.silent:
            print(text)

    @property
    def coloured(self) -> bool:
        """Whether a result may be printed with colours: on a terminal that has them, unless NO_COLOR is set."""
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        return not self.silent and sys.stdout.isatty() and not plain

    def json(self, kind: str, result: dict[str, Any]) -> None:
        """Write the JSON where it was asked for."""
        from fanin.common import jsonable

        if self._path is None:
            return
        text = jsonable.dumps(kind, result)
        if self._path == "-":
            sys.stdout.write(text)
            return
        jsonable.write(text, self._path)
        self(f"json: {self._path}")

    def page(self, path: str, size: str = "") -> None:
        """Say where a page is."""
        from pathlib import Path

        self(f"page: {path}{size}; open it in a browser: {Path(path).resolve().as_uri()}")


def free(name: str) -> str:
    """Return a name, or where a file has it the first free one with a number: compare-2.png."""
    from pathlib import Path

    path, number = Path(name), 1
    while path.exists():
        number += 1
        path = Path(name).with_stem(f"{Path(name).stem}-{number}")
    return str(path)


def check(html: str | None, figure: str | None, **texts: str | None) -> None:
    """Refuse what could not be written, and what needs a package that is not there.

    Parameters
    ----------
    html, figure : str or None
        Paths of a page and of a picture.
    **texts : str or None
        Paths of text files, by the name of their option.
    """
    if figure is not None:
        from fanin.reports.comparison_figure import check_path as check_figure

        check_figure(figure)
    if html is not None:
        from fanin.reports.pages.shell import check_path as check_page
        from fanin.reports.pages.shell import library

        check_page(html)
        library()
    for name, path in texts.items():
        if path is not None:
            files.check(name, path)
