"""Instruction sets: which kernels run. The choice never changes a result, only the time."""

from __future__ import annotations

import platform
from typing import Any

from fanin import _core
from fanin.common import require


def available_isas() -> list[str]:
    """Names of the instruction sets that this build and this CPU support, slowest first."""
    return _core.available_isas()


def active_isa() -> str:
    """Name of the instruction set in use: what ``FANIN_ISA`` names, otherwise the fastest available one.

    Raises
    ------
    ValueError
        If the environment variable ``FANIN_ISA`` holds an unknown or unsupported name.
    """
    return _core.active_isa()


def set_isa(name: str) -> None:
    """Use the instruction set `name` from now on, in the whole process (for tests and comparisons).

    Raises
    ------
    ValueError
        If `name` is unknown or unsupported here; nothing changes then.
    """
    _core.set_isa(require.text("name", name))


def config() -> dict[str, Any]:
    """Return the build and the machine as plain data: what `show_config` says."""
    return {
        "version": _core.__version__,
        "algorithm_version": _core.ALGORITHM_VERSION,
        "compiler": _core.COMPILER,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "available_isas": available_isas(),
        "active_isa": active_isa(),
        "num_threads": _core.num_threads(),
    }


def show_config() -> str:
    """Return the build and the machine in a few lines, for bug reports.

    Examples
    --------
    >>> import fanin as fi
    >>> print(fi.show_config())  # doctest: +ELLIPSIS
    fanin ...
    """
    found = config()
    rows = {
        "fanin": f"{found['version']} (algorithms version {found['algorithm_version']})",
        "compiler": found["compiler"],
        "python": found["python"],
        "machine": found["machine"],
        "instruction sets": ", ".join(found["available_isas"]),
        "in use": found["active_isa"],
        "threads": found["num_threads"],
    }
    return "\n".join(f"{name:<17}{value}" for name, value in rows.items())
