"""Errors of forecasts of the next step, in units of those that a net makes on its training data."""

from dataclasses import dataclass

import numpy as np

from skrnn._estimators import states
from skrnn._plain import plain
from skrnn._warnings import without_warnings

# Errors that are smaller fractions of a feature's deviation are rounding: it is constant, or known in advance
MIN_ERROR = 1e-6


@plain
@dataclass(frozen=True)
class ErrorScale:
    """How large the errors of a net are.

    Parameters
    ----------
    net : NextStepRegressor
    of_errors : (F,) float64 array
        The root of the mean square of the errors of each feature.
    """

    net: object
    of_errors: np.ndarray

    @classmethod
    def learn(cls, net, sequences, weights):
        """That of a net on sequences, of `NextStepRegressor.sequences_of`, with weights (total,) of steps."""
        values = net._get_fitted().reading.numbers_of(sequences.values)
        unscaled = cls(net, np.ones(values.shape[1]))
        errors = unscaled._errors(values, *unscaled._expected(sequences))
        errors[sequences.starts] = np.nan
        known = ~np.isnan(errors) & (weights > 0)[:, np.newaxis]
        of_errors = [
            root_mean_square(column[rows], weights[rows]) for column, rows in zip(errors.T, known.T, strict=True)
        ]
        deviation = unscaled.units.scale
        return cls(net, np.where(of_errors > MIN_ERROR * deviation, of_errors, deviation))

    @property
    def units(self):
        """Mean and deviation of each feature over all steps."""
        return self.net._get_fitted().reading.units

    def scores(self, sequences):
        """Scores (total,) of the steps of sequences, of `NextStepRegressor.sequences_of`; NaN where none is known."""
        numbers = self.net._get_fitted().reading.numbers_of(sequences.values)
        return _scores(self._errors(numbers, *self._expected(sequences)))

    def _expected(self, sequences):
        """What the net expects of each step, (total, F), and which are first ones, of which it expects nothing."""
        forecasts = self.net.forecasts_of(sequences)
        first = np.zeros(len(forecasts), bool)
        first[sequences.starts] = True
        return np.concatenate([forecasts[-1:], forecasts[:-1]]), first

    def _errors(self, values, expected, first):
        """Scaled errors (R, F) of steps; of those that are the first of a sequence, (R,) bool, in deviations."""
        units, first = self.units, first[:, np.newaxis]
        scale = np.where(first, units.scale, self.of_errors)
        return (values - np.where(first, units.center, expected)) / scale

    def initial_state(self, n, static):
        """States (n, width) before the first step: those of the net, and what it expects of the next step, NaN."""
        state = self.net.initial_state(n, static)
        nothing = np.full((len(state), len(self.of_errors)), np.nan, state.dtype)
        return np.concatenate([state, nothing], axis=1)

    def score_step(self, x, state):
        """Scores (n,) of one more step of n streams, the states after it, and whether x was of one stream."""
        model, reading, targets = self.net._get_fitted()
        steps, one = states.read_step(reading, x)
        of_net, expected = self._split_state(state, len(steps), states.state_width(model, reading), model.dtype)
        scores, after = states.continue_one_step(model, reading, steps, of_net)
        numbers = reading.numbers_of(steps).astype(model.dtype)
        errors = self._errors(numbers, expected, np.isnan(expected).all(axis=1))
        return _scores(errors), np.concatenate([after, targets.decode(scores, model.loss)], axis=1), one

    def _split_state(self, state, n, width, dtype):
        """States of the net (n, width), None for those before the first step, and what it expects, (n, F)."""
        n_features = len(self.of_errors)
        if state is None:
            return None, np.full((n, n_features), np.nan, dtype)
        state = states.as_state(state, dtype, "state")
        state = state[np.newaxis] if n == 1 and state.ndim == 1 else state
        if state.shape != (n, width + n_features):
            raise ValueError(
                f"state has shape {state.shape}, expected {(n, width + n_features)}: what this estimator returned, a "
                "row for each stream"
            )
        return state[:, :width], state[:, width:]


def root_mean_square(values, weights):
    """The root of the weighted mean square; scaled by a power of 2, so that no square over- or underflows."""
    _, exponent = np.frexp(np.abs(values).max())
    return np.ldexp(np.sqrt(np.average(np.square(np.ldexp(values, -exponent)), weights=weights)), exponent)


def _scores(errors):
    """The negative root of the mean square of scaled errors (R, F), of those that are known, not NaN; (R,)."""
    known = ~np.isnan(errors)
    squares = without_warnings(np.square, np.where(known, errors, 0.0))
    counts = known.sum(axis=1)
    mean = without_warnings(np.sum, squares, 1) / np.maximum(counts, 1)
    return np.where(counts > 0, -np.sqrt(mean), np.nan)
