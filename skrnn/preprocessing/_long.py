"""Long tables, which have a row per step: conversion to sequences, and of predictions back to a table."""

import re
from numbers import Number

import narwhals.stable.v2 as nw
import numpy as np

from skrnn._data.long_tables import column_of, read_long
from skrnn._data.numbers import is_sized
from skrnn._data.ragged import RaggedArray
from skrnn._data.sequences import SequenceIndex
from skrnn._data.tables import table_of_lists
from skrnn._messages import shown

MAX_EXACT = 2**53       # integers up to here are floats
SOME_GROUPS = "of some groups, say which by groups=[...]"
DAY_FIRST = re.compile(r"\s*\d{1,2}[./-]\d{1,2}[./-]\d{2,4}")
LEADING_NUMBER = re.compile(r"\s*(-?\d+)")
LABEL_DTYPES = (nw.Boolean, nw.String, nw.Categorical, nw.Enum, nw.Object)


def sequences_from_long(df, group, time, target=None, *, features=None, static=None, return_sequences=False):
    """Convert a table that has a row per step, as from databases and sensors, to sequences.

    Parameters
    ----------
    df : pandas or polars DataFrame, Arrow Table, or a lazy frame
        Rows in any order. Not changed. Of a polars LazyFrame, a DuckDB relation or an Ibis table the columns in use are
        selected, and the rows sorted, by its own engine, and collected once.
    group : str
        Column that identifies the sequences: numbers, strings, categories, dates.
    time : str
        Column by which the rows of a group are sorted: numbers, strings, dates, times with or without a zone,
        durations, as the table's own library sorts them. Strings that would be in another order than the dates or
        numbers in them, such as "31.12.2025" or "9" and "10", are an error.
    target : str or list of str, optional
        Column or columns of targets: numbers, booleans, strings or categories.
    features : list of str, optional
        Columns of the features, in this order; `group` and `time` may be among them. None: all columns but `group`,
        `time`, `target` and `static`.
    static : list of str, optional
        Columns of what belongs to a whole group, such as the age of a patient: numbers, booleans, strings or
        categories, the same in all of its rows. X is then a data frame, and features may be strings or categories, too.
    return_sequences : bool, default=False
        False: one target per group, the same in all of its rows. True: one target per row.

    Returns
    -------
    X : RaggedArray of n sequences (rows of the group, features); with `static` a data frame of n rows
        Groups in order of their first row in `df`, those of a lazy frame sorted; the rows of each sorted by time;
        ``feature_names`` are the columns. float32 if all features are float32, else float64, so that integers beyond
        2^53 are rounded. A missing value is NaN, False is 0 and True is 1. The data frame is of the library of `df`, an
        Arrow Table for DuckDB and Ibis: a column of lists for each feature, and a column of values for each of
        `static`, all of which the estimators read.
    y : array of shape (n,), or with a list of k targets (n, k); None without `target`
        Numbers and booleans keep their dtype, strings and categories are objects. With `return_sequences` an object
        array of n arrays (rows of the group,) or (rows of the group, k). A missing target is NaN, which makes floats of
        integers, or, among strings and booleans, None; estimators read it as a step without a target.
    groups : array of shape (n,)
        The group of each sequence, for ``GroupKFold`` and the like.

    Raises
    ------
    TypeError
        If `df` is not such a table, or a column cannot be used, naming it.
    ValueError
        If a column does not exist, or two have the same name; if a group, a time, or the target of a group is missing;
        if a group has the same time twice, different values of `static` or, without `return_sequences`, different
        targets; if an integer target
        beside missing ones is beyond 2^53; naming column, group and row. Rows count from 0.

    See Also
    --------
    predictions_to_long : From predictions back to a table.

    Notes
    -----
    Tables are read through narwhals, https://narwhals-dev.github.io/narwhals/. A group of one row is a sequence of one
    step.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrnn.preprocessing import sequences_from_long
    >>> df = pd.DataFrame({
    ...     "unit": ["b", "a", "b", "a", "b"], "hour": [2, 0, 0, 1, 1], "heat": [3.0, 7.0, 1.0, 8.0, 2.0],
    ...     "failed": [True, False, True, False, True],
    ... })
    >>> X, y, groups = sequences_from_long(df, "unit", "hour", "failed")
    >>> [x.tolist() for x in X]
    [[[1.0], [2.0], [3.0]], [[7.0], [8.0]]]
    >>> y, groups, X.feature_names
    (array([ True, False]), array(['b', 'a'], dtype=object), ['heat'])

    With what belongs to a whole group:

    >>> df["kind"] = ["new", "old", "new", "old", "new"]
    >>> X, y, groups = sequences_from_long(df, "unit", "hour", "failed", static=["kind"])
    >>> X.kind.tolist(), [x.tolist() for x in X.heat]
    (['new', 'old'], [[1.0, 2.0, 3.0], [7.0, 8.0]])
    """
    several = is_sized(target)
    targets = list(target) if several else [] if target is None else [target]
    if several and not targets:
        raise ValueError(f"target={target!r}: expected a column, a list of columns, or None")
    features = None if features is None else _names("features", features)
    static_names = [] if static is None else _names("static", static)
    used = None if features is None else [group, time, *targets, *features, *static_names]
    frame = read_long(df, used, [group, time])
    keys, times = _keys_and_times(frame, group, time)
    labels = _targets(frame, targets, (group, time))
    columns = _features(frame, features, (group, time), targets, static_names, strings=static is not None)
    codes, firsts = _groups(keys)
    order = _order(times, keys, codes)
    lengths = np.bincount(codes)
    y = [_labels(column) for column in labels]
    if not return_sequences:
        for column, values in zip(labels, y, strict=True):
            _check_one_per_group(column, values, keys, codes, order)
    y = [values[order if return_sequences else firsts] for values in y]
    y = np.column_stack(y) if several else y[0] if y else None
    if return_sequences and labels:
        y = SequenceIndex(lengths, "ragged").split(y)
    if static is None:
        X = RaggedArray(_values(columns, order), lengths, None, [column.name for column in columns])
    else:
        for column in _static(frame, static_names, (time, *targets)):
            _check_constant(column, keys, codes, order)
        X = _frame_of_lists(columns, order, lengths, frame[firsts].select([nw.col(name) for name in static_names]))
    return X, y, _array(keys[firsts])


