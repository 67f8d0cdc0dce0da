"""Mean cost of a batch and its gradient, from logits."""

from __future__ import annotations

import numpy as np
import pytest

import fanin as fi
from fanin.verify import reference

SHAPES = {
    "cross_entropy": [(64, 10), (4096, 10), (128, 1000)],
    "binary_cross_entropy": [(4096, 1)],
    "mean_squared_error": [(4096, 10)],
    "hinge": [(4096, 1)],
}


@pytest.mark.parametrize(
    ("name", "shape"),
    [(name, shape) for name, shapes in SHAPES.items() for shape in shapes],
    ids=lambda value: str(value),
)
def bench_loss(race, torch, name, shape):
    n, outputs = shape
    rng = np.random.default_rng(1)
    z = rng.normal(size=shape).astype(np.float32)
    y = {
        "cross_entropy": lambda: rng.integers(0, outputs, n),
        "binary_cross_entropy": lambda: rng.integers(0, 2, n).astype(np.float32),
        "mean_squared_error": lambda: rng.normal(size=shape).astype(np.float32),
        "hinge": lambda: (2 * rng.integers(0, 2, n) - 1).astype(np.float32),
    }[name]()

    pytorch = None
    if torch:
        f = torch.nn.functional
        leaf = torch.from_numpy(z).requires_grad_()
        target = torch.from_numpy(y if name == "cross_entropy" else y.reshape(shape))
        cost_of = {
            "cross_entropy": f.cross_entropy,
            "binary_cross_entropy": f.binary_cross_entropy_with_logits,
            "mean_squared_error": f.mse_loss,
            "hinge": lambda a, t: torch.clamp(1 - t * a, min=0).mean(),
        }[name]

        def pytorch():
            leaf.grad = None
            cost = cost_of(leaf, target)
            cost.backward()
            return [cost.item(), leaf.grad]

    # A cost is a mean of n rounded terms, a gradient 1 / n of a number rounded a few times: 1e-5 relative, 1e-5 / n absolute.
    race(
        f"{name} {n} x {outputs}, with gradient",
        fanin=lambda: fi.loss.evaluate(name, z, y),
        numpy=lambda: reference.LOSSES[name](z, y),
        torch=pytorch,
        rtol=1e-5,
        atol=1e-5 / n,
    )
