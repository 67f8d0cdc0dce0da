"""A fully connected network whose whole training step runs in the core."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from fanin import _core
from fanin.arguments import FloatArray, converted, draw_parameters, widths
from fanin.optimizer import Optimizer, core_of
from fanin.random import seed_number
from fanin.training import Training


class Network(Training):
    """A dense network: z = a @ w.T + b and a = g(z) layer by layer; the last layer's z are the logits.

    Parameters
    ----------
    sizes : sequence of int
        Widths, the input's first: ``[784, 300, 10]`` has one hidden layer.
    activation : str or sequence of str
        Of all hidden layers, or one each: names of `fanin.activation.names`, as ``"relu"`` or ``"leaky_relu(0.2)"``. The last
        layer's is the identity.
    init : law, or sequence of laws and arrays
        Where weights come from: one law for all layers, or for each layer a law or an array of shape (n_out, n_in). A law is a
        function of `fanin.init`, a string or an object. Layer l draws from the stream ``"l.weight"``.
    loss : str
        ``"cross_entropy"``, ``"binary_cross_entropy"``, ``"mean_squared_error"`` or ``"hinge"``, see `fanin.loss.evaluate`.
    seed : int, optional
        In [0, 2^64); fresh entropy without it. It is kept, for the shuffling and to repeat the run.
    dtype : dtype
        float32 or float64, of parameters and of all arithmetic.
    bias : bool
        Whether layers have biases.
    bias_init : law, or sequence of laws and arrays
        Where biases come from, like `init`; the streams are ``"l.bias"``.

    Attributes
    ----------
    sizes, activations, loss_name, dtype, seed
        What the network is; `activations` ends with ``"identity"``.
    init : str
        The laws that the weights were drawn from.
    weights, biases : tuple of ndarray
        Live arrays, w of shape (n_out, n_in), b of shape (n_out,): what is written to them is seen by the next call. They keep
        the network alive. `biases` is empty without biases.

    Notes
    -----
    Data is converted once, to the network's dtype: x may be any real array, y any integer array for cross_entropy (labels from
    0 on), any real array for the other losses. NaN in either is an error.

    **Reproducibility.** Costs, gradients and weights have the same bits on every CPU and at any thread count. A network is for
    one thread at a time: a call beside another raises RuntimeError.

    Examples
    --------
    >>> import numpy as np
    >>> import fanin as fi
    >>> net = fi.Network([2, 3, 2], seed=7)
    >>> [w.shape for w in net.weights]
    [(3, 2), (2, 3)]
    >>> net.forward(np.zeros((5, 2))).shape
    (5, 2)
    """

    def __init__(
        self,
        sizes: Sequence[SupportsIndex],
        activation: str | Sequence[str] = "tanh",
        init: Any = "xavier_normal",
        loss: str = "cross_entropy",
        *,
        seed: int | None = None,
        dtype: DTypeLike = "float32",
        bias: bool = True,
        bias_init: Any = "zeros",
    ) -> None:
        self.sizes = widths(sizes)
        self.dtype = np.dtype(dtype)
        if self.dtype not in (np.float32, np.float64):
            raise TypeError(f"dtype must be float32 or float64, got {self.dtype}")
        n_hidden = max(len(self.sizes) - 2, 0)
        names = [activation] * n_hidden if isinstance(activation, str) else list(activation)
        self.seed = _core.fresh_seed() if seed is None else seed_number(seed)
        core = _core.NetworkF32 if self.dtype == np.float32 else _core.NetworkF64
        self._bind(core(self.sizes, names, loss, bool(bias), self.seed), loss, bool(bias))
        self.init = draw_parameters("init", init, "weight", self.weights, self.seed)
        if bias:
            draw_parameters("bias_init", bias_init, "bias", self.biases, self.seed)

    def _bind(self, core: Any, loss: str, bias: bool) -> None:
        self._core = core
        self.loss_name = loss
        self.activations: tuple[str, ...] = core.activations
        layers = range(len(self.sizes) - 1)
        self.weights: tuple[FloatArray, ...] = tuple(core.weight(layer) for layer in layers)
        self.biases: tuple[FloatArray, ...] = tuple(core.bias(layer) for layer in layers) if bias else ()

    def copy(self) -> Network:
        """Return a network of its own with the same parameters, seed and count of epochs."""
        other = Network.__new__(Network)
        other.sizes, other.dtype, other.seed, other.init = self.sizes, self.dtype, self.seed, self.init
        other._bind(self._core.copy(), self.loss_name, bool(self.biases))
        return other

    def __repr__(self) -> str:
        activations = ", ".join(dict.fromkeys(self.activations[:-1]))
        return (
            f"Network({list(self.sizes)}, activation={activations!r}, init={self.init!r}, loss={self.loss_name!r}, "
            f"seed={self.seed}, dtype={self.dtype.name!r})"
        )

    def forward(self, x: ArrayLike) -> FloatArray:
        """Logits of the rows of `x`, shape (batch, n_in): an array of shape (batch, outputs)."""
        return self._core.forward(self._x(x))  # type: ignore[no-any-return]

    def loss(self, x: ArrayLike, y: ArrayLike) -> float:
        """Mean cost of the rows of `x` against the targets `y`."""
        return self._core.loss(self._x(x), self._y(y))  # type: ignore[no-any-return]

    def gradients(self, x: ArrayLike, y: ArrayLike) -> list[tuple[FloatArray, FloatArray | None]]:
        """Gradients of the mean cost, (dw, db) for each layer: those that `step` uses. db is None without biases."""
        return self._core.gradients(self._x(x), self._y(y))[1]  # type: ignore[no-any-return]

    def step(self, x: ArrayLike, y: ArrayLike, *, optimizer: Optimizer) -> float:
        """Update the parameters once by the gradients of one batch; returns the mean cost before the update.

        Arrays of the network's dtype (and int64 labels) are used as they are. Nothing is allocated in the core after the first
        step of a batch size. An interrupt leaves the parameters as they were.
        """
        return self._core.step(self._x(x), self._y(y), core_of(optimizer))  # type: ignore[no-any-return]

    def decision_function(self, x: ArrayLike) -> FloatArray:
        """Logits, shape (batch,) for one output, otherwise (batch, outputs)."""
        z = self.forward(x)
        return z[:, 0] if self.sizes[-1] == 1 else z

    def predict(self, x: ArrayLike) -> NDArray[Any]:
        """Labels of the rows of `x`: the first largest logit; 0 or 1, -1 or 1 for one output; values for mean_squared_error."""
        z = self.decision_function(x)
        if self.loss_name == "mean_squared_error":
            return z
        if self.loss_name == "cross_entropy":
            labels: NDArray[np.int64] = z.argmax(axis=1)
            return labels
        return np.where(z > 0, 1, -1 if self.loss_name == "hinge" else 0)

    def _x(self, x: ArrayLike) -> FloatArray:
        if isinstance(x, np.ndarray) and x.dtype == self.dtype:
            return x
        return converted("x", np.asarray(x), self.dtype)

    def _y(self, y: ArrayLike) -> NDArray[Any]:
        labels = self.loss_name == "cross_entropy"
        array = np.asarray(y)
        if labels and array.dtype.kind not in "iub":
            raise TypeError(f"y must hold integer labels for cross_entropy, got dtype {array.dtype}")
        return np.ascontiguousarray(converted("y", array, np.dtype(np.int64) if labels else self.dtype))
