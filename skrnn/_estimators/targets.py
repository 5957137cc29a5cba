"""Targets: y as rows that the losses take, and scores as what the user expects of predict."""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.sparse import issparse
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import accuracy_score
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets

from skrnn._data.numbers import as_numbers
from skrnn._data.target_checks import (
    NUMBERS,
    as_labels,
    check_finite_rows,
    check_one_each,
    first_cell,
    plain,
    step_labels,
    step_rows,
    with_nan,
)


class TargetRows:
    """Targets as the user knows them, a row per sequence or step.

    Parameters
    ----------
    values : (rows, ...) array
        Of several outputs those that are not known are NaN.
    labelled : (rows,) bool array, optional
        Which rows have a target; None for all.
    weights : (rows,) float64 array, optional
        Their weights, without those of classes; None for the same ones.
    """

    def __init__(self, values, labelled=None, weights=None):
        self.values, self.labelled, self.weights = values, labelled, weights

    def __len__(self):
        return len(self.values)

    @property
    def known(self):
        """An index of the rows that have a target."""
        return slice(None) if self.labelled is None else self.labelled

    def check_every_output(self):
        """Raise a ValueError that names the first of several outputs of which nothing is known."""
        values = self.values[self.known if self.weights is None else self.weights > 0]
        if values.ndim == 2 and values.dtype.kind == "f" and np.isnan(values).all(axis=0).any():
            output = int(np.argmax(np.isnan(values).all(axis=0)))
            raise ValueError(f"y has no target for output {output}: every value of its column is missing; leave it out")

    def of_known(self, values):
        """Values of the rows that have a target, in an array of all rows, with 0 in the others."""
        if self.labelled is None:
            return values
        rows = np.zeros((len(self), *values.shape[1:]), values.dtype)
        rows[self.known] = values
        return rows


@dataclass(frozen=True)
class ClassTargets:
    """What a classifier knows of its targets.

    Parameters
    ----------
    classes : (n_classes,) array
        The labels; for several labels at once their numbers.
    multilabel : bool
        Whether a target is 0 or 1 for each of several labels.
    """

    classes: np.ndarray
    multilabel: bool

    @staticmethod
    def read(y, sequences, per_step):
        """Checked targets; raise a ValueError that names what is no label."""
        rows, missing = step_labels(y, sequences) if per_step else _labels_of_sequences(y)
        if rows.ndim == 2 and rows.shape[1] > 1:
            _check_indicators(rows, missing, sequences, per_step)
            return _known_in_part(rows, missing, per_step, "label")
        rows, missing = rows.reshape(-1), missing.reshape(-1)
        if rows.dtype.kind == "f":
            check_finite_rows(rows, sequences, per_step, allow_nan=per_step)
        if not per_step and missing.any():
            where = sequences.label("y", np.flatnonzero(missing)[0], per_step=per_step)
            raise ValueError(f"Input y contains a missing label: {where}")
        if missing.all():
            raise ValueError("y has no label for any step")
        return TargetRows(rows, ~missing if missing.any() else None)

    @classmethod
    def learn(cls, rows, classes=None):
        """What these targets tell, or with `classes` all labels that there will be."""
        labels = rows.values[rows.known]
        if labels.ndim == 2:
            n_labels = labels.shape[1]
            numbers = np.arange(n_labels)
            if classes is not None and not np.array_equal(np.unique(classes), numbers):
                raise ValueError(f"classes={classes!r}: expected the numbers of the {n_labels} labels that y has")
            return cls(numbers, True)
        if classes is not None:
            every, missing = as_labels(classes, "classes")
            if every.ndim != 1 or missing.any():
                raise ValueError(f"classes={classes!r}: expected all labels that there will be, one after the other")
        found = _sorted_classes(*("y", labels) if classes is None else ("classes", every))
        check_classification_targets(labels)
        if len(found) < 2:
            raise ValueError(
                f"a classifier needs at least 2 classes in y, got 1 class: {found.tolist()[0]!r}"
                + "; with return_sequences the integer -1 is a step without a label" * (rows.labelled is not None)
            )
        return cls(found, False)

    @property
    def loss_name(self):
        """The loss that goes with these targets."""
        if self.multilabel:
            return "multilabel_log_loss"
        return "binary_log_loss" if len(self.classes) == 2 else "log_loss"

    @property
    def n_outputs(self):
        """Outputs of the network."""
        return 1 if self.loss_name == "binary_log_loss" else len(self.classes)

    def encode(self, rows, sequences, per_step, loss):
        """Targets as the loss takes them: class numbers, or zeros and ones for several labels."""
        values, labels = rows.values, rows.values[rows.known]
        if (values.ndim == 2) != self.multilabel or (self.multilabel and values.shape[1] != len(self.classes)):
            raise ValueError(
                f"y has {1 if values.ndim == 1 else values.shape[1]} columns, expected "
                f"{len(self.classes) if self.multilabel else 1} as in the first fit"
            )
        if self.multilabel:
            return rows.of_known(labels.astype(sequences.dtype))
        if len(labels) and (labels.dtype.kind in "SUO") != (self.classes.dtype.kind in "SUO"):
            raise TypeError(
                f"y has labels of type {type(plain(labels[0])).__name__}, expected "
                f"{type(plain(self.classes[0])).__name__} as in classes: {self.classes}"
            )
        codes = np.minimum(np.searchsorted(self.classes, labels), len(self.classes) - 1)
        wrong = np.flatnonzero(self.classes[codes] != labels)
        if len(wrong):
            where = sequences.label("y", np.arange(len(rows))[rows.known][wrong[0]], per_step=per_step)
            label = plain(labels[wrong[0]])
            raise ValueError(f"y has the label {label!r}, which is not among classes: {self.classes}; it is {where}")
        return rows.of_known(codes.astype(np.intp))

    def weights(self, rows, class_weight):
        """Weights of the targets by their classes, (rows,) float64, or None."""
        if class_weight is None:
            return None
        labels = rows.values[rows.known]
        if isinstance(class_weight, dict) and not self.multilabel:
            other = [label for label in class_weight if label not in self.classes]
            if other:
                raise ValueError(
                    f"class_weight has weights for {other}, which are not among the classes {self.classes}"
                )
            of_class = np.array([class_weight.get(label, 1.0) for label in self.classes], dtype=float)
            weights = of_class[np.searchsorted(self.classes, labels)]
        else:
            weights = _weights_of_labels(class_weight, labels)
        if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
            raise ValueError(
                f"class_weight={class_weight!r}: expected finite weights that are not negative, and one at least that "
                "is not 0"
            )
        return rows.of_known(np.asarray(weights, dtype=np.float64))

    def decode(self, scores, loss):
        """Labels for raw scores."""
        p = loss.predict(scores)
        return (p > 0.5).astype(int) if self.multilabel else self.classes[p.argmax(axis=1)]

    def score(self, rows, scores, loss, weights):
        """The accuracy of raw scores, for early stopping."""
        return self.measure(accuracy_score, rows, self.decode(scores, loss), weights)

    def measure(self, metric, rows, predicted, weights):
        """A metric of predicted rows; of several labels those that are not known count as right."""
        if self.multilabel and rows.dtype.kind == "f":
            rows = np.where(np.isnan(rows), predicted, rows)
        return metric(rows, predicted, sample_weight=weights)

    def strata(self, rows):
        """What the parts of a split should have in equal shares, or None."""
        return None if self.multilabel else rows

    def attributes(self):
        """What `fit` publishes."""
        return {"classes_": self.classes}


