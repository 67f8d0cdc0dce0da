"""Compare initializations: one network, one data set, one seed, several laws; which of them learns, and why."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, Future, as_completed
from contextlib import nullcontext
from typing import Any

from numpy.typing import ArrayLike

from fanin.common import require
from fanin.datasets import Table
from fanin.experiments.comparison import Comparison
from fanin.experiments.handover import Stored, handed_over
from fanin.experiments.kept import key_of
from fanin.experiments.kept_runs import KeptRuns
from fanin.experiments.run import Experiment, Run, prepare
from fanin.init import law as law_of
from fanin.network.parameters import widths
from fanin.optimizer import SGD, Optimizer, core_of
from fanin.random import seed_number
from fanin.threads import compute_alone


def compare(
    laws: Iterable[Any],
    x: ArrayLike,
    y: ArrayLike | None = None,
    *,
    hidden: Iterable[int] = (300, 300, 300, 300),
    activation: str = "tanh",
    epochs: int = 10,
    batch_size: int | None = 100,
    optimizer: Optimizer | None = None,
    held_out: float | int | tuple[ArrayLike, ArrayLike] = 0.2,
    seed: int = 0,
    loss: str = "cross_entropy",
    dtype: str = "float32",
    progress: Callable[[str, int, int], None] | None = None,
    target: str | None = None,
    scale: str = "none",
    executor: Executor | None = None,
    retries: int = 0,
    resume: str | os.PathLike[str] | None = None,
) -> Comparison:
    """Train one network from several initializations and judge each at its start.

    Parameters
    ----------
    laws : iterable of laws
        Names as ``"xavier_normal"`` or ``"normal(std=0.01)"``, functions or objects: whatever `Network` takes as `init`.
    x : array, shape (n, n_in)
        Real numbers, converted once to `dtype`; or a DataFrame of pandas, Polars or Arrow, as `datasets.load_table` takes it;
        or what that returns, which has its `y`.
    y : array, shape (n,) or (n, outputs)
        Targets of the loss, or the name of the DataFrame's column to learn. For "cross_entropy" any labels,
        numbered in sorted order, or one-hot rows.
    hidden : iterable of int
        Sizes of the hidden layers.
    activation, loss, dtype : str
        As in `Network`.
    epochs, batch_size : int
        As in `Network.fit`; every run shuffles alike.
    optimizer : Optimizer, optional
        ``SGD(lr=0.1)`` by default. Every law steps a fresh copy of it; the one given is not touched.
    held_out : float, int or (x, y)
        A fraction or a number of rows, held out after one permutation drawn from `seed`; or data of their own, frames too.
    seed : int
        Of the split, of every network's weights and of the shuffling. All laws of one family therefore scale the same draw.
    progress : callable, optional
        Called before each law's first epoch and after every epoch as ``progress(law, epochs_done, epochs)``; with an
        executor when a law is handed over and when it has ended.
    target : str, optional
        The name of the DataFrame's column to learn, in place of `y`.
    scale : {"none", "standard", "unit"}
        Whether inputs, and real targets, are brought to mean 0 and variance 1 ("standard") or to 0 .. 1 ("unit") by what the
        training rows say. ``fanin compare`` standardizes tables; here they stay as they are unless this says otherwise.
    executor : concurrent.futures.Executor, optional
        Runs the laws side by side, in its threads, processes or machines, as for `fanin.sweep`. It is not shut down.
    retries : int
        How often a law is handed to `executor` again after its worker was lost.
    resume : path, optional
        A table file (CSV) that each law's run is added to when it ends. Laws that it already has, from the same data, settings
        and version, are not trained again, and `progress` is not told of them; their traces at the start are measured anew,
        with the same bits. Where a worker is lost for good, the other laws are finished and kept before that is raised.

    Returns
    -------
    Comparison
        A run for every law. The trace at the start is of the first `batch_size` training rows: at least 100 and at most 1000
        of them, or all if there are fewer.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong; the message names it.

    Examples
    --------
    >>> import fanin as fi
    >>> x, y = fi.datasets.digits()
    >>> result = fi.compare(["zeros", "xavier_normal"], x, y, hidden=[50], epochs=1)
    >>> [run.diagnosis.verdict for run in result.runs]
    ['no gradient', 'healthy']
    """
    several = isinstance(laws, Iterable) and not isinstance(laws, str)
    named = [(law_name(law), law) for law in (laws if several else [laws]) if law is not None]
    if not named:
        raise ValueError("laws must name at least one initialization, got none")
    if len({name for name, _ in named}) < len(named):
        raise ValueError(f"laws must differ, got {', '.join(name for name, _ in named)}")
    optimizer = SGD(lr=0.1) if optimizer is None else optimizer
    core_of(optimizer)
    require.function("progress", progress)
    if isinstance(x, Table) and y is None and target is None:
        x, y = x.x, x.y
    if (y is None) == (target is None):
        raise ValueError(f"y must be given, or target where x is a DataFrame, got {'neither' if y is None else 'both'}")
    y = require.text("target", target) if y is None else y
    seed, activation, hidden = seed_number(seed), require.text("activation", activation), widths(hidden, "hidden")
    experiment = prepare(x, y, held_out, seed, loss=loss, dtype=dtype, epochs=epochs, batch_size=batch_size, scale=scale)
    sizes = experiment.sizes(hidden)
    constant_cost, constant_error = experiment.constant()
    settings = {
        "sizes": sizes,
        "activation": activation,
        "loss": loss,
        "epochs": experiment.epochs,
        "batch_size": experiment.batch_size,
        "optimizer": repr(optimizer),
        "seed": seed,
        "dtype": experiment.dtype,
        "rows": len(experiment.train.x),
        "held_out": len(experiment.held_out.x),
        "scale": scale,
        "constant_cost": constant_cost,
        "constant_error": constant_error,
    }
    retries = require.integer("retries", retries, 0)
    networks = [experiment.network(hidden, activation, law, seed) for _, law in named]  # all, before any is trained
    runs: dict[str, Run] = {}
    with nullcontext() if resume is None else KeptRuns(resume, key_of(settings, experiment)) as kept:
        left: dict[str, Any] = {}
        for (name, law), net in zip(named, networks, strict=True):
            known = None if kept is None else kept.recall(experiment, name, net)
            if known is not None:
                runs[name] = known
            else:
                left[name] = law if executor is None or not callable(law) else law_of(law), net

        def tell(run: Run) -> None:
            runs[run.law] = run
            if kept is not None:
                kept.add(run)

        if executor is not None:
            rules, how = {name: law for name, (law, _) in left.items()}, (hidden, activation, seed, optimizer)
            _elsewhere(executor, retries, experiment, rules, how, progress, tell, finish=kept is not None)
        else:
            for name, (_, net) in left.items():
                watch = None if progress is None else _named(progress, name, epochs)
                tell(experiment.run(name, net, optimizer, progress=watch))
    return Comparison(tuple(runs[name] for name, _ in named), settings)


def run_law(data: Experiment | Stored, name: str, law: Any, how: tuple[Any, ...]) -> Run | None:
    """Train the network of one law, in a worker; None where the files of the data are not, as on another machine."""
    experiment = data.open() if isinstance(data, Stored) else data
    if experiment is None:
        return None
    hidden, activation, seed, optimizer = how
    with compute_alone():
        return experiment.aligned().run(name, experiment.network(hidden, activation, law, seed), optimizer)


def _elsewhere(
    executor: Executor,
    retries: int,
    experiment: Experiment,
    rules: Mapping[str, Any],
    how: tuple[Any, ...],
    progress: Callable[[str, int, int], None] | None,
    tell: Callable[[Run], None],
    *,
    finish: bool,
) -> None:
    """Run every law by an executor, and tell of each run when it ends.

    What fails for good is raised: at once, or with `finish` when the others have ended.
    """
    told = progress or (lambda *_: None)
    tries, failed = dict.fromkeys(rules, 0), []
    futures: dict[Future[Run | None], str] = {}
    with handed_over(experiment, executor) as stored:
        where: dict[str, Experiment | Stored] = dict.fromkeys(rules, stored)
        left = list(rules)
        try:
            while left:
                futures = {}
                for name in left:
                    told(name, 0, experiment.epochs)
                    futures[executor.submit(run_law, where[name], name, rules[name], how)] = name
                left = []
                for future in as_completed(futures):
                    name, error = futures[future], future.exception()
                    if error is None and (found := future.result()) is not None:
                        tell(found)
                        told(name, experiment.epochs, experiment.epochs)
                    elif error is None:
                        where[name] = experiment
                        left.append(name)
                    elif isinstance(error, Exception) and tries[name] < retries:
                        tries[name] += 1
                        left.append(name)
                    elif isinstance(error, Exception) and finish:
                        failed.append(error)
                    else:
                        raise error
        except BaseException:
            for future in futures:
                future.cancel()
            raise
    if failed:
        raise failed[0]


def law_name(law: Any) -> str:
    """Return what a law is called in a table: a name as it is, a function's name, an object's own words."""
    if isinstance(law, str):
        return law
    return str(getattr(law, "__name__", None) or law)


def _named(progress: Callable[[str, int, int], None], name: str, epochs: int) -> Callable[[int, int, float], None]:
    progress(name, 0, epochs)
    return lambda done, all_of_them, cost: progress(name, done, all_of_them)
