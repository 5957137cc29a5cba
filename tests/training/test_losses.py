"""Every loss of the table: value, gradient, weights, the best constant, scores and predictions."""

from functools import partial

import numpy as np
import pytest
import reference
from networks import ALL_LOSSES, make_loss, outputs_of, targets_for
from numerical import assert_gradient, central_differences
from scipy import stats
from scipy.special import xlogy
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import d2_absolute_error_score, d2_pinball_score, d2_tweedie_score, r2_score

from skrnn import RNNRegressor
from skrnn._network.scores import MAX_EXPONENT
from skrnn._training.loss import RegressionLoss
from skrnn._training.losses import LOSSES
from skrnn._training.target_statistics import weighted_quantile
from skrnn.kernels import kernels_for

pytestmark = pytest.mark.usefixtures("simd")

OF_LOGISTIC = [name for name, loss in LOSSES.items() if loss.why_not_logistic is None]
LIKELIHOODS = [name for name, loss in LOSSES.items() if loss.is_likelihood]
OF_NUMBERS = [name for name, loss in LOSSES.items() if loss.is_regression]
FORMS = [(name, False) for name in ALL_LOSSES] + [(name, True) for name in OF_LOGISTIC]
WEIGHTS = pytest.mark.parametrize("weights", [None, np.array([1.0, 2, 0, 0.5, 3, 1, 1])], ids=["plain", "weighted"])


def example(name, rows=7, seed=0):
    rng = np.random.default_rng(seed)
    return 3 * rng.normal(size=(rows, outputs_of(name))), targets_for(name, rows, rng)


def targets_of(name, of_logistic, rows=7, seed=0):
    """Targets that the predictions can reach."""
    rng = np.random.default_rng(seed)
    return rng.uniform(size=(rows, outputs_of(name))) if of_logistic else targets_for(name, rows, rng)


def logistic(z):
    return 1 / (1 + np.exp(-z))


def softplus(z):
    return np.logaddexp(0, z)


def pinball(z, y, q):
    return np.where(y >= z, q * (y - z), (1 - q) * (z - y))


# A loss as a plain formula for each row: what a new one is tested against.
VALUES = {
    "squared_error": lambda z, y: 0.5 * np.mean((z - y) ** 2, axis=1),
    "absolute_error": lambda z, y: np.mean(np.abs(z - y), axis=1),
    "huber": lambda z, y: np.mean(
        np.where(np.abs(z - y) <= 0.7, 0.5 * (z - y) ** 2, 0.7 * (np.abs(z - y) - 0.35)), axis=1
    ),
    "quantile": lambda z, y: np.mean(pinball(z, y, 0.3), axis=1),
    "quantiles": lambda z, y: np.mean([
        pinball(z[:, ::3], y, 0.1), pinball(z[:, ::3] + softplus(z[:, 1::3]), y, 0.3),
        pinball(z[:, ::3] + softplus(z[:, 1::3]) + softplus(z[:, 2::3]), y, 0.9),
    ], axis=(0, 2)),
    "gaussian": lambda z, y: -np.mean(stats.norm.logpdf(y, z[:, ::2], 1e-3 + softplus(z[:, 1::2])), axis=1),
    "student_t": lambda z, y: -np.mean(
        stats.t.logpdf(y, 2.01 + softplus(z[:, 2::3]), z[:, ::3], 1e-3 + softplus(z[:, 1::3])), axis=1
    ),
    "negative_binomial": lambda z, y: -np.mean(
        stats.nbinom.logpmf(y, r := 1 / (1e-6 + np.exp(z[:, 1::2])), r / (r + np.exp(z[:, ::2]))), axis=1
    ),
    "log_cosh": lambda z, y: np.mean(np.log(np.cosh(z - y)), axis=1),
    "poisson": lambda z, y: np.sum(xlogy(y, y) - y * z - y + np.exp(z), axis=1),
    "binary_log_loss": lambda z, y: -np.log(np.where(y == 1, logistic(z[:, 0]), logistic(-z[:, 0]))),
    "log_loss": lambda z, y: -np.log((np.exp(z) / np.exp(z).sum(axis=1, keepdims=True))[np.arange(len(y)), y]),
    "multioutput_log_loss": lambda z, y: (
        VALUES["binary_log_loss"](z[:, :1], y[:, 0]) + VALUES["log_loss"](z[:, 1:], y[:, 1])
    ) / 2,
    "multilabel_log_loss": lambda z, y: -np.log(np.where(y == 1, logistic(z), logistic(-z))).sum(axis=1),
}


