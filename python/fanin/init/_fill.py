"""A whole model at once: rules choose a law for each parameter by its name, and the name is its stream."""

from __future__ import annotations

import mmap
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from math import ceil, prod
from typing import Any, NamedTuple, SupportsIndex, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fanin import _core
from fanin.init._law import Law, LawLike, Out, law
from fanin.random import seed_number, stream_id

Rule: TypeAlias = tuple[str, LawLike] | tuple[str, LawLike, Mapping[str, Any]]
Progress: TypeAlias = Callable[[str, int, int], object]

_BLOCK = 1 << 24  # elements at a time: 64 MB of float32
_WHOLE = {"orthogonal", "sparse"}  # a block of these costs more than its share
_AXES = {"in_axis": 1, "out_axis": 0, "batch_axis": ()}


class _Job(NamedTuple):
    name: str
    array: NDArray[Any]
    dtype: str
    law: Law
    axes: dict[str, Any]


def fill(
    parameters: Mapping[str, Out],
    rules: Sequence[Rule],
    *,
    seed: SupportsIndex | None = None,
    progress: bool | Progress | None = None,
) -> dict[str, Law]:
    """Fill the parameters of a model in place, each from the stream of its name.

    Parameters
    ----------
    parameters : mapping of str to array
        Names and what they name: NumPy arrays (memory-mapped too), buffers, PyTorch's CPU tensors; as `out` of every law.
    rules : sequence of (pattern, law) or (pattern, law, axes)
        The first rule whose pattern matches a name gives its law. ``*`` stands for any letters, ``?`` for one, ``[ab]`` for a
        choice, case counts. `axes` is a dict of ``in_axis``, ``out_axis`` and ``batch_axis``, for a layout other than
        ``(n_out, n_in, *kernel)``.
    seed : int, optional
        In [0, 2^64). Without it, fresh entropy.
    progress : bool or callable, optional
        True shows it on the standard error (a bar where Rich is installed). A callable is called as ``progress(name, done,
        total)``, in elements of the whole model: at first with 0, then after each block of at most 2^24 elements.

    Returns
    -------
    dict of str to Law
        The law of each parameter.

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
    >>> fi.init.fill(model, rules=[("*.bias", "zeros"), ("*norm*", "ones"), ("*", "he_normal")], seed=7)
    {'0.weight': he_normal, '0.bias': zeros, 'norm.scale': ones}
    """
    jobs = _jobs(parameters, rules)
    number = _core.fresh_seed() if seed is None else seed_number(seed)
    total = sum(job.array.size for job in jobs)
    if progress is True:
        with _Bar(total) as show:
            _run(jobs, number, total, show)
    else:
        _run(jobs, number, total, progress or None)
    return {job.name: job.law for job in jobs}


def _jobs(parameters: Mapping[str, Out], rules: Sequence[Rule]) -> list[_Job]:
    """Match, convert and check everything; nothing is written."""
    stated = [_rule(rule) for rule in rules]
    streams: dict[int, str] = {}
    jobs, unmatched = [], []
    for name, out in parameters.items():
        if not isinstance(name, str):
            raise TypeError(f"parameters must have names, got the key {name!r}")
        other = streams.setdefault(stream_id(name), name)
        if other != name:
            raise ValueError(f"parameters must have streams of their own, got {other!r} and {name!r}, whose names hash alike")
        found = next((rule for rule in stated if fnmatchcase(name, rule[0])), None)
        if found is None:
            unmatched.append(name)
            continue
        _, rule_law, axes = found
        try:
            array, dtype = _core.as_target(out)
            _core.check_fill(rule_law._core_law, array, dtype, *axes.values())
        except (TypeError, ValueError) as error:
            raise type(error)(f"parameter {name!r}, {rule_law}: {error}") from None
        jobs.append(_Job(name, array, dtype, rule_law, axes))
    if unmatched:
        names = ", ".join(map(repr, unmatched[:5])) + (f" and {len(unmatched) - 5} more" if len(unmatched) > 5 else "")
        raise ValueError(f"rules must match every parameter, got none for {names}: end them with ('*', 'he_normal')")
    _refuse_shared_memory(jobs)
    return jobs


def _rule(rule: Rule) -> tuple[str, Law, dict[str, Any]]:
    if isinstance(rule, str) or len(rule) not in (2, 3) or not isinstance(rule[0], str):
        raise TypeError(f"rules must hold (pattern, law) or (pattern, law, axes), got {rule!r}")
    axes = dict(rule[2]) if len(rule) == 3 else {}
    if wrong := set(axes) - set(_AXES):
        raise ValueError(f"axes of a rule must be among in_axis, out_axis and batch_axis, got {', '.join(sorted(wrong))}")
    return rule[0], law(rule[1]), {**_AXES, **axes}


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
        whole = (slice(None),) * job.array.ndim
        for block in [whole] if job.law.name in _WHOLE else _blocks(job.array):
            part = job.array[block] if block else job.array  # of rank 0
            _core.draw(job.law._core_law, job.array.shape, seed, job.name, job.dtype, part, block, *job.axes.values())
            _release(job.array, part)
            done += part.size
            if show is not None:
                show(job.name, done, total)


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


class _Bar:
    """A bar on the standard error, by Rich where it is installed, otherwise one line."""

    def __init__(self, total: int) -> None:
        self._total = total
        try:
            from rich.console import Console
            from rich.progress import Progress as Bar
        except ImportError:
            self._bar = None
        else:
            self._bar = Bar(console=Console(stderr=True))
            self._task = self._bar.add_task("", total=total)

    def __enter__(self) -> Progress:
        if self._bar is not None:
            self._bar.start()
        return self._show

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
        else:
            sys.stderr.write("\n")

    def _show(self, name: str, done: int, total: int) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=done, description=name)
        else:
            sys.stderr.write(f"\r{100 * done // max(total, 1):3d} %  {name:<50.50}")
            sys.stderr.flush()
