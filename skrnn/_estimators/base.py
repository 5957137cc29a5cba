"""The skeleton that RNNClassifier and RNNRegressor share: fit and the way from X to scores."""

import warnings
from abc import ABCMeta, abstractmethod
from functools import partial
from numbers import Integral
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin, _fit_context
from sklearn.model_selection import train_test_split
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skrnn._data.examples import Examples, as_weights, check_samples, first_not_finite_row, multiply_weights
from skrnn._data.features import (
    atomic_fit,
    check_seen,
    check_sequences,
    count_categories,
    drop_unused_categories,
    with_category_ids,
)
from skrnn._data.missing import MISSING, without_gaps
from skrnn._data.ragged import rows_of
from skrnn._data.reading import IN_PLACE
from skrnn._data.sequences import LazySequences
from skrnn._estimators.states import Streams
from skrnn._estimators.trainable import TrainableMixin
from skrnn._network.network import RecurrentNetwork
from skrnn._network.objective import Objective
from skrnn._training.lbfgs import train_lbfgs
from skrnn._training.loop import Batches, Stopping, train
from skrnn._training.optimizers import OPTIMIZERS
from skrnn.kernels import POOLINGS

# Multiply-adds after which predict looks up, so that Ctrl-C is heard, some tenths of a second. Changes no bit.
PREDICT_WORK = 2**32


def in_epochs(estimator):
    """Whether the solver takes batches, which partial_fit needs."""
    if estimator.solver == "lbfgs":
        raise AttributeError("partial_fit is only available for the solvers that take batches, not for solver='lbfgs'")
    return True


