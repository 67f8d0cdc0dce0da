"""What theory expects of a module, where the record of its sites shows how it is built: plain stacks and residual streams."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from fanin.interop.torch.tracing.sites import Site, array, moments
from fanin.theory import ExpectedLayer
from fanin.theory.expected import LayerScale
from fanin.theory.streams import BATCH, Node, Read, expect_streams
from fanin.tracing.expectation import Expectation, layer_scale

_NORMS = ("LayerNorm", "RMSNorm")  # over the units of a row
_KINDS: dict[str, Literal["dense", "sum"]] = {"Linear": "dense", "sum": "sum"}


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


def expectation_of(sites: list[Site], data: Tensor | None) -> AnyExpectation:
    """Return what theory expects of a batch of rows, or `Unexpected`."""
    rows = 1 if data is None or not data.dim() else data.shape[0]
    if data is None or data.dim() != 2 or not data.is_floating_point() or not rows:
        return Unexpected(rows)
    values = array(data)
    if values.shape[1] != sites[0].n_in or not np.isfinite(values).all():
        return Unexpected(rows)
    plain = all(
        site.kind == "Linear" and site.weight is not None and [one.site for one in site.before] == sites[max(i - 1, 0) : i]
        for i, site in enumerate(sites)
    )
    if plain:
        return Expectation(values, [_scale(site) for site in sites])
    nodes = _nodes(sites)
    if nodes is None:
        return Unexpected(rows)
    return StreamExpectation(values, nodes, {sites.index(s): sites.index(s.norm) for s in sites if s.norm is not None})


def _nodes(sites: list[Site]) -> list[Node] | None:
    """Return the sites as theory's nodes; None where one is not understood, or has weights that another one has too."""
    weights = [id(site.weight) for site in sites if site.judged]
    if len(set(weights)) < len(weights):
        return None
    nodes = []
    for place, site in enumerate(sites):
        known = site.kind in _KINDS or site.kind in _NORMS
        # Only the first layer takes the batch; of other sites without a source nobody saw where it came from.
        wanted = 2 if site.kind == "sum" else 1
        if not known or (len(site.before) != wanted and (place, site.kind) != (0, "Linear")):
            return None
        reads = tuple(Read(sites.index(one.site), one.activated) for one in site.before) or (Read(BATCH, False),)
        nodes.append(Node(site.name, _KINDS.get(site.kind, "norm"), reads, _scale(site)))
    return nodes


def _scale(site: Site) -> LayerScale:
    """Return the mean squares of a site's weights, of a norm's scale and shift."""
    if site.weight is None:  # a sum, or a norm that only normalizes
        return LayerScale(site.activation, site.n_in, site.n_out, 1.0, 0.0)
    w = moments(site.weight)
    b = None if site.bias is None else moments(site.bias)
    size = (1 if site.normalizes else site.n_in) * float(w.rms) ** 2
    return layer_scale(site.activation, site.n_in, site.n_out, size, w, b)
