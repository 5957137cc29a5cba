"""SlidingWindow: from the rows of a table to the windows that end at them."""

from itertools import repeat
from numbers import Integral
from typing import ClassVar

import narwhals.stable.v2 as nw
import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from skrnn._data.columns import are_sequences, columns_of, normalize_container
from skrnn._data.containers import as_sequences, check_dimensions, check_type
from skrnn._data.numbers import as_array, is_hashable, is_missing
from skrnn._data.ragged import RaggedArray
from skrnn._data.reading import Reading, learn_table, set_attributes
from skrnn._data.schemas import check_unique_names
from skrnn._data.with_static import WithStatic
from skrnn._messages import shown
from skrnn._parameters import CheckedParametersMixin
from skrnn._pickling import StoredMixin, stored_estimator
from skrnn._sklearn import CallbackSupportMixin, Interval, checks_parameters, one_task
from skrnn.preprocessing._context import Context, codes_of, labels_of
from skrnn.preprocessing._forms import RaggedOutput
from skrnn.preprocessing._number_columns import keep_static


@stored_estimator(fitted=tuple[Reading, int, str | int | None, Context | None])
class SlidingWindow(
    CallbackSupportMixin, StoredMixin, CheckedParametersMixin, RaggedOutput, TransformerMixin, BaseEstimator
):
    """Windows over a table whose rows are ordered in time: each row with the rows before it.

    n rows give n windows, so that it fits between a table and a network in a Pipeline, and y stays the same: one target
    per row. A window never has later rows, and the first windows are shorter, so that no value is made up. Windows
    share their rows: they take no more memory than the table.

    Parameters
    ----------
    window : int, default=1
        Number of rows of a window, which ends at its own row. The default is that row alone, which leaves a network
        nothing to remember: choose it, or search for it.
    group : str or int, default=None
        Name or position of a column that identifies the series of a row. Windows stay within a series; its rows need
        not be adjacent, only in order. The column is not one of the features. None: all rows are one series.
    context : bool, default=False
        Whether the rows given to `transform` directly follow those of `fit`, whose last rows their windows then begin
        with, as those of a test fold of ``TimeSeriesSplit`` do. It is the same in every call, `transform` does not
        move on: for rows further on `fit` again to the rows before them. Rows that do not follow are refused as far
        as that shows, see Notes. The rows of `fit` themselves, also with others after them, have their own windows.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns of the table, including the group.
    feature_names_in_ : array of shape (`n_features_in_`,)
        Their names, when the table was a data frame with string names.
    context_ : dict
        With `context`, the last ``window - 1`` rows of each group in `fit`; the group is None if there are no groups.

    Notes
    -----
    A random validation split, as that of `early_stopping`, holds out windows that share all rows but one with windows
    of the training data; pass later rows as ``X_val`` instead.

    With `context` the index of pandas data frames shows what follows what: of dates, times, periods or numbers, if it
    increases; numbers that start at 0 tell nothing. The first label of X, in each group, has to be the next one after
    those in `fit` if these are evenly spaced or follow the calendar, else a later one. Arrays and other frames have no
    index: that their rows follow those of fit is up to you, and a gap cannot be seen (``TimeSeriesSplit(gap=...)``).
    But all calls then have to begin with the same row, so that rows given one by one are an error; a pickle starts anew
    there. As the rows of fit themselves count as many rows as in fit, or more, that begin with the same row; fewer of
    them, or rows that begin with one of the last ``window - 1`` of fit, are an error if no rows of fit are the same.
    Rows of a group that `fit` did not see have none before them; they, too, begin with the same row in all calls.

    See Also
    --------
    sequences_from_long : One sequence of all rows of a group.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.preprocessing import SlidingWindow
    >>> X = np.array([[1, 10.0], [2, 20.0], [3, 30.0]])
    >>> [x.tolist() for x in SlidingWindow(window=2).fit_transform(X)]
    [[[1.0, 10.0]], [[1.0, 10.0], [2.0, 20.0]], [[2.0, 20.0], [3.0, 30.0]]]

    Two series, identified by the first column:

    >>> X = np.array([[7, 1.0], [8, 100.0], [7, 2.0], [8, 200.0]])
    >>> [x[:, 0].tolist() for x in SlidingWindow(window=3, group=0).fit_transform(X)]
    [[1.0], [100.0], [1.0, 2.0], [100.0, 200.0]]

    The window is a parameter like any other of a model:

    >>> from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
    >>> from sklearn.pipeline import make_pipeline
    >>> from skrnn import RNNRegressor
    >>> x = np.random.default_rng(0).normal(size=(300, 1))
    >>> y = np.r_[0, 0, x[:-2, 0]]                              # what came in two rows ago
    >>> net = RNNRegressor(4, random_state=0)
    >>> search = GridSearchCV(make_pipeline(SlidingWindow(), net), {"slidingwindow__window": [2, 3]},
    ...                       cv=TimeSeriesSplit(3)).fit(x, y)
    >>> search.best_params_
    {'slidingwindow__window': 3}

    Forecasts as the rows come in, each with the rows before it; only the last ``window - 1`` of these are needed:

    >>> model = search.best_estimator_.set_params(slidingwindow__context=True)
    >>> forecasts = []
    >>> for now in range(200, 203):
    ...     _ = model[0].fit(x[:now])
    ...     forecasts.append(model.predict(x[now : now + 1])[0])
    >>> np.allclose(forecasts, model.set_params(slidingwindow__context=False).predict(x)[200:203])
    True
    """

    _parameter_constraints: ClassVar = {
        "window": [Interval(Integral, 1, None, closed="left")],
        "group": [str, Integral, None],
        "context": ["boolean"],
    }

    def __init__(self, window=1, *, group=None, context=False):
        self.window = window
        self.group = group
        self.context = context

    def fit(self, X, y=None):
        """Learn the columns and, with `context`, the last rows.

        Parameters
        ----------
        X : array-like or data frame of shape (n, columns)
            Rows in the order of time, oldest first.
        y : None
            Ignored.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            If X is not a table of numbers apart from the group, or the group is not a column or is missing in a row.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn.preprocessing import SlidingWindow
        >>> window = SlidingWindow(3, context=True).fit(np.array([[1.0], [2.0], [3.0]]))
        >>> window.context_[None].tolist()
        [[2.0], [3.0]]
        """
        self._fit(X, y)
        return self

    def fit_transform(self, X, y=None):
        """Fit to rows and return their own windows, with `context` too.

        Parameters
        ----------
        X : array-like or data frame of shape (n, columns)
        y : None
            Ignored.

        Returns
        -------
        windows : RaggedArray of n arrays (steps, features)

        Raises
        ------
        ValueError, TypeError
            As in `fit`.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn.preprocessing import SlidingWindow
        >>> [x.tolist() for x in SlidingWindow(2).fit_transform(np.array([[1.0], [2.0], [3.0]]))]
        [[[1.0]], [[1.0], [2.0]], [[2.0], [3.0]]]
        """
        windows = _windows(*self._fit(X, y))
        return keep_static(X, lambda _: windows) if isinstance(X, WithStatic) else windows

    @checks_parameters
    @one_task
    def _fit(self, X, y):
        window, group, with_context = self.window, self.group, self.context
        table = _table(X.sequences if isinstance(X, WithStatic) else X, group)
        reading = learn_table(self, nw.to_native(table, pass_through=True))
        rows, groups, names = _split(table, reading, group)
        context = Context(rows, groups, labels_of(table), window - 1) if with_context else None
        self._set_fitted((reading, window, group, context))
        return rows, groups, window, names

    def _set_fitted(self, fitted):
        reading, _, _, context = fitted
        public = {} if context is None else {"context_": context.tails}
        set_attributes(self, {"_fitted": fitted, **public, **reading.attributes()})

    def transform(self, X):
        """The windows of rows.

        Parameters
        ----------
        X : array-like or data frame of shape (n, columns)
            Rows in the order of time, oldest first; with `context`, those that follow the rows of `fit`.

        Returns
        -------
        windows : RaggedArray of n arrays (steps, features)
            The window of each row, oldest step first; it has fewer than `window` steps if fewer rows come before.

        Raises
        ------
        ValueError, TypeError
            If X is not a table of numbers with the columns of `fit`; with `context`, if X does not follow the rows of
            `fit`, or begins with another row than X in an earlier call.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn.preprocessing import SlidingWindow
        >>> window = SlidingWindow(3, context=True).fit(np.array([[1.0], [2.0], [3.0]]))
        >>> window.transform(np.array([[4.0], [5.0]]))[0].tolist()
        [[2.0], [3.0], [4.0]]
        """
        check_is_fitted(self)
        self._validate_params()
        if isinstance(X, WithStatic):
            return keep_static(X, self.transform)
        reading, *of_fit, context = self._fitted
        window, group, with_context = self.window, self.group, self.context
        if with_context and (context is None or of_fit != [window, group]):
            raise ValueError(
                f"context=True needs the last rows of a fit with window={window}, group={group!r} and context=True: "
                "fit again"
            )
        table = _table(X, group)
        reading.check_table(self, nw.to_native(table, pass_through=True))
        rows, groups, names = _split(table, reading, group)
        if not with_context or window == 1:
            return _windows(rows, groups, window, names)
        tails = context.before(rows, groups, labels_of(table))
        before = [name for name, tail in tails.items() for _ in tail]
        rows = np.concatenate([*tails.values(), rows], dtype=rows.dtype)
        return _windows(rows, before + groups, window, names)[len(before) :]

    def get_feature_names_out(self, input_features=None):
        """Names of the features of a step: those of all columns but the group.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names to use if X had none; otherwise they must be those of X.

        Returns
        -------
        names : object array of shape (features,)

        Raises
        ------
        ValueError
            If the names are not those of X, or the estimator is not fitted.

        Examples
        --------
        >>> import pandas as pd
        >>> from skrnn.preprocessing import SlidingWindow
        >>> X = pd.DataFrame({"city": [1, 1, 2], "rain": [0.0, 2.5, 1.0]})
        >>> SlidingWindow(2, group="city").fit(X).get_feature_names_out().tolist()
        ['rain']
        """
        check_is_fitted(self)
        self._validate_params()
        reading, group = self._fitted[0], self.group
        names = reading.names(input_features)
        return names if group is None else np.delete(names, _group_column(reading, group))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _table(X, group):
    """X as a data frame that narwhals knows, or as an array (n, columns)."""
    X = normalize_container(X, "X")
    check_unique_names(X, "X")
    table = nw.from_native(X, eager_only=True, pass_through=True)
    if isinstance(table, nw.DataFrame):
        return table
    check_type(X)
    if isinstance(X, RaggedArray):
        raise ValueError(f"X is a {X}, expected a table: rows of numbers")
    if group is not None and not hasattr(X, "dtype"):
        # Otherwise NumPy would convert numbers next to names to strings
        X = np.array(X, dtype=object)
    X = as_array(X, "X")
    check_dimensions(X)
    if X.ndim > 2:
        raise ValueError(
            f"Found array with dim {X.ndim}: X has shape {X.shape}, expected a table (n, columns), a row per time; of "
            "several series one table, in which the column group says which"
        )
    return check_array(X, dtype=None, ensure_all_finite=False)


