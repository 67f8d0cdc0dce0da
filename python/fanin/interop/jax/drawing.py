"""One draw for JAX: at once where the key is known, otherwise through a callback; shard by shard where there are shards."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from fanin.init import Law

_STREAM = "jax"


def draw(
    law: Law, key: Any, shape: tuple[int, ...], dtype: Any, axes: dict[str, Any], sharding: jax.sharding.Sharding | None = None
) -> jax.Array:
    """Draw an array of the law, seeded by the key."""
    words = jax.random.key_data(key) if jax.numpy.issubdtype(key.dtype, jax.dtypes.prng_key) else key
    one = partial(_array, law=law, shape=shape, dtype=np.dtype(dtype), axes=axes)
    if isinstance(words, jax.core.Tracer):
        if sharding is not None:
            raise NotImplementedError("out_sharding is for calls outside of jit; inside, constrain the result")
        result = jax.ShapeDtypeStruct(shape, dtype)
        found: jax.Array = jax.pure_callback(one, result, words, vmap_method="sequential")
        return found
    if sharding is None:
        return jax.numpy.asarray(one(words))
    if not isinstance(sharding, jax.sharding.Sharding):
        raise TypeError(f"out_sharding must be a jax.sharding.Sharding, got {sharding!r}")
    return jax.make_array_from_callback(shape, sharding, lambda index: one(words, block=index))


def seed_of(words: Any) -> int:
    """Return the seed that a key's 32-bit words make, those after the second folded into the first two."""
    seed = 0
    for i, word in enumerate(np.asarray(words).reshape(-1).tolist()):
        seed ^= int(word) << (0 if i % 2 else 32)
    return seed


def _array(
    words: Any, *, law: Law, shape: tuple[int, ...], dtype: np.dtype[Any], axes: dict[str, Any], block: Any = None
) -> NDArray[Any]:
    seed = seed_of(words)
    if dtype.kind == "c":
        if block is not None:
            raise NotImplementedError("complex arrays are drawn whole: out_sharding must be None")
        complex_drawn: NDArray[Any] = _complex(law, seed, shape, dtype, axes)
        return complex_drawn
    if dtype.kind != "f" and dtype.name != "bfloat16":
        raise TypeError(f"dtype must be float32, float64, float16, bfloat16 or complex, got {dtype}")
    drawn: NDArray[Any] = law(shape, seed=seed, stream=_STREAM, dtype=dtype, block=block, **axes)
    return drawn


def _complex(law: Law, seed: int, shape: tuple[int, ...], dtype: np.dtype[Any], axes: dict[str, Any]) -> Any:
    """Draw JAX's complex laws: the modulus squared has the variance of the law, and every direction is as likely.

    Sums, products, quotients and roots alone, so that the bits are the same everywhere.
    """
    real = np.dtype(np.float32 if dtype == np.complex64 else np.float64)
    std = float(np.sqrt(law.moments(shape, **axes).variance)) if law.needs_fans else float(law.parameters.get("std", 0))
    kind = str(law.parameters.get("distribution", law.name))

    def normal(stream: str) -> Any:  # of variance 1
        parts = [
            Law("normal", std=float(np.sqrt(0.5)))(shape, seed=seed, stream=f"{_STREAM}/{stream}/{part}", dtype=real)
            for part in ("real", "imaginary")
        ]
        return (parts[0] + 1j * parts[1]).astype(dtype)

    z = normal("0")
    square = z.real * z.real + z.imag * z.imag
    if kind == "normal":
        scaled: NDArray[Any] = (z * real.type(std)).astype(dtype)
        return scaled
    if kind == "truncated":  # the modulus at most 2; the std after the cut is that of JAX, 0.95311164380491208
        for again in range(1, 64):
            if not (square > 4).any():
                break
            other = normal(str(again))
            z = np.where(square > 4, other, z)
            square = z.real * z.real + z.imag * z.imag
        return (z * real.type(std / 0.95311164380491208)).astype(dtype)
    if kind == "uniform" and law.name == "variance_scaling":  # in the disk of radius sqrt(2)
        radius = np.sqrt(2 * Law("uniform", low=0.0, high=1.0)(shape, seed=seed, stream=f"{_STREAM}/radius", dtype=real))
        return (z / np.sqrt(square) * radius * real.type(std)).astype(dtype)
    raise TypeError(f"dtype must be real for {law}, got {dtype}")
