"""Steps that are categories: integers from 0 on, as the only feature."""

import numpy as np

from skrnn._data.ragged import rows_of
from skrnn._data.sequences import row_number

MAX_CATEGORIES = 10_000_000       # each has a row of the embedding


def check_categories(sequences, name="X"):
    """Raise a ValueError that names the first step that is not a category.

    Steps of several features are left to the check of the features.
    """
    if sequences.n_features != 1:
        return
    for rows in sequences.iter_used_rows():
        values = sequences.values[rows, 0]
        bad = np.flatnonzero((values < 0) | (values != np.floor(values)) | (values > MAX_CATEGORIES))
        if len(bad):
            where = sequences.label(name, row_number(rows, bad[0]), per_step=True)
            raise ValueError(
                f"{where} is {values[bad[0]]}, expected a category: 0, 1, 2, ... up to {MAX_CATEGORIES}"
            )


def as_categories(sequences, n_categories):
    """Sequences whose steps are categories; the last one stands for all above."""
    categories = sequences.categories
    if categories is None:
        with np.errstate(invalid="ignore"):     # in rows that no sequence uses
            categories = sequences.values[:, 0].astype(np.intp)
    return sequences.replace(categories=np.minimum(categories, n_categories - 1))


def count_categories(sequences, index=None, n_categories=0):
    """How often each category occurs in the sequences `index`, or in all: (n,) ints, n at least `n_categories`."""
    counts = np.zeros(n_categories, np.intp)
    for chunk, numbers in sequences.iter_chunks(np.arange(len(sequences)) if index is None else index):
        rows = rows_of(chunk.starts[numbers], chunk.lengths[numbers])
        categories = chunk.values[rows, 0].astype(np.intp) if chunk.categories is None else chunk.categories[rows]
        found = np.bincount(categories, minlength=len(counts))
        found[: len(counts)] += counts
        counts = found
    return counts


def counts_in(sequences, used, n_categories):
    """How often each category occurs in the sequences `used`, (n_categories,).

    If `sequences.category_counts` has the counts of all sequences, only those that are left out are read again.
    """
    counts = sequences.category_counts
    if counts is None or 2 * len(used) < len(sequences):
        return count_categories(sequences, used, n_categories)
    left_out = np.ones(len(sequences), bool)
    left_out[used] = False
    left_out = np.flatnonzero(left_out)
    return counts - count_categories(sequences, left_out, n_categories) if len(left_out) else counts


def check_seen(sequences, used, n_categories):
    """Raise a ValueError if one of the sequences `used` has the last category, which the first fit did not see."""
    for chunk, index in sequences.iter_chunks(used):
        if (chunk.categories[rows_of(chunk.starts[index], chunk.lengths[index])] == n_categories - 1).any():
            raise ValueError(
                f"X holds a category that the first fit did not see: expected categories up to {n_categories - 2}"
            )
