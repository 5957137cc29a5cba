"""ForecastWindows: from a long table to windows of past and future steps with what is to be forecast."""

from numbers import Integral
from typing import ClassVar, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator

from skrnn._data.numbers import is_sized
from skrnn._messages import shown
from skrnn._parameters import CheckedParametersMixin
from skrnn._pickling import stored_with
from skrnn._sklearn import Interval, StrOptions
from skrnn._warnings import warn_user
from skrnn.forecasting._naive import last_known
from skrnn.forecasting._panel import read_panel

WHOLE = Interval(Integral, 1, None, closed="left")
FLAG = "ahead"      # name of the feature that says which steps are to be forecast


@stored_with()
class ForecastWindows(CheckedParametersMixin, BaseEstimator):
    """Windows of a long table: past and future steps in one sequence, and the target of the future steps.

    A window has `past` steps up to its origin, the last step whose target is known, and `horizon` steps after it. Its
    features are, in this order, the target, the columns `past_only`, the columns `known`, and a flag that is 0 in the
    past and 1 in the future. In the future the target and `past_only` are the mean of the window's past, so that
    nothing of the future is in X but `known`. What is to be forecast, y, is the target of the future steps. A net reads
    the windows as sequences, any other estimator as rows of a table (:class:`WindowTable`).

    Parameters
    ----------
    past : int
        Number of steps before the forecast that a window has.
    horizon : int
        Number of steps to forecast.
    target : str, or int for arrays
        Column to forecast. It may be missing (NaN): in the past it stays so in X, which is for the estimator's
        `missing` or an imputer.
    known : list of str, default=None
        Columns that are known ahead: the calendar, prices, a weather forecast; numbers or booleans.
    past_only : list of str, default=None
        Columns that are known up to the origin alone.
    group : str, default=None
        Column that says which series a row belongs to. Windows stay within a series. None: all rows are one.
    time : str, default=None
        Column by which rows are sorted, evenly spaced: numbers, dates, times, durations; also months, quarters and
        years. A gap is an error that names it. None: the rows of a series are in order, and count as steps.
    step : int, default=1
        Steps from one window to the next, counted back from the last. For days that are forecast at midnight from
        hourly data it is 24, which leaves out the windows that begin at other hours, 23 times as many.
    scaling : {"last", "mean", "standard"}, default=None
        The units of each window: its target, in X and in y, minus the last known value, minus the mean of its past, or
        this divided by the deviation of its past. It is for levels that wander off, as with a trend. Forecasts are
        brought back by ``inverse_transform`` of the windows. None: as they are.

    See Also
    --------
    backtest : Forecasts from several origins, and their errors.
    skrnn.preprocessing.SlidingWindow : Windows in a Pipeline, one for each row.

    Notes
    -----
    A series may be an array of rows in order, (rows,) or (rows, columns); columns are then positions.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrnn.forecasting import ForecastWindows
    >>> df = pd.DataFrame({"day": range(6), "sold": [3.0, 5, 4, 6, 5, 7], "open": [1, 1, 0, 1, 1, 0]})
    >>> windows = ForecastWindows(past=2, horizon=1, target="sold", known=["open"], time="day")
    >>> data = windows.make(df)
    >>> data.X.shape, data.feature_names
    ((4, 3, 3), ['sold', 'open', 'ahead'])
    >>> data.X[0].tolist(), data.y[0].tolist()
    ([[3.0, 1.0, 0.0], [5.0, 1.0, 0.0], [4.0, 0.0, 1.0]], [4.0])
    """

    _parameter_constraints: ClassVar = {
        "past": [WHOLE],
        "horizon": [WHOLE],
        "target": [str, Integral],
        "known": [list, tuple, None],
        "past_only": [list, tuple, None],
        "group": [str, None],
        "time": [str, None],
        "step": [WHOLE],
        "scaling": [StrOptions({"last", "mean", "standard"}), None],
    }

    def __init__(
        self, past, horizon, target, *, known=None, past_only=None, group=None, time=None, step=1, scaling=None
    ):
        self.past = past
        self.horizon = horizon
        self.target = target
        self.known = known
        self.past_only = past_only
        self.group = group
        self.time = time
        self.step = step
        self.scaling = scaling

    def make(self, df, origins=None):
        """The windows of a table whose future is known, to train and to test on.

        Parameters
        ----------
        df : pandas or polars DataFrame, Arrow Table, lazy frame of polars, DuckDB or Ibis, or array
            Rows in any order with `time`. Not changed. Of a lazy frame the columns in use are collected once.
        origins : list, default=None
            Times of the last known step (without `time` positions of rows in their series, from 0). None: every
            `step`-th, back from the last one whose future is in `df`.

        Returns
        -------
        data : Windows
            In order of their origins; those of one origin in order of the groups' first rows in `df`, of a lazy frame
            sorted. Windows whose target is missing in all of the past, or in all of the future, are left out.

        Raises
        ------
        ValueError, TypeError
            If a parameter is out of its range, a column does not exist or holds no numbers, times repeat or have gaps,
            or there is no window, or none at one of the `origins`.

        Warns
        -----
        UserWarning
            If groups have no window, since they are too short or their target is not known.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn.forecasting import ForecastWindows
        >>> data = ForecastWindows(past=3, horizon=2, target=0).make(np.arange(10.0), origins=[4, 6])
        >>> data.y.tolist()
        [[5.0, 6.0], [7.0, 8.0]]
        """
        panel = self._read(df)
        index = self._complete(panel)
        if origins is None:
            return self._cut(panel, index.take((index.positions.max() - index.positions) % self.step == 0))
        if not is_sized(origins):
            raise TypeError(f"origins={shown(origins)}: expected a list of times")
        wanted = [panel.clock.position(origin, "origins") for origin in origins]
        for origin, position in zip(origins, wanted, strict=True):
            if position not in index.positions:
                raise ValueError(f"origins has {origin}, at which no window ends: expected {self._needs()}")
        return self._cut(panel, index.take(np.isin(index.positions, wanted)))

    def ahead(self, df):
        """The window of each group whose future is not known yet.

        Parameters
        ----------
        df : as in `make`
            After the last known target of a group come the rows to forecast, with `known` and `time`, and a target
            that is missing; without `known` they need not be there.

        Returns
        -------
        data : Windows
            One for each group; its y is NaN.

        Raises
        ------
        ValueError, TypeError
            As `make`; if `known` is missing in one of the rows to forecast, or these are fewer than `horizon`.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn.forecasting import ForecastWindows
        >>> data = ForecastWindows(past=2, horizon=2, target=0).ahead(np.array([1.0, 2.0, 4.0]))
        >>> data.X[0].tolist()
        [[2.0, 0.0], [4.0, 0.0], [3.0, 1.0], [3.0, 1.0]]
        """
        panel = self._read(df)
        known = ~np.isnan(panel.values[:, 0])
        series = np.arange(len(panel.lengths))
        rows = np.array([first + max(np.flatnonzero(known[first:end]), default=-1) for first, end in panel.spans])
        short = np.flatnonzero(rows - panel.starts[:-1] + 1 < self.past)
        if len(short):
            raise ValueError(
                f"df has {rows[short[0]] - panel.starts[short[0]] + 1} rows{panel.of(short[0])} up to the last known "
                f"target {self.target!r}, expected at least past={self.past}"
            )
        data = self._cut(panel, WindowIndex(series, rows, panel.positions(series, rows)))
        n_known = len(self.known or ())
        unknown = np.argwhere(np.isnan(data.X[:, self.past :, -1 - n_known : -1]))
        if len(unknown):
            i, step, column = unknown[0]
            raise ValueError(
                f"df has no {self.known[column]!r} at step {step + 1} after the last known target{panel.of(i)}: "
                f"expected the columns `known` in the {self.horizon} rows to forecast; append them with a target that "
                "is missing"
            )
        return data

    def _read(self, df):
        """The series, with the columns target, past_only, known."""
        self._validate_params()
        columns = {"target": [self.target], "past_only": self.past_only or [], "known": self.known or []}
        names = [name for part in columns.values() for name in part]
        if len(set(names)) < len(names):
            raise ValueError(f"target, past_only and known are {columns}, expected different columns")
        return read_panel(df, columns, self.group, self.time)

    def _check_names(self, names):
        """Raise a ValueError if two columns of a table of forecasts, which has these too, would have one name."""
        taken = {"origin", "step"} | ({"time"} if self.time is None else set())
        for argument, name in (("group", self.group), ("time", self.time), ("target", str(self.target))):
            if name is not None and name in taken:
                raise ValueError(
                    f"{argument}={name!r} is the name of another column of the table of forecasts: rename it in df"
                )
            taken.add(name)
        for name in names:
            if name in taken:
                raise ValueError(f"{name!r} is a column of the table of forecasts: name the forecast otherwise")
            taken.add(name)

    def _needs(self):
        return f"past={self.past} rows up to an origin and horizon={self.horizon} after it, with known targets in both"

    def _complete(self, panel):
        """The index of all windows that have a past and a future in which the target is known at some steps."""
        total = np.concatenate([[0], np.cumsum(~np.isnan(panel.values[:, 0]))])
        row = np.arange(len(panel.values))
        series = np.repeat(np.arange(len(panel.lengths)), panel.lengths)
        first, end = row - self.past + 1, row + self.horizon + 1
        there = np.flatnonzero((first >= panel.starts[series]) & (end <= panel.starts[series + 1]))
        in_past, in_future = total[there + 1] - total[first[there]], total[end[there]] - total[there + 1]
        rows = there[(in_past > 0) & (in_future > 0)]
        if not len(rows):
            longest = panel.lengths.max()
            raise ValueError(f"df has no window: expected {self._needs()}; its longest series has {longest} rows")
        without = np.setdiff1d(np.arange(len(panel.lengths)), series[rows])
        if len(without):
            warn_user(
                f"{len(without)} of {len(panel.lengths)} groups are left out, since they have no window: expected "
                f"{self._needs()}, and there are {panel.lengths[without[0]]} rows{panel.of(without[0])}"
            )
        return WindowIndex(series[rows], rows, panel.positions(series[rows], rows))

    def _cut(self, panel, index):
        """The windows at an index."""
        rows = index.rows[:, np.newaxis] + np.arange(1 - self.past, self.horizon + 1)
        # What lies after the end of a series is the row of NaN after all others
        rows[rows >= panel.starts[index.series + 1][:, np.newaxis]] = len(panel.values)
        values = np.concatenate([panel.values, np.full_like(panel.values[:1], np.nan)])[rows]
        X = np.concatenate([values, np.zeros_like(values[:, :, :1])], axis=2)
        X[:, self.past :, -1] = 1
        n_unknown = 1 + len(self.past_only or ())
        y = X[:, self.past :, 0].copy()
        X[:, self.past :, :n_unknown] = _means(X[:, : self.past, :n_unknown])
        level, scale = _units(X[:, : self.past, 0], self.scaling)
        X[:, :, 0] = (X[:, :, 0] - level) / scale
        names = [self.target, *(self.past_only or ()), *(self.known or ()), FLAG]
        y = (y - level) / scale
        return Windows(X, y, index.positions, index.series, level, scale, names, self, panel)


