"""SlidingWindow against windows cut by hand, and in model selection."""

import copy
import pickle

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from skrnn import RaggedArray, RNNRegressor
from skrnn.datasets import load_sunspots
from skrnn.preprocessing import SlidingWindow

rng = np.random.default_rng(0)
ROWS = rng.normal(size=(20, 3))
GROUPS = rng.choice(["b", "a", "c"], 20)


def assert_same(windows, expected):
    assert isinstance(windows, RaggedArray)
    assert len(windows) == len(expected)
    for one, other in zip(windows, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def by_hand(rows, window, groups=None, before=None, before_groups=None):
    """The windows of rows, one by one."""
    groups = np.zeros(len(rows)) if groups is None else groups
    out = []
    for i, group in enumerate(groups):
        own = rows[: i + 1][groups[: i + 1] == group]
        if before is not None:
            own = np.concatenate([before[before_groups == group] if before_groups is not None else before, own])
        out.append(own[-window:])
    return out


def frame(library):
    data = {"x": ROWS[:, 0], "series": GROUPS.tolist(), "y": ROWS[:, 1], "z": ROWS[:, 2]}
    if library == "pandas":
        return pd.DataFrame(data, index=np.zeros(20))
    return pl.DataFrame(data) if library == "polars" else pa.table(data)


@pytest.mark.parametrize("window", [1, 2, 5, 20, 100])
def test_windows(window):
    windows = SlidingWindow(window).fit_transform(ROWS)
    assert_same(windows, by_hand(ROWS, window))
    assert np.shares_memory(windows.values, ROWS) or window == 1


@pytest.mark.parametrize("window", [1, 3, 20])
@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_groups(window, library):
    transformer = SlidingWindow(window, group="series")
    windows = transformer.fit_transform(frame(library))
    assert_same(windows, by_hand(ROWS, window, GROUPS))
    assert windows.feature_names == ["x", "y", "z"]
    assert transformer.feature_names_in_.tolist() == ["x", "series", "y", "z"]
    assert transformer.get_feature_names_out().tolist() == ["x", "y", "z"]


@pytest.mark.parametrize("place", [0, 3, -1])
def test_group_by_position(place):
    numbers = np.unique(GROUPS, return_inverse=True)[1]
    X = np.insert(ROWS, place % 4, numbers, axis=1)
    assert_same(SlidingWindow(3, group=place).fit_transform(X), by_hand(ROWS, 3, GROUPS))
    labelled = X.astype(object)
    labelled[:, place] = GROUPS
    transformer = SlidingWindow(3, group=place).fit(labelled)
    assert_same(transformer.transform(labelled), by_hand(ROWS, 3, GROUPS))
    assert len(transformer.get_feature_names_out()) == 3


@pytest.mark.parametrize("window", [1, 4, 50])
def test_context(window):
    """The rows before are those of fit; they have windows of their own."""
    transformer = SlidingWindow(window, context=True)
    assert_same(transformer.fit_transform(ROWS[:12]), by_hand(ROWS[:12], window))
    expected = by_hand(ROWS, window)[12:]
    assert_same(transformer.transform(ROWS[12:]), expected)
    assert_same(pickle.loads(pickle.dumps(transformer)).transform(ROWS[12:]), expected)
    assert_same(SlidingWindow(window).fit(ROWS[:12]).transform(ROWS[12:]), by_hand(ROWS[12:], window))


def test_context_of_groups():
    table = frame("pandas")
    transformer = SlidingWindow(4, group="series", context=True).fit(table.iloc[:12])
    expected = by_hand(ROWS[12:], 4, GROUPS[12:], ROWS[:12], GROUPS[:12])
    assert_same(transformer.transform(table.iloc[12:]), expected)
    unknown = table.iloc[12:].assign(series="new")
    assert_same(transformer.transform(unknown), by_hand(ROWS[12:], 4))


def test_context_is_of_the_last_fit():
    transformer = SlidingWindow(3, context=True).fit(ROWS)
    assert set(transformer.context_) == {None}
    assert not hasattr(transformer.set_params(context=False).fit(ROWS), "context_")
    with pytest.raises(ValueError, match="needs the last rows of a fit with window=3"):
        transformer.set_params(context=True).transform(ROWS)
    transformer.fit(ROWS)
    with pytest.raises(ValueError, match="a fit with window=4, group=None"):
        transformer.set_params(window=4).transform(ROWS)
    with pytest.raises(ValueError, match="a fit with window=3, group=1"):
        transformer.set_params(window=3, group=1).transform(ROWS)


def test_context_keeps_no_more_than_it_needs():
    transformer = SlidingWindow(3, group="series", context=True).fit(frame("pandas"))
    for group, rows in transformer.context_.items():
        np.testing.assert_array_equal(rows, ROWS[group == GROUPS][-2:])


INDEXES = {
    "numbers": pd.RangeIndex(5, 45, 2),
    "years": pd.Index(np.arange(1900, 1920)),
    "seconds": pd.Index(np.arange(20) * 0.1 + 3),
    "days": pd.date_range("2020-01-28", periods=20),
    "days of a zone": pd.date_range("2020-03-20", periods=20, tz="Europe/Berlin"),
    "months": pd.date_range("2020-01-01", periods=20, freq="MS"),
    "ends of months": pd.date_range("2020-01-31", periods=20, freq="ME"),
    "working days": pd.bdate_range("2020-01-01", periods=20),
    "periods": pd.period_range("2020-01", periods=20, freq="Q"),
    "times": pd.timedelta_range("0s", periods=20, freq="90s"),
}


@pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES)
@pytest.mark.parametrize("n", [8, 12])
def test_an_index_shows_what_follows(index, n):
    """Rows directly after those of fit have them as context, these have none, and others are errors."""
    table = pd.DataFrame(ROWS, index=index, columns=list("abc"))
    transformer = SlidingWindow(4, context=True).fit(table.iloc[:n])
    for end in (n + 1, n + 3, 20):
        assert_same(transformer.transform(table.iloc[n:end]), by_hand(ROWS[:end], 4)[n:])
    scenario = table.iloc[n:] + 1
    assert_same(transformer.transform(scenario), by_hand(np.r_[ROWS[:n], ROWS[n:] + 1], 4)[n:])
    for end in (3, n, 20):
        assert_same(transformer.transform(table.iloc[:end]), by_hand(ROWS[:end], 4))
    for start in (1, n - 1, n + 1, 19):
        with pytest.raises(ValueError, match=r"the index of X begins with .* has to begin directly after them"):
            transformer.transform(table.iloc[start:])
        loaded = pickle.loads(pickle.dumps(transformer))
        with pytest.raises(ValueError, match="Fit SlidingWindow again to the rows before X"):
            loaded.transform(table.iloc[start : start + 1])
    assert_same(transformer.fit(table.iloc[:16]).transform(table.iloc[16:]), by_hand(ROWS, 4)[16:])
    assert_same(transformer.set_params(context=False).transform(table.iloc[3:]), by_hand(ROWS[3:], 4))


