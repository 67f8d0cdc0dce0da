"""Activation functions: value, derivative, and the gains that laws take by name; softmax over rows.

An activation is written as its name, with its parameter in parentheses where it has one: ``"relu"``, ``"leaky_relu(0.2)"``,
``"elu(alpha=0.5)"``; everything that takes an activation takes these. Results are the same bits on every CPU, at any thread
count and for any strides.

========== ===================================================== =========================================
name       g(z)                                                  source
========== ===================================================== =========================================
identity   z
relu       max(z, 0)
leaky_relu z < 0 ? slope z : z; slope 0.01                       Maas, Hannun, Ng, ICML 2013
elu        z < 0 ? alpha (e^z - 1) : z; alpha 1                  Clevert, Unterthiner, Hochreiter, ICLR 2016
selu       lambda elu(z), alpha = 1.6732632423543772,            Klambauer et al., NIPS 2017, equation 14
           lambda = 1.0507009873554805
gelu       z Phi(z), Phi the normal law (the erf form)           Hendrycks, Gimpel 2016
gelu_tanh  z/2 (1 + tanh(sqrt(2/pi) (z + 0.044715 z^3)))         the same
silu       z sigmoid(z); also called swish                       Elfwing, Uchibe, Doya 2017
mish       z tanh(softplus(z))                                   Misra 2019
softplus   ln(1 + e^z)
softsign   z / (1 + abs(z))
tanh
sigmoid    1 / (1 + e^-z)
hardtanh   min(max(z, -1), 1)
relu6      min(max(z, 0), 6)                                     Krizhevsky 2010
hardswish  z min(max(z + 3, 0), 6) / 6                           Howard et al., ICCV 2019
sin        z in radians                                          Sitzmann et al., NeurIPS 2020
========== ===================================================== =========================================

The largest errors measured, and the values at zeros, infinities and kinks, are in docs/activations.md.
"""

from __future__ import annotations

from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from fanin import _core
from fanin.common import foreign

Float = TypeVar("Float", np.float32, np.float64)
Traits: TypeAlias = _core.ActivationTraits


def names() -> list[str]:
    """Return the names of the activations.

    Examples
    --------
    >>> import fanin as fi
    >>> print(*fi.activation.names())
    identity relu leaky_relu elu selu gelu gelu_tanh silu mish softplus softsign tanh sigmoid hardtanh relu6 hardswish sin
    """
    return _core.activation_names()


def evaluate(name: str, z: NDArray[Float], *, out: NDArray[Float] | None = None) -> NDArray[Float]:
    """Return g(z), element by element.

    Parameters
    ----------
    name : str
        One of `names`, with a parameter or without: ``"leaky_relu(0.2)"``.
    z : ndarray of float32 or float64
        Any shape and strides; never converted.
    out : ndarray, optional
        Where the result goes: writable, the shape and dtype of `z`, `z` itself or sharing no memory with it. By default a
        new array in the memory order of `z`.

    Returns
    -------
    ndarray
        `out`, or the new array. ``tanh`` and ``sigmoid`` are right to 2 units in the last place, the others to 4, also far
        left, where ``gelu``, ``silu`` and ``mish`` follow e^z down to the subnormals. NaN gives NaN; -0.0 stays -0.0 where
        g(0) is 0, but those of ``relu`` and ``relu6`` are ``+0.0``; infinities give the limits, and NaN for ``sin``, which is
        as exact for large arguments as for small ones.

    Raises
    ------
    ValueError
        If the name is unknown or its parameter no number in [-1e6, 1e6], or `out` has another shape, is read-only or
        overlaps `z` in part.
    TypeError
        If `z` or `out` is no array, or has another dtype.

    Examples
    --------
    >>> import numpy as np
    >>> import fanin as fi
    >>> fi.activation.evaluate("relu", np.array([-1.0, 0.5]))
    array([0. , 0.5])
    """
    result: NDArray[Float] = _core.activation_evaluate(name, foreign.view("z", z), out)
    return result


def derivative(name: str, z: NDArray[Float], *, out: NDArray[Float] | None = None) -> NDArray[Float]:
    """Return g'(z), element by element, right to 4 units in the last place.

    It is evaluated from `z` and not from g(z), so it is right where g saturates: tanh'(20) is 1.7e-17, though ``1 -
    tanh(20)**2`` is 0. Within 1/4 of the roots of gelu_tanh', silu' and mish' the error is absolute, below 2^-23 (2^-52).
    At a kink it is the derivative from the left: ``relu'(0)`` is 0, ``leaky_relu'(0)`` slope, ``elu'(0)`` alpha;
    ``hardtanh'`` is 0 at -1 and 1, ``relu6'`` at 0 and 6; ``hardswish'(3)`` is 3/2. NaN gives NaN, save for ``identity``,
    whose derivative is 1 everywhere. Arguments, result and errors are those of `evaluate`. A gradient goes back as the
    plain product ``da * g'(z)``: where the derivative is 0, an infinite ``da`` gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> import fanin as fi
    >>> fi.activation.derivative("tanh", np.array([0.0, 20.0]))
    array([1.0000000e+00, 1.6993417e-17])
    """
    result: NDArray[Float] = _core.activation_derivative(name, foreign.view("z", z), out)
    return result


