"""Activations and their derivatives into an existing array."""

from __future__ import annotations

import numpy as np
import pytest

import fanin as fi
from fanin.verify import reference

N = 1 << 16


NAMES = [name for name in fi.activation.names() if name != "identity"]


def in_torch(torch, name, tensor):
    """Call PyTorch's function of the same meaning; where it has one, into an existing array."""
    functional = torch.nn.functional
    into = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "sin": torch.sin}
    into["relu"] = lambda t, out: torch.clamp_min(t, 0, out=out)
    result = torch.empty_like(tensor)

    def run():
        with torch.inference_mode():
            if name in into:
                return into[name](tensor, out=result)
            if name == "gelu_tanh":
                return functional.gelu(tensor, approximate="tanh")
            return getattr(functional, name)(tensor)

    return run


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def bench_value(race, torch, name, dtype):
    # No further left than the others' GELU, 1 + erf, keeps its digits.
    z = np.clip(3 * reference.standard_normal(N, 1, 2, dtype=dtype), -3, 3)
    out = np.empty_like(z)
    few = ("relu", "tanh", "sigmoid", "softsign", "hardtanh")  # a few ULP each; 1 + erf(-2.1) takes 8 bits off
    race(
        f"{name} {dtype} 2^16",
        fanin=lambda: fi.activation.evaluate(name, z, out=out),
        numpy=lambda: reference.ACTIVATIONS[name][0](z),
        torch=in_torch(torch, name, torch.from_numpy(z)) if torch else None,
        rtol=(8 if name in few else 400) * np.finfo(dtype).eps if (name, dtype) != ("gelu", "float32") else 1e-3,
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid", "softplus", "elu"])
def bench_derivative(race, name, dtype):
    # PyTorch has no derivative from z: it takes the value, of which 1 - a^2 is 0 where the gradient is not.
    z = 3 * reference.standard_normal(N, 1, 2, dtype=dtype)
    out = np.empty_like(z)
    race(
        f"{name}' {dtype} 2^16",
        fanin=lambda: fi.activation.derivative(name, z, out=out),
        numpy=lambda: reference.ACTIVATIONS[name][1](z),
        # exp(-2 |z|) of an argument rounded once: |z| up to 14 multiplies half an ULP by 28.
        rtol=40 * np.finfo(dtype).eps,
    )
