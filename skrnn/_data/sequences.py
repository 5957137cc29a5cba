"""Sequences as the estimators hold them: their steps in memory, or read when they are needed."""

from functools import partial

import numpy as np

from skrnn._data.ragged import rows_of
from skrnn._runtime import memory

# Numbers for which a temporary costs less than avoiding it
SMALL = 10_000
# Bytes that are read at a time where X is not in memory
MAX_BYTES_PER_READ = 2**24


class SequenceIndex:
    """How many steps sequences have, and what X was.

    Parameters
    ----------
    lengths : (n,) int array
    kind : {"table", "array", "ragged"}
        What X was: 2-D, 3-D, or a collection of sequences.
    columns : array or data frame, optional
        What the estimator's features are the columns of: a table itself, a frame with a column of lists a feature, or
        the first of a list of frames. None where features have no columns.
    names : list of str, optional
        Names of the features, where X has these but no columns.
    n_padded : int, optional
        Steps of each sequence of X, when the last ones of some were padding and have been left out.
    numbers : (n,) int array, optional
        Which sequences of X these are; None for all.
    """

    def __init__(self, lengths, kind, columns=None, names=None, n_padded=None, numbers=None):
        self.lengths, self.kind, self.columns, self.names = lengths, kind, columns, names
        self.n_padded, self.numbers = n_padded, numbers
        self.starts = np.cumsum(lengths) - lengths
        # How often each category occurs, where the steps are categories and have been counted
        self.category_counts = None

    def __len__(self):
        return len(self.lengths)

    @property
    def mean_length(self):
        """Steps of a sequence, on average."""
        return float(self.lengths.mean())

    def locate(self, row):
        """A sequence that has a row of the steps, by its number in X, and which of its steps that is."""
        sequence = np.flatnonzero((self.starts <= row) & (row < self.starts + self.lengths))[0]
        return int(sequence if self.numbers is None else self.numbers[sequence]), int(row - self.starts[sequence])

    def label(self, name, row, per_step):
        """How messages call a row of what belongs to the sequences, or to their steps."""
        return "{}[{}][{}]".format(name, *self.locate(row)) if per_step else f"{name}[{row}]"

    def split(self, rows):
        """Rows of steps, (total, ...), in the form of X: (n, T, ...), or an object array of (T_i, ...) if ragged.

        Padding that was left out gets the row of the sequence's last step.
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
    lengths, kind, **layout
        As in `Layout`.
    ids : (total,) int array, optional
        The category of each step, where the steps are categories.
    starts : (n,) int array, optional
        The row of each sequence's first step, where sequences share steps or lie in another order.
    """

    def __init__(self, values, lengths, kind, *, categories=None, starts=None, **layout):
        super().__init__(lengths, kind, **layout)
        # As the kernels read them: C-contiguous and aligned. A view where they are so already.
        self.values = np.require(values, requirements=["C", "A"])
        self.categories = categories
        # What numbers the masks of dropout, (2, n): what is added to the row of a step, so that it is the one that the
        # step has where sequences lie end to end, and the number of a sequence. None where that changes nothing.
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
        """That of the values."""
        return self.values.dtype

    @property
    def steps(self):
        """What the kernels read: values (total, D), or categories (total,)."""
        return self.values if self.categories is None else self.categories

    def replace(self, **changed):
        """The same sequences but for some of the parameters."""
        names = ("values", "lengths", "kind", "columns", "names", "categories", "n_padded", "numbers")
        starts = {} if self.contiguous else {"starts": self.starts}
        return Sequences(**{name: getattr(self, name) for name in names} | starts | changed)

    def copy_of(self, index):
        """A copy of the sequences `index`, one after the other."""
        lengths = self.lengths[index]
        rows = rows_of(self.starts[index], lengths)
        categories = None if self.categories is None else self.categories[rows]
        return self.replace(
            values=self.values[rows], categories=categories, lengths=lengths, starts=None, numbers=index
        )

    def view_of(self, index):
        """The sequences `index`, of the same steps."""
        kept = self.replace(lengths=self.lengths[index], starts=self.starts[index], numbers=index)
        if self.mask_offsets is None:
            kept.mask_offsets = np.stack([np.zeros_like(index), index])
        else:
            kept.mask_offsets = np.ascontiguousarray(self.mask_offsets[:, index])
        return kept

    def unshared(self):
        """The same sequences, each with steps of its own: where they share steps, copied when they are read."""
        if self.contiguous:
            return self
        return LazySequences(
            self.copy_of, self.lengths, self.kind, self.n_features, self.dtype, columns=self.columns, names=self.names
        )

    def in_memory(self, what):
        """The same sequences, of which each has steps of its own, all in memory, which `what` needs."""
        return self.unshared() if self.contiguous else self.unshared().in_memory(what)

    def map(self, change):
        """What a function makes of the sequences."""
        return change(self)

    def load(self, index):
        """Some of the sequences in memory, as sequences and numbers among these."""
        return self, index

    def iter_chunks(self, index):
        """The sequences `index` part by part, each as from `at`."""
        yield self.load(index)

    def astype(self, dtype, name="X"):
        """The same sequences in another dtype, C-contiguous; itself where nothing changes."""
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
        """The first value that is not finite, and where it stands; None when all are finite, or NaN if that may be."""
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
        if self.values.size < SMALL:
            return np.isfinite(self.values).all()
        # One pass without a temporary: the sum is finite unless a value is not, or it overflows.
        with np.errstate(over="ignore", invalid="ignore"):
            return np.isfinite(self.values.sum(dtype=np.float64))

    def used_rows(self):
        """Which rows of the values are steps of sequences, (total,) bool."""
        changes = np.zeros(len(self.values) + 1, np.intp)
        np.add.at(changes, self.starts, 1)
        np.add.at(changes, self.starts + self.lengths, -1)
        return np.cumsum(changes[:-1]) > 0


