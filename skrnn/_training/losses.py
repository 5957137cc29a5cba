"""Losses. A new loss is one class here, one line in `LOSSES`, and its value and gradient in ``kernels/losses.pxi``."""

from functools import partial

import numpy as np
from scipy.optimize import brentq, minimize
from scipy.special import expit, log_expit, log_softmax
from sklearn.metrics import d2_absolute_error_score, d2_pinball_score, d2_tweedie_score, r2_score

from skrnn._plain import plain
from skrnn._training import distributions
from skrnn._training.loss import Domain, Loss, RegressionLoss
from skrnn._training.target_statistics import (
    MIN_PROBABILITY,
    by_output,
    logit_of,
    of_known,
    of_known_numbers,
    weighted_quantile,
    without_certainty,
)
from skrnn._warnings import without_warnings
from skrnn.kernels import kernels_for

# The greatest size of a score, but the first, of a best constant distribution
MAX_SCORE = 30
# The least distance of two quantiles that training begins with, as a fraction of the largest one
MIN_INCREMENT = 1e-2


@plain(parameter=float | tuple, of_logistic=bool)
class SquaredError(RegressionLoss):
    """½ (score − target)², the mean over outputs and rows, as in scikit-learn's MLP."""

    name = "squared_error"
    summary = "half the squared error, which predicts the mean"

    def _best_prediction(self, targets, weights):
        return np.average(targets, axis=0, weights=weights)

    def score(self, y, predictions, sample_weight=None):
        """R²."""
        return r2_score(y, predictions, sample_weight=sample_weight)


@plain(parameter=float | tuple, of_logistic=bool)
class AbsoluteError(RegressionLoss):
    """|score − target|, the mean over outputs and rows; it predicts the median."""

    name = "absolute_error"
    summary = "the absolute error, which predicts the median"

    def _best_prediction(self, targets, weights):
        return weighted_quantile(targets, weights, 0.5)

    def score(self, y, predictions, sample_weight=None):
        """D² of the absolute error."""
        return d2_absolute_error_score(y, predictions, sample_weight=sample_weight)


@plain(parameter=float | tuple, of_logistic=bool)
class Huber(RegressionLoss):
    """½ d² where |d| = |score − target| is at most δ, its parameter, else δ (|d| − ½ δ); mean over outputs and rows.

    Huber, P. J. (1964). Robust estimation of a location parameter. Annals of Mathematical Statistics 35(1), 73-101.
    """

    name = "huber"
    summary = "the squared error of small deviations and the absolute one of large ones"
    parameter_name = "huber_delta"
    parameter_range = (0, None)

    def score(self, y, predictions, sample_weight=None):
        """R²."""
        return r2_score(y, predictions, sample_weight=sample_weight)


@plain(parameter=float | tuple, of_logistic=bool)
class Quantile(RegressionLoss):
    """(target − score) · (q − [target < score]), q its parameter, mean over outputs and rows; it predicts quantile q.

    Of several q, increasing, it is the mean over them, and predictions have them as a last dimension. The first score
    of a target is the lowest quantile, and softplus of each other one is added for the next: they never cross.

    Koenker, R. and Bassett, G. (1978). Regression quantiles. Econometrica 46(1), 33-50.
    """

    name = "quantile"
    summary = "the pinball loss, which predicts a quantile, or several"
    parameter_name = "quantile"
    parameter_range = (0, 1)

    @staticmethod
    def read_parameter(parameter):
        """A float, or a tuple of floats."""
        return float(parameter) if np.ndim(parameter) == 0 else tuple(map(float, parameter))

    @property
    def knows_quantiles(self):
        """Whether there are several, or a list of one."""
        return isinstance(self.parameter, tuple)

    @property
    def width(self):
        """Scores of a target: the number of quantiles."""
        return len(self.parameters)

    def _best_prediction(self, targets, weights):
        if not self.knows_quantiles:
            return weighted_quantile(targets, weights, self.parameter)
        return self._scores_of(targets, weights, least=np.finfo(np.float32).eps)

    def _scores_of(self, targets, weights, least):
        """Scores (Q, m) of the quantiles of targets (R, Q), which differ by `least` of the largest difference."""
        values = np.column_stack([weighted_quantile(targets, weights, q) for q in self.parameter])
        widest = np.diff(values, axis=1).max(axis=1, initial=0)[:, np.newaxis]
        return distributions.scores_of_quantiles(values, least * np.where(widest > 0, widest, 1))

    def best_constant(self, targets, weights=None, n_outputs=None):
        return super().best_constant(targets, weights, n_outputs).ravel()

    def starting_scores(self, targets, weights=None, n_outputs=None, whole=False):
        """The best constant; several quantiles are apart, since softplus has almost no slope where they are not."""
        if not self.knows_quantiles:
            return super().starting_scores(targets, weights, n_outputs, whole)
        return of_known_numbers(partial(self._scores_of, least=MIN_INCREMENT), targets, weights).ravel()

    def score(self, y, predictions, sample_weight=None):
        """D² of the pinball loss, the mean over several quantiles, the last dimension of predictions."""
        if not self.knows_quantiles:
            return d2_pinball_score(y, predictions, sample_weight=sample_weight, alpha=self.parameter)
        return float(np.mean([
            d2_pinball_score(y, predictions[..., m], sample_weight=sample_weight, alpha=q)
            for m, q in enumerate(self.parameter)
        ]))

    def predict(self, scores):
        """The quantile (R, Q), or the quantiles (R, Q, m)."""
        if not self.knows_quantiles:
            return super().predict(scores)
        return distributions.quantiles_of_scores(scores, self.width).astype(scores.dtype)

    def prediction_gradient(self, scores, dp):
        if not self.knows_quantiles:
            return super().prediction_gradient(scores, dp)
        # quantile[m] = score[0] + Σ softplus(score[k]) over 0 < k ≤ m
        gradient = np.flip(np.cumsum(np.flip(dp, axis=-1), axis=-1), axis=-1).reshape(scores.shape)
        slope = expit(scores)
        slope[:, :: self.width] = 1
        return gradient * slope

    def distribution(self, scores):
        return distributions.Quantiles(self.parameter, distributions.quantiles_of_scores(scores, self.width))


