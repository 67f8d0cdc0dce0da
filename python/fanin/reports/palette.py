"""Colours of verdicts and of laws: the one place that pages, pictures, notebooks and terminals take them from.

Every colour has a contrast of at least 4.5 to 1 with the papers that it is read on (WCAG 2.1, 1.4.3): those of
`Colour.light` on white and on the page's paper, those of `Colour.dark` on its dark papers, those of NOTEBOOK on white and
on black alike, since a fragment in a notebook cannot know its paper. `tests/python/reports/test_palette.py` computes it.
"""

from __future__ import annotations

from typing import NamedTuple


class Colour(NamedTuple):
    """One colour on light and on dark paper."""

    light: str
    dark: str


VERDICTS = {
    "good": Colour("#1a6aad", "#7ab8ee"),
    "fair": Colour("#8a5a00", "#e3a04f"),
    "bad": Colour("#b3391f", "#f0907a"),
}
NOTEBOOK = {"good": "#1e79c5", "fair": "#a26a00", "bad": "#d24324"}  # of the hues of VERDICTS
LAWS = (
    Colour("#0b6a72", "#6cc7c9"),
    Colour("#b3305d", "#f08fb0"),
    Colour("#955200", "#e3a04f"),
    Colour("#1a6aad", "#6fb1ea"),
    Colour("#7a4fb5", "#b79aea"),
    Colour("#476f0f", "#a3cf62"),
    Colour("#5f6672", "#9aa3af"),
    Colour("#1f2732", "#e6e8eb"),
)
FORWARD, BACKWARD = LAWS[3].light, LAWS[2].light  # of a trace's two ways: blue and brown, told apart in every form of sight
TEXT, GRID, RULE = "#5f6368", "#e6e6e6", "#b0b0b0"  # of pictures: words beside the data, the grid, the axes
_RICH = {"good": "blue", "fair": "yellow", "bad": "bold red"}


def kind(verdict: str) -> str:
    """Return "good", "fair" or "bad" for a verdict's words.

    Good: "healthy", and that it trains. Fair: a healthy network of which more must be said, and one that vanishes, which
    training may still repair. Bad: all else.
    """
    trains = verdict.startswith(("healthy: trains", "healthy: expected to train"))
    if verdict == "healthy" or (trains and "slowly" not in verdict and "learns late" not in verdict):
        return "good"
    return "fair" if verdict.startswith(("healthy", "vanishing")) else "bad"


def law(i: int) -> str:
    """Return the colour of law `i` of a comparison or a sweep on white paper; from the ninth on they repeat."""
    return LAWS[i % len(LAWS)].light


def rich_style(verdict: str) -> str:
    """Return the style of a verdict on a terminal, in the terminal's own colours."""
    return _RICH[kind(verdict)]


def css() -> str:
    """Return the page's variables, ``--good``, ``--fair``, ``--bad`` and ``--law-0`` and on, for both papers."""
    named = {**VERDICTS, **{f"law-{i}": colour for i, colour in enumerate(LAWS)}}
    light = " ".join(f"--{name}: {colour.light};" for name, colour in named.items())
    dark = " ".join(f"--{name}: {colour.dark};" for name, colour in named.items())
    return (
        f':root {{ {light} }}\n:root[data-theme="dark"] {{ {dark} }}\n'
        f'@media (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) {{ {dark} }} }}'
    )
