"""Targets: y as rows that the losses take, and scores as what the user expects of predict."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import issparse
from sklearn.metrics import accuracy_score
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets

from skrnn._data.numbers import as_numbers, plain
from skrnn._data.target_checks import (
    check_finite_rows,
    check_one_each,
    first_not_finite_row,
    keep_label_types,
    missing_labels,
    step_rows,
)


class TargetRows:
    """Targets as the user knows them, a row per sequence or step.

    Parameters
    ----------
    values : (rows, ...) array
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
        rows = _labels_of_steps(y, sequences) if per_step else _labels_of_sequences(y)
        missing = missing_labels(rows, per_step)
        if rows.dtype.kind == "f":
            check_finite_rows(_without_missing(rows, missing) if per_step else rows, sequences, per_step)
        if not missing.any():
            return TargetRows(rows)
        if not per_step:
            where = sequences.label("y", np.flatnonzero(missing)[0], per_step)
            raise ValueError(f"Input y contains a missing label: {where}")
        if missing.all():
            raise ValueError("y has no label for any step")
        return TargetRows(_without_objects(rows, ~missing), ~missing)

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
        if classes is not None and (np.ndim(classes) != 1 or missing_labels(np.asarray(classes), False).any()):
            raise ValueError(f"classes={classes!r}: expected all labels that there will be, one after the other")
        try:
            found = np.unique(labels if classes is None else keep_label_types(classes))
        except TypeError as error:
            types = sorted({type(label).__name__ for label in labels})
            raise TypeError(f"y mixes labels of the types {', '.join(types)}; expected one type") from error
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
        codes = np.minimum(np.searchsorted(self.classes, labels), len(self.classes) - 1)
        wrong = np.flatnonzero(self.classes[codes] != labels)
        if len(wrong):
            raise ValueError(f"y has the label {plain(labels[wrong[0]])!r}, which is not among classes: {self.classes}")
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
                    f"class_weight has weights for {plain(other)}, which are not among the classes {self.classes}"
                )
            of_class = np.array([class_weight.get(label, 1.0) for label in self.classes], dtype=float)
            weights = of_class[np.searchsorted(self.classes, labels)]
        else:
            weights = compute_sample_weight(class_weight, labels)
        if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
            raise ValueError(
                f"class_weight={plain(class_weight)!r}: expected finite weights that are not negative, and one at "
                "least that is not 0"
            )
        return rows.of_known(np.asarray(weights, dtype=np.float64))

    def decode(self, scores, loss):
        """Labels for raw scores."""
        p = loss.predict(scores)
        return (p > 0.5).astype(int) if self.multilabel else self.classes[p.argmax(axis=1)]

    def score(self, rows, scores, loss, weights):
        """The accuracy of raw scores, for early stopping."""
        return accuracy_score(rows, self.decode(scores, loss), sample_weight=weights)

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
        missing = np.isnan(rows).reshape(len(rows), -1).all(axis=1) if per_step else np.zeros(len(rows), bool)
        check_finite_rows(_without_missing(rows, missing), sequences, per_step)
        if missing.all():
            raise ValueError("y has no target for any step: every value is NaN")
        return TargetRows(rows, ~missing if missing.any() else None)

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
            row, expected = bad
            raise ValueError(f"{sequences.label('y', row, per_step)} is {targets[row].tolist()}, expected {expected}")
        bad = first_not_finite_row(targets)
        if bad is not None:
            where = sequences.label("y", bad, per_step)
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
        return loss.score(rows, self.decode(scores, loss), weights)

    def strata(self, rows):
        """What the parts of a split should have in equal shares: None, nothing."""
        return None

    def attributes(self):
        """What `fit` publishes: nothing."""
        return {}


def _labels_of_steps(y, sequences):
    """Labels (total,), or (total, labels) of zeros and ones."""
    rows = step_rows(y, sequences, numeric=False)
    rows = rows[:, 0] if rows.ndim == 2 and rows.shape[1] == 1 else rows
    if rows.ndim == 2:
        _check_indicators(rows, "y has several values per step")
    return rows


def _labels_of_sequences(y):
    """Labels (n,), or (n, labels) of zeros and ones."""
    y = check_one_each(y.toarray() if issparse(y) else y)
    rows = np.asarray(keep_label_types(y))
    if rows.ndim == 2 and rows.shape[1] > 1:
        _check_indicators(rows, f"y has shape {rows.shape}")
        return rows
    try:
        return column_or_1d(keep_label_types(y), warn=True)
    except ValueError as error:
        raise ValueError(
            f"{error} Expected one label per sequence; for one per step use return_sequences=True"
        ) from error


def _check_indicators(rows, what):
    """Raise a ValueError unless rows (…, labels) are zeros and ones, or wholly missing."""
    good = (rows == 0) | (rows == 1) if rows.dtype.kind in "fiub" else np.zeros(rows.shape, bool)
    if not good[~missing_labels(rows, True)].all():
        raise ValueError(
            f"{what}, expected 0 and 1 for each of several labels, or one label; one label per step needs "
            "return_sequences=True, several targets with more classes sklearn.multioutput.MultiOutputClassifier"
        )


def _without_objects(rows, labelled):
    """Numbers that are an array of objects only because some are missing as an array of numbers."""
    known = np.array(rows[labelled].tolist()) if rows.dtype.kind == "O" else rows
    if known.dtype.kind not in "biuf" or known is rows:
        return rows
    numbers = np.zeros(rows.shape, known.dtype)
    numbers[labelled] = known
    return numbers


def _without_missing(rows, missing):
    """Rows with zeros in the place of missing ones."""
    return np.where(missing.reshape(-1, *[1] * (rows.ndim - 1)), 0, rows)
