"""Sweeps: every combination of laws, activations, depths, widths, seeds and learning rates, trained, in one table."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import product
from typing import Any, SupportsIndex

from numpy.typing import ArrayLike

from fanin.activation import gain
from fanin.common import require
from fanin.common.digest import digest
from fanin.common.progress import bar
from fanin.experiments.compare import law_name
from fanin.experiments.handover import Stop, Stored, handed_over, stopped_after
from fanin.experiments.kept import Kept, key_of
from fanin.experiments.run import Experiment, prepare
from fanin.experiments.sweep_result import Point, Row, Sweep
from fanin.init import Law
from fanin.init import law as law_of
from fanin.optimizer import SGD, Optimizer, core_of
from fanin.random import seed_number
from fanin.threads import compute_alone, num_threads

_HEAVY = 1_000_000  # rows times weights of a step that lasts long enough for a call after it to cost nothing


@dataclass(frozen=True)
class Task:
    """What all points of a sweep share, on its way to the threads and processes that run them."""

    data: Experiment | Stored
    laws: dict[str, Law]
    optimizer: Optimizer
    alone: bool  # whether other points run beside each


def run_point(task: Task, point: Point, stop: Stop | None = None) -> Row | None:
    """Train one network and return its row; None where the sweep's files are not, as on another machine.

    `stop` ends it early, in a thread or a process that Ctrl-C does not reach.
    """
    experiment = task.data.open() if isinstance(task.data, Stored) else task.data
    if experiment is None or (stop is not None and stop.is_set()):
        return None
    try:
        with compute_alone() if task.alone else nullcontext():
            return _trained(experiment.aligned(), task, point, stop)
    except Exception as error:  # the other points go on
        return _failed(point, error)


def _trained(experiment: Experiment, task: Task, point: Point, stop: Stop | None) -> Row:
    net = experiment.network([point.width] * point.depth, point.activation, task.laws[point.law], point.seed)
    optimizer = task.optimizer.copy()
    optimizer.lr = point.lr
    watch: dict[str, Any] = {}
    if stop is not None:
        work = sum(w.size for w in net.weights) * (experiment.batch_size or len(experiment.train.x))
        watch["on_step" if work >= _HEAVY else "on_epoch"] = lambda _: stop.is_set()
    run = experiment.run(point.law, net, optimizer, stats="moments", stop_early=True, **watch)
    return Row(
        **vars(point),
        cost_start=run.cost_start if math.isfinite(run.cost_start) else math.inf,
        cost_end=run.cost_end if math.isfinite(run.cost_end) and not run.diverged else math.inf,
        error=None if run.diverged else run.error,
        verdict=run.diagnosis.verdict,
        diverged=run.diverged,
        steps=len(run.costs),
        failure=None,
        digest=digest([*net.weights, *net.biases]),
        seconds=run.seconds,
    )


def _failed(point: Point, error: BaseException) -> Row:
    words = f"{type(error).__name__}: {error}".rstrip(": ")
    nothing: dict[str, Any] = {
        "cost_start": None,
        "cost_end": None,
        "error": None,
        "diverged": False,
        "steps": 0,
        "digest": "",
        "seconds": 0.0,
    }
    return Row(**vars(point), verdict="failed", failure=words, **nothing)


def sweep(
    laws: Any,
    x: ArrayLike,
    y: ArrayLike,
    *,
    activations: str | Iterable[str] = "tanh",
    depths: SupportsIndex | Iterable[SupportsIndex] = 4,
    widths: SupportsIndex | Iterable[SupportsIndex] = 300,
    seeds: SupportsIndex | Iterable[SupportsIndex] = 0,
    lrs: float | Iterable[float] | None = None,
    epochs: int = 10,
    batch_size: int | None = 100,
    optimizer: Optimizer | None = None,
    held_out: float | int | tuple[ArrayLike, ArrayLike] = 0.2,
    split_seed: int = 0,
    loss: str = "cross_entropy",
    dtype: str = "float32",
    threads: int | None = None,
    executor: Executor | None = None,
    progress: bool | Callable[[int, int, Row], Any] | None = None,
    resume: str | os.PathLike[str] | None = None,
    retries: int = 0,
) -> Sweep:
    """Train a network at every point of a grid and judge each at its start.

    Parameters
    ----------
    laws : law or iterable of laws
        Names as ``"xavier_normal"`` or ``"normal(std=0.01)"``, functions or objects.
    x, y, held_out, loss, dtype, epochs, batch_size
        As in `fanin.compare`. Data is converted and split once.
    activations : str or iterable of str
        Names of `fanin.activation.names`.
    depths, widths : int or iterable of int
        Numbers of hidden layers (0 or more), and of units in each.
    seeds : int or iterable of int
        Of the weights and of the shuffling, each in [0, 2^64).
    lrs : float or iterable of float, optional
        Learning rates; that of `optimizer` by default.
    optimizer : Optimizer, optional
        ``SGD(lr=0.1)`` by default. Every point steps a fresh copy of it; the one given is not touched.
    split_seed : int
        Of the split into training and held-out rows, which all points share.
    threads : int, optional
        Points that run at a time, each on one thread: `fanin.num_threads` by default. With 1 they run one after another in
        the calling thread, and each may use all threads of the library.
    executor : concurrent.futures.Executor, optional
        Runs the points instead, in its threads, processes or machines, each on one thread. It is not shut down. Large data
        is written to temporary files that processes of this machine map; others are sent it.
    progress : bool or callable
        True draws a bar on the standard error if that is a terminal; a callable is called after each point, in the calling
        thread, as progress(done, points, row), in the order in which they end.
    resume : path, optional
        A table file (CSV) that each row is added to when its point ends. Points that it already has, from the same data,
        settings and version of the algorithms, are not run again, but for those that failed. It may hold other sweeps' rows.
    retries : int
        How often a point is handed to `executor` again after its worker was lost, or could not run it. A point that itself
        raises is not repeated: it would raise again.

    Returns
    -------
    Sweep
        A row for every point, in the order of the grid. A point that diverges stops there and says so in its row; one that
        raises has the error in its row. The others go on.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, before anything is trained; the message names it.

    Notes
    -----
    **Reproducibility.** A row is a function of its settings, the data and `split_seed`: the same bits whatever else is in the
    grid, alone, in any thread, process or machine. It is that of `fanin.compare` with the same split.

    Ctrl-C ends it with KeyboardInterrupt: points not begun are cancelled, those running in threads and in processes of this
    machine stop at their next epoch or step. What `progress` was told, and `resume` holds, is all that is left.

    Examples
    --------
    >>> import fanin as fi
    >>> x, y = fi.datasets.circle(200)
    >>> result = fi.sweep(["zeros", "xavier_normal"], x, y, depths=[1, 2], widths=50, epochs=3)
    >>> [(row.law, row.depth, row.verdict) for row in result]
    [('zeros', 1, 'no gradient'), ('zeros', 2, 'no gradient'), ('xavier_normal', 1, 'healthy'), ('xavier_normal', 2, 'healthy')]
    >>> result.best().law
    'xavier_normal'
    """
    named = {law_name(one): one for one in _axis("laws", laws, lambda one: one, key=law_name)}
    rules = {name: law_of(one) for name, one in named.items()}
    optimizer = SGD(lr=0.1) if optimizer is None else optimizer
    core_of(optimizer)
    grid = (
        list(rules),
        _axis("activations", activations, lambda one: require.text("activations", one)),
        _axis("depths", depths, lambda n: require.integer("depths", n, 0)),
        _axis("widths", widths, lambda n: require.integer("widths", n, 1)),
        _axis("seeds", seeds, seed_number),
        [optimizer.lr] if lrs is None else _axis("lrs", lrs, lambda lr: _rate(optimizer, lr)),
    )
    points = [Point(*one) for one in product(*grid)]
    require.progress(progress)
    workers = _workers(threads, executor, len(points))
    experiment = prepare(x, y, held_out, split_seed, loss=loss, dtype=dtype, epochs=epochs, batch_size=batch_size)
    for activation in grid[1]:
        gain(activation)  # refuses unknown ones
    settings = {
        "n_in": experiment.train.x.shape[1],
        "outputs": experiment.outputs,
        "loss": loss,
        "optimizer": re.sub(r"lr=(\(.*?\)|[^,)]*)(, )?", "", repr(optimizer)),
        "epochs": experiment.epochs,
        "batch_size": experiment.batch_size,
        "dtype": experiment.dtype,
        "rows": len(experiment.train.x),
        "held_out": len(experiment.held_out.x),
        "split_seed": seed_number(split_seed),
    }
    retries = require.integer("retries", retries, 0)
    with (
        nullcontext() if resume is None else Kept(resume, key_of(settings, experiment)) as kept,
        handed_over(experiment, executor) as data,
        ThreadPoolExecutor(workers) if executor is None and workers > 1 else nullcontext(executor) as pool,
        _progress(progress, len(points)) as told,
    ):
        tasks = [Task(source, rules, optimizer, pool is not None) for source in (data, experiment)]
        known = {} if kept is None else kept.rows
        rows: dict[int, Row] = {i: known[point] for i, point in enumerate(points) if point in known}
        left = [i for i in range(len(points)) if i not in rows]

        def tell(i: int, row: Row) -> None:
            rows[i] = row
            if kept is not None:
                kept.add(row)
            told(len(rows), row)

        if pool is not None:
            with stopped_after(pool) as stop:
                _submitted(pool, stop, tasks, points, left, retries, tell)
        else:
            for i in left:
                row = run_point(tasks[1], points[i])
                assert row is not None  # it has the data
                tell(i, row)
    return Sweep(tuple(rows[i] for i in range(len(points))), settings)


def _submitted(
    pool: Executor,
    stop: Stop | None,
    tasks: Sequence[Task],
    points: Sequence[Point],
    left: Sequence[int],
    retries: int,
    tell: Callable[[int, Row], None],
) -> None:
    """Run points in a pool, the largest first; those that the first task's files do not reach again with the second."""
    left = sorted(left, key=lambda i: -points[i].work)
    tries = dict.fromkeys(left, 0)
    futures: dict[Future[Row | None], int] = {}
    try:
        for task in tasks:
            unreached: list[int] = []
            while left:
                futures, lost = {}, []
                for i in left:
                    futures[_submit(pool, not futures, task, points[i], stop if task is tasks[0] else None)] = i
                for future in as_completed(futures):
                    i, error = futures[future], future.exception()
                    if error is not None and not isinstance(error, Exception):
                        raise error  # Ctrl-C reached the worker too
                    if error is not None and tries[i] < retries:
                        tries[i] += 1
                        lost.append(i)
                        continue
                    row = future.result() if error is None else _failed(points[i], error)
                    if row is None:
                        unreached.append(i)
                    else:
                        tell(i, row)
                left = lost
            left = unreached
    except BaseException:
        for future in futures:
            future.cancel()
        raise


