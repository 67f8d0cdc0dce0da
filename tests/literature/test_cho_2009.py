"""The arc-cosine kernel (Cho and Saul 2009): the correlation of two signals from one ReLU layer to the next, under He's law."""

from __future__ import annotations

import math

import numpy as np
import pytest

import fanin as fi
from fanin import theory

N = 1000
# After so many layers, from the closed form; the first is 1 / pi.
RELU = {0: {1: 0.3183098862, 2: 0.4937310902, 3: 0.6048257201, 5: 0.7359463506, 10: 0.871535516, 20: 0.9484284792}}
RELU[0] |= {50: 0.9878619449, 100: 0.9964231467}
RELU[0.5] = {1: 0.608997781, 2: 0.6839056509}


@pytest.mark.parametrize("c0", RELU)
def test_map(literature, c0):
    c = float(c0)
    for layer in range(1, 101):
        c = theory.arc_cosine(c)
        if layer in RELU[c0]:
            literature.check(f"ReLU: c, layer {layer}, c0 {c0}", c, computed=RELU[c0][layer], within=1e-9)
    assert theory.correlation_map("relu", 0.3, 2.0, sigma_w=math.sqrt(2)) == pytest.approx(theory.arc_cosine(0.3), rel=1e-14)


def test_networks(literature):
    """n = 1000, 4 networks of 8 pairs; one pair of one network has the standard error 1 / sqrt(n) at layer 1."""
    z = fi.init.normal((16, N), seed=15, stream="x", dtype="float64")
    z[1::2] -= (np.einsum("ij,ij->i", z[::2], z[1::2]) / np.square(z[::2]).sum(axis=1))[:, None] * z[::2]
    found = np.empty((4, 11))
    for net in range(4):
        x = z
        for layer in range(11):
            w = fi.init.he_normal((N, N), seed=net, stream=f"{layer}.weight", dtype="float64")
            f = fi.dense_forward(x, w, activation="relu")
            x = f.a
            u, v = f.z[::2], f.z[1::2]
            found[net, layer] = np.mean((u * v).sum(axis=1) / np.sqrt((u**2).sum(axis=1) * (v**2).sum(axis=1)))
    # z of layer 1 has the inputs' own correlation, 0; layer l + 1 the l-th value of the map.
    for layer in (1, 2, 3, 5, 10):
        literature.check(f"ReLU: c of 4 networks, layer {layer}", found[:, layer].mean(), computed=RELU[0][layer], within=0.03)
