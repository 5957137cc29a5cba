"""Sequences as the estimators hold them: in memory, or read on demand."""

from functools import lru_cache

import numpy as np

from skrnn._data.numbers import all_finite, for_kernels
from skrnn._data.ragged import is_in_file, rows_of, used_ranges
from skrnn._data.tables import names_of
from skrnn._warnings import without_warnings

# Up to this size a temporary array costs less than avoiding it
MAX_NUMBERS_OF_TEMPORARY = 10_000
# Numbers that are checked at a time, so that temporary arrays stay small
MAX_NUMBERS_PER_CHECK = 2**20

# The row of the first step of a single sequence, and its index
FIRST = np.zeros(1, np.intp)
FIRST.flags.writeable = False


class SequenceIndex:
    """The lengths of sequences, and what kind of container X was.

    Parameters
    ----------
    lengths : (n,) int array
    kind : {"table", "array", "ragged"}
        What X was: 2-D, 3-D, or a collection of sequences.
    columns : array or data frame, optional
        The table whose columns are the features of the estimator: X itself, a frame with a column of lists per feature,
        or the first of a list of frames. None if features have no columns.
    names : list of str, optional
        Names of the features, if X has names but no columns.
    n_padded : int, optional
        Number of steps of each sequence of X, if padding at the ends of some has been left out.
    numbers : (n,) int array, optional
        The indices of the sequences in X; None for all.
    n_codes : int
        How many of the last features of a step are codes of categories.
    """

    is_finite = False       # whether all numbers are known to be finite

    def __init__(self, lengths, kind, columns=None, names=None, n_padded=None, numbers=None, n_codes=0):
        self.lengths, self.kind, self.columns, self.names = lengths, kind, columns, names
        self.n_padded, self.numbers, self.n_codes = n_padded, numbers, n_codes
        self.starts = FIRST if len(lengths) == 1 else np.cumsum(lengths) - lengths
        # How often each category occurs, if the steps are categories that have been counted
        self.category_counts = None
        # The units of all sequences, if they have been learned while X was checked
        self.units = None

    def __len__(self):
        return len(self.lengths)

    @property
    def mean_length(self):
        """Mean number of steps per sequence."""
        return float(self.lengths[0] if len(self.lengths) == 1 else self.lengths.mean())

    @property
    def max_length(self):
        """Steps of the longest sequence."""
        return int(self.lengths[0] if len(self.lengths) == 1 else self.lengths.max())

    def all_have_steps(self, n_steps):
        """Whether all sequences of X have so many steps, padding included, and that is more than one."""
        return n_steps > 1 and (self.n_padded == n_steps if self.n_padded else bool((self.lengths == n_steps).all()))

    def locate(self, row):
        """The index in X of a sequence that has a row of the steps, and the index of this step in it."""
        sequence = np.flatnonzero((self.starts <= row) & (row < self.starts + self.lengths))[0]
        return int(self.number(sequence)), int(row - self.starts[sequence])

    def number(self, index):
        """The index in X of a sequence, or of several."""
        return index if self.numbers is None else self.numbers[index]

    def label(self, name, row, column=None, *, per_step):
        """What messages call a row of values per sequence, or per step, or a column in it."""
        inside = "" if column is None else f", {column}"
        if per_step:
            sequence, step = self.locate(row)
            return f"{name}[{sequence}][{step}{inside}]"
        return f"{name}[{self.number(row)}{inside}]"

    def ask(self, function, index, *of_each):
        """What a function tells of the sequences `index`, a list of answers that the caller puts together.

        Parameters
        ----------
        function : callable
            ``function(sequences, index, *of_each)``, called for all sequences that lie in one place.
        index : (N,) int array
        *of_each : (N, ...) arrays or None
            What belongs to each of these sequences.
        """
        return [function(self, index, *of_each)]

    def ask_rows(self, function, index, per_step=False):
        """Rows that ``function(sequences, index)`` returns, one for each sequence, or `per_step` for each step."""
        return function(self, index)

    def carry_out(self):
        """The same sequences, with all changes made: some that lie elsewhere only note them."""
        return self

    def split(self, rows):
        """Rows of steps, (total, ...), in the form of X: (n, T, ...), or an object array of (T_i, ...) if ragged.

        Padding that was left out gets the row of the last step of its sequence.
        """
        if self.n_padded is not None:
            steps = np.minimum(np.arange(self.n_padded), self.lengths[:, np.newaxis] - 1)
            return rows[self.starts[:, np.newaxis] + steps]
        if self.kind != "ragged":
            return rows.reshape(len(self), -1, *rows.shape[1:])
        out = np.empty(len(self), dtype=object)
        for i, (start, length) in enumerate(zip(self.starts, self.lengths, strict=True)):
            out[i] = rows[start : start + length]
        return out


