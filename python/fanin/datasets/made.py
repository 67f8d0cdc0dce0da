"""The sets of the article and its coursework, drawn from a seed, and scikit-learn's digits."""

from __future__ import annotations

from collections.abc import Callable
from typing import SupportsIndex

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fanin import _core
from fanin.common import require
from fanin.common.require import float_dtype
from fanin.datasets.files import Data
from fanin.datasets.splitting import Split
from fanin.random import seed_number

_NEEDS_SKLEARN = "this data set needs scikit-learn: pip install 'fanin[report]'"

# Random numbers of one point. All sets take the same, used or not, so that their streams are laid out alike.
_NUMBERS = 4


def circle(n: SupportsIndex = 100, seed: int = 0, *, noise: float = 1.0, dtype: DTypeLike = "float32") -> Data:
    """Draw a disc inside a ring: class 0 at radius 1 + U(-noise, noise), class 1 at 4 + U(-noise, noise), any angle.

    Parameters
    ----------
    n : int
        Number of points. Classes alternate 0, 1, 0, 1, ..., so half of the points (of an odd n, one more of class 0) are of
        class 0. The first k points are the same for every n.
    seed : int
        In [0, 2^64).
    noise : float
        Half the width of the ring, at least 0.
    dtype : dtype
        float32 or float64. Points are drawn in float64 and rounded once.

    Returns
    -------
    Data
        x of shape (n, 2), y of shape (n,) in int64.

    Raises
    ------
    TypeError
        If `n` or `seed` is no integer, or `dtype` is another.
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> from fanin import datasets
    >>> x, y = datasets.circle(4, seed=1)
    >>> x.shape, y
    ((4, 2), array([0, 1, 0, 1]))
    """

    def points(u: NDArray[np.float64], y: NDArray[np.int64]) -> NDArray[np.float64]:
        radius, angle = 1.0 + 3.0 * y + noise * u[:, 0], np.pi * u[:, 1]
        return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)

    return _draw("circle", _uniform, points, n, seed, noise, dtype)


