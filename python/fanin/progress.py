"""Progress bars on a terminal: Rich's where it is installed, otherwise a line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def bar(epochs: int, steps: int) -> Iterator[Callable[[int, int, float], None] | None]:
    """Give what is called as show(epoch, step, cost), `step` of `steps` in all; None where there is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    except ImportError:

        def line(epoch: int, step: int, cost: float) -> None:
            sys.stderr.write(f"\repoch {epoch} of {epochs}  step {step} of {steps}  cost {cost:.4g}    ")
            sys.stderr.flush()

        try:
            yield line
        finally:
            sys.stderr.write("\n")
        return
    columns = (
        TextColumn("epoch {task.fields[epoch]} of {task.fields[epochs]}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("cost {task.fields[cost]:.4g}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("fit", total=steps, epoch=1, epochs=epochs, cost=float("nan"))
        yield lambda epoch, step, cost: progress.update(task, completed=step, epoch=epoch, cost=cost)
