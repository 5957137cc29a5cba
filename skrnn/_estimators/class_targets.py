"""Labels: y as rows that the losses take, and scores as the labels that the user expects of predict."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.sparse import issparse
from sklearn.metrics import accuracy_score
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from skrnn._data.target_checks import NUMBERS, as_labels, check_finite_rows, check_one_each, first_cell, step_labels
from skrnn._estimators import class_weights
from skrnn._estimators.target_rows import TargetRows, known_in_part
from skrnn._messages import shown
from skrnn._plain import plain
from skrnn._training.losses import LOSSES

# Fewer rows with exactly one label each may be so by chance
MIN_ONE_HOT = 5
EXPECTED_LABELS = "expected bools, integers of up to 64 bits, or strings"


@plain
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

    min_validated: ClassVar = 1     # targets that a score needs

    classes: np.ndarray
    multilabel: bool

    @staticmethod
    def read(y, sequences, per_step):
        """Checked targets; raise a ValueError that names what is no label."""
        rows, missing = labels_of(y, sequences, per_step)
        if rows.ndim == 2 and rows.shape[1] > 1:
            check_indicators(rows, missing, sequences, per_step)
        return rows_of_labels(rows, missing, sequences, per_step)

    @classmethod
    def learn(cls, rows, classes=None):
        """What these targets tell; `classes` are all labels that there will be, from `classes_to_come`."""
        labels = rows.values[rows.known]
        if labels.ndim == 2:
            n_labels = labels.shape[1]
            numbers = np.arange(n_labels)
            if classes is not None and not np.array_equal(classes, numbers):
                raise ValueError(f"classes={classes!r}: expected the numbers of the {n_labels} labels that y has")
            return cls(numbers, True)
        found = _sorted_classes("y", labels) if classes is None else classes
        check_classification_targets(labels)
        if len(found) < 2:
            raise ValueError(
                f"a classifier needs at least 2 classes in {'y' if classes is None else 'classes'}, got 1 class: "
                f"{found.tolist()[0]!r}"
                + "; with return_sequences the integer -1 is a step without a label" * (rows.labelled is not None)
            )
        return cls(found, False)

    def learn_units(self, rows, sequences, per_step, loss):
        """What is known of targets in the units that the loss takes: labels have none."""
        return self

    @property
    def loss_name(self):
        """The name of the loss that goes with these targets."""
        if self.multilabel:
            return "multilabel_log_loss"
        return "binary_log_loss" if len(self.classes) == 2 else "log_loss"

    def make_loss(self):
        """The loss that goes with these targets."""
        return LOSSES[self.loss_name]()

    @property
    def n_outputs(self):
        """Outputs of the network."""
        return 1 if self.loss_name == "binary_log_loss" else len(self.classes)

    def check(self, rows):
        """Raise an error unless targets are of the form and the type of labels that the first fit saw."""
        self._check_columns(rows.values)
        if not self.multilabel:
            self._find(rows.values[rows.known])

    def _check_columns(self, values):
        if (values.ndim == 2) != self.multilabel or (self.multilabel and values.shape[1] != len(self.classes)):
            raise ValueError(
                f"y has {1 if values.ndim == 1 else values.shape[1]} columns, expected "
                f"{len(self.classes) if self.multilabel else 1} as in the first fit"
            )

    def _find(self, labels):
        """The number of each label's class, and whether it is a class at all."""
        try:
            codes = np.minimum(np.searchsorted(self.classes, labels), len(self.classes) - 1)
            return codes, np.equal(self.classes[codes], labels).astype(bool)
        except TypeError as error:
            found, expected = _type_names(labels), _type_names(self.classes)
            raise TypeError(
                f"y has labels of type {found}, expected {expected} as in the classes {self.classes}"
            ) from error

    def encode(self, rows, sequences, per_step, loss):
        """Targets as the loss takes them: class numbers, or zeros and ones for several labels."""
        self._check_columns(rows.values)
        labels = rows.values[rows.known]
        if self.multilabel:
            return rows.of_known(labels.astype(sequences.dtype, order="C"))
        codes, found = self._find(labels)
        if not found.all():
            bad = np.argmin(found)
            raise self._unknown(labels[bad], sequences, np.arange(len(rows))[rows.known][bad], per_step)
        return rows.of_known(codes.astype(np.intp))

    def _unknown(self, label, sequences, row, per_step, hint=""):
        where = sequences.label("y", row, per_step=per_step)
        return ValueError(
            f"y has the label {shown(label)}, which is not among classes: {shown(self.classes)}; it is {where}{hint}"
        )

    def check_validation(self, rows, sequences, per_step, loss, by_loss):
        """Raise an error unless targets can be validated on.

        A label that y lacks is one that predictions miss; the loss of it is infinite.
        """
        self.check(rows)
        if self.multilabel:
            return
        labels = rows.values[rows.known]
        _, found = self._find(labels)
        if not found.any() or (by_loss and not found.all()):
            bad = np.argmin(found)
            hint = "; its loss is infinite: leave it out, or choose another scoring than 'loss'" if by_loss else ""
            raise self._unknown(labels[bad], sequences, np.arange(len(rows))[rows.known][bad], per_step, hint)

    def class_weights(self, rows, class_weight, name="class_weight"):
        """The weights that a `class_weight` gives the classes, or 0 and 1 for each label; None if it is None.

        `name` is what messages call that of a class.
        """
        if class_weight is None:
            return None
        labels = rows.values[rows.known]
        if self.multilabel:
            return class_weights.of_labels(class_weight, labels)
        return class_weights.of_classes(class_weight, self.classes, self._find(labels)[0], name)

    def weights(self, rows, of_classes):
        """Weights of targets, (rows,) float64, by what `class_weights` returned; None if that is None."""
        if of_classes is None:
            return None
        labels = rows.values[rows.known]
        if self.multilabel:
            return rows.of_known(class_weights.of_indicators(of_classes, labels))
        return rows.of_known(of_classes[self._find(labels)[0]])

    def are_known(self, rows):
        """Whether the loss of these targets is finite: their labels are among the classes."""
        return self.multilabel or bool(self._find(rows.values[rows.known])[1].all())

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
        return None if self.multilabel else rows.values

    def coincidences(self, rows, sequences, per_step):
        """What y may have been meant to be, as messages: labels of steps, or of one class in indicators of all."""
        if not self.multilabel:
            return []
        labels, messages = rows.values[rows.known], []
        n, n_labels = labels.shape
        if not per_step and sequences.all_have_steps(n_labels):
            messages.append(
                f"y has {n_labels} columns, and each sequence of X {n_labels} steps: it is read as {n_labels} labels "
                "of a sequence. If it holds a label for each step, set return_sequences=True"
            )
        if n >= MIN_ONE_HOT and ((labels == 1).sum(axis=1) == 1).all():
            messages.append(
                f"exactly one of the {n_labels} columns of y is 1 in each row: it is read as {n_labels} labels, each "
                "by itself. If it is one-hot, the coding of one label, pass that label: y.argmax(axis=-1)"
            )
        return messages

    def are_constant(self, values):
        """Whether the score of these targets says nothing of predictions: not of labels."""
        return False

    def attributes(self):
        """What `fit` publishes."""
        return {"classes_": self.classes}


