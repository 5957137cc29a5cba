"""permutation_importance: which values sequences exchange, in every container, and by how much scores fall."""

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.inspection import permutation_importance as of_scikit_learn
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skrnn import RaggedArray, RNNClassifier, RNNRegressor, WithStatic
from skrnn._data.containers import as_sequences
from skrnn._data.ragged import gathered
from skrnn._data.reading import learn_reading
from skrnn.inspection import permutation_importance
from skrnn.inspection._exchange import exchanged_rows, step_numbers
from skrnn.inspection._exchangeable import exchangeable, select_in_memory
from skrnn.preprocessing import SequenceScaler, SequenceVectorizer
from tests.helpers.forms import FORMS, LENGTHS, TABLES, OnDisk, frames, ragged

ORDER = np.array([2, 3, 1, 0])      # (0 2 1 3)


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
    @pytest.mark.parametrize("form", [list, RaggedArray, pd.Series, "polars", "Arrow"])
    def test_dtypes_stay(self, form, dtype):
        sequences = [np.arange(3, dtype=dtype), np.arange(2, dtype=dtype) + 5]
        X = {
            "polars": lambda x: pl.DataFrame({"x": x}), "Arrow": lambda x: pa.table({"x": x}),
            RaggedArray: lambda x: RaggedArray(np.concatenate(x), [3, 2]),
        }.get(form, form)(sequences)
        values = exchangeable(X)
        out = values.replace({0: values.take(0, exchanged_rows(np.array([1, 0]), values.lengths))})
        assert as_sequences(out).values.dtype == as_sequences(X).values.dtype
        assert as_sequences(out).values[:, 0].tolist() == [0, 5, 6, 1, 2]
        if form in ("polars", "Arrow"):
            assert out["x"].dtype == X["x"].dtype if form == "polars" else out.schema == X.schema

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
    categories = (1,) if form is with_static else "from_dtype"
    reading, _ = learn_reading(Reader(), X, None, categorical_features=categories, missing="ffill")
    values, order = exchangeable(X), np.array([1, 2, 0])
    assert values.is_static == [False, False, True, True]
    rows = exchanged_rows(order, values.lengths)
    out = values.replace({j: values.take(j, order if values.is_static[j] else rows) for j in range(4)})
    assert type(out) is type(X)
    (got, of), (wanted, _) = (reading.read(Reader(), x).load(np.arange(3)) for x in (out, expected))
    assert_array_equal(got.values, wanted.values)
    assert_array_equal(got.static, wanted.static)
