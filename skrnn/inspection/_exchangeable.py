"""X as features whose values can be exchanged between sequences, and back in its own container."""

from functools import partial

import numpy as np

from skrnn._data.columns import cells_in, columns_of, first_cell, from_awkward, is_awkward
from skrnn._data.containers import is_collection
from skrnn._data.lazy import LazySequences
from skrnn._data.missing import valid_lengths
from skrnn._data.numbers import as_array, is_missing, is_sized, is_tensor
from skrnn._data.on_demand import is_lazy_array, read_rows
from skrnn._data.ragged import RaggedArray, gathered, rows_of
from skrnn._data.schemas import in_column, library_of
from skrnn._data.sequences import Sequences
from skrnn._data.tables import as_objects, is_frame, names_of, normalize_table, replace_columns
from skrnn._data.transport import n_bytes
from skrnn._data.with_static import WithStatic
from skrnn._messages import shown
from skrnn._sklearn import select

MISSING = np.frompyfunc(is_missing, 1, 1)


def select_in_memory(X, rows=None):
    """The sequences `rows` of X, or all, in memory."""
    if isinstance(X, WithStatic):
        static = X.static if rows is None else select(X.static, rows)
        return WithStatic(select_in_memory(X.sequences, rows), static, X.static_names)
    if is_lazy_array(X):
        read = read_rows(X, np.arange(X.shape[0]) if rows is None else rows)
        return read if len(X.shape) > 1 else list(read)
    if isinstance(X, LazySequences) or _has_items_only(X):
        items = [X[int(i)] for i in (range(len(X)) if rows is None else rows)]
        if getattr(X, "names", None) is None:
            return items
        return RaggedArray(np.concatenate(items), np.array(list(map(len, items))), None, X.names)
    return X if rows is None else select(X, rows)


def _has_items_only(X):
    """Whether X can be asked for its length and its items, and nothing else."""
    if isinstance(X, list | tuple | RaggedArray) or hasattr(X, "__array__") or is_awkward(X) or columns_of(X):
        return False
    return hasattr(X, "__len__") and hasattr(X, "__getitem__")


def exchangeable(X):
    """X, in memory, as an object with

    names : list
        of its features, or their numbers.
    is_static : list of bool
        Which features have one value for each sequence.
    lengths : (n,) int array, or None
        Of the sequences; None for a table, whose features are all static.
    take(j, rows)
        The values of a feature: at these steps, counted through all sequences, or of these sequences if it is static.
    replace(columns)
        X with other values: a dict with what `take` returned for each feature.
    """
    if isinstance(X, WithStatic):
        return Pair(X)
    if is_awkward(X):
        X = from_awkward(X, "X")
    X = normalize_table(as_array(X, "X") if is_tensor(X) else X)
    if isinstance(X, RaggedArray):
        values = gathered(X.values, X.starts, X.lengths)
        form = partial(_as_ragged, lengths=X.lengths, names=X.feature_names, is_flat=values.ndim == 1)
        return Steps(values.reshape(len(values), -1), X.lengths, form, X.feature_names)
    if columns_of(X):
        return Table(X)
    if isinstance(X, list | tuple) and is_frame(normalize_table(X[0])):
        return Frames(X)
    if is_collection(X) or _are_texts(X):
        values, lengths, split = flatten(X, "X{}".format)
        return Steps(values, lengths, partial(_as_collection, split=split, container=getattr(X, "dtype", type(X))))
    X = as_array(X, "X")
    if X.ndim == 2 and 0 not in X.shape:
        return Table(X)
    if X.ndim != 3 or 0 in X.shape:
        raise ValueError(f"X has shape {X.shape}, expected (sequences, columns) or (sequences, steps, features)")
    return _of_array(X)


def _are_texts(X):
    """Whether the items of a list, or of an array (n,), are texts, or lists of texts."""
    if getattr(X, "ndim", 1) != 1:
        return False
    first = X[0]
    return isinstance(first, str) or (isinstance(first, list | tuple) and all(isinstance(cell, str) for cell in first))


class Steps:
    """Features of steps, all in one array.

    Parameters
    ----------
    values : (total, D) array
        Of one sequence after the other.
    lengths : (n,) int array
    form : callable
        Makes of values what X was.
    names : list of str, optional
    """

    def __init__(self, values, lengths, form, names=None):
        self.lengths, self._values, self._form = lengths, values, form
        self.names = list(range(values.shape[1]) if names is None else names)
        self.is_static = [False] * values.shape[1]

    def __sizeof__(self):
        return object.__sizeof__(self) + n_bytes(self._values)

    def take(self, j, rows):
        return self._values[rows, j]

    def replace(self, columns):
        values = self._values.copy()
        for j, column in columns.items():
            values[:, j] = column
        return self._form(values)


