"""Recurrent layers stacked under a linear head: their parameters, and the kernels that compute with them."""

from functools import cached_property

import numpy as np

from skrnn._data.ragged import rows_of
from skrnn._network.layer import RecurrentLayer
from skrnn._network.parameters import ParameterLayout, full_range, glorot_uniform
from skrnn._runtime.memory import max_bytes
from skrnn._runtime.threads import ThreadTuner, threads_for
from skrnn.kernels import CELLS, kernels_for


class RecurrentNetwork:
    """The layers, the head and the layout of their parameters. It holds no parameters itself.

    Parameters
    ----------
    n_inputs, n_outputs : int
        D and Q.
    hidden_size : tuple of int
        Units of each stacked layer, from the input upwards.
    cell : str
        A key of ``CELLS``.
    activation : str
        For the cell ``"rnn"``.
    reset_after : bool
        For the cell ``"gru"``.
    bidirectional : bool
        Both directions in every layer.
    per_step : bool
        The head reads every step of the top layer, or else one vector of every sequence.
    pooling : {"last", "mean", "max"}
        Which vector: the last output, the mean of all, or the greatest of each unit.
    n_ids : int
        Categories that the steps are numbers of, each embedded as D inputs; 0 for steps of D numbers.
    """

    def __init__(
        self, n_inputs, hidden_size, n_outputs, cell, activation, reset_after, bidirectional, per_step, pooling="last",
        n_categories=0,
    ):
        self.n_inputs, self.per_step, self.n_categories = n_inputs, per_step, n_categories
        self.pooling = "last" if per_step else pooling
        self.layers = []
        for depth, n_units in enumerate(hidden_size):
            variant = CELLS[cell].variant_of(activation=activation, reset_after=reset_after)
            layer = RecurrentLayer(cell, variant, n_inputs, n_units, bidirectional, f"layer{depth}")
            self.layers.append(layer)
            n_inputs = layer.n_outputs
        self.n_features, self.n_outputs = n_inputs, n_outputs
        shapes = {}
        for layer in self.layers:
            shapes |= layer.shapes()
        shapes |= {"head.V": (n_inputs, n_outputs), "head.c": (n_outputs,)}
        if n_categories:
            shapes |= {"embedding.E": (n_categories, self.n_inputs)}
        self.layout = ParameterLayout(shapes)

    def dense_range(self):
        """Where the parameters without the embedding lie in theta, (1, 2)."""
        return np.array([[0, self.layout.slices["head.c"].stop]], dtype=np.intp)

    def embedding_ranges(self, categories):
        """Where the rows of the embedding lie in theta, (len(ids), 2)."""
        first = self.layout.slices["embedding.E"].start + categories * self.n_inputs
        return np.stack([first, first + self.n_inputs], axis=1)

    def initialize(self, random_state, dtype):
        """A fresh theta."""
        theta = np.zeros(self.layout.size, dtype)
        parameters = self.layout.views(theta)
        for layer in self.layers:
            layer.initialize(parameters, random_state)
        shape = (self.n_features, self.n_outputs)
        parameters["head.V"][:] = glorot_uniform(*shape, shape, random_state)
        if self.n_categories:
            parameters["embedding.E"][:] = random_state.standard_normal((self.n_categories, self.n_inputs))
        return theta

    @cached_property
    def work(self):
        """Multiply-adds of a step of one sequence, forward."""
        head = self.n_features * self.n_outputs if self.per_step else 0
        return sum(layer.work() for layer in self.layers) + head

    @cached_property
    def _description(self):
        """What ``Engine`` takes."""
        slices = self.layout.slices
        return (
            [layer.for_kernels(slices) for layer in self.layers], self.n_outputs, self.per_step, self.pooling,
            slices["head.V"].start, slices["head.c"].start, slices["head.c"].stop, self.n_categories,
        )

    def engine(self, dtype):
        """Fresh kernels with memory of their own: no two threads may compute in one."""
        return kernels_for(dtype).Engine(*self._description)

    @cached_property
    def state_layout(self):
        """The columns of a state, in order: (layer, direction, name) of each, its numbers as a slice.

        After the states of the layers come, with the pooling "mean" or "max", what is pooled so far, and with "mean"
        the number of steps.
        """
        places, start = {}, 0
        for depth, layer in enumerate(self.layers):
            for direction in range(len(layer.directions)):
                for name in layer.cell.states:
                    places[depth, direction, name] = slice(start, start + layer.n_units)
                    start += layer.n_units
        if self.pooling != "last":
            places["pool"] = slice(start, start + self.n_features)
            start += self.n_features
        if self.pooling == "mean":
            places["steps"] = slice(start, start + 1)
        return places

    @cached_property
    def state_width(self):
        """Numbers in the state of a sequence."""
        return max(place.stop for place in self.state_layout.values())

    def zero_state(self, n_sequences, dtype):
        """States of sequences before their first step, (N, width)."""
        state = np.zeros((n_sequences, self.state_width), dtype)
        if self.pooling == "max":
            state[:, self.state_layout["pool"]] = -np.inf
        return state

    def hidden_states(self, state):
        """The h of every layer and direction in states (N, width), side by side."""
        return np.hstack([state[:, place] for name, place in self.state_layout.items() if name[-1] == "h"])

    def n_rows(self, sequences, index):
        """Rows of scores for the sequences `index`: one each, or one a step."""
        return int(sequences.lengths[index].sum()) if self.per_step else len(index)

    def forward(self, theta, sequences, index, initial=None, final=None):
        """Scores of sequences, (N, Q), or (steps, Q) one after the other with an output a step.

        Parameters
        ----------
        theta : (P,) array
        sequences : Sequences
            Of theta's dtype.
        index : (N,) int array
            Which of them.
        initial : (N, width) array, optional
            States before their first steps; a `beginning` when None.
        final : (N, width) array, optional
            Filled with the states after every sequence's last step.
        """
        scores = np.empty((self.n_rows(sequences, index), self.n_outputs), theta.dtype)
        n_threads = threads_for(len(index) * sequences.mean_length * self.work)
        self.engine(theta.dtype).forward(
            theta, sequences.steps, sequences.starts, sequences.lengths, index, initial, scores, final, False, 0,
            max_bytes(), n_threads,
        )
        return scores

    def backward(self, theta, sequences, index, dscores, dstate, initial=None, need_dX=False):
        """Gradients of theta, and of the inputs (None unless needed), of any function of scores and final states.

        Parameters
        ----------
        dscores : array like what `forward` returns
            Gradient of the function in the scores.
        dstate : (N, width) array
            Its gradient in the final states; becomes that in the initial states.
        """
        if need_dX and self.n_categories:
            raise ValueError("inputs that are categories have no gradient")
        gradient = np.empty_like(theta)
        dX = np.empty((int(sequences.lengths[index].sum()), self.n_inputs), theta.dtype) if need_dX else None
        n_threads = threads_for(3 * len(index) * sequences.mean_length * self.work)
        self.engine(theta.dtype).backward(
            theta, sequences.steps, sequences.starts, sequences.lengths, index, initial, dscores, dstate, gradient,
            dX, max_bytes(), n_threads,
        )
        return gradient, dX


