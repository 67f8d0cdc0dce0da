"""`torch.nn.init` drawn by fanin: the names, arguments, defaults and semantics of PyTorch, the bits of fanin's laws.

Every function fills its tensor in place, outside autograd, raises the tensor's version and returns it. Without `seed` the draw
is keyed by 63 bits taken from `generator`, PyTorch's own where it is left out: ``torch.manual_seed`` still makes a program
repeat itself. With ``seed=`` and ``stream=`` (a name or a number) the values are those of `fanin.init`, element by element:
``xavier_normal_(t, seed=7, stream="w")`` has the bits of ``fanin.init.glorot_normal(shape, seed=7, stream="w")``.

Tensors may have any strides and lie on any device: what fanin cannot write in place (an accelerator's memory, float8) is drawn
in pieces and copied. A `DTensor` gets its own shard of the whole. On the meta device nothing happens, as in PyTorch.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any, Literal, SupportsIndex, TypeAlias

import torch
from torch import Tensor
from torch.nn.init import calculate_gain

from fanin.init import Law
from fanin.interop.torch.drawing import Key, draw

__all__ = [
    "calculate_gain",
    "constant",
    "constant_",
    "dirac",
    "dirac_",
    "eye",
    "eye_",
    "kaiming_normal",
    "kaiming_normal_",
    "kaiming_uniform",
    "kaiming_uniform_",
    "normal",
    "normal_",
    "ones_",
    "orthogonal",
    "orthogonal_",
    "sparse",
    "sparse_",
    "trunc_normal_",
    "uniform",
    "uniform_",
    "xavier_normal",
    "xavier_normal_",
    "xavier_uniform",
    "xavier_uniform_",
    "zeros_",
]

Seed: TypeAlias = SupportsIndex | None
Stream: TypeAlias = SupportsIndex | str | None
Generator: TypeAlias = "torch.Generator | None"  # in quotes: the documentation is built without PyTorch too
Mode: TypeAlias = Literal["fan_in", "fan_out"]


def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator = None, *, seed: Seed = None, stream: Stream = None
) -> Tensor:
    """Fill with U(a, b): as `torch.nn.init.uniform_`.

    Parameters
    ----------
    tensor : Tensor
        Of any shape; written in place.
    a, b : float
        a <= b; equal ones make a constant. ValueError where a > b.
    generator : torch.Generator, optional
        Where the key of the draw comes from, without `seed`.
    seed, stream : optional
        Both or neither: the key of the draw, as of every law of `fanin.init`.
    """
    if a == b:
        return constant_(tensor, a)
    return draw(tensor, Law("uniform", low=a, high=b), Key(generator, seed, stream))


def normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    generator: Generator = None,
    *,
    seed: Seed = None,
    stream: Stream = None,
) -> Tensor:
    """Fill with N(mean, std^2): as `torch.nn.init.normal_`; ValueError where std < 0."""
    return draw(tensor, Law("normal", mean=mean, std=std), Key(generator, seed, stream))


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator = None,
    *,
    seed: Seed = None,
    stream: Stream = None,
) -> Tensor:
    """Fill with N(mean, std^2) cut to [a, b], which are values, not sigmas: as `torch.nn.init.trunc_normal_`.

    The law is exact wherever [a, b] lies, far out in a tail too: PyTorch's warning about that has no place here. ValueError
    where std <= 0 or a >= b.
    """
    if not std > 0:
        raise ValueError(f"std must be above 0, got {std}")
    law = Law("truncated_normal", mean=mean, std=std, lower=(a - mean) / std, upper=(b - mean) / std)
    draw(tensor, law, Key(generator, seed, stream))
    low, high = law.bounds
    if (low < a or high > b) and not tensor.is_meta:  # by the rounding of sigmas
        with torch.no_grad():
            tensor.clamp_(a, b)
    return tensor


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one value: as `torch.nn.init.constant_`."""
    with torch.no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with 1: as `torch.nn.init.ones_`."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with 0: as `torch.nn.init.zeros_`."""
    return constant_(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with the identity, which may be rectangular: as `torch.nn.init.eye_`; ValueError for other ranks."""
    if tensor.ndimension() != 2:
        raise ValueError(f"tensor must have 2 dimensions, got {tensor.ndimension()}")
    return draw(tensor, Law("identity"), Key(None, 0, 0))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill a convolution's weight so that it hands its inputs on, in each group: as `torch.nn.init.dirac_`.

    ValueError where the tensor has not 3, 4 or 5 dimensions, or its first is not divisible by `groups`.
    """
    if tensor.ndimension() not in (3, 4, 5):
        raise ValueError(f"tensor must have 3, 4 or 5 dimensions, got {tensor.ndimension()}")
    if tensor.size(0) % groups:
        raise ValueError(f"the first dimension of tensor must be divisible by groups, got {tensor.size(0)} and groups={groups}")
    if tensor.is_meta or not tensor.numel():
        return tensor
    outputs, (inputs, *kernel) = tensor.size(0) // groups, tensor.shape[1:]
    own = torch.arange(min(outputs, inputs), device=tensor.device)
    centre = tuple(n // 2 for n in kernel)
    with torch.no_grad():
        tensor.zero_()
        for group in range(groups):
            at = (group * outputs + own, own, *centre)
            tensor[at] = 1
    return tensor


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: Generator = None, *, seed: Seed = None, stream: Stream = None
) -> Tensor:
    """Fill with the uniform law of Glorot and Bengio (2010): as `torch.nn.init.xavier_uniform_`.

    U(-b, b), b = gain sqrt(6 / (fan_in + fan_out)): `fanin.init.glorot_uniform`. ValueError below 2 dimensions.
    """
    _fans(tensor)
    return draw(tensor, Law("glorot_uniform", gain=gain), Key(generator, seed, stream))


def xavier_normal_(
    tensor: Tensor, gain: float = 1.0, generator: Generator = None, *, seed: Seed = None, stream: Stream = None
) -> Tensor:
    """Fill with the normal law of Glorot and Bengio (2010): as `torch.nn.init.xavier_normal_`.

    Variance gain^2 2 / (fan_in + fan_out): `fanin.init.glorot_normal`. ValueError below 2 dimensions.
    """
    _fans(tensor)
    return draw(tensor, Law("glorot_normal", gain=gain), Key(generator, seed, stream))


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: Mode = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator = None,
    *,
    seed: Seed = None,
    stream: Stream = None,
) -> Tensor:
    """Fill with the uniform law of He et al. (2015): as `torch.nn.init.kaiming_uniform_`.

    U(-b, b), b = gain sqrt(3 / fan), gain that of `calculate_gain`, fan that of `mode`. With ``a=5 ** 0.5`` this is the default
    of `torch.nn.Linear`. ValueError below 2 dimensions, and for an unknown mode or nonlinearity.
    """
    return _kaiming(tensor, "xavier_uniform", a, mode, nonlinearity, Key(generator, seed, stream))


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: Mode = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator = None,
    *,
    seed: Seed = None,
    stream: Stream = None,
) -> Tensor:
    """Fill with the normal law of He et al. (2015), of variance gain^2 / fan: as `torch.nn.init.kaiming_normal_`.

    Gain, fan and errors as in `kaiming_uniform_`.
    """
    return _kaiming(tensor, "xavier_normal", a, mode, nonlinearity, Key(generator, seed, stream))


