"""`fill` and `describe`: every parameter of a module from the stream of its name, wherever it lies."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import pytest

import fanin as fi

torch = pytest.importorskip("torch")
ft = pytest.importorskip("fanin.interop.torch")
nn = torch.nn


def _small():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8, 4), nn.Tanh(), nn.Linear(4, 2)
    )


def _bits(module):
    return {name: p.detach().view(torch.uint8).tolist() for name, p in module.named_parameters()}


def test_each_parameter_has_the_bits_of_its_law_and_name():
    net = _small()
    plan = ft.fill(net, seed=3)
    for name, p in net.named_parameters():
        assert torch.equal(p, torch.from_numpy(plan.laws[name](tuple(p.shape), seed=3, stream=name))), name
    assert [repr(plan.laws[n]) for n in ("0.weight", "4.weight", "6.weight", "1.weight", "1.bias")] == [
        "he_normal",
        "xavier_normal(gain=tanh)",
        "xavier_normal",
        "ones",
        "zeros",
    ]


def test_a_part_alone_has_the_bits_that_it_has_in_the_whole():
    whole, part = nn.ModuleDict({"a": _small(), "b": _small()}), nn.ModuleDict({"b": _small()})
    ft.fill(whole, seed=1)
    ft.fill(part, seed=1)
    assert all(torch.equal(p, dict(whole.named_parameters())[name]) for name, p in part.named_parameters())


def test_rules_by_name_type_and_axes_come_before_the_defaults():
    net = _small()
    rules = [
        ("4.weight", "orthogonal"),
        (nn.Linear, "normal(std=0.01)"),
        ((nn.Conv2d,), "lecun_normal", {"in_axis": 0, "out_axis": 1}),
    ]
    plan = ft.describe(net, rules)
    assert repr(plan.laws["4.weight"]) == "orthogonal"
    assert repr(plan.laws["6.weight"]) == "normal(std=0.01)"
    assert repr(plan.laws["6.bias"]) == "zeros"  # a type is for all but biases
    assert plan.parameters[0].axes == {"in_axis": 0, "out_axis": 1}
    assert set(map(repr, ft.describe(net, "normal").laws.values())) == {"normal"}
    assert set(map(repr, ft.describe(net, {"*.bias": "ones", "*": "zeros"}).laws.values())) == {"ones", "zeros"}


def test_a_rule_for_one_parameter_must_find_it():
    for name, meant in (
        ("4.weights", r": did you mean '4.weight'\?"),
        ("embedding", r"; print\(describe\(module\)\) lists them"),
    ):
        with pytest.raises(ValueError, match=rf"rules must name parameters of the module, got '{name}'{meant}"):
            ft.fill(_small(), {name: "he_normal"}, seed=1)
    assert ft.describe(_small(), {"*embedding*": "he_normal"}).laws == ft.describe(_small()).laws
    reasons = {one.name: one.because for one in ft.describe(_small()).parameters}
    assert (reasons["4.weight"], reasons["6.weight"]) == ("tanh follows", "no activation found")


def test_describe_tells_everything_and_draws_nothing():
    net = _small()
    before = _bits(net)
    text = str(ft.plan(net))
    assert _bits(net) == before
    assert "0.weight" in text
    assert "relu follows" in text
    assert text.endswith(
        f"{sum(1 for _ in net.parameters())} parameters, {sum(p.numel() for p in net.parameters()):,} elements"
    )


def test_transposed_convolutions_count_their_fans_the_other_way():
    plan = ft.describe(nn.ConvTranspose2d(16, 4, 3))
    assert plan.parameters[0].n_var == pytest.approx(1)  # xavier_normal: n_in is 16 * 9
    assert plan.parameters[0].std == pytest.approx((16 * 9) ** -0.5)


@pytest.mark.parametrize(
    "module",
    [
        lambda: nn.LSTM(3, 4, 2, bidirectional=True, proj_size=2),
        lambda: nn.GRUCell(3, 4),
        lambda: nn.RNN(3, 4),
        lambda: nn.MultiheadAttention(8, 2, add_bias_kv=True, kdim=4, vdim=6),
        lambda: nn.TransformerDecoderLayer(8, 2, 16),
        lambda: nn.Bilinear(3, 4, 5),
        lambda: nn.Sequential(nn.PReLU(), nn.GroupNorm(2, 4), nn.InstanceNorm1d(4, affine=True), nn.Conv1d(4, 4, 3, groups=2)),
    ],
)
def test_every_kind_of_layer_has_a_default_of_the_right_size(module):
    net = module()
    plan = ft.fill(net, seed=1)
    assert set(plan.laws) == {name for name, _ in net.named_parameters()}
    for one in plan.parameters:
        if one.n_var is not None and "weight" in one.name and one.kind != "PReLU" and repr(one.law) != "ones":
            assert one.n_var == pytest.approx(1), one


def test_a_module_of_the_meta_device_gets_its_memory_here():
    with torch.device("meta"):
        net = _small().to(torch.bfloat16)
        net[0].weight.requires_grad_(False)
    ft.fill(net, seed=5)
    here = _small().to(torch.bfloat16)
    ft.fill(here, seed=5)
    assert _bits(net) == _bits(here)
    assert not net[0].weight.requires_grad
    assert net[1].running_var.tolist() == [1] * 8
    assert net[1].num_batches_tracked.device.type == "cpu"
    net(torch.randn(2, 3, 3, 3, dtype=torch.bfloat16))


def test_skip_init_and_to_empty_modules_are_filled():
    net = torch.nn.utils.skip_init(nn.Linear, 5, 3)
    ft.fill(net, seed=5)
    assert torch.equal(net.weight, torch.from_numpy(fi.init.xavier_normal((3, 5), seed=5, stream="weight")))


class _Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.head = nn.Embedding(10, 4, padding_idx=1), nn.Linear(4, 10, bias=False)
        self.head.weight = self.embedding.weight


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_tied_parameters_are_drawn_once_and_stay_tied(device):
    with torch.device(device):
        net = _Tied()
    plan = ft.fill(net, {"head.weight": "normal(std=2)"}, seed=1)
    assert net.head.weight is net.embedding.weight
    assert [(one.name, one.also) for one in plan.parameters] == [("embedding.weight", ("head.weight",))]
    drawn = torch.from_numpy(fi.init.normal((10, 4), std=2, seed=1, stream="embedding.weight"))
    drawn[1] = 0  # padding_idx
    assert torch.equal(net.head.weight, drawn)


@pytest.mark.parametrize("count", [1, 3, 8])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("law", ["he_normal", "orthogonal", "xavier_uniform", "truncated_normal"])
def test_shards_have_the_bits_of_the_whole(count, axis, law):
    shape = (19, 23)
    whole = torch.from_numpy(fi.init.law(law)(shape, seed=4, stream="weight"))
    at = 0
    for piece in whole.tensor_split(count, dim=axis):
        part = nn.Module()
        part.weight = nn.Parameter(torch.empty(piece.shape))
        cut = [slice(0, n) for n in shape]
        cut[axis] = slice(at, at + piece.shape[axis])
        at += piece.shape[axis]
        ft.fill(part, law, seed=4, block={"weight": (shape, tuple(cut))})
        assert torch.equal(part.weight, piece)


_RANK = """
import sys, torch, fanin as fi, fanin.interop.torch as ft
from torch import distributed as dist
from torch.distributed.tensor import DTensor, Shard
from torch.testing._internal.distributed.fake_pg import FakeStore
count, rank = map(int, sys.argv[1:])
dist.init_process_group("fake", rank=rank, world_size=count, store=FakeStore())
mesh = dist.init_device_mesh("cpu", (count,))
for axis in (0, 1):
    whole = torch.from_numpy(fi.init.he_normal((17, 23), seed=4, stream="weight"))
    piece = whole.chunk(count, dim=axis)[rank:rank + 1]
    piece = piece[0] if piece else whole.narrow(axis, 0, 0)
    part = torch.nn.Module()
    local = torch.full(piece.shape, torch.nan)
    part.weight = torch.nn.Parameter(DTensor.from_local(local, mesh, [Shard(axis)], shape=whole.shape, stride=whole.stride()))
    ft.fill(part, "he_normal", seed=4)
    assert torch.equal(part.weight.to_local(), piece), (axis, piece)
    ft.init.zeros_(part.weight)
    ft.init.kaiming_normal_(part.weight, nonlinearity="relu", seed=4, stream="weight")
    torch.testing.assert_close(part.weight.to_local(), piece, rtol=1e-6, atol=0)
