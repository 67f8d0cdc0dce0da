"""Normal laws scaled by the fans: N(0, gain^2 k / fan)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fanin.init._law import Drawing, Gain, Mode, drawn, sampler
from fanin.init._place import Shape

if TYPE_CHECKING:
    from typing_extensions import Unpack


@sampler
def xavier_normal(
    shape: Shape,
    *,
    gain: Gain = 1.0,
    mode: Mode = "fan_in",
    **drawing: Unpack[Drawing],
) -> Any:
    """Draw N(0, gain^2 / n_in).

    The rule of deeplearning.ai's notes. What PyTorch calls ``xavier_normal_`` and Keras ``GlorotNormal``,
    variance 2 / (n_in + n_out), is `glorot_normal`, or this with ``mode="fan_avg"``.

    Parameters
    ----------
    gain : float or str
        At least 0, or an activation's name; multiplies the standard deviation.
    mode : {"fan_in", "fan_out", "fan_avg", "fan_geo_avg"}
        The fan to divide by: n_in keeps the forward variance, n_out the backward one, their mean (arithmetic or geometric) is
        the compromise.
    """
    return drawn("xavier_normal", shape, drawing, gain=gain, mode=mode)


@sampler
def glorot_normal(
    shape: Shape,
    *,
    gain: Gain = 1.0,
    **drawing: Unpack[Drawing],
) -> Any:
    """Draw N(0, gain^2 2 / (n_in + n_out)) (Glorot and Bengio 2010, eq. 12).

    PyTorch's ``xavier_normal_``. Keras' and JAX's ``glorot_normal`` are truncated at two standard deviations.

    Parameters
    ----------
    gain : float or str
        At least 0, or an activation's name; multiplies the standard deviation.
    """
    return drawn("glorot_normal", shape, drawing, gain=gain)


@sampler
def he_normal(
    shape: Shape,
    *,
    gain: Gain = 1.0,
    mode: Mode = "fan_in",
    **drawing: Unpack[Drawing],
) -> Any:
    """Draw N(0, gain^2 2 / n_in) (He et al. 2015, eq. 10), made for ReLU.

    PyTorch's ``kaiming_normal_`` with its default nonlinearity at slope 0. Keras' and JAX's ``he_normal`` are truncated at
    two standard deviations.

    Parameters
    ----------
    gain : float or str
        At least 0, or an activation's name; multiplies the standard deviation *with its 2 for ReLU already in it*, so
        ``he_normal(gain="relu")`` would count ReLU twice: for another activation write ``xavier_normal(gain="tanh")``.
    mode : {"fan_in", "fan_out", "fan_avg", "fan_geo_avg"}
        The fan to divide by: n_in keeps the forward variance, n_out the backward one, their mean (arithmetic or geometric) is
        the compromise.
    """
    return drawn("he_normal", shape, drawing, gain=gain, mode=mode)


@sampler
def lecun_normal(
    shape: Shape,
    *,
    gain: Gain = 1.0,
    **drawing: Unpack[Drawing],
) -> Any:
    """Draw N(0, gain^2 / n_in) (LeCun et al. 1998, "Efficient BackProp", section 4.6).

    The same as `xavier_normal` here; what self-normalizing networks (SELU) want. Keras' and JAX's ``lecun_normal`` are
    truncated at two standard deviations.

    Parameters
    ----------
    gain : float or str
        At least 0, or an activation's name; multiplies the standard deviation.
    """
    return drawn("lecun_normal", shape, drawing, gain=gain)
