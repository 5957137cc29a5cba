"""The estimators as parts of scikit-learn."""

import pickle

import joblib
import numpy as np
import pytest
from forms import as_object_array
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    train_test_split,
)
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import estimator_checks_generator

from skrnn import RNNClassifier, RNNRegressor
from skrnn._training import epochs
from skrnn.kernels import CELLS
from skrnn.preprocessing import SequenceScaler

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
ESTIMATORS = [RNNClassifier, RNNRegressor]


class Counting(RNNRegressor):
    """A regressor of counts, which makes whole numbers of what scikit-learn's checks have for y."""

    def fit(self, X, y, sample_weight=None):
        return super().fit(X, as_counts(y), sample_weight)

    def partial_fit(self, X, y, sample_weight=None):
        return super().partial_fit(X, as_counts(y), sample_weight)

    def score(self, X, y, sample_weight=None):
        return super().score(X, as_counts(y), sample_weight)


def as_counts(y):
    values = None if y is None else np.asarray(y)
    if values is None or values.dtype.kind not in "biuf" or not np.isfinite(values).all():
        return y
    return np.round(np.abs(values))


DEFAULT = [RNNClassifier(), RNNRegressor()]
OTHER_INTERFACES = [
    *(estimator(cell=cell) for cell in CELLS if cell != DEFAULT[0].cell for estimator in ESTIMATORS),
    RNNRegressor((5, 4), bidirectional=True), RNNClassifier((6, 5), bidirectional=True),
    RNNRegressor(pooling="mean", missing="indicator"),
    RNNClassifier(8, pooling="max", missing="ffill", truncated_bptt_steps=3),
    RNNRegressor(loss="gaussian"), Counting(loss="negative_binomial"),
]
# L-BFGS and RMSprop have parameters with which rounding does not grow, see docs/design.md
OTHER_NUMBERS = [
    *(
        estimator(solver=solver, **parameters)
        for estimator in ESTIMATORS for solver, parameters in {
            "adamw": {}, "nadam": {}, "sgd": {}, "rmsprop": {"epsilon": 1e-2},
            "lbfgs": {"alpha": 10.0},
        }.items()
    ),
    RNNRegressor((5, 4), cell="skip_lstm", bidirectional=True), RNNRegressor(standardize=False),
    RNNRegressor(patch_size=3), RNNClassifier(patch_size=2, pooling="mean", missing="indicator"),
    RNNRegressor(loss="student_t"), RNNRegressor(loss="quantile", quantile=[0.1, 0.5, 0.9]), Counting(loss="poisson"),
]
# Checks of what is computed; the others look at the interface, which is that of the class, and run for the defaults.
NUMERICAL = {
    "check_class_weight_classifiers", "check_decision_proba_consistency", "check_dict_unchanged",
    "check_dont_overwrite_parameters", "check_estimators_dtypes", "check_estimators_nan_inf",
    "check_estimators_overwrite_params", "check_estimators_partial_fit_n_features", "check_estimators_pickle",
    "check_fit2d_1feature", "check_fit2d_1sample", "check_fit_idempotent", "check_methods_sample_order_invariance",
    "check_methods_subset_invariance", "check_non_transformer_estimators_n_iter", "check_regressors_int",
    "check_sample_weight_equivalence_on_dense_data", "check_sample_weights_not_overwritten",
    "check_transformer_general",
}
# Checks of what a net has learned; to the others it makes no difference for how long it was trained.
LEARNED = (
    "check_class_weight", "check_classifiers_classes", "check_classifiers_train", "check_regressors",
    "check_sample_weight", "check_supervised",
)


def checks():
    """scikit-learn's checks of the estimators above."""
    for estimator in DEFAULT + OTHER_INTERFACES + OTHER_NUMBERS:
        for _, check in estimator_checks_generator(estimator):
            name = check.func.__name__
            quick = estimator is DEFAULT[0] or (estimator in DEFAULT and name in NUMERICAL)
            of_class = name not in NUMERICAL and not name.startswith(LEARNED)
            if estimator in DEFAULT or (estimator in OTHER_INTERFACES and not of_class) or name in NUMERICAL:
                which = "-".join([" ".join(str(estimator).split()), name, *map(str, check.keywords)])
                yield pytest.param(estimator, check, id=which, marks=[] if quick else [pytest.mark.slow])


