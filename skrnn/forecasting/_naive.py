"""Estimators and transformers of forecast windows that need no net: the season before, and lags as columns."""

from numbers import Integral
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skrnn._data.numbers import as_numbers
from skrnn._messages import shown
from skrnn._parameters import CheckedParametersMixin
from skrnn._pickling import stored_with
from skrnn._sklearn import CallbackSupportMixin, Interval, checks_parameters, one_task


def past_of(X, caller):
    """Windows (n, steps, features) as numbers, and how many of the steps are past, by the flag, the last feature."""
    X = as_numbers(X, "X")
    if X.ndim == 3 and len(X) and X.shape[2] > 1:
        past = int(np.argmax(X[0, :, -1]))
        if past and (X[:, :past, -1] == 0).all() and (X[:, past:, -1] == 1).all():
            return X, past
    raise ValueError(
        f"X has shape {X.shape}, expected windows with a flag of the steps to forecast as their last feature, as "
        f"ForecastWindows makes them for {caller}"
    )


@stored_with("horizon_")
class SeasonalNaive(CallbackSupportMixin, CheckedParametersMixin, RegressorMixin, BaseEstimator):
    """Forecast what was one season before: the yardstick of forecasts.

    Parameters
    ----------
    season : int, default=1
        Steps of a season: 24 for hours, 168 for hours with weeks, 12 for months. 1 is the last known value.

    Attributes
    ----------
    horizon_ : int
        Number of steps to forecast.

    Notes
    -----
    A value that is missing is that of the season before it, as far as the window goes; beyond it the last known one.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.forecasting import ForecastWindows, SeasonalNaive
    >>> windows = ForecastWindows(past=4, horizon=3, target=0)
    >>> data = windows.make(np.array([1.0, 5, 2, 6, 3, 7, 4, 8]))
    >>> naive = SeasonalNaive(season=2).fit(data.X, data.y)
    >>> naive.predict(data.X).tolist()
    [[2.0, 6.0, 2.0], [6.0, 3.0, 6.0]]
    """

    _parameter_constraints: ClassVar = {"season": [Interval(Integral, 1, None, closed="left")]}

    def __init__(self, season=1):
        self.season = season

    @checks_parameters
    @one_task
    def fit(self, X, y):
        """Check the windows; there is nothing to learn.

        Parameters
        ----------
        X : array of shape (n, past + horizon, features)
            Windows of :class:`ForecastWindows`.
        y : array of shape (n, horizon)
            What is to be forecast.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            If X are no such windows, or their past is shorter than a season.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn.forecasting import ForecastWindows, SeasonalNaive
        >>> data = ForecastWindows(past=2, horizon=1, target=0).make(np.array([1.0, 2.0, 4.0, 7.0]))
        >>> SeasonalNaive().fit(data.X, data.y).horizon_
        1
        """
        forecasts = self._forecasts(X)
        y = as_numbers(y, "y")
        if y.shape != forecasts.shape:
            raise ValueError(f"y has shape {y.shape}, expected {forecasts.shape}, the steps of X to forecast")
        self.horizon_ = y.shape[1]
        return self

    def predict(self, X):
        """The values one season before.

        Parameters
        ----------
        X : array of shape (n, past + horizon, features)
            Windows.

        Returns
        -------
        y : array of shape (n, horizon)

        Raises
        ------
        ValueError, TypeError
            As `fit`; NotFittedError before it.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn.forecasting import ForecastWindows, SeasonalNaive
        >>> windows = ForecastWindows(past=2, horizon=1, target=0)
        >>> data = windows.make(np.array([1.0, 2.0, 4.0]))
        >>> SeasonalNaive().fit(data.X, data.y).predict(windows.ahead(np.array([1.0, 2.0, 4.0])).X).tolist()
        [[4.0]]
        """
        check_is_fitted(self)
        return self._forecasts(X)

    def _forecasts(self, X):
        X, past = past_of(X, "SeasonalNaive")
        if past < self.season:
            raise ValueError(f"The windows have a past of {past} steps, expected at least season={self.season}")
        target = X[:, :past, 0]
        last = past - self.season + np.arange(X.shape[1] - past) % self.season
        forecasts = target[:, last]
        for earlier in range(self.season, past, self.season):
            rows = np.maximum(last - earlier, 0)
            forecasts = np.where(np.isnan(forecasts) & (last >= earlier), target[:, rows], forecasts)
        return np.where(np.isnan(forecasts), last_known(target), forecasts)


def last_known(values):
    """The last value of each row of values (n, steps) that is not NaN, (n, 1); NaN where all are."""
    last = values.shape[1] - 1 - np.argmax(~np.isnan(values[:, ::-1]), axis=1)
    return np.take_along_axis(values, last[:, np.newaxis], axis=1)