def gain(name: str) -> float:
    """Return the forward gain 1 / sqrt(E g(z)^2), z standard normal.

    A law multiplies its standard deviation by it, so that the second moment of the next pre-activation equals this one's.
    ``relu``: sqrt(2), He et al., "Delving deep into rectifiers", ICCV 2015, equation 10. ``leaky_relu``: sqrt(2 / (1 +
    slope^2)). ``tanh``: 1.5925, where PyTorch's table says 5/3. ``selu``: 1, where PyTorch's says 3/4. Correctly rounded, at
    any slope and alpha too.

    Examples
    --------
    >>> import fanin as fi
    >>> fi.activation.gain("tanh")
    1.5925374197228315
    >>> fi.activation.gain("leaky_relu(0.2)")
    1.3867504905630728
    """
    return _core.activation_gain(name)


def traits(name: str) -> Traits:
    """Return what is known of an activation besides its values.

    Parameters
    ----------
    name : str
        As for `evaluate`; ValueError for others.

    Returns
    -------
    Traits
        ``text``, with the parameter where it is not the usual one, and ``name`` without; ``parameter`` and ``value``, its name
        and value, or None. ``bounds``: the least and greatest value that it comes near where it saturates (None where it does
        not; a ReLU at 0 is dead, not saturated); ``value_range``: the same where both are finite, else None. ``limits``: the
        values outside which it counts as saturated, within 3 % of a bound, or of the range where the lower bound is 0: what
        `fanin.summarize` takes as ``saturation=``. ``kinks``: where it or a derivative jumps. ``period``, or None.

    Examples
    --------
    >>> import fanin as fi
    >>> sigmoid, elu = fi.activation.traits("sigmoid"), fi.activation.traits("elu(0.5)")
    >>> sigmoid.bounds, sigmoid.limits, elu.bounds, elu.value_range
    ((0.0, 1.0), (0.03, 0.97), (-0.5, inf), None)
    >>> fi.activation.traits("relu").bounds, fi.activation.traits("relu").kinks
    (None, (0.0,))
    """
    return _core.activation_traits(name)


def softmax(z: NDArray[Float], *, axis: int = -1, out: NDArray[Float] | None = None) -> NDArray[Float]:
    """Return ``exp(z) / exp(z).sum(axis)``, each row's largest element taken off first.

    Parameters
    ----------
    z : ndarray of float32 or float64
        At least one axis, any strides; never converted.
    axis : int
        Along which the results sum to 1.
    out : ndarray, optional
        As for `evaluate`.

    Returns
    -------
    ndarray
        `out`, or the new array. A row with a NaN is NaN. One +inf gives 1 there and 0 elsewhere; with two, or nothing but
        -inf among several, the row is NaN.

    Raises
    ------
    ValueError, TypeError
        As `evaluate`; ValueError if there is no such axis.

    Notes
    -----
    **Reproducibility.** The same bits everywhere: the sum runs in blocks of 512, each in eight lanes folded by halves, as
    `fanin.loss.evaluate` has it.

    Examples
    --------
    >>> import numpy as np
    >>> import fanin as fi
    >>> fi.activation.softmax(np.log([[1.0, 2.0, 5.0]])).round(12)
    array([[0.125, 0.25 , 0.625]])
    """
    return _over_axis(z, axis, out, logarithm=False)


def log_softmax(z: NDArray[Float], *, axis: int = -1, out: NDArray[Float] | None = None) -> NDArray[Float]:
    """Return the logarithm of `softmax`, right where that rounds to 0 or 1; arguments, result and errors are the same.

    Where softmax is 0 it is -inf. One +inf in a row gives 0 there and -inf elsewhere.

    Examples
    --------
    >>> import numpy as np
    >>> import fanin as fi
    >>> fi.activation.log_softmax(np.array([50.0, 0.0]))
    array([-1.92874985e-22, -5.00000000e+01])
    """
    return _over_axis(z, axis, out, logarithm=True)


def _over_axis(z: NDArray[Float], axis: int, out: NDArray[Float] | None, *, logarithm: bool) -> NDArray[Float]:
    z = foreign.view("z", z)
    if not isinstance(z, np.ndarray) or z.ndim == 0 or (out is not None and not isinstance(out, np.ndarray)):
        result: NDArray[Float] = _core.activation_softmax(z, out, logarithm)  # which refuses them
        return result
    if not -z.ndim <= axis < z.ndim:
        raise ValueError(f"axis must be in {-z.ndim} .. {z.ndim - 1} for z of shape {z.shape}, got {axis}")
    to = np.empty_like(z, subok=False) if out is None else out
    if to.shape != z.shape:
        raise ValueError(f"out must have the shape of z, {z.shape}, got {to.shape}")
    _core.activation_softmax(np.moveaxis(z, axis, -1), np.moveaxis(to, axis, -1), logarithm)
    return to
