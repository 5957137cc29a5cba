"""Deviations, quantiles and samples that a regressor predicts: forms, units, streams, and what there is not."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import d2_pinball_score, mean_pinball_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from skrnn import RNNRegressor
from skrnn._training.losses import LOSSES
from skrnn.metrics import (
    crps_gaussian,
    crps_samples,
    interval_coverage,
    mean_log_likelihood,
    mean_quantile_loss,
    neg_mean_crps,
)
from skrnn.preprocessing import SequenceScaler

# Nets of few epochs
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::skrnn.exceptions.NothingLearnedWarning"),
]

LEVELS = [0.05, 0.5, 0.95]
SEVERAL = {"loss": "quantile", "quantile": LEVELS}
LIKELIHOODS = [{"loss": name} for name, loss in LOSSES.items() if loss.is_likelihood]
LOCATIONS = [parameters for parameters in [*LIKELIHOODS, SEVERAL] if parameters["loss"] != "negative_binomial"]
ALL = [*LIKELIHOODS, SEVERAL]


def net_for(parameters, **others):
    return RNNRegressor(**{"hidden_size": 4, "max_iter": 15, "random_state": 0} | parameters | others)


def data(n=40, outputs=None, per_step=False, seed=0):
    """Counts whose mean and spread depend on the sequence, which all losses take."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 6, 2))
    mean = np.exp(1 + 0.5 * (X[..., 0] if per_step else X[:, -1, 0]))
    if outputs:
        mean = np.repeat(mean[..., np.newaxis], outputs, axis=-1)
    return X, rng.poisson(mean).astype(float)


FORMS = [(None, False), (3, False), (1, False), (None, True), (2, True)]


@pytest.mark.parametrize("parameters", ALL, ids=str)
@pytest.mark.parametrize(("outputs", "per_step"), FORMS)
class TestForms:
    def test_of_what_is_predicted(self, parameters, outputs, per_step):
        X, y = data(outputs=outputs, per_step=per_step)
        net = net_for(parameters, return_sequences=per_step).fit(X, y)
        several = parameters is SEVERAL
        assert net.n_outputs_ == (outputs or 1)
        assert net.predict(X).shape == ((*y.shape, 3) if several else y.shape)
        assert net.predict_quantile(X, 0.5).shape == y.shape
        quantiles = net.predict_quantile(X, LEVELS)
        assert quantiles.shape == (*y.shape, 3)
        assert (np.diff(quantiles, axis=-1) >= 0).all()
        if several:
            np.testing.assert_array_equal(quantiles, net.predict(X))
            return
        mean, std = net.predict(X, return_std=True)
        np.testing.assert_array_equal(mean, net.predict(X))
        assert std.shape == y.shape
        assert (std > 0).all()
        assert net.sample(X, 5, random_state=0).shape == (*y.shape, 5)

    def test_of_ragged_sequences_and_missing_cells(self, parameters, outputs, per_step):
        X, y = data(outputs=outputs, per_step=per_step)
        X = [x[: 3 + i % 4] for i, x in enumerate(X)]
        if per_step:
            y = [row[: len(x)] for row, x in zip(y, X, strict=True)]
            y[0][1] = np.nan
        if outputs and outputs > 1:
            (y[1][2] if per_step else y[1])[0] = np.nan
        net = net_for(parameters, return_sequences=per_step).fit(X, y)
        predicted = net.predict_quantile(X, LEVELS)
        assert len(predicted) == len(X)
        if per_step:
            assert [len(row) for row in predicted] == [len(x) for x in X]
        assert np.isfinite(net.score(X, y))
        assert np.isfinite(neg_mean_crps(net, X, y))


