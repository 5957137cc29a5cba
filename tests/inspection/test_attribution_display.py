"""AttributionDisplay: what is drawn is what was computed."""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

from skrnn import RaggedArray, RNNClassifier, RNNRegressor, WithStatic
from skrnn.inspection import AttributionDisplay, input_gradients, integrated_gradients, occlusion
from skrnn.preprocessing import SequenceScaler, SequenceVectorizer, SlidingWindow

rng = np.random.default_rng(0)
ARRAY = rng.normal(size=(6, 5, 2))
LENGTHS = [4, 2, 5, 3, 4, 3]
LISTS = [x[:length] for x, length in zip(ARRAY, LENGTHS, strict=True)]
FRAME = pd.DataFrame({
    "drug": [["a", "b", "c", "a"][: len(x)] if len(x) < 5 else ["b"] * 5 for x in LISTS],
    "pulse": [x[:, 0].tolist() for x in LISTS], "age": np.arange(6.0), "sex": ["f", "m"] * 3,
})
FORMS = {
    "array": (ARRAY, lambda a: a[2], {}), "list": (LISTS, lambda a: a[2], {}),
    "ragged": (RaggedArray(np.concatenate(LISTS), LENGTHS, feature_names=["u", "v"]), lambda a: a[2], {}),
    "table": (ARRAY.reshape(6, 10), lambda a: a[2].reshape(5, 2), {"n_steps": 5}),
    "frames": ([pd.DataFrame(x, columns=["u", "v"]) for x in LISTS], lambda a: a[2], {}),
    "with static": (WithStatic(LISTS, np.arange(6.0)[:, np.newaxis], ["age"]), lambda a: a.sequences[2], {}),
    "frame": (FRAME, lambda a: np.column_stack([a["drug"][2], a["pulse"][2]]), {}),
}


