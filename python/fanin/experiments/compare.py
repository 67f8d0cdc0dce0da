"""Compare initializations: one network, one data set, one seed, several laws; which of them learns, and why."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, as_completed
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import ArrayLike

from fanin.common import require, text
from fanin.common.result import Result
from fanin.common.text import number
from fanin.experiments.handover import Stored, handed_over
from fanin.experiments.run import Experiment, Run, prepare
from fanin.init import law as law_of
from fanin.network.parameters import widths
from fanin.optimizer import SGD, Optimizer, core_of
from fanin.random import seed_number
from fanin.threads import compute_alone

_COLUMNS = 4  # layers shown in the table; of a deeper network the first, the last and two between


@dataclass(frozen=True)
class Comparison(Result):
    """What `compare` returns; print it for a table.

    Attributes
    ----------
    runs : tuple of Run
        In the order of the laws.
    settings : dict
        What all runs share: sizes, activation, loss, epochs, batch_size, optimizer, seed, dtype, rows, held_out.
    """

    _kind = _json = "comparison"

    runs: tuple[Run, ...]
    settings: dict[str, Any] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Run]:
        return iter(self.runs)

    def __len__(self) -> int:
        return len(self.runs)

    def __getitem__(self, law: str) -> Run:
        for run in self.runs:
            if run.law == law:
                return run
        raise KeyError(f"no run of {law!r}; there are {', '.join(run.law for run in self.runs)}")

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, strings, lists and dictionaries, ready for JSON but for NaN and infinity.

        Returns
        -------
        dict
            ``settings``: what all runs share. ``runs``: for each law a dictionary of ``law``; ``spread`` (standard deviation of
            a) and ``gradients`` (rms of da) of every hidden layer at the start; ``cost_start``, ``cost_end``, ``error``;
            ``verdict``, ``learns_late``, ``diverged``; ``costs`` of the steps and ``epoch_costs``; ``diagnosis`` as
            `Diagnosis.to_dict`, ``trace`` as `Trace.to_dict`.
        """
        return {
            "settings": dict(self.settings),
            "runs": [
                {
                    "law": run.law,
                    "spread": run.spread,
                    "gradients": run.gradients,
                    "cost_start": run.cost_start,
                    "cost_end": run.cost_end,
                    "error": run.error,
                    "verdict": run.verdict,
                    "learns_late": run.learns_late,
                    "diverged": run.diverged,
                    "costs": run.costs.tolist(),
                    "epoch_costs": run.epoch_costs.tolist(),
                    "diagnosis": run.diagnosis.to_dict(),
                    "trace": run.trace.to_dict(),
                }
                for run in self.runs
            ],
        }

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a dictionary for each law: its costs, error and verdict, and each hidden layer's scales at the start.

        ``spread.hidden 1`` is the standard deviation of a in the first hidden layer, ``gradients.hidden 1`` the rms of da.
        """
        rows = []
        for run in self.runs:
            row: dict[str, Any] = {
                "law": run.law,
                "verdict": run.verdict,
                "learns_late": run.learns_late,
                "diverged": run.diverged,
                "cost_start": run.cost_start,
                "cost_end": run.cost_end,
                "error": run.error,
                "seconds": run.seconds,
            }
            for key, values in (("spread", run.spread), ("gradients", run.gradients)):
                row |= {f"{key}.{layer.name}": value for layer, value in zip(run.trace.hidden, values, strict=True)}
            rows.append(row)
        return rows

    def to_html(self, path: str | os.PathLike[str], *, title: str = "Which initialization learns?") -> None:
        """Write a page for the browser: verdicts, cost curves, reasons, every layer's signal and histogram, the settings.

        The page is one file and makes no network requests; it has a light and a dark style and fits a phone. The same result
        and the same versions of fanin and Bokeh give the same bytes.

        Parameters
        ----------
        path : path
            Ends with .html; overwritten if it exists.
        title : str
            The heading.

        Raises
        ------
        ValueError
            If the ending is another, or the page would be larger than 6 MB.
        OSError
            If there is no such folder, or the path may not be written.
        ModuleNotFoundError
            If Bokeh is missing; the extra ``fanin[report]`` installs it.
        """
        self._page(path, title)

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Return the heads and the rows of the table as text."""
        hidden = len(self.settings["sizes"]) - 2
        shown = text.evenly(hidden, _COLUMNS)
        where = "" if hidden <= 1 else f" {shown[0] + 1}..{hidden}" if len(shown) == hidden else _listed(shown)
        error = "held-out cost" if self.settings["loss"] == "mean_squared_error" else "held-out error"
        heads = ["initialization", f"std of a{where}", f"rms of da{where}", "cost", "at end", error, "verdict at the start"]
        rows = [
            [
                run.law,
                " ".join(text.narrow(run.spread[i]) for i in shown),
                " ".join(text.narrow(run.gradients[i]) for i in shown),
                text.cost(run.cost_start),
                text.cost(run.cost_end),
                f"{100 * run.error:.1f} %" if "error" in error else number(run.error, 0),
                run.verdict,
            ]
            for run in self.runs
        ]
        return heads, rows

    def title(self) -> str:
        """Return one line that says what was compared."""
        s = self.settings
        epochs = "1 epoch" if s["epochs"] == 1 else f"{s['epochs']} epochs"
        return (
            f"{text.sizes(s['sizes'])} {s['activation']}, {s['loss']}, {s['optimizer']}, batch {s['batch_size']}, {epochs}, "
            f"{s['rows']} rows, {s['held_out']} held out, seed {s['seed']}{_SCALED.get(s.get('scale', 'none'), '')}"
        )

    def constant(self) -> str:
        """Return one line about the best prediction that does not look at x; empty where it was not computed."""
        s = self.settings
        if "constant_cost" not in s:
            return ""
        real = s["loss"] == "mean_squared_error"
        error = number(s["constant_error"], 0) if real else f"{100 * s['constant_error']:.1f} %"
        answer = "the mean" if real else "the commonest class"
        return f"always {answer}: cost {text.cost(s['constant_cost'])}, held-out {'cost' if real else 'error'} {error}"

    def __str__(self) -> str:
        heads, rows = self.table()
        return "\n".join([self.title(), "", *text.table(heads, rows), *([self.constant()] if self.constant() else [])])


