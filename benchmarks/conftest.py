"""The race: fanin, the NumPy reference, PyTorch and other peers on the same work, with the same number of threads.

A benchmark hands its contenders to the fixture `race`. Their results are compared first, and a mismatch fails the run. Then
every round times each contender once, so that a slow moment of the machine meets all of them; the best round counts. Work
shorter than a millisecond is repeated inside a round. With two threads everybody's turn begins after a pause, in which the
idle workers of the one before fall asleep, and calls that are not timed, which wake its own. The table at the end holds
the ratios: how many times fanin's time the others need. ``--benchmark-disable`` compares results only; ``--benchmark-json``
keeps the numbers, ``--quick`` takes few short rounds.
`python benchmarks/report` makes a page of it all.
"""

from __future__ import annotations

import gc
import importlib.metadata
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import threadpoolctl
from rich.console import Console
from rich.table import Table
from rich.text import Text

import fanin as fi

try:
    import torch as pytorch
except ImportError:
    pytorch = None

ROUND = 1e-3  # seconds that a round of one contender lasts at least
BUDGET = {False: 0.6, True: 0.1}  # seconds that all rounds of one race should take together; --quick
ROUNDS = {False: (5, 30), True: (3, 10)}  # and their number, at least and at most
WAKING = 0.02  # seconds of calls after that, in which workers find a CPU of their own: some wake on their caller's
PAUSE = 0.03  # seconds until idle workers sleep: an OpenMP or XLA worker spins for some milliseconds

