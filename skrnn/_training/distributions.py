"""Distributions of a target. A new one is one class here, its loss in `losses.py` and ``kernels/likelihoods.pxi``.

The class says what a net's scores mean, and how an estimator gets a mean, a deviation, quantiles, a density, samples
and a score of it. Arrays of parameters have the shape (R, Q) of the targets and are float64.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from scipy.special import beta, betaln, gammaln, log_expit, ndtr, ndtri, stdtr, stdtrit, xlog1py
from scipy.stats import nbinom

from skrnn._warnings import without_warnings

# As in kernels/likelihoods.pxi
MIN_SCALE = 1e-3
MIN_FREEDOM = 2.01
MIN_DISPERSION = 1e-6
MAX_LOG_DISPERSION = 50

LOG_2_PI = np.log(2 * np.pi)

# Of the integral over v in the CRPS of counts: nodes, and −log of the fraction of it that lies beyond them on each side
N_NODES = 256
LOG_REST = 32
# The rate from which a Poisson variable is the rate itself but for 1e-9 of it; NumPy draws none much beyond
MAX_RATE = 1e18


def softplus(z):
    """log(1 + exp(z))."""
    return -log_expit(-z)


def inverse_softplus(x):
    """The z whose softplus is x > 0."""
    return x + np.log(-np.expm1(-x))


class Distribution:
    """What distributions of targets (R, Q) have in common.

    Attributes
    ----------
    width : int
        Scores of a target, side by side.
    """

    width: ClassVar[int]

    @classmethod
    def of_scores(cls, scores):
        """The distributions of which a net gives the scores (R, Q · width), in the units of the loss."""
        parts = np.asarray(scores, dtype=np.float64).reshape(len(scores), -1, cls.width)
        return cls(*cls.parameters_of(*np.moveaxis(parts, 2, 0)))

    @staticmethod
    def parameters_of(*scores):
        """The parameters, of scores that are (R, Q) each."""
        raise NotImplementedError

    @staticmethod
    def first_scores(y, weights):
        """Scores (width,) that are about those of the numbers y (R,), for an iteration to begin with."""
        raise NotImplementedError

    def in_units(self, center, scale):
        """The distribution of center + scale · target, of what broadcasts to (R, Q)."""
        raise NotImplementedError

    @property
    def mean(self):
        """(R, Q)."""
        raise NotImplementedError

    @property
    def std(self):
        """(R, Q)."""
        raise NotImplementedError

    def quantile(self, q):
        """The quantiles q (m,), (R, Q, m)."""
        raise NotImplementedError

    def log_density(self, y):
        """The logarithm of the density at y (R, Q), or of the probability of a count."""
        raise NotImplementedError

    def crps(self, y):
        """The continuous ranked probability score at y (R, Q): ∫ (F(x) − [y ≤ x])² dx."""
        raise NotImplementedError

    def sample(self, n, random_state):
        """n draws of each, (R, Q, n); `random_state` is a RandomState."""
        raise NotImplementedError


class LocationScale(Distribution):
    """location + scale · standard variable: `quantile` and `sample` are those of a subclass's standard ones."""

    def in_units(self, center, scale):
        return replace(self, location=self.location * scale + center, scale=self.scale * scale)

    @property
    def mean(self):
        return self.location

    def standardized(self, y):
        """y in deviations from the location."""
        return (y - self.location) / self.scale

    def quantile(self, q):
        return self.location[..., np.newaxis] + self.scale[..., np.newaxis] * self.standard_quantile(q)

    def sample(self, n, random_state):
        shape = (*self.location.shape, n)
        return self.location[..., np.newaxis] + self.scale[..., np.newaxis] * self.standard_sample(shape, random_state)

    def standard_quantile(self, q):
        """The quantiles q (m,) of the standard variable, of what broadcasts to (R, Q, m)."""
        raise NotImplementedError

    def standard_sample(self, shape, random_state):
        """Draws of the standard variable, `shape` (R, Q, n)."""
        raise NotImplementedError


