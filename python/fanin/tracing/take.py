"""`fanin.trace`: send one batch through a network and measure every layer."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from fanin.common import require
from fanin.network.batch import batch
from fanin.network.network import Network
from fanin.tracing.measure import measure
from fanin.tracing.record import Trace


def trace(
    net: Network,
    x: ArrayLike,
    y: ArrayLike | None = None,
    *,
    stats: Literal[True, "moments"] = True,
    per_unit: bool = False,
) -> Trace:
    """Send one batch through a network and measure every layer.

    Parameters
    ----------
    net : Network
        It is not changed.
    x : array, shape (batch, n_in)
        Converted to the network's dtype, as `Network` does.
    y : array, optional
        Targets of the network's loss. Without them the trace goes forward only.
    stats : True or "moments"
        "moments" leaves out histograms, third and fourth moments, and what compares the inputs with each other: effective
        ranks, cosines and the correlation of neighbours. It costs little beside the pass itself.
    per_unit : bool
        Summarize each unit besides: over the batch its z, a, dz and da, and its rows of w and dw.

    Returns
    -------
    Trace
        Per layer: summaries of z, a, w, b and, with `y`, of the gradients dz, da, dw, db of the mean cost; the same bits
        for any number of threads. Histograms: 64 bins of a (over the range of a bounded activation, else over the values'
        own), signed powers of two for all else. The expected values are those of `theory.expected_trace`, computed when they
        are first asked for: they hold for wide layers of independent weights of mean 0.

    Raises
    ------
    ValueError
        If `x` or `y` has a wrong shape or an empty batch, if `x` has values that are not finite, or `stats` is neither.

    Examples
    --------
    >>> import fanin as fi
    >>> x, y = fi.datasets.digits()
    >>> net = fi.Network([64, 300, 300, 10], activation="tanh", init="xavier_normal", seed=7)
    >>> print(fi.trace(net, x[:100], y[:100]))  # doctest: +SKIP
    """
    if stats is not True and stats != "moments":
        raise ValueError(f'stats must be True or "moments", got {stats!r}')
    data, per_unit = batch(net, x), require.flag("per_unit", per_unit)
    # Values of the network that are not finite are evidence, not accidents: summaries count them, `diagnose` judges them.
    with np.errstate(all="ignore"):
        return measure(net, data, y, full=stats is True, per_unit=per_unit)
