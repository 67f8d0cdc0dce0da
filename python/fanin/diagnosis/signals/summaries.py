"""What a rule asks of one summary."""

from __future__ import annotations

from typing import Any


def non_finite(summary: Any) -> bool:
    """Whether a summary has counted a NaN or an infinity."""
    return summary is not None and bool(summary.nans or summary.infs)


def is_zero(summary: Any) -> bool:
    """Whether a summary is of zeros alone."""
    return summary is not None and bool(summary.zeros == summary.count)
