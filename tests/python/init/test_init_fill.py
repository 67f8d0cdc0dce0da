"""`fi.init.fill`: rules, streams of the names, refusals before anything is written, files larger than a block."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fanin as fi
from fanin.init import _fill

RULES = [("*.bias", "zeros"), ("*norm*", "ones"), ("embed.*", "normal(std=0.02)"), ("*", "he_normal")]

# Two names whose 64-bit FNV-1a hashes are equal.
COLLIDING = ("8yn0iYCKYHlIj4-BwPqk", "GReLUrM4wMqfg9yzV3KQ")


def model(dtype: str = "float32") -> dict[str, np.ndarray]:
    shapes = {
        "embed.weight": (50, 16),
        "layers.0.weight": (64, 16),
        "layers.0.bias": (64,),
        "norm.weight": (64,),
        "layers.1.weight": (10, 64),
    }
    return {name: np.full(shape, 42, dtype) for name, shape in shapes.items()}


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_every_parameter_is_drawn_from_the_stream_of_its_name(dtype: str) -> None:
    parameters = model(dtype)
    laws = fi.init.fill(parameters, RULES, seed=7)
    assert list(laws) == list(parameters)
    assert [str(law) for law in laws.values()] == ["normal(std=0.02)", "he_normal", "zeros", "ones", "he_normal"]
    for name, array in parameters.items():
        np.testing.assert_array_equal(array, laws[name](array.shape, seed=7, stream=name, dtype=dtype))
    backwards = dict(reversed(model(dtype).items()))
    fi.init.fill(backwards, RULES, seed=7)
    alone = {"layers.1.weight": np.empty((10, 64), dtype)}
    fi.init.fill(alone, RULES, seed=7)
    for name, array in parameters.items():
        np.testing.assert_array_equal(backwards[name], array)
    np.testing.assert_array_equal(alone["layers.1.weight"], parameters["layers.1.weight"])


def test_first_match_wins_and_case_counts() -> None:
    arrays = {"A": np.empty((2, 2)), "a": np.empty((2, 2)), "b1": np.empty((2, 2)), "b2": np.empty((2, 2))}
    rules = [("A", "zeros"), ("b[12]", fi.init.ones), ("b*", "zeros"), ("?", fi.init.Law("constant", value=3))]
    fi.init.fill(arrays, rules, seed=0)
    assert [array[0, 0] for array in arrays.values()] == [0, 3, 1, 1]


def test_rules_with_axes() -> None:
    kernel = {"conv.kernel": np.empty((3, 3, 16, 32), np.float32)}
    axes = {"in_axis": 2, "out_axis": 3}
    fi.init.fill(kernel, [("*", "he_normal", axes)], seed=1)
    np.testing.assert_array_equal(
        kernel["conv.kernel"], fi.init.he_normal((3, 3, 16, 32), **axes, seed=1, stream="conv.kernel")
    )


def test_without_a_seed_fresh_entropy() -> None:
    draws = []
    for _ in range(2):
        arrays = {"a": np.empty((3, 3)), "b": np.empty((3, 3))}
        fi.init.fill(arrays, [("*", "normal")])
        draws += [arrays["a"], arrays["b"]]
    assert len({w.tobytes() for w in draws}) == 4


def test_empty_models_and_parameters() -> None:
    assert fi.init.fill({}, [], seed=0) == {}
    arrays = {"none": np.empty((0, 5)), "scalar": np.empty(())}
    fi.init.fill(arrays, [("none", "zeros"), ("*", "constant(value=2)")], seed=0, progress=lambda *_: None)
    assert arrays["scalar"] == 2


@pytest.mark.parametrize(
    ("change", "rules", "error", "message"),
    [
        ({}, RULES[:-1], ValueError, r"rules must match every parameter, got none for 'layers.0.weight', 'layers.1.weight'"),
        ({}, [("*", "he_normal")], ValueError, r"parameter 'layers.0.bias', he_normal: shape must have at least 2 axes"),
        ({}, [("*", "normal(std=1e39)")], ValueError, "parameter 'embed.weight'.*numbers that float32 holds"),
        ({}, [("*", "he_norml")], ValueError, "did you mean 'he_normal'"),
        ({}, ["zeros"], TypeError, r"rules must hold \(pattern, law\) or \(pattern, law, axes\), got 'zeros'"),
        ({}, [("*", "zeros", {"axis": 1})], ValueError, "axes of a rule must be among in_axis.*got axis"),
        ({"last": np.zeros(3, complex)}, RULES, TypeError, "parameter 'last', he_normal: out must have dtype"),
        ({"last": [1.0]}, RULES, TypeError, "parameter 'last'.*out must be a NumPy array"),
        ({"last.bias": np.broadcast_to(np.float32(1), 3)}, RULES, ValueError, "'last.bias', zeros: out must be writable"),
        ({3: np.zeros(3)}, RULES, TypeError, "parameters must have names, got the key 3"),
        ({"fanin/x": np.zeros(3)}, RULES, ValueError, "stream must not begin with 'fanin/'"),
        ({name: np.zeros((2, 2)) for name in COLLIDING}, RULES, ValueError, f"{COLLIDING[0]}.*{COLLIDING[1]}.*hash alike"),
    ],
)
def test_refusals_come_before_anything_is_written(change: Any, rules: Any, error: type[Exception], message: str) -> None:
    parameters = {**model(), **change}
    with pytest.raises(error, match=message):
        fi.init.fill(parameters, rules, seed=7)
    assert all((np.asarray(parameters[name]) == 42).all() for name in model())


def test_shared_memory_is_refused() -> None:
    memory = np.full((20, 30), 42.0)
    fi.init.fill(
        {"q": memory[:, :10], "k": memory[:, 10:20], "v": memory[:, 20:]}, [("*", "zeros")], seed=0
    )  # one beside other
    memory[...] = 42
    tied = {"embed": memory, "head": memory[:, ::-1], "other": np.zeros(3)}
    with pytest.raises(ValueError, match=r"must not share memory, got 'embed' and 'head'"):
        fi.init.fill(tied, [("*", "zeros")], seed=0)
    assert (memory == 42).all()


def test_bad_seeds() -> None:
    with pytest.raises(ValueError, match=r"seed must be an integer in \[0, 2\^64\)"):
        fi.init.fill(model(), RULES, seed=-1)


# ------------------------------------------------------------------------------------------------ blocks, files, progress


@pytest.mark.parametrize("law", ["he_normal", "truncated_normal", "identity", "sparse(sparsity=0.5)"])
def test_blocks_change_nothing(law: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_fill, "_BLOCK", 50)
    for array in (np.empty((13, 17)), np.empty((17, 13)).T, np.empty((4, 100)), np.empty((100, 4)).T):
        fi.init.fill({"w": array}, [("*", law)], seed=7)
        np.testing.assert_array_equal(array, fi.init.law(law)(array.shape, seed=7, stream="w", dtype="float64"))


def test_memory_mapped_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_fill, "_BLOCK", 5000)
    w = np.lib.format.open_memmap(tmp_path / "w.npy", "w+", np.float32, (300, 100))
    b = np.memmap(tmp_path / "b.bin", np.float32, "w+", shape=(123,))
    calls: list[tuple[str, int, int]] = []
    fi.init.fill({"w": w, "b": b}, [("b", "zeros"), ("w", "he_normal")], seed=7, progress=lambda *state: calls.append(state))
    assert calls[0] == ("w", 0, 30123)
    assert calls[1] == ("w", 5000, 30123)
    assert calls[-1] == ("b", 30123, 30123)
    expected = fi.init.he_normal((300, 100), seed=7, stream="w")
    np.testing.assert_array_equal(w, expected)  # the released pages come back from the file
    part = np.load(tmp_path / "w.npy", mmap_mode="r+")
    fi.init.fill({"v": part[100:200]}, [("*", "ones")], seed=0)
    del w, part
    stored = np.load(tmp_path / "w.npy")
    assert (stored[100:200] == 1).all()
    np.testing.assert_array_equal(stored[:100], expected[:100])
    np.testing.assert_array_equal(stored[200:], expected[200:])
    copy = np.load(tmp_path / "w.npy", mmap_mode="c")  # private pages must not be let go of
    fi.init.fill({"c": copy}, [("*", "constant(value=5)")], seed=0)
    assert (copy == 5).all()


def resident(kind: str) -> int:
    """Bytes of this process in memory: RssFile are those of mapped files."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(kind):
            return 1024 * int(line.split()[1])
    pytest.skip(f"no {kind} here")


