"""The training loop of `fanin.Network`: whole epochs run in the core."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fanin import _core, checks
from fanin.history import FitEvent, History
from fanin.optimizer import Optimizer, core_of


class Training:
    """What `fanin.Network` inherits."""

    _core: Any
    sizes: tuple[int, ...]
    history: History
    _x: Callable[[ArrayLike], NDArray[Any]]
    _y: Callable[[ArrayLike], NDArray[Any]]
    score: Callable[[ArrayLike, ArrayLike], float]

    def fit(
        self,
        x: ArrayLike,
        y: ArrayLike,
        *,
        epochs: int = 1,
        batch_size: int | None = 32,
        shuffle: bool = True,
        optimizer: Optimizer,
        validation: tuple[ArrayLike, ArrayLike] | None = None,
        on_step: Callable[[FitEvent], Any] | None = None,
        on_epoch: Callable[[FitEvent], Any] | None = None,
        on_nonfinite: str = "stop",
        trace_every: int | None = None,
        progress: bool | Callable[[int, int, float], None] | None = None,
    ) -> History:
        """Step over all rows, epoch by epoch.

        Parameters
        ----------
        x, y : array_like
            Data, converted once.
        epochs : int
            At least 0.
        batch_size : int, optional
            Rows of a step; the last batch of an epoch may be short. None: all rows.
        shuffle : bool
            Whether an epoch takes the rows by the permutation of (seed, ``"fanin/shuffle"``, round), the round being the number
            of epochs that this network has seen; otherwise they come in order.
        optimizer : Optimizer
            For example ``fi.SGD(lr=0.1)``.
        validation : (x, y), optional
            Data to be judged on after each epoch: its cost and score.
        on_step, on_epoch : callable, optional
            Called after each step and each epoch with a `FitEvent`; True ends the fit. Without `on_step` the core runs whole
            epochs by itself.
        on_nonfinite : {"stop", "raise", "continue"}
            At the first infinite or NaN cost or gradient: end, before it reaches the parameters, with a RuntimeWarning that
            names layer and step; raise FloatingPointError instead; or go on. Also where an update overflowed, which shows
            at the next such cost or at the end of the epoch: the parameters are not finite then.
        trace_every : int, optional
            Keep a `fanin.trace` of the batch of steps 1, 1 + trace_every, 1 + 2 trace_every, ..., taken before the update, with
            ``stats="moments"``: ``history.traces``. Costs and parameters are those of a fit without.
        progress : bool or callable
            True draws a bar on the standard error if that is a terminal (Rich's if installed); a callable is called after each
            epoch as progress(epoch, epochs, cost).

        Returns
        -------
        History
            Also kept as ``network.history``, whatever ends the fit.

        Notes
        -----
        Ctrl-C ends it between steps with KeyboardInterrupt: what was learned stays, and ``network.history`` goes up to there.
        The same holds where a callback raises.
        """
        epochs, shuffle = checks.integer("epochs", epochs, 0), checks.flag("shuffle", shuffle)
        rows = 0 if batch_size is None else checks.integer("batch_size", batch_size, 1, ", or None for all rows")
        checks.function("on_step", on_step)
        checks.function("on_epoch", on_epoch)
        checks.progress(progress)
        if on_nonfinite not in ("stop", "raise", "continue"):
            raise ValueError(f"on_nonfinite must be 'stop', 'raise' or 'continue', got {on_nonfinite!r}")
        tracer = None
        if trace_every is not None:
            from fanin.tracer import Tracer

            every = checks.integer("trace_every", trace_every, 1, ", or None for no traces")
            tracer = Tracer(self, every, shuffle, rows)
        x, y, core = self._x(x), self._y(y), core_of(optimizer)
        judge = None if validation is None else self._validation(*checks.pair("validation", validation))
        each = self._core.steps_per_epoch(x.shape[0] if x.ndim else 0, rows)
        if each * epochs >= 2**48:
            raise ValueError(f"epochs must give fewer than 2^48 steps, got {epochs} epochs of {each}")
        costs, means, judged = np.empty(each * epochs), np.empty(epochs), np.empty((epochs, 2))
        state, stop = _core.FitState(), False

        def run(steps: int) -> None:
            self._core.fit(x, y, epochs, rows, shuffle, on_nonfinite != "continue", core, costs, means, state, steps)

        def event(epoch: int, cost: float, *judgement: float) -> FitEvent:
            return FitEvent(self, epoch, epochs, state.steps, float(cost), *judgement)  # type: ignore[arg-type]

        self.history = History()
        try:
            with _bar(progress, epochs, each * epochs) as show:
                alone = not callable(progress) and all(one is None for one in (on_step, on_epoch, judge, show, tracer))
                if alone:
                    run(each * epochs)
                at_once = 1 if on_step is not None else each if show is None else max(1, each // 50)
                while not alone and state.epochs < epochs and not stop and not state.stopped:
                    epoch = state.epochs + 1
                    few = at_once if tracer is None else min(at_once, tracer.look(x, y, state))
                    run(min(few, epoch * each - state.steps))
                    if show is not None:
                        show(state.steps, f"epoch {epoch} of {epochs}", f"cost {costs[state.steps - 1]:.4g}")
                    if on_step is not None and not state.stopped:
                        stop = on_step(event(epoch, costs[state.steps - 1])) is True
                    if state.epochs < epoch:
                        continue
                    judgement: tuple[float, ...] = ()
                    if judge is not None:
                        judgement = self._core.loss(*judge), self.score(*judge)
                        judged[epoch - 1] = judgement
                    if callable(progress):
                        progress(epoch, epochs, float(means[epoch - 1]))
                    if on_epoch is not None:
                        stop = on_epoch(event(epoch, means[epoch - 1], *judgement)) is True or stop
        finally:
            self.history = _history(costs, means, judged if judge is not None else judged[:0], state, each, len(self.sizes) - 1)
            if tracer is not None:
                self.history.traces = tracer.traces
        found = self.history.nonfinite
        if found is not None and on_nonfinite == "raise":
            raise FloatingPointError(found)
        if found is not None and on_nonfinite == "stop":
            warnings.warn(f"training stopped: {found}", RuntimeWarning, stacklevel=2)
        return self.history

    def _validation(self, x: ArrayLike, y: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
        """Convert the data; bad data is refused before anything changes."""
        try:
            judge = self._x(x), self._y(y)
            self._core.loss(*judge)
        except (TypeError, ValueError) as error:
            raise type(error)(f"validation: {error}") from None
        return judge


def _bar(progress: Any, epochs: int, steps: int) -> Any:
    if progress is not True:
        return nullcontext()
    from fanin.progress import bar

    return bar(steps, "step", f"epoch 1 of {epochs}")


def _history(costs: Any, means: Any, judged: Any, state: _core.FitState, each: int, layers: int) -> History:
    ended = state.steps == len(costs)  # otherwise copies: room for a million epochs is not kept
    costs, means = (costs, means) if ended else (costs[: state.steps].copy(), means[: state.epochs].copy())
    done = History(costs, means, *judged[: state.epochs].T)
    if state.step:
        words, epoch = state.words(layers, costs[state.step - 1]), (state.step - 1) // each + 1
        done.nonfinite = f"{words} at step {state.step} (epoch {epoch})"
    return done
