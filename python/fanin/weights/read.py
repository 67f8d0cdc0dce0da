"""Networks from files of weights that others have written: safetensors and NPZ."""

from __future__ import annotations

import os
import re
import zipfile
import zlib
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fanin.network import checkpoint
from fanin.network.network import Network


def read_network(
    path: str | os.PathLike[str],
    *,
    activation: str | None = None,
    loss: str = "cross_entropy",
    dtype: DTypeLike | None = None,
) -> Network:
    """Return a network with the weights of a file; its sizes are those of the weights.

    Parameters
    ----------
    path : path
        ``.safetensors``: what `Network.save` wrote, or tensors ``"n.weight"`` (n_out, n_in) and ``"n.bias"`` (n_out,) for
        ascending n, as PyTorch's ``Sequential`` names them, the biases of all layers or of none. ``.npz``: in the order of
        their names, numbers by value, its matrices are the weights (n_out, n_in) and its vectors the biases, one for each
        matrix or none at all:
        ``numpy.savez(path, **{"0.weight": w0, "0.bias": b0, "1.weight": w1, ...})`` or ``numpy.savez(path, w0, w1)``.
    activation : str, optional
        Of the hidden layers: that of the file, if `Network.save` wrote it, otherwise tanh.
    loss : str
        Of a network that the file does not describe. "cross_entropy" of a single output is "binary_cross_entropy".
    dtype : dtype, optional
        float32 or float64; by default float64 if the file's weights are, otherwise float32.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is damaged or holds no weights, or they do not follow one another; the message names them.
    """
    name = os.fspath(path)
    if name.endswith(".safetensors"):
        return _from_safetensors(name, activation, loss, dtype)
    if not name.endswith(".npz"):
        raise ValueError(f"weights must be a file .safetensors or .npz, got {name}")
    weights, biases = _arrays(name)
    kind = np.dtype(dtype) if dtype is not None else np.result_type(*weights.values())
    net = _empty(
        name, [(key, w.shape) for key, w in weights.items()], activation, loss, np.float64 if kind == "f8" else np.float32
    )
    for into, w in zip(net.weights, weights.values(), strict=True):
        into[...] = w
    for into, (key, b) in zip(net.biases, biases.items(), strict=False):
        if b.shape != into.shape:
            raise ValueError(f"{name}: {key} must have shape {into.shape}, got {b.shape}")
        into[...] = b
    return net


def _from_safetensors(name: str, activation: str | None, loss: str, dtype: DTypeLike | None) -> Network:
    file = checkpoint.opened(name)
    if "network.sizes" in file.metadata and activation is None and dtype is None:
        return Network.load(name)
    found = sorted((int(key[:-7]), key) for key in file.shapes if re.fullmatch(r"[0-9]{1,18}\.weight", key))
    if not found:
        got = ", ".join(file.shapes) or "none"
        raise ValueError(f"{name}: tensors must be named 0.weight, 0.bias, ... as PyTorch's Sequential does, got {got}")
    stored = {file.dtypes[key] for _, key in found}
    kind = np.dtype(dtype) if dtype is not None else np.dtype(np.float64 if stored == {"F64"} else np.float32)
    bias = any(f"{number}.bias" in file.shapes for number, _ in found)
    net = _empty(name, [(key, tuple(file.shapes[key])) for _, key in found], activation, loss, kind, bias=bias)
    net.load_weights(name)
    return net


def _empty(
    name: str, shapes: list[tuple[str, Any]], activation: str | None, loss: str, dtype: DTypeLike, *, bias: bool = True
) -> Network:
    """A network of these weights' sizes, all 0."""
    for key, shape in shapes:
        if len(shape) != 2 or 0 in shape:
            raise ValueError(f"{name}: {key} must have shape (n_out, n_in), got {tuple(shape)}")
    for (before, first), (after, second) in pairwise(shapes):
        if first[0] != second[1]:
            raise ValueError(
                f"{name}: {after} must take the {first[0]} outputs of {before}, got shape {tuple(second)}; "
                f"a matrix has shape (n_out, n_in)"
            )
    sizes = [shapes[0][1][1], *(shape[0] for _, shape in shapes)]
    if loss == "cross_entropy" and sizes[-1] == 1:
        loss = "binary_cross_entropy"
    net = Network(sizes, activation or "tanh", "zeros", loss, seed=0, dtype=dtype, bias=bias)
    net.init = os.path.basename(name)
    return net


def _arrays(name: str) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """Matrices and vectors of an NPZ file, in the order of their names; nothing is unpickled."""
    try:
        with open(name, "rb") as file, zipfile.ZipFile(file):  # an archive, not one array
            file.seek(0)
            stored = np.load(file, allow_pickle=False)
            arrays = {key: stored[key] for key in sorted(stored, key=_natural)}
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{name}: no NPZ file of arrays: {error}") from error
    for key, array in arrays.items():
        if array.dtype.kind not in "iuf":
            raise ValueError(f"{name}: {key} must hold real numbers, got {array.dtype}")
    weights = {key: a for key, a in arrays.items() if a.ndim == 2}
    biases = {key: a for key, a in arrays.items() if a.ndim == 1}
    other = [key for key, a in arrays.items() if a.ndim not in (1, 2)]
    if not weights or other or len(biases) not in (0, len(weights)):
        raise ValueError(
            f"{name}: must hold a matrix (n_out, n_in) for each layer, and a vector for each or none, "
            f"got {', '.join(f'{key} {a.shape}' for key, a in arrays.items()) or 'nothing'}"
        )
    return weights, biases


def _natural(key: str) -> list[tuple[int, int, str]]:
    """Names in the order of people: w2 before w10."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"([0-9]+)", key) if part]