def test_files_fill_in_bounded_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("no /proc here")
    monkeypatch.setattr(_fill, "_BLOCK", 1 << 18)
    w = np.memmap(tmp_path / "w.bin", np.float32, "w+", shape=(64, 1 << 16))  # 16 MB, blocks of 1 MB
    before, most = resident("RssFile"), []
    fi.init.fill({"w": w}, [("*", "he_normal")], seed=7, progress=lambda *_: most.append(resident("RssFile")))
    assert max(most) - before < 6 << 20


def test_progress_is_shown_on_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    fi.init.fill(model(), RULES, seed=7, progress=True)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setitem(sys.modules, "rich.console", None)
    fi.init.fill(model(), RULES, seed=7, progress=True)
    assert "layers.1.weight  elements 2592 of 2592" in capsys.readouterr().err


def test_one_law_or_a_mapping_of_rules() -> None:
    one, several = model(), model()
    fi.init.fill({"w": one["norm.weight"]}, "normal(std=2)", seed=7)
    np.testing.assert_array_equal(one["norm.weight"], fi.init.normal(64, std=2, seed=7, stream="w"))
    laws = fi.init.fill(several, {"*.bias": "zeros", "*norm*": fi.init.ones, "*": fi.init.Law("he_normal", gain=2)}, seed=7)
    assert [str(one) for one in laws.values()] == [
        "he_normal(gain=2)",
        "he_normal(gain=2)",
        "zeros",
        "ones",
        "he_normal(gain=2)",
    ]


