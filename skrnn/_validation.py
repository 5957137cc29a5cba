"""What every estimator does with X and with its own attributes."""

from contextlib import contextmanager

from sklearn.utils.validation import validate_data

from skrnn._sequences import as_sequences


@contextmanager
def restored_on_error(estimator):
    """Put the estimator's attributes back as they were when the block raises."""
    before = vars(estimator).copy()
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def check_sequences(estimator, X, n_steps=None, *, reset):
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

    Returns
    -------
    Sequences
        In the dtype of X.
    """
    try:
        sequences = as_sequences(X, n_steps)
    except ValueError:
        if not reset and estimator._from_table and len(getattr(X, "shape", ())) == 2:
            # A table with other columns than in fit is told so first, as everywhere in scikit-learn.
            validate_data(estimator, X, skip_check_array=True, reset=False)
        raise
    if reset:
        _set_features(estimator, X, sequences)
    else:
        _check_features(estimator, X, sequences, n_steps)
    return sequences


def _set_features(estimator, X, sequences):
    estimator._from_table = sequences.kind == "table"
    estimator._n_step_features = sequences.n_features
    if estimator._from_table:
        validate_data(estimator, X, skip_check_array=True, reset=True)
        return
    # validate_data would take the steps of a 3-D array for its features.
    estimator.n_features_in_ = sequences.n_features
    if hasattr(estimator, "feature_names_in_"):
        del estimator.feature_names_in_


def _check_features(estimator, X, sequences, n_steps):
    if sequences.kind == "table" and estimator._from_table:
        validate_data(estimator, X, skip_check_array=True, reset=False)
    actual, expected, name = sequences.n_features, estimator._n_step_features, type(estimator).__name__
    if actual == expected:
        return
    if sequences.kind == "table":
        raise ValueError(
            f"X has shape ({len(sequences)}, {sequences.n_columns}), read with n_steps={n_steps} as sequences of "
            f"{actual} features a step, but {name} was fitted on {expected} features a step: expected "
            f"(sequences, steps, {expected}) or a list of (steps, {expected}) arrays. For one sequence pass [X]"
        )
    raise ValueError(f"X has {actual} features, but {name} is expecting {expected} features as input")
