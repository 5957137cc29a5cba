"""What goes to other processes: lists of arrays as one array, and how many bytes an object holds."""

import sys

import numpy as np

from skrnn._data.ragged import RaggedArray
from skrnn._data.tables import as_objects

# Of longer lists the size is estimated, from so many items or twice as many
MAX_ITEMS_TO_MEASURE = 100


def joined(items):
    """A list, tuple or array of n arrays (T_i, D) or (T_i,) of one dtype as a RaggedArray, and what it was.

    It is pickled as two arrays in place of n. Anything else stays what it is, with None.
    """
    if not _is_list(items) or not len(items):
        return items, None
    first = items[0]
    if type(first) is not np.ndarray or first.dtype.hasobject or not first.dtype.isnative or first.ndim not in (1, 2):
        return items, None
    if any(type(x) is not np.ndarray or x.dtype != first.dtype or x.shape[1:] != first.shape[1:] for x in items):
        return items, None
    lengths = np.array(list(map(len, items)), dtype=np.intp)
    return RaggedArray(np.concatenate(items), lengths), type(items).__name__


def separated(items, container):
    """What `joined` was given: its items are views of one array."""
    if container is None:
        return items
    ends = np.cumsum(items.lengths).tolist()
    views = [items.values[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    return {"list": list, "tuple": tuple, "ndarray": as_objects}[container](views)


def n_bytes(values):
    """How many bytes values take in memory, about."""
    if _is_list(values):
        measured = values[:: max(1, len(values) // MAX_ITEMS_TO_MEASURE)]
        return sys.getsizeof(values) + sum(map(n_bytes, measured)) * len(values) // max(1, len(measured))
    if hasattr(values, "nbytes"):
        return int(values.nbytes)
    if hasattr(values, "estimated_size"):       # a frame or column of polars
        return int(values.estimated_size())
    return sys.getsizeof(values)


def _is_list(values):
    """Whether values are a list, a tuple, or an array (n,) of objects."""
    return type(values) in (list, tuple) or (type(values) is np.ndarray and values.dtype == object and values.ndim == 1)
