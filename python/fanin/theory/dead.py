"""Dead units of ReLU networks: zero for every input of a batch, and more of them the deeper the layer, by themselves."""

from __future__ import annotations

import math

import numpy as np

_STEPS = 2001
_REACH = 9.0  # standard deviations


def dead_fraction(correlation: float, batch: int) -> float:
    """Return the expected fraction of ReLU units that are 0 on all inputs of a batch, their biases being symmetric about 0.

    A unit's pre-activations of the inputs are normal, of mean 0 and one correlation c for every pair: z_i = sqrt(c) t +
    sqrt(1 - c) u_i. All are negative with probability E[Phi(-sqrt(c / (1 - c)) t)^batch] over the normal t. With depth the
    inputs become parallel (c grows, see `correlation_map`), and the fraction goes to 1/2 at any scale of the weights (compare
    Lu, Shin, Su and Karniadakis 2019, "Dying ReLU and initialization").

    Parameters
    ----------
    correlation : float
        Of the pre-activations of two inputs, as `ExpectedLayer.z_cosine`. Below 0 counts as 0.
    batch : int
        Number of inputs, at least 1.

    Raises
    ------
    ValueError
        If the correlation is above 1 or NaN, or the batch empty.

    Examples
    --------
    >>> from fanin import theory
    >>> theory.dead_fraction(0.0, 10), theory.dead_fraction(1.0, 1000)
    (0.0009765625, 0.5)
    """
    if not correlation <= 1:
        raise ValueError(f"correlation must be at most 1, got {correlation}")
    if batch < 1:
        raise ValueError(f"batch must be at least 1, got {batch}")
    if correlation <= 0:
        return 0.5**batch
    if correlation == 1:
        return 0.5
    slope = math.sqrt(correlation / (1 - correlation) / 2)
    t = np.linspace(-_REACH, _REACH, _STEPS)
    weights = np.exp(-(t**2) / 2)
    all_negative = np.array([0.5 * math.erfc(slope * one) for one in t]) ** batch
    return float((weights * all_negative).sum() / weights.sum())
