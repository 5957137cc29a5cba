"""The distributions of targets: against scipy's, and scores of them against their definitions."""

import numpy as np
import pytest
from scipy import stats

from skrnn._training import distributions
from skrnn._training.distributions import NegativeBinomial, Normal, Quantiles, StudentT
from skrnn._training.losses import LOSSES

LOCATION, SCALE = np.array([[0.5], [-2.0]]), np.array([[1.5], [0.2]])
# Each with the same one of scipy
CASES = {
    "normal": (Normal(LOCATION, SCALE), stats.norm(LOCATION, SCALE)),
    "student_t": (StudentT(LOCATION, SCALE, np.array([[2.5], [9.0]])), stats.t([[2.5], [9.0]], LOCATION, SCALE)),
    "negative_binomial": (
        NegativeBinomial(np.array([[3.0], [12.0]]), np.array([[0.5], [2.0]])),
        stats.nbinom([[2.0], [0.5]], [[2 / 5], [0.5 / 12.5]]),
    ),
}
TARGETS = np.array([[1.0], [4.0]])
LEVELS = np.array([0.05, 0.5, 0.9])


@pytest.mark.parametrize("name", CASES)
class TestDistributions:
    def test_are_those_of_scipy(self, name):
        own, scipy = CASES[name]
        np.testing.assert_allclose(own.mean, scipy.mean(), rtol=1e-12)
        np.testing.assert_allclose(own.std, scipy.std(), rtol=1e-12)
        np.testing.assert_allclose(own.quantile(LEVELS)[:, 0], scipy.ppf(LEVELS), rtol=1e-9)
        density = scipy.logpmf if name == "negative_binomial" else scipy.logpdf
        np.testing.assert_allclose(own.log_density(TARGETS), density(TARGETS), rtol=1e-12)

    def test_samples_are_of_it(self, name):
        own, scipy = CASES[name]
        samples = own.sample(4000, np.random.RandomState(0))
        assert samples.shape == (2, 1, 4000)
        np.testing.assert_allclose(samples.mean(axis=-1), own.mean, atol=0.05 * own.std.max())
        for row, q in ((0, 0.25), (1, 0.75)):
            level = scipy.ppf(q)[row, 0]
            assert np.mean(samples[row] <= level) == pytest.approx(scipy.cdf(level)[row, 0], abs=0.03)

    def test_the_crps_is_its_integral(self, name):
        """∫ (F(x) − [y ≤ x])² dx."""
        own, scipy = CASES[name]
        if name == "negative_binomial":
            x, width = np.arange(2000.0), 1.0
        else:
            x = np.linspace(-300, 300, 2_000_001)
            width = x[1] - x[0]
        expected = [
            [np.sum((cdf - (y <= x)) ** 2) * width] for cdf, y in zip(scipy.cdf(x), TARGETS[:, 0], strict=True)
        ]
        np.testing.assert_allclose(own.crps(TARGETS), expected, rtol=2e-3)

    def test_units(self, name):
        own, _ = CASES[name]
        other = own.in_units(3.0, 2.0)
        if name == "negative_binomial":         # counts have one unit
            assert other is own
            return
        np.testing.assert_allclose(other.mean, 2 * own.mean + 3)
        np.testing.assert_allclose(other.std, 2 * own.std)
        np.testing.assert_allclose(other.quantile(LEVELS), 2 * own.quantile(LEVELS) + 3)
        np.testing.assert_allclose(other.log_density(2 * TARGETS + 3), own.log_density(TARGETS) - np.log(2))
        np.testing.assert_allclose(other.crps(2 * TARGETS + 3), 2 * own.crps(TARGETS))


@pytest.mark.parametrize("kind", [Normal, StudentT, NegativeBinomial])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [60, 1e4])
def test_their_densities_are_the_losses_of_large_scores(kind, dtype, scale):
    """The kernels and NumPy bound parameters alike, and what overflows does so without a warning."""
    loss = next(loss() for loss in LOSSES.values() if loss.is_likelihood and loss.distribution_type is kind)
    scores = np.zeros((2 * kind.width, kind.width), dtype)
    scores[np.arange(2 * kind.width), np.repeat(np.arange(kind.width), 2)] = np.tile([-scale, scale], kind.width)
    found = kind.of_scores(scores)
    assert not np.isnan(found.mean).any()
    assert not np.isnan(found.std).any()
    if scale < 100:
        y = np.ones((len(scores), 1), dtype)
        each = [loss.value_and_gradient(scores[i : i + 1], y[i : i + 1])[0] for i in range(len(scores))]
        np.testing.assert_allclose(-found.log_density(y)[:, 0], each, rtol=1e-5)


