"""The spectrum of the Jacobian at the start, Pennington, Schoenholz and Ganguli 2017 and 2018: n = 200, L = 10, 20 networks."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest

import fanin as fi
from fanin import theory

N, DEPTH, NETS = 200, 10, 20


@cache
def spectra(activation, law, w2, b2, q):
    """Singular values of J, a row for each network, at one input of pre-activation variance q."""
    found = np.empty((NETS, N))
    for net in range(NETS):
        z = fi.init.normal((1, N), std=math.sqrt(q), seed=net, stream="z", dtype="float64")
        jacobian = np.eye(N)
        for layer in range(DEPTH):
            w = math.sqrt(w2) * fi.init.law(law)((N, N), seed=net, stream=f"{layer}.weight", dtype="float64")
            b = fi.init.normal((N,), std=math.sqrt(b2), seed=net, stream=f"{layer}.bias", dtype="float64")
            z = fi.dense_forward(fi.activation.evaluate(activation, z) if layer else z, w, b).z
            jacobian = fi.activation.derivative(activation, z)[0][:, None] * (w @ jacobian)
        found[net] = np.linalg.svd(jacobian, compute_uv=False)
    return found


def test_second_moments(literature):
    expected = theory.jacobian_moments(N, DEPTH).second
    literature.check("linear: E m_2, theory", expected, computed=11.2876, within=6e-5)
    measured = np.mean(spectra("identity", "xavier_normal", 1.0, 0.0, 1.0) ** 4)
    literature.check("linear: m_2", measured, computed=11.288, expected=expected, within=1.4)
    expected = theory.jacobian_moments(N, DEPTH, "relu").second
    literature.check("ReLU, Gaussian: E m_2, theory", expected, computed=23.1021, within=6e-5)
    measured = np.mean(spectra("relu", "xavier_normal", 2.0, 0.0, 1.0) ** 4)
    literature.check("ReLU, Gaussian: m_2", measured, computed=23.10, expected=expected, within=10)


def test_orthogonal_weights(literature):
    singular = spectra("identity", "orthogonal", 1.0, 0.0, 1.0)
    literature.check("linear, orthogonal: largest |s - 1|", np.abs(singular - 1).max(), published=0, within=1e-6)
    expected = theory.jacobian_variance("relu", 1.0, DEPTH, weights="orthogonal")
    measured = np.mean([np.var(s**2) for s in spectra("relu", "orthogonal", 2.0, 0.0, 1.0)])
    literature.check("ReLU, orthogonal: variance of eigenvalues", measured, published=10, expected=expected, within=3)


def test_dynamical_isometry(literature):
    w2, b2 = 1.05, 2.01e-5
    q = theory.fixed_point("tanh", sigma_w=math.sqrt(w2), sigma_b=math.sqrt(b2)).q
    expected = theory.jacobian_variance("tanh", q, DEPTH, weights="orthogonal")
    singular = spectra("tanh", "orthogonal", w2, b2, q)
    measured = np.mean([np.var(s**2) for s in singular])
    literature.check("tanh, orthogonal, (1.05, 2.01e-5): variance", measured, computed=0.0427, expected=expected, within=0.01)
    assert singular.min() > 0.4
    literature.check(
        "tanh, orthogonal, q = .5: theory",
        theory.jacobian_variance("tanh", 0.5, DEPTH, weights="orthogonal"),
        computed=2.99,
        within=0.006,
    )
    literature.check(
        "tanh, Gaussian, q = .5: theory", theory.jacobian_variance("tanh", 0.5, DEPTH), computed=12.99, within=0.006
    )


@pytest.mark.parametrize(
    ("depth", "edge"), [(2, 6.75), (4, 12.2070), (8, 23.0921), (16, 44.8448), (32, 88.3407), (64, 175.3274)]
)
def test_largest_eigenvalue(literature, depth, edge):
    literature.check(
        f"linear Gaussian, L = {depth}: largest eigenvalue", theory.largest_eigenvalue(depth), published=edge, within=6e-5
    )
