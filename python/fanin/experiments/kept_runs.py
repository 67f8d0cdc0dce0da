"""Runs of comparisons in a table file, written as they come.

A line has what takes time: the training and the trial. What a network does before its first step is measured anew when a run
is recalled, with the same bits.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fanin._core import __version__
from fanin.diagnosis.advice import Fix
from fanin.diagnosis.attempt import Attempt
from fanin.diagnosis.diagnosis import Diagnosis
from fanin.diagnosis.trial import Trial
from fanin.experiments.kept import Table
from fanin.experiments.run import Experiment, Run
from fanin.network.network import Network

_NUMBERS = ("cost_start", "cost_end", "error", "seconds")
_COLUMNS = ("law", *_NUMBERS, "diverged", "verdict", "outcome", "epoch_costs", "costs")


class KeptRuns(Table):
    """The runs of one comparison in a file that is written as they come."""

    def __init__(self, path: str | os.PathLike[str], key: str) -> None:
        super().__init__(path, "comparison", f"{key}-{__version__}", _COLUMNS)  # a version has its own words for a diagnosis
        self._lines = {line["law"]: line for line in self.found}

    def add(self, run: Run) -> None:
        """Write a run; it is in the file when this returns."""
        numbers = [float(getattr(run, name)) for name in _NUMBERS]
        costs = [tuple(one.tolist()) for one in (run.epoch_costs, run.costs)]
        self.write([_law(run.law), *numbers, run.diverged, run.verdict, _outcome(run.diagnosis), *costs])

    def recall(self, experiment: Experiment, law: str, net: Network) -> Run | None:
        """Return the run of a law if the file has it; `net` is the law's network, as it starts."""
        line = self._lines.get(_law(law))
        if line is None:
            return None
        first, diagnosis = experiment.first(net)
        return Run(
            law=law,
            trace=first,
            diagnosis=_with_outcome(diagnosis, line["outcome"]),
            costs=_floats(line["costs"]),
            epoch_costs=_floats(line["epoch_costs"]),
            diverged=line["diverged"] == "True",
            constant=experiment.constant(),
            **{name: float(line[name]) for name in _NUMBERS},
        )


def _law(name: str) -> str:
    return " ".join(name.split())


def _floats(text: str) -> NDArray[np.float64]:
    return np.array([float(one) for one in text.split()], dtype=np.float64)


def _outcome(d: Diagnosis) -> str:
    """Return as JSON what a trial has added to a diagnosis of signals."""
    trial, fix = None if d.trial is None else d.trial.to_dict(), None if d.fix is None else vars(d.fix)
    return json.dumps({"verdict": d.verdict, "advice": d.advice, "untried": d.untried, "trial": trial, "fix": fix})


def _with_outcome(d: Diagnosis, text: str) -> Diagnosis:
    found: dict[str, Any] = json.loads(text)
    trial, fix = found.pop("trial"), found.pop("fix")
    if trial is not None:
        own, reference = (_attempt(trial.pop(name)) for name in ("own", "reference"))
        trial = Trial(own=own, reference=reference, **trial)
    return replace(d, **found, trial=trial, fix=None if fix is None else Fix(**fix))


def _attempt(found: dict[str, Any] | None) -> Attempt | None:
    if found is None:
        return None
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}
    return Attempt(**values)