@dataclass(frozen=True)
class NumberTargets:
    """What a regressor knows of its targets.

    Parameters
    ----------
    shape : tuple
        Of the target of a sequence or step: () or (outputs,).
    """

    shape: tuple

    @staticmethod
    def read(y, sequences, per_step):
        """Checked targets; raise a ValueError that names what is no finite number."""
        rows = step_rows(y, sequences) if per_step else as_numbers(check_one_each(y), "y")
        if rows.ndim not in (1, 2):
            raise ValueError(
                f"y has shape {rows.shape}, expected (n,) or (n, outputs); for targets of every step use "
                "return_sequences=True"
            )
        if 0 in rows.shape:
            raise ValueError(f"y has shape {rows.shape}, expected at least one output")
        check_finite_rows(rows, sequences, per_step, allow_nan=per_step or rows[:1].size > 1)
        return _known_in_part(rows, np.isnan(rows), per_step, "target")

    @classmethod
    def learn(cls, rows):
        """What these targets tell."""
        return cls(rows.values.shape[1:])

    @property
    def n_outputs(self):
        """Outputs of the network."""
        return int(np.prod(self.shape))

    def encode(self, rows, sequences, per_step, loss):
        """Targets as the loss takes them, (rows, outputs) in the dtype of X."""
        values, dtype = rows.values, sequences.dtype
        if values.shape[1:] != self.shape:
            raise ValueError(f"y has shape {values.shape}, expected {(len(values), *self.shape)} as in the first fit")
        with np.errstate(over="ignore"):
            targets = rows.of_known(values[rows.known]).reshape(len(values), -1)
            targets = np.require(targets, dtype, ["C", "A"])
        bad = loss.check_targets(targets, loss.of_logistic)
        if bad is not None:
            (row, output), expected = bad
            where = sequences.label("y", row, output if self.shape else None, per_step=per_step)
            raise ValueError(f"{where} is {targets[row, output]}, expected {expected}")
        bad = first_cell(np.isinf(targets))
        if bad is not None:
            where = sequences.label("y", *bad[: 1 + len(self.shape)], per_step=per_step)
            raise ValueError(f"{where} is too large for {dtype}, the dtype of X; scale y, or pass X as float64")
        return targets

    def weights(self, rows, class_weight):
        """Weights of the targets by themselves: None, all the same."""
        return None

    def decode(self, scores, loss):
        """Predictions for raw scores."""
        rows = loss.predict(scores)
        return rows if self.shape else rows[:, 0]

    def score(self, rows, scores, loss, weights):
        """How much of the loss raw scores explain, for early stopping."""
        return self.measure(loss.score, rows, self.decode(scores, loss), weights)

    def measure(self, metric, rows, predicted, weights):
        """A metric of predicted rows; where some outputs are not known, its mean over outputs."""
        return mean_over_outputs(metric, rows, predicted, sample_weight=weights)

    def strata(self, rows):
        """What the parts of a split should have in equal shares: None, nothing."""
        return None

    def attributes(self):
        """What `fit` publishes: nothing."""
        return {}


