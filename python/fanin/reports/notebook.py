"""What notebooks show of fanin's objects: small tables, readable in light and dark, every text escaped, no script.

The classes call these functions from ``_repr_html_``. Colours follow the notebook: text inherits, lines are translucent, and
the colours of verdicts read on white and on black.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from fanin.common.text import layer_name, number
from fanin.reports import palette
from fanin.stats import summarize

if TYPE_CHECKING:
    from fanin.diagnosis.diagnosis import Diagnosis
    from fanin.diagnosis.learning_rate import LearningRates
    from fanin.experiments.comparison import Comparison
    from fanin.experiments.sweep_result import Sweep
    from fanin.init import Law
    from fanin.network.network import Network
    from fanin.tracing.record import Trace

_LINES = 40  # rows of a table; of a longer one the first and the last half of them
_RULE = "border-bottom:1px solid rgba(128,128,128,.35)"
_CELL = f"padding:2px 10px 2px 0;{_RULE};vertical-align:top;white-space:nowrap;background:none;color:inherit"


def verdict_colour(verdict: str) -> str:
    """Return the colour of a verdict, readable on light and dark."""
    return palette.NOTEBOOK[palette.kind(verdict)]


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, right: Iterable[int] = (), verdict: int | None = None) -> str:
    """Return a table of texts, escaped; columns `right` flush right, the column `verdict` coloured."""
    flush = set(right)

    def cell(tag: str, i: int, text: str) -> str:
        style = f"{_CELL};text-align:{'right' if i in flush else 'left'}"
        if tag == "td" and i == verdict:
            style += f";color:{verdict_colour(text)};font-weight:600"
        return f'<{tag} style="{style}">{html.escape(text)}</{tag}>'

    def line(tag: str, cells: Sequence[str]) -> str:
        return "<tr>" + "".join(cell(tag, i, text) for i, text in enumerate(cells)) + "</tr>"

    body = [line("td", row) for row in rows]
    if len(rows) > _LINES:
        more = f'<tr><td colspan="{len(heads)}" style="{_CELL}">… {len(rows) - _LINES} more …</td></tr>'
        body = [*body[: _LINES // 2], more, *body[-_LINES // 2 :]]
    top = f"<thead>{line('th', heads)}</thead>" if any(heads) else ""
    style = "border-collapse:collapse;color:inherit;font-variant-numeric:tabular-nums"
    return f'<table style="{style}">{top}<tbody>{"".join(body)}</tbody></table>'


def _block(title: str, *parts: str) -> str:
    head = f'<div style="margin:2px 0 6px">{html.escape(title)}</div>'
    return f'<div style="max-width:100%;overflow-x:auto;font-size:90%">{head}{"".join(parts)}</div>'


def network(net: Network) -> str:
    """Layers of a network: sizes, activation, and how large its weights are."""
    rows = []
    names = [layer_name(i, len(net.weights)) for i in range(len(net.weights))]
    for name, w, activation in zip(names, net.weights, net.activations, strict=True):
        biases = w.shape[0] if net.biases else 0
        size = float(summarize(w).rms) ** 2 * w.shape[1]
        rows.append([name, f"{w.shape[1]} > {w.shape[0]}", activation, f"{w.size + biases:,}", number(size, 0)])
    parameters = sum(a.size for a in (*net.weights, *net.biases))
    title = f"Network: {parameters:,} parameters, init {net.init}, {net.loss_name}, {net.dtype.name}, seed {net.seed}"
    return _block(title, table(["layer", "in > out", "activation", "parameters", "n Var(w)"], rows, right=(3, 4)))


def trace_rows(t: Trace) -> tuple[list[str], list[list[str]]]:
    """Return heads and rows of a trace's table, as its print has them."""
    heads = ["layer", "in > out", "n Var(w)", "std of a", "expected", "ratio", "saturated", "dead"]
    if t.cost is not None:
        heads += ["rms of da", "expected", "ratio", "rms of dw"]
    rows = []
    for layer in t.layers:
        row = [
            layer.name,
            f"{layer.n_in} > {layer.n_out}",
            number(layer.n_var_w, 0),
            number(float(layer.a.std), 0),
            number(layer.expected_std, 0),
            number(layer.forward_ratio, 0),
            "-" if layer.saturated is None else f"{100 * layer.saturated:.0f} %",
            f"{100 * layer.dead:.0f} %",
        ]
        if t.cost is not None:
            rms = [None if one is None else float(one.rms) for one in (layer.da, layer.dw)]
            row += [number(rms[0], 0), number(layer.expected_da, 0), number(layer.backward_ratio, 0), number(rms[1], 0)]
        rows.append(row)
    return heads, rows


def trace(t: Trace) -> str:
    """Layers of a trace, measured beside expected."""
    heads, rows = trace_rows(t)
    cost = "" if t.cost is None else f", cost {t.cost:.4g}"
    if t.cost is not None and t.uninformed_cost is not None:
        cost += f" (a network that favours no class: {t.uninformed_cost:.4g})"
    return _block(f"Trace of a batch of {t.batch}{cost}", table(heads, rows, right=range(1, len(heads))))


def diagnosis(d: Diagnosis) -> str:
    """Verdict, reasons, notes and advice."""
    parts = ["not measured" if part is None else part for part in (d.forward, d.backward)]
    verdict = f'<b style="color:{verdict_colour(d.verdict)}">{html.escape(d.headline)}</b>'
    said = [*d.reasons, *(f"note: {note}" for note in d.notes), *([f"try: {d.advice}"] if d.advice else [])]
    lines = "".join(f"<li>{html.escape(one)}</li>" for one in said)
    sides = html.escape(f"activations: {parts[0]}; gradients: {parts[1]}")
    return f'<div style="font-size:90%">{verdict} ({sides})<ul style="margin:4px 0;padding-left:20px">{lines}</ul></div>'


def learning_rates(result: LearningRates) -> str:
    """The table of the rates tried."""
    heads, rows = result.table()
    return _block(result.title(), table(heads, rows, right=(0, 1, 2)), f"<div>{html.escape(result.constant())}</div>")


def comparison(result: Comparison) -> str:
    """The table of a comparison, the verdicts coloured."""
    heads, rows = result.table()
    return _block(
        result.title(), table(heads, rows, right=(3, 4, 5), verdict=6), f"<div>{html.escape(result.constant())}</div>"
    )


def sweep(result: Sweep) -> str:
    """The table of a sweep."""
    heads, rows = result.table()
    numbers = [i for i, head in enumerate(heads) if head not in ("law", "activation", "verdict at the start")]
    return _block(result.title(), table(heads, rows, right=numbers, verdict=heads.index("verdict at the start")))


def law(one: Law) -> str:
    """A law, its parameters and, where they depend on no shape, its moments."""
    rows = [[key, str(value)] for key, value in one.parameters.items()]
    try:
        moments = {"mean": f"{one.mean:.6g}", "std": f"{math.sqrt(one.variance):.6g}"}
        rows += [[key, value] for key, value in moments.items() if key not in one.parameters]
        low, high = one.bounds
        rows.append(["bounds", "none" if math.isinf(high) else f"{low:.6g} to {high:.6g}"])
    except ValueError:
        rows.append(["moments", "depend on the shape: law.moments((n_out, n_in))"])
    return _block(f"Law: {one!r}", table(["", ""], rows))
