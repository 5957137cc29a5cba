"""Windows of long tables, against loops over rows, in three libraries; what is refused; ahead and back."""

from datetime import UTC, date, datetime, timedelta
from typing import ClassVar

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone

from skrnn.forecasting import ForecastWindows, SeasonalNaive, WindowTable

# The group "short" has no window
pytestmark = pytest.mark.filterwarnings("ignore:1 of 3 groups are left out:UserWarning")
LIBRARIES = {
    "pandas": lambda columns: pd.DataFrame(columns, index=np.arange(len(columns["y"])) % 3), "polars": pl.DataFrame,
    "lazy polars": pl.LazyFrame, "Arrow": pa.table,
}
TIMES = {
    "integers": lambda i: 5 * i - 7, "floats": lambda i: 0.1 * i, "dates": lambda i: date(2024, 2, 26) + timedelta(i),
    "times": lambda i: datetime(2024, 2, 28, 22) + timedelta(minutes=30 * i),
    "times with a zone": lambda i: datetime(2024, 3, 30, 22, tzinfo=UTC) + timedelta(hours=i),
    "durations": lambda i: timedelta(hours=6 * i),
    "months": lambda i: date(2023 + (i + 1) // 12, 1 + (i + 1) % 12, 15),
    "ends of months": lambda i: date(2023 + (i + 2) // 12, 1 + (i + 2) % 12, 1) - timedelta(1),
    "years": lambda i: datetime(2020 + i, 3, 1, 6),
}
LENGTHS = {"b": 9, "a": 6, "short": 3}
FIRST = {"b": 0, "a": 2, "short": 4}        # step of the first row


def rows_of(time):
    """Rows (group, time, y, known, past_only) by group and step."""
    rng = np.random.default_rng(0)
    return {
        (group, FIRST[group] + i): (group, TIMES[time](FIRST[group] + i), *rng.normal(size=3).round(3).tolist())
        for group, length in LENGTHS.items() for i in range(length)
    }


def columns_of(rows, shuffled=True):
    rows = list(rows.values())
    if shuffled:        # "b" comes first, so that groups are in the order above
        rows = [rows[i] for i in (0, *(1 + np.random.default_rng(1).permutation(len(rows) - 1)))]
    return dict(zip(("unit", "when", "y", "known", "past"), map(list, zip(*rows, strict=True)), strict=True))


def windows(**changes):
    parameters = {"known": ["known"], "past_only": ["past"], "group": "unit", "time": "when"} | changes
    return ForecastWindows(3, 2, "y", **parameters)


def column(table, name):
    return table[name].tolist() if isinstance(table, pd.DataFrame) else table[name].to_pylist() if isinstance(
        table, pa.Table
    ) else table[name].to_list()


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("time", TIMES)
def test_windows_are_those_of_a_loop(library, time):
    rows = rows_of(time)
    data = windows().make(LIBRARIES[library](columns_of(rows)))
    expected = {}
    for group in LENGTHS:
        for origin in range(20):
            steps = [rows.get((group, origin + k)) for k in range(-2, 3)]
            if None in steps:
                continue
            y, known, past = np.array([step[2:] for step in steps]).T
            X = np.column_stack([y, past, known, [0, 0, 0, 1, 1]])
            X[3:, 0], X[3:, 1] = y[:3].mean(), past[:3].mean()
            expected[group, origin] = X, y[3:]
    groups = ["b"] * 5 + ["a"] * 2
    # Groups come in order of their first rows, which shuffling may change
    found = sorted(range(len(data)), key=lambda i: (data.panel.keys[int(data.series[i])] != "b", data.origins[i]))
    assert [(groups[k], int(data.origins[i])) for k, i in enumerate(found)] == list(expected)
    for i, (X, y) in zip(found, expected.values(), strict=True):
        np.testing.assert_allclose(data.X[i], X, rtol=1e-14)
        np.testing.assert_array_equal(data.y[i], y)
    assert data.feature_names == ["y", "past", "known", "ahead"]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("time", TIMES)
def test_forecasts_stand_at_their_group_time_and_step(library, time):
    """Forecasts that are the truth stand beside it; times are those of the rows, in the table's own dtype."""
    rows = rows_of(time)
    df = LIBRARIES[library](columns_of(rows))
    data = windows(scaling="standard").make(df)
    table = data.to_frame({"net": data.y, "more": np.stack([data.y - 1, data.y], axis=2)}, quantiles=[0.1, 0.9])
    df = df.collect() if isinstance(df, pl.LazyFrame) else df
    assert type(table) is type(df)
    truth = {(group, when): y for group, when, y, *_ in rows.values()}
    keys = list(zip(column(table, "unit"), column(table, "when"), strict=True))
    if library == "pandas":
        assert table["when"].dtype.kind == df["when"].dtype.kind or table["when"].dtype.kind == "M"
    elif library == "Arrow":
        assert table.schema.field("when").type == df.schema.field("when").type
    else:
        assert table["when"].dtype == df["when"].dtype
    keys = [(group, plain(when, time)) for group, when in keys]
    truth = {(group, plain(when, time)): y for (group, when), y in truth.items()}
    np.testing.assert_array_equal(column(table, "step"), np.tile([1, 2], len(data)))
    for name in ("y", "net", "more_0.9"):
        np.testing.assert_allclose(column(table, name), [truth[key] for key in keys], rtol=1e-12)
    assert len({*zip(keys, column(table, "origin"), strict=True)}) == 2 * len(data)


def plain(when, time):
    """A time as one that compares with others."""
    if time == "floats":
        return round(when, 6)
    if isinstance(when, pd.Timestamp):
        when = when.to_pydatetime()
    if isinstance(when, date) and not isinstance(when, datetime):
        when = datetime(when.year, when.month, when.day)
    return when.to_pytimedelta() if isinstance(when, pd.Timedelta) else when


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(("y", "rows"), [([1.0, 2.0, 3.0], 3), ([np.nan] * 6, 6)], ids=["too short", "not known"])
def test_groups_without_a_window_are_named(y, rows):
    frame = pd.DataFrame({"unit": ["a"] * 6 + ["b"] * rows, "y": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, *y]})
    data = ForecastWindows(3, 2, "y", group="unit")
    with pytest.warns(UserWarning, match=rf"1 of 2 groups are left out.*there are {rows} rows in the group 'b'"):
        assert set(data.make(frame).series) == {0}


def test_arrays_are_one_series_of_rows_in_order():
    rows = np.arange(12.0).reshape(6, 2)
    data = ForecastWindows(2, 1, target=1, known=[0], step=2).make(rows)
    assert data.y.tolist() == [[7.0], [11.0]]
    assert data.X[0].tolist() == [[3, 2, 0], [5, 4, 0], [4, 6, 1]]
    assert {name: values.tolist() for name, values in data.to_frame(data.y).items()} == {
        "origin": [2, 4], "time": [3, 5], "step": [1, 1], "1": [7, 11], "forecast": [7, 11]
    }


def test_float32_stays():
    df = pd.DataFrame({"y": np.arange(9, dtype=np.float32), "k": np.arange(9, dtype=np.float32)})
    data = ForecastWindows(3, 1, "y", known=["k"], scaling="mean").make(df)
    assert data.X.dtype == data.y.dtype == np.float32
    assert ForecastWindows(3, 1, "y", known=["k"]).make(df.astype({"k": float})).X.dtype == np.float64


@pytest.mark.parametrize(("scaling", "level", "scale"), [
    (None, 0, 1), ("last", 6, 1), ("mean", 4, 1), ("standard", 4, np.sqrt(8 / 3)),
])
def test_units_of_windows(scaling, level, scale):
    windows = ForecastWindows(3, 2, 0, scaling=scaling)
    data = windows.make(np.array([2.0, 4, 6, 8, 11]))
    np.testing.assert_allclose(data.y, [(np.array([8, 11]) - level) / scale])
    np.testing.assert_allclose(data.X[0, :, 0], (np.array([2, 4, 6, 4, 4]) - level) / scale)
    np.testing.assert_allclose(data.inverse_transform(data.y), [[8, 11]])
    several = np.stack([data.y, data.y], axis=2)
    np.testing.assert_allclose(data.inverse_transform(several), [[[8, 8], [11, 11]]])
    with pytest.raises(ValueError, match=r"y has shape \(2,\), expected \(1, 2\)"):
        data.inverse_transform(data.y[0])


def test_a_constant_past_has_the_scale_one():
    data = ForecastWindows(3, 1, 0, scaling="standard").make(np.array([0.1, 0.1, 0.1, 5.0]))
    np.testing.assert_allclose(data.y, [[4.9]])


@pytest.mark.parametrize("scaling", [None, "last", "mean", "standard"])
def test_missing_targets_of_the_past_stay_missing(scaling):
    """Those of the future are missing in y; the mean and the units are of what is known."""
    data = ForecastWindows(3, 2, 0, scaling=scaling).make(np.array([2.0, 6.0, np.nan, np.nan, 8.0, 1.0]), origins=[2])
    np.testing.assert_array_equal(np.isnan(data.X[0, :, 0]), [False, False, True, False, False])
    np.testing.assert_array_equal(np.isnan(data.y), [[True, False]])
    np.testing.assert_allclose(data.inverse_transform(data.X[:, 3:, 0]), [[4, 4]])
    np.testing.assert_allclose(data.inverse_transform(data.y)[0, 1], 8)


def test_windows_without_any_target_are_left_out():
    values = np.array([np.nan, np.nan, 1.0, 2.0, np.nan, np.nan, np.nan])
    data = ForecastWindows(2, 2, 0).make(values)
    np.testing.assert_array_equal(data.origins, [2])
    with pytest.raises(ValueError, match="df has no window: expected past=4 rows"):
        ForecastWindows(4, 4, 0).make(values)


class TestAhead:
    columns: ClassVar = {
        "unit": ["a"] * 5 + ["b"] * 6, "when": [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 5],
        "y": [1.0, 2, 3, None, None, 2.0, 4, 6, 8, None, None], "known": [0.0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
        "past": [1.0, 1, 1, None, None, 2, 2, 2, 2, None, None],
    }

    @pytest.mark.parametrize("library", LIBRARIES)
    def test_the_windows_end_where_the_target_is_known_last(self, library):
        data = windows().ahead(LIBRARIES[library](self.columns))
        assert np.isnan(data.y).all()
        np.testing.assert_array_equal(data.X[0], [[1, 1, 0, 0], [2, 1, 1, 0], [3, 1, 2, 0], [2, 1, 3, 1], [2, 1, 4, 1]])
        np.testing.assert_array_equal(data.X[1, :, 0], [4, 6, 8, 6, 6])
        table = data.to_frame([[1, 2], [3, 4]])
        assert column(table, "when") == [3, 4, 4, 5]
        assert column(table, "origin") == [2, 2, 3, 3]
        assert column(table, "unit") == ["a", "a", "b", "b"]

    @pytest.mark.parametrize("scaling", [None, "last", "mean", "standard"])
    def test_it_is_the_window_that_was_cut_when_the_future_was_known(self, scaling):
        values = np.random.default_rng(0).normal(size=(30, 3))
        windows = ForecastWindows(5, 3, 0, known=[1], past_only=[2], scaling=scaling)
        later = windows.make(values, origins=[20])
        values[21:, [0, 2]] = np.nan
        now = windows.ahead(values)
        np.testing.assert_array_equal(now.X, later.X)
        np.testing.assert_array_equal((now.level, now.scale), (later.level, later.scale))

    def test_without_known_columns_no_rows_are_needed(self):
        df = pd.DataFrame({"day": pd.date_range("2024-02-27", periods=3), "y": [1.0, 2.0, 3.0]})
        data = ForecastWindows(2, 2, "y", time="day").ahead(df)
        assert data.to_frame([[4, 5]])["day"].dt.day.tolist() == [1, 2]

    @pytest.mark.parametrize(("changes", "message"), [
        ({"known": [0.0, 1, 2, 3, 4, 5, 6, 7, 8, 9, None]}, r"no 'known' at step 2 after .* in the group 'b'"),
        ({"y": [1.0, 2, None, None, None, 2, 4, 6, 8, None, None]}, r"df has 2 rows in the group 'a' up to the last"),
        ({"y": [None] * 5 + [2.0, 4, 6, 8, None, None]}, r"df has 0 rows in the group 'a'"),
    ])
    def test_what_is_not_known_ahead_is_named(self, changes, message):
        with pytest.raises(ValueError, match=message):
            windows().ahead(pd.DataFrame(self.columns | changes))

    def test_too_few_rows_are_named(self):
        df = pd.DataFrame(self.columns).iloc[:4]
        with pytest.raises(ValueError, match=r"no 'known' at step 2 after the last known target in the group 'a'"):
            windows().ahead(df)


@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize("library", ["pandas", "polars", "Arrow"])
def test_gaps_are_named(library, time):
    rows = rows_of(time)
    del rows["b", 4]
    with pytest.raises(ValueError, match=r"df\['when'\] goes from .* to .* in the group 'b', where most steps are "):
        windows().make(LIBRARIES[library](columns_of(rows)))


def test_groups_on_different_grids_are_named():
    df = pd.DataFrame({"unit": list("aaabbb"), "when": [0, 2, 4, 1, 3, 5], "y": range(6)})
    with pytest.raises(ValueError, match="begins at 1 in the group 'b', between two steps"):
        ForecastWindows(1, 1, "y", group="unit", time="when").make(df)


DAYS = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=9), "y": np.arange(9.0), "name": ["x"] * 9})


