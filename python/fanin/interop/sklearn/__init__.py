"""Scikit-learn's multi-layer perceptrons over `fanin.Network`: estimators for pipelines, searches and cross-validation."""

from __future__ import annotations

try:
    import sklearn  # noqa: F401
except ImportError as error:
    raise ImportError("fanin.interop.sklearn needs scikit-learn: pip install 'fanin[sklearn]'") from error

from fanin.interop import threadpoolctl  # noqa: F401  scikit-learn limits the threads of its workers by it
from fanin.interop.sklearn.classifier import MLPClassifier
from fanin.interop.sklearn.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
