"""The coordinate check of the maximal update parametrization, Yang et al. 2021 (Tensor Programs V), table 3.

Networks 64-n-n-10, tanh, without biases, n = 64 ... 2048, learn one batch of 64 digits for three steps. Standard: variance
1 / fan_in and one learning rate. Maximal update: the output's variance is 1 / fan_in^2 and the learning rates scale with the
width, as the table says, both equal to the standard ones at n = 64. The figure is the slope of log2 of a mean magnitude against
log2 n, averaged over 4 seeds; h is an activation, dh its change since the start.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import fanin as fi

WIDTHS, BASE, SEEDS, STEPS = (64, 128, 256, 512, 1024, 2048), 64, 4, 3


def rates(optimizer, mup, n):
    """Learning rates of the input, hidden and output layer."""
    scale = n / BASE if mup else 1.0
    if optimizer is fi.SGD:
        return [0.1 * scale, 0.1, 0.1 / scale]
    return [0.01, 0.01 / scale, 0.01 / scale]


def magnitudes(optimizer, mup, n, seed, x, y):
    """Mean |logit| at the start, then a row of mean |dh1|, |dh2|, |d logit| for each step."""
    last = f"xavier_normal(gain={(BASE / n) ** 0.5})" if mup else "xavier_normal"
    net = fi.Network([64, n, n, 10], "tanh", ["xavier_normal", "xavier_normal", last], seed=seed, bias=False)
    rule = optimizer(lr=rates(optimizer, mup, n))

    def layers():
        a, out = x, []
        for w, activation in zip(net.weights, net.activations, strict=True):
            a = fi.dense_forward(a, w, activation=activation).a
            out.append(a.astype(np.float64))
        return out

    start, moved = layers(), []
    for _ in range(STEPS):
        net.step(x, y, optimizer=rule)
        moved.append([float(np.abs(now - then).mean()) for now, then in zip(layers(), start, strict=True)])
    return float(np.abs(start[-1]).mean()), moved


@cache
def slopes(optimizer, mup):
    """Of the logits at the start; and of dh1, dh2 and the logits' change, a row for each step."""
    pytest.importorskip("sklearn")
    x, y = fi.datasets.digits()
    runs = [[magnitudes(optimizer, mup, n, seed, x[:64], y[:64]) for n in WIDTHS] for seed in range(SEEDS)]
    n = np.log2(WIDTHS)
    logits = np.mean([np.polyfit(n, np.log2([logit for logit, _ in row]), 1)[0] for row in runs])
    moved = np.log2([[step for _, step in row] for row in runs])  # (seed, width, step, layer)
    fits = [np.polyfit(n, seed.reshape(len(n), -1), 1)[0].reshape(STEPS, 3) for seed in moved]
    return float(logits), np.mean(fits, axis=0)


@pytest.mark.parametrize("optimizer", [fi.SGD, fi.Adam])
def test_maximal_update_is_flat_in_the_width(literature, optimizer):
    logits, moved = slopes(optimizer, True)
    literature.check("muP: slope of the logits at the start", logits, published=-0.5, within=0.1)
    for step, row in enumerate(moved, 1):
        for what, slope in zip(("dh1", "dh2", "d logit"), row, strict=True):
            literature.check(f"muP, {optimizer.__name__}, step {step}: slope of {what}", slope, published=0, within=0.1)


@pytest.mark.parametrize(("optimizer", "seen"), [(fi.SGD, 0.851), (fi.Adam, 0.956)])
def test_standard_grows_with_the_width(literature, optimizer, seen):
    logits, moved = slopes(optimizer, False)
    literature.check("standard: slope of the logits at the start", logits, published=0, within=0.1)
    # The reference run's figure; the slope has to be at least one half.
    literature.check(f"standard, {optimizer.__name__}, step 1: slope of d logit", moved[0, 2], computed=seen, within=0.1)
    assert moved[0, 2] >= 0.5