"""


@pytest.mark.parametrize(("count", "rank"), [(1, 0), (3, 1), (8, 5), (8, 7)])  # of 8 shards of 17 rows, 6 or 7 hold any
def test_a_dtensor_gets_its_own_shard(count, rank):
    # A process for each rank: PyTorch keeps meshes that look alike.
    subprocess.run([sys.executable, "-c", _RANK, str(count), str(rank)], check=True)


def test_pieces_are_the_whole_and_progress_counts_them(monkeypatch):
    from fanin.interop.torch import drawing

    monkeypatch.setattr(drawing, "PIECE", 7)
    seen = []
    cut = nn.Linear(5, 6)
    ft.fill(cut, seed=2, progress=lambda *now: seen.append(now))
    monkeypatch.undo()
    whole = nn.Linear(5, 6)
    ft.fill(whole, seed=2)
    assert _bits(cut) == _bits(whole)
    assert seen[0] == ("weight", 0, 36)
    assert seen[-1] == ("bias", 36, 36)
    assert max(b[1] - a[1] for a, b in pairwise(seen)) <= 7


def test_without_a_seed_pytorchs_generator_decides():
    one, two, three = _small(), _small(), _small()
    torch.manual_seed(1)
    ft.fill(one)
    ft.fill(two)
    torch.manual_seed(1)
    ft.fill(three)
    assert _bits(one) == _bits(three) != _bits(two)


def test_running_statistics_start_anew():
    net = _small()
    net(torch.randn(4, 3, 3, 3) + 5)
    ft.fill(net, seed=1)
    assert net[1].running_mean.tolist() == [0] * 8
    assert net[1].num_batches_tracked == 0


class _Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.token = nn.Parameter(torch.zeros(1, 4))
        self.register_buffer("mask", torch.ones(3))


def test_refusals_come_before_anything_is_written():
    net = _small()
    before = _bits(net)
    for wrong, error, words in [
        ({"rules": [("4.weight", "orthogonal"), ("*", "he_normal")]}, ValueError, "'0.bias'"),
        ({"rules": [(3, "zeros")]}, TypeError, "pattern or module type"),
        ({"rules": [("*", "zeros", {"axis": 1})]}, ValueError, "in_axis"),
        ({"block": {"nobody": ((3,), (slice(0, 3),))}}, ValueError, "nobody"),
        ({"block": {"6.bias": ((4,), (slice(0, 3),))}}, ValueError, "cut out"),
    ]:
        with pytest.raises(error, match=words):
            ft.fill(net, seed=1, **wrong)
    assert _bits(net) == before
    with pytest.raises(ValueError, match=r"none for 'token' of _Own: add"):
        ft.fill(_Own())
    with torch.device("meta"), pytest.raises(ValueError, match="'mask' on the meta device"):
        ft.fill(_Own(), "normal")
    with pytest.raises(TypeError, match="module must be"):
        ft.fill({"w": torch.empty(3)})
    with pytest.raises(ValueError, match="one batch"):
        ft.fill(nn.LazyLinear(3))
    shared = _small()
    shared[6].bias = nn.Parameter(shared[4].bias.data[:2])
    with pytest.raises(ValueError, match="must not share memory"):
        ft.fill(shared, seed=1)
