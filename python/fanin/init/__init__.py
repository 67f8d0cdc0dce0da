"""Laws of weights, drawn into new arrays or in place.

A law is a function (``fi.init.he_normal(shape, ...)``), a text (``"normal(std=0.01)"``) or an object
(``fi.init.Law("he_normal", gain=2)``); whatever takes a law takes all three. `describe` tells what a law would draw.

Weights have shape ``(n_out, n_in, *kernel)`` unless `in_axis` and `out_axis` state another layout. An element is a function
of (seed, stream, its position in the parameter, law, dtype) and of nothing else, so a shard (``block=``) has the bits of the
whole. Every Gaussian law scales one standard draw: for one seed and stream He's weights are sqrt(2) times Xavier's.
"""

from __future__ import annotations

from fanin import _core
from fanin.init._describe import Description, describe
from fanin.init._fill import fill
from fanin.init._law import Law, LawLike, Moments, law
from fanin.init.fixed import constant, dirac, identity, normal, ones, uniform, zeros
from fanin.init.haar import orthogonal
from fanin.init.scaled_normal import glorot_normal, he_normal, lecun_normal, xavier_normal
from fanin.init.scaled_truncated import glorot_truncated, he_truncated, lecun_truncated, xavier_truncated
from fanin.init.scaled_uniform import fan_in_uniform, glorot_uniform, he_uniform, lecun_uniform, siren_uniform, xavier_uniform
from fanin.init.shaped import sparse, truncated_normal, variance_scaling

__all__ = [
    "Description",
    "Law",
    "LawLike",
    "Moments",
    "constant",
    "describe",
    "dirac",
    "fan_in_uniform",
    "fill",
    "glorot_normal",
    "glorot_truncated",
    "glorot_uniform",
    "he_normal",
    "he_truncated",
    "he_uniform",
    "identity",
    "law",
    "lecun_normal",
    "lecun_truncated",
    "lecun_uniform",
    "normal",
    "ones",
    "orthogonal",
    "siren_uniform",
    "sparse",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "xavier_normal",
    "xavier_truncated",
    "xavier_uniform",
    "zeros",
]


def __getattr__(name: str) -> object:
    """Say what was probably meant by a name that is not here (kaiming_normal: he_normal)."""
    if name.startswith("__"):
        raise AttributeError(f"module 'fanin.init' has no attribute {name!r}")
    raise AttributeError(f"module 'fanin.init' has no attribute {name!r}; {_core.unknown_law(name)}")
