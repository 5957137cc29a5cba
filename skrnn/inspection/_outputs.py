"""Which number is explained: a probability, a predicted number, a risk; its value and its gradient in raw scores."""

from collections.abc import Hashable
from numbers import Integral, Real

import numpy as np
from scipy.special import expit

from skrnn._data.numbers import is_missing
from skrnn._data.own_units import target_units, target_units_gradient
from skrnn._estimators.class_targets import ClassTargets
from skrnn._estimators.number_targets import NumberTargets
from skrnn._estimators.several_class_targets import SeveralClassTargets
from skrnn._estimators.survival_targets import cumulative_hazard
from skrnn._messages import shown


class Output:
    """One number of what a net predicts for a sequence, or for a step.

    Attributes
    ----------
    label : str
        What axes call it, unless it is chosen for each sequence.
    """

    label = ""

    def choose(self, scores):
        """Which output of each row of scores (n, Q) is explained, (n,) int."""
        return np.zeros(len(scores), np.intp)

    def name_of(self, chosen):
        """What axes call the output that was chosen."""
        return self.label

    def own_units(self, prepared):
        """`TargetUnits` of prepared sequences, where targets are in units of theirs; None where they are not."""
        return None

    def value(self, scores, own, which):
        """The number (n,) for raw scores (n, Q).

        Parameters
        ----------
        scores : (n, Q) array
        own : TargetUnits or None
        which : (n,) int array
        """
        raise NotImplementedError

    def gradient(self, scores, own, which):
        """Its gradient in the scores (n, Q), and that in level and spread of the sequences, (n, 2 D), or None."""
        raise NotImplementedError


class Probability(Output):
    """The probability of a class, or of a label.

    Parameters
    ----------
    loss : Loss
        Whose predictions are probabilities (n, C).
    columns : slice
        Of the scores that it reads.
    classes : (C,) array
    chosen : int or None
        Which of the classes; None for that which is predicted.
    where : str
        What its name ends with.
    """

    def __init__(self, loss, columns, classes, chosen, where=""):
        self.loss, self.columns, self.classes, self.chosen, self.where = loss, columns, classes, chosen, where

    def name_of(self, chosen):
        return f"probability of class {self.classes[chosen]}{self.where}"

    def choose(self, scores):
        if self.chosen is not None:
            return np.full(len(scores), self.chosen, np.intp)
        return self.loss.predict(scores[:, self.columns]).argmax(axis=1)

    def value(self, scores, own, which):
        return self.loss.predict(scores[:, self.columns])[np.arange(len(scores)), which]

    def gradient(self, scores, own, which):
        read = scores[:, self.columns]
        dp = np.zeros((len(scores), len(self.classes)))
        dp[np.arange(len(scores)), which] = 1
        gradient = np.zeros_like(scores)
        gradient[:, self.columns] = self.loss.prediction_gradient(read, dp)
        return gradient, None


class Number(Output):
    """An output of a regressor, in the units of y.

    Parameters
    ----------
    loss : Loss
    targets : NumberTargets
    reading : Reading
    place : tuple of int
        The output, and of several quantiles which.
    label : str
    """

    def __init__(self, loss, targets, reading, place, label):
        self.loss, self.targets, self.reading, self.place, self.label = loss, targets, reading, place, label
        Q = targets.n_outputs
        center, scale = (np.zeros(Q), np.ones(Q)) if targets.scale is None else (targets.center, targets.scale)
        self.center, self.scale = center[place[0]], scale[place[0]]

    def own_units(self, prepared):
        n, reading = self.targets.n_outputs, self.reading
        if not reading.has_target_units(self.loss, n):
            return None
        return target_units(prepared, np.arange(len(prepared)), reading.n_numbers, n, per_step=False)

    def value(self, scores, own, which):
        p = self.loss.predict(scores)[(slice(None), *self.place)]
        if own is not None:
            p = p * own.ratio[:, self.place[0]] + own.level[:, self.place[0]]
        return p * self.scale + self.center

    def gradient(self, scores, own, which):
        p = self.loss.predict(scores)
        dp = np.zeros_like(p)
        if own is None:
            dp[(slice(None), *self.place)] = self.scale
            return self.loss.prediction_gradient(scores, dp), None
        # scale · (p · ratio + level) + center
        q = self.place[0]
        dp[(slice(None), *self.place)] = self.scale * own.ratio[:, q]
        dratio, dlevel = self.scale * p[(slice(None), *self.place)], self.scale
        down = target_units_gradient(own, q, dlevel, dratio, self.reading.n_numbers)
        return self.loss.prediction_gradient(scores, dp), down


