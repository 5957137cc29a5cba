"""States of sequences: going on where they ended, and step by step."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skrnn._data.features import with_category_ids
from skrnn._data.missing import filled
from skrnn._data.numbers import as_numbers, is_size
from skrnn._data.reading import check_finite
from skrnn._data.sequences import Sequences


class Streams:
    """What a fitted estimator does with states; a part of `BaseRNN`."""

    def _go_on(self, sequences, state):
        """Scores of checked sequences from a state on, and the states after them."""
        width, dtype = self._network.state_width, self._theta.dtype
        sequences = sequences.astype(dtype)
        state = self._check_state(state, len(sequences))
        after = np.empty_like(state)
        scores, first = [], 0
        for part, index in sequences.iter_chunks(np.arange(len(sequences))):
            rows = slice(first, first + len(index))
            if self._embedded:
                part = with_category_ids(self, part, reset=False)
            elif self._missing != "error":
                part, after[rows, width:] = filled(part, self._missing, state[rows, width:])
            final = np.empty((len(index), width), dtype)
            scores.append(self._scores(part, np.ascontiguousarray(state[rows, :width]), final))
            after[rows, :width] = final
            first = rows.stop
        return scores[0] if len(scores) == 1 else np.concatenate(scores), after

    def _check_state(self, state, n):
        """States (n, width) to begin with."""
        if state is None:
            return self.initial_state(n)
        expected = (n, self._width())
        state = np.asarray(state)
        if state.shape != expected or state.dtype != self._theta.dtype:
            raise ValueError(
                f"the state has shape {state.shape} and dtype {state.dtype}, expected {expected} and "
                f"{self._theta.dtype}: one that this estimator returned, a row for each sequence"
            )
        return state

    def _width(self):
        """Columns of a state: of the network's, and of what was seen last where missing values are filled."""
        return self._network.state_width + (self._n_step_features if self._missing != "error" else 0)

    def _check_one_direction(self, what):
        if len(self._network.layers[0].directions) == 2:
            raise ValueError(f"{what} needs a net that reads forwards, but bidirectional=True reads from both ends")

    def initial_state(self, n_sequences=1):
        """The state of sequences before their first step, for `predict_step` and the predict methods.

        Parameters
        ----------
        n_sequences : int, default=1

        Returns
        -------
        state : array of shape (n_sequences, width)
            A row holds what a sequence carries from step to step: all states of all layers, with `pooling` what is
            pooled so far, with `missing` what was seen last. Rows may be selected and put together like samples.

        Raises
        ------
        ValueError
            When the number is not positive, or the net reads in both directions.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNRegressor
        >>> X = np.random.default_rng(0).normal(size=(50, 8, 2))
        >>> net = RNNRegressor(4, tol=1e-2, random_state=0).fit(X, X[:, 0, 0])
        >>> net.initial_state(3).shape          # h and c of four units
        (3, 8)
        """
        check_is_fitted(self)
        self._check_one_direction("initial_state")
        if not is_size(n_sequences):
            raise ValueError(f"n_sequences={n_sequences!r}: expected a positive int")
        state = np.zeros((int(n_sequences), self._width()), self._theta.dtype)
        state[:, : self._network.state_width] = self._network.zero_state(int(n_sequences), self._theta.dtype)
        return state

    def predict_step(self, x, state):
        """Predict from one more step of each of some streams; the same bits as `predict` of the steps so far.

        With `missing`, a step that is NaN in every feature is a step like any other here, not padding.

        Parameters
        ----------
        x : array-like of shape (features,) or (n, features)
            The step of one stream, or of n.
        state : array of shape (1, width) or (n, width)
            From `initial_state`, or from the step before.

        Returns
        -------
        y : the prediction, or array of n of them
            With one target a sequence, the one that it would have if it ended here.
        state : array like `state`
            For the next step.

        Raises
        ------
        ValueError, TypeError
            When x or the state do not fit the net, or it reads in both directions.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNRegressor
        >>> rng = np.random.default_rng(0)
        >>> X = rng.normal(size=(50, 8, 2))
        >>> net = RNNRegressor(4, tol=1e-2, random_state=0).fit(X, X[:, 0, 0])
        >>> state = net.initial_state()
        >>> for x in X[0]:
        ...     y, state = net.predict_step(x, state)
        >>> bool(y == net.predict(X[:1])[0])
        True
        """
        if not self.__sklearn_is_fitted__():
            check_is_fitted(self)
        self._check_one_direction("predict_step")
        self._check_names(x)
        x = np.atleast_1d(as_numbers(x, "x"))
        one = x.ndim == 1
        steps = x[np.newaxis] if one else x
        if steps.ndim != 2 or steps.shape[1] != self._n_step_features or not len(steps):
            raise ValueError(
                f"x has shape {x.shape}, expected ({self._n_step_features},), the features of a step, or "
                f"(n, {self._n_step_features}) for n streams"
            )
        sequences = Sequences(steps, np.ones(len(steps), np.intp), "array")
        check_finite(sequences, "x", allow_missing=self._missing != "error")
        scores, state = self._go_on(sequences, state)
        y = self._decode(scores)
        return (y[0] if one else y), state

    def _check_names(self, x):
        """Raise a ValueError when the features of a step have other names than in fit."""
        names, expected = getattr(x, "columns", getattr(x, "index", None)), getattr(self, "feature_names_in_", ())
        if len(expected) != self._n_step_features or names is None or callable(names):
            return
        if all(isinstance(name, str) for name in names) and list(names) != list(expected):
            raise ValueError(f"x has the features {list(names)}, expected {list(expected)} as in fit")
