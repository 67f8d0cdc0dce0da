"""The trace of a module: fanin's, with a line for norms and sums besides, and scales that the verdict may compare."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from fanin.common.text import number, table
from fanin.stats import Summary
from fanin.tracing.expectation import Expectation
from fanin.tracing.record import LayerTrace, Trace


@dataclass(frozen=True)
class SiteTrace(LayerTrace):
    """One place of a module: a `LayerTrace` with the name that the module gives it.

    `kind` is the class of the module, or "sum" for the sum of two streams, which has no weights: its `w` is None, as that of a
    norm without scale. Where a norm follows a layer at once, `z` is what the norm makes of it. A layer that is used twice has
    a line for each use; `dw` is the sum over both.
    """

    kind: str = ""
    judged: bool = False  # a weight layer, which the verdict looks at
    normalizes: bool = False  # a norm


@dataclass(frozen=True)
class ModuleTrace(Trace):
    """What `trace` of a module returns: a `fanin.Trace`; print it for a table.

    Attributes
    ----------
    layers : tuple of SiteTrace
        In the order in which they ran: weight layers, norms, sums. `hidden` are the weight layers but the last, `output` is
        that one.
    x : Summary
        The batch; of token numbers, what the embedding makes of them.
    """

    @property
    def weighted(self) -> tuple[LayerTrace, ...]:
        """The weight layers."""
        return tuple(one for one in self.layers if isinstance(one, SiteTrace) and one.judged)

    @property
    def hidden(self) -> tuple[LayerTrace, ...]:
        """The weight layers but the last."""
        return self.weighted[:-1]

    @property
    def output(self) -> LayerTrace:
        """The last weight layer."""
        return self.weighted[-1]

    @property
    def is_stack(self) -> bool:
        """Whether the module is a plain stack of Linear layers, which theory follows."""
        return isinstance(self.layers[0].expectation, Expectation)

    @property
    def is_normalized(self) -> bool:
        """Whether the module has a norm for every three weight layers or more."""
        return 3 * sum(isinstance(one, SiteTrace) and one.normalizes for one in self.layers) >= len(self.weighted)

    @property
    def forward_scales(self) -> list[float]:
        """The rms of a over the weight layers; where these have different parts to play, the line through their logarithms."""
        if self.is_stack:
            return super().forward_scales
        return line([float(one.a.rms) for one in self.hidden if one.a.rms > 0 or not self._opens(one, reach=0)])

    @property
    def backward_scales(self) -> list[float]:
        """The size of da from the last weight layer to the first.

        Of a plain stack its rms. Elsewhere its norm, which strides, pooling and widths leave alone, on the line through the
        logarithms.
        """
        if self.is_stack:
            return super().backward_scales
        known = [(one, one.da) for one in reversed(self.hidden) if one.da is not None]
        sizes = [float(da.rms) * math.sqrt(da.count) for one, da in known if da.rms > 0 or not self._opens(one, reach=1)]
        return line(sizes)

    @property
    def gradient_tolerance(self) -> float:
        """3 for a normalized module: a thousandfold change is there what a tenfold one is without.

        Weights before a norm grow until the steps fit them (van Laarhoven 2017; Arora, Li and Lyu 2019).
        """
        return 3.0 if self.is_normalized else 1.0

    def _opens(self, one: LayerTrace, reach: int) -> bool:
        """Whether weights of 0 close the way after a layer, and the first step opens it: as blocks often start.

        They are the layer's own or of the norm after it, or with `reach` 1 those of the next weight layer.
        """
        judged = 0
        for other in self.layers[one.index :]:
            judged += isinstance(other, SiteTrace) and other.judged
            if judged > 1 + reach:
                return False
            if other.w is not None and other.w.rms == 0 and other.w.count and (other.dw is None or other.dw.rms > 0):
                return True
        return False

    def __str__(self) -> str:
        backward, beside = self.cost is not None, ["expected"] if any(one.expected is not None for one in self.layers) else []
        heads = ["layer", "", "in > out", "n Var(w)", "std of a", *beside, "ratio", "satur", "dead"]
        heads += ["rms of da", *beside, "ratio", "rms of dw"] if backward else []
        rows = [_cells(one, backward, bool(beside)) for one in self.layers]
        lines = table(heads, rows, right=set(range(2, len(heads))))
        if self.cost is not None:
            none = "" if self.uninformed_cost is None else f"; a network that favours no class: {self.uninformed_cost:.4g}"
            lines.append(f"cost {self.cost:.4g}{none}")
        return "\n".join(lines)


def _cells(one: LayerTrace, backward: bool, expected: bool) -> list[str]:
    def rms(summary: Summary | None) -> float | None:
        return None if summary is None else float(summary.rms)

    kind = one.kind if isinstance(one, SiteTrace) else ""
    activated = "" if one.activation == "identity" else f", {one.activation}"
    cells = [one.name, f"{kind}{activated}", f"{one.n_in}>{one.n_out}"]
    cells += [number(None if math.isnan(one.n_var_w) else one.n_var_w, 0), number(float(one.a.std), 0)]
    cells += [number(_known(one.expected_std), 0)] if expected else []
    cells += [number(one.forward_ratio, 0), "-" if one.saturated is None else f"{100 * one.saturated:.0f} %"]
    cells.append(f"{100 * one.dead:.0f} %")
    beside = [_known(one.expected_da)] if expected else []
    return cells + ([number(value, 0) for value in (rms(one.da), *beside, one.backward_ratio, rms(one.dw))] if backward else [])


def _known(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value


def line(scales: list[float]) -> list[float]:
    """Return scales on the straight line through their logarithms over depth (least squares).

    Layers with different parts to play (queries, the wide middle of a block, its end) have scales of their own; the line
    follows what depth does. Fewer than four scales, and such as begin or end with 0 or are not finite, stay as they are.
    """
    values = np.asarray(scales, dtype=np.float64)
    if len(values) < 4 or not np.isfinite(values).all() or values[-1] == 0 or values[0] == 0:
        return scales
    at = np.flatnonzero(values > 0)
    slope, start = np.polyfit(at, np.log(values[at]), 1)
    return [math.exp(min(max(start + slope * i, -700.0), 700.0)) for i in range(len(values))]
