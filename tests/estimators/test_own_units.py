"""standardize="sequence": each sequence in its own units, with its mean and deviation beside it; forecasts put back."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import r2_score

from skrnn import RaggedArray, RNNClassifier, RNNRegressor
from skrnn._data.containers import as_sequences
from skrnn._data.own_units import in_own_units, target_units
from skrnn._data.units import Units
from skrnn.preprocessing import SlidingWindow

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SMALL = {
    "hidden_size": 4, "cell": "gru", "max_iter": 3, "batch_size": 8, "learning_rate_init": 0.01, "random_state": 0,
    "patch_size": None, "standardize": "sequence",
}
UNITS = Units(np.array([1.0, -5.0]), np.array([2.0, 0.1]))


def trended(n=60, width=12):
    """Windows of a series that grows, and the value after each."""
    t = np.arange(n + width)
    series = 50 + 3.0 * t + (5 + 0.2 * t) * np.sin(t)
    windows = np.lib.stride_tricks.sliding_window_view(series, width)
    return windows[:-1, :, np.newaxis].copy(), series[width:]


def sequences(seed=0):
    """Sequences of two features whose levels and deviations differ by powers of ten."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(3, 9, size=24)
    scale, level = 10.0 ** rng.integers(-2, 3, size=(24, 1, 2)), rng.normal(size=(24, 1, 2)) * 100
    return [level[i] + scale[i] * rng.normal(size=(length, 2)) for i, length in enumerate(lengths)]


@pytest.mark.parametrize("missing", ["error", "ffill", "indicator"])
def test_features_by_their_definition(missing):
    X = sequences()
    X[3][:] = 7.0
    if missing != "error":
        X[0][0, 0], X[1][2:, 1], X[2][:, 1] = np.nan, np.nan, np.nan
    read = as_sequences(X, allow_missing=missing != "error")
    read = in_own_units(read, UNITS, missing)
    for i, x in enumerate(X):
        known = [column[~np.isnan(column)] for column in x.T]
        mean = np.array([part.mean() if len(part) else UNITS.center[j] for j, part in enumerate(known)])
        deviation = np.array([part.std() if len(part) else 0.0 for part in known])
        filled = x.copy()
        for t in range(len(x)):
            before = filled[t - 1] if t else mean
            filled[t] = np.where(np.isnan(x[t]), before, x[t])
        rows = slice(read.starts[i], read.starts[i] + read.lengths[i])
        values = read.values[rows]
        expected = (filled - mean) / np.where(deviation > 0, deviation, 1)
        assert_allclose(values[:, :2], expected, atol=1e-9)
        level = np.arcsinh((mean - UNITS.center) / UNITS.scale)
        assert_allclose(values[:, 2:4], np.tile(level, (len(x), 1)), atol=1e-9)
        spread = np.log(np.maximum(deviation / UNITS.scale, 1e-6))
        assert_allclose(values[:, 4:6], np.tile(spread, (len(x), 1)), atol=1e-9)
        assert_array_equal(values[:, 6:], np.isnan(x) if missing == "indicator" else np.empty((len(x), 0)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("constant", [0.1, 1e9 + 1 / 3, np.nan])
def test_steps_of_constant_sequences_are_zeros(constant, dtype):
    """In float32, too, which rounds what stands in the place of missing values."""
    x = np.full((7, 2), constant, dtype)
    units = Units(np.array([1e9 + 1 / 3, 1 / 3]), np.array([2.0, 0.1]))
    read = in_own_units(as_sequences([x], allow_missing=True), units, "ffill")
    assert_array_equal(read.values[:, :2], 0)


@pytest.mark.parametrize("factor", [1e200, 1e-200])
def test_extreme_units(factor):
    X, y = sequences(), np.arange(24.0)
    net, other = RNNRegressor(**SMALL).fit(X, y), RNNRegressor(**SMALL).fit([factor * x for x in X], y)
    assert_allclose(other.predict([factor * x for x in X]), net.predict(X), rtol=1e-6)


@pytest.mark.parametrize("per_step", [False, True])
def test_targets_by_their_definition(per_step):
    X = sequences()
    read = in_own_units(as_sequences(X), UNITS, "error")
    own = target_units(read, np.arange(24)[::2], 2, 2, per_step)
    rows = [i for i in range(0, 24, 2) for _ in range(len(X[i]) if per_step else 1)]
    assert_allclose(own.level, [(X[i].mean(axis=0) - UNITS.center) / UNITS.scale for i in rows])
    assert_allclose(own.ratio, [np.hypot(X[i].std(axis=0) / UNITS.scale, 0.01) for i in rows])
    y = np.random.default_rng(0).normal(size=own.level.shape)
    assert_allclose(own.put_back(own.of(y)), y)


@pytest.mark.parametrize("settings", [{}, {"bidirectional": True}, {"loss": "absolute_error"}, {"patch_size": 4}])
def test_units_make_no_difference(settings):
    X, y = trended()
    net = RNNRegressor(**SMALL | settings).fit(X, y)
    other = RNNRegressor(**SMALL | settings).fit(1e-3 * X + 40, 1e-3 * y + 40)
    for name, values in net.parameters_.items():
        assert_allclose(other.parameters_[name], values, rtol=1e-6, atol=1e-8)
    assert_allclose(other.predict(1e-3 * X + 40), 1e-3 * net.predict(X) + 40, rtol=1e-6)


@pytest.mark.parametrize("horizon", [None, 3])
def test_a_trend_is_followed(horizon):
    X, y = trended()
    if horizon:
        y = np.column_stack([y[i : len(y) - horizon + i + 1] for i in range(horizon)])
        X = X[: len(y)]
    settings = SMALL | {"max_iter": 150, "hidden_size": 8}
    n = 40
    net = RNNRegressor(**settings).fit(X[:n], y[:n])
    of_all = RNNRegressor(**settings | {"standardize": True}).fit(X[:n], y[:n])
    errors = [np.abs(fitted.predict(X[n:]) - y[n:]).mean() for fitted in (net, of_all)]
    assert errors[0] < 0.5 * errors[1]
    # the first scores are 0: the mean of each window, in its own units
    start = RNNRegressor(**settings | {"learning_rate_init": 1e-300, "max_iter": 1}).fit(X[:n], y[:n])
    mean, deviation = X[:n].mean(axis=1), X[:n].std(axis=1)
    y_own = (y[:n].reshape(n, -1) - mean) / deviation
    expected = (mean + deviation * y_own.mean(axis=0)).reshape(y[:n].shape)
    assert np.abs(start.predict(X[:n]) - expected).mean() < 0.1 * y.std()


def test_which_targets_are_in_units_of_their_sequences():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 5, 2)) + 100 * rng.normal(size=(30, 1, 2))
    still = SMALL | {"learning_rate_init": 1e-300, "max_iter": 1}
    # one output for each feature
    predicted = RNNRegressor(**still).fit(X, X[:, -1]).predict(X)
    assert np.corrcoef(predicted[:, 0], X[:, :, 0].mean(axis=1))[0, 1] > 0.99
    # another number of outputs, and losses that are not of a distance: the constant of all
    assert np.ptp(RNNRegressor(**still).fit(X, X[:, -1, 0]).predict(X)) < 1e-6
    x = X[:, :, :1]
    assert np.ptp(RNNRegressor(loss="poisson", **still).fit(x, np.abs(x[:, -1, 0])).predict(x)) < 1e-6


