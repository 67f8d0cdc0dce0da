"""Laws, summaries and sweeps on a cluster of processes over TCP, with workers that are killed midway."""

import os
import signal
import threading
import time

import numpy as np
import pytest

pytest.importorskip("dask.array")
pytest.importorskip("distributed")

import distributed

import fanin as fi
import fanin.interop.dask as fd

pytestmark = pytest.mark.filterwarnings("ignore")  # distributed's own, of workers that end


@pytest.fixture(scope="module")
def cluster():
    import dask

    dask.config.set({"distributed.worker.memory.terminate": False, "distributed.scheduler.allowed-failures": 10})
    with (
        distributed.LocalCluster(2, threads_per_worker=1, processes=True, protocol="tcp", dashboard_address=":0") as made,
        distributed.Client(made) as client,
    ):
        yield client


def worker(client):
    """The process of a worker, its own word."""
    return next(iter(client.run(os.getpid).values()))


def killed_midway(client, seconds):
    """Kill a worker in so many seconds; its nanny starts another."""
    pid = worker(client)

    def kill():
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


@pytest.mark.parametrize(
    ("law", "shape", "chunks", "axes"),
    [
        ("he_normal", (37, 20), (10, 7), {}),
        ("normal(std=2)", (1000,), 300, {}),
        ("glorot_uniform", (3, 3, 8, 16), (2, 3, 5, 16), {"in_axis": 2, "out_axis": 3}),
        ("orthogonal", (12, 30), (5, 30), {}),
        ("zeros", (4, 4), 2, {}),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float16", "float64"])
def test_the_bits_of_one_machine(law, shape, chunks, axes, dtype):
    found = fd.array(law, shape, seed=5, stream="w", dtype=dtype, chunks=chunks, **axes)
    whole = fi.init.law(law)(shape, seed=5, stream="w", dtype=dtype, **axes)
    assert found.dtype == whole.dtype
    assert found.shape == whole.shape
    assert np.array_equal(found.compute(scheduler="sync"), whole)
    assert fd.array(law, shape, seed=5, stream="w", dtype=dtype, chunks=chunks, **axes).name == found.name
    assert fd.array(law, shape, seed=6, stream="w", dtype=dtype, chunks=chunks, **axes).name != found.name


def test_fresh_entropy_is_drawn_once():
    x, y = fd.array("normal", 100, chunks=10), fd.array("normal", 100, chunks=10)
    assert (x.compute(scheduler="sync") == x.compute(scheduler="sync")).all()
    assert (x.compute(scheduler="sync") != y.compute(scheduler="sync")).any()


def test_refusals_come_before_the_graph():
    with pytest.raises(ValueError, match="in_axis"):
        fd.array("he_normal", 10, seed=1, stream="w")
    with pytest.raises(ValueError, match="go together"):
        fd.array("he_normal", (10, 10), seed=1)
    with pytest.raises(TypeError, match="unexpected keyword argument 'out'"):
        fd.array("he_normal", (10, 10), out=3)
    with pytest.raises(TypeError, match="must be a Dask array"):
        fd.summarize(np.ones(3))


@pytest.mark.parametrize(
    "options", [{}, {"bins": 16, "range": (-3, 3)}, {"bins": None, "moments": "two"}, {"saturation": (-1, 1)}]
)
def test_summaries_merge(options):
    """Counts, extremes and histogram are exact; m_r up to the documented 1e-13 n std^r."""
    x = fd.array("normal", (70, 1000), seed=3, stream="w", chunks=(13, 370))
    found, whole = fd.summarize(x, **options), fi.summarize(x.compute(scheduler="sync"), **options)
    for name in ("count", "nans", "infs", "zeros", "min", "max", "saturated", "saturation", "histogram"):
        assert getattr(found, name) == getattr(whole, name)
    assert abs(found.mean - whole.mean) < 1e-13
    assert abs(found.m2 - whole.m2) < 1e-13 * whole.count


def test_a_killed_worker_changes_nothing_but_the_time(cluster):
    shape, chunks = (1 << 12, 1 << 13), (1 << 8, 1 << 11)  # 2^25 elements in 64 chunks
    x = fd.array("he_normal", shape, seed=11, stream="w", chunks=chunks)
    whole = fi.init.he_normal(shape, seed=11, stream="w")
    import dask

    with dask.config.set(scheduler="sync"):
        wanted = fd.digest(x)
    killer = killed_midway(cluster, 0.1)
    assert fd.digest(x) == wanted
    found = fd.summarize(x)
    killer.join()
    assert found.min == whole.min()
    assert found.count == whole.size


def test_a_sweep_with_killed_workers(cluster, tmp_path):
    x, y = fi.datasets.circle(2000, 0)
    grid = {"depths": [1, 2, 3], "widths": [20, 40], "seeds": range(4), "epochs": 5}
    alone = fi.sweep(["zeros", "he_normal"], x, y, **grid)
    told = []
    killer = killed_midway(cluster, 0.3)
    found = fi.sweep(
        ["zeros", "he_normal"],
        x,
        y,
        **grid,
        executor=cluster.get_executor(retries=3),
        resume=tmp_path / "rows.csv",
        retries=3,
        progress=lambda done, points, row: told.append(done),
    )
    killer.join()
    assert found == alone
    assert told == list(range(1, 49))
    assert fi.sweep(["zeros", "he_normal"], x, y, **grid, resume=tmp_path / "rows.csv") == alone


def test_a_comparison_with_a_killed_worker(cluster, tmp_path):
    x, y = fi.datasets.circle(300, 0)
    given = {"laws": ["zeros", "he_normal", "xavier_normal", "normal"], "x": x, "y": y, "hidden": [10, 10], "epochs": 2}
    alone = fi.compare(**given)
    killer = killed_midway(cluster, 0.1)
    found = fi.compare(**given, executor=cluster.get_executor(), retries=3, resume=tmp_path / "runs.csv")
    killer.join()
    assert found.to_json() == alone.to_json()
    again = fi.compare(**given, resume=tmp_path / "runs.csv", progress=lambda *_: pytest.fail("all are kept"))
    assert again.to_json() == alone.to_json()
