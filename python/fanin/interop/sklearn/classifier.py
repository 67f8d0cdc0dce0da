"""`MLPClassifier`: scikit-learn's, trained by `fanin.Network`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from fanin.interop.sklearn.perceptron import Perceptron


class MLPClassifier(ClassifierMixin, Perceptron):  # type: ignore[misc]
    """A dense network that classifies, with scikit-learn's names and defaults where the meaning is the same.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default (100,)
        Widths of the hidden layers.
    activation : str or sequence of str, default "relu"
        Of all hidden layers, or one each: names of `fanin.activation.names`, and ``"logistic"`` for the sigmoid.
    init : law, sequence or mapping of laws and arrays, default "glorot_uniform"
        Where weights come from, as `fanin.Network` takes it.
    bias_init : law, sequence or mapping of laws and arrays, default "auto"
        Where biases come from; "auto" is scikit-learn's: uniform in the bounds of its weights, sqrt(6 / (n_in + n_out)), for
        the sigmoid sqrt(2 / (n_in + n_out)).
    solver : {"adam", "sgd", "rmsprop", "adagrad"}
    batch_size : int or "auto"
        "auto" is min(200, rows).
    learning_rate : {"constant", "invscaling", "adaptive"}
        For "sgd" alone, as scikit-learn has it.
    learning_rate_init, power_t, max_iter, shuffle, tol, verbose, warm_start, momentum, nesterovs_momentum, early_stopping, \
validation_fraction, beta_1, beta_2, epsilon, n_iter_no_change
        As scikit-learn's.
    random_state : int, RandomState or None
        The network's seed is drawn from it.
    weight_decay : float, default 0
        Decoupled, of "adam" alone (AdamW). There is no `alpha`: scikit-learn's penalty is another one.
    dtype : dtype, default "float32"
        Of parameters and arithmetic: float32 or float64.
    class_weight : mapping or "balanced", optional
        Weights of the classes, multiplied into the rows' weights.

    Attributes
    ----------
    network_ : fanin.Network
        What was trained.
    trace_ : fanin.Trace
        Of the start, before the first step, on at most 256 rows.
    diagnosis_ : fanin.Diagnosis
        The verdict about that trace.
    classes_, coefs_, intercepts_, n_iter_, n_layers_, n_outputs_, out_activation_, t_, loss_, loss_curve_, best_loss_, \
validation_scores_, best_validation_score_, n_features_in_, feature_names_in_
        As scikit-learn's.

    Notes
    -----
    Two classes are learned by one output and the binary cross-entropy, more by a softmax. Several labels a row, and sparse x,
    are refused. A pickle keeps the network, not the state of its optimizer. One `random_state` gives the same bits everywhere.

    Examples
    --------
    >>> import fanin as fi
    >>> from fanin.interop.sklearn import MLPClassifier
    >>> x, y = fi.datasets.digits()
    >>> found = MLPClassifier((50,), tol=0.01, learning_rate_init=0.01, random_state=0).fit(x[:1000], y[:1000])
    >>> bool(found.score(x[1000:], y[1000:]) > 0.85), found.diagnosis_.verdict
    (True, 'healthy')
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
        class_weight: Any = None,
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
        self.class_weight = class_weight

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPClassifier:
        """Learn to classify the rows of `X`, shape (n, features), as `y`, shape (n,), says; returns itself.

        With `sample_weight`, shape (n,), costs and gradients are weighted means.
        """
        first = not (self.warm_start and self.__sklearn_is_fitted__())
        return self._fit(X, y, sample_weight, first=first, epochs=self.max_iter)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> MLPClassifier:
        """Go over the rows once; `classes` names all classes at the first call."""
        if isinstance(self.class_weight, str):
            raise ValueError("class_weight must be a mapping for partial_fit, which sees no whole data, got 'balanced'")
        return self._fit(X, y, sample_weight, first=not self.__sklearn_is_fitted__(), epochs=1, classes=classes, partial=True)

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        first: bool,
        epochs: int,
        classes: Any = None,
        partial: bool = False,
    ) -> MLPClassifier:
        X, y = self._checked(X, y, first)
        check_classification_targets(y)
        if y.ndim == 2 and y.shape[1] > 1:
            raise ValueError("y must have one label a row, got several: fanin has no loss of several labels")
        y = column_or_1d(y, warn=True)
        found = np.unique(y)
        if first:
            self.classes_ = found if classes is None else np.unique(np.asarray(classes))
        elif classes is not None and not np.array_equal(np.unique(np.asarray(classes)), self.classes_):
            raise ValueError(f"classes must be those of the first call, {self.classes_.tolist()}, got {classes!r}")
        unknown = np.setdiff1d(found, self.classes_)
        if len(unknown):
            raise ValueError(f"y must hold the classes {self.classes_.tolist()}, got {unknown.tolist()[:10]}")
        if len(self.classes_) < 2:
            raise ValueError(f"y must hold at least two classes, got 1 class: {self.classes_.tolist()}")
        binary = len(self.classes_) == 2
        self.out_activation_ = "logistic" if binary else "softmax"
        labels = np.searchsorted(self.classes_, y).astype(np.int64)
        loss, targets = ("binary_cross_entropy", labels.astype(np.dtype(self.dtype))) if binary else ("cross_entropy", labels)
        self._partial = partial
        weights = self._weights(X, sample_weight)
        if self.class_weight is not None:
            of_class = compute_sample_weight(self.class_weight, y)
            weights = of_class if weights is None else weights * of_class
        self._learn(X, targets, loss, 1 if binary else len(self.classes_), first, epochs, weights)
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class of every row."""
        labels: NDArray[Any] = self.classes_[self.network_.predict(rows)] if len(rows := self._rows(X)) else self.classes_[:0]
        return labels

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return the probabilities of the classes, shape (n, classes), in the order of `classes_`."""
        rows = self._rows(X)
        return self.network_.predict_proba(rows)

    def predict_log_proba(self, X: Any) -> NDArray[Any]:
        """Return the logarithms of `predict_proba`."""
        with np.errstate(divide="ignore"):
            logs: NDArray[Any] = np.log(self.predict_proba(X))
        return logs
