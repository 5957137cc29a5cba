"""Scores of any number of sequences, as they are read."""

import numpy as np

from skrnn._data.numbers import all_finite


def scores_of(network, theta, sequences, index, initial=None, final=None):
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

    Raises
    ------
    ValueError
        When a sequence has more steps than the mean over them can count.
    """
    network.check_counts(sequences, index)
    parts, first = [], 0
    for loaded, numbers in sequences.iter_chunks(index):
        rows = slice(first, first + len(numbers))
        parts.append(network.forward(
            theta, loaded, numbers, None if initial is None else initial[rows], None if final is None else final[rows]
        ))
        first = rows.stop
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def finite_scores(network, theta, sequences, initial=None, final=None):
    """Raw scores of all sequences.

    Raises
    ------
    ValueError
        When some are not finite, naming the sequence or step; and as in `scores_of`.
    """
    scores = scores_of(network, theta, sequences, np.arange(len(sequences)), initial, final)
    check_scores(network, scores, sequences)
    return scores


def check_scores(network, scores, sequences, rows=None):
    """Raise a ValueError that names the first sequence or step whose scores are not finite.

    `rows` are the sequences, or the rows of the steps, whose scores these are; None for all of them.
    """
    if all_finite(scores):
        return
    bad = int(np.flatnonzero(~np.isfinite(scores).all(axis=1))[0])
    bad = bad if rows is None else rows[bad]
    raise ValueError(
        f"The net's output for {sequences.label('X', bad, network.per_step)} is not finite: its states grow without "
        "bound on this sequence. Scale X, or fit with a bounded activation, a smaller learning_rate_init or "
        "max_grad_norm"
    )
