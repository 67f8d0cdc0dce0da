"""More than one interpreter in a process: fanin is the main one's, and says so elsewhere."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import sys

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
import fanin as fi

before = fi.init.normal((3,), seed=1, stream="x").tobytes()
code = f'''
import sys
sys.path[:] = {sys.path!r}
try:
    import fanin._core
    print("imported")
except ImportError as error:
    print("refused:", error)
'''
kinds = ["isolated", "legacy"] if sys.version_info >= (3, 13) else [True, False]
for kind in kinds:
    one = interpreters.create(kind) if sys.version_info >= (3, 13) else interpreters.create(isolated=kind)
    interpreters.run_string(one, code)
    interpreters.destroy(one)
assert fi.init.normal((3,), seed=1, stream="x").tobytes() == before
"""


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="needs CPython's subinterpreters")
def test_a_subinterpreter_is_refused_in_words():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("refused:") and "subinterpreter" in line for line in lines), lines
