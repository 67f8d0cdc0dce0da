"""Initializers with the names, arguments, defaults and laws of `jax.nn.initializers`; `Initializer` makes one of any law."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, SupportsFloat, TypeAlias

import jax
import numpy as np
from jax.nn.initializers import constant, ones, zeros

from fanin.init import Law, LawLike, law
from fanin.interop.jax.drawing import draw

Axes: TypeAlias = int | Sequence[int]

__all__ = [
    "Initializer",
    "constant",
    "delta_orthogonal",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "kaiming_normal",
    "kaiming_uniform",
    "lecun_normal",
    "lecun_uniform",
    "normal",
    "ones",
    "orthogonal",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]


def _tuple(axes: Axes) -> tuple[int, ...]:
    return (axes,) if isinstance(axes, int) else tuple(axes)


@dataclass(frozen=True)
class Initializer:
    """An initializer of any law of `fanin.init`: ``init(key, shape, dtype=None, out_sharding=None)``.

    Parameters
    ----------
    law : law
        A text, a function of `fanin.init`, or an object.
    in_axis, out_axis, batch_axis : int or sequence of int
        As JAX has them: the layout is ``(*kernel, n_in, n_out)``.
    dtype : dtype, optional
        What is drawn where the call states none; JAX's default float without it.

    Notes
    -----
    The seed is the key's data (of a key of more than 64 bits, folded), the stream is ``"jax"``: one key gives one array,
    as in JAX. Keys may be traced: under ``jit`` and ``vmap`` a callback draws, with the same bits. With an ``out_sharding``
    (a `jax.sharding.Sharding`, outside of ``jit``) each device's shard is drawn by itself. Nothing is differentiated.

    Examples
    --------
    >>> import jax
    >>> from fanin.interop.jax import Initializer
    >>> init = Initializer("he_uniform(gain=tanh)")
    >>> key = jax.random.key(7)
    >>> bool((jax.jit(init, static_argnums=1)(key, (784, 300)) == init(key, (784, 300))).all())
    True
    """

    law: LawLike
    in_axis: Axes = -2
    out_axis: Axes = -1
    batch_axis: Axes = ()
    dtype: Any = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "law", law(self.law))
        for name in ("in_axis", "out_axis", "batch_axis"):
            axes = getattr(self, name)
            object.__setattr__(self, name, axes if isinstance(axes, int) else tuple(axes))

    def __call__(self, key: Any, shape: Sequence[int], dtype: Any = None, out_sharding: Any = None) -> jax.Array:
        """Draw an array of this shape."""
        wanted = jax.dtypes.canonicalize_dtype(self._dtype(dtype))
        sizes = tuple(int(n) for n in shape)
        rule: Law = law(self.law)
        if rule.needs_fans and self.in_axis == -2 and len(sizes) <= 1:
            raise ValueError(
                f"Can't compute input and output sizes of a {len(sizes)}-dimensional weights tensor with default in_axis. "
                "Must be at least 2D or specify in_axis explicitly."
            )
        axes = {"in_axis": _tuple(self.in_axis), "out_axis": _tuple(self.out_axis), "batch_axis": _tuple(self.batch_axis)}
        if len(sizes) <= 1 and not rule.needs_fans:
            axes = dict.fromkeys(axes, ())
        return draw(rule, key, sizes, wanted, axes, out_sharding)

    def _dtype(self, dtype: Any) -> Any:
        stated = self.dtype if dtype is None else dtype
        return jax.dtypes.canonicalize_dtype(np.float64) if stated is None else stated


def uniform(scale: SupportsFloat = 1e-2, dtype: Any = None) -> Initializer:
    """Uniform in (0, scale)."""
    return Initializer(Law("uniform", low=0.0, high=float(scale)), dtype=dtype)


def normal(stddev: SupportsFloat = 1e-2, dtype: Any = None) -> Initializer:
    """Normal with mean 0."""
    return Initializer(Law("normal", std=float(stddev)), dtype=dtype)


def truncated_normal(
    stddev: SupportsFloat = 1e-2, dtype: Any = None, lower: SupportsFloat = -2.0, upper: SupportsFloat = 2.0
) -> Initializer:
    """Normal with mean 0, cut at `lower` and `upper`, which count `stddev`, that of the law before the cut."""
    rule = Law("truncated_normal", std=float(stddev), lower=float(lower), upper=float(upper))
    return Initializer(rule, dtype=dtype)


def variance_scaling(
    scale: SupportsFloat,
    mode: Literal["fan_in", "fan_out", "fan_avg", "fan_geo_avg"],
    distribution: Literal["truncated_normal", "normal", "uniform"],
    in_axis: Axes = -2,
    out_axis: Axes = -1,
    batch_axis: Axes = (),
    dtype: Any = None,
) -> Initializer:
    """Variance scale / fan; "truncated_normal" is cut at two sigmas and has this variance after the cut."""
    laws = {"truncated_normal": "truncated", "normal": "normal", "uniform": "uniform"}
    if mode not in ("fan_in", "fan_out", "fan_avg", "fan_geo_avg"):
        raise ValueError(f"invalid mode for variance scaling initializer: {mode}")
    if distribution not in laws:
        raise ValueError(f"invalid distribution for variance scaling initializer: {distribution}")
    rule = Law("variance_scaling", scale=float(scale), mode=mode, distribution=laws[distribution])
    return Initializer(rule, in_axis, out_axis, batch_axis, dtype)


def glorot_uniform(in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: Any = None) -> Initializer:
    """`variance_scaling` of 1, "fan_avg", "uniform"."""
    return variance_scaling(1.0, "fan_avg", "uniform", in_axis, out_axis, batch_axis, dtype)


def glorot_normal(in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: Any = None) -> Initializer:
    """`variance_scaling` of 1, "fan_avg", "truncated_normal"."""
    return variance_scaling(1.0, "fan_avg", "truncated_normal", in_axis, out_axis, batch_axis, dtype)


def lecun_uniform(in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: Any = None) -> Initializer:
    """`variance_scaling` of 1, "fan_in", "uniform"."""
    return variance_scaling(1.0, "fan_in", "uniform", in_axis, out_axis, batch_axis, dtype)


def lecun_normal(in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: Any = None) -> Initializer:
    """`variance_scaling` of 1, "fan_in", "truncated_normal"."""
    return variance_scaling(1.0, "fan_in", "truncated_normal", in_axis, out_axis, batch_axis, dtype)


def he_uniform(in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: Any = None) -> Initializer:
    """`variance_scaling` of 2, "fan_in", "uniform"."""
    return variance_scaling(2.0, "fan_in", "uniform", in_axis, out_axis, batch_axis, dtype)


def he_normal(in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: Any = None) -> Initializer:
    """`variance_scaling` of 2, "fan_in", "truncated_normal"."""
    return variance_scaling(2.0, "fan_in", "truncated_normal", in_axis, out_axis, batch_axis, dtype)


xavier_uniform, xavier_normal = glorot_uniform, glorot_normal
kaiming_uniform, kaiming_normal = he_uniform, he_normal


@dataclass(frozen=True)
class _Orthogonal(Initializer):
    column_axis: int = -1

    def __call__(self, key: Any, shape: Sequence[int], dtype: Any = None, out_sharding: Any = None) -> jax.Array:
        """Draw an array of this shape."""
        if len(shape) < 2:
            raise ValueError("orthogonal initializer requires at least a 2D shape")
        if 0 in shape:
            return jax.numpy.zeros(shape, jax.dtypes.canonicalize_dtype(self._dtype(dtype)))
        return super().__call__(key, shape, dtype, out_sharding)


def orthogonal(scale: SupportsFloat = 1.0, column_axis: int = -1, dtype: Any = None) -> Initializer:
    """`scale` times a matrix of orthonormal columns, or rows where these are fewer; `column_axis` counts the columns."""
    return _Orthogonal(Law("orthogonal", gain=float(scale)), (), column_axis, (), dtype, column_axis)


@dataclass(frozen=True)
class _DeltaOrthogonal(Initializer):
    column_axis: int = -1

    def __call__(self, key: Any, shape: Sequence[int], dtype: Any = None, out_sharding: Any = None) -> jax.Array:
        """Draw an array of this shape."""
        if out_sharding is not None:
            raise NotImplementedError("delta_orthogonal takes no out_sharding")
        if len(shape) not in (3, 4, 5):
            raise ValueError("Delta orthogonal initializer requires a 3D, 4D or 5D shape.")
        if shape[-1] < shape[-2]:
            raise ValueError("`fan_in` must be less or equal than `fan_out`. ")
        matrix = _Orthogonal(self.law, (), self.column_axis, (), self.dtype, self.column_axis)(key, shape[-2:], dtype)
        centre = tuple((n - 1) // 2 for n in shape[:-2])
        return jax.numpy.zeros(tuple(shape), matrix.dtype).at[centre].set(matrix)


def delta_orthogonal(scale: SupportsFloat = 1.0, column_axis: int = -1, dtype: Any = None) -> Initializer:
    """Kernels of convolutions that are an `orthogonal` matrix at their centre and 0 around it; 3D, 4D or 5D."""
    return _DeltaOrthogonal(Law("orthogonal", gain=float(scale)), (), column_axis, (), dtype, column_axis)
