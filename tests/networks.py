"""Small random networks and batches for the tests: every cell, in all its forms."""

import numpy as np

from skrnn._network import RecurrentNetwork
from skrnn._sequences import Sequences
from skrnn.cells import CELLS

RAGGED = (2, 5, 1, 4)

# (cell, activation, reset_after): a new cell is tested by being in CELLS.
FORMS = [
    (cell, form.get("activation", "tanh"), form.get("reset_after", True))
    for cell, description in CELLS.items()
    for form in description.forms
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
        # About 1/√K, as in a trained net: a larger recurrence is chaotic and amplifies rounding.
        scale = 0.5 * min(1, 4 / max(hidden_size)) ** 0.5
        self.theta = (scale * rng.normal(size=self.net.layout.size)).astype(dtype)
        self.X = rng.normal(size=(sum(lengths), n_inputs)).astype(dtype)
        self.sequences = Sequences(self.X, np.array(lengths, dtype=np.intp), "ragged")
        self.index = np.arange(len(lengths))
        zero = self.net.zero_state(len(lengths), dtype)
        self.initial = (0.5 * rng.normal(size=zero.shape)).astype(dtype)
        # Weights of a scalar function of everything that comes out
        rows = self.net.n_rows(self.sequences, self.index)
        self.dscores = rng.normal(size=(rows, n_outputs)).astype(dtype)
        self.dfinal = rng.normal(size=zero.shape).astype(dtype)

    @property
    def parameters(self):
        return self.net.layout.views(self.theta)

    def steps(self, i):
        """The rows of sequence i."""
        start = self.sequences.starts[i]
        return slice(start, start + self.sequences.lengths[i])

    def states(self, state):
        """[layer][direction] (states, N, K)."""
        return self.net.state_views(state, len(self.index))

    def forward(self):
        """Scores and final states."""
        final = np.empty_like(self.initial)
        return self.net.forward(self.theta, self.sequences, self.index, self.initial, final), final

    def value(self):
        """Σ dscores·scores + Σ dfinal·final, whose gradient is `gradients`."""
        scores, final = self.forward()
        return np.sum(self.dscores * scores) + np.sum(self.dfinal * final)

    def gradients(self):
        """Of theta, of the inputs, and of the initial states."""
        dstate = self.dfinal.copy()
        return *self.net.backward(
            self.theta, self.sequences, self.index, self.dscores, dstate, self.initial, need_dX=True
        ), dstate
