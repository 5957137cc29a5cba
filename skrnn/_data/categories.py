"""Steps that are categories: integers from 0 on, as the only feature."""

from functools import partial

import numpy as np

from skrnn._data.ragged import rows_of
from skrnn._data.sequences import row_number
from skrnn._warnings import without_warnings

MAX_CATEGORIES = 10_000_000       # each has a row of the embedding


def check_categories(sequences, name="X", last=None):
    """Raise a ValueError that names the first step that is not a category, from 0 to `last` if that is announced.

    Steps of several features are left to the check of the features, and missing ones to that of finite values.
    """
    if sequences.n_features != 1:
        return
    last = MAX_CATEGORIES if last is None else last
    for rows in sequences.iter_used_rows():
        values = sequences.values[rows, 0]
        bad = np.flatnonzero((values < 0) | (values > np.floor(values)) | (values > last))
        if len(bad):
            where = sequences.label(name, row_number(rows, bad[0]), per_step=True)
            announced = "" if last == MAX_CATEGORIES else f", as n_categories={last + 1} announces"
            raise ValueError(f"{where} is {values[bad[0]]}, expected a category: 0, 1, 2, ... up to {last}{announced}")


def as_categories(sequences, n_categories):
    """Sequences whose steps are categories; the last one stands for all above, and for steps that are missing."""
    if sequences.categories is not None:
        return sequences.replace(categories=np.minimum(sequences.categories, n_categories - 1))
    categories = np.fmin(sequences.values[:, 0], n_categories - 1)
    categories = without_warnings(categories.astype, np.intp)       # of rows that no sequence uses
    return sequences.replace(categories=categories)


def count_categories(sequences, index=None, n_categories=0):
    """How often each category occurs in the sequences `index`, or in all: (n,) ints, n at least `n_categories`.

    Missing steps are not counted, unless the steps have been read as categories.
    """
    index = np.arange(len(sequences)) if index is None else index
    counts = np.zeros(n_categories, np.intp)
    for found in sequences.ask(partial(_counts_of, n_categories=n_categories), index):
        counts = _sum_of_counts(counts, found)
    return counts


def _sum_of_counts(a, b):
    """The sum of counts of which one may be of fewer categories."""
    longer, shorter = (a, b) if len(a) > len(b) else (b, a)
    longer[: len(shorter)] += shorter
    return longer


def _counts_of(sequences, index, n_categories):
    """`count_categories` of sequences in one place."""
    counts = np.zeros(n_categories, np.intp)
    for chunk, numbers in sequences.iter_chunks(index):
        rows = rows_of(chunk.starts[numbers], chunk.lengths[numbers])
        if chunk.categories is None:
            values = chunk.values[rows, 0]
            categories = values[~np.isnan(values)].astype(np.intp)
        else:
            categories = chunk.categories[rows]
        counts = _sum_of_counts(counts, np.bincount(categories, minlength=len(counts)))
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


def check_seen(sequences, used, last, announced):
    """Raise a ValueError that names the first step of the sequences `used` that is a category above the last one."""
    sequences.ask(partial(_check_seen, last=last, announced=announced), used)


def _check_seen(sequences, used, last, announced):
    """`check_seen` of sequences in one place."""
    for chunk, index in sequences.iter_chunks(used):
        rows = rows_of(chunk.starts[index], chunk.lengths[index])
        above = np.flatnonzero(chunk.values[rows, 0] > last)
        if len(above):
            row = rows[above[0]]
            what = f"that n_categories={last + 1} does not announce" if announced else "that the first fit did not see"
            raise ValueError(
                f"X holds a category {what}: expected categories up to {last}, but "
                f"{chunk.label('X', row, per_step=True)} is {chunk.values[row, 0]:.0f}"
                + ("" if announced else "; set n_categories in the first fit for those that come later")
            )
