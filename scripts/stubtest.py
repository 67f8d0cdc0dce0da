"""Compare the types that fanin states with what is there at run time (mypy.stubtest); each difference that stays has a reason.

python scripts/stubtest.py
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

# What may be said of which names, and why it is no error.
ALLOWED = [
    (r"fanin\.\S+ is inconsistent, metaclass differs", "pybind11's classes have a metaclass that cannot be imported"),
    (
        r'fanin\.\S+\.__init__ is inconsistent, stub does not have \*args parameter "args"',
        "a class of pybind11 that only the library makes takes any arguments, to refuse them in words",
    ),
    (r'fanin\.\S+ is inconsistent, (runtime|stub) does not have .*parameter "\w+"', "functools.cache hides the parameters"),
    (r"fanin\.\S+ is not a Union", "an alias of types, which the run time sees as a plain object"),
    (r"fanin\.\S+\.error is not present at runtime", "the name in `except ... as error`, unbound after it"),
    (r"fanin\.optimizer\.\S+ is read-only at runtime but not in the stub", "properties made in a loop over hyper-parameters"),
    (r"fanin\.dense\._DTYPES variable differs from runtime type", "NumPy's types as values"),
    (r"fanin\.interop\.sklearn\.\S+\.set_\w+_request is not present in stub", "scikit-learn makes them at run time"),
    (r"fanin\.interop\.\S+ failed to import\. ImportError: fanin\.interop\.\w+ needs", "a framework that is not installed"),
]


def main() -> int:
    command = [sys.executable, "-m", "mypy.stubtest", "fanin", "--concise", "--mypy-config-file", "pyproject.toml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("fanin.")]
    wrong = [line for line in lines if not any(re.match(pattern, line) for pattern, _ in ALLOWED)]
    if done.returncode not in (0, 1) or (done.returncode == 1 and not lines):  # it did not come to a comparison
        wrong += [done.stdout, done.stderr]
    print("\n".join(wrong) if wrong else f"stubtest: {len(lines)} differences, each with its reason")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
