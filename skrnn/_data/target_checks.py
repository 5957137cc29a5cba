"""Targets y checked against X: rows, one per sequence or one per step."""

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_consistent_length

from skrnn._data.columns import cells_of, has_options, is_awkward, normalize_one_each, without_columns
from skrnn._data.foreign import check_not_foreign
from skrnn._data.numbers import as_array, as_numbers, check_unmasked, is_missing, is_sized
from skrnn._data.ragged import RaggedArray
from skrnn._data.schemas import no_dates
from skrnn._messages import shown, with_message

# The types of labels that NumPy has arrays of; strings may stay objects
NUMBERS = (bool, int, float, np.bool_, np.integer, np.floating)


def check_samples(sequences, y, name="y"):
    """Raise an error unless y has a sample for each sequence."""
    if y is None:
        raise ValueError(f"requires y to be passed, but the target {name} is None")
    if isinstance(y, str | bytes):
        raise TypeError(f"{name} is {shown(y)}, expected a target for each sequence")
    check_not_foreign(y, name)
    try:
        check_consistent_length(sequences.lengths, y)
    except (TypeError, ValueError) as error:
        shape = y.shape if hasattr(y, "shape") else (len(y),) if is_sized(y) else ()
        steps = "" if shape[:1] != (sequences.lengths.sum(),) else (
            f" {name} has a value for each step of all sequences: skrnn.split_steps gives them back to their "
            "sequences, for return_sequences=True."
        )
        message = f"{name} does not go with the {len(sequences)} sequences of X.{steps} {error}"
        raise with_message(error, message) from error


def check_one_each(y, lengths):
    """y in a container that NumPy reads correctly; raises a ValueError that says what is not one target per sequence.

    Parameters
    ----------
    y : array-like
        A target, or as many as in the others, for each sequence.
    lengths : (n,) int array
        Of the sequences.
    """
    if issparse(y):
        raise TypeError("y is sparse, expected an array or a list of targets: y.toarray()")
    y = normalize_one_each(y, "y")
    values = without_columns(y, "y")
    if isinstance(values, RaggedArray):     # of different lengths it would become rows padded with NaN
        return np.asarray(_same_of_each(values, lengths))
    try:
        array = as_array(values, "y")
    except ValueError:
        array = None
    if array is not None and (array.dtype != object or not any(map(is_sized, array.flat))):
        return values if isinstance(values, list) else y
    rows = values if array is None else array
    if array is not None and array.ndim > 1:
        bad = next(index for index, cell in np.ndenumerate(array) if is_sized(cell))
        raise ValueError(f"y{list(bad)} is {shown(array[bad])}, expected one value")
    sized = [is_sized(row) for row in rows]
    if not all(sized):
        one, several = sized.index(False), sized.index(True)
        raise ValueError(
            f"y[{several}] is {shown(rows[several])} and y[{one}] {shown(rows[one])}, expected one target per "
            "sequence, or as many for each"
        )
    return _same_of_each(rows, lengths)


def _same_of_each(rows, lengths):
    """Rows of several targets as a list; a ValueError unless there are as many for each sequence."""
    counts = np.array([len(row) for row in rows])
    if (counts == counts[0]).all():
        return list(rows)
    if (counts == lengths).all():
        raise ValueError(
            "y holds a target for each step, expected one per sequence; for targets of steps use return_sequences=True"
        )
    bad = int(np.argmax(counts != counts[0]))
    raise ValueError(
        f"y[{bad}] holds {counts[bad]} values and y[0] {counts[0]}, expected one target per sequence, or as many for "
        "each; with return_sequences=True as many as the sequence has steps"
    )


def step_rows(y, sequences, name="y"):
    """Numbers of steps, concatenated to (total,) or (total, k), checked against the lengths of the sequences.

    Parameters
    ----------
    y : array-like (n, T) or (n, T, k), or a collection of n arrays (T_i,) or (T_i, k)
    sequences : Sequences
    name : str
        What messages call y.
    """
    _check_collection(y, sequences, name)
    rows = [as_numbers(values, f"{name}[{i}]") for i, values in enumerate(without_columns(y, name))]
    _check_steps(rows, sequences, name)
    return np.concatenate(_without_padding(rows, sequences))


def step_labels(y, sequences, name="y"):
    """Labels of steps, concatenated to (total,) or (total, k), and which of them are missing; `step_rows` says more."""
    _check_collection(y, sequences, name)
    rows, missing = labels_of_rows(y, name)
    _check_steps(rows, sequences, name)
    return concatenate_labels(_without_padding(rows, sequences), _without_padding(missing, sequences), name)


def _check_collection(y, sequences, name):
    if issparse(y):
        raise TypeError(f"{name} is sparse, expected an array or a list with the values of each step: {name}.toarray()")
    n = y.shape[0] if hasattr(y, "shape") else len(y)
    if n != len(sequences):
        raise ValueError(f"{name} has {n} sequences, expected {len(sequences)} as in X")


def _check_steps(rows, sequences, name):
    """Raise a ValueError unless there is a row of values for each step of each sequence, all of one shape."""
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


def _without_padding(rows, sequences):
    if not sequences.n_padded:
        return rows
    return [values[:length] for values, length in zip(rows, sequences.lengths, strict=True)]


