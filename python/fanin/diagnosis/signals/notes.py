"""Notes: where the batch or the parameters are not what the rules of initialization take for granted."""

from __future__ import annotations

from fanin.common.text import number
from fanin.diagnosis.signals.evidence import names
from fanin.diagnosis.signals.summaries import is_zero, non_finite
from fanin.diagnosis.signals.thresholds import limit
from fanin.tracing.record import Trace

_FAR = 10.0  # targets of unit variance are within 1 + E[output^2], ten times that is no scatter


def assumptions(t: Trace) -> list[str]:
    """Hold the batch and the parameters against what the rules of initialization take for granted."""
    out = []
    mean, std, square = float(t.x.mean), float(t.x.std), float(t.x.rms) ** 2
    if non_finite(t.x):
        out.append(f"inputs are not finite: {t.x.nans} NaN and {t.x.infs} infinities of {t.x.count}")
    if t.x.finite == 0:
        return out
    if std == 0:
        return [f"inputs do not vary: every one is {mean:.3g}, and nothing can be learned from them"]
    if abs(mean) > limit("mean of inputs") * std:
        out.append(f"inputs are not centred: mean {mean:.3g}, std {std:.3g}; subtract the mean of each input over the data")
    if not 1 / limit("size of inputs") <= square <= limit("size of inputs"):
        out.append(f"inputs are not of unit size: E[x^2] = {square:.3g}; standardize them: (x - mean) / std")
    if t.neighbours is not None and abs(t.neighbours) > limit("neighbours"):
        out.append(
            f"inputs are not independent: neighbours correlate by {t.neighbours:.2f} (median); expectations are rough there"
        )
    if t.loss_name == "mean_squared_error" and t.cost is not None and t.cost > _FAR * (1 + float(t.output.a.rms) ** 2):
        out.append(f"targets are not of unit size: E[(y - output)^2] = {t.cost:.3g}; standardize them: (y - mean) / std")
    biased = [layer for layer in t.layers if layer.b is not None and not is_zero(layer.b)]
    if biased:
        size = max(float(layer.b.rms) for layer in biased if layer.b is not None)
        out.append(f"{names(biased)}: biases are not 0 (rms up to {size:.3g}); the rules of initialization take them to be")
    finite = [layer for layer in t.hidden if not any(non_finite(s) for s in (layer.w, layer.z, layer.a))]
    shifted = [layer for layer in finite if abs(layer.a.mean) > 0.5 * layer.a.rms > 0]
    for name in dict.fromkeys(layer.activation for layer in shifted):
        one = next(layer for layer in shifted if layer.activation == name)
        usual = one.expected is not None and one.expected.a_rms > 0 and abs(one.expected.a_mean) > 0.4 * one.expected.a_rms
        words = f", as expected for {name}" if usual else "" if one.expected is None else f", not expected for {name}"
        out.append(f"activations are not zero-mean{words}: mean {number(float(one.a.mean), 0).strip()} in {one.name}")
    return out
