"""Uniform laws scaled by the fans: U(-b, b), b = gain sqrt(k / fan)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, SupportsFloat

from fanin.init._law import Drawing, Gain, Mode, drawn, sampler
from fanin.init._place import Shape

if TYPE_CHECKING:
    from typing_extensions import Unpack


@sampler
def fan_in_uniform(
    shape: Shape,
    *,
    gain: Gain = 1.0,
    **drawing: Unpack[Drawing],
) -> Any:
    """Draw U(-b, b), b = gain / sqrt(n_in): variance 1 / (3 n_in), which vanishes with depth.

    The "standard" heuristic of Glorot and Bengio (2010, eq. 1); the default of PyTorch's ``Linear`` (there written
    ``kaiming_uniform_`` with a = sqrt(5)).

    Parameters
    ----------
    gain : float or str
        At least 0, or an activation's name; multiplies the standard deviation.
    """
    return drawn("fan_in_uniform", shape, drawing, gain=gain)


@sampler
def xavier_uniform(
    shape: Shape,
    *,
    gain: Gain = 1.0,
    mode: Mode = "fan_in",
    **drawing: Unpack[Drawing],
) -> Any:
    """Draw U(-b, b), b = gain sqrt(3 / n_in): variance gain^2 / n_in.

    What PyTorch calls ``xavier_uniform_`` and Keras and JAX ``glorot_uniform``, variance 2 / (n_in + n_out), is
    `glorot_uniform`, or this with ``mode="fan_avg"``.

    Parameters
    ----------
    gain : float or str
        At least 0, or an activation's name; multiplies the standard deviation.
    mode : {"fan_in", "fan_out", "fan_avg", "fan_geo_avg"}
        The fan to divide by: n_in keeps the forward variance, n_out the backward one, their mean (arithmetic or geometric) is
        the compromise.
    """
    return drawn("xavier_uniform", shape, drawing, gain=gain, mode=mode)


@sampler
def glorot_uniform(
    shape: Shape,
    *,
    gain: Gain = 1.0,
    **drawing: Unpack[Drawing],
) -> Any:
    """Draw U(-b, b), b = gain sqrt(6 / (n_in + n_out)) (Glorot and Bengio 2010, eq. 16).

    PyTorch's ``xavier_uniform_``; Keras' and JAX's ``glorot_uniform``, the default of Keras' layers.

    Parameters
    ----------
    gain : float or str
        At least 0, or an activation's name; multiplies the standard deviation.
    """
    return drawn("glorot_uniform", shape, drawing, gain=gain)


@sampler
def he_uniform(
    shape: Shape,
    *,
    gain: Gain = 1.0,
    mode: Mode = "fan_in",
    **drawing: Unpack[Drawing],
) -> Any:
    """Draw U(-b, b), b = gain sqrt(6 / n_in): variance gain^2 2 / n_in (He et al. 2015, eq. 10).

    PyTorch's ``kaiming_uniform_`` with a = 0 (its ``Linear`` uses a = sqrt(5), which is `fan_in_uniform`); Keras' and
    JAX's ``he_uniform``.

    Parameters
    ----------
    gain : float or str
        At least 0, or an activation's name; multiplies the standard deviation *with its 2 for ReLU already in it*, so
        ``he_normal(gain="relu")`` would count ReLU twice: for another activation write ``xavier_normal(gain="tanh")``.
    mode : {"fan_in", "fan_out", "fan_avg", "fan_geo_avg"}
        The fan to divide by: n_in keeps the forward variance, n_out the backward one, their mean (arithmetic or geometric) is
        the compromise.
    """
    return drawn("he_uniform", shape, drawing, gain=gain, mode=mode)


@sampler
def lecun_uniform(
    shape: Shape,
    *,
    gain: Gain = 1.0,
    **drawing: Unpack[Drawing],
) -> Any:
    """Draw U(-b, b), b = gain sqrt(3 / n_in): variance gain^2 / n_in.

    Keras' and JAX's ``lecun_uniform``. Other libraries give this name to the bound 1 / sqrt(n_in), which is
    `fan_in_uniform`.

    Parameters
    ----------
    gain : float or str
        At least 0, or an activation's name; multiplies the standard deviation.
    """
    return drawn("lecun_uniform", shape, drawing, gain=gain)


@sampler
def siren_uniform(
    shape: Shape,
    *,
    omega_0: SupportsFloat = 30.0,
    first: bool = False,
    **drawing: Unpack[Drawing],
) -> Any:
    """Draw U(-b, b), b = sqrt(6 / n_in) / omega_0: for layers sin(omega_0 (W x + b)), whose arguments then have variance 1.

    Sitzmann, Martel, Bergman, Lindell and Wetzstein 2020, "Implicit neural representations with periodic activation
    functions", section 3.2. The activation `sin` here takes z as it is: with it, draw the weights with ``omega_0=1`` and
    scale the input of the first layer, or multiply weights and biases by omega_0.

    Parameters
    ----------
    omega_0 : float
        The frequency that multiplies the pre-activations; above 0.
    first : bool
        True for the first layer: b = 1 / n_in, whatever `omega_0` is.
    """
    return drawn("siren_uniform", shape, drawing, omega_0=omega_0, first=first)
