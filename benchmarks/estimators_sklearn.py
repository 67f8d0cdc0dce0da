"""fanin's estimators beside scikit-learn's: scores and user CPU time on digits and on scikit-learn's regression generators.

Run as ``python benchmarks/estimators_sklearn.py [seeds]``. Both run on one thread, in turn, on the same splits.
"""

from __future__ import annotations

import resource
import sys
import warnings

import numpy as np
from sklearn import datasets, neural_network
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

import fanin.interop.sklearn as ours

PROBLEMS = {
    "digits": lambda: datasets.load_digits(return_X_y=True),
    "regression": lambda: datasets.make_regression(2000, 20, noise=5, random_state=0),
    "friedman1": lambda: datasets.make_friedman1(2000, random_state=0),
    "friedman2": lambda: datasets.make_friedman2(2000, random_state=0),
    "friedman3": lambda: datasets.make_friedman3(2000, random_state=0),
    "sparse": lambda: datasets.make_sparse_uncorrelated(2000, random_state=0),
}


def user() -> float:
    """CPU seconds of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime


def main(seeds: int) -> None:
    """Print a line for each problem: mean scores, the standard error of their difference, least ratio of times."""
    warnings.simplefilter("ignore")
    for name, load in PROBLEMS.items():
        x, y = load()
        kind = "MLPClassifier" if name == "digits" else "MLPRegressor"
        scores, seconds = np.empty((seeds, 2)), np.empty((seeds, 2))
        for seed in range(seeds):
            x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=seed)
            scaler = StandardScaler().fit(x_train)
            x_train, x_test = scaler.transform(x_train), scaler.transform(x_test)
            if kind == "MLPRegressor":
                mean, std = y_train.mean(), y_train.std()
                y_train, y_test = (y_train - mean) / std, (y_test - mean) / std
            for i, peer in enumerate((neural_network, ours)):
                estimator = getattr(peer, kind)(random_state=seed)
                begin = user()
                estimator.fit(x_train, y_train)
                seconds[seed, i], scores[seed, i] = user() - begin, estimator.score(x_test, y_test)
        apart = scores[:, 1] - scores[:, 0]
        error = apart.std(ddof=1) / np.sqrt(seeds) if seeds > 1 else np.nan
        ratio = seconds[:, 0] / seconds[:, 1]
        print(
            f"{name:11} scikit-learn {scores[:, 0].mean():.4f}  fanin {scores[:, 1].mean():.4f}  "
            f"difference {apart.mean():+.4f} +- {error:.4f}  {ratio.min():.1f} to {ratio.max():.1f} times as fast"
        )


if __name__ == "__main__":
    with threadpool_limits(1):
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
