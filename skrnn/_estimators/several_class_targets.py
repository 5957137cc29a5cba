"""Labels in several columns, each with its own classes: a `ClassTargets` for each column."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.sparse import issparse
from sklearn.metrics import accuracy_score

from skrnn._data.label_columns import join_columns, labels_in_columns, step_labels_in_columns
from skrnn._data.target_checks import check_finite_rows, check_one_each
from skrnn._estimators import class_weights
from skrnn._estimators.class_targets import ClassTargets
from skrnn._estimators.target_rows import TargetRows
from skrnn._messages import shown, with_message
from skrnn._plain import plain
from skrnn._training.losses import LOSSES

# What stands for the class of a missing label
MISSING = -1
# Cells other than 0 and 1 that are a smaller fraction of all may be mistakes
MIN_OTHERS = 0.01


@plain
@dataclass(frozen=True)
class SeveralClassTargets:
    """What a classifier knows of targets in several columns.

    Parameters
    ----------
    columns : tuple of ClassTargets
        Of each column, as if it were alone.
    """

    min_validated: ClassVar = 1     # targets that a score needs

    columns: tuple[ClassTargets, ...]

    @staticmethod
    def read(y, sequences, per_step):
        """Checked targets; raise a ValueError that names what is no label."""
        if per_step:
            values = step_labels_in_columns(y, sequences)
        else:
            values = labels_in_columns(check_one_each(y.toarray() if issparse(y) else y, sequences.lengths))
        for q, column in enumerate(values.columns):
            if column.dtype.kind == "f":
                _naming(values, q, check_finite_rows, column, sequences, per_step, allow_nan=True)
        unlabelled = values.missing.all(axis=1)
        if unlabelled.all():
            raise ValueError(f"y has no label for any {'step' if per_step else 'sequence'}: every value is missing")
        return TargetRows(values, ~unlabelled if unlabelled.any() else None)

    @classmethod
    def learn(cls, rows, classes=None):
        """What these targets tell; `classes` are all labels that there will be of each column."""
        k = rows.values.shape[1]
        if classes is None:
            rows.check_every_output()
        elif len(classes) != k:
            raise ValueError(f"classes={shown(classes)}: expected a list of {k}, the labels of each column of y")
        given = zip(_columns(rows), classes or [None] * k, strict=True)
        return cls(tuple(_naming(rows.values, q, ClassTargets.learn, *each) for q, each in enumerate(given)))

    def learn_units(self, rows, sequences, per_step, loss):
        """What is known of targets in the units that the loss takes: labels have none."""
        return self

    def make_loss(self):
        """The loss that goes with these targets."""
        return LOSSES["multioutput_log_loss"](self.n_scores)

    @property
    def n_scores(self):
        """The scores of each column: one for two classes, else one for each class."""
        return tuple(targets.n_outputs for targets in self.columns)

    @property
    def n_outputs(self):
        """Outputs of the network."""
        return sum(self.n_scores)

    def _each(self, rows, function):
        """function(targets, rows) of the targets and the rows of each column; its errors name the column."""
        n_columns = rows.values.shape[1] if rows.values.ndim == 2 else 1
        if n_columns != len(self.columns):
            raise ValueError(f"y has {n_columns} columns, expected {len(self.columns)} as in the first fit")
        pairs = zip(self.columns, _columns(rows), strict=True)
        return [_naming(rows.values, q, function, *pair) for q, pair in enumerate(pairs)]

    def check(self, rows):
        """Raise an error unless targets have the columns and the types of labels that the first fit saw."""
        self._each(rows, lambda targets, column: targets.check(column))

    def encode(self, rows, sequences, per_step, loss):
        """The numbers of the classes (R, k), −1 where a label is missing; 0 in rows without any, which are left out."""
        codes = self._each(rows, lambda targets, column: targets.encode(column, sequences, per_step, loss))
        return rows.of_known(np.where(rows.values.missing, MISSING, np.stack(codes, axis=1))[rows.known])

    def check_validation(self, rows, sequences, per_step, loss, by_loss):
        """Raise an error unless targets can be validated on, as those of each column that has any."""

        def check_column(targets, column):
            if len(column.values[column.known]):
                targets.check_validation(column, sequences, per_step, loss, by_loss)

        self._each(rows, check_column)

    def class_weights(self, rows, class_weight):
        """The weights that a `class_weight` gives the classes of each column; None if it is None."""
        if class_weight is None:
            return None
        each = class_weights.one_each(class_weight, len(self.columns), "columns", "{label: weight} for each column")
        columns = zip(each, self.columns, _columns(rows), strict=True)
        return [
            targets.class_weights(column, weight, f"class_weight[{q}]")
            for q, (weight, targets, column) in enumerate(columns)
        ]

    def weights(self, rows, of_classes):
        """Weights of targets, (rows,) float64, the products of those of their known labels; None if `of_classes` is."""
        if of_classes is None:
            return None
        product = np.ones(len(rows))
        for targets, column, of_column in zip(self.columns, _columns(rows), of_classes, strict=True):
            if of_column is not None:
                product[column.known] *= targets.weights(column, of_column)[column.known]
        return rows.of_known(product[rows.known])

    def are_known(self, rows):
        """Whether the loss of these targets is finite: their labels are among the classes."""
        return all(self._each(rows, lambda targets, column: targets.are_known(column)))

    def decode(self, scores, loss):
        """Labels (R, k) for raw scores."""
        of_columns = zip(self.columns, loss.predict(scores), strict=True)
        return join_columns([targets.classes[p.argmax(axis=1)] for targets, p in of_columns])

    def score(self, values, scores, loss, weights):
        """The accuracy of raw scores, for early stopping."""
        return self.measure(accuracy_score, values, self.decode(scores, loss), weights)

    def measure(self, metric, values, predicted, weights):
        """A metric of whether rows are right: in all columns whose labels are known."""
        right = values.missing.copy()
        for q, column in enumerate(values.columns):
            known = ~values.missing[:, q]
            right[known, q] = np.equal(column[known], predicted[known, q])
        return metric(np.ones(len(right), bool), right.all(axis=1), sample_weight=weights)

    def strata(self, rows):
        """What the parts of a split should have in equal shares, (R,): of each row the rarest class of any column.

        Where all of these are in a part so are all classes.
        """
        counts, classes, first = np.full(rows.values.shape, np.inf), np.zeros(rows.values.shape, np.intp), 0
        for q, column in enumerate(_columns(rows)):
            _, codes, n_rows = np.unique(column.values[column.known], return_inverse=True, return_counts=True)
            counts[column.known, q], classes[column.known, q] = n_rows[codes], first + codes
            first += len(n_rows)
        return np.take_along_axis(classes, counts.argmin(axis=1)[:, np.newaxis], axis=1)[:, 0]

    def coincidences(self, rows, sequences, per_step):
        """What y may have been meant to be, as messages: labels of steps, or indicators with a mistake."""
        k, messages = len(self.columns), []
        if not per_step and sequences.all_have_steps(k):
            messages.append(
                f"y has {k} columns, and each sequence of X {k} steps: it is read as {k} targets of a sequence, each "
                "with its own classes. If it holds a label for each step, set return_sequences=True"
            )
        others = None if rows.values.are_announced else _others_than_indicators(rows.values)
        if others is not None:
            row, q = map(int, np.argwhere(others)[0])
            messages.append(
                f"y is 0 or 1 in all cells but {np.count_nonzero(others)}, of which "
                f"{sequences.label('y', row, q, per_step=per_step)} is {shown(rows.values.columns[q][row])}: it is "
                f"read as {k} targets, each with its own classes. Several labels are 0 or 1, and NaN where they are "
                "not known"
            )
        return messages

    def are_constant(self, values):
        """Whether the score of these targets says nothing of predictions: not of labels."""
        return False

    def attributes(self):
        """What `fit` publishes."""
        return {"classes_": [targets.classes for targets in self.columns]}


def _columns(rows):
    """The TargetRows of each column."""
    values = rows.values
    return [
        TargetRows(column, ~missing if missing.any() else None)
        for column, missing in zip(values.columns, values.missing.T, strict=True)
    ]


def _naming(values, q, function, *arguments, **keywords):
    """What a function returns of a column; its errors name the column."""
    try:
        return function(*arguments, **keywords)
    except (ValueError, TypeError) as error:
        raise with_message(error, f"In {values.name(q)}: {error}{values.hint}") from error


def _others_than_indicators(values):
    """The cells that are neither 0 nor 1 nor missing, (R, k) bool, where these may be mistakes; else None."""
    if any(column.dtype.kind not in "biuf" for column in values.columns):
        return None
    labels = np.stack(values.columns, axis=1)
    others = (labels != 0) & (labels != 1) & ~values.missing
    few = np.count_nonzero(others) <= max(1, MIN_OTHERS * np.count_nonzero(~values.missing))
    return others if others.any() and (few or (labels[others] == -1).all()) else None
