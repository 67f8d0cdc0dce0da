"""Pieces of HTML that the reports share. Every text is escaped; braces too, so that no text is taken for ``{{key}}``."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence

from fanin.common.text import brief

_COLOURS = 8  # --law-0 ... --law-7 in report.css


def escaped(text: str) -> str:
    """Return text for HTML."""
    return html.escape(text).replace("{", "&#123;")


def swatch(i: int, text: str) -> str:
    """Return a name with its colour before it: filled, or a ring where the colours come a second time."""
    colour = f"var(--law-{i % _COLOURS})"
    look = f'style="background:{colour}"' if i < _COLOURS else f'class="ring" style="border-color:{colour}"'
    return f'<span class="law"><i {look}></i>{escaped(text)}</span>'


def legend(names: Iterable[str]) -> str:
    """Return a legend of initializations."""
    return f'<ul class="legend">{"".join(f"<li>{swatch(i, name)}</li>" for i, name in enumerate(names))}</ul>'


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, label: str) -> str:
    """Return a table of texts, that scrolls by itself where it is too wide: the first column names the row."""
    head = "".join(f'<th scope="col">{escaped(one)}</th>' for one in heads)
    body = "".join(
        f'<tr><th scope="row">{escaped(row[0])}</th>{"".join(f"<td>{escaped(one)}</td>" for one in row[1:])}</tr>'
        for row in rows
    )
    return scrolled(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>", label)


def scrolled(content: str, label: str) -> str:
    """Return a part of the page that scrolls by itself, reachable by keyboard."""
    return f'<div class="scroll" role="region" tabindex="0" aria-label="{escaped(label)}">{content}</div>'


def listed(items: Iterable[str]) -> str:
    """Return a list of texts; nothing if there are none."""
    items = list(items)
    if not items:
        return ""
    return f'<ul class="said-of">{"".join(f"<li>{escaped(item)}</li>" for item in items)}</ul>'


def settings(values: Mapping[str, object]) -> str:
    """Return settings as pairs of names and values."""
    pairs = "".join(
        f"<div><dt>{escaped(key.replace('_', ' '))}</dt><dd>{escaped(_words(value))}</dd></div>"
        for key, value in values.items()
    )
    return f'<dl class="settings">{pairs}</dl>'


def _words(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_words, value))
    if isinstance(value, float):
        return brief(value)
    return "-" if value is None else str(value)