@quiet
@pytest.mark.filterwarnings("ignore::skrnn.exceptions.ConstantTargetWarning")
@pytest.mark.parametrize(("estimator", "check"), list(checks()))
def test_estimator_checks(estimator, check, monkeypatch):
    if not check.func.__name__.startswith(LEARNED):
        monkeypatch.setattr(epochs, "UPDATES", 60)
        monkeypatch.setattr(epochs, "MIN_EPOCHS", 3)
    check(clone(estimator))


@pytest.mark.filterwarnings("ignore:X does not have valid feature names", "ignore:X has feature names")
@quiet
@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("name", ["check_param_validation", "check_dataframe_column_names_consistency"])
def test_estimator_checks_that_are_only_run_at_home(name, estimator):
    """Those that scikit-learn runs for its own estimators."""
    getattr(estimator_checks, name)(estimator.__name__, estimator(max_iter=5))


def data(form, classes):
    """Forty sequences whose target is where their mean lies."""
    rng = np.random.default_rng(0)
    means = rng.normal(size=40)
    if form == "2-D":
        X = means[:, None] + 0.3 * rng.normal(size=(40, 6))
    elif form == "3-D":
        X = means[:, None, None] + 0.3 * rng.normal(size=(40, 6, 2))
    else:
        X = [mean + 0.3 * rng.normal(size=(T, 2)) for mean, T in zip(means, rng.integers(3, 9, size=40), strict=True)]
        X = as_object_array(X) if form == "object array" else X
    return X, np.where(means > 0, "above", "below") if classes else means


@pytest.fixture(params=["2-D", "3-D", "ragged", "object array"])
def form(request):
    return request.param


@pytest.fixture(params=ESTIMATORS)
def net(request):
    return request.param(
        6, cell="gru", batch_size=10, learning_rate_init=0.02, max_iter=60, tol=1e-3, random_state=0
    )


@pytest.fixture
def problem(net, form):
    return data(form, isinstance(net, RNNClassifier))


@quiet
@pytest.mark.slow
class TestEcosystem:
    def test_pipeline_and_split(self, net, problem):
        X_train, X_test, y_train, y_test = train_test_split(*problem, random_state=0)
        pipeline = make_pipeline(SequenceScaler(), net).fit(X_train, y_train)
        assert pipeline.score(*problem) > 0.8
        metric = accuracy_score if isinstance(net, RNNClassifier) else r2_score
        assert pipeline.score(X_test, y_test) == metric(y_test, pipeline.predict(X_test))

    @pytest.mark.slow
    def test_grid_search_in_two_processes(self, net, problem):
        pipeline = make_pipeline(SequenceScaler(), net.set_params(max_iter=10))
        name = type(net).__name__.lower()
        grid = {f"{name}__hidden_size": [2, (3, 2)], f"{name}__cell": ["rnn", "lstm"]}
        serial, parallel = (
            GridSearchCV(pipeline, grid, cv=KFold(2), n_jobs=n_jobs, error_score="raise").fit(*problem)
            for n_jobs in (None, 2)
        )
        np.testing.assert_array_equal(serial.cv_results_["mean_test_score"], parallel.cv_results_["mean_test_score"])
        assert len(set(serial.cv_results_["mean_test_score"])) > 1
        assert parallel.best_params_ == serial.best_params_
        np.testing.assert_array_equal(parallel.predict(problem[0]), serial.predict(problem[0]))

    def test_cross_validation(self, net, problem):
        X, y = problem
        predicted = cross_val_predict(net, X, y, cv=KFold(3))
        assert predicted.shape == y.shape
        scores = cross_val_score(net, X, y, cv=KFold(3), error_score="raise")
        assert scores.mean() > 0.8
        for train, test in KFold(3).split(y):
            of = X if isinstance(X, np.ndarray) else as_object_array(X)
            np.testing.assert_array_equal(clone(net).fit(of[train], y[train]).predict(of[test]), predicted[test])
        sizes, _, test_scores = learning_curve(net, X, y, train_sizes=[10, 20], cv=KFold(2), error_score="raise")
        assert sizes.tolist() == [10, 20]
        assert np.isfinite(test_scores).all()

    def test_probabilities_in_cross_validation(self, form):
        X, y = data(form, True)
        net = RNNClassifier(3, max_iter=5, random_state=0)
        p = cross_val_predict(net, X, y, cv=3, method="predict_proba")
        assert p.shape == (40, 2)
        np.testing.assert_allclose(p.sum(axis=1), 1)
        scores = cross_validate(net, X, y, cv=3, scoring=["roc_auc", "neg_log_loss"])
        assert np.isfinite([*scores["test_roc_auc"], *scores["test_neg_log_loss"]]).all()

    def test_clone_is_a_new_net_that_fits_alike(self, net, problem):
        X, y = problem
        expected = net.fit(X, y).predict(X)
        copy = clone(net)
        assert copy.get_params() == net.get_params()
        with pytest.raises(NotFittedError):
            copy.predict(X)
        np.testing.assert_array_equal(copy.fit(X, y).predict(X), expected)

    def test_pickle_and_joblib(self, net, problem, tmp_path):
        X, y = problem
        expected = net.fit(X, y).predict(X)
        joblib.dump(net, tmp_path / "net.joblib", compress=3)
        mapped = tmp_path / "mapped.joblib"
        joblib.dump(net, mapped)
        for again in (
            pickle.loads(pickle.dumps(net)), joblib.load(tmp_path / "net.joblib"), joblib.load(mapped, mmap_mode="r")
        ):
            np.testing.assert_array_equal(again.predict(X), expected)
            assert again.score(X, y) == net.score(X, y)
            assert again.loss_curve_ == net.loss_curve_
            np.testing.assert_array_equal(again.fit(X, y).predict(X), expected)

    def test_targets_a_step_in_cross_validation(self, net, form):
        X, _ = data("ragged" if form == "2-D" else form, True)
        labels = isinstance(net, RNNClassifier)
        y = [np.where(x[:, 0] > 0, "above", "below") if labels else x.sum(axis=1) for x in X]
        y = np.array(y) if form == "3-D" else as_object_array(y)
        net.set_params(return_sequences=True)
        search = GridSearchCV(net, {"hidden_size": [1, 6]}, cv=3, error_score="raise").fit(X, y)
        assert search.best_score_ > 0.8


