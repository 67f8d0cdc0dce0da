"""The tanh network on handwritten digits: four initializations, batch by batch."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fanin import datasets
from fanin.network.network import Network
from fanin.optimizer import SGD
from fanin.reports.pages.shell import View, asset
from fanin.tracing.record import Trace
from fanin.tracing.take import trace

LAWS = ("zeros", "fan_in_uniform", "xavier_normal", "normal")
HIDDEN = 4
WIDTH = 300
BATCH = 100
BATCHES = 100
LR = 0.1

Tick = Callable[[int, int], None]


def images(mnist: str | os.PathLike[str] | None) -> datasets.Data:
    """Return the images, in their order: scikit-learn's digits (pixels / 16), or MNIST's test images (pixels / 255)."""
    return datasets.digits() if mnist is None else datasets.mnist(mnist)


def batch(data: datasets.Data, k: int) -> datasets.Data:
    """Return batch k of 100 rows: in order, and around."""
    rows = np.arange(k * BATCH, (k + 1) * BATCH) % len(data.y)
    return datasets.Data(data.x[rows], data.y[rows])


def network(law: str, n_in: int, seed: int) -> Network:
    """Return the network at its start: n_in - 300 - 300 - 300 - 300 - 10, tanh, cross entropy, biases 0."""
    return Network([n_in, *[WIDTH] * HIDDEN, 10], "tanh", law, seed=seed)


def record(seed: int, mnist: str | os.PathLike[str] | None = None, tick: Tick | None = None) -> dict[str, Any]:
    """Train from four initializations and return what the view shows.

    Parameters
    ----------
    seed : int
        Of the weights.
    mnist : path, optional
        Folder with the IDX files of MNIST's test images.
    tick : callable, optional
        Called as tick(done, of) now and then.

    Returns
    -------
    dict
        ``runs[law]`` holds, for each of 100 batches and before its step: cost, which images were right, and of each hidden
        layer the histogram of a in 64 bins over (-1, 1), its measured and expected std, the saturated part and the rms of da.
        ``pictures`` are the images of the batches, 16 shades, two pixels a byte.
    """
    data = images(mnist)
    runs: dict[str, Any] = {}
    for done, law in enumerate(LAWS):
        net, sgd = network(law, data.x.shape[1], seed), SGD(LR)
        traces, right = [], []
        for k in range(BATCHES):
            x, y = batch(data, k)
            traces.append(trace(net, x, y))
            right.append(net.predict(x) == y)
            net.step(x, y, optimizer=sgd)
            if tick is not None and k % 10 == 9:
                tick(done * BATCHES + k + 1, len(LAWS) * BATCHES)
        runs[law] = {**_layers(traces), "right": np.array(right).astype(np.uint8)}
        runs[law]["cost"] = np.array([one.cost for one in traces], dtype=np.float32)
    side = round(data.x.shape[1] ** 0.5)
    return {
        "source": "scikit-learn's 1797 digits" if mnist is None else "MNIST's test images",
        "rows": len(data.y),
        "sizes": list(network("zeros", data.x.shape[1], seed).sizes),
        "lr": LR,
        "laws": list(LAWS),
        "pictures": _pictures(data, side),
        "labels": data.y[: BATCH * BATCHES].astype(np.uint8),
        "runs": runs,
    }


def _layers(traces: list[Trace]) -> dict[str, NDArray[Any]]:
    """Arrays of shape (batches, hidden layers), the histograms with their bins besides."""

    def collect(read: Callable[[Any], Any], dtype: Any) -> NDArray[Any]:
        return np.array([[read(layer) for layer in one.hidden] for one in traces], dtype=dtype)

    return {
        "histogram": collect(lambda layer: layer.a.histogram.counts, np.uint16),
        "std": collect(lambda layer: layer.a.std, np.float32),
        "expected": collect(lambda layer: layer.expected_std, np.float32),
        "saturated": collect(lambda layer: layer.saturated, np.float32),
        "gradient": collect(lambda layer: layer.da.rms, np.float32),
    }


def _pictures(data: datasets.Data, side: int) -> NDArray[np.uint8]:
    """Images of the batches as 4-bit shades, shape (images, pixels / 2); those of 28 x 28 at half the resolution."""
    shades = data.x[: BATCH * BATCHES].reshape(-1, side, side)
    if side == 28:
        shades = shades.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4))
    levels = np.rint(15 * shades).astype(np.uint8).reshape(len(shades), -1)
    return np.asarray(levels[:, 0::2] << 4 | levels[:, 1::2], dtype=np.uint8)


def _texts(data: dict[str, Any]) -> dict[str, str]:
    """Numbers for the notes, as this page measured them; factors are a layer's, at the start."""
    texts = {"source": data["source"], "sizes": "-".join(map(str, data["sizes"]))}
    for law, key in zip(LAWS, ("zeros", "uniform", "xavier", "normal"), strict=True):
        run = data["runs"][law]
        texts[f"wrong_{key}"] = f"{100 - run['right'][-10:].sum(axis=1).mean():.0f}"
        texts[f"cost_{key}"] = f"{run['cost'][0]:.3g}"
        if key != "zeros":
            std, da = run["std"][0], run["gradient"][0]
            texts[f"forward_{key}"] = f"{(std[-1] / std[0]) ** (1 / (HIDDEN - 1)):.2f}"
            texts[f"backward_{key}"] = f"{(da[0] / da[-1]) ** (1 / (HIDDEN - 1)):.2f}"
    return texts


def view(seed: int, mnist: str | os.PathLike[str] | None = None, tick: Tick | None = None) -> View:
    """Return the view of the page."""
    data = record(seed, mnist, tick)
    return View(
        name="digits",
        title="Digits",
        html=asset("digits.html"),
        data=data,
        scripts=("digits.js",),
        styles=("digits.css",),
        texts=_texts(data),
    )
