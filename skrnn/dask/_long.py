"""Long tables, which have a row per step, as Dask DataFrames."""

import dask.dataframe as dd
import numpy as np
import pandas as pd

from skrnn._data.numbers import is_sized
from skrnn._data.ragged import RaggedArray
from skrnn._messages import with_message
from skrnn.dask._lists import list_column
from skrnn.preprocessing import sequences_from_long as sequences_in_memory


def sequences_from_long(df, group, time, target=None, *, features=None, static=None, return_sequences=False):
    """Convert a Dask DataFrame that has a row per step to sequences, lazily.

    Parameters
    ----------
    df : Dask DataFrame
        Rows in any order. It is shuffled, so that each group is in one partition, unless its index is the group and its
        divisions are known, as after ``df.set_index(group)``.
    group : str
        Column, or index, that identifies the sequences.
    time : str
        Column by which the rows of a group are sorted.
    target : str or list of str, optional
        Column or columns of targets.
    features : list of str, optional
        Columns of the features, in this order. None: all columns but `group`, `time`, `target` and `static`.
    static : list of str, optional
        Columns of what belongs to a whole group, the same in all of its rows. Features may then be strings or
        categories, too.
    return_sequences : bool, default=False
        False: one target per group, the same in all of its rows. True: one target per row.

    Returns
    -------
    X : Dask DataFrame
        A row for each group, with the group as its index: a column of lists of Arrow for each feature, and a column of
        values for each of `static`. Groups are sorted within each partition.
    y : Dask Series, or with a list of targets Dask DataFrame; None without `target`
        With `return_sequences` of lists of Arrow.
    groups : Dask Series
        The group of each sequence.

    Raises
    ------
    TypeError, ValueError
        As :func:`skrnn.preprocessing.sequences_from_long`: for columns that there are not or cannot be used at once;
        for what is wrong with rows when it is computed, naming the partition.

    See Also
    --------
    skrnn.preprocessing.sequences_from_long : The same of a table in memory.

    Notes
    -----
    X and y come of the same shuffle. ``X, y, groups = dask.persist(X, y, groups)`` computes it once for all that
    follows, where the memory of the workers holds the sequences; otherwise each of them computes it anew.

    Examples
    --------
    >>> import dask.dataframe
    >>> import pandas as pd
    >>> from skrnn.dask import sequences_from_long
    >>> df = pd.DataFrame({
    ...     "unit": ["b", "a", "b", "a", "b"], "hour": [2, 0, 0, 1, 1], "heat": [3.0, 7.0, 1.0, 8.0, 2.0],
    ...     "failed": [True, False, True, False, True],
    ... })
    >>> df = dask.dataframe.from_pandas(df, npartitions=1)
    >>> X, y, groups = sequences_from_long(df, "unit", "hour", "failed")
    >>> X.compute().heat.tolist(), y.compute().tolist()
    ([[7.0, 8.0], [1.0, 2.0, 3.0]], [False, True])
    """
    if not isinstance(df, dd.DataFrame):
        raise TypeError(
            f"df is a {type(df).__name__}, expected a Dask DataFrame; tables in memory are for "
            "skrnn.preprocessing.sequences_from_long"
        )
    is_placed = df.known_divisions and df.index.name == group and group not in df.columns
    convert = Conversion(group, time, target, features, static, return_sequences)
    # of one row of its dtypes: looks up the columns, and shows what comes out
    example = convert((df.reset_index() if is_placed else df)._meta_nonempty.iloc[:1])
    if not is_placed:
        df = df[convert.used(df.columns)].shuffle(on=group)
    table = df.map_partitions(convert.partition, is_placed, example.iloc[:0], meta=example.iloc[:0])
    names = [name for name in example.columns if name not in convert.targets]
    groups = table.map_partitions(lambda part: part.index.to_series(), meta=example.index[:0].to_series())
    y = None if target is None else table[convert.targets if is_sized(target) else target]
    return table[names], y, groups


class Conversion:
    """The conversion of a part of a long table to a frame of a row for each group.

    Parameters
    ----------
    group, time, target, features, static, return_sequences
        As in `sequences_from_long`.
    """

    def __init__(self, group, time, target, features, static, return_sequences):
        self.group, self.time, self.target = group, time, target
        self.features, self.static, self.return_sequences = features, static, return_sequences

    @property
    def targets(self):
        """Names of the columns of targets, a list."""
        return [] if self.target is None else list(self.target) if is_sized(self.target) else [self.target]

    def used(self, columns):
        """The names of the columns in use."""
        if self.features is None:
            return list(columns)
        names = {self.group, self.time, *self.targets, *self.features, *(self.static or ())}
        return [name for name in columns if name in names]

    def __call__(self, part):
        """The frame: lists of features, static columns, targets."""
        X, y, groups = sequences_in_memory(
            part, self.group, self.time, self.target, features=self.features, static=self.static,
            return_sequences=self.return_sequences,
        )
        frame = _frame_of(X)
        if y is not None:
            for name, column in zip(self.targets, _columns_of(y, is_sized(self.target)), strict=True):
                frame[name] = column
        frame.index = pd.Index(groups, name=self.group)
        return frame

    def partition(self, part, is_placed, nothing, partition_info):
        """The frame of a partition, whose lists have the dtypes of `nothing`, one without rows."""
        if not len(part):
            return nothing
        try:
            part = part.reset_index(drop=not is_placed)
            frame = self(part.sort_values(self.group, kind="stable", ignore_index=True))
        except (TypeError, ValueError) as error:
            raise with_message(error, f"In partition {partition_info['number']} of df: {error}") from error
        # integers that lack somewhere in this partition are integers, as elsewhere
        lists = {name: dtype for name, dtype in nothing.dtypes.items() if isinstance(dtype, pd.ArrowDtype)}
        return frame.astype(lists)


def _frame_of(X):
    """A frame whose columns of lists are Arrow's."""
    if isinstance(X, RaggedArray):
        columns = zip(X.feature_names, X.values.reshape(len(X.values), -1).T, strict=True)
        return pd.DataFrame({name: list_column(values, X.lengths) for name, values in columns})
    for name in X.columns:
        if len(X) and is_sized(X[name].iloc[0]):
            X[name] = _as_lists(X[name])
    return X


def _as_lists(cells):
    """Cells that are lists or arrays as a column of lists."""
    return list_column(np.concatenate([np.asarray(cell) for cell in cells]), [len(cell) for cell in cells])


def _columns_of(y, several):
    """The columns of targets."""
    if y.ndim > 1 or y.dtype != object or not is_sized(y[0]):
        return list(y.T) if several else [y]
    if not several:
        return [_as_lists(y)]
    return [_as_lists([rows[:, j] for rows in y]) for j in range(y[0].shape[1])]
