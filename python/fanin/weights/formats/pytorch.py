"""PyTorch's files, through PyTorch's own loader of weights: nothing in them is executed."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

from fanin.weights.formats.npz import BAD_ZIP
from fanin.weights.formats.tensors import FileError, Tensor, TensorFile, in_memory, known

# Under which names checkpoints keep the parameters of the model, among much else.
_MODEL = ("state_dict", "model_state_dict", "model", "net", "network", "weights", "params")
_WORDS = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint8": "U8",
    "bool": "BOOL",
}


def read(path: str) -> TensorFile:
    """Read a file of ``torch.save``.

    Raises
    ------
    ModuleNotFoundError
        Without PyTorch.
    FileError
        If it holds no tensors, or more than tensors: whole modules are code, and are not loaded.
    """
    try:
        import torch
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            f"{path} is a file of PyTorch: install torch, or save it there with safetensors.torch.save_file", name="torch"
        ) from None
    held = _load(torch, path)
    if isinstance(held, torch.Tensor):
        held = {"tensor": held}
    found = dict(_tensors(_model(torch, held), torch))
    if not found:
        raise FileError(f"{path} holds no tensors: save model.state_dict()")
    tensors: list[Tensor] = []
    aliases: dict[str, str] = {}
    seen: dict[Any, str] = {}
    for name, value in found.items():
        try:
            where = (value.data_ptr(), tuple(value.shape), tuple(value.stride()), value.dtype)
        except RuntimeError:  # a sparse tensor has no address
            tensors.append(Tensor(name, str(value.layout), tuple(value.shape), None))
            continue
        if value.numel() and where in seen:  # tied
            aliases[name] = seen[where]
            continue
        seen[where] = name
        tensors.append(_tensor(torch, name, value))
    return TensorFile(path, "PyTorch", tensors, ordered=True, aliases=aliases)


def _load(torch: Any, path: str) -> Any:
    options = {"map_location": "cpu", "weights_only": True}
    if _is_script(path):
        raise FileError(f"{path} is TorchScript, which is code and is not executed: save model.state_dict() instead")
    try:
        try:
            return torch.load(path, mmap=True, **options)
        except RuntimeError as error:
            if "mmap" not in str(error):
                raise
            return torch.load(path, **options)  # the format of before 2020
    except OSError:
        raise
    except MemoryError:
        raise FileError(f"{path} is damaged: a tensor that fits no memory") from None
    except pickle.UnpicklingError as error:
        if "Weights only load failed" in str(error) and "GLOBAL" in str(error).upper():
            raise FileError(
                f"{path} holds more than tensors (a whole module is code, which is not executed): "
                "save model.state_dict() instead"
            ) from None
        raise FileError(f"{path} is no file of PyTorch, or damaged: {_line(error)}") from None
    except Exception as error:  # its unpickler lets through whatever wrong bytes lead to
        raise FileError(f"{path} is no file of PyTorch, or damaged: {_line(error)}") from None


def _is_script(path: str) -> bool:
    """Whether an archive is of torch.jit.save: only these have a file of constants."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/constants.pkl") for name in archive.namelist())
    except BAD_ZIP:
        return False


def _line(error: Exception) -> str:
    words = str(error).strip().splitlines()
    return words[0][:200] if words else type(error).__name__


def _model(torch: Any, held: Any) -> Any:
    """The part of a checkpoint that is the model's: where a name says so and it holds tensors."""
    while isinstance(held, Mapping) and not any(isinstance(value, torch.Tensor) for value in held.values()):
        inner = next((held[name] for name in _MODEL if isinstance(held.get(name), Mapping)), None)
        if inner is None:
            break
        held = inner
    return held


def _tensors(held: Any, torch: Any, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    if isinstance(held, torch.Tensor):
        yield prefix, held
    elif depth < 20 and isinstance(held, Mapping | list | tuple):
        items = held.items() if isinstance(held, Mapping) else enumerate(held)
        for key, value in items:
            yield from _tensors(value, torch, f"{prefix}.{key}" if prefix else str(key), depth + 1)


def _tensor(torch: Any, name: str, value: Any) -> Tensor:
    word = str(value.dtype).removeprefix("torch.")
    word = _WORDS.get(word, word)
    if not known(word) or value.layout != torch.strided or value.is_quantized:
        return Tensor(name, word, tuple(value.shape), None)
    value = value.detach()
    return in_memory(name, (value.view(torch.int16) if word == "BF16" else value).numpy(), word)