@dataclass(frozen=True)
class Normal(LocationScale):
    """The normal distribution. Scores are the mean μ, and s of the deviation MIN_SCALE + softplus(s).

    References
    ----------
    Gneiting, T. et al. (2005). Calibrated probabilistic forecasting using ensemble model output statistics and minimum
    CRPS estimation. Monthly Weather Review 133, 1098-1118.
    """

    width = 2

    location: np.ndarray
    scale: np.ndarray

    @staticmethod
    def parameters_of(mean, s):
        return mean, MIN_SCALE + softplus(s)

    @staticmethod
    def first_scores(y, weights):
        mean = np.average(y, weights=weights)
        deviation = np.sqrt(np.average((y - mean) ** 2, weights=weights))
        return np.array([mean, score_of_scale(deviation)])

    @property
    def std(self):
        return self.scale

    def log_density(self, y):
        return -0.5 * self.standardized(y) ** 2 - np.log(self.scale) - 0.5 * LOG_2_PI

    def crps(self, y):
        z = self.standardized(y)
        density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
        return self.scale * (z * (2 * ndtr(z) - 1) + 2 * density - 1 / np.sqrt(np.pi))

    def standard_quantile(self, q):
        return ndtri(q)

    def standard_sample(self, shape, random_state):
        return random_state.standard_normal(shape)


@dataclass(frozen=True)
class StudentT(LocationScale):
    """Student's t. Scores are the location, s of the scale and n of the degrees of freedom MIN_FREEDOM + softplus(n).

    References
    ----------
    Jordan, A., Krüger, F. and Lerch, S. (2019). Evaluating probabilistic forecasts with scoringRules. Journal of
    Statistical Software 90(12). The formula of the CRPS.
    """

    width = 3

    location: np.ndarray
    scale: np.ndarray
    freedom: np.ndarray

    @staticmethod
    def parameters_of(location, s, n):
        return location, MIN_SCALE + softplus(s), MIN_FREEDOM + softplus(n)

    @staticmethod
    def first_scores(y, weights):
        """Those of a normal distribution, with 8 degrees of freedom."""
        mean, s = Normal.first_scores(y, weights)
        return np.array([mean, s, inverse_softplus(8 - MIN_FREEDOM)])

    @property
    def std(self):
        return self.scale * np.sqrt(self.freedom / (self.freedom - 2))

    def log_density(self, y):
        df = self.freedom
        constant = gammaln(0.5 * df + 0.5) - gammaln(0.5 * df) - 0.5 * np.log(np.pi * df) - np.log(self.scale)
        return constant - 0.5 * (df + 1) * np.log1p(self.standardized(y) ** 2 / df)

    def crps(self, y):
        df, z = self.freedom, self.standardized(y)
        density = np.exp(self.log_density(y)) * self.scale
        mean_difference = 2 * np.sqrt(df) * beta(0.5, df - 0.5) / ((df - 1) * beta(0.5, 0.5 * df) ** 2)
        return self.scale * (z * (2 * stdtr(df, z) - 1) + 2 * density * (df + z**2) / (df - 1) - mean_difference)

    def standard_quantile(self, q):
        return stdtrit(self.freedom[..., np.newaxis], q)

    def standard_sample(self, shape, random_state):
        return random_state.standard_t(self.freedom[..., np.newaxis], shape)


