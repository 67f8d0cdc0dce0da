"""Training from Python: a step (forward, cost, backward, update) against PyTorch's eager and JAX's jitted one, both with SGD,
and epochs of scikit-learn's MLPClassifier with Adam. A case whose peer is not installed is skipped.

JAX takes every CPU of its process: its row of one thread comes from ``taskset -c 0 pytest benchmarks -k jax``.
"""

from __future__ import annotations

import os
import warnings

import numpy as np
import pytest

import fanin as fi
from fanin.verify import reference

CASES = {
    "2-3x9-2, batch 32": ([2, *[3] * 9, 2], 32),
    "784-100x4-10, batch 64": ([784, *[100] * 4, 10], 64),
    "784-500x4-10, batch 128": ([784, *[500] * 4, 10], 128),
}
LR = 0.01


@pytest.mark.parametrize("case", CASES)
def bench_step(race, torch, case):
    sizes, batch = CASES[case]
    rng = np.random.default_rng(1)
    x = rng.normal(size=(batch, sizes[0])).astype(np.float32)
    y = rng.integers(0, sizes[-1], batch)

    net = fi.Network(sizes, activation="tanh", init="xavier_normal", loss="cross_entropy", seed=7, dtype="float32")
    start = [w.copy() for w in net.weights]
    layers = [(w.copy(), np.zeros(len(w), np.float32)) for w in start]
    sgd = fi.SGD(lr=LR)
    contenders = {
        "fanin": lambda: net.step(x, y, optimizer=sgd),
        "numpy": lambda: reference.step(layers, x, y, "tanh", "cross_entropy", LR),
    }
    parameters = {"fanin": net.weights, "numpy": [w for w, _ in layers]}
    if torch:
        model, weights = pytorch_model(torch, start)
        optimizer = torch.optim.SGD(model.parameters(), lr=LR)
        xt, yt = torch.from_numpy(x), torch.from_numpy(y)

        def pytorch():
            optimizer.zero_grad()
            cost = torch.nn.functional.cross_entropy(model(xt), yt)
            cost.backward()
            optimizer.step()
            return cost.item()

        contenders["torch"], parameters["torch"] = pytorch, weights

    # Three steps from the same weights: the same costs, and then the same weights. In float32 a few roundings a layer separate
    # them; sums of 784 products of size 1 err by at most 784 eps = 1e-4 in the worst case.
    costs = {name: [call() for _ in range(3)] for name, call in contenders.items()}
    for name in contenders:
        np.testing.assert_allclose(costs[name], costs["fanin"], rtol=1e-4, err_msg=name)
        for a, b in zip(parameters[name], parameters["fanin"], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5, err_msg=name)
    race(f"step, tanh, {case}", **contenders, check=False)


@pytest.fixture
def jax(threads):
    found = pytest.importorskip("jax")
    if threads != len(os.sched_getaffinity(0)):
        pytest.skip(f"JAX uses all CPUs: taskset to {threads} of them")
    return found


@pytest.fixture
def mlp_classifier():
    return pytest.importorskip("sklearn.neural_network").MLPClassifier


def bench_jax_step(jax, race):
    sizes, batch = CASES[case := "784-500x4-10, batch 128"]
    rng = np.random.default_rng(1)
    x = rng.normal(size=(batch, sizes[0])).astype(np.float32)
    y = rng.integers(0, sizes[-1], batch)

    net = fi.Network(sizes, activation="tanh", init="xavier_normal", loss="cross_entropy", seed=7, dtype="float32")
    sgd, numbers = fi.SGD(lr=LR), jax.numpy
    layers = [(numbers.array(w), numbers.array(b)) for w, b in zip(net.weights, net.biases, strict=True)]
    xj, yj = numbers.array(x), numbers.array(y)

    def cost_of(layers, x, y):
        for w, b in layers[:-1]:
            x = numbers.tanh(x @ w.T + b)
        w, b = layers[-1]
        return -numbers.mean(jax.nn.log_softmax(x @ w.T + b)[numbers.arange(len(y)), y])

    def updated(layers, x, y):
        cost, slopes = jax.value_and_grad(cost_of)(layers, x, y)
        return jax.tree.map(lambda p, slope: p - LR * slope, layers, slopes), cost

    step = jax.jit(updated, donate_argnums=0)

    def jax_step():
        nonlocal layers
        layers, cost = jax.block_until_ready(step(layers, xj, yj))
        return float(cost)

    def fanin_step():
        return net.step(x, y, optimizer=sgd)

    for _ in range(20):
        np.testing.assert_allclose(jax_step(), fanin_step(), rtol=1e-4)
    for (w, _), ours in zip(layers, net.weights, strict=True):
        assert np.linalg.norm(np.asarray(w) - ours) <= 1e-4 * np.linalg.norm(ours)
    race(f"step, tanh, {case}, jitted", fanin=fanin_step, jax=jax_step, check=False)


def bench_sklearn_epoch(mlp_classifier, race):
    """Adam at 0.001, batches of 64, ReLU, no penalty (its alpha is 0), 50 epochs without early stopping, in float32."""
    x, y = fi.datasets.digits()
    train, held_out = fi.datasets.split(x.astype(np.float32), y, 0.2, 0)
    epochs = 50

    def fanin_fit(seed=0):
        net = fi.Network([64, 100, 100, 10], activation="relu", init="glorot_uniform", seed=seed)
        net.fit(*train, epochs=epochs, batch_size=64, optimizer=fi.Adam(lr=0.001))
        return net

    def sklearn_fit(seed=0):
        model = mlp_classifier(
            (100, 100), alpha=0, batch_size=64, max_iter=epochs, n_iter_no_change=epochs, random_state=seed
        )  # its defaults: relu, Adam at 0.001, weights of glorot_uniform
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*Maximum iterations.*")
            return model.fit(*train)

    ours, theirs = (np.mean([fit(seed).score(*held_out) for seed in range(5)]) for fit in (fanin_fit, sklearn_fit))
    assert abs(ours - theirs) < 0.01  # 5 networks on 360 rows: a standard error near 0.003
    words = f"right of the held-out rows, mean of 5 seeds: {100 * ours:.2f} %, scikit-learn {100 * theirs:.2f} %"
    race("epoch, digits, 64-100-100-10, Adam", fanin=fanin_fit, sklearn=sklearn_fit, check=False, parts=epochs, note=words)


def pytorch_model(torch, start):
    """The same network in PyTorch, and its weights as arrays that share their memory."""
    layers, weights = [], []
    for i, w in enumerate(start):
        linear = torch.nn.Linear(w.shape[1], w.shape[0])
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(w))
            linear.bias.zero_()
        layers += [linear] if i == len(start) - 1 else [linear, torch.nn.Tanh()]
        weights.append(linear.weight.detach().numpy())
    return torch.nn.Sequential(*layers), weights
