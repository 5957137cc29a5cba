"""Sequences in the columns of data frames, series, Arrow tables and arrays, and in awkward arrays."""

from array import array as numbers_of_python
from collections.abc import Mapping

import narwhals.stable.v2 as nw
import numpy as np

from skrnn._data.foreign import check_item, check_not_foreign, items_of
from skrnn._data.numbers import as_array, check_unmasked, is_date, is_missing, is_sized, is_tensor
from skrnn._data.on_demand import is_lazy_array
from skrnn._data.ragged import RaggedArray
from skrnn._data.schemas import check_schema, check_unique, dtype_of, in_column, innermost, library_of, no_dates
from skrnn._data.tables import normalize_table
from skrnn._messages import shown


def columns_of(X):
    """The columns, (name, cells), of a data frame, an Arrow table, a series or an Arrow array, or of a 2-D array whose
    cells are sequences; none for anything else.
    """
    if isinstance(X, np.ndarray):
        columns = list(enumerate(X.T)) if X.dtype == object and X.ndim == 2 else []
        firsts = [first_cell(column) for _, column in columns]
        return columns if any(is_sized(cell) and not isinstance(cell, Mapping) for cell in firsts) else []
    if isinstance(X, list | tuple | RaggedArray):
        return []
    library = library_of(X)
    if library == "pyarrow":
        if hasattr(X, "column_names"):
            return list(zip(X.column_names, X.columns, strict=True))
        return [(None, X)] if hasattr(X, "to_pylist") else []
    if library == "pandas" and (hasattr(X, "to_list") or _is_pandas_array(X)):
        return [(getattr(X, "name", None), X)]      # pandas' own arrays have none
    if library == "pandas" and hasattr(X, "columns"):
        return list(X.items())
    native = nw.from_native(X, pass_through=True, allow_series=True)
    if isinstance(native, nw.DataFrame):
        return [(name, X[name]) for name in X.columns]
    return [(X.name, X)] if isinstance(native, nw.Series) else []


def _is_pandas_array(X):
    """Whether X is an array of pandas' own: ``pd.array``, a Categorical, what ``.array`` of a series is."""
    from pandas.api.extensions import ExtensionArray

    return isinstance(X, ExtensionArray)


def normalize_container(X, name):
    """X in a container that NumPy and scikit-learn read correctly.

    An awkward array becomes a RaggedArray and a RecordBatch a table. An Arrow dictionary becomes its values, since
    NumPy would read a missing one as the last of them. Tensors and other memory become arrays.
    """
    check_unmasked(X, name)
    if is_awkward(X):
        return from_awkward(X, name)
    if isinstance(X, memoryview | numbers_of_python) or is_tensor(X):
        return as_array(X, name)
    if library_of(X) != "pyarrow":
        return X
    import pyarrow as pa

    X = normalize_table(X)
    if isinstance(X, pa.Table):
        for i, field in enumerate(X.schema):
            if pa.types.is_dictionary(field.type):
                X = X.set_column(i, field.name, X.column(i).cast(field.type.value_type))
    elif pa.types.is_dictionary(getattr(X, "type", None) or pa.null()):
        X = X.cast(X.type.value_type)
    return X


def normalize_one_each(values, name):
    """As `normalize_container`, for what may have one value per sequence, and is read at once.

    Awkward arrays of numbers, and arrays of HDF5, Zarr and the like become arrays.
    """
    if is_awkward(values) and values.ndim == 1:
        return values.to_list() if has_options(values) else np.asarray(values)
    check_not_foreign(values, name)
    if is_lazy_array(values) and values.shape != ():
        return np.asarray(values[:])
    values = normalize_container(values, name)
    check_schema(values, name)
    return values if columns_of(values) or isinstance(values, RaggedArray) else items_of(values, name)


def without_columns(values, name):
    """Columns of lists as a list of sequences, other frames and columns as an array, anything else unchanged."""
    values = normalize_one_each(values, name)
    columns = columns_of(values)
    if not columns:
        return values
    return sequences_in(columns, name, texts=True) if are_sequences(columns, name) else np.asarray(values)


def cells_of(values, name):
    """The cells of a data frame or a column as Python objects; anything else unchanged."""
    values = normalize_container(values, name)
    columns = columns_of(values)
    if not columns:
        return values
    cells = [cells_in(column, name) for column in columns]
    if columns[0][1] is values or (len(cells) == 1 and are_sequences(columns, name)):
        return cells[0]
    if are_sequences(columns, name):
        return [list(zip(*row, strict=True)) for row in zip(*cells, strict=True)]
    table = np.empty((len(cells[0]), len(cells)), dtype=object)
    for j, column in enumerate(cells):
        table[:, j] = column
    return table


def are_sequences(columns, name):
    """Whether every cell of the columns is a sequence; in an ordinary table none is."""
    firsts = [first_cell(cells) for _, cells in columns]
    found = [is_sized(cell) for cell in firsts]
    if any(found) and not all(found):
        for (column, _), cell in zip(columns, firsts, strict=True):
            check_item(cell, f"the first cell of {name}{in_column(column)}")
        other = columns[found.index(False)][0]
        raise ValueError(
            f"{name} has columns of lists, but the column {other!r} does not hold lists: expected a list in every "
            "cell, or numbers in every cell; repeat a number that belongs to a whole sequence for each of its steps"
        )
    return any(found)


def first_cell(column):
    """The first cell that is not missing, or None."""
    return next((cell for cell in column if not is_missing(cell)), None)