def test_a_leading_star_and_dot_stand_for_nothing_too() -> None:
    named = {name: np.full(3, 42.0) for name in ("bias", "a.bias", "a.b.bias", "in_proj_bias")}
    fi.init.fill(named, {"*.bias": "zeros", "*": "ones"}, seed=7)
    assert [array[0] for array in named.values()] == [0, 0, 0, 1]


def test_counters_stay() -> None:
    state = {"weight": np.zeros((2, 2)), "num_batches_tracked": np.array(7), "mask": np.array([True])}
    assert list(fi.init.fill(state, "ones", seed=7)) == ["weight"]
    assert (state["num_batches_tracked"], state["mask"][0]) == (7, True)


@pytest.mark.parametrize("law", ["he_normal", "orthogonal", "sparse(sparsity=0.5)", "truncated_normal"])
def test_shards_have_the_bits_of_the_whole(law: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {"w": np.empty((60, 40), np.float32)}
    fi.init.fill(whole, law, seed=7)
    monkeypatch.setattr(_fill, "_BLOCK", 300)  # blocks inside the shard
    for cut in [(slice(0, 20), slice(None)), (slice(20, None), slice(10, 40)), (59, slice(3, 4))]:
        bounds = [slice(c, c + 1) if isinstance(c, int) else c for c in cut]
        shard = np.empty_like(whole["w"][tuple(bounds)])
        fi.init.fill({"w": shard}, law, seed=7, block={"w": ((60, 40), cut)})
        np.testing.assert_array_equal(shard, whole["w"][tuple(bounds)])


@pytest.mark.parametrize(
    ("block", "error", "match"),
    [
        ({"v": ((4, 4), (slice(0, 2), slice(0, 2)))}, ValueError, "block must name parameters, got 'v'"),
        ({"w": (slice(0, 2), slice(0, 2))}, TypeError, "slice"),
        ({"w": ((4, 4), (slice(0, 3), slice(0, 2)))}, ValueError, r"block must cut out the shape of the array, \(2, 2\)"),
        ({"w": ((4, 4), (slice(0, 4, 2), slice(0, 2)))}, ValueError, "slices of step 1"),
        ({"w": ((4,), (slice(0, 2),))}, ValueError, "a slice for each axis"),
        ({"w": 3}, TypeError, r"block must be \(shape of the whole, block\)"),
    ],
)
def test_blocks_that_do_not_fit_are_refused(block: Any, error: type[Exception], match: str) -> None:
    w = np.full((2, 2), 42.0)
    with pytest.raises(error, match=match):
        fi.init.fill({"w": w}, "ones", seed=7, block=block)
    assert (w == 42).all()


def test_modules_and_pairs_of_pytorch() -> None:
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3))
    laws = fi.init.fill(model, {"*bias": "zeros", "1.weight": "ones", "*": "he_normal"}, seed=7)
    assert list(laws) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    np.testing.assert_array_equal(model[0].weight.detach().numpy(), fi.init.he_normal((3, 4), seed=7, stream="0.weight"))
    again = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3))
    fi.init.fill(again.named_parameters(), {"*bias": "zeros", "1.weight": "ones", "*": "he_normal"}, seed=7)
    assert torch.equal(again[0].weight, model[0].weight)
    fi.init.fill(model.state_dict(), "zeros", seed=7)  # running statistics are floats, num_batches_tracked is not
    assert model[0].weight.count_nonzero() == 0


