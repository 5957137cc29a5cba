"""Long tables of any library, which have a row per step: read as narwhals frames, and their columns looked up."""

import narwhals.stable.v2 as nw

from skrnn._data.columns import normalize_container
from skrnn._data.schemas import check_unique_names, library_of

TABLES = "a pandas or polars DataFrame, an Arrow Table, or a lazy frame of polars, DuckDB or Ibis"


def read_long(df, names, keys, expected=TABLES):
    """The narwhals frame of a table that has rows; of a lazy one the columns in use, collected and sorted.

    Parameters
    ----------
    df : table of any library
    names : list of str, or None
        The columns that are collected of a lazy frame; None for all.
    keys : list of str
        Those by which its engine sorts the rows; none leaves those of polars in their order.
    expected : str
        What messages say that `df` may be.
    """
    df = normalize_container(df, "df")
    check_unique_names(df, "df")
    frame = nw.from_native(df, pass_through=True)
    if isinstance(frame, nw.LazyFrame):
        if not keys and not frame.implementation.is_polars():
            raise ValueError(f"df is a {type(df).__name__}, whose rows have no order: expected a column of times")
        frame = _collected(frame, names, keys)
    if not isinstance(frame, nw.DataFrame):
        raise TypeError(f"df is a {type(df).__name__}, expected {expected}{_remedy(df)}")
    if not len(frame):
        raise ValueError("df has no rows, expected at least one")
    return frame


def _collected(frame, names, keys):
    """A lazy frame in memory."""
    columns = frame.collect_schema().names()
    if keys and all(key in columns for key in keys):        # what is missing is named where columns are looked up
        frame = frame.sort(*keys)
    chosen = frame if names is None else frame.select([name for name in columns if name in names])
    return nw.from_native(normalize_container(chosen.collect().to_native(), "df"))


def _remedy(df):
    """How a series becomes a table."""
    if library_of(df) == "pandas" and hasattr(df, "reset_index"):
        return ": pass df.reset_index(), a frame with its index and its values"
    return ": pass df.to_frame()" if hasattr(df, "to_frame") else ""


def column_of(frame, argument, name):
    """A column of a narwhals frame by its name; a ValueError names the argument if there is none."""
    if name not in frame.columns:
        levels = getattr(nw.maybe_get_index(frame), "names", ())
        remedy = "; it is in the index, use df.reset_index()" if name in levels else ""
        raise ValueError(f"{argument}={name!r}: expected one of the columns of df, {frame.columns}{remedy}")
    return frame.get_column(name)
