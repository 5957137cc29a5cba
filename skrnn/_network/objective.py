"""Loss and gradient of batches of examples, whole or in stretches of steps, and of windows of streams."""

from functools import partial

import numpy as np
from sklearn.utils import gen_batches

from skrnn._data.ragged import rows_of
from skrnn._network.embeddings import SparseGradient
from skrnn._network.layout import full_range
from skrnn._runtime import memory, threads
from skrnn.kernels.inputs import Inputs


class Objective:
    """Loss and gradient of batches of examples.

    What is minimized is (Σ w·loss + ½ alpha ‖weights‖²) / Σ w over the batch's sequences or steps, as in scikit-learn's
    MLP: loss and penalty. Biases and embeddings are not decayed. Of a target that is known in part the loss is over the
    known outputs, and w in Σ w is multiplied by their fraction.

    Parameters
    ----------
    network : RecurrentNetwork
    examples : Examples
    loss : Loss
    batch_size : int
        How many sequences a batch will have, about.
    alpha, dropout, recurrent_dropout : float
    random_state : RandomState, optional
        Source of the dropout's masks, for each batch a seed that `draw_seed` returns.
    max_steps : int, optional
        Steps of the network, single ones or patches, that a gradient goes back at most: longer sequences are taken in
        stretches.
    """

    def __init__(
        self, network, examples, loss, batch_size, alpha=0.0, dropout=0.0, recurrent_dropout=0.0, random_state=None,
        max_steps=None,
    ):
        sequences = examples.sequences
        dtype = sequences.dtype
        self.network, self.examples = network, examples
        network.check_counts(sequences, examples.used)
        self.engine = network.engine(
            dtype, loss=loss.name, parameters=loss.parameters, of_logistic=loss.of_logistic, alpha=alpha,
            dropout=dropout, recurrent_dropout=recurrent_dropout,
        )
        self.gradient = np.zeros(network.layout.size, dtype)
        # What the last gradient is of: all parameters, but of embeddings only the rows in use
        self.ranges = network.dense_range() if network.tables else full_range(self.gradient)
        self.embedded = SparseGradient(network, self.gradient)
        self.draw_seed = partial(seed_of_masks, random_state if dropout > 0 or recurrent_dropout > 0 else None)
        self.max_steps = max_steps if max_steps and network.n_patches(sequences.lengths).max() > max_steps else None
        work = 3 * batch_size * network.mean_patches(sequences) * network.work
        self.thread_tuner = threads.thread_tuner_for(work)
        self.max_bytes = memory.max_bytes()

    def __call__(self, theta, batch):
        """Loss and penalty of the examples `batch`, the gradient of their sum in theta, and the examples' weight.

        The gradient is in the same array each time.
        """
        examples, index = self.examples.load(self.examples.used[batch])
        sequences = examples.sequences
        return self._gradient(
            theta, examples, sequences.starts, sequences.lengths, index, None, examples.weights, self.draw_seed(), None
        )

    def with_states(self, theta, batch):
        """What `__call__` returns, and the gradient of the loss in the states after every step, (S, n_states).

        Of a network that reads patches, after every patch. The steps of the batch follow each other.
        """
        examples, index = self.examples.load(self.examples.used[batch])
        sequences = examples.sequences
        dstates = np.empty((int(sequences.lengths[index].sum()), self.network.n_states), theta.dtype)
        results = self._gradient(
            theta, examples, sequences.starts, sequences.lengths, index, None, examples.weights, self.draw_seed(), None,
            dstates,
        )
        return *results, self.network.states_of_steps(sequences, index, dstates)

    def checkpoint(self, model, batches):
        """What brings both back to the beginning of an epoch, which is never needed: no gradient gets lost here."""
        return None

    def n_updates(self, batches):
        """How often `gradients` yields in an epoch of batches, about: with stretches for batches in order."""
        if self.max_steps is None:
            return len(batches)
        n_patches = self.network.n_patches(self.examples.sequences.lengths[self.examples.used])
        return updates_in_stretches(n_patches, self.max_steps, batches.batch_size, self.examples.per_step)

    def n_stretches(self, batch):
        """How many stretches the steps of a batch have."""
        if self.max_steps is None:
            return 1
        index = self.examples.used[batch]
        return -(-int(self.network.n_patches(self.examples.sequences.lengths[index]).max()) // self.max_steps)

    def gradients(self, theta, batch):
        """What `__call__` returns, for the whole batch or for one stretch of its steps after the other.

        A stretch begins with the states that the one before left. Stretches without a target only pass them on.
        """
        return (result for result in self.stretches(theta, batch) if result is not None)

    def stretches(self, theta, batch):
        """What `gradients` yields, and None for stretches without a target."""
        if self.max_steps is None:
            yield self(theta, batch)
            return
        examples, seed = self.examples.view_of(self.examples.used[batch]), self.draw_seed()
        lengths, index = examples.sequences.lengths, np.arange(len(examples.sequences))
        starts, steps, state = examples.sequences.starts.copy(), lengths.copy(), None
        size, stride = self.network.patch or (1, 1)
        n_patches = self.network.n_patches(lengths)
        for begin in range(0, int(n_patches.max()), self.max_steps):
            going_on = n_patches[index] > begin
            index, state = index[going_on], None if state is None else state[going_on]
            starts[index] = examples.sequences.starts[index] + begin * stride
            # up to the end of the last patch, which the next stretch may read again
            steps[index] = np.minimum(lengths[index] - begin * stride, (self.max_steps - 1) * stride + size)
            final = np.empty((len(index), self.network.state_width), theta.dtype)
            weights = _weights_of_stretch(examples, index, starts, steps, n_patches[index] <= begin + self.max_steps)
            if weights is NO_TARGETS:
                self._pass_on(theta, examples, starts, steps, index, state, seed, final)
                yield None
            else:
                yield self._gradient(theta, examples, starts, steps, index, state, weights, seed, final)
            state = final

    def _gradient(self, theta, examples, starts, lengths, index, initial, weights, seed, final, dstates=None):
        sequences = examples.sequences
        self.embedded.clear()
        inputs = self._inputs(theta, sequences, starts, lengths, index, initial)
        dinitial = None if self.network.static is None else np.empty_like(inputs.initial)
        loss, penalty, weight = self.thread_tuner.run(
            lambda n_threads: self.engine.gradient(
                theta, inputs, examples.targets, self.gradient, weights=weights, known=examples.known, final=final,
                dinitial=dinitial, dstates=dstates, seed=seed, max_bytes=self.max_bytes, n_threads=n_threads,
            )
        )
        if self.network.static is not None:
            self.network.add_static_gradient(
                theta, sequences, index, inputs.initial, dinitial, self.gradient, begun=initial is None
            )
        if self.network.tables:
            self.ranges = self.embedded.ranges(sequences, index, rows_of(starts[index], lengths[index]))
        return loss, penalty, self.gradient, weight

    def _inputs(self, theta, sequences, starts, lengths, index, initial):
        """What the kernels read of sequences, or of stretches of them, from their beginning or from states on."""
        network = self.network
        if initial is None:
            initial = network.begin(theta, sequences, index)
        elif network.static is not None:
            initial = network.carry(theta, sequences, index, initial)
        return Inputs(sequences.steps, starts, lengths, index, initial, sequences.mask_offsets)

    def _pass_on(self, theta, examples, starts, lengths, index, initial, seed, final):
        rows = lengths[index].sum() if examples.per_step else len(index)
        scores = np.empty((rows, self.network.n_outputs), theta.dtype)
        self.engine.forward(
            theta, self._inputs(theta, examples.sequences, starts, lengths, index, initial), scores, final=final,
            training=True, seed=seed, max_bytes=self.max_bytes, n_threads=self.thread_tuner.max_threads,
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
        self.thread_tuner = threads.thread_tuner_for(3 * n_streams * n_steps * network.work)
        self.states = np.zeros((n_streams, network.state_width), examples.sequences.dtype)

    def n_updates(self, windows):
        return len(windows)

    def n_stretches(self, window):
        return 1

    def stretches(self, theta, window):
        """Loss, penalty, gradient and weight of a window; `Objective.gradients` says more."""
        initial = np.zeros((len(window.starts), self.network.state_width), theta.dtype)
        initial[window.carried] = self.states[window.stream[window.carried]]
        final = np.empty_like(initial)
        result = self._gradient(
            theta, self.examples, window.starts, window.lengths, np.arange(len(initial)), initial, None,
            self.draw_seed(), final,
        )
        # before the gradient is given away: whoever takes it may ask for nothing more of this window
        self.states[window.stream[window.last]] = final[window.last]
        yield result


def seed_of_masks(random_state):
    """A seed of the masks for a batch; 0 where there are none."""
    return 0 if random_state is None else int(random_state.randint(2**63 - 1, dtype=np.int64))


def updates_in_stretches(n_patches, max_steps, batch_size, per_step):
    """Updates of an epoch whose batches are taken in stretches, about: for sequences (n,) of so many patches, in order.
    """
    n_stretches = -(-n_patches // max_steps)
    parts = (n_stretches[batch] for batch in gen_batches(len(n_stretches), batch_size))
    # With one target a sequence a stretch is an update when a sequence ends in it
    return sum(int(part.max()) if per_step else len(np.unique(part)) for part in parts)


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