def test_autograd_of_pytorch_sees_the_write() -> None:
    torch = pytest.importorskip("torch")
    w = torch.ones((3, 3), requires_grad=True)
    before, y = w._version, (w * w).sum()
    fi.init.fill({"w": w}, "he_normal", seed=7)
    assert w._version == before + 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()
    fi.init.he_normal((3, 3), seed=7, stream="w", out=w)
    assert w._version == before + 2


def test_tensors_of_pytorch_without_memory_are_refused() -> None:
    torch = pytest.importorskip("torch")
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        fake = torch.empty(3, 3)
    for tensor, match in [
        (torch.empty((3, 3), device="meta"), "out must have memory, got a tensor on the meta device"),
        (torch.eye(3).to_sparse(), "out must be a dense array, got the layout torch.sparse_coo"),
        (fake, "out must have memory of its own, got a FakeTensor"),
    ]:
        with pytest.raises(ValueError, match=match):
            fi.init.fill({"w": tensor}, "he_normal", seed=7)
        with pytest.raises(ValueError, match=match):
            fi.init.he_normal((3, 3), seed=7, stream="w", out=tensor)


@pytest.mark.filterwarnings("ignore")
def test_a_dtensor_is_refused_and_its_local_part_filled(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    dist = pytest.importorskip("torch.distributed")
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import DTensor, Shard

    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    try:
        mesh = init_device_mesh("cpu", (1,))
        whole = DTensor.from_local(torch.zeros(4, 3), mesh, [Shard(0)])
        with pytest.raises(ValueError, match=r"got a DTensor: pass out.to_local\(\) and block="):
            fi.init.fill({"w": whole}, "he_normal", seed=7)
        assert whole.to_local().count_nonzero() == 0
        fi.init.fill({"w": whole.to_local()}, "he_normal", seed=7, block={"w": ((8, 3), (slice(4, 8), slice(None)))})
        expected = fi.init.he_normal((8, 3), seed=7, stream="w")[4:]
        np.testing.assert_array_equal(whole.to_local().numpy(), expected)
    finally:
        dist.destroy_process_group()
