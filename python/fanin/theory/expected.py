"""The expected spread of every layer of a network on the user's own batch, forward and backward, with its sampling error."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fanin.network.batch import batch
from fanin.network.network import Network
from fanin.theory.integrals.function import Activation
from fanin.theory.integrals.moments import chi, mean, second_moment
from fanin.theory.integrals.quadrature import Array
from fanin.theory.integrals.scatter import Kernel, Pairs, at
from fanin.theory.product import second_moment_of

_GROUPS = 64  # rows that are followed one by one; of more rows, groups of like size


@dataclass(frozen=True)
class ExpectedLayer:
    """What theory expects of one layer. Errors are relative standard deviations over draws of the weights."""

    name: str  # "hidden 1", ..., "output"
    activation: str
    n_in: int
    n_out: int
    n_var_w: float  # n_in * E[w^2]
    var_b: float  # E[b^2]
    z_std: float  # of the pre-activations
    z_cosine: float  # mean correlation of two inputs' pre-activations; NaN for a batch of one
    a_mean: float
    a_rms: float
    a_std: float
    a_error: float  # of a_std
    da_rms: float  # rms of the gradient of a, where that of the output's z is 1
    da_error: float  # of da_rms
    backward_ratio: float | None  # da_rms over that of the next hidden layer; None in the last hidden layer and the output


@dataclass(frozen=True)
class ExpectedTrace:
    """What `expected_trace` returns; print it for a table.

    Attributes
    ----------
    layers : tuple of ExpectedLayer
        Hidden layers, then the output layer; `hidden` and `output` name the parts.
    """

    layers: tuple[ExpectedLayer, ...]

    @property
    def hidden(self) -> tuple[ExpectedLayer, ...]:
        """The hidden layers."""
        return self.layers[:-1]

    @property
    def output(self) -> ExpectedLayer:
        """The output layer."""
        return self.layers[-1]

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, strings, lists and dictionaries."""
        return {"layers": [dict(layer.__dict__) for layer in self.layers]}

    def __str__(self) -> str:
        heads = ("layer", "in > out", "n Var(w)", "std of z", "mean of a", "std of a", "+-", "rms of da", "+-")
        rows = [heads]
        for layer in self.layers:
            numbers = (layer.n_var_w, layer.z_std, layer.a_mean, layer.a_std)
            texts = [f"{value:.4g}" for value in numbers] + [f"{100 * layer.a_error:.2g} %"]
            texts += [f"{layer.da_rms:.4g}", f"{100 * layer.da_error:.2g} %"]
            rows.append((layer.name, f"{layer.n_in}>{layer.n_out}", *texts))  # type: ignore[arg-type]
        return "\n".join(f"{row[0]:<10}" + "".join(f"{cell:>11}" for cell in row[1:]) for row in rows)


def expected_trace(net: Network, x: ArrayLike, *, law: Any = None) -> ExpectedTrace:
    """Return the spread that a network's layers should have on a batch: mean-field theory, row by row of the batch.

    Parameters
    ----------
    net : Network
        Its widths and activations, and the mean squares of its own weights and biases. It need not have been drawn from a law.
    x : array, shape (batch, n_in)
        The batch. Each row's own mean square is followed through the layers.
    law : law or sequence of laws, optional
        Take E[w^2] from these, one for all layers or one each, instead of from the weights that were drawn.

    Returns
    -------
    ExpectedTrace
        Expectations hold for wide layers of independent weights of mean 0; gradients besides for weights that are independent
        of those of the forward pass, which is what one draw looks like from the other side. The errors count what finite width
        adds, for the batch's own correlations between inputs; they take the output's gradients of different inputs to be
        independent, as errors in classification nearly are.

    Raises
    ------
    ValueError
        If `x` has a wrong shape, an empty batch or values that are not finite; if parameters are not finite.

    Examples
    --------
    >>> import fanin as fi
    >>> net = fi.Network([20, 500, 500, 2], activation="tanh", init="xavier_normal", seed=1)
    >>> x = fi.init.normal((1000, 20), seed=2, stream="x")
    >>> expected = fi.theory.expected_trace(net, x, law="xavier_normal")
    >>> [round(layer.a_std, 2) for layer in expected.hidden]
    [0.62, 0.48]
    """
    data = batch(net, x, np.float64)
    biases = net.biases or (None,) * len(net.weights)
    laws = list(law) if isinstance(law, list | tuple) else [law] * len(net.weights)
    if len(laws) != len(net.weights):
        raise ValueError(f"law must have one entry for each of the {len(net.weights)} layers, got {len(laws)}")
    layers = []
    for w, b, name, one in zip(net.weights, biases, net.activations, laws, strict=True):
        n_out, n_in = w.shape
        square = _mean_square("weights", w) if one is None else second_moment_of(one, (n_out, n_in))
        layers.append(LayerScale(name, n_in, n_out, n_in * square, 0.0 if b is None else _mean_square("biases", b)))
    return expect(np.square(data).mean(axis=1), Pairs(data), layers)


class LayerScale(NamedTuple):
    """All that an expectation knows of a layer."""

    activation: str
    n_in: int
    n_out: int
    n_var_w: float
    var_b: float