@pytest.mark.parametrize("parameters", ALL, ids=str)
class TestStatesAndStreams:
    def test_a_stream_predicts_what_predict_does(self, parameters):
        X, y = data()
        net, state = net_for(parameters).fit(X, y), None
        for t in range(X.shape[1]):
            predicted, state = net.predict_step(X[:, t], state)
        np.testing.assert_array_equal(predicted, net.predict(X))
        first, before = net.predict(X[:, :4], return_state=True)
        assert first.shape == predicted.shape
        last, _ = net.predict_quantile(X[:, 4:], LEVELS, initial_state=before, return_state=True)
        np.testing.assert_array_equal(last, net.predict_quantile(X, LEVELS))
        if parameters is SEVERAL:
            return
        mean, std, after = net.predict(X[:, 4:], return_std=True, initial_state=before, return_state=True)
        np.testing.assert_array_equal((mean, std), net.predict(X, return_std=True))
        np.testing.assert_array_equal(after, state)
        _, before = net.predict(X[:1, :5], return_state=True)
        one = net.predict_step(X[0, 5], before, return_std=True)
        assert (one[0], one[1]) == (mean[0], std[0])

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_the_dtype_is_that_of_x(self, parameters, dtype):
        X, y = data()
        net = net_for(parameters).fit(X.astype(dtype), y)
        assert net.predict(X.astype(dtype)).dtype == net.predict_quantile(X.astype(dtype), 0.5).dtype == dtype


@pytest.mark.parametrize("parameters", ALL, ids=str)
class TestTraining:
    def test_weights_are_repetition(self, parameters):
        """By the gradient of all, whose sum does not depend on the order."""
        X, y = data(12)
        repeats = np.arange(12) % 3 + 1
        net = net_for(parameters, batch_size=12, max_iter=3, alpha=0.0, solver="lbfgs", standardize=False, tol=0)
        weighted = clone(net).fit(X, y, sample_weight=repeats)
        repeated = clone(net).fit(X.repeat(repeats, axis=0), y.repeat(repeats))
        np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-6)

    def test_begins_with_the_best_constant(self, parameters):
        X, y = data(200)
        net = net_for(parameters, max_iter=1, learning_rate_init=1e-9).fit(X, y)
        expected = np.quantile(y, LEVELS) if parameters is SEVERAL else y.mean()
        np.testing.assert_allclose(net.predict(X)[0], expected, atol=0.35)
        assert net.score(X, y) == pytest.approx(0, abs=0.1)

    @pytest.mark.parametrize("scoring", ["loss", None, neg_mean_crps])
    @pytest.mark.parametrize("standardize", [True, "sequence"])
    def test_early_stopping(self, parameters, scoring, standardize):
        X, y = data()
        net = net_for(parameters, early_stopping=True, scoring=scoring, standardize=standardize, max_iter=4)
        X = X[:, :, :1]
        net.fit(X, y)
        assert np.isfinite(net.validation_scores_).all()
        if scoring is neg_mean_crps:
            held_out = clone(net).set_params(max_iter=1).fit(X[:30], y[:30], X_val=X[30:], y_val=y[30:])
            assert held_out.validation_scores_ == [pytest.approx(neg_mean_crps(held_out, X[30:], y[30:]), rel=1e-9)]

    def test_goes_on(self, parameters):
        X, y = data()
        net = net_for(parameters, warm_start=True).fit(X, y)
        before = net.loss_
        assert net.fit(X, y).loss_ < before
        part = net_for(parameters).partial_fit(X[:5], y[:5]).partial_fit(X, y)
        assert np.isfinite(part.predict(X)).all()


@pytest.mark.parametrize("parameters", LOCATIONS, ids=str)
@pytest.mark.parametrize("standardize", [True, "sequence"])
def test_units_make_no_difference(parameters, standardize):
    X, y = data()
    X, y = X[:, :, :1], y + np.random.default_rng(1).uniform(size=40)        # no ties with a quantile
    net = net_for(parameters, standardize=standardize)
    one, other = clone(net).fit(X, y), clone(net).fit(1e3 * X - 7, 1e4 * y + 5e5)
    np.testing.assert_allclose(other.predict(1e3 * X - 7), 1e4 * one.predict(X) + 5e5, rtol=1e-6)
    quantiles = other.predict_quantile(1e3 * X - 7, LEVELS)
    np.testing.assert_allclose(quantiles, 1e4 * one.predict_quantile(X, LEVELS) + 5e5, rtol=1e-6)
    assert neg_mean_crps(other, 1e3 * X - 7, 1e4 * y + 5e5) == pytest.approx(1e4 * neg_mean_crps(one, X, y), rel=1e-4)


