"""A net that predicts of each step of a sequence the next one."""

from copy import copy

import numpy as np

from skrnn._data.lazy import in_memory
from skrnn._data.weights import as_weights
from skrnn._estimators.regressor import RNNRegressor
from skrnn._pickling import stored_estimator
from skrnn._sklearn import checks_parameters


@stored_estimator
class NextStepRegressor(RNNRegressor):
    """An RNNRegressor with outputs per step, whose targets are the steps of X themselves, each one step earlier."""

    _name_in_messages = "RNNOutlierDetector"        # what the user has called

    @checks_parameters
    def fit(self, X, sample_weight, X_val, groups, watch_of):
        """Fit the net to sequences alone, under the `Watch` that `watch_of` returns for a `Fitted`."""
        return self._fit(X, None, sample_weight, X_val, X_val, groups, watch_of)

    def with_fitted(self, fitted):
        """A net like this one that has learned what `fitted` says."""
        net = copy(self)
        net._set_fitted(fitted)
        return net

    def sequences_of(self, X, caller):
        """Sequences of X in memory, checked against the fit, with missing values as they are; `caller` names errors."""
        model, reading, _ = self._get_fitted()
        return in_memory(reading.check(caller, X, dtype=model.dtype), type(caller).__name__)

    def forecasts_of(self, sequences):
        """What comes after each step of sequences as `sequences_of` returns them, (total, F): its numbers."""
        model, reading, targets = self._get_fitted()
        scores = model.scores(reading.categorize(reading.prepare(sequences)))
        return targets.decode(scores, model.loss)

    def _read_y(self, y, reading, sequences, sample_weight, resume, **targets):
        weights = as_weights(sample_weight, sequences, per_step=False)
        return super()._read_y(next_steps(reading, sequences), reading, sequences, weights, resume, **targets)

    def _split(self, fitted, data, X, X_val, y_val, groups):
        if X_val is not None:
            sequences = fitted.reading.check(self, X_val, dtype=fitted.model.dtype, named=False)
            y_val = next_steps(fitted.reading, sequences, "X_val")
        return super()._split(fitted, data, X, X_val, y_val, groups)

    def _warn_of_constant_targets(self, rows, weights, whole):
        """Features that are constant have been named as those of X."""


def next_steps(reading, sequences, name="X"):
    """The numbers of the next step of each step in the form of X, NaN where there is none; a ValueError if nowhere.

    Parameters
    ----------
    reading : Reading
    sequences : Sequences or LazySequences
        Neither filled nor with anything added.
    name : str
        What messages call them.
    """
    sequences = in_memory(sequences, "a net that predicts the next step")
    if (sequences.lengths == 1).all():
        of_table = f": it is a table of {sequences.n_features} feature(s)" * (sequences.kind == "table")
        raise ValueError(f"{name} has one step in every sequence{of_table}; expected a next step to predict")
    values = reading.numbers_of(sequences.values)
    following = np.full_like(values, np.nan)
    following[:-1] = values[1:]
    following[sequences.starts + sequences.lengths - 1] = np.nan
    unknown = np.isnan(following).all(axis=0)
    if unknown.any() or not len(unknown):
        feature = "any feature that is a number"
        if len(unknown):
            feature = f"feature {reading.places_of_numbers[np.argmax(unknown)]}"
        raise ValueError(
            f"{name} has no value of {feature} after the first steps: there is nothing to predict; leave it out"
        )
    return sequences.split(following)
