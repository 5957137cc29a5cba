"""The times of evenly spaced rows: read from a column, and said for any step."""

from datetime import date, datetime
from numbers import Number
from typing import NamedTuple

import narwhals.stable.v2 as nw
import numpy as np

from skrnn._messages import shown

TOLERANCE = 1e-6        # of a step, for times that are floats


class Clock(NamedTuple):
    """The times of positions 0, 1, ...: `start` + position · `step`, or that many months after `start` and `rest`."""

    start: object       # number, datetime64[us], timedelta64[us], or datetime64[M] with `rest`
    step: object
    rest: object = None     # from the beginning of the month, timedelta64[us]
    column: object = None   # narwhals series whose name and dtype the times have; None: rows are counted

    def times(self, positions):
        """The times of positions, as an array."""
        times = self.start + np.asarray(positions) * self.step
        return times if self.rest is None else times.astype("M8[us]") + self.rest

    def series(self, positions, library):
        """The times of positions as a narwhals series with the dtype of the column they were read from."""
        times, dtype = self.times(positions), self.column.dtype
        if dtype == nw.Object:      # Python's dates, in pandas
            times = times.astype("M8[us]" if isinstance(self.column[0], datetime) else "M8[D]").astype(object)
        series = nw.new_series("time", times, dtype if dtype == nw.Object else None, backend=library)
        if dtype == nw.Datetime and dtype.time_zone is not None:
            series = series.dt.replace_time_zone("UTC").dt.convert_time_zone(dtype.time_zone)
        return series if dtype == nw.Object else series.cast(dtype)

    def position(self, time, argument):
        """The position of one time, which must be that of a step."""
        if isinstance(self.start, np.datetime64):
            time = _as_utc(time, argument, getattr(self.column.dtype, "time_zone", None))
        elif isinstance(self.start, np.timedelta64):
            time = _as_duration(time, argument)
        elif not isinstance(time, Number):
            raise TypeError(f"{argument} has {shown(time)}, expected a number, as the times of df")
        if self.rest is not None:
            months = (time - self.rest).astype("M8[M]")
            exact = months.astype("M8[us]") + self.rest == time
            position = (months - self.start) / self.step if exact else np.nan
        else:
            position = (time - self.start) / self.step
        if not abs(position - round(position) if np.isfinite(position) else np.nan) <= TOLERANCE:
            raise ValueError(f"{argument} has {time}, which is the time of no step: expected times like {self.start}")
        return round(position)


def _is_plain_date(time):
    """Whether an object is Python's date, or a datetime without a zone."""
    return isinstance(time, date) and getattr(time, "tzinfo", None) is None


def _as_utc(time, argument, zone):
    """A date or time as datetime64[us]; in UTC if it has a zone, as times of a zone must."""
    zoned = getattr(time, "tzinfo", None) is not None
    if zoned != (zone is not None):
        expected = "one without a zone" if zoned else f"one with a zone, as the times of df, which are of {zone}"
        raise ValueError(f"{argument} has {shown(time)}, expected {expected}")
    try:
        time = (time - time.utcoffset()).replace(tzinfo=None) if zoned else time
        return np.datetime64(time).astype("M8[us]")
    except ValueError as error:
        raise ValueError(f"{argument} has {shown(time)}, expected a date or a time: {error}") from None


def _as_duration(time, argument):
    """A duration as timedelta64[us]."""
    try:
        return np.timedelta64(time).astype("m8[us]")
    except ValueError as error:
        raise ValueError(f"{argument} has {shown(time)}, expected a duration: {error}") from None


def count_rows(starts):
    """The clock that counts the rows of each series, and the position of the first of each."""
    return Clock(0, 1), np.zeros(len(starts) - 1, dtype=np.intp)


def read_clock(column, starts, keys):
    """The clock of evenly spaced times.

    Parameters
    ----------
    column : narwhals series of length total
        Times in order, one series after the other.
    starts : (n + 1,) int array
        Where each series begins, and the end.
    keys : list of n
        What messages call the series.

    Returns
    -------
    clock : Clock
    firsts : (n,) int array
        The position of the first row of each series.
    """
    times = _instants(column)
    inner = np.ones(max(len(times) - 1, 0), dtype=bool)
    inner[starts[1:-1] - 1] = False         # from the last row of a series to the first of the next
    if not inner.any():
        raise ValueError("df has no series of two rows or more, expected at least past + horizon rows of one")
    clock = _even(times, inner) or (_monthly(times, inner) if times.dtype.kind == "M" else None)
    if clock is None:
        raise ValueError(_gap(column, times, inner, starts, keys))
    firsts = times[starts[:-1]]
    if clock.rest is not None:
        firsts = (firsts - clock.rest).astype("M8[M]")
    positions = (firsts - clock.start) / clock.step
    off = np.flatnonzero(np.abs(positions - np.round(positions)) > TOLERANCE)
    if len(off):
        raise ValueError(
            f"df[{column.name!r}] begins at {shown(column[int(starts[off[0]])])} in the group {keys[off[0]]}, between "
            f"two steps of the others: expected the times of all groups on one grid"
        )
    return clock._replace(column=column[:1]), np.round(positions).astype(np.intp)


def _instants(column):
    """Times as numbers, datetime64[us] (UTC where there is a zone) or timedelta64[us]."""
    dtype = column.dtype
    if dtype in (nw.Datetime, nw.Date):
        return column.dt.timestamp("us").to_numpy().astype(np.int64).view("M8[us]")
    if dtype == nw.Duration:
        return column.dt.total_microseconds().to_numpy().astype(np.int64).view("m8[us]")
    if dtype == nw.Object and all(map(_is_plain_date, column.to_list())):
        return np.array(column.to_list(), dtype="M8[us]")
    if dtype.is_integer() or dtype.is_float():
        return column.to_numpy().astype(np.int64 if dtype.is_integer() else np.float64)
    raise TypeError(
        f"df[{column.name!r}] has dtype {dtype}, expected numbers, dates, times or durations, whose distance shows "
        "gaps: convert it, or sort the rows and leave out `time`"
    )


def _even(times, inner):
    """The clock of times with one distance, if they have it."""
    distances = np.diff(times)[inner]
    step = distances.min()
    off = np.abs(distances - step)
    even = (off <= TOLERANCE * step).all() if times.dtype.kind == "f" else not off.astype(np.int64).any()
    return Clock(times.min(), step) if even else None


def _monthly(times, inner):
    """The clock of times at one day of the month, or at the end of months, some months apart."""
    for shift in (0, 1):
        months = times.astype("M8[M]") + shift
        rest = times - months.astype("M8[us]")
        clock = _even(months, inner) if (rest == rest[0]).all() else None
        if clock is not None:
            return clock._replace(rest=rest[0])
    return None


def _gap(column, times, inner, starts, keys):
    """What the error says of the first pair of rows at another distance than the most frequent one."""
    distances = np.diff(times)
    values, counts = np.unique(distances[inner], return_counts=True)
    usual = values[np.argmax(counts)]
    row = int(np.flatnonzero(inner & (distances != usual))[0])
    series = int(np.searchsorted(starts, row, side="right")) - 1
    of = "" if keys[series] is None else f" in the group {keys[series]}"
    return (
        f"df[{column.name!r}] goes from {shown(column[row])} to {shown(column[row + 1])}{of}, where most steps are "
        f"{shown(_plain(usual))}: expected evenly spaced times; add the missing rows, with a target that is NaN, or, "
        "where rows count as steps, sort them and leave out `time`"
    )


def _plain(distance):
    """A distance as messages show it."""
    return str(distance.astype(object)) if isinstance(distance, np.timedelta64) else distance
