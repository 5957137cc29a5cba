"""Gradients, integrated gradients and occlusion against what the public `predict` and `predict_proba` give."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numerical import assert_gradient, central_differences
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.pipeline import make_pipeline

from skrnn import RaggedArray, RNNClassifier, RNNRegressor, RNNSurvival, WithStatic
from skrnn.inspection import input_gradients, integrated_gradients, occlusion
from skrnn.inspection._explained import Explained
from skrnn.preprocessing import SequenceScaler

LENGTHS, OTHERS = [4, 1, 3], [6, 4, 7, 3, 5, 8, 4, 6]
N, M = len(LENGTHS), len(OTHERS)
# Of central differences: short, since a maximum has kinks
STEP = 1e-5


def fitted(net, X, y):
    """A net that has hardly begun to learn: explanations are of nets as they are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return net.set_params(max_iter=2, learning_rate_init=0.05, random_state=0).fit(X, y)


def steps(lengths, n_features=3, gaps=0.0):
    """Steps one after the other, (total, n_features); some values are missing."""
    rng = np.random.default_rng(len(lengths))
    values = rng.normal(size=(sum(lengths), n_features)) * [1, 3, 0.5][:n_features] + [0, 2, -1][:n_features]
    values[rng.random(values.shape) < gaps] = np.nan
    return values


def timed_steps(lengths, gaps=0.0):
    """Two features and, between them, uneven times."""
    rng = np.random.default_rng(len(lengths))
    times = np.concatenate([rng.normal() + np.cumsum(rng.uniform(0.5, 2, size=length)) for length in lengths])
    return np.insert(steps(lengths, 2, gaps), 1, times, axis=1)


def cut(values, lengths=LENGTHS):
    return np.split(values, np.cumsum(lengths)[:-1])


def joined(X):
    return np.concatenate([np.reshape(x, (-1, 3)) for x in X])


@dataclass
class Kind:
    """A fitted net, the numbers of X, what makes X of such numbers, and them of what has the form of X."""

    net: Any
    numbers: np.ndarray
    make: Any = cut
    flat: Any = joined
    times: Any = None               # the column of the times

    def other(self, large, small):
        """Other numbers, with gaps where these have gaps, and times that increase."""
        factors = np.where(self.numbers > 0.2, large, small)
        if self.times is not None:
            factors[:, self.times] = large
        return self.numbers * factors


def of_steps(make=steps, gaps=0.0, y=None, times=None, **options):
    """Of a list of sequences of different lengths."""
    y = np.arange(M) % 3 if y is None else y
    net = fitted(RNNClassifier(4, times=times, **options), cut(make(OTHERS, gaps=gaps), OTHERS), y)
    return Kind(net, make(LENGTHS, gaps=gaps), times=times)


def of_array(gaps=0.0, **options):
    """Of an array, in which some sequences end with padding where values may be missing."""
    X, Z = steps([5] * M, gaps=gaps).reshape(M, 5, 3), steps([4] * N, gaps=gaps)
    if gaps:
        Z[2:4] = np.nan
    return Kind(
        fitted(RNNClassifier(4, **options), X, np.arange(M) % 3), Z, lambda flat: flat.reshape(N, 4, 3), joined
    )


def of_table(**options):
    table = steps([4] * M).reshape(M, 12)
    net = fitted(RNNClassifier(4, n_steps=4, **options), table, np.arange(M) % 3)
    return Kind(net, steps([4] * N), lambda flat: flat.reshape(N, 12), joined)


def of_ragged():
    kind = of_steps()
    kind.make = lambda flat: RaggedArray(flat, LENGTHS)
    return kind


def of_static(static_to="both", gaps=0.0, **options):
    """With two static features: the last two numbers of each sequence."""
    def make(flat, lengths=LENGTHS):
        of_steps, static = flat[: 3 * sum(lengths)].reshape(-1, 3), flat[3 * sum(lengths) :].reshape(-1, 2)
        return WithStatic(cut(of_steps, lengths), static)

    def numbers(lengths):
        static = steps(lengths, 2)[: len(lengths)]
        static[1, 0] = np.nan if gaps else static[1, 0]
        return np.append(steps(lengths, gaps=gaps), static)

    net = RNNClassifier(**({"hidden_size": 4, "static_to": static_to} | options))
    net = fitted(net, make(numbers(OTHERS), OTHERS), np.arange(M) % 3)
    return Kind(net, numbers(LENGTHS), make, lambda X: np.append(joined(X.sequences), X.static))


