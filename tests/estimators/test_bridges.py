"""Forecasting through skforecast and sktime, intervals through MAPIE, oversampling through imbalanced-learn: how they
hand sequences to a net.

They are no dependencies: without one of them its tests are skipped, unless SKRNN_REQUIRE_PEERS is set, as in continuous
integration.
"""

import importlib
import os

import numpy as np
import pandas as pd
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skrnn import RNNClassifier, RNNRegressor
from skrnn.datasets import load_sunspots
from skrnn.preprocessing import SequenceScaler, SlidingWindow

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")]

SERIES = load_sunspots().activity[:120] / 50
PHASE = np.sin(2 * np.pi * np.arange(130) / 11)      # known beforehand, also of the years to forecast
WINDOW, HORIZON = 8, 3
NET = RNNRegressor(4, cell="gru", solver="lbfgs", max_iter=15, random_state=0)


def library(name):
    """The module, or a skip."""
    return importlib.import_module(name) if os.environ.get("SKRNN_REQUIRE_PEERS") else pytest.importorskip(name)


def windows(values, horizon=1):
    """Windows (n, WINDOW), oldest value first, and what follows each, (n, horizon)."""
    return sliding_window_view(values[:-horizon], WINDOW), sliding_window_view(values[WINDOW:], horizon)


def own(X, y):
    return clone(NET).fit(X, y)


def fed_back(predict, values=SERIES):
    """Forecasts (HORIZON,) of the steps after the values, each from a window with those before it."""
    known = list(values)
    for _ in range(HORIZON):
        known.append(predict(np.array(known[-WINDOW:])))
    return known[len(values) :]


def recursive(form=lambda window: window):
    """What a net for one step says of some steps; `form` makes what it reads of windows (n, WINDOW)."""
    X, y = windows(SERIES)
    net = own(form(X), y[:, 0])
    return fed_back(lambda window: net.predict(form(window[np.newaxis]))[0])


def direct(form=lambda window: window):
    """What one net for each of some steps says."""
    X, y = windows(SERIES, HORIZON)
    return [own(form(X), y[:, step]).predict(form(SERIES[np.newaxis, -WINDOW:]))[0] for step in range(HORIZON)]


def multioutput(form=lambda window: window):
    """What one net for some steps says."""
    return own(form(windows(SERIES, HORIZON)[0]), windows(SERIES, HORIZON)[1]).predict(form(SERIES[None, -WINDOW:]))[0]


def oldest_first(X):
    """skforecast's lags (n, WINDOW) in the order of time."""
    return np.asarray(X)[:, ::-1]


def with_known(X):
    """(n, WINDOW, 1 + k) of skforecast's lags and k columns: beside each lag what is known of the step to forecast."""
    X = np.asarray(X)
    lags, known = X[:, WINDOW - 1 :: -1, np.newaxis], X[:, np.newaxis, WINDOW:]
    return np.concatenate([lags, np.repeat(known, WINDOW, axis=1)], axis=2)


def steps_first(X):
    """(n, T, D) of sktime's (n, D, T)."""
    return X.transpose(0, 2, 1)


def of_table(X):
    """(n, WINDOW, D) of sktime's (n, D * WINDOW), a series after the other."""
    return steps_first(X.reshape(len(X), -1, WINDOW))


