"""`out=`: transposed and strided arrays, buffers, memory-mapped files, tensors of other libraries through DLPack."""

from __future__ import annotations

import array
import ctypes
import mmap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import fanin as fi

KEY: dict[str, Any] = {"seed": 7, "stream": "hidden1.weight"}


# ------------------------------------------------------------------------------------------------ strides


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_layout_has_the_same_bits(data: st.DataObject) -> None:
    """Axes in any order in memory, reversed or not, with gaps: small and large enough for many tiles."""
    rank = data.draw(st.integers(2, 4))
    shape = tuple(data.draw(st.sampled_from([1, 2, 3, 5, 17, 40, 300] if rank < 4 else [1, 2, 3, 7, 20])) for _ in range(rank))
    assume(np.prod(shape) <= 2_000_000)  # 240 tiles: more take seconds, and show nothing else
    order = data.draw(st.permutations(range(rank)))
    gaps = [data.draw(st.sampled_from([1, 1, 2])) for _ in range(rank)]
    dtype = data.draw(st.sampled_from(["float32", "float64", "float16"]))
    law = data.draw(st.sampled_from(["normal", "uniform(low=-1, high=1)", "truncated_normal", "he_uniform"]))
    memory = np.full([shape[i] * gaps[i] + 1 for i in order], 42, dtype)
    view = memory[tuple(slice(0, shape[i] * gaps[i], gaps[i]) for i in order)]
    view = view.transpose(np.argsort(order))
    view = view[tuple(slice(None, None, data.draw(st.sampled_from([1, -1]))) for _ in shape)]
    whole = fi.init.law(law)(shape, dtype=dtype, **KEY)
    assert fi.init.law(law)(shape, out=view, **KEY) is view
    np.testing.assert_array_equal(view, whole)
    view[...] = 42
    assert (memory == 42).all()  # nothing beside it was written


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_tiles_at_their_edges(dtype: str, everywhere: Any) -> None:
    """Rows and columns around the size of a tile, also as blocks, on every instruction set and at two thread counts."""
    for shape in [(31, 255), (32, 256), (33, 257), (64, 512), (65, 513), (129, 700), (4, 4), (3, 900), (900, 3)]:
        expected = fi.init.he_normal(shape, dtype=dtype, **KEY)
        for _ in everywhere(1, 3):
            out = np.empty(shape[::-1], dtype).T
            np.testing.assert_array_equal(fi.init.he_normal(shape, out=out, **KEY), expected)
        block = (slice(shape[0] // 3, shape[0]), slice(1, shape[1]))
        part = np.empty(expected[block].shape[::-1], dtype).T
        np.testing.assert_array_equal(fi.init.he_normal(shape, block=block, out=part, **KEY), expected[block])


# ------------------------------------------------------------------------------------------------ memory of others


def test_buffers() -> None:
    expected = fi.init.normal(20, **KEY)
    typed = array.array("f", bytes(80))
    assert fi.init.normal(20, out=typed, **KEY) is typed
    np.testing.assert_array_equal(np.asarray(typed), expected)
    raw = bytearray(80)
    view = memoryview(raw).cast("f", (4, 5))
    fi.init.normal((4, 5), out=view, **KEY)
    np.testing.assert_array_equal(np.frombuffer(raw, np.float32), expected)
    with pytest.raises(ValueError, match="out must be writable, got a read-only array"):
        fi.init.normal(20, out=memoryview(bytes(80)).cast("f"), **KEY)
    assert mmap.PAGESIZE > 0


def test_memory_mapped(tmp_path: Path) -> None:
    w = np.lib.format.open_memmap(tmp_path / "w.npy", "w+", np.float32, (100, 300))
    fi.init.he_normal(w.shape, out=w, **KEY)
    fi.init.he_normal(w.shape, out=w[50:], block=(slice(50, 100), slice(None)), **KEY)
    w.flush()
    del w
    np.testing.assert_array_equal(np.load(tmp_path / "w.npy"), fi.init.he_normal((100, 300), **KEY))
    frozen = np.load(tmp_path / "w.npy", mmap_mode="r")
    with pytest.raises(ValueError, match="out must be writable"):
        fi.init.he_normal(frozen.shape, out=frozen, **KEY)


# ------------------------------------------------------------------------------------------------ DLPack


class _Tensor(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    )


class _Managed(ctypes.Structure):
    _fields_ = (("tensor", _Tensor), ("manager", ctypes.c_void_p), ("deleter", ctypes.c_void_p))


class Bfloat16Tensor:
    """A tensor of another library, as far as DLPack sees it: version 0, bfloat16, memory of its own."""

    def __init__(self, bits: np.ndarray, *, code: int = 4, device: int = 1, strides: bool = True) -> None:
        self.memory, self.device = bits, device
        self.shape = (ctypes.c_int64 * bits.ndim)(*bits.shape)
        self.strides = (ctypes.c_int64 * bits.ndim)(*(s // bits.itemsize for s in bits.strides))
        tensor = _Tensor(bits.ctypes.data, device, 0, bits.ndim, code, 8 * bits.itemsize, 1, self.shape, None, 0)
        if strides:
            tensor.strides = self.strides
        self.managed = _Managed(tensor, None, None)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.device, 0

    def __dlpack__(self) -> object:
        new = ctypes.pythonapi.PyCapsule_New
        new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
        return new(ctypes.addressof(self.managed), b"dltensor", None)


def test_dlpack_of_version_0_and_bfloat16() -> None:
    expected = np.empty((30, 50), np.uint16)
    fi.init.he_normal((30, 50), out=expected, dtype="bfloat16", **KEY)
    for bits in (np.zeros((30, 50), np.uint16), np.zeros((50, 30), np.uint16).T, np.zeros((60, 50), np.uint16)[::2]):
        tensor = Bfloat16Tensor(bits)
        assert fi.init.he_normal((30, 50), out=tensor, **KEY) is tensor
        np.testing.assert_array_equal(bits, expected)
    bits = np.zeros((30, 50), np.uint16)
    fi.init.he_normal((30, 50), out=Bfloat16Tensor(bits, strides=False), dtype="bfloat16", **KEY)
    np.testing.assert_array_equal(bits, expected)
    with pytest.raises(TypeError, match="out must have dtype float32 as stated, got bfloat16"):
        fi.init.he_normal((30, 50), out=tensor, dtype="float32", **KEY)


def test_dlpack_refusals() -> None:
    bits = np.zeros((3, 4), np.uint16)
    with pytest.raises(ValueError, match="out must be in the CPU's memory, got DLPack device type 2"):
        fi.init.normal((3, 4), out=Bfloat16Tensor(bits, device=2), **KEY)
    with pytest.raises(TypeError, match="got DLPack type code 1 of 16 bits"):
        fi.init.normal((3, 4), out=Bfloat16Tensor(bits, code=1), **KEY)
    with pytest.raises(ValueError, match=r"out must have shape \(4, 3\), got \(3, 4\)"):
        fi.init.normal((4, 3), out=Bfloat16Tensor(bits), **KEY)
    assert not bits.any()


class Exported:
    """NumPy's own export through DLPack, version 1, behind an object that is no array."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.array.__dlpack_device__()

    def __dlpack__(self, **options: Any) -> object:
        return self.array.__dlpack__(**options)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_dlpack_of_numpy(dtype: str) -> None:
    memory = np.zeros((40, 60), dtype)
    fi.init.he_normal((30, 20), out=Exported(memory.T[::2, ::2]), **KEY)
    np.testing.assert_array_equal(memory.T[::2, ::2], fi.init.he_normal((30, 20), dtype=dtype, **KEY))
    memory.setflags(write=False)
    if np.lib.NumpyVersion(np.__version__) >= "2.1.0":  # before, NumPy itself refuses to export what is read-only
        with pytest.raises(ValueError, match="out must be writable, got a read-only array"):
            fi.init.he_normal((40, 60), out=Exported(memory), **KEY)


def test_tensors_of_pytorch() -> None:
    torch = pytest.importorskip("torch")
    expected = fi.init.he_normal((300, 784), **KEY)
    layer = torch.nn.Linear(784, 300)
    assert fi.init.he_normal(layer.weight.shape, out=layer.weight, **KEY) is layer.weight  # though it records gradients
    np.testing.assert_array_equal(layer.weight.detach().numpy(), expected)
    transposed = torch.empty(784, 300).T
    fi.init.he_normal((300, 784), out=transposed, **KEY)
    np.testing.assert_array_equal(transposed.numpy(), expected)
    for dtype in (torch.float64, torch.float16, torch.bfloat16):
        tensor = torch.empty(300, 784, dtype=dtype)
        fi.init.he_normal(tensor.shape, out=tensor, **KEY)
        if dtype == torch.float64:
            np.testing.assert_array_equal(tensor.numpy(), fi.init.he_normal((300, 784), dtype="float64", **KEY))
        else:
            assert torch.equal(tensor, torch.from_numpy(expected).to(dtype))
    with pytest.raises(TypeError, match="out must have dtype float32, float64, float16 or bfloat16, got DLPack type code 0"):
        fi.init.zeros(3, out=torch.zeros(3, dtype=torch.int32))
    model = torch.nn.Sequential(torch.nn.Linear(20, 30), torch.nn.LayerNorm(30), torch.nn.Linear(30, 5)).to(torch.bfloat16)
    rules = [("*bias", "zeros"), ("1.*", "ones"), ("*", "lecun_normal")]
    fi.init.fill(dict(model.named_parameters()), rules, seed=7)
    w = torch.from_numpy(fi.init.lecun_normal((5, 30), seed=7, stream="2.weight"))
    assert torch.equal(model[2].weight, w.to(torch.bfloat16))
    assert (model[1].weight == 1).all()
