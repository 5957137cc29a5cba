"""permutation_importance: which values sequences exchange, in every container, and by how much scores fall."""

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.inspection import permutation_importance as of_scikit_learn
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skrnn import RaggedArray, RNNClassifier, RNNRegressor, WithStatic
from skrnn._data.containers import as_sequences
from skrnn._data.first_reading import learn_reading
from skrnn._data.ragged import gathered
from skrnn.inspection import permutation_importance
from skrnn.inspection._exchange import exchanged_rows, exchanged_times, step_numbers
from skrnn.inspection._exchangeable import exchangeable, select_in_memory
from skrnn.preprocessing import SequenceScaler, SequenceVectorizer
from tests.helpers.forms import FORMS, LENGTHS, TABLES, OnDisk, frames, ragged

pytestmark = pytest.mark.filterwarnings("ignore:Training ended after", "ignore:.*has learned hardly anything")


class TestExchangedRows:
    def test_of_equal_lengths_is_the_permutation(self):
        rows = exchanged_rows(np.array([1, 2, 0]), np.array([2, 2, 2]))
        assert rows.tolist() == [2, 3, 4, 5, 0, 1]

    @pytest.mark.parametrize(("align", "expected"), [
        # lengths 3, 1, 2 and rows 0 1 2 | 3 | 4 5; sequence 0 gets 1's, which has one step, then 2's
        ("end", [0, 4, 3, 5, 1, 2]), ("start", [3, 5, 2, 4, 0, 1]),
    ])
    def test_what_a_shorter_one_lacks_comes_from_the_next(self, align, expected):
        assert exchanged_rows(np.array([1, 2, 0]), np.array([3, 1, 2]), align).tolist() == expected

    @pytest.mark.parametrize("align", ["end", "start"])
    def test_each_step_is_permuted_among_the_sequences_that_have_it(self, align):
        """And as by walking through the cycle, one step at a time."""
        rng = np.random.default_rng(0)
        lengths = rng.integers(1, 9, size=30)
        order, numbers, of = rng.permutation(30), step_numbers(lengths, align), np.repeat(np.arange(30), lengths)
        rows = exchanged_rows(order, lengths, align)
        assert_array_equal(np.sort(rows), np.arange(lengths.sum()))
        assert_array_equal(numbers[rows], numbers)
        for row, source in enumerate(rows):
            giver = order[of[row]]
            while numbers[row] not in numbers[of == giver]:
                giver = order[giver]
            assert of[source] == giver

    def test_times_since_the_step_before_are_exchanged(self):
        times, lengths = np.array([0.0, 1.0, 3.0, 10.0, 15.0, 7.0]), np.array([3, 2, 1])
        rows = exchanged_rows(np.array([1, 2, 0]), lengths)
        assert rows.tolist() == [0, 3, 4, 1, 5, 2]      # since: 0 1 2 | 0 5 | 0
        assert exchanged_times(times, rows, lengths).tolist() == [0, 0, 5, 10, 10, 7]
        assert exchanged_times(times.astype(object), np.arange(6), lengths).tolist() == times.tolist()
        rng = np.random.default_rng(0)
        lengths, order = rng.integers(1, 9, size=30), rng.permutation(30)
        times = rng.exponential(size=lengths.sum()).cumsum()
        moved = exchanged_times(times, exchanged_rows(order, lengths), lengths)
        starts = np.cumsum(lengths) - lengths
        assert_array_equal(moved[starts], times[starts])
        assert (np.delete(np.diff(moved), starts[1:] - 1) >= 0).all()

    def test_step_numbers(self):
        lengths = np.array([3, 1, 2])
        assert step_numbers(lengths).tolist() == [0, 1, 2, 2, 1, 2]
        assert step_numbers(lengths, "start").tolist() == [0, 1, 2, 0, 0, 1]


def read(X, n_steps):
    sequences = as_sequences(X, n_steps)
    sequences, _ = sequences.load(np.arange(len(sequences)))
    return gathered(sequences.values, sequences.starts, sequences.lengths)


