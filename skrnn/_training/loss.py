"""What a loss is: all that an estimator needs to know of it.

For its table of parameters and its docstring, for checks of y, scores and predictions.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from sklearn.exceptions import UndefinedMetricWarning

from skrnn._data.target_checks import first_cell
from skrnn._training.target_statistics import (
    by_output,
    known_fraction,
    logit_of,
    mean_and_deviation,
    of_known,
    root,
    without_certainty,
)
from skrnn.kernels import kernels_for


@dataclass(frozen=True)
class Domain:
    """The targets that a loss takes."""

    low: float
    high: float
    expected: str           # in words, for messages
    whole: bool = False     # whether they are whole numbers

    def first_outside(self, targets):
        """The row and output of the first number of targets (R, Q) that is outside, or None."""
        outside = (targets < self.low) | (targets > self.high)
        return first_cell(outside | (targets > np.floor(targets)) if self.whole else outside)


FROM_0_TO_1 = Domain(0, 1, "numbers from 0 to 1 with out_activation='logistic'; scale y")

# Rows whose losses are computed at a time
MAX_ROWS_PER_MEAN = 2**16


class Loss:
    """A loss of raw scores, mean over rows.

    Where targets are numbers (R, Q), some may be NaN, which means not known. The loss of a row is then over its m known
    outputs, and the row counts m / Q of its weight.

    Parameters
    ----------
    parameter : float
        Value of the loss's own parameter, if it has one.
    of_logistic : bool
        Whether it is a loss of σ(score) rather than of the score.

    Attributes
    ----------
    width : int
        Scores of a target, side by side: Q targets have Q · width scores.
    """

    name = None                     # in `LOSSES` and in the kernels
    summary = None                  # a phrase for the docstring of the estimator's parameter `loss`
    is_regression = False           # whether it is a value of the regressor's `loss`
    of_classes = False              # whether targets are class numbers (R,), or else numbers (R, Q)
    parameter_name = None           # the estimator's parameter that is its own
    parameter_range = None          # the open interval of this, None for infinity
    out_activation = "identity"     # what turns scores into predictions
    why_not_logistic = "which has an activation of its own"     # None where it can be a loss of σ(score)
    domain = None                   # a `Domain`, or None for all numbers
    width = 1
    is_likelihood = False           # whether it is −log of a density, which `distribution` gives
    knows_quantiles = False         # whether predictions have quantiles, which `distribution` gives

    def __init__(self, parameter=0.0, of_logistic=False):
        if of_logistic and self.why_not_logistic:
            raise ValueError(f"there is no loss {self.name!r} of σ(score), {self.why_not_logistic}")
        self.parameter, self.of_logistic = self.read_parameter(parameter), bool(of_logistic)
        if of_logistic:
            self.out_activation = "logistic"

    @staticmethod
    def read_parameter(parameter):
        """The own parameter as it is kept."""
        return float(parameter)

    @property
    def parameters(self):
        """What the kernels are given of it, (n,) float64."""
        return np.atleast_1d(np.array(self.parameter if self.parameter_name else []))

    @property
    def of_distance(self):
        """Whether it depends on scores and targets by their distance alone."""
        return self.is_regression and self.out_activation == "identity"

    def takes_units_of(self, other):
        """Whether targets in the units that another loss takes are targets of this one."""
        return self.of_distance or self.out_activation == other.out_activation

    def takes_scores_of(self, other):
        """Whether training can go on from the scores of another loss: several of a target mean what its loss says."""
        return self.width == other.width and (self.width == 1 or self.name == other.name)

    @classmethod
    def make(cls, parameters, of_logistic=False):
        """The loss with its own of an estimator's parameters, a mapping."""
        return cls(parameters[cls.parameter_name] if cls.parameter_name else 0.0, of_logistic)

    @classmethod
    def check_targets(cls, targets, of_logistic=False):
        """The row and output of the first target that predictions cannot reach, and what was expected, or None."""
        domain = FROM_0_TO_1 if of_logistic else cls.domain
        cell = None if domain is None else domain.first_outside(targets)
        return None if cell is None else (cell, domain.expected)

    def value_and_gradient(self, scores, targets, weights=None):
        """Mean loss of scores (R, Q) against targets, and its gradient (R, Q).

        Parameters
        ----------
        scores : (R, Q) array
        targets : (R, Q) numbers of the scores' dtype, or (R,) class numbers
        weights : (R,) array, optional
        """
        weights = np.ones(len(scores)) if weights is None else np.asarray(weights, dtype=np.float64)
        scores, gradient = scores.copy(), np.empty_like(scores)
        known = known_fraction(targets)
        total = weights.sum() if known is None else (weights * known).sum()
        value = kernels_for(scores.dtype).loss(
            self.name, self.parameters, self.of_logistic, scores, targets, weights / total, gradient
        )
        return value, gradient

    def mean(self, scores, targets, weights=None):
        """Mean loss of scores against targets as in `value_and_gradient`, in float64 whatever their dtype.

        In parts, so that temporary arrays stay small.
        """
        weights = np.ones(len(scores)) if weights is None else weights
        known = known_fraction(targets)
        weights = weights / (weights.sum() if known is None else (weights * known).sum())
        value = 0.0
        for begin in range(0, len(scores), MAX_ROWS_PER_MEAN):
            rows = slice(begin, begin + MAX_ROWS_PER_MEAN)
            part = np.array(scores[rows], dtype=np.float64)
            of_part = targets[rows] if self.of_classes else targets[rows].astype(np.float64)
            value += kernels_for(part.dtype).loss(
                self.name, self.parameters, self.of_logistic, part, of_part, weights[rows], np.empty_like(part)
            )
        return value

    def best_constant(self, targets, weights=None, n_outputs=None):
        """The scores (Q,) in float64 that have the least loss when they are those of every row.

        They are finite: where the loss has no minimum, as for targets that are all of one class, it is almost at its
        infimum.

        Parameters
        ----------
        targets, weights
            As in `value_and_gradient`.
        n_outputs : int, optional
            Q; by default as many as the targets show. Class numbers may not show the last classes.
        """
        raise NotImplementedError

    def starting_scores(self, targets, weights=None, n_outputs=None, whole=False):
        """The scores (Q,) that training begins with: the best constant; a class that has not been seen may come.

        `whole` says that these are all targets, to which no later ones come that differ.
        """
        return self.best_constant(targets, weights, n_outputs)

    def units_of(self, targets, weights=None):
        """What is subtracted from targets (R, Q), and what they are then divided by, before the loss sees them: (Q,).

        Labels, and numbers that are fractions, stay as they are.
        """
        Q = targets.shape[1]
        return np.zeros(Q), np.ones(Q)

    def takes_units(self, center, scale):
        """Whether targets may have these units (Q,), such as `units_of` returns."""
        return self.of_distance or (not center.any() and bool((scale == 1).all()))

    def predict(self, scores):
        """What is predicted, row by row."""
        raise NotImplementedError

    def prediction_gradient(self, scores, dp):
        """The gradient in scores (R, Q) of Σ dp · predict(scores), dp as what `predict` returns."""
        raise NotImplementedError

    def distribution(self, scores):
        """What is known of the distribution of the targets, in their units here."""
        raise NotImplementedError


