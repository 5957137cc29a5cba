"""Tables of any library: some of their columns, and others in their place. And what their columns hold."""

from collections.abc import Mapping, Set

import numpy as np

from skrnn._data.numbers import is_missing, is_sized
from skrnn._data.schemas import dtype_of, innermost, kind_name, library_of

# Dtypes of categories: of pandas, of polars, of Arrow
CATEGORIES = ("CategoricalDtype", "Categorical", "Enum", "DictionaryType")


def is_table(X):
    """Whether X is a data frame, an Arrow table, or a 2-D object array."""
    if isinstance(X, np.ndarray):
        return X.ndim == 2 and X.dtype == object
    if library_of(X) == "polars":       # a lazy one would be asked for its columns
        return type(X).__name__ == "DataFrame"
    return library_of(X) in ("pandas", "pyarrow") and hasattr(X, "columns")


def is_frame(X):
    """Whether X is a data frame or an Arrow table."""
    return is_table(X) and not isinstance(X, np.ndarray)


def normalize_table(X):
    """A RecordBatch as an Arrow table; anything else unchanged."""
    if type(X).__name__ != "RecordBatch":
        return X
    import pyarrow as pa

    return pa.Table.from_batches([X])


def check_no_row(X, names):
    """Raise a ValueError for a row of a pandas frame with these columns, which could be taken for sequences."""
    is_series = type(X).__name__ == "Series" and library_of(X) == "pandas"
    if is_series and names is not None and len(names) > 1 and X.index.tolist() == list(names):
        raise ValueError(
            "X is a row of a data frame, a Series with its columns as index, expected a frame: of one row "
            "X.iloc[[i]] is one, X.iloc[i] is not"
        )


def names_of(table):
    """The labels of the columns of a table: names, or numbers."""
    if isinstance(table, np.ndarray):
        return list(range(table.shape[1]))
    return list(table.column_names if library_of(table) == "pyarrow" else table.columns)


def select_columns(table, places):
    """A table of some of the columns."""
    places = [int(place) for place in places]
    if isinstance(table, np.ndarray):
        return table[:, places]
    if library_of(table) == "pandas":
        return table.iloc[:, places]
    return table[:, places] if library_of(table) == "polars" else table.select(places)


def replace_columns(table, changed):
    """A table with other cells in some of its columns.

    Parameters
    ----------
    table : data frame, Arrow table or 2-D object array
    changed : dict
        For the place of a column its cells: an array (n,), a list of n arrays, or a column of the library of the table.
    """
    names, library = names_of(table), library_of(table)
    if isinstance(table, np.ndarray):
        table = table.copy()
        for place, cells in changed.items():
            table[:, place] = as_objects(cells)
    elif library == "pandas":
        import pandas as pd

        table = table.copy(deep=False)
        for place, cells in changed.items():
            cells = cells if hasattr(cells, "dtype") else as_objects(cells)
            table.isetitem(place, pd.Series(cells, index=table.index))
    elif library == "polars":
        import polars as pl

        table = table.with_columns(pl.Series(names[place], cells) for place, cells in changed.items())
    else:
        import pyarrow as pa

        for place, cells in changed.items():
            table = table.set_column(place, names[place], cells if hasattr(cells, "type") else pa.array(cells))
    return table


def table_of_lists(lists, others):
    """A table with columns of lists, and after them those of a frame with as many rows, of which it may have none.

    Parameters
    ----------
    lists : dict
        For each name a list of arrays or lists.
    others : data frame or Arrow table
    """
    if library_of(others) == "pandas":
        import pandas as pd

        table = pd.DataFrame({name: pd.Series(as_objects(cells)) for name, cells in lists.items()})
        return pd.concat([table, others], axis=1) if len(others.columns) else table
    if library_of(others) == "polars":
        import polars as pl

        return pl.DataFrame([pl.Series(name, cells) for name, cells in lists.items()] + others.get_columns())
    import pyarrow as pa

    table = pa.table({name: pa.array(cells) for name, cells in lists.items()})
    for name in others.column_names:
        table = table.append_column(name, others.column(name))
    return table


def append_columns(table, columns):
    """A table with further columns, (name, cells), at its end."""
    if isinstance(table, np.ndarray):
        return np.column_stack([table, *(as_objects(cells) for _, cells in columns)])
    for name, cells in columns:
        if library_of(table) == "pandas":
            table = table.assign(**{name: as_objects(cells)})
        elif library_of(table) == "polars":
            table = table.with_columns(cells.alias(name))
        else:
            table = table.append_column(name, cells)
    return table


def as_objects(cells):
    """Cells as an object array (n,)."""
    out = np.empty(len(cells), dtype=object)
    for i, cell in enumerate(cells):
        out[i] = cell
    return out


def holds_categories(cells):
    """Whether a column holds categories, in lists or not: strings, or what its dtype says to be such."""
    dtype = innermost(dtype_of(cells), CATEGORIES)
    kind = kind_name(dtype)
    if kind in CATEGORIES:
        return True
    if isinstance(cells, np.ndarray) or kind in ("ObjectDType", "Object"):
        return _first_is_string(cells)
    return kind in ("StringDtype", "String") or str(dtype) in ("string", "large_string", "string_view")


def categories_of_dtype(cells):
    """The categories that the dtype of a column announces, in its order, or None: those of pandas, an Enum of polars.
    """
    dtype = innermost(dtype_of(cells), CATEGORIES)
    if kind_name(dtype) == "CategoricalDtype" and dtype.categories is not None:
        return dtype.categories.tolist()
    return dtype.categories.to_list() if kind_name(dtype) == "Enum" else None


def _first_is_string(cells):
    """Whether the first value that is not missing, in cells or in lists in them, is a string."""
    for cell in cells:
        if isinstance(cell, np.ndarray) and cell.dtype.kind in "fiub":
            return False
        if isinstance(cell, Mapping | Set):
            return False
        if is_sized(cell):
            inner = next((value for value in cell if not is_missing(value)), None)
            if inner is not None:
                return isinstance(inner, str)
        elif not is_missing(cell):
            return isinstance(cell, str)
    return False