@pytest.fixture(params=ALL_LOSSES)
def name(request):
    return request.param


class TestTable:
    def test_the_kernels_have_these_losses_and_no_others(self):
        kernels = kernels_for(np.float64).LOSSES
        assert {name: loss.of_classes for name, loss in LOSSES.items()} == {
            name: loss.of_classes for name, loss in kernels.items()
        }

    def test_an_unknown_name_is_an_error(self):
        scores = np.zeros((1, 1))
        with pytest.raises(ValueError, match="there is no loss 'cubic', expected one of squared_error, "):
            kernels_for(np.float64).loss("cubic", None, False, scores, scores, np.ones(1), scores)

    def test_a_loss_says_what_the_estimator_needs(self, name):
        loss = ALL_LOSSES[name]
        assert loss is LOSSES[loss.name]
        assert loss.summary
        if loss.parameter_name:
            low, high = loss.parameter_range
            default = RNNRegressor().get_params()[loss.parameter_name]
            assert low < default < (np.inf if high is None else high)
            assert loss.make({loss.parameter_name: 0.25}).parameter == 0.25

    def test_only_some_are_losses_of_the_logistic_function(self):
        assert "squared_error" in OF_LOGISTIC
        with pytest.raises(ValueError, match=r"no loss 'poisson' of σ\(score\), whose prediction is the exponential"):
            LOSSES["poisson"](0.0, of_logistic=True)


