"""Targets as the user knows them, a row per sequence or step, and metrics of what is known of them."""

import warnings

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning

from skrnn._data.label_columns import LabelColumns
from skrnn._data.target_checks import with_nan
from skrnn._data.weights import multiply_weights


class TargetRows:
    """Targets as the user knows them, a row per sequence or step.

    Parameters
    ----------
    values : (rows, ...) array, or LabelColumns
        Of several outputs those that are not known are NaN.
    labelled : (rows,) bool array, optional
        Which rows have a target; None for all.

    Attributes
    ----------
    weights : (rows,) float64 array, or None
        Those of `weigh`, without those of classes; None for the same ones.
    """

    def __init__(self, values, labelled=None):
        self.values, self.labelled, self.weights = values, labelled, None

    def __len__(self):
        return len(self.values)

    @property
    def known(self):
        """An index of the rows that have a target."""
        return slice(None) if self.labelled is None else self.labelled

    def weigh(self, weights=None):
        """Give the rows weights (rows,) float64, or the same ones: those without a target have 0."""
        self.weights = multiply_weights(weights, self.labelled)

    def check_every_output(self):
        """Raise a ValueError that names the first of several outputs of which nothing is known."""
        missing = _missing_cells(self.values)
        used = missing[self.known if self.weights is None else self.weights > 0]
        if used.all(axis=0).any():
            output = int(np.argmax(used.all(axis=0)))
            weightless = " or has weight 0" * bool(len(used) < np.count_nonzero(~missing.all(axis=1)))
            raise ValueError(
                f"y has no target for output {output}: every value of its column is missing{weightless}; leave it out"
            )

    def take(self, rows):
        """Some of the rows."""
        taken = TargetRows(self.values[rows], None if self.labelled is None else self.labelled[rows])
        taken.weights = None if self.weights is None else self.weights[rows]
        return taken

    def with_missing(self, values):
        """Values of the rows that have a target, in an array of all rows, where the others have what stands for none.

        That is NaN among floats, −1 where targets are integers, too, and None among anything else.
        """
        if self.labelled is None or self.labelled.all():
            return values
        kind = values.dtype.kind, self.values.dtype.kind
        if kind[0] == "f" or kind in (("i", "f"), ("u", "f")):
            missing, dtype = np.nan, values.dtype if kind[0] == "f" else np.float64
        elif kind == ("i", "i"):
            missing, dtype = -1, values.dtype
        else:
            missing, dtype = None, object
        rows = np.full((len(self), *values.shape[1:]), missing, dtype)
        rows[self.labelled] = values
        return rows

    def as_array(self):
        """The targets of all rows in an array, with what stands for none where one is missing."""
        if isinstance(self.values, LabelColumns):
            return self.values.to_array()
        return self.with_missing(self.values[self.known])

    def of_known(self, values):
        """Values of the rows that have a target, in an array of all rows, with 0 in the others."""
        if self.labelled is None:
            return values
        rows = np.zeros((len(self), *values.shape[1:]), values.dtype)
        rows[self.known] = values
        return rows


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


def _missing_cells(values):
    """Which outputs of targets are missing, (rows, outputs) bool; (rows, 0) where none can be."""
    if isinstance(values, LabelColumns):
        return values.missing
    several = values.ndim == 2 and values.dtype.kind == "f"
    return np.isnan(values) if several else np.zeros((len(values), 0), bool)


def known_in_part(rows, missing, per_step, what):
    """Targets of one or several outputs, NaN where they are missing; those that are missing as a whole have none."""
    unlabelled = missing.reshape(len(missing), -1).all(axis=1)
    if unlabelled.all():
        raise ValueError(f"y has no {what} for any {'step' if per_step else 'sequence'}: every value is missing")
    return TargetRows(with_nan(rows, missing), ~unlabelled if unlabelled.any() else None)
