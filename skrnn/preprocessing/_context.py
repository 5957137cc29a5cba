"""What SlidingWindow with `context` knows of the rows of `fit`: the last of them, and whether other rows follow them.

A transformer may not change what it computes from call to call, so the rows of `fit` stay the context of every call.
Whether rows do follow them is decided by

1. labels, the index of a pandas data frame, if those of `fit` increase: the others have to continue them;
2. without such labels the first row of each group, which has to be the same in every call, and none of those of `fit`
   that are known, if no two rows of `fit` are the same.

The second cannot tell which call is right, only that two of them cannot both be: what is remembered of a call changes
no result and is in no pickle. Rows that begin with those of `fit` have all of their history and need no context.
A group that `fit` did not see has none, and has to begin with the same row in every call, too.
Each group is decided by itself and by its first row, since later rows must not change an earlier window.
"""

import warnings

import narwhals.stable.v2 as nw
import numpy as np

from skrnn._plain import expect, fits, plain, with_attributes
from skrnn._warnings import without_warnings

# Labels of each group from which their spacing is inferred
N_LABELS = 16
# The last rows of a group that tell whether rows of it are ever the same, and how many of them it takes
N_COMPARED, MIN_COMPARED = 256, 8
# Kinds of dtypes
NUMBERS, TIMES = "iuf", "mM"


@plain(
    make="restored", grouped=bool, tails=dict, sizes=dict, first_rows=dict, tells_apart=dict, labels=dict | None
)
class Context:
    """The last rows of each group in `fit`, and what shows whether other rows follow them.

    Parameters
    ----------
    rows : (n, D) array
    groups : list of n groups
        All None if there are no groups.
    labels : (n,) array or None
        As `labels_of` returns them.
    n_before : int
        The number of rows of each group that are kept.
    """

    def __init__(self, rows, groups, labels, n_before):
        members = _rows_of_groups(groups)
        self.grouped = groups[0] is not None
        self.tails = {group: rows[index[max(0, len(index) - n_before) :]] for group, index in members.items()}
        self.sizes = {group: len(index) for group, index in members.items()}
        self.first_rows = {group: rows[index[0]].copy() for group, index in members.items()}
        self.tells_apart = {group: _differ(rows[index[-N_COMPARED:]]) for group, index in members.items()}
        self.labels = None
        if labels is not None and all(_increases(labels[index]) for index in members.values()):
            self.labels = {group: (labels[index[0]], labels[index[-N_LABELS:]]) for group, index in members.items()}
        # The first row, or label, of each group in the first call
        self.beginnings = {}

    def __getstate__(self):
        return vars(self) | {"beginnings": {}}

    @classmethod
    def restored(cls, **attributes):
        """A context that was stored."""
        return with_attributes(cls, beginnings={}, **attributes)

    def check_parts(self):
        """Raise a ValueError if the parts do not go together."""
        groups = self.tails.keys()
        parts = (self.sizes, self.first_rows, self.tells_apart, *([] if self.labels is None else [self.labels]))
        expect(all(part.keys() == groups for part in parts), "other groups have rows than are known")
        expect(all(fits(n, int) and n > 0 for n in self.sizes.values()), "groups have no numbers of rows")
        expect(all(fits(each, bool) for each in self.tells_apart.values()), "it is not known whether rows differ")
        for group, rows in self.tails.items():
            is_table = isinstance(rows, np.ndarray) and rows.ndim == 2 and rows.dtype.kind == "f"
            is_of_rows = is_table and np.shape(self.first_rows[group]) == rows.shape[1:]
            expect(is_of_rows, f"the rows of group {group!r} are none")

    def before(self, rows, groups, labels):
        """The rows of fit that come before these, a dict of arrays by group; not of groups whose rows these are.

        Raises
        ------
        ValueError
            If the rows of a group neither follow those of fit nor are these themselves, or begin with another row than
            in an earlier call.
        """
        by_labels = self._goes_by(labels)
        tails, begin = {}, {}
        for group, index in _rows_of_groups(groups).items():
            if group not in self.tails:
                begin[group] = index[0]
            elif by_labels:
                if self._follows_labels(group, labels[index[0]]):
                    tails[group] = self.tails[group]
            elif not self._are_of_fit(group, rows, index):
                begin[group], tails[group] = index[0], self.tails[group]
        self._check_beginnings(begin, rows, labels if by_labels else None)
        return tails

    def _goes_by(self, labels):
        """Whether labels say where rows are: of the kind of those in fit, and not just counted from 0."""
        if labels is None or self.labels is None:
            return False
        kinds = labels.dtype.kind, next(iter(self.labels.values()))[1].dtype.kind
        if set(kinds) <= set(NUMBERS):
            return labels[0] != 0
        return kinds[0] == kinds[1]

    def _follows_labels(self, group, label):
        """Whether rows that begin with a label follow those of fit; False if they are those of fit."""
        start, labels = self.labels[group]
        if label == start:
            return False
        if not _is_next(labels, label, self.grouped):
            raise ValueError(
                f"the index of X{_of_group(group)} begins with {_text(label)}, that of the rows of fit goes from "
                f"{_text(start)} to {_text(labels[-1])}: with context=True X has to begin directly after them, or be "
                f"these rows themselves. {_WAYS_OUT}"
            )
        return True

    def _are_of_fit(self, group, rows, index):
        """Whether the rows of a group are those of fit, by the first one and their number."""
        first, start = rows[index[0]], self.first_rows[group]
        begins = _is_among(first, start[np.newaxis])
        if begins and len(index) >= self.sizes[group]:
            return True
        if self.tells_apart[group] and (begins or _is_among(first, self.tails[group])):
            raise ValueError(
                f"row {index[0]} of X{_of_group(group)} is one of the rows of fit: with context=True X has to begin "
                f"directly after these, or be all of them. {_WAYS_OUT}; or {_WITH_INDEX}"
            )
        return False

    def _check_beginnings(self, begin, rows, labels):
        """Raise a ValueError unless groups begin, at the places `begin`, with the labels or rows of earlier calls."""
        # Nothing is remembered of a call that fails
        for beginning_of in (self.beginnings.get, self.beginnings.setdefault):
            for group, i in begin.items():
                beginning = None if labels is None else labels[i], rows[i].copy()
                if _are_same(beginning, beginning_of(group, beginning)):
                    continue
                known = group in self.tails
                raise ValueError(
                    f"row {i} of X{_of_group(group)}{'' if known else ' which fit did not see,'} is not the one that "
                    f"{'followed the rows of fit' if known else 'came first'} in an earlier call: with context=True X "
                    f"has to begin directly after the rows of fit in every call. {_WAYS_OUT}"
                    f"{f'; or {_WITH_INDEX}' if labels is None else ''}"
                )


