"""Anchor 11: deep linear networks that learn (a), Saxe et al. 2013, and the spectrum of the Jacobian (b), Pennington et al.

2017 and 2018: n = 200, L = 10, 20 networks.
"""

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
    literature.check("linear: E m_2, theory", expected, published=11.2876, within=6e-5)
    measured = np.mean(spectra("identity", "xavier_normal", 1.0, 0.0, 1.0) ** 4)
    literature.check("linear: m_2", measured, published=11.288, expected=expected, within=1.4)
    expected = theory.jacobian_moments(N, DEPTH, "relu").second
    literature.check("ReLU, Gaussian: E m_2, theory", expected, published=23.1021, within=6e-5)
    measured = np.mean(spectra("relu", "xavier_normal", 2.0, 0.0, 1.0) ** 4)
    literature.check("ReLU, Gaussian: m_2", measured, published=23.10, expected=expected, within=10)


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
    literature.check("tanh, orthogonal, (1.05, 2.01e-5): variance", measured, published=0.0427, expected=expected, within=0.01)
    assert singular.min() > 0.4
    literature.check(
        "tanh, orthogonal, q = .5: theory",
        theory.jacobian_variance("tanh", 0.5, DEPTH, weights="orthogonal"),
        published=2.99,
        within=0.006,
    )
    literature.check(
        "tanh, Gaussian, q = .5: theory", theory.jacobian_variance("tanh", 0.5, DEPTH), published=12.99, within=0.006
    )


@pytest.mark.parametrize(
    ("depth", "edge"), [(2, 6.75), (4, 12.2070), (8, 23.0921), (16, 44.8448), (32, 88.3407), (64, 175.3274)]
)
def test_largest_eigenvalue(literature, depth, edge):
    literature.check(
        f"linear Gaussian, L = {depth}: largest eigenvalue", theory.largest_eigenvalue(depth), published=edge, within=6e-5
    )


def gradient_descent(weights, target, lr):
    """Steps on 1/2 ||W[D] ... W[1] - target||^2; yields the product before each.

    A network learns the unit vectors, so its output is the product's transpose. Its cost is a mean over N^2 numbers without the
    half, so its learning rate is N^2 / 2 times as large.
    """
    n = len(target)
    net = fi.Network([n] * (len(weights) + 1), "identity", weights, "mean_squared_error", bias=False, dtype="float64", seed=0)
    unit, sgd = np.eye(n), fi.SGD(lr * n * n / 2)
    while True:
        yield net.forward(unit).T
        net.step(unit, target.T, optimizer=sgd)


def haar(n, stream):
    return fi.init.orthogonal((n, n), seed=11, stream=stream, dtype="float64")


def deep_linear(depth, law):
    """The N = 12 network of depth D and its target, of singular values 1.2 ... 2, as (U, s, V, descent)."""
    n, s = 12, np.linspace(1.2, 2, 12)
    weights = [fi.init.law(law)((n, n), seed=11, stream=f"{layer}.weight", dtype="float64") for layer in range(depth)]
    q = np.linalg.multi_dot(weights[::-1]) if law == "orthogonal" else haar(n, "q")
    v = haar(n, "v")
    u = q @ v
    return u, s, v, gradient_descent(weights, u * s @ v.T, 0.1 / depth)


def learned(u, s, v, product):
    return bool(np.all(np.abs(np.diag(u.T @ product @ v) / s - 1) <= 0.05))


@pytest.mark.parametrize(("depth", "steps"), [(2, 15), (4, 13), (8, 12), (16, 12), (32, 12), (64, 12)])
def test_orthogonal_learns_at_any_depth_in_the_same_time(literature, depth, steps):
    """Modes start at u = 1 and follow a <- a + lr (s - u) u / a, u = a^D; the step at which all are within 5 %."""
    u, s, v, descent = deep_linear(depth, "orthogonal")
    a, worst, reached = np.ones(12), 0.0, None
    for step, product in zip(range(40), descent, strict=False):
        modes = u.T @ product @ v
        worst = max(worst, float(np.abs(modes - np.diag(a**depth)).max()))
        if reached is None and learned(u, s, v, product):
            reached = step
        a += 0.1 / depth * (s - a**depth) * a ** (depth - 1)
    literature.check(f"orthogonal, D = {depth}: steps to 5 %", reached, published=steps, within=0)
    assert 10 <= reached <= 16
    literature.check(f"orthogonal, D = {depth}: distance to the recursion", worst, published=0, within=1e-10)


def test_gaussian_takes_more_than_a_thousand_steps():
    u, s, v, descent = deep_linear(8, "xavier_normal")
    assert not any(learned(u, s, v, product) for _, product in zip(range(1001), descent, strict=False))


def test_modes_of_three_layers_follow_the_sigmoid(literature):
    """u(t) = s e^(2 s t) / (e^(2 s t) - 1 + s / u_0) for a decoupled, balanced start (Saxe et al. 2013, eq. 12)."""
    s, u0, lr = np.array([4, 3, 2.5, 2, 1.5, 1, 0.8, 0.5]), 1e-3, 1e-3
    u, v, r = (haar(8, name) for name in "uvr")
    weights = [math.sqrt(u0) * r @ v.T, math.sqrt(u0) * u @ r.T]
    worst, half = 0.0, np.zeros(8)
    for step, product in zip(range(6001), gradient_descent(weights, u * s @ v.T, lr), strict=False):
        modes = np.diag(u.T @ product @ v)
        half = np.where((half == 0) & (modes >= s / 2), step, half)
        if step % 500 == 0:
            growth = np.exp(2 * s * lr * step)
            worst = max(worst, float(np.abs(modes - s * growth / (growth - 1 + s / u0)).max()))
    literature.check("three layers: distance to the sigmoid, over s_max", worst / s[0], published=0, within=4e-3)
    predicted = [1036.7, 1334.3, 1564.7, 1900.1, 2437.5, 3453.4, 4177.1]  # the eighth comes after step 6000
    for mode, (seen, then) in enumerate(zip(half, predicted, strict=False), 1):
        # Euler's steps shift a half-time by about s lr / 2 of itself, at most 0.2 %, and a step is whole.
        literature.check(f"three layers: half-time of mode {mode}", seen, published=then, within=0.005 * then)