@pytest.mark.parametrize(("parameters", "error", "message"), [
    ({"target": "z"}, ValueError, r"target='z': expected one of the columns of df, \['day'"),
    ({"known": ["z"]}, ValueError, "known='z': expected one of the columns"),
    ({"past_only": ["z"]}, ValueError, "past_only='z'"),
    ({"group": "z"}, ValueError, "group='z'"),
    ({"time": "z"}, ValueError, "time='z'"),
    ({"known": ["y"]}, ValueError, "expected different columns"),
    ({"known": ["name"]}, TypeError, r"known='name': df\['name'\] has dtype String, expected numbers"),
    ({"past_only": ["day"]}, TypeError, r"past_only='day': df\['day'\] has dtype Datetime"),
    ({"time": "name"}, ValueError, "the time 'x' twice"),
    ({"known": "day"}, ValueError, "The 'known' parameter of ForecastWindows"),
    ({"past": 0}, ValueError, "The 'past' parameter"),
    ({"horizon": 1.5}, ValueError, "The 'horizon' parameter"),
    ({"scaling": "max"}, ValueError, "The 'scaling' parameter"),
    ({"past": 9}, ValueError, "df has no window: expected past=9 rows up to an origin and horizon=2 after it"),
])
def test_what_cannot_be_used_is_named(parameters, error, message):
    made = clone(ForecastWindows(2, 2, "y", time="day")).set_params(**parameters)
    for call in (made.make, made.ahead) if "past" not in parameters else (made.make,):
        with pytest.raises(error, match=message):
            call(DAYS)