def orthogonal_(
    tensor: Tensor, gain: float = 1, generator: Generator = None, *, seed: Seed = None, stream: Stream = None
) -> Tensor:
    """Fill with an orthogonal matrix, trailing dimensions taken as one (Saxe et al. 2013): as `torch.nn.init.orthogonal_`.

    ValueError below 2 dimensions.
    """
    if tensor.ndimension() < 2:
        raise ValueError(f"tensor must have at least 2 dimensions, got {tensor.ndimension()}")
    if not tensor.numel():
        return tensor
    return draw(tensor, Law("orthogonal", gain=gain), Key(generator, seed, stream))


def sparse_(
    tensor: Tensor,
    sparsity: float,
    std: float = 0.01,
    generator: Generator = None,
    *,
    seed: Seed = None,
    stream: Stream = None,
) -> Tensor:
    """Fill a matrix with N(0, std^2) and exactly ceil(sparsity rows) zeros a column: as `torch.nn.init.sparse_`.

    Martens (2010). `generator` (or `seed`) chooses the places of the zeros too. ValueError for other ranks.
    """
    if tensor.ndimension() != 2:
        raise ValueError(f"tensor must have 2 dimensions, got {tensor.ndimension()}")
    return draw(tensor, Law("sparse", sparsity=sparsity, std=std), Key(generator, seed, stream))


def _kaiming(tensor: Tensor, law: str, a: float, mode: str, nonlinearity: str, key: Key) -> Tensor:
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
        return tensor
    mode = mode.lower()
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f'mode must be "fan_in" or "fan_out", got {mode!r}')
    _fans(tensor)
    gain = float(calculate_gain(nonlinearity, a))
    return draw(tensor, Law(law, gain=gain, mode=mode), key)


def _fans(tensor: Tensor) -> None:
    if tensor.dim() < 2:
        raise ValueError(f"tensor must have at least 2 dimensions to have fans, got {tensor.dim()}")


def _older(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return the function under PyTorch's older name, without the underscore; it warns, as PyTorch's does."""
    name = function.__name__.removesuffix("_")

    @wraps(function)
    def renamed(*arguments: Any, **named: Any) -> Tensor:
        warnings.warn(f"{name} is deprecated in favor of {name}_", FutureWarning, stacklevel=2)
        return function(*arguments, **named)

    renamed.__name__ = renamed.__qualname__ = name
    renamed.__doc__ = f"Do what `{name}_` does; deprecated, as in PyTorch."
    return renamed


uniform = _older(uniform_)
normal = _older(normal_)
constant = _older(constant_)
eye = _older(eye_)
dirac = _older(dirac_)
xavier_uniform = _older(xavier_uniform_)
xavier_normal = _older(xavier_normal_)
kaiming_uniform = _older(kaiming_uniform_)
kaiming_normal = _older(kaiming_normal_)
orthogonal = _older(orthogonal_)
sparse = _older(sparse_)