def frame(flat, lengths, library):
    """Columns of lists of numbers and of categories, and beside them a number and a category of each sequence."""
    n, total, rng = len(lengths), sum(lengths), np.random.default_rng(1)
    letters, sexes = rng.choice(["a", "b", "c"], total), rng.choice(["f", "m"], n)
    columns = {
        "drug": [part.tolist() for part in cut(letters, lengths)],
        "pulse": [part.tolist() for part in cut(flat[:total], lengths)],
        "age": flat[total:], "sex": sexes.tolist(),
    }
    return pd.DataFrame(columns) if library == "pandas" else pl.DataFrame(columns)


def of_frame(library="pandas", **options):
    def numbers(lengths):
        return np.append(steps(lengths, 1), 40 + 10 * steps(lengths, 1)[: len(lengths)])

    def flat(X):
        return np.append(np.concatenate([np.asarray(x) for x in X["pulse"]]), X["age"])

    X = frame(numbers(OTHERS), OTHERS, library)
    net = fitted(RNNClassifier(4, embedding_dim=2, **options), X, np.arange(M) % 3)
    return Kind(net, numbers(LENGTHS), lambda values: frame(values, LENGTHS, library), flat)


KINDS = {
    "array": of_array, "table": of_table, "list": of_steps, "ragged array": of_ragged,
    "as they are": lambda: of_steps(standardize=False),
    "units of each sequence": lambda: of_array(standardize="sequence"),
    "ragged units, with gaps": lambda: of_steps(gaps=0.3, standardize="sequence", missing="indicator", pooling="mean"),
    "filled": lambda: of_array(gaps=0.3, missing="ffill"),
    "filled with indicators": lambda: of_steps(gaps=0.3, missing="indicator"),
    "times": lambda: of_steps(timed_steps, times=1),
    "times since": lambda: of_steps(timed_steps, gaps=0.3, times=1, missing="indicator"),
    "decay": lambda: of_steps(gaps=0.3, missing="decay"),
    "decay in both directions": lambda: of_steps(
        timed_steps, gaps=0.3, times=1, missing="decay", bidirectional=True, pooling="mean"
    ),
    "patches": lambda: of_array(patch_size=2, patch_stride=1),
    "both directions, stacked": lambda: of_static(
        bidirectional=True, hidden_size=(3, 2), cell="lstm", pooling="mean"
    ),
    "static to the head": lambda: of_static("head", gaps=0.2, missing="indicator"),
    "static to the states": lambda: of_static("initial_state", gaps=0.2, missing="ffill"),
    "static, units of each sequence": lambda: of_static(standardize="sequence"),
    "frame": of_frame, "frame of polars": lambda: of_frame("polars", standardize="sequence"),
    "frame, decay": lambda: of_frame(missing="decay"),
}


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    found = KINDS[request.param]()
    found.name = request.param
    return found


def probability(kind, numbers):
    return kind.net.predict_proba(kind.make(numbers))[:, 2]


class TestOfEveryKind:
    def test_gradients(self, kind):
        numbers = kind.numbers.copy()
        expected = np.nan_to_num(central_differences(lambda: probability(kind, numbers).sum(), numbers, STEP))
        found = input_gradients(kind.net, kind.make(kind.numbers), target=2)
        assert type(found) is type(kind.make(kind.numbers))
        assert_gradient(kind.flat(found), expected, 1e-6)

    def test_integrated_gradients_sum_to_the_difference(self, kind):
        """Over numbers, from another X with the same categories."""
        X, other = kind.make(kind.numbers), kind.make(kind.other(0.7, 1.1))
        attributions = integrated_gradients(kind.net, X, baseline=other, target=2, tol=1e-6)
        difference = kind.net.predict_proba(X)[:, 2] - kind.net.predict_proba(other)[:, 2]
        assert abs(kind.flat(attributions).sum() - difference.sum()) < 2e-6 * np.abs(difference).sum()

    def test_each_is_the_integral_of_the_gradient(self, kind):
        """By Simpson's rule, from a baseline that is near."""
        X, other = kind.numbers, kind.other(0.95, 1.02)
        points = [
            kind.flat(input_gradients(kind.net, kind.make(other + fraction * (X - other)), target=2))
            for fraction in (0, 0.25, 0.5, 0.75, 1)
        ]
        expected = np.nan_to_num(X - other) * np.tensordot([1, 4, 2, 4, 1], points, axes=1) / 12
        found = integrated_gradients(kind.net, kind.make(X), baseline=kind.make(other), target=2, tol=1e-6)
        assert_gradient(kind.flat(found), expected, 2e-2)