def _of_array(X):
    """An array (n, T, D) without the padding at the ends of sequences, which stays where it is."""
    n, T, D = X.shape
    values, lengths = X.reshape(n * T, D), np.full(n, T)
    if X.dtype.kind in "fO" and _missing(X[:, -1]).all(axis=1).any():
        lengths = valid_lengths(Sequences.of_array(np.where(_missing(X), np.nan, 0.0)))
    if (lengths == T).all():
        return Steps(values, lengths, partial(_as_array, shape=X.shape))
    rows = rows_of(np.arange(n) * T, lengths)
    return Steps(values[rows], lengths, partial(_as_padded, X=X, rows=rows))


def _missing(values):
    if values.dtype.kind == "f":
        return np.isnan(values)
    with np.errstate(invalid="ignore"):     # NaN among objects
        return MISSING(values).astype(bool)


def _as_array(values, shape):
    return values.reshape(shape)


def _as_padded(values, X, rows):
    padded = np.array(X, order="C")
    padded.reshape(-1, X.shape[2])[rows] = values
    return padded


def _as_ragged(values, lengths, names, is_flat):
    return RaggedArray(values[:, 0] if is_flat else values, lengths, None, names)


def _as_collection(values, split, container):
    """Values as a tuple or list of items, or as an array of a dtype."""
    items = split(values)
    if isinstance(container, np.dtype):
        return as_objects(items).astype(container)
    return tuple(items) if issubclass(container, tuple) else items


def flatten(items, label):
    """Sequences one after the other.

    Parameters
    ----------
    items : sequence of n arrays or lists (T_i, D) or (T_i,), or of texts, whose characters are their steps
    label : callable
        What messages call an item: a function of its index in brackets.

    Returns
    -------
    values : (total, D) array
    lengths : (n,) int array
    split : callable
        Makes of other values as many items in the same form.
    """
    arrays = [_steps_of(item, label(f"[{i}]")) for i, item in enumerate(items)]
    widths = [array.shape[1] for array in arrays]
    for i, width in enumerate(widths):
        if width != widths[0]:
            where, first = label(f"[{i}]"), label("[0]")
            raise ValueError(f"{where} has {width} features per step, expected {widths[0]} as in {first}")
    lengths = np.array(list(map(len, arrays)), dtype=np.intp)
    return np.concatenate(arrays), lengths, partial(_split, lengths=lengths, forms=list(map(_form_of, items)))


def _steps_of(item, where):
    """A sequence as an array (T, D): of numbers, or of objects."""
    if isinstance(item, str):
        array = np.array(list(item), dtype=object)
    elif is_missing(item) or not is_sized(item):
        raise ValueError(f"{where} is {'missing' if is_missing(item) else shown(item)}, expected a sequence")
    else:
        array = as_array(item, where)
        if array.dtype.kind in "US":        # NumPy makes texts of numbers beside them
            array = np.array(item, dtype=object)
    array = array[:, np.newaxis] if array.ndim == 1 else array
    if array.ndim != 2:
        raise ValueError(f"{where} has shape {array.shape}, expected (steps, features) or (steps,)")
    return array


def _form_of(item):
    """What makes an item of an array (T, D)."""
    if isinstance(item, str):
        return _as_text
    is_flat = getattr(item, "ndim", None) == 1 or (not hasattr(item, "ndim") and not any(map(is_sized, item)))
    return ITEMS[is_flat, isinstance(item, list | tuple)]


def _as_text(values):
    return "".join(values[:, 0])


def _as_item(values, is_flat, is_list):
    values = values[:, 0] if is_flat else values
    return values.tolist() if is_list else values


# The same objects for all items, so that pickles have each of them once
ITEMS = {
    (is_flat, is_list): partial(_as_item, is_flat=is_flat, is_list=is_list)
    for is_flat in (False, True) for is_list in (False, True)
}


def _split(values, lengths, forms):
    parts = np.split(values, np.cumsum(lengths)[:-1])
    return [form(part) for form, part in zip(forms, parts, strict=True)]