@pytest.mark.every_simd
class TestValueAndGradient:
    @WEIGHTS
    @pytest.mark.parametrize(("name", "of_logistic"), FORMS)
    def test_of_the_plain_formula(self, name, of_logistic, weights):
        scores, targets = example(name)
        loss = make_loss(name, of_logistic)
        value, gradient = loss.value_and_gradient(scores, targets, weights)
        z = logistic(scores) if of_logistic else scores
        np.testing.assert_allclose(value, np.average(VALUES[name](z, targets), weights=weights), rtol=1e-13)
        assert_gradient(
            gradient, central_differences(lambda: loss.value_and_gradient(scores, targets, weights)[0], scores)
        )

    def test_the_gradient_at_the_target_is_none(self):
        for name in OF_LOGISTIC:
            value, gradient = make_loss(name).value_and_gradient(np.ones((2, 3)), np.ones((2, 3)))
            assert value == 0
            np.testing.assert_array_equal(gradient, 0)

    def test_integer_weights_are_repetition(self, name):
        scores, targets = example(name)
        repeats = np.array([1, 2, 0, 3, 1, 1, 2])
        loss = make_loss(name)
        weighted, _ = loss.value_and_gradient(scores, targets, repeats.astype(float))
        repeated, _ = loss.value_and_gradient(scores.repeat(repeats, axis=0), targets.repeat(repeats, axis=0))
        assert weighted == pytest.approx(repeated, rel=1e-14)

    @pytest.mark.parametrize("weights", [None, np.ones(7)], ids=["plain", "weighted"])
    @pytest.mark.parametrize(("name", "of_logistic"), FORMS)
    def test_float32_stays_float32(self, name, of_logistic, weights):
        scores, targets = example(name)
        scores = scores.astype(np.float32)
        loss = make_loss(name, of_logistic)
        if not loss.of_classes:
            targets = targets.astype(np.float32)
        value, gradient = loss.value_and_gradient(scores, targets, weights)
        assert isinstance(value, float)
        assert gradient.dtype == np.asarray(loss.predict(scores)[0]).dtype == np.float32

    @WEIGHTS
    def test_of_columns_of_classes_those_that_are_known(self, weights):
        """Σ w ℓ / Σ w m / k; an unknown class, −1, has no gradient."""
        loss = LOSSES["multioutput_log_loss"]((3, 1, 4))
        rng = np.random.default_rng(0)
        scores, targets = 3 * rng.normal(size=(7, 8)), rng.integers([3, 2, 4], size=(7, 3))
        targets[[0, 1, 1, 4, 4, 4], [1, 0, 2, 0, 1, 2]] = -1
        w = np.ones(7) if weights is None else weights
        of_cells = np.stack([
            VALUES["log_loss" if name == "softmax" else "binary_log_loss"](scores[:, columns], np.maximum(y, 0))
            for name, columns, y in zip(
                loss.out_activation, (slice(0, 3), slice(3, 4), slice(4, 8)), targets.T, strict=True
            )
        ], axis=1)
        known = targets >= 0
        value, gradient = loss.value_and_gradient(scores, targets, weights)
        assert value == pytest.approx((w[:, None] * of_cells * known).sum() / (w[:, None] * known).sum(), rel=1e-13)
        assert value == pytest.approx(loss.mean(scores.astype(np.float32), targets, weights), rel=1e-6)
        assert_gradient(
            gradient, central_differences(lambda: loss.value_and_gradient(scores, targets, weights)[0], scores)
        )
        np.testing.assert_array_equal(gradient[4], 0)
        np.testing.assert_array_equal(gradient[0, 3], 0)
        assert (gradient[0, :3] != 0).all()

    @pytest.mark.parametrize(
        ("n_scores", "targets", "message"),
        [
            ((3, 1), [[0, 0]], "has 4 scores for all columns, expected 5"),
            ((6, -1), [[0, 0]], "has -1.0 scores for column 1, expected a number from 1"),
            ((3, 2), [[3, 0]], r"targets\[0, 0\]=3 must be a class from 0 to 2, or -1"),
            ((4, 1), [[3, 2]], r"targets\[0, 1\]=2 must be a class from 0 to 1, or -1"),
            ((4, 1), [[-2, 1]], r"targets\[0, 0\]=-2 must be a class"),
            ((4, 1), [[1, 1, 1]], "targets"),
        ],
    )
    def test_columns_of_classes_that_do_not_go(self, n_scores, targets, message):
        scores = np.zeros((1, 5))
        with pytest.raises(ValueError, match=message):
            kernels_for(np.float64).loss(
                "multioutput_log_loss", np.array(n_scores, float), False, scores, np.array(targets), np.ones(1),
                np.empty_like(scores),
            )

    def test_log_cosh_of_large_and_small_distances(self):
        """Where cosh overflows, and where log cosh d = ½ d² would be lost in the rounding of log 2."""
        distances = np.array([[1e4, -1e4, 800.0], [1e-7, -1e-7, 1e-9]])
        for row, value, slope in (
            (0, np.abs(distances[0]) - np.log(2), np.sign(distances[0])), (1, 0.5 * distances[1] ** 2, distances[1]),
        ):
            d = distances[[row]]
            actual, gradient = LOSSES["log_cosh"]().value_and_gradient(d, np.zeros_like(d))
            assert actual == pytest.approx(value.mean(), rel=1e-7)
            np.testing.assert_allclose(gradient[0], slope / 3, rtol=1e-14)


def with_unknown(name, targets, dtype=np.float64):
    """Targets (7, Q) of which some cells are NaN: of one row all but one, of one all."""
    targets = targets.astype(dtype)
    targets[1, 0] = targets[4, 1:] = targets[2] = np.nan
    return targets


OF_CELLS = [(name, of_logistic) for name, of_logistic in FORMS if not ALL_LOSSES[name].of_classes]
# These are means over outputs, the others sums
MEANS = {*OF_LOGISTIC, *LIKELIHOODS, "quantiles"}


