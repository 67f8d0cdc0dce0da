"""fanin in Keras: initializers with Keras' names, arguments and laws that serialize, on every backend; traces of models.

The classes are those of `keras.initializers` but for the draw: an integer seed gives the same values in each call and on every
backend, a `keras.random.SeedGenerator` others in each.
"""

from __future__ import annotations

try:
    import keras  # noqa: F401
except ImportError as error:
    raise ImportError("fanin.interop.keras needs Keras and one of its backends: pip install 'fanin[keras]'") from error

from fanin.interop.keras.initializers import (
    FromLaw,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
)
from fanin.interop.keras.tracing import trace

__all__ = [
    "FromLaw",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "LecunNormal",
    "LecunUniform",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "trace",
]
