"""A root of a function of one variable."""

from __future__ import annotations

from collections.abc import Callable


def root(f: Callable[[float], float], low: float, high: float) -> float:
    """Return the root of f, of opposite signs at low and high (Illinois' false position, bisection where it is slow)."""
    at_low, at_high = f(low), f(high)
    for step in range(200):
        middle = (low + high) / 2 if step % 4 == 3 else (low * at_high - high * at_low) / (at_high - at_low)
        if not low < middle < high:
            middle = (low + high) / 2
        value = f(middle)
        if value == 0 or high - low <= 4e-16 * high:
            return middle
        if (value > 0) == (at_low > 0):
            low, at_low = middle, value
            at_high /= 2
        else:
            high, at_high = middle, value
            at_low /= 2
    return (low + high) / 2