class LazySequences(SequenceIndex):
    """Sequences that are read when they are needed, of an X that need not fit in memory.

    What the transformers return for such an X: a collection of arrays (steps, features) that are computed when they are
    asked for. Slices, masks and arrays of indices select sequences and read nothing.

    Parameters
    ----------
    read : callable
        `Sequences` end to end for an array of numbers.
    lengths, kind, **layout
        As in `Layout`.
    n_features : int
    dtype : dtype
    """

    ndim = 1

    def __init__(self, read, lengths, kind, n_features, dtype, **layout):
        super().__init__(lengths, kind, **layout)
        self._read, self.n_features, self.dtype = read, n_features, np.dtype(dtype)

    @classmethod
    def of(cls, read, n, kind):
        """All of X read once, to check it and to learn its lengths."""
        first = read(np.zeros(1, np.intp))
        lengths, dtype, n_padded, begin, n_at_once = [], first.dtype, None, 0, 1
        while begin < n:
            part = read(np.arange(begin, min(begin + n_at_once, n)))
            if part.n_features != first.n_features:
                raise ValueError(
                    f"X[{begin}] has {part.n_features} features a step, expected {first.n_features} as in X[0]"
                )
            dtype, n_padded = np.result_type(dtype, part.dtype), n_padded or part.n_padded
            lengths.append(part.lengths)
            begin += len(part)
            n_at_once = _at_once(part.mean_length * part.n_features * part.dtype.itemsize)
        return cls(
            read, np.concatenate(lengths), kind, first.n_features, dtype, n_padded=n_padded, columns=first.columns,
            names=first.names,
        )

    def map(self, change):
        """What a function makes of the sequences, each time that they are read."""
        read = _Changed(self, change)
        probe = read(np.zeros(1, np.intp))
        same = probe.n_features == self.n_features
        return LazySequences(
            read, self.lengths, self.kind, probe.n_features, probe.dtype, n_padded=self.n_padded,
            columns=self.columns if same else None, names=self.names if same else None,
        )

    def load(self, index):
        """Some of the sequences in memory, as sequences and numbers among these."""
        part = self._read(index)
        other = np.flatnonzero(part.lengths != self.lengths[index])
        if len(other) or part.n_features != self.n_features:
            i = index[other[0] if len(other) else 0]
            raise ValueError(
                f"X[{i}] has changed while it was in use: it had {self.lengths[i]} steps of {self.n_features} features"
            )
        part = part.astype(self.dtype)
        part.mask_offsets = np.stack([self.starts[index] - part.starts, index])
        return part, np.arange(len(index))

    def iter_chunks(self, index):
        """The sequences `index` part by part, each as from `at`."""
        n = _at_once(self.mean_length * self.n_features * self.dtype.itemsize)
        for first in range(0, len(index), n):
            yield self.load(index[first : first + n])

    def unshared(self):
        """Itself: sequences that are read have steps of their own."""
        return self

    def in_memory(self, what):
        """The same sequences all in memory, which `what` needs, where they fit."""
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
            _Chosen(self, chosen), self.lengths[chosen], self.kind, self.n_features, self.dtype, columns=self.columns,
            names=self.names, n_padded=self.n_padded,
        )

    def __repr__(self):
        return (
            f"{len(self)} sequences, {self.lengths.min()} to {self.lengths.max()} steps of {self.n_features} features, "
            f"{self.dtype}, read when they are needed"
        )


class _Changed:
    """Reads what a function makes of sequences."""

    def __init__(self, sequences, change):
        self.sequences, self.change = sequences, change

    def __call__(self, index):
        return self.change(self.sequences.load(index)[0])


class _Chosen:
    """Reads some of the sequences."""

    def __init__(self, sequences, chosen):
        self.sequences, self.chosen = sequences, chosen

    def __call__(self, index):
        return self.sequences.load(self.chosen[index])[0]


def _at_once(n_bytes):
    """How many sequences of so many bytes are read at a time."""
    return max(1, int(MAX_BYTES_PER_READ / n_bytes))
