"""fanin for PyTorch: weights drawn by name, any module traced, diagnosed and watched. Needs ``fanin[torch]``.

`init` is `torch.nn.init` with fanin's bits; `fill` draws a whole module, and `describe` (also under the name `plan`) tells
before what it would draw.
"""

from __future__ import annotations

try:
    import torch as _torch  # noqa: F401
except ModuleNotFoundError as error:
    raise ImportError("fanin.interop.torch needs PyTorch: pip install 'fanin[torch]'") from error

from fanin.interop.torch import init
from fanin.interop.torch.filling import Plan, Planned, describe, fill
from fanin.interop.torch.record import ModuleTrace, SiteTrace
from fanin.interop.torch.tracing import trace

plan = describe

__all__ = ["ModuleTrace", "Plan", "Planned", "SiteTrace", "describe", "fill", "init", "plan", "trace"]