@plain(parameter=float | tuple, of_logistic=bool)
class LogCosh(RegressionLoss):
    """log cosh(score − target), the mean over outputs and rows: near ½ d² for small and |d| − log 2 for large d."""

    name = "log_cosh"
    summary = "the logarithm of the hyperbolic cosine, a smooth form of Huber's loss"


@plain(parameter=float | tuple, of_logistic=bool)
class Poisson(RegressionLoss):
    """Half the Poisson deviance of exp(score), the sum over outputs, mean over rows, as in scikit-learn's MLP."""

    name = "poisson"
    summary = "half the Poisson deviance of counts, whose mean is the exponential of the output"
    out_activation = "exp"
    why_not_logistic = "whose prediction is the exponential of the output"
    domain = Domain(0, np.inf, "numbers that are not negative with loss='poisson'")

    def units_of(self, targets, weights=None):
        """0 and the mean of each output: counts have no other zero."""
        targets = np.ascontiguousarray(targets, dtype=np.float64)      # the order of sums
        mean = of_known(lambda y, w: np.average(y, axis=0, weights=w), targets, weights)
        return np.zeros_like(mean), mean

    def takes_units(self, center, scale):
        """With any scale."""
        return not center.any()

    def _best_prediction(self, targets, weights):
        return log_of_mean(targets, weights)

    def starting_scores(self, targets, weights=None, n_outputs=None, whole=False):
        """The logarithm of the mean, of half a count in all rows where there is none and counts may come."""
        best = self.best_constant(targets, weights, n_outputs)
        return best if whole else np.where(np.fmax.reduce(targets) == 0, np.log(0.5 / len(targets)), best)

    def score(self, y, predictions, sample_weight=None):
        """The mean over outputs of D² of the Poisson deviance."""
        return explained_counts(y, predictions, sample_weight)

    def predict(self, scores):
        """The predicted mean exp(score), infinite where that is too large for the dtype."""
        return without_warnings(np.exp, scores)

    def prediction_gradient(self, scores, dp):
        return dp * self.predict(scores)


