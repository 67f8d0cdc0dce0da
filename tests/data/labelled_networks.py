"""Networks with a label each, for `fanin.diagnose` to be held against. NumPy in float64 alone: nothing of fanin is used.

``python labelled_networks.py`` writes labelled_networks.json and labelled_networks_2.json: what each network is, and its label.
`build` makes weights, biases and data from such an entry. The label is the first that applies:

1. a value that is not finite: diverged
2. dw of every hidden layer is 0: no gradient
3. units of a hidden layer with bit-equal rows of w: symmetric
4. over half of a hidden layer's units 0 on every input: dead
5. over half of a hidden layer's activations within 3 % of a bound of their function: saturated
6. rms of a from the first hidden layer to the last, or else rms of da from the last to the first, changed by a factor outside
   [0.1, 10] or by a geometric mean a layer outside [0.75, 1.33]: vanishing or exploding
7. 200 steps of full-batch SGD at the best of the rates 0.001, 0.01, 0.1 halve the cost: healthy

A network that fits none has no label and is left out.
"""

from __future__ import annotations

import itertools
import json
import math
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
ROWS = 200
CANDIDATES = 340

LAMBDA, ALPHA = 1.0507009873554805, 1.6732632423543772  # of selu


def _sigmoid(z):
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e))


def _exp(z):
    return np.exp(np.minimum(z, 0))


# value, derivative
ACTIVATIONS = {
    "identity": (lambda z: z, np.ones_like),
    "tanh": (np.tanh, lambda z: 4 * np.exp(-2 * np.abs(z)) / (1 + np.exp(-2 * np.abs(z))) ** 2),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(float)),
    "sigmoid": (_sigmoid, lambda z: np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z))) ** 2),
    "leaky_relu": (lambda z: np.where(z < 0, 0.01 * z, z), lambda z: np.where(z <= 0, 0.01, 1.0)),
    "elu": (lambda z: np.where(z < 0, np.expm1(np.minimum(z, 0)), z), lambda z: np.where(z < 0, _exp(z), 1.0)),
    "selu": (
        lambda z: LAMBDA * np.where(z < 0, ALPHA * np.expm1(np.minimum(z, 0)), z),
        lambda z: LAMBDA * np.where(z < 0, ALPHA * _exp(z), 1.0),
    ),
    "silu": (lambda z: z * _sigmoid(z), lambda z: _sigmoid(z) * (1 + z * (1 - _sigmoid(z)))),
    "softsign": (lambda z: z / (1 + np.abs(z)), lambda z: 1 / (1 + np.abs(z)) ** 2),
    "hardtanh": (lambda z: np.clip(z, -1, 1), lambda z: (np.abs(z) < 1).astype(float)),
}
# Beyond these an activation is within 3 % of a bound: of its magnitude there, for sigmoid of its range.
BOUNDS = {
    "tanh": (-0.97, 0.97),
    "sigmoid": (0.03, 0.97),
    "elu": (-0.97, math.inf),
    "selu": (-0.97 * LAMBDA * ALPHA, math.inf),
    "softsign": (-0.97, 0.97),
    "hardtanh": (-0.97, 0.97),
}
# Standard deviation (or half width) of the weights of a layer from its fans.
LAWS = {
    "zeros": lambda n, m: 0.0,
    "fan_in_uniform": lambda n, m: 1 / math.sqrt(n),
    "xavier_normal": lambda n, m: 1 / math.sqrt(n),
    "glorot_uniform": lambda n, m: math.sqrt(6 / (n + m)),
    "he_normal": lambda n, m: math.sqrt(2 / n),
    "he_fan_out": lambda n, m: math.sqrt(2 / m),
    "gain_0.5": lambda n, m: 0.5 / math.sqrt(n),
    "gain_1.2": lambda n, m: 1.2 / math.sqrt(n),
    "gain_5/3": lambda n, m: 5 / 3 / math.sqrt(n),
    "gain_3": lambda n, m: 3 / math.sqrt(n),
    "gain_4": lambda n, m: 4 / math.sqrt(n),
    "gain_10": lambda n, m: 10 / math.sqrt(n),
    "normal_0.01": lambda n, m: 0.01,
    "normal_0.1": lambda n, m: 0.1,
    "normal_1": lambda n, m: 1.0,
    "normal_1e150": lambda n, m: 1e150,
    "orthogonal": lambda n, m: 1.0,
}
COMMON = [law for law in LAWS if law not in ("zeros", "normal_1e150")]


