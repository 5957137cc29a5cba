"""Long tables to sequences and back, in three libraries, against loops over rows."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.metrics import r2_score
from sklearn.model_selection import GroupKFold

from skrnn import RaggedArray, RNNRegressor
from skrnn.preprocessing import predictions_to_long, sequences_from_long


def pandas(columns):
    """With an index that repeats itself and is out of order."""
    n = len(next(iter(columns.values())))
    return pd.DataFrame(columns, index=np.arange(n)[::-1] // 2)


def arrow(columns):
    """In chunks of different sizes."""
    table = pa.table(columns)
    return pa.concat_tables([table.slice(0, 1), table.slice(1, 2), table.slice(3)])


def pandas_of_arrow(columns):
    return pd.DataFrame({name: pd.arrays.ArrowExtensionArray(pa.array(cells)) for name, cells in columns.items()})


LIBRARIES = {"pandas": pandas, "pandas of Arrow": pandas_of_arrow, "polars": pl.DataFrame, "Arrow": arrow}
GROUPS = {
    "strings": lambda i: f"unit {i * 7 % 10}", "integers": lambda i: -3 * i, "floats": lambda i: i / 3,
    "dates": lambda i: date(2020, 3, 1 + i), "booleans": lambda i: i % 2 == 0,
}
KINDS = {"strings": "O", "integers": "i", "floats": "f", "dates": "MO", "booleans": "b"}
TIMES = {
    "integers": lambda i: i - 5, "large integers": lambda i: 2**60 + i, "floats": lambda i: i / 7 - 1,
    "strings": lambda i: f"step {i:02d}", "dates": lambda i: date(2020, 2, 20) + timedelta(i),
    "times": lambda i: datetime(2020, 2, 28, 23) + timedelta(minutes=i),
    "times with a zone": lambda i: datetime(2020, 10, 24, 22, tzinfo=UTC).astimezone(ZoneInfo("Europe/Paris"))
    + timedelta(minutes=30 * i),
    "durations": lambda i: timedelta(hours=i), "decimals": lambda i: Decimal(i) / 8,
}


@pytest.fixture(params=LIBRARIES)
def library(request):
    return LIBRARIES[request.param]


def random_columns(seed, group="strings", time="integers"):
    """Columns of up to nine groups of up to eight rows, shuffled, with targets and missing values."""
    rng = np.random.default_rng(seed)
    # Booleans are two groups, whose rows need different times.
    n_groups = 2 if group == "booleans" else int(rng.integers(1, 10))
    rows = [(g, t) for g in range(n_groups) for t in rng.permutation(20)[: rng.integers(1, 9)]]
    rows = [rows[i] for i in rng.permutation(len(rows))]
    n = len(rows)
    kind, risk = rng.integers(3, size=n_groups), rng.normal(size=n_groups)
    return {
        "row": list(range(n)),
        "unit": [GROUPS[group](g) for g, _ in rows],
        "x": rng.normal(size=n).tolist(),
        "when": [TIMES[time](int(t)) for _, t in rows],
        "holes": [None if hole else float(value) for hole, value in zip(rng.random(n) < 0.3, range(n), strict=True)],
        "flag": (rng.random(n) < 0.5).tolist(),
        "kind": [f"kind {kind[g]}" for g, _ in rows],
        "risk": [float(risk[g]) for g, _ in rows],
        "count": [int(kind[g]) for g, _ in rows],
    }


def expected_rows(columns):
    """Rows of each group in order, by loops."""
    groups = {}
    for row, key in enumerate(columns["unit"]):
        groups.setdefault(key, []).append(row)
    return {key: sorted(rows, key=lambda row: columns["when"][row]) for key, rows in groups.items()}


@pytest.mark.slow
@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize("group", GROUPS)
def test_groups_in_order_of_appearance_and_rows_in_order_of_time(library, group, time):
    for seed in range(2):
        columns = random_columns(seed, group, time)
        df = library(columns)
        X, y, groups = sequences_from_long(df, "unit", "when", features=["row", "x", "holes", "flag"])
        expected = expected_rows(columns)
        assert isinstance(X, RaggedArray)
        assert X.feature_names == ["row", "x", "holes", "flag"]
        assert X.values.dtype == np.float64
        assert y is None
        assert groups.shape == (len(expected),)
        assert X.shape == groups.shape
        assert groups.tolist() == np.array(list(expected), dtype=groups.dtype).tolist()
        assert groups.dtype.kind in KINDS[group]
        for x, rows in zip(X, expected.values(), strict=True):
            for j, name in enumerate(X.feature_names):
                wanted = [np.nan if columns[name][row] is None else float(columns[name][row]) for row in rows]
                np.testing.assert_array_equal(x[:, j], wanted)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(30))
def test_there_and_back(library, seed):
    """Predictions that tell the row come back in their row."""
    columns = random_columns(seed)
    df = library(columns)
    X, _, groups = sequences_from_long(df, "unit", "when", features=["row", "x"])
    table = predictions_to_long([x[:, 0] for x in X], df, "unit", "when", return_sequences=True)
    assert type(table) is type(df)
    assert as_columns(table) == as_columns(library(
        {"unit": columns["unit"], "when": columns["when"], "prediction": [float(row) for row in columns["row"]]}
    ))
    table = predictions_to_long([x for x in X], df, "unit", "when", return_sequences=True, names=["row", "x"])
    assert as_columns(table)["x"] == columns["x"]
    assert as_columns(table)["row"] == columns["row"]
    table = predictions_to_long(np.arange(len(X)), df, "unit", "when")
    assert type(table) is type(df)
    assert as_columns(table) == {"unit": groups.tolist(), "prediction": list(range(len(X)))}


def as_columns(table):
    return table.to_pydict() if isinstance(table, pa.Table) else {name: table[name].to_list() for name in table.columns}


@pytest.mark.parametrize("seed", range(5))
def test_a_target_a_group(library, seed):
    columns = random_columns(seed)
    df = library(columns)
    firsts = [rows[0] for rows in expected_rows(columns).values()]
    for target, kinds in (("kind", "O"), ("risk", "f"), ("count", "iu")):
        X, y, _ = sequences_from_long(df, "unit", "when", target, features=["x"])
        assert y.dtype.kind in kinds
        assert y.shape == X.shape
        assert y.tolist() == [columns[target][row] for row in firsts]
    _, y, _ = sequences_from_long(df, "unit", "when", ["risk", "count"], features=["x"])
    np.testing.assert_array_equal(y, [[columns["risk"][row], columns["count"][row]] for row in firsts])
    _, y, _ = sequences_from_long(df, "unit", "when", ["kind"], features=["x"])
    assert y.tolist() == [[columns["kind"][row]] for row in firsts]


@pytest.mark.parametrize("seed", range(5))
def test_a_target_a_row(library, seed):
    columns = random_columns(seed)
    df = library(columns)
    wanted = list(expected_rows(columns).values())
    for target in ("x", "holes", "row", "flag", "kind"):
        X, y, _ = sequences_from_long(df, "unit", "when", target, features=["risk"], return_sequences=True)
        assert isinstance(y, np.ndarray)
        assert y.dtype == object
        assert y.shape == X.shape
        for labels, rows in zip(y, wanted, strict=True):
            cells = [columns[target][row] for row in rows]
            np.testing.assert_array_equal(labels, [np.nan if cell is None else cell for cell in cells])
    _, y, _ = sequences_from_long(df, "unit", "when", ["x", "holes"], features=["risk"], return_sequences=True)
    for labels, rows in zip(y, wanted, strict=True):
        assert labels.shape == (len(rows), 2)
        np.testing.assert_array_equal(labels[:, 0], [columns["x"][row] for row in rows])


SMALL = {
    "unit": ["b", "a", "b", "a", "c"], "when": [2, 1, 1, 2, 7], "x": [0.5, 1.5, 2.5, 3.5, 4.5],
    "y": ["u", "v", "u", "v", "w"],
}


def changed(**columns):
    return SMALL | columns


def test_a_group_of_one_row_is_a_sequence_of_one_step(library):
    X, y, groups = sequences_from_long(library(SMALL), "unit", "when", "y")
    assert [x.tolist() for x in X] == [[[2.5], [0.5]], [[1.5], [3.5]], [[4.5]]]
    assert y.tolist() == ["u", "v", "w"]
    assert groups.tolist() == ["b", "a", "c"]
    X, y, _ = sequences_from_long(library({name: cells[:1] for name, cells in SMALL.items()}), "unit", "when", "y")
    assert (X[0].tolist(), y.tolist()) == ([[0.5]], ["u"])


def test_default_features_are_the_other_columns(library):
    df = library(changed(z=[True] * 5, w=[1] * 5))
    assert sequences_from_long(df, "unit", "when", "y")[0].feature_names == ["x", "z", "w"]
    assert sequences_from_long(df, "unit", "when", ["y", "z"])[0].feature_names == ["x", "w"]


def test_features_in_the_given_order_with_time_among_them(library):
    X, _, _ = sequences_from_long(library(SMALL), "unit", "when", features=("when", "x"))
    assert X.feature_names == ["when", "x"]
    np.testing.assert_array_equal(X[0], [[1, 2.5], [2, 0.5]])


def test_columns_may_have_any_name(library):
    """Those of the function's own tables as well."""
    columns = dict(zip(["first", "row", "group", "time"], SMALL.values(), strict=True))
    X, y, _ = sequences_from_long(library(columns), "first", "row", "time")
    assert (X.feature_names, y.tolist(), X[0].tolist()) == (["group"], ["u", "v", "w"], [[2.5], [0.5]])
    table = predictions_to_long(X, library(columns), "first", "row", return_sequences=True, names="group")
    assert as_columns(table)["group"] == SMALL["x"]


