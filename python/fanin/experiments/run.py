"""One experiment: data split into training and held-out rows, and networks that are judged at their start and then trained.

`fanin.compare` and `fanin.sweep` are made of its runs.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fanin import _core, datasets
from fanin.common import require
from fanin.datasets.assembly import two_classes
from fanin.datasets.files import Data
from fanin.datasets.table import arrays
from fanin.diagnosis.attempt import Attempt
from fanin.diagnosis.diagnosis import Diagnosis, judge, tried
from fanin.diagnosis.signals.thresholds import limit
from fanin.network.network import Network
from fanin.network.targets import class_labels, constant_prediction, converted, is_text
from fanin.optimizer import Optimizer
from fanin.tracing.measure import measure
from fanin.tracing.record import Trace


@dataclass(frozen=True)
class Run:
    """One initialization: its first moment, its training, its result."""

    law: str
    trace: Trace  # before the first step
    diagnosis: Diagnosis  # of that trace, with a trial where the trace is whole
    cost_start: float  # mean over the training rows, before the first step
    cost_end: float
    costs: NDArray[np.float64]  # of the batch of every step
    epoch_costs: NDArray[np.float64]
    error: float  # held out: the fraction misclassified; the cost where the loss is mean_squared_error
    diverged: bool  # whether a cost, a gradient or a parameter was infinite or NaN
    constant: tuple[float, float]  # cost on the training rows and held-out error of the best prediction that ignores x
    seconds: float = field(compare=False)  # that the training took

    @property
    def learns_late(self) -> bool:
        """Whether the signal vanishes at the start, and training still halves the cost and beats the constant prediction."""
        halved = self.cost_end < self.cost_start / 2
        return self.diagnosis.signal == "vanishing" and halved and not self.is_at_chance

    @property
    def is_at_chance(self) -> bool:
        """Whether the training ended at a cost that the best prediction that ignores x has too, or above it."""
        return len(self.costs) > 0 and self.cost_end >= limit("chance") * self.constant[0]

    @property
    def verdict(self) -> str:
        """The diagnosis at the start in a few words, with what became of it.

        A trial may take more steps than the run did, and sees no held-out rows: that it trains is said of no run that ended
        where the constant prediction is.
        """
        words = [self.diagnosis.verdict if self.diagnosis.trial is None else self.diagnosis.headline]
        if self.diagnosis.outlook == "trains" and (end := self._end()):
            words = [f"{self.diagnosis.verdict}: {end}"]
        backward = self.diagnosis.backward
        if self.diagnosis.verdict != "healthy" and backward not in (None, "healthy", "diverged", self.diagnosis.verdict):
            words.append(f"gradients {backward}")
        if self.learns_late:
            words.append("learns late")
        if not math.isfinite(self.cost_end):
            words.append("diverges")
        return ", ".join(words)

    def _end(self) -> str:
        """Say where the run is no better at its end than the constant prediction; empty where it is."""
        steps = len(self.costs)
        if self.is_at_chance:
            return f"no better than a constant after {steps} step{'s' * (steps > 1)}"
        if steps and self.error > 0 and self.error >= self.constant[1]:
            return "held-out rows no better than a constant"
        return ""

    @property
    def spread(self) -> list[float]:
        """Standard deviation of every hidden layer's activations at the start."""
        return [float(layer.a.std) for layer in self.trace.hidden]

    @property
    def gradients(self) -> list[float]:
        """Root mean square of the gradient with respect to every hidden layer's activations at the start."""
        return [float(layer.da.rms) if layer.da is not None else math.nan for layer in self.trace.hidden]


