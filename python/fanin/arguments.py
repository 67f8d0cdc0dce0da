"""What `fanin.Network` takes: widths, data and parameters, checked and converted."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from fanin import checks
from fanin.init import law

FloatArray = NDArray[np.float32] | NDArray[np.float64]


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
        return [activation] * n_hidden
    if not isinstance(activation, Sequence) or not all(isinstance(name, str) for name in activation):
        raise TypeError(f"activation must be a name, or a sequence of one for each hidden layer, got {activation!r}")
    return list(activation)


def batch(net: Any, x: ArrayLike, dtype: DTypeLike | None = None) -> NDArray[Any]:
    """Check and convert rows of finite numbers for a network, to its dtype unless another is asked for."""
    from fanin.network import Network

    if not isinstance(net, Network):
        raise TypeError(f"net must be a fanin.Network, got {net!r}")
    data = converted("x", checks.array("x", x), net.dtype if dtype is None else np.dtype(dtype))
    if data.ndim != 2 or data.shape[1] != net.sizes[0] or data.shape[0] == 0:
        raise ValueError(f"x must have shape (batch, n_in) = (1 or more, {net.sizes[0]}), got {data.shape}")
    checks.finite("x", data)
    return data


def converted(name: str, array: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Convert real numbers to `dtype`; a finite number that it cannot hold is an error."""
    if array.dtype == dtype:
        return array
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold real numbers, got dtype {array.dtype}")
    if array.dtype == np.uint64 and dtype == np.int64 and (array >= 2**63).any():
        raise ValueError(f"{name} must hold numbers that fit {dtype}, got {array.max()}")
    with np.errstate(over="ignore"):
        result = array.astype(dtype)
    if array.dtype.kind == "f" and not np.array_equal(np.isinf(array), np.isinf(result)):
        raise ValueError(f"{name} must hold numbers that fit {dtype}, got {array[np.isinf(result) & ~np.isinf(array)][0]}")
    return result


def class_labels(y: NDArray[Any], n_classes: int) -> NDArray[Any]:
    """Return the labels of cross_entropy as they are, or those of one-hot rows."""
    if y.ndim == 2 and y.shape[1] == n_classes > 1 and y.dtype.kind in "biuf":
        ones = y == 1
        wrong = (ones.sum(axis=1) != 1) | (ones != (y != 0)).any(axis=1)
        if wrong.any():
            row = int(np.argmax(wrong))
            raise ValueError(f"y must be one-hot, a single 1 among zeros in each row, got another row at row {row}")
        found: NDArray[Any] = ones.argmax(axis=1)
        return found
    if y.ndim != 1:
        raise ValueError(f"y must have shape (batch,), or (batch, {n_classes}) with one-hot rows, got {y.shape}")
    if y.dtype.kind not in "iub":
        raise TypeError(f"y must hold integer labels for cross_entropy, got dtype {y.dtype}")
    return y


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


def draw_parameters(
    name: str, init: Any, kind: str, arrays: Sequence[FloatArray], seed: int, owners: Sequence[int] | None = None
) -> str:
    """Fill the parameters; nothing is written unless all of them can be. Returns the laws as text.

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
    texts = []
    drawn = []
    for layer in owned:
        spec, array = specs[layer], arrays[layer]
        if isinstance(spec, np.ndarray):
            given = converted(f"{name}[{layer}]", spec, array.dtype)
            if given.shape != array.shape:
                words = "(n_out, n_in)" if kind == "weight" else "(n_out,)"
                raise ValueError(f"{name}[{layer}] must have shape {words} = {array.shape}, got {given.shape}")
            if np.isnan(given).any():
                raise ValueError(f"{name}[{layer}] must not hold NaN")
            texts.append("explicit")
            drawn.append(given)
        else:
            rule = law(spec)
            texts.append(str(rule))
            drawn.append(rule(array.shape, seed=seed, stream=f"{layer}.{kind}", dtype=array.dtype))
    for layer, values in zip(owned, drawn, strict=True):
        arrays[layer][...] = values
    return texts[0] if len(set(texts)) == 1 else ", ".join(texts)
