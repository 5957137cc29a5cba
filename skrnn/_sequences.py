"""What X may be, and the packed time-major form in which the kernels take it.

X comes as a 2-D table, a 3-D array or a list of sequences (`as_sequences`); it becomes one array of steps, sequence
after sequence, without padding (`Sequences`). A batch of it is gathered step after step (`Packing`): sequences in order
of decreasing length, so that those that still run at a step are always the first ones.
"""

from contextlib import contextmanager
from functools import cached_property
from math import isnan

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array

# Tiles depend on the number of sequences in the batch alone, never on the threads: every tile sums its own gradient.
MIN_TILE_ROWS = 8
MAX_TILES = 32


class Packing:
    """The shape of a batch: which sequence takes part in which step.

    Parameters
    ----------
    lengths : (N,) int array
        Steps of the sequences, at least 1 each, in the order of the batch.

    Attributes
    ----------
    order : (N,) int array
        The batch's sequences by decreasing length: packed row r is sequence order[r].
    active : (T,) int array
        How many sequences take step t.
    """

    def __init__(self, lengths):
        self.order = np.argsort(-lengths, kind="stable")
        self.lengths = lengths[self.order]
        self.n_sequences = len(lengths)
        # active[t] = the number of lengths > t
        self.active = len(lengths) - np.cumsum(np.bincount(lengths))[:-1]
        self.active = self.active.astype(np.intp)
        self.n_steps = int(self.active.sum())

    @cached_property
    def offsets(self):
        """Packed row at which step t begins, (T,)."""
        return np.cumsum(self.active) - self.active

    @cached_property
    def step_and_row(self):
        """Step and row of each of the S packed rows."""
        step = np.repeat(np.arange(len(self.active)), self.active)
        return step, np.arange(self.n_steps) - self.offsets[step]

    @cached_property
    def last(self):
        """Packed row of each sequence's own last step, (N,)."""
        return self.offsets[self.lengths - 1] + np.arange(self.n_sequences)

    @cached_property
    def reversed(self):
        """Packed row that a row changes places with when every sequence is read from its end, (S,); its own inverse."""
        step, row = self.step_and_row
        return self.offsets[self.lengths[row] - 1 - step] + row

    @cached_property
    def tiles(self):
        """Bounds of the tiles, see ``cells/_scan.pxi``."""
        n_tiles = min(MAX_TILES, max(1, self.n_sequences // MIN_TILE_ROWS))
        return (np.arange(n_tiles + 1) * self.n_sequences // n_tiles).astype(np.intp)


class Sequences:
    """Sequences laid end to end.

    Parameters
    ----------
    values : (total, D) array
        All steps, sequence after sequence.
    lengths : (n,) int array
    kind : {"table", "array", "ragged"}
        What X was: 2-D, 3-D, or a collection of sequences.
    n_columns : int or None
        Columns of a table.
    """

    def __init__(self, values, lengths, kind, n_columns=None):
        self.values = values
        self.lengths = lengths
        self.starts = np.cumsum(lengths) - lengths
        self.kind = kind
        self.n_columns = n_columns

    def __len__(self):
        return len(self.lengths)

    @property
    def n_features(self):
        return self.values.shape[1]

    def astype(self, dtype):
        """The same sequences in another dtype, C-contiguous; itself where nothing changes."""
        values = np.ascontiguousarray(self.values, dtype)
        return self if values is self.values else Sequences(values, self.lengths, self.kind, self.n_columns)

    def pack(self, index):
        """The packing of the sequences `index`, and the row in `values` of each of its S packed rows."""
        packing = Packing(self.lengths[index])
        step, row = packing.step_and_row
        return packing, self.starts[index][packing.order][row] + step

    def place(self, row):
        """Sequence and step of a row in `values`."""
        sequence = int(np.searchsorted(self.starts, row, side="right")) - 1
        return sequence, int(row - self.starts[sequence])

    def label(self, name, row, per_step):
        """How messages call a row of what belongs to the sequences, or to their steps."""
        return "{}[{}][{}]".format(name, *self.place(row)) if per_step else f"{name}[{row}]"

    def split(self, rows):
        """Rows of steps, (total, ...), in the form of X: (n, T, ...), or an object array of (T_i, ...) if ragged."""
        if self.kind != "ragged":
            return rows.reshape(len(self), -1, *rows.shape[1:])
        out = np.empty(len(self), dtype=object)
        for i, (start, length) in enumerate(zip(self.starts, self.lengths, strict=True)):
            out[i] = rows[start : start + length]
        return out


def as_sequences(X, n_steps=None, name="X"):
    """Checked sequences from any accepted X.

    Parameters
    ----------
    X : array-like (n, C), (n, T, D), or a collection of n arrays (T_i, D) or (T_i,)
    n_steps : int, optional
        For a table: the number of steps that a row's columns are split into, in blocks of C / n_steps columns. None: a
        column is a step of one feature.
    name : str
        What the messages call X.

    Returns
    -------
    Sequences
        float32 when X is float32, else float64; finite.
    """
    if issparse(X):
        raise TypeError(f"Sparse data was passed for {name}, but sequences are dense; use {name}.toarray()")
    columns = _columns(X)
    if _are_sequences(columns, name):
        sequences = _from_collection(_rows(columns, name), name)
        if all(_is_float32(column) for column in columns.values()):
            sequences = sequences.astype(np.float32)
    elif _is_collection(X):
        sequences = _from_collection(X, name)
    else:
        sequences = _from_array(X, n_steps, name)
    check_finite(sequences, name)
    return sequences


def _from_array(X, n_steps, name):
    shape = (len(X),) if isinstance(X, list | tuple) else getattr(X, "shape", ())
    if 0 in shape and not isinstance(X, np.ndarray):
        raise ValueError(f"Found array with 0 sample(s): {name} is empty, expected at least one sequence")
    if hasattr(X, "column_names"):
        X = np.asarray(X)       # check_array would take an Arrow table for float64
    with strings_named(X, lambda index: f"{name}{list(index)}"):
        X = check_array(
            X, dtype=[np.float64, np.float32], order="C", allow_nd=True, ensure_all_finite=False, input_name=name
        )
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
    T = C if n_steps is None else n_steps
    if C % T:
        raise ValueError(
            f"{name} has {C} columns, which n_steps={n_steps} does not divide: expected a multiple of {n_steps}"
        )
    return Sequences(X.reshape(n * T, C // T), np.full(n, T, dtype=np.intp), "table", C)


def _from_collection(X, name):
    arrays = [_sequence(x, f"{name}[{i}]") for i, x in enumerate(X)]
    for i, array in enumerate(arrays):
        if array.shape[1] != arrays[0].shape[1]:
            raise ValueError(
                f"{name}[{i}] has {array.shape[1]} features a step, expected {arrays[0].shape[1]} as in {name}[0]"
            )
    lengths = np.array([len(array) for array in arrays], dtype=np.intp)
    single = all(array.dtype == np.float32 for array in arrays)
    return Sequences(np.concatenate(arrays, dtype=np.float32 if single else np.float64), lengths, "ragged")


def _sequence(x, name):
    """One sequence as a numeric (T, D) array."""
    if issparse(x):
        raise TypeError(f"{name} is sparse, but sequences are dense; use .toarray()")
    try:
        array = np.asarray(x)
    except ValueError as error:
        raise ValueError(f"{name} is not an array of shape (steps, features) or (steps,): {error}") from error
    if array.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {name} has dtype {array.dtype}")
    if array.dtype != np.float32:
        if array.dtype.kind in "SUmM":
            raise ValueError(f"{name} has dtype {array.dtype}, expected numbers")
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name} could not be converted to numbers: {error}") from error
    if array.ndim == 1:
        array = array[:, np.newaxis]
    if array.ndim != 2:
        raise ValueError(f"{name} has shape {array.shape}, expected (steps, features) or (steps,)")
    if 0 in array.shape:
        raise ValueError(f"{name} has shape {array.shape}: a sequence needs at least one step and one feature")
    return array


@contextmanager
def strings_named(values, label):
    """Say which cell is not a number, when the block fails to convert values for that; label(index) is its name."""
    try:
        yield
    except ValueError as error:
        for index, cell in np.ndenumerate(np.asarray(values, dtype=object)):
            if isinstance(cell, str | bytes) and not _is_number(cell):
                raise ValueError(f"{label(index)} is {cell!r}, expected a number") from error
        raise


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def without_columns(values, name):
    """Columns of lists as a list of sequences, another frame or column as an array, anything else as it is."""
    columns = _columns(values)
    if not columns:
        return values
    return _rows(columns, name) if _are_sequences(columns, name) else np.asarray(values)


def check_finite(sequences, name="X"):
    """Raise a ValueError that names the first NaN or infinite value."""
    # One pass without a temporary: the sum is finite unless a value is not, or it overflows.
    if np.isfinite(sequences.values.sum(dtype=np.float64)):
        return
    bad = np.flatnonzero(~np.isfinite(sequences.values).all(axis=1))
    if len(bad):
        sequence, step = sequences.place(bad[0])
        feature = int(np.flatnonzero(~np.isfinite(sequences.values[bad[0]]))[0])
        kind = "NaN" if np.isnan(sequences.values[bad[0], feature]) else "infinity"
        raise ValueError(
            f"Input {name} contains {kind}: sequence {sequence}, step {step}, feature {feature}; "
            "expected finite numbers, impute or drop what is missing first"
        )


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
    cell = next((cell for cell in column if cell is not None and not (isinstance(cell, float) and isnan(cell))), "")
    return hasattr(cell, "__len__") and hasattr(cell, "__iter__") and not isinstance(cell, str | bytes)


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
    """Whether the innermost values of a column of lists are float32, which its cells as Python lists no longer tell."""
    dtype = column.type if hasattr(column, "type") else column.dtype
    dtype = getattr(dtype, "pyarrow_dtype", dtype)
    while hasattr(dtype, "inner") or hasattr(dtype, "value_type"):
        dtype = dtype.inner if hasattr(dtype, "inner") else dtype.value_type
    return str(dtype) in ("Float32", "float")


def _is_collection(X):
    """Whether X is a collection of sequences rather than one array.

    A list of arrays is a collection, and so are nested lists of different lengths; nested lists of equal lengths are an
    array, as everywhere in scikit-learn.
    """
    if isinstance(X, np.ndarray):
        return X.dtype == object and X.ndim == 1 and len(X) > 0 and np.ndim(X[0]) > 0
    if not isinstance(X, list | tuple) or not X:
        return False
    if any(hasattr(x, "__array__") and np.ndim(x) > 0 for x in X):
        return True
    return any(isinstance(x, list | tuple) for x in X) and not _is_rectangular(X)


def _is_rectangular(X):
    try:
        return np.asarray(X).dtype != object
    except ValueError:
        return False