@dataclass(frozen=True)
class Experiment:
    """Data in the types of a network, and how it is trained: what all runs share.

    It pickles, and holds nothing that a run changes.
    """

    train: Data
    held_out: Data
    outputs: int
    loss: str
    dtype: str
    epochs: int
    batch_size: int | None
    references: dict[Any, Attempt | None] = field(default_factory=dict, compare=False, repr=False)  # of the runs' trials

    def constant(self) -> tuple[float, float]:
        """Return the cost on the training rows and the held-out error of the best prediction that does not look at x."""
        y, held = self.train.y, self.held_out.y
        cost = constant_prediction(self.loss, y)[0]
        if self.loss == "mean_squared_error":
            return cost, float(np.mean((held - y.mean(axis=0, dtype=np.float64)) ** 2))
        values, counts = np.unique(y, return_counts=True)
        return cost, float(np.mean(held != values[np.argmax(counts)]))

    def aligned(self) -> Experiment:
        """Return it with arrays that kernels read: some pickles (distributed's) put them at any byte."""
        train, held_out = (Data(*map(require.aligned, data)) for data in (self.train, self.held_out))
        return replace(self, train=train, held_out=held_out)

    def sizes(self, hidden: Iterable[int]) -> list[int]:
        """Return the widths of a network for this data."""
        return [self.train.x.shape[1], *hidden, self.outputs]

    def network(self, hidden: Iterable[int], activation: str, law: Any, seed: int) -> Network:
        """Return a fresh network for this data."""
        return Network(self.sizes(hidden), activation, law, self.loss, seed=seed, dtype=self.dtype)

    def first(self, net: Network, stats: Literal[True, "moments"] = True) -> tuple[Trace, Diagnosis]:
        """Return the trace of a network on the first rows, and what its signals say."""
        x, y = self.train
        batch = min(len(x), 1000, max(self.batch_size or len(x), 100))
        for data in (self.train, self.held_out):  # they were looked at once, in `prepare`
            net._core.trust(data.x)
        with np.errstate(all="ignore"):
            trace = measure(net, x[:batch], y[:batch], full=stats is True, per_unit=False)
            return trace, judge(net, trace)

    def run(
        self,
        law: str,
        net: Network,
        optimizer: Optimizer,
        *,
        stats: Literal[True, "moments"] = True,
        stop_early: bool = False,
        **watch: Any,
    ) -> Run:
        """Judge a network at its start, train it with a fresh copy of an optimizer, and judge what it has become.

        Parameters
        ----------
        law : str
            What the network's law is called in a table.
        net : Network
            It is trained.
        optimizer : Optimizer
            It is not touched.
        stats : True or "moments"
            How much the trace measures, as in `fanin.trace`. It is of the first `batch_size` training rows: at least
            100 and at most 1000 of them, or all if there are fewer.
        stop_early : bool
            Whether to stop where a cost or gradient is not finite. Otherwise the training goes on with what it has.
        **watch
            Callbacks of `Network.fit`.
        """
        x, y = self.train
        first, diagnosis = self.first(net, stats)
        if stats is True:
            with np.errstate(all="ignore"):
                diagnosis = tried(net, diagnosis, x, y, optimizer, references=self.references)
        start = net.loss(x, y)
        begin = time.perf_counter()
        with suppress(*([FloatingPointError] if stop_early else [])):  # net.history says so: divergence is a result
            net.fit(
                x,
                y,
                epochs=self.epochs,
                batch_size=self.batch_size,
                optimizer=optimizer.copy(),
                on_nonfinite="raise" if stop_early else "continue",
                **watch,
            )
        seconds = time.perf_counter() - begin
        return Run(
            law=law,
            trace=first,
            diagnosis=diagnosis,
            cost_start=float(start),
            cost_end=float(net.loss(x, y)),
            costs=np.asarray(net.history.costs, dtype=np.float64),
            epoch_costs=np.asarray(net.history.epoch_costs, dtype=np.float64),
            error=_error(net, self.held_out),
            diverged=net.history.diverged,
            constant=self.constant(),
            seconds=seconds,
        )


