"""An activation as theory sees it: a name of the core, or any elementwise function."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from fanin import activation as _activation
from fanin.theory.integrals.interpolate import Interpolant
from fanin.theory.integrals.quadrature import FAR_REACH, REACH, Array, Integral, Shape

Function: TypeAlias = "str | Callable[[Array], Array] | Activation"
Slope: TypeAlias = Callable[[Array], Array] | None
Points: TypeAlias = Sequence[float] | None


class Estimate(float):
    """A number with an estimate of its absolute error; otherwise a plain float.

    Attributes
    ----------
    error : float
        The differences of two quadrature rules, summed over the panels: pessimistic by orders of magnitude for smooth
        integrands.
    """

    error: float

    def __new__(cls, value: float, error: float = 0.0) -> Estimate:
        """Make one of a value and its absolute error."""
        self = super().__new__(cls, value)
        self.error = error
        return self

    def __reduce__(self) -> tuple[type[Estimate], tuple[float, float]]:
        return Estimate, (float(self), self.error)


class Activation:
    """Value and derivative of an activation at float64 arrays, and what quadrature must know of it.

    Every function of `fanin.theory` takes one where it takes a name; a callable that is used often is prepared once this way.

    Parameters
    ----------
    activation : str or callable
        A name that `fanin.activation.names` lists, or a function that works element by element on float64 arrays.
    derivative : callable, optional
        The derivative of a callable. Without it, that of a piecewise interpolant is taken.
    breakpoints : sequence of float
        Where a callable or its derivative is not smooth. Kinks that are not named are found, at the price of time.
    """

    def __init__(
        self, activation: str | Callable[[Array], Array], derivative: Slope = None, breakpoints: Points = None
    ) -> None:
        self.activation = activation
        self.named = isinstance(activation, str)
        if self.named and (derivative is not None or breakpoints is not None):
            raise ValueError(f"derivative and breakpoints are for callables; {activation!r} has its own")
        if not self.named and not callable(activation):
            raise TypeError(f"activation must be a name or a function, got {type(activation).__name__}")
        if isinstance(activation, str):
            facts = _activation.traits(activation)
            known, self._period = facts.kinks, facts.period or math.inf
        else:
            known, self._period = tuple(float(b) for b in breakpoints or ()), math.inf
            if not all(math.isfinite(b) for b in known):
                raise ValueError(f"breakpoints must be finite, got {known}")
        self._derivative = derivative
        self._known = known
        self._interpolant: Interpolant | None = None
        self._interpolated = 0.0

    def __str__(self) -> str:
        return self.activation if isinstance(self.activation, str) else getattr(self.activation, "__name__", "the function")

    def value(self, z: Array) -> Array:
        """Return g(z)."""
        if isinstance(self.activation, str):
            return np.asarray(_activation.evaluate(self.activation, z))
        return self._called("activation", self.activation, z)

    def slope(self, z: Array) -> Array:
        """Return g'(z); within the reach that `shape` was called with."""
        if isinstance(self.activation, str):
            return np.asarray(_activation.derivative(self.activation, z))
        if self._derivative is not None:
            return self._called("derivative", self._derivative, z)
        assert self._interpolant is not None
        return self._interpolant.slope(z)

    def shape(self, q: float, *, slopes: bool, kinks: bool = False, mean: float = 0.0) -> Shape:
        """Prepare for integrals at variances up to q; `slopes`: of g', `kinks`: they are to be found if not known."""
        if self.named:
            return Shape(self._known, 1.0, REACH, self._period)
        found: tuple[float, ...] = ()
        if (slopes and self._derivative is None) or (kinks and not self._known):
            reach = FAR_REACH * math.sqrt(q) + abs(mean)
            if self._interpolant is None or self._interpolated < reach:
                self._interpolated = 1.5 * reach
                self._interpolant = Interpolant(self.value, self._interpolated, self._known)
            if slopes and self._interpolant.jumps:
                raise ValueError(f"{self} jumps at {self._interpolant.jumps[0]:.6g}: the square of its derivative has no mean")
            found = self._interpolant.kinks
        unknown = self._interpolant is None and not self._known
        return Shape(tuple(sorted({*self._known, *found})), 2.0**-6 if unknown else 1.0, FAR_REACH)

    def at_zero(self) -> tuple[float, float, float]:
        """Return g(0) and the derivatives on the left and on the right of 0."""
        here = float(self.value(np.zeros(1))[0])
        if not self.named and self._derivative is None:
            self.shape(1.0, slopes=True)
        tiny = 1e-150 if self._interpolant is None else 1e-9
        left, right = self.slope(np.array([-tiny, tiny]))
        return here, float(left), float(right)

    @staticmethod
    def _called(what: str, function: Callable[[Array], Array], z: Array) -> Array:
        values = np.asarray(function(z), dtype=np.float64)
        if values.shape != z.shape:
            raise ValueError(f"{what} must work element by element: {z.shape} went in, {values.shape} came out")
        return values


def resolve(activation: Function, derivative: Slope, breakpoints: Points) -> Activation:
    """Return the `Activation` that is meant."""
    if isinstance(activation, Activation):
        if derivative is not None or breakpoints is not None:
            raise ValueError("derivative and breakpoints are those of the Activation that was given")
        return activation
    return Activation(activation, derivative, breakpoints)


def checked(found: Integral, g: Activation, what: str, tol: float) -> Integral:
    """Refuse an integral that is not finite or has not the precision wanted.

    Raises
    ------
    ValueError
        If a value is not finite, or an error exceeds `tol` times the integral of the absolute value.
    """
    if not np.all(np.isfinite(found.value)):
        raise ValueError(f"{what} of {g} is not finite")
    if np.any(found.error > tol * found.scale):
        worst = float(np.max(found.error / np.where(found.scale > 0, found.scale, 1)))
        raise ValueError(
            f"tol={tol:g} was not reached for {what} of {g}: its relative error may be {worst:.1e}; name its kinks in "
            "breakpoints=, give derivative=, or ask for less with tol="
        )
    return found
