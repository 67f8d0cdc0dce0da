"""fanin: the first moment of a neural network, measured.

Weights are sampled, signals carried forward and gradients backward through dense layers, every layer measured on the way
and compared with theory. Results are the same bits on any CPU, thread count, batch and shard.
"""

from __future__ import annotations

from fanin import activation, init, random
from fanin import activation, init, loss, random
from fanin._core import ALGORITHM_VERSION, __version__
from fanin.dense import dense_backward, dense_forward
from fanin.history import History
from fanin.isa import active_isa, available_isas, set_isa, show_config
from fanin.network import Network
from fanin.optimizer import SGD
from fanin.paths import get_cmake_dir, get_include
from fanin.stats import Summary, summarize
from fanin.threads import num_threads, set_num_threads

__all__ = [
    "ALGORITHM_VERSION",
    "SGD",
    "History",
    "Network",
    "Summary",
    "__version__",
    "activation",
    "active_isa",
    "available_isas",
    "dense_backward",
    "dense_forward",
    "get_cmake_dir",
    "get_include",
    "init",
    "loss",
    "num_threads",
    "random",
    "set_isa",
    "set_num_threads",
    "show_config",
    "summarize",
]

active_isa()  # a wrong FANIN_ISA or FANIN_NUM_THREADS is an error now, not in the middle of the work
num_threads()