def prepare(
    x: ArrayLike,
    y: ArrayLike,
    held_out: Any,
    seed: int,
    *,
    loss: str,
    dtype: str,
    epochs: int,
    batch_size: int | None,
    scale: str = "none",
) -> Experiment:
    """Convert and split data.

    Parameters
    ----------
    x : array, shape (n, n_in)
        Finite real numbers; or a DataFrame.
    y : array, shape (n,) or (n, outputs)
        Targets of the loss, or the name of the DataFrame's target. For "cross_entropy" any labels, numbered in
        sorted order, or one-hot rows.
    held_out : float, int or (x, y)
        A fraction or a number of rows, held out after one permutation drawn from `seed`; or data of their own, frames too.
    seed, loss, dtype, epochs, batch_size, scale
        As in `fanin.compare`.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong; the message names it.
    """
    epochs = require.integer("epochs", epochs, 0)
    if batch_size is not None:
        batch_size = require.integer("batch_size", batch_size, 1, ", or None for all rows")
    wanted = require.float_dtype(dtype)
    x, y, columns = arrays(x, y, require.text("loss", loss))
    x, y = _matrix("x", x, wanted), require.array("y", y)
    if y.ndim == 0 or len(x) != len(y):
        raise ValueError(f"x and y must have the same number of rows, got shapes {x.shape} and {y.shape}")
    rows = len(y)
    if isinstance(held_out, tuple):
        x_held, y_held, _ = arrays(*require.pair("held_out", held_out), loss, columns)
        x_held, y_held = _matrix("held_out x", x_held, wanted), require.array("held_out y", y_held)
        if y_held.ndim == 0 or x_held.shape[1] != x.shape[1] or len(x_held) != len(y_held) or y_held.shape[1:] != y.shape[1:]:
            raise ValueError(
                f"held_out must be (x, y) with {x.shape[1]} columns in x and equal rows, got {x_held.shape} and {y_held.shape}"
            )
        x, y = np.concatenate([x, x_held]), np.concatenate([y, y_held])
    targets, outputs = _targets(y, require.text("loss", loss), wanted)
    train, test = Data(x[:rows], targets[:rows]), Data(x[rows:], targets[rows:])
    if not isinstance(held_out, tuple):
        train, test = datasets.split(x, targets, held_out, seed)
    _core.check_targets(loss, targets, len(targets), outputs)
    if scale != "none":
        train, test = _scaled(scale, train, test, loss)
    return Experiment(train, test, outputs, loss, str(wanted), epochs, batch_size)


def _scaled(scale: str, train: Data, test: Data, loss: str) -> tuple[Data, Data]:
    """Scale inputs, and real targets, by what the training rows say."""
    dtype = train.x.dtype
    x = [part.astype(dtype) for part in datasets.scaled(scale, train.x, test.x)]
    y = [train.y, test.y]
    if loss == "mean_squared_error":
        y = [part.astype(dtype) for part in datasets.scaled(scale, train.y, test.y)]
    return Data(x[0], y[0]), Data(x[1], y[1])


def _matrix(what: str, x: ArrayLike, dtype: np.dtype[Any]) -> NDArray[Any]:
    given = require.array(what, x)
    if given.ndim != 2 or 0 in given.shape:
        raise ValueError(f"{what} must have shape (n, n_in), both at least 1, got {given.shape}")
    matrix = np.ascontiguousarray(converted(what, given, dtype))
    require.finite(what, matrix)
    return matrix


def _targets(y: NDArray[Any], loss: str, dtype: np.dtype[Any]) -> tuple[NDArray[Any], int]:
    if loss in ("binary_cross_entropy", "hinge") and is_text(y):
        y = two_classes(y, loss)[0]
    if loss != "cross_entropy":
        targets = np.ascontiguousarray(converted("y", y, dtype))
        if loss == "mean_squared_error" and targets.ndim == 1:
            targets = targets[:, None]
        return targets, targets.shape[1] if targets.ndim == 2 else 1
    if y.ndim == 2:
        return class_labels(y, y.shape[1]).astype(np.int64), y.shape[1]
    if y.ndim != 1:
        raise ValueError(f'y must have shape (n,) for "cross_entropy", or (n, classes) with one-hot rows, got {y.shape}')
    if y.dtype.kind == "f" and not np.array_equal(y, np.round(y)):
        raise ValueError('y must hold class labels for "cross_entropy"; for real numbers use loss="mean_squared_error"')
    classes, labels = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(f"y must hold at least two classes, got {len(classes)}")
    return labels.astype(np.int64), len(classes)


def _error(net: Network, test: Data) -> float:
    if net.loss_name == "mean_squared_error":
        return float(net.loss(test.x, test.y))
    return float(np.mean(np.asarray(net.predict(test.x)).reshape(-1) != test.y.reshape(-1)))
