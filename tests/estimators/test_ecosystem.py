"""What surrounds an estimator in scikit-learn, with 3-D and ragged X where it lets these through."""

import numpy as np
import pandas as pd
import pytest
from forms import as_object_array
from sklearn import config_context
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import SequentialFeatureSelector
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
    cross_validate,
    learning_curve,
    validation_curve,
)
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor, RegressorChain
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import RNNClassifier, RNNRegressor

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings(
        "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:batch_size=10 is clipped"
    ),
]
FORMS = ["2-D", "3-D", "ragged", "object array"]


def net(kind, **changed):
    parameters = {"cell": "gru", "batch_size": 10, "learning_rate_init": 0.03, "max_iter": 25, "random_state": 0}
    return (RNNClassifier if kind == "classes" else RNNRegressor)(6, **parameters | changed)


def data(form, kind, n=60):
    """Sequences whose mean is the target, or decides on it."""
    rng = np.random.default_rng(0)
    means = rng.normal(size=n)
    if form == "2-D":
        X = means[:, None] + 0.3 * rng.normal(size=(n, 6))
    elif form == "3-D":
        X = means[:, None, None] + 0.3 * rng.normal(size=(n, 6, 2))
    else:
        lengths = rng.integers(3, 9, size=n)
        X = [mean + 0.3 * rng.normal(size=(T, 2)) for mean, T in zip(means, lengths, strict=True)]
        X = as_object_array(X) if form == "object array" else X
    return X, np.where(means > 0, "above", "below") if kind == "classes" else means


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["classes", "numbers"])
class TestSearches:
    def test_halving(self, form, kind):
        search = HalvingGridSearchCV(
            net(kind), {"hidden_size": [1, 6]}, resource="max_iter", min_resources=5, max_resources=20, cv=2,
            random_state=0, error_score="raise",
        )
        assert search.fit(*data(form, kind)).score(*data(form, kind)) > 0.8

    def test_random(self, form, kind):
        search = RandomizedSearchCV(
            net(kind), {"hidden_size": [1, 4, 6], "cell": ["rnn", "gru"], "pooling": ["last", "mean"]}, n_iter=3, cv=2,
            random_state=0, error_score="raise",
        )
        assert search.fit(*data(form, kind)).best_score_ > 0.7

    def test_curves(self, form, kind):
        X, y = data(form, kind)
        _, _, scores = learning_curve(net(kind), X, y, train_sizes=[0.3, 1.0], cv=2, error_score="raise")
        assert scores.mean(axis=1)[1] > 0.7
        _, scores = validation_curve(
            net(kind), X, y, param_name="hidden_size", param_range=[1, 6], cv=2, error_score="raise"
        )
        assert np.isfinite(scores).all()

    def test_routed_weights(self, form, kind):
        X, y = data(form, kind)
        weights = np.random.default_rng(1).uniform(0.1, 3, size=len(y))
        with config_context(enable_metadata_routing=True):
            weighted = net(kind, max_iter=5).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
            routed = cross_validate(weighted, X, y, cv=2, params={"sample_weight": weights}, error_score="raise")
            search = GridSearchCV(make_pipeline(weighted), {"rnnclassifier__hidden_size" if kind == "classes" else
                                  "rnnregressor__hidden_size": [6]}, cv=2).fit(X, y, sample_weight=weights)
        assert not np.array_equal(routed["test_score"], cross_validate(net(kind, max_iter=5), X, y, cv=2)["test_score"])
        assert search.best_estimator_[-1].predict(X).tobytes() == (
            net(kind, max_iter=5).fit(X, y, weights).predict(X).tobytes()
        )


@pytest.mark.parametrize("form", FORMS)
class TestClassifiers:
    def test_calibration(self, form):
        X, y = data(form, "classes")
        calibrated = CalibratedClassifierCV(net("classes"), cv=2).fit(X, y)
        np.testing.assert_allclose(calibrated.predict_proba(X).sum(axis=1), 1)
        assert calibrated.score(X, y) > 0.8

    def test_tuned_threshold(self, form):
        X, y = data(form, "classes")
        tuned = TunedThresholdClassifierCV(net("classes"), cv=2, scoring="balanced_accuracy").fit(X, y)
        assert tuned.score(X, y) > 0.8

    def test_voting_and_stacking(self, form):
        X, y = data(form, "classes")
        nets = [("gru", net("classes")), ("rnn", net("classes", cell="rnn"))]
        assert VotingClassifier(nets, voting="soft").fit(X, y).score(X, y) > 0.8
        assert StackingClassifier(nets, LogisticRegression(), cv=2).fit(X, y).score(X, y) > 0.8

    def test_features_for_another_classifier(self, form):
        X, y = data(form, "classes")
        pipeline = make_pipeline(net("classes"), StandardScaler(), LogisticRegression())
        assert pipeline.fit(X, y).score(X, y) > 0.8


