"""Laws that need no fans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, SupportsFloat, SupportsIndex

from fanin.init._law import Drawing, Gain, drawn, sampler
from fanin.init._place import Shape

if TYPE_CHECKING:
    from typing_extensions import Unpack


@sampler
def zeros(
    shape: Shape,
    **drawing: Unpack[Drawing],
) -> Any:
    """Draw zeros: every unit of a layer then learns the same, or nothing; the usual choice for biases."""
    return drawn("zeros", shape, drawing)


@sampler
def ones(
    shape: Shape,
    **drawing: Unpack[Drawing],
) -> Any:
    """Draw ones."""
    return drawn("ones", shape, drawing)


@sampler
def constant(
    shape: Shape,
    *,
    value: SupportsFloat,
    **drawing: Unpack[Drawing],
) -> Any:
    """Draw the one number `value` (Keras' ``Constant``, PyTorch's ``constant_``).

    Parameters
    ----------
    value : float
        Finite.
    """
    return drawn("constant", shape, drawing, value=value)


@sampler
def identity(
    shape: Shape,
    *,
    gain: Gain = 1.0,
    **drawing: Unpack[Drawing],
) -> Any:
    """Draw `gain` on the diagonal of a matrix (n_out, n_in), which may be rectangular, and 0 elsewhere.

    PyTorch's ``eye_``, Keras' ``Identity``.

    Parameters
    ----------
    gain : float or str
        Finite, any sign; or an activation's name.
    """
    return drawn("identity", shape, drawing, gain=gain)


@sampler
def dirac(
    shape: Shape,
    *,
    groups: SupportsIndex = 1,
    **drawing: Unpack[Drawing],
) -> Any:
    """Draw the identity of a convolution: 1 at the centre of the kernel from input i to output i, 0 elsewhere.

    PyTorch's ``dirac_``, in any layout and for any number of kernel axes. The centre of an axis of length k is k // 2. With
    `groups`, each n_out / groups outputs pass on the first inputs anew. A matrix has a kernel of one place: `identity`.

    Parameters
    ----------
    groups : int
        Of the convolution; divides n_out.
    """
    return drawn("dirac", shape, drawing, groups=groups)


@sampler
def normal(
    shape: Shape,
    *,
    mean: SupportsFloat = 0.0,
    std: SupportsFloat = 1.0,
    **drawing: Unpack[Drawing],
) -> Any:
    """Draw N(mean, std^2), the standard normal by default.

    The second parameter is a standard deviation, as in PyTorch's ``normal_`` and NumPy. Keras' ``RandomNormal`` has a
    default of 0.05 for it, JAX's ``normal`` of 0.01.

    Parameters
    ----------
    mean, std : float
        Finite, std at least 0. An element is ``mean + std * g``, g standard normal: one stream, whatever the scale.
    """
    return drawn("normal", shape, drawing, mean=mean, std=std)


@sampler
def uniform(
    shape: Shape,
    *,
    low: SupportsFloat,
    high: SupportsFloat,
    **drawing: Unpack[Drawing],
) -> Any:
    """Draw U(low, high), the open interval: never a bound.

    PyTorch's ``uniform_(low, high)`` includes low, Keras' ``RandomUniform`` takes minval and maxval, JAX's ``uniform(scale)``
    is U(0, scale).

    Parameters
    ----------
    low, high : float
        Finite, low < high, with a number of the dtype between them.
    """
    return drawn("uniform", shape, drawing, low=low, high=high)
