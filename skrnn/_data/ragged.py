"""RaggedArray: sequences of different lengths in one array."""

from mmap import mmap
from numbers import Real

import numpy as np
from scipy.sparse import issparse

from skrnn._data.numbers import as_array, as_numbers, check_unmasked
from skrnn._data.schemas import check_schema
from skrnn._data.tables import is_frame, names_of
from skrnn._messages import shown

# Of a memory-mapped array larger selections stay views, since a copy would be in memory
MAX_BYTES_OF_COPY = 2**24
# Smaller arrays are kept with the rows that no sequence uses
MIN_SIZE_WITHOUT_UNUSED = 10_000


class RaggedArray:
    """Sequences of different lengths in one array, which may share steps.

    :class:`~skrnn.preprocessing.SlidingWindow`, :class:`~skrnn.preprocessing.SequenceVectorizer` and
    :func:`~skrnn.preprocessing.sequences_from_long` return it, and every estimator accepts it as X. It is a collection
    of arrays: ``ragged[i]`` is sequence i, a view. Slices, masks and arrays of indices select sequences, as model
    selection does. Windows over a series take no more memory than the series.

    Parameters
    ----------
    values : array of shape (total, features) or (total,)
        The steps. May be memory-mapped.
    lengths : int array of shape (n,)
        Number of steps of each sequence.
    starts : int array of shape (n,), optional
        The row of the first step of each sequence; None: one sequence after the other, which are all of the values.
    feature_names : list of str, optional
        Names of the features, which become ``feature_names_in_`` of estimators.

    Attributes
    ----------
    values, lengths, starts, feature_names
        As above.
    shape : tuple (n,)
    dtype : dtype of the values

    Raises
    ------
    ValueError, TypeError
        If `values` is no array or holds dates, or another argument is not as above; if a sequence does not lie within
        `values`; if, without `starts`, the lengths do not add up to the number of rows; if the number of names is not
        that of the features.

    See Also
    --------
    RaggedArray.from_list : From a list of arrays.
    RaggedArray.from_padded : From an array in which shorter sequences are padded.

    Notes
    -----
    ``np.asarray(ragged)`` is a float array (n, longest, features) with NaN after the ends of shorter sequences. Other
    processes, as those of a search with `n_jobs`, get a RaggedArray as two arrays, and three where its sequences share
    or leave out rows; a list of arrays is as many objects as there are sequences, and slower by far.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RaggedArray
    >>> ragged = RaggedArray(np.arange(6.0), [1, 3, 2])
    >>> ragged[1]
    array([1., 2., 3.])
    >>> ragged[[2, 0]]
    RaggedArray of 2 sequences, 1 to 2 steps of float64
    >>> [x.tolist() for x in ragged[[2, 0]]]
    [[4.0, 5.0], [0.0]]
    """

    ndim = 1

    def __init__(self, values, lengths, starts=None, feature_names=None):
        self.values = _array(values, "values")
        self.lengths = _indices(lengths, "lengths")
        if self.values.ndim not in (1, 2):
            raise ValueError(f"values has shape {self.values.shape}, expected (total, features) or (total,)")
        if starts is None:
            self.starts = np.cumsum(self.lengths) - self.lengths
        else:
            self.starts = _indices(starts, "starts")
            if len(self.starts) != len(self.lengths):
                raise ValueError(f"there are {len(self.starts)} starts and {len(self.lengths)} lengths")
        total = len(self.values)
        within = ((self.lengths >= 0) & (self.lengths <= total)).all()
        if starts is None and within and self.lengths.sum() != total:
            raise ValueError(
                f"the lengths add up to {self.lengths.sum()}, but values has {total} rows: expected the same number; "
                "for sequences that share or leave out rows pass starts, for padded ones use RaggedArray.from_padded"
            )
        bad = np.flatnonzero((self.lengths < 0) | (self.starts < 0) | (self.starts > total - self.lengths))
        if len(bad):
            i = int(bad[0])
            raise ValueError(
                f"sequence {i} has {self.lengths[i]} steps from row {self.starts[i]} on, but values has {total} rows"
            )
        if isinstance(feature_names, str):
            raise TypeError(f"feature_names={feature_names!r}: expected a list of names, [{feature_names!r}]")
        self.feature_names = None if feature_names is None else [str(name) for name in feature_names]
        n_features = 1 if self.values.ndim == 1 else self.values.shape[1]
        if self.feature_names is not None and len(self.feature_names) != n_features:
            raise ValueError(f"feature_names has {len(self.feature_names)} names, expected {n_features}")

    @classmethod
    def from_list(cls, X, feature_names=None):
        """The sequences of a list of arrays.

        A net learns the same from both, to the bit. To other processes a list travels slowly.

        Parameters
        ----------
        X : list of n arrays of shape (T_i, features) or (T_i,), or of data frames
            Not changed.
        feature_names : list of str, optional
            Names of the features. None: those of the columns of data frames, else there are none.

        Returns
        -------
        ragged : RaggedArray of n sequences
            A copy of the steps. Of dtypes that differ it has float64.

        Raises
        ------
        ValueError, TypeError
            If X is no list, or empty; if a sequence is no array of one or two dimensions, or has another number of
            features, or other columns, than the first, naming it.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RaggedArray
        >>> RaggedArray.from_list([np.zeros((3, 2)), np.ones((1, 2))])
        RaggedArray of 2 sequences, 1 to 3 steps of 2 features, float64
        """
        if not isinstance(X, list | tuple) and not (isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1):
            raise TypeError(f"X is {shown(X)}, expected a list of arrays (steps, features)")
        if not len(X):
            raise ValueError("X is empty, expected a list of at least one array (steps, features)")
        arrays = [_array(x, f"X[{i}]") for i, x in enumerate(X)]
        names = [_column_names(x) for x in X]
        for i, array in enumerate(arrays):
            if array.ndim not in (1, 2):
                raise ValueError(f"X[{i}] has shape {array.shape}, expected (steps, features) or (steps,)")
            if array.shape[1:] != arrays[0].shape[1:]:
                raise ValueError(
                    f"X[{i}] has shape {array.shape}, but X[0] {arrays[0].shape}: expected as many features"
                )
            if names[i] != names[0]:
                raise ValueError(f"X[{i}] has the columns {names[i]}, expected {names[0]} as in X[0]")
        lengths = np.array(list(map(len, arrays)), dtype=np.intp)
        return cls(_concatenated(arrays), lengths, None, names[0] if feature_names is None else feature_names)

    @classmethod
    def from_padded(cls, X, lengths=None, padding_value=None, *, side="end", feature_names=None):
        """The sequences of an array in which shorter ones are padded to the length of the longest.

        Parameters
        ----------
        X : array-like of shape (n, steps, features) or (n, steps)
            Not changed.
        lengths : int array of shape (n,), optional
            Number of steps of each sequence without its padding.
        padding_value : float, optional
            Instead of `lengths`: steps at one side are padding if they have this value in every feature; may be
            NaN. Steps of this value between others stay. If steps may have this value themselves, pass `lengths`.
        side : {"end", "start"}, default="end"
            Where the padding is: after the steps, or before them.
        feature_names : list of str, optional
            Names of the features.

        Returns
        -------
        ragged : RaggedArray of n sequences
            A copy of the steps; a view if X is memory-mapped.

        Raises
        ------
        ValueError, TypeError
            Unless exactly one of `lengths` and `padding_value` is given and fits X; if a sequence has no steps, naming
            it; if no sequence has padding at this side, but some have it at the other.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RaggedArray
        >>> X = np.array([[5.0, 6.0, 0.0], [7.0, 0.0, 8.0]])
        >>> [x.tolist() for x in RaggedArray.from_padded(X, padding_value=0)]
        [[5.0, 6.0], [7.0, 0.0, 8.0]]
        >>> [x.tolist() for x in RaggedArray.from_padded(X, lengths=[2, 3])]
        [[5.0, 6.0], [7.0, 0.0, 8.0]]
        """
        X = _padded(X)
        n, T = X.shape[:2]
        if (lengths is None) == (padding_value is None):
            given = "neither" if lengths is None else "both"
            raise ValueError(f"lengths and padding_value: expected one of them, got {given}")
        if side not in ("end", "start"):
            raise ValueError(f"side={side!r}: expected 'end' or 'start'")
        if lengths is None:
            lengths = _lengths_without(X, padding_value, side)
        lengths = _indices(lengths, "lengths")
        if len(lengths) != n:
            raise ValueError(f"there are {len(lengths)} lengths, but X has {n} sequences: expected as many")
        bad = np.flatnonzero((lengths < 1) | (lengths > T))
        if len(bad):
            i = bad[0]
            raise ValueError(f"lengths[{i}] is {lengths[i]}, but X[{i}] has {T} steps: expected 1 to {T}")
        starts = np.arange(n) * T + (T - lengths if side == "start" else 0)
        values = X.reshape(n * T, *X.shape[2:])
        if is_mapped(values):
            return cls(values, lengths, starts, feature_names)
        return cls(values[rows_of(starts, lengths)], lengths, None, feature_names)

    @property
    def shape(self):
        """(n,), as of an array of objects."""
        return (len(self.lengths),)

    @property
    def dtype(self):
        """That of the values."""
        return self.values.dtype

    def __len__(self):
        return len(self.lengths)

    def __getstate__(self):
        contiguous = self.lengths.sum() == len(self.values) and np.array_equal(
            self.starts, np.cumsum(self.lengths) - self.lengths
        )
        return {**vars(self), "starts": None if contiguous else self.starts}

    def __setstate__(self, state):
        vars(self).update(state)
        if self.starts is None:
            self.starts = np.cumsum(self.lengths) - self.lengths

    def __sizeof__(self):
        return object.__sizeof__(self) + self.values.nbytes + self.lengths.nbytes + self.starts.nbytes

    def __getitem__(self, key):
        # scikit-learn indexes with (key, ...)
        if isinstance(key, tuple):
            if len(key) == 2 and key[1] is Ellipsis:
                key = key[0]
            else:
                raise IndexError(f"{key} has {len(key)} dimensions, but a RaggedArray has one, its sequences")
        if not isinstance(key, slice):
            key = np.asarray(key, np.intp if isinstance(key, list) and not key else None)
            if key.dtype.kind not in "iub" or key.ndim > 1 or (key.ndim == 0 and key.dtype == bool):
                raise IndexError(f"{key} selects no sequences: expected an int, a slice, or an array of ints or bools")
            if key.ndim == 0:
                start, length = self.starts[key], self.lengths[key]
                return self.values[start : start + length]
        return self._select(key)

    def _select(self, key):
        """Some of the sequences: a view, unless it would keep more than twice as many steps in memory as a copy."""
        starts, lengths = self.starts[key], self.lengths[key]
        first, last = (int(starts.min()), int((starts + lengths).max())) if len(starts) else (0, 0)
        n_bytes = lengths.sum() * self.values[:1].nbytes
        if 2 * lengths.sum() < last - first and (n_bytes <= MAX_BYTES_OF_COPY or not is_mapped(self.values)):
            return RaggedArray(self.values[rows_of(starts, lengths)], lengths, None, self.feature_names)
        return RaggedArray(self.values[first:last], lengths, starts - first, self.feature_names)

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ValueError("a RaggedArray has no array without a copy")
        longest = int(self.lengths.max(initial=0))
        # Of integers and booleans floats, which have NaN
        dtype = np.dtype(dtype or (np.result_type(self.values, 0.0) if self.dtype.kind in "fiub" else self.dtype))
        out = np.empty((len(self), longest, *self.values.shape[1:]), dtype)
        if (self.lengths < longest).any():
            if dtype.kind not in "fcO":
                raise ValueError(f"sequences of different lengths are padded with NaN, which {dtype} does not have")
            out[:] = np.nan
        for row, sequence in zip(out, self, strict=True):
            row[: len(sequence)] = sequence
        return out

    def __repr__(self):
        features = "" if self.values.ndim == 1 else f"{self.values.shape[1]} features, "
        steps = f"{self.lengths.min() if len(self) else 0} to {self.lengths.max(initial=0)} steps"
        return f"RaggedArray of {len(self)} sequences, {steps} of {features}{self.values.dtype}"