@pytest.mark.parametrize("form", FORMS)
class TestRegressors:
    def test_voting_and_stacking(self, form):
        X, y = data(form, "numbers")
        nets = [("gru", net("numbers")), ("rnn", net("numbers", cell="rnn"))]
        assert VotingRegressor(nets).fit(X, y).score(X, y) > 0.8
        assert StackingRegressor(nets, cv=2).fit(X, y).score(X, y) > 0.8

    def test_transformed_target(self, form):
        X, y = data(form, "numbers")
        regressor = TransformedTargetRegressor(net("numbers"), transformer=StandardScaler())
        assert regressor.fit(X, 1000 + 50 * y).score(X, 1000 + 50 * y) > 0.8


class TestSeveralOutputs:
    """scikit-learn's wrappers check X themselves: 2-D; the nets take several outputs without them in every form."""

    def test_wrappers(self):
        X, y = data("2-D", "numbers")
        Y = np.column_stack([y, -y])
        for wrapper in (MultiOutputRegressor, RegressorChain):
            assert wrapper(net("numbers")).fit(X, Y).score(X, Y) > 0.8
        for wrapper in (MultiOutputClassifier, ClassifierChain):
            assert wrapper(net("classes")).fit(X, (Y > 0).astype(int)).score(X, (Y > 0).astype(int)) > 0.7

    @pytest.mark.parametrize("form", FORMS)
    def test_without_wrappers(self, form):
        X, y = data(form, "numbers")
        Y = np.column_stack([y, -y])
        assert net("numbers").fit(X, Y).score(X, Y) > 0.8
        assert net("classes").fit(X, (Y > 0).astype(int)).score(X, (Y > 0).astype(int)) > 0.7


class TestTables:
    """Meta-estimators that take 2-D X alone."""

    @pytest.mark.parametrize("kind", ["classes", "numbers"])
    def test_bagging(self, kind):
        X, y = data("2-D", kind)
        bagging = (BaggingClassifier if kind == "classes" else BaggingRegressor)(net(kind), n_estimators=3)
        assert bagging.fit(X, y).score(X, y) > 0.7

    @pytest.mark.parametrize("kind", ["classes", "numbers"])
    def test_permutation_importance(self, kind):
        X, y = data("2-D", kind)
        importance = permutation_importance(net(kind).fit(X, y), X, y, n_repeats=2, random_state=0)
        assert importance.importances_mean.shape == (6,)
        assert importance.importances_mean.max() > 0

    def test_feature_selection(self):
        X, y = data("2-D", "numbers")
        selector = SequentialFeatureSelector(net("numbers", max_iter=3), n_features_to_select=2, cv=2).fit(X, y)
        assert selector.transform(X).shape == (60, 2)


@pytest.mark.parametrize("form", ["frame", "object array"])
@pytest.mark.parametrize("max_features", [1.0, 0.5])
def test_bagging_of_sequences_in_cells(form, max_features):
    """Of different lengths, which a 3-D array cannot be; half of the features are half of the columns."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({name: [rng.normal(size=2 + i % 4) for i in range(12)] for name in "ab"})
    X, y = frame if form == "frame" else frame.to_numpy(), np.arange(12) % 2
    bagging = BaggingClassifier(RNNClassifier(2, max_iter=2), 3, max_features=max_features, random_state=0).fit(X, y)
    cells = frame.to_numpy()
    expected = [
        net.predict_proba(cells[:, columns])
        for net, columns in zip(bagging.estimators_, bagging.estimators_features_, strict=True)
    ]
    np.testing.assert_allclose(bagging.predict_proba(X), np.mean(expected, axis=0))
    assert {net.n_features_in_ for net in bagging.estimators_} == {int(2 * max_features)}
