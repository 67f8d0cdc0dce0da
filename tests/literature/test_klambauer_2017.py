"""Self-normalizing networks, Klambauer et al. 2017."""

from __future__ import annotations

import math

import numpy as np
import pytest

import fanin as fi
from fanin import theory
from fanin.theory.mean_variance import SELU_ALPHA, SELU_SCALE

N, ROWS, NETS = 1000, 200, 8
LAYERS = (1, 2, 3, 5, 10, 20)
# Pooled over units: variance and mean from (0, nu0) after each of LAYERS
POOLED = {
    0.1: ([0.14994, 0.21609, 0.29349, 0.46288, 0.79449, 0.98031], [-0.05172, -0.05492, -0.05539, -0.04917, -0.02204, -0.00222]),
    4: ([2.94110, 2.35274, 1.96445, 1.51738, 1.13082, 1.01066], [0.25483, 0.17550, 0.12303, 0.06372, 0.01526, 0.00121]),
    16: ([9.0169, 6.08699, 4.32172, 2.54129, 1.32356, 1.02451], None),
}
# The paper's map, omega = 0 and tau = 1 exactly: (mean, variance) after layers 1, 3, 5, 10, 20
PAPER = {
    0.1: [(-0.051716, 0.149942), (-0.055454, 0.286436), (-0.049924, 0.449438), (-0.023256, 0.782306), (-0.002401, 0.978739)],
    4: [(0.254828, 2.941102), (0.116952, 1.919220), (0.059416, 1.484152), (0.014085, 1.120999), (0.001119, 1.009836)],
}


def pooled(nu0):
    m, v, found = 0.0, nu0, []
    for _ in range(max(LAYERS)):
        m, v = theory.mean_variance_map(theory.selu, m, v, pooled=True, breakpoints=(0.0,))
        found.append((m, v))
    return found


def test_constants_and_jacobian(literature):
    literature.check("alpha", SELU_ALPHA, published=1.673263242354377284817043, within=1e-15)
    literature.check("lambda", SELU_SCALE, published=1.050700987355480493419335, within=1e-15)
    fixed = theory.selu_map(0.0, 1.0)
    literature.check("mean at the fixed point", fixed.mean, published=0, within=1e-15)
    literature.check("variance at the fixed point", fixed.variance, published=1, within=1e-14)
    jacobian = theory.selu_jacobian()
    for (i, j), published in {(0, 0): 0.0, (0, 1): 0.088834, (1, 0): 0.0, (1, 1): 0.782648}.items():
        literature.check(f"Jacobian {i}, {j}", jacobian[i, j], published=published, within=1e-6)
    literature.check("spectral norm", np.linalg.norm(jacobian, 2), published=0.7877, within=5e-5)


@pytest.mark.parametrize("nu0", PAPER)
def test_the_map_of_the_paper(literature, nu0):
    m, v = 0.0, nu0
    for layer in range(1, 21):
        m, v = theory.selu_map(m, v)
        if layer in (1, 3, 5, 10, 20):
            mean, variance = PAPER[nu0][(1, 3, 5, 10, 20).index(layer)]
            literature.check(f"the paper's map, nu0 = {nu0}, layer {layer}: mean", m, computed=mean, within=6e-7)
            literature.check(f"the paper's map, nu0 = {nu0}, layer {layer}: variance", v, computed=variance, within=6e-7)


@pytest.mark.parametrize("nu0", POOLED)
def test_the_pooled_map(literature, nu0):
    variances, means = POOLED[nu0]
    found = pooled(nu0)
    for i, layer in enumerate(LAYERS):
        within = 6e-5 if nu0 == 16 else 6e-6
        literature.check(
            f"pooled map, nu0 = {nu0}, layer {layer}: variance", found[layer - 1][1], computed=variances[i], within=within
        )
        if means is not None:
            literature.check(
                f"pooled map, nu0 = {nu0}, layer {layer}: mean", found[layer - 1][0], computed=means[i], within=6e-6
            )


def test_theorems_1_to_3():
    """The image of the domain is inside it; large variances shrink, small ones grow."""
    grid = np.linspace(-0.1, 0.1, 9)
    image = [
        theory.selu_map(mu, nu, omega=omega, tau=tau)
        for mu in grid
        for omega in grid
        for nu in np.linspace(0.8, 1.5, 9)
        for tau in np.linspace(0.95, 1.1, 5)
    ]
    means, variances = (np.array(column) for column in zip(*image, strict=True))
    assert (means.min(), means.max()) == (pytest.approx(-0.0310605, abs=5e-6), pytest.approx(0.0677251, abs=5e-6))
    assert (variances.min(), variances.max()) == (pytest.approx(0.80371, abs=5e-5), pytest.approx(1.48157, abs=5e-5))
    for tau in np.linspace(0.8, 1.25, 5):
        for mu in np.linspace(-1, 1, 5):
            for omega in np.linspace(-0.1, 0.1, 3):
                assert all(theory.selu_map(mu, nu, omega=omega, tau=tau).variance < nu for nu in np.linspace(3, 16, 6))
                if abs(mu) <= 0.1:
                    assert all(theory.selu_map(mu, nu, omega=omega, tau=tau).variance > nu for nu in np.linspace(0.02, 0.16, 6))


def layer_of(x, seed, layer):
    w = fi.init.lecun_normal((N, N), seed=seed, stream=f"{layer}.weight", dtype="float64")
    return theory.selu(fi.dense_forward(x, w).z)


@pytest.mark.slow
@pytest.mark.parametrize("nu0", [0.1, 1, 4])
def test_networks(literature, nu0):
    found = np.empty((NETS, 20, 2))
    for net in range(NETS):
        x = fi.init.normal((ROWS, N), std=math.sqrt(nu0), seed=net, stream="x", dtype="float64")
        for layer in range(20):
            x = layer_of(x, net, layer)
            found[net, layer] = x.mean(), x.var()
    expected = pooled(nu0)
    for layer in (1, 3, 5, 10, 20):
        mean, variance = expected[layer - 1]
        noise = 5 * math.sqrt(3 / N / NETS)
        computed = POOLED[nu0][0][LAYERS.index(layer)] if nu0 in POOLED else None
        what = f"n = 1000, nu0 = {nu0}, layer {layer}: "
        within = (0.02 + noise) * variance
        literature.check(what + "variance", found[:, layer - 1, 1].mean(), computed=computed, expected=variance, within=within)
        within = (0.02 + noise) * math.sqrt(variance)
        literature.check(what + "mean", found[:, layer - 1, 0].mean(), expected=mean, within=within)


@pytest.mark.slow
def test_fifty_layers(literature):
    x = fi.init.normal((ROWS, N), seed=12, stream="x", dtype="float64")
    for layer in range(50):
        x = layer_of(x, 12, layer)
    literature.check("mean after 50 layers", x.mean(), published=0, within=0.02)
    literature.check("variance after 50 layers", x.var(), published=1, within=0.05)
    for start in (16, 0.05):
        x = fi.init.normal((ROWS, N), std=math.sqrt(start), seed=12, stream="x", dtype="float64")
        after = layer_of(x, 12, 0).var()
        assert (after < start) == (start > 1)