def _array(values, name):
    """Values as an array; a memory-mapped one stays as it is."""
    if type(values) is np.ndarray or is_mapped(values):
        return values
    if issparse(values):
        raise TypeError(f"{name} is sparse, expected an array: {name}.toarray()")
    check_unmasked(values, name)
    check_schema(values, name)
    return as_array(values, name)


def _column_names(x):
    """The names of the columns of a frame, None of an array."""
    return [str(name) for name in names_of(x)] if is_frame(x) else None


def _concatenated(arrays):
    """The steps of arrays, one after the other, in their dtype; in float64 if it differs."""
    dtypes = {array.dtype for array in arrays}
    if len(dtypes) == 1:
        return np.concatenate(arrays)
    i = next((i for i, array in enumerate(arrays) if array.dtype.kind not in "fiub"), None)
    if i is not None:
        other = next(j for j, array in enumerate(arrays) if array.dtype != arrays[i].dtype)
        raise TypeError(
            f"X[{i}] has dtype {arrays[i].dtype} and X[{other}] {arrays[other].dtype}: expected one dtype, or numbers"
        )
    return np.concatenate(arrays, dtype=np.float64)


def _indices(values, name):
    array = values if type(values) is np.ndarray else as_array(values, name)
    if array.ndim != 1 or (array.dtype.kind not in "iu" and array.size):
        raise ValueError(f"{name} has shape {array.shape} and dtype {array.dtype}, expected integers (n,)")
    return array.astype(np.intp)


