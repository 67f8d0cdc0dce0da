"""The view of the layers: spread of activations and gradients over depth, histograms, tables; of one network or of several."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fanin.common import text
from fanin.reports import notebook, shapes
from fanin.reports.pages.markup import escaped, legend, swatch, table
from fanin.reports.pages.shell import View
from fanin.tracing.record import LayerTrace, Trace

_HISTOGRAMS = 32  # on a page


class Traced(NamedTuple):
    """One network of the view: its name, what the name is followed by, its trace."""

    name: str
    words: str
    trace: Trace


def record(runs: Sequence[Traced]) -> dict[str, Any]:
    """Return what the view draws: scales of every hidden layer (of a network without any, of the output), and histograms."""
    depth = len(_layers(runs[0].trace))
    shown = text.evenly(depth, 8 if len(runs) == 1 else 4 if 4 * len(runs) <= _HISTOGRAMS else 3)
    return {
        "at": list(range(1, depth + 1)),
        "batch": runs[0].trace.batch,
        "runs": [
            {
                "name": run.name,
                "spread": _scale([float(layer.a.std) for layer in _layers(run.trace)]),
                "spread_expected": _scale([layer.expected_std for layer in _layers(run.trace)]),
                "gradient": _scale([None if layer.da is None else float(layer.da.rms) for layer in _layers(run.trace)]),
                "gradient_expected": _scale([layer.expected_da for layer in _layers(run.trace)]),
                "histograms": _histograms([_layers(run.trace)[i] for i in shown]),
            }
            for run in runs
        ],
    }


def _layers(t: Trace) -> tuple[LayerTrace, ...]:
    return t.hidden or t.layers


def _scale(values: Sequence[float | None]) -> list[float | None]:
    """A logarithmic axis has no place for 0 and what is not finite."""
    return [value if value is not None and math.isfinite(value) and value > 0 else None for value in values]


def _histograms(layers: Sequence[LayerTrace]) -> list[dict[str, Any]]:
    ranges, _ = shapes.extents(layers)
    found = []
    for layer, (low, high) in zip(layers, ranges, strict=True):
        drawn = shapes.heights(layer)
        mean = float(layer.a.mean) if math.isfinite(layer.a.mean) else None
        room = 0.04 * (high - low)
        found.append(
            {
                "range": [low - room, high + room],
                "edges": None if drawn is None else drawn[0],
                "heights": None if drawn is None else np.minimum(drawn[1], 1.1).astype(np.float32),
                "mean": mean,
                "std": float(layer.a.std),
                "expected": layer.expected_std if layer.expected is not None else None,
                "words": ", ".join(shapes.spread(layer)),
                "layer": layer.name,
            }
        )
    return found


def view(runs: Sequence[Traced], *, start: bool = False) -> View:
    """Return the view; `runs` have networks of one depth, and none has been trained where `start` says so."""
    data = record(runs)
    names = [run.name for run in runs]
    rows = "\n".join(_row(i, run, one) for i, (run, one) in enumerate(zip(runs, data["runs"], strict=True)))
    tables = [table(*notebook.trace_rows(run.trace), label=f"Layers of {run.name}") for run in runs]
    if len(runs) > 1:
        tables = [
            f"<details><summary>{escaped(run.name)}</summary>{one}</details>" for run, one in zip(runs, tables, strict=True)
        ]
    backward = runs[0].trace.cost is not None
    absent = [_absent(data["runs"], key) for key in ("spread", "gradient")]
    gradients = (
        '<figure class="card w6"><h3>Size of the gradients</h3><div data-part="gradient"></div><figcaption>Backward: root mean '
        f"square of dJ/da. It travels from the last layer to the first.{absent[1]}</figcaption></figure>"
    )
    return View(
        name="layers",
        title="Layers",
        html=f"""<h2>What becomes of the signal?</h2>
<p>{"Before the first step, on" if start else "On"} a batch of {data["batch"]}. Dots and solid lines: measured.
Dashed: as theory expects of wide layers of independent weights of this size on this batch.</p>
<div class="grid">
<figure class="card {"w6" if backward else "wide"}"><h3>Spread of the activations</h3><div data-part="spread"></div>
<figcaption>Forward: standard deviation of a.{absent[0]}</figcaption></figure>
{gradients if backward else ""}
<div class="wide">{legend(names) if len(names) > 1 else ""}</div>
</div>
<h2>How the neurons answer</h2>
<p class="note">Histograms of the activations, each scaled to its peak. Near the bottom: one standard deviation to either
side, as measured; dashed lines: as expected.</p>
{rows}
<h2>Layer by layer</h2>
{"".join(tables)}""",
        data=data,
        scripts=("decades.js", "layers.js"),
        styles=("report.css",),
    )


def _row(i: int, run: Traced, one: dict[str, Any]) -> str:
    width = "w3" if len(one["histograms"]) > 1 else "w6"
    head = "h4" if run.words else "h3"  # below the heading of the network, where there is one
    figures = "".join(
        f'<figure class="card {width}"><{head}>{escaped(h["layer"])}</{head}><div data-part="histogram-{i}-{k}"></div>'
        f"<figcaption>{escaped(h['words'])}</figcaption></figure>"
        for k, h in enumerate(one["histograms"])
    )
    if not run.words:
        return f'<div class="grid">{figures}</div>'
    words = f' <span class="note">{escaped(run.words)}</span>'
    return f'<h3 class="law">{swatch(i, run.name)}{words}</h3><div class="grid">{figures}</div>'


def _absent(runs: Sequence[dict[str, Any]], key: str) -> str:
    """Say whose curve is missing."""
    names = [run["name"] for run in runs if all(value is None for value in run[key])]
    return escaped(f" Not drawn, being 0 or not finite in every layer: {', '.join(names)}.") if names else ""
