"""The places of a module that a trace has a line for: weight layers, norms, sums of a residual stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fanin.interop.torch.rules import is_norm
from fanin.interop.tracing import site
from fanin.interop.tracing.site import COLUMNS, ROWS
from fanin.stats import Summary

_CONVS = (nn.modules.conv._ConvNd,)
_RECURRENT = (nn.RNNBase, nn.RNNCellBase)


def array(tensor: Tensor) -> NDArray[Any]:
    """Return a tensor's values as an array that the kernels take: its own memory, or a float32 copy."""
    own = tensor.detach()
    if own.dtype not in (torch.float32, torch.float64):
        own = own.float()
    return own.cpu().numpy()  # type: ignore[no-any-return]


def moments(tensor: Tensor, activation: str = "identity") -> Summary:
    """Return the moments of a tensor's values."""
    return site.moments(array(tensor), activation)


def drawn(tensor: Tensor, activation: str, found: Summary | None = None) -> Summary:
    """Return the moments and the histogram of a tensor's values."""
    return site.drawn(array(tensor), activation, found)


@dataclass(eq=False)
class HookedSite(site.Site):
    """One place of a module: tensors' hooks measure gradients there."""

    weight: nn.Parameter | None = None
    bias: nn.Parameter | None = None
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

    def share_a(self, a: Tensor, norm: site.Site) -> None:
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

    def compare_rows(self, a: Tensor) -> None:
        """Compare the rows of what leaves the layer."""
        if a.dim() < 2 or not a.numel() or self.a is None:
            return
        own = a.detach()
        rows = own.flatten(0, 1) if own.dim() == 3 and self.unit_axis == -1 and own.is_contiguous() else own
        rows = rows[:: max(1, -(-rows.shape[0] // ROWS))].flatten(1)
        self.compare(array(rows[:, :: max(1, -(-rows.shape[1] // COLUMNS))]))


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


def site_of(name: str, module: nn.Module) -> HookedSite | None:
    """Return the place of a module that has one; None for containers, activations and the like."""
    weight = _parameter(module, "weight")
    bias = _parameter(module, "bias")
    kind = type(module).__name__
    if is_norm(module) and not any(True for _ in module.children()):
        size = 0 if weight is None else weight.numel()
        axis = 1 if isinstance(module, nn.modules.batchnorm._NormBase | nn.GroupNorm) else -1
        return HookedSite(name, kind, size, size, axis, weight, bias, normalizes=True)
    if isinstance(module, _CONVS) and weight is not None:
        transposed = isinstance(module, nn.modules.conv._ConvTransposeNd)
        fan = weight.shape[0] * weight[0, 0].numel() // module.groups if transposed else weight[0].numel()
        axis = -1 - len(module.kernel_size)
        return HookedSite(name, kind, module.in_channels, module.out_channels, axis, weight, bias, fan, True)
    if isinstance(module, nn.Embedding | nn.EmbeddingBag):
        return HookedSite(name, kind, module.num_embeddings, module.embedding_dim, -1, weight, None, 1)
    if isinstance(module, _RECURRENT):
        recurrent, plain = _parameter(module, "weight_hh_l0"), isinstance(module, nn.RNNBase)
        own = recurrent if plain else _parameter(module, "weight_hh")
        of_bias = _parameter(module, "bias_hh_l0" if plain else "bias_hh")
        return HookedSite(name, kind, module.input_size, module.hidden_size, -1, own, of_bias, module.hidden_size, True)
    if isinstance(module, nn.MultiheadAttention):
        own, of_bias = module.out_proj.weight, module.out_proj.bias
        return HookedSite(
            f"{name}.out_proj", kind, module.embed_dim, module.embed_dim, -1, own, of_bias, module.embed_dim, True
        )
    if weight is None or weight.dim() < 2 or any(True for _ in module.children()):
        return None
    if kind == "Conv1D":  # of transformers: a transposed Linear
        return HookedSite(name, kind, weight.shape[0], weight.shape[1], -1, weight, bias, weight.shape[0], True)
    if isinstance(module, nn.Bilinear):
        return HookedSite(name, kind, weight.shape[1], weight.shape[0], -1, weight, bias, weight[0].numel(), True)
    return HookedSite(name, kind, weight.shape[1], weight.shape[0], -1, weight, bias, weight[0].numel(), True)


def projection_site(name: str, module: nn.MultiheadAttention) -> HookedSite:
    """Return the place of the projections into an attention: queries, keys and values together."""
    weight = module.in_proj_weight if module.in_proj_weight is not None else module.q_proj_weight
    kind = "in_proj" if module.in_proj_weight is not None else "q_proj"
    width = weight.shape[1]
    return HookedSite(f"{name}.{kind}", type(module).__name__, width, weight.shape[0], -1, weight, module.in_proj_bias, width)


def _parameter(module: nn.Module, name: str) -> Any:
    """Return a weight or bias, of a parametrized module too (weight_norm)."""
    found = getattr(module, name, None)
    return found if isinstance(found, Tensor) else None