class TestContainers:
    @pytest.mark.parametrize("form", FORMS)
    def test_exchanged_values_are_read_from_the_same_container(self, form):
        X, n_steps, steps = FORMS[form]()
        held = select_in_memory(X)
        values = exchangeable(held)
        n, j = len(X), len(values.names) - 1
        order = np.roll(np.arange(n), 1)
        expected = steps.copy()
        if form in TABLES:
            rows, per_row = order, expected.reshape(n, -1)
            per_row[:, j] = per_row[order, j]
        else:
            rows = exchanged_rows(order, values.lengths)
            expected[:, j] = steps[rows, j]
        out = values.replace({j: values.take(j, rows)})
        assert type(out) is type(held) or form in {
            "rows", "nested lists", "awkward array", "awkward array of numbers", "Arrow batch", "Arrow array",
            "Arrow array of fixed lists",
        }
        assert_array_equal(read(out, n_steps), expected)
        assert_array_equal(read(X, n_steps), steps)         # not changed
        assert_array_equal(read(values.replace({}), n_steps), steps)

    @pytest.mark.parametrize("dtype", [np.float32, np.int16])
    @pytest.mark.parametrize("form", [list, RaggedArray, pd.Series, "pandas", "polars", "Arrow"])
    def test_dtypes_stay(self, form, dtype):
        sequences = [np.arange(3, dtype=dtype), np.arange(2, dtype=dtype) + 5]
        of_lists = pd.ArrowDtype(pa.list_(pa.from_numpy_dtype(dtype)))
        X = {
            "pandas": lambda x: pd.DataFrame({"x": pd.array(x, dtype=of_lists)}),
            "polars": lambda x: pl.DataFrame({"x": x}), "Arrow": lambda x: pa.table({"x": x}),
            RaggedArray: lambda x: RaggedArray(np.concatenate(x), [3, 2]),
        }.get(form, form)(sequences)
        values = exchangeable(X)
        out = values.replace({0: values.take(0, exchanged_rows(np.array([1, 0]), values.lengths))})
        assert as_sequences(out).values.dtype == as_sequences(X).values.dtype
        assert as_sequences(out).values[:, 0].tolist() == [0, 5, 6, 1, 2]
        if form in ("pandas", "polars"):
            assert out["x"].dtype == X["x"].dtype
        assert form != "Arrow" or out.schema == X.schema

    def test_padding_stays_where_it_is(self):
        nan = np.nan
        X = np.array([[[1.0], [nan], [3.0]], [[4.0], [5.0], [nan]], [[7.0], [nan], [nan]]])
        for given in (X, X.astype(object)):
            values = exchangeable(given)
            assert values.lengths.tolist() == [3, 2, 1]
            out = values.replace({0: values.take(0, exchanged_rows(np.array([1, 2, 0]), values.lengths, "start"))})
            assert_array_equal(out.astype(float)[:, :, 0], [[4, 5, 3], [7, nan, nan], [1, nan, nan]])

    def test_texts_exchange_characters(self):
        for X in (["abc", "d", "ef"], np.array(["abc", "d", "ef"]), pd.Series(["abc", "d", "ef"])):
            values = exchangeable(X)
            out = values.replace({0: values.take(0, exchanged_rows(np.array([1, 2, 0]), values.lengths))})
            assert list(out) == ["aed", "f", "bc"]
            assert type(out) is type(X)
        tokens = exchangeable([["a", "bc"], ["d"]])
        assert tokens.replace({0: tokens.take(0, np.array([0, 2, 1]))}) == [["a", "d"], ["bc"]]

    def test_frames(self):
        """One for each sequence, also with categories, which keep their dtype."""
        first, second = frames("ab", "ab")
        second += 10
        for frame in (first, second):
            frame["c"] = pd.Categorical(["x", "y", "x"] if frame is first else ["y", "y", "y"], ["x", "y"])
        values = exchangeable([first, second])
        assert values.names == ["a", "b", "c"]
        rows = exchanged_rows(np.array([1, 0]), values.lengths)
        out = values.replace({j: values.take(j, rows) for j in (1, 2)})
        assert out[0].to_dict("list") == {"a": [0, 2, 4], "b": [11, 13, 15], "c": ["y", "y", "y"]}
        assert [frame["c"].dtype for frame in out] == [first["c"].dtype] * 2

    @pytest.mark.parametrize(("X", "message"), [
        (pd.DataFrame({"a": [[1.0], [2.0]], "b": [[1.0], [2.0, 3.0]]}), r"X\[1\] in the column 'b' has 2 steps"),
        (pd.DataFrame({"a": [[1.0], None]}), r"X\[1\] in the column 'a' is missing, expected a sequence"),
        ([np.ones((2, 2)), np.ones((2, 3))], r"X\[1\] has 3 features per step, expected 2 as in X\[0\]"),
        ([np.ones((2, 2)), 3.0], r"X\[1\] is 3.0, expected a sequence"),
        (frames("ab", "ba"), r"X\[1\] has the columns \['b', 'a'\], expected a frame with the columns \['a', 'b'\]"),
        (np.ones(3), "X has shape"), (np.ones((2, 0, 3)), "X has shape"),
    ])
    def test_errors(self, X, message):
        with pytest.raises(ValueError, match=message):
            exchangeable(X)


