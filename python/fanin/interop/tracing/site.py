"""The places of a model that a trace has a line for: weight layers, norms, sums of streams. The measures are of arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fanin import _core
from fanin.activation import traits
from fanin.stats import Summary, SummaryOptions, summary_options
from fanin.tracing import likeness

_BINS = 64
ROWS, COLUMNS = 32, 256  # of a representation, so many rows and columns are compared, evenly spaced


@lru_cache(maxsize=256)
def _options(activation: str) -> SummaryOptions:
    return summary_options(bins=None, moments="two", saturation=traits(activation).limits)


def moments(values: NDArray[Any], activation: str = "identity") -> Summary:
    """Return counts, mean, variance and extremes; and how much is saturated, of an activation that can be."""
    return _core.summarize(values, _options(activation))


def drawn(values: NDArray[Any], activation: str, found: Summary | None = None) -> Summary:
    """Return moments and a histogram, as `fanin.trace` takes of activations: over their bounds, else over their own range.

    `found` are the values' moments, where they are known: then they are not measured again.
    """
    limits, known = traits(activation).limits, traits(activation).value_range
    if known is None:
        found = moments(values, activation) if found is None else found
        known = float(found.min), float(found.max)
        if not known[0] < known[1] or not math.isfinite(known[1] - known[0]):
            return found
    try:
        options = summary_options(bins=_BINS, range=known, moments="two", saturation=limits)
    except ValueError:  # values a few ulp apart have no 64 bins
        return moments(values, activation) if found is None else found
    return _core.summarize(values, options) if found is None else _core.with_histogram(values, found, options)


def largest(found: Summary) -> float:
    """Return the largest magnitude; NaN where an element is not finite."""
    return math.nan if found.nans or found.infs else max(abs(float(found.min)), abs(float(found.max)))


class Taken(NamedTuple):
    """What a site takes in: what leaves another one, before or after that one's activation."""

    site: Site
    activated: bool


@dataclass(eq=False)
class Site:
    """One place, and what has been measured there so far."""

    name: str
    kind: str  # "Linear", "Conv2d", "BatchNorm2d", ..., "sum"
    n_in: int
    n_out: int
    unit_axis: int  # of its output, the axis that counts units
    weight: Any = None  # the library's own object; a weight that is used twice is one
    bias: Any = None
    fan_in: int = 1
    judged: bool = False  # a weight layer, which the verdict looks at
    normalizes: bool = False
    activation: str = "identity"
    activated: bool = False
    z: Summary | None = None
    a: Summary | None = None
    dz: Summary | None = None
    da: Summary | None = None
    dead: float = 0.0
    effective_rank: float | None = None
    cosine: float | None = None
    before: tuple[Taken, ...] = ()  # what came in, where that is known; of a sum both streams
    norm: Site | None = None  # that follows a weight layer at once

    def compare(self, rows: NDArray[Any]) -> None:
        """Measure how many directions the rows of a batch use, and how alike they are."""
        if self.a is not None:
            self.effective_rank, self.cosine = likeness.similarity(np.ascontiguousarray(rows), largest(self.a))