def _split(table, reading, group):
    """Numbers (n, D), the group of each row (None where there are no groups), and the features' names or None."""
    names = reading.feature_names
    if group is None:
        rows = _numbers(table)
        return rows, list(repeat(None, len(rows))), names
    column = _group_column(reading, group)
    kept = [i for i in range(reading.n_features_in) if i != column]
    if not kept:
        raise ValueError(f"X has only the column of the group, {group!r}: expected features beside it")
    groups = _cells(table[:, column])
    odd = next((i for i, cell in enumerate(groups) if is_missing(cell) or not is_hashable(cell)), None)
    if odd is not None:
        raise ValueError(
            f"row {odd} of X has no group: the column {group!r} is {shown(groups[odd])}, expected a name or a "
            "number"
        )
    return _numbers(table, column)[:, kept], groups, None if names is None else [names[i] for i in kept]


def _group_column(reading, group):
    """The position of the group's column."""
    if isinstance(group, str):
        names = list(reading.feature_names or ())
        if group not in names:
            has = f"has the columns {names}" if names else "has no column names"
            raise ValueError(f"group={group!r} is not a column: X {has}")
        return names.index(group)
    n_columns = reading.n_features_in
    if not -n_columns <= group < n_columns:
        raise ValueError(f"group={group} is not a column: X has {n_columns} columns")
    return int(group) % n_columns


def _numbers(table, group=None):
    """The numbers of a table, (n, columns), with 0 in the column of the group."""
    if isinstance(table, nw.DataFrame):
        if group is not None:
            table = table.with_columns(nw.lit(0.0, nw.Float32).alias(table.columns[group]))
        table = table.to_native()
    elif group is not None:
        table = table.copy()
        table[:, group] = 0
    if are_sequences(columns_of(table), "X"):
        raise ValueError("X holds lists, expected a number in every cell: a table of steps, not of sequences")
    # With one step per row, messages name the row as the sequence and the column as the feature
    return as_sequences(table, n_steps=1, allow_missing=True).values


def _cells(column):
    return column.to_list() if isinstance(column, nw.Series) else column.tolist()


def _windows(rows, groups, window, names):
    """The windows that end at the rows (n, D) of groups."""
    codes = codes_of(groups)
    order = np.argsort(codes, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    # Where the first row of the same group is in the order
    first = np.searchsorted(codes[order], codes)
    lengths = np.minimum(rank - first + 1, min(window, len(rows)))
    return RaggedArray(rows[order] if codes.any() else rows, lengths, rank - lengths + 1, names)