class TestCountsOfAnyDispersion:
    """Counts that vary no more than Poisson's, and far more; means without counts, and huge ones."""

    @pytest.mark.parametrize("mean", [1e-3, 0.5, 5.0, 300.0])
    @pytest.mark.parametrize("dispersion", [1e-6, 1e-3, 1.0, 30.0])
    def test_crps(self, mean, dispersion):
        own = NegativeBinomial(np.array([[mean]]), np.array([[dispersion]]))
        n, p = 1 / dispersion, 1 / (1 + dispersion * mean)
        x = np.arange(stats.nbinom.isf(1e-12, n, p) + 3 * mean + 10)
        for y in (0.0, np.ceil(mean), np.ceil(3 * mean)):
            expected = np.sum((stats.nbinom.cdf(x, n, p) - (x >= y)) ** 2)
            np.testing.assert_allclose(own.crps(np.array([[y]])), [[expected]], rtol=1e-6)

    def test_density_where_no_count_was_seen(self):
        """log(α μ) is finite where 1 + α μ is 1 in float64."""
        own = NegativeBinomial(np.array([[1e-30]]), np.array([[1.0]]))
        assert own.log_density(np.array([[3.0]]))[0, 0] == pytest.approx(3 * np.log(1e-30), rel=1e-12)
        assert own.log_density(np.array([[0.0]]))[0, 0] == pytest.approx(0, abs=1e-25)

    def test_samples_beyond_numpys_poisson(self):
        own = NegativeBinomial(np.array([[1e25], [1e170]]), np.array([[1e-6], [1.0]]))
        samples = own.sample(200, np.random.RandomState(0))
        np.testing.assert_allclose(samples[0].mean(), 1e25, rtol=1e-3)
        assert np.isfinite(samples).all()
        assert np.isfinite(own.std).all()


class TestQuantiles:
    def test_scores_and_back(self):
        values = np.array([[[-1.0, 0.5, 0.75]], [[0.0, 1e-3, 50.0]]])
        scores = distributions.scores_of_quantiles(values, 1e-9)
        back = distributions.quantiles_of_scores(scores.reshape(2, 3), 3)
        np.testing.assert_allclose(back, values, rtol=1e-12)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_never_cross(self, dtype):
        scores = (100 * np.random.default_rng(0).normal(size=(1000, 8))).astype(dtype)
        values = distributions.quantiles_of_scores(scores, 4).astype(dtype)
        assert (np.diff(values, axis=-1) >= 0).all()

    def test_between_them_it_is_linear_and_beyond_an_error(self):
        known = Quantiles((0.1, 0.5, 0.9), np.array([[[0.0, 2.0, 3.0]]]))
        q = np.array([0.1, 0.3, 0.5, 0.8, 0.9])
        np.testing.assert_allclose(known.quantile(q), [[[0.0, 1.0, 2.0, 2.75, 3.0]]])
        np.testing.assert_array_equal(known.quantile(np.array([0.1, 0.5, 0.9])), known.values)
        with pytest.raises(ValueError, match=r"q=0.95 lies beyond the quantiles from 0.1 to 0.9"):
            known.quantile(np.array([0.5, 0.95]))
        np.testing.assert_allclose(known.in_units(1.0, 2.0).values, [[[1.0, 5.0, 7.0]]])

    def test_many_have_nearly_the_crps_of_their_distribution(self):
        levels = tuple((np.arange(500) + 0.5) / 500)
        known = Quantiles(levels, Normal(LOCATION, SCALE).quantile(np.array(levels)))
        np.testing.assert_allclose(known.crps(TARGETS), Normal(LOCATION, SCALE).crps(TARGETS), rtol=1e-3)
