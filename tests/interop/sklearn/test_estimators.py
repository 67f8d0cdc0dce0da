"""scikit-learn's contract, held by both estimators."""

import pickle

import pytest

pytest.importorskip("sklearn")

from sklearn.utils.estimator_checks import parametrize_with_checks

from fanin.interop.sklearn import MLPClassifier, MLPRegressor

# Repeated rows make other batches, and other shuffles, than weights do; test_weights_are_repetitions has one batch of all rows.
EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": "weights of rows do not change which rows make a batch",
}


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks([MLPClassifier(max_iter=50), MLPRegressor(max_iter=50)], expected_failed_checks=lambda _: EXPECTED)
def test_contract(estimator, check):
    check(estimator)


def digits():
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return x / 16, y


def test_a_pipeline_in_a_grid_search_and_a_pickle():
    from sklearn.base import clone
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x, y = digits()
    net = MLPClassifier((20,), max_iter=300, tol=1e-3, random_state=0)
    steps = make_pipeline(StandardScaler(), net)
    grid = GridSearchCV(steps, {"mlpclassifier__activation": ["tanh", "relu"]}, cv=2).fit(x[:400], y[:400])
    assert grid.best_score_ > 0.8
    best = grid.best_estimator_
    again = pickle.loads(pickle.dumps(best))
    assert (again.predict_proba(x) == best.predict_proba(x)).all()
    assert clone(net).get_params() == net.get_params()
    assert best[-1].trace_.hidden[0].a.count == best[-1].trace_.batch * 20
    assert best[-1].diagnosis_.verdict == "healthy"


def test_partial_fit_is_a_fit_in_steps():
    x, y = digits()
    parts = MLPClassifier((10,), ["tanh"], random_state=3, shuffle=False)
    for _ in range(3):
        parts.partial_fit(x, y, classes=range(10))
    with pytest.warns(match="Maximum iterations"):
        whole = MLPClassifier((10,), "tanh", random_state=3, shuffle=False, max_iter=3).fit(x, y)
    assert all((a == b).all() for a, b in zip(parts.coefs_, whole.coefs_, strict=True))
    assert parts.loss_curve_ == whole.loss_curve_
    again = pickle.loads(pickle.dumps(parts))  # with the state of Adam
    for one in (parts, again):
        one.partial_fit(x, y)
    assert all((a == b).all() for a, b in zip(parts.coefs_, again.coefs_, strict=True))
    with pytest.raises(ValueError, match="classes must be those of the first call"):
        parts.partial_fit(x, y, classes=[0, 1])


def test_early_stopping_keeps_the_best():
    x, y = digits()
    net = MLPClassifier((30,), early_stopping=True, random_state=0, n_iter_no_change=3, learning_rate_init=0.01).fit(x, y)
    assert net.best_validation_score_ == max(net.validation_scores_)
    assert net.n_iter_ == len(net.validation_scores_) < 200


def test_one_start_gives_scikit_learns_course():
    """The same weights, rows and order: float64 epochs of Adam agree to a relative 1e-4, the room of scikit-learn's penalty
    (alpha 1e-9 here) and of two orders of summation over 60 steps."""
    import numpy as np
    from sklearn import neural_network
    from sklearn.datasets import make_friedman1

    x, y = make_friedman1(400, random_state=0)
    x, y = x - x.mean(0), (y - y.mean()) / y.std()
    same = {"hidden_layer_sizes": (10,), "max_iter": 30, "random_state": 0, "shuffle": False, "tol": 0.0}
    for solver, rate in (("adam", 1e-3), ("sgd", 1e-2)):
        peer = neural_network.MLPRegressor(**same, solver=solver, learning_rate_init=rate, alpha=1e-9)
        peer._random_state = np.random.RandomState(0)
        first, second = peer._init_coef(10, 10, float), peer._init_coef(10, 1, float)
        weights, biases = [first[0].T.copy(), second[0].T.copy()], [first[1], second[1]]
        own = MLPRegressor(**same, solver=solver, learning_rate_init=rate, init=weights, bias_init=biases, dtype="float64")
        with pytest.warns(match="Maximum iterations"):
            peer.fit(x, y)
        with pytest.warns(match="Maximum iterations"):
            own.fit(x, y)
        np.testing.assert_allclose(own.loss_curve_, peer.loss_curve_, rtol=1e-4)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"solver": "sgd", "weight_decay": 0.1}, "weight_decay must be 0"),
        ({"activation": "rleu"}, "relu"),
        ({"hidden_layer_sizes": (0,)}, "hidden_layer_sizes"),
        ({"dtype": "float16"}, "float32 or float64"),
    ],
)
def test_refusals(options, words):
    x, y = digits()
    with pytest.raises((TypeError, ValueError), match=words):
        MLPClassifier(**options).fit(x, y)


def test_sparse_and_several_labels_are_refused_in_words():
    import numpy as np
    import scipy.sparse

    x, y = digits()
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        MLPClassifier().fit(scipy.sparse.csr_matrix(x), y)
    with pytest.raises(ValueError, match="one label a row"):
        MLPClassifier().fit(x, np.stack([y > 3, y > 5], axis=1))


@pytest.mark.filterwarnings("ignore:.*Maximum iterations")
def test_weights_are_repetitions():
    """One batch of all rows, float64: 30 steps whose sums have other orders."""
    import numpy as np

    x, y = digits()
    x, y, weight = x[:200], y[:200], np.random.default_rng(0).integers(0, 3, 200)
    rows = np.repeat(np.arange(200), weight)
    for make, target in ((MLPClassifier, y), (MLPClassifier, y % 2), (MLPRegressor, y / 10)):
        options = {"hidden_layer_sizes": (8,), "batch_size": 1000, "max_iter": 30, "random_state": 0, "dtype": "float64"}
        with pytest.warns(match="is larger than the"):
            weighted = make(**options).fit(x, target, sample_weight=weight)
        with pytest.warns(match="is larger than the"):
            repeated = make(**options).fit(x[rows], target[rows])
        for a, b in zip(weighted.coefs_, repeated.coefs_, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-9)


@pytest.mark.filterwarnings("ignore:.*Maximum iterations")
def test_class_weights():
    import numpy as np

    x, y = digits()
    rare = np.flatnonzero((y == 1) | (y == 7))
    rare = np.concatenate([rare[y[rare] == 1], rare[y[rare] == 7][:8]])
    x, y = x[rare], y[rare]
    options = {"hidden_layer_sizes": (4,), "max_iter": 20, "random_state": 0}
    plain, even = MLPClassifier(**options).fit(x, y), MLPClassifier(**options, class_weight="balanced").fit(x, y)
    assert even.predict_proba(x)[:, 1].mean() > plain.predict_proba(x)[:, 1].mean()
    stated = MLPClassifier(**options, class_weight={1: len(y) / 2 / (y == 1).sum(), 7: len(y) / 2 / (y == 7).sum()}).fit(x, y)
    assert (stated.predict_proba(x) == even.predict_proba(x)).all()
    with pytest.raises(ValueError, match="class_weight must be a mapping for partial_fit"):
        MLPClassifier(class_weight="balanced").partial_fit(x, y)