def labels_of_rows(y, name="y"):
    """Labels of the steps of each sequence, a list of what `as_labels` returns, and a list of which are missing."""
    y = _with_cells(y, name)
    if isinstance(y, np.ndarray) and y.ndim > 1:
        labels, missing = as_labels(y, name)
        return list(labels), list(missing)
    pairs = [as_labels(values, f"{name}[{i}]") for i, values in enumerate(y)]
    return [labels for labels, _ in pairs], [missing for _, missing in pairs]


def concatenate_labels(rows, missing, name="y", *, minus_one=True):
    """Labels of the steps of all sequences, and which are missing: with `minus_one` so is −1 in rows of integers."""
    if len({row.dtype.kind for row in rows}) > 1:
        if minus_one:
            pairs = zip(rows, missing, strict=True)
            missing = [gone | (row == -1) if row.dtype.kind == "i" else gone for row, gone in pairs]
        rows = _rows_of_one_type(rows, missing, name)
    labels, missing = np.concatenate(rows), np.concatenate(missing)
    return labels, missing | (labels == -1) if minus_one and labels.dtype.kind == "i" else missing


def _rows_of_one_type(rows, missing, name):
    """Rows that are all of numbers, or all not; those without any label have no type and do not change the others'."""
    known = [not gone.all() for gone in missing]
    first = known.index(True) if True in known else 0
    for i in np.flatnonzero(known):
        if rows[i].ndim == 1 and (rows[i].dtype.kind in "SUO") != (rows[first].dtype.kind in "SUO"):
            raise TypeError(
                f"{name}[{i}] has labels of dtype {rows[i].dtype}, expected {rows[first].dtype} as in {name}[{first}]"
            )
    return [row if some else np.zeros(row.shape, bool) for row, some in zip(rows, known, strict=True)]


def as_labels(y, name):
    """Labels as an array of their own type, and which of them are missing: NaN, None and pandas' NA.

    The type does not depend on whether a label is missing, nor on the container: integers, bools and floats become
    arrays of these, also where NumPy would make them floats or objects. Strings stay as they are.
    """
    y = _with_cells(y, name)
    try:
        labels = np.asarray(y)
    except ValueError as error:
        raise ValueError(f"{name} is not an array of labels: {error}") from error
    if isinstance(y, list | tuple) and _changes_types(labels):
        return _typed(np.array(y, dtype=object), [NUMBERS, str, bytes])
    if labels.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {name} has dtype {labels.dtype}")
    if labels.dtype.kind in "mM":
        raise TypeError(f"{name} has dtype {labels.dtype}, {no_dates()}")
    if labels.dtype.kind == "V":
        raise TypeError(f"{name} has dtype {labels.dtype}, expected bools, integers or strings")
    if labels.dtype.kind == "O":
        return _typed(labels, [NUMBERS])
    return labels, np.isnan(labels) if labels.dtype.kind == "f" else np.zeros(labels.shape, bool)


def _with_cells(y, name):
    """y in a container that NumPy reads, or its cells where NumPy would make floats of integers beside missing ones."""
    check_unmasked(y, name)
    if isinstance(y, np.ndarray | list | tuple):
        return y
    if is_awkward(y) and has_options(y):
        return y.to_list()
    array = without_columns(y, name)
    values = array.values if isinstance(array, RaggedArray) else array
    if isinstance(values, np.ndarray) and values.dtype.kind == "f" and np.isnan(values).any():
        return cells_of(y, name)
    return array


def _changes_types(labels):
    """Whether NumPy may have changed the labels of a list: to floats beside NaN, or to strings beside a string."""
    return labels.dtype.kind in "SU" or (labels.dtype.kind == "f" and bool(np.isnan(labels).any()))


def _typed(objects, families):
    """Objects that are all of one family of types as an array of these, or as they are; and which are missing."""
    missing = np.array([is_missing(label) for label in objects.flat], bool).reshape(objects.shape)
    known = objects[~missing].tolist()
    kinds = set(map(type, known))
    if not any(all(issubclass(kind, family) for kind in kinds) for family in families):
        return objects, missing
    values = np.array(known, dtype=None if known else bool)
    labels = np.zeros(objects.shape, values.dtype)
    labels[~missing] = values
    return labels, missing


def with_nan(rows, missing):
    """Numbers (rows, outputs) with NaN where they are missing, in float64 unless none is; other rows unchanged."""
    if rows.ndim == 1 or not missing.any():
        return rows
    # of rows that are missing as a whole nothing is read
    partly = missing & ~missing.all(axis=1, keepdims=True)
    return np.where(missing, np.nan, rows) if partly.any() else rows


def one_column(rows, name):
    """Rows (total,) or (total, 1) as (total,)."""
    if rows.ndim == 2 and rows.shape[1] != 1:
        raise ValueError(f"{name} has {rows.shape[1]} values per step, expected one")
    return rows.reshape(-1)


def check_finite_rows(rows, sequences, per_step, name="y", allow_nan=False):
    """Raise a ValueError that names the first cell that is infinite or, unless it is allowed, NaN."""
    bad = first_cell(np.isinf(rows) if allow_nan else ~np.isfinite(rows))
    if bad is not None:
        kind = "NaN" if np.isnan(rows[bad]) else "infinity"
        where = sequences.label(name, *bad, per_step=per_step)
        raise ValueError(f"Input {name} contains {kind}: {where}; expected finite numbers")


def first_cell(found):
    """The first index, (row,) or (row, column), at which a bool array is true, or None."""
    return tuple(map(int, np.argwhere(found)[0])) if found.any() else None
