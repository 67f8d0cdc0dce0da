"""The playground: four data sets, four scales of initialization, one network of 2-6-3-1, recorded epoch by epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fanin import datasets
from fanin.network.network import Network
from fanin.optimizer import SGD
from fanin.reports.pages.shell import View, asset
from fanin.reports.pages.words import number

SIZES = (2, 6, 3, 1)
DATASETS = ("circle", "moon", "square", "gauss")
SCALES = ("0", "0.01", "1", "100")  # multiples of the variance 1 / n_in
EPOCHS = 2000
POINTS = 100
LR = 0.1
_FRAMES = 240
_MEDIAN_OF = 11

Tick = Callable[[int, int], None]


def frames(epochs: int = EPOCHS, count: int = _FRAMES) -> list[int]:
    """Return the epochs that are recorded: each of the first, then ever more apart, up to the last; and the round ones."""
    spread = {max(k, round(epochs * (k / count) ** 2)) for k in range(count + 1)} | {100, 200, 300, 500, 1000}
    return sorted(epoch for epoch in spread if epoch <= epochs)


def network(scale: str, seed: int) -> Network:
    """Return the network at its start: weights N(0, scale / n_in), the same draw for every scale; biases 0."""
    law = "zeros" if scale == "0" else f"variance_scaling(scale={scale})"
    return Network(SIZES, "relu", law, "binary_cross_entropy", seed=seed, dtype="float64")


def points(name: str, seed: int) -> datasets.Data:
    """Return a data set's 100 points."""
    data: datasets.Data = getattr(datasets, name)(POINTS, seed, dtype="float64")
    return data


def parameters(arrays: Any) -> NDArray[np.float64]:
    """Return (w, b) of every layer as one row: w by rows, then b."""
    return np.concatenate([array.ravel() for pair in arrays for array in pair])


def record(seed: int, tick: Tick | None = None) -> dict[str, Any]:
    """Train all sixteen networks and return what the view shows.

    Parameters
    ----------
    seed : int
        Of the points and of the weights.
    tick : callable, optional
        Called as tick(done, of) after each network.

    Returns
    -------
    dict
        ``runs[data][scale]`` holds ``costs`` of every epoch, its ``median`` over this and other seeds at the recorded epochs,
        and at these the parameters, gradients, correct points and the largest ``abs(z)`` of the output.
    """
    recorded = frames()
    runs: dict[str, dict[str, Any]] = {}
    for name in DATASETS:
        runs[name] = {}
        for scale in SCALES:
            runs[name][scale] = _run(points(name, seed), scale, seed, recorded)
            runs[name][scale]["median"] = _median(name, scale, seed, recorded)
            if tick is not None:
                tick(sum(map(len, runs.values())), len(DATASETS) * len(SCALES))
    sets = {name: {"x": points(name, seed).x, "y": points(name, seed).y.astype(np.uint8)} for name in DATASETS}
    return {
        "sizes": list(SIZES),
        "epochs": recorded,
        "lr": LR,
        "seeds": _MEDIAN_OF,
        "datasets": list(DATASETS),
        "scales": list(SCALES),
        "points": sets,
        "runs": runs,
    }


def _run(data: datasets.Data, scale: str, seed: int, recorded: list[int]) -> dict[str, Any]:
    x, y = data
    net, sgd = network(scale, seed), SGD(LR)
    costs, states, gradients, correct, largest = [], [], [], [], []
    for epoch, after in zip(recorded, [*recorded[1:], None], strict=True):
        states.append(parameters(zip(net.weights, net.biases, strict=True)))
        gradients.append(parameters(net.gradients(x, y)))
        correct.append(int(np.count_nonzero(net.predict(x) == y)))
        largest.append(float(np.abs(net.decision_function(x)).max()))
        if after is None:
            costs.append(np.array([net.loss(x, y)]))
        else:
            costs.append(_descend(net, x, y, after - epoch, sgd))
    return {
        "costs": np.concatenate(costs),
        "parameters": np.array(states),
        "gradients": np.array(gradients),
        "correct": np.array(correct, dtype=np.uint8),
        "largest": np.array(largest, dtype=np.float32),
    }


def _descend(net: Network, x: NDArray[Any], y: NDArray[Any], epochs: int, sgd: SGD) -> NDArray[np.float64]:
    return net.fit(x, y, epochs=epochs, batch_size=None, shuffle=False, optimizer=sgd, on_nonfinite="continue").costs


def _median(name: str, scale: str, seed: int, recorded: list[int]) -> NDArray[np.float32]:
    """Median cost over seeds: this one and those that follow it, points and weights drawn anew for each."""
    all_costs = []
    for other in range(seed, seed + _MEDIAN_OF):
        x, y = points(name, other % 2**64)
        all_costs.append(_descend(network(scale, other % 2**64), x, y, EPOCHS + 1, SGD(LR)))
    return np.median(np.array(all_costs)[:, recorded], axis=0).astype(np.float32)


def _texts(data: dict[str, Any]) -> dict[str, str]:
    """Numbers for the notes, as this page measured them."""
    runs, circle = data["runs"], data["runs"]["circle"]

    def each(scale: str, epoch: int) -> str:
        values = [number(runs[name][scale]["costs"][epoch]) for name in DATASETS]
        return f"{', '.join(values[:-1])} and {values[-1]}"

    def shelf(scale: str) -> str:
        below = circle[scale]["costs"] < np.log(2) / 2
        return str(int(np.argmax(below))) if below.any() else f"later than {EPOCHS}"

    return {
        "zero": f"{circle['0']['costs'][-1]:.6f}",
        "shelf_small": shelf("0.01"),
        "shelf_right": shelf("1"),
        "epochs": str(EPOCHS),
        "right": each("1", -1),
        "large_first": each("100", 0),
        "large_last": each("100", -1),
        "seeds": str(_MEDIAN_OF),
    }


def view(seed: int, tick: Tick | None = None) -> View:
    """Return the view of the page."""
    data = record(seed, tick)
    return View(
        name="playground",
        title="Playground",
        html=asset("playground.html"),
        data=data,
        scripts=("diagram.js", "plane.js", "playground.js"),
        styles=("diagram.css",),
        texts=_texts(data),
    )