def mean_over_outputs(metric, y, predicted, sample_weight=None, **kwargs):
    """A metric of what is known of y: where some is NaN, the mean of that of each output over its known rows.

    Outputs of which less than two rows with weight are known are left out, since scores such as R² are not defined.

    Parameters
    ----------
    metric : callable
        ``metric(y, predicted, **kwargs)``, with ``sample_weight`` if there is one.
    y, predicted : (R,) or (R, Q) arrays
    sample_weight : (R,) array, optional
    """
    weights = {} if sample_weight is None else {"sample_weight": sample_weight}
    if y.ndim == 1 or y.dtype.kind != "f" or not np.isnan(y).any():
        return metric(y, predicted, **weights, **kwargs)
    known = ~np.isnan(y) if sample_weight is None else ~np.isnan(y) & (sample_weight > 0)[:, np.newaxis]
    scores = [
        metric(y[rows, q], predicted[rows, q], **{name: w[rows] for name, w in weights.items()}, **kwargs)
        for q, rows in enumerate(known.T)
        if rows.sum() > 1
    ]
    if not scores:
        message = "A score is not defined where less than two targets are known of every output."
        warnings.warn(message, UndefinedMetricWarning, stacklevel=2)
        return float("nan")
    return float(np.mean(scores))


def _sorted_classes(name, labels):
    """The different labels, in order."""
    types = ", ".join(sorted({type(label).__name__ for label in labels})) if labels.dtype.kind == "O" else ""
    try:
        found = np.unique(labels)
    except TypeError as error:
        raise TypeError(f"{name} mixes labels of the types {types}; expected one type") from error
    if types and not all(isinstance(label, str) for label in found):
        raise TypeError(f"{name} has labels of type {types}, expected bools, integers of up to 64 bits, or strings")
    return found


def _labels_of_sequences(y):
    """Labels (n,) or (n, labels), and which of them are missing."""
    labels, missing = as_labels(check_one_each(y.toarray() if issparse(y) else y), "y")
    if labels.ndim == 2 and labels.shape[1] > 1:
        return labels, missing
    try:
        return column_or_1d(labels, warn=True), missing
    except ValueError as error:
        raise ValueError(
            f"{error} Expected one label per sequence; for one per step use return_sequences=True"
        ) from error


def _check_indicators(rows, missing, sequences, per_step):
    """Raise a ValueError that names the first cell of rows (…, labels) that is neither 0 nor 1 nor missing."""
    if rows.dtype.kind in "fiub":
        good = (rows == 0) | (rows == 1)
    else:
        good = np.array([isinstance(cell, NUMBERS) and cell in (0, 1) for cell in rows.flat]).reshape(rows.shape)
    bad = first_cell(~(good | missing))
    if bad is not None:
        where = sequences.label("y", *bad, per_step=per_step)
        what = "has several values per step" if per_step else f"has shape {rows.shape}"
        raise ValueError(
            f"y {what} and {where} is {plain(rows[bad])!r:.50}, expected 0 or 1 for each of several labels, NaN where "
            "it is not known, or one label; one label per step needs return_sequences=True, several targets with more "
            "classes sklearn.multioutput.MultiOutputClassifier"
        )


def _known_in_part(rows, missing, per_step, what):
    """Targets of one or several outputs, NaN where they are missing; those that are missing as a whole have none."""
    unlabelled = missing.reshape(len(missing), -1).all(axis=1)
    if unlabelled.all():
        raise ValueError(f"y has no {what} for any {'step' if per_step else 'sequence'}: every value is missing")
    return TargetRows(with_nan(rows, missing), ~unlabelled if unlabelled.any() else None)


def _weights_of_labels(class_weight, labels):
    """Weights of rows of labels (rows,) or (rows, labels); a label that is not known has a weight of 1."""
    known = ~np.isnan(labels) if labels.ndim == 2 and labels.dtype.kind == "f" else np.ones(labels.shape, bool)
    if known.all():
        return compute_sample_weight(class_weight, labels)
    if not isinstance(class_weight, str) and (isinstance(class_weight, dict) or len(class_weight) != labels.shape[1]):
        return compute_sample_weight(class_weight, np.where(known, labels, 0))      # raises an error
    weights = np.ones(len(labels))
    for q, rows in enumerate(known.T):
        of_label = class_weight if isinstance(class_weight, str) else class_weight[q]
        weights[rows] *= compute_sample_weight(of_label, labels[rows, q])
    return weights
