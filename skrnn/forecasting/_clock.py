"""The times of evenly spaced rows: read from a column, and said for any step."""

from datetime import date, datetime
from numbers import Real
from typing import NamedTuple

import narwhals.stable.v2 as nw
import numpy as np

from skrnn._messages import shown

TOLERANCE = 1e-6        # of a step, for times that are floats


class Clock(NamedTuple):
    """The times of positions 0, 1, ...: `start` + position · `step`, or that many months after `start` and `rest`.

    Times with a zone are those of UTC, or `local`, as clocks show them: days and months are even there alone.
    """

    start: object       # number, datetime64[us], timedelta64[us], or datetime64[M] with `rest`
    step: object
    rest: object = None     # from the beginning of the month, timedelta64[us]
    column: object = None   # narwhals series whose name and dtype the times have; None: rows are counted
    local: bool = False

    def times(self, positions):
        """The times of positions, as an array."""
        times = self.start + np.asarray(positions) * self.step
        return times if self.rest is None else times.astype("M8[us]") + self.rest

    def series(self, positions, library):
        """The times of positions as a narwhals series with the dtype of the column they were read from."""
        times, dtype, zone = self.times(positions), self.column.dtype, zone_of(self.column)
        if dtype == nw.Object:      # Python's dates, in pandas
            times = times.astype("M8[us]" if isinstance(self.column[0], datetime) else "M8[D]").astype(object)
            native = type(self.column.to_native())(times, name="time", dtype=object)    # narwhals 2.0 makes none
            return nw.from_native(native, series_only=True)
        series = nw.new_series("time", times, backend=library)
        if self.local:
            series = series.dt.replace_time_zone(zone)
        elif zone is not None:
            series = series.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
        if dtype == nw.Unknown:     # a zone that narwhals cannot read
            return nw.from_native(series.to_native().astype(self.column.to_native().dtype), series_only=True)
        return series.cast(dtype)

    def position(self, time, argument):
        """The position of one time, which must be that of a step."""
        if isinstance(self.start, np.datetime64):
            time = _as_utc(time, argument, zone_of(self.column))
            if self.local:
                series = nw.new_series("time", np.array([time]), backend=self.column.implementation)
                series = series.dt.replace_time_zone("UTC").dt.convert_time_zone(zone_of(self.column))
                time = _instants(_as_local(series))[0]
        elif isinstance(self.start, np.timedelta64):
            time = _as_duration(time, argument)
        elif not isinstance(time, Real):
            raise TypeError(f"{argument} has {shown(time)}, expected a number, such as {self.start}")
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


def zone_of(column):
    """The time zone of times, or None."""
    if column.dtype == nw.Datetime:
        return column.dtype.time_zone
    zone = getattr(column.to_native().dtype, "tz", None) if column.dtype == nw.Unknown else None
    return None if zone is None else str(zone)


def _as_local(column):
    """Times with a zone as clocks there show them."""
    if column.dtype == nw.Unknown:
        return nw.from_native(column.to_native().dt.tz_localize(None), series_only=True)
    return column.dt.replace_time_zone(None)


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
    clock = _even_or_monthly(times, inner)
    if clock is None and zone_of(column) is not None:
        times = _instants(_as_local(column))
        clock = _even_or_monthly(times, inner)
        clock = clock and clock._replace(local=True)
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
    if column.dtype == nw.Unknown and zone_of(column) is not None:
        column = nw.from_native(column.to_native().dt.tz_convert("UTC"), series_only=True)
    dtype = column.dtype
    if dtype in (nw.Datetime, nw.Date):
        return column.dt.timestamp("us").to_numpy().astype(np.int64).view("M8[us]")
    if dtype == nw.Duration:
        return column.dt.total_microseconds().to_numpy().astype(np.int64).view("m8[us]")
    if dtype == nw.Object and all(map(_is_plain_date, column.to_list())):
        return np.array(column.to_list(), dtype="M8[us]")
    if dtype.is_integer() or dtype.is_float():
        return column.to_numpy().astype(np.int64 if dtype.is_integer() else np.float64)
    named = column.to_native().dtype if dtype == nw.Unknown else dtype
    raise TypeError(
        f"df[{column.name!r}] has dtype {named}, expected numbers, dates, times or durations, whose distance shows "
        "gaps: convert it, such as by `pandas.to_datetime` or, of periods, `dt.to_timestamp`, or sort the rows and "
        "leave out `time`"
    )


def _even_or_monthly(times, inner):
    """The clock of times with one distance, in time or in months, if they have it."""
    return _even(times, inner) or (_monthly(times, inner) if times.dtype.kind == "M" else None)


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
        months = times.astype("M8[M]") + np.timedelta64(shift, "M")
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
