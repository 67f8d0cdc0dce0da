"""Packed weights: the bits of the weights themselves; and the sweep over random layers."""

from __future__ import annotations

import numpy as np
import pytest

import fanin as fi


@pytest.mark.parametrize("isa", fi.available_isas())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch", [1, 2, 5, 9, 40])
def test_packed_weights_change_no_bit(batch, dtype, isa):
    rng = np.random.default_rng(4)
    x, w, b = (rng.normal(size=shape).astype(dtype) for shape in ((batch, 70), (150, 70), 150))
    expected = fi.dense_forward(x, w, b, activation="tanh", stats=True)
    before = fi.active_isa()
    fi.set_isa(isa)
    packed = fi.pack_weight(w.copy(order="F"))
    fi.set_isa(before)
    w[:] = 0  # the packed weights are a copy, and keep to the kernels that they are packed for
    f = fi.dense_forward(x, packed, b, activation="tanh", stats=True)
    np.testing.assert_array_equal(f.a, expected.a)
    np.testing.assert_array_equal(f.z, expected.z)
    assert f.stats == expected.stats


def test_packed_weights_say_what_they_are():
    packed = fi.pack_weight(np.ones((3, 4), "float32"))
    assert isinstance(packed, fi.PackedWeight)
    assert (packed.shape, packed.dtype) == ((3, 4), np.float32)
    assert repr(packed) == "<PackedWeight (3, 4) float32>"
    with pytest.raises(AttributeError):
        packed.shape = (4, 3)
    with pytest.raises(TypeError, match="w must have the dtype of x, float64, got float32"):
        fi.dense_forward(np.ones((2, 4)), packed)
    with pytest.raises(ValueError, match=r"w must have shape \(n_out, n_in\) = \(3, 5\), got \(3, 4\)"):
        fi.dense_forward(np.ones((2, 5), "float32"), packed)
    for bad in (np.ones((3, 4), "int32"), [[1.0]], None):
        with pytest.raises(TypeError, match="w must"):
            fi.pack_weight(bad)
    with pytest.raises(ValueError, match="w must"):
        fi.pack_weight(np.ones(3))
    empty = fi.pack_weight(np.ones((0, 4)))
    assert fi.dense_forward(np.ones((2, 4)), empty).a.shape == (2, 0)


@pytest.mark.slow
def test_random_layers_equal_the_reference(cpp_sweep):
    cpp_sweep("dense", "2000")
