"""A trace as text: a table for people, lines of comma-separated values for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fanin.common.text import number
from fanin.stats import Summary

if TYPE_CHECKING:
    from fanin.tracing.record import LayerTrace, Trace


_WIDTHS = (-10, 9, 7, 8, 8, 8, 5, 5, 8, 7, 7, 7)
_GROUPS = ("", "", "n", "", "of a:", "", "", "", "of da:", "", "", "of dw:")
_COLUMNS = ("layer", "in > out", "Var(w)", "std", "expected", "ratio", "satur", "dead", "rms", "ratio", "expect.", "rms")


def text(t: Trace) -> str:
    """Return a table of at most 100 columns: a line for each layer, then what concerns the whole."""
    lines = [_line(_GROUPS), _line(_COLUMNS), *(_line(_cells(layer)) for layer in t.layers)]
    ends = t.hidden[:: max(len(t.hidden) - 1, 1)]
    if ends and all(layer.cosine is not None and layer.effective_rank is not None for layer in ends):
        cosines = " to ".join(f"{layer.cosine:.2f}" for layer in ends)
        ranks = " to ".join(f"{layer.effective_rank:.3g}" for layer in ends)
        lines.append(f"inputs, over the hidden layers: mean cosine {cosines}, effective rank {ranks}")
    if t.cost is not None:
        beside = "" if t.uninformed_cost is None else f"; a network that favours no class: {t.uninformed_cost:.4g}"
        lines.append(f"cost {t.cost:.4g}{beside}")
    return "\n".join(lines)


def _line(cells: tuple[str, ...]) -> str:
    """Join cells; a negative width is flush left."""
    return " ".join(f"{c:<{-w}}" if w < 0 else f"{c:>{w}}" for c, w in zip(cells, _WIDTHS, strict=True)).rstrip()


def _cells(layer: LayerTrace) -> tuple[str, ...]:
    numbers = (layer.n_var_w, float(layer.a.std), layer.expected_std, layer.forward_ratio)
    back = (_rms(layer.da), layer.backward_ratio, layer.expected_backward_ratio, _rms(layer.dw))
    return (
        layer.name,
        f"{layer.n_in}>{layer.n_out}",
        *(number(value, width) for value, width in zip(numbers, _WIDTHS[2:6], strict=True)),
        "-" if layer.saturated is None else f"{100 * layer.saturated:.0f} %",
        f"{100 * layer.dead:.0f} %",
        *(number(value, width) for value, width in zip(back, _WIDTHS[8:], strict=True)),
    )


def _rms(summary: Summary | None) -> float | None:
    return None if summary is None else float(summary.rms)


def flat(layers: Sequence[dict[str, Any]], summaries: Sequence[str], fields: Sequence[str]) -> list[dict[str, Any]]:
    """Return dictionaries of layers with the summaries in them spread over keys; units are left out."""
    rows = []
    for layer in layers:
        row: dict[str, Any] = {}
        for key, value in layer.items():
            if key in summaries:
                row |= {f"{key}.{f}": None if value is None else value[f] for f in fields}
            elif key != "units":
                row[key] = value
        rows.append(row)
    return rows
