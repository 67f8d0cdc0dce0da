"""The places of a module that a trace has a line for: weight layers, norms, sums of a residual stream."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fanin import _core
from fanin.activation import traits
from fanin.interop.torch.rules import is_norm
from fanin.stats import Summary, summary_options
from fanin.tracing import likeness

_BINS = 64
_ROWS, _COLUMNS = 32, 256  # of a representation, so many rows and columns are compared, evenly spaced
_CONVS = (nn.modules.conv._ConvNd,)
_RECURRENT = (nn.RNNBase, nn.RNNCellBase)
_options = lru_cache(maxsize=256)(summary_options)


def array(tensor: Tensor) -> NDArray[Any]:
    """Return a tensor's values as an array that the kernels take: its own memory, or a float32 copy."""
    own = tensor.detach()
    if own.dtype not in (torch.float32, torch.float64):
        own = own.float()
    return own.cpu().numpy()  # type: ignore[no-any-return]


def moments(tensor: Tensor, activation: str = "identity") -> Summary:
    """Return counts, mean, variance and extremes; and how much is saturated, of an activation that can be."""
    return _core.summarize(array(tensor), _options(bins=None, moments="two", saturation=traits(activation).limits))


def drawn(tensor: Tensor, activation: str, found: Summary | None = None) -> Summary:
    """Return moments and a histogram, as `fanin.trace` takes of activations: over their bounds, else over their own range.

    `found` are the moments, where they are known.
    """
    values, limits = array(tensor), traits(activation).limits
    known = traits(activation).value_range
    if known is None:
        found = moments(tensor, activation) if found is None else found
        known = float(found.min), float(found.max)
        if not known[0] < known[1] or not math.isfinite(known[1] - known[0]):
            return found
    try:
        return _core.summarize(values, summary_options(bins=_BINS, range=known, moments="two", saturation=limits))
    except ValueError:  # values a few ulp apart have no 64 bins
        return moments(tensor, activation)


class Taken(NamedTuple):
    """What a site takes in: what leaves another one, before or after that one's activation."""

    site: Site
    activated: bool


