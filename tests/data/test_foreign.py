"""Objects with items that are no collections of sequences."""

from collections import OrderedDict, UserDict

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from skrnn import RNNClassifier, RNNRegressor
from skrnn.preprocessing import SequenceScaler

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SMALL = {"hidden_size": 2, "max_iter": 1, "random_state": 0}
FRAME = pd.DataFrame({"id": [0, 0, 1, 1], "v": [1.0, 2, 3, 4], "t": pd.date_range("2020", periods=4)})
RECORDS = FRAME[["v"]].to_dict("records")
X, Y = np.arange(24.0).reshape(4, 3, 2), np.arange(4.0)


class Items:
    """A sequence object without an end: NumPy would ask it for items for ever."""

    def __init__(self, item):
        self.item = item

    def __len__(self):
        return 4

    def __getitem__(self, i):
        return self.item(i)


class Group:
    """As a group of Zarr, which is no Mapping."""

    def __len__(self):
        return 4

    def __getitem__(self, key):
        raise TypeError("path is not a string")

    def keys(self):
        return []


def by_name(key):
    return {"a": 1.0}[key]


GROUPS = {
    "DataFrameGroupBy": FRAME.groupby("t"), "SeriesGroupBy": FRAME.groupby("t")["v"],
    "DatetimeIndexResampler": FRAME.resample("1D", on="t"), "RollingGroupby": FRAME.groupby("id").rolling(2),
    "GroupBy": pl.from_pandas(FRAME).group_by("id"),
    "DynamicGroupBy": pl.from_pandas(FRAME).group_by_dynamic("t", every="1d"),
    "TableGroupBy": pa.table({"id": [0, 1]}).group_by("id"),
}
FOREIGN = {
    "Rolling": (FRAME[["v"]].rolling(2), "SlidingWindow"),
    "LazyFrame": (pl.LazyFrame({"v": [1.0]}), r"collect\(\)"),
    "UserDict": (UserDict(dict(enumerate(X))), r"pass an array in it, \w+\[\.\.\.\], or list\(\w+\.values\(\)\)"),
    "Group": (Group(), r"pass an array in it"),
    "generator": ((x for x in X), r"pass list\("),
    "map": (map(list, X), r"pass list\("),
    "Items": (Items(by_name), r"items \w+\[0\], \w+\[1\], ... are not all there: KeyError"),
    "is a dict": (Items(lambda i: {"a": 1.0}), r"pd.DataFrame\(records\)"),
    "Tensor": (pa.Tensor.from_numpy(X), r"pass \w+.to_numpy\(\)"),
    "is a tuple of 2": (Items(lambda i: (np.ones(3), np.ones(3))), r"pairs \(x, y\)"),
}


def uses(values):
    """Calls that read these values as X, y, weights, or in a transformer."""
    y = np.arange(4.0)
    return {
        "X": lambda: RNNRegressor(**SMALL).fit(values, y),
        "predict": lambda: RNNRegressor(**SMALL).fit(X, y).predict(values),
        "scaler": lambda: SequenceScaler().fit(values),
        "y": lambda: RNNRegressor(**SMALL).fit(X, values),
        "labels": lambda: RNNClassifier(**SMALL).fit(X, values),
        "labels of steps": lambda: RNNClassifier(return_sequences=True, **SMALL).fit(X, values),
        "sample_weight": lambda: RNNRegressor(**SMALL).fit(X, y, values),
    }


def everywhere(kinds, *chosen):
    """Every kind as X, and the chosen ones in every use."""
    others = [use for use in uses(None) if use != "X"]
    return [*((kind, "X") for kind in kinds), *((kind, use) for kind in chosen for use in others)]


@pytest.mark.parametrize(("kind", "use"), everywhere(GROUPS, "DataFrameGroupBy", "GroupBy"))
def test_groups(kind, use):
    with pytest.raises(TypeError, match=rf"is a (?i:{kind}), expected .*GroupBy.*sequences_from_long\(df"):
        uses(GROUPS[kind])[use]()


@pytest.mark.parametrize(
    ("kind", "use"), everywhere(FOREIGN, "LazyFrame", "UserDict", "map", "Items", "is a tuple of 2")
)
def test_what_is_no_collection(kind, use):
    values, remedy = FOREIGN[kind]
    with pytest.raises(TypeError, match=rf"{kind}.*{remedy}"):
        uses(values)[use]()