class Sequences(SequenceIndex):
    """Sequences in memory.

    Parameters
    ----------
    values : (total, D) array
        All steps, sequence after sequence unless `starts` says otherwise.
    lengths, kind, **index
        As in `SequenceIndex`.
    categories : (total,) int array, optional
        The category of each step, if steps are categories.
    starts : (n,) int array, optional
        The row of the first step of each sequence, if sequences share steps or are in another order.
    static : (n, S) array, optional
        The static features of each sequence: numbers, then codes of categories.
    """

    def __init__(self, values, lengths, kind, *, categories=None, starts=None, static=None, **index):
        super().__init__(lengths, kind, **index)
        self.values = for_kernels(values)
        self.categories, self.static = categories, static
        # (2, n), for the masks of dropout: what to add to the row of a step to get its row among contiguous sequences,
        # and the index of the sequence. None if these are the row and the index themselves.
        self.mask_offsets = None
        self.contiguous = starts is None
        if starts is not None:
            self.mask_offsets = np.stack([self.starts - starts, np.arange(len(starts))])
            self.starts = starts

    @classmethod
    def of_array(cls, X):
        """The sequences of an array X (n, steps, features)."""
        n, T, D = X.shape
        return cls(X.reshape(n * T, D), _one_length(T) if n == 1 else np.full(n, T, np.intp), "array")

    @classmethod
    def of_list(cls, x):
        """The sequences of the list of one, x (steps, features)."""
        return cls(x, _one_length(len(x)), "ragged")

    @property
    def n_features(self):
        """Features of a step."""
        return self.values.shape[1]

    @property
    def dtype(self):
        """The dtype of the values."""
        return self.values.dtype

    @property
    def steps(self):
        """The input of the kernels: values (total, D), or categories (total,)."""
        return self.values if self.categories is None else self.categories

    def replace(self, **changed):
        """The same sequences with some of the parameters changed."""
        names = (
            "values", "lengths", "kind", "columns", "names", "categories", "n_padded", "numbers", "static", "n_codes"
        )
        starts = {} if self.contiguous else {"starts": self.starts}
        return Sequences(**{name: getattr(self, name) for name in names} | starts | changed)

    def copy_of(self, index):
        """A contiguous copy of the sequences `index`."""
        lengths = self.lengths[index]
        rows = rows_of(self.starts[index], lengths)
        categories = None if self.categories is None else self.categories[rows]
        return self.replace(
            values=self.values[rows], categories=categories, lengths=lengths, starts=None, numbers=self.number(index),
            static=rows_or_none(self.static, index),
        )

    def view_of(self, index):
        """The sequences `index`, without a copy of their steps."""
        view = self.replace(
            lengths=self.lengths[index], starts=self.starts[index], numbers=self.number(index),
            static=rows_or_none(self.static, index),
        )
        if self.mask_offsets is None:
            view.mask_offsets = np.stack([np.zeros_like(index), index])
        else:
            view.mask_offsets = np.ascontiguousarray(self.mask_offsets[:, index])
        return view

    def map(self, change):
        """The sequences changed by a function."""
        return change(self)

    def with_static(self, static):
        """The same sequences with other static features, (n, S)."""
        return self.replace(static=static)

    def load(self, index):
        """Sequences in memory that hold the sequences `index`, and the indices of these among them."""
        return self, index

    def iter_chunks(self, index):
        """The sequences `index` in chunks, each as `load` returns it."""
        yield self.load(index)

    def astype(self, dtype, name="X"):
        """The same sequences in another dtype; themselves if it is theirs."""
        if self.values.dtype == dtype:
            return self
        cast = self.replace(
            values=without_warnings(self.values.astype, dtype), static=cast_static(self.static, dtype, name)
        )
        place = cast.first_not_finite(allow_nan=True)
        if place:
            raise ValueError(f"{name} is too large for {np.dtype(dtype)}, the dtype of the fitted net: {place[1]}")
        return cast

    def first_not_finite(self, allow_nan=False):
        """The first value that is infinite or, unless it is allowed, NaN, and where it is; None if there is none."""
        # Reading what no sequence uses is cheap, unless it comes from a file
        if (self.contiguous or not is_in_file(self.values)) and surely_finite(self.values):
            return None
        for rows in self.iter_used_rows():
            values = self.values[rows]
            if surely_finite(values):
                continue
            bad = np.argwhere(np.isinf(values) if allow_nan else ~np.isfinite(values))
            if len(bad):
                i, feature = map(int, bad[0])
                sequence, step = self.locate(row_number(rows, i))
                return values[i, feature], f"sequence {sequence}, step {step}, feature {self._feature(feature)}"
        return None

    def _feature(self, j):
        """What messages call a feature of the steps of X: its name, or its number where it has none."""
        names = self.names if self.columns is None else () if self.kind == "table" else names_of(self.columns)
        named = names and len(names) == self.n_features and isinstance(names[j], str)
        return repr(names[j]) if named else j

    def iter_used_rows(self):
        """The rows of the values that are steps of sequences, in increasing order and a limited number at a time.

        Yields slices, or arrays of rows where others are between them.
        """
        n = max(1, MAX_NUMBERS_PER_CHECK // self.n_features)
        if self.contiguous:
            yield from (slice(first, first + n) for first in range(0, len(self.values), n))
            return
        begins, sizes = used_ranges(self.starts, self.lengths)
        ends = np.cumsum(sizes)
        for first in range(0, int(ends[-1]), n):
            # The ranges that hold the used rows number first .. last - 1
            last = min(first + n, int(ends[-1]))
            chosen = slice(np.searchsorted(ends, first, "right"), np.searchsorted(ends, last) + 1)
            before = ends[chosen] - sizes[chosen]
            low, high = np.maximum(before, first), np.minimum(ends[chosen], last)
            begin, size = begins[chosen] + low - before, high - low
            yield slice(begin[0], begin[0] + size[0]) if len(begin) == 1 else rows_of(begin, size)


@lru_cache(maxsize=256)
def _one_length(n_steps):
    """The lengths of a single sequence."""
    lengths = np.array([n_steps], np.intp)
    lengths.flags.writeable = False
    return lengths


def surely_finite(values):
    """Whether values are finite; False may also mean that their sum overflows."""
    if values.size < MAX_NUMBERS_OF_TEMPORARY:
        return all_finite(values)
    # One pass without a temporary
    return np.isfinite(without_warnings(np.sum, values, None, np.float64))


def rows_or_none(array, index):
    """The rows `index` of an array that may be None."""
    return None if array is None else array[index]


def cast_static(static, dtype, name="X"):
    """Static features (n, S), or None, in another dtype; raise a ValueError that names the first that is too large."""
    if static is None or static.dtype == dtype:
        return static
    cast = without_warnings(static.astype, dtype)
    bad = np.argwhere(np.isinf(cast))
    if len(bad):
        sequence, feature = map(int, bad[0])
        raise ValueError(
            f"{name} is too large for {np.dtype(dtype)}, the dtype of the fitted net: sequence {sequence}, static "
            f"feature {feature}"
        )
    return cast


def row_number(rows, i):
    """The row at place i of a slice or an array of rows."""
    return int(rows.start + i if isinstance(rows, slice) else rows[i])
