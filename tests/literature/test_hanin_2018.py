"""The exact law of a deep ReLU network's scale at finite width.

Hanin 2018; Hanin and Rolnick 2018; Hanin and Nica 2018. 4000 networks each: the mean of the logarithms within 4 standard
errors, their variance within 4 sqrt(2.5 / R).
"""

from __future__ import annotations

import math

import numpy as np
import pytest

import fanin as fi
from fanin import theory

NETS = 4000
# n: mean and variance of the logarithm of one layer's factor
PER_LAYER = {
    20: (-0.1371867248, 0.3117580750),
    50: (-0.0517387809, 0.1081681333),
    64: (-0.0401085988, 0.0829973506),
    100: (-0.0254208856, 0.0519399922),
    256: (-0.0098286594, 0.0198187089),
    1000: (-0.0025040954, 0.0050185853),
}
PRODUCTS = {(100, 50): (-1.2710, 1.6115), (50, 50): (-2.5869, 2.3256), (20, 20): (-2.7437, 2.4970)}


@pytest.mark.parametrize("n", PER_LAYER)
def test_law_of_one_layer(literature, n):
    law = theory.finite_width([n])
    literature.check(f"n = {n}: mean of the log of a layer's factor", law.log_mean, computed=PER_LAYER[n][0], within=1e-10)
    literature.check(f"n = {n}: its variance", law.log_var, computed=PER_LAYER[n][1], within=1e-10)


def test_law_of_products(literature):
    for (n, depth), (mean, std) in PRODUCTS.items():
        law = theory.finite_width([n] * depth)
        literature.check(f"n = {n}, L = {depth}: log-mean", law.log_mean, computed=mean, within=6e-5)
        literature.check(f"n = {n}, L = {depth}: log-sd", law.log_std, computed=std, within=6e-5)
    deep = theory.finite_width([100] * 50)
    literature.check("n = 100, L = 50: median", deep.median, computed=0.2805, within=6e-5)
    literature.check("n = 100, L = 50: E M^2 / (E M)^2", deep.second_moment, computed=11.467, within=6e-4)
    uniform = theory.finite_width([20] * 20, kurtosis=1.8)
    literature.check("n = 20, L = 20, uniform weights: log-mean", uniform.log_mean, computed=-2.384, within=6e-4)


def logs(n, depth, law, nets=NETS):
    """log of ||x||^2, of a tangent's and of a co-vector's, end over start, for each network."""
    found = np.zeros((3, nets))
    step = max(1, 2**22 // (n**2 * depth))  # their weights stay in the cache
    for first in range(0, nets, step):
        many = min(step, nets - first)

        def normal(name, many=many, first=first):
            return fi.init.normal((many, n), seed=first, stream=name, dtype="float32")

        x, u, v = normal("x"), normal("u"), normal("v")
        x, u, v = (s / np.linalg.norm(s, axis=1)[:, None] for s in (x, u, v))
        ws, masks = [], []
        for layer in range(depth):
            w = law((many * n, n), seed=first, stream=f"{layer}.weight", dtype="float32").reshape(many, n, n)
            z = np.matmul(w, np.stack([x, u], axis=2))
            mask = z[:, :, 0] > 0
            x, u = z[:, :, 0] * mask, z[:, :, 1] * mask
            ws.append(w)
            masks.append(mask)
        for w, mask in zip(ws[::-1], masks[::-1], strict=True):
            v = np.matmul((v * mask)[:, None, :], w)[:, 0, :]
        part = slice(first, first + many)
        for row, s in zip(found, (x, u, v), strict=True):
            row[part] = np.log(np.square(s, dtype=np.float64).sum(axis=1))
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("n", "depth"), [(50, 10), (20, 20), (100, 50)])
def test_networks(literature, n, depth):
    law = theory.finite_width([n] * depth)
    # A matrix of many networks' weights has fan n: He's law draws them all at once.
    for what, values in zip(("||x||^2", "||J u||^2", "||J^T v||^2"), logs(n, depth, fi.init.law("he_normal")), strict=True):
        values = values[np.isfinite(values)]  # a layer of 20 is dead with probability 1e-6
        within = 4 * law.log_std / math.sqrt(NETS)
        literature.check(f"n = {n}, L = {depth}: mean log {what}", values.mean(), expected=law.log_mean, within=within)
        within = 4 * math.sqrt(2.5 / NETS)
        literature.check(
            f"n = {n}, L = {depth}: var log {what} over theory", values.var() / law.log_var, expected=1, within=within
        )


@pytest.mark.slow
def test_uniform_weights(literature):
    law = theory.finite_width([20] * 20, kurtosis=1.8)
    values = logs(20, 20, fi.init.law("he_uniform"))[0]
    values = values[np.isfinite(values)]
    within = 4 * law.log_std / math.sqrt(NETS)
    what = "n = 20, L = 20, uniform: mean log ||x||^2"
    literature.check(what, values.mean(), computed=-2.384, expected=law.log_mean, within=within)


def test_linear_networks(literature):
    """The identity with Var(w) = 1 / n: psi(n/2) + log(2/n) and psi'(n/2) a layer, 1 + 2/n of the square."""
    n, depth, nets = 20, 10, 2000
    law = theory.finite_width([n] * depth, "identity")
    values = np.zeros(nets)
    x = np.ones((nets, n)) / math.sqrt(n)
    for layer in range(depth):
        w = fi.init.xavier_normal((nets * n, n), seed=10, stream=layer, dtype="float64").reshape(nets, n, n)
        x = np.matmul(w, x[:, :, None])[:, :, 0]
    values = np.log(np.square(x).sum(axis=1))
    within = 4 * law.log_std / math.sqrt(nets)
    literature.check("linear, n = 20, L = 10: mean log", values.mean(), expected=law.log_mean, within=within)
    literature.check("linear, var log over theory", values.var() / law.log_var, expected=1, within=4 * math.sqrt(2.5 / nets))
    assert law.second_moment == pytest.approx(1.1**10)