class LikelihoodLoss(RegressionLoss):
    """−log of the density of the target, the mean over outputs and rows; scores are parameters of its distribution."""

    why_not_logistic = "whose outputs are the parameters of a distribution"
    is_likelihood = knows_quantiles = True
    distribution_type = None            # in `distributions`
    starting_range = (-3, 20)           # of the scores but the first, in which they learn

    @property
    def width(self):
        """Scores of a target."""
        return self.distribution_type.width

    def distribution(self, scores):
        return self.distribution_type.of_scores(scores)

    def best_constant(self, targets, weights=None, n_outputs=None):
        return of_known_numbers(self._best_scores, targets, weights).ravel()

    def _best_scores(self, targets, weights):
        """The best scores (Q, width) of float64 targets (R, Q), within bounds that no finite maximum lies beyond."""
        return np.array([self._best_of_output(y[:, 0], weights) for y in by_output(targets)])

    def _best_of_output(self, y, weights):
        """The best scores (width,) of the numbers y (R,)."""
        def objective(scores):
            value, gradient = self.value_and_gradient(np.tile(scores, (len(y), 1)), y[:, np.newaxis], weights)
            return value, gradient.sum(axis=0)

        found = minimize(
            objective, self.distribution_type.first_scores(y, weights), jac=True, method="L-BFGS-B",
            bounds=[(None, None)] + [(-MAX_SCORE, MAX_SCORE)] * (self.width - 1),
            options={"ftol": 0, "gtol": 1e-9, "maxiter": 500},
        )
        return found.x

    def starting_scores(self, targets, weights=None, n_outputs=None, whole=False):
        """The best constant, near enough to 0 but for the first score for the others to learn."""
        best = self.best_constant(targets, weights, n_outputs).reshape(-1, self.width)
        best[:, 1:] = np.clip(best[:, 1:], *self.starting_range)
        return best.ravel()

    def score(self, y, predictions, sample_weight=None):
        """R² of the mean."""
        return r2_score(y, predictions, sample_weight=sample_weight)


class LocationScaleLoss(LikelihoodLoss):
    """That of a location and a scale, which follow the units of the targets."""

    def predict(self, scores):
        """The mean (R, Q)."""
        return np.ascontiguousarray(scores[:, :: self.width])

    def prediction_gradient(self, scores, dp):
        gradient = np.zeros_like(scores)
        gradient[:, :: self.width] = dp
        return gradient


@plain(parameter=float | tuple, of_logistic=bool)
class Gaussian(LocationScaleLoss):
    """½ z² + log σ + ½ log 2π, z = (target − μ) / σ, the mean over outputs and rows; it predicts μ.

    Nix, D. A. and Weigend, A. S. (1994). Estimating the mean and variance of the target probability distribution. ICNN.
    """

    name = "gaussian"
    summary = "the negative log-likelihood of a normal distribution, whose mean and deviation the net predicts"
    distribution_type = distributions.Normal

    def _best_of_output(self, y, weights):
        return self.distribution_type.first_scores(y, weights)


@plain(parameter=float | tuple, of_logistic=bool)
class StudentT(LocationScaleLoss):
    """−log of the density of Student's t, the mean over outputs and rows; it predicts the location, which is the mean.

    Lange, K. L., Little, R. J. A. and Taylor, J. M. G. (1989). Robust statistical modeling using the t distribution.
    Journal of the American Statistical Association 84, 881-896.
    """

    name = "student_t"
    summary = (
        "that of Student's t, for outliers, whose location, scale and degrees of freedom (more than 2) the net predicts"
    )
    distribution_type = distributions.StudentT

    def _best_of_output(self, y, weights):
        center, s = distributions.Normal.first_scores(y, weights)
        _, deviation = distributions.Normal.parameters_of(center, s)
        # of numbers around 0 and 1 the iteration needs no units
        scores = super()._best_of_output((y - center) / deviation, weights)
        location, scale, _ = self.distribution_type.parameters_of(*scores)
        return np.array([center + deviation * location, distributions.score_of_scale(deviation * scale), scores[2]])


