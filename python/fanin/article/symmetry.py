"""Symmetry: what becomes of units that start alike, unit by unit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fanin import datasets
from fanin.article.playground import parameters
from fanin.diagnosis.diagnosis import diagnose
from fanin.network.network import Network
from fanin.optimizer import SGD
from fanin.reports.pages.shell import View, asset
from fanin.tracing.take import trace

SIZES = (2, 4, 3, 1)
ACTIVATIONS = ("relu", "tanh", "sigmoid")
STARTS = {"zeros": "zeros", "constant": "constant(value=0.5)", "random": "he_normal"}
EPOCHS = 2000
LR = 0.1
_FRAMES = 80

Tick = Callable[[int, int], None]


def points(seed: int) -> datasets.Data:
    """Return 100 points of the circle, 60 of class 1: unequal classes, so that the output has something to learn."""
    x, y = datasets.circle(200, seed, dtype="float64")
    rows = np.concatenate([np.flatnonzero(y == 1)[:60], np.flatnonzero(y == 0)[:40]])
    return datasets.Data(x[rows], y[rows])


def frames() -> list[int]:
    """Return the epochs that are recorded."""
    return sorted({max(k, round(EPOCHS * (k / _FRAMES) ** 2)) for k in range(_FRAMES + 1)})


def network(start: str, activation: str, seed: int) -> Network:
    """Return the network at its start, with biases 0."""
    return Network(SIZES, activation, STARTS[start], "binary_cross_entropy", seed=seed, dtype="float64")


def record(seed: int, tick: Tick | None = None) -> dict[str, Any]:
    """Train nine networks, three starts with three activations, and return what the view shows.

    Returns
    -------
    dict
        ``runs[start][activation]`` holds, at each recorded epoch, the parameters and gradients, the cost, the points that
        are right and how many units of each hidden layer are copies of another, bit for bit; and a verdict at the start.
    """
    x, y = points(seed)
    runs: dict[str, Any] = {start: {} for start in STARTS}
    pairs = [(start, activation) for start in STARTS for activation in ACTIVATIONS]
    for done, (start, activation) in enumerate(pairs):
        net, sgd = network(start, activation, seed), SGD(LR)
        verdict = str(diagnose(net, x, y).verdict)
        states, gradients, costs, right, copies = [], [], [], [], []
        for epoch, after in zip(frames(), [*frames()[1:], None], strict=True):
            states.append(parameters(zip(net.weights, net.biases, strict=True)))
            gradients.append(parameters(net.gradients(x, y)))
            costs.append(net.loss(x, y))
            right.append(int(np.count_nonzero(net.predict(x) == y)))
            copies.append([layer.copies for layer in trace(net, x, y, stats="moments").hidden])
            if after is not None:
                net.fit(x, y, epochs=after - epoch, batch_size=None, shuffle=False, optimizer=sgd)
        runs[start][activation] = {
            "parameters": np.array(states),
            "gradients": np.array(gradients),
            "costs": np.array(costs),
            "right": np.array(right, dtype=np.uint8),
            "copies": np.array(copies, dtype=np.uint8),
            "verdict": verdict,
        }
        if tick is not None:
            tick(done + 1, len(pairs))
    return {"sizes": list(SIZES), "epochs": frames(), "points": {"x": x, "y": y.astype(np.uint8)}, "runs": runs}


def view(seed: int, tick: Tick | None = None) -> View:
    """Return the view of the page."""
    return View(
        name="symmetry",
        title="Symmetry",
        html=asset("symmetry.html"),
        data=record(seed, tick),
        scripts=("diagram.js", "plane.js", "symmetry.js"),
        styles=("diagram.css", "symmetry.css"),
    )
