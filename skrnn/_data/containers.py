"""The containers that X may be: a 2-D table, a 3-D array, a collection of sequences, or columns of lists."""

from functools import partial
from numbers import Integral

import numpy as np
from scipy.sparse import issparse

from skrnn._data.categories import check_categories
from skrnn._data.columns import are_sequences, columns_of, is_float32, normalize_container, sequences_in
from skrnn._data.foreign import EMPTY, EXPECTED, check_item, check_no_pair, check_not_foreign, missing_items
from skrnn._data.lazy import LazySequences
from skrnn._data.missing import without_padding
from skrnn._data.numbers import as_numbers, is_missing, is_sized
from skrnn._data.on_demand import Reader, is_read_in_chunks, read_if_small
from skrnn._data.ragged import RaggedArray, without_unused
from skrnn._data.schemas import check_schema, check_unique
from skrnn._data.sequences import Sequences
from skrnn._data.with_static import WithStatic

# Dtypes that the kernels compute in
IN_PLACE = (np.float32, np.float64)


def as_sequences(
    X, n_steps=None, allow_missing=False, leave_out_padding=True, in_place=IN_PLACE, categorical=False,
    last_category=None, with_units=False,
):
    """Checked sequences from any accepted X.

    Parameters
    ----------
    X : array-like (n, C), (n, T, D), or a collection of n arrays (T_i, D) or (T_i,)
        A list of flat lists is a table, a list of anything deeper a collection: what X is must not depend on how
        cross-validation slices it.
    n_steps : int, optional
        For a table: the number of steps that the columns of a row are split into, in blocks of C / n_steps columns.
        None: each column is a step of one feature.
    allow_missing : bool
        Whether NaN is allowed, for missing values.
    leave_out_padding : bool
        Whether, where values may be missing, the steps at the ends of the sequences of a 3-D X that are NaN in every
        feature are left out as padding; and those of a table of categories.
    in_place : tuple of dtypes
        The dtypes of memory-mapped arrays that are used in place. Arrays of other dtypes, those with missing values and
        those of categories are read in chunks.
    categorical : bool
        Whether the steps are categories.
    last_category : int, optional
        The greatest one that there may be; None for any.
    with_units : bool
        Whether the units of an X that is read in chunks are learned by the way, in the pass that checks it.

    Returns
    -------
    Sequences or LazySequences
        float32 if X is float32, else float64; finite except for missing values.
    """
    check_type(X)
    if n_steps is not None and (not isinstance(n_steps, Integral) or n_steps < 1):
        raise ValueError(f"n_steps={n_steps!r}: expected a positive int, or None")
    X = normalize_container(X, "X")
    check_schema(X, "X", unique_names=True)
    columns = columns_of(X)
    X = X if columns else read_if_small(X)
    check = partial(
        check_values, allow_missing=allow_missing, categorical=categorical, last_category=last_category
    )
    if is_read_in_chunks(X, columns, () if allow_missing or categorical else in_place):
        read = Reader(X, partial(_from_part, n_steps=n_steps), check, allow_missing and leave_out_padding)
        try:
            n = X.shape[0] if hasattr(X, "shape") else len(X)
            return LazySequences.of(read, n, read.kind, with_units)
        except LookupError as error:
            raise TypeError(missing_items(X, "X", error)) from error
    if are_sequences(columns, "X"):
        sequences = _from_columns(X, columns, n_steps)
    elif is_collection(X):
        sequences = _from_collection(X, n_steps)
    else:
        sequences = _from_array(X, n_steps)
    check(sequences)
    if allow_missing and leave_out_padding:
        sequences = without_padding(sequences, ("array", "table") if categorical else ("array",))
    single = columns and all(is_float32(column) for _, column in columns)
    return sequences.astype(np.float32) if single else sequences


def check_values(sequences, name="X", allow_missing=False, categorical=False, last_category=None):
    """Raise a ValueError that names the first value that is not finite, may not be missing, or is no category."""
    check_finite(sequences, name, allow_missing, categorical)
    if categorical:
        check_categories(sequences, name, last_category)


def check_finite(sequences, name="X", allow_missing=False, categorical=False):
    """Raise a ValueError that names the first value that is infinite or, unless these are allowed, NaN."""
    bad = sequences.first_not_finite(allow_missing)
    if not bad:
        return
    value, where = bad
    if not np.isnan(value):
        raise ValueError(f"Input {name} contains infinity: {where}; expected finite numbers")
    raise ValueError(f"Input {name} contains NaN: {where}; {_instead_of_missing(sequences, categorical)}")


