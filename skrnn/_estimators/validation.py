"""What early stopping validates on: some of the sequences of fit, or X_val and y_val."""

import numpy as np

from skrnn._data.examples import Examples
from skrnn._data.features import features_of
from skrnn._data.ragged import rows_of
from skrnn._data.target_checks import check_samples
from skrnn._data.weights import multiply_weights
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
    examples : Examples
        Of which they are a part; their targets are None if the loss of some is infinite.
    index : (N,) int array
        Which of the sequences.
    rows : TargetRows
        Targets and weights of all of them, as the user knows them.
    X : array-like or collection
        The sequences as the user has them.
    own : TargetUnits, optional
        The units of their targets, if each sequence is read in its own units.
    name : str
        What messages call the sequences.
    """

    def __init__(self, examples, index, rows, X, own=None, name="X"):
        self.own = own
        self.sequences, self.per_step, self.index, self.X, self.name = (
            examples.sequences, examples.per_step, index, X, name
        )
        self.row_numbers = index
        if self.per_step:
            self.row_numbers = rows_of(self.sequences.starts[index], self.sequences.lengths[index])
        self.targets = None if examples.targets is None else examples.targets[self.row_numbers]
        self.loss_weights = None if examples.weights is None else examples.weights[self.row_numbers]
        self.rows = rows.take(self.row_numbers)
        self.has_weight = slice(None) if self.rows.weights is None else self.rows.weights > 0
        self.values = self.rows.values[self.has_weight]
        self.weights = None if self.rows.weights is None else self.rows.weights[self.has_weight]

    def scores(self, model, theta):
        """Raw scores of the sequences or steps; a ValueError names the first not finite.

        One for each target is in the units of all sequences, several are in those that `targets_of` knows.
        """
        scores = scores_of(model.network, theta, self.sequences, self.index)
        check_scores(
            model.network, scores, self.sequences, self.row_numbers, name=self.name, exponential=model.exponential
        )
        return self.own.put_back(scores) if self._puts_back(model.loss) else scores

    def _puts_back(self, loss):
        return self.own is not None and loss.width == 1

    def targets_of(self, targets, loss, rows):
        """What is known of the targets of some rows, with the units of what `scores` returns of them."""
        in_own = self.own is not None and not self._puts_back(loss)
        return targets.in_own_units(self.own.take(rows)) if in_own else targets

    def loss(self, loss, scores):
        """The mean loss of what `scores` returns, weighted as in training."""
        if self.targets is None:
            return float("inf")
        scores = self.own.of(scores) if self._puts_back(loss) else scores
        return loss.mean(scores, self.targets, self.loss_weights)

    def score_of_constant(self, constant, targets, loss, scoring):
        """The score of the scores `constant` (Q,) in the place of all, by the loss or the score of the estimator."""
        scores = np.tile(constant, (len(self.row_numbers), 1))
        scores = self.own.put_back(scores) if self._puts_back(loss) else scores
        if scoring == "loss":
            return -self.loss(loss, scores)
        targets = self.targets_of(targets, loss, self.has_weight)
        return float(targets.score(self.values, scores[self.has_weight], loss, self.weights))

    def warn_if_constant(self, targets):
        """Warn if the explained fraction of the loss is nothing to go by."""
        if targets.are_constant(self.values):
            warn_user(
                f"the targets that early_stopping validates on are all {self.values[0].tolist()}: their score is 0 "
                "whatever is predicted, unless it is met exactly, and training stops early. Pass X_val and y_val that "
                "vary, or leave scoring at 'loss'",
                ConstantTargetWarning,
            )


def read_validation(estimator, fitted, X_val, y_val, of_classes=None):
    """Validation data, checked as those of fit, as `HeldOut`; `of_classes` are the weights of the classes of y."""
    model, reading, targets = fitted
    per_step = reading.per_step
    try:
        sequences = reading.read(estimator, X_val, dtype=model.dtype, named=False)
        _check_same_kind(estimator, reading, sequences)
    except (TypeError, ValueError) as error:
        raise with_message(error, f"In X_val and y_val: {error}. {NOT_TRANSFORMED}") from error
    try:
        check_samples(sequences, y_val, "y_val")
        rows = targets.read(y_val, sequences, per_step)
        targets.check_validation(rows, sequences, per_step, model.loss, estimator.scoring == "loss")
        encoded = targets.encode(rows, sequences, per_step, model.loss) if targets.are_known(rows) else None
        rows.weigh()
        weights = multiply_weights(rows.weights, targets.weights(rows, of_classes))
        examples = Examples(sequences, encoded, weights, per_step)
    except (TypeError, ValueError) as error:
        raise with_message(error, f"In X_val and y_val: {error}") from error
    index = np.arange(len(sequences))
    own = reading.target_units(model.loss, sequences, index, targets.n_outputs)
    if own is not None:
        examples = examples.replace(targets=own.of(examples.targets))
    return HeldOut(examples, index, rows, X_val, own, "X_val")


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
