"""Deep linear networks that learn (Saxe, McClelland and Ganguli 2013): from orthogonal weights as fast at any depth."""

from __future__ import annotations

import math

import numpy as np
import pytest

import fanin as fi


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
    literature.check(f"orthogonal, D = {depth}: steps to 5 %", reached, computed=steps, within=0)
    assert 10 <= reached <= 16
    literature.check(f"orthogonal, D = {depth}: distance to the recursion", worst, expected=0, within=1e-10)


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
    literature.check("three layers: distance to the sigmoid, over s_max", worst / s[0], expected=0, within=4e-3)
    predicted = [1036.7, 1334.3, 1564.7, 1900.1, 2437.5, 3453.4, 4177.1]  # the eighth comes after step 6000
    for mode, (seen, then) in enumerate(zip(half, predicted, strict=False), 1):
        # Euler's steps shift a half-time by about s lr / 2 of itself, at most 0.2 %, and a step is whole.
        literature.check(f"three layers: half-time of mode {mode}", seen, computed=then, within=0.005 * then)
