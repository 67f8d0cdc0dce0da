"""Advice: laws that suit an activation, and remedies as something that can be applied to a copy and tried."""

from __future__ import annotations

from dataclasses import dataclass

from fanin import activation as _activation
from fanin.network.network import Network
from fanin.tracing.record import Trace


@dataclass(frozen=True)
class Fix:
    """What to change: draw weights by a law, of all layers or of the last alone; set biases to zero.

    Attributes
    ----------
    law : str or None
        None leaves the weights as they are.
    last_only : bool
        Whether the law draws the last layer alone.
    zero_biases : bool
        Whether all biases become 0.
    """

    law: str | None
    last_only: bool = False
    zero_biases: bool = True

    def apply(self, net: Network) -> Network:
        """Return a changed copy; weights are drawn from the network's own seed."""
        changed = net.copy()
        if self.law is not None:
            hidden = net.activations[:-1]
            bias = bool(net.biases)
            drawn = Network(net.sizes, hidden, self.law, net.loss_name, seed=net.seed, dtype=net.dtype, bias=bias)
            pairs = list(zip(changed.weights, drawn.weights, strict=True))
            for w, new in pairs[-1:] if self.last_only else pairs:
                w[...] = new
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
    name = _most(list(net.activations[:-1]))
    fixed = {"relu": "he_normal", "selu": "lecun_normal", "identity": "xavier_normal"}
    return fixed.get(name, f"xavier_normal(gain={name})")


def _most(names: list[str]) -> str:
    return max(dict.fromkeys(names), key=names.count) if names else "identity"


def aim_of(t: Trace) -> float:
    """Return the n_in * Var(w) that suits the activation and the depth."""
    name = _most([layer.activation for layer in t.hidden])
    return 1.0 if name in ("tanh", "identity") and len(t.hidden) <= 20 else _activation.gain(name) ** 2


def law_of(t: Trace) -> str:
    """Return the law that suits the activation, with its figure."""
    name, aim = _most([layer.activation for layer in t.hidden]), aim_of(t)
    if name == "relu":
        return "he_normal, n_in * Var(w) = 2 for ReLU"
    if name == "selu":
        return "lecun_normal, n_in * Var(w) = 1 for SELU"
    if aim == 1:
        return "xavier_normal, n_in * Var(w) = 1"
    return f"xavier_normal(gain={name}), n_in * Var(w) = {aim:.3g}"
