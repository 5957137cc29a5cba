"""The features of X, their number and their names, checked against those of the fit."""

import numpy as np

from skrnn._sklearn import learn_columns


def features_of(estimator, sequences):
    """The number of features of sequences, and their names, a tuple or None, as an estimator would learn them."""
    if sequences.columns is not None:
        return columns_of_table(estimator, sequences.columns)
    # scikit-learn would read the steps of a 3-D array as its features
    return sequences.n_features, None if sequences.names is None else tuple(sequences.names)


def columns_of_table(estimator, table):
    """The number of columns of a table, and their names, a tuple or None, as an estimator would learn them."""
    learned = learn_columns(estimator, table)
    names = learned.get("feature_names_in_")
    return int(learned["n_features_in_"]), None if names is None else tuple(names)


def check_features(reading, estimator, sequences, n_steps):
    """Raise a ValueError if sequences have other features than those in the fit."""
    table, expected, name = sequences.kind == "table", reading.n_step_features, type(estimator).__name__
    # Sequences without columns have no names to check
    if sequences.columns is not None and table == reading.from_table:
        reading.check_table(estimator, sequences.columns)
    names = list(reading.feature_names or ())
    if not reading.from_table and names and sequences.names is not None and names != sequences.names:
        raise ValueError(
            "The feature names should match those that were passed during fit: X has the features "
            f"{sequences.names}, expected {names}"
        )
    if sequences.n_features == expected:
        return
    if table:
        shape = (len(sequences), int(sequences.lengths[0]) * sequences.n_features)
        raise ValueError(
            f"X has shape {shape}, read with n_steps={n_steps} as sequences of {sequences.n_features} features per "
            f"step, but {name} was fitted on {expected} features per step: expected (sequences, steps, {expected}) or "
            f"a list of (steps, {expected}) arrays. For one sequence pass [X]"
        )
    raise ValueError(f"X has {sequences.n_features} features, but {name} is expecting {expected} features as input")


def forget_names(reading, sequences):
    """Exclude the names of features from the check; raises a ValueError if a table has another number of columns."""
    n_columns = None if sequences.columns is None else np.shape(sequences.columns)[1]
    if sequences.kind == "table" and reading.from_table and n_columns != reading.n_features_in:
        raise ValueError(f"X has {n_columns} columns, expected {reading.n_features_in} as in fit")
    sequences.columns = sequences.names = None