def _padded(X):
    """X as an array (n, T, D) or (n, T) of numbers."""
    if np.ma.is_masked(X):
        raise ValueError("X has masked values; fill them with the padding value first, X.filled(...)")
    array = _array(X, "X")
    X = as_numbers(X, "X") if array.dtype == object else array
    if X.ndim not in (2, 3):
        raise ValueError(f"X has shape {X.shape}, expected (n, steps, features) or (n, steps)")
    if X.dtype.kind not in "fiub":
        raise TypeError(f"X has dtype {X.dtype}, expected numbers")
    return X


def _lengths_without(X, padding_value, side):
    """The number of steps of each sequence of X (n, T, D) or (n, T) up to the padding at a side, (n,)."""
    if not isinstance(padding_value, Real):
        raise TypeError(f"padding_value={padding_value!r}: expected a number")
    is_step = ~np.isnan(X) if np.isnan(padding_value) else np.not_equal(X, padding_value)
    is_step = is_step.any(axis=2) if X.ndim == 3 else is_step
    empty = np.flatnonzero(~is_step.any(axis=1))
    if len(empty):
        raise ValueError(f"X[{empty[0]}] is {float(padding_value)} in every step: a sequence needs at least one step")
    if is_step.shape[1] == 0:
        return np.zeros(len(X), np.intp)
    at_end, at_start = (np.argmax(steps, axis=1) for steps in (is_step[:, ::-1], is_step))
    here, there = (at_end, at_start) if side == "end" else (at_start, at_end)
    if there.any() and not here.any():
        i, other = np.flatnonzero(there)[0], "start" if side == "end" else "end"
        raise ValueError(
            f"no sequence of X has padding_value={float(padding_value)} at its {side}, but X[{i}] at its {other}: "
            f"if this is padding, use side={other!r}, otherwise lengths"
        )
    return is_step.shape[1] - here


