"""The thread pool's size. Threads never change a result, only the time."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from contextlib import contextmanager
from typing import SupportsIndex

from fanin import _core


def num_threads() -> int:
    """Threads that a call may use: ``FANIN_NUM_THREADS``, otherwise the CPUs that this process may run on."""
    return _core.num_threads()


def set_num_threads(n: SupportsIndex) -> None:
    """Let every later call in this process use up to `n` threads.

    Parameters
    ----------
    n : int
        1 .. 1024. More threads than CPUs are allowed, and slower.

    Raises
    ------
    ValueError
        If `n` is out of range; nothing changes then.
    """
    try:
        number = operator.index(n)
    except TypeError:
        raise TypeError(f"n must be in 1 .. 1024, got {n!r}") from None
    _core.set_num_threads(number)


@contextmanager
def compute_alone() -> Iterator[None]:
    """While inside, calls of this thread compute on it alone: for callers that are many threads themselves."""
    before = _core.compute_alone(True)
    try:
        yield
    finally:
        _core.compute_alone(before)