DATA = {
    "heat": [[1.0, 2.0], [3.0, 4.0, 5.0], [6.0]], "state": [["on", "off"], ["off", None, "broken"], ["on"]],
    "age": [30.0, 40.5, 50.0], "ward": ["x", None, "y"],
}
EXCHANGED = {
    "heat": [[4.0, 5.0], [3.0, 1.0, 6.0], [2.0]], "state": [[None, "broken"], ["off", "on", "on"], ["off"]],
    "age": [40.5, 50.0, 30.0], "ward": [None, "y", "x"],
}


def as_objects(data):
    table = np.empty((3, len(data)), dtype=object)
    for j, cells in enumerate(data.values()):
        for i, cell in enumerate(cells):
            table[i, j] = cell
    return table


def with_static(data):
    steps = [
        np.array(list(zip(*row, strict=True)), dtype=object) for row in zip(data["heat"], data["state"], strict=True)
    ]
    return WithStatic(steps, pd.DataFrame({"age": data["age"], "ward": data["ward"]}))


class Reader(BaseEstimator):
    pass


@pytest.mark.parametrize("form", [
    lambda data: pd.DataFrame(data, index=[4, 4, 1]), pl.DataFrame, pa.table, as_objects, with_static,
    lambda data: pd.DataFrame(data).astype({"ward": "category"}),
    lambda data: pl.DataFrame(data, schema_overrides={"state": pl.List(pl.Categorical), "ward": pl.Enum(["x", "y"])}),
], ids=["pandas", "polars", "Arrow", "object array", "WithStatic", "pandas categories", "polars categories"])
def test_static_columns_and_categories(form):
    """All features exchanged at once, with the permutation (0 1 2), read as the same data in this form."""
    X, expected = form(DATA), form(EXCHANGED)
    categories = (1, 3) if form is with_static else "from_dtype"
    reading, _ = learn_reading(Reader(), X, None, categorical_features=categories, missing="ffill")
    values, order = exchangeable(X), np.array([1, 2, 0])
    assert values.is_static == [False, False, True, True]
    rows = exchanged_rows(order, values.lengths)
    out = values.replace({j: values.take(j, order if values.is_static[j] else rows) for j in range(4)})
    assert type(out) is type(X)
    (got, _), (wanted, _) = (reading.read(Reader(), x).load(np.arange(3)) for x in (out, expected))
    assert_array_equal(got.values, wanted.values)
    assert_array_equal(got.static, wanted.static)


FLAT = FunctionTransformer(lambda X: np.asarray(X).reshape(len(X), -1))


def assert_same(result, expected):
    for name in ("importances", "importances_mean", "importances_std"):
        assert_array_equal(result[name], expected[name])


@pytest.fixture(scope="module")
def table():
    X = np.random.default_rng(0).normal(size=(60, 4))
    return X, X @ [1.0, 0.5, 0.0, 2.0]


