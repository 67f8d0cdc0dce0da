"""One dense layer forward and backward; and forward with the statistics that fanin gives beside the result."""

from __future__ import annotations

import numpy as np
import pytest

import fanin as fi
from fanin import reference

# batch, n_in, n_out
SHAPES = [(1, 784, 500), (32, 3, 3), (64, 100, 100), (128, 784, 500), (1024, 1024, 1024)]
EPS = np.finfo(np.float32).eps


def layer(batch, n_in, n_out):
    rng = np.random.default_rng(1)
    x, w, b = rng.normal(size=(batch, n_in)), rng.normal(size=(n_out, n_in)) / n_in**0.5, rng.normal(size=n_out) / 10
    return [a.astype(np.float32) for a in (x, w, b)]


def names(shape):
    return "{} x {} -> {}".format(*shape)


@pytest.mark.parametrize("shape", SHAPES, ids=names)
def bench_forward(race, torch, shape):
    x, w, b = layer(*shape)
    a, z = np.empty(shape[::2], np.float32), np.empty(shape[::2], np.float32)
    pytorch = None
    if torch:
        xt, wt, bt = (torch.from_numpy(array) for array in (x, w, b))

        def pytorch():
            with torch.inference_mode():
                return torch.tanh(torch.nn.functional.linear(xt, wt, bt))

    # |error of z| <= n_in eps sum |x w|, whatever the order of summation; sum |x w| is about 0.64 sqrt(n_in), and tanh shrinks
    # it. Orders differ by far less in practice; n_in eps leaves no doubt that a wrong element is seen.
    race(
        f"forward, tanh, {names(shape)}",
        fanin=lambda: fi.dense_forward(x, w, b, activation="tanh", out_a=a, out_z=z).a,
        numpy=lambda: reference.dense_forward(x, w, b, "tanh")[0],
        torch=pytorch,
        atol=(shape[1] + 8) * EPS,
    )


@pytest.mark.parametrize("shape", SHAPES, ids=names)
def bench_backward(race, torch, shape):
    x, w, b = layer(*shape)
    z = reference.dense_forward(x, w, b)[1]
    da = np.random.default_rng(2).normal(size=z.shape).astype(np.float32)
    out = [np.empty_like(array) for array in (x, w, b)]
    pytorch = None
    if torch:
        xt, wt, at, dat = (torch.from_numpy(array) for array in (x, w, np.tanh(z), da))

        def pytorch():  # what autograd runs, without its bookkeeping
            with torch.inference_mode():
                dz = torch.ops.aten.tanh_backward(dat, at)
                return dz @ wt, dz.T @ xt, dz.sum(0)

    largest = max(shape)
    race(
        f"backward, tanh, {names(shape)}",
        fanin=lambda: fi.dense_backward(da, x, w, z, activation="tanh", out_dx=out[0], out_dw=out[1], out_db=out[2])[:3],
        numpy=lambda: reference.dense_backward(da, x, w, z, "tanh"),
        torch=pytorch,
        rtol=1e-4,
        atol=4 * largest * EPS,  # sums of `largest` terms of size 1, as above; PyTorch's 1 - a^2 adds its rounding
    )


@pytest.mark.parametrize("stats", ["moments", True], ids=["moments", "whole"])
def bench_forward_with_statistics(race, torch, stats):
    shape = (128, 784, 500)
    x, w, b = layer(*shape)
    pytorch = None
    if torch:
        xt, wt, bt = (torch.from_numpy(array) for array in (x, w, b))

        def pytorch():
            with torch.inference_mode():
                z = torch.nn.functional.linear(xt, wt, bt)
                a = torch.tanh(z)
                found = []
                for tensor in (z, a):
                    var, mean = torch.var_mean(tensor, correction=0)
                    found += [mean, var, tensor.min(), tensor.max()]
                if stats is True:
                    torch.histc(z, 64), torch.histc(a, 64, -1, 1)
                return found

    def numpy():
        a, z = reference.dense_forward(x, w, b, "tanh")
        found = []
        for array in (z, a):
            s = reference.summarize(array, 64 if stats is True else None)
            found += [s["mean"], s["var"], s["min"], s["max"]]
        return found

    def fanin():
        s = fi.dense_forward(x, w, b, activation="tanh", stats=stats).stats
        return [value for of in (s.z, s.a) for value in (of.mean, of.var, of.min, of.max)]

    race(f"forward with {'all statistics' if stats is True else 'moments'}, {names(shape)}",
         fanin=fanin, numpy=numpy, torch=pytorch, rtol=1e-4, atol=1e-5)  # fmt: skip
