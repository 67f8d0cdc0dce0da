"""The figure of each kind of result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fanin.reports import comparison_figure, learning_rate_figure, sweep_figure, trace_figure

FIGURES: dict[str, Callable[[Any], Any]] = {
    "comparison": comparison_figure.figure,
    "learning rates": learning_rate_figure.figure,
    "sweep": sweep_figure.figure,
    "trace": trace_figure.figure,
}
