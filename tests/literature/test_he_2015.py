"""He et al. 2015, "if L layers, Xavier's std would be 1 / sqrt(2)^L of theirs", without any sampling error.

Laws scale one standard draw and ReLU is homogeneous: with the same seed x[l] under Xavier is 2^(-l/2) times x[l] under He, and
every layer's weight gradient, for one output co-vector, 2^(-(L-1)/2) times He's.
"""

from __future__ import annotations

import pytest

import fanin as fi

WIDTH = 128


def carried(law, depth):
    """rms of every layer's activations, and of its weights' gradient."""
    x = fi.init.normal((32, WIDTH), seed=1, stream="x")
    xs, zs, ws = [x], [], []
    for layer in range(depth):
        ws.append(law((WIDTH, WIDTH), seed=5, stream=f"{layer}.weight"))
        f = fi.dense_forward(xs[-1], ws[-1], activation="relu")
        zs.append(f.z)
        xs.append(f.a)
    da, dws = fi.init.normal((32, WIDTH), seed=1, stream="da"), []
    for x, w, z in zip(xs[-2::-1], ws[::-1], zs[::-1], strict=True):
        g = fi.dense_backward(da, x, w, z, activation="relu")
        da = g.dx
        dws.append(g.dw)
    return [float(fi.summarize(x).rms) for x in xs[1:]], [float(fi.summarize(dw).rms) for dw in dws[::-1]]


@pytest.mark.parametrize(("depth", "end", "gradient"), [(22, 4.8828125e-4, 6.9053e-4), (30, 3.0517578e-5, 4.3158e-5)])
def test_ratios(literature, depth, end, gradient):
    (a_he, w_he), (a_xavier, w_xavier) = carried(fi.init.he_normal, depth), carried(fi.init.xavier_normal, depth)
    for layer in range(depth):
        assert a_xavier[layer] / a_he[layer] == pytest.approx(2 ** (-(layer + 1) / 2), rel=1e-5)
        assert w_xavier[layer] / w_he[layer] == pytest.approx(2 ** (-(depth - 1) / 2), rel=1e-5)
    literature.check(f"rms at the end, Xavier over He, L = {depth}", a_xavier[-1] / a_he[-1], published=end, within=1e-5 * end)
    # the formula, to 5 digits
    literature.check(
        f"weight gradients, Xavier over He, L = {depth}", w_xavier[0] / w_he[0], computed=gradient, within=3e-5 * gradient
    )
