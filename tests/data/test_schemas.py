"""Dates in tables are refused, with the name of their column, wherever numbers are expected."""

from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from skrnn import RaggedArray, RNNClassifier, RNNRegressor
from skrnn._data.numbers import as_numbers
from skrnn.preprocessing import SequenceImputer, SequenceScaler, SlidingWindow

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SMALL = {"hidden_size": 2, "max_iter": 1, "random_state": 0}
CELLS = {
    "date": date(2020, 1, 2), "datetime": datetime(2020, 1, 2), "zoned": datetime(2020, 1, 2, tzinfo=UTC),
    "duration": timedelta(seconds=3), "time": time(4),
}
LIBRARIES = {
    "pandas": pd.DataFrame, "polars": pl.DataFrame, "Arrow": pa.table,
    "Arrow batch": pa.RecordBatch.from_pydict,
    "pandas with Arrow": lambda data: pa.table(data).to_pandas(types_mapper=pd.ArrowDtype),
}
X, Y = np.arange(24.0).reshape(4, 3, 2), np.arange(4.0)


def table(library, cell, n=4):
    return LIBRARIES[library]({"v": np.arange(n, dtype=float), "day": [CELLS[cell]] * n})


USES = {
    "X": lambda table: RNNRegressor(**SMALL).fit(table, Y),
    "y": lambda table: RNNRegressor(**SMALL).fit(X, table),
    "labels": lambda table: RNNClassifier(**SMALL).fit(X, table),
    "sample_weight": lambda table: RNNRegressor(**SMALL).fit(X, Y, table),
    "a list of tables": lambda table: RNNRegressor(**SMALL).fit([table] * 4, Y),
    "X_val": lambda table: RNNRegressor(early_stopping=True, **SMALL).fit(
        X[:, :, 0], Y, X_val=table, y_val=Y
    ),
    "scaler": lambda table: SequenceScaler().fit(table),
    "imputer": lambda table: SequenceImputer().fit([table]),
    "windows": lambda table: SlidingWindow(2).fit(table),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("library", LIBRARIES)
def test_dates_beside_numbers(use, library):
    with pytest.raises(TypeError, match=r"'day'.*expected numbers.*sequences_from_long"):
        USES[use](table(library, "datetime"))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("library", LIBRARIES)
def test_every_kind_of_date(cell, library):
    with pytest.raises(TypeError, match=r"X.*'day'.*expected numbers"):
        SequenceScaler().fit(table(library, cell))


@pytest.mark.parametrize("column", [
    pd.Series(pd.period_range("2020", periods=3, freq="D"), name="day"),
    pd.Series(pd.to_datetime(["2020"] * 3), name="day"),
    pl.Series("day", [date(2020, 1, 2)] * 3),
    pd.DataFrame({"day": [np.datetime64("2020-01-02", "ns")] * 3}, dtype=object),
    pl.DataFrame({"day": [[date(2020, 1, 2)]] * 3}),
    pl.DataFrame({"day": pl.Series([date(2020, 1, 2)] * 3, dtype=pl.Object)}),
    pa.table({"day": [[date(2020, 1, 2)]] * 3}),
    pd.DataFrame({"v": [[1.0]] * 3, "day": [[date(2020, 1, 2)]] * 3}),
    pd.DataFrame({"v": [[1.0]] * 3, "day": [np.zeros(1, "M8[s]")] * 3}),
    pd.DataFrame({"v": [[1.0]] * 3, "day": [[pd.Period("2020")]] * 3}),
    pd.DataFrame({"v": [1.0] * 3, "day": [pd.Period("2020")] * 3}, dtype=object),
], ids=lambda column: f"{type(column).__module__.partition('.')[0]}-{type(column).__name__}")
def test_columns_and_lists_of_dates(column):
    with pytest.raises(TypeError, match=r"X.*'day'.*expected numbers"):
        RNNRegressor(**SMALL).fit(column, Y[:3])


@pytest.mark.parametrize("make", [
    lambda table: RaggedArray(table, [2, 2]), lambda table: RaggedArray.from_padded(table, padding_value=0),
], ids=["RaggedArray", "from_padded"])
@pytest.mark.parametrize("library", LIBRARIES)
def test_tables_of_which_ragged_arrays_are_made(library, make):
    with pytest.raises(TypeError, match=r"'day'.*expected numbers"):
        make(table(library, "datetime"))


@pytest.mark.parametrize("values", [
    [np.datetime64("2020-01-02", "ns"), 1.0], [1.0, timedelta(1)], np.zeros(2, "m8[s]"), [np.timedelta64(1, "ns"), 1.0],
], ids=["datetime64", "timedelta", "array", "timedelta64"])
def test_dates_without_a_table(values):
    """Of a datetime64 in nanoseconds float() would make a number."""
    with pytest.raises(TypeError, match=r"x.*expected numbers: convert dates"):
        as_numbers(values, "x")


@pytest.mark.parametrize("step", [
    lambda: table("polars", "date", 1), lambda: table("pandas", "date", 1), lambda: table("pandas", "date", 1).iloc[0],
    lambda: table("Arrow", "date", 1),
], ids=["polars", "pandas", "a row", "Arrow"])
def test_a_step_of_a_stream(step):
    net = RNNRegressor(**SMALL).fit(X, Y)
    with pytest.raises(TypeError, match=r"x.*'day'.*expected numbers"):
        net.predict_step(step(), net.initial_state())


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_word_in_a_table_is_named_with_its_column(library):
    message = r"X\[0, 1\] in the column 'day' is 'a', expected a number; .*sequences_from_long"
    with pytest.raises(ValueError, match=message):
        RNNRegressor(**SMALL).fit(LIBRARIES[library]({"v": [1.0, 2.0], "day": ["a", "b"]}), Y[:2])


@pytest.mark.parametrize("library", LIBRARIES)
def test_lists_as_text_are_told_from_words(library):
    """As a CSV file holds a column of lists."""
    message = r"X\[0, 0\] in the column 'v' is '\[1, 2\]', expected a number; a CSV file holds"
    with pytest.raises(ValueError, match=message):
        RNNRegressor(**SMALL).fit(LIBRARIES[library]({"v": ["[1, 2]", "[3]"]}), Y[:2])


@pytest.mark.parametrize("library", LIBRARIES)
def test_lists_as_text_after_a_fit_to_lists(library):
    """A frame that was written to a CSV file and read again, for predict."""
    frame = LIBRARIES[library]({"v": [[1.0, 2.0], [3.0]], "age": [3.0, 4.0]})
    net = RNNRegressor(**SMALL).fit(frame, Y[:2])
    with pytest.raises(ValueError, match=r"in the column 'v' holds '.*expected a list for .*; a CSV file holds lists"):
        net.predict(LIBRARIES[library]({"v": ["[1, 2]", "[3]"], "age": [3.0, 4.0]}))


def two_of_one_name(library):
    column = pd.Series(Y, name="s")
    frame = pd.concat([column.shift(-1, fill_value=9), column.shift(-2, fill_value=9)], axis=1)
    arrays = [pa.array(frame.iloc[:, j]) for j in range(2)]
    return frame if library == "pandas" else pa.Table.from_arrays(arrays, names=["s", "s"])


@pytest.mark.parametrize("library", ["pandas", "Arrow"])
class TestRepeatedNames:
    def test_in_y_do_no_harm(self, library):
        y = two_of_one_name(library)
        expected = RNNRegressor(**SMALL).fit(X, np.asarray(y)).predict(X)
        np.testing.assert_array_equal(RNNRegressor(**SMALL).fit(X, y).predict(X), expected)

    @pytest.mark.parametrize("use", ["X", "a list of tables", "scaler", "imputer", "windows"])
    def test_are_named_where_names_count(self, library, use):
        with pytest.raises(ValueError, match=r"X.* has two columns 's', expected different names: rename one"):
            USES[use](two_of_one_name(library))

    def test_of_weights(self, library):
        with pytest.raises(ValueError, match=r"sample_weight has shape \(4, 2\), expected \(4,\)"):
            USES["sample_weight"](two_of_one_name(library))
