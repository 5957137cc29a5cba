"""States of sequences: continuing where they ended, and one step at a time. Functions of a model and a reading."""

import numpy as np

from skrnn._data.mixed import values_by_name
from skrnn._data.numbers import all_finite, as_numbers, cell_name, for_kernels, is_positive_int
from skrnn._data.sequences import Sequences
from skrnn._estimators.patch_states import check_pending, continue_one_patch, continue_patches, pending_width
from skrnn._messages import shown
from skrnn._network.scores import check_scores
from skrnn._runtime.memory import usable_memory
from skrnn._warnings import without_warnings


def state_width(model, reading):
    """Columns of a state: the network's, what was seen last and when, and steps of a patch."""
    return model.network.state_width + reading.memory_width + pending_width(model.network)


def _seen(model, reading):
    """The columns of what was seen last, where missing values are filled, and of times."""
    width = model.network.state_width
    return slice(width, width + reading.memory_width)


def initial_state(model, reading, n, static):
    """States (n, width) of sequences before their first step, checked: what `BaseRNN.initial_state` returns."""
    if reading.n_static and static is None:
        raise ValueError(
            f"initial_state needs static, an array or frame with a row for each sequence: this net was fitted with "
            f"{reading.n_static} static features"
        )
    if static is not None and not reading.n_static:
        raise ValueError("static must be None: this net was fitted without static features")
    if n is None:
        n = len(static) if static is not None and np.ndim(static) == 2 else 1
    check_n_sequences(model, reading, n)
    return first_state(model, reading, int(n), None if static is None else reading.read_static(static, n, model.dtype))


def first_state(model, reading, n, static=None):
    """States (n, width) of sequences before their first step, with static features (n, S) as the network reads them."""
    state = np.zeros((n, state_width(model, reading)), model.dtype)
    network, width, seen = model.network, model.network.state_width, _seen(model, reading)
    state[:, :width] = (
        network.zero_state(n, model.dtype) if static is None else network.initial_state(model.theta, static, n)
    )
    reading.set_first_memory(state[:, seen])
    return state


def check_n_sequences(model, reading, n):
    """Raise a ValueError unless n is a number of sequences whose states the memory holds."""
    if not is_positive_int(n):
        raise ValueError(f"n_sequences={shown(n)}: expected a positive int")
    width = state_width(model, reading)
    n_bytes = int(n) * width * model.dtype.itemsize
    if n_bytes > usable_memory():
        raise ValueError(
            f"n_sequences={n}: states of {width} numbers for each take {n_bytes / 1e9:.3g} GB, more than the memory; "
            "expected fewer sequences at a time"
        )


def as_state(state, dtype, name):
    """States as an array of the dtype that the net computes in; raise an error that names what is no such number."""
    array = as_numbers(state, name)
    if array.dtype == dtype:
        return array
    converted = without_warnings(array.astype, dtype)
    if not all_finite(converted):
        too_large = np.isinf(converted) & np.isfinite(array)
        if too_large.any():
            where, value = _first_cell(array, too_large, name)
            raise ValueError(f"{where} is {value}, too large for {dtype}, the dtype of the fitted net")
    return converted


def check_state(model, reading, state, n, name):
    """States (n, width) to start with, as the net computes with them; those before the first step when None."""
    state = _of_shape(model, reading, state, n, name)
    if not all_finite(state):
        _check_cells(model.network, state, name)
    if model.network.patch is not None:
        check_pending(model.network, state, name)
    return state


def _of_shape(model, reading, state, n, name):
    """What `check_state` returns, without a look at each number."""
    if state is None:
        if reading.n_static:
            raise ValueError(
                f"{name} is None, but this net was fitted with {reading.n_static} static features, which its states "
                "have: begin with initial_state(static=...)"
            )
        return first_state(model, reading, n)
    dtype = model.dtype
    if type(state) is not np.ndarray or state.dtype != dtype:
        state = as_state(state, dtype, name)
    if n == 1 and state.ndim == 1:
        state = state[np.newaxis]
    expected = (n, state_width(model, reading))
    if state.shape != expected:
        raise ValueError(
            f"{name} has shape {state.shape}, expected {expected}: what this estimator returned, a row for each "
            "sequence"
        )
    return state


def _check_cells(network, state, name):
    """Raise a ValueError that names the first number that no state holds."""
    bad = ~np.isfinite(state)
    if "maxima" in network.state_layout:        # of no steps they are -infinity
        maxima = network.state_layout["maxima"]
        bad[:, maxima] &= state[:, maxima] != -np.inf
    if bad.any():
        where, value = _first_cell(state, bad, name)
        raise ValueError(f"{where} is {value}, expected a finite number as in states that this estimator returned")


