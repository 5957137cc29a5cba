"""ConformalForecaster: quantiles of forecasts by the errors on windows that were not trained on."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, RegressorMixin, clone
from sklearn.utils.validation import check_is_fitted

from skrnn._data.numbers import as_numbers
from skrnn._messages import shown
from skrnn._parameters import CheckedParametersMixin
from skrnn._pickling import stored_with
from skrnn._sklearn import (
    CallbackSupportMixin,
    HasMethods,
    Interval,
    block_of_part,
    checks_parameters,
    fit_in_parts,
)
from skrnn._training.losses import Quantile


@stored_with("estimator_", "offsets_")
class ConformalForecaster(
    CallbackSupportMixin, CheckedParametersMixin, MetaEstimatorMixin, RegressorMixin, BaseEstimator
):
    """Quantiles of any forecaster, moved so that they held on windows that it was not trained on.

    The estimator is fitted to the first windows, and forecasts the last ones. A point forecast becomes quantiles by
    those of its errors there. Quantiles of an estimator that has them are moved apart, q and 1 − q by the same, until
    as many of the last windows lie between them as should. Then the estimator is fitted to all windows. Quantiles by a
    net alone hold less than they should where it knows its training windows too well.

    Parameters
    ----------
    estimator : estimator
        What forecasts (n, horizon), or of each of the quantiles, (n, horizon, m).
    quantiles : list of m float, default=(0.05, 0.5, 0.95)
        The quantiles to predict.
    calibration : float, default=0.25
        Fraction of the windows that the errors are of, the last ones: windows have to be in order of time, as
        :func:`backtest` passes them. For the quantile 0.05 it should be more than 20 windows.
    gap : int, default=0
        Number of windows before these that the estimator whose errors are taken is not fitted to. Windows whose
        futures overlap, as those of each step of a series do, need one of ``horizon - 1``: else it has seen a part of
        what it forecasts.

    Attributes
    ----------
    estimator_ : estimator
        The one that was fitted to all windows.
    offsets_ : array of shape (horizon, m)
        By how much quantiles are moved.

    Notes
    -----
    This is split conformal prediction, of quantiles (Romano, Patterson & Candès 2019, Conformalized quantile
    regression), with a new fit at the end. Its coverage is exact where errors are exchangeable and without the new fit;
    of a series they are nearly so. Quantiles of an estimator are not moved by their own errors, one by one: these hold
    by how much the first fit was off on the whole, which the new fit is not. A middle one stays as it is, and one
    whose counterpart is not asked for is moved by its own errors.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.forecasting import ConformalForecaster, ForecastWindows, SeasonalNaive
    >>> walk = np.random.default_rng(0).normal(size=500).cumsum()
    >>> data = ForecastWindows(past=2, horizon=2, target=0).make(walk)
    >>> naive = ConformalForecaster(SeasonalNaive(), quantiles=[0.1, 0.9]).fit(data.X, data.y)
    >>> naive.offsets_.round(1).tolist()
    [[-1.2, 1.2], [-1.9, 1.7]]
    """

    _parameter_constraints: ClassVar = {
        "estimator": [HasMethods(["fit", "predict"])],
        "quantiles": ["array-like"],
        "calibration": [Interval(Real, 0, 1, closed="neither")],
        "gap": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(self, estimator, quantiles=(0.05, 0.5, 0.95), *, calibration=0.25, gap=0):
        self.estimator = estimator
        self.quantiles = quantiles
        self.calibration = calibration
        self.gap = gap

    @checks_parameters
    def fit(self, X, y):
        """Fit the estimator to the first windows, learn its errors on the others, fit it to all.

        Parameters
        ----------
        X : array of shape (n, past + horizon, features)
            Windows in order of time.
        y : array of shape (n, horizon)
            What is to be forecast.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            If there are too few windows, or the estimator predicts another number of quantiles.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn.forecasting import ConformalForecaster, ForecastWindows, SeasonalNaive
        >>> data = ForecastWindows(past=1, horizon=1, target=0).make(np.arange(40.0))
        >>> ConformalForecaster(SeasonalNaive()).fit(data.X, data.y).offsets_.tolist()
        [[1.0, 1.0, 1.0]]
        """
        quantiles = check_quantiles(self.quantiles)
        y = as_numbers(y, "y")
        if y.ndim != 2 or len(y) != len(X):
            raise ValueError(f"y has shape {y.shape}, expected ({len(X)}, horizon), as many rows as X has windows")
        n_held = int(self.calibration * len(y))
        n_first = len(y) - n_held - self.gap
        if n_held == 0 or n_first <= 0:
            raise ValueError(
                f"calibration={self.calibration} of {len(y)} windows leaves {n_held} for the errors and, with "
                f"gap={self.gap}, {max(0, n_first)} before them: expected some of both"
            )
        held = slice(len(y) - n_held, None)
        without = np.flatnonzero(np.isnan(y[held]).all(axis=0))
        if len(without):
            raise ValueError(
                f"y is missing at step {without[0] + 1} in all of the last {n_held} windows, whose errors are learned: "
                "expected some that are known; try a greater calibration"
            )

        def learn(fit_part):
            first = fit_part("fit-first-windows", clone(self.estimator), X[:n_first], y[:n_first])
            predicted = per_step(first.predict(X[held]), y[held].shape)
            errors = y[held, :, np.newaxis] - as_quantiles(predicted, y[held].shape, len(quantiles))
            offsets = offsets_of(errors, quantiles, in_pairs=predicted.shape[2] > 1)
            return {"estimator_": fit_part("fit-all-windows", clone(self.estimator), X, y), "offsets_": offsets}

        vars(self).update(fit_in_parts(self, X, y, 2, learn))
        return self

    def _sk_visual_block_(self):
        name = "estimator_" if hasattr(self, "estimator_") else "estimator"
        return block_of_part(name, getattr(self, name))

    def predict(self, X):
        """The quantiles.

        Parameters
        ----------
        X : array of shape (n, past + horizon, features)
            Windows.

        Returns
        -------
        y : array of shape (n, horizon, m)
            They do not cross.

        Raises
        ------
        ValueError, TypeError
            As the estimator; NotFittedError before `fit`.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn.forecasting import ConformalForecaster, ForecastWindows, SeasonalNaive
        >>> data = ForecastWindows(past=1, horizon=1, target=0).make(np.arange(40.0))
        >>> model = ConformalForecaster(SeasonalNaive()).fit(data.X, data.y)
        >>> model.predict(data.X[:1]).tolist()
        [[[1.0, 1.0, 1.0]]]
        """
        check_is_fitted(self)
        horizon, m = self.offsets_.shape
        return np.sort(as_quantiles(self.estimator_.predict(X), (len(X), horizon), m) + self.offsets_, axis=2)

    def score(self, X, y, sample_weight=None):
        """D² of the pinball loss, the mean over quantiles, as that of a net with several quantiles.

        Parameters
        ----------
        X : array of shape (n, past + horizon, features)
            Windows.
        y : array of shape (n, horizon)
            What came.
        sample_weight : array of shape (n,), default=None
            Weights of the windows.

        Returns
        -------
        float
            1 for quantiles that are all the truth, 0 for the best constant ones.

        Raises
        ------
        ValueError, TypeError
            As `predict`; if y has another shape.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn.forecasting import ConformalForecaster, ForecastWindows, SeasonalNaive
        >>> data = ForecastWindows(past=1, horizon=1, target=0).make(np.arange(40.0))
        >>> ConformalForecaster(SeasonalNaive()).fit(data.X, data.y).score(data.X, data.y)
        1.0
        """
        predictions = self.predict(X)
        y = as_numbers(y, "y")
        if y.shape != predictions.shape[:2]:
            raise ValueError(f"y has shape {y.shape}, expected {predictions.shape[:2]}, the steps of X to forecast")
        return Quantile(tuple(self.quantiles)).score(y, predictions, sample_weight)


def check_quantiles(quantiles):
    """Quantiles (m,) as an array, which must lie between 0 and 1 and increase."""
    values = as_numbers(quantiles, "quantiles")
    if values.ndim != 1 or not len(values) or not ((values > 0) & (values < 1)).all() or (np.diff(values) <= 0).any():
        raise ValueError(
            f"quantiles={shown(quantiles)}: expected increasing numbers between 0 and 1, such as [0.05, 0.5, 0.95]"
        )
    return values


def offsets_of(errors, quantiles, in_pairs):
    """By how much quantiles are moved, (horizon, m).

    Parameters
    ----------
    errors : (n, horizon, m) array
        Of each quantile, what came less what was predicted, NaN where it is not known.
    quantiles : (m,) array
    in_pairs : bool
        Whether q and 1 − q are moved apart by the same.
    """
    n = len(errors)
    # the smallest error that as many of n + 1 lie below, on either side of the middle
    outer = np.clip(0.5 + (quantiles - 0.5) * (n + 1) / n, 0, 1)
    offsets = np.column_stack([np.nanquantile(errors[:, :, k], level, axis=0) for k, level in enumerate(outer)])
    if not in_pairs:
        return offsets
    offsets[:, quantiles == 0.5] = 0
    for low in np.flatnonzero(quantiles < 0.5):
        for high in np.flatnonzero(np.isclose(quantiles, 1 - quantiles[low], rtol=0, atol=1e-9)):
            outside = np.maximum(-errors[:, :, low], errors[:, :, high])
            level = min(1, (quantiles[high] - quantiles[low]) * (n + 1) / n)
            offsets[:, high] = np.nanquantile(outside, level, axis=0)
            offsets[:, low] = -offsets[:, high]
    return offsets


def per_step(predicted, shape, name="The estimator"):
    """Predictions (n, horizon, values), of estimators that return (n, horizon), or (n,) for a horizon of 1."""
    predicted = np.asarray(predicted)
    n, horizon = shape
    if len(predicted) != n or predicted.size % (n * horizon):
        raise ValueError(f"{name} predicts an array of shape {predicted.shape}, expected {shape}")
    return predicted.reshape(n, horizon, -1)


def as_quantiles(predicted, shape, m):
    """Predictions (n, horizon, m); a point forecast is that of all quantiles."""
    predicted = per_step(predicted, shape)
    if predicted.shape[2] not in (1, m):
        raise ValueError(f"The estimator predicts {predicted.shape[2]} values per step, expected 1, or {m} quantiles")
    return np.broadcast_to(predicted, (*shape, m))
