"""Write what is public: every name of the public modules, with its signature and its public attributes.

`python tests/data/surface.py` prints it; tests/data/surface.txt holds what was public before the house got its rooms.
"""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

import fanin as fi

MODULES = ("activation", "datasets", "init", "loss", "random", "theory")


def signature(thing: Any) -> str:
    """Return the parameters of a callable with their kinds and defaults, annotations left out."""
    try:
        found = inspect.signature(thing)
    except (TypeError, ValueError):
        return "(...)"
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in found.parameters.values()]
    return str(found.replace(parameters=bare, return_annotation=inspect.Signature.empty))


def lines(prefix: str, thing: Any) -> list[str]:
    """Return a line for a name, and for a class one for each of its public attributes."""
    if isinstance(thing, type):
        out = [f"{prefix}{signature(thing)}"]
        fields = set(getattr(thing, "__dataclass_fields__", {}))
        for name in sorted({n for n in dir(thing) if not n.startswith("_")} | {f for f in fields if not f.startswith("_")}):
            value = inspect.getattr_static(thing, name, None)
            if isinstance(value, staticmethod | classmethod):
                value = value.__func__
            out.append(f"{prefix}.{name}{signature(value) if inspect.isfunction(value) else ''}")
        return out
    return [f"{prefix}{signature(thing) if callable(thing) else ''}"]


def surface() -> list[str]:
    """Return all lines, sorted."""
    out: list[str] = []
    for name in fi.__all__:
        thing = getattr(fi, name)
        if isinstance(thing, ModuleType):
            continue
        out += lines(f"fanin.{name}", thing)
    for module in MODULES:
        room = getattr(fi, module)
        names = getattr(room, "__all__", None) or [n for n in vars(room) if not n.startswith("_")]
        for name in names:
            thing = getattr(room, name)
            if not isinstance(thing, ModuleType) and getattr(thing, "__module__", "fanin").startswith("fanin"):
                out += lines(f"fanin.{module}.{name}", thing)
    return sorted(set(out))


if __name__ == "__main__":
    print("\n".join(surface()))