@pytest.mark.every_simd
@pytest.mark.parametrize(("name", "of_logistic"), OF_CELLS)
class TestMissingCells:
    @WEIGHTS
    def test_of_the_plain_formula(self, name, of_logistic, weights):
        scores, targets = example(name)
        targets, loss = with_unknown(name, targets), make_loss(name, of_logistic)
        value, gradient = loss.value_and_gradient(scores, targets, weights)
        expected = reference.mean_loss(
            VALUES[name], name in MEANS, logistic(scores) if of_logistic else scores, targets,
            np.ones(7) if weights is None else weights,
        )
        np.testing.assert_allclose(value, expected, rtol=1e-13)
        assert_gradient(
            gradient, central_differences(lambda: loss.value_and_gradient(scores, targets, weights)[0], scores)
        )
        np.testing.assert_array_equal(gradient[np.isnan(targets).repeat(loss.width, axis=1)], 0)

    def test_is_the_sum_of_losses_of_one_output(self, name, of_logistic):
        scores, targets = example(name)
        targets, loss = with_unknown(name, targets), make_loss(name, of_logistic)
        value, gradient = loss.value_and_gradient(scores, targets)
        known, Q = ~np.isnan(targets), targets.shape[1]
        total = 0
        for q in range(Q):
            rows = known[:, q]
            own = slice(q * loss.width, (q + 1) * loss.width)
            one, slope = loss.value_and_gradient(scores[rows, own], targets[rows, q : q + 1])
            share = rows.sum() / known.sum() * (1 if name in MEANS else Q)
            total += share * one
            np.testing.assert_allclose(gradient[rows, own], share * slope, rtol=1e-13)
        assert value == pytest.approx(total, rel=1e-13)

    def test_a_row_is_the_rows_of_its_outputs(self, name, of_logistic):
        scores, targets = example(name)
        loss, Q = make_loss(name, of_logistic), targets.shape[1]
        alone = np.where(np.tile(np.eye(Q, dtype=bool), (7, 1)), targets.repeat(Q, axis=0), np.nan)
        value, _ = loss.value_and_gradient(scores.repeat(Q, axis=0), alone)
        assert value == pytest.approx(loss.value_and_gradient(scores, targets)[0], rel=1e-13)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_rows_that_are_known_keep_their_bits(self, name, of_logistic, dtype):
        scores, targets = example(name)
        scores, unknown = scores.astype(dtype), with_unknown(name, targets, dtype)
        loss, weights = make_loss(name, of_logistic), np.full(7, 0.25)
        _, gradient = loss.value_and_gradient(scores, unknown, weights)
        known = np.isfinite(unknown).all(axis=1)
        # as many cells as in all rows
        weights[~known] = 0.25 * np.isfinite(unknown[~known]).mean(axis=1)
        _, expected = loss.value_and_gradient(scores, targets.astype(dtype), weights)
        np.testing.assert_allclose(gradient[known], expected[known], rtol=4 * np.finfo(dtype).eps)
        assert gradient.dtype == dtype

    @WEIGHTS
    def test_the_best_constant_is_that_of_each_output(self, name, of_logistic, weights):
        targets, loss = with_unknown(name, targets_of(name, of_logistic)), make_loss(name, of_logistic)
        best = loss.best_constant(targets, weights)
        for q, rows in enumerate(~np.isnan(targets.T)):
            expected = loss.best_constant(targets[rows, q : q + 1], None if weights is None else weights[rows])
            np.testing.assert_array_equal(best[q * loss.width : (q + 1) * loss.width], expected)


# Of targets that are all alike: of the density with the least deviation, and of a Poisson distribution
INFIMA = {
    (name, target): -stats.norm.logpdf(0, scale=1e-3) for name in ("gaussian", "student_t") for target in (0, 1)
} | {("negative_binomial", 1): 1.0}


def inside(loss, best):
    """Which scores are no bound of the iteration: beyond it the loss of a likelihood may fall without end."""
    return np.abs(best) < 20 if loss.is_likelihood else np.full(len(best), True)


