"""Progress bars of the long commands."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager


@contextmanager
def bars(names: Sequence[str]) -> Iterator[Callable[[str, int, int], None] | None]:
    """A bar on stderr, a line a name; nothing where stderr is not a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    if not sys.stderr.isatty():
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        tasks = {name: shown.add_task(name, total=None, start=False) for name in names}

        def update(name: str, done: int, steps: int) -> None:
            if not shown.tasks[tasks[name]].started:
                shown.start_task(tasks[name])
            shown.update(tasks[name], completed=done, total=steps)

        yield update
