"""Ray as an executor: `fanin.sweep` and `fanin.compare` on a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, TypeVar

try:
    import ray
except ImportError as error:
    raise ImportError("fanin.interop.ray needs Ray: pip install ray") from error

__all__ = ["RayExecutor"]

_T = TypeVar("_T")


class RayExecutor(Executor):
    """What `concurrent.futures` has for processes, on a Ray cluster: ``fi.sweep(..., executor=RayExecutor())``.

    Each call is a Ray task of one CPU. `ray.init` comes first; the cluster stays when the executor ends.

    Parameters
    ----------
    **options
        Of `ray.remote`, for each task: ``num_cpus=2``, ``max_retries=3``, ...
    """

    def __init__(self, **options: Any) -> None:
        if not ray.is_initialized():
            raise RuntimeError("Ray must be initialized before a RayExecutor is made: call ray.init()")
        self._options = {"num_cpus": 1, **options}
        self._futures: list[Future[Any]] = []

    def submit(self, fn: Callable[..., _T], /, *args: Any, **kwargs: Any) -> Future[_T]:
        """Run ``fn(*args, **kwargs)`` as a task."""
        task = ray.remote(**self._options)(_called)
        future: Future[_T] = task.remote(fn, args, kwargs).future()
        self._futures.append(future)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait for the tasks that have been submitted; those that have not begun are left out with `cancel_futures`."""
        for future in self._futures:
            if cancel_futures:
                future.cancel()
            elif wait:
                future.exception()
        self._futures.clear()


def _called(fn: Callable[..., _T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> _T:
    return fn(*args, **kwargs)
