"""What the signals of a gallery of networks say, word for word: findings, reasons, notes, advice and the figures of layers.

``python tests/python/diagnosis/test_signals_said.py`` writes tests/data/signals_said.txt anew; read what has changed. Figures
are those of weights and data that have the same bits everywhere, in three digits.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

import fanin as fi
from fanin.diagnosis.advice import untried
from fanin.diagnosis.signals.evidence import evidence
from fanin.diagnosis.signals.findings import findings, of_activations, of_gradients, word_of
from fanin.diagnosis.signals.notes import assumptions
from fanin.diagnosis.signals.reasons import reasons

SAID = Path(__file__).parents[2] / "data" / "signals_said.txt"
X = fi.init.normal((120, 8), seed=1, stream="x", dtype="float64")
Y = np.arange(120) % 4

Change = Callable[[fi.Network], None]


def scale(*factors: float) -> Change:
    def change(net: fi.Network) -> None:
        for w, factor in zip(net.weights, factors, strict=False):
            w[...] *= factor

    return change


def put(layer: int, value: float, *, biases: bool = False, units: slice = slice(None)) -> Change:
    def change(net: fi.Network) -> None:
        (net.biases if biases else net.weights)[layer][units] = value

    return change


def gallery() -> Iterator[tuple[str, fi.Trace]]:
    def case(
        name: str,
        activation: str = "tanh",
        law: str = "xavier_normal",
        change: Change | None = None,
        *,
        sizes: tuple[int, ...] = (8, 40, 40, 40, 40, 4),
        x: np.ndarray = X,
        y: np.ndarray | None = Y,
        loss: str = "cross_entropy",
    ) -> tuple[str, fi.Trace]:
        net = fi.Network(sizes, activation, law, seed=3, dtype="float64", loss=loss)
        if change is not None:
            change(net)
        return name, fi.trace(net, x, y)

    yield case("healthy")
    yield case("healthy, forward alone", y=None)
    yield case("healthy relu", "relu", "he_normal")
    yield case("zeros", law="zeros")
    yield case("zeros of relu", "relu", "zeros")
    yield case("constant", law="constant(value=0.1)")
    yield case("two units alike of forty", change=lambda net: put(1, 0.1, units=slice(2))(net))
    yield case("small", law="normal(std=0.01)")
    yield case("small relu", "relu", "normal(std=0.03)")
    yield case("small sigmoid", "sigmoid", "xavier_normal")
    yield case("large", law="normal")
    yield case("large relu", "relu", "normal")
    yield case("large identity", "identity", "normal(std=0.5)")
    yield case("small selu", "selu", "normal(std=0.02)")
    yield case("xavier under relu, deep", "relu", "xavier_normal", sizes=(8, *[40] * 12, 4))
    yield case("tanh at its own rule, deep", sizes=(8, *[60] * 30, 4))
    yield case("an odd layer", change=scale(1, 1, 0.01))
    yield case("two odd layers", sizes=(8, *[40] * 6, 4), change=scale(1, 30, 1, 30))
    yield case("layers that cancel", "identity", change=scale(1, 1e4, 1e-4))
    yield case("layers that cancel the other way", "identity", change=scale(1, 1e-4, 1e4))
    yield case("dead", "relu", "he_normal", put(2, -100.0, biases=True))
    yield case("half dead", "relu", "he_normal", put(1, -100.0, biases=True, units=slice(25)))
    yield case("saturated", change=scale(1, 20, 20))
    yield case("saturated by biases", change=put(3, 40.0, biases=True))
    yield case("a NaN among the weights", change=put(1, np.nan, units=slice(1)))
    yield case("overflow", "identity", change=scale(1e150, 1e150, 1e150))
    _, healthy = case("healthy")
    for values in ([np.nan, np.inf, 0.5, 1.0], [np.nan, np.nan]):  # as traces of another library's modules may have them
        yield f"inputs of {values}", dataclasses.replace(healthy, x=fi.summarize(np.array(values)))
    yield case("inputs far from 0", x=X + 3)
    yield case("large inputs", x=X * 30)
    yield case("small inputs", x=X / 30)
    yield case("inputs that do not vary", x=np.full((120, 8), 0.5))
    yield case("neighbours alike", x=np.cumsum(X, axis=1))
    yield case("biases", change=lambda net: [put(i, 0.3, biases=True)(net) for i in (1, 2)] and None)
    yield case("a large first cost", change=scale(1, 1, 1, 1, 60))
    yield case("targets far away", sizes=(8, 30, 30, 1), y=np.linspace(25, 346, 120)[:, None], loss="mean_squared_error")
    yield case("a last layer of zeros", change=scale(1, 1, 1, 1, 0))
    yield case("one hidden layer", sizes=(8, 30, 4))
    yield case("no hidden layer", sizes=(8, 4))
    yield case("narrow", "relu", "he_normal", sizes=(8, 3, 3, 3, 4))
    yield case("forward to exactly 0", "relu", "he_normal", scale(1, 1, 0, 1))


def rounded(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    return "(" + ", ".join(map(rounded, value)) + ")" if isinstance(value, tuple) else str(value)


def said(name: str, t: fi.Trace) -> str:
    found = findings(t)
    word = word_of(found)
    lines = [f"== {name}: {word}; forward {word_of(of_activations(t))}, backward {word_of(of_gradients(t))}"]
    lines += [f"{one.word} | {one.side} | {', '.join(one.layers)} | {rounded(one.figure)} | {one.text}" for one in found]
    lines += [f"- {text}" for text in reasons(t, found)] + [f"note: {text}" for text in assumptions(t)]
    lines += [f"try: {untried(word, t)}"] if untried(word, t) else []
    lines += [" ".join(rounded(getattr(one, field.name)) for field in dataclasses.fields(one)) for one in evidence(t)]
    return "\n".join(lines)


def test_what_is_said_of_every_network():
    expected = SAID.read_text().rstrip("\n").split("\n\n")
    for (name, t), theirs in zip(gallery(), expected, strict=True):
        assert said(name, t) == theirs


if __name__ == "__main__":
    SAID.write_text("\n\n".join(said(name, t) for name, t in gallery()) + "\n")