@plain(parameter=float | tuple, of_logistic=bool)
class NegativeBinomial(LikelihoodLoss):
    """−log of the probability of a count with mean exp(score) and variance μ + α μ²; the mean over outputs and rows.

    Cameron, A. C. and Trivedi, P. K. (2013). Regression analysis of count data, 2nd edition, chapter 3. NB2.

    Levin, B. and Reeds, J. (1977). Compound multinomial likelihood functions are unimodal: proof of a conjecture of
    I. J. Good. Annals of Statistics 5(1), 79-87. The best dispersion.
    """

    name = "negative_binomial"
    summary = "that of the negative binomial distribution of counts, whose mean and dispersion the net predicts"
    out_activation = "exp"
    domain = Domain(0, np.inf, "whole numbers that are not negative with loss='negative_binomial'", whole=True)
    distribution_type = distributions.NegativeBinomial
    starting_range = (-4, 4)

    def _best_of_output(self, y, weights):
        """The mean is the best one with any dispersion; the slope in this is 0 once if the variance is more than it."""
        log_mean = log_of_mean(y, weights)

        def slope(score):
            scores = np.tile([log_mean, score], (len(y), 1))
            _, gradient = self.value_and_gradient(scores, y[:, np.newaxis], weights)
            return gradient[:, 1].sum()

        if slope(-MAX_SCORE) >= 0:
            return np.array([log_mean, -MAX_SCORE])
        if slope(MAX_SCORE) <= 0:
            return np.array([log_mean, MAX_SCORE])
        return np.array([log_mean, brentq(slope, -MAX_SCORE, MAX_SCORE)])

    def takes_units_of(self, other):
        """Only of itself: the probability is one of the counts as they are."""
        return self.name == other.name

    def units_of(self, targets, weights=None):
        """0 and 1: counts have their unit."""
        return Loss.units_of(self, targets, weights)

    def starting_scores(self, targets, weights=None, n_outputs=None, whole=False):
        """The best constant in reach; as `Poisson` where there is no count."""
        scores = super().starting_scores(targets, weights, n_outputs, whole).reshape(-1, self.width)
        if not whole:
            scores[:, 0] = np.where(np.fmax.reduce(targets) == 0, np.log(0.5 / len(targets)), scores[:, 0])
        return scores.ravel()

    def score(self, y, predictions, sample_weight=None):
        """D² of the Poisson deviance, the mean over outputs: as good as the mean is."""
        return explained_counts(y, predictions, sample_weight)

    def predict(self, scores):
        """The mean (R, Q), infinite where that is too large for the dtype."""
        return without_warnings(np.exp, scores[:, :: self.width])

    def prediction_gradient(self, scores, dp):
        gradient = np.zeros_like(scores)
        gradient[:, :: self.width] = dp * self.predict(scores)
        return gradient


@plain(parameter=float | tuple, of_logistic=bool)
class BinaryLogLoss(Loss):
    """−log p of the target, p = σ(score) for target 1."""

    name = "binary_log_loss"
    summary = "the log loss of two classes"
    of_classes = True
    out_activation = "logistic"

    def best_constant(self, targets, weights=None, n_outputs=None):
        return logit_of(np.average(targets, weights=weights, keepdims=True))

    def starting_scores(self, targets, weights=None, n_outputs=None, whole=False):
        """The log odds; 0 where only one class has been seen."""
        return without_certainty(self.best_constant(targets, weights, n_outputs))

    def predict(self, scores):
        """Probabilities of both classes, (R, 2)."""
        p = expit(scores[:, 0])
        return np.column_stack([1 - p, p])

    def prediction_gradient(self, scores, dp):
        p = expit(scores)
        return (dp[:, 1:] - dp[:, :1]) * p * (1 - p)

    def predict_log(self, scores):
        """Their logarithms, finite also where the probabilities are 0."""
        return np.column_stack([log_expit(-scores[:, 0]), log_expit(scores[:, 0])])


@plain(parameter=float | tuple, of_logistic=bool)
class LogLoss(Loss):
    """−log p of the target, p = softmax(scores)."""

    name = "log_loss"
    summary = "the log loss of several classes"
    of_classes = True
    out_activation = "softmax"

    def best_constant(self, targets, weights=None, n_outputs=None):
        counts = np.bincount(targets, weights, minlength=n_outputs or 0)
        return np.log(np.maximum(counts / counts.sum(), MIN_PROBABILITY))

    def starting_scores(self, targets, weights=None, n_outputs=None, whole=False):
        """The logarithms of how frequent the classes are, of one that has not been seen as of the rarest one."""
        counts = np.bincount(targets, weights, minlength=n_outputs or 0)
        counts[counts == 0] = counts[counts > 0].min()
        return np.log(counts / counts.sum())

    def predict(self, scores):
        """Probabilities of the classes, (R, Q)."""
        p = scores.copy()
        kernels_for(p.dtype).softmax(p)
        return p

    def prediction_gradient(self, scores, dp):
        p = self.predict(scores)
        return p * (dp - np.sum(dp * p, axis=1, keepdims=True))

    def predict_log(self, scores):
        """Their logarithms, finite also where the probabilities are 0."""
        return log_softmax(scores, axis=1)


