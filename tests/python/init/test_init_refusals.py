"""Laws of weights refuse bad input before anything is written, and say what was probably meant."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fanin as fi

BIG = (2**40, 2**40)
W = (3, 4)
BAD: list[tuple[str, tuple[Any, ...], dict[str, Any], type[Exception], str]] = [
    ("he_normal", (W,), {"seed": 7}, ValueError, r"seed=7 needs stream= too.*stream='hidden1.weight'"),
    ("he_normal", (W,), {"stream": "a"}, ValueError, r"stream='a' needs seed= too"),
    ("he_normal", (W,), {"seed": 2**64, "stream": 0}, ValueError, r"seed must be an integer in \[0, 2\^64\)"),
    ("he_normal", (W,), {"seed": 1.0, "stream": 0}, TypeError, "seed must be an integer"),
    ("he_normal", (W,), {"seed": 1, "stream": "fanin/x"}, ValueError, "stream must not begin with 'fanin/'"),
    ("he_normal", ((3,),), {}, ValueError, r"at least 2 axes.*got \(3,\).*in_axis=0, out_axis=\(\)"),
    ("he_normal", ((),), {}, ValueError, r"at least 2 axes.*got \(\)"),
    ("he_normal", ((3, 0),), {}, ValueError, r"fan_in > 0 for he_normal, got \(3, 0\)"),
    ("he_normal", ((0, 3),), {"mode": "fan_out"}, ValueError, "fan_out > 0"),
    ("glorot_uniform", ((0, 0),), {}, ValueError, "fan_avg > 0"),
    ("he_normal", ((3, -4),), {}, ValueError, r"no negative lengths, got \(3, -4\)"),
    ("he_normal", (BIG,), {}, ValueError, r"fewer than 2\^63 elements"),
    ("normal", ((0, *BIG),), {}, ValueError, r"fewer than 2\^63 elements"),
    ("normal", ("ab",), {}, TypeError, "shape must be an integer or a tuple of integers, got 'ab'"),
    ("normal", ((3, 1.5),), {}, TypeError, "shape must be an integer or a tuple of integers"),
    ("he_normal", (W,), {"in_axis": 2}, ValueError, r"in_axis must name axes of shape \(3, 4\), got 2"),
    ("he_normal", (W,), {"in_axis": 0}, ValueError, "in_axis and out_axis must be different axes, got 0 and 0"),
    ("he_normal", (W,), {"mode": "fan"}, ValueError, "mode must be one of fan_in, fan_out, fan_avg, fan_geo_avg, got 'fan'"),
    ("he_normal", (W,), {"gain": -1}, ValueError, "gain must be finite and at least 0, got -1"),
    ("he_normal", (W,), {"gain": np.nan}, ValueError, "gain must be finite"),
    ("he_normal", (W,), {"gain": "tahn"}, ValueError, "gain, as a word, must be one of .* did you mean 'tanh'"),
    ("he_normal", (W,), {"gain": None}, TypeError, "gain must be a number or an activation's name, got None"),
    ("identity", ((2, 3, 4),), {}, ValueError, r"shape must be \(n_out, n_in\) for identity, got \(2, 3, 4\)"),
    ("normal", (W,), {"std": -1}, ValueError, "std must be finite and at least 0, got -1"),
    ("normal", (W,), {"mean": np.nan}, ValueError, "mean must be finite, got nan"),
    ("normal", (W,), {"std": 1e300}, ValueError, "numbers that float32 holds, got 1e.300"),
    ("constant", (W,), {"value": np.inf}, ValueError, "value must be finite, got inf"),
    ("uniform", (W,), {"low": 1, "high": 1}, ValueError, "low must be less than high, got low=1 and high=1"),
    ("uniform", (W,), {"low": 0, "high": 1e-60}, ValueError, "a float32 number between low and high"),
    ("normal", (W,), {"dtype": "int32"}, TypeError, "dtype must be float32, float64, float16 or bfloat16, got int32"),
    ("normal", (W,), {"dtype": "longdouble"}, TypeError, "dtype must be float32, float64, float16 or bfloat16, got"),
    (
        "normal",
        (W,),
        {"out": [0.0]},
        TypeError,
        "array, a buffer or a tensor with __dlpack__, got <class 'list'>",
    ),
    (
        "normal",
        (W,),
        {"out": np.zeros(W, np.int32)},
        TypeError,
        "must have dtype float32, float64, float16 or bfloat16, got int32",
    ),
    (
        "normal",
        (W,),
        {"out": np.zeros(W, ">f4")},
        TypeError,
        "must have dtype float32, float64, float16 or bfloat16, got >f4",
    ),
    ("normal", (W,), {"out": np.zeros(W), "dtype": "float32"}, TypeError, "out must have dtype float32 as stated, got float64"),
    ("normal", (W,), {"out": np.zeros(W, "u2")}, TypeError, "out must have dtype .*, got uint16"),
    ("normal", (W,), {"out": np.zeros(W, "u2"), "dtype": "float32"}, TypeError, "out must have dtype .*, got uint16"),
    ("normal", (W,), {"out": np.zeros(W, "f2"), "dtype": "bfloat16"}, TypeError, "dtype bfloat16 as stated, got float16"),
    ("normal", (W,), {"out": bytes(48)}, TypeError, "out must have dtype .*, got uint8"),
    (
        "normal",
        (W,),
        {"std": 1e4, "dtype": "float16"},
        ValueError,
        "draws that float16 holds, got numbers up to 67700",
    ),
    ("normal", (W,), {"std": 1e38}, ValueError, "must have draws that float32 holds"),
    ("constant", (W,), {"value": 7e4, "dtype": "float16"}, ValueError, "draws that float16 holds, got numbers up to 70000"),
    ("normal", (W,), {"in_axis": 7}, ValueError, r"in_axis must name axes of shape \(3, 4\), got 7"),
    ("normal", (W,), {"batch_axis": 2}, ValueError, r"batch_axis must name axes of shape \(3, 4\), got 2"),
    ("normal", (W,), {"batch_axis": 0}, ValueError, "in_axis, out_axis and batch_axis must be different axes, got 1, 0 and 0"),
    ("truncated_normal", (W,), {"lower": 2, "upper": 2}, ValueError, "lower must be less than upper, got lower=2 and upper=2"),
    ("truncated_normal", (W,), {"lower": np.nan}, ValueError, "lower must be a number of sigmas, got nan"),
    ("truncated_normal", (W,), {"std": -1}, ValueError, "std must be finite and at least 0, got -1"),
    ("truncated_normal", (W,), {"lower": 1e9, "upper": 2e9}, ValueError, "lower and upper must leave a part of"),
    ("truncated_normal", (W,), {"corrected": 1}, ValueError, "corrected must be one of true, false, got '1'"),
    ("sparse", (W,), {"sparsity": 1.1}, ValueError, r"sparsity must be in \[0, 1\], got 1.1"),
    ("sparse", (W,), {"sparsity": 0.5, "std": -1}, ValueError, "std must be finite and at least 0"),
    ("sparse", ((2, 3, 4),), {"sparsity": 0.5}, ValueError, r"shape must be \(n_out, n_in\) for sparse, got \(2, 3, 4\)"),
    ("variance_scaling", (W,), {"scale": -1}, ValueError, "scale must be finite and at least 0, got -1"),
    (
        "variance_scaling",
        (W,),
        {"distribution": "truncated_normal"},
        ValueError,
        "distribution must be one of normal, uniform, truncated",
    ),
    ("variance_scaling", ((0, 3),), {"mode": "fan_geo_avg"}, ValueError, "fan_geo_avg > 0"),
    ("he_normal", (W,), {"gain": [1]}, TypeError, r"gain must be a number or an activation's name, got \[1\]"),
    ("normal", (W,), {"out": np.zeros((4, 3))}, ValueError, r"out must have shape \(3, 4\), got \(4, 3\)"),
    ("normal", (W,), {"out": np.zeros(W), "block": (0, slice(None))}, ValueError, r"out must have shape \(1, 4\)"),
    ("normal", (W,), {"out": np.broadcast_to(np.float32(0), W)}, ValueError, "out must be writable"),
    ("normal", (W,), {"block": (slice(None),)}, ValueError, "one slice an axis, 2 in all"),
    ("normal", (W,), {"block": (slice(0, 4), 0)}, ValueError, "inside the shape: axis 0 has length 3, got slice"),
    ("normal", (W,), {"block": (slice(-4, None), 0)}, ValueError, "inside the shape"),
    ("normal", (W,), {"block": (3, 0)}, ValueError, "inside the shape: axis 0 has length 3, got 3"),
    ("normal", (W,), {"block": (slice(0, 3, 2), 0)}, ValueError, "slices of step 1"),
    ("normal", (W,), {"block": (slice(2, 1), 0)}, ValueError, "start before they stop"),
    ("normal", (W,), {"block": "ab"}, TypeError, "block must be a tuple of slices"),
    ("normal", (W,), {"block": (0, None)}, TypeError, "block must hold slices or integers, got None"),
]


@pytest.mark.parametrize(("law", "args", "options", "error", "message"), BAD)
def test_bad_input_is_refused(
    law: str, args: tuple[Any, ...], options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        getattr(fi.init, law)(*args, **options)


def test_nothing_is_written_before_an_error() -> None:
    memory = np.full(12, 42, np.float32)
    out = memory.reshape(3, 4)
    for options in [{"std": 1e300}, {"seed": 1}, {"block": (slice(0, 4), 0)}, {"in_axis": 7}]:
        with pytest.raises(ValueError):  # noqa: PT011
            fi.init.normal((3, 4), out=out, **options)
    overlapping = np.lib.stride_tricks.as_strided(memory, (3, 4), (4, 4))
    with pytest.raises(ValueError, match="out must have a place for each element, got elements that overlap"):
        fi.init.normal((3, 4), out=overlapping)
    records = np.zeros(4, [("tag", "u1"), ("w", "f4")])["w"]
    with pytest.raises(ValueError, match="out must be aligned"):
        fi.init.normal(4, out=records)
    assert (memory == 42).all()


@pytest.mark.parametrize(
    ("peer", "meant"),
    [
        ("kaiming_normal", "he_normal"),
        ("kaiming_uniform_", "he_uniform"),
        ("xavier_normal_", "glorot_normal"),
        ("xavier", "xavier_normal"),
        ("glorot", "glorot_normal"),
        ("eye", "identity"),
        ("orthogonal_", "orthogonal"),
        ("trunc_normal_", "truncated_normal"),
        ("sparse_", "sparse"),
        ("he_norml", "he_normal"),
    ],
)
def test_peers_names(peer: str, meant: str) -> None:
    with pytest.raises(AttributeError, match=f"did you mean '{meant}'"):
        getattr(fi.init, peer)
    with pytest.raises(ValueError, match=f"law must be one of .*got '{peer}': did you mean '{meant}'"):
        fi.init.law(f"{peer}(gain=2)")
    assert not hasattr(fi.init, peer)


@pytest.mark.parametrize("peer", ["delta_orthogonal"])
def test_names_without_a_law_say_why(peer: str) -> None:
    with pytest.raises(ValueError, match=rf"got '{peer}' \(") as info:
        fi.init.law(peer)
    assert "did you mean" not in str(info.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "law must look like 'he_normal' or"),
        ("he_normal(", "law must look like"),
        ("he_normal)", "law must look like"),
        ("normal(0.01)", "parameters have names, as std=0.01"),
        ("normal(std=)", "law must look like"),
        ("normal(stddev=1)", "parameter of normal must be one of mean, std, got 'stddev': did you mean 'std'"),
        ("normal(std=1, std=2)", "normal got std twice"),
        ("normal(std=wide)", "std must be a number, got 'wide'"),
        ("truncated_normal(a=-2)", "parameter of truncated_normal must be one of .* did you mean 'lower'"),
        ("sparse", r"sparse needs sparsity=: write sparse\(sparsity=0.8\)"),
        ("zeros(value=1)", "zeros takes no parameters, got 'value'"),
        ("constant", r"constant needs value=: write constant\(value=-0.3\)"),
        ("uniform", "uniform needs low=: write uniform.*fan_in_uniform"),
    ],
)
def test_bad_texts(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fi.init.law(text)


def test_a_law_is_a_text_a_law_or_a_function() -> None:
    for like in (3, None, len, fi.init.describe):
        with pytest.raises(TypeError, match="law must be a text such as"):
            fi.init.law(like)  # type: ignore[arg-type]


def test_an_unknown_keyword_is_named_with_its_law():
    with pytest.raises(TypeError, match=r"^he_normal\(\) got an unexpected keyword argument 'sead'$"):
        fi.init.he_normal((3, 4), sead=7)
