"""What X may be: a 2-D table, a 3-D array, a list of sequences, or data-frame columns of lists."""

from numbers import Integral

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array

from skrnn._missing import without_padding
from skrnn._numbers import as_numbers, is_missing, is_sized
from skrnn._sequences import Sequences


def as_sequences(X, n_steps=None, name="X", allow_missing=False, leave_out_padding=True):
    """Checked sequences from any accepted X.

    Parameters
    ----------
    X : array-like (n, C), (n, T, D), or a collection of n arrays (T_i, D) or (T_i,)
        A list of flat lists is a table, a list of anything deeper a collection: what X is may not depend on how it is
        cut for cross-validation.
    n_steps : int, optional
        For a table: the number of steps that a row's columns are split into, in blocks of C / n_steps columns. None: a
        column is a step of one feature.
    name : str
        What the messages call X.
    allow_missing : bool
        NaN may stand for what is missing.
    leave_out_padding : bool
        Then steps of NaN alone at the ends of a 3-D X are padding, and are left out.

    Returns
    -------
    Sequences
        float32 when X is float32, else float64; finite but for what is missing.
    """
    _check_type(X, name)
    if n_steps is not None and (not isinstance(n_steps, Integral) or n_steps < 1):
        raise ValueError(f"n_steps={n_steps!r}: expected a positive int, or None")
    columns = _columns(X)
    if _are_sequences(columns, name):
        sequences = _from_collection(_rows(columns, name), n_steps, name, X if len(columns) > 1 else None)
    elif _is_collection(X):
        sequences = _from_collection(X, n_steps, name)
    else:
        sequences = _from_array(X, n_steps, name)
    check_finite(sequences, name, allow_missing)
    if allow_missing and leave_out_padding:
        sequences = without_padding(sequences)
    single = columns and all(_is_float32(column) for column in columns.values())
    return sequences.astype(np.float32) if single else sequences


def check_finite(sequences, name="X", allow_missing=False):
    """Raise a ValueError that names the first infinite value, or unless these are allowed NaN."""
    bad = sequences.first_not_finite(allow_missing)
    if bad:
        kind = "NaN" if np.isnan(bad[0]) else "infinity"
        raise ValueError(
            f"Input {name} contains {kind}: {bad[1]}; expected finite numbers, impute or drop what is missing first"
        )


def without_columns(values, name):
    """Columns of lists as a list of sequences, another frame or column as an array, anything else as it is."""
    columns = _columns(values)
    if not columns:
        return values
    return _rows(columns, name) if _are_sequences(columns, name) else np.asarray(values)


def _check_type(X, name):
    if issparse(X):
        raise TypeError(f"Sparse data was passed for {name}, but sequences are dense; use {name}.toarray()")
    if isinstance(X, str | bytes | dict | set | frozenset) or not (hasattr(X, "__len__") or hasattr(X, "__array__")):
        raise TypeError(f"{name} is a {type(X).__name__}, expected an array, a data frame, or a list of sequences")
    shape = getattr(X, "shape", (len(X),) if hasattr(X, "__len__") else ())
    if 0 in shape and not isinstance(X, np.ndarray):
        raise ValueError(f"Found array with 0 sample(s): {name} is empty, expected at least one sequence")


def _check_rows(X, name):
    """Raise a ValueError when flat lists, the rows of a table, have different lengths."""
    lengths = [len(row) if is_sized(row) else 0 for row in X]
    other = next((i for i, length in enumerate(lengths) if length != lengths[0]), None)
    if other is not None:
        raise ValueError(
            f"{name}[{other}] has {lengths[other]} numbers, {name}[0] has {lengths[0]}: a list of lists is a table. "
            f"For sequences of different lengths pass a list of arrays, [np.asarray(x) for x in {name}]"
        )