class TestBestConstant:
    @WEIGHTS
    @pytest.mark.parametrize(("name", "of_logistic"), FORMS)
    def test_no_other_constant_has_less_loss(self, name, of_logistic, weights):
        targets, loss = targets_of(name, of_logistic), make_loss(name, of_logistic)
        best = loss.best_constant(targets, weights, outputs_of(name))
        assert best.shape == (outputs_of(name),)
        assert best.dtype == np.float64

        def value(constant):
            return loss.value_and_gradient(np.tile(constant, (len(targets), 1)), targets, weights)[0]

        for q in np.flatnonzero(inside(loss, best)):
            for step in (1e-4, 1e-2, 1, 10):
                for other in (best[q] - step, best[q] + step):
                    constant = best.copy()
                    constant[q] = other
                    # quantiles that are the same are apart by rounding, and iterations end near 0
                    assert value(best) <= value(constant) + (1e-7 if loss.width > 1 else 1e-15 * value(constant))

    @pytest.mark.parametrize(("name", "of_logistic"), FORMS)
    def test_where_the_slope_is_0(self, name, of_logistic):
        """To the last digits, of the losses without kinks."""
        targets, loss = targets_of(name, of_logistic, rows=101), make_loss(name, of_logistic)
        best = loss.best_constant(targets)
        _, gradient = loss.value_and_gradient(np.tile(best, (len(targets), 1)), targets)
        kinks = name in ("absolute_error", "quantile", "quantiles")
        bound = 0.7 / len(targets) if kinks else 1e-9 if loss.is_likelihood else 1e-14
        assert np.abs(gradient.sum(axis=0))[inside(loss, best)].max() <= bound

    @pytest.mark.parametrize(("name", "of_logistic"), FORMS)
    def test_integer_weights_are_repetition(self, name, of_logistic):
        targets, loss = targets_of(name, of_logistic), make_loss(name, of_logistic)
        repeats = np.array([1, 2, 0, 3, 1, 1, 2])
        weighted = loss.best_constant(targets, repeats.astype(float), outputs_of(name))
        repeated = loss.best_constant(targets.repeat(repeats, axis=0), None, outputs_of(name))
        # up to the gradient at which the iteration of a likelihood ends
        np.testing.assert_allclose(weighted, repeated, rtol=1e-4 if name == "student_t" else 1e-11)

    @pytest.mark.parametrize(
        "counts", [[1, 2, 1, 1, 2, 3], [4, 4], [0, 9, 0, 2, 31], [0, 0, 0, 5000], [0, 0], [10**6, 3 * 10**6]], ids=str
    )
    def test_dispersion_is_the_least_unless_the_variance_exceeds_the_mean(self, counts):
        y = np.array(counts, float)[:, np.newaxis]
        loss, weights = LOSSES["negative_binomial"](), np.arange(1.0, len(y) + 1)
        log_mean, dispersion = loss.best_constant(y, weights)
        mean = np.average(y[:, 0], weights=weights)
        assert log_mean == pytest.approx(np.log(mean or float(np.finfo(np.float32).tiny)), rel=1e-14)
        values = [
            loss.value_and_gradient(np.tile([log_mean, score], (len(y), 1)), y, weights)[0]
            for score in (dispersion, dispersion - 0.1, dispersion + 0.1)
        ]
        if np.average((y[:, 0] - mean) ** 2, weights=weights) > mean:
            assert -20 < dispersion < 20
            assert values[0] < min(values[1:])
        else:
            assert dispersion == -30
        repeated = loss.best_constant(y.repeat(weights.astype(int), axis=0))
        np.testing.assert_allclose(repeated, [log_mean, dispersion], rtol=1e-11)

    def test_mean_median_quantile_and_frequencies(self):
        y = np.random.default_rng(0).exponential(size=(1001, 2))
        for name, expected in (
            ("squared_error", y.mean(axis=0)), ("absolute_error", np.median(y, axis=0)),
            ("quantile", np.quantile(y, 0.3, axis=0)), ("poisson", np.log(y.mean(axis=0))),
        ):
            np.testing.assert_allclose(make_loss(name).best_constant(y), expected, rtol=1e-13)
        np.testing.assert_allclose(make_loss("huber").best_constant(0.1 * y), 0.1 * y.mean(axis=0), rtol=0.05)
        classes = np.array([0, 2, 2, 1])
        np.testing.assert_allclose(np.exp(make_loss("log_loss").best_constant(classes)), [0.25, 0.25, 0.5])
        assert len(make_loss("log_loss").best_constant(classes, None, 5)) == 5
        np.testing.assert_allclose(logistic(make_loss("binary_log_loss").best_constant(classes > 1)), [0.5])

    @pytest.mark.parametrize("q", [0.1, 0.25, 0.5, 0.9])
    def test_of_even_numbers_of_targets_the_middle(self, q):
        y = np.array([[4.0], [1], [2], [8]])
        expected = np.quantile(y, q, axis=0, method="averaged_inverted_cdf")
        np.testing.assert_array_equal(weighted_quantile(y, np.ones(4), q), expected)

    @pytest.mark.parametrize(("name", "of_logistic"), FORMS)
    @pytest.mark.parametrize("target", [0, 1])
    def test_of_targets_that_are_all_alike_it_is_finite(self, name, of_logistic, target):
        """Also where the loss has no minimum, as of the class 0 alone; it is almost at its infimum, 0."""
        loss, Q = make_loss(name, of_logistic), outputs_of(name)
        for dtype in (np.float32, np.float64):
            shape = targets_for(name, 4, np.random.default_rng(0)).shape
            targets = np.full(shape, target, np.intp if loss.of_classes else dtype)
            best = loss.best_constant(targets, None, Q)
            assert np.isfinite(best).all()
            value, _ = loss.value_and_gradient(np.tile(best, (4, 1)).astype(dtype), targets)
            infimum = INFIMA.get((name, target), 0)
            assert value == pytest.approx(infimum, abs=1e-2 if loss.is_likelihood else 1e-6)

    @pytest.mark.parametrize("name", ["huber", "log_cosh"])
    def test_an_outlier_does_not_make_it_coarse(self, name):
        y = np.random.default_rng(0).normal(size=(100, 1))
        far, farther = (np.append(y, [[outlier]], axis=0) for outlier in (1e3, 1e15))
        loss = make_loss(name)
        np.testing.assert_allclose(loss.best_constant(farther), loss.best_constant(far), rtol=1e-12)


