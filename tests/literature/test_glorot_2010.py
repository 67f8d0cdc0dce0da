"""Glorot and Bengio 2010, figures 6 to 8, equation 14, and the mean singular values "0.8" and "0.5".

Five tanh layers of 1000, 50 inputs of independent unit normals. Figures were computed by quadrature and simulated once; one
network agrees to 3 % (finite batch and width: about 0.7 %).
"""

from __future__ import annotations

import numpy as np
import pytest

import fanin as fi
from fanin import theory

N, ROWS, DEPTH = 1000, 50, 5
LAWS = {"standard": "fan_in_uniform", "normalized": "glorot_uniform"}  # eq. 1 and 16
ACTIVATIONS = {"standard": [0.4603, 0.2495, 0.1412, 0.0810, 0.0467], "normalized": [0.6279, 0.4863, 0.4082, 0.3576, 0.3216]}
GRADIENTS = {"standard": [0.0832, 0.1764, 0.3247, 0.5736, 1], "normalized": [0.4098, 0.6014, 0.7538, 0.8842, 1]}
WEIGHTS = {"standard": [1.0272, 1.0026, 1.0003, 1.0, 1], "normalized": [1.1459, 1.0559, 1.0249, 1.0093, 1]}


def forward(law, scale):
    xs, zs, ws = [scale * fi.init.normal((ROWS, N), seed=7, stream="x")], [], []
    for layer in range(DEPTH):
        ws.append(fi.init.law(law)((N, N), seed=7, stream=f"{layer}.weight"))
        f = fi.dense_forward(xs[-1], ws[-1], activation="tanh")
        zs.append(f.z)
        xs.append(f.a)
    return xs, zs, ws


def rms(x):
    return float(fi.summarize(x).rms)


@pytest.mark.parametrize("name", LAWS)
def test_figures_6_to_8(literature, name):
    xs, zs, ws = forward(LAWS[name], 1.0)
    dz, dzs = fi.init.normal((ROWS, N), seed=7, stream="da") * fi.activation.derivative("tanh", zs[-1]), []
    for layer in reversed(range(DEPTH)):
        dzs.insert(0, dz)
        if layer:
            da = fi.dense_backward(dz, xs[layer], ws[layer], None).dx
            dz = da * fi.activation.derivative("tanh", zs[layer - 1])
    # Per example, dW is the outer product of dz and x: its mean square is the product of theirs.
    powers = [np.mean(np.square(d).mean(axis=1) * np.square(x).mean(axis=1)) for d, x in zip(dzs, xs, strict=False)]
    q, n_var = 1.0, N * fi.init.law(LAWS[name]).moments((N, N)).variance
    for layer in range(DEPTH):
        q = theory.variance_map("tanh", q) if layer else float(np.square(xs[0]).mean())
        q *= n_var
        expected = np.sqrt(theory.second_moment("tanh", q))
        what = f"{name}, layer {layer + 1}: "
        computed = ACTIVATIONS[name][layer]
        literature.check(what + "rms of a", rms(xs[layer + 1]), computed=computed, expected=expected, within=0.03 * computed)
        for words, measured, table in (
            ("gradient over that of layer 5", rms(dzs[layer]) / rms(dzs[-1]), GRADIENTS),
            ("weight gradient over that of layer 5", np.sqrt(powers[layer] / powers[-1]), WEIGHTS),
        ):
            literature.check(what + words, measured, computed=table[name][layer], within=0.03 * table[name][layer])
    if name == "standard":
        literature.check("gradients shrink over 5 layers by", rms(dzs[-1]) / rms(dzs[0]), computed=12.0, within=0.5)
        literature.check("weight gradients differ by", np.sqrt(max(powers) / min(powers)), published=1.0, within=0.06)


def test_expected_figures(literature):
    """The library's own theory gives the table's digits."""
    for name, law in LAWS.items():
        q = n_var = N * fi.init.law(law).moments((N, N)).variance
        for layer in range(DEPTH):
            square = theory.second_moment("tanh", q)
            literature.check(
                f"{name}, layer {layer + 1}: theory", np.sqrt(square), computed=ACTIVATIONS[name][layer], within=6e-5
            )
            q = n_var * square


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "published", "computed", "within"), [("standard", 0.5, 0.4895, 0.003), ("normalized", 0.8, 0.840, 0.005)]
)
def test_mean_singular_value(literature, name, published, computed, within):
    """Of dz[l+1] / dz[l], l = 2, 3, for inputs of rms 0.1; at rms 0 the quarter circle law has mean 8 / (3 pi)."""
    _, zs, ws = forward(LAWS[name], 0.1)
    for layer in (1, 2):
        jacobian = ws[layer + 1] * fi.activation.derivative("tanh", zs[layer])[0]
        mean = np.linalg.svd(jacobian, compute_uv=False).mean()
        literature.check(
            f"{name}: mean singular value, layer {layer + 1}", mean, published=published, computed=computed, within=within
        )
