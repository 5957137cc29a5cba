"""States after every step, in the form of X, and their display."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from forms import OnDisk
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skrnn import RaggedArray, RNNClassifier, RNNRegressor
from skrnn.inspection import HiddenStateDisplay, hidden_states
from skrnn.preprocessing import SequenceScaler

rng = np.random.default_rng(0)
X, LENGTHS = rng.normal(size=(12, 6, 2)), (6, 1, 4, 2) * 3
y = X[:, 0, 0]
RAGGED = [x[:length] for x, length in zip(X, LENGTHS, strict=True)]


def fitted(X=X, net=RNNRegressor, y=y, **parameters):
    return net(**{"hidden_size": 3, "max_iter": 1, "random_state": 0, "tol": 1.0, "patch_size": None} | parameters).fit(
        X, y
    )


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def stacked():
    return fitted(hidden_size=(3, 2), cell="lstm", missing="ffill")


@pytest.mark.filterwarnings("ignore")
class TestStates:
    def test_are_those_that_streams_have(self, stacked):
        """h and c of each layer, after every step."""
        state = stacked.initial_state(len(X))
        columns = np.cumsum([0, 3, 3, 2, 2])
        for t in range(X.shape[1]):
            _, state = stacked.predict_step(X[:, t], state)
            for part, (layer, name) in enumerate([(0, "h"), (0, "c"), (1, "h"), (1, "c")]):
                actual = hidden_states(stacked, X, layer=layer, state=name)[:, t]
                np.testing.assert_array_equal(actual, state[:, columns[part] : columns[part + 1]])

    @pytest.mark.parametrize("make", [
        list, lambda X: RaggedArray(np.concatenate(X), LENGTHS),
        lambda X: RaggedArray(np.concatenate(X)[::-1], LENGTHS[::-1])[::-1], OnDisk,
    ], ids=["list", "ragged", "in another order", "on demand"])
    def test_of_collections(self, stacked, make):
        made = make(RAGGED)
        states = hidden_states(stacked, made, layer=None)
        assert [len(each) for each in states] == [len(each) for each in made]
        np.testing.assert_array_equal([each[-1] for each in states], stacked.transform(made))

    @pytest.mark.parametrize("per_step", [False, True])
    def test_of_both_directions(self, per_step):
        """The one that reads backwards has read all when it comes to the first step."""
        target = X[:, :, 0] if per_step else y
        net = fitted(y=target, bidirectional=True, return_sequences=per_step)
        states, last = hidden_states(net, X), net.transform(X)
        np.testing.assert_array_equal(states[:, -1, :3], last[:, :3])
        np.testing.assert_array_equal(states[:, 0, 3:], last[:, 3:])
        if per_step:
            parameters = net.parameters_
            scores = (states @ parameters["head.V"] + parameters["head.c"])[..., 0]
            np.testing.assert_allclose(net.y_mean_ + net.y_scale_ * scores, net.predict(X), rtol=1e-10)

    @pytest.mark.parametrize("form", ["array", "list"])
    def test_of_patches(self, form):
        net = fitted(X, patch_size=3, patch_stride=2)
        states = hidden_states(net, X if form == "array" else RAGGED)
        assert [len(each) for each in states] == ([3] * 12 if form == "array" else [3, 1, 2, 1] * 3)
        last = net.transform(X if form == "array" else RAGGED)
        np.testing.assert_array_equal([each[-1] for each in states], last)

    @pytest.mark.parametrize("patch_size", [None, 2])
    def test_padding_has_the_last_state(self, patch_size):
        padded = X.copy()
        padded[0, 2:] = np.nan
        net = fitted(missing="indicator", patch_size=patch_size)
        states = hidden_states(net, padded)
        assert states.shape == (12, 6 if patch_size is None else 1 + (6 - 2) // net.patch_stride_, 3)
        expected = hidden_states(net, [padded[0, :2]])[0]
        assert len(expected) == (2 if patch_size is None else 1)
        padding = np.repeat(expected[-1:], len(states[0]) - len(expected), axis=0)
        np.testing.assert_array_equal(states[0], np.concatenate([expected, padding]))

    def test_of_a_table_and_within_a_search(self):
        table = X[:, :, 0]
        pipeline = make_pipeline(SequenceScaler(), fitted(X[:, :, :1], cell="gru"))
        search = GridSearchCV(pipeline, {"rnnregressor__alpha": [0.1]}, cv=2).fit(table, y)
        states = hidden_states(search, table)
        assert states.shape == (12, 6, 3)
        np.testing.assert_array_equal(states[:, -1], search.best_estimator_.transform(table))


@pytest.mark.parametrize(("wrong", "error", "match"), [
    ({"state": "c"}, ValueError, "state='c': the cell 'gru' has 'h'"),
    ({"layer": 1}, ValueError, "layer=1: there are 1 layers, expected an index from 0 to 0"),
    ({"layer": "top"}, TypeError, "layer='top': expected an int"),
    ({"X": X[:, :, :1]}, ValueError, "1 features"),
    ({"X": np.full_like(X, np.nan)}, ValueError, "NaN"),
])
@pytest.mark.filterwarnings("ignore")
def test_what_cannot_be(wrong, error, match):
    with pytest.raises(error, match=match):
        hidden_states(fitted(cell="gru"), **{"X": X} | wrong)


@pytest.mark.filterwarnings("ignore")
class TestDisplay:
    def test_states_and_series(self, stacked):
        display = HiddenStateDisplay.from_estimator(stacked, X, sequence=-2, layer=0, state="c")
        np.testing.assert_array_equal(display.states, hidden_states(stacked, X, layer=0, state="c")[10])
        np.testing.assert_array_equal(display.image_.get_array(), display.states.T)
        assert display.image_.norm.vmax == -display.image_.norm.vmin == np.abs(display.states).max()
        np.testing.assert_array_equal([line.get_ydata() for line in display.lines_], X[10].T)
        assert [line.get_label() for line in display.lines_] == ["feature 0", "feature 1"]
        assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("step", "unit")
        assert display.axes_[-1] is display.ax_
        assert display.colorbar_.ax.get_ylabel() == "state c"
        # the panels have the same steps one above the other
        assert display.axes_[0].get_xlim() == display.ax_.get_xlim() == (-0.5, 5.5)
        left, right = (ax.get_position() for ax in display.axes_)
        display.figure_.canvas.draw()
        left, right = (ax.get_position() for ax in display.axes_)
        assert (left.x0, left.x1) == pytest.approx((right.x0, right.x1))

    def test_order_of_units(self, stacked):
        display = HiddenStateDisplay.from_estimator(stacked, X, layer=None, order="peak")
        peaks = np.abs(display.states).argmax(axis=0)[display.units]
        assert (np.diff(peaks) >= 0).all()
        assert sorted(display.units) == list(range(5))
        np.testing.assert_array_equal(display.image_.get_array(), display.states.T[display.units])
        display = HiddenStateDisplay(states=display.states, units=[3, 0, 4, 2, 1]).plot()
        np.testing.assert_array_equal(display.image_.get_array(), display.states.T[[3, 0, 4, 2, 1]])
        assert [text.get_text() for text in display.ax_.get_yticklabels()] == ["3", "0", "4", "2", "1"]

    def test_without_series(self, stacked):
        _, ax = plt.subplots()
        display = HiddenStateDisplay.from_estimator(stacked, X, include_series=False, ax=ax, im_kw={"cmap": "PuOr"})
        assert display.ax_ is ax
        assert display.image_.get_cmap().name == "PuOr"
        of_patches = HiddenStateDisplay.from_estimator(fitted(patch_size=3, patch_stride=2), X)
        assert (of_patches.series, of_patches.ax_.get_xlabel()) == (None, "patch")
        of_classes = fitted(X[:, :, 0] > 0, RNNClassifier, y > 0, embedding_dim=2, n_steps=6)
        assert HiddenStateDisplay.from_estimator(of_classes, X[:, :, 0] > 0).series is None

    @pytest.mark.parametrize(("wrong", "error", "match"), [
        ({"sequence": 12}, ValueError, "sequence=12: there are 12 sequences of X"),
        ({"order": "size"}, ValueError, "order='size': expected 'number' or 'peak'"),
        ({"feature_names": ["a"]}, ValueError, "feature_names has 1 names, but the net reads 2 numbers"),
        ({"im_kw": 3}, TypeError, "im_kw=3"),
    ])
    def test_what_cannot_be(self, stacked, wrong, error, match):
        with pytest.raises(error, match=match):
            HiddenStateDisplay.from_estimator(stacked, X, **wrong)
