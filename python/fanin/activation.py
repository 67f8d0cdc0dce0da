"""Activation functions: value, derivative, and the gains that laws take by name.

Results are the same bits on every CPU, at any thread count and for any strides.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from fanin import _core

Float = TypeVar("Float", np.float32, np.float64)


def names() -> list[str]:
    """Return the names of the activations.

    Examples
    --------
    >>> import fanin as fi
    >>> fi.activation.names()
    ['identity', 'relu', 'tanh', 'sigmoid']
    """
    return _core.activation_names()


def evaluate(name: str, z: NDArray[Float], *, out: NDArray[Float] | None = None) -> NDArray[Float]:
    """Return g(z), element by element.

    Parameters
    ----------
    name : str
        One of `names`.
    z : ndarray of float32 or float64
        Any shape and strides; never converted.
    out : ndarray, optional
        Where the result goes: writable, the shape and dtype of `z`, `z` itself or sharing no memory with it. By default a
        new array in the memory order of `z`.

    Returns
    -------
    ndarray
        `out`, or the new array. ``tanh`` and ``sigmoid`` are right to 2 units in the last place, ``identity`` and ``relu``
        exact. NaN gives NaN, ``relu(-0.0)`` is ``+0.0``.

    Raises
    ------
    ValueError
        If the name is unknown, or `out` has another shape, is read-only or overlaps `z` in part.
    TypeError
        If `z` or `out` is no array, or has another dtype.

    Examples
    --------
    >>> import numpy as np
    >>> import fanin as fi
    >>> fi.activation.evaluate("relu", np.array([-1.0, 0.5]))
    array([0. , 0.5])
    """
    result: NDArray[Float] = _core.activation_evaluate(name, z, out)
    return result


def derivative(name: str, z: NDArray[Float], *, out: NDArray[Float] | None = None) -> NDArray[Float]:
    """Return g'(z), element by element, right to 4 units in the last place.

    It is evaluated from `z` and not from g(z), so it is right where g saturates: tanh'(20) is 1.7e-17, though
    ``1 - tanh(20)**2`` is 0. ``relu'(0)`` is 0. NaN gives NaN, save for ``identity``, whose derivative is 1 everywhere.
    Arguments, result and errors are those of `evaluate`. A gradient goes back as the plain product ``da * g'(z)``: where
    the derivative is 0, an infinite ``da`` gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> import fanin as fi
    >>> fi.activation.derivative("tanh", np.array([0.0, 20.0]))
    array([1.0000000e+00, 1.6993417e-17])
    """
    result: NDArray[Float] = _core.activation_derivative(name, z, out)
    return result


def gain(name: str) -> float:
    """Return the forward gain 1 / sqrt(E g(z)^2), z standard normal.

    A law multiplies its standard deviation by it, so that the second moment of the next pre-activation equals this one's.
    ``relu``: sqrt(2), He et al., "Delving deep into rectifiers", ICCV 2015, equation 10. ``tanh``: 1.5925 exactly, where
    PyTorch's table says 5/3. ``sigmoid``: 1.8462.

    Examples
    --------
    >>> import fanin as fi
    >>> fi.activation.gain("tanh")
    1.5925374197228315
    """
    return _core.activation_gain(name)
