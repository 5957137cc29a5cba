"""The skeleton that RNNClassifier and RNNRegressor share: fit and the way from X to scores."""

from abc import ABCMeta, abstractmethod
from functools import partial
from operator import itemgetter
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.metrics import check_scoring

from skrnn._data.target_checks import check_samples
from skrnn._data.weights import as_weights
from skrnn._estimators import states
from skrnn._estimators.embeddings import check_embedding_dim, embeddings_for, tables_of
from skrnn._estimators.fit_warnings import warn_if_nothing_learned
from skrnn._estimators.groups import read_groups
from skrnn._estimators.parameters import dtype_of
from skrnn._estimators.patches import check_no_patches, check_patches, patch_for
from skrnn._estimators.scorers import validator_of
from skrnn._estimators.splitting import split
from skrnn._estimators.trainable import Fitted, TrainableMixin
from skrnn._estimators.training_data import TrainingDataMixin
from skrnn._estimators.unfitted import reading_of
from skrnn._estimators.validation import read_validation
from skrnn._network.decay import Decay
from skrnn._network.embeddings import unseen_rows
from skrnn._network.network import RecurrentNetwork
from skrnn._network.objective import Objective
from skrnn._network.static import STATIC_TO, StaticInputs
from skrnn._sklearn import checks_parameters
from skrnn._training import run
from skrnn._training.loop import Batches
from skrnn._training.optimizers import OPTIMIZERS
from skrnn._training.report import check_verbose
from skrnn._warnings import warn_user


def in_epochs(estimator):
    """Whether the solver takes batches, which partial_fit needs."""
    if estimator.solver == "lbfgs":
        raise AttributeError("partial_fit is only available for the solvers that take batches, not for solver='lbfgs'")
    return True