def test_the_log_likelihood_is_that_of_the_loss_in_the_units_of_y():
    X, y = data()
    for parameters in LIKELIHOODS:
        net = net_for(parameters).fit(X, 10 * y)
        loss, (_, std) = net._fitted.model.loss, net.predict(X, return_std=True)
        scores = net._fitted.scores(net, X)[1]
        value, _ = loss.value_and_gradient(scores, (10 * y[:, np.newaxis] - net.y_mean_) / net.y_scale_)
        assert mean_log_likelihood(net, X, 10 * y) == pytest.approx(-value - np.log(net.y_scale_), rel=1e-9)
        assert (std > 0).all()


def test_several_quantiles_have_the_score_of_scikit_learn():
    X, y = data(outputs=2)
    net = net_for(SEVERAL).fit(X, y)
    p = net.predict(X)
    expected = np.mean([d2_pinball_score(y, p[..., m], alpha=q) for m, q in enumerate(LEVELS)])
    assert net.score(X, y) == pytest.approx(expected, rel=1e-12)
    pinball = np.mean([mean_pinball_loss(y, p[..., m], alpha=q) for m, q in enumerate(LEVELS)])
    assert mean_quantile_loss(y, p, quantile=LEVELS) == pytest.approx(pinball, rel=1e-12)
    assert neg_mean_crps(net, X, y) == pytest.approx(-2 * pinball, rel=1e-6)
    weights = np.arange(40.0)
    weighted = np.mean([mean_pinball_loss(y, p[..., m], alpha=q, sample_weight=weights) for m, q in enumerate(LEVELS)])
    assert mean_quantile_loss(y, p, quantile=LEVELS, sample_weight=weights) == pytest.approx(weighted, rel=1e-12)
    assert neg_mean_crps(net, X, y, weights) == pytest.approx(-2 * weighted, rel=1e-6)


def test_one_quantile_in_a_list_is_that_quantile_to_the_bit():
    X, y = data()
    one = net_for({"loss": "quantile", "quantile": 0.3}).fit(X, y)
    several = net_for({"loss": "quantile", "quantile": [0.3]}).fit(X, y)
    np.testing.assert_array_equal(several.predict(X), one.predict(X)[:, np.newaxis])
    assert several.loss_curve_ == one.loss_curve_
    assert not hasattr(one, "predict_quantile")


class TestCoverage:
    """Of targets whose deviation the net has to find."""

    X = np.random.default_rng(0).uniform(size=(1200, 5, 1))
    y = X[:, 0, 0] + (0.1 + X[:, -1, 0]) * np.random.default_rng(1).normal(size=1200)

    @pytest.mark.parametrize("parameters", LOCATIONS, ids=str)
    def test_is_what_was_asked_for(self, parameters):
        net = net_for(parameters, hidden_size=8, max_iter=40).fit(self.X[:600], self.y[:600])
        X, y = self.X[600:], self.y[600:]
        low, high = net.predict_quantile(X, [0.05, 0.95]).T
        assert 0.83 < interval_coverage(y, low, high) < 0.95
        for part in (X[:, -1, 0] < 0.5, X[:, -1, 0] > 0.5):
            assert 0.79 < interval_coverage(y[part], low[part], high[part]) < 0.97


