"""The article, alive: its visualizations and claims as one page, recorded by fanin."""

from __future__ import annotations

import os
from collections.abc import Callable

from fanin.article import digits, linear, playground, symmetry
from fanin.random import seed_number
from fanin.reports.pages.shell import assemble, library

TITLE = "What makes a good initialization?"
LEAD = (
    "How the first weights of a neural network decide whether it learns: every curve, colour and number on this page was "
    "computed by fanin and is stored in it. Nothing is loaded from anywhere."
)
SEED = 0  # one draw among many: dashed curves are the medians
VIEWS = ("Playground", "Digits", "Nine layers", "Symmetry")


def article(
    *,
    seed: int = SEED,
    mnist: str | os.PathLike[str] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> str:
    """Return the page as one string of HTML.

    Parameters
    ----------
    seed : int
        Of all data and weights, in [0, 2^64).
    mnist : path, optional
        A folder with the IDX files of MNIST's test images and labels; without it the digits view shows scikit-learn's.
    progress : callable, optional
        Called as progress(view, done, of), with the names in `VIEWS`.

    Returns
    -------
    str
        The same bytes for the same arguments, on any machine with the same versions of fanin, NumPy, Bokeh and zlib.

    Raises
    ------
    ImportError
        If Bokeh or scikit-learn is missing; the extra ``fanin[report]`` brings both.
    OSError, ValueError
        If the files cannot be read, or `seed` is out of range.
    """
    seed = seed_number(seed)
    library(), digits.images(mnist)  # what is missing is said before the work

    def tick(name: str) -> Callable[[int, int], None] | None:
        return None if progress is None else lambda done, of: progress(name, done, of)

    views = [
        playground.view(seed, tick("Playground")),
        digits.view(seed, mnist, tick("Digits")),
        linear.view(tick("Nine layers")),
        symmetry.view(seed, tick("Symmetry")),
    ]
    return assemble(TITLE, LEAD, views, footer=_footer(seed, mnist is not None))


def _footer(seed: int, mnist: bool) -> str:
    from fanin._core import __version__

    again = f"fanin article --seed {seed}" + (" --mnist DIR" if mnist else "")
    return f"Written by fanin {__version__}; to write the same page again: {again}"