class WindowIndex(NamedTuple):
    """Where windows lie: arrays of their series, the row of their origin, and the origin's position in time."""

    series: np.ndarray
    rows: np.ndarray
    positions: np.ndarray

    def take(self, selection):
        """Those of some of the windows, origin by origin."""
        chosen = WindowIndex(*(values[selection] for values in self))
        order = np.argsort(chosen.positions, kind="stable")
        return WindowIndex(*(values[order] for values in chosen))


class Windows:
    """The windows that :class:`ForecastWindows` makes.

    Parameters
    ----------
    X : array of shape (n, past + horizon, features)
        The windows.
    y : array of shape (n, horizon)
        What is to be forecast, in the units of each window with `scaling`; NaN where it is not known.
    origins : int array of shape (n,)
        The last known step, counted from the first time in the table: the `groups` of :class:`RollingOrigin`.
    series : int array of shape (n,)
        The number of the group.
    level, scale : arrays of shape (n, 1)
        The units of each window; 0 and 1 without `scaling`.
    feature_names : list of str
        Names of the features.
    made_by : ForecastWindows
    panel : object
        The table.

    Attributes
    ----------
    X, y, origins, series, level, scale, feature_names, made_by, panel : object
        The parameters.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.forecasting import ForecastWindows
    >>> data = ForecastWindows(past=2, horizon=1, target=0, scaling="last").make(np.array([1.0, 2.0, 4.0, 8.0]))
    >>> data.y.tolist(), data.inverse_transform(data.y).tolist()
    ([[2.0], [4.0]], [[4.0], [8.0]])
    """

    def __init__(self, X, y, origins, series, level, scale, feature_names, made_by, panel):
        self.X = X
        self.y = y
        self.origins = origins
        self.series = series
        self.level = level
        self.scale = scale
        self.feature_names = feature_names
        self.made_by = made_by
        self.panel = panel

    def __len__(self):
        return len(self.X)

    def __repr__(self):
        return f"<{len(self)} windows of shape {self.X.shape[1:]} made by {self.made_by}>"

    def inverse_transform(self, y):
        """Forecasts in the units of the table.

        Parameters
        ----------
        y : array of shape (n, horizon) or (n, horizon, quantiles)
            Forecasts in the units of the windows.

        Returns
        -------
        y : array of the same shape

        Raises
        ------
        ValueError
            If y has another shape.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn.forecasting import ForecastWindows
        >>> data = ForecastWindows(past=2, horizon=1, target=0, scaling="mean").ahead(np.array([1.0, 3.0]))
        >>> data.inverse_transform(np.array([[1.5]])).tolist()
        [[3.5]]
        """
        y = np.asarray(y)
        if y.ndim not in (2, 3) or y.shape[:2] != self.y.shape:
            raise ValueError(f"y has shape {y.shape}, expected {self.y.shape}, or quantiles on a third axis")
        units = (..., np.newaxis) if y.ndim == 3 else ...
        return y * self.scale[units] + self.level[units]

    def to_frame(self, forecasts, quantiles=None):
        """A long table of forecasts, in the units of the table: a row for each window and step.

        Parameters
        ----------
        forecasts : array of shape (n, horizon) or (n, horizon, quantiles), or dict of them
            Forecasts in the units of the windows, "forecast" or by name.
        quantiles : list of float, default=None
            Of the last axis of a forecast, whose columns are ``name_0.05`` and so on.

        Returns
        -------
        table : of the library of the table; for an array a dict of arrays
            Columns: the group if there is one, "origin", the time ("time" without a column), "step" (1 to horizon), the
            target, and the forecasts. The target is NaN where it is not known yet.

        Raises
        ------
        ValueError
            If a forecast has another shape, or the name of another column.

        Examples
        --------
        >>> import pandas as pd
        >>> from skrnn.forecasting import ForecastWindows
        >>> df = pd.DataFrame({"day": [1, 2, 3], "sold": [3.0, 5.0, 4.0]})
        >>> data = ForecastWindows(past=2, horizon=1, target="sold", time="day").ahead(df)
        >>> data.to_frame([[4.5]])
           origin  day  step  sold  forecast
        0       3    4     1   NaN       4.5
        """
        windows, panel = self.made_by, self.panel
        n, horizon = self.y.shape
        steps = np.tile(np.arange(1, horizon + 1), n)
        origins = np.repeat(self.origins, horizon)
        columns = {} if windows.group is None else {
            windows.group: panel.group_column(np.repeat(self.series, horizon))
        }
        columns |= {
            "origin": panel.time_column(origins), windows.time or "time": panel.time_column(origins + steps),
            "step": steps, str(windows.target): self.inverse_transform(self.y).ravel(),
        }
        forecasts = forecasts if isinstance(forecasts, dict) else {"forecast": forecasts}
        windows._check_names(forecasts)
        for name, values in forecasts.items():
            values = self.inverse_transform(values)
            parts = {name: values} if values.ndim == 2 else _of_quantiles(name, values, quantiles)
            columns |= {column: part.ravel() for column, part in parts.items()}
        return panel.table(columns)


