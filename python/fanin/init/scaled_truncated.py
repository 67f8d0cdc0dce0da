"""Truncated laws scaled by the fans: normal, cut at two standard deviations, and scaled up again to the stated variance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fanin.init._law import Drawing, Gain, Mode, drawn, sampler
from fanin.init._place import Shape

if TYPE_CHECKING:
    from typing_extensions import Unpack


@sampler
def xavier_truncated(
    shape: Shape,
    *,
    gain: Gain = 1.0,
    mode: Mode = "fan_in",
    **drawing: Unpack[Drawing],
) -> Any:
    """Draw a normal law cut at two sigmas, of variance gain^2 / n_in after the cut: ``|w| <= 2.2737 gain / sqrt(n_in)``.

    What Keras and JAX call ``glorot_normal``, variance 2 / (n_in + n_out), is `glorot_truncated`, or this with
    ``mode="fan_avg"``.

    Parameters
    ----------
    gain : float or str
        At least 0, or an activation's name; multiplies the standard deviation.
    mode : {"fan_in", "fan_out", "fan_avg", "fan_geo_avg"}
        The fan to divide by: n_in keeps the forward variance, n_out the backward one, their mean (arithmetic or geometric) is
        the compromise.
    """
    return drawn("xavier_truncated", shape, drawing, gain=gain, mode=mode)


@sampler
def glorot_truncated(
    shape: Shape,
    *,
    gain: Gain = 1.0,
    **drawing: Unpack[Drawing],
) -> Any:
    """Draw a normal law cut at two sigmas, of variance gain^2 2 / (n_in + n_out) after the cut.

    Keras' and JAX's ``glorot_normal``. PyTorch's ``xavier_normal_`` is not cut: `glorot_normal`.

    Parameters
    ----------
    gain : float or str
        At least 0, or an activation's name; multiplies the standard deviation.
    """
    return drawn("glorot_truncated", shape, drawing, gain=gain)


@sampler
def he_truncated(
    shape: Shape,
    *,
    gain: Gain = 1.0,
    mode: Mode = "fan_in",
    **drawing: Unpack[Drawing],
) -> Any:
    """Draw a normal law cut at two sigmas, of variance gain^2 2 / n_in after the cut (He et al. 2015, eq. 10).

    Keras' and JAX's ``he_normal``. PyTorch's ``kaiming_normal_`` is not cut: `he_normal`.

    Parameters
    ----------
    gain : float or str
        At least 0, or an activation's name; multiplies the standard deviation *with its 2 for ReLU already in it*: for
        another activation write ``xavier_truncated(gain="tanh")``.
    mode : {"fan_in", "fan_out", "fan_avg", "fan_geo_avg"}
        The fan to divide by: n_in keeps the forward variance, n_out the backward one, their mean (arithmetic or geometric) is
        the compromise.
    """
    return drawn("he_truncated", shape, drawing, gain=gain, mode=mode)


@sampler
def lecun_truncated(
    shape: Shape,
    *,
    gain: Gain = 1.0,
    **drawing: Unpack[Drawing],
) -> Any:
    """Draw a normal law cut at two sigmas, of variance gain^2 / n_in after the cut (LeCun et al. 1998, section 4.6).

    Keras' and JAX's ``lecun_normal``, and Flax's default for dense layers.

    Parameters
    ----------
    gain : float or str
        At least 0, or an activation's name; multiplies the standard deviation.
    """
    return drawn("lecun_truncated", shape, drawing, gain=gain)
