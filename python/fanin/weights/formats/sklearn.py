"""Fitted multilayer perceptrons of scikit-learn, in memory: their files are pickles, which are not opened here."""

from __future__ import annotations

from typing import Any

import numpy as np

from fanin.weights.formats.tensors import Stage, TensorFile, in_memory

_ACTIVATIONS = {"identity": "identity", "logistic": "sigmoid", "tanh": "tanh", "relu": "relu"}


def is_estimator(source: Any) -> bool:
    """Return whether an object is an MLPClassifier or MLPRegressor, or of the same attributes."""
    return hasattr(source, "coefs_") and hasattr(source, "intercepts_")


def read(estimator: Any) -> TensorFile:
    """Return the weights of a fitted estimator, which says order, layout, activation, loss and classes."""
    name = type(estimator).__name__
    tensors, stages = [], []
    for i, (w, b) in enumerate(zip(estimator.coefs_, estimator.intercepts_, strict=True)):
        tensors += [in_memory(f"coefs_{i}", np.asarray(w), layout="in_out"), in_memory(f"intercepts_{i}", np.asarray(b))]
        stages.append(Stage(f"coefs_{i}", f"intercepts_{i}", "in_out"))
    found = TensorFile(name, "scikit-learn", tensors, ordered=True, stages=stages)
    hidden = _ACTIVATIONS.get(estimator.activation)
    if hidden is None:
        found.no_network = f"its activation is {estimator.activation}"
    found.activations = [hidden or "identity"] * (len(stages) - 1)
    last, outputs = estimator.out_activation_, len(estimator.intercepts_[-1])
    if last == "logistic" and outputs > 1:
        found.no_network = "it has several labels a row, each with a loss of its own"
    found.loss = {"softmax": "cross_entropy", "logistic": "binary_cross_entropy"}.get(last, "mean_squared_error")
    classes = getattr(estimator, "classes_", None)
    found.classes = None if classes is None or (outputs > 1 and last == "logistic") else np.asarray(classes).tolist()
    return found
