"""`gradient_flow`: how the gradient of the loss comes back through the steps."""

import numpy as np
from sklearn.utils import Bunch, gen_batches

from skrnn._data.examples import Examples
from skrnn._data.weights import multiply_weights
from skrnn._estimators.training_data import read_examples
from skrnn._network.objective import Objective
from skrnn._training.loop import clipping
from skrnn.inspection._arguments import step_of_each
from skrnn.inspection._hidden_states import check_state_name
from skrnn.inspection._nets import net_and_inputs
from skrnn.kernels import kernels_for


def gradient_flow(net, X, y, *, state=None, step=None):
    """How the gradient of the loss comes back through the steps: its norm in the states after every step.

    With ℓ the loss of a sequence and s_t the state of a layer after step t, ‖∂ℓ/∂s_t‖ says how much what the net has at
    step t matters for the loss, as far as training sees it. Where it is vanishingly small at early steps, nothing can
    be learned from them; where it grows from step to step back, updates explode. A derivative is through the output of
    that step and all later steps.

    Parameters
    ----------
    net : estimator
        A fitted net, or a Pipeline, search or other estimator around one; X then goes through the steps before it.
    X, y : as in `fit`
        Targets of some sequences or steps may be missing.
    state : {"h", "c"}, default=None
        Of which state. None: of all that a step passes on, of an LSTM h and c together. In an LSTM the gradient flows
        mainly in c, which h is computed from; each is by itself, as if the other stayed.
    step : int, default=None
        With `return_sequences`, of the loss of this step alone, counted from the end if it is negative: then it is seen
        how far back it reaches. None: of the mean over all steps that have a target.

    Returns
    -------
    flow : :class:`~sklearn.utils.Bunch`
        Of the loss that training minimizes, of each sequence by itself, without penalty, dropout and weights; of y in
        its units where `standardize` is set; through all steps, whatever `truncated_bptt_steps` is.

        norms : array of shape (n_layers, n_directions, n, T)
            ‖∂ℓ/∂s_t‖. The last column is the last step that a direction reads, so for the one that reads backwards the
            first step of the sequence. Shorter sequences begin with NaN; those without target are NaN. Of a net that
            reads patches a step is a patch.
        grad_norm : array of shape (n_batches,)
            Norm of the gradient of the parameters, of loss and penalty, for batches of X in their order, as large as
            those of training.
        scale : array of shape (n,)
            What clipping to `max_grad_norm` multiplies the gradient of the batch of each sequence by: 1 without.

    Raises
    ------
    ValueError, TypeError
        When X or y cannot be used, naming the sequence; when there is no such state or step.
    NotFittedError
        Before `fit`.

    See Also
    --------
    GradientFlowDisplay : A picture of it.
    hidden_states : The states themselves.

    References
    ----------
    Pascanu, R., Mikolov, T. and Bengio, Y. (2013). On the difficulty of training recurrent neural networks. ICML.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNRegressor
    >>> from skrnn.inspection import gradient_flow
    >>> X = np.random.default_rng(0).normal(size=(64, 50, 1))
    >>> net = RNNRegressor(8, cell="rnn", pooling="last", random_state=0).partial_fit(X, X[:, -1, 0])
    >>> norms = gradient_flow(net, X, X[:, -1, 0]).norms[0, 0]      # of the only layer, (64, 50)
    >>> bool(np.median(norms[:, 0]) < 1e-2 * np.median(norms[:, -1]))
    True
    """
    net, X = net_and_inputs(net, X)
    fitted = net._get_fitted()
    places = _places(fitted.model.network, state)
    examples = _of_step(read_examples(net, fitted, X, y), fitted.model.network, step)
    n = len(examples)
    if net.solver != "lbfgs":
        n = 32 if net.batch_size == "auto" else int(net.batch_size)
    objective = Objective(fitted.model.network, examples, fitted.model.loss, min(n, len(examples)), net.alpha)
    return _flow(fitted.model, objective, places, n, net.max_grad_norm)


def _flow(model, objective, places, batch_size, max_grad_norm):
    """What `gradient_flow` returns, for batches of so many of the examples of an objective."""
    network, examples = model.network, objective.examples
    lengths = network.n_patches(examples.sequences.lengths)
    norms = np.full((len(places), len(places[0]), len(lengths), int(lengths.max())), np.nan)
    grad_norms, scale, weights = [], np.full(len(lengths), np.nan), _weights(examples)
    for batch in gen_batches(len(examples), batch_size):
        loss, _, gradient, weight, dstates = objective.with_states(model.theta, np.arange(len(examples))[batch])
        if not np.isfinite(loss):
            first, last = examples.used[batch][[0, -1]]
            raise ValueError(
                f"the loss of X[{first}] to X[{last}] is {loss}: the states of the net grow without bound on one of "
                "them. Scale X, or fit with a bounded activation, a smaller learning_rate_init or max_grad_norm"
            )
        grad_norms.append(kernels_for(model.dtype).norm(gradient, objective.ranges))
        index = examples.used[batch]
        scale[index] = clipping(grad_norms[-1], max_grad_norm)
        _fill(norms, dstates.astype(np.float64) * weight, places, index, lengths, weights)
    return Bunch(norms=norms, grad_norm=np.array(grad_norms), scale=scale)


def _fill(norms, dstates, places, index, lengths, weights):
    """Fill the norms of the sequences `index` from gradients (S, n_states) of weights times their losses."""
    T, first = norms.shape[-1], 0
    for i in index:
        rows = dstates[first : first + lengths[i]] / weights[i]
        first += lengths[i]
        for layer, of_layer in enumerate(places):
            for direction, columns in enumerate(of_layer):
                of_steps = np.linalg.norm(rows[:, columns], axis=1)
                norms[layer, direction, i, T - lengths[i] :] = of_steps[:: -1 if direction else 1]


def _weights(examples):
    """The weight of each sequence's loss in that of a batch, (n,): that of what is known of its target or targets."""
    weights = multiply_weights(examples.weights, examples.known)
    lengths = examples.sequences.lengths
    if weights is None:
        return lengths.astype(float) if examples.per_step else np.ones(len(lengths))
    return np.add.reduceat(weights, examples.sequences.starts) if examples.per_step else weights


def _places(network, state):
    """Columns of a state, [layer][direction] int arrays: all states of the cell, or the one that is named."""
    check_state_name(network, state, (None,))
    chosen = [state] if state is not None else network.layers[0].cell.states
    return [
        [
            np.concatenate([np.r_[network.state_layout[depth, direction, name]] for name in chosen])
            for direction in range(len(layer.directions))
        ]
        for depth, layer in enumerate(network.layers)
    ]


def _of_step(examples, network, step):
    """Examples of which one step alone has a weight; themselves for None."""
    if step is None:
        return examples
    sequences = examples.sequences
    rows = sequences.starts + step_of_each(step, network, sequences)
    weights = np.zeros(len(examples.targets))
    weights[rows] = 1 if examples.weights is None else examples.weights[rows]
    if not weights.any():
        raise ValueError(f"step={step}: y has no target for this step of any sequence")
    return Examples(sequences, examples.targets, weights, True, examples.known)
