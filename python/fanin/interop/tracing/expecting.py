"""What theory expects of a model, where the record of its sites shows how it is built: plain stacks and residual streams."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fanin.interop.tracing.site import Site
from fanin.stats import Summary
from fanin.theory import ExpectedLayer
from fanin.theory.expected import LayerScale
from fanin.theory.streams import BATCH, Node, Read, expect_streams
from fanin.tracing.expectation import Expectation, layer_scale

_KINDS: dict[str, Literal["dense", "norm", "sum"]] = {  # each library's own words
    "Linear": "dense",
    "Dense": "dense",
    "LayerNorm": "norm",  # over the units of a row, as all of these
    "LayerNormalization": "norm",
    "RMSNorm": "norm",
    "RMSNormalization": "norm",
    "sum": "sum",
}


class Unexpected:
    """What stands for an `Expectation` where theory does not follow the module."""

    layers = None

    def __init__(self, batch: int) -> None:
        self.batch = batch


class StreamExpectation:
    """What theory expects of sites that sums and norms connect; computed when it is first asked for."""

    def __init__(self, x: NDArray[np.floating], nodes: Sequence[Node], norms: dict[int, int]) -> None:
        self._squares = np.einsum("ij,ij->i", x, x, dtype=np.float64) / x.shape[1]
        self._nodes, self._norms = tuple(nodes), norms
        self.batch = len(x)

    @cached_property
    def layers(self) -> tuple[ExpectedLayer, ...] | None:
        """The sites' expectations; None where a scale is not finite, or so far out that no integral converges."""
        if not all(math.isfinite(node.scale.n_var_w) and math.isfinite(node.scale.var_b) for node in self._nodes):
            return None
        try:
            with np.errstate(all="ignore"):
                found = expect_streams(self._squares, self._nodes)
        except (ValueError, OverflowError):
            return None
        return tuple(
            _with_norm(own, found[self._norms[place]]) if place in self._norms else own for place, own in enumerate(found)
        )


def _with_norm(own: ExpectedLayer, norm: ExpectedLayer) -> ExpectedLayer:
    """Return a layer whose line shows what the norm after it makes of its output."""
    back = own.backward_ratio
    return replace(
        own,
        activation=norm.activation,
        z_std=norm.z_std,
        a_mean=norm.a_mean,
        a_rms=norm.a_rms,
        a_std=norm.a_std,
        da_rms=norm.da_rms,
        backward_ratio=back * norm.da_rms / own.da_rms if back is not None and own.da_rms > 0 else back,
    )


AnyExpectation: TypeAlias = Expectation | StreamExpectation | Unexpected


def expectation_of(sites: Sequence[Site], data: NDArray[Any] | None, weights: Mapping[int, Summary]) -> AnyExpectation:
    """Return what theory expects of a batch of rows, or `Unexpected`; `weights` are of the parameters, by their ids."""
    rows = 1 if data is None or not data.ndim else data.shape[0]
    if data is None or data.ndim != 2 or not rows or data.shape[1] != sites[0].n_in or not np.isfinite(data).all():
        return Unexpected(rows)
    scales = [_scale(site, weights) for site in sites]
    plain = all(
        _KINDS.get(site.kind) == "dense"
        and site.weight is not None
        and [t.site for t in site.before] == sites[max(i - 1, 0) : i]
        for i, site in enumerate(sites)
    )
    if plain:
        return Expectation(data, scales)
    nodes = _nodes(sites, scales)
    if nodes is None:
        return Unexpected(rows)
    return StreamExpectation(data, nodes, {sites.index(s): sites.index(s.norm) for s in sites if s.norm is not None})


def _nodes(sites: Sequence[Site], scales: Sequence[LayerScale]) -> list[Node] | None:
    """Return the sites as theory's nodes; None where one is not understood, or has weights that another one has too."""
    weights = [id(site.weight) for site in sites if site.judged]
    if len(set(weights)) < len(weights):
        return None
    nodes = []
    for place, (site, scale) in enumerate(zip(sites, scales, strict=True)):
        kind = _KINDS.get(site.kind)
        # Only the first layer takes the batch; of other sites without a source nobody saw where it came from.
        wanted = 2 if kind == "sum" else 1
        if kind is None or (len(site.before) != wanted and (place, kind) != (0, "dense")):
            return None
        reads = tuple(Read(sites.index(one.site), one.activated) for one in site.before) or (Read(BATCH, False),)
        nodes.append(Node(site.name, kind, reads, scale))
    return nodes


def _scale(site: Site, weights: Mapping[int, Summary]) -> LayerScale:
    """Return the mean squares of a site's weights, of a norm's scale and shift."""
    if site.weight is None:  # a sum, or a norm that only normalizes
        return LayerScale(site.activation, site.n_in, site.n_out, 1.0, 0.0)
    w, b = weights[id(site.weight)], None if site.bias is None else weights[id(site.bias)]
    size = (1 if site.normalizes else site.n_in) * float(w.rms) ** 2
    return layer_scale(site.activation, site.n_in, site.n_out, size, w, b)