class TestSkforecast:
    """Its windows are tables with the newest lag first, and what is known beforehand after the lags."""

    series = pd.Series(SERIES)
    known = pd.DataFrame({"phase": PHASE})

    @pytest.fixture(autouse=True)
    def _library(self):
        library("skforecast")

    def forecaster(self, form, cls="recursive", **parameters):
        module = importlib.import_module(f"skforecast.{cls}")
        estimator = make_pipeline(FunctionTransformer(form), NET)
        return getattr(module, f"Forecaster{cls.title()}")(estimator=estimator, lags=WINDOW, **parameters)

    def test_recursive(self):
        forecaster = self.forecaster(oldest_first)
        forecaster.fit(self.series)
        np.testing.assert_array_equal(forecaster.predict(HORIZON), recursive())

    def test_direct(self):
        forecaster = self.forecaster(oldest_first, "direct", steps=HORIZON)
        forecaster.fit(self.series)
        np.testing.assert_array_equal(forecaster.predict(), direct())

    def test_lags_come_newest_first(self):
        forecaster = self.forecaster(None)
        forecaster.fit(self.series)
        np.testing.assert_array_equal(forecaster.predict(HORIZON), recursive(lambda window: window[:, ::-1]))
        assert not np.allclose(forecaster.predict(HORIZON), recursive(), rtol=1e-2)

    def test_known_beforehand(self):
        forecaster = self.forecaster(with_known)
        n = len(SERIES)
        forecaster.fit(self.series, exog=self.known[:n])
        X, y = windows(SERIES)
        known = np.repeat(PHASE[WINDOW:n, np.newaxis], WINDOW, axis=1)
        net, years = own(np.stack([X, known], axis=2), y[:, 0]), iter(PHASE[n:])

        def predict(window):
            return net.predict(np.column_stack([window, np.full(WINDOW, next(years))])[np.newaxis])[0]

        np.testing.assert_array_equal(forecaster.predict(HORIZON, exog=self.known[n:]), fed_back(predict))

    def test_search(self):
        """The error of a net of the first 90 years, on the others three by three."""
        from skforecast.model_selection import TimeSeriesFold, grid_search_forecaster

        found = grid_search_forecaster(
            forecaster=self.forecaster(oldest_first), y=self.series, cv=TimeSeriesFold(HORIZON, 90),
            param_grid={"rnnregressor__hidden_size": [1, 4]}, metric="mean_squared_error", return_best=False,
            n_jobs=1, verbose=False, show_progress=False,
        )
        X, y = windows(SERIES[:90])
        net = own(X, y[:, 0])
        forecasts = [fed_back(lambda window: net.predict([window])[0], SERIES[:end]) for end in range(90, 120, HORIZON)]
        error = np.mean((np.ravel(forecasts) - SERIES[90:]) ** 2)
        of_size = dict(zip(found["rnnregressor__hidden_size"], found["mean_squared_error"], strict=True))
        assert of_size[4] == pytest.approx(error, rel=1e-12)
        assert of_size[1] != of_size[4]


@pytest.mark.filterwarnings("ignore:The default of config ``remember_data``:FutureWarning")
class TestSktime:
    """A tabular regressor gets the oldest value first, one series after the other; a time-series one channels first."""

    series = pd.Series(SERIES)
    known = pd.DataFrame({"phase": PHASE})
    strategies = pytest.mark.parametrize("strategy", [recursive, direct, multioutput])

    @pytest.fixture(autouse=True)
    def _library(self):
        library("sktime")

    def forecast(self, estimator, strategy, scitype, known=None):
        from sktime.forecasting.compose import make_reduction

        forecaster = make_reduction(estimator, strategy=strategy.__name__, window_length=WINDOW, scitype=scitype)
        steps, n = list(range(1, HORIZON + 1)), len(SERIES)
        forecaster.fit(self.series, X=None if known is None else known[:n], fh=steps)
        return forecaster.predict(steps, X=None if known is None else known[n : n + HORIZON]).to_numpy()

    @strategies
    @pytest.mark.parametrize("scitype", ["tabular-regressor", "infer"])
    def test_tabular(self, strategy, scitype):
        np.testing.assert_array_equal(self.forecast(NET, strategy, scitype), strategy())

    @strategies
    def test_time_series(self, strategy):
        net = make_pipeline(FunctionTransformer(steps_first), NET)
        np.testing.assert_array_equal(self.forecast(net, strategy, "time-series-regressor"), strategy())

    @strategies
    def test_channels_come_first(self, strategy):
        """Without the transposition a window is a single step."""
        found = self.forecast(NET, strategy, "time-series-regressor")
        np.testing.assert_array_equal(found, strategy(lambda window: window[:, np.newaxis]))
        assert not np.allclose(found, strategy(), rtol=1e-2)

    @pytest.mark.parametrize(
        ("scitype", "form"), [("tabular-regressor", of_table), ("time-series-regressor", steps_first)]
    )
    def test_known_series(self, scitype, form):
        """Another series is read at the steps of the window, not at the step to forecast."""
        X, y = windows(SERIES)
        n = len(SERIES)
        net = own(np.stack([X, windows(PHASE[:n])[0]], axis=2), y[:, 0])
        ends = iter(range(n, n + HORIZON))

        def predict(window):
            end = next(ends)
            return net.predict(np.column_stack([window, PHASE[end - WINDOW : end]])[np.newaxis])[0]

        found = self.forecast(make_pipeline(FunctionTransformer(form), NET), recursive, scitype, self.known)
        np.testing.assert_array_equal(found, fed_back(predict))


