"""Networks in safetensors files, with the state of their optimizers: a run goes on as if it had never stopped.

A file holds the parameters as tensors ``"l.weight"`` (n_out, n_in) and ``"l.bias"``, an optimizer's state as
``"optimizer.<array>.l.weight"``, and text in its metadata: sizes, activations, loss, seed, epochs, hyper-parameters, the
version of the algorithms. Reading one executes nothing. Any reader of safetensors opens it.
"""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from fanin import _core
from fanin.common import files
from fanin.optimizer import RULES, Optimizer, core_of

Path: TypeAlias = str | os.PathLike[str]
# What other programs write, by `fanin.common.files.kind`.
_OTHERS = {
    "zip": "an archive, as PyTorch, NumPy and Keras write",
    "hdf5": "an HDF5 file, as Keras writes",
    "npy": "an array of NumPy",
    "pickle": "a pickle",
}


class Description(NamedTuple):
    """What a file says of the network in it."""

    sizes: tuple[int, ...]
    activations: list[str]  # of the hidden layers
    loss: str
    bias: bool
    seed: int
    weight_of: list[int]  # for each layer the one whose matrix it uses
    dtype: np.dtype[Any]
    init: str
    optimizer: Optimizer | None  # with its hyper-parameters; its state is still in the file
    classes: list[Any] | None


def _path(path: Path) -> str:
    try:
        text = os.fsdecode(path)
    except TypeError:
        raise TypeError(f"path must be a path, got {path!r}") from None
    if "\0" in text:
        raise ValueError(f"path must not hold a null character, got {text!r}")
    return text


def save(
    path: Path, core: Any, init: str, optimizer: Optimizer | None, *, names: str, classes: Sequence[Any] | None = None
) -> None:
    """Write a network, and the state of its optimizer, to a safetensors file: what `fanin.Network.save` does.

    Parameters
    ----------
    path : path
        Written in one piece: to a new file in the same folder, flushed to the disk, then renamed. A file that was there stays
        whole if anything fails. What killed saves to this path have left is removed.
    core, init
        Of the network: its parameters, description, seed and count of epochs (on which the next shuffle depends).
    optimizer : Optimizer, optional
        Its hyper-parameters and state. It belongs to the network, or to none yet, and then to this one.
    names : {"fanin", "torch"}
        ``"torch"``: as PyTorch's ``Sequential(Linear, activation, Linear, ...)`` names its parameters, ``"0.weight"``,
        ``"2.weight"``, ...; the layout is PyTorch's in both. `load` reads both.
    classes : sequence of str or number, optional
        What the labels stand for.

    Raises
    ------
    ValueError
        If the optimizer belongs to another network, or `names` is unknown.
    OSError
        If the system refuses.
    """
    if names not in ("fanin", "torch"):
        raise ValueError(f"names must be 'fanin' or 'torch', got {names!r}")
    rule = None if optimizer is None else core_of(optimizer)
    more = {"network.init": init} | ({} if classes is None else {"network.classes": json.dumps(list(classes))})
    core.save(_path(path), rule, names == "torch", more)


def opened(path: Path) -> Any:
    """Return the tensors of a safetensors file, of any writer; a file of another format is refused by its name."""
    where = _path(path)
    other = _OTHERS.get(files.kind(where)) or ("a model of ONNX by its name" if where.lower().endswith(".onnx") else None)
    if other is not None:
        raise ValueError(
            f"{where} is damaged or not a safetensors file: it is {other}. A network of its weights: "
            f"fi.weights.read({where!r}).network"
        )
    return _core.SafeTensors(where)


def check_names(file: Any, path: Path) -> None:
    """Refuse a file none of whose tensors is named n.weight, with words for what to do."""
    names = list(file.shapes)
    if not any(re.fullmatch(r"[0-9]+\.weight", name) for name in names):
        shown = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
        raise ValueError(
            f"{path}: tensors must be named 0.weight, 0.bias, ..., got {shown or 'none'}. A network of them: "
            f"fi.weights.read({_path(path)!r}).network"
        )


