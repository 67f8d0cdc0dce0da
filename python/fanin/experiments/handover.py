"""An experiment on its way to other threads, processes and machines, and how they learn that the sweep has ended."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from fanin.datasets.files import Data
from fanin.experiments.run import Experiment

_LARGE = 1 << 20  # bytes; less is pickled with every point


@dataclass(frozen=True)
class Stored:
    """An experiment whose arrays are in the files of a folder."""

    folder: str
    without_data: Experiment

    def open(self) -> Experiment | None:
        """Map the files; None where they are not, as on another machine."""
        names = ("train.x", "train.y", "held_out.x", "held_out.y")
        try:
            arrays = [np.asarray(np.load(Path(self.folder, f"{name}.npy"), mmap_mode="r")) for name in names]
        except FileNotFoundError:
            return None
        return replace(self.without_data, train=Data(*arrays[:2]), held_out=Data(*arrays[2:]))


@dataclass(frozen=True)
class Ended:
    """A `threading.Event` for processes of this machine: set when a file is gone. To other machines it is always set."""

    path: str

    def is_set(self) -> bool:
        """Return whether the sweep has ended, or is another machine's."""
        return not os.path.exists(self.path)


Stop: TypeAlias = threading.Event | Ended


@contextmanager
def stopped_after(executor: Executor) -> Iterator[Stop | None]:
    """Give what is set once the block has ended, however it ended; None where no file can be written."""
    if isinstance(executor, ThreadPoolExecutor):
        stop = threading.Event()
        try:
            yield stop
        finally:
            stop.set()
        return
    try:
        file = tempfile.NamedTemporaryFile(prefix="fanin-")  # noqa: SIM115
    except OSError:
        yield None
        return
    with file:
        yield Ended(file.name)


@contextmanager
def handed_over(experiment: Experiment, executor: Executor | None) -> Iterator[Experiment | Stored]:
    """Give what to send to an executor's workers: files if the data is large and the workers may be processes."""
    parts = {"train": experiment.train, "held_out": experiment.held_out}
    small = sum(part.x.nbytes + part.y.nbytes for part in parts.values()) < _LARGE
    if small or executor is None or isinstance(executor, ThreadPoolExecutor):
        yield experiment
        return
    with tempfile.TemporaryDirectory(prefix="fanin-", ignore_cleanup_errors=True) as folder:
        try:
            for name, part in parts.items():
                np.save(Path(folder, f"{name}.x.npy"), part.x)
                np.save(Path(folder, f"{name}.y.npy"), part.y)
        except OSError:  # a full disk
            yield experiment
            return
        nothing = Data(experiment.train.x[:0], experiment.train.y[:0])
        yield Stored(folder, replace(experiment, train=nothing, held_out=nothing))
