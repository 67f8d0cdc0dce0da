"""What intermediate values of another library's model look like: a summary of each, and of each parameter; a table of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fanin.stats import Summary, summarize


@dataclass(frozen=True)
class Measured:
    """What `trace` of `fanin.interop.jax` and `fanin.interop.keras` returns; print it.

    Attributes
    ----------
    outputs : mapping of str to Summary
        Of the output of each layer, by its name, in the order of the model.
    parameters : mapping of str to Summary
        Of each parameter, by its name.
    gradients : mapping of str to Summary
        Of the gradient of the cost with respect to each parameter; empty without a loss.
    cost : float or None
        The cost; None without a loss.
    """

    outputs: Mapping[str, Summary]
    parameters: Mapping[str, Summary]
    gradients: Mapping[str, Summary]
    cost: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, strings and dictionaries."""
        groups = {"outputs": self.outputs, "parameters": self.parameters, "gradients": self.gradients}
        plain = {kind: {name: one.to_dict() for name, one in group.items()} for kind, group in groups.items()}
        return {"cost": self.cost, **plain}

    def __str__(self) -> str:
        lines = [] if self.cost is None else [f"cost {self.cost:.6g}"]
        for kind, group in (("output", self.outputs), ("parameter", self.parameters), ("gradient", self.gradients)):
            if not group:
                continue
            width = max(len(kind), *map(len, group))
            lines.append(f"{kind:{width}}  {'rms':>10}  {'mean':>10}  {'min':>10}  {'max':>10}  {'zeros':>7}  not finite")
            for name, one in group.items():
                zeros = f"{one.zeros / one.count:7.1%}" if one.count else f"{'':7}"
                numbers = "  ".join(f"{value:10.4g}" for value in (one.rms, one.mean, one.min, one.max))
                lines.append(f"{name:{width}}  {numbers}  {zeros}  {one.nans + one.infs or ''}".rstrip())
        return "\n".join(lines)

    @property
    def growth(self) -> float:
        """The rms of the last output over that of the first, to the power 1 / (outputs - 1): the factor of one layer."""
        scales = [float(one.rms) for one in self.outputs.values()]
        if len(scales) < 2 or not scales[0] > 0:
            return math.nan
        return float((scales[-1] / scales[0]) ** (1 / (len(scales) - 1)))


def summaries(arrays: Mapping[str, Any]) -> dict[str, Summary]:
    """Summarize every array of real numbers."""
    return {name: summarize(array) for name, array in arrays.items()}
