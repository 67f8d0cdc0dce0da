"""What a law would draw."""

from __future__ import annotations

from typing import NamedTuple

from fanin import _core
from fanin.init._law import Axes, LawLike, law
from fanin.init._place import Shape


class Description(NamedTuple):
    """What a law would draw into a shape; prints as a few lines.

    Attributes
    ----------
    law : str
        The law's text.
    shape : tuple of int
    in_axis, out_axis, batch_axis : tuple of int
        As stated.
    fan_in, fan_out, receptive : int or None
        Inputs of one output, outputs of one input, size of the kernel that both contain. None where the shape has no fans.
    mean, variance, std : float
        Of the law; of the matrix elements for the identity.
    low, high, bound : float
        No draw lies outside [low, high]; bound is the larger magnitude. Infinite for the normal laws.
    n_var, n_out_var : float or None
        fan_in * Var(w) and fan_out * Var(w): the factors by which a linear layer multiplies the variance of the signal,
        forward and backward. 1 keeps it.
    """

    law: str
    shape: tuple[int, ...]
    in_axis: tuple[int, ...]
    out_axis: tuple[int, ...]
    batch_axis: tuple[int, ...]
    fan_in: int | None
    fan_out: int | None
    receptive: int | None
    mean: float
    variance: float
    std: float
    low: float
    high: float
    bound: float
    n_var: float | None
    n_out_var: float | None

    def __repr__(self) -> str:
        rows = {"law": self.law, "shape": str(self.shape)}
        if self.fan_in is not None:
            kernel = "" if self.receptive == 1 else f" (a receptive field of {self.receptive} in both)"
            rows["axes"] = f"in {_axes(self.in_axis)}, out {_axes(self.out_axis)}"
            rows["axes"] += f", batch {_axes(self.batch_axis)}" if self.batch_axis else ""
            rows["fans"] = f"n_in = {self.fan_in}, n_out = {self.fan_out}{kernel}"
        rows["mean"] = f"{self.mean:.6g}"
        rows["std"] = f"{self.std:.6g}"
        rows["bounds"] = "none" if self.bound == float("inf") else f"{self.low:.6g} to {self.high:.6g}"
        if self.n_var is not None:
            rows["n_in Var(w)"] = f"{self.n_var:.6g} (forward)"
            rows["n_out Var(w)"] = f"{self.n_out_var:.6g} (backward)"
        return "\n".join(f"{name:<14}{value}" for name, value in rows.items())


def _axes(axes: tuple[int, ...]) -> str:
    return str(axes[0]) if len(axes) == 1 else str(axes)


def describe(law_like: LawLike, shape: Shape, *, in_axis: Axes = 1, out_axis: Axes = 0, batch_axis: Axes = ()) -> Description:
    """Tell what a law would draw into a shape: fans, mean, std, bounds, n_in Var(w).

    Parameters
    ----------
    law_like : str, Law or function of `fanin.init`
    shape, in_axis, out_axis, batch_axis
        As for every law.

    Raises
    ------
    ValueError
        For an unknown law, and where the law cannot be drawn into this shape.

    Examples
    --------
    >>> import fanin as fi
    >>> fi.init.describe("he_normal", (300, 784))
    law           he_normal
    shape         (300, 784)
    axes          in 1, out 0
    fans          n_in = 784, n_out = 300
    mean          0
    std           0.0505076
    bounds        none
    n_in Var(w)   2 (forward)
    n_out Var(w)  0.765306 (backward)
    """
    stated = law(law_like)
    return Description(law=repr(stated), **_core.describe(stated._core_law, shape, in_axis, out_axis, batch_axis))
