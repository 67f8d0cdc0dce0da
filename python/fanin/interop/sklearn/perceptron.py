"""What the classifier and the regressor share: parameters as the constructor took them, epochs, stopping, attributes."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from itertools import pairwise
from numbers import Integral, Real
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from fanin.diagnosis.diagnosis import Diagnosis, diagnose
from fanin.init import law
from fanin.interop.sklearn.course import Course
from fanin.network.load import load
from fanin.network.network import Network
from fanin.optimizer import SGD, AdaGrad, Adam, Optimizer, RMSProp
from fanin.tracing.record import Trace
from fanin.tracing.take import trace

_TRACED_ROWS = 256
_POSITIVE = Interval(Real, 0, None, closed="neither")
_SHARE = Interval(Real, 0, 1, closed="left")
_COUNT = Interval(Integral, 1, None, closed="left")


class Perceptron(BaseEstimator):  # type: ignore[misc]
    """The base of both estimators, which state parameters and attributes."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [str, list, tuple],
        "init": "no_validation",
        "bias_init": "no_validation",
        "solver": [StrOptions({"adam", "sgd", "rmsprop", "adagrad"})],
        "batch_size": [StrOptions({"auto"}), _COUNT],
        "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"})],
        "learning_rate_init": [_POSITIVE],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "max_iter": [_COUNT],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "momentum": [_SHARE],
        "nesterovs_momentum": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "beta_1": [_SHARE],
        "beta_2": [_SHARE],
        "epsilon": [_POSITIVE],
        "n_iter_no_change": [_COUNT],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "dtype": "no_validation",
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    network_: Network
    trace_: Trace
    diagnosis_: Diagnosis
    _optimizer: Optimizer

    # ------------------------------------------------------------------------------------------------ what was learned

    @property
    def coefs_(self) -> list[NDArray[Any]]:
        """Live weight matrices, of shape (n_in, n_out) as scikit-learn has them."""
        return [w.T for w in self._fitted().weights]

    @property
    def intercepts_(self) -> list[NDArray[Any]]:
        """Live biases."""
        return list(self._fitted().biases)

    def _fitted(self) -> Network:
        if "network_" not in self.__dict__:
            raise AttributeError(f"this {type(self).__name__} is not fitted yet")
        return self.network_

    def __getstate__(self) -> dict[str, Any]:
        """Pickled with the optimizer's state, so that `partial_fit` goes on with the same bits."""
        state: dict[str, Any] = dict(super().__getstate__())
        if "_optimizer" in state:
            with TemporaryDirectory() as folder:
                file = Path(folder) / "saved"
                state["network_"].save(file, state["_optimizer"])
                state["_saved"] = file.read_bytes()
            del state["network_"], state["_optimizer"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        saved = state.pop("_saved", None)
        if saved is not None:
            with TemporaryDirectory() as folder:
                file = Path(folder) / "saved"
                file.write_bytes(saved)
                state["network_"], state["_optimizer"] = load(file)
        super().__setstate__(state)

    # ------------------------------------------------------------------------------------------------ fitting

    def _checked(self, X: Any, y: Any, first: bool) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return x and y as arrays of finite numbers, x in the network's dtype where that costs no copy."""
        self._validate_params()
        dtypes, quantities = [np.dtype(self.dtype), np.float64, np.float32], not is_classifier(self)
        X, y = validate_data(self, X, y, dtype=dtypes, multi_output=True, y_numeric=quantities, reset=first)
        return X, y

    def _weights(self, X: NDArray[Any], sample_weight: Any) -> NDArray[Any] | None:
        """Return the rows' weights as the network takes them."""
        if sample_weight is None:
            return None
        weights: NDArray[Any] = _check_sample_weight(sample_weight, X, ensure_non_negative=True)
        return weights

    def _new(self, n_in: int, n_out: int, loss: str, rng: np.random.RandomState) -> None:
        """Make the network and its optimizer, and forget the course of an earlier fit."""
        hidden = [self.hidden_layer_sizes] if isinstance(self.hidden_layer_sizes, Integral) else list(self.hidden_layer_sizes)
        if any(not isinstance(n, Integral) or n < 1 for n in hidden):
            raise ValueError(f"hidden_layer_sizes must hold integers of at least 1, got {hidden}")
        names = self.activation if isinstance(self.activation, str) else list(self.activation)
        alias = {"logistic": "sigmoid"}  # scikit-learn's word
        activation: str | Sequence[str] = (
            alias.get(names, names) if isinstance(names, str) else [alias.get(name, name) for name in names]
        )
        seed = int(rng.randint(0, 2**63 - 1, dtype=np.int64))
        sizes = [n_in, *map(int, hidden), n_out]
        biases = self.bias_init
        if isinstance(biases, str) and biases == "auto":
            factor = 2 if activation == "sigmoid" else 6
            bounds = [math.sqrt(factor / (a + b)) for a, b in pairwise(sizes)]
            biases = [law(f"uniform(low={-bound!r}, high={bound!r})") for bound in bounds]
        self.network_ = Network(sizes, activation, self.init, loss, seed=seed, dtype=self.dtype, bias_init=biases)
        self.n_layers_, self.n_outputs_ = len(self.network_.sizes), n_out
        self.t_ = 0
        self._course = Course(bool(self.early_stopping))

    def _rate(self) -> float:
        """The rate for the network: fanin's squared error is a mean over the outputs, scikit-learn's the half of their sum."""
        scale = self.n_outputs_ / 2 if self.solver == "sgd" and not is_classifier(self) else 1.0
        return float(self.learning_rate_init) * scale

    def _new_optimizer(self) -> Optimizer:
        lr = self._rate()
        if self.solver == "adam":
            return Adam(lr, self.beta_1, self.beta_2, self.epsilon, weight_decay=self.weight_decay)
        if self.weight_decay:
            raise ValueError(f"weight_decay must be 0 with solver={self.solver!r}: it is AdamW's, got {self.weight_decay}")
        if self.solver == "sgd":
            return SGD(lr, self.momentum, bool(self.nesterovs_momentum) and self.momentum > 0)
        return RMSProp(lr, eps=self.epsilon) if self.solver == "rmsprop" else AdaGrad(lr, self.epsilon)

    def _look(self, X: NDArray[Any], y: NDArray[Any]) -> None:
        """Trace and judge the start on the first rows."""
        self.trace_ = trace(self.network_, X[:_TRACED_ROWS], y[:_TRACED_ROWS])
        self.diagnosis_ = diagnose(self.trace_)

    def _learn(
        self, X: NDArray[Any], y: NDArray[Any], loss: str, n_out: int, first: bool, epochs: int, weights: NDArray[Any] | None
    ) -> None:
        """Run the epochs of `fit`, or the one of `partial_fit`; y as the network takes it."""
        once = epochs == 1 and self._partial
        if once and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        rng = check_random_state(self.random_state)
        if first:
            self._new(X.shape[1], n_out, loss, rng)
        if first or not once or not hasattr(self, "_optimizer"):
            self._optimizer = self._new_optimizer()
        if first:
            self._look(X, y)
        held_out = None
        if self.early_stopping:
            X, held_out_x, y, held_out_y, *pair = train_test_split(
                X,
                y,
                *([] if weights is None else [weights]),
                random_state=rng,
                test_size=self.validation_fraction,
                stratify=y if is_classifier(self) else None,
            )
            if len(held_out_x) < 2:
                raise ValueError("The validation set is too small. Increase 'validation_fraction' or the size of your dataset.")
            weights = pair[0] if pair else None
            held_out = held_out_x, held_out_y
        if weights is not None and not (weights > 0).any():
            raise ValueError("sample_weight must have a weight above 0, got none")
        self._run(X, y, held_out, epochs, once, weights)

    def _run(
        self, X: NDArray[Any], y: NDArray[Any], held_out: Any, epochs: int, once: bool, weights: NDArray[Any] | None
    ) -> None:
        n, net, rule, course = len(X), self.network_, self._optimizer, self._course
        if self.batch_size != "auto" and self.batch_size > n:
            warnings.warn(f"batch_size={self.batch_size} is larger than the {n} rows and is cut to them", stacklevel=4)
        size = min(200 if self.batch_size == "auto" else int(self.batch_size), n)
        half = 1.0 if is_classifier(self) else 0.5  # scikit-learn's squared error has one
        if not once:
            course.begin()

        def judge(event: Any) -> bool:
            cost = event.cost * half
            score = None if held_out is None else net.score(*held_out)
            self.t_ += n
            if self.verbose:
                print(f"Iteration {len(course.costs) + 1}, loss = {cost:.8f}")
            idle = course.note(cost, score, self.tol, net)
            if self.solver == "sgd" and self.learning_rate == "invscaling":
                rule.lr = self._rate() / (self.t_ + 1) ** self.power_t
            if once or idle <= self.n_iter_no_change:
                return False
            if self.solver == "sgd" and self.learning_rate == "adaptive" and rule.lr > 1e-6:  # type: ignore[operator]
                rule.lr = rule.lr / 5  # type: ignore[operator]
                course.idle = 0
                return False
            course.converged = True
            return True

        options: dict[str, Any] = {} if weights is None else {"sample_weight": weights}
        try:
            net.fit(
                X,
                y,
                epochs=epochs,
                batch_size=size,
                shuffle=bool(self.shuffle),
                optimizer=rule,
                on_epoch=judge,
                on_nonfinite="raise",
                **options,
            )
        except FloatingPointError as error:
            raise ValueError(
                f"the solver met values that are not finite: {error}; scale the data, or lower the rate"
            ) from error
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=4)
        self.n_iter_ = course.rounds
        self.loss_, self.loss_curve_ = course.costs[-1] if course.costs else np.nan, course.costs
        self.best_loss_ = None if held_out is not None else course.best_cost
        self.validation_scores_ = course.scores if held_out is not None else None
        self.best_validation_score_ = course.best_score if held_out is not None else None
        if held_out is not None:
            course.restore(net)
        elif not once and not course.converged and course.rounds == epochs:
            warnings.warn(
                f"Stochastic Optimizer: Maximum iterations ({epochs}) reached and the optimization hasn't converged yet.",
                ConvergenceWarning,
                stacklevel=4,
            )

    # ------------------------------------------------------------------------------------------------ using

    def _rows(self, X: Any) -> NDArray[Any]:
        check_is_fitted(self)
        dtypes = [self.network_.dtype, np.float64, np.float32]
        rows: NDArray[Any] = validate_data(self, X, dtype=dtypes, reset=False)
        return rows

    def __sklearn_is_fitted__(self) -> bool:
        return "network_" in self.__dict__
