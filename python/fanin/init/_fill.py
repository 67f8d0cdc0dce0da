"""A whole model at once: rules choose a law for each parameter by its name, and the name is its stream."""

from __future__ import annotations

import mmap
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import ceil, prod
from typing import Any, NamedTuple, SupportsIndex, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fanin import _core
from fanin.common.progress import bar
from fanin.init._law import Law, Out, refuse_no_memory, written
from fanin.init._place import Block, Shape
from fanin.init.rules import AXES, Rules, matches, stated_rules
from fanin.random import seed_number, stream_id

Progress: TypeAlias = Callable[[str, int, int], object]

_BLOCK = 1 << 24  # elements at a time: 64 MB of float32


class _Job(NamedTuple):
    name: str
    out: Out
    array: NDArray[Any]
    dtype: str
    law: Law
    axes: dict[str, Any]
    shape: tuple[int, ...]  # of the whole parameter
    start: tuple[int, ...]  # where the array begins in it


def fill(
    parameters: Any,
    rules: Rules,
    *,
    seed: SupportsIndex | None = None,
    progress: bool | Progress | None = None,
    block: Mapping[str, tuple[Shape, Block]] | None = None,
) -> dict[str, Law]:
    """Fill the parameters of a model in place, each from the stream of its name.

    Parameters
    ----------
    parameters : mapping of str to array, pairs of them, or a module
        Names and what they name: NumPy arrays (memory-mapped too), buffers, PyTorch's CPU tensors; as `out` of every law. An
        object with ``named_parameters()``, as PyTorch's modules, gives those. Arrays of integers and booleans (counters in a
        ``state_dict()``) are no weights: they stay as they are.
    rules : law, mapping of str to law, or sequence of (pattern, law) or (pattern, law, axes)
        One law for all; or patterns, of which the first that matches a name gives its law. ``*`` stands for any letters, ``?``
        for one, ``[ab]`` for a choice, case counts; a leading ``*.`` also stands for nothing, so that ``"*.bias"`` matches
        ``"bias"`` (``"*bias*"`` matches ``"in_proj_bias"`` and ``"bias_ih_l0"`` too). `axes` is a dict of ``in_axis``,
        ``out_axis`` and ``batch_axis``, for a layout other than ``(n_out, n_in, *kernel)``.
    seed : int, optional
        In [0, 2^64). Without it, fresh entropy.
    progress : bool or callable, optional
        True shows it on the standard error (a bar where Rich is installed). A callable is called as ``progress(name, done,
        total)``, in elements of the whole model: at first with 0, then after each block of at most 2^24 elements.
    block : mapping of str to (shape, block), optional
        For the parameters that are shards: the shape of the whole parameter, and which part of it the array is, as `block` of
        every law. The shard gets the bits that it has in the whole.

    Returns
    -------
    dict of str to Law
        The law of each parameter that was filled.

    Raises
    ------
    ValueError
        Before anything is written: for names that no rule matches, names whose streams collide, parameters that share memory,
        and whatever a law refuses.

    Notes
    -----
    A parameter has the bits of ``law(shape, seed=seed, stream=name)``, in whatever order the parameters come and whichever
    others there are. Memory-mapped arrays are filled block by block, each written to the file and released, so that a
    model larger than memory fills in little of it; Ctrl-C ends the call between two tasks.

    Examples
    --------
    >>> import numpy as np
    >>> import fanin as fi
    >>> model = {"0.weight": np.empty((300, 784), "f4"), "0.bias": np.empty(300, "f4"), "norm.scale": np.empty(300, "f4")}
    >>> fi.init.fill(model, rules={"*bias*": "zeros", "*norm*": "ones", "*": "he_normal"}, seed=7)
    {'0.weight': he_normal, '0.bias': zeros, 'norm.scale': ones}
    """
    jobs = _jobs(_named(parameters), rules, dict(block or {}))
    number = _core.fresh_seed() if seed is None else seed_number(seed)
    total = sum(job.array.size for job in jobs)
    if progress is True:
        with bar(total, "elements", "") as show:
            _run(jobs, number, total, None if show is None else lambda name, done, _: show(done, name, ""))
    else:
        _run(jobs, number, total, progress or None)
    return {job.name: job.law for job in jobs}


def _named(parameters: Any) -> list[tuple[str, Out]]:
    """Return names and arrays of a mapping, of pairs, or of a module."""
    if hasattr(parameters, "named_parameters"):
        parameters = parameters.named_parameters()
    pairs = list(parameters.items()) if isinstance(parameters, Mapping) else parameters
    wanted = "parameters must be a mapping of names to arrays, pairs of both, or a module with named_parameters()"
    if not isinstance(pairs, Iterable) or isinstance(pairs, str):
        raise TypeError(f"{wanted}, got {type(parameters).__name__}")
    found = []
    for pair in pairs:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError(f"{wanted}, got an item {type(pair).__name__}")
        if not isinstance(pair[0], str):
            raise TypeError(f"parameters must have names, got the key {pair[0]!r}")
        found.append(pair)
    return found