_SCALED = {"standard": ", standardized", "unit": ", scaled to 0 .. 1"}


def _listed(shown: list[int]) -> str:
    return " " + ",".join(str(i + 1) for i in shown)


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
) -> Comparison:
    """Train one network from several initializations and judge each at its start.

    Parameters
    ----------
    laws : iterable of laws
        Names as ``"xavier_normal"`` or ``"normal(std=0.01)"``, functions or objects: whatever `Network` takes as `init`.
    x : array, shape (n, n_in)
        Real numbers, converted once to `dtype`; or a DataFrame of pandas, Polars or Arrow, as `datasets.load_table` takes it.
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
    if executor is not None:
        rules: dict[str, Any] = {name: law_of(law) if callable(law) else law for name, law in named}
        how = hidden, activation, seed, optimizer
        return Comparison(tuple(_elsewhere(executor, retries, experiment, rules, how, progress)), settings)
    runs = []
    for (name, _), net in zip(named, networks, strict=True):
        runs.append(experiment.run(name, net, optimizer, progress=None if progress is None else _named(progress, name, epochs)))
    return Comparison(tuple(runs), settings)


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
) -> list[Run]:
    """Run every law by an executor; what fails for good is raised."""
    told = progress or (lambda *_: None)
    runs: dict[str, Run] = {}
    tries = dict.fromkeys(rules, 0)
    with handed_over(experiment, executor) as stored:
        where: dict[str, Experiment | Stored] = dict.fromkeys(rules, stored)
        while len(runs) < len(rules):
            futures = {}
            for name in rules.keys() - runs.keys():
                told(name, 0, experiment.epochs)
                futures[executor.submit(run_law, where[name], name, rules[name], how)] = name
            for future in as_completed(futures):
                name, error = futures[future], future.exception()
                if error is not None:
                    tries[name] += 1
                    if tries[name] > retries or not isinstance(error, Exception):
                        raise error
                elif (found := future.result()) is None:
                    where[name] = experiment
                else:
                    runs[name] = found
                    told(name, experiment.epochs, experiment.epochs)
    return [runs[name] for name in rules]


def law_name(law: Any) -> str:
    """Return what a law is called in a table: a name as it is, a function's name, an object's own words."""
    if isinstance(law, str):
        return law
    return str(getattr(law, "__name__", None) or law)


def _named(progress: Callable[[str, int, int], None], name: str, epochs: int) -> Callable[[int, int, float], None]:
    progress(name, 0, epochs)
    return lambda done, all_of_them, cost: progress(name, done, all_of_them)
