"""Optimizers: how a gradient changes the parameters.

An optimizer keeps its state and belongs to the first network that it steps; `reset` or `copy` gives a fresh one.
"""

from __future__ import annotations

from typing import SupportsFloat

from fanin import _core


def _number(name: str, value: SupportsFloat) -> float:
    if isinstance(value, (str, bytes)):
        raise TypeError(f"{name} must be a number, got {value!r}")
    try:
        return float(value)
    except TypeError:
        raise TypeError(f"{name} must be a number, got {value!r}") from None


class Optimizer:
    """What all optimizers share: a learning rate, a count of steps, a state."""

    _core: _core.Optimizer

    @property
    def lr(self) -> float:
        """Learning rate, above 0; a new value takes effect at the next step."""
        return self._core.lr

    @lr.setter
    def lr(self, value: SupportsFloat) -> None:
        self._core.lr = _number("lr", value)

    @property
    def steps(self) -> int:
        """Steps taken since the start or the last `reset`."""
        return self._core.steps

    def reset(self) -> None:
        """Forget the state and the network; the hyper-parameters stay."""
        self._core.reset()


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if asked for.

    ``v = momentum * v + g`` (the first step: ``v = g``), then ``w -= lr * v``, with `nesterov`
    ``w -= lr * (g + momentum * v)``: the formulas of PyTorch, each product fused into its sum. Hyper-parameters are rounded
    to the network's dtype.

    Parameters
    ----------
    lr : float
        Learning rate, finite and above 0.
    momentum : float
        In [0, 1).
    nesterov : bool
        Look ahead by one step of the velocity (Sutskever et al., ICML 2013); needs momentum.

    Raises
    ------
    ValueError
        If a hyper-parameter is out of range.

    Examples
    --------
    >>> import fanin as fi
    >>> sgd = fi.SGD(lr=0.1, momentum=0.9)
    >>> sgd.lr = 0.05
    >>> sgd
    SGD(lr=0.05, momentum=0.9)
    """

    def __init__(self, lr: SupportsFloat, momentum: SupportsFloat = 0.0, nesterov: bool = False) -> None:
        self._core = _core.Optimizer.sgd(_number("lr", lr), _number("momentum", momentum), bool(nesterov))

    @property
    def momentum(self) -> float:
        """Factor of the old velocity."""
        return self._core.momentum

    @property
    def nesterov(self) -> bool:
        """Whether the step looks ahead."""
        return self._core.nesterov

    def copy(self) -> SGD:
        """Return a fresh optimizer with the same hyper-parameters, without state and network."""
        return SGD(self.lr, self.momentum, self.nesterov)

    def __repr__(self) -> str:
        momentum = f", momentum={self.momentum!r}" if self.momentum else ""
        return f"SGD(lr={self.lr!r}{momentum}{', nesterov=True' if self.nesterov else ''})"


def core_of(optimizer: Optimizer) -> _core.Optimizer:
    """Return the core's optimizer, or say what was expected."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer must be an optimizer such as fi.SGD(lr=0.1), got {optimizer!r}")
    return optimizer._core
