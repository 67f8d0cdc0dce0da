"""The places of a module that a trace has a line for: weight layers, norms, sums of a residual stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fanin.interop.torch.rules import is_norm
from fanin.interop.tracing import site
from fanin.interop.tracing.site import COLUMNS, ROWS
from fanin.stats import Summary

_CONVS = (nn.modules.conv._ConvNd,)
_FEW = 32  # elements of a unit
_RECURRENT = (nn.RNNBase, nn.RNNCellBase)


_MEASURED = "_fanin_measured"  # the attribute of a gradient with its version and its moments


def array(tensor: Tensor) -> NDArray[Any]:
    """Return a tensor's values as an array that the kernels take: its own memory, or a float32 copy."""
    own = tensor if tensor.dtype in (torch.float32, torch.float64) else tensor.detach().float()
    return own.numpy(force=True)  # type: ignore[no-any-return]


def moments(tensor: Tensor) -> Summary:
    """Return the moments of a tensor's values."""
    return site.moments(array(tensor))


def moments_once(gradient: Tensor) -> Summary:
    """Return the moments of a gradient that several hooks may see: a sum hands one tensor on to all that it adds."""
    version, found = getattr(gradient, _MEASURED, (None, None))
    if found is None or version != gradient._version:
        found = moments(gradient)
        setattr(gradient, _MEASURED, (gradient._version, found))
    return found


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
                self.da = moments_once(gradient)

        if a.requires_grad:
            a.register_hook(take)

    def _take_dz(self, gradient: Tensor) -> None:
        self.dz = moments_once(gradient)
        if not self._leaves:
            self.da = self.dz

    def some_rows(self, a: NDArray[Any]) -> NDArray[Any] | None:
        """Return a copy of a few rows and columns of what leaves the layer, evenly spaced; None where it has no rows."""
        if a.ndim < 2 or not a.size:
            return None
        rows = a.reshape(-1, a.shape[-1]) if a.ndim == 3 and self.unit_axis == -1 and a.flags.c_contiguous else a
        rows = rows[:: max(1, -(-rows.shape[0] // ROWS))]
        rows = rows.reshape(rows.shape[0], -1)
        return np.array(rows[:, :: max(1, -(-rows.shape[1] // COLUMNS))], order="C")


def dead(a: NDArray[Any], unit_axis: int, summary: Summary) -> float:
    """Return the fraction of the units that are 0 everywhere."""
    if not a.ndim or not a.size:
        return 0.0
    axis = unit_axis % a.ndim
    units: int = a.shape[axis]
    if summary.zeros < a.size // units:
        return 0.0
    others = tuple(i for i in range(a.ndim) if i != axis)
    if axis:  # a few elements of each unit mostly tell that all live
        few = -(-_FEW * a.shape[0] * units // a.size)
        if (a[:few] != 0).any(axis=others).all():
            return 0.0
    zero = a.max(axis=others) == 0
    if not summary.min >= 0:
        zero &= a.min(axis=others) == 0
    return int(np.count_nonzero(zero)) / units


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
        fan = weight.shape[0] * weight.shape[2:].numel() // module.groups if transposed else weight.shape[1:].numel()
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
        return HookedSite(name, kind, weight.shape[1], weight.shape[0], -1, weight, bias, weight.shape[1:].numel(), True)
    return HookedSite(name, kind, weight.shape[1], weight.shape[0], -1, weight, bias, weight.shape[1:].numel(), True)


def projection_site(name: str, module: nn.MultiheadAttention) -> HookedSite:
    """Return the place of the projections into an attention: queries, keys and values together."""
    weight = module.in_proj_weight if module.in_proj_weight is not None else module.q_proj_weight
    kind = "in_proj" if module.in_proj_weight is not None else "q_proj"
    width = weight.shape[1]
    return HookedSite(f"{name}.{kind}", type(module).__name__, width, weight.shape[0], -1, weight, module.in_proj_bias, width)


def _parameter(module: nn.Module, name: str) -> Any:
    """Return a weight or bias, of a parametrized module too (weight_norm)."""
    found = module._parameters.get(name)
    if found is None:
        found = getattr(module, name, None)
    return found if isinstance(found, Tensor) else None
