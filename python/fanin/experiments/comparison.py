"""What a comparison found: runs that print as a table and become JSON, lines and a page."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from fanin.common import text
from fanin.common.result import Result
from fanin.common.text import number
from fanin.experiments.run import Run

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
