"""Losses. A new loss is one class here, one line in `LOSSES`, and its value and gradient in ``kernels/losses.pxi``."""

import numpy as np
from scipy.special import expit, log_expit, log_softmax

from skrnn.kernels import kernels_for


class Loss:
    """A loss of raw scores, mean over rows.

    Parameters
    ----------
    parameter : float
        Of the losses that have one.
    of_logistic : bool
        It is a loss of σ(score) rather than of the score.
    """

    name = None                     # the kernels know it by that
    out_activation = "identity"     # what makes predictions of scores

    def __init__(self, parameter=0.0, of_logistic=False):
        self.parameter, self.of_logistic = float(parameter), bool(of_logistic)
        if of_logistic:
            self.out_activation = "logistic"

    def value_and_gradient(self, scores, targets, weights):
        """Mean loss of scores (R, Q) against targets, and its gradient (R, Q).

        Parameters
        ----------
        scores : (R, Q) array
        targets : (R, Q) numbers of the scores' dtype, or (R,) class numbers
        weights : (R,) array, optional
        """
        weights = np.ones(len(scores)) if weights is None else np.asarray(weights, dtype=np.float64)
        scores, gradient = scores.copy(), np.empty_like(scores)
        value = kernels_for(scores.dtype).loss(
            self.name, self.parameter, self.of_logistic, scores, targets, weights / weights.sum(), gradient
        )
        return value, gradient

    def predict(self, scores):
        """What is predicted: the mean, the median or the quantile, (R, Q)."""
        return expit(scores) if self.of_logistic else scores


class SquaredError(Loss):
    """½ (score − target)², the mean over outputs and rows, as in scikit-learn's MLP."""

    name = "squared_error"


class AbsoluteError(Loss):
    """|score − target|, the mean over outputs and rows; it predicts the median."""

    name = "absolute_error"


class Huber(Loss):
    """½ d² where |d| = |score − target| is at most δ, its parameter, else δ (|d| − ½ δ); mean over outputs and rows.

    Huber, P. J. (1964). Robust estimation of a location parameter. Annals of Mathematical Statistics 35(1), 73-101.
    """

    name = "huber"


class Quantile(Loss):
    """(target − score) · (q − [target < score]), q its parameter, mean over outputs and rows; it predicts quantile q.

    Koenker, R. and Bassett, G. (1978). Regression quantiles. Econometrica 46(1), 33-50.
    """

    name = "quantile"


class Poisson(Loss):
    """Half the Poisson deviance of exp(score), the sum over outputs, mean over rows, as in scikit-learn's MLP."""

    name = "poisson"
    out_activation = "exp"

    def predict(self, scores):
        """The predicted mean, exp(score)."""
        return np.exp(scores)


class BinaryLogLoss(Loss):
    """−log p of the target, p = σ(score) for target 1."""

    name = "binary_log_loss"
    out_activation = "logistic"

    def predict(self, scores):
        """Probabilities of both classes, (R, 2)."""
        p = expit(scores[:, 0])
        return np.column_stack([1 - p, p])

    def predict_log(self, scores):
        """Their logarithms, finite also where the probabilities are 0."""
        return np.column_stack([log_expit(-scores[:, 0]), log_expit(scores[:, 0])])


class LogLoss(Loss):
    """−log p of the target, p = softmax(scores)."""

    name = "log_loss"
    out_activation = "softmax"

    def predict(self, scores):
        """Probabilities of the classes, (R, Q)."""
        p = scores.copy()
        kernels_for(p.dtype).softmax(p)
        return p

    def predict_log(self, scores):
        """Their logarithms, finite also where the probabilities are 0."""
        return log_softmax(scores, axis=1)


class MultilabelLogLoss(Loss):
    """−log p of every label or of its absence, p = σ(score): the sum over labels, as in scikit-learn's MLP."""

    name = "multilabel_log_loss"
    out_activation = "logistic"

    def predict(self, scores):
        """Probabilities of the labels, (R, Q)."""
        return expit(scores)

    def predict_log(self, scores):
        """Their logarithms, finite also where the probabilities are 0."""
        return log_expit(scores)


LOSSES = {
    loss.name: loss
    for loss in (
        SquaredError, AbsoluteError, Huber, Quantile, Poisson, BinaryLogLoss, LogLoss, MultilabelLogLoss,
    )
}
