"""A law of 2^31 elements and a sweep of 200 points on two worker processes, with a worker killed midway: is anything lost?

Run as ``python benchmarks/cluster_dask.py``; it says what was equal and how long it took.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
import time
from hashlib import sha256
from pathlib import Path

import distributed

import fanin as fi
import fanin.interop.dask as fd

SHAPE, CHUNKS = (1 << 15, 1 << 16), (1 << 11, 1 << 12)  # 2^31 elements in 256 chunks of 32 MB


def kill_after(client: distributed.Client, seconds: float) -> threading.Thread:
    """Kill the process of one worker after a while."""
    pid = next(iter(client.run(os.getpid).values()))

    def kill() -> None:
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)
        print(f"  killed worker process {pid} after {seconds:g} s", flush=True)

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


def in_process() -> str:
    """The digest of the same array, drawn here block by block."""
    digests = []
    for row in range(0, SHAPE[0], CHUNKS[0]):
        for column in range(0, SHAPE[1], CHUNKS[1]):
            block = (slice(row, row + CHUNKS[0]), slice(column, column + CHUNKS[1]))
            part = fi.init.he_normal(SHAPE, seed=7, stream="w", block=block)
            digests.append(sha256(part.tobytes()).hexdigest())
    return sha256("".join(digests).encode()).hexdigest()


def main() -> None:
    """Run both, each once in peace and once with a killed worker."""
    with (
        distributed.LocalCluster(2, threads_per_worker=1, processes=True, protocol="tcp", dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
    ):
        begin = time.perf_counter()
        wanted = in_process()
        print(f"in process: {time.perf_counter() - begin:.1f} s, digest {wanted[:16]}", flush=True)
        x = fd.array("he_normal", SHAPE, seed=7, stream="w", chunks=CHUNKS)
        for killed in (False, True):
            begin = time.perf_counter()
            killer = kill_after(client, 5.0) if killed else None
            found = fd.digest(x)
            if killer is not None:
                killer.join()
            print(f"{x.npartitions} chunks: {time.perf_counter() - begin:.1f} s, equal: {found == wanted}", flush=True)
        data = fi.datasets.digits()
        grid = {"depths": [1, 2], "widths": [50, 100], "seeds": range(10), "epochs": 10}
        laws = ["zeros", "normal(std=0.01)", "xavier_normal", "he_normal", "normal(std=1)"]
        begin = time.perf_counter()
        alone = fi.sweep(laws, *data, **grid)
        print(f"sweep of {len(alone)} points in process: {time.perf_counter() - begin:.1f} s", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            for killed in (False, True):
                begin = time.perf_counter()
                done: list[int] = []
                killer = kill_after(client, 5.0) if killed else None
                found = fi.sweep(
                    laws,
                    *data,
                    **grid,
                    executor=client.get_executor(retries=3),
                    retries=3,
                    resume=Path(folder, f"{killed}.csv"),
                    progress=lambda n, points, row, done=done: done.append(n),
                )
                if killer is not None:
                    killer.join()
                seconds = time.perf_counter() - begin
                print(f"on the cluster: {seconds:.1f} s, {len(done)} rows told, equal: {found == alone}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
