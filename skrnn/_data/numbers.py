"""Conversion to numbers; whatever is not a number is an error that names it."""

from collections.abc import Hashable
from datetime import date, time, timedelta
from math import isfinite, nan
from numbers import Integral

import numpy as np
from scipy.sparse import issparse

from skrnn._data.foreign import check_no_pair, items_of
from skrnn._data.schemas import check_schema, in_column, library_of, no_dates, schema_of
from skrnn._messages import shown

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
DATES = (date, time, timedelta, np.datetime64, np.timedelta64)
LISTS_AS_TEXT = "a CSV file holds lists as text: keep them as Parquet, or make lists of the text first"
# Of some of them float() would make a number
NO_NUMBERS = (str, bytes, *DATES)


def all_finite(values):
    """Whether all values of a float array are finite; of a few in much less time than by ``np.isfinite`` alone."""
    return isfinite(np.vdot(values, values)) or bool(np.isfinite(values).all())


def for_kernels(array):
    """An array as the kernels read it, C-contiguous and aligned; itself if it is so."""
    flags = array.flags
    return array if flags.c_contiguous and flags.aligned else np.require(array, requirements=["C", "A"])


def as_numbers(values, name):
    """A float32 array if values are float32, else a float64 array; NaN where a value is missing.

    Parameters
    ----------
    values : array-like
    name : str
        What messages call the values; the one at (3, 2) is ``name[3, 2]``.

    Raises
    ------
    ValueError, TypeError
        For strings, dates, complex or masked values, ragged nesting and anything else that is not a number.
    """
    # What needs no conversion: a step of a stream takes no longer than this check.
    if type(values) is np.ndarray and (values.dtype == FLOAT32 or values.dtype == FLOAT64):
        return values
    if issparse(values):
        raise TypeError(f"Sparse data was passed for {name}, but sequences are dense; use {name}.toarray()")
    check_unmasked(values, name)
    is_pandas = library_of(values) == "pandas"
    if not is_pandas:
        check_schema(values, name)
    array = as_array(values, name)
    kind = array.dtype.kind
    if kind in "fiub":
        return np.asarray(array, np.float32 if kind == "f" and array.dtype.itemsize == 4 else np.float64)
    # pandas makes no numbers of dates, and is asked for its dtypes only here, since this takes longer than the array
    if is_pandas:
        check_schema(values, name)
    if kind == "O":
        return _from_objects(array, name, _names_of_columns(values))
    if kind in "SU" and array.size:
        index = next((index for index, text in np.ndenumerate(array) if not is_number(text)), (0,) * array.ndim)
        columns = _names_of_columns(values)
        remedy = _for_texts(array[index], name, index, columns)
        raise ValueError(f"{cell_name(name, index, columns)} is {shown(array[index])}, expected a number{remedy}")
    if kind == "c":
        raise ValueError(f"Complex data not supported: {name} has dtype {array.dtype}")
    if kind in "mM":
        raise TypeError(f"{name} has dtype {array.dtype}, {no_dates()}")
    raise ValueError(f"{name} has dtype {array.dtype}, expected numbers")


def as_array(values, name):
    """Values as NumPy reads them; a TypeError or ValueError that names them where it cannot."""
    values = items_of(values, name)
    try:
        return np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        check_no_pair(values, name)
        for i, item in enumerate(values if isinstance(values, list) else ()):
            check_no_pair(item, f"{name}[{i}]")
        kind = ValueError if isinstance(error, ValueError) else TypeError
        raise kind(f"{name} is not an array: {error}{_for_numpy(values, name)}") from error


def is_tensor(values):
    """Whether values are a tensor of PyTorch."""
    return library_of(values) == "torch" and hasattr(values, "layout")


def _for_numpy(values, name):
    """What turns a tensor of PyTorch into one that NumPy reads."""
    if not is_tensor(values):
        return ""
    if values.device.type == "meta":
        return "; a meta tensor has no values"
    calls = [
        (values.requires_grad, ".detach()"), (str(values.layout) != "torch.strided", ".to_dense()"),
        (values.device.type != "cpu", ".cpu()"), (str(values.dtype) == "torch.bfloat16", ".float()"),
    ]
    return f"; pass {name}" + "".join(call for needed, call in calls if needed)


def check_unmasked(values, name):
    """Raise a ValueError if an array of NumPy has masked values; pandas' masked arrays are none, they have NA."""
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise ValueError(f"{name} has masked values; fill them, or leave them out, first")


def _from_objects(array, name, columns):
    numbers = np.empty(array.shape)
    for index, cell in np.ndenumerate(array):
        numbers[index] = nan if is_missing(cell) else _number(cell, name, index, columns)
    return numbers


def _number(cell, name, index, columns):
    """A cell as a float, or an error that names it."""
    if not isinstance(cell, NO_NUMBERS):
        try:
            return float(cell)
        except (TypeError, ValueError, OverflowError, RuntimeError) as error:
            kind = ValueError if isinstance(error, ValueError | OverflowError) else TypeError
            where = cell_name(name, index, columns)
            remedy = no_dates() if is_date(cell) else f"expected a number: {error}"
            raise kind(f"{where} is {type(cell).__name__} {shown(cell)}, {remedy}") from error
    where = cell_name(name, index, columns)
    if isinstance(cell, DATES):
        raise TypeError(f"{where} is {type(cell).__name__} {cell!s:.50}, {no_dates()}")
    remedy = _for_texts(cell, name, index, columns) if isinstance(cell, str) else ""
    raise ValueError(f"{where} is {shown(cell)}, expected a number{remedy}")


def _for_texts(text, name, index, columns):
    """What makes sequences of an X that holds texts: each of its items, or a cell of a table with names of columns."""
    if name != "X":
        return ""
    if len(index) == 1:
        return "; SequenceVectorizer makes sequences of texts"
    if not columns:
        return ""
    if text.lstrip().startswith("["):
        return f"; {LISTS_AS_TEXT}"
    return (
        "; encode strings, or make sequences of a table with a row per step by sequences_from_long(static=[]), which "
        "keeps them"
    )


def _names_of_columns(values):
    """The names of the columns of a table, or of the cells of a row of one, if these are strings; none otherwise."""
    if hasattr(values, "columns"):
        return [name for name, _ in schema_of(values)]
    names = getattr(values, "index", None)      # a method of lists
    return [] if names is None or callable(names) or not all(isinstance(name, str) for name in names) else list(names)


def cell_name(name, index, columns=()):
    """What messages call the cell of an array at an index."""
    if not index:
        return name
    return f"{name}{list(index)}" + in_column(columns[index[-1]] if len(columns) > index[-1] else None)


def is_number(text):
    """Whether a text is that of a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def is_date(cell):
    """Whether a cell is a date, a time, a duration or a period."""
    return isinstance(cell, DATES) or type(cell).__name__ == "Period"


def is_missing(cell):
    """Whether a cell is None, NaN, or pandas' NA or NaT."""
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(cell, float | np.floating) and bool(cell != cell)


def is_sized(x):
    """Whether x holds further values: a list, an array of at least one dimension, not a number or a text."""
    return not isinstance(x, str | bytes) and hasattr(x, "__len__") and getattr(x, "ndim", 1) > 0


def is_positive_int(value):
    """Whether a value is a positive integer, and not a bool."""
    return isinstance(value, Integral) and not isinstance(value, bool) and value > 0


def is_hashable(value):
    """Whether a value is hashable, which a tuple is if its items are."""
    return all(map(is_hashable, value)) if isinstance(value, tuple) else isinstance(value, Hashable)
