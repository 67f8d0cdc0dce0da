"""The linear network of nine hidden layers of two: what a factor, to the ninth power, does to signal, gradient and learning."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fanin.article.linear_network import HIDDEN, linear_network, linear_trace
from fanin.diagnosis.diagnosis import diagnose
from fanin.optimizer import SGD
from fanin.reports.pages.shell import View, asset
from fanin.reports.pages.words import number

FACTORS = tuple(round(0.4 + 0.02 * k, 2) for k in range(61))
RATES = (0.01, 0.05)
STEPS = 100
_GROWTH, _FIRST, _TRIES, _LIMIT = 1.12, 0.001, 300, 1e6

Tick = Callable[[int, int], None]

X = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
Y = 2 * X.sum(axis=1, keepdims=True)


def descend(factor: float, lr: float, steps: int) -> NDArray[np.float64]:
    """Return the costs (half the mean square) of gradient descent on the four inputs, as far as they are finite.

    fanin's cost is the mean square: its half has half the gradient, so the rate is halved.
    """
    with np.errstate(all="ignore"):
        net = linear_network(factor)
        costs = net.fit(
            X, Y, epochs=steps, batch_size=None, shuffle=False, optimizer=SGD(lr / 2), on_nonfinite="continue"
        ).costs
    return costs / 2


def diverging_rate(factor: float) -> float:
    """Return the smallest learning rate 0.001 x 1.12^k with which 300 steps diverge: a cost above 10^6, or not finite."""
    for k in itertools.count():
        lr = _FIRST * _GROWTH**k
        costs = descend(factor, lr, _TRIES)
        if not np.isfinite(costs).all() or costs.max() > _LIMIT:
            return lr
    raise AssertionError("some rate diverges")


def record(tick: Tick | None = None) -> dict[str, Any]:
    """Measure 61 factors from 0.4 to 1.6 and return what the view shows.

    Returns
    -------
    dict
        Arrays over the factors: ``a`` and ``da`` (rms, by hidden layer; da over that of the last), ``dw`` (rms, by hidden
        layer), ``costs`` by learning rate and step, ``diverges`` (the smallest rate that does), and a verdict each.
    """
    traces, limits, costs = [], [], []
    for done, factor in enumerate(FACTORS):
        traces.append(linear_trace(factor))
        limits.append(diverging_rate(factor))
        costs.append([descend(factor, lr, STEPS + 1) for lr in RATES])
        if tick is not None:
            tick(done + 1, len(FACTORS))

    def rms(what: str) -> NDArray[np.float64]:
        return np.array([[float(getattr(layer, what).rms) for layer in one.hidden] for one in traces])

    gradients = rms("da")
    return {
        "factors": list(FACTORS),
        "hidden": HIDDEN,
        "rates": list(RATES),
        "a": rms("a"),
        "da": gradients / gradients[:, -1:],
        "dw": rms("dw"),
        "costs": np.array(costs),
        "diverges": limits,
        "verdicts": [str(diagnose(one).verdict) for one in traces],
    }


def _texts(data: dict[str, Any]) -> dict[str, str]:
    """Numbers for the notes, as this page measured them."""
    small, right, large = (FACTORS.index(factor) for factor in (0.5, 1.0, 1.5))
    a, costs = data["a"], data["costs"][:, 0]
    return {
        "small_a": f"{a[small, -1]:.6f}",
        "small_fall": number(100 * (1 - costs[small, STEPS] / costs[small, 0])),
        "right_cost": number(costs[right, 10]),
        "large_a": f"{a[large, -1]:.1f}",
        "large_costs": " to ".join(number(cost, 3) for cost in costs[large, :3]),
        "right_rate": f"{data['diverges'][right]:.4f}",
        "large_rate": f"{data['diverges'][large]:.4f}",
    }


def view(tick: Tick | None = None) -> View:
    """Return the view of the page."""
    data = record(tick)
    return View(
        name="linear",
        title="Nine layers",
        html=asset("linear.html"),
        data=data,
        scripts=("diagram.js", "linear.js"),
        styles=("diagram.css",),
        texts=_texts(data),
    )