@quiet
@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("cell", CELLS)
def test_each_cell_learns_forwards_and_backwards_in_layers(cell, estimator):
    X, y = data("ragged", estimator is RNNClassifier)
    for hidden_size, bidirectional in ((8, False), ((6, 5), True)):
        net = estimator(
            hidden_size, cell=cell, bidirectional=bidirectional, batch_size=10, learning_rate_init=0.02, random_state=0
        )
        assert net.fit(X, y).score(X, y) > 0.9


@quiet
@pytest.mark.parametrize("cell", CELLS)
def test_parameters_by_name(cell):
    X, y = data("ragged", False)
    net = RNNRegressor((4, 3), cell=cell, bidirectional=True, pooling="last", max_iter=1).fit(X, y)
    G, biases = len(CELLS[cell].gates), 2 if cell == "gru" else 1
    assert {name: value.shape for name, value in net.parameters_.items()} == {
        "layer0.W": (2, 4 * G), "layer0.U": (4, 4 * G), "layer0.b": (biases, 4 * G),
        "layer0.reverse.W": (2, 4 * G), "layer0.reverse.U": (4, 4 * G), "layer0.reverse.b": (biases, 4 * G),
        "layer1.W": (8, 3 * G), "layer1.U": (3, 3 * G), "layer1.b": (biases, 3 * G),
        "layer1.reverse.W": (8, 3 * G), "layer1.reverse.U": (3, 3 * G), "layer1.reverse.b": (biases, 3 * G),
        "head.V": (6, 1), "head.c": (1,),
    }


@quiet
@pytest.mark.parametrize(("estimator", "perceptron"), [(RNNClassifier, MLPClassifier), (RNNRegressor, MLPRegressor)])
def test_attributes_are_those_of_the_perceptrons(estimator, perceptron):
    X, y = data("2-D", estimator is RNNClassifier)
    net, mlp = (e(max_iter=3, batch_size=16, random_state=0).fit(X, y) for e in (estimator, perceptron))
    for name in ("n_iter_", "t_", "n_outputs_", "out_activation_", "n_features_in_"):
        assert getattr(net, name) == getattr(mlp, name), name
    assert len(net.loss_curve_) == len(net.grad_norm_curve_) == 3
    assert net.loss_ == net.loss_curve_[-1]
    assert net.best_loss_ == min(net.loss_curve_)
    assert net.n_clipped_ == 0


# Parameters whose defaults are those that a study found best for recurrent nets
STUDIED = {"alpha", "epsilon", "learning_rate", "learning_rate_init", "max_iter", "n_iter_no_change"}