@pytest.mark.parametrize(("df", "error", "message"), [
    ({"y": [1, 2]}, TypeError, "df is a dict, expected a pandas or polars DataFrame"),
    (pd.Series([1.0, 2.0]), TypeError, r"df is a Series, expected .* an array of rows: pass df.reset_index\(\)"),
    (pl.Series([1.0, 2.0]), TypeError, r"df is a Series, expected .*: pass df.to_frame\(\)"),
    (pd.DataFrame({"y": [1.0]}).set_index("y"), ValueError, r"target='y': .*; it is in the index, use df.reset_index"),
    (pd.DataFrame({"y": []}), ValueError, "df has no rows"),
    (np.zeros((2, 2, 2)), ValueError, r"df has shape \(2, 2, 2\)"),
    (np.zeros((9, 2)), ValueError, r"target='y': expected one of the columns of df, \[0, 1\]"),
])
def test_what_is_no_table_is_refused(df, error, message):
    with pytest.raises(error, match=message):
        ForecastWindows(2, 1, "y").make(df)


@pytest.mark.parametrize("library", ["polars", "DuckDB"])
def test_lazy_frames_are_sorted_by_their_engine(library):
    """As if the rows came group by group in the order of their names."""
    columns = columns_of(rows_of("times"))
    table = pa.table(columns)
    lazy = pl.LazyFrame(columns) if library == "polars" else pytest.importorskip("duckdb").from_arrow(table)
    data, expected = windows().make(lazy), windows().make(table.sort_by([("unit", "ascending")]))
    np.testing.assert_array_equal(data.X, expected.X)
    assert column(data.to_frame(data.y), "unit") == column(expected.to_frame(data.y), "unit")
    if library == "DuckDB":
        with pytest.raises(ValueError, match="df is a DuckDBPyRelation, whose rows have no order"):
            windows(time=None).make(lazy)