def predictions_to_long(y_pred, df, group, time, *, return_sequences=False, names=None, groups=None):
    """Convert predictions for the sequences of `sequences_from_long` to a table.

    Parameters
    ----------
    y_pred : array of shape (n,) or (n, k); with `return_sequences` a collection of n arrays (rows,) or (rows, k)
        Predictions of a network for the n groups, of k outputs or classes. With `return_sequences` also an array of
        shape (n, rows) or (n, rows, k), if all groups have the same number of rows.
    df : pandas or polars DataFrame, Arrow Table, or a lazy frame
        The table that was passed to :func:`sequences_from_long`, or one with the same rows of `group` and `time`. Not
        changed.
    group, time : str
        Columns, as in :func:`sequences_from_long`.
    return_sequences : bool, default=False
        False: one prediction per group. True: one per row.
    names : str or list of k str, optional
        Names of the columns of predictions. None: "prediction", or "prediction_0", "prediction_1", ... for several.
    groups : array of shape (n,), optional
        The groups that `y_pred` is of, in its order, where these are not all groups of `df`: of the sequences
        ``X[test]``, ``groups[test]`` of what :func:`sequences_from_long` returned. Rows of others are left out.
        None: all groups of `df`, in its order.

    Returns
    -------
    table : of the library of `df`, an Arrow Table for DuckDB and Ibis
        With `return_sequences` the columns `group`, `time` and the predictions, with a row for each row of `df`, in its
        order and, in pandas, with its index. Otherwise the columns `group` and the predictions, with a row for each
        group, in order of first appearance. Rows and groups of a lazy frame are sorted.

    Raises
    ------
    TypeError, ValueError
        As in :func:`sequences_from_long`. ValueError also if the number of predictions is not that of the groups, or of
        the rows of a group, which is then named, or the number of names is not that of the columns of predictions; if
        one of `groups` is not in `df`, or twice in `groups`.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skrnn.preprocessing import predictions_to_long
    >>> df = pd.DataFrame({"unit": ["b", "a", "b"], "hour": [1, 0, 0], "heat": [2.0, 7.0, 1.0]})
    >>> predictions_to_long(np.array([0.5, 0.25]), df, "unit", "hour")
      unit  prediction
    0    b        0.50
    1    a        0.25
    >>> per_step = [np.array([0.1, 0.2]), np.array([0.7])]
    >>> predictions_to_long(per_step, df, "unit", "hour", return_sequences=True, names="risk")
      unit  hour  risk
    0    b     1   0.2
    1    a     0   0.7
    2    b     0   0.1

    Of some of the groups, in any order:

    >>> predictions_to_long(np.array([0.25]), df, "unit", "hour", groups=["a"])
      unit  prediction
    0    a        0.25
    """
    frame = read_long(df, [group, time], [group, time])
    keys, times = _keys_and_times(frame, group, time)
    if np.ma.is_masked(y_pred):
        raise ValueError("y_pred has masked values; fill them first")
    if not is_sized(y_pred):
        raise TypeError(f"y_pred is a {type(y_pred).__name__}, expected an array, or a list of arrays")
    codes, firsts = _groups(keys)
    if groups is not None:
        chosen = _codes_of(groups, keys[firsts], len(y_pred))
        y_pred = _items(y_pred, np.argsort(chosen))
        frame = frame.filter(np.isin(codes, chosen).tolist())
        keys, times = frame.get_column(group), frame.get_column(time)
        codes, firsts = _groups(keys)
    if return_sequences:
        order = _order(times, keys, codes)
        steps = _per_step(y_pred, np.bincount(codes), keys[firsts])
        predictions = np.empty_like(steps)
        predictions[order] = steps
        table = frame.select(nw.col(group), nw.col(time))
    else:
        predictions = _per_group(y_pred, len(firsts))
        table = nw.maybe_reset_index(frame.select(nw.col(group))[firsts])
    return _with_predictions(table, predictions, names).to_native()


