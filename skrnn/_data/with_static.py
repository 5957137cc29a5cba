"""`WithStatic`: sequences with the static features of each."""

from collections.abc import Mapping

import numpy as np
from scipy.sparse import issparse

from skrnn._data.foreign import check_not_foreign
from skrnn._data.numbers import as_array, check_unmasked, is_number, is_sized
from skrnn._data.tables import is_frame, names_of, normalize_table
from skrnn._data.transport import joined, n_bytes, separated
from skrnn._messages import shown
from skrnn._sklearn import select


class WithStatic:
    """Sequences, and static features of each: what does not change from step to step, such as the age of a patient.

    It is a collection of samples: splitters, searches, pipelines and ``cross_val_predict`` select the sequences and
    their static features together. A data frame needs none, there static features are columns of their own beside the
    columns of lists.

    Parameters
    ----------
    sequences : array-like of shape (n, columns) or (n, steps, features), or a collection of n arrays (steps, features)
        X as the estimators take it. Not copied.
    static : array-like of shape (n, S) or (n,), or a data frame of n rows
        Numbers, and categories: strings, what has a dtype of categories, and what `categorical_features` of the
        estimator names. Not copied.
    static_names : list of S str, optional
        Names of the static features. None: those of the columns of a data frame, else there are none.

    Attributes
    ----------
    sequences, static, static_names
        As they were passed; an array-like `static` as an array (n, S).

    Raises
    ------
    ValueError, TypeError
        If there are not as many rows as sequences, or names as columns, naming both numbers.

    See Also
    --------
    skrnn.preprocessing.sequences_from_long : Makes of a long table a frame with static columns.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import WithStatic
    >>> rng = np.random.default_rng(0)
    >>> sequences = [rng.normal(size=(length, 2)) for length in (4, 6, 3, 5)]
    >>> X = WithStatic(sequences, [[61.0], [34.0], [45.0], [70.0]], ["age"])
    >>> X
    WithStatic of 4 sequences and 1 static feature: age
    >>> X[[2, 0]].static.tolist()
    [[45.0], [61.0]]
    >>> x, static = X[1]
    >>> x.shape, static.tolist()
    ((6, 2), [34.0])
    """

    ndim = 1

    def __init__(self, sequences, static, static_names=None):
        if isinstance(sequences, WithStatic):
            raise TypeError("sequences is a WithStatic already: pass its sequences, and all static features with them")
        self.sequences, self.static = sequences, as_static_table(static)
        n, n_static = n_rows(sequences), n_rows(self.static)
        if n != n_static:
            raise ValueError(f"static has {n_static} rows, but there are {n} sequences: expected a row for each")
        labels = names_of(self.static) if is_frame(self.static) else list(range(self.static.shape[1]))
        if static_names is not None:
            if isinstance(static_names, str) or not is_sized(static_names):
                raise TypeError(f"static_names={shown(static_names)}: expected a list of names")
            static_names = [str(name) for name in static_names]
            if len(static_names) != len(labels):
                raise ValueError(f"static_names has {len(static_names)} names, but static has {len(labels)} columns")
            if len(set(static_names)) < len(static_names):
                raise ValueError(f"static_names={static_names}: expected different names")
        elif is_frame(self.static) and all(isinstance(label, str) for label in labels):
            static_names = labels
        self.static_names = static_names

    @property
    def shape(self):
        """(n,), as of an array of objects."""
        return (len(self),)

    @property
    def n_static(self):
        """How many static features there are."""
        return len(names_of(self.static)) if is_frame(self.static) else self.static.shape[1]

    def __len__(self):
        return n_rows(self.static)

    def __getstate__(self):
        sequences, container = joined(self.sequences)
        return {**vars(self), "sequences": sequences, "container": container}

    def __setstate__(self, state):
        state = dict(state)
        container = state.pop("container", None)
        vars(self).update(state, sequences=separated(state["sequences"], container))

    def __sizeof__(self):
        return object.__sizeof__(self) + n_bytes(self.sequences) + n_bytes(self.static)

    def __getitem__(self, key):
        # scikit-learn indexes with (key, ...)
        if isinstance(key, tuple):
            if not 0 < len(key) < 3 or key[1:] not in ((), (Ellipsis,)):
                raise IndexError(f"{shown(key)} has {len(key)} dimensions, but a WithStatic has one, its sequences")
            key = key[0]
        if not isinstance(key, slice):
            key = np.asarray(key, np.intp if isinstance(key, list) and not key else None)
            if key.dtype.kind not in "iub" or key.ndim > 1 or (key.ndim == 0 and key.dtype == bool):
                raise IndexError(
                    f"{shown(key)} selects no sequences: expected an int, a slice, or an array of ints or bools"
                )
            if key.ndim == 0:
                return self._pair(int(key))
            if key.dtype == bool and len(key) != len(self):
                raise IndexError(f"the mask has {len(key)} entries, but there are {len(self)} sequences")
        rows = np.arange(len(self))[key]
        numbers = rows if hasattr(self.sequences, "shape") else rows.tolist()      # others may want ints of Python
        return WithStatic(select(self.sequences, numbers), select(self.static, rows), self.static_names)

    def _pair(self, i):
        """A sequence and the row of its static features."""
        if not -len(self) <= i < len(self):
            raise IndexError(f"{i} is out of range: there are {len(self)} sequences")
        one = self[[i % len(self)]]
        sequences, static = one.sequences, one.static
        x = sequences if is_frame(sequences) else sequences[0]
        return x, static if is_frame(static) else static[0]

    def __repr__(self):
        names = "" if self.static_names is None else f": {', '.join(self.static_names)}"
        features = "1 static feature" if self.n_static == 1 else f"{self.n_static} static features"
        return f"WithStatic of {len(self)} sequences and {features}{names}"


