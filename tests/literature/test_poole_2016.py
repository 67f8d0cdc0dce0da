"""The variance and the correlation of signals in tanh networks, Poole et al. 2016, figures 1 and 2.

The maps and fixed points by quadrature (absolute error below 1e-12, checked with mpmath) and networks of 1000 units.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

import fanin as fi
from fanin import theory

# sigma_w^2, sigma_b^2, q*, chi_1, c*, C'(c*), xi_q, xi_c. 2.778 stands for 25/9, 1.76 for 1.7603.
FIXED_POINTS = """
0.5 0 0.00000000 0.50000000 1.00000000 0.50000000 1.44270 1.44270
1 0 0.00000000 1.00000000 1.00000000 1.00000000 inf inf
1.69 0 0.40898323 1.06436917 0.00000000 0.97100827 2.17234 33.99014
2.5 0 0.97357411 1.17297040 0.00000000 0.93199040 1.30986 14.19794
2.778 0 1.17848049 1.20983132 0.00000000 0.92079065 1.18782 12.11790
4 0 2.12147357 1.36267334 0.00000000 0.88221539 0.90437 7.97963
6.25 0 3.96096123 1.60697497 0.00000000 0.83835176 0.70655 5.67159
16 0 12.50060101 2.37680158 0.00000000 0.76536208 0.49311 3.73963
0.5 0.05 0.08757987 0.43198738 1.00000000 0.43198738 1.00885 1.19139
1 0.05 0.19359252 0.75903165 1.00000000 0.75903165 1.74763 3.62698
1.69 0.05 0.52708711 0.98451219 1.00000000 0.98451219 1.56444 64.06562
2.5 0.05 1.06395838 1.13351570 0.44680423 0.91871677 1.17987 11.79560
2.778 0.05 1.26409943 1.17635906 0.35373241 0.90450485 1.09649 9.96337
4 0.05 2.19549393 1.34240241 0.16506496 0.86652800 0.87329 6.98027
6.25 0.05 4.02677775 1.59475045 0.07190388 0.82832767 0.69624 5.30936
16 0.05 12.55815036 2.37148501 0.01673557 0.76215778 0.49154 3.68186
0.5 0.09 0.14831091 0.39932334 1.00000000 0.39932334 0.86469 1.08934
1 0.09 0.27629919 0.70025815 1.00000000 0.70025815 1.33713 2.80657
1.69 0.09 0.60704679 0.93980743 1.00000000 0.93980743 1.33767 16.10817
2.5 0.09 1.13241390 1.10616760 0.62949086 0.92582423 1.10132 12.97507
2.778 0.09 1.32983289 1.15247674 0.51657725 0.90614723 1.03784 10.14677
4 0.09 2.25375338 1.32707039 0.26389478 0.86035067 0.85083 6.64826
6.25 0.09 4.07912388 1.58522477 0.12210375 0.82222917 0.68834 5.10892
16 0.09 12.60414950 2.36726104 0.02969592 0.75974361 0.49029 3.63935
1 1 1.46385089 0.39887901 1.00000000 0.39887901 0.47967 1.08802
2.25 0.0025 0.79838711 1.13670778 0.05208624 0.94014050 1.45062 16.20064
1.76 0.05 0.56964667 0.99986041 1.00000000 0.99986041 1.52149 7163.45116
0.36 0.25 0.32498836 0.24179608 1.00000000 0.24179608 0.53706 0.70439
3 0.05 1.42800846 1.20893442 0.29931764 0.89540472 1.04146 9.05146
"""
ROWS = [[float(word) for word in line.split()] for line in FIXED_POINTS.split("\n") if line]
EXACT = {2.778: 25 / 9, 1.76: 1.7603}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]:g},{row[1]:g}")
def test_fixed_points(literature, row):
    w2, b2, *computed = row
    p = theory.fixed_point("tanh", sigma_w=math.sqrt(EXACT.get(w2, w2)), sigma_b=math.sqrt(b2))
    for name, value in zip(("q", "chi_1", "c", "chi_c"), computed, strict=False):
        literature.check(f"{name} at sigma_w^2 = {w2:g}, sigma_b^2 = {b2:g}", getattr(p, name), computed=value, within=1e-8)
    for name, value in zip(("xi_q", "xi_c"), computed[4:], strict=True):
        if math.isinf(value):
            assert getattr(p, name) == value
        else:
            literature.check(f"{name} at sigma_w^2 = {w2:g}, sigma_b^2 = {b2:g}", getattr(p, name), computed=value, within=1e-5)


EDGE = {
    1e-6: 1.018252619,
    2.01e-5: 1.049995628,
    1e-4: 1.086026292,
    0.0025: 1.260093817,
    0.01: 1.424205290,
    0.04: 1.700796372,
    0.05: 1.760954640,
    0.09: 1.947654632,
    0.1: 1.986072641,
    0.2: 2.285152474,
    0.25: 2.401489235,
    0.5: 2.843167460,
    1: 3.443210912,
}


@pytest.mark.parametrize("b2", EDGE)
def test_edge_of_chaos(literature, b2):
    edge = theory.edge_of_chaos("tanh", sigma_b=math.sqrt(b2))
    literature.check(f"sigma_w^2 of the edge of chaos at sigma_b^2 = {b2:g}", edge.sigma_w**2, computed=EDGE[b2], within=1e-9)
    back = theory.edge_of_chaos("tanh", sigma_w=edge.sigma_w)
    assert (back.sigma_b**2, back.q) == (pytest.approx(b2, rel=1e-6), pytest.approx(edge.q, rel=1e-6))


def test_edge_of_chaos_by_weights_and_by_variance(literature):
    edge = theory.edge_of_chaos("tanh", sigma_w=math.sqrt(1.05))
    literature.check(
        "sigma_b^2 of the edge at sigma_w^2 = 1.05", edge.sigma_b**2, published=2.01e-5, computed=2.01052e-5, within=5e-11
    )
    table = [(0.01, 1.019710761, 1.258e-6), (0.1, 1.177569096, 8.3228e-4), (0.5, 1.687975121, 0.038041201)]
    for q, w2, b2 in [*table, (1, 2.153302649, 0.150964629), (2, 2.861162400, 0.512264948)]:
        edge = theory.edge_of_chaos("tanh", q=q)
        literature.check(f"sigma_w^2 of the edge at q = {q:g}", edge.sigma_w**2, computed=w2, within=1e-9)
        literature.check(
            f"sigma_b^2 of the edge at q = {q:g}", edge.sigma_b**2, computed=b2, within=5e-9 if q >= 0.1 else 5e-10
        )


# From q0, layers 1 to 6, sigma_b = 0.3; the table breaks off after sigma_w = 4.
STARTS = np.linspace(0, 15, 100)[[26, 53, 80]]
VARIANCES = {
    1.3: [
        [1.1596, 0.8020, 0.6892, 0.6440, 0.6241, 0.6150],
        [1.3263, 0.8435, 0.7044, 0.6504, 0.6270, 0.6164],
        [1.4050, 0.8613, 0.7107, 0.6531, 0.6282, 0.6169],
    ],
    2.5: [
        [4.0457, 4.0713, 4.0773, 4.0787, 4.0790, 4.0791],
        [4.6620, 4.2042, 4.1078, 4.0858, 4.0807, 4.0795],
        [4.9531, 4.2593, 4.1201, 4.0887, 4.0813, 4.0796],
    ],
    4.0: [[10.2166, 12.2447, 12.5564, 12.5979, 12.6033, 12.6040]],
}
CORRELATIONS = {  # (sigma_w, c0): {layer: c}
    (2.5, 0.5): {1: 0.444241, 2: 0.394501, 3: 0.350993, 5: 0.281553, 10: 0.184077, 20: 0.130986, 50: 0.122129},
    (4.0, 0.8): {1: 0.695088, 2: 0.582557, 3: 0.475390, 5: 0.303435, 10: 0.101612, 20: 0.034329},
}
NETS, N, PAIRS = 8, 1000, 8
LAYERS = (1, 2, 3, 5, 10, 20)


def variances(sigma_w, q, layers):
    found = []
    for _ in range(layers):
        q = theory.variance_map("tanh", q, sigma_w=sigma_w, sigma_b=0.3)
        found.append(float(q))
    return found


def correlations(sigma_w, c, layers):
    q, found = theory.fixed_point("tanh", sigma_w=sigma_w, sigma_b=0.3).q, []
    for _ in range(layers):
        c = float(theory.correlation_map("tanh", min(c, 1.0), q, sigma_w=sigma_w, sigma_b=0.3))
        found.append(c)
    return found


def test_trajectories_of_the_maps(literature):
    for sigma_w, rows in VARIANCES.items():
        for q0, row in zip(STARTS, rows, strict=False):
            for layer, (measured, computed) in enumerate(zip(variances(sigma_w, q0, 6), row, strict=True), 1):
                literature.check(
                    f"q, layer {layer}, sigma_w {sigma_w}, q0 {q0:.4f}: map", measured, computed=computed, within=5.1e-5
                )
    for (sigma_w, c0), row in CORRELATIONS.items():
        found = correlations(sigma_w, c0, max(row))
        for layer, computed in row.items():
            literature.check(
                f"c, layer {layer}, sigma_w {sigma_w}, c0 {c0}: map", found[layer - 1], computed=computed, within=6e-7
            )


def starts(q):
    """Three inputs of the variances of the figure, then PAIRS pairs of variance q for each of three correlations."""
    z = fi.init.normal((3 + 6 * PAIRS, N), seed=8, stream="z", dtype="float64")
    rows = [np.sqrt(q0) * one / np.sqrt(np.mean(one**2)) for q0, one in zip(STARTS, z, strict=False)]
    for i, c in enumerate((0.2, 0.5, 0.8)):
        for pair in range(PAIRS):
            u, v = z[3 + 2 * (i * PAIRS + pair) :][:2]
            u = u / np.linalg.norm(u)
            v = v - (v @ u) * u
            v = v / np.linalg.norm(v)
            rows += [np.sqrt(N * q) * u, np.sqrt(N * q) * (c * u + np.sqrt(1 - c * c) * v)]
    return np.array(rows)


@pytest.mark.slow
@pytest.mark.parametrize("sigma_w", VARIANCES)
def test_networks_of_1000_units(literature, sigma_w):
    p = theory.fixed_point("tanh", sigma_w=sigma_w, sigma_b=0.3)
    power, cosine = np.empty((NETS, 20, 3)), np.empty((NETS, 20, 3 * PAIRS))
    for net in range(NETS):
        z = starts(p.q)
        for layer in range(20):
            w = fi.init.normal((N, N), std=sigma_w / math.sqrt(N), seed=net, stream=f"{layer}.weight", dtype="float64")
            b = fi.init.normal((N,), std=0.3, seed=net, stream=f"{layer}.bias", dtype="float64")
            z = fi.dense_forward(fi.activation.evaluate("tanh", z), w, b).z
            power[net, layer] = np.square(z[:3]).mean(axis=1)
            u, v = z[3::2], z[4::2]
            cosine[net, layer] = (u * v).sum(axis=1) / np.sqrt((u**2).sum(axis=1) * (v**2).sum(axis=1))
    # Relative variance of q over networks, at stationarity: A / n (Poole et al. 2016; literature, section 0.1).
    g2, g4 = (theory.second_moment(lambda z, k=k: np.tanh(z) ** k, p.q) for k in (1, 2))
    a = (sigma_w**4 * (g4 - g2**2) / (1 - p.slope_q**2) + 2 * p.q**2) / p.q**2
    for i, q0 in enumerate(STARTS):
        rows = VARIANCES[sigma_w]
        for layer, expected in enumerate(variances(sigma_w, q0, 6)):
            computed = rows[i][layer] if i < len(rows) else None
            what = f"q, layer {layer + 1}, sigma_w {sigma_w}, q0 {q0:.4f}"
            within = 5 * math.sqrt(a / (N * NETS)) * expected
            literature.check(what, power[:, layer, i].mean(), computed=computed, expected=expected, within=within)
    for i, c0 in enumerate((0.2, 0.5, 0.8)):
        found = correlations(sigma_w, c0, 20)
        for layer in LAYERS:
            values = cosine[:, layer - 1, i * PAIRS : (i + 1) * PAIRS]
            se = values.mean(axis=1).std(ddof=1) / math.sqrt(NETS)
            computed = CORRELATIONS.get((sigma_w, c0), {}).get(layer)
            what = f"c, layer {layer}, sigma_w {sigma_w}, c0 {c0}"
            literature.check(what, values.mean(), computed=computed, expected=found[layer - 1], within=max(0.03, 5 * se))
