"""The cells of one sequence of an X in any form."""

import numpy as np

from skrnn._data.columns import cells_in, columns_of
from skrnn._data.parts import divide
from skrnn._data.ragged import RaggedArray
from skrnn._data.tables import is_frame, names_of, normalize_table
from skrnn._data.with_static import WithStatic
from skrnn._sklearn import select


class Cells:
    """The cells of one sequence of an X, or of numbers in its form.

    Parameters
    ----------
    X : array, list, RaggedArray, WithStatic or data frame
    number : int
    n_features : int
        Of a step of a table.

    Attributes
    ----------
    steps : (T, F) array
    static : (S,) array or None
    names, static_names : list or None
    """

    def __init__(self, X, number, n_features):
        self.static = self.static_names = self.names = None
        if isinstance(X, WithStatic):
            static = select(X.static, np.array([number]))
            self.static = (static.to_numpy() if is_frame(static) else np.asarray(static))[0]
            self.static_names, X = X.static_names, X.sequences
        X = normalize_table(X)
        table = divide(X)
        if table.table is not None:
            self._take_columns(table, number)
            return
        if isinstance(X, RaggedArray):
            self.names = X.feature_names
        one = select(X, np.array([number]))
        one = next(iter(one.to_numpy() if is_frame(one) else one))
        if is_frame(one):
            self.names = names_of(one)
            one = one.to_numpy()
        self.steps = np.asarray(one)
        if self.steps.ndim == 1:
            self.steps = self.steps.reshape(-1, n_features)

    def _take_columns(self, parts, number):
        named = columns_of(parts.table) or list(enumerate(parts.table.T))
        names, static, columns = [name for name, _ in named], parts.is_static, []
        cells = [cells_in(column, "X")[number] for column in named]
        for cell, is_static in zip(cells, static, strict=True):
            if not is_static:
                of_text = any(isinstance(each, str) for each in cell)
                columns.append(np.array(list(cell), dtype=object if of_text else None))
        self.names = [name for name, is_static in zip(names, static, strict=True) if not is_static]
        mixed = len({column.dtype.kind == "O" for column in columns}) > 1
        self.steps = np.stack([column.astype(object) if mixed else column for column in columns], axis=1)
        if any(static):
            self.static_names = [name for name, is_static in zip(names, static, strict=True) if is_static]
            self.static = np.array([cell for cell, is_static in zip(cells, static, strict=True) if is_static], object)