def test_names_of_pandas_that_are_no_strings():
    df = pd.DataFrame(list(zip(*[SMALL[name] for name in ("unit", "when", "x")], strict=True)))
    X, _, groups = sequences_from_long(df, 0, 1)
    assert (X.feature_names, groups.tolist()) == (["2"], ["b", "a", "c"])
    assert predictions_to_long([1, 2, 3], df, 0, 1)["prediction"].tolist() == [1, 2, 3]
    assert predictions_to_long(X, df, 0, 1, return_sequences=True)["prediction"].tolist() == SMALL["x"]


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [(["f4", "f4"], "f4"), (["f4", "f8"], "f8"), (["f4", "i1"], "f8"), (["f4", "?"], "f8"), (["u1", "i8"], "f8")],
)
def test_dtype_follows_the_features(library, kinds, expected):
    features = {f"x{i}": np.array([0, 1, 1, 0, 1], dtype=kind) for i, kind in enumerate(kinds)}
    X, _, _ = sequences_from_long(library(features | {"unit": SMALL["unit"], "when": SMALL["when"]}), "unit", "when")
    assert X.values.dtype == expected
    assert X.values.T.tolist() == [[1, 0, 1, 0, 1]] * len(kinds)


def test_missing_features_are_nan(library):
    df = library(changed(x=[None, 1.5, 2.5, 3.5, 4.5], z=[1, None, None, 4, 5], w=[True, False, None, True, False]))
    X, _, _ = sequences_from_long(df, "unit", "when", "y", features=["x", "z"])
    np.testing.assert_array_equal(X.values, [[2.5, np.nan], [np.nan, 1], [1.5, np.nan], [3.5, 4], [4.5, 5]])
    if not isinstance(df, pd.DataFrame) or df["w"].dtype != object:
        X, _, _ = sequences_from_long(df, "unit", "when", features=["w"])
        np.testing.assert_array_equal(X.values[:, 0], [np.nan, 1, 0, 1, 0])


