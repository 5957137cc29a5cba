"""Objects that are no array, table or collection of sequences, although they may have a length and items."""

from collections.abc import Collection, Mapping, Set

import narwhals.stable.v2 as nw
import numpy as np
from scipy.sparse import issparse

from skrnn._data.schemas import library_of

EXPECTED = "expected an array, a data frame, or a list of sequences"
AS_THEY_ARE = (np.ndarray, list, tuple, str, bytes, memoryview, Mapping, Set)
EMPTY = "Found array with 0 sample(s): X is empty, expected at least one sequence"
WINDOWS = ("Rolling", "Expanding", "ExponentialMovingWindow", "Window")


def check_not_foreign(values, name):
    """Raise a TypeError that names the type of what is no array, table or collection, and what to pass instead."""
    if isinstance(values, np.ndarray | list | tuple):
        if getattr(values, "ndim", 1) == 1 and len(values):
            check_item(values[0], f"{name}[0]")
        return
    remedy = _remedy(values, name)
    if remedy is not None:
        expected = EXPECTED if name == "X" else "expected an array or a list"
        raise TypeError(f"{name} is a {type(values).__name__}, {expected}{remedy}")


def items_of(values, name):
    """The items of an object that reads them on demand, as a list; anything else unchanged.

    NumPy would ask for items until there is an IndexError.
    """
    if isinstance(values, AS_THEY_ARE) or hasattr(values, "__array__") or not hasattr(values, "__len__"):
        return values
    if issparse(values):
        return values
    if not hasattr(values, "__getitem__"):
        return list(values)
    try:
        items = [values[i] for i in range(len(values))]
    except (LookupError, TypeError) as error:
        raise TypeError(missing_items(values, name, error)) from error
    for i, item in enumerate(items):
        check_item(item, f"{name}[{i}]")
        check_no_pair(item, f"{name}[{i}]")
    return items


def missing_items(values, name, error):
    """The message for an object that does not have all items."""
    return f"{name} is a {type(values).__name__} whose items {name}[0], {name}[1], ... are not all there: {error!r}"


def _remedy(values, name):
    """What to pass instead of values; None if these may be what is expected."""
    kind = type(values).__name__
    library = library_of(values)
    if library == "h5py" and not values:
        return ": its file is closed"
    if library == "torch" and getattr(values, "is_nested", False):
        return f": pass list({name}.unbind())"
    if library == "pyarrow" and kind == "Tensor":
        return f": pass {name}.to_numpy()"
    # In a frame of pandas or Arrow narwhals allows no name twice
    lazy = library not in ("pandas", "pyarrow") and isinstance(nw.from_native(values, pass_through=True), nw.LazyFrame)
    if lazy or (library == "dask" and not isinstance(getattr(values, "chunks", None), tuple)):
        return f": pass a table in memory, {name}.{'compute' if library == 'dask' else 'collect'}()"
    if library == "dask" and any(size != size for size in values.shape):
        return f": its chunks have sizes that are not known, pass {name}.compute_chunk_sizes()"
    if "groupby" in kind.lower() or kind.endswith("Resampler"):
        return ": instead of a GroupBy use sequences_from_long(df, group=..., time=...), which makes them of its groups"
    if library == "pandas" and kind in WINDOWS:
        return ": use SlidingWindow, which makes windows of rows"
    if isinstance(values, Mapping) or _has_named_arrays(values):
        return f": pass an array in it, {name}[...], or list({name}.values()) if each of its values is a sequence"
    if isinstance(values, set | frozenset):
        return ": a set has no order"
    if not hasattr(values, "__array__") and not hasattr(values, "__getitem__"):
        return f": pass list({name})" if hasattr(values, "__iter__") and not isinstance(values, Collection) else None
    return None


def _has_named_arrays(values):
    """Whether values are a file or a group of arrays, as those of Zarr, which is no Mapping."""
    return callable(getattr(values, "keys", None)) and not hasattr(values, "dtype") and not hasattr(values, "columns")


def check_item(item, name):
    """Raise a TypeError if an item of a collection is a dict, a set, or no array, table or collection either."""
    if isinstance(item, np.ndarray | list):
        return
    if isinstance(item, Mapping):
        raise TypeError(
            f"{name} is a {type(item).__name__}, expected numbers: pass records, a list of dicts, as a table, "
            "pd.DataFrame(records), or pass the arrays in them"
        )
    if isinstance(item, set | frozenset):
        raise TypeError(f"{name} is a {type(item).__name__}, which has no order: expected an array or a list")
    if hasattr(item, "__array__") or isinstance(item, AS_THEY_ARE):
        return
    remedy = _remedy(item, name)
    if remedy is not None:
        raise TypeError(f"{name} is a {type(item).__name__}, expected an array or a list{remedy}")


def check_no_pair(item, name):
    """Raise a TypeError if an item of a collection is a pair, such as (x, y) or the (key, rows) of a GroupBy."""
    if isinstance(item, tuple) and any(hasattr(part, "__array__") and np.ndim(part) for part in item):
        raise TypeError(
            f"{name} is a tuple of {len(item)}, expected an array: of pairs (x, y) pass X and y apart, in two objects, "
            "and of the pairs (key, rows) of a GroupBy the rows, [rows for _, rows in groups]"
        )
