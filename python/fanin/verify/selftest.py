"""The golden digests of a release, computed again on this very CPU."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fanin import _core, activation, init, loss, random
from fanin.common.digest import digest
from fanin.dense import dense_backward, dense_forward
from fanin.isa import active_isa, available_isas, set_isa
from fanin.network.network import Network
from fanin.optimizer import SGD
from fanin.stats import summarize
from fanin.threads import num_threads, set_num_threads

GOLDEN = Path(__file__).with_name("golden.json")

# Laws that the examples of the core do not reach.
_MORE = [
    "identity(gain=1.5)",
    "normal(mean=0.1, std=0.2)",
    "truncated_normal(mean=1, lower=-1, upper=3)",
    "truncated_normal(lower=4, upper=inf, corrected=true)",
    "he_normal(gain=tanh, mode=fan_geo_avg)",
    "sparse(sparsity=0.3, std=1)",
    "variance_scaling(scale=2, mode=fan_avg, distribution=uniform)",
]
_FLOATS = ("float32", "float64")


class SelfTest(NamedTuple):
    """What `selftest` has compared.

    Attributes
    ----------
    digests : int
        Digests of the release, all equal.
    isas : tuple of str
        The instruction sets that computed them.
    threads : tuple of int
        The thread counts.
    seconds : float
    """

    digests: int
    isas: tuple[str, ...]
    threads: tuple[int, ...]
    seconds: float

    def __repr__(self) -> str:
        counts = " and ".join(map(str, self.threads))
        return f"{self.digests} digests equal on {', '.join(self.isas)}, threads {counts}: {self.seconds:.1f} s"


def selftest() -> SelfTest:
    """Compare this CPU's results with the release's, bit for bit: every law and dtype, activations, dense layers, statistics.

    Runs on every instruction set that the CPU has, with one thread and with as many as are set (two at least), in about a
    second. While it runs, other threads of the process compute with the instruction set under test; no result depends on it.

    Returns
    -------
    SelfTest
        What was compared; prints as one line.

    Raises
    ------
    RuntimeError
        Naming what differs. Weights and results of this machine are then not those of the release: please report it.

    Examples
    --------
    >>> import fanin as fi
    >>> report = fi.selftest()  # prints: 180 digests equal on generic, x86_64_v3, x86_64_v4, ...
    >>> report.isas[0]
    'generic'
    """
    start = time.perf_counter()
    golden = json.loads(GOLDEN.read_text())
    if golden["algorithm_version"] != _core.ALGORITHM_VERSION:
        raise RuntimeError(f"golden.json is of algorithms version {golden['algorithm_version']}, not {_core.ALGORITHM_VERSION}")
    isa, threads = active_isa(), num_threads()
    counts = (1, max(2, threads))
    wrong = []
    try:
        for name in available_isas():
            set_isa(name)
            for count in counts:
                set_num_threads(count)
                wrong += [f"{key} ({name}, threads {count})" for key in _differences(golden["digests"], digests())]
    finally:
        set_isa(isa)
        set_num_threads(threads)
    if wrong:
        shown = "".join(f"\n  {line}" for line in wrong[:20]) + (f"\n  and {len(wrong) - 20} more" if len(wrong) > 20 else "")
        raise RuntimeError(f"{len(wrong)} results differ from those of the release {_core.__version__}:{shown}")
    return SelfTest(len(golden["digests"]), tuple(available_isas()), counts, time.perf_counter() - start)


def _differences(golden: dict[str, str], found: dict[str, str]) -> list[str]:
    return sorted(key for key in golden.keys() | found.keys() if golden.get(key) != found.get(key))


def digests() -> dict[str, str]:
    """Compute all digests with the instruction set and the threads in use."""
    return {name: digest(compute()) for name, compute in _results()}


def _results() -> Iterator[tuple[str, Callable[[], list[NDArray[Any]]]]]:
    """Names, and what computes the arrays behind them."""
    yield "random/words", lambda: [random.words(1001, seed=7, stream="selftest", first_block=2**40)]
    yield "random/permutation", lambda: [random.permutation(1001, seed=7, stream="selftest", round=3)]
    for text in [_core.law_traits(name).example for name in _core.law_names()] + _MORE:
        for dtype in (*_FLOATS, "float16", "bfloat16"):
            yield f"init/{text}/{dtype}", partial(_drawn, text, dtype)
    for dtype in _FLOATS:
        for name in activation.names():
            yield f"activation/{name}/{dtype}", partial(_activated, name, dtype)
        yield f"activation/softmax/{dtype}", partial(_softmax, dtype)
        yield f"dense/{dtype}", partial(_dense, dtype)
        yield f"stats/{dtype}", partial(_stats, dtype)
        for name in loss.names():
            yield f"loss/{name}/{dtype}", partial(_loss, name, dtype)
        yield f"network/{dtype}", partial(_network, dtype)


def _normal(shape: tuple[int, ...], stream: str, dtype: str, std: float = 1.0) -> NDArray[Any]:
    return np.asarray(init.normal(shape, std=std, seed=7, stream=stream, dtype=dtype))


def _drawn(text: str, dtype: str) -> list[NDArray[Any]]:
    out = np.empty((61, 67), np.uint16 if dtype == "bfloat16" else dtype)
    init.law(text)(out.shape, seed=7, stream="hidden1.weight", dtype=dtype, out=out)
    return [out]


def _activated(name: str, dtype: str) -> list[NDArray[Any]]:
    z = np.concatenate([_normal((4000,), "z", dtype), _normal((1000,), "far", dtype, std=20)])
    return [activation.evaluate(name, z), activation.derivative(name, z)]


def _softmax(dtype: str) -> list[NDArray[Any]]:
    z = _normal((13, 700), "z", dtype, std=5)
    return [activation.softmax(z), activation.log_softmax(z)]


def _dense(dtype: str) -> list[NDArray[Any]]:
    x, w, b = _normal((37, 1031), "x", dtype), _normal((67, 1031), "w", dtype, std=0.03), _normal((67,), "b", dtype)
    da = _normal((37, 67), "da", dtype)
    f = dense_forward(x, w, b, activation="tanh")
    assert f.z is not None
    g = dense_backward(da, x, w, f.z, activation="tanh")
    return [a for a in (f.a, f.z, g.dx, g.dw, g.db) if a is not None]


def _stats(dtype: str) -> list[NDArray[Any]]:
    s = summarize(_normal((37, 1031), "x", dtype), bins=16, range=(-4, 4))
    values = [
        s.count,
        s.mean,
        s.var,
        s.skewness,
        s.kurtosis,
        s.min,
        s.max,
        s.zeros,
    ]
    assert s.histogram is not None
    return [np.asarray(values, np.float64), s.histogram.counts]


def _loss(name: str, dtype: str) -> list[NDArray[Any]]:
    columns = 1 if name in ("binary_cross_entropy", "hinge") else 10
    z = _normal((50, columns), "z", dtype, std=3)
    whole = random.permutation(50, seed=7, stream="y") % (2 if columns == 1 else columns)
    y: NDArray[Any] = whole
    if name == "mean_squared_error":
        y = _normal((50, columns), "y", dtype)
    elif columns == 1:
        y = np.asarray(2 * whole - 1 if name == "hinge" else whole, dtype)
    result = loss.evaluate(name, z, y)
    return [np.asarray([result[0]], np.float64), np.asarray(result[1])]


def _network(dtype: str) -> list[NDArray[Any]]:
    net = Network([33, 40, 20, 5], activation="tanh", init="xavier_normal", seed=7, dtype=dtype)
    y = random.permutation(200, seed=7, stream="y") % 5
    net.fit(_normal((200, 33), "x", dtype), y, epochs=2, batch_size=50, optimizer=SGD(lr=0.1))
    return [*net.weights, *net.biases]
