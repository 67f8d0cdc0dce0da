"""How the cost grows with the size: one curve a topic, from a call's own price to what the memory or the multipliers allow."""

from __future__ import annotations

import numpy as np
import pytest

import fanin as fi
from fanin.verify import reference

ELEMENTS = [1 << k for k in (6, 10, 14, 18, 22)]
SIDES = [16, 64, 256, 1024]


def cloud(n):
    return np.random.default_rng(1).standard_normal(n).astype(np.float32)


@pytest.mark.parametrize("n", ELEMENTS)
def bench_normal(race, torch, n):
    out = np.empty(n, np.float32)
    generator = np.random.Generator(np.random.SFC64(7))
    tensor = torch and torch.from_numpy(out)
    race(
        f"normal, elements: {n}",
        fanin=lambda: fi.init.normal((n,), seed=7, stream=0, out=out),
        numpy=lambda: generator.standard_normal(dtype=np.float32, out=out),
        torch=torch and tensor.normal_,
        check=False,  # streams of their own; bench_init compares moments
        size=n,
        work=(4 * n, "byte written"),
    )


@pytest.mark.parametrize("n", ELEMENTS)
def bench_tanh(race, torch, n):
    x, out = cloud(n), np.empty(n, np.float32)
    pytorch = None
    if torch:
        xt, yt = torch.from_numpy(x), torch.empty(n)

        def pytorch():
            return torch.tanh(xt, out=yt)

    race(
        f"tanh, elements: {n}",
        fanin=lambda: fi.activation.evaluate("tanh", x, out=out),
        numpy=lambda: np.tanh(x),
        torch=pytorch,
        rtol=1e-6,
        size=n,
        work=(8 * n, "byte copied"),
    )


@pytest.mark.parametrize("n", ELEMENTS)
def bench_moments(race, torch, n):
    x = cloud(n)
    pytorch = None
    if torch:
        xt = torch.from_numpy(x)

        def pytorch():
            var, mean = torch.var_mean(xt, correction=0)
            return [mean, var, *torch.aminmax(xt)]

    def fanin():
        s = fi.summarize(x, bins=None, moments="two")
        return [s.mean, s.var, s.min, s.max]

    race(
        f"mean, var, min, max, elements: {n}",
        fanin=fanin,
        numpy=lambda: [x.mean(), x.var(), x.min(), x.max()],
        torch=pytorch,
        rtol=1e-4,  # NumPy and PyTorch sum in the dtype, in a tree
        atol=1e-4,
        size=n,
        work=(4 * n, "byte read"),
    )


@pytest.mark.parametrize("n", SIDES)
def bench_layer(race, torch, n):
    x, w, b = cloud(n * n).reshape(n, n), cloud(n * n).reshape(n, n) / np.float32(n**0.5), cloud(n)
    pytorch = None
    if torch:
        xt, wt, bt = (torch.from_numpy(array) for array in (x, w, b))

        def pytorch():
            with torch.inference_mode():
                return torch.tanh(torch.nn.functional.linear(xt, wt, bt))

    race(
        f"square layer with tanh, side: {n}",
        fanin=lambda: fi.dense_forward(x, w, b, activation="tanh", keep_z=False).a,
        numpy=lambda: reference.dense_forward(x, w, b, "tanh")[0],
        torch=pytorch,
        atol=(n + 8) * np.finfo(np.float32).eps,  # bench_dense says why
        size=n,
        work=(2 * n**3, "flop"),
    )