class BaseRNN(
    TrainableMixin, TrainingDataMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator,
    metaclass=ABCMeta,
):
    """Parameters, fit and scores. A subclass says what its targets and its loss are.

    Fitted, it holds ``_fitted``, the trained model, how X is read and what it knows of its targets, and public
    attributes. `fit` computes these one after the other and sets them at the end, so that an error leaves the estimator
    as it was.
    """

    _targets_type: ClassVar

    @abstractmethod
    def __init__(
        self, *, hidden_size, cell, activation, reset_after, bidirectional, return_sequences, pooling, static_to,
        n_steps, patch_size, patch_stride, embedding_dim, n_categories, categorical_features, missing, times,
        standardize, dropout, recurrent_dropout, solver, alpha, batch_size, learning_rate, learning_rate_init, power_t,
        max_iter, average, shuffle, random_state, tol, verbose, warm_start, momentum, nesterovs_momentum,
        early_stopping, scoring, validation_fraction, beta_1, beta_2, epsilon, n_iter_no_change, max_fun, max_grad_norm,
        truncated_bptt_steps,
    ):
        self.hidden_size = hidden_size
        self.cell = cell
        self.activation = activation
        self.reset_after = reset_after
        self.bidirectional = bidirectional
        self.return_sequences = return_sequences
        self.pooling = pooling
        self.static_to = static_to
        self.n_steps = n_steps
        self.patch_size = patch_size
        self.patch_stride = patch_stride
        self.embedding_dim = embedding_dim
        self.n_categories = n_categories
        self.categorical_features = categorical_features
        self.missing = missing
        self.times = times
        self.standardize = standardize
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.average = average
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.scoring = scoring
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.max_grad_norm = max_grad_norm
        self.truncated_bptt_steps = truncated_bptt_steps

    @abstractmethod
    def _make_loss(self, targets):
        """The loss that goes with these targets."""

    @checks_parameters
    def fit(self, X, y, sample_weight=None, X_val=None, y_val=None, groups=None):
        """Fit the network to sequences.

        Parameters
        ----------
        X : array-like of shape (n, columns) or (n, steps, features), or a collection of n arrays (steps, features)
            A sample is a sequence. For an array in (n, features, steps) order pass ``X.transpose(0, 2, 1)``. A data
            frame may have columns of lists, the steps, beside columns of one value for each sequence, its static
            features; for other X these stand in :class:`skrnn.WithStatic`.
        y : array-like of shape (n,); with `return_sequences` (n, steps) or a collection of n arrays (steps,)
            Targets; several of them as a last dimension (outputs,). With `return_sequences` a step whose target is NaN,
            None or the integer label −1 has no target. Of several outputs some may be missing, NaN or None, or with
            labels of steps −1: the loss and `score` are over those that are known, each with the weight of its row.
        sample_weight : array-like of shape (n,), or one value per step in the form of y, optional
            Weights of the samples; the loss is divided by their sum.
        X_val, y_val : like X and y, optional
            For `early_stopping`: what to validate on, in the place of a part of X and y. In a Pipeline X_val does not
            go through the steps before the net, unless with ``transform_input=["X_val"]``; see the guide on data.
        groups : array-like of shape (n,), optional
            Labels of the groups that sequences belong to, such as the patient of each: `early_stopping` holds out whole
            groups. They are checked in every fit, and matter where some of X is held out. A search passes them on with
            ``set_fit_request(groups=True)``.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            When an argument cannot be used, naming it and the sequence, or when training diverges. The estimator then
            stays as it was.
        KeyboardInterrupt
            After Ctrl-C. The estimator is then fitted as far as it got; before the first update it stays as it was.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNRegressor
        >>> X = np.random.default_rng(0).normal(size=(60, 8, 2))
        >>> net = RNNRegressor(8, random_state=0).fit(X, X[:, -1, 0])
        >>> net.predict(X[:3]).shape
        (3,)
        """
        return self._fit(X, y, sample_weight, X_val, y_val, groups, partial(self._watch, X, y, sample_weight))

    def _fit(self, X, y, sample_weight, X_val, y_val, groups, watch_of):
        """`fit`, with the `Watch` that `watch_of` returns for what it begins with, a `Fitted`."""
        self._check_parameters()
        resume = self._fitted if self.warm_start and self.__sklearn_is_fitted__() else None
        data = self._read_data(X, y, sample_weight, resume)
        model = self._make_model(data, resume, run.starting_model)
        fitted = Fitted(model, data.reading, data.targets)
        groups = None if groups is None else read_groups(groups, data.examples.sequences)
        examples, held_out = self._split(fitted, data, X, X_val, y_val, groups)
        if not resume:
            self._set_first_values(model, data.reading, examples, whole=True)
        validate = held_out and validator_of(self, fitted, held_out, sample_weight is not None and X_val is None)

        def train():
            self._train(model, examples, validate, watch_of(fitted))
            warn_if_nothing_learned(self, model, data.targets, examples, held_out)

        self._learn(fitted, train)
        return self

    def _partial_fit(self, X, y, sample_weight, **targets):
        self._check_epoch()
        self._check_parameters()
        resume = self._fitted if self.__sklearn_is_fitted__() else None
        data = self._read_data(X, y, sample_weight, resume, whole=False, **targets)
        model = self._make_model(data, resume, run.next_model)
        if not resume:
            self._set_first_values(model, data.reading, data.examples, whole=False)
        objective, batches = self._in_batches(model, data.examples)
        self._learn(
            Fitted(model, data.reading, data.targets),
            lambda: run.train_model_one_epoch(model, objective, batches, vars(self)),
        )
        return self

    def _check_parameters(self):
        """Raise a ValueError for parameters that do not go together."""
        self._check_hidden_size()
        check_verbose(self.verbose)
        if self.bidirectional and self.truncated_bptt_steps is not None:
            raise ValueError(
                "truncated_bptt_steps needs the states of the steps before, which bidirectional=True does not have"
            )
        check_embedding_dim(self.embedding_dim)
        if self.embedding_dim is None and self.n_categories is not None:
            raise ValueError(f"n_categories={self.n_categories} is for categories: set embedding_dim, or leave it out")
        check_patches(self.patch_size, self.patch_stride, self.return_sequences, self.missing)
        if callable(self.scoring):
            check_scoring(self, self.scoring)       # refuses metrics, which do not take an estimator
        if self.solver == "lbfgs":
            self._check_lbfgs()
        else:
            OPTIMIZERS[self.solver].check_parameters(vars(self))

    def _check_lbfgs(self):
        for name, off in (
            ("early_stopping", False), ("truncated_bptt_steps", None), ("dropout", 0), ("recurrent_dropout", 0),
            ("max_grad_norm", None), ("average", 0),
        ):
            if getattr(self, name) != off:
                raise ValueError(
                    f"{name}={getattr(self, name)!r} does not go with solver='lbfgs', which needs the whole gradient "
                    "of one fixed function; try solver='adam'"
                )

    def _set_first_values(self, model, reading, examples, whole):
        """Set the parameters of a new model that depend on what it is trained on: all data, or the first part."""
        if reading.n_categories:
            unseen = reading.unseen_categories(examples.sequences, examples.used)
            run.forget_unseen(model, dict.fromkeys(model.network.tables, unseen))
        elif model.network.tables:
            run.forget_unseen(model, unseen_rows(model.network, examples.sequences, examples.used))
        if self.standardize:
            run.begin_with_constant(model, examples, whole)

    def _make_model(self, data, resume, start):
        """The model to train on TrainingData; `start` makes it of the one to continue, or None, as `starting_model`."""
        reading, sequences = data.reading, data.examples.sequences
        network = self._make_network(
            reading, sequences.n_features, data.targets.n_outputs * data.loss.width,
            self._patch(reading, data.examples, resume),
        )
        if resume:
            self._check_same_shapes(network, resume.model)
        return start(resume and resume.model, network, data.loss, sequences.dtype, vars(self))

    def _make_network(self, reading, n_features, n_scores, patch):
        """The network for steps with so many features, as they are read."""
        of_steps, of_static = embeddings_for(self.embedding_dim, reading.step_encodings, reading.static_encodings)
        return RecurrentNetwork(
            int(self.embedding_dim) if reading.n_categories else n_features, self._check_hidden_size(), n_scores,
            self.cell, self.activation, self.reset_after, self.bidirectional, self.return_sequences, self.pooling,
            n_categories=reading.n_categories, units=reading.network_units, patch=patch, embeddings=of_steps,
            static=self._static_inputs(reading, of_static),
            decay=Decay(reading.n_numbers, reading.first_indicator) if reading.missing == "decay" else None,
        )

    @checks_parameters
    def _start_with_parameters(self, given, X_units=None, **of_targets):
        """Be fitted with these parameters, and with what is known of X and of targets."""
        self._check_parameters()
        reading, patch = reading_of(self, given, X_units)
        n_inputs, n_scores = len(given["layer0.W"]) // (1 if patch is None else patch[0]), given["head.V"].shape[1]
        targets = self._known_targets(n_scores, **of_targets)
        network = self._make_network(reading, n_inputs, n_scores, patch)
        self._set_given(given, network, self._make_loss(targets), dtype_of(given), reading, targets)

    @abstractmethod
    def _known_targets(self, n_scores, **of_targets):
        """What is known of targets, of which the head has so many scores; `of_targets` are those of `set_parameters`.
        """

    def _static_inputs(self, reading, embeddings):
        """What the network reads beside each sequence, with the embeddings of its categories; None for nothing."""
        if not reading.n_static:
            return None
        return StaticInputs(
            reading.n_static_numbers, embeddings, reading.network_static_units, STATIC_TO[self.static_to]
        )

    def _patch(self, reading, examples, resume):
        """Size and stride of the patches that the network reads: those of the first fit; None for single steps."""
        if reading.n_categories:
            check_no_patches(self.patch_size)
        auto = self.patch_size == "auto"
        if resume and auto and not self.return_sequences:
            return resume.model.network.patch
        patch = None
        if not (auto and (self.return_sequences or reading.n_categories or reading.missing == "decay")):
            patch = patch_for(self.patch_size, self.patch_stride, examples.sequences.lengths[examples.used])
        if resume and patch != resume.model.network.patch:
            what = f"patch_size={self.patch_size!r} and patch_stride={self.patch_stride!r}"
            size, stride = resume.model.network.patch or (1, 1)
            reads = f"patches of {size} steps, every {stride}" if size > 1 else "single steps"
            raise self._cannot_continue(f"{what}, as the fitted net reads {reads}")
        return patch

    def _split(self, fitted, data, X, X_val, y_val, groups):
        """The examples to train on, and for early stopping what is held out, or None."""
        if not self.early_stopping:
            if X_val is not None or y_val is not None:
                raise ValueError("X_val and y_val are what early_stopping=True validates on; set it, or leave them out")
            return data.examples, None
        if (X_val is None) != (y_val is None):
            raise ValueError("X_val and y_val go together, but only one of them was passed")
        if X_val is None:
            return split(self, fitted, data, X, groups)
        return data.examples, read_validation(self, fitted, X_val, y_val, self._class_weights(data.targets, data.rows))

    def _train(self, model, examples, validate, watch):
        if self.solver == "lbfgs":
            n = len(examples)
            run.train_model_by_lbfgs(model, self._objective(model, examples, n), n, vars(self), watch)
        else:
            run.train_model(model, *self._in_batches(model, examples), vars(self), validate, watch)

    def _in_batches(self, model, examples):
        """The objective, and the batches of an epoch."""
        batch_size = self._batch_size(len(examples))
        batches = self._batches(model, examples, batch_size)
        return self._objective(model, examples, batch_size), batches

    def _batches(self, model, examples, batch_size):
        return Batches(len(examples), batch_size, model.random_state if self.shuffle else None)

    def _objective(self, model, examples, batch_size):
        return Objective(
            model.network, examples, model.loss, batch_size, max_steps=self.truncated_bptt_steps,
            **run.regularization(model, vars(self)),
        )

    def _batch_size(self, n):
        if self.batch_size == "auto":
            return min(32, n)
        if self.batch_size > n:
            warn_user(f"batch_size={self.batch_size} is clipped to the {n} sequences in use")
        return min(int(self.batch_size), n)

    def _predict_rows(self, fitted, X, decode):
        """Sequences of X, and decoded rows: one per sequence, or one per step."""
        sequences, scores, targets = fitted.scores(self, X)
        fitted = fitted if targets is fitted.targets else fitted._replace(targets=targets)
        return sequences, decode(fitted, scores)

    def _predict(self, X, decode, initial_state, return_state):
        """What the predict methods return, and the states after it where they are asked for."""
        fitted = self._get_fitted()
        model, reading, _ = fitted
        if initial_state is None and not return_state:
            return _in_form_of(model, *self._predict_rows(fitted, X, decode))
        states.check_continues(model, reading, "initial_state and return_state")
        sequences = reading.check(self, X, dtype=model.dtype, leave_out_padding=False)
        scores, state = states.continue_from(model, reading, sequences, initial_state)
        predicted = _in_form_of(model, sequences, decode(fitted, scores))
        if not return_state:
            return predicted
        return (*predicted, state) if isinstance(predicted, tuple) else (predicted, state)

    def _score(self, fitted, metric, X, y, sample_weight):
        """The metric over sequences, or over all steps that have a target."""
        sequences, predicted = self._predict_rows(fitted, X, decoded)
        check_samples(sequences, y)
        per_step = fitted.model.network.per_step
        weights = as_weights(sample_weight, sequences, per_step)
        rows = fitted.targets.read(y, sequences, per_step)
        fitted.targets.check(rows)
        known = rows.known
        return fitted.targets.measure(
            metric, rows.values[known], predicted[known], None if weights is None else weights[known]
        )

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
        >>> RNNRegressor((4, 3), random_state=0).fit(X, X[:, 0, 0]).transform(X).shape
        (50, 7)
        """
        model, reading, _ = self._get_fitted()
        sequences = reading.read(self, X, dtype=model.dtype)
        final = np.empty((len(sequences), model.network.state_width), model.dtype)
        model.scores(sequences, final=final)
        return model.network.hidden_states(final)

    @property
    def _n_features_out(self):
        return sum(layer.n_outputs for layer in self._fitted.model.network.layers)

    def predict(self, X, *, initial_state=None, return_state=False):
        """Predict a target for each sequence, or with `return_sequences` for each step.

        Parameters
        ----------
        X : array-like of shape (n, columns) or (n, steps, features), or a collection of n arrays (steps, features)
            Sequences.
        initial_state : array-like of shape (n, width), optional
            States to continue from, which an earlier call of this net returned: as they are, or read from a file as
            lists or in another dtype. Those of another net that has as many units are not told apart.
        return_state : bool, default=False
            Also return the states after the last steps. With it, or with `initial_state`, no step is padding.

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
        >>> net = RNNRegressor(4, random_state=0).fit(X, X[:, 0, 0])
        >>> _, state = net.predict(X[:, :5], return_state=True)
        >>> bool((net.predict(X[:, 5:], initial_state=state) == net.predict(X)).all())
        True
        """
        return self._predict(X, decoded, initial_state, return_state)

    def initial_state(self, n_sequences=None, static=None):
        """The state of sequences before their first step, for `predict_step` and the predict methods.

        Parameters
        ----------
        n_sequences : int, optional
            How many. None: as many as `static` has rows, without it 1.
        static : array-like of shape (n_sequences, S) or (S,), data frame, or of one by name a dict or series, optional
            What stands beside the steps of each, as in X of `fit`, if the net was fitted with static features: the
            states have it, and predictions from them need it no more.

        Returns
        -------
        state : array of shape (n_sequences, width)
            A row holds what a sequence carries from step to step: all states of all layers, with `pooling` what is
            pooled so far, with `missing` what was seen last, with `times` and `missing="decay"` when that was, with
            `patch_size` the steps of the patch that has begun and their number. Rows may be selected and put together
            like samples.

        Raises
        ------
        ValueError
            When the number is not positive or too large for the memory, when static features lack or there are none,
            or when the net reads in both directions.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNRegressor
        >>> X = np.random.default_rng(0).normal(size=(50, 8, 2))
        >>> net = RNNRegressor(4, cell="lstm", pooling="last", random_state=0).fit(X, X[:, 0, 0])
        >>> net.initial_state(3).shape          # h and c of four units
        (3, 8)
        """
        model, reading, _ = self._get_fitted()
        states.check_continues(model, reading, "initial_state")
        return states.initial_state(model, reading, n_sequences, static)

    def predict_step(self, x, state):
        """Predict from one more step of each of some streams; the same bits as `predict` of the steps so far.

        A classifier's probabilities, predict_proba of a step, come from :meth:`RNNClassifier.predict_proba_step`. With
        `missing`, a step that is NaN in every feature is a step like any other here, not padding.

        Parameters
        ----------
        x : array-like of shape (features,) or (n, features)
            The step of one stream, or of n.
        state : array-like of shape (n, width), or None
            From `initial_state`, which None stands for, unless the net has static features; or from the step before: as
            `initial_state` in `predict`. For one stream also (width,).

        Returns
        -------
        y : the prediction, or array of n of them
            With one target a sequence, the one that it would have if it ended here.
        state : array of shape (n, width)
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
        >>> net = RNNRegressor(4, random_state=0).fit(X, X[:, 0, 0])
        >>> state = net.initial_state()
        >>> for x in X[0]:
        ...     y, state = net.predict_step(x, state)
        >>> bool(y == net.predict(X[:1])[0])
        True
        """
        return self._predict_step(x, state, decoded, "predict_step")

    def _predict_step(self, x, state, decode, what):
        """What the method `what` returns for one more step: rows of scores, decoded, and the states after it."""
        fitted = self._get_fitted()
        model, reading, _ = fitted
        states.check_continues(model, reading, what)
        steps, one = states.read_step(reading, x)
        scores, state = states.continue_one_step(model, reading, steps, state)
        rows = decode(fitted, scores)
        return (each_part(itemgetter(0), rows) if one else rows), state

    @property
    def embeddings_(self):
        """What is learned of categorical features: the embedding of each, by its name.

        A dict of arrays (n_categories, dim), those of `parameters_`: row i stands for ``categories_[name][i]``. Empty
        if there are no such features. Where each step is one category its name is that of the feature of X, or ``x0``.

        Raises
        ------
        NotFittedError
            Before `fit`.

        Examples
        --------
        >>> import pandas as pd
        >>> from skrnn import RNNClassifier
        >>> X = pd.DataFrame({"pulse": [[70, 72, 75], [81, 80], [65, 66, 69]],
        ...                   "drug": [["none", "a", "a"], ["b", "none"], ["a", "b", "none"]]})
        >>> net = RNNClassifier(4, embedding_dim={"drug": 2}, random_state=0).fit(X, [0, 1, 0])
        >>> net.categories_["drug"].tolist()
        ['a', 'b', 'none', 'unseen']
        >>> net.embeddings_["drug"].shape
        (4, 2)
        """
        model, reading, _ = self._get_fitted()
        parameters = model.fixed_parameters
        return {name: parameters[table] for name, (table, _) in tables_of(model.network, reading).items()}

    @property
    def categories_(self):
        """What the rows of `embeddings_` stand for, by the name of the feature.

        A dict of arrays (n_categories,) of objects: the categories, None for missing ones, if the first fit saw some,
        and "unseen" for all that it did not see.

        Raises
        ------
        NotFittedError
            Before `fit`.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNClassifier
        >>> X = [np.array([0, 1, 1]), np.array([1, 0]), np.array([2, 2, 0]), np.array([0, 2])]
        >>> net = RNNClassifier(4, embedding_dim=2, learning_rate_init=0.02, random_state=0).fit(X, [0, 1, 0, 1])
        >>> net.categories_["x0"].tolist()
        [0, 1, 2, 'unseen']
        """
        model, reading, _ = self._get_fitted()
        return {name: labels for name, (_, labels) in tables_of(model.network, reading).items()}

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = self.missing != "error"
        return tags


def decoded(fitted, scores):
    """Predictions for raw scores, a row for each."""
    return fitted.targets.decode(scores, fitted.model.loss)


def _in_form_of(model, sequences, rows):
    """Rows as predict returns them: one per sequence as they are, one per step in the form of X."""
    return each_part(sequences.split, rows) if model.network.per_step else rows


def each_part(function, rows):
    """function(rows), or what it is of each of a list of rows, those of each column of y, or of a tuple."""
    return type(rows)(map(function, rows)) if isinstance(rows, list | tuple) else function(rows)
