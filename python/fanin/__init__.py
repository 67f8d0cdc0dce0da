"""fanin: the first moment of a neural network, measured.

Weights are sampled, signals carried forward and gradients backward through dense layers, every layer measured on the way
and compared with theory. Results are the same bits on any CPU, thread count, batch and shard.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from fanin import activation, init, loss, random
from fanin._core import ALGORITHM_VERSION, __version__
from fanin.dense import PackedWeight, dense_backward, dense_forward, pack_weight
from fanin.history import FitEvent, History
from fanin.isa import active_isa, available_isas, set_isa, show_config
from fanin.network import Network
from fanin.optimizer import SGD, Adam, RMSProp
from fanin.paths import get_cmake_dir, get_include
from fanin.stats import Summaries, Summarizer, Summary, summarize
from fanin.threads import num_threads, set_num_threads

if TYPE_CHECKING:
    from fanin import datasets, theory
    from fanin.checkpoint import Checkpoint, load
    from fanin.compare import Comparison, compare
    from fanin.diagnose import Diagnosis, diagnose
    from fanin.lsuv import lsuv
    from fanin.selftest import SelfTest, selftest
    from fanin.sweep import sweep
    from fanin.sweep_table import Sweep
    from fanin.trace import Trace, trace

__all__ = [
    "ALGORITHM_VERSION",
    "SGD",
    "Adam",
    "Checkpoint",
    "Comparison",
    "Diagnosis",
    "FitEvent",
    "History",
    "Network",
    "PackedWeight",
    "RMSProp",
    "SelfTest",
    "Summaries",
    "Summarizer",
    "Summary",
    "Sweep",
    "Trace",
    "__version__",
    "activation",
    "active_isa",
    "available_isas",
    "compare",
    "datasets",
    "dense_backward",
    "dense_forward",
    "diagnose",
    "get_cmake_dir",
    "get_include",
    "init",
    "load",
    "loss",
    "lsuv",
    "num_threads",
    "pack_weight",
    "random",
    "selftest",
    "set_isa",
    "set_num_threads",
    "show_config",
    "summarize",
    "sweep",
    "theory",
    "trace",
]

# What stands above the core is imported at its first use, so that `import fanin` costs little more than NumPy.
_LAZY = {
    "Checkpoint": "checkpoint",
    "Comparison": "compare",
    "Diagnosis": "diagnose",
    "SelfTest": "selftest",
    "Sweep": "sweep_table",
    "Trace": "trace",
    "compare": "compare",
    "datasets": "",
    "diagnose": "diagnose",
    "load": "checkpoint",
    "lsuv": "lsuv",
    "selftest": "selftest",
    "sweep": "sweep",
    "theory": "",
    "trace": "trace",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'fanin' has no attribute {name!r}")
    topic = _LAZY[name]
    value = getattr(import_module(f"fanin.{topic}"), name) if topic else import_module(f"fanin.{name}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})


class _Package(ModuleType):
    """`fanin.trace` is the function, whoever imports the module of that name: Python binds a module in its package."""

    def __setattr__(self, name: str, value: object) -> None:
        if isinstance(value, ModuleType) and _LAZY.get(name) == name:
            value = getattr(value, name, value)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package

active_isa()  # a wrong FANIN_ISA or FANIN_NUM_THREADS is an error now, not in the middle of the work
num_threads()
