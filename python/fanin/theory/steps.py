"""The derivation of Xavier's rule as a chain of steps, each with a check that is computed when it is asked for.

Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010, section 4.2; He et al.,
"Delving deep into rectifiers", 2015, section 2.2, for the last step. A layer is z = W a[l-1] + b, a[l] = g(z), with b = 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from fanin import init
from fanin.dense import dense_backward, dense_forward
from fanin.theory.integrals.moments import second_moment
from fanin.theory.integrals.quadrature import Array
from fanin.theory.product import predict_variance

_SAMPLES = 1_000_000


@dataclass(frozen=True)
class Check:
    """A number that the step predicts, and what sampling gives.

    `error` is four standard errors of the sample; 0 for identities, which hold to rounding.
    """

    what: str
    predicted: float
    measured: float
    error: float

    @property
    def holds(self) -> bool:
        """Whether measured and predicted agree within the error."""
        return abs(self.measured - self.predicted) <= self.error + 1e-12 * abs(self.predicted)


@dataclass(frozen=True)
class Step:
    """One step: what is said, as a formula, and its checks. A caveat shows where the statement ends."""

    number: int
    statement: str
    formula: str
    checks: tuple[Check, ...]
    caveats: tuple[Check, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether every check holds and every caveat does not."""
        return all(c.holds for c in self.checks) and not any(c.holds for c in self.caveats)

    def __str__(self) -> str:
        lines = [f"{self.number}. {self.statement}", f"   {self.formula}"]
        lines += [f"   {c.what}: {c.predicted:.5g}, measured {c.measured:.5g} +- {c.error:.2g}" for c in self.checks]
        lines += [f"   not so for {c.what}: the formula says {c.predicted:.5g}, it is {c.measured:.5g}" for c in self.caveats]
        return "\n".join(lines)


@dataclass(frozen=True)
class Derivation:
    """What `derivation` returns; print it to read it."""

    steps: tuple[Step, ...]

    def __getitem__(self, number: int) -> Step:
        """Return the step of that number, from 1."""
        for step in self.steps:
            if step.number == number:
                return step
        raise KeyError(f"there are steps 1 to {len(self.steps)}, got {number}")

    @property
    def holds(self) -> bool:
        """Whether every step holds."""
        return all(step.holds for step in self.steps)

    def __str__(self) -> str:
        return "\n\n".join(str(step) for step in self.steps)


def derivation(seed: int = 0) -> Derivation:
    """Derive Xavier's rule and check every step by sampling with `seed`; takes a few seconds.

    Examples
    --------
    >>> from fanin import theory
    >>> chain = theory.derivation()
    >>> chain.holds
    True
    >>> print(chain[9].formula)
    2 / (n[l-1] + n[l]) = harmonic mean of 1 / n[l-1] and 1 / n[l]
    """
    return Derivation(tuple(step(seed) for step in _STEPS))


def _normal(n: int, seed: int, name: str, *, mean: float = 0.0, std: float = 1.0) -> Array:
    return np.asarray(init.normal((n,), mean=mean, std=std, seed=seed, stream=f"derivation.{name}", dtype="float64"))


def _sampled(what: str, predicted: float, values: Array) -> Check:
    """Compare with the variance of a sample; its standard error is sqrt((m4 - var^2) / n)."""
    squares = (values - values.mean()) ** 2
    return Check(what, predicted, float(squares.mean()), 4 * float(squares.std()) / math.sqrt(values.size))


def _averaged(what: str, predicted: float, runs: Array) -> Check:
    return Check(what, predicted, float(runs.mean()), 4 * float(runs.std(ddof=1)) / math.sqrt(runs.size))