class TestScorers:
    def test_in_searches_and_pipelines(self):
        X, y = data(30)
        net = net_for({"loss": "gaussian"}, max_iter=5)
        search = GridSearchCV(net, {"loss": ["gaussian", "student_t"]}, scoring=mean_log_likelihood, cv=2).fit(X, y)
        best = search.best_estimator_
        assert search.score(X, y) == mean_log_likelihood(best, X, y)
        scores = cross_val_score(make_pipeline(SequenceScaler(), net), X, y, scoring=neg_mean_crps, cv=2)
        assert np.isfinite(scores).all()

    def test_of_samples_and_of_the_closed_form(self):
        X, y = data()
        net = net_for({"loss": "gaussian"}).fit(X, y)
        closed = crps_gaussian(y, *net.predict(X, return_std=True))
        assert -neg_mean_crps(net, X, y) == pytest.approx(closed, rel=1e-9)
        assert crps_samples(y, net.sample(X, 2000, random_state=0)) == pytest.approx(closed, rel=0.02)
        rng = np.random.default_rng(0)
        y, samples = rng.normal(size=5), rng.normal(size=(5, 4))
        pairs = np.abs(samples[:, :, np.newaxis] - samples[:, np.newaxis]).mean(axis=(1, 2))
        expected = np.abs(samples - y[:, np.newaxis]).mean(axis=1) - 0.5 * pairs
        assert crps_samples(y, samples) == pytest.approx(expected.mean(), rel=1e-12)

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (lambda: crps_gaussian([0.0], [0.0], [0.0]), "std has 0.0, expected positive"),
            (lambda: crps_gaussian([0.0], [[0.0]], [1.0]), r"mean has shape \(1, 1\), expected \(1,\) as y_true"),
            (lambda: crps_samples([0.0], [1.0]), r"samples has shape \(1,\), expected \(1, m\)"),
            (lambda: mean_quantile_loss([0.0], [[1.0]], quantile=[0.5, 0.9]), "1 quantiles of each target, expected 2"),
            (lambda: mean_quantile_loss([0.0], [[1.0]], quantile=[50]), "numbers between 0 and 1"),
            (lambda: interval_coverage([0.0], [0.0], [[1.0]]), r"upper has shape \(1, 1\)"),
        ],
    )
    def test_what_does_not_go(self, call, message):
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize("metric", [
    lambda y, **weights: crps_gaussian(y, np.zeros_like(y), np.ones_like(y), **weights),
    lambda y, **weights: crps_samples(y, np.zeros((len(y), 3)), **weights),
    lambda y, **weights: mean_quantile_loss(y, np.zeros((len(y), 1)), quantile=[0.5], **weights),
    lambda y, **weights: interval_coverage(y, np.zeros_like(y), 2 * np.ones_like(y), **weights),
], ids=["crps_gaussian", "crps_samples", "mean_quantile_loss", "interval_coverage"])
class TestFunctions:
    @pytest.mark.parametrize(("y", "message"), [([1.0, np.nan], "y_true has NaN in row 1"), ([], "at least one row")])
    def test_refuse_what_is_not_known(self, metric, y, message):
        with pytest.raises(ValueError, match=message):
            metric(np.array(y))

    @pytest.mark.parametrize("weights", [[1.0], [-1.0, 2.0], [0.0, 0.0], [[1.0], [1.0]]])
    def test_refuse_weights(self, metric, weights):
        with pytest.raises(ValueError, match=r"sample_weight=.*: expected 2 numbers, one for each row"):
            metric(np.ones(2), sample_weight=weights)

    def test_weights_are_repetitions(self, metric):
        y = np.array([0.5, 3.0, 1.0])
        assert metric(y, sample_weight=[2, 0, 1]) == pytest.approx(metric(y[[0, 0, 2]]), rel=1e-12)


