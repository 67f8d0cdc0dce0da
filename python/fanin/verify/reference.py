"""The core's operations in vectorised NumPy: what the tests hold the kernels against, and the benchmarks time them against.

The generator's words are equal bit for bit; everything else is the same mathematics in NumPy's rounding and NumPy's order of
summation. Call it in float64 for a comparison, in the dtype of the contest for a race. Nothing is checked here, and nothing
here is used by the library. The bit-exact specification, in plain loops, is ``cpp/src/reference/`` in the source tree.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array: TypeAlias = NDArray[Any]


def philox(seed: int, stream: int, first_block: int, blocks: int) -> NDArray[np.uint32]:
    """Return the words of Philox4x32-10, shape (blocks, 4) (Salmon et al., SC'11, section 3.3)."""
    low = np.uint64(0xFFFFFFFF)
    block = np.uint64(first_block) + np.arange(blocks, dtype=np.uint64)
    c0, c1 = block & low, block >> np.uint64(32)
    c2, c3 = np.full(blocks, stream & 0xFFFFFFFF, np.uint64), np.full(blocks, stream >> 32, np.uint64)
    k0, k1 = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c0, np.uint64(0xCD9E8D57) * c2
        c0, c1, c2, c3 = p1 >> np.uint64(32) ^ c1 ^ np.uint64(k0), p1 & low, p0 >> np.uint64(32) ^ c3 ^ np.uint64(k1), p0 & low
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3], axis=1).astype(np.uint32)


