"""backtest: forecasts of several models from several origins, and their errors."""

from collections.abc import Mapping
from numbers import Integral
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.metrics import mean_absolute_error, root_mean_squared_error
from sklearn.pipeline import Pipeline

from skrnn._estimators.distribution_scores import net_and_steps
from skrnn._messages import shown
from skrnn.forecasting._conformal import ConformalForecaster, check_quantiles, per_step
from skrnn.forecasting._origins import RollingOrigin
from skrnn.forecasting._windows import ForecastWindows, WindowIndex
from skrnn.metrics import interval_coverage, mean_quantile_loss

METRICS = {"rmse": root_mean_squared_error, "mae": mean_absolute_error}
# Metrics of quantiles
SPREAD = ("pinball", "coverage", "width")


def backtest(
    models, df, windows, origins=5, *, refit=False, quantiles=None, metrics=("rmse", "mae"), n_jobs=None
):
    """Forecast from several origins as if each were now, and measure the errors.

    Before the first origin, and with `refit` before others, a clone of each model is fitted to the windows whose whole
    future lies before it. It then predicts the windows of the origins, of all groups.

    Parameters
    ----------
    models : estimator, or dict of estimators
        What takes windows: nets, :class:`SeasonalNaive`, anything after :class:`WindowTable` in a Pipeline. A single
        one has the name of its class.
    df : pandas or polars DataFrame, Arrow Table, lazy frame of polars, DuckDB or Ibis, or array
        The table, as `windows` take it.
    windows : ForecastWindows
        Its `step` is the distance of the windows to train on, back from each origin.
    origins : int or RollingOrigin, default=5
        Number of origins, `horizon` steps apart, the last of which is the last with a known future; or the splitter.
    refit : bool or int, default=False
        Whether to fit at each origin, or at every so many; False fits once, before the first.
    quantiles : list of m float, default=None
        Quantiles that models predict: by a method ``predict_quantile(X, quantiles)``, as nets, or else as
        (n, horizon, m) by ``predict``. The forecast of such a ``predict`` is the quantile nearest 0.5.
    metrics : list of str or callable, or dict of callables, default=("rmse", "mae")
        "rmse" and "mae" are root mean squared and mean absolute error; others are functions ``metric(y_true, y_pred)``,
        such as those of :mod:`sklearn.metrics`, which give a column with their name. With `quantiles` there are also
        "pinball", the mean pinball loss, "coverage", the fraction of actual values from the lowest to the highest
        quantile, and "width", the mean distance of these.
    n_jobs : int, default=None
        Number of fits at a time, as everywhere in scikit-learn.

    Returns
    -------
    result : Backtest
        With the tables ``forecasts`` and ``metrics``.

    Raises
    ------
    ValueError, TypeError
        If an argument cannot be used, or the origins do not fit into the table; naming it, before any fit.

    Notes
    -----
    Windows to train on whose future target is missing at some step are left out, for all models; missing values in X
    are for the models. An error is counted where the actual value is known.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from skrnn.datasets import load_sunspots
    >>> from skrnn.forecasting import ForecastWindows, SeasonalNaive, WindowTable, backtest
    >>> models = {"naive": SeasonalNaive(11), "ridge": make_pipeline(WindowTable(), Ridge())}
    >>> windows = ForecastWindows(past=22, horizon=5, target=0)
    >>> result = backtest(models, load_sunspots().activity, windows, origins=10)
    >>> result.metrics["model"].tolist(), result.metrics["rmse"].round().tolist()
    (['naive', 'ridge'], [34.0, 25.0])
    """
    if not isinstance(windows, ForecastWindows):
        raise TypeError(f"windows is {shown(windows)}, expected ForecastWindows")
    windows._validate_params()
    models = _named_models(models)
    quantiles = None if quantiles is None else check_quantiles(quantiles).tolist()
    metrics = _named_metrics(metrics, {"model", "origin", "step", windows.group, *(SPREAD if quantiles else ())})
    _check_same_quantiles(models, quantiles)
    splitter, every = _splitter(origins, windows.horizon), _refit_every(refit)
    windows._check_names([*models, *(f"{name}_{q:g}" for name in models for q in quantiles or ())])
    panel = windows._read(df)
    index = windows._complete(panel)
    positions = splitter.origins(index.positions)
    every = every or len(positions)
    blocks = [
        (_to_train(panel, index, splitter, positions[i], windows), _at(index, positions[i : i + every]))
        for i in range(0, len(positions), every)
    ]
    done = Parallel(n_jobs)(
        delayed(_fit_and_forecast)(name, model, windows, panel, *block, quantiles)
        for name, model in models.items() for block in blocks
    )
    forecasts = {
        name: _joined(done[i * len(blocks) : (i + 1) * len(blocks)]) for i, name in enumerate(models)
    }
    tests = [test for _, test in blocks]
    data = windows._cut(panel, WindowIndex(*map(np.concatenate, zip(*tests, strict=True))))
    return Backtest(data, forecasts, quantiles, metrics)