class TestWhatThereIsNot:
    @pytest.mark.parametrize("method", ["predict_quantile", "sample"])
    def test_methods(self, method):
        X, y = data(12)
        net = net_for({}, max_iter=1)
        assert not hasattr(net, method)
        with pytest.raises(AttributeError, match=method):
            getattr(net.fit(X, y), method)
        assert not hasattr(net_for(SEVERAL), "sample")

    @pytest.mark.parametrize("loss", sorted(name for name, loss in LOSSES.items() if loss.is_regression))
    @pytest.mark.parametrize("quantile", [0.5, LEVELS], ids=str)
    def test_what_a_loss_knows(self, loss, quantile):
        """A list of quantiles makes no difference to other losses; a fitted net is as it was fitted."""
        X, y = data(12)
        y = y / y.max() if loss == "binary_log_loss" else y
        net = net_for({"loss": loss, "quantile": quantile}, max_iter=1)
        expected = LOSSES[loss].is_likelihood or (loss == "quantile" and quantile is LEVELS)
        assert hasattr(net, "predict_quantile") == expected
        net.fit(X, y).set_params(quantile=LEVELS if quantile == 0.5 else 0.5)
        assert hasattr(net, "predict_quantile") == expected
        assert hasattr(net, "sample") == LOSSES[loss].is_likelihood

    def test_deviations(self):
        X, y = data(12)
        for parameters in ({}, SEVERAL):
            net = net_for(parameters, max_iter=1).fit(X, y)
            with pytest.raises(ValueError, match="return_std=True is for the losses"):
                net.predict(X, return_std=True)
            with pytest.raises(TypeError, match="mean_log_likelihood is for an RNNRegressor"):
                mean_log_likelihood(net, X, y)

    @pytest.mark.parametrize("quantile", [[], [0.5, 0.1], [0.1, 0.1], [0.0, 0.5], [0.5, 1.0], [[0.1]], ["low"]])
    def test_lists_of_quantiles(self, quantile):
        X, y = data(12)
        with pytest.raises(ValueError, match="quantile"):
            net_for({"loss": "quantile", "quantile": quantile}).fit(X, y)

    @pytest.mark.parametrize("parameters", ALL, ids=str)
    def test_fractions(self, parameters):
        X, y = data(12)
        with pytest.raises(ValueError, match="out_activation='logistic' does not go with loss="):
            net_for(parameters, out_activation="logistic").fit(X, y)

    @pytest.mark.parametrize("bad", [-1.0, 0.5])
    def test_counts(self, bad):
        X, y = data(12)
        y[3] = bad
        with pytest.raises(ValueError, match=rf"y\[3\] is {bad}, expected whole numbers that are not negative with"):
            net_for({"loss": "negative_binomial"}).fit(X, y)

    @pytest.mark.parametrize("q", [0, 1, [0.5, 1.2], [], [[0.5]], np.nan])
    def test_quantiles_asked_for(self, q):
        X, y = data(12)
        with pytest.raises(ValueError, match="expected a number between 0 and 1"):
            net_for({"loss": "gaussian"}, max_iter=1).fit(X, y).predict_quantile(X, q)

    @pytest.mark.parametrize(("fitted", "later"), [
        ({"loss": "student_t"}, SEVERAL), (SEVERAL, {"loss": "student_t"}), ({}, SEVERAL),
        ({"loss": "gaussian"}, {"loss": "student_t"}), ({"loss": "negative_binomial"}, {"loss": "gaussian"}),
        (SEVERAL, SEVERAL | {"quantile": [0.1, 0.9]}),
    ], ids=str)
    @pytest.mark.parametrize("standardize", [True, False])
    def test_outputs_that_mean_something_else_cannot_be_continued(self, fitted, later, standardize):
        X, y = data(12)
        net = net_for(fitted, warm_start=True, max_iter=1, standardize=standardize).fit(X, y)
        before = net.predict(X)
        with pytest.raises(ValueError, match=r"cannot continue with loss='\w+', of which each target has \d outputs?"):
            net.set_params(**later).fit(X, y)
        np.testing.assert_array_equal(net.predict(X), before)

    def test_methods_are_those_of_the_loss_that_was_fitted(self):
        X, y = data(12)
        net = net_for(SEVERAL, max_iter=1).fit(X, y)
        expected = net.predict_quantile(X, LEVELS)
        net.set_params(loss="squared_error", quantile=0.5)
        np.testing.assert_array_equal(net.predict_quantile(X, LEVELS), expected)
        net = net_for({"quantile": LEVELS}, max_iter=1)     # which the loss does not read
        assert not hasattr(net, "predict_quantile")
        assert not hasattr(net.fit(X, y), "predict_quantile")
        with pytest.raises(TypeError, match="neg_mean_crps is for"):
            neg_mean_crps(net, X, y)

    def test_other_units_or_scores_cannot_be_continued(self):
        X, y = data(12)
        net = net_for({"loss": "poisson"}, warm_start=True, max_iter=1).fit(X, y)
        with pytest.raises(ValueError, match="takes y in other units"):
            net.set_params(loss="negative_binomial").fit(X, y)
        net = net_for({}, warm_start=True, max_iter=1).fit(X, y)
        with pytest.raises(ValueError, match="cannot continue"):
            net.set_params(loss="gaussian").fit(X, y)
