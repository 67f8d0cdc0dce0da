"""Small architectures in versions that are healthy or ill by construction."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

CLASSES = 10


def mlp(activation: type[nn.Module], gain: float, *, bias: float = 0.0, depth: int = 12, width: int = 128) -> nn.Module:
    """`depth` Linear layers; weights N(0, gain^2 / n_in)."""
    sizes = [64, *[width] * (depth - 1)]
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), activation()]
    net = nn.Sequential(*layers, nn.Linear(width, CLASSES))
    return scaled(net, gain, bias)


def scaled(net: nn.Module, gain: float, bias: float = 0.0) -> nn.Module:
    """Draw all weights of Linear, Conv and attention as N(0, gain^2 / n_in)."""
    for module in net.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            nn.init.normal_(module.weight, 0, gain / module.weight[0].numel() ** 0.5)
            if module.bias is not None:
                nn.init.constant_(module.bias, bias)
        if isinstance(module, nn.MultiheadAttention):
            nn.init.normal_(module.in_proj_weight, 0, gain / module.in_proj_weight.shape[1] ** 0.5)
    return net


class ResidualConv(nn.Module):
    """Two convolutions beside a skip, which is a convolution where the shape changes; ReLU is called as a function."""

    def __init__(self, n_in: int, n_out: int, stride: int, norm: bool, activation: object):
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride, 1, bias=not norm)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, 1, 1, bias=not norm)
        self.bn1 = nn.BatchNorm2d(n_out) if norm else nn.Identity()
        self.bn2 = nn.BatchNorm2d(n_out) if norm else nn.Identity()
        self.down = nn.Conv2d(n_in, n_out, 1, stride) if stride > 1 or n_in != n_out else nn.Identity()
        self.activation = activation

    def forward(self, x):
        y = self.activation(self.bn1(self.conv1(x)))
        return self.activation(self.bn2(self.conv2(y)) + self.down(x))


def resnet(gain: float = 2**0.5, *, norm: bool = True, activation: object = functional.relu, bias: float = 0.0) -> nn.Module:
    """A stem, and three stages of two blocks."""
    blocks, width = [], 16
    for stage in range(3):
        for block in range(2):
            n_out = 16 * 2**stage
            blocks.append(ResidualConv(width, n_out, 2 if stage and not block else 1, norm, activation))
            width = n_out
    stem = [nn.Conv2d(3, 16, 3, 1, 1, bias=not norm), nn.BatchNorm2d(16) if norm else nn.Identity(), nn.ReLU(inplace=True)]
    net = nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, CLASSES))
    scaled(net, gain, 0.0)
    if bias:
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.constant_(module.bias, bias)
    return net


class Encoder(nn.Module):
    """A transformer encoder before a mean and a Linear head; `damp` scales the stream after each sum."""

    def __init__(self, *, norm: bool = True, damp: float = 1.0, activation: object = functional.relu, layers: int = 6):
        super().__init__()
        self.layers = nn.ModuleList()
        for _ in range(layers):
            layer = nn.ModuleDict(
                {
                    "norm1": nn.LayerNorm(64) if norm else nn.Identity(),
                    "attention": nn.MultiheadAttention(64, 4, batch_first=True),
                    "norm2": nn.LayerNorm(64) if norm else nn.Identity(),
                    "up": nn.Linear(64, 256),
                    "down": nn.Linear(256, 64),
                }
            )
            self.layers.append(layer)
        self.norm = nn.LayerNorm(64) if norm else nn.Identity()
        self.head = nn.Linear(64, CLASSES)
        self.damp, self.activation = damp, activation

    def forward(self, x):
        for layer in self.layers:
            y = layer["norm1"](x)
            x = self.damp * (x + layer["attention"](y, y, y, need_weights=False)[0])
            x = self.damp * (x + layer["down"](self.activation(layer["up"](layer["norm2"](x)))))
        return self.head(self.norm(x).mean(dim=1))


def encoder(gain: float = 1.0, bias: float = 0.0, **options) -> nn.Module:
    net = scaled(Encoder(**options), gain)
    if bias:
        for layer in net.layers:
            nn.init.constant_(layer["up"].bias, bias)
    return net


class Residual(nn.Module):
    """Blocks x + W2 relu(W1 x) without normalization: the stream's variance doubles in each (Zhang et al. 2019)."""

    def __init__(self, blocks: int = 12, width: int = 128, scale: float = 1.0):
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width)) for _ in range(blocks)
        )
        self.head = nn.Linear(width, CLASSES)
        for block in self.blocks:
            nn.init.normal_(block[0].weight, 0, (2 / width) ** 0.5)
            nn.init.normal_(block[2].weight, 0, scale / width**0.5)
            nn.init.zeros_(block[0].bias)
            nn.init.zeros_(block[2].bias)

    def forward(self, x):
        for block in self.blocks:
            x = x + block(x)
        return self.head(x)


def rows(n: int = 64, width: int = 64):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(n, width, generator=generator), torch.randint(0, CLASSES, (n,), generator=generator)


def images(n: int = 16):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(n, 3, 16, 16, generator=generator), torch.randint(0, CLASSES, (n,), generator=generator)


def tokens(n: int = 16):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(n, 12, 64, generator=generator), torch.randint(0, CLASSES, (n,), generator=generator)
