"""The figures of every hidden layer beside their expectations, and what was found in each."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from fanin.diagnosis.signals.summaries import is_zero, non_finite
from fanin.diagnosis.signals.thresholds import limit
from fanin.tracing.record import LayerTrace, Trace

_MOST_NAMES = 8  # in one line


@dataclass(frozen=True)
class LayerEvidence:
    """What speaks for and against one hidden layer, beside what theory expects at its depth."""

    name: str
    n_var_w: float
    saturated: float | None
    dead: float
    expected_dead: float | None
    copies: int
    forward_ratio: float | None
    expected_forward_ratio: float | None
    backward_ratio: float | None
    expected_backward_ratio: float | None
    forward: tuple[str, ...]  # findings: "not finite", "dead", "saturated", "shrinks", "grows", "copies"
    backward: tuple[str, ...]  # "not finite", "no gradient", "shrinks", "grows"


def evidence(t: Trace) -> tuple[LayerEvidence, ...]:
    """Return the evidence of every hidden layer."""
    out = []
    for i, layer in enumerate(t.hidden):
        before = t.hidden[i - 1].expected if i else None
        own = layer.expected
        known = before is not None and own is not None and before.a_rms > 0
        expected = own.a_rms / before.a_rms if known and own is not None and before is not None else None
        forward = [word for word, found in _findings(layer) if found]
        if layer.forward_ratio is not None and not math.isnan(layer.forward_ratio):
            forward += _step(layer.forward_ratio)
        backward = []
        if any(non_finite(s) for s in (layer.dz, layer.da, layer.dw, layer.db)):
            backward.append("not finite")
        elif is_zero(layer.dw):
            backward.append("no gradient")
        if layer.backward_ratio is not None and not math.isnan(layer.backward_ratio):
            backward += _step(layer.backward_ratio)
        out.append(
            LayerEvidence(
                name=layer.name,
                n_var_w=layer.n_var_w,
                saturated=layer.saturated,
                dead=layer.dead,
                expected_dead=layer.expected_dead,
                copies=layer.copies,
                forward_ratio=layer.forward_ratio,
                expected_forward_ratio=expected,
                backward_ratio=layer.backward_ratio,
                expected_backward_ratio=layer.expected_backward_ratio,
                forward=tuple(forward),
                backward=tuple(backward),
            )
        )
    return tuple(out)


def _step(ratio: float) -> list[str]:
    return ["shrinks"] if ratio < limit("shrink") else ["grows"] if ratio > limit("grow") else []


def _findings(layer: LayerTrace) -> Iterable[tuple[str, bool]]:
    yield "not finite", any(non_finite(s) for s in (layer.w, layer.b, layer.z, layer.a))
    yield "dead", layer.dead > limit("dead")
    yield "saturated", (layer.saturated or 0) > limit("saturated")
    yield "copies", alike(layer)


def alike(layer: LayerTrace) -> bool:
    """Whether the layer is symmetric."""
    return layer.copies > 1 and layer.copies >= limit("copies") * layer.n_out


def names(layers: Iterable[LayerTrace]) -> str:
    """Name layers: a run of neighbours by its ends, of many others the first three and the last."""
    found = [layer.name for layer in layers]
    if len(found) > 3 and _run(found):
        return f"{found[0]} to {found[-1]}"
    if len(found) > _MOST_NAMES:
        return f"{', '.join(found[:3])} to {found[-1]} ({len(found)} layers)"
    return ", ".join(found)


def _run(found: list[str]) -> bool:
    ends = [name.split()[-1] for name in found if name != "output"]
    if not all(end.isdecimal() for end in ends) or not found[0].startswith("hidden"):
        return False  # the layers of another library's module
    numbers = [int(end) for end in ends]
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))
