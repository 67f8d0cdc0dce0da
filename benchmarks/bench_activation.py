"""Activations and their derivatives into an existing array."""

from __future__ import annotations

import numpy as np
import pytest

import fanin as fi
from fanin import reference

N = 1 << 16


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid"])
def bench_value(race, torch, name, dtype):
    z = 3 * reference.standard_normal(N, 1, 2, dtype=dtype)
    out = np.empty_like(z)
    pytorch = None
    if torch:
        tensor, result = torch.from_numpy(z), torch.empty(N, dtype=getattr(torch, dtype))

        def pytorch():
            with torch.inference_mode():
                return torch.clamp_min(tensor, 0, out=result) if name == "relu" else getattr(torch, name)(tensor, out=result)

    race(
        f"{name} {dtype} 2^16",
        fanin=lambda: fi.activation.evaluate(name, z, out=out),
        numpy=lambda: reference.ACTIVATIONS[name][0](z),
        torch=pytorch,
        rtol=8 * np.finfo(dtype).eps,  # a few ULP each
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid"])
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
