"""StepConfusionDisplay: the matrix is that of the steps with a label, however y holds them."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.metrics import confusion_matrix

from skrnn import RNNClassifier, RNNRegressor
from skrnn.inspection import StepConfusionDisplay

matplotlib.use("Agg")
TRUE, PREDICTED = [["a", "b"], ["b", None, "a"], ["c"]], [["a", "a"], ["b", "b", "a"], ["b"]]
MATRIX = [[2, 0, 0], [1, 1, 0], [0, 1, 0]]


@pytest.fixture
def ax():
    """Axes of a figure that pyplot does not keep."""
    return Figure().subplots()


class TestFromPredictions:
    @pytest.mark.parametrize(("true", "predicted"), [
        (TRUE, PREDICTED),
        (pd.Series(TRUE), pd.Series(PREDICTED)),
        ([[0, 1], [1, -1, 0], [2]], [[0, 0], [1, 1, 0], [1]]),
        (np.array([[0, 1, np.nan], [1, np.nan, 0], [2, np.nan, np.nan]]), np.array([[0, 0, 9], [1, 1, 0], [1, 9, 9]])),
        ([np.array(["x", "yy"]), np.array(["yy", None, "x"]), ["zzz"]], [["x", "x"], ["yy", "yy", "x"], ["yy"]]),
    ], ids=["strings", "columns", "integers", "array", "arrays of texts"])
    def test_ragged_labels_and_missing_ones(self, ax, true, predicted):
        display = StepConfusionDisplay.from_predictions(true, predicted, ax=ax)
        assert display.confusion_matrix.tolist() == MATRIX
        assert_array_equal(display.im_.get_array(), MATRIX)

    def test_labels_weights_and_fractions(self, ax):
        display = StepConfusionDisplay.from_predictions(
            TRUE, PREDICTED, labels=["b", "a"], sample_weight=[3.0, 1.0, 9.0], normalize="true",
            display_labels=["B", "A"], ax=ax, colorbar=True, im_kw={"vmax": 1},
        )
        assert display.confusion_matrix.tolist() == [[0.25, 0.75], [0, 1]]
        assert [label.get_text() for label in ax.get_xticklabels()] == ["B", "A"]
        assert [text.get_text() for text in display.text_.flat] == ["0.25", "0.75", "0.00", "1.00"]
        assert display.im_.get_clim() == (0, 1)
        assert display.im_.colorbar.ax.get_ylabel() == "Fraction of the steps"
        of_steps = StepConfusionDisplay.from_predictions(
            TRUE, PREDICTED, sample_weight=[[1.0, 2.0], [3.0, 4.0, 5.0], [6.0]], ax=ax
        )
        assert of_steps.confusion_matrix.tolist() == [[6, 0, 0], [2, 3, 0], [0, 6, 0]]

    @pytest.mark.parametrize(("column", "expected"), [(0, [[1, 1], [0, 1]]), (-1, [[1, 0], [1, 0]])])
    def test_several_columns(self, ax, column, expected):
        true = [[["a", 3], ["b", 5]], [["a", None]]]
        predicted = [np.array(rows, dtype=object) for rows in ([["b", 3], ["b", 3]], [["a", 5]])]
        display = StepConfusionDisplay.from_predictions(true, predicted, column=column, ax=ax)
        assert display.confusion_matrix.tolist() == expected
        assert display.display_labels.tolist() == (["a", "b"] if column == 0 else [3, 5])

    @pytest.mark.parametrize(("true", "predicted", "options", "message"), [
        (["a", "b"], [["a"], ["b"]], {}, "expected a target for each step"),
        ([["a"], ["b"]], ["a", "b"], {}, r"y_pred\[0\] is 'a', expected a label for each step"),
        ([["a"], ["b"]], [["a"], ["b", "b"]], {}, r"y_true\[1\] has 1 targets of steps, expected 2 as in y_pred\[1\]"),
        ([["a"], ["b"]], [["a"]], {}, "y_pred has 1 sequences, expected 2 as in y_true"),
        ([["a"], ["b"]], [["a"], ["b"]], {"sample_weight": [1.0]}, "sample_weight has 1 sequences, expected 2 as in"),
        ([[["a", 1]]], [[["a", 1]]], {}, "y_true has 2 columns of labels, expected column="),
        ([[["a", 1]]], [[["a", 1]]], {"column": 2}, "column=2: there are 2 columns of labels"),
        ([["a"]], [["a"]], {"column": 0}, "column=0: y_true has one label per step"),
        ([["a", "b"]], [["a", "a"]], {"display_labels": ["A"]}, "display_labels has 1 names, expected 2"),
    ])
    def test_errors(self, true, predicted, options, message):
        with pytest.raises(ValueError, match=message):
            StepConfusionDisplay.from_predictions(true, predicted, **options)


@pytest.mark.filterwarnings("ignore:Training ended after", "ignore:.*has learned hardly anything")
class TestFromEstimator:
    def test_is_that_of_predict(self, ax):
        rng = np.random.default_rng(0)
        X = [rng.normal(size=(n, 1)) for n in (4, 2, 5, 3)]
        y = [(x[:, 0] > 0).astype(int) for x in X]
        net = RNNClassifier(2, return_sequences=True, max_iter=1, random_state=0).fit(X, y)
        display = StepConfusionDisplay.from_estimator(net, X, y, ax=ax, text_kw={"size": 7})
        expected = confusion_matrix(np.concatenate(y), np.concatenate(net.predict(X)))
        assert_array_equal(display.confusion_matrix, expected)
        assert display.ax_ is ax
        assert display.figure_ is ax.figure
        assert {text.get_size() for text in display.text_.flat} == {7}

    def test_what_predicts_no_labels_of_steps_is_refused(self):
        X, y = np.arange(24.0).reshape(4, 3, 2), [0, 1, 0, 1]
        net = RNNClassifier(2, max_iter=1, random_state=0).fit(X, y)
        with pytest.raises(ValueError, match="expected a label for each step"):
            StepConfusionDisplay.from_estimator(net, X, [[0, 1, 1]] * 4)
        regressor = RNNRegressor(2, max_iter=1, random_state=0).fit(X, y)
        with pytest.raises(TypeError, match="estimator is RNNRegressor, which has no classes_: expected a classifier"):
            StepConfusionDisplay.from_estimator(regressor, X, [[0, 1, 1]] * 4)
        with pytest.raises(NotFittedError):
            StepConfusionDisplay.from_estimator(RNNClassifier(), X, [[0, 1, 1]] * 4)


def test_names_and_size():
    """Long names are written upwards, and a new figure has room for many classes."""
    plt = pytest.importorskip("matplotlib.pyplot")
    short = StepConfusionDisplay.from_predictions(TRUE, PREDICTED)
    assert short.ax_.get_ylabel() == "True label of the step"
    assert {label.get_rotation() for label in short.ax_.get_xticklabels()} == {0}
    names = [f"activity {i}" for i in range(12)]
    long = StepConfusionDisplay(confusion_matrix=np.eye(12, dtype=int), display_labels=names)
    assert long.plot(include_values=False).text_ is None
    assert {label.get_rotation() for label in long.ax_.get_xticklabels()} == {90}
    assert long.figure_.get_size_inches()[0] > short.figure_.get_size_inches()[0]
    again = long.plot(xticks_rotation="horizontal", ax=short.ax_)
    assert {label.get_rotation() for label in again.ax_.get_xticklabels()} == {0}
    plt.close("all")