RIVALS = {"numpy": "NumPy", "torch": "PyTorch", "jax": "JAX", "sklearn": "scikit-learn"}  # names in the table
RESULTS = pytest.StashKey[list[dict[str, Any]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="few and short rounds: a first impression")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[RESULTS] = []


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    """What a page of the results says about where they were made."""
    del config
    installed = {one.metadata["Name"]: one.version for one in importlib.metadata.distributions()}
    names = {"NumPy": "numpy", "PyTorch": "torch", "JAX": "jax", "scikit-learn": "scikit-learn"}
    versions = {name: installed[package] for name, package in names.items() if package in installed}
    machine_info["fanin"] = {
        "version": fi.__version__,
        "isa": fi.active_isa(),
        "compiler": fi._core.COMPILER,
        "peers": versions,
    }


@pytest.fixture
def torch() -> Any:
    """PyTorch, or None where it is not installed: a race then has one contender less."""
    return pytorch


@pytest.fixture(params=[1, 2], ids=lambda n: f"{n} threads")
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    """Threads of fanin, of PyTorch, and of NumPy's BLAS (through threadpoolctl), the same for all."""
    n = request.param
    if n > len(os.sched_getaffinity(0)):
        pytest.skip(f"needs {n} CPUs")
    before = fi.num_threads()
    fi.set_num_threads(n)
    if pytorch is not None:
        pytorch.set_num_threads(n)
    with threadpoolctl.threadpool_limits(n):
        yield n
    fi.set_num_threads(before)


@pytest.fixture
def race(request: pytest.FixtureRequest, benchmark: Any, threads: int) -> Callable[..., None]:
    """Compare and time: ``race(case, fanin=f, numpy=g, torch=h, rtol=..., atol=...)``; the rivals' names are those of RIVALS.

    Every contender is called without arguments and returns an array, a number or a sequence of them; None as a contender sits
    the race out. Results agree to |a - b| <= atol + rtol |b|. With ``check=False`` the benchmark has compared them itself.
    A call that does the timed work `parts` times counts with that part of its time. A `note` stands below the table. Cases that
    differ in their `size` alone, which stands last in their names, share a curve of the report; `work` is what a call does, in
    a unit that the report knows the limit of: ``(2 * n**3, "flop")`` or ``(4 * n, "byte written")``.
    """

    def run(
        case: str,
        *,
        fanin: Callable[[], Any],
        rtol: float = 0.0,
        atol: float = 0.0,
        check: bool = True,
        parts: int = 1,
        size: int = 0,
        work: tuple[float, str] | None = None,
        note: str = "",
        **others: Callable[[], Any] | None,
    ) -> None:
        rivals = {RIVALS[name]: call for name, call in others.items() if call is not None}
        if check:
            ours = arrays(fanin())
            for name, call in rivals.items():
                for a, b in zip(ours, arrays(call()), strict=True):
                    np.testing.assert_allclose(a, b, rtol=rtol, atol=atol, err_msg=f"{case}: fanin and {name} differ")
        if benchmark.disabled:
            benchmark.pedantic(fanin)
            return
        quick = request.config.getoption("quick")
        repeats = {name: calibrate(call) for name, call in (("fanin", fanin), *rivals.items())}
        one_round = sum(seconds(call, repeats[name]) * repeats[name] for name, call in (("fanin", fanin), *rivals.items()))
        least, most = ROUNDS[quick]
        # A worker of a rival may share its caller's CPU for some rounds, which then take milliseconds: such races get more.
        least = (4 if quick else 10) if threads > 1 and one_round < 0.1 else least
        waiting = (1 + len(rivals)) * (PAUSE + WAKING) if quick and threads > 1 else 0.0
        rounds = min(max(int(BUDGET[quick] / (one_round + waiting)), least), most)
        times: dict[str, list[float]] = {name: [] for name in rivals}

        def ready(call: Callable[[], Any]) -> None:  # the idle workers of others asleep, its own awake
            if threads > 1:
                time.sleep(PAUSE)
                awake = time.perf_counter() + WAKING
                while time.perf_counter() < awake:
                    call()

        def rivals_first() -> None:  # before each round of fanin: a round of each rival
            for name, call in rivals.items():
                ready(call)
                times[name].append(seconds(call, repeats[name]))
            ready(fanin)

        gc.disable()
        try:
            benchmark.pedantic(lambda: repeat(fanin, repeats["fanin"]), setup=rivals_first, rounds=rounds, iterations=1)
        finally:
            gc.enable()
        ours = [one / repeats["fanin"] for one in benchmark.stats.stats.data]
        best = min(ours)
        topic = request.module.__name__.rpartition("bench_")[2]
        row = {"topic": topic, "case": case, "threads": threads, "seconds": best / parts}
        row |= {name: min(values) / best for name, values in times.items()}
        # Of the ratios of single rounds, the quartiles: how far one run may be from the next.
        row["spread"] = {name: quartiles([b / a for a, b in zip(ours, values, strict=True)]) for name, values in times.items()}
        row |= {"size": size} if size else {}
        row |= {"work": work} if work else {}
        row |= {"note": note} if note else {}
        benchmark.extra_info.update(row)
        request.config.stash[RESULTS].append(row)

    return run


def arrays(result: Any) -> list[Any]:
    """Results as a flat list of float64 arrays."""
    if isinstance(result, (list, tuple)):
        return [a for part in result for a in arrays(part)]
    if pytorch is not None and isinstance(result, pytorch.Tensor):
        result = result.detach().numpy()
    return [np.array(result, np.float64)]  # a copy: the next contender may write to the same array


def repeat(call: Callable[[], Any], n: int) -> None:
    for _ in range(n):
        call()


def seconds(call: Callable[[], Any], n: int) -> float:
    """Time of one of n calls."""
    start = time.perf_counter()
    repeat(call, n)
    return (time.perf_counter() - start) / n


def calibrate(call: Callable[[], Any]) -> int:
    """Calls that fill a round; warms the contender up on the way."""
    call()
    n = 1
    while (each := seconds(call, n)) * n < ROUND:
        n = max(2 * n, min(int(ROUND / each), 16 * n))
    return n


def pytest_terminal_summary(config: pytest.Config) -> None:
    rows = config.stash[RESULTS]
    if not rows:
        return
    order = {(row["topic"], row["case"]): i for i, row in reversed(list(enumerate(rows)))}
    rows = sorted(rows, key=lambda row: (order[row["topic"], row["case"]], row["threads"]))
    rivals = [name for name in RIVALS.values() if any(name in row for row in rows)]
    title = f"fanin {fi.__version__} ({fi.active_isa()}), NumPy {np.__version__}"
    if pytorch is not None:
        title += f", PyTorch {pytorch.__version__}"
    table = Table(title=title, caption=f"{', '.join(rivals)}: their time over fanin's, best rounds. Below 1 fanin is slower.")
    for name, justify in (("topic", "left"), ("case", "left"), ("threads", "right"), ("fanin", "right")):
        table.add_column(name, justify=justify, no_wrap=True)
    for name in rivals:
        table.add_column(name, justify="right", no_wrap=True)
    for last, row in zip([None, *rows], rows, strict=False):
        if last is not None and last["topic"] != row["topic"]:
            table.add_section()
        ratios = [ratio_text(row.get(name)) for name in rivals]
        table.add_row(row["topic"], row["case"], str(row["threads"]), time_text(row["seconds"]), *ratios)
    console = Console(file=sys.stdout)
    console.width = max(console.width, 140)  # lines of a log are never cut
    console.print()
    console.print(table)
    for name in rivals:
        ratios = [row[name] for row in rows if name in row]
        mean, slower = statistics.geometric_mean(ratios), sum(ratio < 1 for ratio in ratios)
        console.print(f"{name}: geometric mean of the ratios {mean:.2f}, below 1 in {slower} of {len(ratios)} cases")
    for note in dict.fromkeys(f"{row['case']}: {row['note']}" for row in rows if "note" in row):
        console.print(note)


def ratio_text(ratio: float | None) -> Text:
    if ratio is None:
        return Text("-")
    return Text(f"{ratio:.2f}" if ratio < 100 else f"{ratio:.0f}", style="bold red" if ratio < 1 else "")


def quartiles(values: list[float]) -> list[float]:
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return [low, high]


def time_text(t: float) -> str:
    unit, scale = next((u, s) for u, s in (("s", 1), ("ms", 1e3), ("us", 1e6), ("ns", 1e9)) if t * s >= 1 or u == "ns")
    return f"{t * scale:.3g} {unit}"
