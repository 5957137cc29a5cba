"""What surrounds an estimator in scikit-learn, with 3-D and ragged X where it lets these through."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from forms import as_object_array
from sklearn import config_context
from sklearn.base import clone, is_classifier, is_regressor
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
from sklearn.metrics import ConfusionMatrixDisplay, RocCurveDisplay, f1_score
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    ShuffleSplit,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_validate,
    learning_curve,
    validation_curve,
)
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor, RegressorChain
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import RaggedArray, RNNClassifier, RNNRegressor, concatenate_steps, make_sequence_scorer
from skrnn.preprocessing import SequenceScaler

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
        Y = np.column_stack([y, -y - 0.3])
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


LABELLED_STEPS = {
    "lists": lambda y: y,
    "series": pd.Series,
    "polars": pl.Series,
    "arrays": lambda y: [np.array(row) for row in y],
    "object array": lambda y: as_object_array([np.array(row) for row in y]),
    "RaggedArray": lambda y: RaggedArray(np.concatenate(y), [len(row) for row in y]),
    "strings": lambda y: [["ab"[label] for label in row] for row in y],
    "missing": lambda y: [[None, *row[1:]] for row in y],
    "several labels": lambda y: [np.stack([row, row], axis=1) for row in map(np.array, y)],
    "array": None,
    "three classes": None,
    "frame": None,
    "array of lists": None,
}


def labelled_steps(form):
    """Sequences, and for each of their steps whether the feature is positive."""
    X, _ = data("3-D", "classes", n=24)
    Y = (X[..., 0] > 0).astype(int)
    if form == "three classes":
        return X, np.digitize(X[..., 0], [-0.5, 0.5])
    if form in ("array", "frame", "array of lists"):
        return X, {"array": Y, "frame": pd.DataFrame(Y), "array of lists": Y.tolist()}[form]
    lengths = 2 + np.arange(24) % 5
    X = [x[:T] for x, T in zip(X, lengths, strict=True)]
    return X, LABELLED_STEPS[form]([labels[:T].tolist() for labels, T in zip(Y, lengths, strict=True)])


@pytest.mark.parametrize("form", LABELLED_STEPS)
class TestLabelsOfSteps:
    """To scikit-learn a net that labels steps is no classifier: its labels are not those of samples."""

    NET = RNNClassifier(3, return_sequences=True, max_iter=2, random_state=0)

    @pytest.mark.parametrize(
        ("net", "cv"),
        [(NET, 2), (make_pipeline(SequenceScaler(), NET), None), (NET, ShuffleSplit(2, random_state=0))],
        ids=["int", "pipeline", "splitter"],
    )
    def test_scores(self, form, net, cv):
        X, y = labelled_steps(form)
        scores = cross_validate(net, X, y, cv=cv, error_score="raise", return_estimator=True, return_indices=True)
        for score, fitted, test in zip(
            scores["test_score"], scores["estimator"], scores["indices"]["test"], strict=True
        ):
            labels = y.to_numpy() if form == "frame" else y
            assert score == fitted.score(*([part[int(i)] for i in test] for part in (X, labels)))

    def test_predictions(self, form):
        X, y = labelled_steps(form)
        predicted = cross_val_predict(self.NET, X, y, cv=2)
        assert [len(row) for row in predicted] == [len(x) for x in X]
        p = cross_val_predict(self.NET, X, params={"y": y}, cv=2, method="predict_proba")
        flat, flat_predicted, flat_p = concatenate_steps(y, predicted, p)
        assert len(flat) == len(flat_predicted) == len(flat_p)
        if form != "several labels":
            np.testing.assert_array_equal(np.unique(flat)[flat_p.argmax(axis=1)], flat_predicted)

    def test_searches_and_curves(self, form):
        X, y = labelled_steps(form)
        grid = {"hidden_size": [2, 3]}
        scorer = make_sequence_scorer(f1_score, average="macro")
        search = GridSearchCV(self.NET, grid, cv=2, scoring=scorer, error_score="raise").fit(X, y)
        assert 0 <= search.best_score_ <= 1
        assert search.score(X, y) == scorer(search, X, y)
        HalvingGridSearchCV(self.NET, grid, cv=2, min_resources=12, random_state=0, error_score="raise").fit(X, y)
        _, _, scores = learning_curve(self.NET, X, y, train_sizes=[0.5, 1.0], cv=2, error_score="raise")
        assert scores.shape == (2, 2)

    def test_wrappers_for_labels_of_samples_refuse_it(self, form):
        X, y = labelled_steps(form)
        net = clone(self.NET).fit(X, y)
        for display in (ConfusionMatrixDisplay, RocCurveDisplay):
            with pytest.raises(ValueError, match="classifier"):
                display.from_estimator(net, X, y)
        with pytest.raises(ValueError, match="should be a classifier"):
            VotingClassifier([("net", net)]).fit(X, np.arange(24) % 2)
        if form != "RaggedArray":       # of which scikit-learn makes an array with NaN
            with pytest.raises(ValueError, match=r"label|1d array"):
                CalibratedClassifierCV(net, cv=2).fit(X, y)


def test_a_net_that_labels_sequences_is_a_classifier():
    assert is_classifier(RNNClassifier())
    assert is_classifier(make_pipeline(SequenceScaler(), RNNClassifier()))
    assert not is_classifier(RNNClassifier(return_sequences=True))
    assert is_regressor(RNNRegressor(return_sequences=True))
    assert "RNNClassifier" in RNNClassifier(return_sequences=True)._repr_html_()


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


FORMS_OF_CELLS = ["frame", "object column", "cells of RaggedArray", "cells of 3-D"]


def in_cells(form, kind):
    """A table of one column whose cells are sequences of two features."""
    X, y = data("3-D" if form == "cells of 3-D" else "ragged", kind, n=24)
    if form == "cells of RaggedArray":
        X = RaggedArray(np.concatenate(X), [len(x) for x in X])
    cells = as_object_array(list(X))
    return pd.DataFrame({"x": cells}) if form == "frame" else cells[:, None], y


def in_form(form, kind):
    """Sequences in a form that votes take."""
    if form == "RaggedArray":
        X, y = data("ragged", kind)
        return RaggedArray(np.concatenate(X), [len(x) for x in X]), y
    return in_cells(form, kind) if form in FORMS_OF_CELLS else data(form, kind)


def alone(kind, random_states, X, y, method, **changed):
    """The mean of what nets predict that were trained one by one."""
    nets = [net(kind, max_iter=3, random_state=state, **changed).fit(X, y) for state in random_states]
    return np.mean([getattr(net, method)(X) for net in nets], axis=0)


class TestNetsTogether:
    """The ways of docs/guide/ensembles.md: each net sees all of X, with a random state of its own."""

    @pytest.mark.parametrize("n_jobs", [None, 2])
    @pytest.mark.parametrize("form", [*FORMS, "RaggedArray", *FORMS_OF_CELLS])
    def test_votes_of_probabilities(self, form, n_jobs):
        X, y = in_form(form, "classes")
        nets = [(str(i), net("classes", max_iter=3, random_state=i)) for i in range(3)]
        voting = VotingClassifier(nets, voting="soft", n_jobs=n_jobs).fit(X, y)
        expected = alone("classes", range(3), X, y, "predict_proba")
        np.testing.assert_array_equal(voting.predict_proba(X), expected)
        np.testing.assert_array_equal(voting.predict(X), np.array(["above", "below"])[expected.argmax(axis=1)])

    @pytest.mark.parametrize("form", [*FORMS, "RaggedArray", *FORMS_OF_CELLS])
    def test_means_of_numbers(self, form):
        X, y = in_form(form, "numbers")
        voting = VotingRegressor([(str(i), net("numbers", max_iter=3, random_state=i)) for i in range(3)]).fit(X, y)
        expected = alone("numbers", range(3), X, y, "predict")
        np.testing.assert_allclose(voting.predict(X), expected, rtol=1e-12)

    @pytest.mark.parametrize("form", [*FORMS_OF_CELLS, "2-D"])
    @pytest.mark.parametrize("kind", ["classes", "numbers"])
    def test_bags_that_hold_everything(self, form, kind):
        """Without drawing samples a bag draws random states, which is what differs between nets."""
        X, y = in_form(form, kind)
        steps = {"n_steps": 3} if form == "2-D" else {}
        bag = BaggingClassifier if kind == "classes" else BaggingRegressor
        bag = bag(net(kind, max_iter=3, **steps), 3, bootstrap=False, random_state=0).fit(X, y)
        states = [fitted.random_state for fitted in bag.estimators_]
        assert len(set(states)) == 3
        method = "predict_proba" if kind == "classes" else "predict"
        expected = alone(kind, states, X, y, method, **steps)
        np.testing.assert_allclose(getattr(bag, method)(X), expected, rtol=1e-12)

    def test_bags_take_several_outputs(self):
        X, y = in_cells("frame", "numbers")
        Y = np.column_stack([y, -y])
        bag = BaggingRegressor(net("numbers", max_iter=3), 2, bootstrap=False, random_state=0).fit(X, Y)
        states = [fitted.random_state for fitted in bag.estimators_]
        np.testing.assert_allclose(bag.predict(X), alone("numbers", states, X, Y, "predict"), rtol=1e-12)

    def test_what_is_refused(self):
        """By scikit-learn, before it trains: sequences that are no cells for bags, several outputs for votes."""
        X, y = data("ragged", "classes")
        for refused in (X, as_object_array(X), data("3-D", "classes")[0]):
            with pytest.raises(ValueError, match=r"inhomogeneous|2D|dim 3"):
                BaggingClassifier(net("classes"), 2).fit(refused, y)
        with pytest.raises(ValueError, match="1d array"):
            VotingRegressor([("0", net("numbers"))]).fit(X, np.ones((60, 2)))