def fitted(net, X, y=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return net.set_params(hidden_size=3, max_iter=1, random_state=0).fit(X, np.arange(6) % 3 if y is None else y)


@pytest.mark.parametrize("name", FORMS)
def test_from_estimator(name):
    X, cells, options = FORMS[name]
    net = fitted(RNNClassifier(**options), X)
    display = AttributionDisplay.from_estimator(net, X, sequence=2, target=1)
    np.testing.assert_allclose(display.attributions, cells(integrated_gradients(net, X, target=1)), rtol=1e-6)
    p = net.predict_proba(X)[2, 1]
    assert display.value == pytest.approx(p)
    assert display.axes_[0].get_title() == f"probability of class 1 = {p:.3g}"
    n_static = {"with static": 1, "frame": 2}.get(name, 0)
    assert len(display.axes_) == 2 + (n_static > 0)
    limit = np.abs(display.attributions).max()
    for j, image in enumerate(display.images_):
        np.testing.assert_array_equal(image.get_array().ravel(), display.attributions[:, j])
        assert image.get_clim() == (-limit, limit)
    if n_static:
        assert [bar.get_width() for bar in display.bars_] == display.static_attributions.tolist()
        labels = [label.get_text() for label in display.axes_[-1].get_yticklabels()]
        assert labels == ["age = 2", "sex = f"][:n_static]
    last = np.asarray(cells(X), dtype=object)[:, -1].astype(float)
    np.testing.assert_array_equal(display.lines_[-1].get_ydata(), last)
    np.testing.assert_array_equal(display.lines_[-1].get_xdata(), np.arange(len(last)))
    expected = {"frame": ["drug", "pulse"]}.get(name, ["u", "v"] if name in ("ragged", "frames") else ["x0", "x1"])
    assert [ax.get_ylabel() for ax in display.axes_[:2]] == expected


@pytest.mark.parametrize(("method", "function"), [
    ("integrated_gradients", integrated_gradients), ("occlusion", occlusion), ("input_gradients", input_gradients),
])
def test_methods_and_their_options(method, function):
    net = fitted(RNNRegressor(), ARRAY, ARRAY[:, 0, 0])
    options = {} if function is input_gradients else {"baseline": 0.5}
    display = AttributionDisplay.from_estimator(net, ARRAY, sequence=-1, method=method, **options)
    np.testing.assert_allclose(display.attributions, function(net, ARRAY, **options)[5], rtol=1e-6)
    assert (display.output, display.value) == ("prediction", pytest.approx(net.predict(ARRAY)[5]))


def test_the_baseline_of_the_sequence():
    net, other = fitted(RNNRegressor(), ARRAY, ARRAY[:, 0, 0]), ARRAY[::-1].copy()
    display = AttributionDisplay.from_estimator(net, ARRAY, sequence=2, baseline=other)
    np.testing.assert_allclose(
        display.attributions, integrated_gradients(net, ARRAY, baseline=other)[2], rtol=1e-9, atol=1e-12
    )


def test_from_attributions():
    net = fitted(RNNRegressor(), LISTS, ARRAY[:, 0, 0])
    attributions = integrated_gradients(net, LISTS)
    display = AttributionDisplay.from_attributions(attributions, LISTS, sequence=1, output="level")
    np.testing.assert_array_equal(display.attributions, attributions[1])
    assert display.axes_[0].get_title() == "level"


class TestLetters:
    X = pd.DataFrame({"base": [list("ACGT"), list("TTA"), list("GATC"), list("CA"), list("GGT"), list("ACC")]})

    def test_are_as_high_as_their_attributions(self):
        net = fitted(RNNClassifier(embedding_dim=2), self.X)
        display = AttributionDisplay.from_estimator(net, self.X, sequence=2, target=0)
        assert (len(display.axes_), display.images_) == (1, [])
        heights = display.attributions[:, 0]
        for letter, height, place in zip(display.letters_, heights, range(4), strict=True):
            box = letter.get_path().get_extents()
            np.testing.assert_allclose([box.y0, box.y1], sorted([0, height]), atol=1e-12)
            assert 0.5 * (box.x0 + box.x1) == pytest.approx(place)

    def test_in_the_place_of_features_which_are_added_up(self):
        display = AttributionDisplay(
            attributions=np.array([[0.1, 0.2], [-0.3, 0.1]]), values=np.zeros((2, 2)), symbols="AC",
            times=np.array([-1.0, 4.0]), time_name="base",
        ).plot()
        boxes = [letter.get_path().get_extents() for letter in display.letters_]
        np.testing.assert_allclose([box.y1 - box.y0 for box in boxes], [0.3, 0.2])
        assert display.axes_[0].get_xlabel() == "base"


def test_the_times_are_the_horizontal_axis():
    X = ARRAY.copy()
    X[:, :, 1] = np.cumsum(np.abs(X[:, :, 1]), axis=1)
    net = fitted(RNNClassifier(times=1), X)
    display = AttributionDisplay.from_estimator(net, X, sequence=2)
    assert len(display.axes_) == 1
    np.testing.assert_array_equal(display.lines_[0].get_xdata(), X[2, :, 1])
    assert display.axes_[-1].get_xlabel() == "time"


def test_of_many_features_a_map():
    attributions = rng.normal(size=(7, 12))
    display = AttributionDisplay(attributions=attributions, values=np.zeros((7, 12))).plot()
    np.testing.assert_array_equal(display.images_[0].get_array(), attributions.T)
    assert (len(display.axes_), display.lines_) == (1, [])


def test_axes_of_the_user():
    display = AttributionDisplay(attributions=ARRAY[0], values=ARRAY[0])
    figure, axes = plt.subplots(2)
    assert display.plot(axes) is display
    assert list(display.axes_) == list(axes)
    assert display.figure_ is figure
    with pytest.raises(ValueError, match="ax has 3 axes, expected one or 2"):
        display.plot(plt.subplots(3)[1])


@pytest.mark.parametrize(("make", "message"), [
    (lambda net: AttributionDisplay.from_estimator(net, ARRAY, method="lime"), "method='lime': expected one of"),
    (lambda net: AttributionDisplay.from_estimator(net, ARRAY, method=["lime"]), r"method=\['lime'\]: expected one of"),
    (
        lambda net: AttributionDisplay.from_estimator(net, ARRAY, method="occlusion", by="step"),
        "{'by': 'step'}: a number for each cell is drawn",
    ),
    (lambda net: AttributionDisplay.from_estimator(net, ARRAY, return_n_points=True), "a number for each cell"),
    (lambda net: AttributionDisplay.from_estimator(net, ARRAY[:0]), "X is empty, expected at least one sequence"),
    (lambda net: AttributionDisplay.from_estimator(net, None), "X is NoneType, expected an array"),
    (lambda net: AttributionDisplay.from_attributions(None, ARRAY), "attributions is NoneType, expected an array"),
    (lambda net: AttributionDisplay.from_estimator(net, ARRAY, sequence=6), "sequence=6: there are 6 sequences"),
    (lambda net: AttributionDisplay.from_estimator(net, ARRAY, symbols="AB"), "there are 2 symbols, but the sequence"),
    (lambda net: AttributionDisplay.from_estimator(net, ARRAY, feature_names=["u"]), "feature_names has 1 names, exp"),
    (lambda net: AttributionDisplay.from_attributions(ARRAY[:3], ARRAY), "X has 6 sequences and attributions 3"),
    (lambda net: AttributionDisplay.from_attributions(ARRAY[:, :3], ARRAY), r"have shape \(3, 2\), but X \(5, 2\)"),
])
def test_errors(make, message):
    net = fitted(RNNRegressor(), ARRAY, ARRAY[:, 0, 0])
    with pytest.raises((ValueError, TypeError), match=message):
        make(net)


@pytest.mark.filterwarnings("ignore")                        # fits of one epoch
class TestPipelines:
    """`sequence` is one of those that the net reads, and so is the baseline."""

    def test_windows(self):
        series = ARRAY[:, :, 0].ravel()[:, np.newaxis]
        pipe = make_pipeline(SlidingWindow(4, context=True), RNNRegressor(3, max_iter=1, random_state=0))
        pipe.fit(series[:15], series[:15, 0])
        display = AttributionDisplay.from_estimator(pipe, series[15:], sequence=-1)
        np.testing.assert_array_equal(display.values, series[-4:])
        assert display.value == pytest.approx(pipe.predict(series[15:])[-1])

    @pytest.mark.parametrize("texts", [list, np.array, pd.Series])
    def test_characters_are_symbols(self, texts):
        words = ["abca", "bb", "cabab", "ab", "ba", "cc"]
        pipe = make_pipeline(
            SequenceVectorizer(analyzer="char"), RNNClassifier(3, embedding_dim=2, max_iter=1, random_state=0)
        ).fit(texts(words), np.arange(6) % 2)
        display = AttributionDisplay.from_estimator(pipe, texts(words), sequence=2)
        assert "".join(display.symbols) == "cabab"
        assert len(display.letters_) == np.count_nonzero(display.attributions)

    @pytest.mark.parametrize("sequence", [1, -1])
    def test_a_baseline_of_sequences_is_of_the_same_units(self, sequence):
        pipe = make_pipeline(SequenceScaler(), RNNRegressor(3, max_iter=1, random_state=0)).fit(ARRAY, ARRAY[:, 0, 0])
        baseline = 2 + ARRAY[::-1]
        attributions = integrated_gradients(pipe, ARRAY, baseline=baseline, tol=1e-6)
        difference = pipe.predict(ARRAY) - pipe.predict(baseline)
        np.testing.assert_allclose(attributions.sum(axis=(1, 2)), difference, rtol=1e-5, atol=1e-12)
        for given in (baseline, baseline[[sequence]]):
            display = AttributionDisplay.from_estimator(pipe, ARRAY, sequence=sequence, baseline=given, tol=1e-6)
            np.testing.assert_allclose(display.attributions, attributions[sequence], rtol=1e-6)
