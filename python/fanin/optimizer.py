"""Optimizers: how a gradient changes the parameters.

An optimizer keeps its state and belongs to the first network that it steps; `reset` or `copy` gives a fresh one. The formulas
are PyTorch's, each product fused into the sum that follows it; hyper-parameters are rounded to the network's dtype.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, SupportsFloat, TypeAlias

from fanin import _core
from fanin.common import require

if TYPE_CHECKING:
    from typing_extensions import Self

LearningRate: TypeAlias = SupportsFloat | Iterable[SupportsFloat]


def _rates(lr: LearningRate) -> list[float]:
    if isinstance(lr, Iterable) and not isinstance(lr, (str, bytes)) and getattr(lr, "ndim", 1) > 0:
        return [require.number("lr", one) for one in lr]
    return [require.number("lr", lr)]


RULES: dict[str, type[Optimizer]] = {}  # the optimizers by the name of their rule in the core


class Optimizer:
    """What all optimizers share: learning rates, clipping, a count of steps, a state.

    ``lr`` is finite and above 0, or a sequence of such numbers, one for each layer of the network. With ``clip_norm``, the
    gradients of a step are multiplied by ``clip_norm / (norm + 1e-6)`` where the 2-norm of all of them together is larger.
    A hyper-parameter out of range is a ValueError.
    """

    _core: _core.Optimizer
    _options: dict[str, Any]  # the hyper-parameters of the rule
    _USUAL: ClassVar[Mapping[str, Any]]  # and what they are if left out

    def __init_subclass__(cls) -> None:
        RULES[cls.__name__.lower()] = cls

        def option(name: str) -> property:
            return property(lambda self: self._options[name], doc=f"`{name}` as given.")

        for name in cls._USUAL:  # read-only: the core has them too
            setattr(cls, name, option(name))

    def _make(self, lr: LearningRate, clip_norm: SupportsFloat | None, **options: Any) -> None:
        clip = 0.0
        if clip_norm is not None:
            clip = require.number("clip_norm", clip_norm)
            if not clip > 0:
                raise ValueError(f"clip_norm must be above 0, or None for no clipping, got {clip:g}")
        options = {name: value if isinstance(value, bool) else require.number(name, value) for name, value in options.items()}
        self._core = _core.Optimizer(type(self).__name__.lower(), _rates(lr), clip, options)
        self._options = options
        self._clip_norm = clip or None

    @property
    def lr(self) -> float | tuple[float, ...]:
        """Learning rate, or the layers' own; a new value takes effect at the next step."""
        rates = self._core.lr
        return rates[0] if len(rates) == 1 else tuple(rates)

    @lr.setter
    def lr(self, value: LearningRate) -> None:
        self._core.lr = _rates(value)

    @property
    def clip_norm(self) -> float | None:
        """Where gradients are clipped, or None."""
        return self._clip_norm

    @property
    def gradient_norm(self) -> float | None:
        """The 2-norm of the last step's gradients before they were clipped; None without `clip_norm`."""
        return self._core.gradient_norm if self._clip_norm else None

    @property
    def steps(self) -> int:
        """Steps taken since the start or the last `reset`."""
        return self._core.steps

    def reset(self) -> None:
        """Forget the state and the network; the hyper-parameters stay."""
        self._core.reset()

    def copy(self) -> Self:
        """Return a fresh optimizer with the same hyper-parameters, without state and network."""
        fresh = object.__new__(type(self))
        fresh._core, fresh._options, fresh._clip_norm = self._core.copy(), self._options, self._clip_norm
        return fresh

    def __getstate__(self) -> dict[str, Any]:
        """Pickled like `copy`: hyper-parameters, without state and network (`fanin.Network.save` keeps the state)."""
        return {"lr": self._core.lr, "clip_norm": self._clip_norm, "options": self._options}

    def __setstate__(self, state: dict[str, Any]) -> None:
        make: Any = type(self).__init__
        make(self, state["lr"], clip_norm=state["clip_norm"], **state["options"])

    def __repr__(self) -> str:
        values = {"lr": self.lr} | self._options | {"clip_norm": self._clip_norm}
        usual = {**self._USUAL, "clip_norm": None}
        shown = [f"{name}={value!r}" for name, value in values.items() if name == "lr" or value != usual[name]]
        return f"{type(self).__name__}({', '.join(shown)})"


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if asked for.

    ``v = momentum * v + g`` (the first step: ``v = g``), then ``w -= lr * v``, with `nesterov`
    ``w -= lr * (g + momentum * v)``.

    Parameters
    ----------
    lr : float or sequence of float
        Learning rate, finite and above 0; or one for each layer, the first hidden layer's first.
    momentum : float
        In [0, 1).
    nesterov : bool
        Look ahead by one step of the velocity (Sutskever et al., ICML 2013); needs momentum.
    clip_norm : float, optional
        Where the 2-norm of all gradients of a step together is larger, they are multiplied by
        ``clip_norm / (norm + 1e-6)`` first (Pascanu, Mikolov, Bengio, ICML 2013).

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

    momentum: float
    nesterov: bool
    _USUAL: ClassVar = {"momentum": 0.0, "nesterov": False}

    def __init__(
        self,
        lr: LearningRate,
        momentum: SupportsFloat = 0.0,
        nesterov: bool = False,
        *,
        clip_norm: SupportsFloat | None = None,
    ) -> None:
        self._make(lr, clip_norm, momentum=momentum, nesterov=require.flag("nesterov", nesterov))


