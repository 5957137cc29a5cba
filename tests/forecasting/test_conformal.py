"""Quantiles by the errors on windows that were held out: their offsets, their coverage, and what is refused."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.metrics import d2_pinball_score

from skrnn import RNNRegressor
from skrnn.forecasting import ConformalForecaster, ForecastWindows, SeasonalNaive


class Constant(BaseEstimator):
    """The mean of y in `fit`, for each step, plus values for the quantiles."""

    def __init__(self, plus=None):
        self.plus = plus

    def fit(self, X, y):
        self.mean_ = y.mean(axis=0)
        return self

    def predict(self, X):
        point = np.tile(self.mean_, (len(X), 1))
        return point if self.plus is None else point[:, :, np.newaxis] + self.plus


def held_out(plus, quantiles):
    """A model that is calibrated on the last 40 of 100 targets, these, and what was said of them."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(100, 5, 2)), rng.normal(size=(100, 3))
    model = ConformalForecaster(Constant(plus), quantiles, calibration=0.4).fit(X, y)
    said = y[:60].mean(axis=0)[:, np.newaxis] + (np.zeros(len(quantiles)) if plus is None else plus)
    expected = y.mean(axis=0)[:, np.newaxis] + (0 if plus is None else plus) + model.offsets_
    np.testing.assert_allclose(model.predict(X[:2]), np.sort([expected, expected], axis=2))
    return model, y[60:], said


def test_offsets_of_points_are_quantiles_of_the_errors_on_the_last_windows():
    model, y, said = held_out(None, [0.1, 0.5, 0.9])
    for k, level in enumerate((0.5 - 0.4 * 41 / 40, 0.5, 0.5 + 0.4 * 41 / 40)):
        np.testing.assert_allclose(model.offsets_[:, k], np.quantile(y - said[:, k], level, axis=0))


def test_quantiles_are_moved_apart_until_they_hold_as_many():
    """Those that have a counterpart; the middle one stays, any other is moved by its own errors."""
    model, y, said = held_out((-1.0, -0.5, 0.0, 4.0), [0.1, 0.3, 0.5, 0.9])
    outside = np.maximum(said[:, 0] - y, y - said[:, 3])
    np.testing.assert_allclose(model.offsets_[:, 3], np.quantile(outside, 0.8 * 41 / 40, axis=0))
    np.testing.assert_array_equal(model.offsets_[:, 0], -model.offsets_[:, 3])
    np.testing.assert_array_equal(model.offsets_[:, 2], 0)
    level = 0.5 - 0.2 * 41 / 40
    np.testing.assert_allclose(model.offsets_[:, 1], np.quantile(y - said[:, 1], level, axis=0))


def test_what_the_first_fit_was_off_is_not_kept():
    """Of a series with a step before the last windows, which the new fit knows."""
    rng = np.random.default_rng(0)
    y = np.where(np.arange(400) < 300, 0.0, 8.0)[:, np.newaxis] + rng.normal(size=(400, 1))
    model = ConformalForecaster(Constant((-1.3, 0.0, 1.3)), [0.1, 0.5, 0.9]).fit(np.zeros((400, 2, 2)), y)
    low, middle, high = model.predict(np.zeros((1, 2, 2)))[0, 0]
    assert middle == y.mean()
    assert np.mean((y[300:] >= low) & (y[300:] <= high)) > 0.8


def test_as_much_is_held_as_was_asked_for():
    """Of a random walk, at every step ahead."""
    windows = ForecastWindows(2, 3, 0)
    data = windows.make(np.random.default_rng(0).normal(size=3000).cumsum())
    model = ConformalForecaster(SeasonalNaive(), [0.05, 0.95]).fit(data.X[:1500], data.y[:1500])
    low, high = np.moveaxis(model.predict(data.X[1500:]), 2, 0)
    held = ((data.y[1500:] >= low) & (data.y[1500:] <= high)).mean(axis=0)
    assert held.min() > 0.86
    assert held.max() < 0.94


@pytest.mark.parametrize("gap", [0, 1, 25])
def test_windows_of_the_gap_are_neither_trained_on_nor_held(gap):
    y = np.arange(40.0)[:, np.newaxis]
    model = ConformalForecaster(Constant(), [0.5], calibration=0.25, gap=gap).fit(np.zeros((40, 3, 2)), y)
    assert model.offsets_[0, 0] == y[30:].mean() - y[: 30 - gap].mean()
    with pytest.raises(ValueError, match=r"leaves 10 for the errors and, with gap=30, 0 before them"):
        model.set_params(gap=30).fit(np.zeros((40, 3, 2)), y)


def test_score_is_that_of_a_net_with_several_quantiles():
    data = ForecastWindows(4, 2, 0).make(np.random.default_rng(0).normal(size=120))
    model = ConformalForecaster(SeasonalNaive(), [0.1, 0.5, 0.9]).fit(data.X, data.y)
    expected = [
        d2_pinball_score(data.y, model.predict(data.X)[:, :, k], alpha=q, sample_weight=np.arange(len(data)))
        for k, q in enumerate([0.1, 0.5, 0.9])
    ]
    np.testing.assert_allclose(model.score(data.X, data.y, np.arange(len(data))), np.mean(expected))
    with pytest.raises(ValueError, match=r"y has shape \(115,\), expected \(115, 2\)"):
        model.score(data.X, data.y[:, 0])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_quantiles_of_a_net_do_not_cross():
    data = ForecastWindows(4, 2, 0).make(np.random.default_rng(0).normal(size=120))
    net = RNNRegressor(3, loss="quantile", quantile=[0.1, 0.5, 0.9], max_iter=3, random_state=0)
    predicted = ConformalForecaster(net, [0.1, 0.5, 0.9]).fit(data.X, data.y).predict(data.X)
    assert predicted.shape == (len(data.X), 2, 3)
    assert (np.diff(predicted, axis=2) >= 0).all()


@pytest.mark.parametrize(("parameters", "message"), [
    ({"quantiles": [0.9, 0.1]}, "expected increasing numbers between 0 and 1"),
    ({"quantiles": [0.0, 0.5]}, "expected increasing numbers between 0 and 1"),
    ({"calibration": 1.0}, "The 'calibration' parameter of ConformalForecaster"),
    ({"calibration": 0.01}, "calibration=0.01 of 20 windows leaves 0 for the errors"),
    ({"estimator": Constant([0.0, 1.0])}, "The estimator predicts 2 values per step, expected 1, or 3 quantiles"),
])
def test_what_cannot_be_used_is_named(parameters, message):
    model = ConformalForecaster(Constant()).set_params(**parameters)
    with pytest.raises(ValueError, match=message):
        model.fit(np.zeros((20, 3, 2)), np.zeros((20, 2)))
    assert not hasattr(model, "offsets_")


@pytest.mark.parametrize(("y", "message"), [
    (np.where(np.arange(20)[:, np.newaxis] < [20, 15], 0.0, np.nan), "y is missing at step 2 in all of the last 5 w"),
    (np.zeros(20), r"y has shape \(20,\), expected \(20, horizon\)"),
    (np.zeros((19, 2)), r"y has shape \(19, 2\), expected \(20, horizon\)"),
])
def test_targets_that_cannot_be_used_are_named(y, message):
    with pytest.raises(ValueError, match=message):
        ConformalForecaster(Constant()).fit(np.zeros((20, 3, 2)), y)