def _names(argument, names):
    """The names of columns, a list."""
    if isinstance(names, str) or not is_sized(names):
        raise TypeError(f"{argument}={shown(names)}: expected a list of columns, [{shown(names)}]")
    return list(names)


def _static(frame, names, keys):
    """The static columns."""
    if len(set(names)) < len(names):
        raise ValueError(f"static={names}: expected different columns")
    columns = [column_of(frame, "static", name) for name in names]
    for column in columns:
        if column.name in keys:
            raise ValueError(f"static={names}: {column.name!r} is the time or a target, expected other columns")
        if not column.dtype.is_numeric() and column.dtype not in LABEL_DTYPES:
            raise TypeError(
                f"df[{column.name!r}] has dtype {column.dtype}, expected numbers, booleans, strings or categories: "
                "convert dates and times, for example to years"
            )
    return columns


def _check_constant(column, keys, codes, order):
    """Raise a ValueError unless all rows of a group have the same value."""
    values, missing = _labels(column)[order], _missing(column)[order]
    differs = (values[1:] != values[:-1]) & ~(missing[1:] & missing[:-1]) | (missing[1:] != missing[:-1])
    differs = np.flatnonzero(differs & (np.diff(codes[order]) == 0))
    if len(differs):
        i, j = sorted(order[differs[0] : differs[0] + 2])
        raise ValueError(
            f"df[{column.name!r}] is {_cell(column, i)} in row {i} and {_cell(column, j)} in row {j}, both in the "
            f"group {_cell(keys, i)}: expected one value per group for static={[column.name]}; what changes from row "
            "to row is one of the features"
        )


def _frame_of_lists(columns, order, lengths, static):
    """A native frame with a column of lists for each feature, and the static columns."""
    ends = np.cumsum(lengths)[:-1]
    lists = {}
    for column in columns:
        if column.dtype.is_numeric() or column.dtype == nw.Boolean:
            lists[column.name] = np.split(_floats(column)[order], ends)
        else:
            lists[column.name] = [cells.tolist() for cells in np.split(_labels(column)[order], ends)]
    return table_of_lists(lists, nw.maybe_reset_index(static).to_native())


