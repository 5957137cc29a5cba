"""RNNRegressor."""

from numbers import Real
from typing import ClassVar

import numpy as np
from sklearn.base import RegressorMixin, _fit_context
from sklearn.metrics import r2_score
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if

from skrnn._data.examples import check_finite_rows, check_one_each, first_not_finite_row, step_rows
from skrnn._data.numbers import as_numbers
from skrnn._estimators.base import BaseRNN, in_epochs
from skrnn._training.losses import LOSSES


class RNNRegressor(RegressorMixin, BaseRNN):
    """Recurrent neural network that predicts numbers from sequences, one set a sequence or one a step.

    The network reads a sequence step by step through one or more recurrent layers; a linear layer on the last state (or
    on the state of each step) gives the prediction. It is trained by backpropagation through time. Scale y to about
    unit variance, for instance with ``TransformedTargetRegressor``.

    Parameters
    ----------
    hidden_size : int or tuple of int, default=32
        Units of the recurrent layer; a tuple stacks layers.
    cell : {"rnn", "gru", "lstm", "skip_lstm"}, default="lstm"
        The recurrent cell: Elman's, the gated recurrent unit, the long short-term memory, or an LSTM with a fourth gate
        that lets the last output skip the cell.
    activation : {"tanh", "relu", "logistic", "identity"}, default="tanh"
        Activation of the cell "rnn"; the gated cells have their own.
    reset_after : bool, default=True
        For the cell "gru": apply the reset gate after the recurrent product (cuDNN, PyTorch) or before it (Cho et al.).
        In both, an update gate near 1 keeps the state; some texts exchange the two.
    bidirectional : bool, default=False
        Read every sequence in both directions, in every layer, with separate weights.
    return_sequences : bool, default=False
        False: targets for each sequence. True: targets for each step. It is never guessed from y.
    pooling : {"last", "mean", "max"}, default="last"
        What the output layer reads of a sequence: the last output of the top layer, the mean of its outputs at all
        steps, or the greatest of each unit. Not used with `return_sequences`, which reads every step.
    n_steps : int, default=None
        Only for 2-D X: the number of steps that a row's columns are split into, in time order, each of
        columns / n_steps features. None: every column is a step of one feature.
    embedding_dim : int, default=None
        X holds numbers of categories, 0, 1, 2, ..., one a step, and each category is a vector of so many inputs, which
        is learned. Categories that `fit` did not see are vectors of zeros.
    missing : {"error", "ffill", "indicator"}, default="error"
        What to do with NaN in X: refuse it; take the last value of the feature that was seen in the sequence, or 0; or
        that, with a further input for each feature that is 1 where it was missing. Unless it is "error", steps at the
        end of a 3-D X that are NaN in every feature are padding and left out; per-step predictions repeat the last one
        there.
    dropout : float in [0, 1), default=0.0
        Share of each layer's outputs that the layer above, or the output layer, does not see in training.
    recurrent_dropout : float in [0, 1), default=0.0
        Share of the hidden state that the recurrent weights do not see in training: for each sequence the same units at
        all steps (Gal & Ghahramani 2016).
    solver : {"adam", "adamw", "sgd", "rmsprop", "lbfgs"}, default="adam"
        Adam; Adam with decoupled weight decay; stochastic gradient descent with momentum; RMSprop; or L-BFGS on all
        sequences at once, for small data.
    alpha : float, default=1e-4
        Strength of the L2 penalty on the weights, ½ alpha ‖weights‖² / Σ sample weights of the batch; for "adamw" the
        rate of its decay. Biases and embeddings are free.
    batch_size : int or "auto", default="auto"
        Sequences in a batch; "auto" is min(32, n). Not used by "lbfgs".
    learning_rate : {"constant", "invscaling", "adaptive", "cosine"}, default="constant"
        The step size over the epochs, of all solvers but "lbfgs": `learning_rate_init`; that divided by
        (sequences seen + 1)^power_t; a fifth each time that `n_iter_no_change` epochs bring no improvement, down to
        10⁻⁶; or half a wave of the cosine down to 0 at `max_iter`, and anew after that many calls of `partial_fit`.
    learning_rate_init : float, default=1e-3
        Step size at the start.
    power_t : float, default=0.5
        For the learning rate "invscaling".
    max_iter : int, default=200
        Most epochs, or iterations of "lbfgs".
    shuffle : bool, default=True
        Draw a new order of the sequences for each epoch.
    random_state : int, RandomState instance or None, default=None
        Source of the initial weights, of the order, of dropout and of what is held out; pass an int for the same fit
        every time.
    tol : float, default=1e-4
        An epoch is an improvement when it lowers the best loss, or raises the best validation score, by this much. For
        "lbfgs" training ends where no element of the gradient is larger.
    verbose : bool, default=False
        Print the loss of each epoch.
    warm_start : bool, default=False
        Go on from the last fit, with the parameters that it found, rather than from new ones.
    momentum : float in [0, 1], default=0.9
        For the solver "sgd".
    nesterovs_momentum : bool, default=True
        Nesterov's form of momentum, for the solver "sgd".
    early_stopping : bool, default=False
        Hold out a part of the sequences, or take X_val and y_val of `fit`, and stop when the score on them does not
        improve; keep the parameters of the best epoch.
    validation_fraction : float in (0, 1), default=0.1
        The part held out.
    beta_1, beta_2 : float in [0, 1), default=0.9 and 0.999
        Decay of the means of the gradient and of its square, for "adam" and "adamw".
    epsilon : float, default=1e-8
        What is added to the root of the mean square, for "adam", "adamw" and "rmsprop".
    n_iter_no_change : int, default=10
        Stop after more than this many epochs in a row without improvement.
    max_fun : int, default=15000
        Most evaluations of the loss by "lbfgs".
    max_grad_norm : float or None, default=None
        Scale each gradient to at most this norm; None leaves it alone. Worth setting (to 1, say) for long sequences,
        the solver "sgd" and the cell "skip_lstm", whose gradients may explode.
    bptt_steps : int, default=None
        Take longer sequences in stretches of so many steps, with an update after each: the states are carried from one
        to the next, the gradient is not. None: the gradient goes back to the first step.
    loss : {"squared_error", "absolute_error", "huber", "quantile", "log_cosh", "poisson"}, default="squared_error"
        What is minimised: half the squared error, which predicts the mean; the absolute error, which predicts the
        median; the squared error of small deviations and the absolute one of large ones; the pinball loss, which
        predicts a quantile; the logarithm of the hyperbolic cosine, a smooth form of Huber's loss; or half the Poisson
        deviance of counts, whose mean is the exponential of the output.
    quantile : float in (0, 1), default=0.5
        For the loss "quantile".
    huber_delta : float, default=1.0
        For the loss "huber": deviations that are larger count as absolute.
    out_activation : {"identity", "logistic"}, default="identity"
        "logistic": predictions lie between 0 and 1, as y must. Not with the loss "poisson".

    Attributes
    ----------
    loss_ : float
        Loss of the last epoch.
    best_loss_ : float or None
        Least loss of an epoch; None with `early_stopping`.
    loss_curve_ : list of float
        Loss of each epoch.
    validation_scores_ : list of float or None
        Explained share of the loss (D²; for the squared error and Huber's R²) on what is held out after each epoch,
        with `early_stopping`.
    best_validation_score_ : float or None
        The best of them.
    grad_norm_curve_ : list of float
        Mean gradient norm of each epoch, before clipping.
    n_clipped_ : int
        Updates whose gradient was clipped.
    n_iter_ : int
        Epochs.
    t_ : int
        Sequences seen in training.
    n_outputs_ : int
        Targets of a sequence or step.
    out_activation_ : str
        "identity", "logistic", or "exp" for the loss "poisson".
    parameters_ : dict
        The fitted weights by name.
    n_features_in_ : int
        Columns of a 2-D X, else features of a step.
    feature_names_in_ : array of shape (n_features_in_,)
        Column names, when X was a data frame with string names.

    Notes
    -----
    The computing dtype follows X: float32 stays float32, everything else is float64. The result has the same bits for
    any number of threads, and the prediction of a sequence does not depend on which others are predicted with it.

    ``Ctrl-C`` ends training after the batch at hand with a warning; the estimator is then fitted as far as it got.

    References
    ----------
    Elman (1990), Finding structure in time. Cho et al. (2014), Learning phrase representations using RNN
    encoder-decoder. Hochreiter & Schmidhuber (1997), Long short-term memory. Kingma & Ba (2015), Adam. Pascanu, Mikolov
    & Bengio (2013), On the difficulty of training recurrent neural networks. Gal & Ghahramani (2016), A theoretically
    grounded application of dropout in recurrent neural networks. Loshchilov & Hutter (2017), SGDR (cosine); (2019),
    Decoupled weight decay (AdamW). Tieleman & Hinton (2012), RMSprop. Liu & Nocedal (1989), On the limited memory BFGS
    method. Huber (1964) and Koenker & Bassett (1978) for their losses, see ``skrnn._training.losses``.

    Examples
    --------
    The mean of each sequence, from sequences of different lengths:

    >>> import numpy as np
    >>> from skrnn import RNNRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(steps, 1)) for steps in rng.integers(5, 10, size=60)]
    >>> y = [x.mean() for x in X]
    >>> net = RNNRegressor(8, cell="gru", batch_size=10, learning_rate_init=0.02, tol=1e-3, random_state=0)
    >>> round(net.fit(X, y).score(X, y), 1)
    1.0
    """

    _parameter_constraints: ClassVar = BaseRNN._parameter_constraints | {
        "loss": [StrOptions({name for name, loss in LOSSES.items() if loss.is_regression})],
        "out_activation": [StrOptions({"identity", "logistic"})],
    } | {
        loss.parameter_name: [Interval(Real, *loss.parameter_range, closed="neither")]
        for loss in LOSSES.values() if loss.parameter_name
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
        pooling="last",
        n_steps=None,
        embedding_dim=None,
        missing="error",
        dropout=0.0,
        recurrent_dropout=0.0,
        solver="adam",
        alpha=1e-4,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=1e-3,
        power_t=0.5,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        max_fun=15000,
        max_grad_norm=None,
        bptt_steps=None,
        loss="squared_error",
        quantile=0.5,
        huber_delta=1.0,
        out_activation="identity",
    ):
        super().__init__(
            hidden_size, cell, activation, reset_after, bidirectional, return_sequences, pooling, n_steps,
            embedding_dim, missing, dropout, recurrent_dropout, solver, alpha, batch_size, learning_rate,
            learning_rate_init, power_t, max_iter, shuffle, random_state, tol, verbose, warm_start, momentum,
            nesterovs_momentum, early_stopping, validation_fraction, beta_1, beta_2, epsilon, n_iter_no_change,
            max_fun, max_grad_norm, bptt_steps,
        )
        self.loss = loss
        self.quantile = quantile
        self.huber_delta = huber_delta
        self.out_activation = out_activation

    @available_if(in_epochs)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None):
        """One epoch over these sequences, from where the last call, or `fit`, left.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            As `fit`; with `early_stopping`, which needs all data. The estimator then stays as it was.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNRegressor
        >>> X = np.random.default_rng(0).normal(size=(60, 5, 1))
        >>> net = RNNRegressor(8, cell="gru", learning_rate_init=0.02, random_state=0)
        >>> for _ in range(20):
        ...     for part in (slice(30), slice(30, 60)):
        ...         net = net.partial_fit(X[part], X[part, :, 0].mean(axis=1))
        >>> net.n_iter_, bool(net.score(X, X[:, :, 0].mean(axis=1)) > 0.9)
        (40, True)
        """
        return self._partial_fit(X, y, sample_weight)

    def _check_combinations(self):
        super()._check_combinations()
        reason = LOSSES[self.loss].why_not_logistic
        if self.out_activation == "logistic" and reason:
            raise ValueError(
                f"out_activation={self.out_activation!r} does not go with loss={self.loss!r}, {reason}; leave it at "
                "'identity'"
            )

    def _target_rows(self, y, sequences, per_step):
        rows = step_rows(y, sequences) if per_step else as_numbers(check_one_each(y), "y")
        if rows.ndim not in (1, 2):
            raise ValueError(
                f"y has shape {rows.shape}, expected (n,) or (n, outputs); for targets of every step use "
                "return_sequences=True"
            )
        if 0 in rows.shape:
            raise ValueError(f"y has shape {rows.shape}, expected at least one output")
        missing = np.isnan(rows).reshape(len(rows), -1).all(axis=1) if per_step else np.zeros(len(rows), bool)
        check_finite_rows(np.where(missing.reshape(-1, *[1] * (rows.ndim - 1)), 0, rows), sequences, per_step)
        if missing.all():
            raise ValueError("y has no target for any step: every value is NaN")
        return rows, ~missing if missing.any() else None

    def _set_targets(self, rows):
        self._columns = rows.shape[1:]

    def _encode(self, rows, labelled, sequences):
        if rows.shape[1:] != self._columns:
            raise ValueError(
                f"y has shape {rows.shape}, expected {(len(rows), *self._columns)} as in the first fit"
            )
        dtype = sequences.dtype
        known = rows if labelled is None else np.where(labelled.reshape(-1, *[1] * (rows.ndim - 1)), rows, 0)
        with np.errstate(over="ignore"):
            targets = np.require(known.reshape(len(rows), -1), dtype, ["C", "A"])
        self._check_range(targets, labelled, sequences)
        bad = first_not_finite_row(targets)
        if bad is not None:
            where = sequences.label("y", bad, self.return_sequences)
            raise ValueError(f"{where} is too large for {dtype}, the dtype of X; scale y, or pass X as float64")
        return targets

    def _check_range(self, targets, labelled, sequences):
        """Raise a ValueError for a target that the predictions cannot reach."""
        bad = LOSSES[self.loss].check_targets(targets, self.out_activation == "logistic")
        if bad is not None:
            row, expected = bad
            where = sequences.label("y", row, self.return_sequences)
            raise ValueError(f"{where} is {targets[row].tolist()}, expected {expected}")

    def _make_loss(self):
        loss = LOSSES[self.loss].make(vars(self), self.out_activation == "logistic")
        return loss, int(np.prod(self._columns))

    def _target_weights(self, rows, labelled):
        return None

    def _decode(self, scores):
        rows = self._loss.predict(scores)
        return rows if self._columns else rows[:, 0]

    def _validation_score(self, rows, scores, weights):
        return self._loss.score(rows, self._decode(scores), weights)

    def score(self, X, y, sample_weight=None):
        """Coefficient of determination R² over sequences, or with `return_sequences` over all steps with a target.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        float

        Raises
        ------
        ValueError, TypeError
            When X, y or the weights cannot be used, naming the sequence.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.metrics import r2_score
        >>> from skrnn import RNNRegressor
        >>> X = np.random.default_rng(0).normal(size=(50, 8, 2))
        >>> y = X[:, 0, 0]
        >>> net = RNNRegressor(4, tol=1e-2, random_state=0).fit(X, y)
        >>> bool(net.score(X, y) == r2_score(y, net.predict(X)))
        True
        """
        return self._score(r2_score, X, y, sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
