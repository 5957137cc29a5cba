"""Labels in several columns, each of which is read as if it were alone: an array of its own type."""

import numpy as np

from skrnn._data.columns import are_sequences, cells_of, columns_of, normalize_one_each, without_columns
from skrnn._data.target_checks import as_labels, step_labels


class LabelColumns:
    """Labels (R, k) in columns, each an array of its own type.

    Parameters
    ----------
    columns : list of k arrays (R,)
    missing : (R, k) bool array
    names : list of k str, or None
        Of the columns, where they have any.
    minus_one : bool
        Whether the integer −1 stands for a missing label, as with labels of steps.

    Attributes
    ----------
    hint : str
        What errors say at their end.
    are_announced : bool
        Whether the user said what labels there are.
    """

    ndim = 2
    hint = ""
    are_announced = False

    def __init__(self, columns, missing, names=None, minus_one=False):
        self.columns, self.missing, self.names, self.minus_one = columns, missing, names, minus_one

    def __len__(self):
        return len(self.missing)

    def __getitem__(self, rows):
        columns = [column[rows] for column in self.columns]
        return LabelColumns(columns, self.missing[rows], self.names, self.minus_one)

    @property
    def shape(self):
        """Rows and columns."""
        return self.missing.shape

    @property
    def dtype(self):
        """That of `to_array`, if no label is missing."""
        return join_columns([column[:1] for column in self.columns]).dtype

    def name(self, q):
        """What messages call a column."""
        return f"column {q if self.names is None else repr(self.names[q])} of y"

    def to_array(self):
        """All labels, (R, k), with NaN, −1 or None where one is missing."""
        labels = join_columns(self.columns)
        if not self.missing.any():
            return labels
        if labels.dtype.kind == "i" and self.minus_one:
            return np.where(self.missing, -1, labels)
        if labels.dtype.kind in "fiu":
            return np.where(self.missing, np.nan, labels)
        labels = labels.astype(object)
        labels[self.missing] = None
        return labels


def join_columns(columns):
    """Arrays (R,) as one (R, k): of their own dtype where all are of one kind, else of objects."""
    if len({column.dtype.kind for column in columns}) == 1:
        return np.stack(columns, axis=1)
    joined = np.empty((len(columns[0]), len(columns)), dtype=object)
    for q, column in enumerate(columns):
        joined[:, q] = column.tolist()
    return joined


def labels_in_columns(y):
    """LabelColumns of y (n, k), an array, a list of rows or a data frame."""
    containers, names = _containers(y, "y")
    return _as_columns([as_labels(container, "y") for container in containers], names)


def step_labels_in_columns(y, sequences, name="y"):
    """LabelColumns of the steps of all sequences, of y as `step_labels` reads it, (n, T, k) or n times (T_i, k)."""
    containers, names = _containers_of_steps(y, name)
    labels = [step_labels(container, sequences, name) for container in containers]
    return _as_columns(labels, names, minus_one=True)


def _as_columns(labels, names, **arguments):
    """LabelColumns of pairs of labels (R,) and which of them are missing."""
    columns, missing = zip(*labels, strict=True)
    names = None if names is None or not all(isinstance(name, str) for name in names) else list(names)
    return LabelColumns(list(columns), np.stack(missing, axis=1), names, **arguments)


def _containers(y, name):
    """The columns of y (n, k), each in a container as it could have come alone, and their names or None."""
    y = normalize_one_each(y, name)
    columns = columns_of(y)
    if len(columns) > 1:
        return [column for _, column in columns], [name for name, _ in columns]
    if isinstance(y, np.ndarray):
        return list(y.reshape(len(y), -1).T), None
    cells = np.array(without_columns(y, name), dtype=object)
    return [column.tolist() for column in cells.reshape(len(cells), -1).T], None


def _containers_of_steps(y, name):
    """The columns of targets of steps, each in a container as it could have come alone, and their names or None."""
    y = normalize_one_each(y, name)
    columns = columns_of(y)
    if len(columns) > 1 and are_sequences(columns, name):
        return [column for _, column in columns], [name for name, _ in columns]
    if isinstance(y, np.ndarray) and y.ndim == 3:
        return list(np.moveaxis(y, 2, 0)), None
    rows = cells_of(y, name) if columns else y
    columns = [_containers(row, f"{name}[{i}]")[0] for i, row in enumerate(rows)]
    return [list(column) for column in zip(*columns, strict=True)], None