def _keys_and_times(frame, group, time):
    """The two columns, which must be different ones."""
    keys, times = column_of(frame, "group", group), column_of(frame, "time", time)
    if group == time:
        raise ValueError(f"group and time are both {group!r}, expected two columns")
    for column in (keys, times):
        nested = column.dtype.is_nested() or (column.dtype == nw.Object and not column.implementation.is_pandas_like())
        if nested:
            raise TypeError(f"df[{column.name!r}] has dtype {column.dtype}, expected numbers, strings or dates")
        missing = np.flatnonzero(_missing(column))
        if len(missing):
            raise ValueError(
                f"df[{column.name!r}] is missing in row {missing[0]}: expected a group and a time in every row; drop "
                "the rows that have none"
            )
    if times.dtype == nw.String:
        _check_sorts_as_text(time, times.to_list())
    return keys, times


def _check_sorts_as_text(time, texts):
    """Raise a ValueError for dates and numbers whose order is not that of their texts, as that of ISO 8601 is."""
    if texts and DAY_FIRST.match(texts[0]):
        raise ValueError(
            f"df[{time!r}] is the text {texts[0]!r} in row 0, which would be sorted by its first number: convert it, "
            f"such as by pd.to_datetime(df[{time!r}], dayfirst=True)"
        )
    if len(set(map(len, texts))) < 2:
        return
    ordered = sorted(set(texts))
    leading = [LEADING_NUMBER.match(text) for text in ordered]
    if not all(leading):
        return
    numbers = [int(match[1]) for match in leading]
    for i in range(1, len(numbers)):
        if numbers[i] < numbers[i - 1]:
            raise ValueError(
                f"df[{time!r}] is text, which would be sorted as text, {ordered[i - 1]!r} before {ordered[i]!r}: "
                "convert it, such as by pd.to_numeric, pd.to_datetime or pd.to_timedelta"
            )


def _features(frame, names, keys, targets, static, strings):
    """The columns of features: those of these names, else all others; with `strings` also of categories."""
    if names is None:
        names = [name for name in frame.columns if name not in (*keys, *targets, *static)]
    columns = [column_of(frame, "features", name) for name in names]
    if not columns:
        raise ValueError(f"df has no features: its columns are {frame.columns}, expected more than group, time, target")
    names = [column.name for column in columns]
    if len(set(names)) < len(names) or set(names) & {*targets, *static}:
        others = f"the targets {list(targets)}" + f" and static columns {static}" * bool(static)
        raise ValueError(f"features={names}: expected different columns, and none of {others}")
    for column in columns:
        if not (column.dtype.is_numeric() or column.dtype in (LABEL_DTYPES if strings else [nw.Boolean])):
            raise TypeError(
                f"df[{column.name!r}] has dtype {column.dtype}, expected numbers: {_remedy(column)}, or choose other "
                "columns with features=[...]"
            )
    return columns


def _remedy(column):
    """What can be done about a feature that is no number."""
    if column.dtype in LABEL_DTYPES:
        return "encode them, pass static=[] for a frame with categories"
    if column.dtype.is_temporal():
        return "convert dates and times, for example to seconds by (t - t.min()).dt.total_seconds()"
    return "encode them"


def _targets(frame, names, keys):
    """The columns of targets."""
    columns = [column_of(frame, "target", name) for name in names]
    for column in columns:
        if column.name in keys:
            raise ValueError(f"target={column.name!r} is the group or the time, expected another column")
        if not column.dtype.is_numeric() and column.dtype not in LABEL_DTYPES:
            raise TypeError(
                f"df[{column.name!r}] has dtype {column.dtype}, expected numbers, booleans or strings for a target"
            )
    return columns


def _groups(keys):
    """The index of the group of each row, in order of first appearance, and the first row of each group."""
    rows = keys.alias("group").to_frame().with_row_index("row")
    try:
        firsts = rows.group_by("group").agg(nw.col("row").min().alias("first"))
        joined = rows.join(firsts, on="group")
    except Exception as error:
        raise TypeError(f"df[{keys.name!r}] cannot be grouped, expected numbers, strings or dates: {error}") from error
    first = np.empty(len(keys), dtype=np.intp)
    # Arrow joins in any order.
    first[joined.get_column("row").to_numpy()] = joined.get_column("first").to_numpy()
    is_first = first == np.arange(len(first))
    return (np.cumsum(is_first) - 1)[first], np.flatnonzero(is_first)


