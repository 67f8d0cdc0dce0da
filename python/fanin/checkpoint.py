"""Networks in safetensors files, with the state of their optimizers: a run goes on as if it had never stopped.

A file holds the parameters as tensors ``"l.weight"`` (n_out, n_in) and ``"l.bias"``, an optimizer's state as
``"optimizer.<array>.l.weight"``, and text in its metadata: sizes, activations, loss, seed, epochs, hyper-parameters, the
version of the algorithms. Reading one executes nothing. Any reader of safetensors opens it.
"""

from __future__ import annotations

import os
import re
import warnings
from typing import Any, NamedTuple

import numpy as np

from fanin import _core
from fanin.network import Network
from fanin.optimizer import SGD, Adam, Optimizer, RMSProp, core_of

_RULES: dict[str, type[SGD] | type[RMSProp] | type[Adam]] = {"sgd": SGD, "rmsprop": RMSProp, "adam": Adam}


class Checkpoint(NamedTuple):
    """What a file held: the network, and the optimizer with its state (None if none was saved)."""

    network: Network
    optimizer: Optimizer | None


def _path(path: str | os.PathLike[str]) -> str:
    try:
        text = os.fsdecode(path)
    except TypeError:
        raise TypeError(f"path must be a path, got {path!r}") from None
    if "\0" in text:
        raise ValueError(f"path must not hold a null character, got {text!r}")
    return text


def save(path: str | os.PathLike[str], network: Network, optimizer: Optimizer | None = None, *, names: str = "fanin") -> None:
    """Write a network, and the state of its optimizer, to a safetensors file.

    Parameters
    ----------
    path : path
        Written in one piece: to a new file in the same folder, flushed to the disk, then renamed. A file that was there stays
        whole if anything fails.
    network : Network
        Its parameters, description, seed and count of epochs (on which the next shuffle depends).
    optimizer : Optimizer, optional
        Its hyper-parameters and state. It belongs to `network`, or to none yet, and then to this one.
    names : {"fanin", "torch"}
        ``"torch"``: as PyTorch's ``Sequential(Linear, activation, Linear, ...)`` names its parameters, ``"0.weight"``,
        ``"2.weight"``, ...; the layout is PyTorch's in both. `load` reads both.

    Raises
    ------
    ValueError
        If the optimizer belongs to another network, or `names` is unknown.
    OSError
        If the system refuses.
    """
    if names not in ("fanin", "torch"):
        raise ValueError(f"names must be 'fanin' or 'torch', got {names!r}")
    core = None if optimizer is None else core_of(optimizer)
    network._core.save(_path(path), core, names == "torch", {"network.init": network.init})


def load(path: str | os.PathLike[str]) -> Checkpoint:
    """Read what `save` wrote.

    Training goes on with the bits of a run that never stopped: the same shuffles, the same state of the optimizer. A run that
    ended inside an epoch goes on with the next one.

    Raises
    ------
    ValueError
        If the file is damaged, cut short or no safetensors file, or has no description of a network.
    OSError
        If the file cannot be read.

    Warns
    -----
    RuntimeWarning
        If the file was written by another version of the algorithms: the weights are right, a resumed run may differ in bits.

    Examples
    --------
    >>> import os, tempfile
    >>> import fanin as fi
    >>> net, adam = fi.Network([2, 3, 2], seed=7), fi.Adam()
    >>> cost = net.step([[1, 2]], [0], optimizer=adam)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     net.save(os.path.join(folder, "net.safetensors"), adam)
    ...     net, adam = fi.load(os.path.join(folder, "net.safetensors"))
    >>> net
    Network([2, 3, 2], activation='tanh', init='xavier_normal', loss='cross_entropy', seed=7, dtype='float32')
    >>> adam.steps
    1
    """
    file = _core.SafeTensors(_path(path))
    metadata = file.metadata
    if "network.sizes" not in metadata:
        raise ValueError(
            f"{path} has no description of a network: fanin.Network.save did not write it. Its weights alone: "
            "fi.Network(...).load_weights(path)"
        )
    try:
        network = _network(file, metadata)
        optimizer = _optimizer(metadata) if "optimizer.rule" in metadata else None
    except KeyError as error:
        raise ValueError(f"{path} lacks {error} in its metadata") from None
    except ValueError as error:
        raise ValueError(f"{path} has a damaged description of a network: {error}") from None
    network._core.load(file)
    if optimizer is not None:
        network._core.load_optimizer(file, optimizer._core)
    version = metadata.get("fanin.algorithm_version")
    if version != str(_core.ALGORITHM_VERSION):
        warnings.warn(
            f"{path} was written by version {version} of the algorithms, this is version {_core.ALGORITHM_VERSION}: "
            "a resumed run may differ in bits",
            RuntimeWarning,
            stacklevel=2,
        )
    return Checkpoint(network, optimizer)


def load_weights(path: str | os.PathLike[str], network: Network) -> None:
    """Take the parameters of a safetensors file of any writer.

    Tensors ``"n.weight"`` (n_out, n_in) and ``"n.bias"`` (n_out,) for ascending n, as many as the network has layers, so those
    of PyTorch's ``Sequential`` too; of the network's dtype, or float32 for a float64 network. Other tensors pass.

    Raises
    ------
    ValueError
        As `load`, and where a tensor is missing or of another shape or dtype; the network stays as it was.
    """
    network._core.load(_core.SafeTensors(_path(path)))


def _network(file: Any, metadata: dict[str, str]) -> Network:
    sizes = tuple(_integer(n) for n in metadata["network.sizes"].split(","))
    activations = metadata["network.activations"]
    shapes = file.shapes
    numbers = sorted(int(name[:-7]) for name in shapes if re.fullmatch(r"[0-9]{1,18}\.weight", name))
    if [tuple(shapes[f"{n}.weight"]) for n in numbers] != list(zip(sizes[1:], sizes[:-1], strict=True)):
        raise ValueError(f"its weights are not those of sizes {list(sizes)}")
    word = file.dtypes[f"{numbers[0]}.weight"] if numbers else None
    if word not in ("F32", "F64"):
        raise ValueError(f"its weights must be F32 or F64, got {word}")
    network = Network.__new__(Network)
    network.sizes = sizes
    network.init = metadata.get("network.init", "explicit")
    owners = metadata.get("network.weight_of", ",".join(str(layer) for layer in range(len(sizes) - 1)))
    network._make(
        np.dtype(np.float32 if word == "F32" else np.float64),
        activations.split(",") if activations else [],
        metadata["network.loss"],
        bool(_integer(metadata["network.bias"])),
        _integer(metadata["network.seed"]),
        [_integer(layer) for layer in owners.split(",")],
    )
    return network


def _integer(text: str) -> int:
    if not re.fullmatch("[0-9]{1,20}", text) or int(text) >= 2**64:
        raise ValueError(f"{text!r} is not a number below 2^64")
    return int(text)


def _optimizer(metadata: dict[str, str]) -> Optimizer:
    rule = metadata["optimizer.rule"]
    if rule not in _RULES:
        raise ValueError(f"optimizer.rule must be one of {', '.join(_RULES)}, got {rule!r}")
    make: Any = _RULES[rule]
    options = {name: float(metadata[f"optimizer.{name}"]) for name in make._USUAL}
    if "nesterov" in options:
        options["nesterov"] = bool(options["nesterov"])
    rates = [float(lr) for lr in metadata["optimizer.lr"].split(",")]
    made: Optimizer = make(rates, clip_norm=float(metadata["optimizer.clip_norm"]) or None, **options)
    return made
