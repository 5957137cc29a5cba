"""Units make no difference: the same net for a·X + b and c·y + d, and its predictions in these units."""

import pickle

import numpy as np
import pandas as pd
import pytest
from forms import OnDisk
from numpy.testing import assert_allclose, assert_array_equal
from problems import in_domain
from threadpoolctl import threadpool_limits

from skrnn import RaggedArray, RNNClassifier, RNNRegressor
from skrnn._data.units import WeightedMoments
from skrnn._training.losses import LOSSES
from skrnn.preprocessing import SlidingWindow

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SMALL = {"hidden_size": 4, "cell": "gru", "max_iter": 4, "batch_size": 8, "learning_rate_init": 0.01, "random_state": 0}
# Of two features: rounding moves no bit with the first, and the others are units as people have them
POWERS = (np.array([4.0, 0.125]), np.zeros(2))
CELSIUS = (np.array([1.8, 1e-3]), np.array([32.0, -7.0]))
FAR = (np.array([1e6, 1e-9]), np.array([-3e7, 5e-8]))
EXTREME = (np.array([1e200, 1e-250]), np.zeros(2))          # whose squares are no numbers
UNITS = {"powers of two": POWERS, "Celsius": CELSIUS, "far": FAR, "extreme": EXTREME}
REGRESSION = {name: loss for name, loss in LOSSES.items() if loss.is_regression}
LOCATION_LOSSES = sorted(name for name, loss in REGRESSION.items() if loss.out_activation == "identity")


