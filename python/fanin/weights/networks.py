"""Networks from the weights that others have written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fanin.common import require
from fanin.network.network import Network
from fanin.network.targets import converted
from fanin.weights.formats import sklearn
from fanin.weights.formats.opening import opened
from fanin.weights.formats.tensors import Layout, TensorFile
from fanin.weights.layers import Layer, find


class Weights(NamedTuple):
    """What `read` found; prints as its notes."""

    network: Network
    notes: tuple[str, ...]  # which order and layout were taken, and what was passed over

    def __repr__(self) -> str:
        return "\n".join([repr(self.network), *self.notes])


def read_network(
    path: str | os.PathLike[str],
    *,
    activation: str | None = None,
    loss: str = "cross_entropy",
    dtype: DTypeLike | None = None,
    layers: Sequence[str] | None = None,
    layout: Layout | None = None,
) -> Network:
    """Return a network with the weights of a file; its sizes are those of the weights.

    Parameters
    ----------
    path : path, or fitted MLPClassifier or MLPRegressor
        A file of any of these formats, whatever it is called, or an estimator of scikit-learn (its files are pickles, which
        execute what they hold and are not opened):

        - safetensors: what `Network.save` wrote, or tensors as ``"0.weight"``, ``"fc1.weight"``; many files by their index
        - ``.npz``: ``numpy.savez(path, **{"0.weight": w0, "0.bias": b0, ...})`` or ``numpy.savez(path, w0, w1)``
        - PyTorch's ``.pt`` and ``.pth``, through PyTorch's own loader of weights
        - Keras' ``.keras`` and ``.h5``, through h5py; ONNX models, through onnx

        Numbers of 16 bits are widened exactly; tensors of types other than F64, F32, F16 and BF16 are passed over (NPZ takes
        integers too). Layers have biases or none; where only some have, the others' are 0.
    activation : str, optional
        Of the hidden layers: that of the file, if it says one, otherwise tanh.
    loss : str
        Of a network that the file does not describe. "cross_entropy" of a single output is "binary_cross_entropy".
    dtype : dtype, optional
        float32 or float64; by default float64 if any of the file's weights is, otherwise float32.
    layers : sequence of str, optional
        The layers in their order, by the names of their matrices with or without ``.weight``; other tensors are left out.
    layout : {"out_in", "in_out"}, optional
        Of all matrices; by default what the format says, otherwise (n_out, n_in).

    Raises
    ------
    OSError
        If the file cannot be read.
    ModuleNotFoundError
        If the format needs a library that is not installed.
    ValueError
        If it is damaged or holds no weights, they do not follow one another, or do so in several orders; the message names
        them, and says what to give.

    See Also
    --------
    read : the same, with notes on the order and the layout that were taken.
    """
    return read(path, activation=activation, loss=loss, dtype=dtype, layers=layers, layout=layout).network


def read(
    path: Any,
    *,
    activation: str | None = None,
    loss: str = "cross_entropy",
    dtype: DTypeLike | None = None,
    layers: Sequence[str] | None = None,
    layout: Layout | None = None,
) -> Weights:
    """Return what `read_network` does, of the same parameters, with notes: a `Weights`."""
    wanted = None if dtype is None else require.float_dtype(dtype)
    file = sklearn.read(path) if sklearn.is_estimator(path) else opened(path)
    if "network.sizes" in file.metadata and layers is None and layout is None and file.format == "safetensors":
        return Weights(_saved(file, activation, wanted), ())
    found = find(file, layers, layout)
    net, notes = _made(file, found.layers, activation, loss, wanted)
    return Weights(net, (*found.notes, *notes))


def _saved(file: TensorFile, activation: str | None, dtype: np.dtype[Any] | None) -> Network:
    """A network that `Network.save` wrote; it keeps its loss and classes whatever else is asked for."""
    net = Network.load(file.path)
    if (activation is None or set(net.activations[:-1]) <= {activation}) and (dtype is None or dtype == net.dtype):
        return net
    hidden = net.activations[:-1] if activation is None else activation
    shared = [list(group) for group in net.shared] or None
    bias = bool(net.biases)
    other = Network(
        net.sizes, hidden, "zeros", net.loss_name, seed=net.seed, dtype=dtype or net.dtype, bias=bias, shared=shared
    )
    for into, values in zip((*other.weights, *other.biases), (*net.weights, *net.biases), strict=True):
        into[...] = converted(f"{file.path}: a weight", values, other.dtype)
    other.init, other.classes = net.init, net.classes
    return other


def _made(
    file: TensorFile, layers: list[Layer], activation: str | None, loss: str, dtype: np.dtype[Any] | None
) -> tuple[Network, list[str]]:
    sizes = [layers[0].n_in, *(layer.n_out for layer in layers)]
    notes = []
    loss = file.loss or loss
    if loss == "cross_entropy" and sizes[-1] == 1:
        loss = "binary_cross_entropy"
    hidden: Any = activation
    if activation is None and file.activations is not None and len(file.activations) == len(sizes) - 2:
        hidden = file.activations
    assumed = hidden is None
    if hidden is None:
        hidden = "tanh"
        notes += ["activation: tanh, the file says none (--activation NAME)"] if len(sizes) > 2 else []
    kind = dtype or np.dtype(np.float64 if any(layer.weight.dtype == "F64" for layer in layers) else np.float32)
    groups: dict[str, list[int]] = {}
    for i, layer in enumerate(layers):
        groups.setdefault(layer.owner, []).append(i)
    tied = [group for group in groups.values() if len(group) > 1]
    bias = any(layer.bias is not None for layer in layers)
    net = Network(sizes, hidden, "zeros", loss, seed=0, dtype=kind, bias=bias, shared=tied or None)
    for i, layer in enumerate(layers):
        w = _array(file, layer.weight.array(), layer.weight.name, kind)
        net.weights[i][...] = w if layer.layout == "out_in" else w.T
        if layer.bias is not None:
            net.biases[i][...] = _array(file, layer.bias.array(), layer.bias.name, kind)
    net.activation_stated = len(sizes) == 2 or not assumed
    net.init = os.path.basename(os.path.normpath(file.path))
    if file.classes is not None:
        net.classes = file.classes
    if tied:
        notes.append(f"layers with one matrix: {', '.join(' and '.join(map(str, group)) for group in tied)}")
    return net, notes


def _array(file: TensorFile, values: NDArray[Any], name: str, dtype: np.dtype[Any]) -> NDArray[Any]:
    return converted(f"{file.path}: {name}", values, dtype)
