"""`hidden_states`: what the units of a net hold after every step."""

import numpy as np

from skrnn._data.sequences import SequenceIndex
from skrnn._messages import shown
from skrnn._network.scores import states_of
from skrnn.inspection._arguments import check_index
from skrnn.inspection._nets import net_and_inputs


def hidden_states(net, X, *, layer=-1, state="h"):
    """The states of a net after every step of sequences.

    What `transform` returns of the last step, for all of them, and the cells of an LSTM. Of the top layer, h is what
    the head of the net reads.

    Parameters
    ----------
    net : estimator
        A fitted net, or a Pipeline, search or other estimator around one; X then goes through the steps before it.
    X : as the estimator takes it
        n sequences.
    layer : int or None, default=-1
        Which layer, from the input upwards, or from the end if it is negative; None: all, side by side.
    state : {"h", "c"}, default="h"
        The outputs of the units, or the memory of their cells, which the cells "lstm" and "skip_lstm" have.

    Returns
    -------
    states : array of shape (n, steps, units); for a collection an object array of n arrays (steps, units)
        In the form of X, as predictions for each step. With both directions first those of the one that reads forwards,
        then those of the other one, which has read the step and all after it. A net that reads patches has states after
        each of these. In place of padding stand the states of the last step.

    Raises
    ------
    ValueError, TypeError
        When X cannot be used, naming the sequence; when there is no such layer or state.
    NotFittedError
        Before `fit`.

    See Also
    --------
    HiddenStateDisplay : A picture of them.
    gradient_flow : The gradient of the loss in them.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNRegressor
    >>> from skrnn.inspection import hidden_states
    >>> X = np.random.default_rng(0).normal(size=(50, 8, 2))
    >>> net = RNNRegressor((4, 3), random_state=0).fit(X, X[:, 0, 0])
    >>> hidden_states(net, X[:5]).shape
    (5, 8, 3)
    >>> bool((hidden_states(net, X[:5], layer=None)[:, -1] == net.transform(X[:5])).all())
    True
    """
    net, X = net_and_inputs(net, X)
    states, index = states_and_index(net, X, layer, state)[:2]
    return index.split(states)


def states_and_index(net, X, layer, state):
    """States of all steps, one sequence after the other, the index that splits them, and the sequences."""
    model, reading, _ = net._get_fitted()
    network = model.network
    columns = columns_of(network, layer, state)
    sequences = reading.read(net, X, dtype=model.dtype)
    return states_of(network, model.theta, sequences, columns), index_of_steps(network, sequences), sequences


def check_state_name(network, state, others=()):
    """Raise a ValueError unless the cells of a network have a state of this name, or it is one of `others`."""
    names = list(network.layers[0].cell.states)
    if state not in (*names, *others):
        raise ValueError(f"state={shown(state)}: the cell {network.cell!r} has {' and '.join(map(repr, names))}")


def columns_of(network, layer, state):
    """The columns of a state that are these of a layer, or of all for None; an error for what there is not."""
    check_state_name(network, state)
    layers = range(len(network.layers))
    if layer is not None:
        layers = [check_index(layer, len(layers), "layer", "layers")]
    return np.concatenate([
        np.r_[columns] for name, columns in network.state_layout.items() if name[0] in layers and name[-1] == state
    ])


def index_of_steps(network, sequences):
    """The index that splits rows of the steps, or patches, of sequences in the form of X."""
    n_padded = sequences.n_padded
    if n_padded is not None:
        n_padded = int(network.n_patches(np.array([n_padded]))[0])
    return SequenceIndex(network.n_patches(sequences.lengths), sequences.kind, n_padded=n_padded)
