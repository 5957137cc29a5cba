"""Long tables as series: rows in order of time, one series after the other, and tables of the same library back."""

from dataclasses import dataclass

import narwhals.stable.v2 as nw
import numpy as np

from skrnn._data.long_tables import column_of, read_long
from skrnn._data.numbers import as_numbers
from skrnn._data.transport import n_bytes
from skrnn._messages import shown
from skrnn.forecasting._clock import Clock, count_rows, read_clock
from skrnn.preprocessing import sequences_from_long

TABLES = "a pandas or polars DataFrame, an Arrow Table, a lazy frame of polars, DuckDB or Ibis, or an array of rows"
# Columns that are added to the user's, whose names they must not have
GROUP, ROW = "skrnn: group", "skrnn: row"


@dataclass(frozen=True, eq=False)
class Panel:
    """Series of numbers, evenly spaced."""

    values: np.ndarray      # (total, columns)
    starts: np.ndarray      # (n + 1,) rows where the series begin, and the end
    firsts: np.ndarray      # (n,) position in time of the first row of each
    clock: Clock
    keys: object = None     # narwhals series (n,) of the groups, or None
    library: object = None  # narwhals implementation of the table; None for arrays

    def __sizeof__(self):
        return object.__sizeof__(self) + n_bytes(self.values) + n_bytes(self.starts) + n_bytes(self.firsts)

    @property
    def lengths(self):
        """(n,) rows of each series."""
        return np.diff(self.starts)

    @property
    def spans(self):
        """Pairs of the first row of each series and the end."""
        return zip(self.starts[:-1], self.starts[1:], strict=True)

    def positions(self, series, rows):
        """The positions in time of rows."""
        return self.firsts[series] + rows - self.starts[series]

    def of(self, series):
        """What messages say of a series."""
        return "" if self.keys is None else f" in the group {shown(self.keys[int(series)])}"

    def time_column(self, positions):
        """Times of positions as a column of the library, or an array."""
        counted = self.clock.column is None
        return self.clock.times(positions) if counted else self.clock.series(positions, self.library)

    def group_column(self, series):
        """The groups of series, by their numbers."""
        return self.keys[series]

    def table(self, columns):
        """A table of the library of these columns, or a dict of arrays where there is none."""
        if self.library is None:
            return columns
        columns = [
            values.alias(name) if isinstance(values, nw.Series)
            else nw.new_series(name, np.ascontiguousarray(values), backend=self.library)
            for name, values in columns.items()
        ]
        columns = [nw.maybe_reset_index(column) for column in columns]
        return columns[0].to_frame().with_columns(*columns[1:]).to_native()


def read_panel(df, columns, group, time):
    """The series of a table, or of an array, whose rows are in order.

    Parameters
    ----------
    df : table, or array of shape (rows,) or (rows, k)
    columns : dict
        Argument -> names of its columns; positions of an array.
    group, time : str or None

    Returns
    -------
    Panel
        With the columns in this order.
    """
    if isinstance(df, np.ndarray | list | tuple):
        return _of_array(df, columns, group, time)
    names = [name for part in columns.values() for name in part]
    frame = _frame_in_use(df, columns, group, time).with_row_index(ROW)
    if group is None:
        frame = frame.with_columns(nw.lit("all rows").alias(GROUP))
    X, _, _ = sequences_from_long(frame.to_native(), group or GROUP, time or ROW, features=[*names, ROW])
    rows = X.values[:, -1].astype(np.intp)
    starts = np.concatenate([[0], np.cumsum(X.lengths)])
    keys = None if group is None else frame.get_column(group)[rows[starts[:-1]]]
    shown_keys = [None] * (len(starts) - 1) if keys is None else [shown(key) for key in keys.to_list()]
    clock, firsts = (
        count_rows(starts) if time is None else read_clock(frame.get_column(time)[rows], starts, shown_keys)
    )
    values = X.values[:, :-1]
    if all(frame.get_column(name).dtype == nw.Float32 for name in names):
        values = values.astype(np.float32)
    return Panel(values, starts, firsts, clock, keys, frame.implementation)


def _frame_in_use(df, columns, group, time):
    """The narwhals frame of the columns in use."""
    keys = [key for key in (group, time) if key is not None]
    used = list(dict.fromkeys([*(name for part in columns.values() for name in part), *keys]))
    frame = read_long(df, used, keys if time else [], TABLES)
    for argument, names in {**columns, "group": [group], "time": [time]}.items():
        for name in names:
            if name is not None:
                column_of(frame, argument, name)
    _check_numbers(frame.schema, columns)
    return nw.maybe_reset_index(frame.select(used))


def _of_array(array, columns, group, time):
    """The one series of an array, whose rows are in order."""
    for argument, name in (("group", group), ("time", time)):
        if name is not None:
            raise TypeError(f"{argument}={name!r} is a column of a table, but df is an array: its rows are one series")
    values = as_numbers(array, "df")
    values = values[:, np.newaxis] if values.ndim == 1 else values
    if values.ndim != 2 or not len(values):
        raise ValueError(f"df has shape {values.shape}, expected (rows,) or (rows, columns)")
    for argument, names in columns.items():
        for name in names:
            if name not in range(values.shape[1]):
                there = list(range(values.shape[1]))
                raise ValueError(f"{argument}={name!r}: expected one of the columns of df, {there}")
    starts = np.array([0, len(values)])
    clock, firsts = count_rows(starts)
    return Panel(values[:, [name for part in columns.values() for name in part]], starts, firsts, clock)


def _check_numbers(schema, columns):
    for argument, names in columns.items():
        for name in names:
            if not (schema[name].is_numeric() or schema[name] == nw.Boolean):
                remedy = "" if argument == "target" else (
                    ", or encode it, such as a day of the week as seven columns of 0 and 1"
                )
                raise TypeError(
                    f"{argument}={name!r}: df[{name!r}] has dtype {schema[name]}, expected numbers or booleans: "
                    f"convert it, such as by `astype(float)`{remedy}"
                )
