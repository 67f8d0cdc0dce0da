"""What a trace costs beside one pass forward and backward, and a fit with traces beside one without."""

from __future__ import annotations

import numpy as np
import pytest

import fanin as fi

SIZES = [784, *[500] * 8, 10]
RNG = np.random.default_rng(0)
X = RNG.standard_normal((256, 784)).astype(np.float32)
Y = RNG.integers(0, 10, 256)


def network(activation):
    return fi.Network(SIZES, activation, "he_normal" if activation == "relu" else "xavier_normal", seed=1)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("what", ["gradients", "moments", "everything"])
def test_trace(benchmark, activation, what):
    net = network(activation)
    calls = {
        "gradients": lambda: net.gradients(X, Y),
        "moments": lambda: fi.trace(net, X, Y, stats="moments"),
        "everything": lambda: fi.trace(net, X, Y),
    }
    benchmark.group = f"trace, 784-500x8-10 {activation}, batch 256"
    benchmark(calls[what])


@pytest.mark.parametrize("every", [None, 10])
def test_fit(benchmark, every):
    net, sgd = network("tanh"), fi.SGD(lr=1e-6)
    x, y = np.tile(X, (20, 1)), np.tile(Y, 20)
    benchmark.group = "fit of 20 steps, 784-500x8-10 tanh, batch 256"
    benchmark(net.fit, x, y, batch_size=256, optimizer=sgd, trace_every=every)