class Table:
    """The columns of a table: lists, which are features of steps, or values, which are static features.

    Parameters
    ----------
    X : data frame, Arrow table, array (n, C), or a column of lists or texts of any library
    names : list, optional
        Of the columns; None for those of the table, or their numbers.
    """

    def __init__(self, X, names=None):
        self._X = X
        columns = columns_of(X) or list(enumerate(X.T))
        self._is_column = columns[0][1] is X
        self._columns = [column for _, column in columns]
        self._lists, self.lengths = {}, None        # values and how they are split, by the place of a column
        self.names, self._places = [], []           # of each feature: the column, and which of its features
        for place, (name, column) in enumerate(columns):
            if self._is_column or is_sized(first_cell(column)):
                self._add_lists(place, name, column)
            else:
                self._add_feature(name, place, None)
        self.names = self.names if names is None else list(names)
        self.is_static = [feature is None for _, feature in self._places]

    def _add_feature(self, name, place, feature):
        self.names.append(name)
        self._places.append((place, feature))

    def _add_lists(self, place, name, column):
        where = in_column(name)
        values, lengths, split = flatten(cells_in((name, column), "X"), lambda index: f"X{index}{where}")
        other = np.flatnonzero(lengths != self.lengths) if self.lengths is not None else ()
        if len(other):
            i = int(other[0])
            raise ValueError(f"X[{i}]{where} has {lengths[i]} steps, expected {self.lengths[i]} as in other columns")
        self.lengths = lengths
        self._lists[place] = values, split
        n = values.shape[1]
        for feature in range(n):
            self._add_feature(feature if n > 1 else place if name is None else name, place, feature)

    def __sizeof__(self):
        return object.__sizeof__(self) + n_bytes(self._X)

    def take(self, j, rows):
        place, feature = self._places[j]
        return taken(self._columns[place], rows) if feature is None else self._lists[place][0][rows, feature]

    def replace(self, columns):
        changed = {}
        for j, column in columns.items():
            place, feature = self._places[j]
            if feature is None:
                changed[place] = column
            else:
                changed.setdefault(place, self._lists[place][0].copy())[:, feature] = column
        for place in changed.keys() & self._lists.keys():
            changed[place] = column_of(self._lists[place][1](changed[place]), self._columns[place])
        if self._is_column:
            return _named_as(self._X, changed[0]) if changed else self._X
        if isinstance(self._X, np.ndarray):
            table = self._X.copy()
            for place, column in changed.items():
                table[:, place] = column
            return table
        return replace_columns(self._X, changed)


def taken(column, rows):
    """Some of the values of a column of any library, in its dtype."""
    library = library_of(column)
    if library == "pandas":
        return getattr(column, "array", column).take(rows)
    return column.gather(rows) if library == "polars" else column.take(rows)


def column_of(cells, like):
    """Cells as a column of the library and the dtype of another one."""
    library = library_of(like)
    if library == "polars":
        import polars as pl

        return pl.Series(like.name, cells, dtype=like.dtype)
    if library == "pyarrow":
        import pyarrow as pa

        return pa.array(cells, type=like.type)
    if library == "numpy" or like.dtype == object:
        return as_objects(cells)
    import pandas as pd

    return pd.array(cells, dtype=like.dtype)


def _named_as(X, column):
    """A column with the name and the index of another one, if that is a series of pandas."""
    if not hasattr(X, "iloc"):
        return column
    import pandas as pd

    return pd.Series(column, index=X.index, name=X.name)


class Frames:
    """A list of frames, one for each sequence, whose columns are the features of its steps."""

    def __init__(self, X):
        self._X = [normalize_table(frame) for frame in X]
        self.names = names_of(self._X[0])
        for i, frame in enumerate(self._X):
            if not is_frame(frame) or names_of(frame) != self.names:
                found = f"the columns {names_of(frame)}" if is_frame(frame) else f"type {type(frame).__name__}"
                raise ValueError(f"X[{i}] has {found}, expected a frame with the columns {self.names} as X[0]")
        self.is_static = [False] * len(self.names)
        self.lengths = np.array([frame.shape[0] for frame in self._X], dtype=np.intp)
        self._columns = [column for _, column in columns_of(_concatenated(self._X))]

    def __sizeof__(self):
        return object.__sizeof__(self) + n_bytes(self._X)

    def take(self, j, rows):
        return taken(self._columns[j], rows)

    def replace(self, columns):
        ends = np.cumsum(self.lengths)
        rows = [np.arange(*limits) for limits in zip(ends - self.lengths, ends, strict=True)]
        return [
            replace_columns(frame, {j: taken(column, index) for j, column in columns.items()})
            for frame, index in zip(self._X, rows, strict=True)
        ]


def _concatenated(frames):
    """The rows of frames of one library, one after the other."""
    library = library_of(frames[0])
    if library == "pandas":
        import pandas as pd

        return pd.concat(frames, ignore_index=True)
    if library == "polars":
        import polars as pl

        return pl.concat(frames, how="vertical_relaxed")
    import pyarrow as pa

    return pa.concat_tables(frames, promote_options="permissive")


class Pair:
    """Sequences and their static features, which come after those of their steps."""

    def __init__(self, X):
        self._X, self._sequences = X, exchangeable(X.sequences)
        n = self._n_of_sequences = len(self._sequences.names)
        names = X.static_names or range(n, n + X.n_static)
        self._static = Table(X.static, names)
        self.lengths = self._sequences.lengths
        self.names = [*self._sequences.names, *self._static.names]
        self.is_static = [*self._sequences.is_static, *self._static.is_static]

    def __sizeof__(self):
        return object.__sizeof__(self) + n_bytes(self._X)

    def take(self, j, rows):
        n = self._n_of_sequences
        return self._sequences.take(j, rows) if j < n else self._static.take(j - n, rows)

    def replace(self, columns):
        n = self._n_of_sequences
        sequences = {j: column for j, column in columns.items() if j < n}
        static = {j - n: column for j, column in columns.items() if j >= n}
        return WithStatic(
            self._sequences.replace(sequences) if sequences else self._X.sequences,
            self._static.replace(static) if static else self._X.static, self._X.static_names,
        )