class TestAsScikitLearn:
    """What scikit-learn can do is the same, number by number."""

    @pytest.mark.parametrize("form", [np.asarray, pd.DataFrame, lambda X: pd.DataFrame(X).add_prefix("c")])
    def test_a_table(self, table, form):
        X, y = form(table[0]), table[1]
        model, weights = Ridge().fit(X, y), np.arange(60.0)
        result = permutation_importance(model, X, y, random_state=3, sample_weight=weights)
        assert_same(result, of_scikit_learn(model, X, y, random_state=3, sample_weight=weights))
        assert list(result.names) == list(getattr(X, "columns", range(4)))

    def test_a_table_of_a_net(self, table):
        X, y = table
        net = RNNRegressor(2, max_iter=1, n_steps=2, random_state=0).fit(X, y)
        assert_same(permutation_importance(net, X, y, random_state=0), of_scikit_learn(net, X, y, random_state=0))

    @pytest.mark.parametrize("by", ["feature", "step"])
    def test_one_step_or_one_feature(self, table, by):
        X, y = table
        steps = X[:, np.newaxis] if by == "feature" else X[:, :, np.newaxis]
        model = make_pipeline(FLAT, Ridge()).fit(steps, y)
        expected = of_scikit_learn(model[-1], X, y, n_repeats=3, random_state=1)
        for align in ("end", "start"):
            found = permutation_importance(model, steps, y, by=by, align=align, n_repeats=3, random_state=1)
            assert_same(found, expected)
            first = -4 if by == "step" and align == "end" else 0
            assert found.names == list(range(first, first + 4))

    @pytest.mark.parametrize("scoring", [("r2", "neg_mean_absolute_error"), {"a": "neg_mean_absolute_error"}])
    def test_several_scores(self, table, scoring):
        X, y = table
        model = Ridge().fit(X, y)
        found = permutation_importance(model, X, y, scoring=scoring, random_state=0)
        expected = of_scikit_learn(model, X, y, scoring=scoring, random_state=0)
        assert found.keys() == expected.keys()
        for name in expected:
            assert_same(found[name], expected[name])


class Weighted(RegressorMixin, BaseEstimator):
    """Predicts the mean over steps of a sum of features with weights."""

    def __init__(self, weights=(1.0,)):
        self.weights = weights

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def predict(self, X):
        return np.array([(np.asarray(x, float) @ self.weights).mean() for x in X])


class AnyOf(Weighted):
    """Predicts the maximum over features of their means over steps."""

    def predict(self, X):
        return np.array([np.asarray(x, float).mean(axis=0).max() for x in X])


class TestImportances:
    def test_of_what_does_not_matter_is_zero(self):
        X = ragged()
        model = Weighted((1.0, 0.0, 2.0)).fit(X)
        for max_samples in (1.0, 3):
            found = permutation_importance(
                model, X, model.predict(X), random_state=0, max_samples=max_samples, n_repeats=10
            )
            assert_array_equal(found.importances[1], 0)
            assert found.importances_mean[2] > 0
            assert found.importances.shape == (3, 10)

    def test_of_a_group_of_features_that_say_the_same(self):
        """One of two equal features changes little, since the other one is there: both together tell."""
        rng = np.random.default_rng(0)
        X = [np.repeat(rng.normal(size=(n, 1)), 2, axis=1) for n in rng.integers(3, 6, size=80)]
        model = AnyOf().fit(X)
        y = model.predict(X)
        single = permutation_importance(model, X, y, random_state=0)
        groups = {"both": [0, 1], "first": 0}
        grouped = permutation_importance(model, X, y, groups=groups, random_state=0)
        assert grouped.names == ["both", "first"]
        assert_array_equal(grouped.importances[1], single.importances[0])
        assert grouped.importances_mean[0] > 1.5 * single.importances_mean.max()

    def test_groups_of_both(self):
        """Only what is exchanged is: the estimator sees a feature at the last two steps."""
        X = ragged()
        y, seen = np.arange(4.0), []

        def scoring(estimator, X, y):
            seen.append(X)
            return 0.0

        model = Weighted().fit(X)
        groups = {"a": {"features": 1, "steps": slice(-2, None)}, "b": {"steps": [0, -1]}, "c": {"features": [0]}}
        permutation_importance(model, X, y, groups=groups, scoring=scoring, n_repeats=1, random_state=0)
        changed = [np.argwhere(np.concatenate(out) != np.concatenate(X)) for out in seen]
        last = np.cumsum(LENGTHS) - 1
        assert len(changed[0]) == 0
        assert set(changed[1][:, 1]) == {1}
        assert set(changed[1][:, 0]) <= {*last, *(last - 1)}
        assert set(changed[2][:, 0]) <= {*last}         # the first of eight steps is that of one sequence
        assert set(changed[3][:, 1]) == {0}

    def test_any_number_of_jobs(self):
        X, y = ragged(), np.arange(4.0)
        model = Weighted((1.0, 0.5, 2.0)).fit(X)
        expected = permutation_importance(model, X, y, by="step", random_state=np.random.RandomState(5))
        with joblib.parallel_config(backend="threading"):
            found = permutation_importance(model, X, y, by="step", random_state=np.random.RandomState(5), n_jobs=3)
        assert_same(found, expected)

    def test_some_sequences(self):
        """The score is that of the drawn ones alone, which are read on demand."""
        X, weights, seen = OnDisk(ragged()), np.arange(4.0), []

        def scoring(estimator, X, y, sample_weight):
            seen.append((y, sample_weight))
            return 0.0

        model = Weighted((1.0, 0.0, 0.0)).fit(X)
        permutation_importance(
            model, X, np.arange(4), max_samples=0.5, sample_weight=weights, scoring=scoring, random_state=0
        )
        assert len(X.read) == 2
        for y, weight in seen:
            assert_array_equal(y, X.read)
            assert_array_equal(weight, X.read)