def _jobs(parameters: Sequence[tuple[str, Out]], rules: Rules, blocks: dict[str, tuple[Shape, Block]]) -> list[_Job]:
    """Match, convert and check everything; nothing is written."""
    stated = stated_rules(rules, AXES)
    streams: dict[int, str] = {}
    jobs, unmatched = [], []
    for name, out in parameters:
        if _counts(out):
            continue
        other = streams.setdefault(stream_id(name), name)
        if other != name:
            raise ValueError(f"parameters must have streams of their own, got {other!r} and {name!r}, whose names hash alike")
        found = next((rule for rule in stated if matches(name, rule[0])), None)
        if found is None:
            unmatched.append(name)
            continue
        _, rule_law, axes = found
        try:
            refuse_no_memory(out)
            array, dtype = _core.as_target(out)
            shape, start = _place(array, blocks.pop(name, None))
            _core.check_fill(rule_law._core_law, shape, array, dtype, (start, array.shape), *axes.values())
        except (TypeError, ValueError) as error:
            raise type(error)(f"parameter {name!r}, {rule_law}: {error}") from None
        jobs.append(_Job(name, out, array, dtype, rule_law, axes, shape, start))
    if unmatched:
        names = ", ".join(map(repr, unmatched[:5])) + (f" and {len(unmatched) - 5} more" if len(unmatched) > 5 else "")
        raise ValueError(f"rules must match every parameter, got none for {names}: end them with ('*', 'he_normal')")
    if blocks:
        raise ValueError(f"block must name parameters, got {', '.join(map(repr, blocks))}")
    _refuse_shared_memory(jobs)
    return jobs


def _counts(out: Out) -> bool:
    """Whether an array holds integers or booleans, which no law draws."""
    dtype = getattr(out, "dtype", None)
    if isinstance(dtype, np.dtype):
        return dtype.kind in "ib"  # uint16 may be the bits of bfloat16
    return str(dtype).rpartition(".")[2].startswith(("int", "uint", "bool"))  # torch.int64 and its like


def _place(array: NDArray[Any], block: tuple[Shape, Block] | None) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the shape of the whole parameter, and where the array begins in it."""
    if block is None:
        return array.shape, (0,) * array.ndim
    if not isinstance(block, tuple) or len(block) != 2:
        raise TypeError(f"block must be (shape of the whole, block), got {block!r}")
    whole = (block[0],) if isinstance(block[0], SupportsIndex) else tuple(block[0])
    shape = tuple(operator.index(n) for n in whole)
    parts = block[1] if isinstance(block[1], tuple | list) else (block[1],)
    if not len(parts) == len(shape) == array.ndim:
        raise ValueError(f"block must have a slice for each axis of {shape} and of an array of shape {array.shape}")
    start = []
    for part, n, own in zip(parts, shape, array.shape, strict=True):
        first, last, step = part.indices(n) if isinstance(part, slice) else (operator.index(part), operator.index(part) + 1, 1)
        if step != 1 or not 0 <= first <= last <= n:
            raise ValueError(f"block must hold slices of step 1 inside {shape}, got {block[1]!r}")
        if last - first != own:
            raise ValueError(f"block must cut out the shape of the array, {array.shape}, got {block[1]!r}")
        start.append(first)
    return shape, tuple(start)


def _refuse_shared_memory(jobs: list[_Job]) -> None:
    extents = sorted((*_extent(job.array), i) for i, job in enumerate(jobs) if job.array.size)
    for place, (_, end, i) in enumerate(extents):
        for start, _, k in extents[place + 1 :]:
            if start >= end:
                break
            if np.shares_memory(jobs[i].array, jobs[k].array):
                raise ValueError(
                    f"parameters must not share memory, got {jobs[i].name!r} and {jobs[k].name!r}: fill one of them"
                )


def _extent(array: NDArray[Any]) -> tuple[int, int]:
    """Return the addresses of the first byte of a non-empty array and of the one after its last."""
    reach = [(n - 1) * stride for n, stride in zip(array.shape, array.strides, strict=True)]
    start = int(array.ctypes.data)
    return start + sum(r for r in reach if r < 0), start + sum(r for r in reach if r > 0) + array.itemsize


def _run(jobs: list[_Job], seed: int, total: int, show: Progress | None) -> None:
    done = 0
    if show is not None:
        show(jobs[0].name if jobs else "", 0, total)
    for job in jobs:
        whole = tuple(slice(0, n) for n in job.array.shape)
        for block in [whole] if _core.law_traits(job.law.name).whole else _blocks(job.array):
            part = job.array[block] if block else job.array  # of rank 0
            place = [at + cut.start for at, cut in zip(job.start, block, strict=True)], part.shape
            _core.draw(job.law._core_law, job.shape, seed, job.name, job.dtype, part, place, *job.axes.values())
            _release(job.array, part)
            done += part.size
            if show is not None:
                show(job.name, done, total)
        written(job.out)


def _blocks(array: NDArray[Any]) -> Iterator[tuple[slice, ...]]:
    """Cut an array into blocks of at most _BLOCK elements, along the axes that are slowest in memory."""
    steps = list(array.shape)
    for axis in sorted(range(array.ndim), key=lambda i: -abs(array.strides[i])):
        if prod(steps) <= _BLOCK:
            break
        rest = prod(steps) // steps[axis]
        steps[axis] = max(1, _BLOCK // rest)
    counts = [ceil(n / step) if n else 1 for n, step in zip(array.shape, steps, strict=True)]
    for number in np.ndindex(*counts):
        starts = [i * step for i, step in zip(number, steps, strict=True)]
        yield tuple(slice(a, min(a + step, n)) for a, step, n in zip(starts, steps, array.shape, strict=True))


def _release(array: NDArray[Any], part: NDArray[Any]) -> None:
    """Write a finished block of a shared mapping to its file and let go of its pages, which stay in the system's cache."""
    if not isinstance(array, np.memmap) or array.mode not in ("r+", "w+"):
        return
    mapping: Any = array
    while mapping is not None and not isinstance(mapping, mmap.mmap):
        mapping = getattr(mapping, "base", None)
    if mapping is None or not part.size:
        return
    base = np.frombuffer(mapping, np.uint8)
    low, high = (place - base.ctypes.data for place in _extent(part))
    low -= low % mmap.PAGESIZE
    mapping.flush(low, high - low)
    if hasattr(mmap, "MADV_DONTNEED"):
        mapping.madvise(mmap.MADV_DONTNEED, low, high - low)