class Risk(Output):
    """The risk of a survival net, the sum over the intervals' ends of the cumulative hazard."""

    label = "risk"

    def value(self, scores, own, which):
        return cumulative_hazard(scores)[:, 1:].sum(axis=1)

    def gradient(self, scores, own, which):
        # Σ (K − k) softplus(score[k])
        return expit(scores) * np.arange(scores.shape[1], 0, -1), None


class Survival(Output):
    """The probability that the event comes later than the first k intervals.

    Parameters
    ----------
    k : int
    label : str
    """

    def __init__(self, k, label):
        self.k, self.label = k, label

    def value(self, scores, own, which):
        return np.exp(-cumulative_hazard(scores)[:, self.k])

    def gradient(self, scores, own, which):
        # exp(−Σ softplus(score[j])) over j < k
        gradient = -self.value(scores, own, which)[:, np.newaxis] * expit(scores)
        gradient[:, self.k :] = 0
        return gradient, None


def output_of(fitted, target):
    """The `Output` of a fitted net that the argument `target` names; raise a ValueError or TypeError for any other."""
    targets, loss = fitted.targets, fitted.model.loss
    if isinstance(targets, ClassTargets):
        return _of_classes(targets, loss, target)
    if isinstance(targets, SeveralClassTargets):
        return _of_column(targets, loss, target)
    if isinstance(targets, NumberTargets):
        return _of_number(fitted, target)
    return _of_survival(targets, target)


def _of_classes(targets, loss, target):
    classes, of_all = targets.classes, slice(None)
    if target is None and not targets.multilabel:
        return Probability(loss, of_all, classes, 1 if len(classes) == 2 else None)
    what = "one of the labels" if targets.multilabel else "a class or None,"
    return Probability(loss, of_all, classes, _place_of(target, classes, what), " (a label)" * targets.multilabel)


def _of_column(targets, loss, target):
    n = len(targets.columns)
    if not isinstance(target, tuple) or len(target) != 2 or not _is_index(target[0], n):
        raise ValueError(
            f"target={shown(target)}: y has {n} columns of classes, expected a pair, the index of one of them and a "
            "class of it"
        )
    (q, label), (columns, of_column) = target, loss.columns[target[0]]
    classes = targets.columns[q].classes
    place = _place_of(label, classes, f"a class of column {q},")
    return Probability(of_column, columns, classes, place, f" in column {q}")


def _place_of(label, classes, what):
    found = []
    if isinstance(label, Hashable) and not isinstance(label, tuple) and not is_missing(label):
        found = [place for place, known in enumerate(classes) if bool(known == label)]
    if not found:
        raise ValueError(f"target={shown(label)}: expected {what} of {shown(classes.tolist())}")
    return found[0]


def _of_number(fitted, target):
    targets, loss = fitted.targets, fitted.model.loss
    Q, levels = targets.n_outputs, loss.parameter if loss.knows_quantiles and not loss.is_likelihood else ()
    parts = target if isinstance(target, tuple) else () if target is None else (target,)
    parts = (0, *parts) if Q == 1 and (levels or not parts) and len(parts) < 2 else parts
    good = len(parts) == 1 + bool(levels) and _is_index(parts[0], Q)
    good = good and (not levels or (isinstance(parts[1], Real) and parts[1] in levels))
    if not good:
        expected = f"the index of one of {Q} outputs" if Q > 1 else ""
        if levels:
            of_level = f"one of the quantiles {list(levels)}"
            expected = f"a pair, {expected} and {of_level}" if expected else of_level
        raise ValueError(f"target={shown(target)}: expected {expected or 'None, since y has one output'}")
    label = "prediction" if Q == 1 else f"output {parts[0]}"
    if levels:
        label = f"quantile {parts[1]:g}" + (f" of output {parts[0]}" if Q > 1 else "")
        parts = (parts[0], levels.index(parts[1]))
    return Number(loss, targets, fitted.reading, parts, label)


def _is_index(value, n):
    return isinstance(value, Integral) and not isinstance(value, bool) and 0 <= value < n


def _of_survival(targets, target):
    if target is None:
        return Risk()
    last = targets.edges[-1]
    if not isinstance(target, Real) or isinstance(target, bool) or not 0 <= target <= last:
        raise ValueError(
            f"target={shown(target)}: expected None, which explains the risk, or a time from 0 to {last:g}, which "
            "explains the probability that the event comes later"
        )
    k = int(np.searchsorted(targets.edges, target, "right")) - 1
    return Survival(k, f"probability that the event comes after {target:g}")
