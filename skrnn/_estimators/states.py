"""States of sequences: continuing where they ended, and one step at a time. Functions of a model and a reading."""

import numpy as np

from skrnn._data.numbers import all_finite, as_numbers
from skrnn._data.sequences import Sequences
from skrnn._network.scores import are_usable, check_scores, finite_scores


def state_width(model, reading):
    """Columns of a state: of the network's, and of what was seen last where missing values are filled."""
    return model.network.state_width + (reading.n_step_features if reading.missing != "error" else 0)


def zero_state(model, reading, n):
    """States (n, width) of sequences before their first step."""
    state = np.zeros((n, state_width(model, reading)), model.dtype)
    state[:, : model.network.state_width] = model.network.zero_state(n, model.dtype)
    return state


def check_state(model, reading, state, n):
    """States (n, width) to start with; zero states when None."""
    if state is None:
        return zero_state(model, reading, n)
    expected = (n, state_width(model, reading))
    state = np.asarray(state)
    if state.shape != expected or state.dtype != model.dtype:
        raise ValueError(
            f"the state has shape {state.shape} and dtype {state.dtype}, expected {expected} and {model.dtype}: one "
            "that this estimator returned, a row for each sequence"
        )
    return state


def check_one_direction(model, what):
    """Raise a ValueError when the network reads in both directions."""
    if len(model.network.layers[0].directions) == 2:
        raise ValueError(f"{what} needs a net that reads forwards, but bidirectional=True reads from both ends")


def continue_from(model, reading, sequences, state):
    """Scores of sequences as the user gave them, from states on, and the states after their last steps."""
    width = model.network.state_width
    state = check_state(model, reading, state, len(sequences))
    after = np.empty_like(state)
    scores, first = [], 0
    for part, index in sequences.iter_chunks(np.arange(len(sequences))):
        rows = slice(first, first + len(index))
        first = rows.stop
        if reading.n_categories:
            part = reading.categorize(part)
        elif reading.missing != "error":
            part, after[rows, width:] = reading.fill(part, state[rows, width:])
        final = np.empty((len(index), width), model.dtype)
        initial = np.ascontiguousarray(state[rows, :width])
        scores.append(
            finite_scores(model.network, model.theta, part, initial, final, exponential=model.exponential)
        )
        after[rows, :width] = final
    return scores[0] if len(scores) == 1 else np.concatenate(scores), after


def continue_one_step(model, reading, steps, state):
    """Scores of one more step (n, features) of each of n streams, and the states after it: as `continue_from`."""
    if reading.n_categories or reading.missing != "error":
        return continue_from(model, reading, _as_sequences(steps).astype(model.dtype, "x"), state)
    state = check_state(model, reading, state, len(steps))
    if steps.dtype != model.dtype:
        steps = _as_sequences(steps).astype(model.dtype, "x").values
    scores, after = model.step(_for_kernels(steps), _for_kernels(state))
    if not are_usable(scores, model.exponential):
        check_scores(model.network, scores, _as_sequences(steps), exponential=model.exponential)
    return scores, after


def _for_kernels(array):
    """An array as the kernels read it; itself if it is so."""
    flags = array.flags
    return array if flags.c_contiguous and flags.aligned else np.require(array, requirements=["C", "A"])


def _as_sequences(steps):
    """Steps (n, features) as n sequences of one step."""
    return Sequences(steps, np.ones(len(steps), np.intp), "array")


def read_step(reading, x):
    """One step of each of n streams, (n, features), checked; and whether x was of one stream."""
    _check_names(reading, x)
    x = np.atleast_1d(as_numbers(x, "x"))
    one = x.ndim == 1
    steps = x[np.newaxis] if one else x
    if steps.ndim != 2 or steps.shape[1] != reading.n_step_features or not len(steps):
        raise ValueError(
            f"x has shape {x.shape}, expected ({reading.n_step_features},), the features of a step, or "
            f"(n, {reading.n_step_features}) for n streams"
        )
    if reading.n_categories or not all_finite(steps):
        reading.check_values(_as_sequences(steps), "x")
    return steps, one


def _check_names(reading, x):
    """Raise a ValueError when the features of a step have other names than in fit."""
    expected = reading.feature_names
    if expected is None or len(expected) != reading.n_step_features:
        return
    names = getattr(x, "columns", getattr(x, "index", None))
    if names is None or callable(names):
        return
    if all(isinstance(name, str) for name in names) and list(names) != list(expected):
        raise ValueError(f"x has the features {list(names)}, expected {list(expected)} as in fit")
