"""fanin's names of PyTorch's activations: of modules, and of the functions behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn
from torch.nn import functional


class Sin(nn.Module):  # type: ignore[misc]
    """The sine of each element, fanin's ``"sin"`` (Sitzmann et al. 2020); PyTorch has no module for it."""

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """Return sin(z)."""
        return torch.sin(z)


_PLAIN: dict[type[nn.Module], str] = {
    nn.ReLU: "relu",
    nn.ReLU6: "relu6",
    nn.SELU: "selu",
    nn.SiLU: "silu",
    nn.Mish: "mish",
    nn.Softsign: "softsign",
    nn.Tanh: "tanh",
    nn.Sigmoid: "sigmoid",
    nn.Hardswish: "hardswish",
    Sin: "sin",
}
_BY_NAME = {  # classes of other libraries, by their names
    "GELUActivation": "gelu",
    "NewGELUActivation": "gelu_tanh",
    "PytorchGELUTanh": "gelu_tanh",
    "FastGELUActivation": "gelu_tanh",
    "GELUTanh": "gelu_tanh",
    "SiLUActivation": "silu",
    "Swish": "silu",
    "ClippedGELUActivation": "gelu",
}


def activation_of(module: nn.Module) -> str | None:
    """Return fanin's name of an activation module, as ``"leaky_relu(0.2)"``; None for every other module."""
    for kind, name in _PLAIN.items():
        if isinstance(module, kind):
            return name
    if isinstance(module, nn.LeakyReLU):
        return f"leaky_relu({module.negative_slope!r})"
    if isinstance(module, nn.ELU):
        return f"elu({module.alpha!r})" if module.alpha > 0 else None
    if isinstance(module, nn.GELU):
        return "gelu" if module.approximate == "none" else "gelu_tanh"
    if isinstance(module, nn.Hardtanh):
        return "hardtanh" if (module.min_val, module.max_val) == (-1, 1) else None
    if isinstance(module, nn.Softplus):
        return "softplus" if module.beta == 1 else None
    return _BY_NAME.get(type(module).__name__)


_CALLS: dict[Any, str] = {
    f: name
    for name, functions in {
        "relu": (torch.relu, torch.relu_, torch.Tensor.relu, torch.Tensor.relu_, functional.relu),
        "tanh": (torch.tanh, torch.tanh_, torch.Tensor.tanh, torch.Tensor.tanh_, functional.tanh),
        "sigmoid": (torch.sigmoid, torch.sigmoid_, torch.Tensor.sigmoid, torch.Tensor.sigmoid_, functional.sigmoid),
        "relu6": (functional.relu6,),
        "sin": (torch.sin, torch.sin_, torch.Tensor.sin, torch.Tensor.sin_),
        "selu": (torch.selu, torch.selu_, functional.selu),
        "silu": (functional.silu,),
        "mish": (functional.mish,),
        "softsign": (functional.softsign,),
        "hardswish": (functional.hardswish,),
    }.items()
    for f in functions
}


def activation_of_call(function: Callable[..., Any], arguments: tuple[Any, ...], named: Mapping[str, Any]) -> str | None:
    """Return fanin's name of the activation that a call of a PyTorch function computes; None for every other function."""
    known = _CALLS.get(function)
    if known is not None:
        return known
    if function in _WITH_PARAMETER:
        return _WITH_PARAMETER[function](arguments[1:], named)
    return None


def _argument(arguments: tuple[Any, ...], named: Mapping[str, Any], place: int, name: str, default: Any) -> Any:
    return arguments[place] if len(arguments) > place else named.get(name, default)


def _leaky(arguments: tuple[Any, ...], named: Mapping[str, Any]) -> str:
    return f"leaky_relu({float(_argument(arguments, named, 0, 'negative_slope', 0.01))!r})"


def _elu(arguments: tuple[Any, ...], named: Mapping[str, Any]) -> str | None:
    alpha = float(_argument(arguments, named, 0, "alpha", 1.0))
    return f"elu({alpha!r})" if alpha > 0 else None


def _gelu(arguments: tuple[Any, ...], named: Mapping[str, Any]) -> str:
    return "gelu" if _argument(arguments, named, 0, "approximate", "none") == "none" else "gelu_tanh"


def _hardtanh(arguments: tuple[Any, ...], named: Mapping[str, Any]) -> str | None:
    low = _argument(arguments, named, 0, "min_val", -1.0)
    high = _argument(arguments, named, 1, "max_val", 1.0)
    return "hardtanh" if (low, high) == (-1, 1) else "relu6" if (low, high) == (0, 6) else None


def _softplus(arguments: tuple[Any, ...], named: Mapping[str, Any]) -> str | None:
    return "softplus" if _argument(arguments, named, 0, "beta", 1) == 1 else None


_WITH_PARAMETER: dict[Any, Callable[[tuple[Any, ...], Mapping[str, Any]], str | None]] = {
    functional.leaky_relu: _leaky,
    functional.elu: _elu,
    functional.gelu: _gelu,
    functional.hardtanh: _hardtanh,
    functional.softplus: _softplus,
}