class RegressionLoss(Loss):
    """A loss of numbers: one of the score's distance to the target, unless a subclass says otherwise."""

    is_regression = True
    why_not_logistic = None

    def best_constant(self, targets, weights=None, n_outputs=None):
        targets = np.ascontiguousarray(targets, dtype=np.float64)      # the order of sums
        weights = np.ones(len(targets)) if weights is None else np.asarray(weights, dtype=np.float64)
        best = of_known(self._best_prediction, targets, weights)
        return logit_of(best) if self.of_logistic else best

    def _best_prediction(self, targets, weights):
        """The best constant prediction (Q,) of float64 targets: where the slope of the loss is 0."""
        loss = type(self)(self.parameter)

        def slope(constant, column):
            _, gradient = loss.value_and_gradient(np.full_like(column, constant), column, weights)
            return gradient.sum()

        return np.array([root(slope, column, weights) for column in by_output(targets)])

    def starting_scores(self, targets, weights=None, n_outputs=None, whole=False):
        """The best constant; of σ(score) 0 where that is certainty, whose slope is almost 0, and targets vary."""
        best = self.best_constant(targets, weights, n_outputs)
        if not self.of_logistic:
            return best
        constant = whole & (np.fmin.reduce(targets) == np.fmax.reduce(targets))
        return np.where(constant, best, without_certainty(best))

    def units_of(self, targets, weights=None):
        """The mean and deviation of each output, 0 where it is constant."""
        if self.of_logistic:
            return super().units_of(targets, weights)
        targets = np.ascontiguousarray(targets, dtype=np.float64)      # the order of sums
        weights = np.ones(len(targets)) if weights is None else np.asarray(weights, dtype=np.float64)
        moments = of_known(mean_and_deviation, targets, weights)
        return moments[:, 0].copy(), moments[:, 1].copy()

    def score(self, y, predictions, sample_weight=None):
        """How good predictions are, 1 at best: the explained fraction D² of the loss, mean over outputs.

        D² = 1 − loss of the predictions / loss of the best constant.

        Parameters
        ----------
        y, predictions : (R,) or (R, Q) arrays
        sample_weight : (R,) array, optional
        """
        if len(y) < 2:
            message = "D^2 score is not well-defined with less than two samples."
            warnings.warn(message, UndefinedMetricWarning, stacklevel=2)
            return float("nan")
        columns = zip(by_output(y), by_output(predictions), strict=True)
        return float(np.mean([self._explained(y, p, sample_weight) for y, p in columns]))

    def _explained(self, y, predictions, weights):
        """D² of one output, (R, 1) float64; of constant targets 1 when they are met, else 0."""
        loss = type(self)(self.parameter)
        value, _ = loss.value_and_gradient(predictions, y, weights)
        constant = np.full_like(y, loss.best_constant(y, weights))
        of_constant, _ = loss.value_and_gradient(constant, y, weights)
        if of_constant == 0:
            return 1.0 if value == 0 else 0.0
        return 1 - value / of_constant

    def predict(self, scores):
        """The predicted numbers (R, Q)."""
        return expit(scores) if self.of_logistic else scores

    def prediction_gradient(self, scores, dp):
        if not self.of_logistic:
            return dp
        p = expit(scores)
        return dp * p * (1 - p)