def numbers_of(seed, n=9, n_features=2):
    return np.random.default_rng(seed).normal(size=(n, 5, n_features)) + 0.5


def explained(net, method, target, step=None):
    """What `target` and `step` of a net stand for, for X (n, T, F)."""
    def value(X):
        predicted = method(net)(X)
        return (predicted if step is None else predicted[:, step])[(slice(None), *target)]

    return value


def risk_after(edge):
    return lambda net: lambda X: net.predict_survival_function(X, return_array=True)[:, edge]


def predict(net):
    return net.predict


def predict_proba(net):
    return net.predict_proba


counts, classes = np.arange(9) % 4, np.array(["a", "b", "c"] * 3)
times = np.column_stack([np.ones(9), np.arange(1, 10)])
two = numbers_of(2)[:, 0]
# The net, y, the argument `target`, what it stands for in what a method returns, and the step
OUTPUTS = {
    "two classes": (RNNClassifier(), counts % 2, None, predict_proba, (1,)),
    "the first of two": (RNNClassifier(), counts % 2, 0, predict_proba, (0,)),
    "a class by its name": (RNNClassifier(), classes, "b", predict_proba, (1,)),
    "a label": (RNNClassifier(), two > 0.4, 1, predict_proba, (1,)),
    "a class of a step": (RNNClassifier(return_sequences=True), counts[:, np.newaxis].repeat(5, 1), 3,
                          predict_proba, (3,), 2),
    "a number": (RNNRegressor(), two[:, 0], None, predict, ()),
    "of numbers": (RNNRegressor(), two, 1, predict, (1,)),
    "of logistic ones": (RNNRegressor(out_activation="logistic"), two > 0.4, 1, predict, (1,)),
    "of counts": (RNNRegressor(loss="poisson"), counts, None, predict, ()),
    "of the negative binomial": (RNNRegressor(loss="negative_binomial"), counts, None, predict, ()),
    "of a normal distribution": (RNNRegressor(loss="gaussian"), two, 0, predict, (0,)),
    "of Student's t": (RNNRegressor(loss="student_t"), two[:, 0], None, predict, ()),
    "quantile": (RNNRegressor(loss="quantile", quantile=0.8), two[:, 0], None, predict, ()),
    "of quantiles": (RNNRegressor(loss="quantile", quantile=[0.1, 0.5, 0.9]), two[:, 0], 0.5, predict, (1,)),
    "of outputs with quantiles": (
        RNNRegressor(loss="quantile", quantile=[0.1, 0.9], standardize="sequence"), two, (1, 0.9), predict, (1, 1)
    ),
    "in units of each sequence": (RNNRegressor(standardize="sequence"), two, 1, predict, (1,)),
    "of a step, in units of each sequence": (
        RNNRegressor(standardize="sequence", return_sequences=True, loss="gaussian"), numbers_of(3), 0, predict, (0,),
        -2,
    ),
    "risk": (RNNSurvival(intervals=3), times, None, predict, ()),
    "survival": (RNNSurvival(intervals=3), times, 6.5, risk_after(2), ()),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_outputs(name):
    net, y, target, method, place, *step = OUTPUTS[name]
    net, X = fitted(net.set_params(hidden_size=4), numbers_of(0), y), numbers_of(1, 2)
    value = explained(net, method, place, *step)
    expected = central_differences(lambda: value(X).sum(), X, STEP)
    assert_gradient(input_gradients(net, X, target=target, step=step[0] if step else None), expected, 1e-6)
    difference = value(X) - value(X[::-1])
    attributions = integrated_gradients(net, X, baseline=X[::-1], target=target, step=step[0] if step else None)
    np.testing.assert_allclose(attributions.sum(axis=(1, 2)), difference, rtol=1e-3)


def test_classes_of_several_columns():
    y = np.column_stack([counts % 2, counts])
    net, X = fitted(RNNClassifier(4), numbers_of(0), y), numbers_of(1, 2)
    for q, label in ((0, 1), (1, 2)):
        expected = central_differences(lambda q=q, label=label: net.predict_proba(X)[q][:, label].sum(), X, STEP)
        assert_gradient(input_gradients(net, X, target=(q, label)), expected, 1e-6)


def test_without_a_target_the_class_that_is_predicted():
    net, X = fitted(RNNClassifier(8), numbers_of(0), counts), 5 * numbers_of(1)
    predicted = net.predict(X)
    assert len(set(predicted)) > 1
    expected = [input_gradients(net, X[[i]], target=label)[0] for i, label in enumerate(predicted)]
    np.testing.assert_allclose(input_gradients(net, X), expected, rtol=1e-9)


@pytest.fixture
def in_small_batches(monkeypatch):
    """Every sequence is computed by itself, and none before all of them have been looked at."""
    def scores(self, X, steps, numbers):
        raise AssertionError("work began")

    monkeypatch.setattr("skrnn.inspection._explained.MAX_NUMBERS", 1)
    return lambda: monkeypatch.setattr(Explained, "scores_of_X", scores)


@pytest.fixture(scope="module")
def timed():
    """A net that reads times, X, and the same with times out of order, and with a gap, in its last sequence."""
    X = np.cumsum(np.abs(numbers_of(0)), axis=1)
    unordered, gap = X.copy(), X.copy()
    unordered[8, 3, 0], gap[8, 2, 1] = -1, np.nan
    return fitted(RNNRegressor(4, times=0, missing="ffill"), X, two[:, 0]), X, unordered, gap


class TestBeforeAnyWork:
    """Errors name the sequence of X, or of the baseline, wherever it is."""

    @pytest.mark.parametrize("function", [input_gradients, integrated_gradients, occlusion])
    def test_times_out_of_order(self, timed, in_small_batches, function):
        net, _, unordered, _ = timed
        in_small_batches()
        with pytest.raises(ValueError, match=r"^times=0: X\[8\], step 3"):
            function(net, unordered)

    @pytest.mark.parametrize("function", [integrated_gradients, occlusion])
    def test_baselines(self, timed, in_small_batches, function):
        net, X, unordered, gap = timed
        in_small_batches()
        with pytest.raises(ValueError, match=r"^In baseline, which is read as X is: times=0: X\[8\], step 3"):
            function(net, X, baseline=unordered)
        with pytest.raises(ValueError, match=r"^baseline\[8\] is missing where X\[8\] is not"):
            function(net, X, baseline=gap)

    @pytest.mark.parametrize("function", [input_gradients, integrated_gradients, occlusion])
    def test_categories(self, of_categories, in_small_batches, function):
        in_small_batches()
        with pytest.raises(ValueError, match=r"X\[1\]\[0\] is -1"):
            function(of_categories, [np.arange(3.0), np.array([-1.0, 2.0])])


@pytest.fixture(scope="module")
def unbounded():
    return fitted(RNNRegressor(4, cell="rnn", activation="relu", standardize=False), numbers_of(0), two[:, 0])


class TestWithoutBounds:
    @pytest.mark.parametrize("function", [input_gradients, integrated_gradients, occlusion])
    def test_of_x(self, unbounded, in_small_batches, function):
        X = numbers_of(1)[:2]
        X[1] = 1e308
        with pytest.raises(ValueError, match=r"^The net's output for X\[1\] is not finite: .*Scale X, or fit"):
            function(unbounded, X)

    @pytest.mark.parametrize("function", [integrated_gradients, occlusion])
    def test_of_the_baseline(self, unbounded, in_small_batches, function):
        X = numbers_of(1)
        baseline = X.copy()
        baseline[7] = 1e308
        with pytest.raises(ValueError, match=r"between the baseline and X\[7\], or its gradient, is not finite"):
            function(unbounded, X, baseline=baseline)


def test_a_float32_net_is_explained_in_float64():
    X = numbers_of(0).astype(np.float32)
    net = fitted(RNNRegressor(4), X, X[:, 0, 0])
    doubled = fitted(RNNRegressor(4), X.astype(float), X[:, 0, 0]).set_parameters(
        {name: value.astype(float) for name, value in net.parameters_.items()}
    )
    assert input_gradients(net, X).dtype == np.float64
    np.testing.assert_allclose(input_gradients(net, X), input_gradients(doubled, X), atol=1e-6)


@pytest.fixture(scope="module")
def of_categories():
    """A net of steps that are categories, some of which are missing, and X in which each occurs once at most."""
    X = [[0, 1, 2], [3, 4, np.nan, 5], [2, 3, 0, 1], [5, 5, 2], [1, 4, 0, 3], [np.nan, 2, 0]]
    return fitted(RNNClassifier(4, embedding_dim=2, missing="ffill"), list(map(np.array, X)), counts[:6] % 2)


class TestCategories:
    X = tuple(map(np.array, ([0.0, 5.0, 2.0], [3.0, np.nan, 4.0], [np.nan, 1.0, np.nan])))

    def test_attributions_begin_at_a_category_that_was_not_seen(self, of_categories):
        attributions = integrated_gradients(of_categories, self.X, tol=1e-6)
        p, unseen = (of_categories.predict_proba(X)[:, 1] for X in (self.X, [np.full(3, 6.0)] * 3))
        np.testing.assert_allclose([x.sum() for x in attributions], p - unseen, rtol=1e-5)
        assert attributions[1][1] == attributions[2][0] == attributions[2][2] == 0

    def test_the_gradient_is_along_the_vector(self, of_categories):
        """The change with the vector of the category 4, which one step has."""
        E = of_categories.embeddings_["x0"]
        toward = np.zeros_like(E)
        toward[4] = E[4] - E[-1]
        found = input_gradients(of_categories, self.X[1:2])[0][2]

        def probability(h):
            of_categories.parameters_["embedding.E"] = E + h * toward
            return of_categories.predict_proba(self.X[1:2])[0, 1]

        expected = (probability(1e-4) - probability(-1e-4)) / 2e-4
        of_categories.parameters_["embedding.E"] = E
        assert found == pytest.approx(expected, rel=1e-6)

    def test_occlusion(self, of_categories):
        p = of_categories.predict_proba(self.X)[:, 1]
        without = [x.copy() for x in self.X]
        without[0][0] = without[1][0] = 6
        without = of_categories.predict_proba(without)[:, 1]
        np.testing.assert_allclose([x[0] for x in occlusion(of_categories, self.X)], p - without, atol=1e-12)

    @pytest.mark.parametrize("library", ["pandas", "polars"])
    def test_of_frames(self, library):
        kind = of_frame(library)
        X = kind.make(kind.numbers)
        blank = X.copy() if library == "pandas" else X.to_pandas()
        for column in ("drug", "pulse"):
            blank[column] = [["none" if column == "drug" else 0.0] * len(x) for x in X["pulse"]]
        blank["age"], blank["sex"] = 0.0, "none"
        found = integrated_gradients(kind.net, X, target=2, tol=1e-6)
        total = sum(
            np.concatenate([np.ravel(x) for x in found[column]]).sum() for column in ("drug", "pulse", "age", "sex")
        )
        blank = blank if library == "pandas" else pl.DataFrame(blank.to_dict("list"))
        difference = kind.net.predict_proba(X)[:, 2] - kind.net.predict_proba(blank)[:, 2]
        assert total == pytest.approx(difference.sum(), rel=1e-5)
        by_feature = occlusion(kind.net, X, target=2, by="feature")
        for place, column in enumerate(["drug", "pulse", "age", "sex"]):
            values = X[column].to_list()
            cells = [["none"] * len(x) if column == "drug" else [0.0] * len(x) for x in values] if place < 2 else (
                [0.0 if column == "age" else "none"] * N
            )
            without = X.assign(**{column: cells}) if library == "pandas" else X.with_columns(pl.Series(column, cells))
            change = kind.net.predict_proba(X)[:, 2] - kind.net.predict_proba(without)[:, 2]
            np.testing.assert_allclose(by_feature[:, place], change, atol=1e-12)


@pytest.fixture(scope="module")
def regressor():
    return fitted(RNNRegressor(8), numbers_of(0), two[:, 0])


class TestBaselines:
    @pytest.mark.parametrize("baseline", [0, -1.5, "mean"])
    def test_numbers(self, regressor, baseline):
        net = regressor
        X = numbers_of(1)
        value = net.X_mean_ if baseline == "mean" else baseline
        constant = np.broadcast_to(value, X.shape).astype(float)
        found = integrated_gradients(net, X, baseline=baseline)
        np.testing.assert_allclose(found.sum(axis=(1, 2)), net.predict(X) - net.predict(constant), rtol=1e-3)
        np.testing.assert_allclose(found, integrated_gradients(net, X, baseline=constant), rtol=1e-9)

    def test_times_stay_and_gaps_are_gaps(self):
        kind = of_steps(timed_steps, gaps=0.3, times=1, missing="indicator")
        zero = np.where(np.isnan(kind.numbers), np.nan, 0)
        zero[:, 1] = kind.numbers[:, 1]
        found = integrated_gradients(kind.net, kind.make(kind.numbers), target=2)
        expected = probability(kind, kind.numbers) - probability(kind, zero)
        np.testing.assert_allclose([x.sum() for x in found], expected, rtol=1e-3)
        assert not any(x[:, 1].any() for x in found)
        assert not joined(found)[np.isnan(kind.numbers)].any()


class TestPoints:
    def test_are_as_many_as_the_tolerance_needs(self, regressor):
        net, X = regressor, numbers_of(1)[:4]
        exact = integrated_gradients(net, X, tol=1e-9, max_points=10**5)
        before = 0
        for tol in (1e-2, 1e-4, 1e-6):
            found, n_points = integrated_gradients(net, X, tol=tol, return_n_points=True)
            difference = net.predict(X) - net.predict(np.zeros_like(X))
            assert (np.abs(found.sum(axis=(1, 2)) - difference) <= tol * np.abs(difference)).all()
            assert np.abs(found - exact).max() < 10 * tol * np.abs(exact).max()
            assert n_points.sum() > before
            before = n_points.sum()

    def test_a_few_are_enough_where_nothing_has_kinks(self):
        net, X = fitted(RNNRegressor(8, pooling="last"), numbers_of(0), two[:, 0]), numbers_of(1)
        assert integrated_gradients(net, X, return_n_points=True)[1].max() <= 30

    def test_attributions_that_cancel_are_no_warning(self, regressor):
        """From one sequence to another of the same output, by way of a maximum, to the last digits of 0."""
        X = numbers_of(1)
        outputs = regressor.predict(X)
        low, baseline, high = X[np.argsort(outputs)[[0, 4, 8]]]
        for _ in range(60):
            middle = (low + high) / 2
            if regressor.predict([middle])[0] < regressor.predict([baseline])[0]:
                low = middle
            else:
                high = middle
        found = integrated_gradients(regressor, [middle], baseline=[baseline])[0]
        assert abs(found.sum()) < 1e-6 * np.abs(found).sum()

    def test_too_few_are_a_warning(self, regressor):
        net, X = regressor, numbers_of(1)
        with pytest.warns(ConvergenceWarning, match=r"of 9 sequences do not sum .* tol=1e-08 .*max_points=6: "):
            found, n_points = integrated_gradients(net, X, tol=1e-8, max_points=6, return_n_points=True)
        assert (n_points == 6).all()
        np.testing.assert_allclose(found, integrated_gradients(net, X), atol=0.1 * np.abs(found).max())


def test_batches_make_no_difference(monkeypatch):
    kind = of_frame(standardize=True)
    X = kind.make(kind.numbers)
    functions = (
        lambda: input_gradients(kind.net, X, target=2), lambda: integrated_gradients(kind.net, X, target=2),
        lambda: occlusion(kind.net, X, target=2),
    )
    whole = [kind.flat(function()) for function in functions]
    monkeypatch.setattr("skrnn.inspection._explained.MAX_NUMBERS", 1)
    for function, expected in zip(functions, whole, strict=True):
        np.testing.assert_allclose(kind.flat(function()), expected, rtol=1e-9, atol=1e-12)


@pytest.fixture(scope="module")
def of_own_units():
    return fitted(RNNRegressor(4, missing="indicator", standardize="sequence"), numbers_of(0), two[:, 0])


class TestOcclusion:
    @pytest.mark.parametrize("baseline", [0.0, np.nan, "mean"])
    @pytest.mark.parametrize("by", ["cell", "step", "feature"])
    def test_is_a_prediction_without(self, of_own_units, by, baseline):
        net, X = of_own_units, numbers_of(1, 2)
        found = occlusion(net, X, by=by, baseline=baseline, window=1 if by == "feature" else 2)
        assert found.shape == {"cell": (2, 5, 2), "step": (2, 5), "feature": (2, 2)}[by]
        for t in range(4):      # the last step by itself as missing would be padding
            for j in range(2):
                without = X.copy()
                rows = slice(None) if by == "feature" else slice(t // 2 * 2, t // 2 * 2 + 2)
                columns = slice(None) if by == "step" else slice(j, j + 1)
                without[:, rows, columns] = net.X_mean_[columns] if baseline == "mean" else baseline
                expected = net.predict(X) - net.predict(without)
                place = {"cell": (t, j), "step": (t,), "feature": (j,)}[by]
                np.testing.assert_allclose(found[(slice(None), *place)], expected, atol=1e-12)

    @pytest.mark.parametrize("by", ["cell", "step", "feature"])
    def test_times_stay(self, timed, by):
        net, X, *_ = timed
        other = 2 * X + 1
        found = occlusion(net, X, baseline=other, by=by)
        without = X.copy()
        rows = slice(None) if by == "feature" else 2
        without[:, rows, 1] = other[:, rows, 1]
        place = {"cell": (2, 1), "step": (2,), "feature": (1,)}[by]
        expected = net.predict(X) - net.predict(without)
        np.testing.assert_allclose(found[(slice(None), *place)], expected, atol=1e-12)
        assert by == "step" or not found[..., 0].any()

    def test_a_window_longer_than_any_sequence(self, regressor):
        X = numbers_of(1)
        np.testing.assert_array_equal(occlusion(regressor, X, window=2**70), occlusion(regressor, X, window=5))

    def test_of_a_list_by_step(self):
        kind = of_static()
        found = occlusion(kind.net, kind.make(kind.numbers), by="step", target=2)
        assert [x.shape for x in found] == [(length,) for length in LENGTHS]

    def test_a_static_feature(self):
        kind = of_static()
        X = kind.make(kind.numbers)
        static = X.static.copy()
        static[:, 1] = 0
        p, without = (
            kind.net.predict_proba(WithStatic(X.sequences, of_all))[:, 2] for of_all in (X.static, static)
        )
        found = occlusion(kind.net, X, target=2)
        np.testing.assert_allclose(found.static[:, 1], p - without, atol=1e-12)
        np.testing.assert_allclose(occlusion(kind.net, X, target=2, by="feature")[:, 4], p - without, atol=1e-12)


def test_padding_and_gaps_have_nothing():
    kind = of_array(gaps=0.3, missing="ffill")
    X = kind.make(kind.numbers)
    for function in (input_gradients, integrated_gradients, occlusion):
        assert not function(kind.net, X, target=2)[np.isnan(X)].any()


def test_through_a_pipeline():
    X = numbers_of(0)
    pipeline = make_pipeline(SequenceScaler(), RNNRegressor(4, max_iter=2, random_state=0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline.fit(X, two[:, 0])
    scaled = pipeline[:-1].transform(X)
    np.testing.assert_array_equal(input_gradients(pipeline, X), input_gradients(pipeline[-1], scaled))
    other = numbers_of(1)
    attributions = integrated_gradients(pipeline, X, baseline=other)
    np.testing.assert_allclose(
        attributions.sum(axis=(1, 2)), pipeline.predict(X) - pipeline.predict(other), rtol=1e-3
    )
    without = X.copy()
    without[:, 4, 1] = other[:, 4, 1]
    np.testing.assert_allclose(
        occlusion(pipeline, X, baseline=other)[:, 4, 1], pipeline.predict(X) - pipeline.predict(without), atol=1e-12
    )


@pytest.fixture(scope="module")
def classifier():
    return fitted(RNNClassifier(4), numbers_of(0), classes)


class TestErrors:
    @pytest.mark.parametrize("function", [input_gradients, integrated_gradients, occlusion])
    @pytest.mark.parametrize(("options", "message"), [
        ({"target": "d"}, r"target='d': expected a class or None, of \['a', 'b', 'c'\]"),
        ({"step": 1}, "step=1: the net has one output for each sequence, .* return_sequences=True"),
    ])
    def test_of_all(self, classifier, function, options, message):
        with pytest.raises(ValueError, match=message):
            function(classifier, numbers_of(1), **options)

    @pytest.mark.parametrize("function", [integrated_gradients, occlusion])
    @pytest.mark.parametrize(("options", "message"), [
        ({"baseline": "zero"}, "baseline='zero': expected a number, \"mean\", or sequences"),
        ({"baseline": np.nan}, "baseline=nan: expected a finite"),
        ({"baseline": None}, "baseline=None: expected a number"),
        ({"baseline": numbers_of(1)[:3]}, "baseline has 3 sequences of 5 to 5 steps, but X 9 sequences"),
        ({"baseline": numbers_of(1)[:, :, :0]}, "In baseline, which is read as X is: "),
        ({"baseline": True}, "baseline=True: expected a number"),
        ({"baseline": np.array(0.5)}, "baseline=0.5: expected a number"),
        ({"baseline": numbers_of(1)[:, :, :1]}, "In baseline, which is read as X is: X has 1 features"),
        ({"baseline": np.full((9, 5, 2), np.inf)}, "In baseline, .*contains infinity: sequence 0, step 0"),
    ])
    def test_of_baselines(self, classifier, function, options, message):
        with pytest.raises(ValueError, match=message):
            function(classifier, numbers_of(1), **options)

    @pytest.mark.parametrize(("options", "message"), [
        ({"tol": 0}, "tol=0: expected a positive number"),
        ({"tol": np.inf}, "tol=inf: expected a positive number that is finite"),
        ({"max_points": 2}, "max_points=2: expected an int from 6 on"),
    ])
    def test_of_integrated_gradients(self, classifier, options, message):
        with pytest.raises(ValueError, match=message):
            integrated_gradients(classifier, numbers_of(1), **options)

    @pytest.mark.parametrize(("options", "message"), [
        ({"by": "sequence"}, "by='sequence': expected one of cell, step, feature"),
        ({"window": 0}, "window=0: expected a positive int"),
        ({"window": 2, "by": "feature"}, "window=2 is of steps, but by='feature' replaces all"),
    ])
    def test_of_occlusion(self, classifier, options, message):
        with pytest.raises(ValueError, match=message):
            occlusion(classifier, numbers_of(1), **options)

    @pytest.mark.parametrize(("net", "y", "target", "message"), [
        (RNNRegressor(), two, None, "target=None: expected the index of one of 2 outputs"),
        (RNNRegressor(), two[:, 0], 1, "target=1: expected None, since y has one output"),
        (
            RNNRegressor(loss="quantile", quantile=[0.1, 0.9]), two[:, 0], 0.5,
            r"expected one of the quantiles \[0.1, 0.9",
        ),
        (RNNClassifier(), two > 0.4, None, r"target=None: expected one of the labels of \[0, 1\]"),
        (RNNClassifier(), counts, [1], r"target=\[1\]: expected a class or None"),
        (RNNClassifier(), counts, np.array([1, 2]), r"target=\[1, 2\]: expected a class or None"),
        (
            RNNRegressor(loss="quantile", quantile=[0.1, 0.9]), two[:, 0], np.array([0.1, 0.9]),
            r"target=\[0.1, 0.9\]: expected one of the quantiles",
        ),
        (RNNClassifier(), np.column_stack([classes, classes]), "a", "y has 2 columns of classes, expected a pair"),
        (RNNSurvival(intervals=3), times, 10, "target=10: expected None, .*the risk, or a time from 0 to 9"),
    ])
    def test_of_targets(self, net, y, target, message):
        net = fitted(net.set_params(hidden_size=2), numbers_of(0), y)
        with pytest.raises(ValueError, match=message):
            input_gradients(net, numbers_of(1), target=target)

    def test_a_step_that_a_sequence_lacks(self):
        X = [numbers_of(0)[0], numbers_of(0)[1, :3]]
        net = fitted(RNNRegressor(2, return_sequences=True), X, [x[:, 0] for x in X])
        with pytest.raises(ValueError, match=r"step=4: X\[1\] has 3 steps"):
            input_gradients(net, X, step=4)
        with pytest.raises(TypeError, match=r"step=1\.5: expected an int"):
            input_gradients(net, X, step=1.5)

    def test_a_constant_baseline_in_units_of_each_sequence(self):
        net = fitted(RNNRegressor(2, standardize="sequence"), numbers_of(0), two[:, 0])
        with pytest.raises(ValueError, match=r"standardize='sequence' the net reads .* Pass sequences that vary"):
            integrated_gradients(net, numbers_of(1))

    def test_a_mean_that_was_not_learned(self):
        net = fitted(RNNRegressor(2, standardize=False), numbers_of(0), two[:, 0])
        with pytest.raises(ValueError, match="baseline='mean' is the mean of each feature"):
            integrated_gradients(net, numbers_of(1), baseline="mean")

    def test_a_mean_of_static_features_that_was_not_learned(self):
        X = WithStatic([np.arange(3) + i % 2 for i in range(6)], two[:6])
        net = fitted(RNNRegressor(2, standardize=False, embedding_dim=2), X, two[:6, 0])
        with pytest.raises(ValueError, match="baseline='mean' is the mean of each feature"):
            integrated_gradients(net, X, baseline="mean")

    def test_gaps_where_x_has_none(self):
        net = fitted(RNNRegressor(2, missing="ffill"), numbers_of(0), two[:, 0])
        other = numbers_of(1)
        other[3, 1, 0] = np.nan
        with pytest.raises(ValueError, match=r"baseline\[3\] is missing where X\[3\] is not"):
            integrated_gradients(net, numbers_of(2), baseline=other)

    def test_before_fit_and_of_others(self):
        with pytest.raises(NotFittedError):
            input_gradients(RNNRegressor(), numbers_of(1))
        with pytest.raises(TypeError, match="estimator is int, expected a fitted net"):
            input_gradients(3, numbers_of(1))