METRICS = {
    "squared_error": r2_score, "huber": r2_score, "absolute_error": d2_absolute_error_score,
    "quantile": partial(d2_pinball_score, alpha=0.3), "poisson": partial(d2_tweedie_score, power=1),
}


class TestScore:
    @WEIGHTS
    @pytest.mark.parametrize("name", METRICS)
    def test_is_the_metric_of_scikit_learn_to_the_bit(self, name, weights):
        scores, y = example(name)
        loss, metric = make_loss(name), METRICS[name]
        p = loss.predict(scores)
        one = metric(y[:, 0], p[:, 0], sample_weight=weights)
        assert loss.score(y[:, 0], p[:, 0], weights) == one
        if name == "poisson":       # which scikit-learn has of one output alone
            expected = np.mean([metric(y[:, q], p[:, q], sample_weight=weights) for q in range(3)])
        else:
            expected = metric(y, p, sample_weight=weights)
        assert loss.score(y, p, weights) == expected

    @WEIGHTS
    @pytest.mark.parametrize("name", ["squared_error", "absolute_error", "quantile"])
    def test_the_explained_fraction_is_the_metric_of_scikit_learn(self, name, weights):
        """What a loss without a metric of its own has, for losses that have one."""
        scores, y = example(name)
        loss = make_loss(name)
        for of in (np.s_[:, 0], np.s_[:, :2]):
            expected = METRICS[name](y[of], scores[of], sample_weight=weights)
            assert RegressionLoss.score(loss, y[of], scores[of], weights) == pytest.approx(expected, rel=1e-12)

    @WEIGHTS
    @pytest.mark.parametrize("name", OF_NUMBERS)
    def test_is_1_at_best_and_0_of_the_best_constant(self, name, weights):
        loss, y = make_loss(name), example(name)[1] + 1
        y = np.maximum(y, 0.1) if loss.domain else y
        for of in (np.s_[:, 0], np.s_[:, :2]):
            assert loss.score(y[of], y[of], weights) == 1
        constant = loss.predict(np.tile(loss.best_constant(y, weights), (len(y), 1)))
        if name not in ("huber", "student_t"):          # whose score is R²
            assert loss.score(y, constant, weights) == pytest.approx(0, abs=1e-14)
        assert loss.score(y, constant + 1, weights) < 0

    @pytest.mark.parametrize("name", OF_LOGISTIC)
    def test_is_one_of_predictions_not_of_scores(self, name):
        y = targets_of(name, True)
        p = np.clip(y + 0.1, 0, 1)
        assert make_loss(name, True).score(y, p) == make_loss(name).score(y, p)

    def test_the_explained_fraction_of_constant_targets(self):
        loss, y = LOSSES["log_cosh"](), np.full(5, 3.0)
        assert loss.score(y, y) == 1
        assert loss.score(y, y + 1) == 0
        with pytest.warns(UndefinedMetricWarning):
            assert np.isnan(loss.score(y[:1], y[:1]))