def n_rows(X):
    """How many samples X has."""
    if hasattr(X, "shape") and X.shape:
        return int(X.shape[0])
    if not hasattr(X, "__len__"):
        raise TypeError(f"sequences is a {type(X).__name__}, expected an array, a data frame, or a list of sequences")
    return len(X)


def as_static_table(static, n=None):
    """Static features as an array (n, S), or the frame that they are; those of one sequence may be (S,) if n is 1."""
    static = normalize_table(static)
    static = static.to_frame() if hasattr(static, "to_frame") and not is_frame(static) else static
    if is_frame(static):
        if not names_of(static):
            raise ValueError("static has no columns, expected one for each static feature")
        return static
    if isinstance(static, Mapping):
        raise TypeError("static is a dict, expected an array (n, features), or a data frame: pass pd.DataFrame(static)")
    check_not_foreign(static, "static")
    if issparse(static):
        raise TypeError("Sparse data was passed for static; use static.toarray()")
    if not is_sized(static):
        raise TypeError(f"static is {shown(static)}, expected an array (n, features), or a data frame")
    check_unmasked(static, "static")
    array = as_array(static, "static")
    if array.dtype.kind in "US" and not hasattr(static, "dtype"):
        array = np.array(static, dtype=object)      # NumPy makes strings of numbers beside strings
    if array.ndim == 1:
        array = array[np.newaxis] if n == 1 else array[:, np.newaxis]
    if array.ndim != 2 or not array.shape[1]:
        raise ValueError(f"static has shape {array.shape}, expected (n, features)")
    if array.dtype.kind in "US":
        _check_no_texts_of_numbers(array)
    return array


def _check_no_texts_of_numbers(array):
    """Raise a ValueError where NumPy has made strings of a column of numbers, since another one holds strings."""
    numbers = [all(map(is_number, column)) for column in array.T]
    if any(numbers) and not all(numbers):
        j = numbers.index(True)
        raise ValueError(
            f"static is an array of strings, also of numbers in column {j}, {shown(str(array[0, j]))}, as NumPy makes "
            "it of numbers beside strings: pass a data frame, or an array of dtype object. For strings that look like "
            "numbers pass static.astype(object)"
        )