class Forecast(NamedTuple):
    """What a model says of windows, in their units."""

    model: object           # as it was fitted
    point: np.ndarray       # (n, horizon)
    spread: object = None   # quantiles (n, horizon, m), where it predicts them


class Backtest:
    """What :func:`backtest` returns.

    Parameters
    ----------
    data : Windows
        The windows that were forecast.
    by_model : dict
        What each model said of them, by its name: a tuple of the fitted model, its forecasts (n, horizon), and its
        quantiles (n, horizon, m) or None, in the units of the windows.
    quantiles : list of m float, or None
    metric_functions : dict of callables

    Attributes
    ----------
    forecasts : table of the library of the data; for an array a dict of arrays
        A row for each window and step: the group if there is one, "origin", the time, "step", the target, and the
        forecast of each model, with quantiles also ``name_0.05`` and so on.
    metrics : table of the library of the data; for an array a dict of arrays
        A row for each model: "model" and the metrics.
    models : dict of estimators
        Each as it was fitted last.
    data, by_model, quantiles, metric_functions : object
        The parameters.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrnn.forecasting import ForecastWindows, SeasonalNaive, backtest
    >>> df = pd.DataFrame({"day": range(8), "sold": [3.0, 5, 4, 6, 5, 7, 6, 8]})
    >>> windows = ForecastWindows(past=2, horizon=2, target="sold", time="day")
    >>> result = backtest({"naive": SeasonalNaive(2)}, df, windows, origins=2)
    >>> result.forecasts
       origin  day  step  sold  naive
    0       3    4     1   5.0    4.0
    1       3    5     2   7.0    6.0
    2       5    6     1   6.0    5.0
    3       5    7     2   8.0    7.0
    >>> result.metrics
       model  rmse  mae
    0  naive   1.0  1.0
    """

    def __init__(self, data, by_model, quantiles, metric_functions):
        self.data = data
        self.by_model = by_model
        self.quantiles = quantiles
        self.metric_functions = metric_functions
        columns = {}
        for name, forecast in by_model.items():
            columns[name] = forecast.point
            if forecast.spread is not None:
                columns |= {f"{name}_{q:g}": forecast.spread[:, :, k] for k, q in enumerate(quantiles)}
        self.forecasts = data.to_frame(columns)
        self.metrics = self._measured(np.zeros(data.y.shape, dtype=np.intp))
        self.models = {name: forecast.model for name, forecast in by_model.items()}

    def __repr__(self):
        return f"<backtest of {', '.join(self.models)} on {len(self.data)} windows>\n{self.metrics}"

    def metrics_by(self, column):
        """The metrics of each model for each value of a column.

        Parameters
        ----------
        column : {"step", "origin", "group"}
            What to distinguish: steps ahead, origins, or groups.

        Returns
        -------
        table : of the library of the data; for an array a dict of arrays
            The columns "model", the column (of groups with its name in the table), and the metrics.

        Raises
        ------
        ValueError
            If there is no such column.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn.forecasting import ForecastWindows, SeasonalNaive, backtest
        >>> windows = ForecastWindows(past=2, horizon=2, target=0)
        >>> result = backtest(SeasonalNaive(), 2.0 * np.arange(9), windows, origins=2, metrics=["mae"])
        >>> by_step = result.metrics_by("step")
        >>> by_step["step"].tolist(), by_step["mae"].tolist()
        ([1, 2], [2.0, 4.0])
        """
        data, shape = self.data, self.data.y.shape
        panel = data.panel
        if column == "step":
            codes, values = np.broadcast_to(np.arange(shape[1]), shape), np.arange(1, shape[1] + 1)
        elif column == "origin":
            positions, codes = np.unique(data.origins, return_inverse=True)
            codes, values = np.broadcast_to(codes[:, np.newaxis], shape), panel.time_column(positions)
        elif column == "group" and panel.keys is not None:
            series, codes = np.unique(data.series, return_inverse=True)
            codes, values = np.broadcast_to(codes[:, np.newaxis], shape), panel.keys[series]
            column = data.made_by.group
        else:
            raise ValueError(f"column={column!r}: expected 'step', 'origin', or, of windows with a group, 'group'")
        return self._measured(codes, column, values)

    def _measured(self, codes, column=None, values=None):
        """A table of metrics for each model and code, whose value it names."""
        actual = self.data.inverse_transform(self.data.y)
        there = [code for code in range(codes.max() + 1) if (~np.isnan(actual[codes == code])).any()]
        rows = []
        for forecast in self.by_model.values():
            point = self.data.inverse_transform(forecast.point)
            spread = None if forecast.spread is None else self.data.inverse_transform(forecast.spread)
            for code in there:
                known = (codes == code) & ~np.isnan(actual)
                rows.append(self._scores(actual[known], point[known], None if spread is None else spread[known]))
        columns = {"model": np.repeat(np.array([*self.by_model], dtype=object), len(there))}
        if column is not None:
            columns[column] = values[np.tile(there, len(self.by_model))]
        return self.data.panel.table(columns | {name: np.array([row[name] for row in rows]) for name in rows[0]})

    def _scores(self, actual, point, spread):
        """Metrics of flat arrays (rows,), and (rows, m) for quantiles; NaN where a model has no quantiles."""
        scores = {name: float(metric(actual, point)) for name, metric in self.metric_functions.items()}
        if self.quantiles is None:
            return scores
        if spread is None:
            return scores | dict.fromkeys(SPREAD, np.nan)
        low, high = spread[:, 0], spread[:, -1]
        return scores | {
            "pinball": mean_quantile_loss(actual, spread, quantile=self.quantiles),
            "coverage": interval_coverage(actual, low, high), "width": float(np.mean(high - low)),
        }


