"""The features of X, their number and their names, as an estimator learns them."""

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


def attributes_of_columns(n, names):
    """The public attributes that a fit sets: ``n_features_in_`` and, if there are names, ``feature_names_in_``."""
    named = {} if names is None else {"feature_names_in_": np.array(names, dtype=object)}
    return {"n_features_in_": n} | named