def _linear_regime(seed: int) -> Step:
    z = _normal(_SAMPLES, seed, "z")
    checks = []
    for q, bound in ((1e-4, 3e-4), (1e-2, 3e-2)):  # tanh(z)^2 = z^2 - 2 z^4 / 3 + ..., so the ratio is near 1 - 2 q
        ratio = float(np.mean(np.tanh(math.sqrt(q) * z) ** 2)) / (q * float(np.mean(z**2)))
        checks.append(Check(f"Var(tanh(z)) / Var(z) at Var(z) = {q:g}", 1.0, ratio, bound))
    far = Check("Var(z) = 1", 1.0, float(second_moment("tanh", 1.0)), 3e-2)
    formula = "Var(a[l]) = Var(g(z)) ~ Var(z) for small z: tanh(0) = 0, tanh'(0) = 1"
    return Step(1, "In the linear regime an activation keeps the variance.", formula, tuple(checks), (far,))


def _sum_of_independent(seed: int) -> Step:
    n, rows = 10, _SAMPLES // 10
    w, a = (_normal(n * rows, seed, name).reshape(rows, n) for name in ("w", "a"))
    checks = (_sampled(f"a sum of {n} products of variance 1", float(n), (w * a).sum(axis=1)),)
    same = _sampled(f"{n} equal products", float(n), n * w[:, 0] * a[:, 0])
    formula = "Var(sum_j w_kj a_j) = sum_j Var(w_kj a_j)"
    statement = "Weights independent and alike, inputs independent and alike, both independent of each other: variances add."
    return Step(2, statement, formula, checks, (same,))


def _product(seed: int) -> Step:
    x, y = _normal(_SAMPLES, seed, "x", mean=2.0, std=3.0), _normal(_SAMPLES, seed, "y", mean=-1.0, std=0.5)
    formula = "Var(XY) = E[X]^2 Var(Y) + Var(X) E[Y]^2 + Var(X) Var(Y)"
    check = _sampled("X of mean 2 and std 3, Y of mean -1 and std 0.5", 2.0**2 * 0.5**2 + 3.0**2 * 1 + 3.0**2 * 0.5**2, x * y)
    z = _normal(_SAMPLES, seed, "z")
    return Step(3, "The variance of a product of independent variables.", formula, (check,), (_sampled("X = Y", 1.0, z * z),))


def _centred(seed: int) -> Step:
    n, batch = 300, 1000
    a = _normal(n * batch, seed, "input").reshape(batch, n)
    w = np.asarray(init.normal((n, n), std=0.1, seed=seed, stream="derivation.weight", dtype="float64"))
    z = np.asarray(dense_forward(a, w, np.zeros(n), activation="identity").z)
    # The units are independent given the inputs, so the mean squares of the units are the sample.
    check = _averaged("300 inputs of variance 1, weights of std 0.1", n * 0.01, (z**2).mean(axis=0))
    formula = "E[w] = E[a] = 0:  Var(z_k) = sum_j Var(w) Var(a) = n[l-1] Var(W[l]) Var(a[l-1])"
    return Step(4, "Means of 0 leave the last term.", formula, (check,))


def _one_layer(seed: int) -> Step:
    runs = _ends([300, 300], 1.0, seed, 20)
    formula = "Var(a[l]) = n[l-1] Var(W[l]) Var(a[l-1]),  so Var(W[l]) = 1 / n[l-1] keeps it"
    return Step(5, "One layer, linear regime.", formula, (_averaged("300 > 300, n Var(W) = 1", 1.0, runs),))


_WIDTHS = ([300] * 6, [784, 300, 300, 300, 300, 10], [64, 512, 128, 256])


def _whole_network(seed: int) -> Step:
    checks = []
    for sizes in _WIDTHS:
        for n_var in (0.5, 1.0, 2.0):
            predicted = predict_variance(sizes, n_var=n_var).forward[-1]
            name = "-".join(str(n) for n in sizes)
            checks.append(_averaged(f"{name}, n Var(W) = {n_var:g}", predicted, _ends(sizes, n_var, seed, 40)))
    formula = "Var(a[L]) = [prod_(l=1..L) n[l-1] Var(W[l])] Var(x)"
    return Step(6, "The whole network, layer after layer.", formula, tuple(checks))


