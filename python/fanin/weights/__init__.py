"""Weights in files that others have written: networks made of them, and a survey of every tensor.

>>> import os, tempfile
>>> import numpy as np
>>> import fanin as fi
>>> folder = tempfile.TemporaryDirectory()
>>> path = os.path.join(folder.name, "mine.npz")
>>> np.savez(path, **{"fc1.weight": np.ones((3, 2)), "fc1.bias": np.ones(3), "fc2.weight": np.ones((2, 3))})
>>> found = fi.weights.read(path, activation="relu")
>>> found.network.sizes
(2, 3, 2)
>>> print(found.notes[0])
2-3-2 of NPZ; layers fc1, fc2; order: that of the names; layout: (n_out, n_in)
>>> folder.cleanup()
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fanin.weights.measure import survey
    from fanin.weights.networks import Weights, read, read_network
    from fanin.weights.rows import Row, Survey

__all__ = ["Row", "Survey", "Weights", "read", "read_network", "survey"]

# A survey needs no networks: each module is imported at its first use.
_MODULE = {"Row": "rows", "Survey": "rows", "Weights": "networks", "read": "networks", "read_network": "networks"}
_MODULE |= {"survey": "measure"}


def __getattr__(name: str) -> Any:
    if name not in _MODULE:
        raise AttributeError(f"module 'fanin.weights' has no attribute {name!r}")
    value = getattr(import_module(f"fanin.weights.{_MODULE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULE})