@pytest.mark.parametrize("dtype", ["Int32", "UInt8", "Float32", "boolean"])
def test_nullable_columns_of_pandas(dtype):
    df = pd.DataFrame(SMALL | {"x": pd.Series([0, 1, None, 0, 1], dtype=dtype)})
    X, _, _ = sequences_from_long(df, "unit", "when", features=["x"])
    assert X.values.dtype == (np.float32 if dtype == "Float32" else np.float64)
    np.testing.assert_array_equal(X.values[:, 0], [np.nan, 0, 1, 0, 1])


def test_kinds_of_targets(library):
    cells = [0.5, 1.5, 0.5, 1.5, 2.5]
    df = library(changed(single=np.array(cells, dtype=np.float32), decimal=[Decimal(cell) for cell in cells]))
    for target, dtype in (("single", np.float32), ("decimal", np.float64)):
        if not (target == "decimal" and isinstance(df, pd.DataFrame) and df[target].dtype == object):
            _, y, _ = sequences_from_long(df, "unit", "when", target, features=["x"])
            assert (y.tolist(), y.dtype) == ([0.5, 1.5, 2.5], dtype)


def test_missing_targets_of_rows(library):
    df = library(changed(
        y=["u", None, "u", "v", "w"], n=[1, 2, None, 4, 5], f=[None, 2.0, 3.0, 4.0, 5.0],
        b=[True, False, True, False, None],
    ))
    for target, expected in (
        ("y", [["u", "u"], [None, "v"], ["w"]]), ("n", [[np.nan, 1], [2, 4], [5]]),
        ("f", [[3, np.nan], [2, 4], [5]]), ("b", [[True, True], [False, False], [None]]),
    ):
        _, y, _ = sequences_from_long(df, "unit", "when", target, features=["x"], return_sequences=True)
        assert [labels.shape for labels in y] == [(2,), (2,), (1,)]
        for labels, cells in zip(y, expected, strict=True):
            assert labels.dtype.kind == ("f" if target in "nf" else "O")
            np.testing.assert_array_equal(labels, np.array(cells, dtype=labels.dtype))


@pytest.mark.parametrize(
    "convert",
    [
        lambda cells: pd.Series(cells, dtype="category"), lambda cells: pl.Series(cells, dtype=pl.Categorical),
        lambda cells: pl.Series(cells, dtype=pl.Enum(["w", "u", "v", "a", "b", "c"])),
        lambda cells: pa.chunked_array([pa.array(cells).dictionary_encode()]),
    ],
    ids=["pandas", "polars", "polars enum", "Arrow"],
)
def test_categories(convert):
    columns = {"unit": convert(SMALL["unit"]), "when": SMALL["when"], "x": SMALL["x"], "y": convert(SMALL["y"])}
    column = columns["unit"]
    df = {pd.Series: pd.DataFrame, pl.Series: pl.DataFrame}.get(type(column), pa.table)(columns)
    X, y, groups = sequences_from_long(df, "unit", "when", "y")
    assert X[0].tolist() == [[2.5], [0.5]]
    assert y.tolist() == ["u", "v", "w"]
    assert y.dtype == object
    assert groups.tolist() == ["b", "a", "c"]
    with pytest.raises(TypeError, match=r"df\['y'\] has dtype (Categorical|Enum|String).*, expected numbers"):
        sequences_from_long(df, "unit", "when")