def _named_models(models):
    """The models by name."""
    models = dict(models) if isinstance(models, Mapping) else {type(models).__name__: models}
    for name, model in models.items():
        if not isinstance(name, str) or isinstance(model, type) or not (
            hasattr(model, "fit") and hasattr(model, "predict")
        ):
            raise TypeError(f"models[{name!r}] is {shown(model)}, expected an estimator with `fit` and `predict`")
    if not models:
        raise ValueError("models is empty, expected at least one estimator")
    return models


def _named_metrics(metrics, taken):
    """The functions of the metrics by name; none is one of those that are taken by other columns."""
    if isinstance(metrics, str) or callable(metrics):
        metrics = [metrics]
    if not isinstance(metrics, Mapping):
        names = [metric if isinstance(metric, str) else getattr(metric, "__name__", str(metric)) for metric in metrics]
        taken = taken | {name for name in names if names.count(name) > 1}
        metrics = dict(zip(names, metrics, strict=True))
    for name in metrics:
        if name in taken:
            raise ValueError(
                f"metrics has {name!r}, which is the name of another column or metric: expected a dict of names that "
                "are not taken"
            )
    named = {name: METRICS.get(metric, metric) if isinstance(metric, str) else metric
             for name, metric in metrics.items()}
    for name, metric in named.items():
        if not callable(metric):
            raise ValueError(
                f"metrics has {name!r}: expected {', '.join(map(repr, METRICS))}, or a function of y_true and y_pred, "
                "such as median_absolute_error of sklearn.metrics"
            )
    return named


def _check_same_quantiles(models, quantiles):
    """Raise a ValueError if a model predicts other quantiles than are asked for."""
    for name, model in models.items():
        if isinstance(model, ConformalForecaster) and quantiles is not None:
            own = check_quantiles(model.quantiles).tolist()
            if own != quantiles:
                raise ValueError(f"models[{name!r}] has quantiles={own}, expected quantiles={quantiles} as in backtest")