def _instead_of_missing(sequences, categorical):
    """What to do about NaN in an X of an estimator with missing="error"."""
    if _is_padding(sequences):
        remedy = "this is padding, steps at the ends of sequences that are NaN in every feature: "
        if categorical and sequences.kind != "ragged":
            return remedy + 'missing="ffill" leaves it out'
        if sequences.kind == "array":
            return remedy + 'missing="ffill" or missing="indicator" leaves it out'
        if sequences.kind == "table":
            return remedy + "RaggedArray.from_padded(X, padding_value=np.nan) leaves it out"
        return remedy + "cut it off"
    if categorical:
        return (
            'expected categories: missing="ffill" takes the category before; or give what is missing a category of its '
            "own"
        )
    return (
        'expected finite numbers: missing="ffill" or missing="indicator" fills in the last value of the feature, '
        "SequenceImputer others"
    )


def _is_padding(sequences):
    """Whether all that is missing is steps at the ends of sequences that are missing in every feature."""
    for start, length in zip(sequences.starts, sequences.lengths, strict=True):
        missing = np.isnan(sequences.values[start : start + length])
        present = np.flatnonzero(~missing.all(axis=1))
        if not len(present) or missing[: present[-1] + 1].any():
            return False
    return True


def check_type(X):
    """Raise an error if X is of a type that cannot hold sequences."""
    if issparse(X):
        raise TypeError("Sparse data was passed for X, but sequences are dense; use X.toarray()")
    if isinstance(X, WithStatic):
        raise TypeError(
            "X is a WithStatic, but no static features are read here: a net reads those that it was fitted with; pass "
            "X.sequences"
        )
    check_not_foreign(X, "X")
    shape = getattr(X, "shape", None)
    if shape is None and not hasattr(X, "__array__"):
        if not hasattr(X, "__len__") or isinstance(X, str | bytes | bytearray | type):
            raise TypeError(f"X is a {type(X).__name__}, {EXPECTED}")
        shape = (len(X),)
    if 0 in (shape or ()) and not isinstance(X, np.ndarray):
        raise ValueError(EMPTY)


def check_dimensions(X):
    """Raise a ValueError, with scikit-learn's words, for an array of fewer than two dimensions."""
    if np.ndim(X) < 2:
        what = "1D array" if np.ndim(X) else "scalar array"
        raise ValueError(
            f"X has shape {np.shape(X)}. Expected 2D array, got {what} instead. Reshape your data with "
            "X.reshape(-1, 1) if it has a single column, or with X.reshape(1, -1) if it is a single sample"
        )


def _check_rows(X):
    """Raise a ValueError if flat lists, the rows of a table, have different lengths."""
    lengths = [len(row) if is_sized(row) else 0 for row in X]
    other = next((i for i, length in enumerate(lengths) if length != lengths[0]), None)
    if other is not None:
        raise ValueError(
            f"X[{other}] has {lengths[other]} numbers, X[0] has {lengths[0]}: a list of lists is a table. "
            f"For sequences of different lengths pass a list of arrays, [np.asarray(x) for x in X]"
        )


