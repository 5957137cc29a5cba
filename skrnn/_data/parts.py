"""X in two parts: the steps of sequences, and their static features; and which X has more than numbers of steps."""

from dataclasses import dataclass

import numpy as np

from skrnn._data.columns import cells_in, columns_of, first_cell
from skrnn._data.foreign import EMPTY, check_item
from skrnn._data.numbers import LISTS_AS_TEXT, is_sized
from skrnn._data.schemas import in_column, library_of
from skrnn._data.static_columns import StaticColumns
from skrnn._data.step_cells import ColumnsOfLists, frames_hold_categories, objects_in
from skrnn._data.tables import (
    as_objects,
    holds_categories,
    is_frame,
    is_table,
    names_of,
    normalize_table,
    select_columns,
)
from skrnn._data.with_static import WithStatic
from skrnn._messages import shown

FROM_DTYPE = "from_dtype"


@dataclass
class Parts:
    """X in two parts.

    Parameters
    ----------
    steps : container of sequences
    static : StaticColumns or None
    table : data frame, Arrow table, object array, or None
        X itself, if its columns are the features of the estimator.
    is_static : tuple of bool, or None
        Which of its columns are static features.
    """

    steps: object
    static: object = None
    table: object = None
    is_static: tuple | None = None

    def cells(self, n_steps):
        """The steps with categories that are no numbers yet; None if all steps are numbers."""
        if is_table(self.steps) and _are_lists(self.steps):
            return ColumnsOfLists(self.steps)
        return objects_in(self.steps, n_steps)


def divide(X, is_static=None):
    """X in `Parts`.

    Parameters
    ----------
    X : as the user passes it
    is_static : tuple of bool, optional
        Which columns of a frame are static features, as learned in fit.
    """
    if isinstance(X, WithStatic):
        steps = divide(X.sequences)
        if steps.static is not None:
            raise ValueError(
                f"the frame of sequences has columns without lists, {steps.static.names}: expected all static features "
                "in one place, the frame or static"
            )
        return Parts(steps.steps, StaticColumns.of(X.static, X.static_names, "X.static"))
    X = normalize_table(X)
    if not is_table(X):
        X = _from_column(X)
        if not is_table(X):
            return Parts(X)
    if not len(X):
        raise ValueError(EMPTY)
    if is_static is not None and len(is_static) == len(names_of(X)):
        check_kinds(X, is_static)
    else:
        lists = [is_sized(first_cell(cells)) for _, cells in columns_of(X)]
        if not any(lists):
            return Parts(X)
        is_static = tuple(not held for held in lists)
    places = np.flatnonzero(is_static)
    static = None
    if len(places):
        table = select_columns(X, places)
        names = [name if is_frame(X) else int(place) for name, place in zip(names_of(table), places, strict=True)]
        static = StaticColumns.of(table, names, "X")
    return Parts(select_columns(X, np.flatnonzero(~np.array(is_static))), static, X, is_static)


def check_kinds(X, is_static):
    """Raise a ValueError that names the first column that holds lists where fit saw values, or the other way round."""
    columns = columns_of(X) or list(enumerate(X.T))     # an array without lists has none
    for (name, cells), static in zip(columns, is_static, strict=True):
        first = first_cell(cells)
        if static and is_sized(first):
            raise ValueError(f"X{in_column(name)} holds lists, expected one value for each sequence as in fit")
        if not static and not is_sized(first):
            first = first.as_py() if hasattr(first, "as_py") else first     # a scalar of Arrow, which may be null
            remedy = f"; {LISTS_AS_TEXT}" if isinstance(first, str) and first.lstrip().startswith("[") else ""
            raise ValueError(
                f"X{in_column(name)} holds {shown(first)}, expected a list for each sequence as in fit{remedy}"
            )


def _from_column(X):
    """A series or an Arrow array of lists of strings as a table of one column; anything else unchanged."""
    if library_of(X) not in ("pandas", "polars", "pyarrow"):
        return X
    columns = columns_of(X)
    if len(columns) != 1 or not is_sized(first_cell(columns[0][1])) or not holds_categories(columns[0][1]):
        return X
    return X.to_frame() if hasattr(X, "to_frame") and X.name else as_objects(cells_in(columns[0], "X"))[:, np.newaxis]


def _are_lists(table):
    columns = columns_of(table)
    return bool(columns) and is_sized(first_cell(columns[0][1]))


def is_from_dtype(categorical_features):
    return isinstance(categorical_features, str) and categorical_features == FROM_DTYPE


def as_hashable(categorical_features):
    """The parameter as what can be compared: a list or an array as a tuple."""
    return tuple(categorical_features) if is_sized(categorical_features) else categorical_features


def is_mixed(X, categorical_features):
    """Whether X may have more than numbers of steps, which then has to be learned."""
    if isinstance(X, WithStatic) or not (categorical_features is None or is_from_dtype(categorical_features)):
        return True
    with_categories = categorical_features is not None
    if isinstance(X, list | tuple):
        return with_categories and len(X) > 0 and is_frame(X[0]) and any(frames_hold_categories(X))
    if isinstance(X, np.ndarray):
        return X.ndim == 2 and X.dtype == object and _differ(columns_of(X), with_categories)
    return library_of(X) in ("pandas", "polars", "pyarrow") and _differ(columns_of(X), with_categories)


def _differ(columns, with_categories):
    """Whether columns of lists have others beside them, or hold categories."""
    firsts = [first_cell(cells) for _, cells in columns]
    lists = list(map(is_sized, firsts))
    if not any(lists):
        return False
    if not all(lists):
        for (name, _), cell in zip(columns, firsts, strict=True):
            check_item(cell, f"the first cell of X{in_column(name)}")
    return not all(lists) or (with_categories and any(holds_categories(cells) for _, cells in columns))