def test_categories_of_pandas_sort_in_their_own_order_and_keep_their_kind():
    when = pd.Categorical(["late", "early", "early", "late", "early"], ["early", "late"], ordered=True)
    df = pd.DataFrame(changed(when=when, y=pd.Categorical([30, 4, 30, 4, 5]), unit=pd.Categorical([9, 7, 9, 7, 8])))
    X, y, groups = sequences_from_long(df, "unit", "when", "y")
    assert [x.ravel().tolist() for x in X] == [[2.5, 0.5], [1.5, 3.5], [4.5]]
    assert (y.tolist(), y.dtype.kind, groups.tolist()) == ([30, 4, 5], "i", [9, 7, 8])


def test_dates_as_objects_of_pandas():
    df = pd.DataFrame(changed(when=[date(2020, 1, day) for day in SMALL["when"]]))
    assert sequences_from_long(df, "unit", "when", "y")[0][0].tolist() == [[2.5], [0.5]]


def test_neighboring_large_integers_differ(library):
    """float64 cannot tell these times apart."""
    df = library(changed(when=[2**62 + 1, 5, 2**62, 6, 7]))
    assert sequences_from_long(df, "unit", "when", "y")[0][0].tolist() == [[2.5], [0.5]]


@pytest.mark.parametrize("n_groups", [200, 300, 70_000])
def test_many_groups(library, n_groups):
    """Numbers of groups take one, two or four bytes."""
    rng = np.random.default_rng(0)
    unit = rng.permutation(np.repeat(np.arange(n_groups), 2))
    df = library({"unit": unit, "when": rng.permutation(2 * n_groups), "x": unit.astype(float)})
    X, _, groups = sequences_from_long(df, "unit", "when", features=["x", "when"])
    assert groups.tolist() == list(dict.fromkeys(unit.tolist()))
    np.testing.assert_array_equal(X.values[:, 0], np.repeat(groups, 2))
    assert (X.values[1::2, 1] > X.values[::2, 1]).all()


def test_table_and_results_are_apart(library):
    df = library(changed(unit=[1, 2, 1, 2, 3]))
    before = as_columns(df)
    X, y, groups = sequences_from_long(df, "unit", "when", "x", features=["when"], return_sequences=True)
    for array in (X.values, groups, *y):
        array[...] = array[0]
    assert as_columns(df) == before


def test_groups_split_sequences():
    df = pd.DataFrame(SMALL)
    X, y, groups = sequences_from_long(df, "unit", "when", "y")
    for train, test in GroupKFold(3).split(X, y, groups):
        assert len(X[train]) == 2
        assert len(X[test]) == 1


@pytest.mark.parametrize(
    ("columns", "arguments", "error", "message"),
    [
        ({}, {"group": "id"}, ValueError, r"group='id': expected .* columns of df, \['unit', 'when', 'x', 'y'\]"),
        ({}, {"group": ["unit", "x"]}, ValueError, r"group=\['unit', 'x'\]: expected one of the columns"),
        ({}, {"time": "t"}, ValueError, "time='t': expected one of the columns"),
        ({}, {"target": "z"}, ValueError, "target='z': expected one of the columns"),
        ({}, {"target": ["y", "z"]}, ValueError, "target='z': expected one of the columns"),
        ({}, {"target": []}, ValueError, r"target=\[\]: expected a column"),
        ({}, {"features": ["z"]}, ValueError, "features='z': expected one of the columns"),
        ({}, {"features": "x"}, TypeError, r"features='x': expected a list of columns, \['x'\]"),
        ({}, {"features": []}, ValueError, "df has no features"),
        ({}, {"target": ["x", "y"]}, ValueError, "df has no features: its columns are .* more than group, time"),
        ({}, {"features": ["x", "x"]}, ValueError, r"features=\['x', 'x'\]: expected different columns"),
        ({}, {"time": "unit"}, ValueError, "group and time are both 'unit'"),
        ({}, {"target": "when"}, ValueError, "target='when' is the group or the time"),
        ({}, {"target": "x", "features": ["x"]}, ValueError, r"features=\['x'\]: .* none of the targets \['x'\]"),
        ({"unit": ["b", "a", None, "a", "c"]}, {}, ValueError, r"df\['unit'\] is missing in row 2"),
        ({"unit": [1.0, 2.0, 1.0, float("nan"), 2.0]}, {}, ValueError, r"df\['unit'\] is missing in row 3"),
        ({"when": [2.0, 1.0, 1.0, float("nan"), 2.0]}, {}, ValueError, r"df\['when'\] is missing in row 3"),
        ({"when": [2, 1, 1, None, 2]}, {}, ValueError, r"df\['when'\] is missing in row 3"),
        (
            {"when": [datetime(2020, 1, 1), None, None, None, None]}, {}, ValueError,
            r"df\['when'\] is missing in row 1: expected a group and a time in every row",
        ),
        ({"when": [2, 1, 2, 2, 2]}, {}, ValueError, "has the time 2 twice in the group 'b', in rows 0 and 2"),
        (
            {"unit": [7, 8, 9, 8, 8], "when": ["s", "r", "s", "s", "r"]}, {}, ValueError,
            "the time 'r' twice in the group 8, in rows 1 and 4",
        ),
        ({"x": ["1", "2", "3", "4", "5"]}, {}, TypeError, r"df\['x'\] has dtype String, expected numbers: encode them"),
        (
            {"x": [datetime(2020, 1, 1)] * 5}, {}, TypeError,
            r"df\['x'\] has dtype Datetime.* to seconds by \(t - t.min\(\)\).dt.total_seconds\(\).*features=\[\.\.\.\]",
        ),
        ({"x": [timedelta(1)] * 5}, {}, TypeError, r"df\['x'\] has dtype Duration.*features=\[\.\.\.\]"),
        ({"y": [timedelta(1)] * 5}, {}, TypeError, r"df\['y'\] has dtype Duration.*for a target"),
        ({"y": ["u", "v", "u", "w", "w"]}, {}, ValueError, "'v' in row 1 and 'w' in row 3, both in the group 'a'"),
        ({"y": [1, 0, 2, 0, 3]}, {}, ValueError, r"df\['y'\] is 1 in row 0 and 2 in row 2, both in the group 'b'"),
        ({"y": ["u", "v", None, "v", "w"]}, {}, ValueError, r"df\['y'\] is missing in row 2, of the group 'b'"),
        ({"y": [1.0, 0.0, 1.0, float("nan"), 5.0]}, {}, ValueError, r"df\['y'\] is missing in row 3, of the group 'a'"),
    ],
)
def test_bad_input(library, columns, arguments, error, message):
    df = library(changed(**columns))
    with pytest.raises(error, match=message):
        sequences_from_long(df, **{"group": "unit", "time": "when", "target": "y"} | arguments)


