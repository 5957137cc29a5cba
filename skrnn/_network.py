"""Recurrent layers stacked under a linear head: forward, and its mirror."""

from dataclasses import dataclass

import numpy as np

from skrnn import _head
from skrnn._layer import RecurrentLayer
from skrnn._parameters import ParameterLayout, glorot_uniform
from skrnn._threads import threads_for
from skrnn.cells import CELLS


@dataclass
class Forward:
    """What a forward pass leaves for its backward pass."""

    scores: np.ndarray          # (R, Q): R = S steps, or N sequences
    final: list                 # [layer][direction] (states, N, K)
    features: np.ndarray        # (R, P): what the head saw
    traces: list                # [layer], from RecurrentLayer.forward


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
            variant = CELLS[cell].variant_of(activation, reset_after)
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

    def zero_state(self, n_sequences, dtype):
        """[layer][direction] (states, N, K) of zeros."""
        return [layer.zero_state(n_sequences, dtype) for layer in self.layers]

    def forward(self, theta, X, packing, initial=None, keep=True):
        """Scores of every step or sequence, in the packing's order.

        Parameters
        ----------
        X : (S, D) array
            Packed inputs, of theta's dtype.
        packing : Packing
        initial : list, optional
            [layer][direction] (states, N, K) initial states in the packing's order; zeros when None.
        keep : bool
            Whether a backward pass will follow.
        """
        parameters = self.layout.views(theta)
        if initial is None:
            initial = self.zero_state(packing.n_sequences, theta.dtype)
        Y, final, traces = X, [], []
        for layer, state in zip(self.layers, initial, strict=True):
            Y, last, trace = layer.forward(parameters, Y, packing, state, keep)
            final.append(last)
            traces.append(trace)
        features = np.ascontiguousarray(Y if self.per_step else np.concatenate([state[0] for state in last], axis=1))
        scores = np.empty((len(features), self.n_outputs), theta.dtype)
        n_threads = threads_for(len(features) * self.n_features * self.n_outputs)
        _head.linear(features, parameters["head.V"], parameters["head.c"], scores, n_threads)
        return Forward(scores, final, features, traces)

    def backward(self, theta, packing, forward, dscores, dfinal=None, need_dX=False):
        """Gradients of theta, of the inputs (None unless needed) and of the initial states.

        Parameters
        ----------
        forward : Forward
            From `forward`; used up.
        dscores : (R, Q) array
            Gradient of the scores.
        dfinal : list, optional
            [layer][direction] (states, N, K) gradient that reaches the final states from outside; overwritten with that
            of the initial states. Zeros when None.
        need_dX : bool
            Whether the gradient of the inputs is wanted.
        """
        parameters = self.layout.views(theta)
        theta_gradient = np.zeros_like(theta)
        gradient = self.layout.views(theta_gradient)
        if dfinal is None:
            dfinal = self.zero_state(packing.n_sequences, theta.dtype)
        dfeatures = np.zeros_like(forward.features)
        n_threads = threads_for(2 * len(dscores) * self.n_features * self.n_outputs)
        _head.linear_gradient(
            forward.features, np.ascontiguousarray(parameters["head.V"].T), dscores,
            dfeatures, gradient["head.V"], gradient["head.c"], n_threads,
        )
        dY = dfeatures
        if not self.per_step:
            dY = None
            K = self.layers[-1].n_units
            for direction, dstate in enumerate(dfinal[-1]):
                dstate[0] += dfeatures[:, direction * K : (direction + 1) * K]
        for depth in reversed(range(len(self.layers))):
            dY, _ = self.layers[depth].backward(
                parameters, gradient, packing, forward.traces[depth], dY, dfinal[depth], need_dX or depth > 0
            )
        return theta_gradient, dY, dfinal

    def loss_and_gradient(self, theta, batch, loss, alpha=0.0):
        """Loss of a batch, its gradient in theta, and the scores' total weight.

        The value is (Σ w·loss + ½ α ‖weights‖²) / Σ w over the batch's sequences or steps, as in scikit-learn's MLP;
        biases are not decayed.

        Parameters
        ----------
        batch : Batch
        loss : an entry of ``LOSSES``
        alpha : float
        """
        forward = self.forward(theta, batch.X, batch.packing)
        value, dscores = loss.value_and_gradient(forward.scores, batch.targets, batch.weights)
        gradient, _, _ = self.backward(theta, batch.packing, forward, dscores)
        total = len(dscores) if batch.weights is None else float(batch.weights.sum(dtype=np.float64))
        if alpha > 0:
            for name, part in self.layout.slices.items():
                if self.layout.is_weight(name):
                    value += 0.5 * alpha / total * float(np.square(theta[part]).sum(dtype=np.float64))
                    gradient[part] += theta.dtype.type(alpha / total) * theta[part]
        return value, gradient, total
