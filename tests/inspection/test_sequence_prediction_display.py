"""What is predicted along a series, as it is drawn: numbers, intervals, classes, and which series it is."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skrnn import RNNClassifier, RNNLanguageModel, RNNOutlierDetector, RNNRegressor
from skrnn.forecasting import ConformalForecaster, SeasonalNaive
from skrnn.inspection import SequencePredictionDisplay
from skrnn.preprocessing import SequenceScaler, SlidingWindow

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
rng = np.random.default_rng(0)
RAGGED = [rng.normal(size=(steps, 1)) for steps in (4, 12, 7, 9, 5, 11)]
NUMBERS = [x[:, 0] for x in RAGGED]
LABELS = [np.where(x[:, 0] > 0.5, "run", np.where(x[:, 0] > -0.5, "walk", "rest")).astype(object) for x in RAGGED]
TABLE, NEXT = rng.normal(size=(30, 1)), rng.normal(size=30)
FUTURE = rng.normal(size=(20, 3))
SMALL = {"max_iter": 1, "random_state": 0}
display_of = SequencePredictionDisplay.from_estimator


def per_step(**parameters):
    return RNNRegressor(2, return_sequences=True, **SMALL | parameters)


@pytest.fixture(scope="module")
def gaussian():
    return make_pipeline(SequenceScaler(), per_step(loss="gaussian")).fit(RAGGED, NUMBERS)


@pytest.fixture(scope="module")
def labeller():
    return RNNClassifier(2, return_sequences=True, **SMALL).fit(RAGGED, LABELS)


def data_of(display, name, panel=0):
    return display.lines_[name][panel].get_ydata()


def ends_of(band):
    """Lower and upper ends of what `fill_between` drew, for places one after the other."""
    vertices = band.get_paths()[0].vertices
    n = (len(vertices) - 3) // 2
    return vertices[1 : n + 1, 1], vertices[n + 2 : -1, 1][::-1]


class TestSteps:
    def test_of_one_sequence(self, gaussian):
        display = display_of(gaussian, RAGGED, NUMBERS, sequence=1)
        np.testing.assert_array_equal(data_of(display, "predicted"), gaussian.predict(RAGGED)[1])
        np.testing.assert_array_equal(data_of(display, "observed"), NUMBERS[1])
        np.testing.assert_array_equal(display.lines_["predicted"][0].get_xdata(), np.arange(12))
        assert display.axes_[0].get_xlabel() == "step"

    def test_interval_of_a_distribution(self, gaussian):
        display = display_of(gaussian, RAGGED, NUMBERS, sequence=-1, interval=0.5)
        expected = gaussian[-1].predict_quantile(gaussian[0].transform(RAGGED), [0.25, 0.75])[-1]
        np.testing.assert_array_equal(display.lower, expected[:, 0])
        lower, upper = ends_of(display.intervals_[0])
        np.testing.assert_allclose(lower, expected[:, 0], rtol=1e-6)
        np.testing.assert_allclose(upper, expected[:, 1], rtol=1e-6)
        inside = np.mean((expected[:, 0] <= NUMBERS[-1]) & (NUMBERS[-1] <= expected[:, 1]))
        assert display.intervals_[0].get_label() == f"50 % interval (holds {100 * inside:.0f} %)"

    def test_nothing_is_said_to_be_held_by_few_steps(self, gaussian):
        assert display_of(gaussian, RAGGED, NUMBERS).intervals_[0].get_label() == "90 % interval"
        assert display_of(gaussian, RAGGED).intervals_[0].get_label() == "90 % interval"
        assert not display_of(gaussian, RAGGED, interval=None).intervals_

    def test_several_quantiles(self):
        net = per_step(loss="quantile", quantile=[0.1, 0.4, 0.8]).fit(RAGGED, NUMBERS)
        display = display_of(net, RAGGED, sequence=2)
        predicted = net.predict(RAGGED)[2]
        for values, k in ((display.lower, 0), (display.y_pred, 1), (display.upper, 2)):
            np.testing.assert_array_equal(values, predicted[:, k])
        assert display.interval_name == "quantiles 0.1 to 0.8"
        display = display_of(net, RAGGED, sequence=2, interval=0.5)
        np.testing.assert_array_equal(display.lower, net.predict_quantile(RAGGED, 0.25)[2])

    def test_several_outputs_have_panels(self):
        targets = [np.column_stack([y, -y]) for y in NUMBERS]
        targets[1][3, 0] = np.nan
        net = per_step(loss="gaussian").fit(RAGGED, targets)
        display = display_of(net, RAGGED, targets, sequence=1, output_names=["up", "down"])
        assert [ax.get_ylabel() for ax in display.axes_] == ["up", "down"]
        for panel in range(2):
            np.testing.assert_array_equal(data_of(display, "predicted", panel), net.predict(RAGGED)[1][:, panel])
            np.testing.assert_array_equal(data_of(display, "observed", panel), targets[1][:, panel])
        only = display_of(net, RAGGED, targets, sequence=1, outputs=[-1])
        assert len(only.axes_) == 1
        np.testing.assert_array_equal(data_of(only, "predicted"), net.predict(RAGGED)[1][:, 1])

    def test_padding_is_left_out(self):
        X = np.full((6, 12, 1), np.nan)
        for of_sequence, x in zip(X, RAGGED, strict=True):
            of_sequence[: len(x)] = x
        net = per_step(missing="ffill", loss="gaussian").fit(X, X[:, :, 0])
        display = display_of(net, X, X[:, :, 0], sequence=2)
        np.testing.assert_array_equal(display.y_pred, net.predict(X)[2, :7])
        np.testing.assert_array_equal(display.y_true, NUMBERS[2])
        assert len(display.lower) == len(display.upper) == 7

    def test_times(self, gaussian):
        times = np.arange("2024-01-01", "2024-01-05", dtype="datetime64[D]")
        display = display_of(gaussian, RAGGED, times=times, x_name="day")
        assert (display.lines_["predicted"][0].get_xdata() == times).all()
        assert display.axes_[0].get_xlabel() == "day"


class TestClasses:
    def test_probabilities(self, labeller):
        display = display_of(labeller, RAGGED, LABELS, sequence=1)
        p = labeller.predict_proba(RAGGED)[1]
        for k, label in enumerate(labeller.classes_):
            np.testing.assert_array_equal(data_of(display, label), p[:, k])
        predicted, true = display.strip_.get_array()
        np.testing.assert_array_equal(predicted, p.argmax(axis=1))
        np.testing.assert_array_equal(true, np.searchsorted(labeller.classes_, LABELS[1].astype(str)))
        assert [tick.get_text() for tick in display.axes_[0].get_yticklabels()] == ["predicted", "true"]
        assert [text.get_text() for text in display.legend_.get_texts()] == ["rest", "run", "walk"]

    def test_colors_of_strip_and_lines_agree(self, labeller):
        display = display_of(labeller, RAGGED, sequence=1)
        for k, label in enumerate(labeller.classes_):
            line, cell = display.lines_[label][0].get_color(), display.strip_.cmap(k)
            assert plt.matplotlib.colors.same_color(line, cell)

    @pytest.mark.parametrize("missing", [None, np.nan])
    def test_steps_without_a_label_stay_white(self, labeller, missing):
        labels = [y.copy() for y in LABELS]
        labels[1][2] = missing
        true = display_of(labeller, RAGGED, labels, sequence=1).strip_.get_array()[1]
        assert np.flatnonzero(np.ma.getmaskarray(true)).tolist() == [2]

    def test_of_integers_without_a_label(self):
        y = [np.where(x[:, 0] > 0, 1, 0) for x in RAGGED]
        y[1][0] = -1
        net = RNNClassifier(2, return_sequences=True, **SMALL).fit(RAGGED, y)
        display = display_of(net, RAGGED, y, sequence=1)
        assert np.ma.getmaskarray(display.strip_.get_array()[1])[0]
        assert list(display.lines_) == [1]                  # of two classes the probability of the second
        assert display.axes_[1].get_ylabel() == "probability of class 1"

    def test_labels_that_do_not_exclude_each_other_are_outputs(self):
        y = np.stack([np.column_stack([x, x]) for x in (TABLE[:12, 0] > 0, TABLE[12:24, 0] > 0)]).astype(int)
        X = TABLE[:24].reshape(2, 12, 1)
        net = RNNClassifier(2, return_sequences=True, **SMALL).fit(X, y)
        display = display_of(net, X, y, sequence=1)
        assert [ax.get_ylabel() for ax in display.axes_] == ["P(0)", "P(1)"]
        np.testing.assert_array_equal(data_of(display, "predicted", 1), net.predict_proba(X)[1][:, 1])


class TestOtherDirections:
    def test_windows_in_their_order(self):
        model = make_pipeline(SlidingWindow(3, context=True), RNNRegressor(2, **SMALL)).fit(TABLE[:20], NEXT[:20])
        display = display_of(model, TABLE[20:], NEXT[20:])
        np.testing.assert_array_equal(data_of(display, "predicted"), model.predict(TABLE[20:]))
        np.testing.assert_array_equal(data_of(display, "observed"), NEXT[20:])
        assert display.axes_[0].get_xlabel() == "sequence"

    def test_an_estimator_of_another_library_in_a_search(self):
        search = GridSearchCV(Ridge(), {"alpha": [1.0]}, cv=2).fit(TABLE, NEXT)
        np.testing.assert_array_equal(display_of(search, TABLE, NEXT).y_pred, search.predict(TABLE))

    def test_steps_ahead(self):
        X = rng.normal(size=(20, 8, 2))
        X[:, :, 1] = np.arange(8) >= 5                      # the flag of the steps to forecast
        net = ConformalForecaster(SeasonalNaive(), [0.05, 0.5, 0.95]).fit(X, FUTURE)
        display = display_of(net, X, FUTURE, sequence=4, history=X[4, :5, 0])
        predicted = net.predict(X)[4]
        np.testing.assert_array_equal(data_of(display, "predicted"), predicted[:, 1])
        np.testing.assert_array_equal(display.lines_["predicted"][0].get_xdata(), [1, 2, 3])
        np.testing.assert_array_equal(display.lines_["history"][0].get_xdata(), np.arange(-4, 1))
        np.testing.assert_array_equal(data_of(display, "observed"), [X[4, 4, 0], *FUTURE[4]])
        np.testing.assert_array_equal(display.upper, predicted[:, 2])
        assert display.axes_[0].get_xlabel() == "steps ahead"
        with pytest.raises(ValueError, match=r"needs the quantiles 0\.25 and 0\.75, and ConformalForecaster predicts"):
            display_of(net, X, interval=0.5)

    def test_several_outputs_are_one_or_the_other(self):
        net = RNNRegressor(2, **SMALL).fit(TABLE[:20], FUTURE)
        with pytest.raises(ValueError, match="3 outputs of each sequence: pass along='outputs' if they are steps"):
            display_of(net, TABLE)
        np.testing.assert_array_equal(display_of(net, TABLE, along="outputs").y_pred, net.predict(TABLE)[0])
        panels = display_of(net, TABLE[:20], FUTURE, along="sequences")
        np.testing.assert_array_equal(data_of(panels, "observed", 2), FUTURE[:, 2])


class TestPredictions:
    def test_of_one_sequence_of_several(self):
        low, high = [y - 1 for y in NUMBERS], [y + 1 for y in NUMBERS]
        display = SequencePredictionDisplay.from_predictions(
            NUMBERS, NUMBERS, sequence=1, interval=(low, high), interval_name="by hand", line_kw={"c": "C3"},
        )
        np.testing.assert_array_equal(ends_of(display.intervals_[0])[0], low[1])
        assert display.intervals_[0].get_label() == "by hand (holds 100 %)"
        assert display.lines_["predicted"][0].get_color() == "C3"

    def test_one_class(self):
        display = SequencePredictionDisplay.from_predictions(["a"], [[1.0]], classes=["a"])
        assert data_of(display, "a").tolist() == [1.0]

    def test_without_targets(self):
        display = SequencePredictionDisplay.from_predictions(None, [1, 2], history=[0.0, 0.5])
        assert set(display.lines_) == {"history", "predicted"}
        assert display.lines_["history"][0].get_label() == "observed"

    @pytest.mark.parametrize(("keywords", "message"), [
        ({"y_true": [1.0]}, "y_true has 1 steps, expected 2"),
        ({"y_true": np.zeros((2, 2))}, "y_true has 2 outputs, expected 1"),
        ({"times": [1, 2, 3]}, r"times has shape \(3,\), expected \(2,\)"),
        ({"output_names": ["a", "b"]}, "output_names=.*: expected 1 names"),
        ({"y_pred": np.zeros((2, 7))}, "7 outputs, more than 6 panels"),
        ({"y_pred": np.zeros((2, 2, 2))}, r"y_pred has shape \(2, 2, 2\)"),
        ({"classes": ["a", "b", "c"]}, r"y_pred has shape \(2,\), expected \(2, 3\)"),
        ({"y_pred": np.zeros((2, 2)), "classes": ["a", "b"], "history": [1]}, "are for numbers"),
        ({"y_pred": np.zeros((2, 2)), "classes": [0, 1], "y_true": [0, "1"]}, r"y_true\[1\] is '1', none of"),
    ])
    def test_shapes_go_together(self, keywords, message):
        with pytest.raises(ValueError, match=message):
            SequencePredictionDisplay(**{"y_pred": np.array([1.0, 2.0])} | keywords).plot()


@pytest.mark.parametrize(("keywords", "error", "message"), [
    ({"along": "time"}, ValueError, "along='time': expected one of"),
    ({"along": "outputs"}, ValueError, "along='outputs' does not go with .*RNNRegressor has an output for each step"),
    ({"sequence": 6}, ValueError, "sequence=6: there are 6 sequences of X"),
    ({"sequence": 1.0}, TypeError, "sequence=1.0: expected an int"),
    ({"interval": 2}, ValueError, "interval=2: expected a number between 0 and 1"),
    ({"interval": True}, ValueError, "interval=True: expected"),
    ({"y": NUMBERS[:2]}, ValueError, "y has 2 targets, expected 6"),
    ({"outputs": [1]}, ValueError, "outputs=1: there are 1 outputs"),
    ({"outputs": 0}, ValueError, "outputs=0: expected a list"),
    ({"line_kw": 3}, TypeError, "line_kw=3: expected a dict"),
])
def test_arguments_that_do_not_fit(gaussian, keywords, error, message):
    with pytest.raises(error, match=message):
        display_of(gaussian, RAGGED, **keywords)


@pytest.mark.parametrize(("make", "X", "keywords", "error", "message"), [
    (lambda: RNNRegressor(2, **SMALL).fit(TABLE, NEXT), TABLE, {"along": "steps"}, ValueError, "return_sequences=True"),
    (lambda: RNNRegressor(2, **SMALL).fit(TABLE, NEXT), TABLE, {"along": "outputs"}, ValueError, "predicts one"),
    (lambda: per_step().fit(RAGGED, NUMBERS), RAGGED, {"interval": 0.9}, ValueError, "predicts no quantiles: fit"),
    (lambda: RNNOutlierDetector(2, **SMALL).fit(RAGGED), RAGGED, {}, TypeError, "predicts no targets"),
    (lambda: RNNLanguageModel(2, **SMALL).fit(["ab", "ba"]), ["ab"], {}, TypeError, "predicts no targets"),
    (lambda: RNNClassifier(2, **SMALL).fit(TABLE, NEXT > 0), TABLE, {"interval": 0.9}, ValueError, "predicts classes"),
    (
        lambda: RNNClassifier(2, **SMALL).fit(TABLE, np.column_stack([NEXT > 0, NEXT > 1]).astype(str)), TABLE, {},
        ValueError, "2 columns of classes: pass .* one of them to from_predictions",
    ),
])
def test_estimators_that_do_not_fit(make, X, keywords, error, message):
    with pytest.raises(error, match=message):
        display_of(make(), X, **keywords)