def test_lists_are_neither_groups_nor_features_nor_targets(library):
    for name in ("unit", "x", "y"):
        with pytest.raises(TypeError, match=rf"df\['{name}'\]"):
            sequences_from_long(library(changed(**{name: [[1], [2], [1], [2], [5]]})), "unit", "when", "y")


def test_objects_that_cannot_be_sorted():
    with pytest.raises(TypeError, match=r"df\['when'\] cannot be sorted"):
        sequences_from_long(pd.DataFrame(changed(when=[1, "2", 3, 4, 5])), "unit", "when", "y")
    for name in ("unit", "when"):
        df = pl.DataFrame(SMALL).with_columns(pl.Series(name, [{1}, 2, 3, "4", None], dtype=pl.Object))
        with pytest.raises(TypeError, match=rf"df\['{name}'\] has dtype Object"):
            sequences_from_long(df, "unit", "when", "y")


def test_names_that_repeat():
    df = pd.DataFrame([[1, 2, 3, 4]], columns=["unit", "when", "x", "x"])
    for table in (df, pa.Table.from_arrays([pa.array(df.iloc[:, j]) for j in range(4)], names=list(df))):
        with pytest.raises(ValueError, match="df has two columns 'x', expected different names: rename one"):
            sequences_from_long(table, "unit", "when")


def test_group_in_the_index():
    df = pd.DataFrame(SMALL).set_index(["unit", "when"])
    with pytest.raises(ValueError, match=r"group='unit': .* it is in the index, use df.reset_index\(\)"):
        sequences_from_long(df, "unit", "when", "y")
    assert sequences_from_long(df.reset_index(), "unit", "when", "y")[2].tolist() == ["b", "a", "c"]


@pytest.mark.parametrize("function", ["there", "back"])
def test_what_is_no_table(function):
    def call(df):
        return (
            sequences_from_long(df, "unit", "when", "y") if function == "there"
            else predictions_to_long([1, 2, 3], df, "unit", "when")
        )

    for bad in (SMALL, np.ones((5, 4)), pd.Series([1.0]), None):
        with pytest.raises(TypeError, match=f"df is a {type(bad).__name__}, expected a pandas or polars DataFrame"):
            call(bad)
    for df in (pd.DataFrame(SMALL)[:0], pl.DataFrame(SMALL)[:0], pa.table(SMALL)[:0]):
        with pytest.raises(ValueError, match="df has no rows"):
            call(df)