def _words(n: int, seed: int, stream: int, first_index: int, dtype: DTypeLike) -> tuple[Array, int]:
    """Blocks that hold elements first_index .. first_index + n - 1, with 53-bit words for float64; where they begin."""
    width = 4 if np.dtype(dtype) == np.float32 else 2
    begin = first_index // width
    words = philox(seed, stream, begin, (first_index + n + width - 1) // width - begin)
    return (words if width == 4 else words.view("<u8") >> np.uint64(11)), first_index - begin * width


def standard_normal(n: int, seed: int, stream: int, first_index: int = 0, dtype: DTypeLike = "float32") -> Array:
    """Box-Muller: even words give the radius, odd words the angle; r cos, r sin are neighbours."""
    words, skip = _words(n, seed, stream, first_index, dtype)
    bits = 8 * words.itemsize if words.dtype == np.uint32 else 53
    radius, turns = words[:, 0::2].astype(np.float64), words[:, 1::2] * 0.5**bits
    top = 2.0**bits - 1  # u = (word + 1/2) 2^-bits; near 1 from 1 - u, which is exact
    log_u = np.where(radius * 2 > top, np.log1p(-(top - radius + 0.5) * 0.5**bits), np.log((radius + 0.5) * 0.5**bits))
    r, angle = np.sqrt(-2 * log_u), 2 * np.pi * turns
    return np.stack([r * np.cos(angle), r * np.sin(angle)], axis=-1).reshape(-1)[skip : skip + n].astype(dtype)


def standard_uniform(n: int, seed: int, stream: int, first_index: int = 0, dtype: DTypeLike = "float32") -> Array:
    """Odd multiples of 2^-24 (float64: 2^-53) inside (-1, 1)."""
    words, skip = _words(n, seed, stream, first_index, dtype)
    bits = 24 if words.dtype == np.uint32 else 53
    k = (words >> np.uint32(8) if bits == 24 else words).astype(np.int64)
    return ((2 * k + 1 - (1 << bits)) * 0.5**bits).reshape(-1)[skip : skip + n].astype(dtype)


# n_in * Var(w) and n_out * Var(w) follow from the variance of each law, as a function of (n_in, n_out).
VARIANCES: dict[str, Callable[[int, int], float]] = {
    "fan_in_uniform": lambda n_in, n_out: 1 / (3 * n_in),
    "glorot": lambda n_in, n_out: 2 / (n_in + n_out),
    "he": lambda n_in, n_out: 2 / n_in,
    "lecun": lambda n_in, n_out: 1 / n_in,
    "xavier": lambda n_in, n_out: 1 / n_in,
}


def law_std(law: str, n_in: int, n_out: int, gain: float = 1.0) -> float:
    """Return the standard deviation that ``law`` (``he_normal``, ``xavier_uniform``, ``fan_in_uniform``, ...) draws with."""
    family = law if law in VARIANCES else law.rsplit("_", 1)[0]
    return gain * math.sqrt(VARIANCES[family](n_in, n_out))


def _far(z: Array) -> Array:
    e: Array = np.exp(-np.abs(z))  # never overflows
    return e


_SELU_LAMBDA, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
_GELU = 2 * math.sqrt(2 / math.pi)  # the tanh form is z sigmoid(_GELU (z + 0.044715 z^3))


def _sigmoid(z: Array) -> Array:
    result: Array = np.where(z < 0, _far(z), 1) / (1 + _far(z))
    return result


def _sigmoid_slope(z: Array) -> Array:
    result: Array = _far(z) / (1 + _far(z)) ** 2
    return result


def _phi(z: Array) -> Array:
    """Normal law; math.erfc, since NumPy has none."""
    tail: Array = np.vectorize(math.erfc, otypes=[np.float64])(-z.astype(np.float64) / math.sqrt(2))
    result: Array = tail.astype(z.dtype) / 2
    return result


def _density(z: Array) -> Array:
    result: Array = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return result


def _gelu_argument(z: Array) -> Array:
    return _GELU * (z + 0.044715 * z**3)


def _softplus(z: Array) -> Array:
    result: Array = np.maximum(z, 0) + np.log1p(_far(z))
    return result


def _mish_slope(z: Array) -> Array:
    t: Array = np.tanh(_softplus(z))
    result: Array = t + z * (1 - t) * (1 + t) * _sigmoid(z)
    return result


def _elu(z: Array, alpha: float = 1.0) -> Array:
    result: Array = np.where(z < 0, alpha * np.expm1(np.minimum(z, 0)), z).astype(z.dtype)
    return result


def _elu_slope(z: Array, alpha: float = 1.0) -> Array:
    result: Array = np.where(z > 0, 1, alpha * np.exp(np.minimum(z, 0))).astype(z.dtype)
    return result


# Value and derivative, both from z; tanh' is 1 / cosh(z)^2 because 1 - tanh(z)^2 cancels. leaky_relu and elu with the slope
# and the alpha that they have by default.
ACTIVATIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "identity": (lambda z: z.copy(), np.ones_like),
    "relu": (lambda z: np.maximum(z, 0), lambda z: np.heaviside(z, z.dtype.type(0))),
    "leaky_relu": (
        lambda z: np.where(z < 0, z.dtype.type(0.01) * z, z),
        lambda z: np.where(z > 0, z.dtype.type(1), z.dtype.type(0.01)),
    ),
    "elu": (_elu, _elu_slope),
    "selu": (lambda z: _SELU_LAMBDA * _elu(z, _SELU_ALPHA), lambda z: _SELU_LAMBDA * _elu_slope(z, _SELU_ALPHA)),
    "gelu": (lambda z: z * _phi(z), lambda z: _phi(z) + z * _density(z)),
    "gelu_tanh": (
        lambda z: z * _sigmoid(_gelu_argument(z)),
        lambda z: _sigmoid(_gelu_argument(z)) + z * _GELU * (1 + 0.134145 * z**2) * _sigmoid_slope(_gelu_argument(z)),
    ),
    "silu": (lambda z: z * _sigmoid(z), lambda z: _sigmoid(z) + z * _sigmoid_slope(z)),
    "mish": (lambda z: z * np.tanh(_softplus(z)), _mish_slope),
    "softplus": (_softplus, _sigmoid),
    "softsign": (lambda z: z / (1 + np.abs(z)), lambda z: (1 / (1 + np.abs(z))) ** 2),
    "tanh": (np.tanh, lambda z: 4 * _far(2 * z) / (1 + _far(2 * z)) ** 2),
    "sigmoid": (_sigmoid, _sigmoid_slope),
    "hardtanh": (lambda z: np.clip(z, -1, 1), lambda z: (np.abs(z) < 1).astype(z.dtype)),
    "relu6": (lambda z: np.clip(z, 0, 6), lambda z: ((z > 0) & (z < 6)).astype(z.dtype)),
    "hardswish": (
        lambda z: z * np.clip(z + 3, 0, 6) / 6,
        lambda z: np.where(z <= -3, 0, np.where(z > 3, 1, (2 * z + 3) / 6)).astype(z.dtype),
    ),
    "sin": (np.sin, np.cos),
}


