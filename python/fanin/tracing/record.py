"""A trace: what every layer of a network does to one batch, forward and backward, beside what theory expects."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fanin.common.result import Result
from fanin.stats import Summaries, Summary
from fanin.theory import ExpectedLayer, dead_fraction
from fanin.tracing import table as trace_table
from fanin.tracing.expectation import Expectation

SUMMARIES = ("z", "a", "w", "b", "dz", "da", "dw", "db")
_FIELDS = ("count", "mean", "std", "rms", "min", "max", "zeros", "nans", "infs")


@dataclass(frozen=True)
class LayerTrace:
    """One layer on one batch: what `Trace.layers` holds.

    Gradients are of the mean cost, and None in a trace that goes forward only. `z`, `a`, `w`, `b`, `dz`, `da`, `dw` and `db`
    are summaries; `index` counts from 0, as Python does, and `name` from 1, as people do.
    """

    name: str  # "hidden 1", ..., "output"
    index: int  # position from 0: `trace.layers[index]` is this layer, and `net.weights[index]` its weights
    is_output: bool
    activation: str
    n_in: int
    n_out: int
    z: Summary
    a: Summary
    w: Summary
    b: Summary | None  # None where layers have no biases
    dz: Summary | None
    da: Summary | None
    dw: Summary | None
    db: Summary | None
    n_var_w: float  # n_in * E[w^2]: n_in * Var(w) for a law of mean 0
    saturated: float | None  # fraction of the activations; None where the activation has no bound on either side
    dead: float  # fraction of the units that are 0 for every input
    copies: int  # units whose weights and bias are those of another unit, bit for bit
    twins: int  # those whose gradients are the same too: they will stay alike
    effective_rank: float | None  # tr(G)^2 / ||G||_F^2 of the Gram matrix of the inputs' activations; None under "moments"
    cosine: float | None  # mean cosine between the activations of two inputs
    forward_ratio: float | None  # rms of a over that of the hidden layer before; None in hidden 1 and the output
    backward_ratio: float | None  # rms of da over that of the hidden layer after; None in the last hidden and the output
    units: Mapping[str, Summaries] | None  # with per_unit=True: of each unit, its z, a, w, dz, da, dw
    expectation: Expectation = field(repr=False, compare=False)
    gradient_scale: float | None = field(default=None, repr=False, compare=False)  # rms of the output's da

    @property
    def expected(self) -> ExpectedLayer | None:
        """What `theory.expected_trace` expects of this layer; None where weights are not finite."""
        layers = self.expectation.layers
        if layers is None:
            return None
        return layers[self.index]

    @property
    def expected_std(self) -> float:
        """Of a, from the batch's own E[x^2] and this network's own n_var_w; NaN where theory has no answer."""
        return math.nan if self.expected is None else self.expected.a_std

    @property
    def expected_da(self) -> float | None:
        """Rms of da, from that of the output's and from this network's own scales; None in a trace that goes forward only."""
        if self.gradient_scale is None:
            return None
        return math.nan if self.expected is None else self.expected.da_rms * self.gradient_scale

    @property
    def expected_backward_ratio(self) -> float | None:
        """Of the rms of da; None in the last hidden layer and the output."""
        return math.nan if self.expected is None else self.expected.backward_ratio

    @property
    def expected_dead(self) -> float | None:
        """Fraction of ReLU units that no input of such a batch reaches, at this depth; None for other activations."""
        if self.activation != "relu" or self.expected is None or math.isnan(self.expected.z_cosine):
            return None
        return dead_fraction(min(self.expected.z_cosine, 1.0), self.expectation.batch)

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers and strings; of each summary its moments, bounds and counts."""
        out: dict[str, Any] = {}
        for key, value in self.__dict__.items():
            if key in SUMMARIES:
                out[key] = None if value is None else plain(value)
            elif key == "units":
                if value is not None:
                    out[key] = {name: {f: getattr(one, f).tolist() for f in _FIELDS} for name, one in value.items()}
            elif key not in ("expectation", "gradient_scale"):
                out[key] = value
        for key in ("expected_std", "expected_da", "expected_backward_ratio", "expected_dead"):
            out[key] = getattr(self, key)
        return out


def plain(summary: Summary) -> dict[str, int | float]:
    """Return the moments, bounds and counts of a summary as plain numbers."""
    values = {f: getattr(summary, f) for f in _FIELDS}
    return {f: int(v) if isinstance(v, int | np.integer) else float(v) for f, v in values.items()}


@dataclass(frozen=True)
class Trace(Result):
    """What `trace` returns; print it for a table of at most 100 columns.

    Attributes
    ----------
    layers : tuple of LayerTrace
        Hidden layers, then the output layer; `hidden` and `output` name the parts.
    x : Summary
        The batch itself, as the network sees it.
    neighbours : float or None
        Median correlation, over the batch, of neighbouring inputs that both vary; None under ``stats="moments"``.
    cost : float or None
        The mean cost of the batch; None without `y`.
    uninformed_cost : float or None
        The cost of a network that favours no class: ln(classes). None for costs that have no such value.
    """

    _kind = "trace"
    _json = "layers"  # "trace" is the file of `fanin trace --json`, which has settings and a diagnosis besides

    layers: tuple[LayerTrace, ...]
    x: Summary
    neighbours: float | None
    batch: int
    loss_name: str
    cost: float | None
    uninformed_cost: float | None

    @property
    def hidden(self) -> tuple[LayerTrace, ...]:
        """The hidden layers."""
        return self.layers[:-1]

    @property
    def output(self) -> LayerTrace:
        """The output layer."""
        return self.layers[-1]

    @property
    def forward_scales(self) -> list[float]:
        """What the trend of the activations is judged by: the rms of a, from the first hidden layer to the last."""
        return [float(layer.a.rms) for layer in self.hidden]

    @property
    def backward_scales(self) -> list[float]:
        """What the trend of the gradients is judged by: the rms of da, from the last hidden layer to the first."""
        return [float(layer.da.rms) for layer in reversed(self.hidden) if layer.da is not None]

    @property
    def gradient_tolerance(self) -> float:
        """The power to which the limits of that trend are raised."""
        return 1.0

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the histograms as plain numbers, strings, lists and dictionaries."""
        return {
            "batch": self.batch,
            "loss": self.loss_name,
            "cost": self.cost,
            "uninformed_cost": self.uninformed_cost,
            "x": plain(self.x),
            "neighbours": self.neighbours,
            "layers": [layer.to_dict() for layer in self.layers],
        }

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a dictionary for each layer, its keys those of `LayerTrace.to_dict`: ``a.std`` is the std of a.

        What was not measured is None.
        """
        return trace_table.flat([layer.to_dict() for layer in self.layers], SUMMARIES, _FIELDS)

    def to_html(self, path: str | os.PathLike[str], *, title: str = "What becomes of the signal?") -> None:
        """Write a page for the browser: the diagnosis, every layer's scales and histogram beside what theory expects.

        The page is one file and makes no network requests.

        Parameters
        ----------
        path : path
            Ends with .html; overwritten if it exists.
        title : str
            The heading.

        Raises
        ------
        ValueError
            If the ending is another, or the page would be larger than 6 MB.
        OSError
            If there is no such folder, or the path may not be written.
        ModuleNotFoundError
            If Bokeh is missing; the extra ``fanin[report]`` installs it.
        """
        self._page(path, title)

    def __str__(self) -> str:
        return trace_table.text(self)