class TestPredictions:
    def test_of_groups(self, library):
        df = library(SMALL)
        back = {"unit": ["b", "a", "c"]}
        for y_pred in (np.array([3, 1, 2]), [3, 1, 2], pd.Series([3, 1, 2], index=[2, 0, 1])):
            assert as_columns(predictions_to_long(y_pred, df, "unit", "when")) == back | {"prediction": [3, 1, 2]}
        for y_pred in (np.array(["u", "v", "w"]), np.array(["u", "v", "w"], dtype=object), ["u", "v", "w"]):
            table = predictions_to_long(y_pred, df, "unit", "when", names="label")
            assert as_columns(table) == back | {"label": ["u", "v", "w"]}
        y_pred = np.array([[0.5, 0.25], [1.0, 0.0], [0.75, 0.125]])
        table = predictions_to_long(y_pred, df, "unit", "when")
        assert as_columns(table) == back | {"prediction_0": [0.5, 1, 0.75], "prediction_1": [0.25, 0, 0.125]}
        table = predictions_to_long(y_pred, df, "unit", "when", names=np.array([0, 1]))
        assert as_columns(table) == back | {"0": [0.5, 1, 0.75], "1": [0.25, 0, 0.125]}
        table = predictions_to_long(y_pred[:, :1], df, "unit", "when")
        assert as_columns(table) == back | {"prediction": [0.5, 1, 0.75]}

    @pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "?"])
    @pytest.mark.parametrize("as_objects", [False, True])
    def test_keep_their_kind(self, library, dtype, as_objects):
        y_pred = np.array([0, 1, 1], dtype=dtype)
        table = predictions_to_long(y_pred.astype(object) if as_objects else y_pred, library(SMALL), "unit", "when")
        actual = table["prediction"].to_numpy().dtype
        assert actual.kind == y_pred.dtype.kind if as_objects else actual == y_pred.dtype

    def test_of_rows(self, library):
        df = library(SMALL)
        pieces = [np.array([1, 2]), np.array([3, 4]), np.array([5])]
        objects = np.empty(3, dtype=object)
        objects[:] = pieces
        back = {"unit": SMALL["unit"], "when": SMALL["when"]}
        for y_pred in (pieces, objects, [[1, 2], [3, 4], [5]], RaggedArray(np.arange(1, 6), [2, 2, 1])):
            table = predictions_to_long(y_pred, df, "unit", "when", return_sequences=True)
            assert as_columns(table) == back | {"prediction": [2, 3, 1, 4, 5]}
        y_pred = [np.array([["p", "q"], ["r", "s"]]), np.array([["t", "u"], ["v", "w"]]), np.array([["x", "y"]])]
        table = predictions_to_long(y_pred, df, "unit", "when", return_sequences=True)
        assert as_columns(table) == back | {"prediction_0": list("rtpvx"), "prediction_1": list("suqwy")}

    @pytest.mark.parametrize("dtype", [float, object, str])
    def test_of_rows_when_all_lengths_are_equal(self, library, dtype):
        df = library({name: cells[:4] for name, cells in SMALL.items()})
        y_pred = np.array([[1, 2], [3, 4]]).astype(dtype)
        table = predictions_to_long(y_pred, df, "unit", "when", return_sequences=True)
        assert as_columns(table)["prediction"] == [y_pred[0, 1], y_pred[1, 0], y_pred[0, 0], y_pred[1, 1]]
        table = predictions_to_long(y_pred[:, :, None], df, "unit", "when", return_sequences=True)
        assert as_columns(table)["prediction"] == [y_pred[0, 1], y_pred[1, 0], y_pred[0, 0], y_pred[1, 1]]

    def test_index_of_pandas(self):
        df = pandas(SMALL)
        X, _, _ = sequences_from_long(df, "unit", "when", "y")
        table = predictions_to_long(X, df, "unit", "when", return_sequences=True)
        assert table.index.equals(df.index)
        assert table["prediction"].tolist() == SMALL["x"]
        assert predictions_to_long([1, 2, 3], df, "unit", "when").index.tolist() == [0, 1, 2]
        assert list(df.columns) == list(SMALL)

    def test_of_times_with_a_zone(self, library):
        when = [datetime(2020, 1, 1, tzinfo=ZoneInfo("Europe/Paris")) + timedelta(days=day) for day in SMALL["when"]]
        df = library(changed(when=when))
        table = predictions_to_long([[1, 2], [3, 4], [5]], df, "unit", "when", return_sequences=True)
        assert as_columns(table)["when"] == as_columns(df)["when"]
        assert as_columns(table)["prediction"] == [2, 3, 1, 4, 5]

    @pytest.mark.parametrize(
        ("y_pred", "arguments", "error", "message"),
        [
            ([1, 2], {}, ValueError, "y_pred has 2 predictions, expected 3"),
            ([[1, 2], [3, 4], [5]], {}, ValueError, "a sequence for each group, .* use return_sequences=True"),
            (
                np.array([[1, 2], [3, 4], [5]], dtype=object), {}, ValueError,
                "a sequence for each group, .* use return_sequences=True",
            ),
            (np.ones((3, 2, 1)), {}, ValueError, "a sequence for each group, .* use return_sequences=True"),
            (None, {}, TypeError, "y_pred is a NoneType"),
            (0.5, {"return_sequences": True}, TypeError, "y_pred is a float"),
            ([[1, 2], [3, 4]], {"return_sequences": True}, ValueError, "y_pred has 2 sequences, expected 3"),
            (
                [[1, 2], [3], [5]], {"return_sequences": True}, ValueError,
                r"y_pred\[1\] has shape \(1,\), expected \(2,\), a prediction for each row of the group 'a'",
            ),
            (
                [[[1], [2]], [[3, 0], [4, 0]], [[5]]], {"return_sequences": True}, ValueError,
                r"y_pred\[1\] has shape \(2, 2\), expected \(2, 1\)",
            ),
            ([1, 2, 3], {"return_sequences": True}, ValueError, r"y_pred\[0\] has shape \(\).* return_sequences=False"),
            (np.ones((3, 2, 1, 1)), {"return_sequences": True}, ValueError, r"y_pred\[0\] has shape \(2, 1, 1\)"),
            ([1, 2, 3], {"names": ["p", "q"]}, ValueError, "has 2 names, expected 1"),
            (np.ones((3, 2)), {"names": "p"}, ValueError, "has 1 names, expected 2"),
            (np.ones((3, 2)), {"names": ["p", "p"]}, ValueError, "expected different names"),
            ([1, 2, 3], {"names": "unit"}, ValueError, r"names=\['unit'\]: .* none of the columns \['unit'\]"),
            ([1, 2, 3], {"group": "id"}, ValueError, "group='id': expected one of the columns"),
            ([1, 2, 3], {"time": "id"}, ValueError, "time='id': expected one of the columns"),
            ([1, 2, 3], {"time": "unit"}, ValueError, "group and time are both 'unit'"),
        ],
    )
    def test_bad_input(self, library, y_pred, arguments, error, message):
        with pytest.raises(error, match=message):
            predictions_to_long(y_pred, library(SMALL), **{"group": "unit", "time": "when"} | arguments)

    def test_the_same_time_twice(self, library):
        df = library(changed(when=[1, 1, 1, 2, 3]))
        with pytest.raises(ValueError, match="the time 1 twice in the group 'b', in rows 0 and 2"):
            predictions_to_long([[1, 2], [3, 4], [5]], df, "unit", "when", return_sequences=True)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("return_sequences", [False, True])
