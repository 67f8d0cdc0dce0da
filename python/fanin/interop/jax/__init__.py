"""fanin in JAX: initializers with the names, arguments and laws of `jax.nn.initializers`, whole pytrees by path, traces.

A draw is a function of the key, the shape, the dtype and the law alone: the same bits under ``jit`` as outside, on every CPU.
"""

from __future__ import annotations

try:
    import jax  # noqa: F401
except ImportError as error:
    raise ImportError("fanin.interop.jax needs JAX: pip install 'fanin[jax]'") from error

from fanin.interop.jax import initializers
from fanin.interop.jax.filling import fill
from fanin.interop.jax.initializers import (
    Initializer,
    constant,
    delta_orthogonal,
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    kaiming_normal,
    kaiming_uniform,
    lecun_normal,
    lecun_uniform,
    normal,
    ones,
    orthogonal,
    truncated_normal,
    uniform,
    variance_scaling,
    xavier_normal,
    xavier_uniform,
    zeros,
)
from fanin.interop.jax.tracing import trace

__all__ = [
    "Initializer",
    "constant",
    "delta_orthogonal",
    "fill",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "initializers",
    "kaiming_normal",
    "kaiming_uniform",
    "lecun_normal",
    "lecun_uniform",
    "normal",
    "ones",
    "orthogonal",
    "trace",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]
