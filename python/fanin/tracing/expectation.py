"""What theory expects of a traced network on its batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fanin.stats import Summary
from fanin.theory import ExpectedLayer
from fanin.theory.expected import LayerScale, expect
from fanin.theory.integrals.scatter import Pairs, evenly


def layer_scale(activation: str, n_in: int, n_out: int, n_var_w: float, of_w: Summary, of_b: Summary | None) -> LayerScale:
    """Return what theory asks of a layer, from the summaries of its parameters; NaN where these are not finite."""
    strange = bool(of_w.nans or of_w.infs or (of_b is not None and (of_b.nans or of_b.infs)))
    var_b = math.nan if strange else 0.0 if of_b is None else float(of_b.rms) ** 2
    return LayerScale(activation, n_in, n_out, n_var_w, var_b)


class Expectation:
    """What theory expects of a network on a batch; computed when it is first asked for, from a few numbers of both."""

    def __init__(self, x: NDArray[Any], scales: Sequence[LayerScale]) -> None:
        self._squares = np.einsum("ij,ij->i", x, x, dtype=np.float64) / x.shape[1]
        self._rows, self._scales = evenly(x), tuple(scales)
        self.batch = len(x)

    @cached_property
    def layers(self) -> tuple[ExpectedLayer, ...] | None:
        """The layers' expectations; None where a scale is not finite, or so far out that no integral converges."""
        if not all(math.isfinite(scale.n_var_w) and math.isfinite(scale.var_b) for scale in self._scales):
            return None
        try:
            with np.errstate(all="ignore"):
                return expect(self._squares, Pairs(self._rows, self.batch), self._scales).layers
        except (ValueError, OverflowError):
            return None
