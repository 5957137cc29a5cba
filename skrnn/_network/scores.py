"""Scores of any number of sequences, as they are read."""

from functools import partial

import numpy as np

from skrnn._data.numbers import all_finite
from skrnn._data.ragged import rows_of
from skrnn._data.sequences import FIRST, Sequences

# The greatest numbers whose exponentials are finite, but for rounding
MAX_EXPONENT = {
    np.dtype(dtype): np.nextafter(np.log(np.finfo(dtype).max), 0, dtype=dtype) for dtype in (np.float32, np.float64)
}

# Numbers in the states after every step that are computed at a time
MAX_NUMBERS_OF_STATES = 2**22


def scores_of(network, theta, sequences, index, initial=None, final=None, engine=None, packed=False):
    """Raw scores of the sequences `index`, (N, Q), or (steps, Q) with outputs per step.

    Parameters
    ----------
    network : RecurrentNetwork
    theta : (P,) array
    sequences : Sequences or LazySequences
    index : (N,) int array
    initial : (N, width) array, optional
        States before the first steps.
    final : (N, width) array, optional
        Filled with the states after the last steps.
    engine, packed
        As in `RecurrentNetwork.checked_forward`.

    Raises
    ------
    ValueError
        When a sequence has more steps than the mean over them can count.
    """
    scores = partial(_scores_of, network, theta, initial=initial, final=final, engine=engine, packed=packed)
    return sequences.ask_rows(scores, index, network.per_step)


def _scores_of(network, theta, sequences, index, **options):
    """`scores_of` sequences in one place."""
    return _checked_scores(network, theta, sequences, index, **options)[0]


def _checked_scores(network, theta, sequences, index, initial, final, engine, packed):
    """What `scores_of` returns, and whether all are finite."""
    network.check_counts(sequences, index)
    if isinstance(sequences, Sequences):
        return network.checked_forward(theta, sequences, index, initial, final, engine=engine, packed=packed)
    parts, first, all_are = [], 0, True
    for loaded, numbers in sequences.iter_chunks(index):
        rows = slice(first, first + len(numbers))
        scores, finite = network.checked_forward(
            theta, loaded, numbers, None if initial is None else initial[rows],
            None if final is None else final[rows], engine=engine, packed=packed,
        )
        parts.append(scores)
        first, all_are = rows.stop, all_are and finite
    return parts[0] if len(parts) == 1 else np.concatenate(parts), all_are


def finite_scores(
    network, theta, sequences, initial=None, final=None, engine=None, packed=False, *, name="X", exponential=False
):
    """Raw scores of all sequences, which messages call `name`; otherwise as `scores_of`.

    Raises
    ------
    ValueError
        When some are not finite, or with `exponential` their exponentials, naming the sequence or step; and as in
        `scores_of`.
    """
    n = len(sequences)
    index = FIRST if n == 1 else np.arange(n)
    scores, finite = _checked_scores(network, theta, sequences, index, initial, final, engine, packed)
    if exponential or not finite:
        check_scores(network, scores, sequences, name=name, exponential=exponential)
    return scores


def states_of(network, theta, sequences, columns):
    """The states after every step of all sequences, or after every patch, (S, ...): these columns of them.

    Parameters
    ----------
    network : RecurrentNetwork
    theta : (P,) array
    sequences : Sequences or LazySequences
    columns : int array
        Of the states of the layers, see `RecurrentNetwork.state_layout`.

    Raises
    ------
    ValueError
        When the scores of a sequence are not finite, naming it.
    """
    index, parts = np.arange(len(sequences)), []
    network.check_counts(sequences, index)
    size = max(1, int(MAX_NUMBERS_OF_STATES // (sequences.mean_length * network.n_states)))
    for first in range(0, len(index), size):
        for loaded, numbers in sequences.iter_chunks(index[first : first + size]):
            lengths = loaded.lengths[numbers]
            trace = np.empty((int(lengths.sum()), network.n_states), theta.dtype)
            scores, finite = network.checked_forward(theta, loaded, numbers, trace=trace)
            if not finite:
                rows = rows_of(loaded.starts[numbers], lengths) if network.per_step else numbers
                check_scores(network, scores, loaded, rows)
            parts.append(network.states_of_steps(loaded, numbers, trace)[:, columns])
    return np.concatenate(parts)


def check_scores(network, scores, sequences, rows=None, *, name="X", exponential=False):
    """Raise a ValueError that names the first sequence or step whose scores are not finite.

    Parameters
    ----------
    network : RecurrentNetwork
    scores : (R, Q) array
    sequences : Sequences or LazySequences
    rows : (R,) int array, optional
        The sequences, or the rows of the steps, whose scores these are; None for all of them.
    name : str
        What messages call the sequences.
    exponential : bool
        Whether predictions are the exponentials of the scores, which then have to be finite, too.
    """
    if not all_finite(scores):
        _, where = _first_row(~np.isfinite(scores), network, sequences, rows, name)
        raise ValueError(
            f"The net's output for {where} is not finite: its states grow without bound on this sequence. Scale "
            f"{name}, or fit with a bounded activation, a smaller learning_rate_init or max_grad_norm"
        )
    if not exponential or scores.max() <= MAX_EXPONENT[scores.dtype]:
        return
    bad, where = _first_row(scores > MAX_EXPONENT[scores.dtype], network, sequences, rows, name)
    raise ValueError(
        f"The prediction for {where} is not finite: the exponential of the output {scores[bad].tolist()} is too large. "
        f"Scale {name}, or fit with a smaller learning_rate_init"
    )


def _first_row(bad, network, sequences, rows, name):
    """The first of the scores' rows with something bad, (R, Q) bool, and what messages call it."""
    first = int(np.flatnonzero(bad.any(axis=1))[0])
    return first, sequences.label(name, first if rows is None else rows[first], per_step=network.per_step)
