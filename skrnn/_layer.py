"""One recurrent layer: a cell run over a packed batch, in one direction or in both."""

import numpy as np

from skrnn._parameters import glorot_uniform, orthogonal
from skrnn._threads import threads_for
from skrnn.cells import CELLS


class RecurrentLayer:
    """A cell with K units over D inputs.

    Parameters
    ----------
    cell : str
        A key of ``CELLS``.
    variant : int
        The cell's form, from its ``variant_of``.
    n_inputs, n_units : int
        D and K.
    bidirectional : bool
        Also run a second set of parameters from every sequence's own last step to its first.
    name : str
        Prefix of the parameters' names.
    """

    def __init__(self, cell, variant, n_inputs, n_units, bidirectional, name):
        self.cell_name = cell
        self.variant = variant
        self.n_inputs = n_inputs
        self.n_units = n_units
        self.directions = [name, f"{name}.reverse"] if bidirectional else [name]
        self.n_outputs = n_units * len(self.directions)

    @property
    def cell(self):
        """The cell's module; looked up by name, so that a layer can be pickled."""
        return CELLS[self.cell_name]

    def shapes(self):
        """Names and shapes of the parameters: W (D, G·K), U (K, G·K), b (biases, G·K) for each direction."""
        width = len(self.cell.GATES) * self.n_units
        shapes = {}
        for name in self.directions:
            shapes[f"{name}.W"] = (self.n_inputs, width)
            shapes[f"{name}.U"] = (self.n_units, width)
            shapes[f"{name}.b"] = (self.cell.n_biases(self.variant), width)
        return shapes

    def initialise(self, parameters, random_state):
        """Fill the views: Glorot for W, orthogonal or the identity for U, zero for b but one for a forget gate.

        Le, Jaitly & Hinton (2015) for relu; Jozefowicz, Zaremba & Sutskever (2015) for the forget gate.
        """
        K = self.n_units
        identity = self.cell.starts_as_identity(self.variant)
        for name in self.directions:
            W, U, b = (parameters[f"{name}.{kind}"] for kind in "WUb")
            b[:] = 0
            for block, gate in enumerate(self.cell.GATES):
                columns = slice(block * K, (block + 1) * K)
                W[:, columns] = glorot_uniform(self.n_inputs, K, (self.n_inputs, K), random_state)
                U[:, columns] = np.eye(K) if identity else orthogonal(K, random_state)
                b[0, columns] = self.cell.BIAS.get(gate, 0)

    def zero_state(self, n_sequences, dtype):
        """One (states, N, K) array of zeros per direction."""
        shape = (len(self.cell.STATES), n_sequences, self.n_units)
        return [np.zeros(shape, dtype) for _ in self.directions]

    def work(self, packing):
        """Multiply-adds of one direction's forward pass."""
        return packing.n_steps * (self.n_inputs + self.n_units) * len(self.cell.GATES) * self.n_units

    def forward(self, parameters, X, packing, initial, keep):
        """Outputs of all steps, final states, and what `backward` needs.

        Parameters
        ----------
        parameters : dict
            Views of theta.
        X : (S, D) array
            Packed inputs.
        packing : Packing
            The batch's shape.
        initial : list of (states, N, K) arrays
            Initial state per direction, in the packing's order.
        keep : bool
            Whether to keep what the backward pass needs.

        Returns
        -------
        Y : (S, directions · K) array
        final : list of (states, N, K) arrays
        trace : list of tuples
        """
        N, S, K = packing.n_sequences, packing.n_steps, self.n_units
        n_threads = threads_for(self.work(packing))
        outputs, final, trace = [], [], []
        for name, state in zip(self.directions, initial, strict=True):
            backwards = name != self.directions[0]
            inputs = X[packing.reversed] if backwards else X
            states = np.empty((len(self.cell.STATES), N + S, K), X.dtype)
            states[:, :N] = state
            saved = np.empty((S if keep else N, self.cell.SAVED * K), X.dtype)
            W, U, b = (parameters[f"{name}.{kind}"] for kind in "WUb")
            self.cell.forward(
                inputs, packing.active, packing.tiles, W, U, b, states, saved, self.variant, n_threads
            )
            H = states[0, N:]
            outputs.append(H[packing.reversed] if backwards else H)
            final.append(states[:, N + packing.last])
            trace.append((inputs, states, saved))
        Y = outputs[0] if len(outputs) == 1 else np.concatenate(outputs, axis=1)
        return Y, final, trace if keep else None

    def backward(self, parameters, gradient, packing, trace, dY, dfinal, need_dX):
        """The mirror of `forward`.

        Parameters
        ----------
        gradient : dict
            Views of the gradient of theta; this layer's are filled.
        trace : list of tuples
            From `forward`; used up.
        dY : (S, directions · K) array or None
            Gradient of the outputs of all steps.
        dfinal : list of (states, N, K) arrays
            Gradient of the final states, per direction; becomes that of the initial states.

        Returns
        -------
        dX : (S, D) array or None
        dinitial : list of (states, N, K) arrays
        """
        K, n_tiles = self.n_units, len(packing.tiles) - 1
        n_threads = threads_for(2 * self.work(packing))
        dX = None
        for direction, (name, (inputs, states, saved)) in enumerate(zip(self.directions, trace, strict=True)):
            dH = None
            if dY is not None:
                dH = np.ascontiguousarray(dY[:, direction * K : (direction + 1) * K])
                if direction == 1:
                    dH = dH[packing.reversed]
            W, U, b = (parameters[f"{name}.{kind}"] for kind in "WUb")
            tile_gradients = [np.zeros((n_tiles, *parameter.shape), W.dtype) for parameter in (W, U, b)]
            dinputs = np.empty_like(inputs) if need_dX else None
            self.cell.backward(
                inputs, packing.active, packing.tiles, np.ascontiguousarray(W.T), np.ascontiguousarray(U.T),
                states, saved, dH, dfinal[direction], dinputs, *tile_gradients, self.variant, n_threads,
            )
            for kind, tile_gradient in zip("WUb", tile_gradients, strict=True):
                np.add.reduce(tile_gradient, axis=0, out=gradient[f"{name}.{kind}"])
            if need_dX:
                dX = dinputs if direction == 0 else dX + dinputs[packing.reversed]
        return dX, dfinal
