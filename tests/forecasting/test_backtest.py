"""Backtests: no forecast knows its future, refits, quantiles, the tables that come back."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge
from sklearn.metrics import max_error, mean_pinball_loss, root_mean_squared_error
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline

from skrnn import RNNRegressor
from skrnn.forecasting import ConformalForecaster, ForecastWindows, RollingOrigin, SeasonalNaive, WindowTable, backtest

PAST, HORIZON, LAST = 6, 3, 59


def frame(n=60, seed=0):
    """Two series with a known and a past-only column, of which one begins later."""
    rng = np.random.default_rng(seed)
    step = np.arange(n)
    parts = []
    for group, first in (("a", 0), ("b", 10)):
        known = rng.normal(size=n)
        y = np.sin(step / 2) + 0.5 * known + 0.1 * rng.normal(size=n)
        part = {"unit": group, "hour": pd.date_range("2024-01-01", periods=n, freq="h"), "y": y, "known": known}
        parts.append(pd.DataFrame(part | {"past": rng.normal(size=n)}).iloc[first:])
    return pd.concat(parts, ignore_index=True)


def windows(**changes):
    parameters = {"known": ["known"], "past_only": ["past"], "group": "unit", "time": "hour"} | changes
    return ForecastWindows(PAST, HORIZON, "y", **parameters)


def ridge():
    return make_pipeline(WindowTable(), Ridge())


class Means(BaseEstimator):
    """Predicts the mean of y in `fit`, which it counts, with quantiles in one or the other way."""

    fits = 0

    def __init__(self, quantiles=None):
        self.quantiles = quantiles

    def fit(self, X, y):
        type(self).fits += 1
        self.n_, self.mean_, self.y_ = len(X), y.mean(axis=0), y
        return self

    def predict(self, X):
        if self.quantiles is None:
            return np.tile(self.mean_, (len(X), 1))
        return np.tile(np.quantile(self.y_, self.quantiles, axis=0).T, (len(X), 1, 1))


class Spread(Means):
    """Says quantiles when asked."""

    def predict_quantile(self, X, quantiles):
        return Means(quantiles).fit(X[: len(self.y_)], self.y_).predict(X)


@pytest.mark.parametrize("model", [
    SeasonalNaive(3), ridge(), ConformalForecaster(ridge(), [0.2, 0.8]), RNNRegressor(3, max_iter=2, random_state=0),
    RNNRegressor(3, standardize="sequence", max_iter=2, random_state=0),
], ids=lambda model: type(model).__name__)
@pytest.mark.parametrize(("refit", "scaling"), [(True, None), (False, "standard"), (2, "last")])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_changed_future_changes_no_forecast(model, refit, scaling):
    df, made = frame(), windows(scaling=scaling)
    quantiles = [0.2, 0.8] if isinstance(model, ConformalForecaster) else None
    result = backtest(model, df, made, origins=3, refit=refit, quantiles=quantiles).forecasts
    name = result.columns[-1]
    for origin in sorted(set(result["origin"])):
        changed = df.copy()
        changed.loc[changed["hour"] > origin, ["y", "past"]] = 1e3
        again = backtest(model, changed, made, origins=3, refit=refit, quantiles=quantiles).forecasts
        before = (result["origin"] <= origin).to_numpy()
        assert result[name][before].tolist() == again[name][before].tolist()
        assert before.any()


@pytest.mark.parametrize(("refit", "fits"), [(False, 1), (True, 4), (1, 4), (2, 2), (3, 2), (10, 1)])
def test_how_often_models_are_fitted(refit, fits):
    Means.fits = 0
    result = backtest(Means(), frame(), windows(step=2), origins=4, refit=refit)
    assert Means.fits == fits
    every = refit if refit > 1 else 1 if refit else 4
    known = [
        (LAST - HORIZON - (3 - k // every * every) * HORIZON) - HORIZON for k in range(4)
    ]       # last origin to train on
    rows = frame()
    for origin, part in result.forecasts.groupby("origin"):
        k = sorted(set(result.forecasts["origin"])).index(origin)
        expected = []
        for group, first in (("a", 0), ("b", 10)):
            y = rows["y"][rows["unit"] == group].to_numpy()
            last = known[k]
            # every second window, counted back from the origin before which it was fitted
            ends = [end for end in range(first + PAST - 1, last + 1) if (last + HORIZON - end) % 2 == 0]
            expected += [y[end - first + 1 : end - first + 1 + HORIZON] for end in ends]
        np.testing.assert_allclose(part["Means"], np.tile(np.mean(expected, axis=0), 2))


@pytest.mark.parametrize("library", [lambda df: df, pl.from_pandas, lambda df: pl.from_pandas(df).lazy(),
                                     lambda df: pa.Table.from_pandas(df, preserve_index=False)])
def test_the_tables_are_of_the_library_of_the_data(library):
    models = {"naive": SeasonalNaive(3), "ridge": ridge()}
    expected = backtest(models, frame(), windows(), origins=2)
    df = library(frame())
    result = backtest(models, df, windows(), origins=2)
    kind = pl.DataFrame if isinstance(df, pl.LazyFrame) else type(df)
    for table, same in (
        (result.forecasts, expected.forecasts), (result.metrics, expected.metrics),
        (result.metrics_by("step"), expected.metrics_by("step")),
        (result.metrics_by("group"), expected.metrics_by("group")),
        (result.metrics_by("origin"), expected.metrics_by("origin")),
    ):
        assert type(table) is kind
        table = table if isinstance(table, pd.DataFrame) else table.to_pandas()
        pd.testing.assert_frame_equal(table, same, check_dtype=False)


def test_metrics_are_those_of_the_forecasts():
    models = {"naive": SeasonalNaive(3), "ridge": ridge()}
    result = backtest(models, frame(), windows(scaling="mean"), origins=4, metrics=["rmse", max_error])
    table = result.forecasts
    assert list(table.columns) == ["unit", "origin", "hour", "step", "y", "naive", "ridge"]
    assert len(table) == 2 * 4 * HORIZON
    truth = frame().set_index(["unit", "hour"])["y"]
    np.testing.assert_allclose(table["y"], truth.loc[[*zip(table["unit"], table["hour"], strict=True)]])
    for row in result.metrics.itertuples():
        assert row.rmse == pytest.approx(root_mean_squared_error(table["y"], table[row.model]))
        assert row.max_error == pytest.approx(max_error(table["y"], table[row.model]))
    for column, name in (("step", "step"), ("origin", "origin"), ("group", "unit")):
        by = result.metrics_by(column)
        assert list(by.columns) == ["model", name, "rmse", "max_error"]
        for row in by.itertuples():
            part = table[table[name] == getattr(row, name)]
            assert row.rmse == pytest.approx(root_mean_squared_error(part["y"], part[row.model]))
    named = backtest(models, frame(), windows(), origins=4, metrics={"worst": max_error})
    assert list(named.metrics.columns) == ["model", "worst"]


def test_quantiles():
    """Of a model that predicts them, of one with `predict_quantile`, and of one that has none."""
    quantiles = [0.1, 0.5, 0.9]
    models = {"several": Means(quantiles), "naive": Spread(), "ridge": ridge()}
    result = backtest(models, frame(), windows(), origins=5, quantiles=quantiles)
    table, metrics = result.forecasts, result.metrics.set_index("model")
    assert list(table.columns[5:]) == [
        "several", "several_0.1", "several_0.5", "several_0.9", "naive", "naive_0.1", "naive_0.5", "naive_0.9", "ridge"
    ]
    np.testing.assert_array_equal(table["several"], table["several_0.5"])
    for name in ("several", "naive"):
        losses = [mean_pinball_loss(table["y"], table[f"{name}_{q}"], alpha=q) for q in quantiles]
        assert metrics.loc[name, "pinball"] == pytest.approx(np.mean(losses))
        held = table["y"].between(table[f"{name}_0.1"], table[f"{name}_0.9"])
        assert metrics.loc[name, "coverage"] == pytest.approx(held.mean())
        width = (table[f"{name}_0.9"] - table[f"{name}_0.1"]).mean()
        assert metrics.loc[name, "width"] == pytest.approx(width)
    assert metrics.loc["ridge", ["pinball", "coverage", "width"]].isna().all()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::skrnn.exceptions.NothingLearnedWarning")
@pytest.mark.parametrize("loss", ["gaussian", "quantile"])
def test_nets_are_asked_for_the_quantiles_also_in_a_pipeline(loss):
    """Not taken for others, where a net predicts as many."""
    net = RNNRegressor(3, loss=loss, quantile=[0.1, 0.5, 0.9], max_iter=2, random_state=0)
    models = {"net": net, "pipe": make_pipeline("passthrough", net)}
    result = backtest(models, frame(), windows(), origins=2, quantiles=[0.2, 0.5, 0.8])
    X = result.data.X
    expected = result.models["net"].predict_quantile(X, [0.2, 0.5, 0.8])
    for name in models:
        np.testing.assert_array_equal(result.by_model[name].spread, expected)


def test_forecasts_that_are_no_numbers_are_named():
    class Gaps(Means):
        def predict(self, X):
            return np.where(np.arange(HORIZON) == 1, np.nan, super().predict(X))

    with pytest.raises(ValueError, match=r"models\['Gaps'\] predicts nan at the origin .*2024-01-03.*, step 2 in"):
        backtest(Gaps(), frame(), windows(), origins=1)


def test_one_step_of_estimators_that_predict_rows():
    """Horizon 1, where estimators return (n,)."""
    made = ForecastWindows(4, 1, "y", group="unit", time="hour")
    result = backtest({"rows": ridge(), "columns": make_pipeline(WindowTable(), MultiOutputRegressor(Ridge()))},
                      frame(), made, origins=3)
    np.testing.assert_allclose(result.forecasts["rows"], result.forecasts["columns"])


def test_missing_targets_are_neither_trained_on_nor_counted():
    df = frame()[lambda df: df["unit"] == "a"]
    df.loc[[20, LAST], "y"] = np.nan
    made = ForecastWindows(1, HORIZON, "y", time="hour", known=["known"])
    result = backtest({"a": Means()}, df, made, origins=1)
    # 54 windows end before the future to forecast; three of them have row 20 in the future, one has it as its past
    assert result.models["a"].n_ == 54 - 3 - 1
    np.testing.assert_array_equal(np.isnan(result.forecasts["y"]), [False, False, True])
    error = (result.forecasts["y"] - result.forecasts["a"]).abs()
    assert result.metrics["mae"][0] == pytest.approx(error[:2].mean())
    assert list(result.metrics_by("step")["step"]) == [1, 2]


def test_models_are_left_as_they_are_and_come_back_fitted():
    model = ridge()
    result = backtest(model, frame(), windows(), origins=2)
    assert list(result.models) == ["Pipeline"]
    assert result.models["Pipeline"] is not model
    assert not hasattr(model[-1], "coef_")
    data = windows().make(frame())
    assert result.models["Pipeline"].predict(data.X).shape == data.y.shape
    assert "Pipeline" in repr(result)


def test_jobs_change_nothing():
    one, two = (
        backtest({"a": ridge(), "b": SeasonalNaive()}, frame(), windows(), origins=3, refit=True, n_jobs=jobs)
        for jobs in (None, 2)
    )
    pd.testing.assert_frame_equal(one.forecasts, two.forecasts)


def test_a_splitter_of_ones_own():
    origins = RollingOrigin(3, horizon=HORIZON, step=5, gap=2, max_train_size=20)
    result = backtest(Means(), frame(), windows(), origins=origins, refit=True)
    assert sorted({hour.hour + 24 * hour.day for hour in result.forecasts["origin"]}) == [24 + 46, 24 + 51, 24 + 56]
    assert result.models["Means"].n_ == 2 * 20


@pytest.mark.parametrize(("changes", "error", "message"), [
    ({"models": {}}, ValueError, "models is empty"),
    ({"models": {"net": RNNRegressor}}, TypeError, r"models\['net'\] is .*, expected an estimator"),
    ({"models": [Ridge()]}, TypeError, r"expected an estimator with `fit` and `predict`"),
    ({"models": {"y": Means()}}, ValueError, "'y' is a column of the table of forecasts"),
    ({"windows": "y"}, TypeError, "windows is 'y', expected ForecastWindows"),
    ({"origins": 1.5}, TypeError, "origins=1.5: expected a number of origins"),
    ({"origins": 100}, ValueError, "do not fit into"),
    ({"origins": RollingOrigin(3, horizon=2)}, ValueError, "origins has horizon=2, but windows horizon=3"),
    ({"refit": -1}, ValueError, "refit=-1"),
    ({"refit": "yes"}, ValueError, "refit='yes'"),
    ({"metrics": ["rmsd"]}, ValueError, "metrics has 'rmsd': expected 'rmse', 'mae', or a function"),
    ({"quantiles": [0.5, 0.1]}, ValueError, "quantiles="),
    ({"models": Means([0.1, 0.9]), "quantiles": [0.1, 0.5, 0.9]}, ValueError, "predicts 2 values per step, expected 3"),
    ({"models": Means([0.1, 0.9])}, ValueError, "predicts 2 values per step: expected one; say with `quantiles`"),
    ({"metrics": [lambda y, p: 0.0, lambda y, p: 1.0]}, ValueError, "metrics has '<lambda>', which is the name of ano"),
    ({"windows": windows(group=["unit"])}, ValueError, "The 'group' parameter of ForecastWindows must be"),
    ({"metrics": {"model": max_error}}, ValueError, "metrics has 'model', which is the name of another"),
    ({"metrics": {"width": max_error}, "quantiles": [0.1, 0.9]}, ValueError, "metrics has 'width'"),
    ({"models": {"a": Means(), "a_0.1": Means()}, "quantiles": [0.1]}, ValueError, "'a_0.1' is a column of the table"),
    ({"models": {"c": ConformalForecaster(Means(), [0.2, 0.8])}, "quantiles": [0.1, 0.8]}, ValueError,
     r"models\['c'\] has quantiles=\[0.2, 0.8\], expected quantiles=\[0.1, 0.8\]"),
])
def test_what_cannot_be_used_is_named(changes, error, message):
    Means.fits = 0
    arguments = {"models": Means(), "df": frame(), "windows": windows(), "origins": 3} | changes
    with pytest.raises(error, match=message):
        backtest(**arguments)
    assert Means.fits == isinstance(changes.get("models"), Means)       # of another number of quantiles; else none


def test_a_column_that_no_table_has():
    result = backtest(Means(), frame()[lambda df: df["unit"] == "a"], windows(group=None), origins=3)
    for column in ("group", "hour"):
        with pytest.raises(ValueError, match=f"column='{column}': expected 'step', 'origin'"):
            result.metrics_by(column)
