"""Losses on raw scores, with their gradients. A new loss is one class and one line in `LOSSES`."""

import numpy as np
from scipy.special import expit, log_softmax

from skrnn import _head


def _weighted_mean(values, weights):
    """Σ w·v / Σ w over the rows, in float64."""
    if weights is None:
        return float(values.mean(dtype=np.float64))
    return float((values * weights).sum(dtype=np.float64) / weights.sum(dtype=np.float64))


def _row_weights(scores, weights):
    """w / Σ w as a column (or a scalar), in the dtype of the scores."""
    if weights is None:
        return scores.dtype.type(1 / len(scores))
    return (weights / weights.sum(dtype=np.float64)).astype(scores.dtype)[:, np.newaxis]


class SquaredError:
    """½ (score − target)², the mean over outputs and rows, as in scikit-learn's MLP."""

    out_activation = "identity"

    @staticmethod
    def value_and_gradient(scores, targets, weights):
        """Loss of scores (R, Q) against targets (R, Q), and its gradient (R, Q)."""
        difference = scores - targets
        value = _weighted_mean(0.5 * np.square(difference).mean(axis=1), weights)
        return value, difference * (_row_weights(scores, weights) / scores.dtype.type(scores.shape[1]))

    @staticmethod
    def predict(scores):
        """The predicted mean."""
        return scores


class BinaryLogLoss:
    """−log p of the target, p = σ(score) for target 1: log(1 + exp(score)) − target · score."""

    out_activation = "logistic"

    @staticmethod
    def value_and_gradient(scores, targets, weights):
        """Loss of scores (R, 1) against targets (R,) of 0 and 1, and its gradient (R, 1)."""
        score = scores[:, 0]
        value = _weighted_mean(np.logaddexp(0, score) - targets * score, weights)
        residual = (expit(score) - targets).astype(scores.dtype)[:, np.newaxis]
        return value, residual * _row_weights(scores, weights)

    @staticmethod
    def predict(scores):
        """Probabilities of both classes, (R, 2)."""
        p = expit(scores[:, 0])
        return np.column_stack([1 - p, p])


class LogLoss:
    """−log p of the target, p = softmax(scores)."""

    out_activation = "softmax"

    @staticmethod
    def value_and_gradient(scores, targets, weights):
        """Loss of scores (R, Q) against integer targets (R,), and its gradient (R, Q)."""
        rows = np.arange(len(targets))
        log_p = log_softmax(scores, axis=1)
        value = _weighted_mean(-log_p[rows, targets], weights)
        residual = np.exp(log_p)
        residual[rows, targets] -= 1
        return value, residual * _row_weights(scores, weights)

    @staticmethod
    def predict(scores):
        """Probabilities of the classes, (R, Q)."""
        p = scores.copy()
        _head.softmax(p)
        return p


LOSSES = {"squared_error": SquaredError, "binary_log_loss": BinaryLogLoss, "log_loss": LogLoss}
