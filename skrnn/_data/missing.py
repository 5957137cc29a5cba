"""Missing values: an error, filled forward, or filled forward with indicators of what was missing."""

import numpy as np

from skrnn._data.ragged import rows_of

MISSING = ("error", "ffill", "indicator", "decay")
# Those with a further input for each feature, which is 1 where it was missing
WITH_INDICATORS = ("indicator", "decay")


def valid_lengths(sequences):
    """Steps of each sequence of an array up to the last one that is not NaN in every feature; at least one."""
    n, T = len(sequences), int(sequences.lengths[0])
    present = ~np.isnan(sequences.values).all(axis=1).reshape(n, T)
    return np.where(present.any(axis=1), T - np.argmax(present[:, ::-1], axis=1), 1).astype(np.intp)


def without_padding(sequences, kinds=("array",)):
    """Sequences without the steps at their ends that are NaN in every feature, if X is of some kinds; one is kept."""
    if sequences.kind not in kinds:
        return sequences
    T, lengths = int(sequences.lengths[0]), valid_lengths(sequences)
    if (lengths == T).all():
        return sequences
    return sequences.replace(
        values=sequences.values[rows_of(sequences.starts, lengths)], lengths=lengths, n_padded=T
    )


def last_seen(missing, starts, lengths):
    """The last row of the same sequence, up to each row, where a feature is not missing; −1 if there is none.

    Parameters
    ----------
    missing : (total, D) bool array
        Of contiguous sequences.
    starts, lengths : (n,) int arrays

    Returns
    -------
    (total, D) int array
    """
    rows = np.where(missing, -1, np.arange(len(missing))[:, np.newaxis])
    np.maximum.accumulate(rows, axis=0, out=rows)
    rows[rows < np.repeat(starts, lengths)[:, np.newaxis]] = -1
    return rows


def fill_forward(sequences, before=None):
    """Values in which each missing one is replaced by the last value of its feature in the sequence.

    Parameters
    ----------
    sequences : Sequences
    before : (n, D) array, optional
        The last values before the first steps; None for zeros.

    Returns
    -------
    values : (total, D) array
    missing : (total, D) bool array
    """
    values = sequences.values
    missing = np.isnan(values)
    before = np.zeros((len(sequences), sequences.n_features), values.dtype) if before is None else before
    rows = last_seen(missing, sequences.starts, sequences.lengths)
    initial, unseen = np.repeat(before, sequences.lengths, axis=0), rows < 0
    rows[unseen] = 0
    return np.where(unseen, initial, np.take_along_axis(values, rows, axis=0)), missing


def interpolated(sequences):
    """Values in which each missing one is interpolated between the neighbors of its feature in the sequence.

    Before the first and after the last value it is that value; if a sequence has none, it stays NaN.
    """
    values, starts, lengths = sequences.values, sequences.starts, sequences.lengths
    missing = np.isnan(values)
    total = len(values)
    before = last_seen(missing, starts, lengths)
    # Read backwards, the next value is the last one
    after = last_seen(missing[::-1], (total - starts - lengths)[::-1], lengths[::-1])[::-1]
    after = np.where(after < 0, -1, total - 1 - after)
    left, right = np.where(before < 0, after, before), np.where(after < 0, before, after)
    x, y = (np.take_along_axis(values, np.maximum(rows, 0), axis=0) for rows in (left, right))
    fraction = (np.arange(total)[:, np.newaxis] - left) / np.maximum(right - left, 1)
    # In this order no product overflows
    line = np.where(left == right, x, x * (1 - fraction) + y * fraction)
    return np.where(missing, np.where(left < 0, np.nan, line), values).astype(values.dtype)


def filled(sequences, missing, before=None):
    """Sequences with missing values filled, and the last value of each feature.

    Parameters
    ----------
    sequences : Sequences
    missing : {"ffill", "indicator", "decay"}
        Fill with the last value; with the others also add an indicator of each feature, which is 1 where it was
        missing.
    before : (n, D) array, optional
        The last values before the first steps.

    Returns
    -------
    Sequences
    (n, D) array
    """
    values, was_missing = fill_forward(sequences, before)
    last = values[sequences.starts + sequences.lengths - 1]
    if missing in WITH_INDICATORS:
        values = np.concatenate([values, was_missing], axis=1, dtype=values.dtype)
    return sequences.replace(values=values), last


def without_gaps(sequences, missing, initial=None):
    """The sequences that `filled` returns, without the last values; with a value before all first steps, or 0."""
    before = None if initial is None else np.full((len(sequences), sequences.n_features), initial, sequences.dtype)
    return filled(sequences, missing, before)[0]
