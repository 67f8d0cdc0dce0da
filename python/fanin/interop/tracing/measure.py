"""What passes a site, measured where it is an array: of JAX's functions and Keras' layers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fanin import activation
from fanin.interop.tracing.site import COLUMNS, ROWS, Site, drawn, moments
from fanin.tracing import likeness

Array = NDArray[Any]
PROBES = (-7.3, -3.2, -2.7, -1.1, -0.4, 0.0, 0.3, 0.8, 1.2, 2.8, 3.3, 5.9, 6.4)  # to tell activations apart
_TOLERANCE, _COARSE = 1e-5, 2e-2  # of float32, of 16-bit numbers: a few of their roundings


def activation_named(given: Array, found: Array) -> str | None:
    """Return which of fanin's activations makes these values of the probes; None if none does."""
    if found.shape != given.shape:
        return None
    x, values = given.astype(np.float64), found.astype(np.float64)
    with np.errstate(all="ignore"):
        off = {name: np.abs(activation.evaluate(name, x) - values) / (1 + np.abs(values)) for name in activation.names()}
    name = min(off, key=lambda one: float(np.nan_to_num(off[one], nan=np.inf).max()))
    return name if off[name].max() <= (_TOLERANCE if given.dtype.itemsize > 2 else _COARSE) else None


def take(site: Site, z: Array, a: Array, unit_axis: int, *, full: bool) -> None:
    """Measure what a site computes and what leaves it; `unit_axis` counts the units of `a`."""
    site.z = moments(z)
    judged = full and site.judged
    site.a = drawn(a, site.activation) if judged else site.z if a is z else moments(a, site.activation)
    if a.ndim and site.activated and site.a.zeros:
        units = np.moveaxis(a, unit_axis, -1)
        site.dead = likeness.dead(units.reshape(-1, units.shape[-1]), int(site.a.zeros))
    if judged and a.ndim > 1 and a.size:
        site.compare(rows(a, unit_axis))


def rows(a: Array, unit_axis: int) -> Array:
    """Return a few rows and columns of a representation, evenly spaced: a row for each example, of sequences for each token."""
    own = np.moveaxis(a, unit_axis, -1)
    own = own.reshape(-1, own.shape[-1]) if own.ndim == 3 else own
    own = own[:: max(1, math.ceil(len(own) / ROWS))]
    own = own.reshape(len(own), -1)
    own = own[:, :: max(1, math.ceil(own.shape[1] / COLUMNS))]
    return own if own.dtype == np.float64 else own.astype(np.float32)


def alike(w: Array, b: Array | None, dw: Array | None, unit_axis: int) -> int:
    """Count units whose weights, and gradients where these are known, are those of another."""

    def units(values: Array) -> Array:
        return np.moveaxis(values, unit_axis, 0).reshape(values.shape[unit_axis], -1)

    own = units(w)
    return likeness.twins(own, b if b is not None and b.shape == own.shape[:1] else None, None if dw is None else units(dw))