def _from_array(X, n_steps):
    if not hasattr(X, "__array__"):
        _check_rows(X)
    columns, X = X, as_numbers(X, "X")
    check_dimensions(X)
    if X.ndim > 3:
        raise ValueError(
            f"Found array with dim {X.ndim}: X has shape {X.shape}, expected (sequences, columns) or "
            "(sequences, steps, features)"
        )
    if 0 in X.shape:
        what = "sample" if X.shape[0] == 0 else "feature"
        raise ValueError(
            f"X has shape {X.shape}. Found array with 0 {what}(s) (shape={X.shape}) while a minimum of 1 is required: "
            "a sequence needs at least one step and one feature"
        )
    if X.ndim == 3:
        return Sequences.of_array(X)
    n, C = X.shape
    T = C if n_steps is None else int(n_steps)
    if C % T:
        raise ValueError(
            f"X has {C} columns, which n_steps={n_steps} does not divide: expected a multiple of {n_steps}"
        )
    return Sequences(X.reshape(n * T, C // T), np.full(n, T, dtype=np.intp), "table", columns=columns)


def _from_columns(X, columns, n_steps):
    """Sequences of an X whose cells are sequences, or sequences of one feature in the columns."""
    sequences = _from_collection(sequences_in(columns, "X"), n_steps)
    # A column of sequences of several features is not a feature
    table = isinstance(X, np.ndarray) or hasattr(X, "columns")
    return sequences.replace(columns=X) if table and sequences.n_features == len(columns) else sequences


def _from_collection(X, n_steps, index=None, first=None):
    if isinstance(X, RaggedArray):
        return _from_ragged(X, n_steps)
    if index is not None:
        for i, x in zip(index, X, strict=True):
            check_no_pair(x, f"X[{i}]")
    index = range(len(X)) if index is None else index
    arrays = [_sequence(x, f"X[{i}]", n_steps) for i, x in zip(index, X, strict=True)]
    for i, array in zip(index, arrays, strict=True):
        if array.shape[1] != arrays[0].shape[1]:
            raise ValueError(
                f"X[{i}] has {array.shape[1]} features per step, expected {arrays[0].shape[1]} as in "
                f"X[{index[0]}]"
            )
    frame = _first_frame(X, index, first)
    lengths = np.array([len(array) for array in arrays], dtype=np.intp)
    single = all(array.dtype == np.float32 for array in arrays)
    values = np.concatenate(arrays, dtype=np.float32 if single else np.float64)
    return Sequences(values, lengths, "ragged", columns=frame)


def _from_ragged(X, n_steps):
    if X.values.ndim == 1:
        _check_no_n_steps(n_steps, "X")
    empty = np.flatnonzero(X.lengths == 0)
    if len(empty) or 0 in X.values.shape[1:]:
        shape = (0 if len(empty) else int(X.lengths[0]), *X.values.shape[1:])
        raise ValueError(
            f"X[{empty[0] if len(empty) else 0}] has shape {shape}: a sequence needs at least one step and one "
            "feature"
        )
    values, starts = X.values, X.starts
    if len(values) == X.lengths.sum() and np.array_equal(starts, np.cumsum(X.lengths) - X.lengths):
        starts = None
    else:
        values, starts = without_unused(values, starts, X.lengths)
    values = as_numbers(values, "X.values")
    return Sequences(values.reshape(len(values), -1), X.lengths, "ragged", starts=starts, names=X.feature_names)


def _from_part(X, n_steps, index, first):
    """Sequences of a part of a larger X: a 3-D array, or a collection of the sequences `index`."""
    if isinstance(X, np.ndarray):
        return _from_array(X, None)
    return _from_collection(X, n_steps, index=index, first=first)


def _check_no_n_steps(n_steps, name):
    if n_steps is not None:
        raise ValueError(
            f"n_steps={n_steps} is for a table, but {name} is a sequence by itself, of one number per step; "
            "pass np.stack(X) for a table, or n_steps=None"
        )


def _sequence(x, name, n_steps):
    """One sequence as a numeric (T, D) array."""
    if is_missing(x):
        raise ValueError(f"{name} is missing, expected a sequence")
    check_item(x, name)
    array = as_numbers(x, name)
    if array.ndim == 1:
        _check_no_n_steps(n_steps, name)
        array = array[:, np.newaxis]
    if array.ndim != 2:
        raise ValueError(f"{name} has shape {array.shape}, expected (steps, features) or (steps,)")
    if 0 in array.shape:
        raise ValueError(f"{name} has shape {array.shape}: a sequence needs at least one step and one feature")
    return array


def _first_frame(X, index, first=None):
    """The first of a collection of frames, which all have the same columns; None if it is not a frame.

    `first` is the frame to compare with, if an earlier chunk had it.
    """
    names = [_names_of(x) for x in X]
    expected = names[0] if first is None else _names_of(first)
    check_unique(names[0], f"X[{index[0]}]")
    for i, columns in zip(index, names, strict=True):
        if columns != expected:
            whose = f"X[{index[0] if first is None else 0}]"
            raise ValueError(f"X[{i}] has the columns {columns}, expected {expected} as in {whose}")
    return X[0] if names[0] else None


def _names_of(x):
    return list(getattr(x, "column_names", None) or getattr(x, "columns", ()))


def is_collection(X):
    """Whether X is a collection of sequences rather than one array."""
    if isinstance(X, RaggedArray):
        return True
    if isinstance(X, np.ndarray):
        return X.dtype == object and X.ndim == 1 and any(map(is_sized, X))
    if hasattr(X, "__array__"):
        return False
    return any(map(_is_sequence, X))


def _is_sequence(x):
    """Whether x is an array, or nested deeper than a row of numbers."""
    if isinstance(x, memoryview):
        return x.ndim > 1
    return issparse(x) or (is_sized(x) and (hasattr(x, "__array__") or any(map(is_sized, x))))
