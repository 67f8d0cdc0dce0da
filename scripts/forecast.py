"""Fit the tables of the expected outlook, python/fanin/diagnosis/forecast.json, to networks that were trained.

    python benchmarks/population_verdict.py outcomes 1000 3500 --repeats 0 1 --cache many.jsonl
    python benchmarks/population_verdict.py outcomes 60000 61700 --repeats 0 3 --cache sure.jsonl
    python scripts/forecast.py many.jsonl --anew
    python scripts/forecast.py sure.jsonl

Gradient boosting of trees of depth 3 (scikit-learn) on the figures of `fanin.diagnosis.forecast.features`: 120 on many networks
that were trained once each, then 100 more, in smaller steps, on fewer whose outcome is what most of three trainings say. The
limit is the lowest at which, in five-fold cross-validation, at most 4 % of the networks that do not train are said to.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_predict

import fanin as fi
from fanin.diagnosis import forecast

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))
import population_verdict as population  # noqa: E402

MISSED = 0.04
TABLE = ROOT / "python/fanin/diagnosis/forecast.json"


class Begun(ClassifierMixin, BaseEstimator):
    """A table, as scikit-learn's boosting takes what it goes on from."""

    def __init__(self, table=None):
        self.table = table

    def fit(self, x, trains, sample_weight=None):
        self.classes_ = np.array([False, True])
        return self

    def predict_proba(self, x):
        odds = self.table["start"] + sum(leaves(tree, x) for tree in self.table["trees"])
        chance = 1 / (1 + np.exp(-odds))
        return np.stack([1 - chance, chance], axis=1)


def leaves(tree, x):
    """Return what a tree adds to the odds of each row."""
    if not isinstance(tree, list):
        return np.full(len(x), tree)
    feature, limit, low, high = tree
    return np.where(x[:, feature] <= limit, leaves(low, x), leaves(high, x))


def examples(cache: Path, steps: int):
    """Return the figures of each network by the kind of its trace, and whether it trained."""
    figures, trains = {"both": [], "forward": [], "moments": []}, []
    for (seed, n), repeats in population.load(cache).items():
        if n != steps:
            continue
        case = population.Case(seed)
        outcome, _ = case.measured(list(repeats.values()))
        if outcome == "no start trains":
            continue
        net = case.network()
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            whole = fi.trace(net, case.other_x, case.other_y)
            if not forecast.is_finite(whole):
                continue
            figures["both"].append(forecast.features(whole))
            figures["forward"].append(forecast.features(fi.trace(net, case.other_x)))
            figures["moments"].append(forecast.features(fi.trace(net, case.other_x, case.other_y, stats="moments")))
        trains.append(outcome == "trains")
    return figures, np.array(trains)


def table(rows, trains, begun: dict | None) -> dict:
    """Return a table, its trees after those of another if there is one."""
    known = [] if begun is None else begun["features"]
    names = [*known, *(name for name in rows[0] if name not in known)]
    x = np.array([[row[name] for name in names] for row in rows])
    options = {"max_depth": 3, "subsample": 0.6, "min_samples_leaf": 6, "max_features": 0.5, "random_state": 0}
    if begun is None:
        model = GradientBoostingClassifier(n_estimators=120, learning_rate=0.1, **options)
    else:
        model = GradientBoostingClassifier(n_estimators=100, learning_rate=0.05, init=Begun(begun), **options)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    chance = cross_val_predict(model, x, trains, cv=folds, method="predict_proba")[:, 1]
    limit = next(t for t in np.arange(0.5, 1, 0.01) if (chance[~trains] > t).mean() <= MISSED)
    print(f"{len(x)} networks: agreement {((chance > limit) == trains).mean():.3f} at {limit:.2f}, cross-validated")
    model.fit(x, trains)
    start = float(np.log(trains.mean() / (1 - trains.mean()))) if begun is None else begun["start"]
    trees = [] if begun is None else list(begun["trees"])
    trees += [node(one[0].tree_, 0, model.learning_rate) for one in model.estimators_]
    return {"features": names, "start": round(start, 6), "limit": round(float(limit), 2), "trees": trees}


def node(tree, i: int, rate: float):
    if tree.children_left[i] < 0:
        return round(float(tree.value[i, 0, 0]) * rate, 4)
    ways = [node(tree, way, rate) for way in (tree.children_left[i], tree.children_right[i])]
    return [int(tree.feature[i]), round(float(tree.threshold[i]), 4), *ways]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--anew", action="store_true", help="forget the tables there are")
    given = parser.parse_args()
    fi.set_num_threads(1)
    figures, trains = examples(given.cache, given.steps)
    known = {} if given.anew else json.loads(TABLE.read_text())
    found = {kind: table(rows, trains, known.get(kind)) for kind, rows in figures.items()}
    TABLE.write_text(json.dumps(found, separators=(",", ":")) + "\n")