def moon(n: SupportsIndex = 100, seed: int = 0, *, noise: float = 0.5, dtype: DTypeLike = "float32") -> Data:
    """Draw two spiral arms, class 0 half a turn behind class 1.

    Point k of m in a class has the angle pi k / m (class 0: + pi) and the radius 4 k / m + N(1, noise^2); then class 1 moves
    by (1/2, -1/2) and class 0 by (-1/2, 1/2).

    Parameters
    ----------
    n, seed, dtype
        As in `circle`; but the points depend on n, along which the arms are laid out.
    noise : float
        Standard deviation of the radius, at least 0. The article's variance of 0.25 is 0.5 here.

    Returns
    -------
    Data
        As `circle`.

    Raises
    ------
    TypeError, ValueError
        As `circle`.
    """

    def points(g: NDArray[np.float64], y: NDArray[np.int64]) -> NDArray[np.float64]:
        members = np.where(y == 1, y.size // 2, y.size - y.size // 2)
        along = np.arange(y.size) // 2 / members
        radius, angle = 4.0 * along + (1.0 + noise * g[:, 0]), np.pi * (along + (y == 0))
        return np.stack([radius * np.cos(angle) + (y - 0.5), radius * np.sin(angle) - (y - 0.5)], axis=1)

    return _draw("moon", _normal, points, n, seed, noise, dtype)


def square(n: SupportsIndex = 100, seed: int = 0, *, gap: float = 0.5, dtype: DTypeLike = "float32") -> Data:
    """Draw four squares of a checkerboard: x1 = p U(gap, 5), x2 = p U(gap, 5) in class 1 and -p U(gap, 5) in class 0.

    p is +1 or -1 with equal chances.

    Parameters
    ----------
    n, seed, dtype
        As in `circle`.
    gap : float
        Half the distance between two squares, in [0, 5).

    Returns
    -------
    Data
        As `circle`.

    Raises
    ------
    TypeError, ValueError
        As `circle`.
    """

    def points(u: NDArray[np.float64], y: NDArray[np.int64]) -> NDArray[np.float64]:
        side = np.where(u[:, 2] < 0, -1.0, 1.0)
        distance = gap + (5.0 - gap) * (0.5 + 0.5 * u[:, :2])
        return np.stack([side * distance[:, 0], (2 * y - 1) * side * distance[:, 1]], axis=1)

    if not 0 <= gap < 5:
        raise ValueError(f"gap must be in [0, 5), got {gap!r}")
    return _draw("square", _uniform, points, n, seed, 0.0, dtype)


def gauss(n: SupportsIndex = 100, seed: int = 0, *, noise: float = 1.0, dtype: DTypeLike = "float32") -> Data:
    """Draw two clouds: both coordinates N(2, noise^2) in class 0 and N(-2, noise^2) in class 1.

    Parameters
    ----------
    n, seed, dtype
        As in `circle`.
    noise : float
        Standard deviation of each coordinate, at least 0.

    Returns
    -------
    Data
        As `circle`.

    Raises
    ------
    TypeError, ValueError
        As `circle`.
    """

    def points(g: NDArray[np.float64], y: NDArray[np.int64]) -> NDArray[np.float64]:
        return (2.0 - 4.0 * y)[:, None] + noise * g[:, :2]

    return _draw("gauss", _normal, points, n, seed, noise, dtype)


def spirals(n: SupportsIndex = 194, seed: int = 0, *, noise: float = 0.0, dtype: DTypeLike = "float32") -> Data:
    """Draw the two intertwined spirals of Lang and Witbrock 1988, "Learning to tell two spirals apart".

    Point k of m in a class lies at t = 96 k / (m - 1): angle pi t / 16, radius 6.5 (104 - t) / 104, and x = (radius sin angle,
    radius cos angle) in class 1, the opposite of it in class 0. Three turns each; the 194 points of the default are the
    published ones. Every coordinate then moves by N(0, noise^2).

    Parameters
    ----------
    n, seed, dtype
        As in `circle`; but the points depend on n, along which the spirals are laid out.
    noise : float
        Standard deviation of the shift of each coordinate, at least 0.

    Returns
    -------
    Data
        As `circle`.

    Raises
    ------
    TypeError, ValueError
        As `circle`.
    """

    def points(g: NDArray[np.float64], y: NDArray[np.int64]) -> NDArray[np.float64]:
        members = np.where(y == 1, y.size // 2, y.size - y.size // 2)
        t = 96.0 * (np.arange(y.size) // 2) / np.maximum(members - 1, 1)
        radius, angle = (2 * y - 1) * (6.5 * (104.0 - t) / 104.0), np.pi * t / 16.0
        return np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1) + noise * g[:, :2]

    return _draw("spirals", _normal, points, n, seed, noise, dtype)


def coursework_circles(dtype: DTypeLike = "float64") -> Split:
    """Return the circles of the course assignment *Initialization* (deeplearning.ai, Improving Deep Neural Networks, week 1).

    300 points to train on (NumPy's legacy seed 1) and 100 held out (seed 2) of scikit-learn's ``make_circles`` with noise
    0.05: the numbers that the assignment draws after ``np.random.seed``, without touching NumPy's global state. Needs
    scikit-learn, which the extra ``fanin[report]`` brings.

    Raises
    ------
    ImportError
        If scikit-learn is missing.
    """
    wanted = float_dtype(dtype)
    try:
        from sklearn.datasets import make_circles
    except ImportError as error:
        raise ImportError(_NEEDS_SKLEARN) from error

    def draw(n: int, seed: int) -> Data:
        x, y = make_circles(n_samples=n, noise=0.05, random_state=np.random.RandomState(seed))
        return Data(x.astype(wanted), y.astype(np.int64))

    return Split(draw(300, 1), draw(100, 2))


def digits(dtype: DTypeLike = "float32") -> Data:
    """Return scikit-learn's 1797 handwritten digits: x of shape (1797, 64), pixels / 16 in [0, 1], y the digit.

    The data ship inside scikit-learn (which the extra ``fanin[report]`` brings): nothing is downloaded. They are the test
    part of the UCI set "Optical Recognition of Handwritten Digits" (E. Alpaydin, C. Kaynak, 1998), in its order.

    Raises
    ------
    ImportError
        If scikit-learn is missing.
    """
    wanted = float_dtype(dtype)
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ImportError(_NEEDS_SKLEARN) from error
    x, y = load_digits(return_X_y=True)
    return Data((x / 16).astype(wanted), y.astype(np.int64))


def _uniform(out: NDArray[np.float64], seed: int, stream: int) -> None:
    _core.fill_uniform(out, seed, stream, 0, -1.0, 1.0)


def _normal(out: NDArray[np.float64], seed: int, stream: int) -> None:
    _core.fill_normal(out, seed, stream, 0, 0.0, 1.0)


def _draw(
    name: str,
    fill: Callable[[NDArray[np.float64], int, int], None],
    points: Callable[[NDArray[np.float64], NDArray[np.int64]], NDArray[np.float64]],
    n: SupportsIndex,
    seed: int,
    noise: float,
    dtype: DTypeLike,
) -> Data:
    """Check the arguments, draw _NUMBERS numbers a point, place the points."""
    wanted, count, noise = float_dtype(dtype), require.integer("n", n, 0), require.scale("noise", noise)
    numbers = np.empty((count, _NUMBERS))
    fill(numbers, seed_number(seed), _core.own_stream(f"fanin/datasets/{name}"))
    y = np.arange(count, dtype=np.int64) % 2
    return Data(points(numbers, y).astype(wanted), y)
