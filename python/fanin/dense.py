"""One dense layer: ``z = x @ w.T + b``, ``a = g(z)``, and its gradients, the same bits in any batch and on any CPU.

Every inner product is ``r = init``; for each `SUM_BLOCK` = 512 consecutive k: ``s = 0``, then ``s = fma(x[k], w[k], s)`` in
ascending k, then ``r = r + s``. Forward, 16 to 64 products that are left after the last whole block are two blocks: the first
has half of them, rounded up to a multiple of 4. ``init`` is the bias (forward), the old value (backward, accumulating) or 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fanin import _core
from fanin.activation import traits
from fanin.common import foreign
from fanin.stats import Summary, stats_options

SUM_BLOCK: int = _core.SUM_BLOCK

PackedWeight: TypeAlias = _core.PackedWeight32 | _core.PackedWeight64

_GRADIENTS = ("dx", "dw", "db", "dz")
_BINS = 64
_DTYPES = (np.float32, np.float64)
_PACKED = (_core.PackedWeight32, _core.PackedWeight64)


class DenseStats(NamedTuple):
    """Summaries of what a layer computed."""

    z: Summary
    a: Summary


class DenseForward(NamedTuple):
    """What `dense_forward` returns."""

    a: NDArray[Any]
    z: NDArray[Any] | None
    stats: DenseStats | None


class DenseBackward(NamedTuple):
    """What `dense_backward` returns; None for what was not asked for."""

    dx: NDArray[Any] | None
    dw: NDArray[Any] | None
    db: NDArray[Any] | None
    dz: NDArray[Any] | None


def dense_forward(
    x: NDArray[Any],
    w: NDArray[Any] | PackedWeight,
    b: NDArray[Any] | None = None,
    *,
    activation: str = "identity",
    stats: bool | Literal["moments"] | Mapping[str, Any] = False,
    keep_z: bool = True,
    out_a: NDArray[Any] | None = None,
    out_z: NDArray[Any] | None = None,
) -> DenseForward:
    """Carry a batch through one dense layer: ``z = x @ w.T + b``, ``a = g(z)``.

    Parameters
    ----------
    x : ndarray, shape (batch, n_in), float32 or float64
        The batch, a row an example. Any strides, and an array of any library on the CPU, here and below; NumPy's come out.
    w : ndarray, shape (n_out, n_in), dtype of x, or PackedWeight
        The weights. A layer of another layout passes ``w.T`` as a view. `pack_weight` makes the other kind.
    b : ndarray, shape (n_out,), dtype of x, optional
        The biases.
    activation : str
        A name of `fanin.activation.names`, as ``"relu"`` or ``"leaky_relu(0.2)"``.
    stats : bool, "moments" or dict
        True: `fanin.summarize` of z and a, whole: 64 equal bins over (-1, 1) for the a of tanh, softsign and hardtanh and
        over (0, 1) for sigmoid's, signed powers of two for all else. ``"moments"``: count, mean, variance, min and max
        alone. A dict: options of `fanin.summarize` for both, or such options for each under the keys ``z`` and ``a``.
        Measured panel by panel while the layer is computed, bit for bit what `fanin.summarize` gives.
    keep_z : bool
        False: z is not returned and not stored, though measured where ``stats`` asks.
    out_a, out_z : ndarray, shape (batch, n_out), dtype of x, optional
        Where the results go. They must not overlap the inputs or each other; ``out_z`` implies that z is kept.

    Returns
    -------
    DenseForward
        A named tuple ``(a, z, stats)``.

    Raises
    ------
    TypeError
        If an array is no ndarray, or its dtype is not x's; nothing is converted.
    ValueError
        If a shape does not fit, an output is read-only or overlaps, or the activation is unknown; nothing is written then.

    Notes
    -----
    **Reproducibility.** A row of z and a has the same bits in any batch, at any thread count and on any CPU.

    Examples
    --------
    >>> import numpy as np
    >>> import fanin as fi
    >>> x, w = np.array([[1.0, 2.0]]), np.array([[0.5, 0.25], [1.0, -1.0]])
    >>> fi.dense_forward(x, w, activation="relu").a
    array([[1., 0.]])
    """
    x, w, b = foreign.view("x", x), foreign.view("w", w), foreign.view("b", b)
    if isinstance(w, _PACKED) and isinstance(x, np.ndarray) and x.dtype in _DTYPES and x.dtype != w.dtype:
        raise TypeError(f"w must have the dtype of x, {x.dtype}, got {w.dtype}")
    if stats is False:
        a, z, _, _ = _core.dense_forward(x, w, b, activation, keep_z, out_a, out_z, None)
        return DenseForward(a, z, None)
    of_z: Any = stats
    of_a: Any = stats
    if isinstance(stats, Mapping) and set(stats) == {"z", "a"}:
        of_z, of_a = stats["z"], stats["a"]
    elif stats is True and (known := traits(str(activation)).value_range) is not None:
        of_a = {"bins": _BINS, "range": known}
    options_z, options_a = stats_options(of_z), stats_options(of_a)
    if options_z is None or options_a is None:
        if options_z is not options_a:
            raise ValueError("stats must measure both z and a, or neither")
        a, z, _, _ = _core.dense_forward(x, w, b, activation, keep_z, out_a, out_z, None)
        return DenseForward(a, z, None)
    a, z, summary_z, summary_a = _core.dense_forward(x, w, b, activation, keep_z, out_a, out_z, (options_z, options_a))
    return DenseForward(a, z, DenseStats(summary_z, summary_a))


def pack_weight(w: NDArray[Any]) -> PackedWeight:
    """Copy the weights of a layer once into the order in which `dense_forward` reads them fastest.

    Parameters
    ----------
    w : ndarray, shape (n_out, n_in), float32 or float64
        The weights, with any strides. Later changes of the array do not reach the copy.

    Returns
    -------
    PackedWeight
        What `dense_forward` takes for w, as often as wanted and from any thread: immutable, with ``shape`` and ``dtype``.

    Raises
    ------
    TypeError
        If w is no ndarray of float32 or float64.
    ValueError
        If w is not a matrix.

    Notes
    -----
    Pays for batches of a few rows, where packing takes longer than the product. The results have the same bits.

    Examples
    --------
    >>> import numpy as np
    >>> import fanin as fi
    >>> x, w = np.array([[1.0, 2.0]]), fi.pack_weight(np.array([[0.5, 0.25], [1.0, -1.0]]))
    >>> w
    <PackedWeight (2, 2) float64>
    >>> fi.dense_forward(x, w, activation="relu").a
    array([[1., 0.]])
    """
    packed: PackedWeight = _core.pack_weight(foreign.view("w", w))
    return packed


def dense_backward(
    da: NDArray[Any],
    x: NDArray[Any],
    w: NDArray[Any],
    z: NDArray[Any] | None,
    *,
    activation: str = "identity",
    need: Iterable[str] = ("dx", "dw", "db"),
    out_dx: NDArray[Any] | None = None,
    out_dw: NDArray[Any] | None = None,
    out_db: NDArray[Any] | None = None,
    out_dz: NDArray[Any] | None = None,
    accumulate: bool = False,
) -> DenseBackward:
    """Carry a gradient back through one dense layer.

    ``dz = da * g'(z)``, ``dx = dz @ w``, ``dw = dz.T @ x``, ``db = dz.sum(axis=0)``: summed over the batch, not averaged.

    Parameters
    ----------
    da : ndarray, shape (batch, n_out), float32 or float64
        The gradient of the cost with respect to a.
    x, w : ndarray
        What `dense_forward` was given; one dtype for all.
    z : ndarray, shape (batch, n_out), or None
        What it gave. The derivative is evaluated from z, so it stays right where g saturates. None: identity only.
    activation : str
        As in `dense_forward`.
    need : iterable of str
        Which of ``"dx"``, ``"dw"``, ``"db"``, ``"dz"`` to compute; the first layer of a network needs no dx.
    out_dx, out_dw, out_db, out_dz : ndarray, optional
        Where they go (an array given here is also computed): shapes of x, w, (n_out,) and z. They must not overlap the
        inputs or each other, but ``out_dz`` may be ``da``.
    accumulate : bool
        Add dx, dw and db to what ``out_dx``, ``out_dw`` and ``out_db`` hold; dz is always overwritten.

    Returns
    -------
    DenseBackward
        A named tuple ``(dx, dw, db, dz)``, None for what was not asked for.

    Raises
    ------
    TypeError
        If an array is no ndarray, or its dtype is not x's; nothing is converted.
    ValueError
        If a shape does not fit, an output is read-only or overlaps, z is missing, or a name is unknown; nothing is
        written then.

    Notes
    -----
    **Reproducibility.** A row of dx and dz has the same bits in any batch, at any thread count and on any CPU; dw and db of
    shards of the batch, cut at multiples of 512 and accumulated in order, equal those of the whole.
    """
    names = (need,) if isinstance(need, str) else tuple(need)
    for name in names:
        if name not in _GRADIENTS:
            raise ValueError(f"need must hold names among 'dx', 'dw', 'db', 'dz', got {name!r}")
    outs = (out_dx, out_dw, out_db, out_dz)
    for name, out in zip(_GRADIENTS, outs, strict=True):
        if accumulate and name != "dz" and name in names and out is None:
            raise ValueError(f"accumulate=True adds to the caller's arrays: out_{name} must be given, got None")
    da, x, w, z = (foreign.view(name, value) for name, value in (("da", da), ("x", x), ("w", w), ("z", z)))
    need_dx, need_dw, need_db, need_dz = (name in names for name in _GRADIENTS)
    results = _core.dense_backward(da, x, w, z, activation, need_dx, need_dw, need_db, need_dz, *outs, accumulate)
    return DenseBackward(*results)
