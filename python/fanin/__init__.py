"""fanin: the first moment of a neural network, measured.

Weights are sampled, signals carried forward and gradients backward through dense layers, every layer measured on the way
and compared with theory. Results are the same bits on any CPU, thread count, batch and shard.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from fanin import activation, init, loss, random
from fanin._core import ALGORITHM_VERSION, __version__
from fanin.dense import PackedWeight, dense_backward, dense_forward, pack_weight
from fanin.isa import active_isa, available_isas, set_isa, show_config
from fanin.network.history import FitEvent, History
from fanin.network.network import Network
from fanin.optimizer import SGD, AdaGrad, Adam, RMSProp
from fanin.paths import get_cmake_dir, get_include
from fanin.stats import Summaries, Summarizer, Summary, summarize
from fanin.threads import num_threads, set_num_threads

if TYPE_CHECKING:
    from fanin import datasets, theory, weights
    from fanin.diagnosis.diagnosis import Diagnosis, diagnose
    from fanin.diagnosis.learning_rate import LearningRates, find_lr
    from fanin.experiments.compare import Comparison, compare
    from fanin.experiments.lsuv import lsuv
    from fanin.experiments.run import Run
    from fanin.experiments.sweep import sweep
    from fanin.experiments.sweep_result import Row, Sweep
    from fanin.network.load import Checkpoint, load
    from fanin.tracing.record import LayerTrace, Trace
    from fanin.tracing.take import trace
    from fanin.verify.selftest import SelfTest, selftest

__all__ = [
    "ALGORITHM_VERSION",
    "SGD",
    "AdaGrad",
    "Adam",
    "Checkpoint",
    "Comparison",
    "Diagnosis",
    "FitEvent",
    "History",
    "LayerTrace",
    "LearningRates",
    "Network",
    "PackedWeight",
    "RMSProp",
    "Row",
    "Run",
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
    "find_lr",
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
    "weights",
]

# What stands above the core is imported at its first use, so that `import fanin` costs little more than NumPy.
_LAZY = {
    "Checkpoint": "network.load",
    "Comparison": "experiments.compare",
    "Diagnosis": "diagnosis.diagnosis",
    "LayerTrace": "tracing.record",
    "Row": "experiments.sweep_result",
    "Run": "experiments.run",
    "SelfTest": "verify.selftest",
    "Sweep": "experiments.sweep_result",
    "Trace": "tracing.record",
    "compare": "experiments.compare",
    "datasets": "",
    "diagnose": "diagnosis.diagnosis",
    "find_lr": "diagnosis.learning_rate",
    "LearningRates": "diagnosis.learning_rate",
    "load": "network.load",
    "lsuv": "experiments.lsuv",
    "selftest": "verify.selftest",
    "sweep": "experiments.sweep",
    "theory": "",
    "trace": "tracing.take",
    "weights": "",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'fanin' has no attribute {name!r}")
    room = _LAZY[name]
    value = getattr(import_module(f"fanin.{room}"), name) if room else import_module(f"fanin.{name}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})


active_isa()  # a wrong FANIN_ISA or FANIN_NUM_THREADS is an error now, not in the middle of the work
num_threads()
if sys.modules.get("threadpoolctl") is not None:
    import_module("fanin.interop.threadpoolctl")
