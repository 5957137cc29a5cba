"""Searches, as they are drawn: scores over parameters, lines and dots, what was chosen and what failed."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.stats import uniform
from sklearn.base import BaseEstimator
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import RNNClassifier, RNNLanguageModel, RNNRegressor, RNNSurvival
from skrnn.forecasting import ConformalForecaster
from skrnn.inspection import SearchDisplay
from skrnn.inspection._parameter_axis import Axis
from skrnn.inspection._search_results import name_of_score

X, y = np.arange(90.0).reshape(30, 3), np.arange(30.0)


class Known(BaseEstimator):
    """Its score is what its parameters say."""

    def __init__(self, hidden_size=8, cell="gru", rate=0.1):
        self.hidden_size = hidden_size
        self.cell = cell
        self.rate = rate

    def fit(self, X, y=None):
        if self.hidden_size == 13:
            raise ValueError("13 units bring bad luck")
        self.n_ = len(X)
        return self

    def score(self, X, y):
        fold = X[0, 0] / 1000
        size = np.sum(self.hidden_size)
        return -abs(size - 16) / 100 + (self.cell == "gru") * size / 1000 - self.rate + fold + self.n_ / 1e5

    def predict(self, X):
        return X[:, 0]


def grid(parameters, estimator=None, **keywords):
    return GridSearchCV(estimator or Known(), parameters, cv=2, **keywords).fit(X, y)


@pytest.fixture(scope="module")
def two():
    return grid({"hidden_size": [8, 16, 32], "cell": ["rnn", "gru"]})


@pytest.fixture(scope="module")
def halving():
    grid = {"hidden_size": [4, 8, 16, 32], "cell": ["rnn", "gru"], "rate": [0.1]}
    return HalvingGridSearchCV(Known(), grid, cv=2, min_resources=10, random_state=0).fit(X, y)


def data_of(bars):
    """x, y and half the lengths of an ErrorbarContainer."""
    line, _, (collection,) = bars
    ends = np.array([segment[:, 1] for segment in collection.get_segments()])
    return line.get_xdata().tolist(), line.get_ydata(), np.diff(ends, axis=1).ravel() / 2


class TestGrid:
    def test_lines_have_the_scores_deviations_and_times(self, two):
        display, results = SearchDisplay.from_estimator(two), two.cv_results_
        assert (display.x_name, display.hue_name) == ("hidden_size", "cell")
        assert list(display.lines_) == ["rnn", "gru"]
        for cell, bars in display.lines_.items():
            rows = np.flatnonzero(results["param_cell"] == cell)
            x, scores, deviations = data_of(bars)
            assert x == [8, 16, 32]
            np.testing.assert_array_equal(scores, results["mean_test_score"][rows])
            np.testing.assert_allclose(deviations, results["std_test_score"][rows])
            np.testing.assert_array_equal(display.times_[cell].get_ydata(), results["mean_fit_time"][rows])
            assert bars[0].get_linestyle() == "-"

    def test_ring_is_around_what_was_chosen(self, two):
        display = SearchDisplay.from_estimator(two)
        assert display.best_.get_xdata().tolist() == [16]
        assert display.best_.get_ydata().tolist() == [two.best_score_]
        assert display.best_.get_label() == f"chosen: {two.best_score_:.3g} (hidden_size=16, cell=gru)"

    def test_legend_and_ticks(self, two):
        display = SearchDisplay.from_estimator(two, reference={"ridge": 0.2})
        texts = [text.get_text() for text in display.legend_.get_texts()]
        assert texts[:2] == ["rnn", "gru"]
        assert texts[2].startswith("chosen")
        assert texts[3] == "ridge (0.2)"
        assert display.legend_.get_title().get_text() == "cell"
        assert list(display.reference_[0].get_ydata()) == [0.2, 0.2]
        assert [tick.get_text() for tick in display.axes_[-1].get_xticklabels()] == ["8", "16", "32"]
        assert display.axes_[0].get_xscale() == "log"
        assert display.axes_[0].get_ylabel() == "score\n(mean ± std of 2 folds)"

    def test_names_are_no_line(self, two):
        display = SearchDisplay.from_estimator(two, x="cell", hue="hidden_size", include_times=False)
        assert len(display.axes_) == 1
        assert list(display.lines_) == ["8", "16", "32"]
        assert {bars[0].get_linestyle() for bars in display.lines_.values()} == {"None"}
        assert [tick.get_text() for tick in display.axes_[0].get_xticklabels()] == ["rnn", "gru"]

    def test_line_through_the_best_of_further_parameters(self, two):
        display = SearchDisplay.from_estimator(two, hue=None)
        x, scores, _ = data_of(display.lines_[""])
        results = two.cv_results_["mean_test_score"].reshape(2, 3)
        assert x == [8, 16, 32]
        np.testing.assert_array_equal(scores, results.max(axis=0))
        np.testing.assert_array_equal(np.sort(display.dots_.get_offsets()[:, 1]), np.sort(results.min(axis=0)))

    def test_least_is_best_of_negative_scores(self):
        search = grid({"hidden_size": [8, 16], "cell": ["rnn", "gru"]}, scoring="neg_mean_squared_error")
        search.cv_results_["mean_test_score"] = np.array([-1.0, -2.0, -3.0, -4.0])
        display = SearchDisplay.from_estimator(search, hue=None, negate_score=True)
        assert data_of(display.lines_[""])[1].tolist() == [1, 2]
        assert display.score_name == "mean squared error"

    def test_further_parameters_of_all_values(self):
        search = grid({"hidden_size": [8, 16], "cell": ["rnn", "gru"], "rate": [0.1, 0.2]})
        display = SearchDisplay.from_estimator(search)
        assert display.hue is None
        display = SearchDisplay.from_estimator(search, hue="cell")
        for bars in display.lines_.values():
            assert bars[0].get_xdata().tolist() == [8, 16]
        assert len(display.dots_.get_offsets()) == 4

    def test_parameters_that_some_candidates_lack(self):
        search = grid([{"hidden_size": [8, 16]}, {"hidden_size": [16], "cell": ["rnn"]}, {"rate": [0.3]}])
        display = SearchDisplay.from_estimator(search, hue="cell")
        assert display.x == [8, 16, 16]
        assert list(display.lines_) == ["not set", "rnn"]
        assert display.best_.get_xdata().tolist() == [16]

    def test_names_of_a_pipeline_by_their_end(self):
        model = make_pipeline(StandardScaler(), Known())
        search = grid({"known__hidden_size": [2, 3], "known__rate": [0.1, 1.0]}, model)
        display = SearchDisplay.from_estimator(search, x="rate", hue="known__hidden_size")
        assert (display.x_name, display.hue_name) == ("rate", "hidden_size")
        assert display.x == [0.1, 1.0, 0.1, 1.0]
        assert SearchDisplay.from_estimator(search).x_name == "hidden_size"


class TestOthers:
    def test_rounds_of_halving_are_lines_of_their_own(self, halving):
        display, results = SearchDisplay.from_estimator(halving), halving.cv_results_
        assert display.hue_name == "n_samples"
        assert list(display.lines_) == [str(n) for n in np.unique(results["n_resources"])]
        assert len(display.x) == len(results["params"])
        assert display.best_.get_ydata()[0] == results["mean_test_score"][halving.best_index_]

    def test_halving_by_another_parameter_has_the_last_scores(self, halving):
        display, results = SearchDisplay.from_estimator(halving, hue="cell"), halving.cv_results_
        last = {tuple(params.values()): i for i, params in enumerate(results["params"])}
        np.testing.assert_array_equal(display.scores, results["mean_test_score"][sorted(last.values())])
        assert not display.connected

    @pytest.mark.parametrize("n", [6, 12])
    def test_random_candidates_are_dots_in_a_scale_of_colors(self, n):
        search = RandomizedSearchCV(
            Known(), {"hidden_size": list(range(14, 40)), "rate": uniform()}, n_iter=n, cv=2, random_state=0,
        ).fit(X, y)
        display = SearchDisplay.from_estimator(search)
        assert display.hue_name == "rate"
        rows = [params["rate"] for params in search.cv_results_["params"]]
        np.testing.assert_array_equal(display.dots_.get_array(), rows)
        np.testing.assert_array_equal(display.dots_.get_offsets()[:, 1], search.cv_results_["mean_test_score"])
        assert "rate" in [ax.get_ylabel() for ax in display.figure_.axes]

    def test_random_values_of_one_parameter_are_a_line(self):
        search = RandomizedSearchCV(Known(), {"rate": uniform()}, n_iter=4, cv=2, random_state=0).fit(X, y)
        display = SearchDisplay.from_estimator(search)
        assert display.connected
        x = display.lines_[""][0].get_xdata()
        np.testing.assert_array_equal(x, np.sort([params["rate"] for params in search.cv_results_["params"]]))

    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning", "ignore:One or more of the test scores")
    def test_failed_candidates_are_crosses(self):
        display = SearchDisplay.from_estimator(grid({"hidden_size": [8, 13, 16]}))
        assert display.failed_.get_xdata().tolist() == [13]
        assert display.lines_[""][0].get_xdata().tolist() == [8, 16]
        assert "a fold failed" in [text.get_text() for text in display.legend_.get_texts()]

    def test_several_metrics(self):
        metrics = {"error": "neg_mean_squared_error", "fit": "r2"}
        search = grid({"hidden_size": [8, 16]}, scoring=metrics, refit="fit")
        display = SearchDisplay.from_estimator(search)
        assert display.score_name == "fit"
        np.testing.assert_array_equal(display.scores, search.cv_results_["mean_test_fit"])
        display = SearchDisplay.from_estimator(search, metric="error", score_name="points")
        np.testing.assert_array_equal(display.scores, search.cv_results_["mean_test_error"])
        assert display.axes_[0].get_ylabel().startswith("points")
        without = grid({"hidden_size": [8, 16]}, scoring=metrics, refit=False)
        with pytest.raises(ValueError, match=r"metric=False: the search has the scores \['error', 'fit'\]"):
            SearchDisplay.from_estimator(without)
        assert SearchDisplay.from_estimator(without, metric="fit").best_ is None

    @pytest.mark.parametrize(("estimator", "expected"), [
        (RNNClassifier(return_sequences=True), "accuracy"), (RidgeClassifier(), "accuracy"), (Ridge(), "R²"),
        (make_pipeline(StandardScaler(), RNNRegressor()), "R²"), (ConformalForecaster(Ridge()), "D²"),
        (RNNRegressor(loss="quantile", quantile=[0.1, 0.9]), "D²"), (RNNSurvival(), "concordance index"),
        (RNNLanguageModel(), "score"),
    ])
    def test_name_of_the_default_score(self, estimator, expected):
        search = GridSearchCV(estimator, {})
        assert name_of_score(search, "score", negate=False) == expected
        assert name_of_score(search, "score", negate=True) == f"negative {expected}"

    def test_in_the_place_of_axes(self, two):
        ax = plt.subplots(1, 2)[1][1]
        display = SearchDisplay.from_estimator(two, ax=ax)
        assert len(display.axes_) == 2
        assert not ax.axison


@pytest.mark.parametrize(("values", "positions", "labels", "is_log"), [
    ([8, 16, 32], [8, 16, 32], None, True),
    ([1, 2, 3], [1, 2, 3], None, False),
    ([0, 0.1, 0.2], [0, 0.1, 0.2], None, False),
    ([0.0, 0.001, 1.0], [0, 1, 2], ["0", "0.001", "1"], False),
    ([(8,), (8, 8), (8,)], [0, 1, 0], ["(8,)", "(8, 8)"], False),
    ([None, 1.0], [0, 1], ["None", "1"], False),
    ([True, False], [0, 1], ["True", "False"], False),
    ([Ridge(), "passthrough"], [0, 1], ["Ridge", "passthrough"], False),
])
def test_values_as_axes(values, positions, labels, is_log):
    axis = Axis.of(values)
    assert (axis.positions.tolist(), axis.labels, axis.is_log) == (positions, labels, is_log)


class TestErrors:
    @pytest.mark.parametrize(("keywords", "message"), [
        ({"x": "size"}, r"x='size' is none of the search, which has \['cell', 'hidden_size'\]"),
        ({"hue": "size"}, "hue='size' is none of the search"),
        ({"x": "cell", "hue": "cell"}, "x and hue are both 'cell'"),
        ({"metric": "loss"}, r"metric='loss': the search has the scores \['score'\]"),
    ])
    def test_of_arguments(self, two, keywords, message):
        with pytest.raises(ValueError, match=message):
            SearchDisplay.from_estimator(two, **keywords)

    @pytest.mark.parametrize(("reference", "error", "message"), [
        (0.9, TypeError, "reference=0.9: expected a dict of numbers by name"),
        ([0.9], TypeError, r"reference=\[0.9\]: expected a dict"),
        ({"ridge": "0.9"}, ValueError, r"reference\['ridge'\]='0.9': expected a dict"),
        ({"ridge": float("nan")}, ValueError, r"reference\['ridge'\]=nan: expected a dict"),
    ])
    def test_of_references_before_a_figure_is_made(self, two, reference, error, message):
        with pytest.raises(error, match=message):
            SearchDisplay.from_estimator(two, reference=reference)
        assert plt.get_fignums() == []

    def test_of_ends_of_several_names(self):
        search = grid({"alpha": [1.0]}, Ridge())
        search.cv_results_["params"] = [{"a__alpha": 1.0, "b__alpha": 2.0}]
        with pytest.raises(ValueError, match=r"x='alpha' is the end of \['a__alpha', 'b__alpha'\]"):
            SearchDisplay.from_estimator(search, x="alpha")

    def test_of_other_estimators(self):
        with pytest.raises(TypeError, match="search is Ridge, expected a fitted search"):
            SearchDisplay.from_estimator(Ridge())
        with pytest.raises(ValueError, match="not fitted"):
            SearchDisplay.from_estimator(GridSearchCV(Known(), {}))
        with pytest.raises(ValueError, match="no parameters"):
            SearchDisplay.from_estimator(grid({}))
