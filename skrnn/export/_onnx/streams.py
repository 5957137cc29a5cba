"""Streams in an ONNX graph: sequences that continue others, from states in the layout of `skrnn._estimators.states`.

A row of states that is NaN stands for the state before the first step, so that nothing else has to know what that is.
"""

import numpy as np

from skrnn._estimators import states
from skrnn._estimators.patch_states import pending_width
from skrnn.exceptions import ExportError
from skrnn.export._onnx.network import begin
from skrnn.export._onnx.network import scores as scores_of
from skrnn.export._onnx.reading import read_on, read_static
from skrnn.export._onnx.steps import Steps


def check_streams(fitted):
    """Raise an ExportError when a net cannot continue sequences."""
    try:
        states.check_continues(fitted.model, fitted.reading, "states=True")
    except ValueError as error:
        raise ExportError(str(error)) from error


def declare_state(g, fitted):
    """Declare the input ``state``, float32 of shape (n, width), and return its name."""
    return g.input("state", np.float32, ("n", states.state_width(fitted.model, fitted.reading)))


def continue_from(g, fitted, inputs, state):
    """Scores of sequences that continue from states, as `skrnn._estimators.states.continue_from`.

    Parameters
    ----------
    g : Graph
    fitted : Fitted
    inputs : Inputs
        A length of 0 counts as 1: no step is padding.
    state : str
        (n, width).

    Returns
    -------
    scores : str
        (n, Q), or per step (n, T, Q).
    steps : Steps
        What was read.
    after : str
        The states after the last steps, (n, width).
    """
    model, reading = fitted.model, fitted.reading
    network, width, n_seen = model.network, model.network.state_width, reading.memory_width
    inputs = inputs._replace(lengths=g.op("Max", inputs.lengths, 1))
    state = _begun(g, fitted, inputs, state)
    memory = g.columns(state, width, width + n_seen) if n_seen else None
    steps, memory = read_on(g, reading, inputs, memory)
    initial, seen = g.columns(state, 0, width), [memory] if n_seen else []
    if network.patch is None:
        scores, final = scores_of(g, network, model.parameters, steps, initial)
        return scores, steps, g.concat([final, *seen], axis=1)
    pending = g.columns(state, width + n_seen, width + n_seen + pending_width(network))
    scores, final, pending = _continue_patches(g, model, steps, initial, pending)
    return scores, steps, g.concat([final, *seen, pending], axis=1)


def _begun(g, fitted, inputs, state):
    """States with those before the first steps in the place of rows that are NaN."""
    model, reading = fitted.model, fitted.reading
    first = g.floats(states.first_state(model, reading, 1))
    if reading.n_static:
        width = model.network.state_width
        of_network = begin(
            g, model.network, model.parameters, Steps(None, inputs.lengths, read_static(g, reading, inputs))
        )
        rest = g.columns(state, width, states.state_width(model, reading))
        rest = g.op("Expand", g.columns(first, width, np.iinfo(np.int64).max), g.op("Shape", rest))
        first = g.concat([of_network, rest], axis=1)
    return g.where(g.op("IsNaN", g.columns(state, 0, 1)), first, state)


def _continue_patches(g, model, steps, initial, pending):
    """Scores (n, Q), the network's states after the last full patch, and the steps since then with their number.

    As `skrnn._estimators.patch_states.continue_patches`.
    """
    network = model.network
    size, stride = network.patch
    x, lengths = _with_pending(g, network, steps, pending)
    n_full = g.where(
        g.op("Less", lengths, size), 0, g.add(g.op("Div", g.op("Max", g.sub(lengths, size), 0), stride), 1)
    )
    ends = g.add(g.mul(g.sub(n_full, 1), stride), size)         # of the last full patch, if there is one
    has_full = g.op("Greater", n_full, 0)
    scores, final = scores_of(
        g, network, model.parameters, Steps(x, g.where(has_full, ends, 1)), initial
    )
    final = g.where(g.unsqueeze(has_full, 1), final, initial)
    first = g.mul(n_full, stride)
    n_pending = g.sub(lengths, first)
    partial = _rows(g, x, first, size)
    of_partial, _ = scores_of(g, network, model.parameters, Steps(partial, g.op("Max", n_pending, 1)), final)
    is_partial = g.op("Or", g.op("Not", has_full), g.op("Less", ends, lengths))
    scores = g.where(g.unsqueeze(is_partial, 1), of_partial, scores)
    known = g.unsqueeze(g.op("Less", g.constant(np.arange(size - 1)), g.unsqueeze(n_pending, 1)), 2)
    kept = g.where(known, g.columns(partial, 0, size - 1, axis=1), 0.0)
    kept = g.reshape(kept, 0, (size - 1) * network.n_inputs)
    return scores, final, g.concat([kept, g.cast(g.unsqueeze(n_pending, 1), np.float32)], axis=1)


def _with_pending(g, network, steps, pending):
    """The steps of the patch that has begun, and those after them, (n, size − 1 + T, F), and how many these are."""
    n_before = network.patch[0] - 1
    width = n_before * network.n_inputs
    count = g.cast(g.squeeze(g.columns(pending, width, width + 1), 1), np.int64)
    before = g.reshape(g.columns(pending, 0, width), 0, n_before, network.n_inputs)
    x = g.concat([before, steps.values], axis=1)
    # row i < count is the i-th of those before, and the others follow these
    i, count = g.unsqueeze(g.range(g.shape(x, 1)), 0), g.unsqueeze(count, 1)
    rows = g.where(g.op("Less", i, count), i, g.add(g.sub(i, count), n_before))
    return _gathered(g, x, rows), g.add(steps.lengths, g.squeeze(count, 1))


def _rows(g, x, first, size):
    """The steps (n, size, F) of x from the step `first` (n,) of each sequence on."""
    return _gathered(g, x, g.add(g.unsqueeze(first, 1), g.constant(np.arange(size))))


def _gathered(g, x, rows):
    """Steps x[i, rows[i]] of sequences (n, T, F); the last one in the place of rows beyond it."""
    rows = g.op("Min", rows, g.sub(g.shape(x, 1), 1))
    return g.op("GatherND", x, g.unsqueeze(rows, 2), batch_dims=1)
