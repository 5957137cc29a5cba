"""Small random networks and batches for the tests: every cell, in all its forms."""

import numpy as np

from skrnn._network import RecurrentNetwork
from skrnn._sequences import Packing
from skrnn.cells import CELLS

RAGGED = (2, 5, 1, 4)

# (cell, activation, reset_after): a new cell is tested by being in CELLS.
FORMS = [
    (cell, form.get("activation", "tanh"), form.get("reset_after", True))
    for cell, module in CELLS.items()
    for form in module.FORMS
]


class Case:
    """A network with random parameters over a batch of random sequences, with random initial states."""

    def __init__(
        self, form, hidden_size=(5,), bidirectional=False, per_step=False, lengths=RAGGED, n_inputs=3, n_outputs=2,
        seed=0, dtype=np.float64,
    ):
        rng = np.random.default_rng(seed)
        self.form = form
        self.net = RecurrentNetwork(n_inputs, hidden_size, n_outputs, *form, bidirectional, per_step)
        self.packing = Packing(np.array(lengths))
        # About 1/√K, as in a trained net: a larger recurrence is chaotic and amplifies rounding.
        scale = 0.5 * min(1, 4 / max(hidden_size)) ** 0.5
        self.theta = (scale * rng.normal(size=self.net.layout.size)).astype(dtype)
        self.sequences = [rng.normal(size=(length, n_inputs)).astype(dtype) for length in lengths]
        step, row = self.packing.step_and_row
        order = self.packing.order
        self.X = np.array([self.sequences[order[r]][t] for t, r in zip(step, row, strict=True)])
        self.initial = [
            [(0.5 * rng.normal(size=zero.shape)).astype(dtype) for zero in layer]
            for layer in self.net.zero_state(len(lengths), dtype)
        ]
        # Weights of a scalar function of everything that comes out
        self.dscores = rng.normal(size=(len(self.X) if per_step else len(lengths), n_outputs)).astype(dtype)
        self.dfinal = [[rng.normal(size=z.shape).astype(dtype) for z in layer] for layer in self.initial]

    @property
    def parameters(self):
        return self.net.layout.views(self.theta)

    def rows(self, r):
        """Packed rows of the sequence in row r, in time order."""
        return self.packing.offsets[: self.packing.lengths[r]] + r

    def forward(self, keep=True):
        return self.net.forward(self.theta, self.X, self.packing, self.initial, keep)

    def value(self):
        """Σ dscores·scores + Σ dfinal·final, whose gradient is `gradients`."""
        out = self.forward(keep=False)
        total = np.sum(self.dscores * out.scores)
        for weights, states in zip(self.dfinal, out.final, strict=True):
            total += sum(np.sum(w * s) for w, s in zip(weights, states, strict=True))
        return total

    def gradients(self):
        """Of theta, of the inputs, and [layer][direction] of the initial states."""
        dfinal = [[d.copy() for d in layer] for layer in self.dfinal]
        return self.net.backward(self.theta, self.packing, self.forward(), self.dscores, dfinal, need_dX=True)
