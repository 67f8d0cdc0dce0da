"""Numbers in the text of a page."""

from __future__ import annotations

import math

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float, digits: int = 2) -> str:
    """Return a number for people: `digits` digits; a power of ten where zeros would have to be counted."""
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "infinity" if value > 0 else "−infinity"
    if value < 0:
        return f"−{number(-value, digits)}"
    if value == 0 or 1e-3 <= value < 1e5:
        return f"{float(f'{value:.{digits}g}'):.10g}"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return f"{mantissa} × 10{str(int(exponent)).translate(_RAISED)}"