def _three_cases(seed: int) -> Step:
    checks = []
    for n_var, verdict in ((0.9, "vanishing"), (1.0, "healthy"), (1.1, "exploding")):
        found = predict_variance([100] * 51, n_var=n_var)
        what = f"50 layers, n Var(W) = {n_var:g}: {found.forward_verdict}, Var(a[L]) / Var(x)"
        checks.append(Check(what, n_var**50 if found.forward_verdict == verdict else math.nan, found.forward[-1], 0.0))
    formula = "n[l-1] Var(W[l]) < 1: vanishing signal; = 1: Var(a[L]) = Var(x); > 1: exploding signal"
    return Step(7, "Three cases.", formula, tuple(checks))


def _backward(seed: int) -> Step:
    n_in, n_out, batch = 784, 300, 200
    x, dz = _normal(n_in * batch, seed, "x").reshape(batch, n_in), _normal(n_out * batch, seed, "dz").reshape(batch, n_out)
    checks = []
    modes: tuple[tuple[Literal["fan_out", "fan_in"], float], ...] = (("fan_out", 1.0), ("fan_in", n_out / n_in))
    for mode, predicted in modes:
        w = init.xavier_normal((n_out, n_in), mode=mode, seed=seed, stream="derivation.weight", dtype="float64")
        dx = np.asarray(dense_backward(dz, x, w, np.zeros((batch, n_out)), activation="identity").dx)
        checks.append(_averaged(f"784 > 300, Var(W) from {mode}: Var(da[l-1]) / Var(dz)", predicted, (dx**2).mean(axis=0)))
    formula = "Var(da[l-1]) = n[l] Var(W[l]) Var(dz[l]),  so Var(W[l]) = 1 / n[l] keeps it"
    return Step(8, "Backward, the same argument with W transposed.", formula, tuple(checks))


def _both(seed: int) -> Step:
    checks = []
    for n_in, n_out in ((784, 300), (300, 10)):
        p = predict_variance([n_in, n_out], "glorot_normal")
        harmonic = 2 / (1 / (1 / n_in) + 1 / (1 / n_out))
        checks.append(Check(f"{n_in} > {n_out}, Var(W)", harmonic, p.n_var[0] / n_in, 0.0))
        checks.append(Check(f"{n_in} > {n_out}, n Var(W) forward", 2 * n_in / (n_in + n_out), p.n_var[0], 0.0))
        checks.append(Check(f"{n_in} > {n_out}, n Var(W) backward", 2 * n_out / (n_in + n_out), p.n_out_var[0], 0.0))
    z = _normal(_SAMPLES, seed, "z")
    relu = 2 * np.maximum(z, 0) ** 2
    checks.append(_averaged("ReLU, twice the variance (He): 2 E[relu(z)^2] / E[z^2]", 1.0, relu))
    formula = "2 / (n[l-1] + n[l]) = harmonic mean of 1 / n[l-1] and 1 / n[l]"
    return Step(9, "The rule: N(0, 1 / n[l-1]), or a compromise of both; for ReLU twice that.", formula, tuple(checks))


def _ends(sizes: list[int], n_var: float, seed: int, nets: int) -> Array:
    """Mean square of the output of linear networks over that of their inputs, one for each network."""
    ends = np.empty(nets)
    for net in range(nets):
        a = init.normal((50, sizes[0]), seed=seed + net, stream="derivation.x", dtype="float64")
        start = float(np.mean(np.square(a)))
        for layer, (n_in, n_out) in enumerate(pairwise(sizes)):
            std = math.sqrt(n_var / n_in)
            w = init.normal((n_out, n_in), std=std, seed=seed + net, stream=f"derivation.{layer}.weight", dtype="float64")
            a = dense_forward(a, w, np.zeros(n_out), activation="identity").a
        ends[net] = float(np.mean(np.square(a))) / start
    return ends


_STEPS: tuple[Callable[[int], Step], ...] = (
    _linear_regime,
    _sum_of_independent,
    _product,
    _centred,
    _one_layer,
    _whole_network,
    _three_cases,
    _backward,
    _both,
)
