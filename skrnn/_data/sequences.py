"""Sequences as the estimators hold them: in memory, or read on demand."""

from functools import partial

import numpy as np

from skrnn._data.ragged import rows_of
from skrnn._runtime import memory

# Up to this size a temporary array costs less than avoiding it
MAX_NUMBERS_OF_TEMPORARY = 10_000
# Bytes that are read at a time if X is not in memory
MAX_BYTES_PER_READ = 2**24


class SequenceIndex:
    """The lengths of sequences, and what kind of container X was.

    Parameters
    ----------
    lengths : (n,) int array
    kind : {"table", "array", "ragged"}
        What X was: 2-D, 3-D, or a collection of sequences.
    columns : array or data frame, optional
        The table whose columns are the features of the estimator: X itself, a frame with a column of lists per feature,
        or the first of a list of frames. None if features have no columns.
    names : list of str, optional
        Names of the features, if X has names but no columns.
    n_padded : int, optional
        Number of steps of each sequence of X, if padding at the ends of some has been left out.
    numbers : (n,) int array, optional
        The indices of the sequences in X; None for all.
    """

    def __init__(self, lengths, kind, columns=None, names=None, n_padded=None, numbers=None):
        self.lengths, self.kind, self.columns, self.names = lengths, kind, columns, names
        self.n_padded, self.numbers = n_padded, numbers
        self.starts = np.cumsum(lengths) - lengths
        # How often each category occurs, if the steps are categories that have been counted
        self.category_counts = None

    def __len__(self):
        return len(self.lengths)

    @property
    def mean_length(self):
        """Mean number of steps per sequence."""
        return float(self.lengths.mean())

    def locate(self, row):
        """The index in X of a sequence that has a row of the steps, and the index of this step in it."""
        sequence = np.flatnonzero((self.starts <= row) & (row < self.starts + self.lengths))[0]
        return int(sequence if self.numbers is None else self.numbers[sequence]), int(row - self.starts[sequence])

    def label(self, name, row, per_step):
        """What messages call a row of values per sequence, or per step."""
        return "{}[{}][{}]".format(name, *self.locate(row)) if per_step else f"{name}[{row}]"

    def split(self, rows):
        """Rows of steps, (total, ...), in the form of X: (n, T, ...), or an object array of (T_i, ...) if ragged.

        Padding that was left out gets the row of the last step of its sequence.
        """
        if self.n_padded is not None:
            steps = np.minimum(np.arange(self.n_padded), self.lengths[:, np.newaxis] - 1)
            return rows[self.starts[:, np.newaxis] + steps]
        if self.kind != "ragged":
            return rows.reshape(len(self), -1, *rows.shape[1:])
        out = np.empty(len(self), dtype=object)
        for i, (start, length) in enumerate(zip(self.starts, self.lengths, strict=True)):
            out[i] = rows[start : start + length]
        return out


