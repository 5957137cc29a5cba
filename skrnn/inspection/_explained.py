"""The function that explanations are of: of sequences with vectors for categories, one number for each."""

import numpy as np

from skrnn._data.numbers import all_finite
from skrnn._data.preparation_gradient import preparation_gradient
from skrnn._data.sequences import Sequences
from skrnn._network.scores import check_scores
from skrnn.inspection._vectors import VectorReader, Vectors

# Numbers of steps that the network reads at a time, so that the arrays of a batch stay small
MAX_NUMBERS = 2**21


class Explained:
    """What a fitted net predicts, in float64, with its gradient in all inputs.

    Parameters
    ----------
    fitted : Fitted
    output : Output
    """

    def __init__(self, fitted, output):
        model = fitted.model
        self.reading, self.output = fitted.reading, output
        self.reader = VectorReader(model.network, model.fixed_parameters, fitted.reading)
        self.network = model.network.without_embeddings()
        self.theta = model.theta[: self.network.layout.size].astype(np.float64)
        self.engine = self.network.engine(np.float64)
        self.n_times = 0 if self.network.decay is None else self.network.decay.n_times(1 + self.network.bidirectional)
        width = 4 * sum(layer.n_inputs + layer.n_outputs for layer in self.network.layers)
        self.max_steps = max(1, MAX_NUMBERS // width)

    def batches(self, lengths):
        """Slices of sequences of these lengths that are computed at once."""
        first, ends = 0, np.cumsum(lengths)
        while first < len(lengths):
            done = ends[first - 1] if first else 0
            last = max(first + 1, int(np.searchsorted(ends, done + self.max_steps, "right")))
            yield slice(first, last)
            first = last

    def values(self, X, steps, which, numbers):
        """The outputs (n,) of `Vectors`.

        Parameters
        ----------
        X : Vectors
        steps : (n,) int array, or None
            With outputs per step the step of each sequence whose output it is.
        which : (n,) int array
            Which output of each, see `Output.choose`.
        numbers : (n,) int array
            The indices in X of the sequences that they are, or are made of, for messages.
        """
        _, prepared, sequences = self._read(X, numbers)
        values = self.output.value(self._scores(sequences, steps), self.output.own_units(prepared), which)
        _check_finite(numbers, values)
        return values

    def values_and_gradients(self, X, steps, which, numbers):
        """The outputs (n,) of `Vectors`, and their gradients, `Vectors`."""
        checked, prepared, sequences = self._read(X, numbers)
        scores, own = self._scores(sequences, steps), self.output.own_units(prepared)
        of_scores, down = self.output.gradient(scores, own, which)
        dscores = of_scores
        if steps is not None:
            dscores = np.zeros((len(sequences.values), of_scores.shape[1]))
            dscores[sequences.starts + steps] = of_scores
        index = np.arange(len(sequences))
        dstate = None if self.network.static is None else np.zeros((len(X), self.network.state_width))
        d = self.network.backward(
            self.theta, sequences, index, dscores, dstate, need_dX=True, engine=self.engine
        ).X
        value = self.output.value(scores, own, which)
        gradients = self._gradients(X, checked, prepared, d, down, self._static_gradient(sequences, dstate))
        _check_finite(numbers, value)
        for part in gradients.parts:
            _check_finite(np.repeat(numbers, X.lengths) if len(part) > len(numbers) else numbers, part)
        return value, gradients

    def scores_of_X(self, X, steps, numbers):
        """Raw scores (n, Q) of `Vectors` that are sequences of X."""
        sequences = self._read(X, numbers)[2]
        scores = self._all_scores(sequences)
        check_scores(self.network, scores, sequences)
        return scores if steps is None else scores[sequences.starts + steps]

    def _read(self, X, numbers):
        """The numbers of sequences as they are checked, as they are prepared, and what the network reads."""
        static = X.static if self.reading.n_static else None
        checked = Sequences(X.numbers, X.lengths, "ragged", static=static, numbers=numbers)
        prepared = checked if self.reading.n_categories else self.reading.prepare(checked)
        values, n = prepared.values, prepared.n_features - self.n_times
        steps = np.concatenate([values[:, :n], X.vectors, values[:, n:]], axis=1)
        if static is not None:
            static = np.concatenate([prepared.static, X.static_vectors], axis=1)
        return checked, prepared, Sequences(steps, X.lengths, "ragged", static=static, numbers=numbers)

    def _all_scores(self, sequences):
        index = np.arange(len(sequences))
        return self.network.checked_forward(self.theta, sequences, index, engine=self.engine)[0]

    def _scores(self, sequences, steps):
        scores = self._all_scores(sequences)
        scores = scores if steps is None else scores[sequences.starts + steps]
        _check_finite(sequences.numbers, scores)
        return scores

    def _static_gradient(self, sequences, dstate):
        if dstate is None:
            return None
        initial = self.network.begin(self.theta, sequences, np.arange(len(sequences)))
        return self.network.static_gradient(self.theta, initial, dstate)

    def _gradients(self, X, checked, prepared, d, down, dstatic):
        """Gradients in `Vectors`, given those in what the network reads, and in the units of targets."""
        n = d.shape[1] - self.n_times - X.vectors.shape[1]
        numbers, vectors, times = np.split(d, [n, n + X.vectors.shape[1]], axis=1)
        dprepared = np.concatenate([numbers, times], axis=1)
        if down is not None:        # level and spread of the first step of each sequence
            D = self.reading.n_numbers
            dprepared[checked.starts, D : 3 * D] += down
        if X.numbers.shape[1]:
            numbers = preparation_gradient(self.reading, checked, prepared, dprepared)
        static, static_vectors = np.zeros_like(X.static), np.zeros_like(X.static_vectors)
        if dstatic is not None:
            missing = np.isnan(X.static)
            static = np.where(missing, 0, dstatic[:, : static.shape[1]])
            static_vectors = dstatic[:, dstatic.shape[1] - static_vectors.shape[1] :]
        return Vectors(numbers, vectors, static, static_vectors, X.lengths)


def _check_finite(numbers, rows):
    """Raise a ValueError unless all rows (n, ...), of the sequences X[numbers], are finite."""
    if all_finite(rows):
        return
    bad = np.flatnonzero(~np.isfinite(rows.reshape(len(rows), -1)).all(axis=1))
    i = int(numbers[bad[0]])
    raise ValueError(
        f"What the net predicts for X[{i}], or between the baseline and X[{i}], or its gradient, is not finite: it "
        "grows without bound there. Scale X, or fit with a bounded activation, a smaller learning_rate_init or "
        "max_grad_norm"
    )
