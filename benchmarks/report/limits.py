"""The physical limits of this machine, measured by a small compiled program: what no library can pass."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

UNITS = ("flop", "byte written", "byte read", "byte copied")


def measure(threads: int) -> dict[str, list[float]] | None:
    """Return how much of each unit a second allows, for 1 to `threads` threads; None without a compiler."""
    compiler = next(filter(None, map(shutil.which, ("c++", "g++", "clang++"))), None)
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "limits"
        source = Path(__file__).with_name("limits.cpp")
        flags = ["-O3", "-march=native", "-std=c++20", "-pthread"]
        subprocess.run([compiler, *flags, source, "-o", program], check=True)
        printed = subprocess.run([program, str(threads)], capture_output=True, text=True, check=True).stdout
    rows = [[float(number) for number in line.split()[1:]] for line in printed.splitlines()]
    return {unit: [row[i] for row in rows] for i, unit in enumerate(UNITS)}
