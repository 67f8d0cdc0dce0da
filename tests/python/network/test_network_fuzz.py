"""Random small networks on hostile data: no crash, no hang, no weight that is not finite without a word."""

from __future__ import annotations

import time
import warnings

import numpy as np
import pytest

import fanin as fi

LAWS = ["xavier_normal", "he_uniform", "zeros", "ones", "orthogonal", "normal(std=1e30)", "normal(std=1e-30)", "normal"]
EXTREMES = [0.0, -0.0, 1e-45, 1e-38, 1e-300, 1.0, -1.0, 1e10, 3e38, -3e38, 1e300, np.inf, -np.inf, np.nan]


def number(rng: np.random.Generator, low: float, high: float) -> float:
    """Uniform in the exponent."""
    return float(10 ** rng.uniform(low, high))


def optimizer(rng: np.random.Generator, layers: int) -> fi.optimizer.Optimizer:
    lr = number(rng, -40, 38) if rng.random() < 0.2 else number(rng, -4, 1)
    rates = [lr] * layers if rng.random() < 0.2 else lr
    clip = number(rng, -10, 10) if rng.random() < 0.2 else None
    momentum = float(rng.choice([0, 0.5, 0.99]))
    kind = rng.integers(3)
    if kind == 0:
        return fi.SGD(rates, momentum, bool(momentum) and rng.random() < 0.5, clip_norm=clip)
    eps = float(rng.choice([0, 1e-300, 1e-8, 1e10]))
    if kind == 1:
        return fi.RMSProp(rates, float(rng.choice([0, 0.9])), eps, momentum, clip_norm=clip)
    return fi.Adam(rates, *rng.choice([0, 0.5, 0.999], 2), eps, weight_decay=float(rng.choice([0, 0.1, 1e30])), clip_norm=clip)


def network(rng: np.random.Generator) -> fi.Network:
    loss = str(rng.choice(fi.loss.names()))
    hidden = [int(n) for n in rng.integers(1, 12, rng.integers(0, 5))]
    if len(hidden) > 2 and rng.random() < 0.3:
        hidden[1] = hidden[2] = hidden[0]
    outputs = int(rng.integers(2, 6)) if loss == "cross_entropy" else int(rng.integers(1, 4)) if "mean" in loss else 1
    sizes = [int(rng.integers(1, 9)), *hidden, outputs]
    square = [layer for layer in range(1, len(hidden)) if hidden[layer] == hidden[layer - 1]]
    alike = [layer for layer in square if hidden[layer] == hidden[square[0]]]
    names = [*fi.activation.names(), "leaky_relu(3)", "elu(-1e6)"]
    return fi.Network(
        sizes,
        [str(rng.choice(names)) for _ in hidden],
        str(rng.choice(LAWS)),
        loss,
        seed=int(rng.integers(2**63)),
        dtype=str(rng.choice(["float32", "float64"])),
        bias=bool(rng.random() < 0.7),
        bias_init=str(rng.choice(["zeros", "normal"])),
        shared=alike if rng.random() < 0.5 else None,
    )


def batch(rng: np.random.Generator, net: fi.Network, rows: int) -> tuple[np.ndarray, np.ndarray]:
    x = rng.standard_normal((rows, net.sizes[0])) * number(rng, -5, 5)
    outputs = net.sizes[-1]
    if net.loss_name == "cross_entropy":
        y = rng.integers(0, outputs + (rng.random() < 0.03), rows)
    elif net.loss_name == "mean_squared_error":
        y = rng.standard_normal((rows, outputs) if outputs > 1 else rows)
    else:
        y = rng.choice([-1.0 if net.loss_name == "hinge" else 0.0, 1.0], rows)
    for array in (x, y):
        if array.dtype.kind == "f" and rng.random() < 0.3:
            places = rng.integers(0, array.size, rng.integers(1, 4))
            array.reshape(-1)[places] = rng.choice(EXTREMES[: rng.integers(1, len(EXTREMES) + 1)], len(places))
    return x, y


def finite(net: fi.Network) -> bool:
    return all(bool(np.isfinite(p).all()) for p in (*net.weights, *net.biases))


def one(seed: int, path) -> str:
    rng = np.random.default_rng(seed)
    net = network(rng)
    assert finite(net), seed
    x, y = batch(rng, net, int(rng.integers(1, 40)))
    opt, before = optimizer(rng, len(net.weights)), [p.copy() for p in (*net.weights, *net.biases)]
    how = str(rng.choice(["stop", "raise", "continue", "step", "on_step"]))
    options = {"epochs": int(rng.integers(1, 5)), "batch_size": int(rng.integers(1, 50)), "shuffle": rng.random() < 0.5}
    said = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            if how == "step":
                for _ in range(5):
                    said = said or not np.isfinite(net.step(x, y, optimizer=opt))
            elif how == "on_step":
                net.fit(x, y, optimizer=opt, on_step=lambda _: None, **options)
            else:
                net.fit(x, y, optimizer=opt, on_nonfinite=how, **options)
        except ValueError:  # refused: nothing changed
            assert all(np.array_equal(a, b) for a, b in zip(before, (*net.weights, *net.biases), strict=True)), seed
            assert opt.steps == 0, seed
            return "refused"
        except FloatingPointError as error:
            assert how == "raise", seed
            said = str(error)
    assert all(w.category is RuntimeWarning for w in caught), (seed, [str(w.message) for w in caught])
    said = said or bool(caught) or net.history.diverged
    if not finite(net):
        assert said, seed
        assert how in ("continue", "step") or "parameters of" in net.history.nonfinite, seed
    labels = net.predict(x)
    assert len(labels) == len(x), seed
    if seed % 10 == 0:
        net.save(path, opt)
        again, restored = fi.load(path)
        assert repr(again) == repr(net), seed
        assert repr(restored) == repr(opt), seed
        assert all(a.tobytes() == b.tobytes() for a, b in zip(again.weights, net.weights, strict=True)), seed
    return "not finite" if said else "finite"


def many(seeds: range, path) -> None:
    found: dict[str, int] = {}
    for seed in seeds:
        begin = time.monotonic()
        how = one(seed, path)
        assert time.monotonic() - begin < 10, seed
        found[how] = found.get(how, 0) + 1
    assert min(found.get(how, 0) for how in ("refused", "finite", "not finite")) > len(seeds) // 50, found


def test_random_networks(tmp_path):
    many(range(100), tmp_path / "net")


@pytest.mark.slow
def test_ten_thousand_random_networks(tmp_path):
    many(range(1000, 11_000), tmp_path / "net")
