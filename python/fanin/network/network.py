"""A fully connected network whose whole training step runs in the core."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from fanin import _core
from fanin.common import require, upward
from fanin.network import checkpoint, predict
from fanin.network.fit import fit
from fanin.network.history import FitEvent, History
from fanin.network.parameters import Parameters, activations, matrix_owners, parameters, widths
from fanin.network.targets import FloatArray, class_labels, class_names, converted, is_text, labels_of
from fanin.optimizer import Optimizer, core_of
from fanin.random import seed_number

if TYPE_CHECKING:
    from typing_extensions import Self

_LABEL = np.dtype(np.int64)


class Network:
    """A dense network: z = a @ w.T + b and a = g(z) layer by layer; the last layer's z are the logits.

    Parameters
    ----------
    sizes : sequence of int
        Widths, the input's first: ``[784, 300, 10]`` has one hidden layer.
    activation : str or sequence of str
        Of all hidden layers, or one each: names of `fanin.activation.names`, as ``"relu"`` or ``"leaky_relu(0.2)"``. The last
        layer's is the identity.
    init : law, sequence or mapping of laws and arrays
        Where weights come from: one law for all layers, or for each layer a law or an array of shape (n_out, n_in), in order or
        under its number or name (``{0: "he_normal", "1.weight": w}``). A law is a function of `fanin.init`, a string or an
        object. Layer l draws from the stream ``"l.weight"``.
    loss : str
        ``"cross_entropy"``, ``"binary_cross_entropy"``, ``"mean_squared_error"`` or ``"hinge"``, see `fanin.loss.evaluate`.
    seed : int, optional
        In [0, 2^64); fresh entropy without it. It is kept, for the shuffling and to repeat the run.
    dtype : dtype
        float32 or float64, of parameters and of all arithmetic.
    bias : bool
        Whether layers have biases.
    bias_init : law, sequence or mapping of laws and arrays
        Where biases come from, like `init`; the streams and names are ``"l.bias"``.
    shared : sequence of int, or of sequences of int, optional
        Layers that use one weight matrix, such as ``[1, 2, 3]``; or several such groups. It is drawn, or given, for the first
        of them, counted once by optimizers, at the first one's learning rate; its gradient is the sum over its layers.

    Attributes
    ----------
    sizes, activations, loss_name, dtype, seed, shared
        What the network is; `activations` ends with ``"identity"``.
    init : str
        The laws that the weights were drawn from.
    weights, biases : tuple of ndarray
        Live arrays, w of shape (n_out, n_in), b of shape (n_out,): what is written to them is seen by the next call. They keep
        the network alive. `biases` is empty without biases. Layers that share a matrix have the same array.
    classes : tuple or None
        What the labels 0, 1, ... stand for, in order: different strings or numbers, one for each output, two for a single one
        (the second is 1). It may be set, and `fit` sets it where y holds texts; files keep it. Labels themselves stay numbers:
        `predict` gives those, ``predict(x, names=True)`` their names.
    history : History
        The course of the last `fit`, up to where it ended, however it ended.

    Notes
    -----
    Data is converted once, to the network's dtype: x may be any real array, y for cross_entropy any integers (labels from 0
    on) or one-hot rows, any real array for the other losses. NaN in either is an error.

    **Reproducibility.** Costs, gradients and weights have the same bits on every CPU and at any thread count. A network is for
    one thread at a time: a call beside another raises RuntimeError.

    Examples
    --------
    >>> import fanin as fi
    >>> net = fi.Network([2, 3, 2], seed=7)
    >>> [w.shape for w in net.weights]
    [(3, 2), (2, 3)]
    """

    activation_stated = True  # False where a file of weights left the activation open, and tanh was taken

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
        shared: Sequence[SupportsIndex] | Sequence[Sequence[SupportsIndex]] | None = None,
    ) -> None:
        self.sizes = widths(sizes)
        n_hidden = max(len(self.sizes) - 2, 0)
        names, bias = activations(activation, n_hidden), require.flag("bias", bias)
        weight_of = matrix_owners(shared, n_hidden + 1)
        seed = _core.fresh_seed() if seed is None else seed_number(seed)
        self._make(require.float_dtype(dtype), names, require.text("loss", loss), bias, seed, weight_of)
        self.init = self._draw(init, bias_init if bias else None)

    def _draw(self, init: Any, bias_init: Any = None) -> str:
        """Draw the parameters, or none if a law is refused; returns the laws of the weights as text."""
        weights = parameters("init", init, "weight", self.weights, self._weight_of)
        biases = parameters("bias_init", bias_init, "bias", self.biases) if bias_init is not None else Parameters()
        self._core.draw(*([law and law._core_law for law in of.laws] for of in (weights, biases)))
        for arrays, of in ((self.weights, weights), (self.biases, biases)):
            for layer, values in of.given.items():
                arrays[layer][...] = values
        return weights.text

    def _make(
        self, dtype: np.dtype[Any], names: Sequence[str], loss: str, bias: bool, seed: int, weight_of: Sequence[int]
    ) -> None:
        make = _core.NetworkF32 if dtype == np.float32 else _core.NetworkF64
        try:
            core = make(self.sizes, list(names), loss, bias, seed, list(weight_of))
        except MemoryError:
            raise MemoryError(f"sizes must give a network that fits memory, got {list(self.sizes)}") from None
        self._bind(core, loss, bias, weight_of)

    def _bind(self, core: Any, loss: str, bias: bool, weight_of: Sequence[int]) -> None:
        self._core = core
        self._weight_of = tuple(weight_of)
        self.loss_name = loss
        self.seed = core.seed
        self.activations: tuple[str, ...] = core.activations
        layers = range(len(self.sizes) - 1)
        self.weights: tuple[FloatArray, ...] = tuple(core.weight(layer) for layer in layers)
        self.biases: tuple[FloatArray, ...] = tuple(core.bias(layer) for layer in layers) if bias else ()
        self.dtype = self.weights[0].dtype
        groups = [tuple(layer for layer in layers if weight_of[layer] == first) for first in layers]
        self.shared = tuple(group for group in groups if len(group) > 1)
        self._classes: tuple[Any, ...] | None = None
        self.history = History()

    def copy(self) -> Self:
        """Return a network of its own with the same parameters, seed and count of epochs."""
        other = object.__new__(type(self))
        other.sizes, other.init = self.sizes, self.init
        other._bind(self._core.copy(), self.loss_name, bool(self.biases), self._weight_of)
        other._classes = self._classes
        return other

    @property
    def classes(self) -> tuple[Any, ...] | None:
        """What the labels 0, 1, ... stand for."""
        return self._classes

    @classes.setter
    def classes(self, classes: Sequence[Any] | None) -> None:
        self._classes = None if classes is None else class_names(classes, self.sizes[-1])

    def __getstate__(self) -> dict[str, Any]:
        made = (self.dtype, self.activations[:-1], self.loss_name, bool(self.biases), self.seed, self._weight_of)
        now = self.copy()  # refuses to look at a network that is being trained
        arrays = [*now.weights, *now.biases]
        state = {"sizes": self.sizes, "init": self.init, "made": made, "epochs": now._core.epochs, "arrays": arrays}
        return {**state, "classes": self._classes}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.sizes, self.init = state["sizes"], state["init"]
        self._make(*state["made"])
        for array, values in zip((*self.weights, *self.biases), state["arrays"], strict=True):
            array[...] = values
        self._core.epochs = state["epochs"]
        self._classes = state.get("classes")

    def save(self, path: str | PathLike[str], optimizer: Optimizer | None = None, *, names: str = "fanin") -> None:
        """Write the network to a safetensors file, and the optimizer's state if given: see `fanin.network.checkpoint.save`."""
        checkpoint.save(path, self._core, self.init, optimizer, names=names, classes=self._classes)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Network:
        """Return the network that `save` wrote; `fanin.load` returns its optimizer too."""
        return cls._read(path)[0]

    def load_weights(self, path: str | PathLike[str]) -> None:
        """Take the parameters of a safetensors file of any writer.

        Tensors ``"n.weight"`` (n_out, n_in) and ``"n.bias"`` (n_out,) for ascending n, as many as the network has layers, so
        those of PyTorch's ``Sequential`` too; of the network's dtype, or float32 for a float64 network. Other tensors pass.

        Raises
        ------
        ValueError
            As `fanin.load`, and where a tensor is missing or of another shape or dtype; the network stays as it was.
        """
        file = checkpoint.opened(path)
        checkpoint.check_names(file, path)
        self._core.load(file)

    @classmethod
    def _read(cls, path: str | PathLike[str]) -> tuple[Self, Optimizer | None]:
        """Return what `save` wrote; `fanin.load` says what it raises."""
        file = checkpoint.opened(path)
        saved = checkpoint.described(file, path)
        network = object.__new__(cls)
        network.sizes, network.init = saved.sizes, saved.init
        try:
            network._make(saved.dtype, saved.activations, saved.loss, saved.bias, saved.seed, saved.weight_of)
            network.classes = saved.classes
        except ValueError as error:
            raise checkpoint.damaged(path, error) from None
        network._core.load(file)
        if saved.optimizer is not None:
            network._core.load_optimizer(file, core_of(saved.optimizer))
        checkpoint.warn_of_version(file, path)
        return network, saved.optimizer

    def __repr__(self) -> str:
        activations = ", ".join(dict.fromkeys(self.activations[:-1]))
        return (
            f"Network({list(self.sizes)}, activation={activations!r}, init={self.init!r}, loss={self.loss_name!r}, "
            f"seed={self.seed}, dtype={self.dtype.name!r})"
        )

    def _repr_html_(self) -> str:
        return upward.html("network", self)

    def forward(self, x: ArrayLike) -> FloatArray:
        """Logits of the rows of `x`, shape (batch, n_in), at once: an array of shape (batch, outputs)."""
        return self._core.forward(self._x(x))  # type: ignore[no-any-return]

    def decision_function(self, x: ArrayLike) -> FloatArray:
        """Logits, shape (batch,) for one output, otherwise (batch, outputs)."""
        return predict.values(self, x)

    def predict(self, x: ArrayLike, *, names: bool = False) -> NDArray[Any]:
        """Labels of the rows of `x`: the first largest logit; 0 or 1, -1 or 1 for one output; values for mean_squared_error.

        `names`: what the labels stand for, of `classes`, in place of the numbers.
        """
        labels = predict.labels(self, x)
        return predict.named(self, labels) if require.flag("names", names) else labels

    def predict_proba(self, x: ArrayLike) -> FloatArray:
        """Probabilities of the classes, shape (batch, classes): the softmax of the logits, or 1 - s and s of the sigmoid s.

        Raises
        ------
        ValueError
            If the loss is neither cross_entropy nor binary_cross_entropy: its logits are no probabilities.
        """
        return predict.probabilities(self, x)

    def score(self, x: ArrayLike, y: ArrayLike) -> float:
        """Fraction of the rows that `predict` labels right; for mean_squared_error the coefficient of determination.

        That is 1 - sum (y - z)^2 / sum (y - mean y)^2, the mean over the outputs; an output whose y is constant counts 1 where
        it is met exactly, otherwise 0.
        """
        return predict.score(self, x, y)

    def loss(self, x: ArrayLike, y: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
        """Mean cost of the rows of `x` against the targets `y`; weighted as `fit` says."""
        return self._core.loss(self._x(x), self._y(y), self._weight(sample_weight))  # type: ignore[no-any-return]

    def gradients(
        self, x: ArrayLike, y: ArrayLike, *, sample_weight: ArrayLike | None = None
    ) -> list[tuple[FloatArray, FloatArray | None]]:
        """Gradients of the mean cost, (dw, db) for each layer: those that `step` uses. db is None without biases."""
        return self._core.gradients(self._x(x), self._y(y), self._weight(sample_weight))[1]  # type: ignore[no-any-return]

    def step(self, x: ArrayLike, y: ArrayLike, *, optimizer: Optimizer, sample_weight: ArrayLike | None = None) -> float:
        """Update the parameters once by the gradients of one batch; returns the mean cost before the update.

        Arrays of the network's dtype (and int64 labels) are used as they are. Nothing is allocated in the core after the first
        step of a batch size. An interrupt leaves the parameters as they were. An infinite or NaN cost or gradient is carried
        into the parameters, with a RuntimeWarning that names the layer; `fit` can stop before that. A warning too where the
        update overflows.
        """
        weight = self._weight(sample_weight)
        return self._core.step(self._x(x), self._y(y), core_of(optimizer), weight)  # type: ignore[no-any-return]

    def fit(
        self,
        x: ArrayLike,
        y: ArrayLike,
        *,
        epochs: int = 1,
        batch_size: int | None = 32,
        shuffle: bool = True,
        optimizer: Optimizer,
        validation: tuple[ArrayLike, ArrayLike] | None = None,
        on_step: Callable[[FitEvent], Any] | None = None,
        on_epoch: Callable[[FitEvent], Any] | None = None,
        on_nonfinite: str = "stop",
        trace_every: int | None = None,
        progress: bool | Callable[[int, int, float], None] | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> History:
        """Step over all rows, epoch by epoch.

        Parameters
        ----------
        x, y : array_like
            Data, converted once; or a DataFrame and the name of its column to learn, as `datasets.load_table` takes them.
            Labels may be texts: where the network has no `classes` yet, they become its classes in sorted order.
        epochs : int
            At least 0.
        batch_size : int, optional
            Rows of a step; the last batch of an epoch may be short. None: all rows.
        shuffle : bool
            Whether an epoch takes the rows by the permutation of (seed, ``"fanin/shuffle"``, round), the round being the number
            of epochs that this network has seen; otherwise they come in order.
        optimizer : Optimizer
            For example ``fi.SGD(lr=0.1)``.
        validation : (x, y), optional
            Data to be judged on after each epoch, its cost and score; or a DataFrame of the same columns and its target.
        on_step, on_epoch : callable, optional
            Called after each step and each epoch with a `FitEvent`; True ends the fit. Without `on_step` the core runs whole
            epochs by itself.
        on_nonfinite : {"stop", "raise", "continue"}
            At the first infinite or NaN cost or gradient: end, before it reaches the parameters, with a RuntimeWarning that
            names layer and step; raise FloatingPointError instead; or go on. Also where an update overflowed, which shows
            at the next such cost or at the end of the epoch: the parameters are not finite then.
        trace_every : int, optional
            Keep a `fanin.trace` of the batch of steps 1, 1 + trace_every, 1 + 2 trace_every, ..., taken before the update, with
            ``stats="moments"``: ``history.traces``. Costs and parameters are those of a fit without.
        progress : bool or callable
            True draws a bar on the standard error if that is a terminal (Rich's if installed); a callable is called after each
            epoch as progress(epoch, epochs, cost).
        sample_weight : array, shape (n,), optional
            Weights of the rows, finite and at least 0: costs and gradients of a batch are then sum w c / sum w over its rows,
            and those of an epoch over all. A row of weight 0 counts for nothing; a batch of such rows alone has cost 0.

        Returns
        -------
        History
            Also kept as ``network.history``, whatever ends the fit.

        Notes
        -----
        Ctrl-C ends it between steps with KeyboardInterrupt: what was learned stays, and ``network.history`` goes up to there.
        The same holds where a callback raises.
        """
        return fit(
            self,
            x,
            y,
            epochs=epochs,
            batch_size=batch_size,
            shuffle=shuffle,
            optimizer=optimizer,
            validation=validation,
            on_step=on_step,
            on_epoch=on_epoch,
            on_nonfinite=on_nonfinite,
            trace_every=trace_every,
            progress=progress,
            sample_weight=sample_weight,
        )

    def _weight(self, weight: ArrayLike | None) -> FloatArray | None:
        if weight is None:
            return None
        return np.ascontiguousarray(converted("sample_weight", require.array("sample_weight", weight), self.dtype))

    def _x(self, x: ArrayLike) -> FloatArray:
        if isinstance(x, np.ndarray) and x.dtype == self.dtype and x.flags.aligned:
            return x
        return converted("x", require.array("x", x), self.dtype)

    def _y(self, y: ArrayLike) -> NDArray[Any]:
        labels = self.loss_name == "cross_entropy"
        dtype = _LABEL if labels else self.dtype
        if isinstance(y, np.ndarray) and y.dtype == dtype and y.flags.carray and (y.ndim == 1 or not labels):
            return y
        array = require.array("y", y)
        if self.loss_name != "mean_squared_error" and is_text(array):
            if self._classes is None:
                raise ValueError("y must hold numbers, got texts: fit(x, y) names the classes, or set network.classes first")
            array = labels_of(array, self._classes, hinge=self.loss_name == "hinge")
        return np.ascontiguousarray(converted("y", class_labels(array, self.sizes[-1]) if labels else array, dtype))