def _first_cell(array, chosen, name):
    """The name and the value of the first of the chosen cells of an array."""
    index = tuple(map(int, np.argwhere(chosen)[0]))
    return cell_name(name, index), array[index]


def check_continues(model, reading, what):
    """Raise a ValueError when the network reads in both directions, or sequences in their own units."""
    if reading.in_own_units:
        raise ValueError(
            f"{what} needs a net that reads step by step, but standardize='sequence' takes the mean of all steps; "
            "fit with standardize=True"
        )
    if len(model.network.layers[0].directions) == 2:
        raise ValueError(f"{what} needs a net that reads forwards, but bidirectional=True reads from both ends")


def continue_from(model, reading, sequences, state, names=("X", "initial_state")):
    """Scores of sequences as the user gave them, from states on, and the states after their last steps.

    `names` are what messages call the sequences and the states. States have the static features of their sequences,
    those of X are read where there are no states.
    """
    width, seen = model.network.state_width, _seen(model, reading)
    if state is None and sequences.static is not None:
        state = first_state(model, reading, len(sequences), reading.with_filled_static(sequences).static)
    state = check_state(model, reading, state, len(sequences), names[1])
    after = np.empty_like(state)
    scores, first = [], 0
    for part, index in sequences.iter_chunks(np.arange(len(sequences))):
        rows = slice(first, first + len(index))
        first = rows.stop
        if reading.memory_width:
            part, after[rows, seen] = reading.fill(part, state[rows, seen], names[0])
        part = reading.categorize(part)
        if model.network.patch is not None:
            scores.append(continue_patches(model, part, state[rows], after[rows], name=names[0]))
            continue
        final = np.empty((len(index), width), model.dtype)
        initial = np.ascontiguousarray(state[rows, :width])
        scores.append(model.scores(part, initial, final, name=names[0], exponential=model.exponential))
        after[rows, :width] = final
    return scores[0] if len(scores) == 1 else np.concatenate(scores), after


def continue_one_step(model, reading, steps, state):
    """Scores of one more step (n, features) of each of n streams, and the states after it: as `continue_from`."""
    if model.network.patch is not None:
        return _continue_one_patch(model, reading, steps, state)
    if reading.n_categories or reading.memory_width:
        sequences = _as_sequences(steps, len(reading.step_encodings)).astype(model.dtype, "x")
        return continue_from(model, reading, sequences, state, ("x", "state"))
    state = _of_shape(model, reading, state, len(steps), "state")
    if steps.dtype != model.dtype:
        steps = _as_sequences(steps).astype(model.dtype, "x").values
    scores, after, finite = model.step(for_kernels(steps), for_kernels(state))
    if not finite:
        _check_cells(model.network, state, "state")
    if model.exponential or not finite:
        check_scores(model.network, scores, _as_sequences(steps), name="x", exponential=model.exponential)
    return scores, after


def _continue_one_patch(model, reading, steps, state):
    """What `continue_one_step` returns for a network that reads patches."""
    state = check_state(model, reading, state, len(steps), "state")
    if steps.dtype != model.dtype:
        steps = _as_sequences(steps).astype(model.dtype, "x").values
    if not reading.memory_width:
        scores, after, finite = continue_one_patch(model, steps, state)
    else:
        seen = _seen(model, reading)
        filled, last = reading.fill(_as_sequences(steps, len(reading.step_encodings)), state[:, seen], "x")
        scores, after, finite = continue_one_patch(model, filled.values, state)
        after[:, seen] = last
    if model.exponential or not finite:
        check_scores(model.network, scores, _as_sequences(steps), name="x", exponential=model.exponential)
    return scores, after


def _as_sequences(steps, n_codes=0):
    """Steps (n, features), the last of them codes, as n sequences of one step."""
    return Sequences(steps, np.ones(len(steps), np.intp), "array", n_codes=n_codes)


def read_step(reading, x):
    """One step of each of n streams, (n, features), checked; and whether x was of one stream."""
    _check_names(reading, x)
    if reading.step_encodings:
        x = reading.mixed.encode_step(x, reading.missing)
    else:
        x = as_numbers(values_by_name("x", x, reading.step_names) if isinstance(x, dict) else x, "x")
    one = x.ndim < 2
    steps = x[np.newaxis] if x.ndim == 1 else np.atleast_2d(x)
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
    expected = reading.step_names
    if expected is None or len(expected) != reading.n_step_features:
        return
    names = getattr(x, "columns", getattr(x, "index", None))
    if names is None or callable(names):
        return
    if all(isinstance(name, str) for name in names) and list(names) != list(expected):
        raise ValueError(f"x has the features {list(names)}, expected {list(expected)} as in fit")