@pytest.mark.parametrize("origins", [None, [23, 18]])
def test_windows_come_origin_by_origin(origins):
    data = windows().make(pd.DataFrame(columns_of(rows_of("integers"))), origins=origins)
    assert (np.diff(data.origins) >= 0).all()
    assert len(set(data.series.tolist())) == 2
    assert data.origins.tolist() == ([2, 3, 4, 4, 5, 5, 6] if origins is None else [5, 5, 6])


def test_rows_that_repeat_are_named_where_there_is_no_group():
    with pytest.raises(ValueError, match="twice in the group 'all rows', in rows 3 and 9"):
        ForecastWindows(2, 1, "y", time="day").make(pd.concat([DAYS, DAYS[3:4]]))


def test_arrays_have_no_columns_by_name():
    with pytest.raises(TypeError, match="time='day' is a column of a table, but df is an array"):
        ForecastWindows(2, 1, 0, time="day").make(np.zeros(9))


@pytest.mark.parametrize(("parameters", "taken"), [
    ({"target": "origin"}, "target='origin'"), ({"target": "step"}, "target='step'"),
    ({"group": "step"}, "group='step'"), ({"time": "origin"}, "time='origin'"), ({"target": "time"}, "target='time'"),
])
def test_columns_of_forecasts_that_would_have_one_name(parameters, taken):
    rows = np.arange(6.0)
    df = pd.DataFrame({"origin": rows, "y": rows, "step": 0.0, "time": 0.0})
    data = ForecastWindows(2, 1, **{"target": "y"} | parameters).make(df)
    with pytest.raises(ValueError, match=f"{taken} is the name of another column"):
        data.to_frame(data.y)