def is_mapped(array):
    """Whether an array is memory-mapped; a copy of one is not, although it may be of the same class."""
    return isinstance(array, np.memmap) and array._mmap is not None


def is_in_file(array):
    """Whether an array is memory-mapped or a view of one that is."""
    while isinstance(array, np.ndarray):
        array = array.base
    return isinstance(array, mmap)


def rows_of(starts, lengths):
    """The rows start .. start + length - 1 of each sequence, one after the other."""
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return np.repeat(starts, lengths) + within


def gathered(values, starts, lengths):
    """The steps of sequences one after the other: a view of the values if they lie so, else a copy."""
    if (starts[1:] == starts[:-1] + lengths[:-1]).all():
        return values[starts[0] : starts[-1] + lengths[-1]]
    return values[rows_of(starts, lengths)]


def used_ranges(starts, lengths):
    """The rows that sequences have, as ranges with other rows between them: their first rows and sizes, (m,) each."""
    if (starts[1:] < starts[:-1]).any():
        order = np.argsort(starts, kind="stable")
        starts, lengths = starts[order], lengths[order]
    ends = np.maximum.accumulate(starts + lengths)
    first = np.flatnonzero(np.concatenate([[True], starts[1:] > ends[:-1]]))
    last = np.append(first[1:], len(starts)) - 1
    return starts[first], ends[last] - starts[first]


def without_unused(values, starts, lengths):
    """Values and the starts of sequences; in memory without the rows of no sequence, if those in use are few.

    A pass over all rows takes no longer than a copy of an eighth of them.
    """
    if is_mapped(values) or 8 * lengths.sum() >= len(values) or values.size < MIN_SIZE_WITHOUT_UNUSED:
        return values, starts
    begins, sizes = used_ranges(starts, lengths)
    shift = begins - (np.cumsum(sizes) - sizes)
    return values[rows_of(begins, sizes)], starts - shift[np.searchsorted(begins, starts, "right") - 1]
