"""Laws that need no fans."""

from __future__ import annotations

from typing import Any, SupportsFloat, SupportsIndex

from numpy.typing import DTypeLike

from fanin._core import draw
from fanin.init._law import Axes, Block, Gain, Out, Shape, sampler, stated


@sampler
def zeros(
    shape: Shape,
    *,
    in_axis: Axes = 1,
    out_axis: Axes = 0,
    batch_axis: Axes = (),
    seed: SupportsIndex | None = None,
    stream: SupportsIndex | str | None = None,
    dtype: DTypeLike | None = None,
    out: Out | None = None,
    block: Block | None = None,
) -> Any:
    """Draw zeros: every unit of a layer then learns the same, or nothing; the usual choice for biases."""
    law = stated("zeros")
    return draw(law, shape, seed, stream, dtype, out, block, in_axis, out_axis, batch_axis)


@sampler
def ones(
    shape: Shape,
    *,
    in_axis: Axes = 1,
    out_axis: Axes = 0,
    batch_axis: Axes = (),
    seed: SupportsIndex | None = None,
    stream: SupportsIndex | str | None = None,
    dtype: DTypeLike | None = None,
    out: Out | None = None,
    block: Block | None = None,
) -> Any:
    """Draw ones."""
    law = stated("ones")
    return draw(law, shape, seed, stream, dtype, out, block, in_axis, out_axis, batch_axis)


@sampler
def constant(
    shape: Shape,
    *,
    value: SupportsFloat,
    in_axis: Axes = 1,
    out_axis: Axes = 0,
    batch_axis: Axes = (),
    seed: SupportsIndex | None = None,
    stream: SupportsIndex | str | None = None,
    dtype: DTypeLike | None = None,
    out: Out | None = None,
    block: Block | None = None,
) -> Any:
    """Draw the one number `value` (Keras' ``Constant``, PyTorch's ``constant_``).

    Parameters
    ----------
    value : float
        Finite.
    """
    law = stated("constant", value=value)
    return draw(law, shape, seed, stream, dtype, out, block, in_axis, out_axis, batch_axis)


@sampler
def identity(
    shape: Shape,
    *,
    gain: Gain = 1.0,
    in_axis: Axes = 1,
    out_axis: Axes = 0,
    batch_axis: Axes = (),
    seed: SupportsIndex | None = None,
    stream: SupportsIndex | str | None = None,
    dtype: DTypeLike | None = None,
    out: Out | None = None,
    block: Block | None = None,
) -> Any:
    """Draw `gain` on the diagonal of a matrix (n_out, n_in), which may be rectangular, and 0 elsewhere.

    PyTorch's ``eye_``, Keras' ``Identity``.

    Parameters
    ----------
    gain : float or str
        Finite, any sign; or an activation's name.
    """
    law = stated("identity", gain=gain)
    return draw(law, shape, seed, stream, dtype, out, block, in_axis, out_axis, batch_axis)


@sampler
def normal(
    shape: Shape,
    *,
    mean: SupportsFloat = 0.0,
    std: SupportsFloat = 1.0,
    in_axis: Axes = 1,
    out_axis: Axes = 0,
    batch_axis: Axes = (),
    seed: SupportsIndex | None = None,
    stream: SupportsIndex | str | None = None,
    dtype: DTypeLike | None = None,
    out: Out | None = None,
    block: Block | None = None,
) -> Any:
    """Draw N(mean, std^2), the standard normal by default.

    The second parameter is a standard deviation, as in PyTorch's ``normal_`` and NumPy. Keras' ``RandomNormal`` has a
    default of 0.05 for it, JAX's ``normal`` of 0.01.

    Parameters
    ----------
    mean, std : float
        Finite, std at least 0. An element is ``mean + std * g``, g standard normal: one stream, whatever the scale.
    """
    law = stated("normal", mean=mean, std=std)
    return draw(law, shape, seed, stream, dtype, out, block, in_axis, out_axis, batch_axis)


@sampler
def uniform(
    shape: Shape,
    *,
    low: SupportsFloat,
    high: SupportsFloat,
    in_axis: Axes = 1,
    out_axis: Axes = 0,
    batch_axis: Axes = (),
    seed: SupportsIndex | None = None,
    stream: SupportsIndex | str | None = None,
    dtype: DTypeLike | None = None,
    out: Out | None = None,
    block: Block | None = None,
) -> Any:
    """Draw U(low, high), the open interval: never a bound.

    PyTorch's ``uniform_(low, high)`` includes low, Keras' ``RandomUniform`` takes minval and maxval, JAX's ``uniform(scale)``
    is U(0, scale).

    Parameters
    ----------
    low, high : float
        Finite, low < high, with a number of the dtype between them.
    """
    law = stated("uniform", low=low, high=high)
    return draw(law, shape, seed, stream, dtype, out, block, in_axis, out_axis, batch_axis)