def test_an_index_without_spacing_shows_the_order():
    index = pd.to_datetime("2020-01-01") + pd.to_timedelta(np.cumsum(rng.integers(1, 9, 20)), unit="h")
    table = pd.DataFrame(ROWS, index=index)
    transformer = SlidingWindow(4, context=True).fit(table[:12])
    assert_same(transformer.transform(table[12:]), by_hand(ROWS, 4)[12:])
    with pytest.raises(ValueError, match="the index of X begins with"):
        transformer.transform(table[11:])


@pytest.mark.parametrize("index", [INDEXES["days"], INDEXES["periods"], INDEXES["numbers"]])
def test_an_index_of_groups(index):
    """Each group by itself; numbers are of rows of the table, and only have to increase."""
    table = pd.DataFrame({"x": ROWS[:, 0], "g": "a"}, index=index)
    table = pd.concat([table, table.assign(g="b", x=ROWS[:, 1])])
    before, after = table[np.tile(np.arange(20) < 12, 2)], table[np.tile(np.arange(20) >= 12, 2)]
    transformer = SlidingWindow(4, group="g", context=True).fit(before)
    expected = by_hand(ROWS[:, :1], 4)[12:] + by_hand(ROWS[:, 1:2], 4)[12:]
    assert_same(transformer.transform(after), expected)
    assert_same(transformer.transform(after.assign(g="c")), by_hand(np.r_[ROWS[12:, :1], ROWS[12:, 1:2]], 4))
    with pytest.raises(ValueError, match="the index of X, group 'b', begins with"):
        transformer.transform(pd.concat([after[:8], before[15:]]))
    if index is not INDEXES["numbers"]:
        with pytest.raises(ValueError, match="the index of X, group 'b', begins with"):
            transformer.transform(pd.concat([after[:8], after[9:]]))