@plain(parameter=float | tuple, of_logistic=bool)
class MultilabelLogLoss(Loss):
    """−log p of each label or of its absence, p = σ(score): the sum over labels, as in scikit-learn's MLP."""

    name = "multilabel_log_loss"
    summary = "the log loss of each label"
    out_activation = "logistic"
    domain = Domain(0, 1, "1 for a label, 0 for its absence")

    def best_constant(self, targets, weights=None, n_outputs=None):
        targets = np.ascontiguousarray(targets, dtype=np.float64)      # the order of sums
        return logit_of(of_known(lambda y, w: np.average(y, axis=0, weights=w), targets, weights))

    def starting_scores(self, targets, weights=None, n_outputs=None, whole=False):
        """The log odds of each label; 0 of one that all rows or none have."""
        return without_certainty(self.best_constant(targets, weights, n_outputs))

    def predict(self, scores):
        """Probabilities of the labels, (R, Q)."""
        return expit(scores)

    def prediction_gradient(self, scores, dp):
        p = self.predict(scores)
        return dp * p * (1 - p)

    def predict_log(self, scores):
        """Their logarithms, finite also where the probabilities are 0."""
        return log_expit(scores)


@plain(n_scores=tuple[int, ...])
class MultioutputLogLoss(Loss):
    """The log loss of each of several columns of classes, over its own scores: the mean over columns.

    Targets are the numbers of the classes (R, k), −1 where one is not known.

    Parameters
    ----------
    n_scores : tuple of k ints
        Of each column: one for two classes, else one for each class.
    """

    name = "multioutput_log_loss"
    summary = "the log loss of each of several targets"
    of_classes = True

    def __init__(self, n_scores):
        super().__init__()
        ends = np.cumsum(n_scores)
        self.columns = [
            (slice(int(end) - n, int(end)), BinaryLogLoss() if n == 1 else LogLoss())
            for n, end in zip(n_scores, ends, strict=True)
        ]
        self.out_activation = [loss.out_activation for _, loss in self.columns]

    @property
    def n_scores(self):
        """How many scores each column has, a tuple of k ints."""
        return tuple(scores.stop - scores.start for scores, _ in self.columns)

    @property
    def parameters(self):
        """The same as (k,) float64."""
        return np.array(self.n_scores, dtype=np.float64)

    def best_constant(self, targets, weights=None, n_outputs=None):
        """Those of each column, of its known rows; NaN for one of which nothing is known."""
        return self._of_columns(
            lambda loss, y, w, n: loss.best_constant(y, w, n), np.nan, targets, weights
        )

    def starting_scores(self, targets, weights=None, n_outputs=None, whole=False):
        """Those of each column; 0 for one of which nothing is known."""
        return self._of_columns(
            lambda loss, y, w, n: loss.starting_scores(y, w, n, whole), 0.0, targets, weights
        )

    def _of_columns(self, function, unknown, targets, weights):
        """function(loss, targets, weights, n_scores) of the known rows of each column, side by side."""
        constants = []
        for (scores, loss), y in zip(self.columns, targets.T, strict=True):
            rows, n = np.flatnonzero(y >= 0), scores.stop - scores.start
            of_rows = None if weights is None else weights[rows]
            constants.append(function(loss, y[rows], of_rows, n) if len(rows) else np.full(n, unknown))
        return np.concatenate(constants)

    def predict(self, scores):
        """Probabilities of the classes of each column, a list of k arrays (R, C)."""
        return [loss.predict(scores[:, of_column]) for of_column, loss in self.columns]

    def prediction_gradient(self, scores, dp):
        parts = zip(self.columns, dp, strict=True)
        return np.concatenate(
            [loss.prediction_gradient(scores[:, column], of_column) for (column, loss), of_column in parts], axis=1
        )

    def predict_log(self, scores):
        """Their logarithms, finite also where the probabilities are 0."""
        return [loss.predict_log(scores[:, of_column]) for of_column, loss in self.columns]


def log_of_mean(counts, weights):
    """The logarithm of the weighted mean, finite also where there is no count."""
    return np.log(np.maximum(np.average(counts, axis=0, weights=weights), np.finfo(np.float32).tiny))


def explained_counts(y, predictions, weights):
    """The mean over outputs of D² of the Poisson deviance."""
    columns = zip(y.reshape(len(y), -1).T, predictions.reshape(len(predictions), -1).T, strict=True)
    return np.mean([_explained_counts(y, p, weights) for y, p in columns])


def _explained_counts(y, predictions, weights):
    """D² of one output (R,); of constant targets, by whose deviance 0 scikit-learn divides, 1 when met, else 0."""
    if len(y) > 1 and (y == y[0]).all():
        return float((predictions == y).all())
    return d2_tweedie_score(y, predictions, sample_weight=weights, power=1)


LOSSES = {
    loss.name: loss
    for loss in (
        SquaredError, AbsoluteError, Huber, Quantile, LogCosh, Poisson, Gaussian, StudentT, NegativeBinomial,
        BinaryLogLoss, LogLoss, MultilabelLogLoss, MultioutputLogLoss,
    )
}
