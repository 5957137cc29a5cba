"""Arguments that several functions have: indices of sequences, layers and outputs, and steps."""

from numbers import Integral

import numpy as np

from skrnn._messages import shown


def check_index(value, n, name, of):
    """An index of one of n, also a negative one, as an int from 0; a TypeError or ValueError for what is none."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name}={shown(value)}: expected an int, the index of one of the {n} {of}")
    if not -n <= value < n:
        raise ValueError(f"{name}={value}: there are {n} {of}, expected an index from 0 to {n - 1}")
    return int(value) % n


def step_of_each(step, network, sequences, *, with_padding=False):
    """The step of each sequence that the argument `step` names.

    Parameters
    ----------
    step : int
        From the end of each sequence if it is negative.
    network : RecurrentNetwork
    sequences : Sequences or LazySequences
    with_padding : bool
        Whether a step of the padding of an array is allowed: it stands for the last one before it.

    Returns
    -------
    steps : (n,) int array

    Raises
    ------
    ValueError, TypeError
        When the network has one output for each sequence, when `step` is no int, or when a sequence is shorter.
    """
    if not network.per_step:
        raise ValueError(
            f"step={shown(step)}: the net has one output for each sequence, and steps of it only with "
            "return_sequences=True; leave it out"
        )
    if not isinstance(step, Integral) or isinstance(step, bool):
        raise TypeError(f"step={shown(step)}: expected an int, the index of a step")
    lengths = sequences.lengths
    padded = with_padding and sequences.n_padded is not None
    longest = np.full_like(lengths, sequences.n_padded) if padded else lengths
    too_short = np.flatnonzero((step >= longest) | (step < -lengths))
    if len(too_short):
        i = int(too_short[0])
        raise ValueError(
            f"step={step}: X[{i}] has {lengths[i]} steps, expected the index of a step that every sequence has; leave "
            "shorter ones out"
        )
    return np.minimum(step, lengths - 1) if step >= 0 else lengths + step
