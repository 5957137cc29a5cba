"""The skeleton that RNNClassifier and RNNRegressor share: fit and the way from X to scores."""

import warnings
from abc import ABCMeta, abstractmethod
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skrnn._examples import Examples, as_weights, check_samples, first_not_finite_row
from skrnn._network import Objective, RecurrentNetwork
from skrnn._training import train
from skrnn._validation import check_sequences, fitted_apart
from skrnn.cells import ACTIVATIONS, CELLS
from skrnn.losses import LOSSES
from skrnn.optimizers import OPTIMIZERS

# Multiply-adds after which predict looks up, so that Ctrl-C is heard, some tenths of a second. Changes no bit.
PREDICT_WORK = 2**32


def _is_size(value):
    return isinstance(value, Integral) and not isinstance(value, bool) and value > 0


class BaseRNN(BaseEstimator, metaclass=ABCMeta):
    """Parameters, fit and scores. Subclasses encode targets and decode scores."""

    _parameter_constraints: ClassVar = {
        "hidden_size": ["array-like", Interval(Integral, 1, None, closed="left")],
        "cell": [StrOptions(set(CELLS))],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "reset_after": ["boolean"],
        "bidirectional": ["boolean"],
        "return_sequences": ["boolean"],
        "n_steps": [None, Interval(Integral, 1, None, closed="left")],
        "solver": [StrOptions(set(OPTIMIZERS))],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "momentum": [Interval(Real, 0, 1, closed="both")],
        "nesterovs_momentum": ["boolean"],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "max_grad_norm": [None, Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        hidden_size=32,
        *,
        cell="lstm",
        activation="tanh",
        reset_after=True,
        bidirectional=False,
        return_sequences=False,
        n_steps=None,
        solver="adam",
        alpha=1e-4,
        batch_size="auto",
        learning_rate_init=1e-3,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        momentum=0.9,
        nesterovs_momentum=True,
        n_iter_no_change=10,
        max_grad_norm=None,
    ):
        self.hidden_size = hidden_size
        self.cell = cell
        self.activation = activation
        self.reset_after = reset_after
        self.bidirectional = bidirectional
        self.return_sequences = return_sequences
        self.n_steps = n_steps
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.n_iter_no_change = n_iter_no_change
        self.max_grad_norm = max_grad_norm

    @abstractmethod
    def _target_rows(self, y, sequences, per_step):
        """Checked targets of all sequences or steps, one a row, as the user knows them."""

    @abstractmethod
    def _encode_targets(self, rows, sequences):
        """Targets in the loss's form, the number of outputs, and the loss's name; sets what decoding needs."""

    @abstractmethod
    def _decode(self, scores):
        """What predict returns for raw scores, row by row."""

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Fit the network to sequences.

        Parameters
        ----------
        X : array-like of shape (n, columns) or (n, steps, features), or a collection of n arrays (steps, features)
            A sample is a sequence. For an array in (n, features, steps) order pass ``X.transpose(0, 2, 1)``.
        y : array-like of shape (n,); with `return_sequences` (n, steps) or a collection of n arrays (steps,)
            Targets; a regressor also takes several, as a last dimension (outputs,).
        sample_weight : array-like of shape (n,), or one value a step in the form of y, optional
            Weights of the samples; the loss is divided by their sum.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            When an argument cannot be used, naming it and the sequence, or when training diverges. The estimator then
            stays as it was.
        """
        with fitted_apart(self) as net:
            net._fit(X, y, sample_weight)
        return self

    def _fit(self, X, y, sample_weight):
        hidden_size = self._check_hidden_size()
        sequences = check_sequences(self, X, self.n_steps, reset=True)
        check_samples(sequences, y)
        rows = self._target_rows(y, sequences, self.return_sequences)
        targets, self.n_outputs_, self._loss = self._encode_targets(rows, sequences)
        weights = as_weights(sample_weight, sequences, self.return_sequences)
        examples = Examples(sequences, targets, weights, self.return_sequences)
        self._network = RecurrentNetwork(
            sequences.n_features, hidden_size, self.n_outputs_, self.cell, self.activation, self.reset_after,
            self.bidirectional, self.return_sequences,
        )
        self._train(examples)

    def _train(self, examples):
        random_state = check_random_state(self.random_state)
        dtype = examples.sequences.values.dtype
        try:
            theta = self._network.initialise(random_state, dtype)
        except MemoryError as error:
            gigabytes = self._network.layout.size * dtype.itemsize / 1e9
            raise MemoryError(f"hidden_size={self.hidden_size} makes {gigabytes:.0f} GB of parameters") from error
        loss = LOSSES[self._loss]
        n = len(examples)
        batch_size = self._batch_size(n)
        record = train(
            theta, Objective(self._network, examples, loss, self.alpha, batch_size), self._optimizer(theta), n,
            batch_size, random_state,
            max_iter=int(self.max_iter), shuffle=self.shuffle, tol=self.tol,
            n_iter_no_change=int(self.n_iter_no_change), max_grad_norm=self.max_grad_norm, verbose=self.verbose,
        )
        self._theta = theta
        self.out_activation_ = loss.out_activation
        self.loss_curve_ = record.loss_curve
        self.loss_ = record.loss_curve[-1]
        self.best_loss_ = record.best_loss
        self.n_iter_ = len(record.loss_curve)
        self.t_ = record.n_seen
        self.grad_norm_curve_ = record.grad_norm_curve
        self.n_clipped_ = record.n_clipped

    def _batch_size(self, n):
        if self.batch_size == "auto":
            return min(200, n)
        if self.batch_size > n:
            warnings.warn(f"batch_size={self.batch_size} is clipped to the {n} sequences in use", stacklevel=5)
        return min(int(self.batch_size), n)

    def _optimizer(self, theta):
        if self.solver == "sgd":
            return OPTIMIZERS["sgd"](theta, self.learning_rate_init, self.momentum, self.nesterovs_momentum)
        return OPTIMIZERS[self.solver](theta, self.learning_rate_init)

    def _check_hidden_size(self):
        sizes = np.atleast_1d(np.asarray(self.hidden_size, dtype=object))
        good = sizes.ndim == 1 and len(sizes) > 0
        if not good or not all(_is_size(size) for size in sizes):
            raise ValueError(
                f"hidden_size={self.hidden_size!r}: expected a positive int, or a tuple of them with one for each layer"
            )
        return tuple(int(size) for size in sizes)

    def _scores(self, sequences):
        """Raw scores, (n, Q), or (total, Q) with an output a step."""
        net, theta, n = self._network, self._theta, len(sequences)
        chunk = max(1, int(PREDICT_WORK / (net.work * sequences.mean_length)))
        parts = [
            net.forward(theta, sequences, np.arange(first, min(first + chunk, n)))
            for first in range(0, n, chunk)
        ]
        scores = parts[0] if len(parts) == 1 else np.concatenate(parts)
        bad = first_not_finite_row(scores)
        if bad is not None:
            where = sequences.label("X", bad, self._network.per_step)
            raise ValueError(
                f"The net's output for {where} is not finite: its states grow without bound on this sequence. Scale X, "
                "or fit with a bounded activation, a smaller learning_rate_init or max_grad_norm"
            )
        return scores

    def _predict_rows(self, X, decode):
        """Sequences of X, and decoded rows: one a sequence, or one a step."""
        check_is_fitted(self)
        sequences = check_sequences(self, X, self.n_steps, reset=False).astype(self._theta.dtype)
        return sequences, decode(self._scores(sequences))

    def _in_form_of(self, sequences, rows):
        """Rows as predict returns them: one a sequence as they are, one a step in the form of X."""
        return sequences.split(rows) if self._network.per_step else rows

    def _score(self, metric, X, y, sample_weight):
        """The metric over sequences, or over all steps."""
        sequences, predicted = self._predict_rows(X, self._decode)
        check_samples(sequences, y)
        per_step = self._network.per_step
        weights = as_weights(sample_weight, sequences, per_step)
        return metric(self._target_rows(y, sequences, per_step), predicted, sample_weight=weights)

    def predict(self, X):
        """Predict a target for each sequence, or with `return_sequences` for each step.

        Parameters
        ----------
        X : array-like of shape (n, columns) or (n, steps, features), or a collection of n arrays (steps, features)
            Sequences.

        Returns
        -------
        y : array of shape (n,); with `return_sequences` (n, steps), or for a collection an object array of n arrays \
(steps,)
            Predictions, with a last dimension (outputs,) when y had one in `fit`.
        """
        sequences, rows = self._predict_rows(X, self._decode)
        return self._in_form_of(sequences, rows)

    @property
    def parameters_(self):
        """The fitted parameters by name, as views of one vector.

        ``layer0.W`` (D, G·K), ``layer0.U`` (K, G·K) and ``layer0.b`` (biases, G·K) of the first layer, its gates in the
        order of the cell; ``layer0.reverse.W`` and so on for the other direction of a bidirectional layer; ``head.V``
        (K, outputs) and ``head.c`` (outputs,).
        """
        check_is_fitted(self)
        return self._network.layout.views(self._theta)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_theta")