def _submit(pool: Executor, first: bool, task: Task, point: Point, stop: Stop | None) -> Future[Row | None]:
    try:
        return pool.submit(run_point, task, point, stop)
    except Exception as error:  # a pool that broke on the way
        if first:
            raise
        future: Future[Row | None] = Future()
        future.set_exception(error)
        return future


def _axis(name: str, values: Any, check: Callable[[Any], Any], key: Callable[[Any], Any] = lambda value: value) -> list[Any]:
    """One side of the grid: a value or several, checked, each once."""
    several = isinstance(values, Iterable) and not isinstance(values, (str, bytes))
    found = [check(value) for value in (values if several else [values])]
    if not found:
        raise ValueError(f"{name} must have at least one value, got none")
    keys = [key(value) for value in found]
    if len(set(keys)) < len(keys):
        raise ValueError(f"{name} must differ, got {', '.join(str(one) for one in keys)}")
    return found


def _rate(optimizer: Optimizer, lr: Any) -> float | tuple[float, ...]:
    fresh = optimizer.copy()
    fresh.lr = lr  # refuses what is no learning rate
    return fresh.lr


def _workers(threads: int | None, executor: Executor | None, points: int) -> int:
    if executor is not None:
        if threads is not None:
            raise ValueError("threads must be left out with an executor, which has its own workers")
        if not callable(getattr(executor, "submit", None)):
            raise TypeError(f"executor must be a concurrent.futures.Executor, got {executor!r}")
        return 0
    return min(num_threads() if threads is None else require.integer("threads", threads, 1), points)


@contextmanager
def _progress(progress: bool | Callable[[int, int, Row], Any] | None, points: int) -> Iterator[Callable[[int, Row], None]]:
    """Give what is called after each point as told(done, row)."""
    if callable(progress):
        yield lambda done, row: progress(done, points, row)
        return
    least = math.inf
    with bar(points, "point", "sweep") if progress is True else nullcontext() as show:

        def told(done: int, row: Row) -> None:
            nonlocal least
            least = least if row.error is None else min(least, row.error)
            if show is not None:
                show(done, "sweep", f"least error {least:.4g}" if least < math.inf else "")

        yield told
