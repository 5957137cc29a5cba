"""Sequences that are read when they are needed, of an X that may be larger than memory."""

from functools import partial

import numpy as np

from skrnn._data.sequences import SequenceIndex, Sequences, cast_static, rows_or_none
from skrnn._data.sharded import ShardedSequences
from skrnn._data.units import WeightedMoments
from skrnn._runtime import memory

# Bytes that are read at a time if X is not in memory
MAX_BYTES_PER_READ = 2**24
# Smaller chunks are read whole
MAX_BYTES_PER_CHUNK = 2**26


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
    n_per_chunk : int
        How many sequences in a row are stored together, so that it takes no longer to read all of them.
    static : (n, S) array, optional
        The static features of each sequence, which are in memory.
    """

    ndim = 1

    def __init__(self, read, lengths, kind, n_features, dtype, n_per_chunk=1, static=None, **index):
        super().__init__(lengths, kind, **index)
        self.static = static
        self.n_per_chunk = n_per_chunk
        self._read, self.n_features, self.dtype = read, n_features, np.dtype(dtype)

    @classmethod
    def of(cls, read, n, kind, with_units=False):
        """Sequences of an X that is read once, to check it and to learn its lengths, and if wanted its units."""
        first = read(np.zeros(1, np.intp))
        lengths, dtype, n_padded, begin, chunk = [], first.dtype, None, 0, first
        moments = WeightedMoments() if with_units else None
        while begin < n:
            n_bytes = chunk.mean_length * chunk.n_features * chunk.dtype.itemsize
            chunk = read(np.arange(begin, min(begin + n_per_read(n_bytes, read.n_per_chunk), n)))
            if chunk.n_features != first.n_features:
                raise ValueError(
                    f"X[{begin}] has {chunk.n_features} features per step, expected {first.n_features} as in X[0]"
                )
            dtype, n_padded = np.result_type(dtype, chunk.dtype), n_padded or chunk.n_padded
            lengths.append(chunk.lengths)
            if with_units:
                moments.add(chunk, np.arange(len(chunk)))
            begin += len(chunk)
        sequences = cls(
            read, np.concatenate(lengths), kind, first.n_features, dtype, read.n_per_chunk, n_padded=n_padded,
            columns=first.columns, names=first.names,
        )
        if with_units:
            sequences.units = moments.units()
        return sequences

    def map(self, change):
        """The sequences changed by a function, each time that they are read."""
        read = _Map(self, change)
        probe = read(np.zeros(1, np.intp))
        same = probe.n_features == self.n_features
        return LazySequences(
            read, self.lengths, self.kind, probe.n_features, probe.dtype, self.n_per_chunk, n_padded=self.n_padded,
            columns=self.columns if same else None, names=self.names if same else None,
            static=cast_static(self.static, probe.dtype), n_codes=probe.n_codes, numbers=self.numbers,
        )

    def with_static(self, static):
        """The same sequences with other static features, (n, S)."""
        sequences = self.map(_unchanged)
        sequences.static = static
        return sequences

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
        chunk.numbers, chunk.static = self.number(index), rows_or_none(self.static, index)
        chunk.mask_offsets = np.stack([self.starts[index] - chunk.starts, index])
        return chunk, np.arange(len(index))

    def iter_chunks(self, index):
        """The sequences `index` in chunks, each as `load` returns it."""
        n = n_per_read(self.mean_length * self.n_features * self.dtype.itemsize, self.n_per_chunk)
        for first in range(0, len(index), n):
            yield self.load(index[first : first + n])

    def astype(self, dtype):
        """The same sequences in another dtype."""
        return self if self.dtype == dtype else self.map(partial(Sequences.astype, dtype=dtype))

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
            columns=self.columns, names=self.names, n_padded=self.n_padded, static=rows_or_none(self.static, chosen),
            n_codes=self.n_codes, numbers=rows_or_none(self.numbers, chosen),
        )

    def __repr__(self):
        return (
            f"{len(self)} sequences, {self.lengths.min()} to {self.lengths.max()} steps of {self.n_features} features, "
            f"{self.dtype}, read on demand"
        )


def _unchanged(sequences):
    return sequences


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


def n_per_read(n_bytes, n_per_chunk=1):
    """How many sequences of this size are read at a time: whole chunks, unless a chunk is much too large."""
    n = max(1, int(MAX_BYTES_PER_READ / n_bytes))
    if n_per_chunk * n_bytes > MAX_BYTES_PER_CHUNK:
        return n
    return max(n_per_chunk, n - n % n_per_chunk)


def unshared(sequences):
    """The same sequences, each with steps of its own: if they share steps, these are copied when they are read."""
    if isinstance(sequences, ShardedSequences):
        return sequences.changed(unshared)
    if isinstance(sequences, LazySequences) or sequences.contiguous:
        return sequences
    return LazySequences(
        sequences.copy_of, sequences.lengths, sequences.kind, sequences.n_features, sequences.dtype,
        columns=sequences.columns, names=sequences.names, static=sequences.static,
        n_codes=sequences.n_codes, numbers=sequences.numbers,
    )


def in_memory(sequences, what):
    """The same sequences, each with steps of its own, all in memory, as `what` needs them."""
    sequences = unshared(sequences)
    if not isinstance(sequences, LazySequences):
        return sequences
    n_bytes = float(sequences.lengths.sum()) * sequences.n_features * sequences.dtype.itemsize
    if n_bytes > 2 * memory.max_bytes():
        raise ValueError(
            f"{what} needs all of X at once, {n_bytes / 1e9:.1f} GB, more than half of the memory: choose another, or "
            "less data"
        )
    loaded = sequences.load(np.arange(len(sequences)))[0]
    loaded.category_counts = sequences.category_counts
    return loaded


def without_reading(sequences, what):
    """The same sequences, none of which are read on demand, as `what` needs them."""
    if isinstance(sequences, ShardedSequences):
        return sequences.changed(partial(without_reading, what=what))
    return in_memory(sequences, what) if isinstance(sequences, LazySequences) else sequences
