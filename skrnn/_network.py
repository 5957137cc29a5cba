"""Recurrent layers stacked under a linear head: their parameters, and the kernels that compute with them."""

from functools import cached_property

import numpy as np

from skrnn._layer import RecurrentLayer
from skrnn._memory import most_bytes
from skrnn._parameters import ParameterLayout, glorot_uniform
from skrnn._threads import Pace, threads_for
from skrnn.cells import CELLS, kernels


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
        The head reads every step of the top layer, or else the last state of every sequence.
    """

    def __init__(self, n_inputs, hidden_size, n_outputs, cell, activation, reset_after, bidirectional, per_step):
        self.n_inputs, self.per_step = n_inputs, per_step
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
        self.layout = ParameterLayout(shapes)

    def initialise(self, random_state, dtype):
        """A fresh theta."""
        theta = np.zeros(self.layout.size, dtype)
        parameters = self.layout.views(theta)
        for layer in self.layers:
            layer.initialise(parameters, random_state)
        shape = (self.n_features, self.n_outputs)
        parameters["head.V"][:] = glorot_uniform(*shape, shape, random_state)
        return theta

    @cached_property
    def work(self):
        """Multiply-adds of a step of one sequence, forward."""
        head = self.n_features * self.n_outputs if self.per_step else 0
        return sum(layer.work() for layer in self.layers) + head

    def engine(self, dtype):
        """Fresh kernels with memory of their own: no two threads may compute in one."""
        slices = self.layout.slices
        return kernels(dtype).Engine(
            [layer.for_kernels(slices) for layer in self.layers], self.n_outputs, self.per_step,
            slices["head.V"].start, slices["head.c"].start, self.layout.size,
        )

    def zero_state(self, n_sequences, dtype):
        """States of so many sequences, all zero: one vector."""
        shapes = [shape for layer in self.layers for shape in layer.state_shapes(n_sequences)]
        return np.zeros(sum(map(int, map(np.prod, shapes))), dtype)

    def state_views(self, state, n_sequences):
        """[layer][direction] views (states, N, K) of a state."""
        views, start = [], 0
        for layer in self.layers:
            views.append([])
            for shape in layer.state_shapes(n_sequences):
                stop = start + int(np.prod(shape))
                views[-1].append(state[start:stop].reshape(shape))
                start = stop
        return views

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
        initial : state, optional
            Zeros when None.
        final : state, optional
            Filled with the states after every sequence's last step.
        """
        scores = np.empty((self.n_rows(sequences, index), self.n_outputs), theta.dtype)
        n_threads = threads_for(len(index) * sequences.mean_length * self.work)
        self.engine(theta.dtype).forward(
            theta, sequences.values, sequences.starts, sequences.lengths, index, initial, scores, final, most_bytes(),
            n_threads,
        )
        return scores

    def backward(self, theta, sequences, index, dscores, dstate, initial=None, need_dX=False):
        """Gradients of theta, and of the inputs (None unless needed), of any function of scores and final states.

        Parameters
        ----------
        dscores : array like what `forward` returns
            Gradient of the function in the scores.
        dstate : state
            Its gradient in the final states; becomes that in the initial states.
        """
        gradient = np.empty_like(theta)
        dX = np.empty((int(sequences.lengths[index].sum()), self.n_inputs), theta.dtype) if need_dX else None
        n_threads = threads_for(3 * len(index) * sequences.mean_length * self.work)
        self.engine(theta.dtype).backward(
            theta, sequences.values, sequences.starts, sequences.lengths, index, initial, dscores, dstate, gradient,
            dX, most_bytes(), n_threads,
        )
        return gradient, dX


class Objective:
    """Loss and gradient of batches of examples.

    The value is (Σ w·loss + ½ α ‖weights‖²) / Σ w over the batch's sequences or steps, as in scikit-learn's MLP; biases
    are not decayed.

    Parameters
    ----------
    network : RecurrentNetwork
    examples : Examples
    loss : an entry of ``LOSSES``
    alpha : float
    batch_size : int
        How many sequences a batch will have, about.
    """

    def __init__(self, network, examples, loss, alpha, batch_size):
        sequences = examples.sequences
        self.examples, self.loss, self.alpha = examples, loss, float(alpha)
        self.engine = network.engine(sequences.values.dtype)
        self.gradient = np.zeros(network.layout.size, sequences.values.dtype)
        self.decayed = network.layout.weight_ranges()
        self.pace = Pace(threads_for(3 * batch_size * sequences.mean_length * network.work))
        self.most_bytes = most_bytes()

    def __call__(self, theta, index):
        """Loss of the examples `index`, its gradient in theta (in the same array each time), and their weight."""
        examples, sequences = self.examples, self.examples.sequences
        value, weight = self.pace.run(
            lambda n_threads: self.engine.gradient(
                theta, sequences.values, sequences.starts, sequences.lengths, examples.used[index], examples.targets,
                examples.weights, self.loss.name, self.alpha, self.decayed, self.gradient, self.most_bytes, n_threads,
            )
        )
        return value, self.gradient, weight
