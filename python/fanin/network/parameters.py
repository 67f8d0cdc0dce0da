"""The widths, activations and parameters that a network takes, checked; the parameters drawn."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, SupportsIndex

import numpy as np

from fanin.activation import gain
from fanin.common import foreign
from fanin.init import Law, law
from fanin.network.targets import FloatArray, converted


def widths(sizes: Iterable[SupportsIndex], name: str = "sizes") -> tuple[int, ...]:
    """Check the widths of a network's layers."""
    try:
        found = tuple(operator.index(n) for n in sizes)
    except TypeError:
        raise TypeError(f"{name} must be a sequence of integers, got {sizes!r}") from None
    if any(n < 1 for n in found):
        raise ValueError(f"{name} must hold widths of at least 1, got {list(found)}")
    if any(n >= 2**48 for n in found):
        raise ValueError(f"{name} must hold widths below 2^48, got {list(found)}")
    return found


def activations(activation: str | Sequence[str], n_hidden: int) -> list[str]:
    """For each hidden layer the name of its activation."""
    if isinstance(activation, str):
        gain(activation)  # refuses an unknown name where no hidden layer would
        return [activation] * n_hidden
    if not isinstance(activation, Sequence) or not all(isinstance(name, str) for name in activation):
        raise TypeError(f"activation must be a name, or a sequence of one for each hidden layer, got {activation!r}")
    return list(activation)


def matrix_owners(shared: Any, n_layers: int) -> list[int]:
    """For each layer the one whose weight matrix it uses: itself, or the first of its group."""
    owners = list(range(n_layers))
    if shared is None:
        return owners
    try:
        groups = [list(group) for group in shared] if all(isinstance(g, Iterable) for g in shared) else [list(shared)]
        numbers = [[operator.index(layer) for layer in group] for group in groups]
    except TypeError:
        raise TypeError(f"shared must hold numbers of layers, or groups of them, got {shared!r}") from None
    flat = [layer for group in numbers for layer in group]
    if len(set(flat)) != len(flat) or any(not 0 <= layer < n_layers for layer in flat):
        raise ValueError(f"shared must name layers in 0 .. {n_layers - 1}, each once, got {shared!r}")
    for group in numbers:
        for layer in group:
            owners[layer] = min(group)
    return owners


def _entries(name: str, init: Any, kind: str, n_layers: int) -> list[Any]:
    """For each layer what was asked for; None where a mapping says nothing."""
    if isinstance(init, Mapping):
        entries: list[Any] = [None] * n_layers
        places: dict[Any, int] = {}
        for layer in range(n_layers):
            places[layer] = places[f"{layer}.{kind}"] = layer
        for key, spec in init.items():
            if key not in places or entries[places[key]] is not None:
                raise ValueError(
                    f"{name} must have keys 0 .. {n_layers - 1} or '0.{kind}' .. '{n_layers - 1}.{kind}', each layer once, "
                    f"got {key!r}"
                )
            entries[places[key]] = spec
        return entries
    entries = list(init) if isinstance(init, (list, tuple)) else [init] * n_layers
    if len(entries) != n_layers:
        raise ValueError(f"{name} must have one entry for each of the {n_layers} layers, got {len(entries)}")
    return entries


class Parameters(NamedTuple):
    """Where the weights, or the biases, of all layers come from."""

    laws: Sequence[Law | None] = ()  # for each layer a law; None where an array is given, or an earlier layer's matrix used
    given: Mapping[int, FloatArray] = {}  # the arrays
    text: str = ""  # all of it in words


def parameters(
    name: str, init: Any, kind: str, arrays: Sequence[FloatArray], owners: Sequence[int] | None = None
) -> Parameters:
    """Read an `init` argument; the arrays in it are checked, laws are not drawn.

    Layers that do not own their array (see `matrix_owners`) need no entry, or that of its owner.
    """
    specs = _entries(name, init, kind, len(arrays))
    owned = [layer for layer in range(len(arrays)) if owners is None or owners[layer] == layer]
    for layer, spec in enumerate(specs):
        first = layer if owners is None else owners[layer]
        if spec is None and first == layer:
            raise ValueError(f"{name} must have an entry for layer {layer}, got none")
        if spec is not None and spec is not specs[first] and str(spec) != str(specs[first]):
            raise ValueError(f"{name}[{layer}] must be None or that of layer {first}, whose matrix it shares")
    texts: list[str] = []
    laws: list[Law | None] = [None] * len(arrays)
    explicit = {}
    for layer in owned:
        spec, array = foreign.view(f"{name}[{layer}]", specs[layer]), arrays[layer]
        if isinstance(spec, np.ndarray):
            given = converted(f"{name}[{layer}]", spec, array.dtype)
            if given.shape != array.shape:
                words = "(n_out, n_in)" if kind == "weight" else "(n_out,)"
                raise ValueError(f"{name}[{layer}] must have shape {words} = {array.shape}, got {given.shape}")
            if np.isnan(given).any():
                raise ValueError(f"{name}[{layer}] must not hold NaN")
            texts.append("explicit")
            explicit[layer] = given
        else:
            rule = law(spec)
            texts.append(str(rule))
            laws[layer] = rule
    return Parameters(laws, explicit, texts[0] if len(set(texts)) == 1 else ", ".join(texts))
