"""Depth scales and phases, Schoenholz et al. 2016."""

from __future__ import annotations

import math

import numpy as np
import pytest

import fanin as fi
from fanin import theory

N, NETS, DEPTH = 1000, 8, 30
# sigma_w^2, sigma_b^2: chi_1, B of the noise of log gradients, xi_c where ordered
POINTS = {
    (0.5, 0.05): (0.43198738, 2.098, 1.1914),
    (1, 0.09): (0.70025815, 2.464, 2.8066),
    (1.69, 0.09): (0.93980743, 3.094, 16.108),
    (6.25, 0.09): (1.58522477, 7.279, None),
    (16, 0.09): (2.36726104, 13.002, None),
}


def carried(activation, w2, b2, z, seed):
    """Pre-activations and weights of DEPTH layers; z are those of layer 0."""
    zs, ws = [z], []
    for layer in range(DEPTH):
        ws.append(fi.init.normal((N, N), std=math.sqrt(w2 / N), seed=seed, stream=f"{layer}.weight", dtype="float64"))
        b = fi.init.normal((N,), std=math.sqrt(b2), seed=seed, stream=f"{layer}.bias", dtype="float64")
        zs.append(fi.dense_forward(fi.activation.evaluate(activation, zs[-1]), ws[-1], b).z)
    return zs, ws


def gradient_rate(activation, zs, ws, seed):
    """Mean logarithm of the squared gradient's factor a layer, of one input."""
    start = dz = fi.init.normal((1, N), seed=seed, stream="dz", dtype="float64")
    for z, w in zip(zs[-2::-1], ws[::-1], strict=True):
        dz = fi.dense_backward(dz, fi.activation.evaluate(activation, z[:1]), w, None).dx
        dz = dz * fi.activation.derivative(activation, z[:1])
    return math.log(np.sum(dz**2) / np.sum(start**2)) / DEPTH


def pair(q, distance):
    """Two inputs of variance q and correlation 1 - distance."""
    u, v = fi.init.normal((2, N), seed=9, stream="z", dtype="float64")
    u = u / np.linalg.norm(u)
    v = v - (v @ u) * u
    c = 1 - distance
    return math.sqrt(N * q) * np.array([u, c * u + math.sqrt(1 - c * c) * v / np.linalg.norm(v)])


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS, ids=str)
def test_phases(literature, point):
    w2, b2 = point
    computed, noise, xi = POINTS[point]
    p = theory.fixed_point("tanh", sigma_w=math.sqrt(w2), sigma_b=math.sqrt(b2))
    rates, decays = [], []
    for net in range(NETS):
        zs, ws = carried("tanh", w2, b2, pair(p.q, 1e-3), net)
        rates.append(gradient_rate("tanh", zs, ws, net))
        units = [z / np.linalg.norm(z, axis=1)[:, None] for z in zs]
        apart = [float(np.sum((u[0] - u[1]) ** 2)) / 2 for u in units]  # 1 - c
        decays.append(math.log(apart[-1] / apart[0]) / DEPTH)
    error = 5 * math.sqrt(noise / (N * NETS * DEPTH)) + noise / (2 * N)
    rate = math.exp(np.mean(rates))
    what = f"chi_1 from gradients, sigma_w^2 = {w2}, sigma_b^2 = {b2}"
    literature.check(what, rate, computed=computed, expected=p.chi_1, within=error * p.chi_1)
    assert (rate < 1) == (xi is not None)
    if xi is not None:
        # 1 - c starts at 1e-3, where the curvature of the map still counts: half a percent in all at the slowest point.
        decay = math.exp(np.mean(decays))
        literature.check(
            f"decay of 1 - c, {w2}, {b2}", decay, computed=computed, expected=p.chi_1, within=(error + 2e-3) * p.chi_1
        )
        measured = theory.depth_scale(decay)
        within = p.xi_c**2 / decay * (error + 2e-3) * p.chi_1
        literature.check(f"xi_c, {w2}, {b2}", measured, computed=xi, expected=p.xi_c, within=within)


@pytest.mark.slow
@pytest.mark.parametrize(("w2", "published"), [(2.0, 1.0), (2.2, 1.1), (1.8, 0.9)])
def test_relu_phases(literature, w2, published):
    rates = []
    for net in range(NETS):
        zs, ws = carried("relu", w2, 0.0, pair(1.0, 1e-3), net)
        rates.append(gradient_rate("relu", zs, ws, net))
    error = 5 * math.sqrt(5 / (N * NETS * DEPTH)) + 5 / (2 * N)
    expected = theory.chi("relu", 1.0, sigma_w=math.sqrt(w2))
    measured = math.exp(np.mean(rates))
    literature.check(
        f"chi_1 of ReLU, sigma_w^2 = {w2}", measured, published=published, expected=expected, within=error * published
    )
