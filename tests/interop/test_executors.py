"""Sweeps over Ray and over MPI: the rows of one process. Both are large: pip install ray mpi4py mpich."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
import fanin as fi

def main():
    x, y = fi.datasets.circle(200, 0)
    grid = {"depths": [1, 2], "widths": 10, "seeds": range(3), "epochs": 2}
    if sys.argv[1] == "ray":
        import ray
        from fanin.interop.ray import RayExecutor
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
        pool = RayExecutor(max_retries=2)
    else:
        from mpi4py.futures import MPIPoolExecutor
        pool = MPIPoolExecutor()
    with pool:
        there = fi.sweep(["zeros", "he_normal"], x, y, executor=pool, **grid)
        runs = fi.compare(["zeros", "he_normal"], x, y, hidden=[10], epochs=1, executor=pool)
    assert there.rows == fi.sweep(["zeros", "he_normal"], x, y, threads=1, **grid).rows
    here = fi.compare(["zeros", "he_normal"], x, y, hidden=[10], epochs=1)
    assert [list(run.costs) for run in runs] == [list(run.costs) for run in here]
    print(len(there.rows), "equal")

if __name__ == "__main__":
    main()
"""


def ran(tmp_path: Path, *words: str) -> str:
    (tmp_path / "program.py").write_text(PROGRAM)
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_ray(tmp_path):
    pytest.importorskip("ray")
    assert "12 equal" in ran(tmp_path, sys.executable, "-W", "ignore", "program.py", "ray")


@pytest.mark.slow
def test_mpi(tmp_path):
    pytest.importorskip("mpi4py")
    mpiexec = shutil.which("mpiexec", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if mpiexec is None:
        pytest.skip("needs mpiexec")
    assert "12 equal" in ran(tmp_path, mpiexec, "-n", "3", sys.executable, "-m", "mpi4py.futures", "program.py", "mpi")