def softmax(z: Array) -> Array:
    """Over the last axis."""
    e: Array = np.exp(z - z.max(axis=-1, keepdims=True))
    result: Array = e / e.sum(axis=-1, keepdims=True)
    return result


def log_softmax(z: Array) -> Array:
    """Logarithm of the same."""
    shifted: Array = z - z.max(axis=-1, keepdims=True)
    result: Array = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return result


def summarize(x: Array, bins: int | None = None, range: tuple[float, float] | None = None) -> dict[str, Any]:  # noqa: A002
    """Count, moments, extremes and special values; moments are those of the finite elements, variances divide by n."""
    x = np.asarray(x)
    finite = x[np.isfinite(x)].astype(np.float64)
    mean = finite.mean()
    centred = finite - mean
    square = centred * centred
    var = np.mean(square)
    summary = {
        "count": x.size,
        "mean": mean,
        "var": var,
        "std": np.sqrt(var),
        "rms": np.sqrt(np.mean(finite * finite)),
        "min": finite.min(),
        "max": finite.max(),
        "skewness": np.mean(square * centred) / var**1.5,
        "kurtosis": np.mean(square * square) / var**2,
        "zeros": np.count_nonzero(x == 0),
        "nans": np.count_nonzero(np.isnan(x)),
        "infs": np.count_nonzero(np.isinf(x)),
        "subnormals": np.count_nonzero((x != 0) & (np.abs(x) < np.finfo(x.dtype).tiny)),
    }
    if bins is not None:
        summary["histogram"] = np.histogram(finite, bins, range)[0]
    return summary


def dense_forward(x: Array, w: Array, b: Array | None, activation: str = "identity") -> tuple[Array, Array]:
    """Return (a, z): z = x w^T + b, a = g(z); x (batch, n_in), w (n_out, n_in), b (n_out,)."""
    z = x @ w.T if b is None else x @ w.T + b
    return ACTIVATIONS[activation][0](z), z


def dense_backward(da: Array, x: Array, w: Array, z: Array, activation: str = "identity") -> tuple[Array, Array, Array]:
    """Return (dx, dw, db), summed over the batch."""
    dz = da * ACTIVATIONS[activation][1](z)
    return dz @ w, dz.T @ x, dz.sum(axis=0)


def cross_entropy(z: Array, y: NDArray[np.int64]) -> tuple[float, Array]:
    """Mean softmax cross-entropy of logits z (batch, classes) and its gradient."""
    shifted = z - z.max(axis=1, keepdims=True)
    e, rows = np.exp(shifted), np.arange(len(z))
    total = e.sum(axis=1)
    dz = e / total[:, None]
    dz[rows, y] -= 1
    return float(np.mean(np.log(total) - shifted[rows, y])), dz / len(z)


def binary_cross_entropy(z: Array, y: Array) -> tuple[float, Array]:
    """Mean of log(1 + exp(z)) - y z and its gradient; z (batch, 1), y (batch,) of 0 and 1."""
    t = y.reshape(z.shape).astype(z.dtype)
    return float(np.mean(np.maximum(z, 0) - z * t + np.log1p(_far(z)))), (ACTIVATIONS["sigmoid"][0](z) - t) / len(z)


