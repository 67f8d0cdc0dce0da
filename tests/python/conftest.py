"""Networks, data and commands that several topics are tested with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import fanin as fi
from fanin.cli import main


def _case(loss: str, activation: str, *, n: int = 24, seed: int = 1, dtype: str = "float64", **options: Any):
    outputs = {"cross_entropy": 4, "mean_squared_error": 3}.get(loss, 1)
    net = fi.Network([5, 7, 6, outputs], activation, loss=loss, seed=seed, dtype=dtype, bias_init="normal(std=0.3)", **options)
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 5))
    if loss == "cross_entropy":
        return net, x, rng.integers(0, 4, n)
    if loss == "mean_squared_error":
        return net, x, rng.standard_normal((n, 3))
    return net, x, rng.choice([-1, 1] if loss == "hinge" else [0, 1], n)


@pytest.fixture(scope="session")
def case() -> Callable[..., tuple[fi.Network, NDArray[Any], NDArray[Any]]]:
    """Make a small network with data for its loss: ``net, x, y = case("cross_entropy", "tanh", n=24)``."""
    return _case


@pytest.fixture(scope="session")
def layers() -> Callable[[fi.Network], list[tuple[NDArray[Any], NDArray[Any]]]]:
    """Copy a network's parameters: ``[(w, b), ...]``, as `fanin.verify.reference` takes them."""
    return lambda net: [(w.copy(), b.copy()) for w, b in zip(net.weights, net.biases, strict=True)]


@pytest.fixture
def fails(capsys):
    """Run a command that must fail; gives its one line on stderr."""

    def run(*args):
        assert main(list(args)) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.count("\n") == 1
        return err

    return run


@pytest.fixture(scope="session")
def said() -> Callable[[Callable[[], Any]], str]:
    """What a call that must be refused says, in full: ``said(lambda: fi.init.normal(3))`` gives ``"ValueError: ..."``."""

    def refusal(call: Callable[[], Any]) -> str:
        with pytest.raises(Exception) as caught:  # noqa: PT011 - the text that is compared names the type
            call()
        return f"{type(caught.value).__name__}: {caught.value}"

    return refusal
