"""Streams of a network that reads patches: in states, the steps since the beginning of the patch that comes next.

Such a state has the network's states after the last full patch, the steps (size − 1, F) of the next one so far, and
their number. They are in the units of the user, with missing values filled. So a partial patch at the end of the steps
so far is computed for a prediction, and forgotten.
"""

import numpy as np

from skrnn._data.numbers import cell_name
from skrnn._data.ragged import rows_of
from skrnn._network.scores import check_scores, scores_of


def pending_width(network):
    """Columns of a state with steps of the next patch, and their number."""
    return 0 if network.patch is None else (network.patch[0] - 1) * network.n_inputs + 1


def check_pending(network, state, name):
    """Raise a ValueError where the last number of a state is no number of steps that a patch lacks the end of."""
    counts, size = state[:, -1].tolist(), network.patch[0]
    wrong = set(counts).difference(range(size))
    if wrong:
        row = next(row for row, count in enumerate(counts) if count in wrong)
        raise ValueError(
            f"{cell_name(name, (row, state.shape[1] - 1))} is {counts[row]}, expected the number of steps since the "
            f"last patch began, a whole number from 0 to {size - 1}, as in states that this estimator returned"
        )


def continue_patches(model, part, state, after, *, name):
    """Scores (n, Q) of sequences that continue states; fills those columns of `after` that are the network's.

    Parameters
    ----------
    model : Model
    part : Sequences
        In memory, with missing values filled.
    state, after : (n, width) array
    name : str
        What messages call the sequences.
    """
    network, width = model.network, model.network.state_width
    size, stride = network.patch
    sequences = _with_pending(network, part, state)
    starts, lengths = sequences.starts, sequences.lengths
    n_full = np.where(lengths < size, 0, (lengths - size) // stride + 1)
    ends = np.where(n_full > 0, (n_full - 1) * stride + size, 0)
    final, scores = state[:, :width].copy(), np.empty((len(part), network.n_outputs), model.dtype)
    full, partial = np.flatnonzero(n_full), np.flatnonzero(ends < lengths)
    if len(full):
        initial, final_full = final[full], np.empty((len(full), width), model.dtype)
        read = sequences.replace(starts=starts, lengths=ends)
        scores[full] = scores_of(network, model.theta, read, full, initial, final_full)
        final[full] = final_full
    first, n_pending = starts + n_full * stride, lengths - n_full * stride
    if len(partial):
        read = sequences.replace(starts=first, lengths=n_pending)
        scores[partial] = scores_of(network, model.theta, read, partial, final[partial])
    check_scores(network, scores, part, name=name, exponential=model.exponential)
    after[:, :width] = final
    rows = first[:, np.newaxis] + np.minimum(np.arange(size - 1), np.maximum(n_pending - 1, 0)[:, np.newaxis])
    # of nothing pending, which begins after the last row, a row that is not kept
    steps = sequences.values[np.minimum(rows, len(sequences.values) - 1)]
    _set_pending(network, after, steps, n_pending)
    return scores


def continue_one_patch(model, steps, state):
    """One more step (n, F) of each of n streams: scores (n, Q), the states after it, and whether the scores are finite.

    Whether a patch is full with this step or not, the prediction ends with it: one step of the network. Of what
    was seen last, the states after it have what those before it had.
    """
    network, width = model.network, model.network.state_width
    size, stride = network.patch
    after = state.copy()
    pending, pending_after = _pending_steps(network, state), _pending_steps(network, after)
    groups = list(_by_count(state[:, -1]))
    patch = np.empty((len(state), size, network.n_inputs), model.dtype)
    for count, rows in groups:
        patch[rows, :count] = pending[rows, :count]
        patch[rows, count:] = steps[rows, np.newaxis]       # the last step also for those that it lacks
    scores, stepped, finite = model.step(patch.reshape(len(state), -1), np.ascontiguousarray(state[:, :width]))
    for count, rows in groups:
        if count < size - 1:
            pending_after[rows, count], after[rows, -1] = steps[rows], count + 1
            continue
        after[rows, :width], after[rows, -1] = stepped[rows], size - stride
        pending_after[rows, : size - stride], pending_after[rows, size - stride :] = patch[rows, stride:], 0
    return scores, after, finite


def _by_count(counts):
    """Each number of steps that streams have of the next patch, and the rows of these."""
    different = set(counts.tolist())
    for count in different:
        yield int(count), slice(None) if len(different) == 1 else np.flatnonzero(counts == count)


def _pending_steps(network, state):
    """The columns of the steps of the next patch, a view (n, size − 1, F); of each row the first ones are known."""
    return state[:, -pending_width(network) : -1].reshape(len(state), -1, network.n_inputs)


def _set_pending(network, after, steps, counts):
    """Write the first `counts` (n,) of the steps (n, size − 1, F) to states, and 0 in the place of others."""
    known = np.arange(network.patch[0] - 1) < counts[:, np.newaxis]
    _pending_steps(network, after)[:] = np.where(known[:, :, np.newaxis], steps, 0)
    after[:, -1] = counts


def _with_pending(network, part, state):
    """Sequences with the steps of the patch that has begun before each; themselves where there are none."""
    pending, counts = _pending_steps(network, state), state[:, -1].astype(np.intp)
    if not counts.any():
        return part
    lengths = counts + part.lengths
    starts = np.cumsum(lengths) - lengths
    values = np.empty((lengths.sum(), network.n_inputs), part.dtype)
    values[rows_of(starts, counts)] = pending[np.arange(network.patch[0] - 1) < counts[:, np.newaxis]]
    values[rows_of(starts + counts, part.lengths)] = part.values[rows_of(part.starts, part.lengths)]
    return part.replace(values=values, lengths=lengths, starts=None)
