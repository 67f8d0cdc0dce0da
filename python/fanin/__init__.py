"""fanin: the first moment of a neural network, measured.

Weights are sampled, signals carried forward and gradients backward through dense layers, every layer measured on the way
and compared with theory. Results are the same bits on any CPU, thread count, batch and shard.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fanin import activation, datasets, init, loss, random, theory, weights
    from fanin._core import ALGORITHM_VERSION, __version__
    from fanin.dense import PackedWeight, dense_backward, dense_forward, pack_weight
    from fanin.diagnosis.diagnosis import Diagnosis, diagnose
    from fanin.diagnosis.learning_rate import LearningRates, find_lr
    from fanin.experiments.compare import compare
    from fanin.experiments.comparison import Comparison
    from fanin.experiments.lsuv import lsuv
    from fanin.experiments.run import Run
    from fanin.experiments.sweep import sweep
    from fanin.experiments.sweep_result import Row, Sweep
    from fanin.isa import active_isa, available_isas, set_isa, show_config
    from fanin.network.history import FitEvent, History
    from fanin.network.load import Checkpoint, load
    from fanin.network.network import Network
    from fanin.optimizer import SGD, AdaGrad, Adam, RMSProp
    from fanin.paths import get_cmake_dir, get_include
    from fanin.stats import Summaries, Summarizer, Summary, summarize
    from fanin.threads import num_threads, set_num_threads
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

# Everything is imported at its first use: the command line answers `--help` without NumPy.
_FROM = {
    "_core": ("ALGORITHM_VERSION", "__version__"),
    "dense": ("PackedWeight", "dense_backward", "dense_forward", "pack_weight"),
    "diagnosis.diagnosis": ("Diagnosis", "diagnose"),
    "diagnosis.learning_rate": ("LearningRates", "find_lr"),
    "experiments.compare": ("compare",),
    "experiments.comparison": ("Comparison",),
    "experiments.lsuv": ("lsuv",),
    "experiments.run": ("Run",),
    "experiments.sweep": ("sweep",),
    "experiments.sweep_result": ("Row", "Sweep"),
    "isa": ("active_isa", "available_isas", "set_isa", "show_config"),
    "network.history": ("FitEvent", "History"),
    "network.load": ("Checkpoint", "load"),
    "network.network": ("Network",),
    "optimizer": ("SGD", "AdaGrad", "Adam", "RMSProp"),
    "paths": ("get_cmake_dir", "get_include"),
    "stats": ("Summaries", "Summarizer", "Summary", "summarize"),
    "threads": ("num_threads", "set_num_threads"),
    "tracing.record": ("LayerTrace", "Trace"),
    "tracing.take": ("trace",),
    "verify.selftest": ("SelfTest", "selftest"),
}
_MODULE = {name: module for module, names in _FROM.items() for name in names}
# Rooms that `import fanin` alone brings, as a name of the package.
_ROOMS = {"_core", "activation", "common", "datasets", "dense", "init", "isa", "loss", "network", "optimizer", "paths"}
_ROOMS |= {"random", "stats", "theory", "threads", "weights"}


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"fanin.{name}")
    if name not in _MODULE:
        raise AttributeError(f"module 'fanin' has no attribute {name!r}")
    value = getattr(import_module(f"fanin.{_MODULE[name]}"), name)
    globals()[name] = value
    return value


_ONLY_HERE = {"TYPE_CHECKING", "Any", "annotations", "import_module", "os", "sys"}


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULE, *_ROOMS} - _ONLY_HERE)


if "FANIN_ISA" in os.environ or "FANIN_NUM_THREADS" in os.environ:  # a wrong one is an error now, not in the middle of the work
    import_module("fanin.isa").active_isa()
    import_module("fanin.threads").num_threads()
if sys.modules.get("threadpoolctl") is not None:
    import_module("fanin.interop.threadpoolctl")