def problem(n=30, steps=6, seed=0):
    """X (n, steps, 2) and y (n,)."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, steps, 2))
    return X, X[:, -1, 0] + 0.5 * X[:, 0, 1]


def in_units(X, units):
    """Features in other units."""
    scale, offset = units
    return [x * scale + offset for x in X] if isinstance(X, list) else X * scale + offset


def assert_same_net(net, other, exactly=False):
    """That two nets have the same parameters, to rounding or to the bit."""
    for name, values in net.parameters_.items():
        if exactly:
            assert_array_equal(other.parameters_[name], values, err_msg=name)
        else:
            assert_allclose(other.parameters_[name], values, rtol=1e-6, atol=1e-9, err_msg=name)


def assert_same_predictions(predicted, expected, c=1.0, d=0.0):
    """That predictions are others in the units c·y + d."""
    predicted, expected = (np.concatenate(p) if p.dtype == object else p for p in (predicted, expected))
    assert_allclose(predicted, c * expected + d, rtol=1e-6, atol=1e-6 * abs(c))


@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize("loss", LOCATION_LOSSES)
def test_units_of_every_loss(loss, units):
    X, y = problem()
    c, d = (8.0, 0.0) if units == "powers of two" else (250.0, -4e4)
    net = RNNRegressor(loss=loss, quantile=0.3, **SMALL).fit(X, y)
    other = RNNRegressor(loss=loss, quantile=0.3, **SMALL).fit(in_units(X, UNITS[units]), c * y + d)
    assert_same_net(net, other, exactly=units == "powers of two")
    assert_same_predictions(other.predict(in_units(X, UNITS[units])), net.predict(X), c, d)
    assert_allclose(other.loss_curve_, net.loss_curve_, rtol=1e-6)


@pytest.mark.parametrize("settings", [{}, {"standardize": "sequence"}, {"patch_size": 3}, {"solver": "lbfgs"}])
def test_units_in_float32(settings):
    """Powers of two move no bit; other units one of the last digits of each number."""
    X, y = problem()
    X = X.astype(np.float32)
    net, other = (RNNRegressor(**SMALL | settings) for _ in range(2))
    net.fit(X, y)
    other.fit(in_units(X, POWERS).astype(np.float32), 8 * y)
    assert_same_net(net, other, exactly=True)
    assert_array_equal(other.predict(in_units(X, POWERS).astype(np.float32)), 8 * net.predict(X))
    in_celsius = in_units(X, CELSIUS).astype(np.float32)
    assert_allclose(other.fit(in_celsius, y).predict(in_celsius), net.predict(X), atol=1e-3)


def test_units_have_the_same_bits_on_any_number_of_threads():
    X = 50 + 7 * np.random.default_rng(0).normal(size=(64, 60, 2))
    nets = []
    for n_threads in (1, 3):
        with threadpool_limits(limits=n_threads):
            nets.append(RNNRegressor(24, max_iter=1, random_state=0).fit(X, X[:, -1, 0]))
    assert_same_net(*nets, exactly=True)
    assert_array_equal(nets[0].X_scale_, nets[1].X_scale_)


def test_units_of_counts_are_their_mean():
    X, y = problem()
    y = np.round(np.exp(y))
    net, other = (RNNRegressor(loss="poisson", **SMALL).fit(X, c * y) for c in (1.0, 1000.0))
    assert_same_net(net, other)
    assert_same_predictions(other.predict(X), net.predict(X), 1000.0)
    assert (net.y_mean_, net.y_scale_) == (0, pytest.approx(y.mean()))


def test_a_distribution_of_counts_is_one_of_the_counts_as_they_are():
    X, y = problem()
    y = np.round(np.exp(y))
    net = RNNRegressor(loss="negative_binomial", **SMALL).fit(X, y)
    assert (net.y_mean_, net.y_scale_) == (0, 1)
    assert_same_net(net, RNNRegressor(loss="negative_binomial", **SMALL).fit(in_units(X, CELSIUS), y))


def test_fractions_stay_fractions():
    X, y = problem()
    y = 1 / (1 + np.exp(-y))
    net = RNNRegressor(out_activation="logistic", **SMALL).fit(X, y)
    assert (net.y_mean_, net.y_scale_) == (0, 1)
    assert_same_net(net, RNNRegressor(out_activation="logistic", **SMALL).fit(in_units(X, CELSIUS), y))


def test_deltas_of_huber_are_deviations_of_y():
    X, y = problem()
    y[0] = 100.0
    nets = [RNNRegressor(loss="huber", huber_delta=0.5, **SMALL).fit(X, c * y) for c in (1.0, 50.0)]
    assert_same_net(*nets)
    assert not np.allclose(nets[0].predict(X), RNNRegressor(loss="huber", huber_delta=5, **SMALL).fit(X, y).predict(X))


@pytest.mark.parametrize("settings", [{}, {"bidirectional": True}, {"hidden_size": (3, 2), "pooling": "max"}])
@pytest.mark.parametrize("per_step", [False, True])
def test_units_of_several_outputs(settings, per_step):
    X, y = problem()
    y = np.stack([X.sum(axis=2), X[:, :, 0]], axis=2) if per_step else np.column_stack([y, X[:, 0, 0]])
    c, d = np.array([1e-3, 40.0]), np.array([0.5, -1e4])
    net, other = (RNNRegressor(return_sequences=per_step, **SMALL | settings) for _ in range(2))
    net.fit(X, y)
    other.fit(in_units(X, CELSIUS), c * y + d)
    assert_same_net(net, other)
    assert_allclose((other.predict(in_units(X, CELSIUS)) - d) / c, net.predict(X), rtol=1e-6, atol=1e-6)
    assert_allclose(other.y_scale_, c * net.y_scale_)
    assert_allclose(other.y_mean_, c * net.y_mean_ + d)


@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize("settings", [{}, {"bidirectional": True}, {"missing": "indicator"}])
def test_units_of_patches(settings, units):
    """The units of a patch are those of its steps."""
    X, y = problem(steps=9)
    if settings.get("missing"):
        X[np.random.default_rng(1).random(X.shape) < 0.2] = np.nan
    X = [x[: 1 + i % 9] for i, x in enumerate(X)]
    net, other = (RNNRegressor(patch_size=4, patch_stride=3, **SMALL | settings) for _ in range(2))
    net.fit(X, y)
    other.fit(in_units(X, UNITS[units]), 250 * y - 4e4)
    assert net.X_mean_.shape == (2,)
    assert_same_net(net, other)
    assert_same_predictions(other.predict(in_units(X, UNITS[units])), net.predict(X), 250, -4e4)


@pytest.mark.parametrize("per_step", [False, True])
@pytest.mark.parametrize("loss", REGRESSION)
def test_the_order_in_memory_changes_no_bit(loss, per_step):
    X, _ = problem(n=200)
    y = in_domain(loss, 100 + (X if per_step else X[:, -1]))
    net, other = (RNNRegressor(loss=loss, return_sequences=per_step, **SMALL | {"max_iter": 1}) for _ in range(2))
    assert_same_net(net.fit(X, y), other.fit(np.asfortranarray(X), np.asfortranarray(y)), exactly=True)
    assert_array_equal(net.y_mean_, other.y_mean_)


def test_units_of_cells_that_are_missing():
    X, y = problem()
    y = np.column_stack([y, 100 * X[:, 0, 0]])
    y[::3, 1], y[1::5, 0] = np.nan, np.nan
    net = RNNRegressor(**SMALL).fit(X, y)
    assert_allclose(net.y_mean_, np.nanmean(y, axis=0))
    assert_allclose(net.y_scale_, np.nanstd(y, axis=0))
    assert_same_net(net, RNNRegressor(**SMALL).fit(X, 3 * y - 7))


@pytest.mark.parametrize("missing", ["ffill", "indicator"])
@pytest.mark.parametrize("form", ["list", "padded", "lazy"])
def test_missing_values_and_ragged_sequences(missing, form):
    rng = np.random.default_rng(1)
    X, y = problem()
    X[rng.random(X.shape) < 0.3] = np.nan
    X[:, 0, 1] = np.nan                     # nothing was seen before: the mean
    X[:, :2, 0] = 0.5
    lengths = rng.integers(2, 7, size=len(X))
    net, other = (RNNRegressor(missing=missing, **SMALL) for _ in range(2))

    def formed(X):
        if form == "list":
            return [x[:n] for x, n in zip(X, lengths, strict=True)]
        if form == "padded":
            X = X.copy()
            for x, n in zip(X, lengths, strict=True):
                x[n:] = np.nan
            return X
        return OnDisk([x[:n] for x, n in zip(X, lengths, strict=True)])

    net.fit(formed(X), y)
    other.fit(formed(in_units(X, CELSIUS)), y)
    assert_same_net(net, other)
    assert_same_predictions(other.predict(formed(in_units(X, CELSIUS))), net.predict(formed(X)))
    used = np.concatenate([x[:n] for x, n in zip(X, lengths, strict=True)])
    assert_allclose(net.X_mean_, np.nanmean(used, axis=0))
    assert_allclose(net.X_scale_, np.nanstd(used, axis=0))


def test_read_on_demand_and_in_memory_have_the_same_bits():
    rng = np.random.default_rng(2)
    X = [rng.normal(size=(n, 2)) * 1e3 + 5 for n in rng.integers(1, 3000, size=40)]
    y = [x.mean() for x in X]
    forms = X, RaggedArray(np.concatenate(X), [len(x) for x in X]), OnDisk(X)
    nets = [RNNRegressor(**SMALL | {"max_iter": 2}).fit(form, y) for form in forms]
    for other in nets[1:]:
        assert_same_net(nets[0], other, exactly=True)
        assert_array_equal(nets[0].X_mean_, other.X_mean_)
        assert_array_equal(nets[0].X_scale_, other.X_scale_)


@pytest.mark.parametrize("settings", [{}, {"missing": "indicator"}])
def test_units_of_what_is_read_on_demand_are_learned_while_it_is_checked(settings, monkeypatch):
    """And no others: prediction has its units, and without them there is nothing to learn."""
    X, y = problem()
    X, learned = [x[: 3 + i % 4] for i, x in enumerate(X)], []
    add = WeightedMoments.add
    monkeypatch.setattr(WeightedMoments, "add", lambda self, *arguments: learned.append(1) or add(self, *arguments))
    n_reads = {}
    for standardize in (True, False):
        on_disk = OnDisk(X)
        # so many epochs that the last loss needs no second look
        net = RNNRegressor(**SMALL | settings | {"standardize": standardize, "max_iter": 30}).fit(on_disk, y)
        n_reads[standardize] = len(on_disk.read)
        assert bool(learned) == standardize
        learned.clear()
        net.predict(on_disk)
        assert not learned
    assert n_reads[True] == n_reads[False]


def test_windows_and_their_copies_have_the_same_bits():
    rng = np.random.default_rng(2)
    series = rng.normal(size=(300, 2)) * [1, 1e4] + 30
    windows = SlidingWindow(20).fit_transform(series)
    y, weights = series.sum(axis=1), rng.random(300)
    copies = [np.array(x) for x in windows]
    nets = [RNNRegressor(**SMALL | {"max_iter": 1}).fit(X, y, weights) for X in (windows, copies)]
    assert_same_net(*nets, exactly=True)


@pytest.mark.parametrize("per_step", [False, True])
def test_weights(per_step):
    """A weight is a number of repetitions, and 0 is absence."""
    X, y = problem(12)
    y = X.sum(axis=2) if per_step else y
    X, y = 1e3 * X + 5, 20 * y - 3
    weights = np.arange(12) % 3
    X[weights == 0], y[weights == 0] = 1e6, -1e9
    settings = SMALL | {"return_sequences": per_step, "batch_size": "auto", "shuffle": False}
    weighted = RNNRegressor(**settings).fit(X, y, sample_weight=weights)
    repeated = RNNRegressor(**settings).fit(np.repeat(X, weights, axis=0), np.repeat(y, weights, axis=0))
    assert_allclose(weighted.X_mean_, repeated.X_mean_)
    assert_allclose(weighted.y_scale_, repeated.y_scale_)
    assert_same_net(weighted, repeated)


def test_weights_of_classes():
    X, _ = problem(40)
    y = np.arange(40) % 4 == 0
    settings = SMALL | {"batch_size": "auto"}
    by_class = RNNClassifier(class_weight={False: 1, True: 3}, **settings).fit(X, y)
    by_sample = RNNClassifier(**settings).fit(X, y, sample_weight=np.where(y, 3, 1))
    assert_same_net(by_class, by_sample, exactly=True)
    assert_array_equal(by_class.X_mean_, by_sample.X_mean_)


def test_tables_of_steps():
    X, y = problem()
    tables = [x.reshape(len(x), -1) for x in (X, in_units(X, CELSIUS))]
    net, other = (RNNRegressor(n_steps=6, **SMALL).fit(table, y) for table in tables)
    assert_same_net(net, other)
    assert net.X_mean_.shape == (2,)
    named = RNNRegressor(n_steps=6, **SMALL).fit(pd.DataFrame(tables[0]).add_prefix("x"), y)
    assert_same_net(net, named, exactly=True)


def test_early_stopping_with_data_of_its_own():
    X, y = problem()
    X_val, y_val = problem(seed=1)
    settings = SMALL | {"early_stopping": True, "max_iter": 6}
    net = RNNRegressor(**settings).fit(X, y, X_val=X_val, y_val=y_val)
    other = RNNRegressor(**settings).fit(
        in_units(X, CELSIUS), 9 * y + 4, X_val=in_units(X_val, CELSIUS), y_val=9 * y_val + 4
    )
    assert_same_net(net, other)
    assert_allclose(other.validation_scores_, net.validation_scores_, rtol=1e-6)
    assert_allclose(net.X_mean_, X.mean(axis=(0, 1)))


@pytest.mark.parametrize("method", ["warm_start", "partial_fit"])
def test_later_calls_keep_the_units_of_the_first(method):
    X, y = problem()
    parts = slice(20), slice(20, 30)

    def fitted(units, c, d):
        net = RNNRegressor(warm_start=method == "warm_start", **SMALL)
        for part in parts:
            call = net.fit if method == "warm_start" else net.partial_fit
            call(in_units(X[part], units), c * y[part] + d)
        return net

    net, other = fitted((1, 0), 1, 0), fitted(CELSIUS, 9, 4)
    assert_same_net(net, other)
    assert_allclose(net.X_mean_, X[:20].mean(axis=(0, 1)))
    assert_allclose(net.y_mean_, y[:20].mean())
    with pytest.raises(ValueError, match="cannot continue with standardize=False"):
        RNNRegressor.fit(net.set_params(standardize=False, warm_start=True), X, y)


@pytest.mark.parametrize("settings", [{}, {"pooling": "mean"}, {"missing": "ffill"}, {"missing": "indicator"}])
def test_streams(settings):
    X, y = problem()
    X, y = in_units(X, CELSIUS), 500 + 100 * y
    if "missing" in settings:
        X[:, 0], X[::2, 3, 1] = np.nan, np.nan
    net = RNNRegressor(**SMALL | settings).fit(X, y)
    state = net.initial_state(len(X))
    for t in range(X.shape[1]):
        predicted, state = net.predict_step(X[:, t], state)
    assert_array_equal(predicted, net.predict(X))
    _, state = net.predict(X[:, :4], return_state=True)
    assert_array_equal(net.predict(X[:, 4:], initial_state=state), net.predict(X))
    assert_allclose(predicted.mean(), 500, atol=150)


def test_transform_and_pickles():
    X, y = problem()
    net, other = RNNRegressor(**SMALL).fit(X, y), RNNRegressor(**SMALL).fit(in_units(X, CELSIUS), 9 * y + 4)
    assert_allclose(other.transform(in_units(X, CELSIUS)), net.transform(X), rtol=1e-6, atol=1e-9)
    again = pickle.loads(pickle.dumps(other))
    assert_array_equal(again.predict(in_units(X, CELSIUS)), other.predict(in_units(X, CELSIUS)))
    assert_array_equal(again.X_scale_, other.X_scale_)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_subsets_and_dtypes(dtype):
    X, y = problem()
    X = in_units(X, CELSIUS).astype(dtype)
    net = RNNRegressor(**SMALL).fit(X, 500 + 100 * y)
    predicted = net.predict(X)
    assert predicted.dtype == dtype
    assert_array_equal(np.concatenate([net.predict(X[:7]), net.predict(X[7:])]), predicted)


def test_before_the_first_update_a_net_is_the_best_constant():
    """With a rate of almost 0 nothing moves from where training begins."""
    X, y = problem()
    still = SMALL | {"learning_rate_init": 1e-300, "max_iter": 1}
    y = 500 + 100 * y
    for loss, constant in (("squared_error", y.mean()), ("absolute_error", np.median(y)), ("poisson", y.mean())):
        assert_allclose(RNNRegressor(loss=loss, **still).fit(X, y).predict(X), constant, rtol=1e-9)
    labels = np.arange(len(X)) % 5
    p = RNNClassifier(**still).fit(X, labels == 0).predict_proba(X)
    assert_allclose(p, np.tile([0.8, 0.2], (len(X), 1)))
    assert_allclose(RNNClassifier(**still).fit(X, np.maximum(labels, 2)).predict_proba(X)[0], [0.6, 0.2, 0.2])
    several = np.column_stack([labels == 0, labels < 3]).astype(int)
    assert_allclose(RNNClassifier(**still).fit(X, several).predict_proba(X)[0], [0.2, 0.6])
    steps = np.repeat(labels[:, np.newaxis], X.shape[1], axis=1)
    p = RNNClassifier(return_sequences=True, **still).fit(X, steps == 0).predict_proba(X)
    assert_allclose(p[0, 0], [0.8, 0.2])


def test_classes_to_come_are_not_ruled_out():
    X, _ = problem()
    still = SMALL | {"learning_rate_init": 1e-300}
    net = RNNClassifier(**still).partial_fit(X, np.zeros(len(X), int), classes=[0, 1])
    assert_allclose(net.predict_proba(X), 0.5)
    net = RNNClassifier(**still).partial_fit(X, np.arange(len(X)) % 3 // 2, classes=[0, 1, 2])
    assert_allclose(net.predict_proba(X)[0], [0.5, 0.25, 0.25])


def test_counts_to_come_are_not_ruled_out():
    """The logarithm of no counts at all would take thousands of updates back to that of some."""
    X, _ = problem()
    still = SMALL | {"learning_rate_init": 1e-300}
    net = RNNRegressor(loss="poisson", **still).partial_fit(X, np.zeros(len(X)))
    assert_allclose(net.predict(X), 0.5 / len(X))
    counts = np.column_stack([np.zeros(len(X)), np.arange(len(X))])
    net = RNNRegressor(loss="poisson", **still).partial_fit(X, counts)
    assert_allclose(net.predict(X)[0], [0.5 / len(X), counts[:, 1].mean()])


@pytest.mark.filterwarnings("ignore::skrnn.exceptions.ConstantTargetWarning")
def test_training_does_not_begin_where_fractions_have_no_slope():
    X, _ = problem()
    still = {"out_activation": "logistic", "loss": "absolute_error"} | SMALL | {"learning_rate_init": 1e-300}
    rare = np.where(np.arange(len(X)) % 3, 0, 0.9)
    several = np.column_stack([np.zeros(len(X)), rare, np.arange(len(X)) / 100])
    assert_allclose(RNNRegressor(**still).fit(X, rare).predict(X), 0.5)
    assert_allclose(RNNRegressor(**still).fit(X, several).predict(X)[0], [0, 0.5, 0.145], atol=1e-6)
    assert_allclose(RNNRegressor(**still).partial_fit(X, several).predict(X)[0], [0.5, 0.5, 0.145])


@pytest.mark.filterwarnings("ignore::skrnn.exceptions.ConstantFeatureWarning")
@pytest.mark.filterwarnings("ignore::skrnn.exceptions.ConstantTargetWarning")
def test_constant_features_and_targets():
    X, _ = problem()
    X[:, :, 1] = 1 / 3
    net = RNNRegressor(**SMALL).fit(1e7 * X, np.full(len(X), 0.1))
    assert net.X_scale_[1] == 1
    assert net.y_scale_ == 1
    assert_allclose(net.predict(1e7 * X), 0.1, rtol=1e-9)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_going_on_with_a_loss_of_other_units_is_refused(method):
    X, y = problem()
    y = 1 / (1 + np.exp(-y))
    poisson, logistic, huber = {"loss": "poisson"}, {"out_activation": "logistic"}, {"loss": "huber"}
    refused = (({}, poisson), ({}, logistic), (poisson, logistic), (logistic, poisson))
    for first, then in refused:
        net = RNNRegressor(warm_start=True, **SMALL, **first).fit(X, y)
        net.set_params(loss="squared_error", out_activation="identity").set_params(**then)
        with pytest.raises(ValueError, match=r"cannot continue with loss=.* takes y in other units"):
            getattr(net, method)(X, y)
    taken = (({}, huber), (poisson, huber), (logistic, {}), (logistic, logistic | {"loss": "absolute_error"}))
    for first, then in (*taken, *(tuple(part | {"standardize": False} for part in both) for both in refused)):
        net = RNNRegressor(warm_start=True, **SMALL, **first).fit(X, y)
        net.set_params(loss="squared_error", out_activation="identity").set_params(**then)
        assert getattr(net, method)(X, y).n_iter_ > 4


@pytest.mark.filterwarnings("ignore::skrnn.exceptions.ConstantFeatureWarning")
@pytest.mark.parametrize("standardize", [True, "sequence"])
@pytest.mark.parametrize("constant", [0.1, -1e30 / 3, 1e300 / 3, 1e-300])
def test_constant_features_change_nothing_whatever_they_are(constant, standardize):
    X, y = problem(steps=7)
    weights = np.random.default_rng(1).random(len(X))
    X[:, :, 1] = 0
    net = RNNRegressor(standardize=standardize, **SMALL).fit(X, y, weights)
    X[:, :, 1] = constant
    other = RNNRegressor(standardize=standardize, **SMALL).fit(X, y, weights)
    assert_same_net(net, other, exactly=True)
    assert_array_equal(other.predict(X), net.predict(X * [1, 0]))
    assert other.X_mean_[1] == constant
    lazy = OnDisk(X)
    net = RNNRegressor(standardize=standardize, **SMALL).fit(lazy, y, weights)
    assert_array_equal(net.predict(lazy), other.predict(X))


@pytest.mark.filterwarnings("ignore::skrnn.exceptions.PrecisionWarning")
def test_what_varies_little_beside_its_mean_is_not_constant():
    X, y = problem()
    net = RNNRegressor(**SMALL).fit(X + 1e15, y + 1e15)
    assert_allclose(net.X_scale_, X.std(axis=(0, 1)), rtol=0.01)
    assert_allclose(net.y_scale_, y.std(), rtol=0.01)


@pytest.mark.filterwarnings("ignore::skrnn.exceptions.ConstantFeatureWarning")
@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize("weight", [1e-60, 1e-250])
def test_weights_beside_which_others_vanish(loss, weight):
    """They are as good as absent, and give nothing its units."""
    X, y = problem()
    X, y, weights = X.astype(np.float32), np.abs(y), np.full(len(X), weight)
    X[0], y[0], weights[0] = 0, 0, 1
    net = RNNRegressor(loss=loss, alpha=0, **SMALL).fit(X, y, weights)
    assert_array_equal([*net.X_scale_, net.y_scale_], 1)
    assert np.isfinite(net.predict(X)).all()


def test_off():
    X, y = problem()
    net = RNNRegressor(standardize=False, **SMALL).fit(X, y)
    assert [net.X_mean_, net.X_scale_, net.y_mean_, net.y_scale_] == [None] * 4
    assert not np.allclose(net.predict(X), RNNRegressor(standardize=False, **SMALL).fit(2 * X, y).predict(2 * X))


def test_categories_have_no_units():
    X = np.random.default_rng(0).integers(5, size=(30, 4))
    net = RNNClassifier(embedding_dim=3, **SMALL).fit(X, X[:, 0] > 2)
    assert [net.X_mean_, net.X_scale_] == [None] * 2


@pytest.mark.parametrize(
    ("factor", "dtype", "message"),
    [
        (4e307, np.float64, "X is too large: the standard deviation of feature 0 of X overflows float64"),
        (1e-40, np.float32, "X is too small for float32: feature 0 of X is .*pass float64"),
    ],
)
def test_units_beyond_the_dtype_are_named(factor, dtype, message):
    X, y = problem()
    with pytest.raises(ValueError, match=message):
        RNNRegressor(**SMALL).fit((X * [factor, 1]).astype(dtype), y)
