"""The columns of lists of numbers of a frame, which transformers change; they leave all others, and static features."""

from typing import NamedTuple

import narwhals.stable.v2 as nw
import numpy as np

from skrnn._data.columns import columns_of, first_cell
from skrnn._data.features import attributes_of_columns, columns_of_table
from skrnn._data.numbers import is_sized
from skrnn._data.parts import FROM_DTYPE, check_kinds, is_mixed
from skrnn._data.tables import (
    append_columns,
    holds_categories,
    is_table,
    names_of,
    normalize_table,
    replace_columns,
    select_columns,
)
from skrnn._data.with_static import WithStatic
from skrnn._plain import expect, plain
from skrnn._sklearn import check_columns
from skrnn.preprocessing._forms import with_indicators


@plain
class NumberColumns(NamedTuple):
    """Which columns of a frame a transformer changes: those of lists of numbers.

    Parameters
    ----------
    n_features_in : int
        Of all columns.
    feature_names : tuple of str, or None
        Their names.
    is_number : tuple of bool
        Which hold lists of numbers.
    """

    n_features_in: int
    feature_names: tuple[str, ...] | None
    is_number: tuple[bool, ...]

    def check_parts(self):
        """Raise a ValueError if the parts do not go together."""
        n = self.n_features_in
        expect(len(self.is_number) == n, "there are not as many kinds of columns as columns")
        expect(self.feature_names is None or len(self.feature_names) == n, "there are not as many names as columns")

    def attributes(self):
        """The public attributes that a fit sets."""
        return attributes_of_columns(self.n_features_in, self.feature_names)

    def numbers(self, estimator, X):
        """The columns of a frame that a transformer changes; raises an error for other columns than in fit."""
        X = normalize_table(X)
        if not is_table(X):
            raise TypeError(f"X is a {type(X).__name__}, expected a frame with the columns of fit")
        check_columns(estimator, X, self.attributes())
        numbers = select_columns(X, np.flatnonzero(self.is_number))
        check_kinds(numbers, [False] * len(names_of(numbers)))
        return numbers

    def put_back(self, X, changed, library):
        """The frame with changed columns in their places, and further ones, of indicators, at its end.

        Parameters
        ----------
        X : data frame, Arrow table or 2-D object array
        changed : the same, or a data frame of `library`
        library : {"default", "pandas", "polars"}
            What the result is to be.
        """
        X = normalize_table(X)
        if library != "default" and not isinstance(X, np.ndarray):
            frame = nw.from_native(X)
            X = frame.to_pandas() if library == "pandas" else frame.to_polars()
        elif library != "default":
            X = nw.from_numpy(X, schema=[f"x{j}" for j in names_of(X)], backend=library).to_native()
        columns, places = columns_of(changed), np.flatnonzero(self.is_number)
        out = replace_columns(X, {int(j): cells for j, (_, cells) in zip(places, columns, strict=False)})
        return append_columns(out, columns[len(places) :])

    def names(self, indicators):
        """Names of the columns that the transformer returns."""
        names = [f"x{j}" for j in range(self.n_features_in)] if self.feature_names is None else list(self.feature_names)
        numbers = [name for name, is_number in zip(names, self.is_number, strict=True) if is_number]
        return np.array(names + with_indicators(numbers)[len(numbers) :] * indicators, dtype=object)


def check_columns_of(fitted):
    """Raise a ValueError unless what a transformer has learned is of numbers, or of those among its columns."""
    expect(fitted.reading.n_categories == 0, "it reads categories")
    if fitted.columns is not None:
        n, expected = sum(fitted.columns.is_number), fitted.reading.n_features_in
        expect(n == expected, f"{n} columns are numbers, expected {expected}")


def learn_number_columns(estimator, X):
    """The sequences of numbers in X, and which columns of X they are; None if they are all of it.

    Parameters
    ----------
    estimator : estimator
        Not changed.
    X : as `fit` takes it
    """
    if isinstance(X, WithStatic):
        X = X.sequences
    if not is_mixed(X, FROM_DTYPE) or not is_table(X):
        return X, None
    X = normalize_table(X)
    is_number = tuple(is_sized(first_cell(cells)) and not holds_categories(cells) for _, cells in columns_of(X))
    if not any(is_number):
        raise ValueError(f"X has no column of lists of numbers, only {names_of(X)}")
    n, names = columns_of_table(estimator, X)
    return select_columns(X, np.flatnonzero(is_number)), NumberColumns(n, names, is_number)


def keep_static(X, change):
    """`WithStatic` with its sequences changed by a function."""
    return WithStatic(change(X.sequences), X.static, X.static_names)