class Objective:
    """Loss and gradient of batches of examples.

    The value is (Σ w·loss + ½ alpha ‖weights‖²) / Σ w over the batch's sequences or steps, as in scikit-learn's MLP;
    biases and embeddings are not decayed.

    Parameters
    ----------
    network : RecurrentNetwork
    examples : Examples
    loss : Loss
    batch_size : int
        How many sequences a batch will have, about.
    alpha, dropout, recurrent_dropout : float
    random_state : RandomState, optional
        Source of the dropout's masks.
    most_steps : int, optional
        Steps that a gradient goes back at most: longer sequences are taken in stretches.
    """

    def __init__(
        self, network, examples, loss, batch_size, alpha=0.0, dropout=0.0, recurrent_dropout=0.0, random_state=None,
        max_steps=None,
    ):
        sequences = examples.sequences
        dtype = sequences.dtype
        self.network, self.examples = network, examples
        self.engine = network.engine(dtype)
        self.engine.set_objective(
            loss.name, loss.parameter, loss.of_logistic, alpha, network.layout.weight_ranges(), dropout,
            recurrent_dropout,
        )
        self.gradient = np.zeros(network.layout.size, dtype)
        # What the last gradient is of: all parameters, but of an embedding only the rows in use
        self.ranges, self.used = full_range(self.gradient) if not network.n_categories else network.dense_range(), []
        self.random_state = random_state if dropout > 0 or recurrent_dropout > 0 else None
        self.max_steps = max_steps if max_steps and sequences.lengths.max() > max_steps else None
        self.thread_tuner = ThreadTuner(threads_for(3 * batch_size * sequences.mean_length * network.work))
        self.max_bytes = max_bytes()

    def __call__(self, theta, batch):
        """Loss of the examples `batch`, its gradient in theta (in the same array each time), and their weight."""
        examples, index = self.examples.load(self.examples.used[batch])
        sequences = examples.sequences
        return self._gradient(
            theta, examples, sequences.starts, sequences.lengths, index, None, examples.weights, self._seed(), None
        )

    def gradients(self, theta, batch):
        """What `__call__` returns, for the whole batch or for one stretch of its steps after the other.

        A stretch begins with the states that the one before left. Stretches without a target only pass them on.
        """
        if self.max_steps is None:
            yield self(theta, batch)
            return
        examples, seed = self.examples.view_of(self.examples.used[batch]), self._seed()
        lengths, index = examples.sequences.lengths, np.arange(len(examples.sequences))
        starts, steps, state = examples.sequences.starts.copy(), lengths.copy(), None
        for begin in range(0, int(lengths[index].max()), self.max_steps):
            going_on = lengths[index] > begin
            index, state = index[going_on], None if state is None else state[going_on]
            starts[index] = examples.sequences.starts[index] + begin
            steps[index] = np.minimum(lengths[index] - begin, self.max_steps)
            final = np.empty((len(index), self.network.state_width), theta.dtype)
            weights = _weights_of_stretch(examples, index, starts, steps, lengths[index] <= begin + self.max_steps)
            if weights is NO_TARGETS:
                self._pass_on(theta, examples, starts, steps, index, state, seed, final)
            else:
                yield self._gradient(theta, examples, starts, steps, index, state, weights, seed, final)
            state = final

    def _gradient(self, theta, examples, starts, lengths, index, initial, weights, seed, final):
        if self.network.n_categories:
            E = self.network.layout.views(self.gradient)["embedding.E"]
            E[self.used] = 0
            self.used = used = np.unique(examples.sequences.categories[rows_of(starts[index], lengths[index])])
            self.ranges = np.concatenate([self.network.dense_range(), self.network.embedding_ranges(used)])
        value, weight = self.thread_tuner.run(
            lambda n_threads: self.engine.gradient(
                theta, examples.sequences.steps, starts, lengths, index, initial, examples.targets, weights,
                seed, final, self.gradient, self.max_bytes, n_threads, examples.sequences.mask_offsets,
            )
        )
        return value, self.gradient, weight

    def _seed(self):
        """A seed of masks for a batch."""
        return 0 if self.random_state is None else int(self.random_state.randint(2**63 - 1, dtype=np.int64))

    def _pass_on(self, theta, examples, starts, lengths, index, initial, seed, final):
        rows = lengths[index].sum() if examples.per_step else len(index)
        scores = np.empty((rows, self.network.n_outputs), theta.dtype)
        self.engine.forward(
            theta, examples.sequences.steps, starts, lengths, index, initial, scores, final, True, seed,
            self.max_bytes, self.thread_tuner.most, examples.sequences.mask_offsets,
        )