CONTAINERS = {
    "array": lambda rows: rows,
    "float32": lambda rows: rows.astype(np.float32),
    "lists": lambda rows: rows.tolist(),
    "pandas, counted anew": pd.DataFrame,
    "pandas, countdown": lambda rows: pd.DataFrame(rows, index=np.arange(len(rows), 0, -1)),
    "pandas, one number": lambda rows: pd.DataFrame(rows, index=np.full(len(rows), 7)),
    "pandas, names that are numbers": lambda rows: pd.DataFrame(rows, index=np.arange(3, 3 + len(rows)) ** 7 % 23),
    "pandas, by name": lambda rows: pd.DataFrame(rows, index=[f"row {i}" for i in range(len(rows))]),
    "polars": lambda rows: pl.DataFrame(rows, schema=["a", "b", "c"]),
    "pyarrow": lambda rows: pa.table(dict(zip("abc", rows.T, strict=True))),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("n_rows", [1, 2, 5])
@pytest.mark.parametrize("of", CONTAINERS.values(), ids=CONTAINERS)
def test_without_an_index_all_calls_begin_with_the_same_row(of, n_rows):
    transformer = SlidingWindow(4, context=True).fit(of(ROWS[:12]))
    following = transformer.transform(of(ROWS[12:]))
    assert [len(window) for window in following] == [4] * 8
    for _ in range(2):
        for x, expected in zip(transformer.transform(of(ROWS[12 : 12 + n_rows])), following, strict=False):
            np.testing.assert_array_equal(x, expected)
        for start in (13, 12 + n_rows):
            with pytest.raises(ValueError, match="row 0 of X is not the one that followed the rows of fit in an earl"):
                transformer.transform(of(ROWS[start : start + n_rows]))
    moved = transformer.fit(of(ROWS[9:13])).transform(of(ROWS[13:]))
    for x, expected in zip(moved, following[1:], strict=True):
        np.testing.assert_array_equal(x, expected)


def test_without_an_index_rows_of_groups_begin_with_the_same():
    table = frame("polars")
    transformer = SlidingWindow(4, group="series", context=True).fit(table[:12])
    transformer.transform(table[12:14])
    transformer.transform(table[12:])
    with pytest.raises(ValueError, match=r"row [01] of X, group '[abc]', is not the one that followed"):
        transformer.transform(table[13:])


@pytest.mark.parametrize("of_rows", [
    lambda table: table.to_numpy(), lambda table: table, lambda table: pl.DataFrame(dict(table)),
    lambda table: table.set_axis(INDEXES["days"][: len(table)] + pd.Timedelta(days=table["x"].iloc[0]), axis=0),
], ids=["array", "counted", "polars", "dates"])
def test_a_group_that_fit_did_not_see_begins_with_the_same_row(of_rows):
    """Given row by row, each of its rows would have none before it."""
    series = pd.DataFrame({"g": 1, "x": np.arange(12.0)})
    new = pd.DataFrame({"g": 2, "x": np.arange(20.0, 26)})
    transformer = SlidingWindow(3, group=0, context=True).fit(of_rows(series))
    for end in (1, 6):
        assert_same(transformer.transform(of_rows(new[:end])), by_hand(new[["x"]].to_numpy(), 3)[:end])
    with pytest.raises(ValueError, match=r"row 0 of X, group 2.*, which fit did not see, is not the one that came"):
        transformer.transform(of_rows(new[1:2]))


def test_nothing_is_remembered_of_a_call_that_fails():
    table = np.c_[np.arange(20) % 2, ROWS]
    transformer = SlidingWindow(3, group=0, context=True).fit(table[:12])
    following = transformer.transform(table[12:13])
    with pytest.raises(ValueError, match=r"row 0 of X, group 0.0, is not the one"):
        transformer.transform(table[[14, 15]])
    again = transformer.transform(table[12:])
    assert_same(again, by_hand(ROWS, 3, table[:, 0])[12:])
    np.testing.assert_array_equal(again[0], following[0])


@pytest.mark.parametrize("of", [np.asarray, lambda rows: rows.astype(np.float32), pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("rows", [slice(3), slice(1), slice(9, 15), slice(11, 12)])
def test_rows_of_fit_do_not_follow_them(of, rows):
    """The first ones, or some of the last: their windows would begin with later rows, or have some twice."""
    transformer = SlidingWindow(4, context=True).fit(of(ROWS[:12]))
    with pytest.raises(ValueError, match=r"row 0 of X is one of the rows of fit: .*; or pass data frames whose index"):
        transformer.transform(of(ROWS[rows]))
    assert_same(transformer.transform(of(ROWS[12:])), transformer.transform(of(ROWS))[12:])


def test_rows_that_come_again_may_follow():
    """As categories do: that a row was in fit then tells nothing."""
    rows = np.arange(20)[:, None] % 4.0
    transformer = SlidingWindow(4, context=True).fit(rows[:16])
    assert_same(transformer.transform(rows[16:]), by_hand(rows, 4)[16:])
    transformer = SlidingWindow(4, context=True).fit(rows[1:4])
    assert_same(transformer.transform(rows[1:2]), by_hand(np.array([[1.0], [2], [3], [1]]), 4)[3:])


def test_names_need_valid_parameters_too():
    with pytest.raises(ValueError, match="The 'group' parameter"):
        SlidingWindow(2, group=0).fit(ROWS).set_params(group=[0]).get_feature_names_out()


def test_rows_of_fit_have_their_own_windows():
    """Training scores of a search see no future; rows after those of fit may follow."""
    transformer = SlidingWindow(4, context=True)
    for rows in (ROWS, frame("polars")["x", "y", "z"]):
        transformer.fit(rows[:12])
        for end in (12, 15, 20):
            assert_same(transformer.transform(rows[:end]), by_hand(ROWS[:end], 4))
        assert_same(transformer.transform(rows[12:]), by_hand(ROWS, 4)[12:])


def test_what_a_call_remembers_is_not_of_the_estimator():
    transformer = SlidingWindow(4, context=True).fit(ROWS[:12])
    before = joblib.hash(transformer)
    transformer.transform(ROWS[12:])
    assert joblib.hash(transformer) == before
    assert_same(copy.deepcopy(transformer).transform(ROWS[13:]), by_hand(np.r_[ROWS[:12], ROWS[13:]], 4)[12:])
    assert_same(SlidingWindow(1, context=True).fit(ROWS[:12]).transform(ROWS[15:]), by_hand(ROWS[15:], 1))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_gap_in_cross_validation():
    table = pd.DataFrame(ROWS, index=INDEXES["days"], columns=list("abc"))
    model = make_pipeline(SlidingWindow(3, context=True), RNNRegressor(2, max_iter=2, random_state=0))
    scores = cross_validate(
        model, table, ROWS[:, 0], cv=TimeSeriesSplit(3), return_train_score=True, error_score="raise"
    )
    plain = clone(model).set_params(slidingwindow__context=False).fit(table[:5], ROWS[:5, 0])
    assert scores["train_score"][0] == plain.score(table[:5], ROWS[:5, 0])
    assert scores["test_score"][0] != plain.score(table[5:10], ROWS[5:10, 0])
    message = "begins with 2020-02-02, that of the rows of fit goes from 2020-01-28 to 2020-01-31"
    with pytest.raises(ValueError, match=message):
        cross_validate(model, table, ROWS[:, 0], cv=TimeSeriesSplit(3, gap=1), error_score="raise")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("group", [None, "series"])
@pytest.mark.parametrize("context", [False, True])
def test_no_look_ahead(group, context):
    """Other rows from some time on change no prediction before it."""
    table = frame("pandas") if group else frame("pandas").drop(columns="series")
    y = ROWS[:, 0]
    model = make_pipeline(SlidingWindow(5, group=group, context=context), RNNRegressor(4, max_iter=3, random_state=0))
    model.fit(table, y)
    expected = model.predict(table)
    for now in (1, 7, 19):
        changed = table.copy()
        changed.iloc[now:, [0, -1]] = 1e3
        predicted = model.predict(changed)
        np.testing.assert_array_equal(predicted[:now], expected[:now])
        assert (predicted[now:] != expected[now:]).all()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_search_of_window_and_hidden_size():
    """Together, over splits in time, on a series whose value is that of three rows ago."""
    x = rng.normal(size=(400, 1))
    y = np.r_[0, 0, 0, x[:-3, 0]]
    model = make_pipeline(StandardScaler(), SlidingWindow(), RNNRegressor(
        learning_rate_init=0.02, max_iter=40, tol=1e-3, random_state=0))
    grid = {"slidingwindow__window": [2, 4], "rnnregressor__hidden_size": [1, 6]}
    search = GridSearchCV(model, grid, cv=TimeSeriesSplit(3), n_jobs=2, error_score="raise").fit(x, y)
    assert search.best_params_ == {"slidingwindow__window": 4, "rnnregressor__hidden_size": 6}
    assert search.best_score_ > 0.8
    scores = dict(zip(map(str, search.cv_results_["params"]), search.cv_results_["mean_test_score"], strict=True))
    assert max(score for name, score in scores.items() if "'slidingwindow__window': 2" in name) < 0.2


def test_groups_of_a_list_of_rows():
    X = [["a", 1.0], ["b", 2.0], ["a", 3.0]]
    assert_same(SlidingWindow(2, group=0).fit_transform(X), [[[1]], [[2]], [[1], [3]]])


def test_a_window_longer_than_the_series():
    assert_same(SlidingWindow(10**30).fit_transform(ROWS), by_hand(ROWS, 1000))
    assert_same(SlidingWindow(5).fit_transform(ROWS[:1]), [ROWS[:1]])


def test_groups_of_one_row():
    table = pd.DataFrame({"g": range(5), "x": np.arange(5.0)})
    assert_same(SlidingWindow(3, group="g", context=True).fit_transform(table), [[[i]] for i in range(5)])


def test_missing_values_pass():
    gaps = ROWS.copy()
    gaps[3, 1] = np.nan
    assert_same(SlidingWindow(3).fit_transform(gaps), by_hand(gaps, 3))
    with pytest.raises(ValueError, match="NaN: sequence 3, step 2, feature 1"):
        RNNRegressor().fit(SlidingWindow(3).fit_transform(gaps), np.zeros(20))


def test_dtype():
    windows = SlidingWindow(2, context=True)
    assert windows.fit_transform(ROWS.astype(np.float32)).dtype == np.float32
    assert windows.transform(ROWS.astype(np.float32)).dtype == np.float32
    assert windows.fit_transform(ROWS.astype(np.int8)).dtype == np.float64


@pytest.mark.parametrize(
    ("X", "parameters", "error", "message"),
    [
        (ROWS, {"group": 3}, ValueError, "group=3 is not a column: X has 3 columns"),
        (ROWS, {"group": "series"}, ValueError, "group='series' is not a column: X has no column names"),
        (frame("pandas"), {"group": "g"}, ValueError, r"'g' is not a column: X has the columns \['x', 'series'"),
        (frame("pandas"), {}, ValueError, "is '[abc]', expected a number"),
        (frame("pandas")[["series"]], {"group": "series"}, ValueError, "only the column of the group"),
        (pd.DataFrame({"g": ["a", None], "x": [1, 2]}), {"group": "g"}, ValueError, "row 1 of X has no group"),
        (pd.DataFrame({"g": [1.0, np.nan], "x": [1, 2]}), {"group": "g"}, ValueError, "row 1 of X has no group"),
        (pd.DataFrame({"g": [[1], [2]], "x": [1, 2]}), {"group": "g"}, ValueError, r"row 0 of X .*'g' is \[1\]"),
        (np.array([[1.0], [np.inf]]), {}, ValueError, "infinity: sequence 1, step 0, feature 0"),
        ([np.ones((2, 3)), np.ones((3, 3))], {}, ValueError, "inhomogeneous"),
        (np.ones((2, 3, 4)), {}, ValueError, r"dim 3: X has shape \(2, 3, 4\), expected a table \(n, columns\)"),
        ([frame("pandas")[["x"]]] * 2, {}, ValueError, r"of several series one table"),
        (list(frame("pandas").groupby("series")), {}, TypeError, r"X\[0\] is a tuple of 2.*\[rows for _, rows in"),
        (pd.DataFrame({"a": [[1.0, 2.0], [3.0]]}), {}, ValueError, "X holds lists, expected a number in every cell"),
        (pd.DataFrame({"a": [[1.0, 2.0], [3.0]], "g": [0, 1]}), {"group": "g"}, ValueError, "does not hold lists"),
        (np.ma.array(ROWS, mask=ROWS > 1), {}, ValueError, "X has masked values"),
        ([["a", 1.0, 2.0], ["b", "z", 3.0]], {"group": 0}, ValueError, r"\[1, 1\] is 'z', expected a number"),
        ([["a", 1.0, 2.0], ["b", np.inf, 3.0]], {"group": 0}, ValueError, "infinity: sequence 1, step 0, feature 1"),
        (frame("polars").lazy(), {}, TypeError, r"X is a LazyFrame, .* pass a table in memory, X.collect\(\)"),
        (ROWS, {"window": 0}, ValueError, "'window' parameter of SlidingWindow"),
        (ROWS, {"window": 2.0}, ValueError, "'window' parameter of SlidingWindow"),
        (ROWS, {"context": "yes"}, ValueError, "'context' parameter of SlidingWindow"),
    ],
)
def test_bad_input(X, parameters, error, message):
    transformer = SlidingWindow(**{"window": 3} | parameters)
    with pytest.raises(error, match=message):
        transformer.fit(X)
    assert not hasattr(transformer, "n_features_in_")


def test_other_columns_than_in_fit():
    transformer = SlidingWindow(3, group="series").fit(frame("pandas"))
    with pytest.raises(ValueError, match="feature names should match"):
        transformer.transform(frame("pandas")[["series", "x", "y", "z"]])
    with pytest.warns(UserWarning, match="valid feature names"), pytest.raises(ValueError, match="expecting 4"):
        transformer.transform(ROWS)
    with pytest.raises(NotFittedError):
        clone(transformer).transform(frame("pandas"))


def test_output_containers():
    """Those of other steps of a pipeline may be set; windows stay what they are."""
    model = make_pipeline(StandardScaler(), SlidingWindow(2, group="x")).set_output(transform="pandas")
    table = frame("pandas").drop(columns="series")
    assert isinstance(model.fit_transform(table), RaggedArray)
    with sklearn.config_context(transform_output="pandas"):
        assert isinstance(SlidingWindow(2).fit_transform(ROWS), RaggedArray)


@pytest.mark.filterwarnings("ignore::skrnn.exceptions.NothingLearnedWarning")
def test_names_reach_the_net():
    table = frame("pandas")
    model = make_pipeline(SlidingWindow(2, group="series"), RNNRegressor(2, tol=1.0, n_iter_no_change=1))
    model.fit(table, ROWS[:, 0])
    assert model[-1].feature_names_in_.tolist() == ["x", "y", "z"]


def test_sunspots_one_step_ahead():
    """Better than the last value, with windows that the pipeline makes by itself."""
    activity = load_sunspots().activity
    X, y = activity[:-1, np.newaxis], activity[1:]
    net = RNNRegressor(8, cell="gru", learning_rate_init=0.01, max_iter=150, tol=1e-3, random_state=0)
    model = make_pipeline(StandardScaler(), SlidingWindow(12), net).fit(X[:220], y[:220] / 100)
    error = np.mean((model.predict(X)[220:] * 100 - y[220:]) ** 2)
    assert error < 0.7 * np.mean((X[220:, 0] - y[220:]) ** 2)


NEEDS_ONE_ROW = {
    "check_methods_sample_order_invariance": "the order of rows is time",
    "check_methods_subset_invariance": "a window of more than one row holds rows before it",
}


@parametrize_with_checks(
    [SlidingWindow(), SlidingWindow(3)],
    expected_failed_checks=lambda transformer: NEEDS_ONE_ROW if transformer.window > 1 else {},
)
def test_estimator_checks(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore:X does not have valid feature names", "ignore:X has feature names")
@pytest.mark.parametrize(
    "name",
    ["check_dataframe_column_names_consistency", "check_param_validation", "check_get_feature_names_out_error",
     "check_set_output_transform"],
)
def test_estimator_checks_that_are_only_run_at_home(name):
    getattr(estimator_checks, name)("SlidingWindow", SlidingWindow())
