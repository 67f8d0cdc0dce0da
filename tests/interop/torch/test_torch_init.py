"""`fanin.interop.torch.init`: PyTorch's names and semantics, fanin's bits."""

from __future__ import annotations

import inspect
import subprocess
import sys

import numpy as np
import pytest

import fanin as fi

torch = pytest.importorskip("torch")
init = pytest.importorskip("fanin.interop.torch").init

KEY = {"seed": 7, "stream": "w"}
DTYPES = ["float32", "float64", "float16", "bfloat16"]


def test_every_name_of_pytorch_is_there_with_its_arguments_and_defaults():
    for name in torch.nn.init.__all__:
        theirs, ours = getattr(torch.nn.init, name), getattr(init, name)
        if not name.endswith("_"):  # PyTorch's deprecated names take whatever comes
            continue
        expected = [(p.name, p.default) for p in inspect.signature(theirs).parameters.values()]
        found = [(p.name, p.default) for p in inspect.signature(ours).parameters.values() if p.name not in ("seed", "stream")]
        assert found == expected, name
    assert set(torch.nn.init.__all__) == set(init.__all__)


@pytest.mark.parametrize(
    ("call", "law"),
    [
        (lambda t: init.normal_(t, 0.5, 0.02, **KEY), "normal(mean=0.5,std=0.02)"),
        (lambda t: init.uniform_(t, -1, 3, **KEY), "uniform(low=-1,high=3)"),
        (lambda t: init.xavier_normal_(t, 2.0, **KEY), "glorot_normal(gain=2)"),
        (lambda t: init.xavier_uniform_(t, **KEY), "glorot_uniform"),
        (
            lambda t: init.kaiming_normal_(t, mode="fan_out", nonlinearity="tanh", **KEY),
            "xavier_normal(gain=1.6666666666666667,mode=fan_out)",
        ),
        (lambda t: init.kaiming_uniform_(t, a=5**0.5, **KEY), "fan_in_uniform"),
        (lambda t: init.orthogonal_(t, 2, **KEY), "orthogonal(gain=2)"),
        (lambda t: init.trunc_normal_(t, 0.0, 0.5, -1.0, 1.0, **KEY), "truncated_normal(std=0.5)"),
    ],
)
@pytest.mark.parametrize("dtype", DTYPES)
def test_seeded_draws_have_the_bits_of_the_laws(call, law, dtype):
    own = torch.full((6, 4, 3), torch.nan, dtype=getattr(torch, dtype))
    expected = torch.empty_like(own)
    fi.init.law(law)(own.shape, **KEY, out=expected, dtype=dtype)
    assert call(own) is own
    # fan_in_uniform has the bound 1 / sqrt(n), Kaiming of a=sqrt(5) has sqrt(3 / n) sqrt(2 / 6): the last bit may differ.
    torch.testing.assert_close(own, expected, rtol=2 * torch.finfo(own.dtype).eps if law == "fan_in_uniform" else 0, atol=0)


def test_without_a_seed_pytorchs_generator_decides():
    torch.manual_seed(3)
    one, two = init.normal_(torch.empty(50)), init.normal_(torch.empty(50))
    torch.manual_seed(3)
    assert torch.equal(one, init.normal_(torch.empty(50)))
    assert not torch.equal(one, two)
    own = torch.Generator().manual_seed(3)
    assert torch.equal(one, init.normal_(torch.empty(50), generator=own))


def test_seed_and_stream_come_together_and_without_a_generator():
    with pytest.raises(ValueError, match="seed needs stream"):
        init.normal_(torch.empty(3), seed=1)
    with pytest.raises(ValueError, match="stream needs seed"):
        init.normal_(torch.empty(3), stream="w")
    with pytest.raises(ValueError, match="generator must be left out"):
        init.normal_(torch.empty(3), generator=torch.Generator(), **KEY)


