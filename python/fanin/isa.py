"""Instruction sets: which kernels run. The choice never changes a result, only the time."""

from __future__ import annotations

import platform

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


def show_config() -> str:
    """Return the build and the machine in a few lines, for bug reports.

    Examples
    --------
    >>> import fanin as fi
    >>> print(fi.show_config())  # doctest: +ELLIPSIS
    fanin ...
    """
    rows = {
        "fanin": f"{_core.__version__} (algorithms version {_core.ALGORITHM_VERSION})",
        "compiler": _core.COMPILER,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "instruction sets": ", ".join(available_isas()),
        "in use": active_isa(),
        "threads": str(_core.num_threads()),
    }
    return "\n".join(f"{name:<17}{value}" for name, value in rows.items())
