"""Sequences laid end to end."""

import numpy as np

# Numbers for which a temporary costs less than avoiding it
SMALL = 10_000


class Sequences:
    """Sequences laid end to end.

    Parameters
    ----------
    values : (total, D) array
        All steps, sequence after sequence.
    lengths : (n,) int array
    kind : {"table", "array", "ragged"}
        What X was: 2-D, 3-D, or a collection of sequences.
    columns : array or data frame, optional
        What the estimator's features are the columns of: a table itself, a frame with a column of lists a feature, or
        the first of a list of frames. None where features have no names.
    ids : (total,) int array, optional
        The category of each step, where the steps are categories.
    n_padded : int, optional
        Steps of each sequence of X, when the last ones of some were padding and have been left out.
    """

    def __init__(self, values, lengths, kind, columns=None, ids=None, n_padded=None):
        # As the kernels read them: C-contiguous and aligned. A view where they are so already.
        self.values = np.require(values, requirements=["C", "A"])
        self.lengths = lengths
        self.starts = np.cumsum(lengths) - lengths
        self.kind = kind
        self.columns = columns
        self.ids = ids
        self.n_padded = n_padded

    def __len__(self):
        return len(self.lengths)

    @property
    def n_features(self):
        return self.values.shape[1]

    @property
    def steps(self):
        """What the kernels read: values (total, D), or categories (total,)."""
        return self.values if self.ids is None else self.ids

    def replace(self, **changed):
        """The same sequences but for some of the parameters."""
        names = ("values", "lengths", "kind", "columns", "ids", "n_padded")
        return Sequences(**{name: getattr(self, name) for name in names} | changed)

    def astype(self, dtype, name="X"):
        """The same sequences in another dtype, C-contiguous; itself where nothing changes."""
        if self.values.dtype == dtype:
            return self
        with np.errstate(over="ignore"):
            values = self.values.astype(dtype)
        cast = self.replace(values=values)
        place = cast.first_not_finite(allow_nan=True)
        if place:
            raise ValueError(f"{name} is too large for {np.dtype(dtype)}, the dtype of the fitted net: {place[1]}")
        return cast

    def first_not_finite(self, allow_nan=False):
        """The first value that is not finite, and where it stands; None when all are finite, or NaN if that may be."""
        if self.values.size < SMALL:
            if np.isfinite(self.values).all():
                return None
        else:
            # One pass without a temporary: the sum is finite unless a value is not, or it overflows.
            with np.errstate(over="ignore", invalid="ignore"):
                if np.isfinite(self.values.sum(dtype=np.float64)):
                    return None
        bad = np.argwhere(np.isinf(self.values) if allow_nan else ~np.isfinite(self.values))
        if not len(bad):
            return None
        row, feature = map(int, bad[0])
        sequence, step = self.place(row)
        return self.values[row, feature], f"sequence {sequence}, step {step}, feature {feature}"

    @property
    def mean_length(self):
        """Steps of a sequence, on average."""
        return len(self.values) / len(self)

    def place(self, row):
        """Sequence and step of a row in `values`."""
        sequence = int(np.searchsorted(self.starts, row, side="right")) - 1
        return sequence, int(row - self.starts[sequence])

    def label(self, name, row, per_step):
        """How messages call a row of what belongs to the sequences, or to their steps."""
        return "{}[{}][{}]".format(name, *self.place(row)) if per_step else f"{name}[{row}]"

    def split(self, rows):
        """Rows of steps, (total, ...), in the form of X: (n, T, ...), or an object array of (T_i, ...) if ragged.

        Padding that was left out gets the row of the sequence's last step.
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


def rows_of(starts, lengths):
    """The rows start .. start + length - 1 of each sequence, one after the other."""
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return np.repeat(starts, lengths) + within
