"""Advice: laws that suit an activation, and remedies as something that can be applied to a copy and tried."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from fanin import activation as _activation
from fanin.common.text import number
from fanin.diagnosis.signals.evidence import names
from fanin.diagnosis.signals.findings import odd_layers
from fanin.diagnosis.signals.reasons import typical
from fanin.diagnosis.signals.summaries import non_finite
from fanin.network.network import Network
from fanin.tracing.record import LayerTrace, Trace


@dataclass(frozen=True)
class Fix:
    """What to change: draw weights by a law, of all layers or of the last alone; set biases to zero; take another rate.

    Attributes
    ----------
    law : str or None
        None leaves the weights as they are.
    last_only : bool
        Whether the law draws the last layer alone.
    zero_biases : bool
        Whether all biases become 0.
    rate : float or None
        The learning rate that goes with it, where another than the given one is the advice.
    seed : int
        Of the law's draw.
    """

    law: str | None
    last_only: bool = False
    zero_biases: bool = True
    rate: float | None = None
    seed: int = 0

    def apply(self, net: Network) -> Network:
        """Return a changed copy; weights are drawn from the fix's own seed, so that what was tried is what comes."""
        if not isinstance(net, Network):
            raise TypeError(f"net must be a fanin.Network, got {type(net).__name__}: fanin.interop.torch.fill draws a module")
        changed = net.copy()
        if self.law is not None:
            hidden = net.activations[:-1]
            bias = bool(net.biases)
            drawn = Network(net.sizes, hidden, self.law, net.loss_name, seed=self.seed, dtype=net.dtype, bias=bias)
            pairs = list(zip(changed.weights, drawn.weights, strict=True))
            for w, new in pairs[-1:] if self.last_only else pairs:
                w[...] = new
            changed.init = f"{net.init}, the last layer {self.law}" if self.last_only else self.law
        if self.zero_biases:
            for b in changed.biases:
                b[...] = 0
        return changed


def remedies(net: Network) -> dict[str, Fix]:
    """Return the remedies to try beside the rule for the activation, by name."""
    law = reference_law(net)
    found = {f"another last layer, {law}": Fix(law, last_only=True, zero_biases=False)}
    if any(b.any() for b in net.biases):
        found["zero biases"] = Fix(None)
    if law != "xavier_normal":
        found["xavier_normal"] = Fix("xavier_normal")
    return found


def reference_law(net: Network) -> str:
    """Return the rule for the activation that most hidden layers have."""
    name = _most(net.activations[:-1])
    fixed = {"relu": "he_normal", "selu": "lecun_normal", "identity": "xavier_normal"}
    return fixed.get(name, f"xavier_normal(gain={name})")


def _most(found: Iterable[str]) -> str:
    listed = list(found)
    return max(dict.fromkeys(listed), key=listed.count) if listed else "identity"


def untried(verdict: str, t: Trace) -> str:
    """Return what the signals alone suggest; nothing for a healthy network."""
    law = _law_of(t)
    if verdict in ("no gradient", "symmetric"):
        return f"independent random weights, so that units differ: {law}"
    if verdict == "dead":
        return f"{law}, zero biases, centred inputs, or a smaller learning rate if the units died in training"
    if verdict == "diverged":
        if non_finite(t.x):
            return "inputs without NaN and infinity: leave those rows out, or put a number there"
        if any(non_finite(s) for layer in t.layers for s in (layer.w, layer.b)):
            return "a smaller learning rate: the weights themselves are not finite"
        return f"smaller weights: {law}; the weights are finite, what they make of the batch is not"
    if verdict == "saturated":
        return f"smaller weights: {law}; inputs of mean 0 and variance 1"
    return _other_scale(verdict, law, t) if verdict in ("vanishing", "exploding") else ""


def _other_scale(verdict: str, law: str, t: Trace) -> str:
    odd = [layer for layer in odd_layers(t) if (layer.n_var_w < typical(t)) == (verdict == "vanishing")]
    if odd:
        return _scaled(odd, verdict, law, _aim_of(t), odd[0].n_var_w)
    if verdict == "vanishing" and any(layer.activation == "sigmoid" for layer in t.hidden):
        return "tanh with xavier_normal, or a gain near 4 for sigmoid: its slope is at most 1/4"
    scale, aim = typical(t), _aim_of(t)
    factor = math.sqrt(aim / scale)
    if not 0.8 < factor < 1.25 and (factor > 1) == (verdict == "vanishing"):
        return _scaled([], verdict, law, aim, scale)
    return f"{law}; fewer layers, or an activation and a width that keep both signals: see the reasons"


def _scaled(layers: list[LayerTrace], verdict: str, law: str, aim: float, scale: float) -> str:
    size, where = "larger" if verdict == "vanishing" else "smaller", f" in {names(layers)}" if layers else ""
    return f"{size} weights{where}, x {math.sqrt(aim / scale):.3g}: {law} (n_in * Var(w) is {number(scale, 0).strip()} here)"


def _aim_of(t: Trace) -> float:
    """Return the n_in * Var(w) that suits the activation and the depth."""
    name = _most(layer.activation for layer in t.hidden)
    return 1.0 if name in ("tanh", "identity") and len(t.hidden) <= 20 else _activation.gain(name) ** 2


def _law_of(t: Trace) -> str:
    """Return the law that suits the activation, with its figure."""
    name, aim = _most(layer.activation for layer in t.hidden), _aim_of(t)
    if name == "relu":
        return "he_normal, n_in * Var(w) = 2 for ReLU"
    if name == "selu":
        return "lecun_normal, n_in * Var(w) = 1 for SELU"
    if aim == 1:
        return "xavier_normal, n_in * Var(w) = 1"
    return f"xavier_normal(gain={name}), n_in * Var(w) = {aim:.3g}"
