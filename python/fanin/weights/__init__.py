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

from fanin.weights.read import Weights, read, read_network
from fanin.weights.rows import Row, Survey
from fanin.weights.survey import survey

__all__ = ["Row", "Survey", "Weights", "read", "read_network", "survey"]
