"""One dense layer forward and backward; and forward with the statistics that fanin gives beside the result."""

from __future__ import annotations

import numpy as np
import pytest

import fanin as fi
from fanin.verify import reference

# batch, n_in, n_out
SHAPES = [(1, 64, 64), (1, 784, 500), (32, 2, 4), (32, 64, 64), (32, 256, 256), (128, 784, 500), (128, 512, 512),
          (256, 4096, 1024), (1024, 1024, 1024)]  # fmt: skip
PRODUCTS = [(n, "float32") for n in (256, 512, 1024, 2048)] + [(512, "float64"), (1024, "float64")]
LARGE = [(128, 784, 500), (128, 512, 512), (1024, 1024, 1024)]
EPS = np.finfo(np.float32).eps


def layer(batch, n_in, n_out):
    rng = np.random.default_rng(1)
    x, w, b = rng.normal(size=(batch, n_in)), rng.normal(size=(n_out, n_in)) / n_in**0.5, rng.normal(size=n_out) / 10
    return [a.astype(np.float32) for a in (x, w, b)]


def names(shape):
    return "{} x {} -> {}".format(*shape)


@pytest.mark.parametrize(("n", "dtype"), PRODUCTS)
def bench_product(race, torch, n, dtype):
    x, w, _ = (a.astype(dtype) for a in layer(n, n, n))
    out = np.empty((n, n), dtype)
    pytorch = None
    if torch:
        xt, wt, zt = (torch.from_numpy(array) for array in (x, w, out.copy()))

        def pytorch():
            with torch.inference_mode():
                return torch.mm(xt, wt.T, out=zt)

    race(
        f"product, {dtype}, {n} x {n} x {n}",
        fanin=lambda: fi.dense_forward(x, w, keep_z=False, out_a=out).a,
        numpy=lambda: x @ w.T,
        torch=pytorch,
        atol=n * np.finfo(dtype).eps,
    )


@pytest.mark.parametrize("shape", SHAPES, ids=names)
def bench_forward(race, torch, shape):
    forward(race, torch, shape)


def bench_forward_packed(race, torch):
    forward(race, torch, (1, 784, 500), packed=True)


def forward(race, torch, shape, *, packed=False):
    x, w, b = layer(*shape)
    weights = fi.pack_weight(w) if packed else w
    pytorch = None
    if torch:
        xt, wt, bt = (torch.from_numpy(array) for array in (x, w, b))

        def pytorch():
            with torch.inference_mode():
                return torch.tanh(torch.nn.functional.linear(xt, wt, bt))

    # |error of z| <= n_in eps sum |x w|, whatever the order of summation; sum |x w| is about 0.64 sqrt(n_in), and tanh shrinks
    # it. Orders differ by far less in practice; n_in eps leaves no doubt that a wrong element is seen.
    race(
        f"forward, tanh, {names(shape)}{', w packed' if packed else ''}",
        fanin=lambda: fi.dense_forward(x, weights, b, activation="tanh", keep_z=False).a,
        numpy=lambda: reference.dense_forward(x, w, b, "tanh")[0],
        torch=pytorch,
        atol=(shape[1] + 8) * EPS,
    )


@pytest.mark.parametrize("shape", [(32, 3, 3), *LARGE], ids=names)
def bench_backward(race, torch, shape):
    x, w, b = layer(*shape)
    z = reference.dense_forward(x, w, b)[1]
    da = np.random.default_rng(2).normal(size=z.shape).astype(np.float32)
    pytorch = None
    if torch:
        leaves = [torch.from_numpy(array).requires_grad_() for array in (x, w, b)]
        a, dat = torch.tanh(torch.nn.functional.linear(*leaves)), torch.from_numpy(da)

        def pytorch():
            return torch.autograd.grad(a, leaves, dat, retain_graph=True)

    largest = max(shape)
    race(
        f"backward, tanh, {names(shape)}",
        fanin=lambda: fi.dense_backward(da, x, w, z, activation="tanh")[:3],
        numpy=lambda: reference.dense_backward(da, x, w, z, "tanh"),
        torch=pytorch,
        rtol=1e-4,
        atol=4 * largest * EPS,  # sums of `largest` terms of size 1, as above; PyTorch's 1 - a^2 adds its rounding
    )


@pytest.mark.parametrize("shape", LARGE, ids=names)
@pytest.mark.parametrize("stats", ["moments", True], ids=["moments", "whole"])
def bench_forward_with_statistics(race, torch, stats, shape):
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
                    found += [mean, var, *torch.aminmax(tensor)]
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