def _order(times, keys, codes):
    """The rows of df, one group after the other, those of each sorted by time."""
    rows = times.alias("time").to_frame().with_row_index("row")
    try:
        rows = rows.sort("time")
        changes = (rows.get_column("time")[1:] != rows.get_column("time")[:-1]).to_numpy()
    except Exception as error:
        raise TypeError(f"df[{times.name!r}] cannot be sorted, expected numbers, strings or dates: {error}") from error
    by_time = rows.get_column("row").to_numpy()
    # NumPy sorts 16-bit numbers in linear time.
    grouped = np.argsort(codes[by_time].astype(np.min_scalar_type(codes.max())), kind="stable")
    order, instant = by_time[grouped], np.concatenate([[0], np.cumsum(changes)])[grouped]
    twice = np.flatnonzero((np.diff(codes[order]) == 0) & (np.diff(instant) == 0))
    if len(twice):
        i, j = sorted(order[twice[0] : twice[0] + 2])
        raise ValueError(
            f"df has the time {_cell(times, i)} twice in the group {_cell(keys, i)}, in rows {i} and {j}: expected one "
            "row for each time; drop or aggregate what repeats"
        )
    return order


def _missing(column):
    """Which cells are missing or NaN."""
    return np.isnan(_floats(column)) if column.dtype.is_float() else column.is_null().to_numpy()


def _floats(column):
    """A column of numbers or booleans as an array, with NaN for what is missing."""
    if not column.dtype.is_integer():
        return column.cast(nw.Float32 if column.dtype == nw.Float32 else nw.Float64).to_numpy()
    # Arrow's cast refuses integers beyond 2^53, which others round
    missing = column.is_null().to_numpy()
    values = (column.fill_null(0) if missing.any() else column).to_numpy().astype(np.float64)
    values[missing] = np.nan
    return values


def _array(column):
    """A column as an array, strings as objects."""
    # to_numpy would pad those of polars to the longest
    return np.array(column.to_list(), dtype=object) if column.dtype == nw.String else np.array(column.to_numpy())


def _cell(column, row):
    """What messages call a cell."""
    return shown(column[int(row)])


def _values(columns, order):
    """The features of the rows `order`, (total, features)."""
    single = all(column.dtype == nw.Float32 for column in columns)
    out = np.empty((len(order), len(columns)), dtype=np.float32 if single else np.float64)
    for j, column in enumerate(columns):
        out[:, j] = _floats(column)[order]
    return out


def _labels(column):
    """A column of targets as an array of numbers or booleans, or of objects with None for what is missing."""
    missing = _missing(column)
    if column.dtype.is_integer() and missing.any():
        _check_exact(column, ~missing)
    if column.dtype.is_numeric() and (missing.any() or not column.dtype.is_integer()):
        return _floats(column)
    values = _array(column)
    if values.dtype != object:
        return values
    for row in np.flatnonzero(~missing) if column.dtype == nw.Object else ():
        if not isinstance(values[row], str | Number | np.bool_):
            raise TypeError(
                f"df[{column.name!r}] is {_cell(column, row):.50} in row {row}, expected a number, a boolean or a "
                "string for a target"
            )
    return np.where(missing, None, values)


def _check_exact(column, known):
    """Raise a ValueError if integers that become floats, for the sake of missing ones, are not exact."""
    rows = np.flatnonzero(known)
    values = column.drop_nulls().to_numpy()
    large = np.flatnonzero((values > MAX_EXACT) | (values < -MAX_EXACT))
    if len(large):
        row = rows[large[0]]
        raise ValueError(
            f"df[{column.name!r}] is {_cell(column, row)} in row {row}, and missing in others: beside missing targets "
            "integers become floats, which hold them up to 2**53; expected smaller ones, or strings"
        )


def _check_one_per_group(column, values, keys, codes, order):
    """Raise a ValueError unless all rows of a group have the same target."""
    missing = np.flatnonzero(_missing(column))
    if len(missing):
        i = missing[0]
        raise ValueError(
            f"df[{column.name!r}] is missing in row {i}, of the group {_cell(keys, i)}: expected the target of its "
            "group in every row; fill it in, leave the group out, or use return_sequences=True"
        )
    differs = np.flatnonzero((values[order][1:] != values[order][:-1]) & (np.diff(codes[order]) == 0))
    if len(differs):
        i, j = sorted(order[differs[0] : differs[0] + 2])
        raise ValueError(
            f"df[{column.name!r}] is {_cell(column, i)} in row {i} and {_cell(column, j)} in row {j}, both in the "
            f"group {_cell(keys, i)}: expected one target per group; for one per row use return_sequences=True"
        )


