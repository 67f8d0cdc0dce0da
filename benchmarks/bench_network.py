"""One training step from Python: forward, cost, backward, update; PyTorch runs its eager step with its own SGD."""

from __future__ import annotations

import numpy as np
import pytest

import fanin as fi
from fanin import reference

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
