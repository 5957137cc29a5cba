"""What early stopping validates on: some of the sequences of fit, or X_val and y_val."""

import numpy as np

from skrnn._data.features import features_of
from skrnn._data.ragged import rows_of
from skrnn._data.target_checks import check_samples
from skrnn._messages import with_message
from skrnn._network.scores import check_scores, scores_of
from skrnn._warnings import warn_user
from skrnn.exceptions import ConstantTargetWarning

NOT_TRANSFORMED = (
    "X_val has to be as X is where it comes to the net: a Pipeline transforms it only with transform_input=['X_val'] "
    "and metadata routing, see the guide on data"
)


class HeldOut:
    """Sequences and targets that early stopping validates on.

    Parameters
    ----------
    sequences : Sequences or LazySequences
    index : (N,) int array
        Which of them.
    rows : TargetRows
        Targets and weights of all of them.
    per_step : bool
    name : str
        What messages call the sequences.
    """

    def __init__(self, sequences, index, rows, per_step, name="X"):
        self.sequences, self.index, self.name = sequences, index, name
        self.rows = rows_of(sequences.starts[index], sequences.lengths[index]) if per_step else index
        values, weights = rows.values[self.rows], None if rows.weights is None else rows.weights[self.rows]
        self.has_weight = slice(None) if weights is None else weights > 0
        self.values, self.weights = values[self.has_weight], None if weights is None else weights[self.has_weight]

    def scorer(self, model, targets):
        """A function that scores theta; higher is better."""

        def score(theta):
            scores = scores_of(model.network, theta, self.sequences, self.index)
            check_scores(
                model.network, scores, self.sequences, self.rows, name=self.name, exponential=model.exponential
            )
            value = float(targets.score(self.values, scores[self.has_weight], model.loss, self.weights))
            if not np.isfinite(value):
                raise ValueError(
                    f"The validation score is {value}: the {len(self.index)} sequences held out are too few or all "
                    "alike. Increase validation_fraction, or pass X_val and y_val"
                )
            return value

        return score

    def score_of_constant(self, constant, targets, loss):
        """The score of the scores `constant` (Q,) in the place of all."""
        return float(targets.score(self.values, np.tile(constant, (len(self.values), 1)), loss, self.weights))

    def warn_if_constant(self, targets):
        """Warn if early stopping has nothing to go by."""
        if targets.are_constant(self.values):
            warn_user(
                f"the targets that early_stopping validates on are all {self.values[0].tolist()}: their score is 0 "
                "whatever is predicted, unless it is met exactly, and training stops early. Pass X_val and y_val that "
                "vary",
                ConstantTargetWarning,
            )


def read_validation(estimator, model, reading, targets, X_val, y_val):
    """Validation data, checked as those of fit, as `HeldOut`."""
    per_step = reading.per_step
    try:
        sequences = reading.read(estimator, X_val, dtype=model.dtype, named=False)
        _check_same_kind(estimator, reading, sequences)
    except (TypeError, ValueError) as error:
        raise with_message(error, f"In X_val and y_val: {error}. {NOT_TRANSFORMED}") from error
    try:
        check_samples(sequences, y_val, "y_val")
        rows = targets.read(y_val, sequences, per_step)
        targets.check_validation(rows, sequences, per_step, model.loss)
    except (TypeError, ValueError) as error:
        raise with_message(error, f"In X_val and y_val: {error}") from error
    rows.weigh()
    held_out = HeldOut(sequences, np.arange(len(sequences)), rows, per_step, "X_val")
    held_out.warn_if_constant(targets)
    return held_out


def _check_same_kind(estimator, reading, sequences):
    """Raise a ValueError, or warn, when validation data look as if they had missed a transformer."""
    table = sequences.kind == "table"
    if table != reading.from_table:
        kinds = {True: "a table, (n, columns)", False: "sequences by themselves"}
        raise ValueError(f"X_val is {kinds[table]}, but X in fit is {kinds[reading.from_table]}")
    named = features_of(estimator, sequences)[1] is not None
    if named == (reading.feature_names is not None):
        reading.check_names(estimator, sequences)
    elif named or table:
        has = {True: "feature names", False: "no feature names"}
        warn_user(f"X_val has {has[named]}, but X in fit has {has[not named]}. {NOT_TRANSFORMED}")