@stored_with("past_", "horizon_", "n_features_", "_steps")
class WindowTable(CallbackSupportMixin, CheckedParametersMixin, TransformerMixin, BaseEstimator):
    """Forecast windows as rows of a table, for estimators that read no sequences: each lag of each feature a column.

    Parameters
    ----------
    lags : list of int, default=None
        The steps of the past to keep, 1 the last known one. None: all of them.

    Attributes
    ----------
    past_, horizon_ : int
        Steps of the past, and to forecast, that the windows of `fit` have.
    n_features_ : int
        Features of a step that the windows of `fit` have.

    Notes
    -----
    What does not vary is left out: the flag, and the target after the origin.

    Examples
    --------
    Ridge regression on lags:

    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from skrnn.forecasting import ForecastWindows, WindowTable
    >>> windows = ForecastWindows(past=3, horizon=2, target=0)
    >>> squares = np.arange(20.0) ** 2
    >>> data = windows.make(squares)
    >>> model = make_pipeline(WindowTable(), Ridge(1e-6)).fit(data.X, data.y)
    >>> model.predict(windows.ahead(squares).X).round().tolist()
    [[400.0, 441.0]]
    """

    _parameter_constraints: ClassVar = {"lags": ["array-like", None]}

    def __init__(self, lags=None):
        self.lags = lags

    @checks_parameters
    @one_task
    def fit(self, X, y=None):
        """Learn the shape of the windows.

        Parameters
        ----------
        X : array of shape (n, past + horizon, features)
            Windows of :class:`ForecastWindows`.
        y : object, default=None
            Not used.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            If X are no such windows, or their past is shorter than a lag.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn.forecasting import ForecastWindows, WindowTable
        >>> data = ForecastWindows(past=2, horizon=1, target=0).make(np.arange(5.0))
        >>> WindowTable().fit(data.X).past_
        2
        """
        X, past = past_of(X, "WindowTable")
        lags = np.arange(past, 0, -1) if self.lags is None else np.asarray(self.lags)
        if lags.ndim != 1 or lags.dtype.kind not in "iu" or not len(lags) or not 1 <= lags.min() <= lags.max() <= past:
            raise ValueError(
                f"lags={shown(self.lags)}: expected whole numbers from 1 to {past}, the past of the windows"
            )
        self.past_, self.horizon_, self.n_features_ = past, X.shape[1] - past, X.shape[2]
        self._steps = past - lags
        return self

    def transform(self, X):
        """The windows as rows.

        Parameters
        ----------
        X : array of shape (n, past + horizon, features)
            Windows.

        Returns
        -------
        table : array of shape (n, columns)
            The lags of the target, in the order of `lags`, by default oldest first; then of each step, past and future,
            the other features.

        Raises
        ------
        ValueError, TypeError
            If X are no such windows, or others than in `fit`; NotFittedError before it.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn.forecasting import ForecastWindows, WindowTable
        >>> rows = np.column_stack([np.arange(4.0), 10 * np.arange(4.0)])
        >>> data = ForecastWindows(past=2, horizon=1, target=0, known=[1]).make(rows)
        >>> WindowTable().fit_transform(data.X).tolist()
        [[0.0, 1.0, 0.0, 10.0, 20.0], [1.0, 2.0, 10.0, 20.0, 30.0]]
        """
        check_is_fitted(self)
        X, past = past_of(X, "WindowTable")
        found, expected = (past, X.shape[1] - past, X.shape[2]), (self.past_, self.horizon_, self.n_features_)
        if found != expected:
            raise ValueError(
                "X has windows with past={}, horizon={} and {} features, expected {}, {} and {} as in fit".format(
                    *found, *expected
                )
            )
        steps = np.concatenate([self._steps, np.arange(past, X.shape[1])])
        return np.concatenate([X[:, self._steps, 0], X[:, steps, 1:-1].reshape(len(X), -1)], axis=1)

    def get_feature_names_out(self, input_features=None):
        """Names of the columns: a feature and its step, such as ``load_lag24`` or ``temperature_ahead1``.

        Parameters
        ----------
        input_features : list of str, default=None
            Names of the features of a step, the `feature_names` of windows. None: x0, x1, ...

        Returns
        -------
        names : array of str objects

        Raises
        ------
        ValueError
            If there are not as many names as features; NotFittedError before `fit`.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn.forecasting import ForecastWindows, WindowTable
        >>> data = ForecastWindows(past=2, horizon=1, target=0, known=[1]).make(np.zeros((5, 2)))
        >>> WindowTable(lags=[1]).fit(data.X).get_feature_names_out(["load", "heat", "ahead"]).tolist()
        ['load_lag1', 'heat_lag1', 'heat_ahead1']
        """
        check_is_fitted(self)
        names = [f"x{j}" for j in range(self.n_features_)] if input_features is None else list(input_features)
        if len(names) != self.n_features_:
            raise ValueError(f"input_features has {len(names)} names, expected {self.n_features_}, one per feature")
        lags = [f"lag{self.past_ - step}" for step in self._steps]
        steps = [*lags, *(f"ahead{k}" for k in range(1, self.horizon_ + 1))]
        target, *others = names[:-1]
        columns = [f"{target}_{lag}" for lag in lags] + [f"{name}_{step}" for step in steps for name in others]
        return np.array(columns, dtype=object)
