"""What early stopping holds out: a fraction of the sequences or texts, whole groups, equal shares of classes."""

from math import ceil

import numpy as np
from sklearn.model_selection import train_test_split

from skrnn._estimators.groups import hold_out_groups
from skrnn._estimators.validation import HeldOut


def split(estimator, fitted, data, X, groups=None):
    """The examples to train on, and HeldOut.

    Parameters
    ----------
    estimator : BaseRNN
        For its parameters.
    fitted : Fitted
        With the model to train, whose random state orders the sequences.
    data : TrainingData
    X : array-like or collection
        The sequences as the user has them.
    groups : (n,) int array, optional
        Of the sequences, as `read_groups` returns them.
    """
    model, reading, targets = fitted
    examples, per_step, fraction = data.examples, estimator.return_sequences, estimator.validation_fraction
    used = examples.used
    strata = None if per_step else targets.strata(data.rows.take(used))
    at_least = 1 if per_step else targets.min_validated
    if groups is None:
        used, index = hold_out(used, "sequences", fraction, model.random_state, strata, at_least)
    else:
        used, index = hold_out_groups(used, groups[used], strata, fraction, at_least, model.random_state)
    index = np.sort(index)
    own = reading.target_units(model.loss, examples.sequences, index, targets.n_outputs)
    return examples.replace(used=used), HeldOut(examples, index, data.rows, X, own)


def hold_out(items, what, fraction, random_state, strata=None, at_least=1):
    """Items to train on, and a fraction of them to validate on, `at_least` so many.

    With strata, an array like items, each stratum has the same share in both. A fold of a search may have only one item
    of a class, which is trained on, or too few items for all classes to be in both parts, which are then random.
    """
    n, kept = len(items), None
    if strata is not None:
        _, codes, counts = np.unique(strata, return_inverse=True, return_counts=True)
        kept, items, strata = items[counts[codes] < 2], items[counts[codes] > 1], strata[counts[codes] > 1]
        if not len(items):
            raise ValueError(
                f"early_stopping=True cannot hold out any of {n} {what}, one of each class, which are trained on: "
                "pass X_val and y_val, or more of a class"
            )
        n_held_out = ceil(fraction * len(items))
        if min(n_held_out, len(items) - n_held_out) < np.count_nonzero(counts > 1):
            strata = None
    try:
        too_few = ceil(fraction * len(items)) < at_least
        used, held_out = train_test_split(
            items, test_size=at_least if too_few else fraction, random_state=random_state, stratify=strata
        )
    except ValueError as error:
        raise ValueError(
            f"early_stopping=True cannot hold out validation_fraction={fraction} of {n} {what}: {error}"
        ) from error
    return (used if kept is None else np.concatenate([used, kept])), held_out
