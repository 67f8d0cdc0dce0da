"""What fanin costs beside PyTorch: filling a GPT, tracing a module, watching a loop. CPU time, least of interleaved runs.

python benchmarks/interop_torch.py fill normal     # a GPT of 1.3e9 parameters by fill; or by torch.nn.init: normal, trunc
python benchmarks/interop_torch.py trace 8         # a trace over one forward and backward pass, 8 runs of each
python benchmarks/interop_torch.py watch 4         # a loop of 50 steps with and without watch(every=50)
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

import fanin as fi
from fanin.interop import torch as ft

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "interop" / "torch"))
import architectures as made


def cpu() -> float:
    """Return the CPU time of the process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Block(nn.Module):
    """One block of a GPT, for its parameters."""

    def __init__(self, width: int):
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)


def gpt(width: int = 2048, layers: int = 24) -> nn.ModuleDict:
    """Return a GPT of 1.316e9 parameters on the meta device, bfloat16, its head tied to its embedding."""
    with torch.device("meta"):
        parts = {
            "wte": nn.Embedding(50257, width),
            "wpe": nn.Embedding(2048, width),
            "h": nn.ModuleList(Block(width) for _ in range(layers)),
            "ln": nn.LayerNorm(width),
            "head": nn.Linear(width, 50257, bias=False),
        }
    parts["head"].weight = parts["wte"].weight
    return nn.ModuleDict(parts).to(torch.bfloat16)


def by_torch(net: nn.Module, draw: Callable[[torch.Tensor], object]) -> None:
    """Materialize every parameter and draw it by torch.nn.init."""
    made_here: dict[int, nn.Parameter] = {}
    for module in net.modules():
        for name, old in list(module._parameters.items()):
            if old is None:
                continue
            if id(old) not in made_here:
                made_here[id(old)] = new = nn.Parameter(torch.empty_like(old, device="cpu"))
                (nn.init.zeros_ if name == "bias" else nn.init.ones_ if isinstance(module, nn.LayerNorm) else draw)(new)
            module._parameters[name] = made_here[id(old)]


def fill(peer: str) -> None:
    """Time one way in this process: its memory is that of the process."""
    net = gpt()
    count = sum(p.numel() for p in net.parameters())
    used, start = resource.getrusage(resource.RUSAGE_SELF), cpu()
    if peer == "fanin":
        ft.fill(net, {"*bias": "zeros", "*ln*": "ones", "*": "normal(std=0.02)"}, seed=1)
    elif peer == "trunc":
        by_torch(net, lambda p: nn.init.trunc_normal_(p, std=0.02, a=-0.04, b=0.04))
    else:
        by_torch(net, lambda p: nn.init.normal_(p, std=0.02))
    now = resource.getrusage(resource.RUSAGE_SELF)
    grown = (now.ru_maxrss - used.ru_maxrss) * 1024 / (2 * count)
    user = now.ru_utime - used.ru_utime
    print(
        f"{peer}: {count:.4g} parameters, CPU {cpu() - start:.2f} s, user {user:.2f} s, memory {grown:.3f} of the parameters'"
    )


CASES = {
    "MLP, 12 layers of 512, 256 rows": lambda: (
        made.mlp(nn.ReLU, 2**0.5, width=512),
        (torch.randn(256, 64), torch.randint(0, 10, (256,))),
    ),
    "ResNet, 64 images of 32x32": lambda: (made.resnet(), (torch.randn(64, 3, 32, 32), torch.randint(0, 10, (64,)))),
    "encoder, 64 sequences of 32": lambda: (made.encoder(), (torch.randn(64, 32, 64), torch.randint(0, 10, (64,)))),
}


def steps(net: nn.Module, batch: tuple[torch.Tensor, torch.Tensor], count: int) -> None:
    """Train."""
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    for _ in range(count):
        optimizer.zero_grad()
        functional.cross_entropy(net(batch[0]), batch[1]).backward()
        optimizer.step()


def interleaved(runs: int, *ways: Callable[[], object]) -> list[float]:
    """Return the least CPU time of each way."""
    best = [float("inf")] * len(ways)
    for _ in range(runs):
        for i, way in enumerate(ways):
            start = cpu()
            way()
            best[i] = min(best[i], cpu() - start)
    return best


def main() -> None:
    """Run what was asked for."""
    what, argument = sys.argv[1:]
    if what == "fill":
        fill(argument)
        return
    torch.set_num_threads(1)  # two pools of threads on few cores wait for each other
    fi.set_num_threads(1)
    for name, make in CASES.items():
        net, (x, y) = make()
        if what == "trace":
            one, full, few = interleaved(
                int(argument),
                lambda net=net, x=x, y=y: functional.cross_entropy(net(x), y).backward(),
                lambda net=net, x=x, y=y: ft.trace(net, (x, y), functional.cross_entropy),
                lambda net=net, x=x, y=y: ft.trace(net, (x, y), functional.cross_entropy, stats="moments"),
            )
            print(f'{name}: {full / one:.2f} times a forward and backward; stats="moments" {few / one:.2f}')
            continue

        def watched(net: nn.Module = net, x: torch.Tensor = x, y: torch.Tensor = y) -> None:
            with ft.watch(net, every=50, warn=False):
                steps(net, (x, y), 50)

        alone, seen = interleaved(int(argument), lambda net=net, x=x, y=y: steps(net, (x, y), 50), watched)
        print(f"{name}: watch costs {100 * (seen / alone - 1):.1f} %")


if __name__ == "__main__":
    main()