class Sequences(SequenceIndex):
    """Sequences in memory.

    Parameters
    ----------
    values : (total, D) array
        All steps, sequence after sequence unless `starts` says otherwise.
    lengths, kind, **index
        As in `SequenceIndex`.
    categories : (total,) int array, optional
        The category of each step, if steps are categories.
    starts : (n,) int array, optional
        The row of the first step of each sequence, if sequences share steps or are in another order.
    """

    def __init__(self, values, lengths, kind, *, categories=None, starts=None, **index):
        super().__init__(lengths, kind, **index)
        # The kernels need C-contiguous and aligned values; a view if they are
        self.values = np.require(values, requirements=["C", "A"])
        self.categories = categories
        # (2, n), for the masks of dropout: what to add to the row of a step to get its row among contiguous sequences,
        # and the index of the sequence. None if these are the row and the index themselves.
        self.mask_offsets = None
        self.contiguous = starts is None
        if starts is not None:
            self.mask_offsets = np.stack([self.starts - starts, np.arange(len(starts))])
            self.starts = starts

    @property
    def n_features(self):
        """Features of a step."""
        return self.values.shape[1]

    @property
    def dtype(self):
        """The dtype of the values."""
        return self.values.dtype

    @property
    def steps(self):
        """The input of the kernels: values (total, D), or categories (total,)."""
        return self.values if self.categories is None else self.categories

    def replace(self, **changed):
        """The same sequences with some of the parameters changed."""
        names = ("values", "lengths", "kind", "columns", "names", "categories", "n_padded", "numbers")
        starts = {} if self.contiguous else {"starts": self.starts}
        return Sequences(**{name: getattr(self, name) for name in names} | starts | changed)

    def copy_of(self, index):
        """A contiguous copy of the sequences `index`."""
        lengths = self.lengths[index]
        rows = rows_of(self.starts[index], lengths)
        categories = None if self.categories is None else self.categories[rows]
        return self.replace(
            values=self.values[rows], categories=categories, lengths=lengths, starts=None, numbers=index
        )

    def view_of(self, index):
        """The sequences `index`, without a copy of their steps."""
        view = self.replace(lengths=self.lengths[index], starts=self.starts[index], numbers=index)
        if self.mask_offsets is None:
            view.mask_offsets = np.stack([np.zeros_like(index), index])
        else:
            view.mask_offsets = np.ascontiguousarray(self.mask_offsets[:, index])
        return view

    def unshared(self):
        """The same sequences, each with steps of its own: if they share steps, these are copied when they are read."""
        if self.contiguous:
            return self
        return LazySequences(
            self.copy_of, self.lengths, self.kind, self.n_features, self.dtype, columns=self.columns, names=self.names
        )

    def in_memory(self, what):
        """The same sequences, each with steps of its own, all in memory, as `what` needs them."""
        return self.unshared() if self.contiguous else self.unshared().in_memory(what)

    def map(self, change):
        """The sequences changed by a function."""
        return change(self)

    def load(self, index):
        """Sequences in memory that hold the sequences `index`, and the indices of these among them."""
        return self, index

    def iter_chunks(self, index):
        """The sequences `index` in chunks, each as `load` returns it."""
        yield self.load(index)

    def astype(self, dtype, name="X"):
        """The same sequences in another dtype; themselves if it is theirs."""
        if self.values.dtype == dtype:
            return self
        with np.errstate(over="ignore"):
            values = self.values.astype(dtype)
        cast = self.replace(values=values)
        place = cast.first_not_finite(allow_nan=True)
        if place:
            raise ValueError(f"{name} is too large for {np.dtype(dtype)}, the dtype of the fitted net: {place[1]}")
        return cast

    def first_not_finite(self, allow_nan=False):
        """The first value that is infinite or, unless it is allowed, NaN, and where it is; None if there is none."""
        if self._looks_finite():
            return None
        bad = np.isinf(self.values) if allow_nan else ~np.isfinite(self.values)
        if not self.contiguous:
            bad &= self.used_rows()[:, np.newaxis]
        bad = np.argwhere(bad)
        if not len(bad):
            return None
        row, feature = map(int, bad[0])
        sequence, step = self.locate(row)
        return self.values[row, feature], f"sequence {sequence}, step {step}, feature {feature}"

    def _looks_finite(self):
        if self.values.size < MAX_NUMBERS_OF_TEMPORARY:
            return np.isfinite(self.values).all()
        # One pass without a temporary: the sum is finite unless a value is not, or it overflows
        with np.errstate(over="ignore", invalid="ignore"):
            return np.isfinite(self.values.sum(dtype=np.float64))

    def used_rows(self):
        """Which rows of the values are steps of sequences, (total,) bool."""
        changes = np.zeros(len(self.values) + 1, np.intp)
        np.add.at(changes, self.starts, 1)
        np.add.at(changes, self.starts + self.lengths, -1)
        return np.cumsum(changes[:-1]) > 0