def _from_array(X, n_steps, name):
    if not hasattr(X, "__array__"):
        _check_rows(X, name)
    columns, X = X, as_numbers(X, name)
    if X.ndim < 2 or 0 in X.shape:
        # It has scikit-learn's words for what is wrong.
        try:
            check_array(X, dtype=None, allow_nd=True, ensure_all_finite=False, input_name=name)
        except ValueError as error:
            raise ValueError(f"{name} has shape {X.shape}. {error}") from error
    if X.ndim > 3:
        raise ValueError(
            f"Found array with dim {X.ndim}: {name} has shape {X.shape}, expected (sequences, columns) or "
            "(sequences, steps, features)"
        )
    if 0 in X.shape:
        raise ValueError(f"{name} has shape {X.shape}: a sequence needs at least one step and one feature")
    if X.ndim == 3:
        n, T, D = X.shape
        return Sequences(X.reshape(n * T, D), np.full(n, T, dtype=np.intp), "array")
    n, C = X.shape
    T = C if n_steps is None else int(n_steps)
    if C % T:
        raise ValueError(
            f"{name} has {C} columns, which n_steps={n_steps} does not divide: expected a multiple of {n_steps}"
        )
    return Sequences(X.reshape(n * T, C // T), np.full(n, T, dtype=np.intp), "table", columns)


def _from_collection(X, n_steps, name, frame=None):
    arrays = [_sequence(x, f"{name}[{i}]", n_steps) for i, x in enumerate(X)]
    for i, array in enumerate(arrays):
        if array.shape[1] != arrays[0].shape[1]:
            raise ValueError(
                f"{name}[{i}] has {array.shape[1]} features a step, expected {arrays[0].shape[1]} as in {name}[0]"
            )
    if frame is None:
        frame = _first_frame(X, name)
    lengths = np.array([len(array) for array in arrays], dtype=np.intp)
    single = all(array.dtype == np.float32 for array in arrays)
    values = np.concatenate(arrays, dtype=np.float32 if single else np.float64)
    return Sequences(values, lengths, "ragged", frame)


def _sequence(x, name, n_steps):
    """One sequence as a numeric (T, D) array."""
    array = as_numbers(x, name)
    if array.ndim == 1:
        if n_steps is not None:
            raise ValueError(
                f"n_steps={n_steps} is for a table, but {name} is a sequence by itself, of one number a step; "
                "pass np.stack(X) for a table, or n_steps=None"
            )
        array = array[:, np.newaxis]
    if array.ndim != 2:
        raise ValueError(f"{name} has shape {array.shape}, expected (steps, features) or (steps,)")
    if 0 in array.shape:
        raise ValueError(f"{name} has shape {array.shape}: a sequence needs at least one step and one feature")
    return array


def _first_frame(X, name):
    """The first of a collection of frames, which all have the same columns; None when it is no frame."""
    names = [list(getattr(x, "column_names", None) or getattr(x, "columns", ())) for x in X]
    for i, columns in enumerate(names):
        if columns != names[0]:
            raise ValueError(f"{name}[{i}] has the columns {columns}, expected {names[0]} as in {name}[0]")
    return X[0] if names[0] else None


def _columns(X):
    """The columns of a data frame, an Arrow table, a series or an Arrow array, by name; nothing for anything else."""
    if hasattr(X, "column_names"):
        return dict(zip(X.column_names, X.columns, strict=True))
    if hasattr(X, "columns") and hasattr(X, "__getitem__"):
        # Names that repeat would give a frame each, not a column.
        return {name: X[name] for name in X.columns} if len(set(X.columns)) == len(X.columns) else {}
    if hasattr(X, "to_list") or hasattr(X, "to_pylist"):
        return {getattr(X, "name", None): X}
    return {}


def _are_sequences(columns, name):
    """Whether every cell of the columns is a sequence; in an ordinary table none is."""
    found = {column: _holds_sequences(cells) for column, cells in columns.items()}
    if any(found.values()) and not all(found.values()):
        other = next(column for column in found if not found[column])
        raise ValueError(
            f"{name} has columns of lists, but the column {other!r} does not hold lists: expected a list in every "
            "cell, or numbers in every cell"
        )
    return any(found.values())


def _holds_sequences(column):
    """Whether the first cell that is not missing is a sequence."""
    return is_sized(next((cell for cell in column if not is_missing(cell)), None))


def _rows(columns, name):
    """The sequences of columns of lists. One column: a cell is a sequence. Several: a column is a feature."""
    cells = [_cells(column) for column in columns.values()]
    if len(cells) == 1:
        return cells[0]
    return [_side_by_side(row, f"{name}[{i}]") for i, row in enumerate(zip(*cells, strict=True))]


def _cells(column):
    return column.to_pylist() if hasattr(column, "to_pylist") else column.to_list()


def _side_by_side(cells, name):
    """One sequence (T, D) from the D cells of a row."""
    lengths = [np.size(cell) for cell in cells]
    if len(set(lengths)) > 1 or any(np.ndim(cell) != 1 for cell in cells):
        raise ValueError(f"{name} holds lists of {lengths} numbers: expected one number a step in every column")
    return np.stack([np.asarray(cell) for cell in cells], axis=1)


def _is_float32(column):
    """Whether a column, or the innermost values of a column of lists, is float32, which its cells no longer tell."""
    dtype = column.type if hasattr(column, "type") else column.dtype
    dtype = getattr(dtype, "pyarrow_dtype", dtype)
    while hasattr(dtype, "inner") or hasattr(dtype, "value_type"):
        dtype = dtype.inner if hasattr(dtype, "inner") else dtype.value_type
    return str(dtype) in ("Float32", "float32", "float")


def _is_collection(X):
    """Whether X is a collection of sequences rather than one array."""
    if isinstance(X, np.ndarray):
        return X.dtype == object and X.ndim == 1 and any(map(is_sized, X))
    if hasattr(X, "__array__"):
        return False
    return any(map(_is_sequence, X))


def _is_sequence(x):
    """Whether x is an array, or nested deeper than a row of numbers."""
    return issparse(x) or (is_sized(x) and (hasattr(x, "__array__") or any(map(is_sized, x))))
