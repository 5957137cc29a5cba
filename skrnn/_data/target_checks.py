"""Targets y checked against X: rows, one per sequence or one per step."""

from numbers import Integral

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_consistent_length

from skrnn._data.columns import normalize_one_each, without_columns
from skrnn._data.foreign import check_not_foreign
from skrnn._data.numbers import as_numbers, is_missing, is_sized


def check_samples(sequences, y, name="y"):
    """Raise an error unless y has a sample for each sequence."""
    if y is None:
        raise ValueError(f"requires y to be passed, but the target {name} is None")
    if isinstance(y, str | bytes | dict | set | frozenset):
        raise TypeError(f"{name} is {y!r:.50}, expected a target for each sequence")
    check_not_foreign(y, name)
    try:
        check_consistent_length(sequences.lengths, y)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name} does not go with the {len(sequences)} sequences of X. {error}") from error


def check_one_each(y):
    """y in a container that NumPy reads correctly; raises a ValueError if it has targets of steps."""
    y = normalize_one_each(y, "y")
    values = without_columns(y, "y")
    try:
        array = np.asarray(values)
    except ValueError:
        array = None
    if array is None or (array.dtype == object and any(map(is_sized, array.flat))):
        raise ValueError(
            "y holds a target for each step, expected one per sequence; for targets of steps use return_sequences=True"
        )
    _check_real(array, "y")
    return y


def step_rows(y, sequences, name="y", numeric=True):
    """Values of steps, concatenated to (total,) or (total, k), checked against the lengths of the sequences.

    Parameters
    ----------
    y : array-like (n, T) or (n, T, k), or a collection of n arrays (T_i,) or (T_i, k)
    sequences : Sequences
    name : str
        What messages call y.
    numeric : bool
        Whether the values are numbers, rather than labels of any kind.
    """
    if issparse(y):
        raise TypeError(f"{name} is sparse, expected an array or a list with the values of each step: {name}.toarray()")
    if len(y) != len(sequences):
        raise ValueError(f"{name} has {len(y)} sequences, expected {len(sequences)} as in X")
    convert = as_numbers if numeric else _as_labels
    rows = [convert(values, f"{name}[{i}]") for i, values in enumerate(without_columns(y, name))]
    for i, (values, length) in enumerate(zip(rows, map(int, sequences.lengths), strict=True)):
        if values.ndim not in (1, 2):
            raise ValueError(
                f"{name}[{i}] has shape {values.shape}, expected ({length},) or ({length}, outputs): one value per "
                "step; with return_sequences=False give one value per sequence"
            )
        if len(values) != (sequences.n_padded or length):
            raise ValueError(
                f"{name}[{i}] has {len(values)} steps, expected {sequences.n_padded or length} as in X[{i}]"
            )
        if values.shape[1:] != rows[0].shape[1:]:
            raise ValueError(f"{name}[{i}] has shape {values.shape}, expected {(length, *rows[0].shape[1:])}")
        kinds = values.dtype.kind + rows[0].dtype.kind
        if "O" not in kinds and (kinds[0] in "SU") != (kinds[1] in "SU"):
            raise TypeError(f"{name}[{i}] has labels of dtype {values.dtype}, expected {rows[0].dtype} as in {name}[0]")
    if sequences.n_padded:
        rows = [values[:length] for values, length in zip(rows, sequences.lengths, strict=True)]
    return np.concatenate(rows if numeric else without_minus_one(rows))


def without_minus_one(rows):
    """Rows of labels, in which −1 in rows of integers becomes the missing value of the rows of other kinds."""
    kinds = {row.dtype.kind for row in rows}
    if "i" not in kinds or not kinds & {"f", "O"}:
        return rows
    gone = None if "O" in kinds else np.nan
    return [np.where(row == -1, gone, row) if row.dtype.kind == "i" else row for row in rows]


def _as_labels(values, name):
    try:
        labels = np.asarray(keep_label_types(values))
    except ValueError as error:
        raise ValueError(f"{name} is not an array of labels: {error}") from error
    _check_real(labels, name)
    return labels


def keep_label_types(y):
    """Labels of a list that mixes strings with others as objects: NumPy would convert them all to strings."""
    mixed = isinstance(y, list | tuple) and len({isinstance(label, str) for label in y}) > 1
    return np.array(y, dtype=object) if mixed else y


def is_integer(label):
    """Whether a label is an integer, and not a bool."""
    return isinstance(label, Integral) and not isinstance(label, bool | np.bool_)


def _check_real(array, name):
    if array.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {name} has dtype {array.dtype}")


def missing_labels(rows, per_step):
    """Which rows have no label: NaN, None or, among integer labels of steps, −1."""
    if rows.dtype.kind == "f":
        missing = np.isnan(rows)
    elif rows.dtype.kind == "O":
        missing = np.array([is_missing(label) for label in rows.flat], bool).reshape(rows.shape)
        if per_step and all(is_integer(label) for label in rows[~missing]):
            missing |= np.array([label == -1 for label in rows.flat], bool).reshape(rows.shape)
    else:
        missing = rows == -1 if per_step and rows.dtype.kind == "i" else np.zeros(rows.shape, bool)
    return missing.all(axis=1) if rows.ndim == 2 else missing


def one_column(rows, name):
    """Rows (total,) or (total, 1) as (total,)."""
    if rows.ndim == 2 and rows.shape[1] != 1:
        raise ValueError(f"{name} has {rows.shape[1]} values per step, expected one")
    return rows.reshape(-1)


def check_finite_rows(rows, sequences, per_step, name="y"):
    """Raise a ValueError that names the first sequence or step whose row is not finite."""
    bad = first_not_finite_row(rows)
    if bad is not None:
        kind = "NaN" if np.isnan(rows[bad]).any() else "infinity"
        where = sequences.label(name, bad, per_step)
        raise ValueError(f"Input {name} contains {kind}: {where}; expected finite numbers")


def first_not_finite_row(rows):
    """Index of the first row that is not finite, or None."""
    if np.isfinite(rows).all():
        return None
    bad = np.flatnonzero(~np.isfinite(rows.reshape(len(rows), -1)).all(axis=1))
    return int(bad[0])
