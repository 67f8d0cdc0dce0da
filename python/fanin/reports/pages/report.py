"""Pages of one's own data and network: what `Comparison.to_html` and ``fanin trace --html`` write."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fanin._core import __version__
from fanin.common import text
from fanin.diagnosis.diagnosis import Diagnosis, diagnose
from fanin.experiments.comparison import Comparison
from fanin.experiments.run import Run
from fanin.experiments.sweep_result import Sweep
from fanin.reports import palette, shapes
from fanin.reports.pages import layers
from fanin.reports.pages.grid import sweep_view
from fanin.reports.pages.markup import escaped, legend, listed, scrolled, settings, swatch
from fanin.reports.pages.shell import View, assemble, check_path, write
from fanin.tracing.record import Trace

_POINTS = 400  # of a cost curve
_NOTHING = '<p class="note">Nothing stands out. A trend takes two hidden layers.</p>'


def comparison_page(result: Comparison, title: str) -> str:
    """Return the page of a comparison: which initialization learns, and what becomes of the signal in each."""
    traced = [layers.Traced(run.law, run.verdict, run.trace) for run in result.runs]
    return assemble(title, result.title(), [_learning(result), layers.view(traced, start=True)], footer=_footer())


def trace_page(diagnosis: Diagnosis, about: Mapping[str, object], title: str, lead: str) -> str:
    """Return the page of one network: its diagnosis, and what becomes of the signal."""
    trace = diagnosis.trace
    assert trace is not None
    return assemble(
        title, lead, [_verdict(diagnosis, about), layers.view([layers.Traced("the network", "", trace)])], footer=_footer()
    )


def _trace_alone(trace: Trace, title: str) -> str:
    """Return the page of a trace, judged by itself."""
    sizes = [trace.layers[0].n_in, *(layer.n_out for layer in trace.layers)]
    activation = ", ".join(dict.fromkeys(layer.activation for layer in trace.hidden)) or "none"
    about = {
        "sizes": sizes,
        "activation": activation,
        "loss": trace.loss_name,
        "rows": trace.batch,
        "cost": None if trace.cost is None else f"{trace.cost:.4g}",
    }
    lead = f"{text.sizes(sizes)}, {activation}, {trace.loss_name}, a batch of {trace.batch} rows."
    return trace_page(diagnose(trace), about, title, lead)


def sweep_page(result: Sweep, title: str) -> str:
    """Return the page of a sweep: the error of every point, the best of each law, the table."""
    return assemble(title, result.title(), [sweep_view(result)], footer=_footer())


def save(kind: str, result: Any, path: str | os.PathLike[str], title: str) -> None:
    """Write the page of a "comparison", "sweep" or "trace" to a path that ends with .html; refuse a wrong path first."""
    check_path(path)
    write(path, _PAGES[kind](result, title))


def _footer() -> str:
    return f"Written by fanin {__version__}. Nothing on this page is loaded from anywhere."


def _learning(result: Comparison) -> View:
    """Verdicts, cost curves, reasons, settings."""
    percent = result.settings["loss"] != "mean_squared_error"
    names = [run.law for run in result.runs]
    notes = dict.fromkeys(note for run in result.runs for note in run.diagnosis.notes)
    shared = [note for note in notes if all(note in run.diagnosis.notes for run in result.runs)]
    reasons = "\n".join(_reasons(i, run, shared) for i, run in enumerate(result.runs))
    about_data = f"<h2>The data</h2>{listed(shared)}" if shared else ""
    return View(
        name="learning",
        title="Learning",
        html=f"""<h2>Verdicts</h2>