def test_through_a_net(library, return_sequences):
    """A table in, a table of predictions out, which are those of the rows."""
    rng = np.random.default_rng(0)
    unit, when = np.repeat(np.arange(20), 6), np.tile(np.arange(6), 20)
    level = rng.normal(size=20)
    x = level[unit] + 0.1 * rng.normal(size=120)
    y = (level[unit] + (0.5 * when if return_sequences else 0)).tolist()
    if return_sequences:
        y[7] = None
    rows = rng.permutation(120)
    df = library({"unit": unit[rows], "when": when[rows], "x": x[rows], "y": [y[row] for row in rows]})
    X, y, _ = sequences_from_long(df, "unit", "when", "y", return_sequences=return_sequences)
    net = RNNRegressor(
        8, cell="gru", return_sequences=return_sequences, learning_rate_init=0.05, max_iter=150, random_state=0
    ).fit(X, y)
    assert net.feature_names_in_.tolist() == ["x"]
    table = as_columns(predictions_to_long(net.predict(X), df, "unit", "when", return_sequences=return_sequences))
    wanted = level[table["unit"]] + (0.5 * when[rows] if return_sequences else 0)
    assert r2_score(wanted, table["prediction"]) > 0.9


def test_dictionaries_of_arrow():
    column = pa.chunked_array([pa.array([5, None, 7]).dictionary_encode()])
    table = pa.table({"g": [1, 1, 2], "t": [0, 1, 0], "a": column})
    X, _, _ = sequences_from_long(table, "g", "t")
    np.testing.assert_array_equal(X.values[:, 0], [5, np.nan, 7])
    _, y, _ = sequences_from_long(table, "g", "t", "a", features=["g"], return_sequences=True)
    np.testing.assert_array_equal(np.concatenate(y), [5, np.nan, 7])


def test_masked_predictions():
    df = pd.DataFrame({"g": [1, 2], "t": [0, 0]})
    with pytest.raises(ValueError, match="y_pred has masked values"):
        predictions_to_long(np.ma.masked_greater([1, 9], 3), df, "g", "t")


BEYOND = 2**53 + 1


def in_each_library(data):
    table = pl.DataFrame(data)
    return {
        "pandas": table.to_pandas(), "nullable": pd.DataFrame(data).convert_dtypes(), "polars": table,
        "Arrow": table.to_arrow(), "pandas with Arrow": table.to_arrow().to_pandas(types_mapper=pd.ArrowDtype),
    }


