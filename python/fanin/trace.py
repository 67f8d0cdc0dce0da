"""A trace: what every layer of a network does to one batch, forward and backward, beside what theory expects."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fanin import loss as _loss
from fanin import theory
from fanin.dense import dense_backward, dense_forward
from fanin.network import Network
from fanin.stats import Summary, summarize

# Outside these bounds an activation counts as saturated: its slope is then below 6 % (tanh) or 3 % (sigmoid).
SATURATION = {"tanh": (-0.97, 0.97), "sigmoid": (0.03, 0.97)}
_RANGE = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0)}  # where an activation lives; others get the batch's own range
_BINS = 64
_Gradients: TypeAlias = dict[str, NDArray[Any] | None]  # dz, da, dw, db
_GROUPS = 256  # rows whose expected signals are followed one by one; more rows are grouped by size first


@dataclass(frozen=True)
class LayerTrace:
    """One layer on one batch. Gradients are of the mean cost, and None in a trace that goes forward only."""

    name: str  # "hidden 1", ..., "output"
    activation: str
    n_in: int
    n_out: int
    z: Summary
    a: Summary
    w: Summary
    b: Summary | None  # None where layers have no biases
    dz: Summary | None
    da: Summary | None
    dw: Summary | None
    db: Summary | None
    n_var_w: float  # n_in * E[w^2]: n_in * Var(w) for a law of mean 0
    saturated: float | None  # fraction of the activations; None where the activation has no bound on either side
    dead: float  # fraction of the units that are 0 for every input
    twins: int  # units whose weights, bias (and gradient) are those of another unit, bit for bit
    forward_ratio: float | None  # rms of a over that of the hidden layer before; None in hidden 1 and the output
    backward_ratio: float | None  # rms of da over that of the hidden layer after; None in the last hidden and the output
    expected_std: float  # of a, from the batch's own E[x^2] and this network's own n_var_w
    expected_backward_ratio: float | None
    forward_noise: float  # standard deviation of log(forward_ratio) over draws of the weights, for one input
    backward_noise: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers and strings; of each summary its moments, bounds and counts."""
        out: dict[str, Any] = {}
        for key, value in self.__dict__.items():
            if key in ("z", "a", "w", "b", "dz", "da", "dw", "db"):
                out[key] = None if value is None else {f: _plain(getattr(value, f)) for f in _SUMMARY_FIELDS}
            else:
                out[key] = value
        return out


_SUMMARY_FIELDS = ("count", "mean", "std", "rms", "min", "max", "zeros", "nans", "infs")


def _plain(value: Any) -> int | float:
    return int(value) if isinstance(value, int | np.integer) else float(value)


@dataclass(frozen=True)
class Trace:
    """What `trace` returns; print it for a table of at most 100 columns.

    Attributes
    ----------
    layers : tuple of LayerTrace
        Hidden layers, then the output layer; `hidden` and `output` name the parts.
    x : Summary
        The batch itself, as the network sees it.
    cost : float or None
        The mean cost of the batch; None without `y`.
    uninformed_cost : float or None
        The cost of a network that favours no class: ln(classes). None for costs that have no such value.
    """

    layers: tuple[LayerTrace, ...]
    x: Summary
    batch: int
    loss_name: str
    cost: float | None
    uninformed_cost: float | None

    @property
    def hidden(self) -> tuple[LayerTrace, ...]:
        """The hidden layers."""
        return self.layers[:-1]

    @property
    def output(self) -> LayerTrace:
        """The output layer."""
        return self.layers[-1]

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the histograms as plain numbers, strings, lists and dictionaries."""
        return {
            "batch": self.batch,
            "loss": self.loss_name,
            "cost": self.cost,
            "uninformed_cost": self.uninformed_cost,
            "x": {f: _plain(getattr(self.x, f)) for f in _SUMMARY_FIELDS},
            "layers": [layer.to_dict() for layer in self.layers],
        }

    def __str__(self) -> str:
        lines = [_line(_GROUPS_OF_COLUMNS), _line(_COLUMNS), *(_line(_cells(layer)) for layer in self.layers)]
        if self.cost is not None:
            beside = "" if self.uninformed_cost is None else f"; a network that favours no class: {self.uninformed_cost:.4g}"
            lines.append(f"cost {self.cost:.4g}{beside}")
        return "\n".join(lines)


def number(value: float | None, width: int = 8) -> str:
    """Format a number in `width` columns (7 or more), so that scales from 1e-300 to 1e300 compare at a glance."""
    if value is None:
        text = "-"
    elif value == 0 or not math.isfinite(value):
        text = f"{value:g}"
    elif 1e-3 <= abs(value) < 1e4:
        text = f"{value:.4f}" if abs(value) < 10 else f"{value:.4g}"
    else:
        text = f"{value:.1e}"
        if 0 < width < len(text):
            text = f"{value:.0e}"
    return f"{text:>{width}}"


_WIDTHS = (-10, 9, 7, 8, 8, 8, 5, 5, 8, 7, 7, 7)
_GROUPS_OF_COLUMNS = ("", "", "n", "", "of a:", "", "", "", "of da:", "", "", "of dw:")
_COLUMNS = ("layer", "in > out", "Var(w)", "std", "expected", "ratio", "satur", "dead", "rms", "ratio", "expect.", "rms")


def _line(cells: tuple[str, ...]) -> str:
    """Join cells; a negative width is flush left."""
    return " ".join(f"{c:<{-w}}" if w < 0 else f"{c:>{w}}" for c, w in zip(cells, _WIDTHS, strict=True)).rstrip()


def _cells(layer: LayerTrace) -> tuple[str, ...]:
    numbers = (layer.n_var_w, float(layer.a.std), layer.expected_std, layer.forward_ratio)
    back = (_rms(layer.da), layer.backward_ratio, layer.expected_backward_ratio, _rms(layer.dw))
    return (
        layer.name,
        f"{layer.n_in}>{layer.n_out}",
        *(number(value, width) for value, width in zip(numbers, _WIDTHS[2:6], strict=True)),
        "-" if layer.saturated is None else f"{100 * layer.saturated:.0f} %",
        f"{100 * layer.dead:.0f} %",
        *(number(value, width) for value, width in zip(back, _WIDTHS[8:], strict=True)),
    )


def _rms(summary: Summary | None) -> float | None:
    return None if summary is None else float(summary.rms)


def _summary(values: NDArray[Any], bounds: tuple[float, float] | None = None) -> Summary:
    """Summarize with a histogram over `bounds`, or over the values' own range."""
    if bounds is None:
        plain = summarize(values, bins=None)
        low, high = float(plain.min), float(plain.max)
        if not low < high or not math.isfinite(high - low):
            return plain
        bounds = (low, high)
    return summarize(values, bins=_BINS, range=bounds)


