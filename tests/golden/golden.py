"""The golden program in Python: the sections of golden.cpp through public names. ``python golden.py 5``: 5 percent."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fanin as fi

PRIME, MASK = 0x100000001B3, 2**64 - 1
LAWS = [
    "he_normal",
    "glorot_uniform(gain=tanh)",
    "truncated_normal(std=0.02, corrected=true)",
    "lecun_truncated",
    "orthogonal(gain=relu)",
    "sparse(sparsity=0.9)",
    "normal(std=1e-40)",
    "variance_scaling(scale=0.1, mode=fan_avg, distribution=uniform)",
    "truncated_normal(lower=3, upper=4)",
    "uniform(low=-0.1, high=0.7)",
]
ACTIVATIONS = [
    "identity",
    "relu",
    "leaky_relu(0.1)",
    "elu(0.3)",
    "selu",
    "gelu",
    "gelu_tanh",
    "silu",
    "mish",
    "softplus",
    "softsign",
    "tanh",
    "sigmoid",
    "hardtanh",
    "relu6",
    "hardswish",
]
RULES = [fi.SGD, fi.RMSProp, fi.Adam, fi.AdaGrad]
Array = NDArray[Any]


class Numbers:
    """The 64-bit numbers of a section (splitmix64)."""

    def __init__(self, section: int) -> None:
        self.state = section

    def next(self) -> int:
        self.state = z = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
        return z ^ (z >> 31)

    def within(self, low: int, high: int) -> int:
        return low + self.next() % (high - low + 1)


def added(digest: int, values: Array) -> int:
    """The digest after the bytes of an array."""
    data = values.tobytes()
    words = np.frombuffer(data + bytes(-len(data) % 8), np.uint64)
    powers = np.cumprod(np.full(words.size + 1, PRIME, np.uint64))  # p, p^2, ...
    total = int((words[::-1] * np.concatenate([np.ones(1, np.uint64), powers[: words.size - 1]])).sum()) if words.size else 0
    return (digest * (int(powers[words.size - 1]) if words.size else 1) + total) & MASK


def drawn(law: str, shape: tuple[int, ...], seed: int, dtype: str) -> Array:
    return fi.init.law(law)(shape, seed=seed, stream=1, dtype=dtype)


def sampling(dtype: str, cases: Any) -> Iterator[Array]:
    numbers = Numbers(1)
    for i in range(cases(200)):
        law = i % len(LAWS)
        most = (90, 90) if law == 4 else (900, 700)
        shape = (numbers.within(2, most[0]), numbers.within(1, most[1]))
        yield drawn(LAWS[law], shape, numbers.next(), dtype)


def activations(dtype: str, cases: Any) -> Iterator[Array]:
    numbers = Numbers(2)
    for i in range(cases(96)):
        n, name = numbers.within(1, 150000), ACTIVATIONS[i % len(ACTIVATIONS)]
        z = drawn(("normal(std=30)", "normal(std=1)", "normal(std=1e-38)")[i % 3], (n,), numbers.next(), dtype)
        yield fi.activation.evaluate(name, z)
        yield fi.activation.derivative(name, z)


def dense(dtype: str, cases: Any) -> Iterator[Array]:
    numbers = Numbers(3)
    for i in range(cases(120)):
        batch, n_in, n_out = numbers.within(1, 200), numbers.within(1, 1500 if i % 8 == 0 else 300), numbers.within(1, 200)
        name = ACTIVATIONS[numbers.within(0, len(ACTIVATIONS) - 1)]
        x = drawn("normal(std=1)", (batch, n_in), numbers.next(), dtype)
        w = drawn("he_normal", (n_out, n_in), numbers.next(), dtype)
        b = drawn("normal(std=0.1)", (n_out,), numbers.next(), dtype)
        da = drawn("normal(std=1e-3)", (batch, n_out), numbers.next(), dtype)
        f = fi.dense_forward(x, w, b, activation=name)
        g = fi.dense_backward(da, x, w, f.z, activation=name)
        yield from (f.a, f.z, g.dx, g.dw, g.db)


def statistics(dtype: str, cases: Any) -> Iterator[Array]:
    numbers = Numbers(4)
    for i in range(cases(60)):
        n = numbers.within(1, 200000)
        x = drawn("normal(mean=0.5)" if i % 2 == 0 else "normal(std=1e-38)", (n,), numbers.next(), dtype)
        s = fi.summarize(x)
        yield np.array([s.mean, s.m2, s.m3, s.m4, s.min, s.max, s.var, s.std, s.rms])
        yield np.concatenate([s.histogram.counts, [s.count, s.zeros, s.subnormals]]).astype(np.uint64)
        yield x


def training(dtype: str, cases: Any) -> Iterator[Array]:
    numbers = Numbers(5)
    for rule in RULES:
        sizes = [numbers.within(2, 60), numbers.within(2, 60), numbers.within(2, 40), numbers.within(2, 10)]
        names = [ACTIVATIONS[numbers.within(1, 12)] for _ in range(2)]
        seed = numbers.next()
        x = drawn("normal(std=1)", (64, sizes[0]), numbers.next(), dtype)
        y = np.array([numbers.within(0, sizes[3] - 1) for _ in range(64)])
        net = fi.Network(sizes, activation=names, init="xavier_normal(gain=0.7)", seed=seed, dtype=dtype)
        optimizer = rule(lr=0.013, clip_norm=0.9)
        yield np.array([net.step(x, y, optimizer=optimizer) for _ in range(cases(200))])
        for w, b, activation in zip(net.weights, net.biases, net.activations, strict=True):
            x = fi.dense_forward(x, w, b, activation=activation).a
        yield x


SECTIONS = [sampling, activations, dense, statistics, training]


def lines(percent: int) -> list[str]:
    """What golden.cpp prints."""
    printed = []
    for section in SECTIONS:
        for dtype in ("float32", "float64"):
            digest = 0
            for values in section(dtype, lambda n: (n * percent + 99) // 100):
                digest = added(digest, values)
            printed.append(f"{section.__name__} {dtype} {digest:016x}")
    return printed


if __name__ == "__main__":
    print("\n".join(lines(int(sys.argv[1]) if len(sys.argv) > 1 else 100)))