class TestDomain:
    def test_of_the_targets_themselves(self, name):
        loss, y = ALL_LOSSES[name], example(name)[1]
        if loss.of_classes:
            return
        assert loss.check_targets(y) is None
        if loss.domain is not None:
            y[2, 1] = loss.domain.low - 1
            y[4] = -5
            assert loss.check_targets(y) == ((2, 1), loss.domain.expected)

    @pytest.mark.parametrize("name", OF_LOGISTIC)
    @pytest.mark.parametrize("bad", [-0.1, 1.1, np.inf])
    def test_of_logistic_predictions(self, name, bad):
        y = np.array([[0.0], [1.0], [bad], [0.5]])
        cell, expected = LOSSES[name].check_targets(y, of_logistic=True)
        assert cell == (2, 0)
        assert expected == "numbers from 0 to 1 with out_activation='logistic'; scale y"
        assert LOSSES[name].check_targets(y[:2], of_logistic=True) is None


def _parts(p):
    """Predictions as a list: those of each of several columns of classes, or the one array."""
    return p if isinstance(p, list) else [p]


class TestPredictions:
    @pytest.mark.parametrize("name", ["binary_log_loss", "log_loss"])
    def test_huge_scores_neither_overflow_nor_lose_the_loss(self, name):
        scores, targets = example(name)
        scores *= 1e4
        value, gradient = make_loss(name).value_and_gradient(scores, targets)
        assert np.isfinite(value)
        assert value > 100
        assert np.isfinite(gradient).all()
        p = make_loss(name).predict(scores)
        np.testing.assert_allclose(p.sum(axis=1), 1)
        log_p = make_loss(name).predict_log(scores)
        assert np.isfinite(log_p).all()
        assert log_p.min() < -1000
        np.testing.assert_array_equal(
            p.argmax(axis=1), scores.argmax(axis=1) if name == "log_loss" else scores[:, 0] > 0
        )

    @pytest.mark.parametrize("name", ["binary_log_loss", "log_loss"])
    def test_probabilities(self, name):
        scores, _ = example(name)
        p = make_loss(name).predict(scores)
        np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-14)
        if name == "binary_log_loss":
            scores = np.column_stack([np.zeros(len(scores)), scores])
        expected = np.exp(scores[:, 1]) / np.exp(scores).sum(axis=1)
        np.testing.assert_allclose(p[:, 1], expected, rtol=1e-13)
        np.testing.assert_allclose(np.exp(make_loss(name).predict_log(example(name)[0])), p, rtol=1e-12)

    @pytest.mark.parametrize(("name", "of_logistic"), FORMS)
    def test_their_gradient(self, name, of_logistic):
        loss, (scores, _) = make_loss(name, of_logistic), example(name)
        p = loss.predict(scores)
        weights = [np.random.default_rng(i).normal(size=part.shape) for i, part in enumerate(_parts(p))]

        def weighted():
            return sum(np.sum(w * part) for w, part in zip(weights, _parts(loss.predict(scores)), strict=True))

        found = loss.prediction_gradient(scores, weights if isinstance(p, list) else weights[0])
        assert_gradient(found, central_differences(weighted, scores), 1e-8)

    @pytest.mark.parametrize("name", OF_LOGISTIC)
    def test_are_scores_or_the_logistic_function_of_them(self, name):
        scores, _ = example(name)
        assert make_loss(name).predict(scores) is scores
        np.testing.assert_allclose(make_loss(name, True).predict(scores), logistic(scores), rtol=1e-14)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_exponentials_up_to_the_greatest_are_finite(self, dtype):
        greatest = np.array([[MAX_EXPONENT[np.dtype(dtype)]]])
        assert greatest.dtype == dtype
        assert np.isfinite(LOSSES["poisson"]().predict(greatest)).all()
        assert np.isinf(LOSSES["poisson"]().predict(greatest * dtype(1.0001))).all()
