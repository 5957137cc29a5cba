"""Conversion to numbers; whatever is not a number is an error that names it."""

from collections.abc import Hashable
from math import isfinite, nan
from numbers import Integral

import numpy as np
from scipy.sparse import issparse

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)


def all_finite(values):
    """Whether all values of a float array are finite; of a few in much less time than by ``np.isfinite`` alone."""
    return isfinite(np.vdot(values, values)) or bool(np.isfinite(values).all())


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
    check_not_masked(values, name)
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} is not an array: {error}") from error
    if array.dtype.kind == "O":
        return _from_objects(array, name)
    if array.dtype.kind in "SU" and array.size:
        index = next((index for index, text in np.ndenumerate(array) if not _is_number(text)), (0,) * array.ndim)
        raise ValueError(f"{cell_name(name, index)} is {str(array[index])!r}, expected a number")
    if array.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {name} has dtype {array.dtype}")
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name} has dtype {array.dtype}, expected numbers")
    return np.asarray(array, np.float32 if array.dtype.kind == "f" and array.dtype.itemsize == 4 else np.float64)


def check_not_masked(values, name):
    """Raise a ValueError for a masked array with masked values; pandas' masked arrays are none, they have NA."""
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise ValueError(f"{name} has masked values; fill them, or leave them out, first")


def _from_objects(array, name):
    numbers = np.empty(array.shape)
    for index, cell in np.ndenumerate(array):
        where = cell_name(name, index)
        if isinstance(cell, str | bytes):
            raise ValueError(f"{where} is {cell!r}, expected a number")
        try:
            numbers[index] = nan if is_missing(cell) else float(cell)
        except (TypeError, ValueError, OverflowError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"{where} is {type(cell).__name__} {cell!r:.50}, expected a number: {error}") from error
    return numbers


def cell_name(name, index):
    """What messages call the cell of an array at an index."""
    return f"{name}{list(index)}" if index else name


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def is_missing(cell):
    """Whether a cell is None, NaN, or pandas' NA or NaT."""
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(cell, float | np.floating) and bool(cell != cell)


def is_sized(x):
    """Whether x holds further values: a list, an array of at least one dimension, not a number or a text."""
    return not isinstance(x, str | bytes) and hasattr(x, "__len__") and getattr(x, "ndim", 1) > 0


def is_size(value):
    """Whether a value is a positive integer, and not a bool."""
    return isinstance(value, Integral) and not isinstance(value, bool) and value > 0


def is_hashable(value):
    """Whether a value is hashable, which a tuple is if its items are."""
    return all(map(is_hashable, value)) if isinstance(value, tuple) else isinstance(value, Hashable)
