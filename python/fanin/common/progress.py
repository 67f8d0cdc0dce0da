"""Progress on a terminal: one bar, or one for each of several names.

Rich draws them; without it, `bar` is a line.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager


@contextmanager
def bar(total: int, unit: str, head: str) -> Iterator[Callable[[int, str, str], None] | None]:
    """Give what is called as show(done, head, tail), `done` of `total` units; None where there is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    except ImportError:

        def line(done: int, head: str, tail: str) -> None:
            sys.stderr.write(f"\r{head}  {unit} {done} of {total}  {tail}    ")
            sys.stderr.flush()

        try:
            yield line
        finally:
            sys.stderr.write("\n")
        return
    columns = (
        TextColumn("{task.fields[head]}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[tail]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(unit, total=total, head=head, tail="")
        yield lambda done, head, tail: progress.update(task, completed=done, head=head, tail=tail)


@contextmanager
def bars(names: Sequence[str], *, shown: bool = True) -> Iterator[Callable[[str, int, int], None] | None]:
    """Give what is called as update(name, done, total), a bar on stderr for each name.

    None where there is no terminal, or `shown` is false. It needs Rich.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    if not shown or not sys.stderr.isatty():
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as drawn:
        tasks = {name: drawn.add_task(name, total=None, start=False) for name in names}

        def update(name: str, done: int, steps: int) -> None:
            if not drawn.tasks[tasks[name]].started:
                drawn.start_task(tasks[name])
            drawn.update(tasks[name], completed=done, total=steps)

        yield update