def test_any_strides_and_a_view_of_a_larger_tensor():
    whole = torch.zeros(8, 10, 6)
    view = whole.permute(2, 0, 1)[::2, 1:, 3:8]
    init.xavier_normal_(view, **KEY)
    assert torch.equal(view, init.xavier_normal_(torch.empty(view.shape), **KEY))
    assert whole.count_nonzero() == view.numel()


def test_parameters_are_written_outside_autograd_and_their_version_rises():
    p = torch.nn.Parameter(torch.ones(4, 4))
    y = (p * p).sum()
    before = p._version
    init.kaiming_normal_(p)
    assert p._version > before
    assert p.grad_fn is None
    assert p.requires_grad
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_what_cannot_be_written_in_place_is_drawn_in_pieces_and_copied(monkeypatch):
    from fanin.interop.torch import drawing

    monkeypatch.setattr(drawing, "PIECE", 7)
    small = torch.empty(5, 3, 2, dtype=torch.float8_e4m3fn)
    init.normal_(small, **KEY)
    whole = torch.from_numpy(fi.init.normal((5, 3, 2), **KEY))
    assert torch.equal(small.float(), whole.to(torch.float8_e4m3fn).float())
    scalar = init.uniform_(torch.empty(()), **KEY)
    assert scalar == torch.from_numpy(np.asarray(fi.init.uniform((), low=0, high=1, **KEY)))


def test_the_meta_device_and_empty_tensors_stay():
    meta = torch.empty(3, 4, device="meta")
    for name in ("normal_", "xavier_uniform_", "kaiming_normal_", "orthogonal_", "trunc_normal_", "eye_"):
        assert getattr(init, name)(meta) is meta
    with pytest.warns(UserWarning, match="no-op"):
        init.kaiming_uniform_(torch.empty(0, 3))
    init.orthogonal_(torch.empty(0, 3))


@pytest.mark.parametrize("dtype", DTYPES)
def test_truncation_bounds_are_values_and_hold(dtype):
    t = torch.empty(100_000, dtype=getattr(torch, dtype))
    init.trunc_normal_(t, 1 / 3, 0.1, 0.3, 0.7, **KEY)
    low, high = torch.tensor([0.3, 0.7], dtype=t.dtype)
    assert low <= t.min()
    assert t.max() <= high


def test_degenerate_arguments_do_as_pytorchs():
    assert init.uniform_(torch.empty(3), 2, 2).tolist() == [2, 2, 2]
    assert init.normal_(torch.empty(3), 2, 0).tolist() == [2, 2, 2]
    assert init.zeros_(torch.empty(3, dtype=torch.int64)).tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="low"):
        init.uniform_(torch.empty(3), 2, 1)
    with pytest.raises(TypeError, match="float dtype"):
        init.normal_(torch.empty(3, dtype=torch.int64))
    with pytest.raises(ValueError, match="mode"):
        init.kaiming_normal_(torch.empty(3, 3), mode="fan_avg")


def test_dirac_and_eye_are_pytorchs():
    for shape, groups in [((4, 3, 3), 1), ((6, 2, 4, 5), 3), ((2, 5, 3, 3, 2), 2)]:
        assert torch.equal(init.dirac_(torch.rand(shape), groups), torch.nn.init.dirac_(torch.rand(shape), groups))
    assert torch.equal(init.eye_(torch.rand(3, 5)), torch.eye(3, 5))
    with pytest.raises(ValueError, match="divisible"):
        init.dirac_(torch.empty(4, 3, 3), groups=3)


def test_without_pytorch_the_import_says_what_to_install():
    code = (
        "import sys; sys.modules['torch'] = None\ntry:\n    import fanin.interop.torch\nexcept ImportError as e:\n    print(e)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "pip install 'fanin[torch]'" in out


def test_fanin_itself_imports_no_framework():
    code = (
        "import sys, fanin, fanin.interop; print([m for m in ('torch', 'jax', 'keras', 'sklearn', 'dask') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