def _weights(law, n, m, rng):
    if law.startswith("constant_"):
        return np.full((m, n), float(law.split("_")[1]))
    if law == "orthogonal":
        q, r = np.linalg.qr(rng.standard_normal((max(n, m), min(n, m))))
        q = q * np.sign(np.diag(r))
        return np.ascontiguousarray(q if m >= n else q.T)
    scale = LAWS[law](n, m)
    return scale * (rng.uniform(-1, 1, (m, n)) if law.endswith("uniform") else rng.standard_normal((m, n)))


def _data(name, rng):
    """x, y, inputs, outputs; y of one number is a regression's."""
    if name == "circle":
        label = np.arange(ROWS) % 2
        angle, radius = rng.uniform(0, 2 * np.pi, ROWS), np.where(label, 4, 1) + rng.uniform(-1, 1, ROWS)
        return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), label
    if name == "pixels":  # in [0, 1], not centred, neighbours alike
        label = np.arange(ROWS) % 10
        smooth = np.array([0.25, 0.5, 0.25])
        shapes = np.abs(np.apply_along_axis(np.convolve, 1, rng.standard_normal((10, 66)), smooth, "valid"))
        return np.clip(shapes[label] * 0.6 + 0.1 * rng.standard_normal((ROWS, 64)), 0, 1), label
    if name == "regression":
        x = rng.standard_normal((ROWS, 8))
        y = np.tanh(x @ rng.standard_normal((8, 2)))
        return x, y / y.std()
    label = np.arange(ROWS) % 4  # "blobs", "wide blobs"
    x = 1.5 * rng.standard_normal((4, 20))[label] + rng.standard_normal((ROWS, 20))
    return (x - x.mean(axis=0)) / x.std(axis=0) * (30 if name == "wide blobs" else 1), label


def build(spec):
    """The weights and biases of all layers, and the batch x, y, from an entry of the list."""
    rng = np.random.RandomState(spec["seed"])  # the legacy generator: its streams are frozen
    x, y = _data(spec["data"], rng)
    outputs = y.shape[1] if y.ndim == 2 else int(y.max()) + 1
    sizes = [x.shape[1], *spec["widths"], outputs]
    weights = [_weights(spec["law"], n, m, rng) for n, m in itertools.pairwise(sizes)]
    mean, std = spec["bias"]
    biases = [mean + std * rng.standard_normal(m) for m in spec["widths"]] + [np.zeros(outputs)]
    return weights, biases, x, y


