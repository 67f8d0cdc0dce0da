"""Dense layers refuse what does not fit before anything is written."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import fanin as fi


def arrays():
    x, w, b, da = np.ones((4, 3)), np.ones((2, 3)), np.ones(2), np.ones((4, 2))
    return {"x": x, "w": w, "b": b, "da": da, "z": np.ones((4, 2))}


def call_forward(**changes):
    kept = {k: v for k, v in arrays().items() if k in ("x", "w", "b")}
    return fi.dense_forward(**{**kept, **changes})


def call_backward(**changes):
    kept = {k: v for k, v in arrays().items() if k != "b"}
    return fi.dense_backward(**{**kept, "activation": "tanh", **changes})


def read_only(shape):
    a = np.zeros(shape)
    a.flags.writeable = False
    return a


@pytest.mark.parametrize(
    ("call", "changes", "error", "message"),
    [
        (call_forward, {"w": np.ones((3, 2))}, ValueError, "w must have shape (n_out, n_in) = (3, 3), got (3, 2)"),
        (call_forward, {"b": np.ones(3)}, ValueError, "b must have shape (n_out,) = (2,), got (3,)"),
        (call_forward, {"b": np.ones((2, 1))}, ValueError, "b must have shape (n_out,), got (2, 1)"),
        (call_forward, {"x": np.ones(3)}, ValueError, "x must have shape (batch, n_in), got (3,)"),
        (call_forward, {"out_a": np.zeros((2, 4))}, ValueError, "out_a must have shape (batch, n_out) = (4, 2), got (2, 4)"),
        (call_forward, {"out_a": read_only((4, 2))}, ValueError, "out_a must be writable, got a read-only array"),
        (call_forward, {"out_z": np.zeros((4, 3))}, ValueError, "out_z must have shape (batch, n_out) = (4, 2), got (4, 3)"),
        (call_forward, {"out_a": np.zeros((4, 2), "f4")}, TypeError, "out_a must have dtype float64 like x, got float32"),
        (call_forward, {"w": np.ones((2, 3), "f4")}, TypeError, "w must have dtype float64 like x, got float32"),
        (call_forward, {"x": np.ones((4, 3), "i4")}, TypeError, "x must have dtype float32 or float64, got int32"),
        (call_forward, {"x": [[1.0, 2.0, 3.0]]}, TypeError, "x must be a NumPy array, got list"),
        (call_forward, {"activation": "relo"}, ValueError, "relu"),
        (call_backward, {"da": np.ones((4, 3))}, ValueError, "da must have shape (batch, n_out) = (4, 2), got (4, 3)"),
        (call_backward, {"z": np.ones((2, 4))}, ValueError, "z must have shape (batch, n_out) = (4, 2), got (2, 4)"),
        (call_backward, {"z": None}, ValueError, "z must be given with activation 'tanh'"),
        (call_backward, {"out_db": np.zeros(3)}, ValueError, "out_db must have shape (n_out,) = (2,), got (3,)"),
        (call_backward, {"out_dx": np.zeros((3, 4))}, ValueError, "out_dx must have shape (batch, n_in) = (4, 3), got (3, 4)"),
        (call_backward, {"need": "dq"}, ValueError, "need must hold names among"),
        (call_backward, {"accumulate": True}, ValueError, "out_dx must be given, got None"),
    ],
)
def test_refused(call, changes, error, message):
    with pytest.raises(error) as raised:
        call(**changes)
    assert message in str(raised.value)


def test_overlap_is_refused_and_nothing_written():
    buffer = np.ones((8, 8))
    before = buffer.copy()
    x, w = buffer[:4, :3], buffer[4:6, :3]
    for name, out in {"x": buffer[:4, 1:3], "w": buffer[4:, 2:4]}.items():
        with pytest.raises(ValueError, match=f"out_a must not overlap {name}"):
            fi.dense_forward(x, w, out_a=out)
    a = np.zeros((4, 2))
    with pytest.raises(ValueError, match="out_z must not overlap out_a"):
        fi.dense_forward(x, w, out_a=a, out_z=a[::-1])
    with pytest.raises(ValueError, match="out_dw must not overlap out_dx"):
        fi.dense_backward(np.ones((4, 2)), x, w, None, out_dx=buffer[4:, 4:7], out_dw=buffer[6:, 5:8])
    with pytest.raises(ValueError, match="out_a must have a place for each element"):
        fi.dense_forward(x, w, out_a=np.lib.stride_tricks.as_strided(a, (4, 2), (0, 8)))
    np.testing.assert_array_equal(buffer, before)
    assert not a.any()
    fi.dense_forward(x, w, out_a=buffer[:4, 4:6], out_z=buffer[:4, 6:8])  # column ranges of one matrix are apart


def test_signatures_are_keyword_only_after_the_arrays():
    for f, n in ((fi.dense_forward, 3), (fi.dense_backward, 4)):
        kinds = [p.kind for p in inspect.signature(f).parameters.values()]
        assert all(kind is inspect.Parameter.KEYWORD_ONLY for kind in kinds[n:])
