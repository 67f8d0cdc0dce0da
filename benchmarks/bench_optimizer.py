"""The update, as far as Python can see it alone: a step of one wide layer on one row is almost nothing but the update."""

from __future__ import annotations

import numpy as np
import pytest

import fanin as fi
from fanin.verify import reference

N_IN, N_OUT, LR = 1024, 1024, 0.01
RULES = {"SGD": {}, "SGD, momentum": {"momentum": 0.9}, "SGD, Nesterov": {"momentum": 0.9, "nesterov": True}}


@pytest.mark.parametrize("rule", RULES)
def bench_step_of_one_row(race, torch, rule):
    rng = np.random.default_rng(1)
    x = (rng.normal(size=(1, N_IN)) / N_IN**0.5).astype(np.float32)  # of length 1: three steps change the cost by little
    y = rng.integers(0, N_OUT, 1)
    net = fi.Network([N_IN, N_OUT], activation="tanh", init="xavier_normal", loss="cross_entropy", seed=7, dtype="float32")
    start = net.weights[0].copy()
    optimizer = fi.SGD(lr=LR, **RULES[rule])

    w, b = start.copy(), np.zeros(N_OUT, np.float32)
    velocity = {}

    def numpy():
        cost, ((dw, db),) = reference.gradients([(w, b)], x, y, "tanh", "cross_entropy")
        for name, p, g in (("w", w, dw), ("b", b, db)):
            velocity[name] = reference.sgd(p, g, velocity.get(name), LR, **RULES[rule])
        return cost

    contenders = {"fanin": lambda: net.step(x, y, optimizer=optimizer), "numpy": numpy}
    weights = {"fanin": net.weights[0], "numpy": w}
    if torch:
        model = torch.nn.Linear(N_IN, N_OUT)
        with torch.no_grad():
            model.weight.copy_(torch.from_numpy(start))
            model.bias.zero_()
        rival = torch.optim.SGD(model.parameters(), lr=LR, **RULES[rule])
        xt, yt = torch.from_numpy(x), torch.from_numpy(y)

        def pytorch():
            rival.zero_grad()
            cost = torch.nn.functional.cross_entropy(model(xt), yt)
            cost.backward()
            rival.step()
            return cost.item()

        contenders["torch"], weights["torch"] = pytorch, model.weight.detach().numpy()

    costs = {name: [call() for _ in range(3)] for name, call in contenders.items()}
    for name in contenders:
        # Sums of 1024 products and three updates, in float32: 1024 eps.
        np.testing.assert_allclose(costs[name], costs["fanin"], rtol=1.3e-4, err_msg=name)
        np.testing.assert_allclose(weights[name], weights["fanin"], rtol=1.3e-4, atol=1e-5, err_msg=name)
    race(f"{rule}, {N_IN} -> {N_OUT}, one row", **contenders, check=False)