@pytest.fixture(scope="module")
def data():
    """Windows (n, WINDOW) of an autoregression, and what follows: noise of unit variance is all that is unknown."""
    rng = np.random.default_rng(0)
    values = np.zeros(1900)
    for t in range(2, len(values)):
        values[t] = 1.3 * values[t - 1] - 0.7 * values[t - 2] + rng.normal()
    X, y = windows(values)
    return X, y[:, 0]


class TestMapie:
    """Intervals that hold nine of ten values, from nets that predict one."""

    level = 0.9
    fit, conform, test = slice(400), slice(400, 900), slice(900, None)

    @pytest.fixture(autouse=True)
    def _library(self):
        library("mapie")

    def are_good(self, intervals, y):
        """Whether they hold as many as they should, and are not much wider than they have to be."""
        low, high = intervals[:, 0, 0], intervals[:, 1, 0]
        hold = abs(np.mean((low <= y) & (y <= high)) - self.level) < 0.04
        return hold and 0.9 < np.mean(high - low) / (2 * 1.645) < 1.25

    def splits_well(self, estimator, X, y):
        from mapie.regression import SplitConformalRegressor

        conformal = SplitConformalRegressor(estimator, confidence_level=self.level, prefit=False)
        conformal.fit(X[self.fit], y[self.fit]).conformalize(X[self.conform], y[self.conform])
        return self.are_good(conformal.predict_interval(X[self.test])[1], y[self.test])

    @pytest.mark.parametrize("form", [np.asarray, lambda X: X[:, :, np.newaxis], list], ids=["2-D", "3-D", "ragged"])
    def test_split(self, data, form):
        X, y = data
        assert self.splits_well(NET, form(X), y)

    def test_split_of_a_table(self, data):
        X, y = data
        assert self.splits_well(make_pipeline(SlidingWindow(WINDOW), NET), X[:, -1:], y)

    def test_steps_of_several_features(self, data):
        """MAPIE tries a row of zeros, which has to be a sequence: columns and n_steps, not three dimensions."""
        X, y = data
        several = np.stack([X, np.abs(X)], axis=2)
        assert self.splits_well(clone(NET).set_params(n_steps=WINDOW), several.reshape(len(X), -1), y)
        with pytest.raises(UserWarning, match="was fitted on 2 features per step"):
            self.splits_well(NET, several, y)

    def test_quantiles(self, data):
        """Three nets, of the lower quantile, the upper and the median in this order: wide where the noise is strong."""
        from mapie.regression import ConformalizedQuantileRegressor

        X, y = data
        strength = np.abs(X[:, -1])
        y = y + 2 * strength * np.random.default_rng(1).normal(size=len(y))
        net = clone(NET).set_params(loss="quantile", solver="adam", learning_rate_init=0.02, max_iter=40)
        quantiles = ((1 - self.level) / 2, (1 + self.level) / 2, 0.5)
        nets = [clone(net).set_params(quantile=q).fit(X[self.fit], y[self.fit]) for q in quantiles]
        conformal = ConformalizedQuantileRegressor(nets, confidence_level=self.level, prefit=True)
        conformal.conformalize(X[self.conform], y[self.conform])
        low, high = conformal.predict_interval(X[self.test])[1][:, :, 0].T
        inside = (low <= y[self.test]) & (y[self.test] <= high)
        strong = strength[self.test] > np.median(strength)
        assert abs(inside.mean() - self.level) < 0.04
        assert min(inside[strong].mean(), inside[~strong].mean()) > self.level - 0.08
        assert np.mean((high - low)[strong]) > 1.4 * np.mean((high - low)[~strong])

    def test_time_series(self, data):
        """Nets of resampled blocks, whose errors on the other blocks give the interval."""
        from mapie.regression import TimeSeriesRegressor
        from mapie.subsample import BlockBootstrap

        X, y = data
        blocks = BlockBootstrap(n_resamplings=8, n_blocks=10, random_state=0)
        known = slice(self.conform.stop)
        conformal = TimeSeriesRegressor(NET, cv=blocks).fit(X[known], y[known])
        _, intervals = conformal.predict(X[self.test], ensemble=True, confidence_level=self.level)
        assert self.are_good(intervals, y[self.test])

    def test_adaptive(self, data):
        """The level follows what intervals have held so far: so they hold what they should where the noise grows."""
        from mapie.regression import SplitConformalRegressor, TimeSeriesRegressor

        X, y = data
        y = y + np.where(np.arange(len(y)) < self.test.start, 0, 1) * np.random.default_rng(1).normal(size=len(y))
        net = clone(NET).fit(X[self.fit], y[self.fit])
        fixed = SplitConformalRegressor(net, confidence_level=self.level, prefit=True)
        fixed.conformalize(X[self.conform], y[self.conform])
        conformal = TimeSeriesRegressor(net, method="aci", cv="prefit").fit(X[self.conform], y[self.conform])
        held = []
        for i in range(*self.test.indices(len(y))):
            now = slice(i, i + 1)
            _, intervals = conformal.predict(X[now], confidence_level=self.level, allow_infinite_bounds=True)
            held.append(intervals[0, 0, 0] <= y[i] <= intervals[0, 1, 0])
            conformal.adapt_conformal_inference(X[now], y[now], gamma=0.05, confidence_level=self.level)
        low, high = fixed.predict_interval(X[self.test])[1][:, :, 0].T
        assert np.mean((low <= y[self.test]) & (y[self.test] <= high)) < self.level - 0.08
        assert abs(np.mean(held) - self.level) < 0.02


