"""What every estimator does with X and with its own attributes."""

from contextlib import contextmanager
from copy import copy
from functools import partial

import numpy as np
from sklearn.utils.validation import validate_data

from skrnn._data.containers import IN_PLACE, as_sequences
from skrnn._data.ragged import rows_of

MAX_CATEGORIES = 10_000_000       # each has a row of the embedding


@contextmanager
def atomic_fit(estimator):
    """A copy to be fitted in the block. The estimator becomes it at the end, and stays as it was when that fails."""
    fitted = copy(estimator)
    yield fitted
    for name in vars(estimator).keys() - vars(fitted).keys():
        delattr(estimator, name)
    vars(estimator).update(vars(fitted))


def check_sequences(
    estimator, X, n_steps=None, *, reset, allow_missing=False, leave_out_padding=True, in_place=IN_PLACE, named=True
):
    """Sequences of X, with the features that the estimator was fitted on.

    Parameters
    ----------
    estimator : estimator
        With `reset` it gets ``n_features_in_``, ``feature_names_in_`` (only from a table with string names),
        ``_from_table``, whether X is a table, and ``_n_step_features``, the features of a step. Without, X is checked
        against these.
    X : array-like or collection
        As in `as_sequences`.
    n_steps : int, optional
        As in `as_sequences`.
    reset : bool
        True in fit, False in what follows it.
    allow_missing, leave_out_padding, in_place
        As in `as_sequences`.
    named : bool
        Whether names are compared with those in fit.

    Returns
    -------
    Sequences or LazySequences
        In the dtype of X.
    """
    try:
        sequences = as_sequences(
            X, n_steps, allow_missing=allow_missing, leave_out_padding=leave_out_padding, in_place=in_place
        )
    except ValueError:
        if not reset and estimator._from_table and len(getattr(X, "shape", ())) == 2:
            # A table with other columns than in fit is told so first, as everywhere in scikit-learn.
            validate_data(estimator, X, skip_check_array=True, reset=False)
        raise
    if not named:
        n_columns = None if sequences.columns is None else np.shape(sequences.columns)[1]
        if sequences.kind == "table" and estimator._from_table and n_columns != estimator.n_features_in_:
            raise ValueError(f"X has {n_columns} columns, expected {estimator.n_features_in_} as in fit")
        sequences.columns = sequences.names = None
    if reset:
        _set_features(estimator, sequences)
    else:
        _check_features(estimator, sequences, n_steps)
    return sequences


def _set_features(estimator, sequences):
    estimator._from_table = sequences.kind == "table"
    estimator._n_step_features = sequences.n_features
    if sequences.columns is not None:
        validate_data(estimator, sequences.columns, skip_check_array=True, reset=True)
        return
    # validate_data would take the steps of a 3-D array for its features.
    estimator.n_features_in_ = sequences.n_features
    if sequences.names is not None:
        estimator.feature_names_in_ = np.array(sequences.names, dtype=object)
    elif hasattr(estimator, "feature_names_in_"):
        del estimator.feature_names_in_


def _check_features(estimator, sequences, n_steps):
    table = sequences.kind == "table"
    # Sequences without columns have no names that could be checked.
    if sequences.columns is not None and table == estimator._from_table:
        validate_data(estimator, sequences.columns, skip_check_array=True, reset=False)
    actual, expected, name = sequences.n_features, estimator._n_step_features, type(estimator).__name__
    names = list(getattr(estimator, "feature_names_in_", ()))
    if not estimator._from_table and names and sequences.names is not None and names != sequences.names:
        raise ValueError(
            "The feature names should match those that were passed during fit: X has the features "
            f"{sequences.names}, expected {names}"
        )
    if actual == expected:
        return
    if table:
        shape = (len(sequences), int(sequences.lengths[0]) * actual)
        raise ValueError(
            f"X has shape {shape}, read with n_steps={n_steps} as sequences of {actual} features a step, but {name} "
            f"was fitted on {expected} features a step: expected (sequences, steps, {expected}) or a list of (steps, "
            f"{expected}) arrays. For one sequence pass [X]"
        )
    raise ValueError(f"X has {actual} features, but {name} is expecting {expected} features as input")


def with_category_ids(estimator, sequences, *, reset):
    """Sequences of one feature, which is a category number, with these as `ids`.

    With `reset` the estimator gets ``_n_categories``: one more than the categories up to the maximum. The last one
    stands for any number above these.
    """
    if sequences.n_features != 1:
        raise ValueError(
            f"X has {sequences.n_features} features a step, expected one with embedding_dim: the number of a category"
        )
    greatest = max(_max_category(part) for part, _ in sequences.unshared().iter_chunks(np.arange(len(sequences))))
    if reset:
        estimator._n_categories = greatest + 2
    return sequences.map(partial(_clip_categories, n_categories=estimator._n_categories))


def _clip_categories(sequences, n_categories):
    """Sequences of categories as numbers, of which the last stands for all above."""
    categories = sequences.categories
    if categories is None:
        with np.errstate(invalid="ignore"):     # of rows that no sequence uses
            categories = sequences.values[:, 0].astype(np.intp)
    return sequences.replace(categories=np.minimum(categories, n_categories - 1))


def _max_category(sequences):
    values = sequences.values
    found = values[:, 0]
    bad = np.flatnonzero((found < 0) | (found != np.floor(found)) | (found > MAX_CATEGORIES))
    if len(bad):
        where = sequences.label("X", bad[0], per_step=True)
        raise ValueError(
            f"{where} is {values[bad[0], 0]}, expected the number of a category: 0, 1, 2, ... up to {MAX_CATEGORIES}"
        )
    return int(values.max())


def count_categories(sequences, used, n_categories):
    """How often each category occurs in the sequences `used`."""
    counts = np.zeros(n_categories, np.intp)
    for part, index in sequences.iter_chunks(used):
        counts += np.bincount(part.categories[rows_of(part.starts[index], part.lengths[index])], minlength=n_categories)
    return counts


def drop_unused_categories(estimator, sequences, used):
    """Sequences of categories, of which only those of the sequences `used` count as seen."""
    n_categories = int(np.flatnonzero(count_categories(sequences, used, estimator._n_categories))[-1]) + 2
    estimator._n_categories = n_categories
    return sequences.map(partial(_clip_categories, n_categories=n_categories))


def check_seen(estimator, sequences, used):
    """Raise a ValueError when sequences to go on with hold categories above those of the first fit."""
    if count_categories(sequences, used, estimator._n_categories)[-1]:
        raise ValueError(
            f"X holds a category that the first fit did not see: expected numbers up to {estimator._n_categories - 2}"
        )
