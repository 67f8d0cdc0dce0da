"""Networks there and back: a Sequential of Linear layers and activations is a `fanin.Network`, and back."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from torch import nn

from fanin.interop.torch.activations import Sin, activation_of
from fanin.network.network import Network

_MODULES: dict[str, Callable[..., nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "gelu_tanh": lambda: nn.GELU(approximate="tanh"),
    "silu": nn.SiLU,
    "mish": nn.Mish,
    "softplus": nn.Softplus,
    "softsign": nn.Softsign,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "hardtanh": nn.Hardtanh,
    "relu6": nn.ReLU6,
    "hardswish": nn.Hardswish,
    "sin": Sin,
    "identity": nn.Identity,
}


def from_torch(module: nn.Sequential, *, loss: str = "cross_entropy") -> Network:
    """Return the `fanin.Network` of a Sequential: its sizes, activations, and copies of its weights.

    Parameters
    ----------
    module : Sequential
        Linear layers, each but the last before one activation that fanin knows; Flatten and Identity may stand anywhere, and
        Dropout, which fanin does not have, in eval mode. All layers have biases or none has; float32 or float64.
    loss : str
        The network's loss.

    Raises
    ------
    TypeError
        If `module` is no Sequential.
    ValueError
        For anything else in it, and where layers do not fit.
    """
    if not isinstance(module, nn.Sequential):
        raise TypeError(f"module must be a torch.nn.Sequential, got {type(module).__name__}")
    linear: list[nn.Linear] = []
    activations: list[str] = []
    for name, part in module.named_children():
        known = activation_of(part)
        if isinstance(part, nn.Linear):
            if len(linear) > len(activations):
                activations.append("identity")
            linear.append(part)
        elif known is not None and len(linear) == len(activations) + 1:
            activations.append(known)
        elif not isinstance(part, nn.Flatten | nn.Identity) and not (isinstance(part, nn.Dropout) and not part.training):
            raise ValueError(f"module must hold Linear layers and activations in turn, got {type(part).__name__} at {name!r}")
    if not linear or len(activations) != len(linear) - 1:
        raise ValueError(f"module must end with a Linear layer, got {len(linear)} and {len(activations)} activations")
    _check(linear)
    sizes = [linear[0].in_features, *(one.out_features for one in linear)]
    bias, dtype = linear[0].bias is not None, str(linear[0].weight.dtype).removeprefix("torch.")
    net = Network(sizes, activations or "relu", "zeros", loss, seed=0, dtype=dtype, bias=bias)
    for i, one in enumerate(linear):
        net.weights[i][...] = one.weight.detach().cpu().numpy()
        if one.bias is not None:
            net.biases[i][...] = one.bias.detach().cpu().numpy()
    return net


def _check(linear: list[nn.Linear]) -> None:
    kinds = {(one.weight.dtype, one.bias is not None) for one in linear}
    if len(kinds) > 1 or linear[0].weight.dtype not in (torch.float32, torch.float64):
        raise ValueError("module must have layers of one dtype, float32 or float64, all with biases or none")
    for before, after in pairwise(linear):
        if before.out_features != after.in_features:
            raise ValueError(f"layers must fit, got {before.out_features} outputs before {after.in_features} inputs")


def to_torch(net: Network) -> nn.Sequential:
    """Return a `torch.nn.Sequential` with a network's layers, and copies of its weights.

    Its names are those of `Network.save` for PyTorch: "0.weight", "0.bias", "2.weight", ... The loss is not part of it.

    Raises
    ------
    TypeError
        If `net` is no Network.
    ValueError
        If no module is known for one of its activations.
    """
    if not isinstance(net, Network):
        raise TypeError(f"net must be a fanin.Network, got {type(net).__name__}")
    parts: list[nn.Module] = []
    biases = net.biases or (None,) * len(net.weights)
    for i, (w, b, activation) in enumerate(zip(net.weights, biases, net.activations, strict=True)):
        layer = nn.Linear(w.shape[1], w.shape[0], bias=b is not None, dtype=torch.from_numpy(np.empty(0, w.dtype)).dtype)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(np.array(w)))
            if b is not None:
                layer.bias.copy_(torch.from_numpy(np.array(b)))
        parts.append(layer)
        if i + 1 < len(net.weights):
            parts.append(_activation(activation))
    return nn.Sequential(*parts)


def _activation(text: str) -> nn.Module:
    name, _, parameter = text.partition("(")
    make = _MODULES.get(name)
    if make is None:
        raise ValueError(f"activation must be one that has a PyTorch module here, got {name!r}: {', '.join(_MODULES)} have one")
    return make(float(parameter.rstrip(")").rpartition("=")[2])) if parameter else make()