class TestImbalancedLearn:
    """It takes tables; sequences of different lengths go into their cells."""

    def test_oversampling(self):
        sampling = library("imblearn.over_sampling")
        pipeline = importlib.import_module("imblearn.pipeline")
        rng = np.random.default_rng(0)
        frame = pd.DataFrame({name: [rng.normal(size=2 + i % 4) for i in range(20)] for name in "ab"})
        y = (np.arange(20) > 14).astype(int)
        for X in (frame, frame.to_numpy()):
            net = RNNClassifier(4, max_iter=5, random_state=0)
            sampler = sampling.RandomOverSampler(random_state=0)
            model = pipeline.make_pipeline(SequenceScaler(), sampler, net).fit(X, y)
            chosen = model[1].sample_indices_
            assert np.bincount(y[chosen]).tolist() == [15, 15]
            cells = np.asarray(SequenceScaler().fit_transform(X))
            expected = clone(net).fit([np.column_stack(cells[i]) for i in chosen], y[chosen])
            np.testing.assert_array_equal(model[-1]._fitted.model.theta, expected._fitted.model.theta)


class TestTensors:
    """Those of PyTorch are arrays if NumPy can read them; otherwise the message says what makes them so."""

    X, y = np.arange(24.0).reshape(4, 3, 2), np.arange(4.0)

    def test_as_X_and_y(self):
        torch = library("torch")
        expected = own(self.X, self.y)
        for X in (torch.tensor(self.X), list(torch.tensor(self.X))):
            np.testing.assert_array_equal(
                own(X, torch.tensor(self.y))._fitted.model.theta, expected._fitted.model.theta
            )

    @pytest.mark.parametrize(("make", "remedy"), [
        (lambda torch, values: torch.tensor(values, requires_grad=True), r"pass \S+\.detach\(\)$"),
        (lambda torch, values: torch.tensor(values).to_sparse(), r"pass \S+\.to_dense\(\)$"),
        (lambda torch, values: torch.tensor(values).bfloat16(), r"pass \S+\.float\(\)$"),
        (lambda torch, values: torch.tensor(values, device="meta"), "a meta tensor has no values"),
    ], ids=["grad", "sparse", "bfloat16", "meta"])
    def test_that_numpy_cannot_read(self, make, remedy):
        torch = library("torch")
        net = own(self.X, self.y)
        for name, call in {
            "X": lambda: own(make(torch, self.X), self.y),
            r"X\[0\]": lambda: own([make(torch, x) for x in self.X], self.y),
            "y": lambda: own(self.X, make(torch, self.y)),
            "sample_weight": lambda: clone(NET).fit(self.X, self.y, make(torch, self.y + 1)),
            "x": lambda: net.predict_step(make(torch, self.X[0, 0]), net.initial_state()),
        }.items():
            with pytest.raises(TypeError, match=rf"^{name} is not an array: .*{remedy}"):
                call()

    def test_data_sets_of_pairs(self):
        torch, data = library("torch"), library("torch.utils.data")
        pairs = data.TensorDataset(torch.tensor(self.X), torch.tensor(self.X))
        with pytest.raises(TypeError, match=r"X\[0\] is a tuple of 2, .* pairs \(x, y\)"):
            own(pairs, self.y)
        with pytest.raises(TypeError, match=r"X is a DataLoader, .* pass list\(X\)"):
            own(data.DataLoader(pairs), self.y)