@pytest.mark.parametrize("kind", ["Items", "is a dict", "is a tuple of 2", "Group"])
def test_steps_and_items_that_are_no_arrays(kind):
    values = FOREIGN[kind][0]
    net = RNNRegressor(**SMALL).fit(X, np.arange(4.0))
    for name, call in {
        "x": lambda: net.predict_step(values, net.initial_state()),
        r"X\[2\]": lambda: net.predict([X[0], X[1], values]),
    }.items():
        with pytest.raises(TypeError, match=rf"^{name}.*{kind}"):
            call()


RECORDS_IN = {
    "list": list, "tuple": tuple, "array": np.array, "pandas": pd.Series, "polars": pl.Series, "Arrow": pa.array,
    "OrderedDict": lambda records: list(map(OrderedDict, records)),
}


@pytest.mark.parametrize("kind", [*GROUPS, "LazyFrame", "generator"])
def test_items_that_are_no_arrays(kind):
    item, remedy = FOREIGN[kind] if kind in FOREIGN else (GROUPS[kind], "sequences_from_long")
    for call in (lambda: RNNRegressor(**SMALL).fit([X[0], X[1], item, X[3]], Y), lambda: SequenceScaler().fit([item])):
        with pytest.raises(TypeError, match=rf"X\[[02]\] is a (?i:{kind}), expected an array or a list: .*{remedy}"):
            call()


@pytest.mark.parametrize("pairs", [
    list(FRAME.groupby("id")), list(pl.from_pandas(FRAME).group_by("id", maintain_order=True)),
    [(X[0], 1.0), (X[1], 0.0)], [(X[0], X[0, 0]), (X[1], X[1, 0])],
], ids=["pandas", "polars", "(x, y)", "(x, y) of steps"])
def test_pairs(pairs):
    for call in (lambda: RNNRegressor(**SMALL).fit(pairs, Y[:2]), lambda: SequenceScaler().fit(pairs)):
        with pytest.raises(TypeError, match=r"X\[0\] is a tuple of 2.*X and y apart.*\[rows for _, rows in groups\]"):
            call()


@pytest.mark.parametrize(("container", "use"), everywhere(RECORDS_IN, "list", "pandas", "polars", "Arrow"))
def test_records(container, use):
    """A list of dicts is a table to pandas alone; it holds no targets of steps."""
    with pytest.raises(TypeError, match=r"\[0\] is (a )?(Ordered)?[dD]ict.*expected (a )?numbers?"):
        uses(RECORDS_IN[container](RECORDS))[use]()


def test_sets_of_labels():
    with pytest.raises(TypeError, match=r"y\[0\] is a set, which has no order"):
        RNNClassifier(**SMALL).fit(X, [{1}, {2}, {1, 2}, set()])


@pytest.mark.parametrize(("values", "message"), [
    (np.array(5.0), "X has shape .*got scalar array"),
    (np.array(None), "X has shape .*got scalar array"),
    (np.arange(5000.0), r"X has shape \(5000,\). Expected 2D array, got 1D array instead. Reshape your data.{,120}$"),
    (np.ma.masked_equal([[1.0, 2.0]], 1), "X has masked values"),
    (memoryview(b"abc"), r"X has shape \(3,\). Expected 2D array"),
])
def test_arrays_that_are_no_tables(values, message):
    with pytest.raises(ValueError, match=message):
        RNNRegressor(**SMALL).fit(values, np.arange(4.0))


def test_memory_is_an_array():
    expected = RNNRegressor(**SMALL).fit(X, np.arange(4.0)).predict(X)
    for same in (memoryview(X), np.asarray(X)):
        np.testing.assert_array_equal(RNNRegressor(**SMALL).fit(same, memoryview(np.arange(4.0))).predict(X), expected)


def test_memory_in_a_list_is_an_array():
    expected = RNNRegressor(**SMALL).fit(list(X), Y).predict(list(X))
    same = [memoryview(x) for x in X]
    np.testing.assert_array_equal(RNNRegressor(**SMALL).fit(same, Y).predict(same), expected)


def test_masked_targets():
    with pytest.raises(ValueError, match="y has masked values"):
        RNNClassifier(**SMALL).fit(X, np.ma.masked_equal([0, 1, 0, 1], 1))
