"""One recurrent layer: its parameters, and how its kernels find them."""

import numpy as np

from skrnn._network.initial_values import glorot_uniform, orthogonal
from skrnn.kernels import CELLS


class RecurrentLayer:
    """A cell with K units over D inputs.

    Parameters
    ----------
    cell : str
        A key of ``CELLS``.
    variant : int
        The form of the cell, from its ``variant_of``.
    n_inputs, n_units : int
        D and K.
    bidirectional : bool
        Whether a second set of parameters also reads every sequence from its own last step to its first.
    name : str
        Prefix of the parameters' names.
    """

    def __init__(self, cell, variant, n_inputs, n_units, bidirectional, name):
        self.cell_name = str(cell)              # of a string of NumPy, too
        self.variant = variant
        self.n_inputs = n_inputs
        self.n_units = n_units
        self.directions = [name, f"{name}.reverse"] if bidirectional else [name]
        self.n_outputs = n_units * len(self.directions)

    @property
    def cell(self):
        """The cell's description; looked up by name, so that a layer can be pickled."""
        return CELLS[self.cell_name]

    @property
    def form(self):
        """The parameters of estimators that choose this form of the cell, a dict."""
        return self.cell.forms[self.variant]

    def shapes(self):
        """Names and shapes of the parameters: W (D, G·K), U (K, G·K), b (n_biases, G·K) for each direction."""
        width = len(self.cell.gates) * self.n_units
        shapes = {}
        for name in self.directions:
            shapes[f"{name}.W"] = (self.n_inputs, width)
            shapes[f"{name}.U"] = (self.n_units, width)
            shapes[f"{name}.b"] = (self.cell.n_biases[self.variant], width)
        return shapes

    def initialize(self, parameters, random_state):
        """Fill the views: Glorot for W, orthogonal or the identity for U, and b as the cell's description says.

        Le, Jaitly & Hinton (2015) for relu; Jozefowicz, Zaremba & Sutskever (2015) for the forget gate of an LSTM.
        """
        K = self.n_units
        identity = self.form.get("activation") == self.cell.identity
        for name in self.directions:
            W, U, b = (parameters[f"{name}.{kind}"] for kind in "WUb")
            b[:] = 0
            for block, gate in enumerate(self.cell.gates):
                columns = slice(block * K, (block + 1) * K)
                W[:, columns] = glorot_uniform(self.n_inputs, K, (self.n_inputs, K), random_state)
                U[:, columns] = np.eye(K) if identity else orthogonal(K, random_state)
                b[0, columns] = self.cell.bias.get(gate, 0)

    def work(self):
        """Multiply-adds of one step of one sequence, forward."""
        return len(self.directions) * (self.n_inputs + self.n_units) * len(self.cell.gates) * self.n_units

    def for_kernels(self, slices):
        """What ``Engine`` takes for a layer; `slices` say where its parameters lie in theta."""
        starts = {kind: [slices[f"{name}.{kind}"].start for name in self.directions] for kind in "WUb"}
        return {"cell": self.cell_name, "variant": self.variant, "D": self.n_inputs, "K": self.n_units, **starts}