class BaseRNN(TrainableMixin, Streams, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator, metaclass=ABCMeta):
    """Parameters, fit and scores. Subclasses encode targets and decode scores."""

    _parameter_constraints: ClassVar = TrainableMixin._parameter_constraints | {
        "bidirectional": ["boolean"],
        "return_sequences": ["boolean"],
        "pooling": [StrOptions(set(POOLINGS))],
        "n_steps": [None, Interval(Integral, 1, None, closed="left")],
        "embedding_dim": [None, Interval(Integral, 1, None, closed="left")],
        "missing": [StrOptions(set(MISSING))],
        "solver": [StrOptions({*OPTIMIZERS, "lbfgs"})],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "max_fun": [Interval(Integral, 1, None, closed="left")],
        "bptt_steps": [None, Interval(Integral, 1, None, closed="left")],
    }

    @abstractmethod
    def __init__(
        self, hidden_size, cell, activation, reset_after, bidirectional, return_sequences, pooling, n_steps,
        embedding_dim, missing, dropout, recurrent_dropout, solver, alpha, batch_size, learning_rate,
        learning_rate_init, power_t, max_iter, shuffle, random_state, tol, verbose, warm_start, momentum,
        nesterovs_momentum, early_stopping, validation_fraction, beta_1, beta_2, epsilon, n_iter_no_change, max_fun,
        max_grad_norm, bptt_steps,
    ):
        self.hidden_size = hidden_size
        self.cell = cell
        self.activation = activation
        self.reset_after = reset_after
        self.bidirectional = bidirectional
        self.return_sequences = return_sequences
        self.pooling = pooling
        self.n_steps = n_steps
        self.embedding_dim = embedding_dim
        self.missing = missing
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.max_grad_norm = max_grad_norm
        self.bptt_steps = bptt_steps

    @abstractmethod
    def _target_rows(self, y, sequences, per_step):
        """Checked targets of all sequences or steps, one a row, as the user knows them, and which of them there are.

        The second is a bool array, or None for all: steps may be without a label.
        """

    @abstractmethod
    def _set_targets(self, rows):
        """Set what the estimator knows of its targets: of these rows alone."""

    @abstractmethod
    def _encode(self, rows, labelled, sequences):
        """Targets in the loss's form, which `_set_targets` has prepared for."""

    @abstractmethod
    def _make_loss(self):
        """The loss, and the number of its outputs."""

    @abstractmethod
    def _target_weights(self, rows, labelled):
        """Weights of the targets by themselves, or None."""

    @abstractmethod
    def _decode(self, scores):
        """What predict returns for raw scores, row by row."""

    @abstractmethod
    def _validation_score(self, rows, scores, weights):
        """How good the raw scores of held-out sequences or steps are, higher is better."""

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, X_val=None, y_val=None):
        """Fit the network to sequences.

        Parameters
        ----------
        X : array-like of shape (n, columns) or (n, steps, features), or a collection of n arrays (steps, features)
            A sample is a sequence. For an array in (n, features, steps) order pass ``X.transpose(0, 2, 1)``.
        y : array-like of shape (n,); with `return_sequences` (n, steps) or a collection of n arrays (steps,)
            Targets; several of them as a last dimension (outputs,). With `return_sequences` a step whose target is NaN,
            None or the integer label −1 has no target.
        sample_weight : array-like of shape (n,), or one value a step in the form of y, optional
            Weights of the samples; the loss is divided by their sum.
        X_val, y_val : like X and y, optional
            For `early_stopping`: what to validate on, in the place of a part of X and y.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            When an argument cannot be used, naming it and the sequence, or when training diverges. The estimator then
            stays as it was.
        """
        with atomic_fit(self) as net:
            net._check_combinations()
            resume = self.warm_start and hasattr(self, "_theta")
            examples, rows = net._prepare(X, y, sample_weight, resume=resume)
            net._initialize(examples.sequences.dtype, resume=resume)
            validate = net._validation(examples, rows, X_val, y_val)
            if not resume:
                net._forget_unseen(examples)
            net._train(examples, validate, resume=resume)
        return self

    def _partial_fit(self, X, y, sample_weight, **targets):
        with atomic_fit(self) as net:
            net._check_combinations()
            if self.early_stopping:
                raise ValueError("partial_fit does not support early_stopping=True: it sees no data to hold out")
            resume = hasattr(self, "_theta")
            examples, _ = net._prepare(X, y, sample_weight, resume=resume, **targets)
            if resume:
                net._copy_training_state()
            else:
                net._initialize(examples.sequences.dtype, resume=False)
                net._forget_unseen(examples)
            batch_size = net._batch_size(len(examples))
            objective, batches = net._objective(examples, batch_size), net._batches(examples, batch_size)
            net._one_epoch(objective, batches, resume=resume)
        return self

    def _check_combinations(self):
        """Raise a ValueError for parameters that do not go together."""
        if self.bidirectional and self.bptt_steps is not None:
            raise ValueError(
                "bptt_steps needs the states of the steps before, which bidirectional=True does not have"
            )
        if self.embedding_dim is not None and self.missing != "error":
            raise ValueError(f"missing={self.missing!r} is for numbers, but with embedding_dim X holds categories")
        self._check_decay()
        if self.solver == "lbfgs":
            self._check_lbfgs()

    def _check_lbfgs(self):
        for name, off in (
            ("early_stopping", False), ("bptt_steps", None), ("dropout", 0), ("recurrent_dropout", 0),
            ("max_grad_norm", None),
        ):
            if getattr(self, name) != off:
                raise ValueError(
                    f"{name}={getattr(self, name)!r} does not go with solver='lbfgs', which needs the whole gradient "
                    "of one fixed function; try solver='adam'"
                )

    def _prepare(self, X, y, sample_weight, *, resume, **targets):
        """Checked examples, and the rows of their targets as the user knows them."""
        hidden_size = self._check_hidden_size()
        if resume and (self.missing != self._missing or (self.embedding_dim is not None) != self._embedded):
            raise ValueError(
                f"{type(self).__name__} cannot go on with missing={self.missing!r} and embedding_dim="
                f"{self.embedding_dim!r}, which change what it reads of X: set them back, or clone it"
            )
        sequences = self._read(X, reset=not resume)
        sequences = sequences.astype(self._theta.dtype) if resume else sequences
        if self.solver == "lbfgs" and isinstance(sequences, LazySequences):
            sequences = sequences.in_memory("solver='lbfgs'")
        check_samples(sequences, y)
        rows, labelled = self._target_rows(y, sequences, self.return_sequences)
        if not resume:
            self._set_targets(rows if labelled is None else rows[labelled], **targets)
        encoded = self._encode(rows, labelled, sequences)
        self._loss, self.n_outputs_ = self._make_loss()
        examples = Examples(sequences, encoded, None, self.return_sequences)
        self._weigh(examples, sample_weight, rows, labelled)
        if self._embedded and not resume:
            # Sequences without weight are absent: their categories are not seen.
            sequences = examples.sequences = drop_unused_categories(self, sequences, examples.used)
        if self._embedded and resume:
            check_seen(self, sequences, examples.used)
        network = RecurrentNetwork(
            int(self.embedding_dim) if self._embedded else sequences.n_features, hidden_size,
            self.n_outputs_, self.cell, self.activation, self.reset_after, self.bidirectional, self.return_sequences,
            self.pooling, self._n_categories,
        )
        if resume and network.layout.shapes != self._network.layout.shapes:
            raise ValueError(
                f"{type(self).__name__} cannot go on with parameters of the shapes {network.layout.shapes}, it was "
                f"fitted with {self._network.layout.shapes}: set hidden_size, cell and the like back, or clone it"
            )
        self._network = network
        return examples, rows

    def _read(self, X, *, reset):
        """Sequences of X as the network reads them from their beginning."""
        if reset:
            self._missing, self._embedded, self._n_categories = self.missing, self.embedding_dim is not None, 0
        sequences = self._check(X, reset=reset)
        if self._embedded:
            return with_category_ids(self, sequences, reset=reset)
        if self._missing == "error":
            return sequences
        return sequences.map(partial(without_gaps, missing=self._missing))

    def _check(self, X, *, reset=False, leave_out_padding=True):
        """Sequences of X as the user gave them, each with steps of its own where these are changed or have outputs."""
        in_place = () if self._embedded else IN_PLACE if reset else (self._theta.dtype,)
        sequences = check_sequences(
            self, X, self.n_steps, reset=reset, allow_missing=self._missing != "error",
            leave_out_padding=leave_out_padding, in_place=in_place,
        )
        per_step = self.return_sequences if reset else self._network.per_step
        return sequences.unshared() if per_step or self._missing != "error" else sequences

    def _weigh(self, examples, sample_weight, rows, labelled):
        """Set the weights of the loss's terms and, without those of the targets themselves, of scores."""
        weights = as_weights(sample_weight, examples.sequences, self.return_sequences)
        examples.score_weights = multiply_weights(weights, labelled)
        examples.set_weights(multiply_weights(examples.score_weights, self._target_weights(rows, labelled)))

    def _validation(self, examples, rows, X_val, y_val):
        """For early stopping a function that scores theta on data that are held out, or None."""
        if not self.early_stopping:
            if X_val is not None or y_val is not None:
                raise ValueError("X_val and y_val are what early_stopping=True validates on; set it, or leave them out")
            return None
        if (X_val is None) != (y_val is None):
            raise ValueError("X_val and y_val go together, but only one of them was passed")
        if X_val is None:
            sequences, weights = examples.sequences, examples.score_weights
            index = self._hold_out(examples, rows)
        else:
            try:
                sequences = self._read(X_val, reset=False).astype(examples.sequences.dtype)
                check_samples(sequences, y_val, "y_val")
                rows, labelled = self._target_rows(y_val, sequences, self.return_sequences)
                self._encode(rows, labelled, sequences)
            except (TypeError, ValueError) as error:
                raise type(error)(f"In X_val and y_val: {error}") from error
            weights = multiply_weights(None, labelled)
            index = np.arange(len(sequences))
        held_out = rows_of(sequences.starts[index], sequences.lengths[index]) if self.return_sequences else index
        weights = None if weights is None else weights[held_out]
        has_weight = slice(None) if weights is None else weights > 0
        rows, weights = rows[held_out][has_weight], None if weights is None else weights[has_weight]

        def validate(theta):
            scores = self._forward(theta, sequences, index)[has_weight]
            score = float(self._validation_score(rows, scores, weights))
            if not np.isfinite(score):
                raise ValueError(
                    f"The validation score is {score}: the {len(index)} sequences held out are too few or all alike. "
                    "Increase validation_fraction, or pass X_val and y_val"
                )
            return score

        return validate

    def _hold_out(self, examples, rows):
        """Take sequences out of the training; returns which."""
        used = examples.used
        try:
            examples.used, held_out = train_test_split(
                used, test_size=self.validation_fraction, random_state=self._random_state,
                stratify=self._strata(rows[used]) if not self.return_sequences else None,
            )
        except ValueError as error:
            raise ValueError(
                f"early_stopping=True cannot hold out validation_fraction={self.validation_fraction} of {len(used)} "
                f"sequences: {error}"
            ) from error
        return np.sort(held_out)

    def _strata(self, rows):
        """What the parts of a split should have in equal shares, or None."""
        return None

    def _forget_unseen(self, examples):
        """Embed the categories that are not trained on as zeros."""
        if self._embedded:
            unseen = count_categories(examples.sequences, examples.used, self._n_categories) == 0
            self._network.layout.views(self._theta)["embedding.E"][unseen] = 0

    def _objective(self, examples, batch_size):
        return Objective(
            self._network, examples, self._loss, batch_size, 0.0 if self.solver == "adamw" else float(self.alpha),
            float(self.dropout), float(self.recurrent_dropout), self._random_state, self.bptt_steps,
        )

    def _batches(self, examples, batch_size):
        return Batches(len(examples), batch_size, self._random_state if self.shuffle else None)

    def _train(self, examples, validate, *, resume):
        n = len(examples)
        if self.solver == "lbfgs":
            train_lbfgs(
                self._theta, self._objective(examples, n), self._history, n, max_iter=int(self.max_iter),
                max_fun=int(self.max_fun), tol=self.tol, verbose=self.verbose,
            )
            self._optimizer = self._schedule = None
        else:
            batch_size = self._batch_size(n)
            stopping = Stopping(int(self.max_iter), self.tol, int(self.n_iter_no_change), validate)
            if validate is not None and resume:
                stopping.start(self._theta, self._history)
            self._optimizer, self._schedule = self._new_optimizer()
            train(
                self._theta, self._objective(examples, batch_size), self._optimizer, self._schedule, self._history,
                stopping, self._batches(examples, batch_size), max_grad_norm=self.max_grad_norm, verbose=self.verbose,
            )
            if stopping.best_theta is not None:
                self._theta[:] = stopping.best_theta
        self._set_fitted_attributes()

    def _batch_size(self, n):
        if self.batch_size == "auto":
            return min(32, n)
        if self.batch_size > n:
            warnings.warn(f"batch_size={self.batch_size} is clipped to the {n} sequences in use", stacklevel=5)
        return min(int(self.batch_size), n)

    def _forward(self, theta, sequences, index, initial=None, final=None):
        """Raw scores of the sequences `index`, (N, Q), or (steps, Q) with an output a step; fills the final states."""
        chunk = max(1, int(PREDICT_WORK / (self._network.work * sequences.mean_length)))
        parts, first = [], 0
        for begin in range(0, len(index), chunk):
            for some, numbers in sequences.iter_chunks(index[begin : begin + chunk]):
                rows = slice(first, first + len(numbers))
                parts.append(self._network.forward(
                    theta, some, numbers, None if initial is None else initial[rows],
                    None if final is None else final[rows],
                ))
                first = rows.stop
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _scores(self, sequences, initial=None, final=None):
        """Raw scores of all sequences, which are finite."""
        scores = self._forward(self._theta, sequences, np.arange(len(sequences)), initial, final)
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
        sequences = self._read(X, reset=False).astype(self._theta.dtype)
        return sequences, decode(self._scores(sequences))

    def _predict(self, X, decode, initial_state, return_state):
        """What the predict methods return, and the states after it where they are asked for."""
        check_is_fitted(self)
        if initial_state is None and not return_state:
            sequences, rows = self._predict_rows(X, decode)
            return self._in_form_of(sequences, rows)
        self._check_one_direction("initial_state and return_state")
        sequences = self._check(X, leave_out_padding=False)
        scores, state = self._go_on(sequences, initial_state)
        predicted = self._in_form_of(sequences, decode(scores))
        return (predicted, state) if return_state else predicted

    def transform(self, X):
        """The last hidden states of all layers: what the net has made of each sequence, as features.

        Parameters
        ----------
        X : as in `fit`

        Returns
        -------
        features : array of shape (n, hidden units)
            Layer after layer, with both directions of a layer side by side.

        Raises
        ------
        ValueError, TypeError
            When X cannot be used, naming the sequence.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNRegressor
        >>> X = np.random.default_rng(0).normal(size=(50, 8, 2))
        >>> RNNRegressor((4, 3), tol=1e-2, random_state=0).fit(X, X[:, 0, 0]).transform(X).shape
        (50, 7)
        """
        check_is_fitted(self)
        sequences = self._read(X, reset=False).astype(self._theta.dtype)
        final = np.empty((len(sequences), self._network.state_width), self._theta.dtype)
        self._scores(sequences, final=final)
        return self._network.hidden_states(final)

    @property
    def _n_features_out(self):
        return sum(layer.n_outputs for layer in self._network.layers)

    def _in_form_of(self, sequences, rows):
        """Rows as predict returns them: one a sequence as they are, one a step in the form of X."""
        return sequences.split(rows) if self._network.per_step else rows

    def _score(self, metric, X, y, sample_weight):
        """The metric over sequences, or over all steps that have a target."""
        sequences, predicted = self._predict_rows(X, self._decode)
        check_samples(sequences, y)
        per_step = self._network.per_step
        weights = as_weights(sample_weight, sequences, per_step)
        rows, labelled = self._target_rows(y, sequences, per_step)
        if labelled is not None:
            rows, predicted = rows[labelled], predicted[labelled]
            weights = None if weights is None else weights[labelled]
        return metric(rows, predicted, sample_weight=weights)

    def predict(self, X, *, initial_state=None, return_state=False):
        """Predict a target for each sequence, or with `return_sequences` for each step.

        Parameters
        ----------
        X : array-like of shape (n, columns) or (n, steps, features), or a collection of n arrays (steps, features)
            Sequences.
        initial_state : array of shape (n, width), optional
            States to go on from, which an earlier call returned.
        return_state : bool, default=False
            Also return the states after the last steps. With it, or with states to go on from, no step is padding.

        Returns
        -------
        y : array of shape (n,); with `return_sequences` (n, steps), or for a collection an object array of n arrays \
(steps,)
            Predictions, with a last dimension (outputs,) when y had one in `fit`.
        state : array of shape (n, width)
            Only with `return_state`.

        Raises
        ------
        ValueError, TypeError
            When X or the states cannot be used, naming the sequence; when the states grow without bound.

        Examples
        --------
        A sequence in two pieces:

        >>> import numpy as np
        >>> from skrnn import RNNRegressor
        >>> X = np.random.default_rng(0).normal(size=(50, 8, 2))
        >>> net = RNNRegressor(4, tol=1e-2, random_state=0).fit(X, X[:, 0, 0])
        >>> _, state = net.predict(X[:, :5], return_state=True)
        >>> bool((net.predict(X[:, 5:], initial_state=state) == net.predict(X)).all())
        True
        """
        return self._predict(X, self._decode, initial_state, return_state)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = self.missing != "error"
        return tags