@pytest.mark.parametrize("library", ["pandas", "nullable", "polars", "Arrow", "pandas with Arrow"])
class TestLargeIntegers:
    """Beyond 2^53: the same in every library."""

    def test_features_are_rounded_and_targets_are_not(self, library):
        data = {"g": [BEYOND - 1, BEYOND - 1, BEYOND], "t": [BEYOND, BEYOND - 1, 0], "x": [1, BEYOND, 3]}
        df = in_each_library(data | {"y": [BEYOND, BEYOND, BEYOND + 2]})[library]
        X, y, groups = sequences_from_long(df, "g", "t", "y")
        assert X.values.tolist() == [[2.0**53], [1.0], [3.0]]
        assert y.tolist() == [BEYOND, BEYOND + 2]
        assert groups.tolist() == [BEYOND - 1, BEYOND]

    def test_missing_features(self, library):
        df = in_each_library({"g": [0, 0, 0], "t": [0, 1, 2], "x": [BEYOND, None, 3]})[library]
        X, _, _ = sequences_from_long(df, "g", "t")
        np.testing.assert_array_equal(X.values[:, 0], [2.0**53, np.nan, 3])

    def test_targets_beside_missing_ones(self, library):
        data = {"g": [0, 0, 0], "t": [0, 1, 2], "x": [1, 2, 3], "y": [None, BEYOND + 1, 3]}
        df = in_each_library(data)[library]
        if library == "pandas":         # has made floats of them
            return
        with pytest.raises(ValueError, match=r"df\['y'\] is 9007199254740994 in row 1, and missing in others.*2\*\*53"):
            sequences_from_long(df, "g", "t", "y", return_sequences=True)
        small = in_each_library(data | {"y": [None, 2**53, 3]})[library]
        _, y, _ = sequences_from_long(small, "g", "t", "y", return_sequences=True)
        np.testing.assert_array_equal(y[0], [np.nan, 2.0**53, 3])


def test_names_of_predictions_that_are_none():
    df = pd.DataFrame({"g": [0, 1], "t": [0, 0], "x": [1.0, 2.0]})
    with pytest.raises(TypeError, match="names=5: expected a str or a list of str"):
        predictions_to_long(np.ones(2), df, "g", "t", names=5)


class TestPredictionsOfSomeGroups:
    """As after ``train_test_split`` of sequences: groups in any order, rows of others beside them."""

    @pytest.mark.parametrize("group", GROUPS)
    @pytest.mark.parametrize("return_sequences", [False, True])
    def test_go_to_their_groups(self, library, group, return_sequences):
        of_rows = [3, 0, 4, 0, 3, 4, 4]
        df = library({"g": [GROUPS[group](i) for i in of_rows], "t": list(range(7)), "x": [float(i) for i in of_rows]})
        X, _, groups = sequences_from_long(df, "g", "t", return_sequences=return_sequences)
        said = [x[:, 0] for x in X] if return_sequences else np.array([x[0, 0] for x in X])
        some = [len(X) - 1, 0]                              # not in the order of df, and of three groups not the second
        given = [said[i] for i in some]
        table = as_columns(predictions_to_long(
            given, df, "g", "t", return_sequences=return_sequences, groups=groups[some]
        ))
        whole = as_columns(predictions_to_long(said, df, "g", "t", return_sequences=return_sequences))
        kept = [i for i, value in enumerate(whole["prediction"]) if value in np.hstack(given)]
        assert len(X) == (2 if group == "booleans" else 3)
        assert table == {name: [cells[i] for i in kept] for name, cells in whole.items()}

    def test_bad_groups(self):
        df = pd.DataFrame({"g": ["a", "b", "b"], "t": [0, 0, 1], "x": [1.0, 2.0, 3.0]})
        for groups, message in [
            (["c"], r"groups\[0\] is 'c', which is no group of df\['g'\]"), (["a", "a"], "groups has 'a' twice"),
            (["a", "b"], r"groups has shape \(2,\), expected \(1,\)"),
        ]:
            with pytest.raises(ValueError, match=message):
                predictions_to_long(np.zeros(2 if groups == ["a", "a"] else 1), df, "g", "t", groups=groups)
        with pytest.raises(TypeError, match="groups='a': expected an array"):
            predictions_to_long(np.zeros(1), df, "g", "t", groups="a")
        with pytest.raises(ValueError, match=r"y_pred has 1 predictions, expected 2.*say which by groups="):
            predictions_to_long(np.zeros(1), df, "g", "t")


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["31.01.2025", "01.02.2025"], "would be sorted by its first number: .*pd.to_datetime.*dayfirst=True"),
        (["1/31/2025 10:00", "2/1/2025 9:00"], "would be sorted by its first number"),
        (["9:00", "10:00"], "sorted as text, '10:00' before '9:00': convert it"),
        (["1", "2", "10"], "'10' before '2'"), (["-10", "-1.5"], "'-1.5' before '-10'"), (["09:00", "10:00:30"], None),
        (["2025-01-31", "2025-02-01T10:00"], None), (["20250131", "20250201"], None), (["b", "a1"], None),
    ],
)
def test_times_that_are_text(library, texts, message):
    """An error where the order of texts is not that of what they say."""
    df = library({"g": ["u"] * len(texts), "t": texts, "x": [float(i) for i in range(len(texts))]})
    if message is None:
        X, _, _ = sequences_from_long(df, "g", "t")
        assert X[0][:, 0].tolist() == np.argsort(texts).tolist()
        return
    for convert in (lambda: sequences_from_long(df, "g", "t"), lambda: predictions_to_long([0], df, "g", "t")):
        with pytest.raises(ValueError, match=message):
            convert()