class RMSProp(Optimizer):
    """Steps scaled by the root of a running mean square of the gradient (Tieleman and Hinton, lecture 6.5, 2012).

    ``v = alpha * v + (1 - alpha) * g**2``, ``u = g / (sqrt(v) + eps)``, then ``w -= lr * u``; with `momentum`
    ``b = momentum * b + u`` and ``w -= lr * b``.

    Parameters
    ----------
    lr : float or sequence of float
        As for `SGD`.
    alpha : float
        Weight of the old mean square, in [0, 1).
    eps : float
        Not negative.
    momentum : float
        In [0, 1).
    clip_norm : float, optional
        As for `SGD`.
    """

    alpha: float
    eps: float
    momentum: float
    _USUAL: ClassVar = {"alpha": 0.99, "eps": 1e-8, "momentum": 0.0}

    def __init__(
        self,
        lr: LearningRate = 0.01,
        alpha: SupportsFloat = 0.99,
        eps: SupportsFloat = 1e-8,
        momentum: SupportsFloat = 0.0,
        *,
        clip_norm: SupportsFloat | None = None,
    ) -> None:
        self._make(lr, clip_norm, alpha=alpha, eps=eps, momentum=momentum)


class Adam(Optimizer):
    """Steps by running means of the gradient and of its square, their bias taken out (Kingma and Ba, ICLR 2015, algorithm 1).

    ``m = beta1 * m + (1 - beta1) * g``, ``v = beta2 * v + (1 - beta2) * g**2``, then
    ``w -= lr * m / (1 - beta1**t) / (sqrt(v / (1 - beta2**t)) + eps)`` at step t = 1, 2, ...

    Parameters
    ----------
    lr : float or sequence of float
        As for `SGD`.
    beta1, beta2 : float
        Weights of the old means, in [0, 1).
    eps : float
        Not negative.
    weight_decay : float
        Decoupled: ``w *= 1 - lr * weight_decay`` before the step (Loshchilov and Hutter, ICLR 2019: AdamW).
    clip_norm : float, optional
        As for `SGD`.
    """

    beta1: float
    beta2: float
    eps: float
    weight_decay: float
    _USUAL: ClassVar = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0}

    def __init__(
        self,
        lr: LearningRate = 1e-3,
        beta1: SupportsFloat = 0.9,
        beta2: SupportsFloat = 0.999,
        eps: SupportsFloat = 1e-8,
        *,
        weight_decay: SupportsFloat = 0.0,
        clip_norm: SupportsFloat | None = None,
    ) -> None:
        self._make(lr, clip_norm, beta1=beta1, beta2=beta2, eps=eps, weight_decay=weight_decay)


class AdaGrad(Optimizer):
    """Steps scaled by the root of the sum of all squared gradients (Duchi, Hazan and Singer, JMLR 12, 2011, figure 1).

    ``v = v + g**2`` from 0, then ``w -= lr * g / (sqrt(v) + eps)``: the steps shrink as training goes on.

    Parameters
    ----------
    lr : float or sequence of float
        As for `SGD`.
    eps : float
        Not negative.
    clip_norm : float, optional
        As for `SGD`.
    """

    eps: float
    _USUAL: ClassVar = {"eps": 1e-10}

    def __init__(self, lr: LearningRate = 0.01, eps: SupportsFloat = 1e-10, *, clip_norm: SupportsFloat | None = None) -> None:
        self._make(lr, clip_norm, eps=eps)


def core_of(optimizer: Optimizer) -> _core.Optimizer:
    """Return the core's optimizer, or say what was expected."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer must be an optimizer such as fi.SGD(lr=0.1), got {optimizer!r}")
    return optimizer._core