_WAYS_OUT = (
    "Fit SlidingWindow again to the rows before X; or set context=False and pass X with the rows before it, whose "
    "windows are left out of the result"
)
_WITH_INDEX = "pass data frames whose index continues that of fit"


def labels_of(table):
    """The index of a pandas data frame as an array (n,) of times or numbers; None if it is of something else."""
    index = nw.maybe_get_index(table) if isinstance(table, nw.DataFrame) else None
    if index is None or index.nlevels > 1 or index.hasnans:
        return None
    if type(index).__name__ == "PeriodIndex":
        index = index.to_timestamp()
    if getattr(index, "tz", None) is not None:
        index = index.tz_localize(None)         # a day has 23 hours now and then
    labels = index.to_numpy()
    return labels if labels.dtype.kind in NUMBERS + TIMES else None


def _increases(labels):
    """Whether labels are in order, as those of times are; other numbers may only name the rows."""
    return len(labels) < 2 or bool((labels[1:] >= labels[:-1]).all() and labels[-1] > labels[0])


def _is_next(labels, label, grouped):
    """Whether a label comes directly after others, or later if these are not evenly spaced."""
    last = labels[-1]
    if not label > last:
        return False
    numbers = labels.dtype.kind in NUMBERS
    # Rows of a table with groups are numbered across groups
    if len(labels) < (2 if numbers else 3) or (numbers and grouped):
        return True
    steps = np.diff(labels)
    if numbers:
        even = np.allclose(steps, steps[-1], rtol=1e-6, atol=0)
        return not even or bool(np.isclose(label - last, steps[-1], rtol=1e-6, atol=0))
    if (steps == steps[-1]).all():
        return bool(label - last == steps[-1])
    return labels.dtype.kind == "m" or _is_next_by_calendar(labels, label)


def _is_next_by_calendar(labels, label):
    """Whether a date follows others that are, say, months or working days apart, or no such thing."""
    import pandas as pd  # of which the index is

    dates = pd.DatetimeIndex(labels)
    with warnings.catch_warnings():
        # pandas 3 announces another type, which `shift` takes, too.
        warnings.filterwarnings("ignore", ".*BaseOffset", DeprecationWarning)
        frequency = dates.inferred_freq
    return frequency is None or bool(dates[-1:].shift(1, freq=frequency)[0] == label)


def _rows_of_groups(groups):
    """The rows of each group, a dict of int arrays, in the order of their first rows."""
    codes = codes_of(groups)
    order = np.argsort(codes, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(codes))[:-1])
    return {groups[part[0]]: part for part in parts}


def codes_of(groups):
    """The index of the group of each row, groups in the order of their first rows."""
    numbers = {}
    return np.array([numbers.setdefault(group, len(numbers)) for group in groups])


def _differ(rows):
    """Whether there are some rows (n, D) and no two are the same, so that one of them will hardly come again."""
    return len(rows) >= MIN_COMPARED and len({row.tobytes() for row in rows}) == len(rows)


def _is_among(row, rows):
    """Whether a row (D,) has the values of one of some rows (n, D), as far as the narrower dtype has them."""
    dtype = min(row.dtype, rows.dtype, key=lambda dtype: dtype.itemsize)
    row, rows = without_warnings(row.astype, dtype), without_warnings(rows.astype, dtype)
    return bool(((rows == row) | (np.isnan(rows) & np.isnan(row))).all(axis=1).any())


def _are_same(a, b):
    """Whether two rows with their labels are the same: by their labels, if both have one."""
    labels, rows = zip(a, b, strict=True)
    return _is_among(rows[0], rows[1][np.newaxis]) if None in labels else bool(labels[0] == labels[1])


def _of_group(group):
    return "" if group is None else f", group {group!r},"


def _text(label):
    return np.datetime_as_string(label, unit="auto") if label.dtype.kind == "M" else str(label)