def _codes_of(groups, keys, n):
    """The index among keys (groups of df,) of each of n groups."""
    known = _array(keys)
    if not is_sized(groups):
        raise TypeError(f"groups={shown(groups)}: expected an array of the groups that y_pred is of")
    wanted = np.asarray(groups, known.dtype if known.dtype.kind in "mM" else None)
    if wanted.shape != (n,):
        raise ValueError(f"groups has shape {wanted.shape}, expected ({n},), the group of each prediction of y_pred")
    index = {key: code for code, key in enumerate(known.tolist())}
    codes = {}
    for i, key in enumerate(wanted.tolist()):
        if key not in index:
            raise ValueError(f"groups[{i}] is {shown(key)}, which is no group of df[{keys.name!r}]")
        if key in codes:
            raise ValueError(f"groups has {shown(key)} twice, expected different groups")
        codes[key] = index[key]
    return np.array(list(codes.values()), np.intp)


def _items(y_pred, order):
    """The predictions in another order."""
    if isinstance(y_pred, np.ndarray | RaggedArray):
        return y_pred[order]
    y_pred = list(y_pred)
    return [y_pred[i] for i in order]


def _per_step(y_pred, lengths, keys):
    """Predictions of sequences, concatenated to (total,) or (total, k)."""
    if len(y_pred) != len(lengths):
        raise ValueError(
            f"y_pred has {len(y_pred)} sequences, expected {len(lengths)}, one for each group of df; {SOME_GROUPS}"
        )
    pieces = [np.asarray(piece) for piece in y_pred]
    for i, (piece, length) in enumerate(zip(pieces, lengths, strict=True)):
        shape = (int(length), *pieces[0].shape[1:])
        if piece.shape != shape or piece.ndim > 2:
            raise ValueError(
                f"y_pred[{i}] has shape {piece.shape}, expected {shape[:2]}, a prediction for each row of the group "
                f"{_cell(keys, i)}; for one per group use return_sequences=False"
            )
    return np.concatenate(pieces)


def _per_group(y_pred, n):
    """Predictions of sequences as an array (n,) or (n, k)."""
    if len(y_pred) != n:
        raise ValueError(
            f"y_pred has {len(y_pred)} predictions, expected {n}, one for each group of df; {SOME_GROUPS}"
        )
    per_step = (
        "y_pred has a sequence for each group, expected predictions (n,) or (n, k); for one per row use "
        "return_sequences=True"
    )
    if isinstance(y_pred, RaggedArray):
        raise ValueError(per_step)
    try:
        predictions = np.asarray(y_pred)
    except ValueError as error:
        raise ValueError(per_step) from error
    if predictions.ndim > 2 or (predictions.dtype == object and any(map(is_sized, predictions.flat))):
        raise ValueError(per_step)
    return predictions


def _with_predictions(table, predictions, names):
    """A table with further columns, those of predictions (rows,) or (rows, k)."""
    columns = predictions.reshape(len(predictions), -1).T
    if names is None:
        names = ["prediction"] if len(columns) == 1 else [f"prediction_{j}" for j in range(len(columns))]
    if not isinstance(names, str) and not is_sized(names):
        raise TypeError(f"names={names!r}: expected a str or a list of str")
    names = [names] if isinstance(names, str) else [str(name) for name in names]
    if len(names) != len(columns):
        raise ValueError(f"names={names} has {len(names)} names, expected {len(columns)}, one for each prediction")
    if len({*table.columns, *names}) != len(table.columns) + len(names):
        raise ValueError(f"names={names}: expected different names, and none of the columns {table.columns}")
    # polars and pandas infer the type of objects in a list, not in an array
    return table.with_columns(
        nw.new_series(name, column.tolist() if column.dtype == object else column, backend=table.implementation)
        for name, column in zip(names, columns, strict=True)
    )
