"""The values of features of steps as Python objects, in the containers that hold other things than numbers."""

from functools import partial

import numpy as np

from skrnn._data.columns import cells_in, columns_of, first_cell
from skrnn._data.containers import is_collection
from skrnn._data.numbers import as_array, is_missing, is_sized
from skrnn._data.ragged import RaggedArray
from skrnn._data.schemas import check_unique_names, in_column
from skrnn._data.tables import categories_of_dtype, holds_categories, is_frame, names_of, replace_columns
from skrnn._messages import shown


class ColumnsOfLists:
    """A frame, or a 2-D object array, whose cells are lists; each column is a feature.

    Parameters
    ----------
    X : data frame, Arrow table or 2-D object array
    """

    def __init__(self, X):
        self.X, self.names, self._columns = X, names_of(X), columns_of(X)

    def holds_categories(self):
        """Which features hold categories, by their dtype or first value."""
        return [holds_categories(cells) for _, cells in self._columns]

    def announced(self, j):
        """The categories that the dtype of a feature announces, or None."""
        return categories_of_dtype(self._columns[j][1])

    def lists(self, j):
        """The values of a feature of each sequence, a list of lists."""
        lists = cells_in(self._columns[j], "X")
        for i, cells in enumerate(lists):
            where = f"X[{i}]{in_column(self.names[j])}"
            if is_missing(cells):
                raise ValueError(f"{where} is missing, expected a list")
            if not is_sized(cells):
                raise ValueError(f"{where} is {shown(cells)}, expected a list")
            if not len(cells):
                raise ValueError(f"{where} is an empty list: a sequence needs at least one step")
        return lists

    def replace(self, codes):
        """The same container with codes in the place of some features: for each a list of arrays."""
        return replace_columns(self.X, codes)


class ArraysOfSteps:
    """Sequences as arrays (steps, features) of objects, or as frames.

    Parameters
    ----------
    items : list
        The sequences.
    form : callable
        What makes of them again what X was.
    names : list of str, optional
        Of the features.
    """

    def __init__(self, items, form=list, names=None):
        self._items, self._form = items, form
        self._of_frames = is_frame(items[0])
        self.names = names_of(items[0]) if self._of_frames else names or list(range(items[0].shape[1]))
        for i, item in enumerate(items):
            self._check(item, f"X[{i}]")

    def _check(self, item, name):
        if is_frame(item) != self._of_frames:
            kinds = f"{type(item).__name__}, and X[0] is a {type(self._items[0]).__name__}"
            raise TypeError(f"{name} is a {kinds}: expected all frames, or all arrays")
        if self._of_frames:
            check_unique_names(item, name)
            if names_of(item) != self.names:
                raise ValueError(f"{name} has the columns {names_of(item)}, expected {self.names} as in X[0]")
        elif item.shape[1] != self._items[0].shape[1]:
            raise ValueError(
                f"{name} has {item.shape[1]} features per step, expected {self._items[0].shape[1]} as in X[0]"
            )

    def holds_categories(self):
        """Which features hold categories, by their dtype or first value; of arrays none does."""
        return frames_hold_categories(self._items) if self._of_frames else [False] * len(self.names)

    def announced(self, j):
        """The categories that the dtype of a feature announces, the same in all frames, or None."""
        if not self._of_frames:
            return None
        first, *others = (categories_of_dtype(columns_of(item)[j][1]) for item in self._items)
        return first if all(other == first for other in others) else None

    def lists(self, j):
        """The values of a feature of each sequence, a list of lists."""
        if not self._of_frames:
            return [item[:, j].tolist() for item in self._items]
        return [cells_in(columns_of(item)[j], f"X[{i}]") for i, item in enumerate(self._items)]

    def replace(self, codes):
        """The same container with codes in the place of some features: for each a list of arrays."""
        return self._form([
            replace_columns(item, {j: values[i] for j, values in codes.items()}) for i, item in enumerate(self._items)
        ])


def frames_hold_categories(frames):
    """Which columns of frames hold categories, each as the first frame says that has a value in it."""
    return [
        holds_categories(next((cells for cells in _cells_of(frames, j) if first_cell(cells) is not None), first))
        for j, (_, first) in enumerate(columns_of(frames[0]))
    ]


def _cells_of(frames, j):
    """The cells of a column of each of some frames, of those that have as many columns."""
    return (columns[j][1] for frame in frames if len(columns := columns_of(frame)) > j)


def label_of(feature, lists):
    """What messages call the values of a feature, counted over all sequences: a function of their number."""
    starts = np.cumsum([0, *map(len, lists)])

    def label(i):
        sequence = int(np.searchsorted(starts, i, "right")) - 1
        step = i - int(starts[sequence])
        if isinstance(feature, int):
            return f"X[{sequence}][{step}, {feature}]"
        return f"X[{sequence}][{step}]{in_column(feature)}"

    return label


def objects_in(X, n_steps):
    """The steps of an X that holds other things than numbers, as `ArraysOfSteps`; None if it holds numbers only."""
    if isinstance(X, RaggedArray):
        if X.values.dtype.kind not in "OSU":
            return None
        items = [_steps(x, i) for i, x in enumerate(X)]
        return ArraysOfSteps(items, partial(_as_ragged, X), X.feature_names)
    if is_frame(X):
        if as_array(X, "X").dtype.kind in "fiub":
            return None
        X = np.array(list(zip(*(cells_in(column, "X") for column in columns_of(X)), strict=True)), dtype=object)
    elif isinstance(X, list | tuple) and not is_collection(X):
        X = np.array(X, dtype=object)
    if isinstance(X, np.ndarray) and X.ndim > 1:
        return _steps_of_array(X, n_steps) if X.dtype.kind in "OSU" else None
    if not isinstance(X, list | tuple | np.ndarray):
        return None
    if all(isinstance(x, np.ndarray) and x.dtype.kind in "fiub" for x in X):
        return None
    return ArraysOfSteps([x if is_frame(x) else _steps(x, i) for i, x in enumerate(X)])


def _steps_of_array(X, n_steps):
    """The steps of an object array (n, T, F), or of the rows of a table."""
    if X.ndim == 3:
        return ArraysOfSteps(list(X.astype(object)), np.stack)
    T = n_steps or X.shape[1]
    if X.shape[1] % T:
        return None
    return ArraysOfSteps(list(X.astype(object).reshape(len(X), T, -1)), partial(_as_rows, X.shape))


def _as_ragged(X, items):
    return RaggedArray(np.concatenate(items), X.lengths, None, X.feature_names)


def _as_rows(shape, items):
    return np.stack(items).reshape(shape)


def _steps(item, i):
    """A sequence as an object array (steps, features)."""
    array = np.array(item, dtype=object)
    array = array[:, np.newaxis] if array.ndim == 1 else array
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"X[{i}] has shape {array.shape}, expected (steps, features) or (steps,)")
    return array