def test_parameters_have_the_names_of_the_perceptrons():
    """And their defaults, where they mean the same and were not studied."""
    for estimator, perceptron in ((RNNClassifier, MLPClassifier), (RNNRegressor, MLPRegressor)):
        ours, theirs = estimator().get_params(), perceptron().get_params()
        shared = ours.keys() & theirs.keys() - {"activation"}
        assert len(shared) > 10
        shared -= STUDIED
        assert {name: ours[name] for name in shared} == {name: theirs[name] for name in shared}


@quiet
class TestRandomState:
    def test_the_same_number_gives_the_same_bits(self, net, problem):
        X, y = problem
        first, second = (clone(net).fit(X, y)._fitted.model.theta.tobytes() for _ in range(2))
        assert first == second != clone(net).set_params(random_state=1).fit(X, y)._fitted.model.theta.tobytes()

    def test_a_refit_starts_anew(self, net, problem):
        X, y = problem
        first = net.fit(X, y)._fitted.model.theta.tobytes()
        assert net.fit(X, y)._fitted.model.theta.tobytes() == first

    def test_the_global_state_is_left_alone(self, net, problem):
        before = pickle.dumps(np.random.mtrand._rand)
        net.fit(*problem)
        assert pickle.dumps(np.random.mtrand._rand) == before
        net.set_params(random_state=None).fit(*problem)
        assert pickle.dumps(np.random.mtrand._rand) != before


@quiet
def test_warns_of_a_batch_larger_than_the_data(net, problem):
    expected = clone(net).set_params(batch_size=40, max_iter=2).fit(*problem)
    with pytest.warns(UserWarning, match="batch_size=41 is clipped to the 40 sequences") as seen:
        net.set_params(batch_size=41, max_iter=2).fit(*problem)
    assert [warning.filename for warning in seen if "clipped" in str(warning.message)] == [__file__]
    assert net.loss_curve_ == expected.loss_curve_


@pytest.mark.filterwarnings("ignore::skrnn.exceptions.NothingLearnedWarning")
def test_warns_at_max_iter(net, problem):
    with pytest.warns(ConvergenceWarning, match="maximum number of epochs, 2, and the loss still fell") as seen:
        net.set_params(max_iter=2).fit(*problem)
    assert [warning.filename for warning in seen] == [__file__]


@quiet
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_max_iter_epochs_shuffled_or_not(estimator):
    X, y = data("ragged", estimator is RNNClassifier)
    shuffled, straight = (
        estimator(3, batch_size=7, max_iter=3, shuffle=shuffle, random_state=0).fit(X, y) for shuffle in (True, False)
    )
    assert shuffled.t_ == straight.t_ == 3 * 40
    assert shuffled.loss_curve_ != straight.loss_curve_


@quiet
def test_probabilities_of_several_classes():
    X, y = data("ragged", False)
    y = np.digitize(y, [-0.5, 0.5])
    net = RNNClassifier(8, batch_size=10, learning_rate_init=0.02, random_state=0).fit(X, y)
    p = net.predict_proba(X)
    assert p.shape == (40, 3)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    np.testing.assert_array_equal(net.classes_[p.argmax(axis=1)], net.predict(X))
    assert net.score(X, y) > 0.9
    assert net.out_activation_ == "softmax"


@quiet
@pytest.mark.filterwarnings("ignore::skrnn.exceptions.ConstantTargetWarning")
def test_several_outputs_are_learnt():
    X, y = data("ragged", False)
    y = np.column_stack([y, -2 * y, np.ones(40)])
    net = RNNRegressor(8, batch_size=10, learning_rate_init=0.02, random_state=0).fit(X, y)
    assert net.predict(X).shape == (40, 3)
    assert net.score(X, y) == r2_score(y, net.predict(X))
    assert r2_score(y[:, :2], net.predict(X)[:, :2], multioutput="raw_values").min() > 0.95
    np.testing.assert_allclose(net.predict(X)[:, 2], 1, atol=0.2)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_subclass_with_other_parameters():
    class Small(RNNRegressor):
        def __init__(self, n_epochs=2):
            super().__init__(4, cell="gru", max_iter=n_epochs, random_state=0)
            self.n_epochs = n_epochs

    X = np.random.default_rng(0).normal(size=(9, 4, 2))
    expected = RNNRegressor(4, cell="gru", max_iter=2, random_state=0).fit(X, X[:, 0, 0])
    assert Small().fit(X, X[:, 0, 0]).predict(X).tobytes() == expected.predict(X).tobytes()
    assert Small().partial_fit(X, X[:, 0, 0]).n_iter_ == 1
