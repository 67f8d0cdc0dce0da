"""Write python/fanin/_core.pyi from the installed extension module; with --check, compare and fail on a difference.

python scripts/stubs.py [--check]
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from fanin import _core

STUB = Path(__file__).parent.parent / "python" / "fanin" / "_core.pyi"


def generate() -> str:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-m", "pybind11_stubgen", "fanin._core", "-o", folder, "--exit-code"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        text = Path(folder, "fanin", "_core.pyi").read_text()
    # the compiler's version differs between machines
    lines = [line if not line.startswith("COMPILER:") else "COMPILER: str" for line in text.splitlines()]
    text = "\n".join(line for line in lines if not line.startswith("__all__"))  # which the module has not
    text = re.sub(
        r"^class (\w+)", lambda found: ("@typing.final\n" if _is_final(found[1]) else "") + found[0], text, flags=re.MULTILINE
    )
    # strict type checking wants to know what an unspecified tuple holds
    return re.sub(r"\btuple(?=[^\w\[])", "tuple[typing.Any, ...]", text) + "\n"


def _is_final(name: str) -> bool:
    made_for_subclasses = 1 << 10  # Py_TPFLAGS_BASETYPE
    return not getattr(_core, name).__flags__ & made_for_subclasses


def main() -> int:
    text = generate()
    if "--check" not in sys.argv[1:]:
        STUB.write_text(text)
        return 0
    if STUB.read_text() == text:
        return 0
    print(f"{STUB.name} is out of date: run python scripts/stubs.py")
    return 1


if __name__ == "__main__":
    sys.exit(main())
