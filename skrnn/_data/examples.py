"""Sequences with their targets and weights."""

from copy import copy

import numpy as np

from skrnn._data.ragged import rows_of
from skrnn._data.weights import usable_weights


class Examples:
    """Sequences to train on, with their targets and weights.

    Parameters
    ----------
    sequences : Sequences
    targets : (n, ...) array, or (total, ...) with targets per step
    weights : (n,) or (total,) float64 array, or None
        Of the terms of the loss.
    per_step : bool
    known : (n,) or (total,) float64 array, optional
        Of each target the fraction of its outputs that is known; None where all are.

    Attributes
    ----------
    used : int array
        The sequences with weight. The others are left out, so that a weight of 0 is the same as absence.
    """

    def __init__(self, sequences, targets, weights, per_step, known=None):
        self.sequences, self.targets, self.per_step, self.known = sequences, targets, per_step, known
        if weights is not None:
            weights = usable_weights(
                weights, "no target has a positive weight: where sample_weight and class_weight are not 0, y has none",
                "sample_weight times class_weight adds up to infinity, expected smaller weights",
            )
        self.weights = weights
        self.used = self._with_weight()

    def replace(self, **changed):
        """The same examples, but for some attributes."""
        examples = copy(self)
        vars(examples).update(changed)
        return examples

    def _with_weight(self):
        if self.weights is None:
            return np.arange(len(self.sequences))
        weights = self.weights
        if self.per_step:
            weights = np.add.reduceat(weights, self.sequences.starts)
        return np.flatnonzero(weights)

    def weights_of_sequences(self):
        """Weights (N,) of the sequences in use, of steps their mean over a sequence; None where all are the same."""
        if self.weights is None:
            return None
        if not self.per_step:
            return self.weights[self.used]
        sums = np.add.reduceat(self.weights, self.sequences.starts)
        return (sums / self.sequences.lengths)[self.used]

    def with_weight(self):
        """The targets in use and their weights, (R, ...) and (R,), or None where all are the same."""
        rows = self.used
        if self.per_step:
            rows = rows_of(self.sequences.starts[rows], self.sequences.lengths[rows])
        if self.weights is None:
            return self.targets[rows], None
        rows = rows[self.weights[rows] > 0]
        return self.targets[rows], self.weights[rows]

    def __len__(self):
        return len(self.used)

    def load(self, index):
        """Examples in memory that hold the sequences `index`, and the indices of these among them."""
        sequences, numbers = self.sequences.load(index)
        if sequences is self.sequences:
            return self, index
        rows = rows_of(self.sequences.starts[index], sequences.lengths) if self.per_step else index
        return self._with(sequences, rows), numbers

    def view_of(self, index):
        """Examples in memory that hold the sequences `index` alone, in a time that does not depend on all others."""
        sequences, _ = self.sequences.load(index)
        if sequences is not self.sequences:
            return self.load(index)[0]
        return self._with(sequences.view_of(index), slice(None) if self.per_step else index)

    def _with(self, sequences, rows):
        """Examples of other sequences, with some rows of the targets and weights."""
        return self.replace(
            sequences=sequences, targets=self.targets[rows], used=np.arange(len(sequences)),
            weights=None if self.weights is None else self.weights[rows],
            known=None if self.known is None else self.known[rows],
        )
