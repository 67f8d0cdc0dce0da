"""Progress bars on a terminal: Rich's where it is installed, otherwise a line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
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
