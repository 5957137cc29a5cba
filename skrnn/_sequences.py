"""Sequences laid end to end, and the packed time-major form in which the kernels take a batch of them.

All steps stand in one array, sequence after sequence, without padding (`Sequences`). A batch is gathered step after
step (`Packing`): sequences in order of decreasing length, so that those that still run at a step are always the first.
"""

from functools import cached_property

import numpy as np

# Tiles depend on the number of sequences in the batch alone, never on the threads: every tile sums its own gradient.
MIN_TILE_ROWS = 8
MAX_TILES = 32


class Packing:
    """The shape of a batch: which sequence takes part in which step.

    Parameters
    ----------
    lengths : (N,) int array
        Steps of the sequences, at least 1 each, in the order of the batch.

    Attributes
    ----------
    order : (N,) int array
        The batch's sequences by decreasing length: packed row r is sequence order[r].
    active : (T,) int array
        How many sequences take step t.
    """

    def __init__(self, lengths):
        self.order = np.argsort(-lengths, kind="stable")
        self.lengths = lengths[self.order]
        self.n_sequences = len(lengths)
        # active[t] = the number of lengths > t
        self.active = len(lengths) - np.cumsum(np.bincount(lengths))[:-1]
        self.active = self.active.astype(np.intp)
        self.n_steps = int(self.active.sum())

    @cached_property
    def offsets(self):
        """Packed row at which step t begins, (T,)."""
        return np.cumsum(self.active) - self.active

    @cached_property
    def step_and_row(self):
        """Step and row of each of the S packed rows."""
        step = np.repeat(np.arange(len(self.active)), self.active)
        return step, np.arange(self.n_steps) - self.offsets[step]

    @cached_property
    def last(self):
        """Packed row of each sequence's own last step, (N,)."""
        return self.offsets[self.lengths - 1] + np.arange(self.n_sequences)

    @cached_property
    def reversed(self):
        """Packed row that a row changes places with when every sequence is read from its end, (S,); its own inverse."""
        step, row = self.step_and_row
        return self.offsets[self.lengths[row] - 1 - step] + row

    @cached_property
    def tiles(self):
        """Bounds of the tiles, see ``cells/_scan.pxi``."""
        n_tiles = min(MAX_TILES, max(1, self.n_sequences // MIN_TILE_ROWS))
        return (np.arange(n_tiles + 1) * self.n_sequences // n_tiles).astype(np.intp)


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
    """

    def __init__(self, values, lengths, kind, columns=None):
        self.values = values
        self.lengths = lengths
        self.starts = np.cumsum(lengths) - lengths
        self.kind = kind
        self.columns = columns

    def __len__(self):
        return len(self.lengths)

    @property
    def n_features(self):
        return self.values.shape[1]

    def astype(self, dtype, name="X"):
        """The same sequences in another dtype, C-contiguous; itself where nothing changes."""
        with np.errstate(over="ignore"):
            values = np.ascontiguousarray(self.values, dtype)
        if values is self.values:
            return self
        cast = Sequences(values, self.lengths, self.kind, self.columns)
        place = cast.first_not_finite()
        if place:
            raise ValueError(f"{name} is too large for {np.dtype(dtype)}, the dtype of the fitted net: {place[1]}")
        return cast

    def first_not_finite(self):
        """The first value that is not finite, and where it stands; None when all are finite."""
        # One pass without a temporary: the sum is finite unless a value is not, or it overflows.
        with np.errstate(over="ignore", invalid="ignore"):
            if np.isfinite(self.values.sum(dtype=np.float64)):
                return None
        bad = np.argwhere(~np.isfinite(self.values))
        if not len(bad):
            return None
        row, feature = map(int, bad[0])
        sequence, step = self.place(row)
        return self.values[row, feature], f"sequence {sequence}, step {step}, feature {feature}"

    def pack(self, index):
        """The packing of the sequences `index`, and the row in `values` of each of its S packed rows."""
        packing = Packing(self.lengths[index])
        step, row = packing.step_and_row
        return packing, self.starts[index][packing.order][row] + step

    def place(self, row):
        """Sequence and step of a row in `values`."""
        sequence = int(np.searchsorted(self.starts, row, side="right")) - 1
        return sequence, int(row - self.starts[sequence])

    def label(self, name, row, per_step):
        """How messages call a row of what belongs to the sequences, or to their steps."""
        return "{}[{}][{}]".format(name, *self.place(row)) if per_step else f"{name}[{row}]"

    def split(self, rows):
        """Rows of steps, (total, ...), in the form of X: (n, T, ...), or an object array of (T_i, ...) if ragged."""
        if self.kind != "ragged":
            return rows.reshape(len(self), -1, *rows.shape[1:])
        out = np.empty(len(self), dtype=object)
        for i, (start, length) in enumerate(zip(self.starts, self.lengths, strict=True)):
            out[i] = rows[start : start + length]
        return out
