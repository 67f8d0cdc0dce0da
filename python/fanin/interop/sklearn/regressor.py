"""`MLPRegressor`: scikit-learn's, trained by `fanin.Network`."""

from __future__ import annotations

from typing import Any

from numpy.typing import DTypeLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.utils.validation import column_or_1d

from fanin.interop.sklearn.perceptron import Perceptron


class MLPRegressor(RegressorMixin, Perceptron):  # type: ignore[misc]
    """A dense network that predicts quantities: the mean squared error, one or several a row.

    Parameters and attributes are those of `MLPClassifier`, without classes. There is no `loss`: the other one of
    scikit-learn's, "poisson", fanin does not have.

    Examples
    --------
    >>> import numpy as np
    >>> from fanin.interop.sklearn import MLPRegressor
    >>> x = np.linspace(-1, 1, 200)[:, None]
    >>> found = MLPRegressor((30, 30), "tanh", learning_rate_init=0.01, n_iter_no_change=50, random_state=0)
    >>> bool(found.fit(x, np.sin(3 * x[:, 0])).score(x, np.sin(3 * x[:, 0])) > 0.9)
    True
    """

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        init: Any = "glorot_uniform",
        bias_init: Any = "auto",
        solver: str = "adam",
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: Any = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: int = 10,
        weight_decay: float = 0.0,
        dtype: DTypeLike = "float32",
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.init = init
        self.bias_init = bias_init
        self.solver = solver
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.weight_decay = weight_decay
        self.dtype = dtype

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Learn `y`, shape (n,) or (n, outputs), from the rows of `X`, shape (n, features); returns itself.

        With `sample_weight`, shape (n,), costs and gradients are weighted means.
        """
        first = not (self.warm_start and self.__sklearn_is_fitted__())
        return self._fit(X, y, sample_weight, first=first, epochs=self.max_iter)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Go over the rows once."""
        return self._fit(X, y, sample_weight, first=not self.__sklearn_is_fitted__(), epochs=1, partial=True)

    def _fit(self, X: Any, y: Any, sample_weight: Any, first: bool, epochs: int, partial: bool = False) -> MLPRegressor:
        X, y = self._checked(X, y, first)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        targets = y[:, None] if y.ndim == 1 else y
        if first:
            self._flat, self.out_activation_ = y.ndim == 1, "identity"
        elif targets.shape[1] != self.n_outputs_:
            raise ValueError(f"y must have {self.n_outputs_} outputs as at the first call, got {targets.shape[1]}")
        self._partial = partial
        self._learn(X, targets, "mean_squared_error", targets.shape[1], first, epochs, self._weights(X, sample_weight))
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the predicted quantities, in the shape of the targets that were learned."""
        rows = self._rows(X)
        return self.network_.predict(rows)