@dataclass(eq=False)
class Site:
    """One place, and what has been measured there so far."""

    name: str
    kind: str  # "Linear", "Conv2d", "BatchNorm2d", ..., "sum"
    n_in: int
    n_out: int
    unit_axis: int  # of its output, the axis that counts units
    weight: nn.Parameter | None = None
    bias: nn.Parameter | None = None
    fan_in: int = 1
    judged: bool = False  # a weight layer, which the verdict looks at
    normalizes: bool = False
    activation: str = "identity"
    activated: bool = False
    z: Summary | None = None
    a: Summary | None = None
    dz: Summary | None = None
    da: Summary | None = None
    dead: float = 0.0
    effective_rank: float | None = None
    cosine: float | None = None
    before: tuple[Taken, ...] = ()  # what came in, where that is known; of a sum both streams
    norm: Site | None = None  # that follows a weight layer at once
    _leaves: int = 0

    def take_z(self, z: Tensor) -> None:
        """Measure the output, and have its gradient measured."""
        self.z = self.a = moments(z)
        if z.requires_grad:
            z.register_hook(self._take_dz)

    def take_a(self, a: Tensor, activation: str, summary: Summary, dead: float) -> None:
        """Take what an activation makes of the output, and have its gradient measured."""
        self.activated, self.activation, self.a, self.dead = True, activation, summary, dead
        self._watch(a)

    def share_a(self, a: Tensor, norm: Site) -> None:
        """Take a norm's output, already measured, as what leaves this layer, and as what its activation will see."""
        self.norm, self.a = norm, norm.a
        self._watch(a)

    def _watch(self, a: Tensor) -> None:
        """Measure the gradient of what leaves the layer, as it is known so far: a later tensor takes its place."""
        self._leaves += 1
        own = self._leaves

        def take(gradient: Tensor) -> None:
            if own == self._leaves:
                self.da = moments(gradient)

        if a.requires_grad:
            a.register_hook(take)

    def _take_dz(self, gradient: Tensor) -> None:
        self.dz = moments(gradient)
        if not self._leaves:
            self.da = self.dz

    def compare(self, a: Tensor) -> None:
        """Measure how many directions the rows of a batch use, and how alike they are."""
        if a.dim() < 2 or not a.numel() or self.a is None:
            return
        own = a.detach()
        rows = own.flatten(0, 1) if own.dim() == 3 and self.unit_axis == -1 and own.is_contiguous() else own
        rows = rows[:: max(1, -(-rows.shape[0] // _ROWS))].flatten(1)
        rows = rows[:, :: max(1, -(-rows.shape[1] // _COLUMNS))]
        top = math.nan if self.a.nans or self.a.infs else max(abs(float(self.a.min)), abs(float(self.a.max)))
        self.effective_rank, self.cosine = likeness.similarity(np.ascontiguousarray(array(rows)), top)


def dead(a: Tensor, unit_axis: int, activation: str, summary: Summary) -> float:
    """Return the fraction of the units that are 0 everywhere."""
    if not a.dim() or not a.numel():
        return 0.0
    units = a.shape[unit_axis]
    if summary.zeros < a.numel() // units:
        return 0.0
    others = tuple(i for i in range(a.dim()) if i != unit_axis % a.dim())
    own = a.detach()
    top = own.amax(others) if activation in ("relu", "relu6") else own.abs().amax(others)
    return float((top == 0).float().mean())


def site_of(name: str, module: nn.Module) -> Site | None:
    """Return the place of a module that has one; None for containers, activations and the like."""
    weight = _parameter(module, "weight")
    bias = _parameter(module, "bias")
    kind = type(module).__name__
    if is_norm(module) and not any(True for _ in module.children()):
        size = 0 if weight is None else weight.numel()
        axis = 1 if isinstance(module, nn.modules.batchnorm._NormBase | nn.GroupNorm) else -1
        return Site(name, kind, size, size, axis, weight, bias, normalizes=True)
    if isinstance(module, _CONVS) and weight is not None:
        transposed = isinstance(module, nn.modules.conv._ConvTransposeNd)
        fan = weight.shape[0] * weight[0, 0].numel() // module.groups if transposed else weight[0].numel()
        axis = -1 - len(module.kernel_size)
        return Site(name, kind, module.in_channels, module.out_channels, axis, weight, bias, fan, True)
    if isinstance(module, nn.Embedding | nn.EmbeddingBag):
        return Site(name, kind, module.num_embeddings, module.embedding_dim, -1, weight, None, 1)
    if isinstance(module, _RECURRENT):
        recurrent, plain = _parameter(module, "weight_hh_l0"), isinstance(module, nn.RNNBase)
        own = recurrent if plain else _parameter(module, "weight_hh")
        of_bias = _parameter(module, "bias_hh_l0" if plain else "bias_hh")
        return Site(name, kind, module.input_size, module.hidden_size, -1, own, of_bias, module.hidden_size, True)
    if isinstance(module, nn.MultiheadAttention):
        own, of_bias = module.out_proj.weight, module.out_proj.bias
        return Site(f"{name}.out_proj", kind, module.embed_dim, module.embed_dim, -1, own, of_bias, module.embed_dim, True)
    if weight is None or weight.dim() < 2 or any(True for _ in module.children()):
        return None
    if kind == "Conv1D":  # of transformers: a transposed Linear
        return Site(name, kind, weight.shape[0], weight.shape[1], -1, weight, bias, weight.shape[0], True)
    if isinstance(module, nn.Bilinear):
        return Site(name, kind, weight.shape[1], weight.shape[0], -1, weight, bias, weight[0].numel(), True)
    return Site(name, kind, weight.shape[1], weight.shape[0], -1, weight, bias, weight[0].numel(), True)


def projection_site(name: str, module: nn.MultiheadAttention) -> Site:
    """Return the place of the projections into an attention: queries, keys and values together."""
    weight = module.in_proj_weight if module.in_proj_weight is not None else module.q_proj_weight
    kind = "in_proj" if module.in_proj_weight is not None else "q_proj"
    width = weight.shape[1]
    return Site(f"{name}.{kind}", type(module).__name__, width, weight.shape[0], -1, weight, module.in_proj_bias, width)


def _parameter(module: nn.Module, name: str) -> Any:
    """Return a weight or bias, of a parametrized module too (weight_norm)."""
    found = getattr(module, name, None)
    return found if isinstance(found, Tensor) else None