def described(file: Any, path: Path) -> Description:
    """Return the description that `save` wrote; ValueError where there is none, or it is damaged."""
    metadata = file.metadata
    if "network.sizes" not in metadata:
        raise ValueError(
            f"{path} has no description of a network: fanin.Network.save did not write it. Its weights alone: "
            "fi.Network(...).load_weights(path)"
        )
    try:
        return _description(file, metadata)
    except KeyError as error:
        raise ValueError(f"{path} lacks {error} in its metadata") from None
    except ValueError as error:
        raise damaged(path, error) from None


def damaged(path: Path, error: ValueError) -> ValueError:
    """Return the error of a description that says what no network is."""
    return ValueError(f"{path} has a damaged description of a network: {error}")


def warn_of_version(file: Any, path: Path) -> None:
    """Warn where another version of the algorithms wrote the file."""
    version = file.metadata.get("fanin.algorithm_version")
    if version != str(_core.ALGORITHM_VERSION):
        warnings.warn(
            f"{path} was written by version {version} of the algorithms, this is version {_core.ALGORITHM_VERSION}: "
            "a resumed run may differ in bits",
            RuntimeWarning,
            stacklevel=4,
        )


def _description(file: Any, metadata: dict[str, str]) -> Description:
    sizes = tuple(_integer(n) for n in metadata["network.sizes"].split(","))
    activations = metadata["network.activations"]
    shapes = file.shapes
    numbers = sorted(int(name[:-7]) for name in shapes if re.fullmatch(r"[0-9]{1,18}\.weight", name))
    if [tuple(shapes[f"{n}.weight"]) for n in numbers] != list(zip(sizes[1:], sizes[:-1], strict=True)):
        raise ValueError(f"its weights are not those of sizes {list(sizes)}")
    word = file.dtypes[f"{numbers[0]}.weight"] if numbers else None
    if word not in ("F32", "F64"):
        raise ValueError(f"its weights must be F32 or F64, got {word}")
    owners = metadata.get("network.weight_of", ",".join(str(layer) for layer in range(len(sizes) - 1)))
    return Description(
        sizes=sizes,
        activations=activations.split(",") if activations else [],
        loss=metadata["network.loss"],
        bias=bool(_integer(metadata["network.bias"])),
        seed=_integer(metadata["network.seed"]),
        weight_of=[_integer(layer) for layer in owners.split(",")],
        dtype=np.dtype(np.float32 if word == "F32" else np.float64),
        init=metadata.get("network.init", "explicit"),
        optimizer=_optimizer(metadata) if "optimizer.rule" in metadata else None,
        classes=_classes(metadata["network.classes"]) if "network.classes" in metadata else None,
    )


def _classes(text: str) -> list[Any]:
    try:
        found = json.loads(text)
    except RecursionError:
        found = None
    if not isinstance(found, list) or not all(isinstance(name, str | bool | int | float) for name in found):
        raise ValueError(f"{text[:100]!r} are no classes")
    return found


def _integer(text: str) -> int:
    if not re.fullmatch("[0-9]{1,20}", text) or int(text) >= 2**64:
        raise ValueError(f"{text!r} is not a number below 2^64")
    return int(text)


def _optimizer(metadata: dict[str, str]) -> Optimizer:
    rule = metadata["optimizer.rule"]
    if rule not in RULES:
        raise ValueError(f"optimizer.rule must be one of {', '.join(RULES)}, got {rule!r}")
    make: Any = RULES[rule]
    options = {name: float(metadata[f"optimizer.{name}"]) for name in make._USUAL}
    if "nesterov" in options:
        options["nesterov"] = bool(options["nesterov"])
    rates = [float(lr) for lr in metadata["optimizer.lr"].split(",")]
    made: Optimizer = make(rates, clip_norm=float(metadata["optimizer.clip_norm"]) or None, **options)
    return made