<div class="card">{_verdicts(result, percent)}<p class="note">{escaped(_sentence(result.constant()))}</p></div>
<figure class="card"><h3>The cost of the batches, step by step</h3><div data-part="costs"></div>{legend(names)}
{_caption(result)}</figure>
<h2>Why</h2>
{reasons}
{about_data}
<h2>Settings</h2>
<div class="card">{settings(result.settings)}</div>""",
        data={"runs": [_curve(run) for run in result.runs]},
        scripts=("decades.js", "learning.js"),
        styles=("report.css",),
    )


def _caption(result: Comparison) -> str:
    """Return what must be said of the curves, if anything."""
    windows = "Averaged over short windows of steps. " if len(result.runs[0].costs) >= 2 * _POINTS else ""
    ends = "" if all(np.isfinite(run.costs).all() for run in result.runs) else "A cross: from here on the cost is not finite."
    return f"<figcaption>{windows}{ends}</figcaption>" if windows or ends else ""


def _verdicts(result: Comparison, percent: bool) -> str:
    error = "held-out error" if percent else "held-out cost"
    heads = ["initialization", "verdict at the start", "cost at the start", "cost at the end", error]
    worst = max([1.0] if percent else [run.error for run in result.runs if np.isfinite(run.error)], default=1.0) or 1.0
    rows = []
    for i, run in enumerate(result.runs):
        share = min(run.error / worst, 1.0) if np.isfinite(run.error) else 1.0
        error_text = f"{100 * run.error:.1f} %" if percent else text.cost(run.error)
        bar = f'<span class="bar"><i style="width:{100 * share:.1f}%;background:var(--law-{i % 8})"></i></span>'
        numbers = [text.cost(run.cost_start), text.cost(run.cost_end), f"{error_text} {bar}"]
        cells = "".join(f'<td role="cell" data-head="{h}">{cell}</td>' for h, cell in zip(heads[2:], numbers, strict=True))
        rows.append(
            f'<tr role="row"><th role="rowheader" scope="row">{swatch(i, run.law)}</th><td role="cell" class="words">'
            f'<span class="verdict {palette.kind(run.verdict)}">{escaped(run.verdict)}</span></td>{cells}</tr>'
        )
    head = "".join(
        f'<th role="columnheader" scope="col"{" class=words" if i == 1 else ""}>{one}</th>' for i, one in enumerate(heads)
    )
    # The roles stay where a phone's style makes blocks of the rows.
    table = (
        f'<table role="table" class="verdicts"><thead role="rowgroup"><tr role="row">{head}</tr></thead>'
        f'<tbody role="rowgroup">{"".join(rows)}</tbody></table>'
    )
    return scrolled(table, "Verdicts")


def _reasons(i: int, run: Run, shared: list[str]) -> str:
    own = [f"note: {note}" for note in run.diagnosis.notes if note not in shared]
    said = listed([*run.diagnosis.reasons, *own]) or _NOTHING
    advice = f"<p><b>What to try:</b> {escaped(run.diagnosis.advice)}.</p>" if run.diagnosis.advice else ""
    return f'<h3 class="law">{swatch(i, f"{run.law}: {run.verdict}")}</h3>{said}{advice}'


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}." if words else ""


def _curve(run: Run) -> dict[str, Any]:
    """Costs for a logarithmic axis, and where they end."""
    finite = np.isfinite(run.costs)
    steps, means = shapes.smooth(np.where(finite & (run.costs > 0), run.costs, np.nan), _POINTS)
    k = int(np.argmin(finite))
    before = run.costs[k - 1] if k and run.costs[k - 1] > 0 else 1.0
    ends = None if finite.all() else [k + 1, float(before)]
    return {"name": run.law, "steps": steps.tolist(), "costs": means.tolist(), "not_finite": ends}


def _verdict(diagnosis: Diagnosis, about: Mapping[str, object]) -> View:
    kind = palette.kind(diagnosis.verdict)
    sides = ["not measured" if side is None else side for side in (diagnosis.forward, diagnosis.backward)]
    advice = f"<h2>What to try</h2><p>{escaped(diagnosis.advice)}.</p>" if diagnosis.advice else ""
    notes = f"<h2>The data and the parameters</h2>{listed(diagnosis.notes)}" if diagnosis.notes else ""
    return View(
        name="diagnosis",
        title="Diagnosis",
        html=f"""<h2>Is this network fit to learn?</h2>
<div class="card"><p class="large"><span class="verdict {kind}">{escaped(diagnosis.headline)}</span></p>
<p class="note">Activations: {escaped(sides[0])}. Gradients: {escaped(sides[1])}.</p>
{listed(diagnosis.reasons) or _NOTHING}</div>
{advice}{notes}
<h2>Settings</h2>
<div class="card">{settings(about)}</div>""",
        data={},
        scripts=("diagnosis.js",),
        styles=("report.css",),
    )


_PAGES: dict[str, Callable[[Any, str], str]] = {"comparison": comparison_page, "sweep": sweep_page, "trace": _trace_alone}
