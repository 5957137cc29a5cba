"""Missing values: refused, carried forward, or carried forward beside an indicator of what was missing."""

import numpy as np

from skrnn._ragged import rows_of

MISSING = ("error", "ffill", "mask")


def without_padding(sequences):
    """Sequences of an array without the steps at their ends that are NaN in every feature; one step is left."""
    if sequences.kind != "array":
        return sequences
    n, T = len(sequences), int(sequences.lengths[0])
    present = ~np.isnan(sequences.values).all(axis=1).reshape(n, T)
    lengths = np.where(present.any(axis=1), T - np.argmax(present[:, ::-1], axis=1), 1).astype(np.intp)
    if (lengths == T).all():
        return sequences
    return sequences.replace(
        values=sequences.values[rows_of(sequences.starts, lengths)], lengths=lengths, n_padded=T
    )


def fill_forward(sequences, before=None):
    """Values in which a missing one is the last of its feature that was seen in the sequence.

    Parameters
    ----------
    sequences : Sequences
    before : (n, D) array, optional
        What was seen last before the first steps; zeros when None.

    Returns
    -------
    values : (total, D) array
    missing : (total, D) bool array
    """
    values = sequences.values
    missing = np.isnan(values)
    before = np.zeros((len(sequences), sequences.n_features), values.dtype) if before is None else before
    rows = np.where(missing, -1, np.arange(len(values))[:, np.newaxis])
    np.maximum.accumulate(rows, axis=0, out=rows)
    first = np.repeat(sequences.starts, sequences.lengths)[:, np.newaxis]
    initial = np.repeat(before, sequences.lengths, axis=0)
    return np.where(rows < first, initial, np.take_along_axis(values, np.maximum(rows, 0), axis=0)), missing


def filled(sequences, missing, before=None):
    """Sequences whose missing values are treated as the estimators' parameter `missing` says, and what was seen last.

    Parameters
    ----------
    sequences : Sequences
    missing : {"ffill", "mask"}
        The last value seen; or that, and for each feature another that is 1 where it was missing.
    before : (n, D) array, optional
        What was seen last before the first steps.

    Returns
    -------
    Sequences
    (n, D) array
    """
    values, was_missing = fill_forward(sequences, before)
    seen = values[sequences.starts + sequences.lengths - 1]
    if missing == "mask":
        values = np.concatenate([values, was_missing], axis=1, dtype=values.dtype)
    return sequences.replace(values=values), seen
