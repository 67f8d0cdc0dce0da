"""A law as a Dask array: each chunk is a block of the whole, drawn by the worker that holds it."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, SupportsIndex

import dask
import dask.array as da
import numpy as np
from dask.base import tokenize
from numpy.typing import DTypeLike, NDArray

from fanin import _core
from fanin.init import LawLike, law
from fanin.random import seed_number


def array(
    rule: LawLike,
    shape: SupportsIndex | tuple[int, ...],
    *,
    seed: SupportsIndex | None = None,
    stream: str | SupportsIndex | None = None,
    dtype: DTypeLike = "float32",
    chunks: Any = "auto",
    **axes: Any,
) -> da.Array:
    """Return an array of the law, lazy and in chunks, with the bits of ``law(shape, seed=seed, stream=stream, dtype=dtype)``.

    Parameters
    ----------
    rule : law
        A text, a function of `fanin.init`, or an object.
    shape : int or tuple of int
        Of the whole parameter.
    seed, stream : optional
        As for every law; both or neither. Without them fresh entropy is drawn now, once: a chunk that is computed again, on
        another worker, has the same bits.
    dtype : dtype
        float32, float64, float16 or bfloat16.
    chunks : optional
        As `dask.array` takes them.
    **axes
        ``in_axis``, ``out_axis``, ``batch_axis``.

    Examples
    --------
    >>> import fanin as fi
    >>> from fanin.interop.dask import array
    >>> w = array("he_normal", (300, 784), seed=7, stream="w", chunks=(100, 400))
    >>> w.npartitions, bool((w.compute() == fi.init.he_normal((300, 784), seed=7, stream="w")).all())
    (6, True)
    """
    chosen = law(rule)
    sizes = tuple(int(n) for n in shape) if isinstance(shape, tuple | list) else (int(shape),)
    if unknown := axes.keys() - {"in_axis", "out_axis", "batch_axis"}:
        raise TypeError(f"array() got an unexpected keyword argument {min(unknown)!r}")
    if (seed is None) != (stream is None):
        raise ValueError("seed and stream go together: give both, or neither")
    number = _core.fresh_seed() if seed is None else seed_number(seed)
    name = "dask" if stream is None else stream
    kind = np.dtype(dtype)
    nothing = (slice(0, 0),) * len(sizes)
    meta = chosen(sizes, seed=number, stream=name, dtype=kind, block=nothing, **axes)  # refuses what no chunk could be
    parts = da.core.normalize_chunks(chunks, sizes, dtype=kind)
    how = {"text": str(chosen), "shape": sizes, "seed": number, "stream": name, "dtype": kind.name, "axes": axes}
    return da.map_blocks(
        _chunk, chunks=parts, dtype=kind, meta=meta, name=f"fanin-{chosen.name}-{tokenize(how, parts)}", how=how
    )


def _chunk(how: dict[str, Any], block_info: Any = None) -> NDArray[Any]:
    """Draw one chunk: its place in the whole is what Dask says of it."""
    block = tuple(slice(begin, end) for begin, end in block_info[None]["array-location"])
    rule, dtype = law(how["text"]), how["dtype"]
    drawn: NDArray[Any] = rule(how["shape"], seed=how["seed"], stream=how["stream"], dtype=dtype, block=block, **how["axes"])
    return drawn


def digest(x: da.Array) -> str:
    """Return the SHA-256 of an array's chunks' digests, in order: equal for equal bits in equal chunks, wherever they are.

    Examples
    --------
    >>> from fanin.interop.dask import array, digest
    >>> first = array("normal", 1000, seed=1, stream="x", chunks=100)
    >>> digest(first) == digest(first.map_blocks(lambda chunk: chunk.copy()))
    True
    """
    parts = [dask.delayed(_digest)(part) for part in x.to_delayed().reshape(-1)]
    return sha256("".join(dask.compute(*parts)).encode()).hexdigest()


def _digest(part: NDArray[Any]) -> str:
    return sha256(np.ascontiguousarray(part).tobytes()).hexdigest()