def sequences_in(columns, name, *, texts=False):
    """The sequences in columns of lists. Of one column each cell is a sequence; of several each column is a feature.

    They are a RaggedArray if the columns are Arrow's, else a list. `texts` says that they may hold text.
    """
    check_unique([column for column, _ in columns], name)
    arrow = [_from_arrow(column) for _, column in columns]
    if len(arrow) == 1:
        return cells_in(columns[0], name) if arrow[0] is None else arrow[0]
    same = all(ragged is not None and ragged.values.ndim == 1 for ragged in arrow)
    if same and all(np.array_equal(ragged.lengths, arrow[0].lengths) for ragged in arrow):
        return RaggedArray(_stacked([ragged.values for ragged in arrow]), arrow[0].lengths)
    cells, names = [cells_in(column, name) for column in columns], [column for column, _ in columns]
    return [_side_by_side(row, names, f"{name}[{i}]", texts) for i, row in enumerate(zip(*cells, strict=True))]


def cells_in(column, name):
    """The cells of a column, as a list."""
    column_name, column = column
    if isinstance(column, np.ndarray):
        cells = list(column)
    elif hasattr(column, "to_pylist"):
        cells = column.to_pylist()
    else:
        cells = column.tolist() if hasattr(column, "tolist") else column.to_list()
    check_item(cells[0], f"{name}[0]{in_column(column_name)}")
    return cells


def _side_by_side(cells, names, where, texts):
    """One sequence (T, D) from the D cells of a row; `texts` says that they may hold text."""
    features = [as_array(cell, where) for cell in cells]
    for name, cell, feature in zip(names, cells, features, strict=True):
        if feature.ndim != 1:
            if is_missing(cell):
                raise ValueError(f"{where}{in_column(name)} is missing, expected a list of numbers")
            check_item(cell, f"{where}{in_column(name)}")
            raise ValueError(
                f"{where}{in_column(name)} has shape {feature.shape}, expected one number per step in every column"
            )
        if feature.dtype.kind in "mM" or _has_dates(feature):
            raise TypeError(f"{where}{in_column(name)} holds dates or times, {no_dates(name)}")
        values = feature if feature.dtype.kind in "OU" and not texts else ()
        text = next((value for value in values if isinstance(value, str)), None)
        if text is not None:
            raise ValueError(f"{where}{in_column(name)} holds {shown(str(text))}, expected numbers")
    lengths = [len(feature) for feature in features]
    if len(set(lengths)) > 1:
        raise ValueError(f"{where} holds lists of {lengths} numbers: expected one number per step in every column")
    return _stacked(features)


def _has_dates(feature):
    return feature.dtype.kind == "O" and any(map(is_date, feature))


def _stacked(features):
    """Features (T,) side by side, (T, D); float32 only if all of them are."""
    stacked = np.stack(features, axis=1)
    single = all(feature.dtype == np.float32 for feature in features)
    return stacked.astype(np.float64) if stacked.dtype == np.float32 and not single else stacked


def is_float32(column):
    """Whether a column, or the innermost values of a column of lists, is float32: its cells no longer tell."""
    return str(innermost(dtype_of(column))) in ("Float32", "float32", "float")


def _from_arrow(column):
    """An Arrow array of lists of numbers, or of lists of these, without a Python object per number; None for others."""
    if hasattr(getattr(column, "dtype", None), "pyarrow_dtype"):    # of pandas
        import pyarrow as pa

        column = pa.array(getattr(column, "array", column))
    if not (hasattr(column, "to_pylist") and hasattr(column, "type")):
        return None
    from pyarrow import compute, types

    def is_list(kind):
        return types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)

    def lengths_of(lists):
        return compute.list_value_length(lists).to_numpy(zero_copy_only=False)

    array = column.combine_chunks() if hasattr(column, "combine_chunks") else column
    if not is_list(array.type) or array.null_count:
        return None
    lengths, values = lengths_of(array), compute.list_flatten(array)
    width = ()
    if is_list(values.type) and not values.null_count and len(values):
        widths = lengths_of(values)
        if (widths != widths[0]).any() or widths[0] == 0:
            return None
        width, values = (int(widths[0]),), compute.list_flatten(values)
    if not (types.is_integer(values.type) or types.is_floating(values.type) or types.is_boolean(values.type)):
        return None
    return RaggedArray(values.to_numpy(zero_copy_only=False).reshape(-1, *width), lengths)


def is_awkward(X):
    """Whether X is an awkward array."""
    return library_of(X) == "awkward" and hasattr(X, "layout")


def has_options(X):
    """Whether the type of an awkward array allows missing values, or values of several types."""
    kind = str(X.type)
    return any(word in kind for word in ("?", "option", "union"))


def from_awkward(X, name):
    """An awkward array of sequences of numbers, n * var * number or n * var * features * number, as a RaggedArray."""
    import awkward

    expected = "expected n * var * number, or n * var * features * number"
    if X.fields or X.ndim not in (2, 3):
        raise ValueError(f"{name} is an awkward array of type {X.type}, {expected}")
    gone = np.flatnonzero(awkward.to_numpy(awkward.is_none(X, axis=0)))
    if len(gone):
        raise ValueError(f"{name}[{gone[0]}] is missing, expected a sequence")
    if "union" in str(X.type):
        raise TypeError(f"{name} is an awkward array of type {X.type}, whose values are of several types, {expected}")
    lengths = awkward.to_numpy(awkward.num(X, axis=1))
    steps = awkward.flatten(X, axis=1)
    if has_options(steps) and any(word in str(steps.type) for word in ("string", "union")):
        return RaggedArray(np.array(steps.to_list(), dtype=object), lengths)
    steps = awkward.fill_none(steps, np.nan, axis=-1)
    try:
        return RaggedArray(awkward.to_numpy(steps), lengths)
    except ValueError as error:
        raise ValueError(
            f"{name} is an awkward array of type {X.type} whose steps have different numbers of features, {expected}"
        ) from error
