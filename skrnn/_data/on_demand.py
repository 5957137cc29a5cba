"""Containers whose sequences are read on demand: which these are, and how sequences are read from them."""

import numpy as np

from skrnn._data.lazy import LazySequences
from skrnn._data.missing import without_padding
from skrnn._data.numbers import is_sized
from skrnn._data.ragged import RaggedArray, gathered, is_mapped


def is_read_in_chunks(X, columns, in_place):
    """Whether X may be larger than memory: a memory-mapped array, or an object that reads its items on demand."""
    if isinstance(X, LazySequences):
        return True
    numbers = X.values if isinstance(X, RaggedArray) else X
    if is_mapped(numbers):
        usable = any(numbers.dtype == dtype for dtype in in_place)
        usable &= numbers.flags.c_contiguous and numbers.flags.aligned
        return (isinstance(X, RaggedArray) or X.ndim == 3) and not usable
    if isinstance(X, list | tuple | np.ndarray | memoryview | RaggedArray) or columns:
        return False
    if hasattr(X, "__array__"):
        # Those of PyTorch and JAX are in memory
        if hasattr(X, "__array_interface__") or hasattr(X, "__dlpack__") or not hasattr(X, "__getitem__"):
            return False
        n_dims = getattr(X, "ndim", 0)
        # One-dimensional arrays may hold arrays, as HDF5's of variable length do
        return n_dims == 3 or (n_dims == 1 and len(X) > 0 and is_sized(X[0]))
    return hasattr(X, "__len__") and hasattr(X, "__getitem__")


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
        items = [self.X[int(i)] for i in index]
        return np.stack([np.asarray(item) for item in items]) if self.array else items
