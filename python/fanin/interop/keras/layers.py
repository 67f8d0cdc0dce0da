"""Which of Keras' layers a trace has a line for, and what they are."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from fanin.interop.tracing.measure import PROBES, activation_named
from fanin.interop.tracing.site import Site

_SAME = ("Flatten", "Reshape", "Permute", "Dropout", "SpatialDropout1D", "SpatialDropout2D", "Identity")
_ACTIVATIONS = ("Activation", "ReLU", "LeakyReLU", "ELU")
_NORMS = ("BatchNormalization", "LayerNormalization", "GroupNormalization", "RMSNormalization", "UnitNormalization")


@dataclass(eq=False)
class KerasSite(Site):
    """One place, and the numbers of the taps through which its z and a went."""

    z_tap: int = 0
    a_tap: int = 0
    weight_axis: int | None = None  # of the weight, the axis that counts units


def parts(model: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Give the layers that hold no others, and those operations of a functional model that are sums, with their names."""
    inner = [one for one in getattr(model, "_layers", []) if isinstance(one, keras.layers.Layer)]
    for layer in inner:
        name = f"{prefix}{layer.name}"
        held = any(isinstance(one, keras.layers.Layer) for one in getattr(layer, "_layers", []))
        if held and not isinstance(layer, keras.layers.RNN):
            yield from parts(layer, f"{name}.")
        elif not isinstance(layer, keras.layers.InputLayer):
            yield name, layer
    for operation in getattr(model, "operations", []):
        if not isinstance(operation, keras.layers.Layer) and type(operation).__name__ == "Add":
            yield f"{prefix}{operation.name}", operation


def role_of(layer: Any) -> str:
    """Return "weights", "norm", "activation", "same", "sum" or "other"."""
    kind = type(layer).__name__
    if kind in _NORMS:
        return "norm"
    for role, names in (("activation", _ACTIVATIONS), ("same", _SAME), ("sum", ("Add",))):
        if kind in names:
            return role
    weight = _weight(layer)
    return "weights" if weight is not None and len(weight.shape) > 1 else "other"


def has_activation(layer: Any) -> bool:
    """Whether a layer with weights calls an activation on what it has computed."""
    own = not isinstance(layer, keras.layers.RNN) and callable(getattr(layer, "activation", None))
    return own and role_of(layer) == "weights"


def _weight(layer: Any) -> Any:
    """Return a layer's weight, of a recurrent one what its state meets; None where it has none."""
    if isinstance(layer, keras.layers.RNN):
        return getattr(layer.cell, "recurrent_kernel", None)
    found = getattr(layer, "embeddings", None)
    return getattr(layer, "kernel", None) if found is None else found


def site_of(name: str, layer: Any) -> KerasSite:
    """Return the place of a layer with weights, or of a norm."""
    kind, axis = type(layer).__name__, 1 if getattr(layer, "data_format", None) == "channels_first" else -1
    if role_of(layer) == "norm":
        gamma, beta = (getattr(layer, one, None) for one in ("gamma", "beta"))
        gamma = getattr(layer, "scale", None) if gamma is None and hasattr(getattr(layer, "scale", None), "shape") else gamma
        size, along = 0 if gamma is None else math.prod(gamma.shape), getattr(layer, "axis", -1)
        along = along if isinstance(along, int) else along[-1] if len(along) == 1 else -1
        return KerasSite(name, kind, size, size, along, gamma, beta, normalizes=True)
    weight = _weight(layer)
    shape = tuple(weight.shape)
    if kind == "Embedding":
        return KerasSite(name, kind, shape[0], shape[1], -1, weight)
    if isinstance(layer, keras.layers.RNN):
        units = shape[0]
        width = int(layer.cell.kernel.shape[0]) if hasattr(layer.cell, "kernel") else units
        return KerasSite(name, kind, width, units, -1, weight, getattr(layer.cell, "bias", None), units, True)
    bias = getattr(layer, "bias", None)
    if kind == "EinsumDense":
        letters = layer.equation.split("->")[0].split(",")[1], layer.equation.split("->")[1]
        fan = math.prod(size for letter, size in zip(letters[0], shape, strict=True) if letter not in letters[1])
        return KerasSite(name, kind, fan, math.prod(shape) // fan, -1, weight, bias, fan, True)
    if kind.endswith("Transpose"):
        fan = math.prod(shape) // shape[-2]
        return KerasSite(name, kind, shape[-1], shape[-2], axis, weight, bias, fan, True, weight_axis=-2)
    if kind.startswith("DepthwiseConv"):
        return KerasSite(name, kind, shape[-2], shape[-2] * shape[-1], axis, weight, bias, math.prod(shape[:-2]), True)
    fan, groups = math.prod(shape[:-1]), getattr(layer, "groups", 1)
    return KerasSite(name, kind, shape[-2] * groups, shape[-1], axis, weight, bias, fan, True, weight_axis=-1)


def activation_of(function: Any) -> str | None:
    """Return which of fanin's activations a function or an activation layer is, by what it makes of a few numbers."""
    given = np.asarray([PROBES], dtype=np.float32)  # a row: layers take batches
    try:
        found = keras.ops.convert_to_numpy(function(keras.ops.convert_to_tensor(given)))
    except (TypeError, ValueError):
        return None
    return activation_named(given, np.asarray(found))