def _sorted_classes(name, labels):
    """The different labels, in order."""
    if labels.dtype.kind == "O" and not all(isinstance(label, str) for label in labels):
        types = _type_names(labels)
        if any(isinstance(label, str) for label in labels):
            raise TypeError(f"{name} mixes labels of the types {types}; expected one type")
        raise TypeError(f"{name} has labels of type {types}, {EXPECTED_LABELS}")
    if labels.dtype.kind == "S":
        raise TypeError(f"{name} has labels of type bytes, {EXPECTED_LABELS}")
    return np.unique(labels)


def _type_names(labels):
    """The types of labels, in words."""
    return ", ".join(sorted({type(label).__name__ for label in labels.tolist()}))


def labels_of(y, sequences, per_step):
    """Labels (R,) or (R, labels), and which of them are missing."""
    return step_labels(y, sequences) if per_step else _labels_of_sequences(y, sequences)


def rows_of_labels(rows, missing, sequences, per_step):
    """What `labels_of` returned as TargetRows: one label each, or indicators of several labels."""
    if rows.ndim == 2 and rows.shape[1] > 1:
        return known_in_part(rows, missing, per_step, "label")
    rows, missing = rows.reshape(-1), missing.reshape(-1)
    if rows.dtype.kind == "f":
        check_finite_rows(rows, sequences, per_step, allow_nan=per_step)
    if not per_step and missing.any():
        where = sequences.label("y", np.flatnonzero(missing)[0], per_step=per_step)
        raise ValueError(f"Input y contains a missing label: {where}")
    if missing.all():
        raise ValueError("y has no label for any step")
    return TargetRows(rows, ~missing if missing.any() else None)


def _labels_of_sequences(y, sequences):
    """Labels (n,) or (n, labels), and which of them are missing."""
    labels, missing = as_labels(check_one_each(y.toarray() if issparse(y) else y, sequences.lengths), "y")
    if labels.ndim == 2 and labels.shape[1] > 1:
        return labels, missing
    if labels.ndim not in (1, 2) or 0 in labels.shape[1:]:
        raise ValueError(
            f"y should be a 1d array of labels, (n,), or of zeros and ones for several labels, (n, labels); got an "
            f"array of shape {labels.shape} instead. For labels of every step, (n, steps) or (n, steps, labels), use "
            "return_sequences=True"
        )
    return column_or_1d(labels, warn=True), missing


def classes_to_come(classes, per_step, name="classes"):
    """The labels that `partial_fit` was told of, sorted; raise an error that says why they cannot be.

    With targets per step, what is no label of a step is no class either: ``np.unique(y)`` may hold it.
    """
    labels, missing = as_labels(classes, name)
    if per_step and labels.dtype.kind == "i":
        missing = missing | (labels == -1)
    if labels.ndim != 1 or missing.all() or (missing.any() and not per_step):
        raise ValueError(
            f"{name}={shown(classes)}: expected all labels that there will be, in one dimension, none of them missing"
        )
    return _sorted_classes(name, labels[~missing])


def no_indicators(rows, missing):
    """Which cells of rows (R, labels) are neither 0 nor 1 nor missing."""
    if rows.dtype.kind in "fiub":
        good = (rows == 0) | (rows == 1)
    else:
        good = np.array([isinstance(cell, NUMBERS) and cell in (0, 1) for cell in rows.flat]).reshape(rows.shape)
    return ~(good | missing)


def check_indicators(rows, missing, sequences, per_step):
    """Raise a ValueError that names the first cell of rows (R, labels) that is neither 0 nor 1 nor missing."""
    bad = first_cell(no_indicators(rows, missing))
    if bad is not None:
        where = sequences.label("y", *bad, per_step=per_step)
        what = "has several values per step" if per_step else f"has shape {rows.shape}"
        raise ValueError(
            f"y {what} and {where} is {shown(rows[bad])}, expected as in the first fit 0 or 1 for each of several "
            "labels, NaN where it is not known, or one label; one label per step needs return_sequences=True"
        )
