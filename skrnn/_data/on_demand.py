"""Containers whose sequences are read on demand: which these are, and how sequences are read from them."""

from math import prod
from numbers import Integral

import numpy as np

from skrnn._data import lazy
from skrnn._data.lazy import LazySequences
from skrnn._data.missing import without_padding
from skrnn._data.numbers import is_sized
from skrnn._data.ragged import RaggedArray, gathered, is_mapped
from skrnn._data.schemas import library_of
from skrnn._runtime import memory

# An array of another library that takes at most this part of the memory of a batch is read at once
FRACTION_READ_AT_ONCE = 0.5
# Up to so many rows per row in use are read as one slice, which is faster with HDF5 and Zarr than indices
MAX_ROWS_PER_ROW_IN_USE = 8
# What an array takes in addition to its values
OBJECT_BYTES = 120


def is_read_in_chunks(X, columns, in_place):
    """Whether X may be larger than memory: a memory-mapped array, or an object that reads its items on demand."""
    if isinstance(X, LazySequences):
        return True
    numbers = X.values if isinstance(X, RaggedArray) else X
    if is_mapped(numbers):
        usable = any(numbers.dtype == dtype for dtype in in_place)
        usable &= numbers.flags.c_contiguous and numbers.flags.aligned
        return (isinstance(X, RaggedArray) or X.ndim == 3) and not usable
    if isinstance(X, list | tuple | np.ndarray | RaggedArray) or columns or not hasattr(X, "__getitem__"):
        return False
    if hasattr(X, "__array__"):
        return not _shares_memory(X) and (getattr(X, "ndim", 0) == 3 or _holds_arrays(X))
    return hasattr(X, "__len__")


def _shares_memory(X):
    """Whether the library of an array says where it lies in memory, as those of PyTorch and JAX do."""
    return hasattr(X, "__array_interface__") or hasattr(X, "__dlpack__")


def _holds_arrays(X):
    """Whether X is one-dimensional and its items are arrays, as HDF5's of variable length are."""
    if getattr(X, "ndim", 0) != 1 or X.shape[0] == 0:
        return False
    return is_sized(np.asarray(X[:1])[0] if is_lazy_array(X) else X[0])


def is_lazy_array(X):
    """Whether X is an array of a library that may keep it outside of memory, as those of HDF5, Zarr and dask are."""
    if isinstance(X, np.ndarray | RaggedArray) or library_of(X) in ("pandas", "polars", "pyarrow") or _shares_memory(X):
        return False
    return all(hasattr(X, name) for name in ("__array__", "__getitem__", "shape", "dtype"))


def read_if_small(X):
    """An array of another library as one of NumPy if it is in memory or small; anything else as it is.

    X is small if it takes at most `FRACTION_READ_AT_ONCE` of the memory that a batch may take.
    """
    if not is_lazy_array(X):
        return X
    max_bytes = FRACTION_READ_AT_ONCE * memory.max_bytes()
    if _holds_arrays(X):
        read = _read_arrays(X, max_bytes)
        return X if read is None else read
    if len(X.shape) != 3:
        return X
    if prod(X.shape) * (4 if X.dtype == np.float32 else 8) <= max_bytes:
        return np.asarray(X[:])
    return np.asarray(X) if _is_in_memory(X) else X


def _read_arrays(X, max_bytes):
    """The arrays that a one-dimensional X holds, as an object array; None if they take more than `max_bytes`."""
    parts, first, n_bytes, n = [], 0, 0, 1
    while first < X.shape[0]:
        parts.append(np.asarray(X[first : first + n]))
        n_bytes += sum(OBJECT_BYTES + 8 * np.size(x) for x in parts[-1])
        if n_bytes > max_bytes:
            return None
        first += len(parts[-1])
        n = lazy.n_per_read(n_bytes / first)
    return np.concatenate(parts)


def _is_dask(X):
    return hasattr(X, "__dask_graph__") and X.__dask_graph__() is not None


def _is_in_memory(X):
    """Whether X is an array in memory to which its library only adds names: its slices are views of the same memory."""
    return not _is_dask(X) and np.shares_memory(np.asarray(X[:1]), np.asarray(X[:1]))


def rows_per_chunk(X):
    """How many rows of X are stored together, 1 if that is not known."""
    chunks = getattr(X, "chunks", None) or getattr(X, "encoding", {}).get("chunksizes")
    if not chunks or not is_lazy_array(X):
        return 1
    return int(chunks[0] if isinstance(chunks[0], Integral) else chunks[0][0])


def read_rows(X, index):
    """The rows of an array of another library at the indices, in any order, each read once."""
    rows, places = np.unique(index, return_inverse=True)
    first, last = int(rows[0]), int(rows[-1]) + 1
    if last - first > MAX_ROWS_PER_ROW_IN_USE * len(rows):
        # The library reads whole chunks, each once; HDF5 wants increasing indices
        return np.asarray(X[rows])[places]
    n = lazy.n_per_read(X.dtype.itemsize * prod(X.shape[1:]))
    if _is_dask(X) or last - first <= n:
        return np.asarray(X[first:last])[np.asarray(index) - first]
    parts = []
    for begin in range(first, last, n):
        end = min(begin + n, last)
        parts.append(np.asarray(X[begin:end])[rows[np.searchsorted(rows, begin) : np.searchsorted(rows, end)] - begin])
    return np.concatenate(parts)[places]


class Reader:
    """Reads the sequences of X at given indices, and checks them.

    Parameters
    ----------
    X : LazySequences, RaggedArray, array, or object with items
    convert : callable
        Returns the sequences of a part of X, given the part, its indices and the first frame of X.
    check : callable
        Raises an error for sequences whose values cannot be used.
    leave_out_padding : bool
        As in `as_sequences`.
    """

    def __init__(self, X, convert, check, leave_out_padding):
        self.X, self.convert, self.check, self.leave_out_padding = X, convert, check, leave_out_padding
        self.array = getattr(X, "ndim", 0) == 3
        self.kind = X.kind if isinstance(X, LazySequences) else "array" if self.array else "ragged"
        self.columns = None
        self.n_per_chunk = X.n_per_chunk if isinstance(X, LazySequences) else rows_per_chunk(X)

    def __call__(self, index):
        X = self.X
        if isinstance(X, LazySequences):
            chunk = X.load(index)[0].replace(columns=X.columns, names=X.names)
        else:
            chunk = self.convert(self._part(index), index=index, first=self.columns)
            self.columns = chunk.columns if self.columns is None else self.columns
        chunk = chunk.replace(numbers=index)
        self.check(chunk)
        return without_padding(chunk) if self.leave_out_padding else chunk

    def _part(self, index):
        """The sequences of X at the indices: an array (n, T, D), a RaggedArray or a list."""
        if isinstance(self.X, RaggedArray):
            starts, lengths = self.X.starts[index], self.X.lengths[index]
            return RaggedArray(gathered(self.X.values, starts, lengths), lengths, None, self.X.feature_names)
        if is_mapped(self.X):
            return self.X[index]
        if is_lazy_array(self.X):
            rows = read_rows(self.X, index)
            return rows if self.array else list(rows)
        items = [self.X[int(i)] for i in index]
        return np.stack([np.asarray(item) for item in items]) if self.array else items