def _of_quantiles(name, values, quantiles):
    """Columns of (n, horizon, m) forecasts of quantiles."""
    if quantiles is None or not is_sized(quantiles) or len(quantiles) != values.shape[2]:
        raise ValueError(f"{name} has {values.shape[2]} values per step, expected as many quantiles, got {quantiles}")
    return {f"{name}_{quantile:g}": values[:, :, k] for k, quantile in enumerate(quantiles)}


def _means(past):
    """Means (n, 1, columns) over the steps at which a column is known; 0 where there are none."""
    known = ~np.isnan(past)
    return np.where(known, past, 0).sum(axis=1, keepdims=True) / np.maximum(known.sum(axis=1, keepdims=True), 1)


def _units(past, scaling):
    """Level and scale (n, 1) of windows by their past (n, steps)."""
    level, scale = np.zeros((len(past), 1), past.dtype), np.ones((len(past), 1), past.dtype)
    if scaling is None:
        return level, scale
    if scaling == "last":
        return last_known(past), scale
    level = np.nanmean(past, axis=1, keepdims=True)
    if scaling == "standard":
        deviation = np.nanstd(past, axis=1, keepdims=True)
        # A constant past has no deviation but rounding
        scale = np.where(deviation > 1e-6 * np.abs(level), deviation, 1).astype(past.dtype)
    return level, scale