def test_bits_of_subsets_windows_and_what_is_read_on_demand():
    rng = np.random.default_rng(0)
    series = np.cumsum(rng.normal(size=(80, 1)), axis=0)
    windows = SlidingWindow(10).fit_transform(series)
    copies = [np.array(x) for x in windows]
    ragged = RaggedArray(np.concatenate(copies), [len(x) for x in copies])
    nets = [RNNRegressor(**SMALL).fit(X, series[:, 0]) for X in (windows, copies, ragged)]
    predicted = nets[0].predict(windows)
    for net in nets:
        assert_array_equal(net.predict(copies), predicted)
    assert_array_equal(np.concatenate([nets[0].predict(copies[:7]), nets[0].predict(copies[7:])]), predicted)
    assert_array_equal(pickle.loads(pickle.dumps(nets[0])).predict(copies), predicted)


def test_constant_sequences_are_finite():
    X, y = trended()
    X[::4], y[::4] = 3.0, 3.0
    X = X.astype(np.float32)
    net = RNNRegressor(**SMALL).fit(X, y)
    assert np.isfinite(net.predict(X)).all()
    assert net.predict(X).dtype == np.float32


@pytest.mark.parametrize("scoring", ["loss", None, "r2"])
def test_early_stopping(scoring):
    X, y = trended()
    net = RNNRegressor(early_stopping=True, scoring=scoring, **SMALL).fit(X[:40], y[:40], X_val=X[40:], y_val=y[40:])
    if scoring != "loss":
        assert_allclose(net.best_validation_score_, r2_score(y[40:], net.predict(X[40:])))
    mean, deviation = X[40:, :, 0].mean(axis=1), X[40:, :, 0].std(axis=1)
    ratio = np.hypot(deviation / net.X_scale_, 0.01) * net.y_scale_
    level = net.y_mean_ + net.y_scale_ * (mean - net.X_mean_) / net.X_scale_
    errors = (net.predict(X[40:]) - level) / ratio - (y[40:] - level) / ratio
    assert_allclose(net.validation_loss_curve_[net.best_iter_ - 1], 0.5 * (errors**2).mean(), rtol=1e-6)
    held_out = RNNRegressor(early_stopping=True, scoring=scoring, **SMALL).fit(X, y)
    assert np.isfinite(held_out.validation_loss_curve_).all()


def test_targets_of_steps_and_classes():
    X = sequences()
    y = [x[:, ::-1] for x in X]
    net = RNNRegressor(return_sequences=True, **SMALL).fit(X, y)
    assert [p.shape for p in net.predict(X)] == [x.shape for x in X]
    start = RNNRegressor(return_sequences=True, **SMALL | {"learning_rate_init": 1e-300, "max_iter": 1})
    start = start.fit(X, X).predict(X)
    assert np.corrcoef([p.mean() for p in start], [x.mean() for x in X])[0, 1] > 0.99
    labels = [int(x[-1, 0] > x[0, 0]) for x in X]
    net = RNNClassifier(**SMALL | {"max_iter": 100, "learning_rate_init": 0.03}).fit(X, labels)
    assert net.score(X, labels) > 0.9


def test_it_continues():
    X, y = trended()
    warm = RNNRegressor(warm_start=True, **SMALL).fit(X, y)
    before = warm.X_mean_
    warm.fit(X[:30], y[:30])
    assert_array_equal(warm.X_mean_, before)
    part = RNNRegressor(**SMALL)
    for _ in range(2):
        part.partial_fit(X, y)
    assert part.n_iter_ == 2
    with pytest.raises(ValueError, match="cannot continue with standardize=True"):
        warm.set_params(standardize=True).fit(X, y)


def test_states_are_refused():
    X, y = trended()
    net = RNNRegressor(**SMALL).fit(X, y)
    for call in (
        lambda: net.initial_state(), lambda: net.predict_step(X[0, 0], None),
        lambda: net.predict(X, return_state=True),
    ):
        with pytest.raises(ValueError, match="standardize='sequence' takes the mean of all steps; fit with"):
            call()