@dataclass(frozen=True)
class NegativeBinomial(Distribution):
    """Counts with mean μ and variance μ + α μ². Scores are log μ, and a of the dispersion α = MIN_DISPERSION + exp(a).

    References
    ----------
    Cameron, A. C. and Trivedi, P. K. (2013). Regression analysis of count data, 2nd edition, chapter 3. NB2.

    Wei, W. and Held, L. (2014). Calibration tests for count data. TEST 23, 787-805. The formula of the CRPS, whose
    hypergeometric function is the integral in `mean_difference`.
    """

    width = 2

    expected: np.ndarray
    dispersion: np.ndarray

    @staticmethod
    def parameters_of(log_mean, a):
        return without_warnings(np.exp, log_mean), MIN_DISPERSION + np.exp(np.minimum(a, MAX_LOG_DISPERSION))

    def in_units(self, center, scale):
        """Itself: counts have one unit, and `units_of` of the loss leaves them as they are."""
        return self

    @property
    def mean(self):
        return self.expected

    @property
    def std(self):
        return np.sqrt(self.expected) * np.sqrt(1 + self.dispersion * self.expected)

    @property
    def of_scipy(self):
        """The two parameters of ``scipy.stats.nbinom``: the number of successes and their probability."""
        return 1 / self.dispersion, 1 / (1 + self.dispersion * self.expected)

    def quantile(self, q):
        n, p = (part[..., np.newaxis] for part in self.of_scipy)
        return nbinom.ppf(q, n, p)

    def log_density(self, y):
        """r log p + y log (1 − p) + log Γ(y + r) / (Γ(r) y!), p = 1 / (1 + αμ), r = 1 / α; scipy loses αμ beside 1."""
        r, t = 1 / self.dispersion, self.dispersion * self.expected
        chance = -r * np.log1p(t) - xlog1py(y, without_warnings(np.divide, 1.0, t))
        return chance - np.log(y + r) - betaln(y + 1, r)

    def crps(self, y):
        n, p = self.of_scipy
        of_distance = y * (2 * nbinom.cdf(y, n, p) - 1) - self.expected * (2 * nbinom.cdf(y - 1, n + 1, p) - 1)
        return of_distance - 0.5 * self.mean_difference()

    def mean_difference(self):
        """E |X − X'| of two independent counts, (R, Q).

        With |d| = 1/π ∫ (1 − cos(d t)) / (1 − cos t) dt over [0, π], the characteristic function and v = cot(t / 2) it
        is 1/π ∫ 1 − (1 + 4 α μ (1 + α μ) / (1 + v²))^(−1/α) dv over v > 0, of which no digits cancel. The trapezoidal
        rule in log v converges exponentially.
        """
        odds = self.dispersion * self.expected
        c = 4 * odds * (1 + odds)
        first, last = -LOG_REST, LOG_REST + np.log(np.sqrt(1 + c) + 2 * self.std)
        step = (last - first) / N_NODES
        total = np.zeros_like(self.expected)
        for i in range(N_NODES + 1):
            v = np.exp(first + i * step)
            total -= v * np.expm1(-np.log1p(c / (1 + v**2)) / self.dispersion)
        return total * step / np.pi

    def sample(self, n, random_state):
        shape, expected = 1 / self.dispersion[..., np.newaxis], self.expected[..., np.newaxis]
        rates = random_state.gamma(shape, expected / shape, (*self.expected.shape, n))
        counts = random_state.poisson(np.minimum(rates, MAX_RATE)).astype(np.float64)
        return np.where(rates < MAX_RATE, counts, np.rint(rates))


@dataclass(frozen=True)
class Quantiles:
    """What a net with several quantiles knows of a distribution: no more than these.

    Parameters
    ----------
    levels : tuple of float
        Increasing, m of them.
    values : (R, Q, m) array
    """

    levels: tuple
    values: np.ndarray

    def in_units(self, center, scale):
        """Those of center + scale · target."""
        center, scale = (np.asarray(part)[..., np.newaxis] for part in (center, scale))
        return replace(self, values=self.values * scale + center)

    def quantile(self, q):
        """The quantiles q (k,), (R, Q, k): linear between those that are known; a ValueError beyond them."""
        low, high = self.levels[0], self.levels[-1]
        if q.min() < low or q.max() > high:
            raise ValueError(
                f"q={(q[q < low] if q.min() < low else q[q > high])[0]} lies beyond the quantiles from {low} to {high} "
                "that the net was fitted for, and it knows nothing of the tails; fit with more of them in quantile"
            )
        if len(self.levels) == 1:
            return np.repeat(self.values, len(q), axis=-1)
        after = np.clip(np.searchsorted(self.levels, q), 1, len(self.levels) - 1)
        levels = np.asarray(self.levels)
        fraction = (q - levels[after - 1]) / (levels[after] - levels[after - 1])
        below, above = self.values[..., after - 1], self.values[..., after]
        return np.where(fraction == 1, above, below + fraction * (above - below))

    def crps(self, y):
        """Twice the mean pinball loss, which is the CRPS in the limit of many quantiles at equal distances."""
        difference = y[..., np.newaxis] - self.values
        return 2 * np.maximum(self.levels * difference, np.subtract(self.levels, 1) * difference).mean(axis=-1)


def scores_of_quantiles(values, least):
    """Scores (..., m) of increasing quantiles (..., m); increments are no less than `least`."""
    increments = inverse_softplus(np.maximum(np.diff(values, axis=-1), least))
    return np.concatenate([values[..., :1], increments], axis=-1)


def quantiles_of_scores(scores, n):
    """The quantiles (R, Q, n) in float64 of scores (R, Q · n): the lowest, and what is added to each for the next."""
    parts = np.asarray(scores, dtype=np.float64).reshape(len(scores), -1, n)
    return np.cumsum(np.concatenate([parts[..., :1], softplus(parts[..., 1:])], axis=-1), axis=-1)


def score_of_scale(deviation):
    """The score of a deviation, of the least one where it is less."""
    return inverse_softplus(max(deviation - MIN_SCALE, 1e-6))