def _splitter(origins, horizon):
    """The splitter over origins."""
    if isinstance(origins, RollingOrigin):
        if origins.horizon != horizon:
            raise ValueError(f"origins has horizon={origins.horizon}, but windows horizon={horizon}: expected the same")
        return origins
    if not isinstance(origins, Integral) or isinstance(origins, bool):
        raise TypeError(f"origins={shown(origins)}: expected a number of origins, or RollingOrigin(...)")
    return RollingOrigin(origins, horizon=horizon)


def _refit_every(refit):
    """After how many origins to fit again; 0 for never."""
    if not isinstance(refit, Integral | np.bool_) or refit < 0:
        raise ValueError(f"refit={shown(refit)}: expected True, False, or after how many origins to fit again")
    return int(refit)


def _to_train(panel, index, splitter, origin, windows):
    """The index of the windows to train on for an origin, at the distance of `windows` from it."""
    rows = splitter.training(index.positions, origin)
    rows = rows[(origin - index.positions[rows]) % windows.step == 0]
    futures = index.rows[rows, np.newaxis] + np.arange(1, windows.horizon + 1)
    rows = rows[~np.isnan(panel.values[futures, 0]).any(axis=1)]
    if not len(rows):
        raise ValueError(
            f"There is no window to train on before the origin {origin} whose future target is known at all "
            f"{windows.horizon} steps, at distances of step={windows.step}: ask for fewer origins, or a smaller step"
        )
    return index.take(rows)


def _at(index, origins):
    """The index of the windows at some origins, origin by origin."""
    return index.take(np.isin(index.positions, origins))


def _fit_and_forecast(name, model, windows, panel, train, test, quantiles):
    """A clone fitted to the windows `train`, and what it says of `test`."""
    data = windows._cut(panel, train)
    model = clone(model).fit(data.X, data.y)
    forecast = _forecast(f"models[{name!r}]", model, windows._cut(panel, test).X, windows.horizon, quantiles)
    for values in (forecast.point, forecast.spread):
        bad = np.argwhere(~np.isfinite(values)) if values is not None else ()
        if len(bad):
            row, step = bad[0][:2]
            raise ValueError(
                f"models[{name!r}] predicts {values[tuple(bad[0])]} at the origin "
                f"{shown(panel.time_column(test.positions[[row]])[0])}, step {step + 1}{panel.of(test.series[row])}: "
                "expected finite numbers, also where X has missing values"
            )
    return forecast


def _forecast(name, model, X, horizon, quantiles):
    """What a fitted model says of windows X."""
    shape = len(X), horizon
    predicted = per_step(model.predict(X), shape, name)
    n_values = predicted.shape[2]
    if quantiles is None:
        if n_values != 1:
            raise ValueError(
                f"{name} predicts {n_values} values per step: expected one; say with `quantiles` what several are"
            )
        return Forecast(model, predicted[:, :, 0])
    spread = _quantiles(model, X, quantiles)
    if spread is not None:
        spread = per_step(spread, shape, name)
    elif n_values > 1:
        spread = predicted
    if spread is not None and spread.shape[2] != len(quantiles):
        raise ValueError(
            f"{name} predicts {spread.shape[2]} values per step, expected {len(quantiles)} as in quantiles={quantiles}"
        )
    if n_values == 1:
        return Forecast(model, predicted[:, :, 0], spread)
    return Forecast(model, spread[:, :, int(np.argmin(np.abs(np.subtract(quantiles, 0.5))))], spread)


def _quantiles(model, X, quantiles):
    """What the method `predict_quantile` of a model, or of the end of a Pipeline, says; None where there is none."""
    last = model[-1] if isinstance(model, Pipeline) else model
    if not hasattr(last, "predict_quantile"):
        return None
    net, X = net_and_steps(model, X)
    return net.predict_quantile(X, quantiles)


def _joined(parts):
    """The forecasts of blocks as one, with the model of the last."""
    spread = None if parts[0].spread is None else np.concatenate([part.spread for part in parts])
    return Forecast(parts[-1].model, np.concatenate([part.point for part in parts]), spread)