def passes(weights, biases, g, x, y):
    """Return the cost, and z, a, da, dw, db of each layer; softmax cross-entropy, or the mean square for real targets."""
    value, slope = ACTIVATIONS[g]
    zs, activations = [], [x]
    for layer, (w, b) in enumerate(zip(weights, biases, strict=True)):
        zs.append(activations[-1] @ w.T + b)
        activations.append(zs[-1] if layer == len(weights) - 1 else value(zs[-1]))
    out = activations[-1]
    if y.ndim == 2:
        cost, da = float(np.mean((out - y) ** 2)), 2 * (out - y) / y.size
    else:
        shifted = out - out.max(axis=1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        cost = float(-logs[np.arange(len(y)), y].mean())
        da = np.exp(logs)
        da[np.arange(len(y)), y] -= 1
        da /= len(y)
    das, dws, dbs = [], [], []
    for layer in range(len(weights) - 1, -1, -1):
        dz = da if layer == len(weights) - 1 else da * slope(zs[layer])
        das.append(da)
        dws.append(dz.T @ activations[layer])
        dbs.append(dz.sum(axis=0))
        da = dz @ weights[layer] if layer else None
    return cost, zs, activations[1:], das[::-1], dws[::-1], dbs[::-1]


def rms(a):
    return float(np.sqrt(np.mean(a**2)))


def trend(first, last, steps):
    """What rule 6 says of a scale that goes from `first` to `last`."""
    if steps < 1 or first == last:
        return None
    if first == 0 or last == 0:
        return "vanishing" if last == 0 else "exploding"
    factor = math.exp((math.log(last) - math.log(first)) / steps)
    total = math.log(last) - math.log(first)
    if total < math.log(0.1) or factor < 0.75:
        return "vanishing"
    return "exploding" if total > math.log(10) or factor > 1.33 else None


def label(spec):
    weights, biases, x, y = build(spec)
    g = spec["activation"]
    cost, zs, activations, das, dws, dbs = passes(weights, biases, g, x, y)
    values = [x, *weights, *biases, *zs, *activations, *das, *dws, *dbs]
    if not (math.isfinite(cost) and all(np.isfinite(v).all() for v in values)):
        return "diverged"
    hidden = len(weights) - 1
    if all(not dw.any() for dw in dws[:hidden]):
        return "no gradient"
    if any(len(np.unique(w, axis=0)) < len(w) for w in weights[:hidden]):
        return "symmetric"
    if any(np.mean(np.all(a == 0, axis=0)) > 0.5 for a in activations[:hidden]):
        return "dead"
    if g in BOUNDS:
        low, high = BOUNDS[g]
        if any(np.mean((a < low) | (a > high)) > 0.5 for a in activations[:hidden]):
            return "saturated"
    found = trend(rms(activations[0]), rms(activations[hidden - 1]), hidden - 1)
    found = found or trend(rms(das[hidden - 1]), rms(das[0]), hidden - 1)
    if found:
        return found
    for rate in (0.1, 0.01, 0.001):
        w, b = [v.copy() for v in weights], [v.copy() for v in biases]
        for _ in range(200):
            now, _, _, _, dws, dbs = passes(w, b, g, x, y)
            if not now < 1e3 * cost:
                break
            for parameter, gradient in zip((*w, *b), (*dws, *dbs), strict=True):
                parameter -= rate * gradient
        else:
            if passes(w, b, g, x, y)[0] <= cost / 2:
                return "healthy"
    return None


def specs(seed):
    """The candidates of one set, drawn from laws, activations, depths, widths and data."""
    rng = np.random.RandomState(seed)

    def one(of):
        return of[rng.randint(len(of))]

    for index in range(CANDIDATES):
        activation = one([*ACTIVATIONS, "tanh", "relu", "tanh", "relu", "identity"])
        law, bias = one([*COMMON, "xavier_normal", "he_normal", "orthogonal", "gain_1.2"]), [0.0, 0.0]
        if index % 8 == 0:
            law = one(["zeros", "constant_0.1", "constant_0.5", "constant_-0.3", "normal_1e150"])
        elif index % 8 == 1:
            activation, bias = "relu", [one([-0.5, -1.0, -3.0]), one([0.0, 0.5, 1.0])]
        elif index % 8 == 2:
            bias = [0.0, one([0.1, 0.5, 1.0])]
        depth, width = one([1, 2, 2, 3, 3, 4, 6, 10, 20, 40]), one([16, 32, 64, 128])
        widths = [width] * depth
        if rng.randint(6) == 0:
            widths = [max(8, int(width * (0.5 ** (i / max(depth - 1, 1))))) for i in range(depth)]
        data = one(["blobs", "blobs", "circle", "pixels", "regression", "wide blobs"])
        yield {
            "seed": 1000 * seed + index,
            "activation": activation,
            "law": law,
            "bias": bias,
            "widths": widths,
            "data": data,
        }


def main() -> None:
    for seed, name in ((1, "labelled_networks.json"), (2, "labelled_networks_2.json")):
        kept = []
        with np.errstate(all="ignore"):
            for spec in specs(seed):
                found = label(spec)
                if found is not None:
                    kept.append({**spec, "label": found})
        lines = ",\n".join(json.dumps(entry) for entry in kept)
        (HERE / name).write_text(f"[\n{lines}\n]\n")
        counts = {word: sum(entry["label"] == word for entry in kept) for word in sorted({e["label"] for e in kept})}
        print(name, len(kept), counts, file=sys.stderr)


if __name__ == "__main__":
    main()
