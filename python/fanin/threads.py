"""The thread pool's size. Threads never change a result, only the time."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import SupportsIndex

from fanin import _core

_lock = Lock()  # of the next two
_alone = 0  # callers inside `each_caller_alone`
_kept = 1  # threads to return to after them


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
    global _kept
    with _lock:
        before = _core.num_threads()
        _core.set_num_threads(operator.index(n))
        if _alone:  # from when they have left
            _kept = _core.num_threads()
            _core.set_num_threads(before)


@contextmanager
def each_caller_alone() -> Iterator[None]:
    """While inside, every call of this process computes on its caller's thread: for callers that are many themselves.

    Scopes nest, and may overlap in several threads: the first keeps the number of threads, the last gives it back.
    """
    global _alone, _kept
    with _lock:
        if _alone == 0:
            _kept = _core.num_threads()
            _core.set_num_threads(1)
        _alone += 1
    try:
        yield
    finally:
        with _lock:
            _alone -= 1
            if _alone == 0:
                _core.set_num_threads(_kept)