def expect(squares: Array, pairs: Pairs, scales: Sequence[LayerScale]) -> ExpectedTrace:
    """Return what `expected_trace` does, from the rows' mean squares, their pairs (used up) and the layers' scales."""
    signal, strays, layers = grouped(squares), 0.0, []
    for scale in scales:
        layer = _Forward(Activation(scale.activation), scale.n_in, scale.n_out, scale.n_var_w, scale.var_b)
        signal, strays = layer.carry(signal, pairs, strays)
        layers.append(layer)
    return ExpectedTrace(_backward(layers))


class _Forward:
    """One layer on its way forward; what its way back needs is kept."""

    def __init__(self, g: Activation, n_in: int, n_out: int, n_var_w: float, var_b: float) -> None:
        self.g, self.n_in, self.n_out, self.n_var_w, self.var_b = g, n_in, n_out, n_var_w, var_b

    def carry(self, signal: Array, pairs: Pairs, strays: float) -> tuple[Array, float]:
        """Take the mean squares of the inputs to those of the activations.

        `strays` is the variance of the logarithm of the batch's mean square, over draws of the weights below.
        """
        self.q = self.n_var_w * signal + self.var_b
        self.power = float(self.q.mean())
        fraction = 1 - self.var_b / self.power if self.power > 0 else 1.0
        pairs.add_bias(fraction)
        strays *= fraction**2
        self.kernel = kernel = Kernel(self.g, self.power)
        squares = np.asarray(second_moment(self.g, self.q))
        self.mean, self.square = float(np.mean(mean(self.g, self.q))), float(squares.mean())
        if abs(self.mean) < 1e-14 * math.sqrt(self.square):
            self.mean = 0.0  # of odd activations, rounding alone
        self.variance = max(self.square - self.mean**2, 0.0)
        value, slope, z = kernel.value, kernel.slope, kernel.z
        sway = kernel.mean(z * (value - self.mean) * slope)  # q d Var(g) / dq
        own = pairs.covariance(kernel.powers(value * (value - 2 * self.mean)))
        self.error = math.sqrt(sway**2 * strays + own / self.n_out) / (2 * self.variance) if self.variance > 0 else 0.0
        if self.square**2 > 0:
            sway, own = kernel.mean(z * value * slope), pairs.covariance(kernel.powers(value**2))
            strays = (sway**2 * strays + own / self.n_out) / self.square**2
        self.c = pairs.c
        self.weigh = pairs.weigh
        pairs.activate(kernel.powers(value), self.power * kernel.powers(slope), self.n_out)
        return squares, strays


def _backward(layers: list[_Forward]) -> tuple[ExpectedLayer, ...]:
    """Follow the gradient of unit mean square at the output's z, for each row, and its scatter."""
    output = layers[-1]
    gradient = np.ones_like(output.q)  # of z, layer after layer
    alike = np.full_like(output.c, 1 / math.sqrt(max(output.n_out - 1, 1)))  # correlation of two inputs' gradients
    strays, found, before = 0.0, [_layer("output", output, 1.0, 0.0, None)], None
    for index in range(len(layers) - 2, -1, -1):
        layer, after = layers[index], layers[index + 1]
        gradient = gradient * after.n_var_w / after.n_in * after.n_out
        rms = math.sqrt(float(gradient.mean()))
        error = math.sqrt(strays + 2 * layer.weigh(1.0, alike**2) / layer.n_out) / 2
        ratio = None if before is None else rms / before if before > 0 else math.nan
        found.append(_layer(f"hidden {index + 1}", layer, rms, error, ratio))
        before, kernel = rms, layer.kernel
        slopes, squares = kernel.powers(kernel.slope), kernel.powers(kernel.slope**2)
        total = float(slopes.sum())
        if total > 0:
            both = at(squares, layer.c) * (1 + 2 * alike**2) / total**2
            strays += (layer.weigh(3 * float(squares.sum()) / total**2, both) - 1) / layer.n_out
            alike = alike * at(slopes, layer.c) / total
        gradient = gradient * np.asarray(chi(layer.g, layer.q))
    return tuple(found[::-1])


def _layer(name: str, of: _Forward, da_rms: float, da_error: float, ratio: float | None) -> ExpectedLayer:
    return ExpectedLayer(
        name=name,
        activation=str(of.g),
        n_in=of.n_in,
        n_out=of.n_out,
        n_var_w=of.n_var_w,
        var_b=of.var_b,
        z_std=math.sqrt(of.power),
        z_cosine=float(of.c.mean()) if of.c.size else math.nan,
        a_mean=of.mean,
        a_rms=math.sqrt(of.square),
        a_std=math.sqrt(of.variance),
        a_error=of.error,
        da_rms=da_rms,
        da_error=da_error,
        backward_ratio=ratio,
    )


def _mean_square(what: str, parameter: NDArray[Any]) -> float:
    square = float(np.square(parameter, dtype=np.float64).mean())
    if not math.isfinite(square):
        raise ValueError(f"the network's {what} must be finite")
    return square


def grouped(energy: Array) -> Array:
    """Mean squares of the rows; of many rows, means over groups of like size that hold equal shares of them."""
    if energy.size <= _GROUPS:
        return energy
    sums = np.concatenate([[0.0], np.cumsum(np.sort(energy))])
    ends = np.interp(np.linspace(0, energy.size, _GROUPS + 1), np.arange(energy.size + 1), sums)  # rows are split at the ends
    return np.asarray(np.diff(ends) * _GROUPS / energy.size)
