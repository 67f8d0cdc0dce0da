"""Where commands write: paths are refused before the work."""

from __future__ import annotations

from typing import Any

from fanin.common import files


def options(parser: Any, figure: str | None) -> Any:
    """Add ``--html``, ``--figure`` and ``--json``; returns the group. `figure`: the default picture, None for none."""
    group = parser.add_argument_group("output")
    group.add_argument("--html", metavar="PATH", help="a page for the browser that needs no network")
    default = "none" if figure is None else f"{figure} here, or the first free of its names with a number"
    group.add_argument("--figure", metavar="PATH", help=f"a picture, .png, .pdf, .svg, ... (default: {default})")
    group.add_argument("--json", metavar="PATH", help="the result for programs: settings, costs, layers, verdicts")
    return group


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


def wrote_page(path: str, size: str = "") -> None:
    """Say where the page is."""
    from pathlib import Path

    print(f"page: {path}{size}; open it in a browser: {Path(path).resolve().as_uri()}")