def mean_squared_error(z: Array, y: Array) -> tuple[float, Array]:
    """Mean over batch and outputs of (z - y)^2, without a half, and its gradient."""
    difference = z - y.reshape(z.shape)
    return float(np.mean(difference**2)), 2 * difference / difference.size


def hinge(z: Array, y: Array) -> tuple[float, Array]:
    """Mean of max(0, 1 - y z) and its gradient; z (batch, 1), y (batch,) of -1 and 1."""
    t = y.reshape(z.shape).astype(z.dtype)
    margin = 1 - t * z
    return float(np.mean(np.maximum(margin, 0))), np.where(margin > 0, -t, 0) / len(z)


LOSSES: dict[str, Callable[[Array, Array], tuple[float, Array]]] = {
    f.__name__: f for f in (cross_entropy, binary_cross_entropy, mean_squared_error, hinge)
}
Parameters: TypeAlias = Sequence[tuple[Array, Array]]  # (w, b) of each layer


def gradients(layers: Parameters, x: Array, y: Array, activation: str, loss: str) -> tuple[float, list[tuple[Array, Array]]]:
    """Return the cost and (dw, db) of each layer; `activation` after every layer but the last."""
    tape, a = [], x
    for depth, (w, b) in enumerate(layers, 1):
        g = activation if depth < len(layers) else "identity"
        out, z = dense_forward(a, w, b, g)
        tape.append((a, w, z, g))
        a = out
    cost, da = LOSSES[loss](a, y)
    result = []
    for a_in, w, z, g in reversed(tape):
        da, dw, db = dense_backward(da, a_in, w, z, g)
        result.append((dw, db))
    return cost, result[::-1]


def sgd(w: Array, g: Array, v: Array | None, lr: float, momentum: float = 0.0, nesterov: bool = False) -> Array:
    """Update w in place and return the velocity: v = momentum v + g, w -= lr v (Nesterov: w -= lr (g + momentum v))."""
    v = g.copy() if v is None else momentum * v + g
    w -= lr * (g + momentum * v if nesterov else v)
    return v


def rmsprop(
    w: Array,
    g: Array,
    state: tuple[Array, Array] | None,
    lr: float,
    alpha: float = 0.99,
    eps: float = 1e-8,
    momentum: float = 0.0,
) -> tuple[Array, Array]:
    """Update w and return the state: v = alpha v + (1 - alpha) g^2, b = momentum b + g / (sqrt(v) + eps); w -= lr b."""
    v, b = (np.zeros_like(w), np.zeros_like(w)) if state is None else state
    v = alpha * v + (1 - alpha) * g**2
    b = momentum * b + g / (np.sqrt(v) + eps)
    w -= lr * b
    return v, b


def adagrad(w: Array, g: Array, v: Array | None, lr: float, eps: float = 1e-10) -> Array:
    """Update w in place; returns the new sum of squares."""
    v = g**2 if v is None else v + g**2
    w -= lr * g / (np.sqrt(v) + eps)
    return v


def adam(
    w: Array,
    g: Array,
    state: tuple[Array, Array, int] | None,
    lr: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
) -> tuple[Array, Array, int]:
    """Update w and return the state (m, v, t): Kingma and Ba 2015, algorithm 1; decay as Loshchilov and Hutter 2019."""
    m, v, t = (np.zeros_like(w), np.zeros_like(w), 0) if state is None else state
    m, v, t = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2, t + 1
    w *= 1 - lr * weight_decay
    w -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return m, v, t


def step(layers: Parameters, x: Array, y: Array, activation: str, loss: str, lr: float) -> float:
    """One step of gradient descent on one batch, in place; returns the cost before it."""
    cost, grads = gradients(layers, x, y, activation, loss)
    for (w, b), (dw, db) in zip(layers, grads, strict=True):
        w -= lr * dw
        b -= lr * db
    return cost
