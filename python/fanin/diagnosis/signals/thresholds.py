"""The numbers that decide what a signal is called, with their sources."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Threshold:
    """A number that decides, and where it comes from."""

    value: float
    source: str

    def __str__(self) -> str:
        return f"{self.value:g}: {self.source}"


THRESHOLDS = {
    "total": Threshold(10.0, "a scale changed tenfold over the hidden layers: no learning rate suits both ends"),
    "shrink": Threshold(0.75, "a layer: tanh under its own rule has at least 0.77 (.628 to .486), ReLU under tanh's rule 0.71"),
    "grow": Threshold(1.33, "the inverse of the limit of shrinking"),
    "step": Threshold(1000.0, "a scale changed a thousandfold from one layer to the next, though both ends agree"),
    "dead": Threshold(0.5, "ReLU units die with depth by themselves, but no more than half of them (Lu et al. 2019)"),
    "saturated": Threshold(0.5, "most activations within 3 % of a bound, where the slope of tanh is below 6 %"),
    "copies": Threshold(0.5, "at least half of a layer's units compute the same, bit for bit"),
    "first cost": Threshold(2.0, "times the cost of a network that favours no class, ln(classes)"),
    "mean of inputs": Threshold(0.1, "times their standard deviation: LeCun et al. 1998, section 4.3, asks for a mean of 0"),
    "size of inputs": Threshold(2.0, "E[x^2] above it or below its inverse: LeCun et al. 1998, section 4.3, asks for 1"),
    "neighbours": Threshold(0.5, "median correlation of neighbouring inputs; the derivation takes them to be independent"),
    "converged": Threshold(0.5, "of the cost of the best constant prediction: from there on a flat course is an end"),
    "chance": Threshold(0.98, "of that cost: what ends above it has learned nothing from x"),
    "rebound": Threshold(10.0, "times the best cost of the run, at its end"),
    "plateau": Threshold(0.001, "of the cost: it falls by less over the run, or by less than twice the noise of the batches"),
    "diverged": Threshold(10.0, "times the first costs, at the end of the run"),
}


def limit(name: str) -> float:
    """Return a threshold's number."""
    return THRESHOLDS[name].value