@pytest.fixture(scope="module")
def patients():
    """The age and the end of the heat decide."""
    rng = np.random.default_rng(0)
    heat = [rng.normal(size=n) for n in rng.integers(2, 7, size=60)]
    frame = pd.DataFrame({
        "heat": heat, "noise": [rng.normal(size=len(x)) for x in heat], "age": rng.normal(size=60),
        "ward": rng.choice(["x", "y"], 60),
    })
    y = (2 * frame.age + [3 * x[-1] for x in heat] > 0).astype(int)
    return frame, y, RNNClassifier(4, max_iter=40, random_state=0).fit(frame, y)


class TestNets:
    def test_static_features(self, patients):
        X, y, net = patients
        found = permutation_importance(net, X, y, scoring="neg_log_loss", n_repeats=3, random_state=0)
        assert found.names == ["heat", "noise", "age", "ward"]
        heat, noise, age, ward = found.importances_mean
        assert heat > age > 3 * max(abs(noise), abs(ward))
        steps = permutation_importance(net, X, y, by="step", scoring="neg_log_loss", n_repeats=2, random_state=0)
        assert steps.names == list(range(-6, 0))
        assert steps.importances_mean.argmax() == 5

    @pytest.mark.parametrize("form", [pl.DataFrame, pa.table])
    def test_the_same_in_each_library(self, patients, form):
        X, y, net = patients
        expected = permutation_importance(net, X, y, scoring="neg_log_loss", n_repeats=2, random_state=0)
        other = form(dict(X.items())) if form is pl.DataFrame else pa.Table.from_pandas(X)
        found = permutation_importance(net, other, y, scoring="neg_log_loss", n_repeats=2, random_state=0)
        assert_same(found, expected)

    def test_texts_and_searches(self):
        texts = ["abca", "bcab", "acbb", "bbac"] * 4
        y = [text[1] for text in texts]
        net = RNNClassifier(4, embedding_dim=2, max_iter=1, random_state=0)
        model = make_pipeline(SequenceVectorizer(analyzer="char"), net)
        search = GridSearchCV(model, {"rnnclassifier__alpha": [1e-4]}, cv=2).fit(texts, y)
        found = permutation_importance(search, texts, y, by="step", n_repeats=2, random_state=0)
        direct = permutation_importance(
            search.best_estimator_[-1], search.best_estimator_[0].transform(texts), y, by="step", n_repeats=2,
            random_state=0,
        )
        assert found.importances.shape == (4, 2)
        assert_same(found, direct)

    def test_targets_of_steps(self):
        X = ragged()
        y = [(x[:, 2] > 15).astype(int) for x in X]
        net = make_pipeline(SequenceScaler(), RNNClassifier(2, return_sequences=True, max_iter=1, random_state=0))
        found = permutation_importance(net.fit(X, y), X, y, n_repeats=2, random_state=0)
        assert found.importances.shape == (3, 2)

    @pytest.mark.parametrize(("times", "search", "form"), [
        (0, False, "arrays"), ("hour", True, "frames"), (0, True, "columns"), ("hour", False, "columns"),
    ])
    def test_times_stay_in_order(self, times, search, form):
        """Otherwise the net would refuse them."""
        rng = np.random.default_rng(0)
        X = [np.column_stack([np.cumsum(rng.exponential(size=n)) + 10.0 * n, np.arange(n) % 2]) for n in (2, 3, 4) * 4]
        if form == "frames":
            X = [pd.DataFrame(x, columns=["hour", "value"]) for x in X]
        elif form == "columns":
            X = pd.DataFrame({
                "age": rng.normal(size=12), "hour": [x[:, 0] for x in X], "value": [x[:, 1].tolist() for x in X],
            })
        y = np.arange(12.0)
        net = RNNRegressor(2, times=times, max_iter=1, random_state=0)
        model = (GridSearchCV(net, {"alpha": [0.1]}, cv=2) if search else net).fit(X, y)
        for by in ("feature", "step"):
            found = permutation_importance(model, X, y, by=by, n_repeats=2, random_state=0)
            assert (found.importances[-2:] != 0).any(axis=1).all()

    def test_a_class_is_no_estimator(self):
        with pytest.raises(TypeError, match="estimator is class RNNRegressor, expected a fitted estimator"):
            permutation_importance(RNNRegressor, ragged(), np.arange(4.0))

    def test_what_the_estimator_refuses_has_a_note(self):
        X, y = ragged(), np.arange(4.0)
        model = OnlyThese(X).fit(X)
        with pytest.raises(ValueError, match="not as before") as raised:
            permutation_importance(model, X, y, random_state=0, groups={"last": {"steps": -1}})
        assert "in 'last', which sequences have exchanged" in raised.value.__notes__[0]


