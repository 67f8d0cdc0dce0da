"""Which reader a file needs: said by its first bytes, not by its name."""

from __future__ import annotations

import errno
import os

from fanin.common import files
from fanin.weights.formats.tensors import FileError, TensorFile

WHAT = ".safetensors or .npz, or another program's .safetensors.index.json, .pt, .pth, .keras, .h5, .onnx"


def opened(path: str | os.PathLike[str]) -> TensorFile:
    """Read the names, types and shapes of all tensors of a file.

    Parameters
    ----------
    path : path
        A file of one of the formats of `WHAT`, whatever it is called; or a folder with a single index of safetensors files.

    Raises
    ------
    OSError
        If the system refuses.
    ModuleNotFoundError
        If the format needs a library that is not installed.
    ValueError
        If the file is of no such format, or damaged; the message names it.
    """
    name = os.fsdecode(path)
    if "\0" in name:
        raise ValueError(f"path must not hold a null character, got {name!r}")
    if os.path.isdir(name):
        name = _inside(name)
    kind = files.kind(name)
    lower = name.lower()
    if kind == "zip":
        return _archive(name)
    if kind == "hdf5":
        from fanin.weights.formats import keras

        return keras.read(name)
    if kind == "json" and lower.endswith(".json"):
        from fanin.weights.formats import safetensors

        return safetensors.read_index(name)
    if kind == "pickle" and not lower.endswith((".pt", ".pth", ".bin", ".ckpt")):
        raise FileError(
            f"{name} is a pickle, which executes what it holds: it is not opened. Of scikit-learn's: load it yourself and give "
            "the estimator to fanin.weights.read; of PyTorch's: name it .pt"
        )
    if kind == "npy":
        raise FileError(f"{name} is one array: weights are many, write numpy.savez('weights.npz', w0, b0, w1, b1)")
    if kind == "pickle" or (not kind and lower.endswith((".pt", ".pth", ".ckpt", ".bin"))):
        from fanin.weights.formats import pytorch

        return pytorch.read(name)
    if lower.endswith(".onnx"):
        from fanin.weights.formats import onnx

        return onnx.read(name)
    if lower.endswith((".h5", ".hdf5", ".keras")):
        raise FileError(f"{name}: no HDF5 file, or damaged: its first bytes are others")
    if lower.endswith(".npz"):
        raise FileError(f"{name}: no NPZ file of arrays: it is no archive")
    if kind == "safetensors" or lower.endswith(".safetensors"):
        from fanin.weights.formats import safetensors

        return safetensors.read(name)
    raise FileError(f"weights must be a file {WHAT}, got {name}")


def _inside(folder: str) -> str:
    """The one index, or the one file of safetensors, in a folder."""
    here = sorted(os.listdir(folder))
    for end in (".safetensors.index.json", ".safetensors"):
        found = [name for name in here if name.endswith(end)]
        if len(found) == 1:
            return os.path.join(folder, found[0])
        if found:
            raise FileError(f"{folder} has {len(found)} files *{end}: name one, as {os.path.join(folder, found[0])}")
    raise IsADirectoryError(errno.EISDIR, "is a folder without a file *.safetensors", folder)


def _archive(name: str) -> TensorFile:
    """NumPy's, Keras' and PyTorch's files are all archives."""
    import zipfile

    from fanin.weights.formats import npz

    try:
        with zipfile.ZipFile(name) as archive:
            entries = archive.namelist()
    except npz.BAD_ZIP:
        entries = []
    if "model.weights.h5" in entries:
        from fanin.weights.formats import keras

        return keras.read_archive(name)
    lower = name.lower()
    torch = any(entry.endswith("/data.pkl") or entry == "data.pkl" for entry in entries)
    if torch or (not entries and lower.endswith((".pt", ".pth", ".ckpt", ".bin"))):
        from fanin.weights.formats import pytorch

        return pytorch.read(name)
    if not entries and lower.endswith(".keras"):
        from fanin.weights.formats import keras

        return keras.read_archive(name)
    return npz.read(name)
