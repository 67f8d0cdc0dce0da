"""What one layer does to one signal: moments of an activation under a normal pre-activation, and the maps made of them.

In a wide layer of independent weights the pre-activations of one input are normal with mean 0 and variance q. Forward, the next
variance is ``q' = sigma_w^2 E[g(z)^2] + sigma_b^2`` (Poole et al. 2016, eq. 3); backward, the mean squared gradient changes by
``chi = sigma_w^2 E[g'(z)^2]`` a layer (Schoenholz et al. 2016, eq. 5), sigma_w^2 being n_in * Var(w).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from fanin.theory.integrals.function import Activation, Estimate, Function, Points, Slope, checked, resolve
from fanin.theory.integrals.quadrature import Array, Integral, expect

TOL = 1e-10  # relative to the integral of the absolute value


def integral(
    g: Activation, f: Callable[[Array], Array], q: Array, *, slopes: bool, what: str, tol: float, mean: float = 0.0
) -> Integral:
    """Return E[f(z)] for z ~ N(mean, q), checked; f is made of g (and of g', if `slopes`). The variances are at least 0."""
    where = np.zeros_like(q)
    if mean:
        where += mean
    positive = q > 0
    value, error, scale = (np.zeros_like(q) for _ in range(3))
    with np.errstate(all="ignore"):
        if positive.any():
            shape = g.shape(float(q.max()), slopes=slopes, mean=mean)
            some = expect(f, where[positive], q[positive], shape, tol)
            for whole, part in zip((value, error, scale), some, strict=True):
                whole[positive] = part
        if not positive.all():
            if slopes:
                g.shape(1.0, slopes=True, mean=mean)
            beside = 1e-150 if g.named else 1e-9  # the limit q -> 0 is the mean of both sides
            value[~positive] = f(np.array([mean - beside, mean + beside])).mean() if slopes else f(np.array([mean]))[0]
            scale[~positive] = np.abs(value[~positive])
    return checked(Integral(value, error, scale), g, what, tol)


def variances(q: ArrayLike) -> Array:
    """Return q as a float64 array; refuse what is no variance."""
    given = np.asarray(q, dtype=np.float64)
    if not np.all((given >= 0) & np.isfinite(given)):
        raise ValueError(f"q must be at least 0 and finite, got {given[~((given >= 0) & np.isfinite(given))].flat[0]}")
    return given


def _moment(
    g: Activation, power: int, q: ArrayLike, *, slopes: bool, factor: float, shift: float, what: str, tol: float
) -> Array | Estimate:
    given = variances(q)
    of = g.slope if slopes else g.value
    found = integral(g, lambda z: of(z) ** power, given.reshape(-1), slopes=slopes, what=what, tol=tol)
    value = factor * found.value + shift
    return Estimate(float(value[0]), factor * float(found.error[0])) if given.ndim == 0 else value.reshape(given.shape)


def mean(
    activation: Function, q: ArrayLike, *, derivative: Slope = None, breakpoints: Points = None, tol: float = TOL
) -> Array | Estimate:
    """Return E[g(z)] for z ~ N(0, q). Arguments, result and errors are those of `variance_map`."""
    g = resolve(activation, derivative, breakpoints)
    return _moment(g, 1, q, slopes=False, factor=1.0, shift=0.0, what="the mean", tol=tol)


def second_moment(
    activation: Function, q: ArrayLike, *, derivative: Slope = None, breakpoints: Points = None, tol: float = TOL
) -> Array | Estimate:
    """Return E[g(z)^2] for z ~ N(0, q). Arguments, result and errors are those of `variance_map`."""
    return variance_map(activation, q, derivative=derivative, breakpoints=breakpoints, tol=tol)


def variance_map(
    activation: Function,
    q: ArrayLike,
    *,
    sigma_w: float = 1.0,
    sigma_b: float = 0.0,
    derivative: Slope = None,
    breakpoints: Points = None,
    tol: float = TOL,
) -> Array | Estimate:
    """Return the variance of the next layer's pre-activations: sigma_w^2 E[g(z)^2] + sigma_b^2 for z ~ N(0, q).

    Parameters
    ----------
    activation : str, callable or Activation
        A name that `fanin` knows, or any elementwise function of a float64 array.
    q : float or array, at least 0
        Variance of this layer's pre-activations.
    sigma_w, sigma_b : float
        sqrt(n_in * Var(w)) of the next layer, and the standard deviation of its biases.
    derivative, breakpoints, tol
        As in `gain`.

    Returns
    -------
    Estimate or ndarray
        A float with an `error` for a number, an array of the shape of `q` for an array.

    Raises
    ------
    ValueError
        If q is negative or not finite, the result is not finite, or `tol` cannot be reached.

    Examples
    --------
    >>> from fanin import theory
    >>> round(theory.variance_map("tanh", 1.0), 6)
    0.394294
    """
    g = resolve(activation, derivative, breakpoints)
    what = "the second moment"
    return _moment(g, 2, q, slopes=False, factor=sigma_w**2, shift=sigma_b**2, what=what, tol=tol)


def chi(
    activation: Function,
    q: ArrayLike,
    *,
    sigma_w: float = 1.0,
    derivative: Slope = None,
    breakpoints: Points = None,
    tol: float = TOL,
) -> Array | Estimate:
    """Return sigma_w^2 E[g'(z)^2] for z ~ N(0, q): the factor of the mean squared gradient over one layer, backward.

    At q = 0 it is the limit: the mean over both sides of 0. Otherwise arguments, result and errors are those of
    `variance_map`.
    """
    g = resolve(activation, derivative, breakpoints)
    what = "the second moment of the derivative"
    return _moment(g, 2, q, slopes=True, factor=sigma_w**2, shift=0.0, what=what, tol=tol)


def variance_slope(g: Activation, q: float, sigma_w: float, tol: float = TOL) -> float:
    """Return dV/dq of the variance map V: sigma_w^2 E[z g(z) g'(z)] / q; at q = 0 the limit where g(0) is 0.

    Schoenholz et al. 2016, sec. 3, write it chi_1 + sigma_w^2 E[g''(z) g(z)]; Stein's lemma, E[z f(z)] = q E[f'(z)], makes it
    this, which needs no second derivative.
    """
    if q == 0:
        return float(chi(g, 0.0, sigma_w=sigma_w, tol=tol))
    what = "the slope of the variance map"
    found = integral(g, lambda z: z * g.value(z) * g.slope(z), np.array([q]), slopes=True, what=what, tol=tol)
    return float(sigma_w**2 * found.value[0] / q)


def gain(
    activation: Function,
    direction: str = "forward",
    *,
    q: float = 1.0,
    convention: str = "second_moment",
    derivative: Slope = None,
    breakpoints: Points = None,
    tol: float = TOL,
) -> Estimate:
    """Return the gain: the factor of weights of variance 1 / n_in that keeps a signal's scale where z ~ N(0, q).

    Parameters
    ----------
    activation : str, callable or Activation
        A name that `fanin` knows, or any elementwise function of a float64 array.
    direction : {"forward", "backward"}
        Forward ``sqrt(q / E[g(z)^2])``: the next pre-activations have variance q again (He et al. 2015, sec. 2.2, for ReLU).
        Backward ``1 / sqrt(E[g'(z)^2])``: the mean squared gradient is kept, chi = 1, where n_in = n_out.
    q : float
        Variance of the pre-activations.
    convention : {"second_moment", "variance"}
        Forward, what is kept: the second moment E[g^2], which is what a layer multiplies, or the variance, E[g^2] - E[g]^2. The
        second is right only where activations are centred: for ReLU it says 1.7129 where He's sqrt(2) keeps the signal.
    derivative : callable, optional
        g' of a callable. By default the derivative of a piecewise polynomial interpolant, right to about 1e-12.
    breakpoints : sequence of float, optional
        Where a callable has kinks. Those that are not named are found by halving.
    tol : float
        Error that is accepted, relative to the integral of the absolute value.

    Returns
    -------
    Estimate
        A float, with an estimate of its own error as `.error`.

    Raises
    ------
    ValueError
        If an argument is unknown, no gain exists because the moment is 0 or not finite, or `tol` cannot be reached.

    Examples
    --------
    >>> import numpy as np
    >>> from fanin import theory
    >>> f"{theory.gain('tanh'):.10f} {theory.gain('tanh', 'backward'):.10f}"
    '1.5925374197 1.4674135916'
    >>> measured = theory.gain(np.sin)
    >>> f"{measured:.10f}", measured.error < 1e-12
    ('1.5208666232', True)
    """
    if direction not in ("forward", "backward"):
        raise ValueError(f'direction must be "forward" or "backward", got {direction!r}')
    if convention not in ("second_moment", "variance"):
        raise ValueError(f'convention must be "second_moment" or "variance", got {convention!r}')
    if not 0 < q < np.inf:
        raise ValueError(f"q must be above 0 and finite, got {q}")
    g = resolve(activation, derivative, breakpoints)
    moment = second_moment(g, q, tol=tol) if direction == "forward" else chi(g, q, tol=tol)
    assert isinstance(moment, Estimate)
    value, error = float(moment), moment.error
    if direction == "forward" and convention == "variance":
        middle = mean(g, q, tol=tol)
        assert isinstance(middle, Estimate)
        value, error = value - middle**2, error + 2 * abs(middle) * middle.error
    if not value > 0:
        raise ValueError(f"{g} has no {direction} gain: the moment that it keeps is {value}")
    result = float(np.sqrt((q if direction == "forward" else 1.0) / value))
    return Estimate(result, result * error / (2 * value))


def relative_fluctuation(activation: Function, q: float, direction: str = "forward") -> float:
    """Return n times the relative variance of a layer's mean square, over draws of its weights, for one input.

    Forward it is Var(g^2) / E[g^2]^2, backward 2 + 3 (E[g'^4] / E[g'^2]^2 - 1), z ~ N(0, q) (2 for the identity, 5 for ReLU
    both ways: Hanin & Nica 2018). The standard deviation of the logarithm of an rms over a layer of n units is therefore
    about ``sqrt(relative_fluctuation / n) / 2``; averaging over the inputs of a batch makes it smaller.
    """
    g = resolve(activation, None, None)
    variance, slopes = np.array([max(float(q), 1e-20)]), direction != "forward"
    of = g.slope if slopes else g.value
    squares = integral(g, lambda z: of(z) ** 2, variance, slopes=slopes, what="the second moment", tol=1e-6).value[0]
    fourths = integral(g, lambda z: of(z) ** 4, variance, slopes=slopes, what="the fourth moment", tol=1e-6).value[0]
    if not squares > 0:
        return float("nan")
    excess = max(float(fourths / squares**2) - 1, 0.0)  # of a constant, rounding may leave less
    return 2 + 3 * excess if slopes else excess