class OnlyThese(Weighted):
    """Refuses other sequences than these."""

    def predict(self, X):
        if not np.array_equal(np.concatenate(X), np.concatenate(self.weights)):
            raise ValueError("not as before")
        return np.zeros(len(X))


@pytest.mark.parametrize(("options", "message"), [
    ({"by": "column"}, "'by' parameter"), ({"align": "middle"}, "'align' parameter"), ({"n_repeats": 0}, "'n_repeats'"),
    ({"groups": [0]}, "'groups' parameter"), ({"max_samples": 5}, "max_samples=5: X has 4 sequences"),
    ({"groups": {}}, "groups is empty"), ({"groups": {"a": [3]}}, r"groups\['a'\]: X has no feature 3"),
    ({"groups": {"a": "heat"}}, r"groups\['a'\]: X has no feature 'heat', expected one of \[0, 1, 2\]"),
    ({"groups": {"a": []}}, r"groups\['a'\] is \[\], which is nothing"),
    ({"groups": {"a": slice(3, 9)}}, r"which is nothing: expected at least one of 3"),
    ({"groups": {"a": [True]}}, r"groups\['a'\] has True, expected an index"),
    ({"groups": {"a": {"step": 1}}}, r"groups\['a'\] has the keys \['step'\]"),
    ({"groups": {"a": 8}, "by": "step"}, r"groups\['a'\]: X has no step 8, expected an index from -8 to 7"),
    ({"groups": {"a": "x"}, "by": "step"}, r"groups\['a'\]: X has no step 'x', expected an index"),
])
def test_arguments(options, message):
    def scoring(*arguments):
        raise AssertionError

    with pytest.raises((ValueError, TypeError), match=message):
        permutation_importance(Weighted().fit(None), ragged(), None, scoring=scoring, **options)


@pytest.mark.parametrize(("X", "options", "message"), [
    (np.ones((3, 4)), {"by": "step"}, "by='step': X is a table, each of whose columns is a feature"),
    (np.ones((3, 4)), {"groups": {"a": {"steps": 0}}}, r"groups\['a'\] has steps: X is a table"),
    (
        WithStatic(ragged(), np.ones((4, 1)), ["age"]), {"groups": {"a": {"steps": 0, "features": ["age", 1]}}},
        r"groups\['a'\] has steps, but \['age'\] are static features",
    ),
])
def test_what_has_no_steps(X, options, message):
    with pytest.raises(ValueError, match=message):
        permutation_importance(Weighted().fit(None), X, None, **options)
