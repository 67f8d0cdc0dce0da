"""Laws with parameters of their own: the truncated normal law, variance scaling, and sparse matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, SupportsFloat

from fanin.init._law import Drawing, Gain, Mode, drawn, sampler
from fanin.init._place import Shape

if TYPE_CHECKING:
    from typing_extensions import Unpack


@sampler
def truncated_normal(
    shape: Shape,
    *,
    mean: SupportsFloat = 0.0,
    std: SupportsFloat = 1.0,
    lower: SupportsFloat = -2.0,
    upper: SupportsFloat = 2.0,
    corrected: bool = False,
    **drawing: Unpack[Drawing],
) -> Any:
    """Draw N(mean, std^2) restricted to [mean + lower std, mean + upper std], by inversion: no draw is rejected.

    The bounds count sigmas: PyTorch's ``trunc_normal_`` takes values (its a is ``mean + lower * std``), Keras'
    ``TruncatedNormal`` and JAX's ``truncated_normal`` are cut at two sigmas. As in all of these `std` is that of the normal
    law before the cut, and the draws spread less (by 0.8796 at two sigmas) unless `corrected` is True.

    Parameters
    ----------
    mean, std : float
        Of the normal law; finite, std at least 0.
    lower, upper : float
        In sigmas, lower < upper; either may be infinite.
    corrected : bool
        True: the normal law is widened so that `std` is the standard deviation of the draws. The bounds then count sigmas of
        the wider law.
    """
    return drawn("truncated_normal", shape, drawing, mean=mean, std=std, lower=lower, upper=upper, corrected=corrected)


@sampler
def variance_scaling(
    shape: Shape,
    *,
    scale: SupportsFloat = 1.0,
    gain: Gain = 1.0,
    mode: Mode = "fan_in",
    distribution: Literal["normal", "uniform", "truncated"] = "normal",
    **drawing: Unpack[Drawing],
) -> Any:
    """Draw from a law of variance gain^2 scale / fan: the family that the xavier, glorot, he and lecun laws belong to.

    Keras' and JAX's ``variance_scaling``. Their ``"truncated_normal"`` (Keras' default) is ``distribution="truncated"`` here,
    their ``"untruncated_normal"`` and JAX's ``"normal"``, which is truncated there, differ: here ``"normal"`` is not cut.

    Parameters
    ----------
    scale : float
        At least 0; a variance.
    gain : float or str
        At least 0, or an activation's name; a standard deviation.
    mode : {"fan_in", "fan_out", "fan_avg", "fan_geo_avg"}
        The fan to divide by: n_in keeps the forward variance, n_out the backward one, their mean (arithmetic or geometric) is
        the compromise.
    distribution : {"normal", "uniform", "truncated"}
        Normal; uniform; or normal, cut at two standard deviations and scaled up again to the same variance.
    """
    return drawn("variance_scaling", shape, drawing, scale=scale, gain=gain, mode=mode, distribution=distribution)


@sampler
def sparse(
    shape: Shape,
    *,
    sparsity: SupportsFloat,
    std: SupportsFloat = 0.01,
    gain: Gain = 1.0,
    **drawing: Unpack[Drawing],
) -> Any:
    """Draw N(0, (gain std)^2) into a matrix whose columns have exactly ceil(sparsity n_out) zeros each (Martens 2010).

    PyTorch's ``sparse_``. The nonzero elements are those of ``normal(std=gain * std)`` for the same seed and stream.

    Parameters
    ----------
    sparsity : float
        The share of zeros of a column, in [0, 1].
    std : float
        Finite, at least 0.
    gain : float or str
        At least 0, or an activation's name; multiplies the standard deviation.

    Notes
    -----
    The zeros of a column are drawn together: a block costs, beside its normal draws, min(k, n_out - k) numbers and a list
    of n_out places for each column that it touches, k being the zeros of a column, however few of its rows it holds.
    """
    return drawn("sparse", shape, drawing, sparsity=sparsity, std=std, gain=gain)
