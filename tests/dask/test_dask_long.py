"""Long tables as Dask DataFrames: the sequences of one process."""

import dask
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest

from skrnn.dask import sequences_from_long
from skrnn.preprocessing import sequences_from_long as in_memory

RNG = np.random.default_rng(0)
N = 60
TABLE = pd.DataFrame({
    "unit": RNG.choice(list("abcdefg"), N), "hour": RNG.permutation(N), "heat": RNG.normal(size=N),
    "load": RNG.integers(9, size=N), "gear": RNG.choice(["low", "high"], N),
})
TABLE["age"] = TABLE["unit"].map(ord)
TABLE["kind"] = pd.Categorical(TABLE["unit"].map(lambda unit: "old" if unit < "d" else "new"))
TABLE["failed"] = TABLE["unit"].map(lambda unit: ord(unit) % 2)
TABLE["label"] = pd.array(np.where(RNG.uniform(size=N) < 0.2, pd.NA, RNG.integers(3, size=N)), dtype="Int64")
NUMBERS = {"features": ["heat", "load"]}
CASES = {
    "no target": NUMBERS,
    "targets of kinds": {"features": ["heat"], "target": ["failed", "kind"]},
    "targets": NUMBERS | {"target": ["failed", "age"]},
    "static": {"target": "failed", "static": ["age", "kind"], "features": ["gear", "heat"]},
    "all features": {"target": "label", "static": ["age", "kind", "failed"], "return_sequences": True},
    "targets of steps": NUMBERS | {"target": ["label", "gear"], "return_sequences": True},
    "time as a feature": {"features": ["hour", "load"], "target": "heat", "return_sequences": True},
}


@pytest.fixture(autouse=True)
def in_this_thread():
    with dask.config.set(scheduler="sync"):
        yield


def lists(frame_or_series):
    """The cells of each row, as lists of Python objects."""
    columns = frame_or_series.to_frame() if isinstance(frame_or_series, pd.Series) else frame_or_series
    return [[_plain(cell) for cell in row] for row in columns.itertuples(index=False)]


def _plain(cell):
    cell = cell.tolist() if isinstance(cell, np.ndarray) else cell
    return [None if pd.isna(value) else value for value in cell] if isinstance(cell, list) else cell


def expected_lists(values):
    if isinstance(values, pd.DataFrame | pd.Series):
        return lists(values)
    rows = [np.asarray(row) for row in values]
    return [
        [_plain(column) for column in row.reshape(len(row), -1).T] if row.ndim else [row.item()] for row in rows
    ]


def by_group(found, groups, make):
    return dict(zip(groups, make(found), strict=True))


@pytest.mark.parametrize(("name", "indexed"), [
    *((name, False) for name in CASES), ("all features", True),
])
def test_sequences_are_those_of_one_process(name, indexed):
    df = dd.from_pandas(TABLE, npartitions=2, sort=False)
    df = df.set_index("unit") if indexed else df
    X, y, groups = sequences_from_long(df, "unit", "hour", **CASES[name])
    assert X.known_divisions == indexed
    expected = in_memory(TABLE, "unit", "hour", **CASES[name])
    found_X, found_groups = dask.compute(X, groups)
    assert sorted(found_groups) == sorted(expected[2])
    assert found_X.index.tolist() == found_groups.tolist() == found_groups.index.tolist()
    assert [dtype for dtype in found_X.dtypes if dtype != "category"] == [
        dtype for dtype in X.dtypes if dtype != "category"
    ]
    assert by_group(found_X, found_groups, lists) == by_group(expected[0], expected[2], expected_lists)
    if expected[1] is None:
        assert y is None
        return
    found_y = y.compute()
    assert isinstance(found_y, pd.DataFrame) == isinstance(CASES[name]["target"], list)
    if CASES[name].get("return_sequences"):
        assert by_group(found_y, found_groups, lists) == by_group(expected[1], expected[2], expected_lists)
    else:
        assert by_group(found_y, found_groups, lambda rows: np.asarray(rows).tolist()) == by_group(
            expected[1], expected[2], np.ndarray.tolist
        )


@pytest.mark.parametrize("placed", [
    lambda: dd.from_pandas(TABLE.set_index("unit", drop=False).sort_index(), npartitions=2),
    lambda: dd.from_pandas(TABLE.astype({"unit": "category"}).set_index("unit").sort_index(), npartitions=2),
], ids=["index and column", "categories"])
def test_groups_may_be_in_the_index(placed):
    X, _, groups = dask.compute(*sequences_from_long(placed(), "unit", "hour", **NUMBERS))
    expected, _, of_each = in_memory(TABLE, "unit", "hour", **NUMBERS)
    assert X.index.tolist() == groups.tolist()
    assert by_group(X, groups, lists) == by_group(expected, of_each, expected_lists)


def test_order_does_not_depend_on_that_of_the_rows():
    """What a shuffle brings together comes in any order; a group is whole, and in the same place."""
    orders = []
    for seed in range(2):
        rows = TABLE.sample(frac=1, random_state=seed)
        X, _, _ = sequences_from_long(dd.from_pandas(rows, npartitions=2, sort=False), "unit", "hour", **NUMBERS)
        orders.append([(part.index.tolist(), lists(part)) for part in dask.compute(*X.to_delayed())])
    assert orders[0] == orders[1]


def test_single_precision_and_integers_that_lack_keep_their_types():
    table = TABLE.assign(heat=TABLE["heat"].astype(np.float32))
    X, y, _ = sequences_from_long(
        dd.from_pandas(table, npartitions=3, sort=False), "unit", "hour", "label", features=["heat"],
        return_sequences=True,
    )
    assert "float" in str(X.dtypes["heat"])
    assert {str(part["heat"].dtype) for part in dask.compute(*X.to_delayed())} == {str(X.dtypes["heat"])}
    assert {str(part.dtype) for part in dask.compute(*y.to_delayed())} == {"large_list<item: int64>[pyarrow]"}


@pytest.mark.parametrize(("arguments", "message"), [
    ({"group": "no"}, "group='no': expected one of the columns"),
    ({"target": "no"}, "target='no': expected one of the columns"),
    ({"features": ["gear"]}, r"df\['gear'\] has dtype .*, expected numbers"),
    ({"group": "hour"}, "group and time are both 'hour'"),
])
def test_columns_are_checked_at_once(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        sequences_from_long(dd.from_pandas(TABLE, npartitions=2), **{"group": "unit", "time": "hour"} | arguments)


def test_rows_are_checked_when_they_are_computed():
    twice = pd.concat([TABLE, TABLE.iloc[[3]]])
    X, _, _ = sequences_from_long(dd.from_pandas(twice, npartitions=2), "unit", "hour", **NUMBERS)
    with pytest.raises(ValueError, match=r"In partition \d of df: df has the time .* twice in the group"):
        X.compute()
    with pytest.raises(TypeError, match=r"df is a DataFrame, expected a Dask DataFrame.*skrnn\.preprocessing"):
        sequences_from_long(TABLE, "unit", "hour")
