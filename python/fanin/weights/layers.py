"""Which tensors of a file are the layers of a dense network, in which order and layout: deduced, or asked for in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from fanin.common import text
from fanin.weights import naming
from fanin.weights.formats.tensors import FileError, Layout, Tensor, TensorFile

_LAYOUTS: dict[Layout, str] = {"out_in": "(n_out, n_in)", "in_out": "(n_in, n_out)"}
# Layers that stand beside dense ones and are none.
_OTHER = ("convolution", "norm", "attention", "attention bias", "embedding", "recurrent", "array")
_MOST_STEPS = 10_000  # of the search for orders: beyond it, the user is asked


class Layer(NamedTuple):
    """A dense layer of a file."""

    weight: Tensor
    bias: Tensor | None
    layout: Layout
    owner: str  # the name of the tensor that holds the matrix: another layer's where they are tied

    @property
    def n_in(self) -> int:
        """The number of inputs."""
        return self.weight.shape[1 if self.layout == "out_in" else 0]

    @property
    def n_out(self) -> int:
        """The number of outputs."""
        return self.weight.shape[0 if self.layout == "out_in" else 1]


class Found(NamedTuple):
    """The layers of a network, and a line on how they were found."""

    layers: list[Layer]
    notes: list[str]


def find(file: TensorFile, names: Sequence[str] | None = None, layout: Layout | None = None) -> Found:
    """Return the layers of the dense network in a file.

    Parameters
    ----------
    file : TensorFile
    names : sequence of str, optional
        The layers in their order: names of their matrices, with or without ``.weight``. Left out, the format says them, or the
        numbers in their names do, or the only order in which their shapes fit; otherwise it is an error that asks for them.
    layout : {"out_in", "in_out"}, optional
        Of all matrices: that of the format where it says one, by default (n_out, n_in).

    Raises
    ------
    ValueError
        If there are none, or other layers stand between them, or they do not follow one another, or do in several orders.
    """
    if layout is not None and layout not in _LAYOUTS:
        raise ValueError(f"layout must be out_in or in_out, got {layout!r}")
    tensors = _with_aliases(file)
    if file.stages is not None and names is None and file.no_network is None:
        return _staged(file, tensors, layout)
    if names is None and file.no_network is not None:
        raise FileError(f"{file.path} is no network of dense layers alone: {file.no_network}.{_ways_out(file)}")
    made, notes = _paired(file, tensors, layout, alone=names is None)
    if names is not None:
        chosen = [_named(file, made, name) for name in names]
        if not chosen:
            raise ValueError("layers must name at least one layer, got none")
        _check(file, chosen)
        order = "as named"
        left = [naming.short(layer.weight.name) for layer in made if layer not in chosen]
        notes += [f"left out: {', '.join(left)}"] if left else []
    else:
        chosen, order = _ordered(file, made)
    return Found(chosen, [_line(file, chosen, order), *_layout_note(file, chosen, layout), *notes])


def _with_aliases(file: TensorFile) -> dict[str, Tensor]:
    """All tensors by name, tied ones under each of their names."""
    tensors = {tensor.name: tensor for tensor in file.tensors}
    return tensors | {name: replace(tensors[kept], name=name) for name, kept in file.aliases.items() if kept in tensors}


def _ways_out(file: TensorFile) -> str:
    return f" Its tensors one by one: fanin weights {file.path}; its dense layers alone: --layers a,b,c"


def _staged(file: TensorFile, tensors: dict[str, Tensor], layout: Layout | None) -> Found:
    chosen = []
    for stage in file.stages or []:
        for name in (stage.weight, stage.bias):
            if name is not None and (name not in tensors or tensors[name].pieces is None):
                raise FileError(f"{file.path}: tensor {name!r} is missing, or of a type that is not read")
        bias = None if stage.bias is None else tensors[stage.bias]
        weight = tensors[stage.weight]
        if len(weight.shape) != 2 or 0 in weight.shape:
            raise FileError(f"{file.path}: {weight.name} must have shape {_LAYOUTS[stage.layout]}, got {weight.shape}")
        chosen.append(Layer(weight, bias, layout or stage.layout, stage.weight))
    _check(file, chosen)
    return Found(chosen, [_line(file, chosen, "that of the model")])


def _paired(
    file: TensorFile, tensors: dict[str, Tensor], layout: Layout | None, *, alone: bool
) -> tuple[list[Layer], list[str]]:
    """The matrices with their biases, in stored order; `alone`: nothing else may stand in the file."""
    kinds = dict(zip(tensors, naming.kinds(list(tensors.values())), strict=True))
    notes = list(file.notes)
    unread = [name for name, tensor in tensors.items() if tensor.pieces is None]
    read = {name: tensor for name, tensor in tensors.items() if tensor.pieces is not None}
    matrices = {name: tensor for name, tensor in read.items() if len(tensor.shape) == 2}
    if not matrices:
        wrong = next((f": {name} must hold real numbers, got {tensors[name].dtype}" for name in unread), "")
        got = ", ".join(f"{name} {tensor.shape}" for name, tensor in list(tensors.items())[:20]) or "nothing"
        raise FileError(
            f"{file.path}: must hold a matrix (n_out, n_in) for each layer, and a vector for each or none, got {got}{wrong}"
        )
    other = [f"{name} ({kinds[name]} {tensors[name].shape})" for name in read if kinds[name] in _OTHER]
    if other and alone:
        more = f" and {len(other) - 5} more" if len(other) > 5 else ""
        raise FileError(
            f"{file.path} is no network of dense layers alone, it has {', '.join(other[:5])}{more}: must hold a matrix "
            f"(n_out, n_in) for each layer, and a vector for each or none.{_ways_out(file)}"
        )
    notes += (
        [f"passed over, of types that are not read: {', '.join(f'{n} ({tensors[n].dtype})' for n in unread)}"] if unread else []
    )
    vectors = [name for name, tensor in read.items() if len(tensor.shape) == 1 and kinds[name] not in _OTHER]
    bias_of = _biases(file, list(matrices), vectors, alone=alone)
    made = []
    for name, weight in matrices.items():
        usual: Layout = weight.layout or ("in_out" if naming.bare(name).endswith("kernel") else "out_in")
        made.append(Layer(weight, read.get(bias_of.get(name, "")), layout or usual, file.aliases.get(name, name)))
    for layer in made:
        if 0 in layer.weight.shape:
            raise FileError(
                f"{file.path}: {layer.weight.name} must have shape {_LAYOUTS[layer.layout]}, got {layer.weight.shape}"
            )
    bare = [naming.short(layer.weight.name) for layer in made if layer.bias is None]
    if bare and len(bare) < len(made):
        notes.append(f"without a bias, which is 0 then: {', '.join(bare)}")
    return made, notes


def _biases(file: TensorFile, matrices: list[str], vectors: list[str], *, alone: bool) -> dict[str, str]:
    """The vector of each matrix: by their names, or where these say nothing, one each in the order of the names."""
    by_stem: dict[str, list[str]] = {}
    for name in matrices:
        by_stem.setdefault(naming.role(name)[1], []).append(name)
    found: dict[str, str] = {}
    left = []
    for name in vectors:
        word, stem = naming.role(name)
        fits = by_stem.get(stem, [])
        if word == "bias" and len(fits) == 1 and fits[0] not in found:
            found[fits[0]] = name
        else:
            left.append(name)
    if left and not found and len(left) == len(matrices):
        pairs = dict(zip(sorted(matrices, key=naming.natural), sorted(left, key=naming.natural), strict=True))
        if all(naming.may_belong(name, vector) for name, vector in pairs.items()):
            return pairs
    if left and alone:
        raise FileError(
            f"{file.path}: {', '.join(left)} without a weight: must hold a matrix (n_out, n_in) for each layer, and a vector "
            f"for each or none, got {', '.join([*matrices, *vectors])}"
        )
    return found


def _named(file: TensorFile, made: list[Layer], name: str) -> Layer:
    exact = [layer for layer in made if name == layer.weight.name]
    fits = exact or [layer for layer in made if name in (naming.bare(layer.weight.name), naming.short(layer.weight.name))]
    if len(fits) != 1:
        names = ", ".join(naming.short(layer.weight.name) for layer in made)
        raise FileError(f"{file.path}: --layers must be of {names}, got {name!r}")
    return fits[0]


def _ordered(file: TensorFile, made: list[Layer]) -> tuple[list[Layer], str]:
    """The layers in the order that names, the file or shapes say, and words for it."""
    natural = sorted(made, key=lambda layer: naming.natural(layer.weight.name))
    for one, other in pairwise(natural):
        if naming.natural(one.weight.name) == naming.natural(other.weight.name):
            raise FileError(
                f"{file.path}: {one.weight.name} and {other.weight.name} have the same number: name the order, --layers "
                f"{','.join(layer.weight.name for layer in natural)}"
            )
    if len({naming.series(layer.weight.name) for layer in made}) == 1:
        if file.ordered and not _follows(natural) and _follows(made):
            return made, "as stored, the numbers in the names do not fit"
        _check(file, natural)
        return natural, "that of the names"
    if file.ordered and _follows(made):
        several = len(_orders(made)) > 1
        asked = ",".join(naming.short(layer.weight.name) for layer in reversed(made))
        return made, f"as stored; their shapes fit in another order too (--layers {asked})" if several else "as stored"
    orders = _orders(made)
    if not orders:
        _check(file, made if file.ordered else natural)
    if len(orders) != 1:
        names = ",".join(naming.short(layer.weight.name) for layer in natural)
        raise FileError(
            f"{file.path}: its layers fit one another in more than one order, and neither names nor file say which: "
            f"name it, as in --layers {names}"
        )
    return orders[0], "the only one in which their shapes fit"


def _follows(layers: Sequence[Layer]) -> bool:
    fits = all(one.n_out == other.n_in for one, other in pairwise(layers))
    return fits and all(layer.bias is None or layer.bias.shape == (layer.n_out,) for layer in layers)


def _orders(made: list[Layer]) -> list[list[Layer]]:
    """Up to two orders in which outputs meet inputs and numbered names ascend; two also where the search is too long."""
    rows: dict[str, list[Layer]] = {}
    for layer in sorted(made, key=lambda layer: naming.natural(layer.weight.name)):
        rows.setdefault(naming.series(layer.weight.name), []).append(layer)
    chains = list(rows.values())
    found: list[list[Layer]] = []
    steps = 0

    stack: list[tuple[tuple[int, ...], list[Layer]]] = [((0,) * len(chains), [])]
    while stack and len(found) < 2:
        at, path = stack.pop()
        steps += 1
        if steps > _MOST_STEPS:
            return [made, made]
        if len(path) == len(made):
            found.append(path)
            continue
        for i, chain in enumerate(chains):
            if at[i] < len(chain) and (not path or path[-1].n_out == chain[at[i]].n_in):
                stack.append(((*at[:i], at[i] + 1, *at[i + 1 :]), [*path, chain[at[i]]]))
    return found


def _check(file: TensorFile, layers: Sequence[Layer]) -> None:
    turned = [layer._replace(layout="in_out" if layer.layout == "out_in" else "out_in") for layer in layers]
    hint = f"; they fit as {_LAYOUTS[turned[0].layout]}: --layout {turned[0].layout}" if layers and _follows(turned) else ""
    for one, other in pairwise(layers):
        if one.n_out != other.n_in:
            raise FileError(
                f"{file.path}: {other.weight.name} must take the {one.n_out} outputs of {one.weight.name}, got shape "
                f"{other.weight.shape}; a matrix has shape {_LAYOUTS[other.layout]}{hint}"
            )
    for layer in layers:
        if layer.bias is not None and layer.bias.shape != (layer.n_out,):
            raise FileError(f"{file.path}: {layer.bias.name} must have shape ({layer.n_out},), got {layer.bias.shape}{hint}")


def _line(file: TensorFile, layers: Sequence[Layer], order: str) -> str:
    names = [naming.short(layer.weight.name) for layer in layers]
    shown = ", ".join(names if len(names) <= 12 else [*names[:6], "...", *names[-5:]])
    layouts = " and ".join(dict.fromkeys(_LAYOUTS[layer.layout] for layer in layers))
    sizes = text.sizes([layers[0].n_in, *(layer.n_out for layer in layers)])
    return f"{sizes} of {file.format}; layers {shown}; order: {order}; layout: {layouts}"


def _layout_note(file: TensorFile, layers: Sequence[Layer], layout: Layout | None) -> list[str]:
    """Words where nothing but a convention says that matrices are not to be transposed."""
    if layout is not None or file.format not in ("safetensors", "NPZ") or any(layer.weight.layout for layer in layers):
        return []
    turned: list[Layout] = ["in_out" if layer.layout == "out_in" else "out_in" for layer in layers]
    if not _follows([layer._replace(layout=way) for layer, way in zip(layers, turned, strict=True)]):
        return []
    words = (
        f"the shapes do not tell the layout: they fit as {_LAYOUTS[turned[0]]} too. Taken as {_LAYOUTS[layers[0].layout]}; "
        f"otherwise --layout {turned[0]}"
    )
    return [words]
