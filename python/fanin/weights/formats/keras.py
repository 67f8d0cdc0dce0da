"""Keras' files, ``.keras`` and HDF5, through h5py."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Iterator
from typing import Any

from fanin.weights.formats.npz import BAD_ZIP, check_size
from fanin.weights.formats.tensors import FileError, Piece, Stage, Tensor, TensorFile, known, native, word_of

_ACTIVATIONS = {
    "linear": "identity",
    "relu": "relu",
    "tanh": "tanh",
    "sigmoid": "sigmoid",
    "selu": "selu",
    "softplus": "softplus",
}
_LOSSES = {
    "sparse_categorical_crossentropy": "cross_entropy",
    "categorical_crossentropy": "cross_entropy",
    "binary_crossentropy": "binary_cross_entropy",
    "mean_squared_error": "mean_squared_error",
    "mse": "mean_squared_error",
    "hinge": "hinge",
}
# Layers that are the identity when a network predicts.
_PASS = {"InputLayer", "Dropout", "Flatten", "GaussianNoise", "GaussianDropout", "ActivityRegularization", "AlphaDropout"}


def read_archive(path: str) -> TensorFile:
    """Read a file ``.keras``: an archive of a description and an HDF5 file."""
    size = os.stat(path).st_size
    try:
        with zipfile.ZipFile(path) as archive:
            parts = {}
            for name in ("config.json", "model.weights.h5"):
                check_size(path, archive.getinfo(name), size)
                parts[name] = archive.read(name)
    except FileError:
        raise
    except BAD_ZIP as error:
        raise FileError(f"{path}: no file of Keras, or damaged: {' '.join(str(error).split())[:200]}") from None
    found = read(path, io.BytesIO(parts["model.weights.h5"]))
    found.format = "Keras"
    try:
        _describe(found, json.loads(parts["config.json"]))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        found.notes.append("the description of its layers is none that is known here: the order is that of the names")
    return found


def read(path: str, source: Any = None) -> TensorFile:
    """Read an HDF5 file; `source` is a file in memory instead of the path.

    Raises
    ------
    ModuleNotFoundError
        Without h5py.
    FileError
        If it is damaged.
    """
    try:
        import h5py
    except ModuleNotFoundError:
        raise ModuleNotFoundError(f"{path} is an HDF5 file: pip install h5py", name="h5py") from None
    tensors: list[Tensor] = []
    layout: dict[str, Any] = {}
    try:
        file = h5py.File(path if source is None else source, "r")

        def visit(name: str, node: Any) -> None:
            if isinstance(node, h5py.Dataset) and not name.startswith(("optimizer", "_optimizer")):
                tensors.append(_tensor(path, h5py, name, node))

        file.visititems(visit)
        if "model_config" in file.attrs:
            layout["config"] = json.loads(file.attrs["model_config"])
        if "training_config" in file.attrs:
            layout["compile_config"] = json.loads(file.attrs["training_config"])
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, RecursionError, MemoryError, AttributeError) as error:
        if isinstance(error, OSError) and error.errno is not None and source is None and not os.access(path, os.R_OK):
            raise
        raise FileError(f"{path}: no HDF5 file, or damaged: {' '.join(str(error).split())[:200]}") from None
    found = TensorFile(path, "HDF5", tensors)
    if layout.get("config"):
        try:
            _describe(found, {"config": layout["config"]["config"], "compile_config": layout.get("compile_config")})
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
            found.notes.append("the description of its layers is none that is known here: the order is that of the names")
    return found


def _tensor(path: str, h5py: Any, name: str, node: Any) -> Tensor:
    word = word_of(node.dtype) if node.dtype.subdtype is None else str(node.dtype)
    shape = node.shape or ()
    layout: Any = "in_out" if len(shape) == 2 else None
    if not known(word) or node.shape is None:
        return Tensor(name, word, shape, None)
    if node.nbytes > 1 << 40 or (node.chunks is None and node.id.get_storage_size() not in (0, node.nbytes)):
        raise ValueError(f"{name} has {node.id.get_storage_size()} bytes, not those of its shape")

    def pieces(most: int) -> Iterator[Piece]:
        rows = max(1, most // max(1, node.size // max(1, shape[0]))) if shape else 1
        try:
            for begin in range(0, shape[0] if shape else 1, rows):
                part = node[begin : begin + rows] if shape else node[()]
                flat = part.reshape(-1)
                for at in range(0, flat.size, most):
                    yield lambda part=flat[at : at + most]: native(part, word)  # type: ignore[misc]
        except (OSError, RuntimeError, ValueError, MemoryError) as error:
            raise FileError(f"{path}: {name} is damaged: {' '.join(str(error).split())[:200]}") from None

    return Tensor(name, word, shape, pieces, layout=layout)


def _describe(found: TensorFile, described: dict[str, Any]) -> None:
    """Add the layers, activations and loss that a description states, as far as they are those of a dense network."""
    layers = described["config"]["layers"]
    kinds = [layer["class_name"] for layer in layers]
    loss = (described.get("compile_config") or {}).get("loss")
    loss = loss["class_name"] if isinstance(loss, dict) and "class_name" in loss else loss
    found.loss = _LOSSES.get(_snake(loss)) if isinstance(loss, str) else None
    other = [kind for kind in kinds if kind not in _PASS and kind not in ("Dense", "Activation", "ReLU", "Softmax")]
    if other:
        found.no_network = f"it has layers {', '.join(dict.fromkeys(other))}"
        return
    if any(
        len(node.get("args", [])) > 1 for layer in layers for node in layer.get("inbound_nodes", []) if isinstance(node, dict)
    ):
        found.no_network = "its layers are no chain"
        return
    names = {tensor.name for tensor in found.tensors}
    stages: list[Stage] = []
    after: list[list[str]] = []
    for kind, layer in zip(kinds, layers, strict=True):
        config = layer["config"]
        if kind == "Dense":
            weight, bias = _variables(names, config["name"], len(stages))
            if weight is None:
                raise KeyError(config["name"])
            stages.append(Stage(weight, bias, "in_out"))
            after.append([])
        word = {"ReLU": "relu", "Softmax": "softmax"}.get(kind, config.get("activation"))
        if kind in ("Dense", "Activation", "ReLU", "Softmax") and word not in (None, "linear"):
            if not after:
                found.no_network = "an activation stands before its first layer"
                return
            after[-1].append(word)
    found.stages = stages
    if all(len(words) < 2 and all(word in _ACTIVATIONS for word in words) for words in after[:-1]):
        found.activations = [_ACTIVATIONS[words[0]] if words else "identity" for words in after[:-1]]
    else:
        found.notes.append(f"activations that are not those of fanin: {after[:-1]}")


def _snake(loss: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in loss).lstrip("_")


def _variables(names: set[str], layer: str, number: int) -> tuple[str | None, str | None]:
    """The tensors of the dense layer of a name, of which `number` others came before."""
    counted = "dense" if number == 0 else f"dense_{number}"
    for weight, bias in (
        (f"layers/{counted}/vars/0", f"layers/{counted}/vars/1"),  # Keras 3 counts classes, whatever the layer is called
        (f"layers/{layer}/vars/0", f"layers/{layer}/vars/1"),
        (f"model_weights/{layer}/{layer}/kernel", f"model_weights/{layer}/{layer}/bias"),
        (f"model_weights/{layer}/{layer}/kernel:0", f"model_weights/{layer}/{layer}/bias:0"),
    ):
        if weight in names:
            return weight, bias if bias in names else None
    ends = [name for name in names if f"/{layer}/" in f"/{name}" and name.split("/")[-1].split(":")[0] == "kernel"]
    if len(ends) == 1:
        bias = ends[0].replace("kernel", "bias")
        return ends[0], bias if bias in names else None
    return None, None
