"""Small random networks and batches for the tests: every cell, in all its forms."""

import numpy as np

from skrnn import RNNRegressor
from skrnn._data.sequences import Sequences
from skrnn._network.network import RecurrentNetwork
from skrnn._training.losses import LOSSES
from skrnn._training.optimizers import OPTIMIZERS
from skrnn.kernels import CELLS, kernels_for

RAGGED = (2, 5, 1, 4)

# Several quantiles at once are a loss of their own here.
ALL_LOSSES = LOSSES | {"quantiles": LOSSES["quantile"]}

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
        seed=0, dtype=np.float64, pooling="last", units=None, patch=None, embeddings=(), static=None, decay=None,
    ):
        rng = np.random.default_rng(seed)
        self.form = form
        self.net = RecurrentNetwork(
            n_inputs, hidden_size, n_outputs, *form, bidirectional, per_step, pooling, units=units, patch=patch,
            embeddings=embeddings, static=static, decay=decay,
        )
        # About 1/√K, as in a trained net: a larger recurrence is chaotic and amplifies rounding.
        scale = 0.5 * min(1, 4 / max(hidden_size)) ** 0.5
        self.theta = (scale * rng.normal(size=self.net.layout.size)).astype(dtype)
        self.X = rng.normal(size=(sum(lengths), n_inputs)).astype(dtype)
        for feature, embedding in enumerate(embeddings, n_inputs - len(embeddings)):
            self.X[:, feature] = rng.integers(embedding.n_categories, size=len(self.X))
        if decay is not None:
            self.set_gaps(decay, rng)
        self.sequences = Sequences(self.X, np.array(lengths, dtype=np.intp), "ragged")
        self.index = np.arange(len(lengths))
        shape = (len(lengths), self.net.state_width)
        self.initial = (0.5 * rng.normal(size=shape)).astype(dtype)
        # Weights of a scalar function of everything that comes out
        rows = self.net.n_rows(self.sequences, self.index)
        self.dscores = rng.normal(size=(rows, n_outputs)).astype(dtype)
        self.dfinal = rng.normal(size=shape).astype(dtype)
        if static is not None:
            codes = [rng.integers(table.n_categories - 1, size=len(lengths)) for table in static.embeddings]
            numbers = rng.normal(size=(len(lengths), static.n_numbers))
            self.sequences.static = np.column_stack([numbers, *codes]).astype(dtype)
        if "mean" in pooling:       # numbers of steps: a gradient in them has no meaning
            self.initial[:, -1], self.dfinal[:, -1] = rng.integers(1, 4, size=len(lengths)), 0

    def set_gaps(self, decay, rng):
        """Make some values missing, and δ positive; parameters so that some rates are not, none near the kink."""
        n, n_times = decay.n_features, decay.n_times(len(self.net.layers[0].directions))
        end = self.net.n_inputs - len(self.net.embeddings)
        self.X[:, decay.indicators : decay.indicators + n] = rng.random((len(self.X), n)) < 0.5
        self.X[:, end - n_times : end] = rng.integers(1, 4, size=(len(self.X), n_times)) / 2
        for name in ("decay", *(f"{name}.decay" for name in self.net.layers[0].directions)):
            W, b = self.parameters[f"{name}.W"], self.parameters[f"{name}.b"]
            sign = np.where(np.arange(len(b)) % 3 == 1, -1, 1)
            W[:] = sign * (0.05 + 0.2 * rng.random(W.shape))
            b[:] = sign * (0.05 + 0.2 * rng.random(b.shape))

    @property
    def parameters(self):
        return self.net.layout.views(self.theta)

    def steps(self, i):
        """The rows of sequence i."""
        start = self.sequences.starts[i]
        return slice(start, start + self.sequences.lengths[i])

    def states(self, state, i=slice(None)):
        """[layer][direction] (states, K) of sequence i, or (states, N, K) of all."""
        views = [[[] for _ in layer.directions] for layer in self.net.layers]
        for name, place in self.net.state_layout.items():
            if isinstance(name, tuple):
                views[name[0]][name[1]].append(state[i, place])
        return [[np.array(states) for states in layer] for layer in views]

    def pool(self, state, i):
        """What sequence i has pooled, sums, maxima and with the mean the number of steps; empty for the last output."""
        names = [name for name in self.net.state_layout if name in ("sums", "maxima", "steps")]
        return np.concatenate([state[i, self.net.state_layout[name]] for name in names]) if names else np.empty(0)

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
        gradients = self.net.backward(
            self.theta, self.sequences, self.index, self.dscores, dstate, self.initial, need_dX=True
        )
        return gradients.theta, gradients.X, dstate


def outputs_of(loss):
    """How many scores the tests give a loss: of three targets; those of several columns are one and two."""
    return make_loss(loss).width * min(3, kernels_for(np.float64).LOSSES[ALL_LOSSES[loss].name].max_outputs)


def targets_for(loss, rows, rng, dtype=np.float64):
    """Random targets for `outputs_of` a loss, in its form."""
    Q, domain = outputs_of(loss) // make_loss(loss).width, ALL_LOSSES[loss].domain
    if loss == "multioutput_log_loss":
        return rng.integers(2, size=(rows, 2))
    if ALL_LOSSES[loss].of_classes:
        return rng.integers(max(2, Q), size=rows)
    if domain is None:
        return rng.normal(size=(rows, Q)).astype(dtype)
    if (domain.low, domain.high) == (0, 1):
        return rng.integers(2, size=(rows, Q)).astype(dtype)
    return np.clip(rng.poisson(2, size=(rows, Q)), domain.low, domain.high).astype(dtype)


def make_optimizer(name, theta, rate=1e-3):
    """An optimizer, without decay."""
    parameters = RNNRegressor().get_params() | {"learning_rate_init": rate}
    return OPTIMIZERS[name].make(theta, parameters, np.zeros((0, 2), np.intp))


def make_loss(name, of_logistic=False):
    """A loss with a parameter that shows."""
    if name == "multioutput_log_loss":
        return LOSSES[name]((1, 2))
    quantile = [0.1, 0.3, 0.9] if name == "quantiles" else 0.3
    parameters = RNNRegressor().get_params() | {"quantile": quantile, "huber_delta": 0.7}
    return ALL_LOSSES[name].make(parameters, of_logistic)
