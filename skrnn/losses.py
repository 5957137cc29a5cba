"""Losses on raw scores: what predictions they stand for. Their arithmetic is in ``cells/_losses.pxi``.

A new loss is one function there, one class here, and one line in `LOSSES`.
"""

import numpy as np
from scipy.special import expit

from skrnn.cells import kernels


class Loss:
    """What the losses share; a loss is known by its name."""

    def __init__(self, name):
        self.name = name

    def value_and_gradient(self, scores, targets, weights=None):
        """Σ w·loss / Σ w of scores (R, Q) against the loss's targets, and its gradient (R, Q).

        Parameters
        ----------
        scores : (R, Q) array
        targets : (R, Q) numbers of the scores' dtype, or (R,) class numbers
        weights : (R,) array, optional
        """
        weights = np.ones(len(scores)) if weights is None else np.asarray(weights, dtype=np.float64)
        gradient = np.empty_like(scores)
        value = kernels(scores.dtype).loss(self.name, scores, targets, weights / weights.sum(), gradient)
        return value, gradient


class SquaredError(Loss):
    """½ (score − target)², the mean over outputs and rows, as in scikit-learn's MLP."""

    out_activation = "identity"

    def predict(self, scores):
        """The predicted mean."""
        return scores


class BinaryLogLoss(Loss):
    """−log p of the target, p = σ(score) for target 1."""

    out_activation = "logistic"

    def predict(self, scores):
        """Probabilities of both classes, (R, 2)."""
        p = expit(scores[:, 0])
        return np.column_stack([1 - p, p])


class LogLoss(Loss):
    """−log p of the target, p = softmax(scores)."""

    out_activation = "softmax"

    def predict(self, scores):
        """Probabilities of the classes, (R, Q)."""
        p = scores.copy()
        kernels(p.dtype).softmax(p)
        return p


LOSSES = {
    name: loss(name)
    for name, loss in {"squared_error": SquaredError, "binary_log_loss": BinaryLogLoss, "log_loss": LogLoss}.items()
}