def test_periods_are_told_what_to_become():
    df = pd.DataFrame({"t": pd.period_range("2024-01", periods=9, freq="M"), "y": np.arange(9.0)})
    with pytest.raises(TypeError, match=r"has dtype period\[M\], expected .* of periods, `dt.to_timestamp`"):
        ForecastWindows(2, 1, "y", time="t").make(df)


def test_strings_have_no_distance():
    df = DAYS.assign(name=list("abcdefghi"))
    with pytest.raises(TypeError, match=r"df\['name'\] has dtype String, expected numbers, dates"):
        ForecastWindows(2, 1, "y", time="name").make(df)


class TestOrigins:
    def test_are_times(self):
        windows = ForecastWindows(2, 1, "y", time="day")
        for origin in ("2024-01-04", date(2024, 1, 4), pd.Timestamp("2024-01-04"), np.datetime64("2024-01-04")):
            assert windows.make(DAYS, origins=[origin]).y.tolist() == [[4.0]]

    def test_have_a_zone_where_times_have_one(self):
        zoned = DAYS.assign(day=DAYS["day"].dt.tz_localize("Asia/Tokyo"))
        windows = ForecastWindows(2, 1, "y", time="day")
        origin = pd.Timestamp("2024-01-04")
        for same in (origin.tz_localize("Asia/Tokyo"), datetime(2024, 1, 3, 15, tzinfo=UTC)):
            assert windows.make(zoned, origins=[same]).y.tolist() == [[4.0]]
        with pytest.raises(ValueError, match="expected one with a zone, as the times of df, which are of Asia/Tokyo"):
            windows.make(zoned, origins=[origin])
        with pytest.raises(ValueError, match="expected one without a zone"):
            windows.make(DAYS, origins=[origin.tz_localize("UTC")])

    @pytest.mark.parametrize("library", [pd.DataFrame, pl.from_pandas])
    @pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "UTC"])
    @pytest.mark.parametrize("frequency", ["D", "MS", "ME", "h"])
    def test_days_and_months_of_clocks_that_change(self, frequency, zone, library):
        """Days of a zone have 23 to 25 hours; its hours are even in UTC alone."""
        times = pd.date_range("2024-03-08", periods=32 * 24 if frequency == "h" else 32, freq=frequency, tz=zone)
        df = library(pd.DataFrame({"day": times, "y": np.arange(float(len(times)))}))
        origins = [times[4], times[23]]
        data = ForecastWindows(2, 2, "y", time="day").make(df, origins=[origins[0], origins[1].tz_convert("UTC")])
        table = data.to_frame(data.y)
        assert list(table["origin"]) == [origin for origin in origins for _ in range(2)]
        assert list(table["day"]) == [*times[5:7], *times[24:26]]
        assert table["day"].dtype == df["day"].dtype
        with pytest.raises(ValueError, match="the time of no step"):
            ForecastWindows(2, 2, "y", time="day").make(df, origins=[times[4] + pd.Timedelta(minutes=30)])

    @pytest.mark.parametrize(("time", "origins", "message"), [
        ("day", "2024-01-04", "expected a list of times"), (None, ["2024-01-04"], "expected a number, such as 0"),
    ])
    def test_of_another_kind_are_named(self, time, origins, message):
        with pytest.raises(TypeError, match=message):
            ForecastWindows(2, 1, "y", time=time).make(DAYS, origins=origins)

    def test_of_months(self):
        df = pd.DataFrame({"end": pd.date_range("2024-01-31", periods=6, freq="ME"), "y": np.arange(6.0)})
        windows = ForecastWindows(2, 1, "y", time="end")
        assert windows.make(df, origins=["2024-02-29"]).y.tolist() == [[2.0]]
        with pytest.raises(ValueError, match="origins has 2024-02-28"):
            windows.make(df, origins=["2024-02-28"])

    @pytest.mark.parametrize(("origin", "message"), [
        ("2024-01-01", "origins has 2024-01-01, at which no window ends: expected past=2"),
        ("2024-01-09", "at which no window ends"),
        ("2024-01-04T12", "the time of no step"),
        ("soon", "expected a date or a time"),
    ])
    def test_that_are_none_are_named(self, origin, message):
        with pytest.raises(ValueError, match=message):
            ForecastWindows(2, 1, "y", time="day").make(DAYS, origins=[origin])

    @pytest.mark.parametrize(("times", "origins", "message"), [
        ("times", "2024-01-04", "origins='2024-01-04': expected a list of times"),
        ("integers", 4, "origins=4: expected a list"), ("integers", ["a"], "origins has 'a', expected a number"),
        ("floats", [None], "origins has None, expected a number"),
        ("durations", ["a"], "origins has 'a', expected a duration"),
    ])
    def test_of_other_types_are_named(self, times, origins, message):
        with pytest.raises((TypeError, ValueError), match=message):
            windows().make(pd.DataFrame(columns_of(rows_of(times))), origins=origins)


