"""Static features, column by column: numbers, or categories."""

from typing import NamedTuple

import numpy as np

from skrnn._data.columns import cells_in, columns_of
from skrnn._data.numbers import as_numbers
from skrnn._data.schemas import check_schema
from skrnn._data.tables import categories_of_dtype, holds_categories, is_frame
from skrnn._messages import shown


class StaticColumns(NamedTuple):
    """Columns with a value for each sequence.

    Parameters
    ----------
    names : list
        Names of the columns, or their numbers.
    columns : list
        The cells of each.
    where : str
        What messages call what holds them.
    """

    names: list
    columns: list
    where: str

    @classmethod
    def of(cls, table, names, where):
        """The columns of a frame or an array (n, S)."""
        check_schema(table, where, unique_names=True)
        columns = [cells for _, cells in columns_of(table)] if is_frame(table) else list(table.T)
        return cls(list(range(len(columns))) if names is None else list(names), columns, where)

    def holds_categories(self):
        """Which columns hold categories, by their dtype or first value."""
        return [
            holds_categories(cells) if getattr(getattr(cells, "dtype", None), "kind", "O") in "OSU" else False
            for cells in self.columns
        ]

    def announced(self, j):
        """The categories that the dtype of a column announces, or None."""
        return categories_of_dtype(self.columns[j])

    def cells(self, j):
        """The cells of a column as an array of numbers, or a list."""
        column = self.columns[j]
        if isinstance(column, np.ndarray) and column.dtype.kind in "fiub":
            return column
        return cells_in((self.names[j], column), self.where)

    def label(self, j):
        """What messages call the cells of a column: a function of their number."""
        name = self._name(j)
        return lambda i: f"{name}[{i}]"

    def _name(self, j):
        name = self.names[j]
        return f"{self.where}[{name!r}]" if isinstance(name, str) else f"{self.where}[:, {name}]"

    def values(self, encodings, dtype):
        """Numbers, NaN where one is missing, and then the codes of columns that have an encoding, (n, S) of a dtype."""
        numbers = [self._numbers(j, dtype) for j, encoding in enumerate(encodings) if encoding is None]
        encoded = [(j, encoding) for j, encoding in enumerate(encodings) if encoding is not None]
        codes = [encoding.encode(self.cells(j), self.label(j)) for j, encoding in encoded]
        return np.stack([*numbers, *codes], axis=1).astype(dtype)

    def _numbers(self, j, dtype):
        """A column of numbers, float64 (n,), that a dtype holds."""
        values = np.asarray(as_numbers(self.columns[j], self._name(j)), np.float64)
        large = np.flatnonzero(np.abs(values) > np.finfo(dtype).max)
        if len(large):
            where, value = self.label(j)(large[0]), values[large[0]]
            if np.isinf(value):
                raise ValueError(f"{where} is {shown(value)}, expected a finite number")
            raise ValueError(f"{where} is {value:.4g}, too large for {np.dtype(dtype)}, the dtype of steps; scale it")
        return values


def check_not_missing(static, columns, encodings):
    """Raise a ValueError that names the first number that is missing.

    Parameters
    ----------
    static : (n, S) array
        As `StaticColumns.values` returns it.
    columns : StaticColumns
    encodings : tuple of Encoding or None
    """
    numbers = [j for j, encoding in enumerate(encodings) if encoding is None]
    missing = np.argwhere(np.isnan(static[:, : len(numbers)]))
    if len(missing):
        i, j = map(int, missing[0])
        raise ValueError(
            f"Input X contains NaN: {columns.label(numbers[j])(i)} is missing, expected a finite number: "
            'missing="ffill" or missing="indicator" takes the mean of the column'
        )
