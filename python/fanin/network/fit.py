"""The training loop of `fanin.Network.fit`: whole epochs run in the core, callbacks and traces between them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fanin import _core
from fanin.common import require, upward
from fanin.common.progress import bar
from fanin.network.history import FitEvent, History
from fanin.network.targets import constant_prediction, is_text
from fanin.optimizer import Optimizer, core_of

if TYPE_CHECKING:
    from fanin.network.network import Network


def fit(
    net: Network,
    x: ArrayLike,
    y: ArrayLike,
    *,
    epochs: int,
    batch_size: int | None,
    shuffle: bool,
    optimizer: Optimizer,
    validation: tuple[ArrayLike, ArrayLike] | None,
    on_step: Callable[[FitEvent], Any] | None,
    on_epoch: Callable[[FitEvent], Any] | None,
    on_nonfinite: str,
    trace_every: int | None,
    progress: bool | Callable[[int, int, float], None] | None,
    sample_weight: ArrayLike | None = None,
) -> History:
    """Step over all rows, epoch by epoch: see `fanin.Network.fit`."""
    epochs, shuffle = require.integer("epochs", epochs, 0), require.flag("shuffle", shuffle)
    rows = 0 if batch_size is None else require.integer("batch_size", batch_size, 1, ", or None for all rows")
    require.function("on_step", on_step)
    require.function("on_epoch", on_epoch)
    require.progress(progress)
    if on_nonfinite not in ("stop", "raise", "continue"):
        raise ValueError(f"on_nonfinite must be 'stop', 'raise' or 'continue', got {on_nonfinite!r}")
    tracer = None
    if trace_every is not None:
        every = require.integer("trace_every", trace_every, 1, ", or None for no traces")
        tracer = upward.tracer(net, every)
    x, y, columns = _arrays(net, x, y)
    weight = net._weight(sample_weight)
    rule, core = core_of(getattr(optimizer, "optimizer", optimizer)), net._core
    x = net._x(x)
    classes = net.classes
    try:
        y = _targets(net, require.array("y", y), x.shape[0] if x.ndim else 0)
        judge = None if validation is None else _validation(net, *require.pair("validation", validation), columns)
    except (TypeError, ValueError):
        net.classes = classes
        raise
    each = core.steps_per_epoch(x.shape[0] if x.ndim else 0, rows)
    if each * epochs >= 2**48:
        raise ValueError(f"epochs must give fewer than 2^48 steps, got {epochs} epochs of {each}")
    costs, means, judged = np.empty(each * epochs), np.empty(epochs), np.empty((epochs, 2))
    state, stop = _core.FitState(), False

    observed = (1, _core.SummaryOptions(), [], None) if tracer is None else tracer.observe(x)

    def run(steps: int) -> None:
        core.fit(x, y, epochs, rows, shuffle, on_nonfinite != "continue", rule, costs, means, state, steps, *observed, weight)

    def event(epoch: int, cost: float, *judgement: float) -> FitEvent:
        return FitEvent(net, epoch, epochs, state.steps, float(cost), *judgement)

    net.history = History()
    try:
        with _bar(progress, epochs, each * epochs) as show:
            alone = not callable(progress) and all(one is None for one in (on_step, on_epoch, judge, show))
            if alone:
                run(each * epochs)
            at_once = 1 if on_step is not None else each if show is None else max(1, each // 50)
            while not alone and state.epochs < epochs and not stop and not state.stopped:
                epoch = state.epochs + 1
                run(min(at_once, epoch * each - state.steps))
                if show is not None:
                    show(state.steps, f"epoch {epoch} of {epochs}", f"cost {costs[state.steps - 1]:.4g}")
                if on_step is not None and not state.stopped:
                    stop = on_step(event(epoch, costs[state.steps - 1])) is True
                if state.epochs < epoch:
                    continue
                judgement: tuple[float, ...] = ()
                if judge is not None:
                    judgement = core.loss(*judge), net.score(*judge)
                    judged[epoch - 1] = judgement
                if callable(progress):
                    progress(epoch, epochs, float(means[epoch - 1]))
                if on_epoch is not None:
                    stop = on_epoch(event(epoch, means[epoch - 1], *judgement)) is True or stop
    finally:
        net.history = _history(costs, means, judged if judge is not None else judged[:0], state, each, len(net.sizes) - 1)
        net.history.constant_cost = _constant(net, y) if state.steps else None
        if tracer is not None:
            net.history.traces = tracer.traces
    found = net.history.nonfinite
    if found is not None and on_nonfinite == "raise":
        raise FloatingPointError(found)
    if found is not None and on_nonfinite == "stop":
        warnings.warn(f"training stopped: {found}", RuntimeWarning, stacklevel=3)
    return net.history


def _targets(net: Network, y: NDArray[Any], rows: int) -> NDArray[Any]:
    """Targets converted; texts become the classes of a network that has none."""
    if net.loss_name == "mean_squared_error" or net.classes is not None or not is_text(y):
        return net._y(y)
    if y.shape != (rows,):
        raise ValueError(f"y must have shape ({rows},) where it holds classes, got {y.shape}")
    found = np.unique(y).tolist()
    most = max(net.sizes[-1], 2)
    if len(found) != most:
        shown = ", ".join(map(repr, found[:10])) + (", ..." if len(found) > 10 else "")
        raise ValueError(f"y must hold {most} different classes for {net.sizes[-1]} outputs, got {len(found)}: {shown}")
    net.classes = found
    return net._y(y)


def _arrays(net: Network, x: Any, y: Any, columns: tuple[str, ...] | None = None) -> tuple[Any, Any, tuple[str, ...] | None]:
    """Arrays of a DataFrame and its column y, and the columns of x; readers of tables are imported only for one."""
    if not isinstance(y, str):
        return x, y, None
    from fanin.datasets.table import arrays

    return arrays(x, y, net.loss_name, columns)


def _validation(net: Network, x: ArrayLike, y: ArrayLike, columns: tuple[str, ...] | None) -> tuple[NDArray[Any], NDArray[Any]]:
    """Convert the data; bad data is refused before anything changes."""
    try:
        x, y, _ = _arrays(net, x, y, columns)
        judge = net._x(x), net._y(y)
        net._core.loss(*judge)
    except (TypeError, ValueError) as error:
        raise type(error)(f"validation: {error}") from None
    return judge


def _constant(net: Network, y: NDArray[Any]) -> float | None:
    """The cost of the best constant prediction; None for labels that a callback has spoiled."""
    if net.loss_name == "cross_entropy" and not 0 <= y.min() <= y.max() < net.sizes[-1]:
        return None
    return constant_prediction(net.loss_name, y)[0]


def _bar(progress: Any, epochs: int, steps: int) -> Any:
    if progress is not True:
        return nullcontext()
    return bar(steps, "step", f"epoch 1 of {epochs}")


def _history(costs: Any, means: Any, judged: Any, state: _core.FitState, each: int, layers: int) -> History:
    ended = state.steps == len(costs)  # otherwise copies: room for a million epochs is not kept
    costs, means = (costs, means) if ended else (costs[: state.steps].copy(), means[: state.epochs].copy())
    done = History(costs, means, *judged[: state.epochs].T)
    if state.step:
        words, epoch = state.words(layers, costs[state.step - 1]), (state.step - 1) // each + 1
        done.nonfinite = f"{words} at step {state.step} (epoch {epoch})"
    return done