class TestSeasonalNaive:
    def test_beside_a_loop(self):
        values = np.random.default_rng(0).normal(size=40)
        for season, horizon in ((1, 3), (4, 3), (4, 9), (7, 7)):
            data = ForecastWindows(8, horizon, 0).make(values)
            expected = [
                [values[origin + 1 + h - season * (1 + h // season)] for h in range(horizon)] for origin in data.origins
            ]
            np.testing.assert_array_equal(SeasonalNaive(season).fit(data.X, data.y).predict(data.X), expected)

    def test_what_is_missing_is_that_of_the_season_before(self):
        data = ForecastWindows(6, 2, 0).make(np.array([1.0, 2, 3, np.nan, np.nan, np.nan, 7, 8]))
        assert SeasonalNaive(2).fit(data.X, data.y).predict(data.X).tolist() == [[3.0, 2.0]]

    def test_what_no_season_before_has_is_the_last_known_value(self):
        data = ForecastWindows(4, 3, 0).make(np.array([5.0, np.nan, 7, np.nan, 1, 1, 1]))
        assert SeasonalNaive(2).fit(data.X, data.y).predict(data.X).tolist() == [[7.0, 7.0, 7.0]]
        data = ForecastWindows(3, 2, 0).make(np.array([5.0, np.nan, np.nan, 1, 1]))
        assert SeasonalNaive(2).fit(data.X, data.y).predict(data.X).tolist() == [[5.0, 5.0]]

    def test_what_cannot_be_used_is_named(self):
        data = ForecastWindows(3, 2, 0).make(np.arange(9.0))
        with pytest.raises(ValueError, match="a past of 3 steps, expected at least season=4"):
            SeasonalNaive(4).fit(data.X, data.y)
        with pytest.raises(ValueError, match="expected windows with a flag"):
            SeasonalNaive(1).fit(data.X[:, :, :1], data.y)
        with pytest.raises(ValueError, match=r"y has shape \(5,\), expected \(5, 2\)"):
            SeasonalNaive(1).fit(data.X, data.y[:, 0])


class TestWindowTable:
    def test_lags_and_what_is_known(self):
        rows = np.column_stack([np.arange(6.0), 10 + np.arange(6.0)])
        data = ForecastWindows(3, 2, 0, known=[1]).make(rows, origins=[3])
        assert WindowTable().fit_transform(data.X).tolist() == [[1, 2, 3, 11, 12, 13, 14, 15]]
        assert WindowTable([1, 3]).fit_transform(data.X).tolist() == [[3, 1, 13, 11, 14, 15]]

    @pytest.mark.parametrize("lags", [[0], [4], [1.5], [], "all"])
    def test_lags_outside_of_the_past_are_refused(self, lags):
        data = ForecastWindows(3, 2, 0).make(np.arange(9.0))
        with pytest.raises(ValueError, match="lags"):
            WindowTable(lags).fit(data.X)

    def test_other_windows_than_in_fit_are_refused(self):
        long, short = (ForecastWindows(past, 2, 0).make(np.arange(9.0)) for past in (3, 2))
        with pytest.raises(ValueError, match="windows with past=2, horizon=2 and 2 features, expected 3, 2 and 2"):
            WindowTable().fit(long.X).transform(short.X)

    @pytest.mark.parametrize("lags", [None, [1, 3]])
    def test_names_say_which_feature_at_which_step(self, lags):
        """Each value is its own name: 100 * feature + position in the window."""
        data = ForecastWindows(3, 2, 0, known=[1], past_only=[2]).make(np.zeros((5, 3)))
        names = ["y", "past", "known", "ahead"]
        X = np.array([[[100 * j + step for j in range(3)] + [step >= 3] for step in range(5)]], dtype=float)
        table = WindowTable(lags).fit(data.X)
        expected = [
            f"{names[int(value) // 100]}_" + (f"lag{3 - step}" if step < 3 else f"ahead{step - 2}")
            for value in table.transform(X)[0] for step in [int(value) % 100]
        ]
        assert table.get_feature_names_out(names).tolist() == expected
        frame = table.set_output(transform="pandas").transform(X)
        assert frame.columns[0] == ("x0_lag3" if lags is None else "x0_lag1")
        with pytest.raises(ValueError, match="input_features has 1 names, expected 4"):
            table.get_feature_names_out(["y"])