class StreamObjective(Objective):
    """Loss and gradient of windows of streams, whose states are carried from one window to the next.

    Parameters
    ----------
    network, examples, loss, alpha, dropout, recurrent_dropout, random_state
        As in `Objective`, with a target a step.
    n_streams, n_steps : int
        As in `Windows`.
    """

    def __init__(
        self, network, examples, loss, n_streams, n_steps, alpha=0.0, dropout=0.0, recurrent_dropout=0.0,
        random_state=None,
    ):
        super().__init__(network, examples, loss, 1, alpha, dropout, recurrent_dropout, random_state)
        self.thread_tuner = ThreadTuner(threads_for(3 * n_streams * n_steps * network.work))
        self.states = np.zeros((n_streams, network.state_width), examples.sequences.dtype)

    def gradients(self, theta, window):
        """Loss, gradient and weight of a window; `Objective.gradients` says more."""
        initial = np.zeros((len(window.starts), self.network.state_width), theta.dtype)
        initial[window.carried] = self.states[window.stream[window.carried]]
        final = np.empty_like(initial)
        yield self._gradient(
            theta, self.examples, window.starts, window.lengths, np.arange(len(initial)), initial, None, self._seed(),
            final,
        )
        self.states[window.stream[window.last]] = final[window.last]


# In the place of weights, where a stretch has none
NO_TARGETS = object()


def _weights_of_stretch(examples, index, starts, steps, ending):
    """Weights of the targets in a stretch: of its steps, or of the sequences that end in it."""
    if examples.per_step:
        if examples.weights is None:
            return None
        has_weight = examples.weights[rows_of(starts[index], steps[index])].any()
        return examples.weights if has_weight else NO_TARGETS
    if not ending.any():
        return NO_TARGETS
    weights = np.zeros(len(steps))
    weights[index[ending]] = 1 if examples.weights is None else examples.weights[index[ending]]
    return weights