class LazySequences(SequenceIndex):
    """Sequences that are read on demand, of an X that need not fit in memory.

    The transformers return them for such an X: a collection of arrays (steps, features) that are computed on demand.
    Slices, masks and arrays of indices select sequences and read nothing.

    Parameters
    ----------
    read : callable
        Returns contiguous `Sequences` for an array of indices.
    lengths, kind, **index
        As in `SequenceIndex`.
    n_features : int
    dtype : dtype
    """

    ndim = 1

    def __init__(self, read, lengths, kind, n_features, dtype, **index):
        super().__init__(lengths, kind, **index)
        self._read, self.n_features, self.dtype = read, n_features, np.dtype(dtype)

    @classmethod
    def of(cls, read, n, kind):
        """Sequences of an X that is read once, to check it and to learn its lengths."""
        first = read(np.zeros(1, np.intp))
        lengths, dtype, n_padded, begin, n_per_read = [], first.dtype, None, 0, 1
        while begin < n:
            chunk = read(np.arange(begin, min(begin + n_per_read, n)))
            if chunk.n_features != first.n_features:
                raise ValueError(
                    f"X[{begin}] has {chunk.n_features} features per step, expected {first.n_features} as in X[0]"
                )
            dtype, n_padded = np.result_type(dtype, chunk.dtype), n_padded or chunk.n_padded
            lengths.append(chunk.lengths)
            begin += len(chunk)
            n_per_read = _n_per_read(chunk.mean_length * chunk.n_features * chunk.dtype.itemsize)
        return cls(
            read, np.concatenate(lengths), kind, first.n_features, dtype, n_padded=n_padded, columns=first.columns,
            names=first.names,
        )

    def map(self, change):
        """The sequences changed by a function, each time that they are read."""
        read = _Map(self, change)
        probe = read(np.zeros(1, np.intp))
        same = probe.n_features == self.n_features
        return LazySequences(
            read, self.lengths, self.kind, probe.n_features, probe.dtype, n_padded=self.n_padded,
            columns=self.columns if same else None, names=self.names if same else None,
        )

    def load(self, index):
        """Sequences in memory that hold the sequences `index`, and the indices of these among them."""
        chunk = self._read(index)
        other = np.flatnonzero(chunk.lengths != self.lengths[index])
        if len(other) or chunk.n_features != self.n_features:
            i = index[other[0] if len(other) else 0]
            raise ValueError(
                f"X[{i}] has changed while it was in use: it had {self.lengths[i]} steps of {self.n_features} features"
            )
        chunk = chunk.astype(self.dtype)
        chunk.mask_offsets = np.stack([self.starts[index] - chunk.starts, index])
        return chunk, np.arange(len(index))

    def iter_chunks(self, index):
        """The sequences `index` in chunks, each as `load` returns it."""
        n = _n_per_read(self.mean_length * self.n_features * self.dtype.itemsize)
        for first in range(0, len(index), n):
            yield self.load(index[first : first + n])

    def unshared(self):
        """These sequences: whatever is read has steps of its own."""
        return self

    def in_memory(self, what):
        """The same sequences all in memory, as `what` needs them; raises a ValueError if they do not fit."""
        n_bytes = float(self.lengths.sum()) * self.n_features * self.dtype.itemsize
        if n_bytes > 2 * memory.max_bytes():
            raise ValueError(
                f"{what} needs all of X at once, {n_bytes / 1e9:.1f} GB, more than half of the memory: choose another, "
                "or less data"
            )
        sequences = self.load(np.arange(len(self)))[0]
        sequences.category_counts = self.category_counts
        return sequences

    def astype(self, dtype, name="X"):
        """The same sequences in another dtype."""
        return self if self.dtype == dtype else self.map(partial(Sequences.astype, dtype=dtype, name=name))

    @property
    def shape(self):
        """(n,), as of an array of objects."""
        return (len(self),)

    def __getitem__(self, key):
        if isinstance(key, tuple):
            (key,) = (part for part in key if part is not Ellipsis)
        if isinstance(key, slice):
            chosen = np.arange(*key.indices(len(self)))
        else:
            key = np.asarray(key)
            chosen = np.flatnonzero(key) if key.dtype == bool else np.atleast_1d(key).astype(np.intp)
            if ((chosen < -len(self)) | (chosen >= len(self))).any() or (key.dtype == bool and len(key) != len(self)):
                raise IndexError(f"{key} is out of range: there are {len(self)} sequences")
            chosen = chosen % len(self)
            if key.ndim == 0:
                return self.load(chosen)[0].values
        return LazySequences(
            _Selection(self, chosen), self.lengths[chosen], self.kind, self.n_features, self.dtype,
            columns=self.columns, names=self.names, n_padded=self.n_padded,
        )

    def __repr__(self):
        return (
            f"{len(self)} sequences, {self.lengths.min()} to {self.lengths.max()} steps of {self.n_features} features, "
            f"{self.dtype}, read on demand"
        )


class _Map:
    """Reads sequences and changes them by a function."""

    def __init__(self, sequences, change):
        self.sequences, self.change = sequences, change

    def __call__(self, index):
        return self.change(self.sequences.load(index)[0])


class _Selection:
    """Reads a selection of sequences."""

    def __init__(self, sequences, chosen):
        self.sequences, self.chosen = sequences, chosen

    def __call__(self, index):
        return self.sequences.load(self.chosen[index])[0]


def _n_per_read(n_bytes):
    """How many sequences of this size are read at a time."""
    return max(1, int(MAX_BYTES_PER_READ / n_bytes))
