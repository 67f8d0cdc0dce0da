"""fanin for PyTorch: weights drawn by name, any module traced, diagnosed and watched. Needs ``fanin[torch]``.

`init` is `torch.nn.init` with fanin's bits; `fill` draws a whole module, and `describe` (also under the name `plan`) tells
before what it would draw. `trace`, `diagnose` and `watch` look at any module; `from_torch` and `to_torch` carry plain stacks
over.
"""

from __future__ import annotations

try:
    import torch as _torch  # noqa: F401
except ModuleNotFoundError as error:
    raise ImportError("fanin.interop.torch needs PyTorch: pip install 'fanin[torch]'") from error

from fanin.interop.torch import init
from fanin.interop.torch.filling import Plan, Planned, describe, fill
from fanin.interop.torch.sequential import from_torch, to_torch
from fanin.interop.torch.tracing.take import trace
from fanin.interop.torch.trying import diagnose
from fanin.interop.torch.watching import Concern, Watch, watch
from fanin.interop.tracing.record import ModuleTrace, SiteTrace

plan = describe

__all__ = [
    "Concern",
    "ModuleTrace",
    "Plan",
    "Planned",
    "SiteTrace",
    "Watch",
    "describe",
    "diagnose",
    "fill",
    "from_torch",
    "init",
    "plan",
    "to_torch",
    "trace",
    "watch",
]