def _maybe(values: NDArray[Any] | None) -> Summary | None:
    return None if values is None else _summary(values)


def _twins(rows: list[NDArray[Any]]) -> int:
    """Units whose row in every array equals another unit's, bit for bit (-0 equals 0)."""
    keys = [b"".join((row + 0).tobytes() for row in unit) for unit in zip(*rows, strict=True)]
    return sum(count for count in Counter(keys).values() if count > 1)


def _grouped(energy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean squares of the rows; of many rows, means over groups of rows of like size."""
    if energy.size <= _GROUPS:
        return energy
    return np.array([part.mean() for part in np.array_split(np.sort(energy), _GROUPS)])


def _saturated(activation: str, a: NDArray[Any]) -> float | None:
    if activation not in SATURATION:
        return None
    low, high = SATURATION[activation]
    return float(np.mean((a < low) | (a > high)))


def trace(net: Network, x: ArrayLike, y: ArrayLike | None = None) -> Trace:
    """Send one batch through a network and measure every layer.

    Parameters
    ----------
    net : Network
        It is not changed.
    x : array, shape (batch, n_in)
        Converted to the network's dtype, as `Network` does.
    y : array, optional
        Targets of the network's loss. Without them the trace goes forward only.

    Returns
    -------
    Trace
        Per layer: summaries of z, a, w, b and, with `y`, of the gradients dz, da, dw, db of the mean cost; the same bits
        for any number of threads. The expected values are those of mean-field theory (`fanin.theory`): they hold for wide
        layers of independent weights of mean 0.

    Raises
    ------
    ValueError
        If `x` or `y` has a wrong shape or an empty batch.

    Examples
    --------
    >>> import fanin as fi
    >>> x, y = fi.datasets.digits()
    >>> net = fi.Network([64, 300, 300, 10], activation="tanh", init="xavier_normal", seed=7)
    >>> print(fi.trace(net, x[:100], y[:100]))  # doctest: +SKIP
    """
    data = net._x(x)
    if data.ndim != 2 or data.shape[1] != net.sizes[0] or data.shape[0] == 0:
        raise ValueError(f"x must have shape (batch, n_in) = (1 or more, {net.sizes[0]}), got {data.shape}")
    if not np.isfinite(data).all():
        row = int(np.argmin(np.isfinite(data).all(axis=1)))
        raise ValueError(f"x must hold finite numbers, got NaN or infinity in row {row}")
    # Values of the network that are not finite are evidence, not accidents: summaries count them, `diagnose` judges them.
    with np.errstate(all="ignore"):
        return _trace(net, data, y)


def _trace(net: Network, data: NDArray[Any], y: ArrayLike | None) -> Trace:
    inputs: list[NDArray[Any]] = [data]
    passes: list[tuple[NDArray[Any], NDArray[Any]]] = []  # z and a
    biases = net.biases or (None,) * len(net.weights)
    for w, b, activation in zip(net.weights, biases, net.activations, strict=True):
        forward = dense_forward(inputs[-1], w, b, activation=activation)
        passes.append((np.asarray(forward.z), forward.a))
        inputs.append(forward.a)

    cost: float | None = None
    gradients: list[_Gradients | None] = [None] * len(passes)
    if y is not None:
        cost, gradients = _backward(net, inputs, [z for z, _ in passes], y)

    layers: list[LayerTrace] = []
    q = _grouped(np.square(data, dtype=np.float64).mean(axis=1))
    for index, (w, b, activation, (z, a)) in enumerate(zip(net.weights, biases, net.activations, passes, strict=True)):
        last = index == len(passes) - 1
        g = gradients[index]
        arrays: _Gradients = {"z": z, "w": w, "b": b} | ({} if g is None else g)
        statistics: dict[str, Any] = {key: _maybe(arrays.get(key)) for key in ("z", "w", "b", "dz", "da", "dw", "db")}
        statistics["a"] = _summary(a, _RANGE.get(activation))
        n_var_w = w.shape[1] * float(statistics["w"].rms) ** 2
        signal = n_var_w * q + (0.0 if b is None else float(statistics["b"].rms) ** 2)
        finite = bool(np.all(np.isfinite(signal))) and np.isfinite(w).all() and (b is None or np.isfinite(b).all())
        q = np.asarray(theory.second_moment(activation, signal)) if finite else np.full_like(q, np.nan)
        shift = float(np.mean(theory.mean(activation, signal))) if finite else math.nan
        power = float(statistics["z"].rms) ** 2
        layers.append(
            LayerTrace(
                name="output" if last else f"hidden {index + 1}",
                activation=activation,
                n_in=w.shape[1],
                n_out=w.shape[0],
                **statistics,
                n_var_w=n_var_w,
                saturated=_saturated(activation, a),
                dead=float(np.mean(np.all(a == 0, axis=0))),
                twins=_twins([w, *([] if b is None else [b[:, None]]), *([] if g is None else [np.asarray(g["dw"])])]),
                forward_ratio=None,
                backward_ratio=None,
                expected_std=math.sqrt(max(float(q.mean()) - shift**2, 0.0)) if finite else math.nan,
                expected_backward_ratio=None,
                forward_noise=_noise(activation, power, "forward", w.shape[0]),
                backward_noise=_noise(activation, power, "backward", w.shape[0]),
            )
        )
    return Trace(
        layers=tuple(_with_ratios(layers)),
        x=_summary(data),
        batch=data.shape[0],
        loss_name=net.loss_name,
        cost=cost,
        uninformed_cost=_uninformed_cost(net),
    )


def _backward(
    net: Network, inputs: list[NDArray[Any]], z: list[NDArray[Any]], y: ArrayLike
) -> tuple[float, list[_Gradients | None]]:
    """The cost and, layer by layer, the gradients dz, da, dw, db."""
    targets, logits = net._y(y), z[-1]
    one = logits.shape[1] == 1 and targets.ndim == 1
    cost, dz = _loss.evaluate(net.loss_name, logits[:, 0] if one else logits, targets)
    da = np.asarray(dz).reshape(logits.shape)
    gradients: list[_Gradients | None] = []
    for x, w, z_layer, activation in reversed(list(zip(inputs[:-1], net.weights, z, net.activations, strict=True))):
        g = dense_backward(da, x, w, z_layer, activation=activation, need=("dx", "dw", "db", "dz"))
        gradients.append({"dz": g.dz, "da": da, "dw": g.dw, "db": g.db})
        da = np.asarray(g.dx)
    return float(cost), gradients[::-1]


def _noise(activation: str, power: float, direction: str, n: int) -> float:
    if not math.isfinite(power):
        return math.nan
    return math.sqrt(theory.relative_fluctuation(activation, power, direction) / n) / 2


def _with_ratios(layers: list[LayerTrace]) -> list[LayerTrace]:
    """Add what two neighbouring hidden layers say together."""
    out, hidden = list(layers), len(layers) - 1
    for i in range(1, hidden):
        out[i] = replace(out[i], forward_ratio=_ratio(layers[i].a, layers[i - 1].a))
    for i in range(hidden - 1):
        after = layers[i + 1]
        power = float(after.z.rms) ** 2
        slope = float(theory.chi(after.activation, power)) if math.isfinite(power) else math.nan
        expected = math.sqrt(after.n_var_w / after.n_in * after.n_out * slope)
        out[i] = replace(out[i], backward_ratio=_ratio(layers[i].da, after.da), expected_backward_ratio=expected)
    return out


def _ratio(over: Summary | None, under: Summary | None) -> float | None:
    if over is None or under is None or over.rms == under.rms == 0:
        return None
    return float(np.divide(over.rms, under.rms))


def _uninformed_cost(net: Network) -> float | None:
    if net.loss_name == "cross_entropy":
        return math.log(net.sizes[-1])
    return math.log(2) if net.loss_name == "binary_cross_entropy" else None
