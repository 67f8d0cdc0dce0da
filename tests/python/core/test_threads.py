"""A good guest: forks, busy pools, Ctrl-C and the floating-point environment of the host program."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

import fanin as fi
from fanin import _core

N = 1_000_003


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = fi.num_threads()
    fi.set_num_threads(2)
    yield
    fi.set_num_threads(before)


def draw(n: int = N) -> NDArray[np.float32]:
    out = np.empty(n, np.float32)
    _core.fill_normal(out, 7, 1, 0, 0.0, 1.0)
    return out


@pytest.mark.parametrize("n", [0, -1, 1025])
def test_thread_count_out_of_range(n: int) -> None:
    with pytest.raises(ValueError, match=r"n must be in 1 \.\. 1024, got"):
        fi.set_num_threads(n)
    assert fi.num_threads() == 2


@pytest.mark.parametrize("text", ["0", "two", "-1", "1.5", "2000"])
def test_environment_is_checked_at_import(text: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import fanin"],
        env=os.environ | {"FANIN_NUM_THREADS": text},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"FANIN_NUM_THREADS must be an integer in 1 .. 1024, got '{text}'" in done.stderr


def child_digest(queue: multiprocessing.SimpleQueue[int]) -> None:
    queue.put(hash(draw().tobytes()))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:.*incompatible with multithreaded code:RuntimeWarning")  # JAX's, where a test imported it
def test_a_forked_child_computes_the_same_bits() -> None:
    expected = hash(draw().tobytes())  # the pool has run in the parent
    context = multiprocessing.get_context("fork")
    queue: multiprocessing.SimpleQueue[int] = context.SimpleQueue()
    for _ in range(5):
        child = context.Process(target=child_digest, args=(queue,))
        child.start()
        child.join(60)
        assert child.exitcode == 0
        assert queue.get() == expected


def test_callers_that_meet_a_busy_pool_get_the_same_bits() -> None:
    expected = draw()
    with ThreadPoolExecutor(8) as callers:
        for result in callers.map(lambda _: draw(), range(32)):
            np.testing.assert_array_equal(result, expected)


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_ends_a_long_call(threads: int, ctrl_c: Callable[..., subprocess.Popen[str]]) -> None:
    code = textwrap.dedent(f"""
        import numpy as np, fanin as fi
        from fanin import _core
        fi.set_isa("generic")
        fi.set_num_threads({threads})
        out = np.empty(2**31 // 4, np.float32)
        print("begin", flush=True)
        try:
            while True:
                _core.fill_normal(out, 7, 1, 0, 0.0, 1.0)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
    """)
    process = ctrl_c([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "begin"
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)  # the call alone would take far longer with generic kernels
    assert output.strip() == "interrupted"


def test_the_gil_is_released_while_computing() -> None:
    """Another Python thread notes the time while a long call runs; with the GIL held it could not."""
    notes: list[float] = []
    done = threading.Event()

    def note() -> None:
        while not done.is_set():
            notes.append(time.perf_counter())
            time.sleep(0.001)

    fi.set_num_threads(1)
    out = np.empty(1 << 26, np.float32)
    noter = threading.Thread(target=note)
    noter.start()
    try:
        begin = time.perf_counter()
        _core.fill_normal(out, 7, 1, 0, 0.0, 1.0)
        end = time.perf_counter()
    finally:
        done.set()
        noter.join()
    margin = (end - begin) / 4
    assert any(begin + margin < t < end - margin for t in notes)


def test_rounding_and_flush_modes_are_unchanged(everywhere: Callable[..., Iterator[tuple[str, int]]]) -> None:
    """A subnormal stays subnormal and 1 + 2^-53 still rounds to even, here and in new threads."""

    def modes() -> tuple[float, float, float]:
        tiny = np.float64(np.finfo(np.float64).tiny)
        return float(tiny / 4), float(np.float64(1) + np.float64(2**-53)), float(np.float64(-1) - np.float64(2**-53))

    expected = (2.0**-1024, 1.0, -1.0)
    assert modes() == expected
    for _ in everywhere():
        draw()
        assert modes() == expected
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(lambda: (draw(), modes())[1]).result() == expected
