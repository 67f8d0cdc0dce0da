"""Theory beside the trace of a module: residual streams of linear layers, held against PyTorch."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch import nn
from torch.nn import functional

from fanin.interop import torch as ft

WIDTH, ROWS = 512, 200


class Block(nn.Module):
    """x + b g(a f(x)): f a norm, an activation or nothing."""

    def __init__(self, before, g):
        super().__init__()
        self.before, self.g = before, g
        self.a, self.b = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        return x + self.b(self.g(self.a(self.before(x))))


def traced(block, law="he_normal", blocks=8):
    net = nn.Sequential(nn.Linear(64, WIDTH), *[block() for _ in range(blocks)], nn.Linear(WIDTH, 10))
    ft.fill(net, {"*bias": "zeros", "*before*": "ones", "*": law}, seed=3)
    x, y = torch.randn(ROWS, 64, generator=torch.Generator().manual_seed(1)), torch.arange(ROWS) % 10
    return ft.trace(net, (x, y), functional.cross_entropy)


@pytest.mark.parametrize(
    "block",
    [
        lambda: Block(nn.Identity(), torch.relu),
        lambda: Block(torch.tanh, torch.tanh),
        lambda: Block(nn.LayerNorm(WIDTH), torch.relu),
        lambda: Block(nn.LayerNorm(WIDTH), nn.GELU()),
        lambda: Block(nn.RMSNorm(WIDTH), functional.silu),
    ],
    ids=["plain", "pre-activation", "LayerNorm", "LayerNorm, GELU", "RMSNorm"],
)
def test_a_stream_is_as_theory_expects(block):
    found = traced(block)
    assert not found.is_stack
    assert "expected" in str(found)
    # A mean square over 512 units has a relative scatter of about sqrt(2 / 512) = 6 %, its root of 3 %, and so do the layers
    # below, whose scatter adds up: sqrt(8) times that over the blocks. The output has 10 units: sqrt(2 / 10) / 2 = 22 %.
    for one in found.layers[:-1]:
        assert one.a.std == pytest.approx(one.expected_std, rel=0.12), one.name
        assert one.da.rms == pytest.approx(one.expected_da, rel=0.15), one.name
    for one in found.hidden[:-1]:
        assert one.backward_ratio == pytest.approx(one.expected_backward_ratio, rel=0.1), one.name


def test_hes_law_doubles_a_stream_at_every_block():
    """Zhang, Dauphin and Ma 2019, section 2: Var(x + F(x)) = 2 Var(x) with He's law and no normalization."""
    found = traced(lambda: Block(torch.relu, torch.relu))
    streams = [one for one in found.layers if one.kind == "sum"]
    variances = [one.expected.z_std**2 for one in (found.layers[0], *streams)]
    # The weights' own mean squares differ from the law's by 0.3 % at this width.
    assert np.allclose(np.diff(np.log(variances)), math.log(2), rtol=0.02)


def test_a_norm_makes_the_growth_linear():
    found = traced(lambda: Block(nn.LayerNorm(WIDTH), torch.relu))
    variances = [one.expected.z_std**2 for one in found.layers if one.kind == "sum"]
    assert np.allclose(np.diff(variances), 2, rtol=0.02)  # 1 after the norm, 2 after a, 1 after relu, 2 after b


class After(Block):
    def forward(self, x):
        return torch.relu(super().forward(x))


class Unknown(Block):
    def forward(self, x):
        return x + self.b(self.a(x).abs())


@pytest.mark.parametrize("block", [After, Unknown])
def test_what_is_not_understood_has_no_theory(block):
    found = traced(lambda: block(nn.Identity(), torch.relu))
    assert all(one.expected is None for one in found.layers)
    assert "expected" not in str(found)


def test_weights_used_twice_have_no_theory():
    shared = nn.Linear(WIDTH, WIDTH)

    def block():
        own = Block(nn.Identity(), torch.relu)
        own.b = shared
        return own

    assert all(one.expected is None for one in traced(block).layers)
