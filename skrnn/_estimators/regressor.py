"""RNNRegressor."""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.metaestimators import available_if

from skrnn._data.numbers import as_numbers
from skrnn._estimators.base import BaseRNN, in_epochs
from skrnn._estimators.number_targets import NumberTargets
from skrnn._estimators.predictive import PredictiveMixin
from skrnn._estimators.shared_parameters import (
    REGRESSION_LOSSES,
    choice,
    flag,
    loss_parameter,
    one_or_several,
    summaries,
    with_parameters,
)
from skrnn._estimators.unfitted import units_of_targets
from skrnn._messages import shown
from skrnn._pickling import stored_estimator
from skrnn._sklearn import checks_parameters


def check_quantiles(quantile):
    """Raise a ValueError unless a list of quantiles is increasing and between 0 and 1."""
    levels = as_numbers(quantile, "quantile")
    good = levels.ndim == 1 and levels.size > 0 and levels[0] > 0 and levels[-1] < 1 and (np.diff(levels) > 0).all()
    if not good:
        raise ValueError(
            f"quantile={shown(quantile)}: expected one number between 0 and 1, or an increasing list of them, such as "
            "[0.05, 0.5, 0.95]"
        )


@stored_estimator
@with_parameters(
    return_sequences=flag("False: targets per sequence. True: targets per step. It is never guessed from y."),
    loss=choice(REGRESSION_LOSSES, f"What is minimized: {summaries(REGRESSION_LOSSES)}."),
    quantile=one_or_several(
        loss_parameter("quantile"),
        "A list, increasing, is predicted by one net without crossings, as the last dimension of `predict`.",
    ),
    huber_delta=loss_parameter(
        "huber_delta",
        "larger deviations count as absolute; in standard deviations of y (`y_scale_`) with `standardize`",
    ),
    out_activation=choice(
        ("identity", "logistic"),
        '"logistic": predictions lie between 0 and 1, as y must. Not with several quantiles nor with the losses '
        '"poisson", "gaussian", "student_t" and "negative_binomial".',
    ),
)
class RNNRegressor(RegressorMixin, PredictiveMixin, BaseRNN):
    """Recurrent neural network that predicts numbers from sequences: per sequence, or per step.

    The network reads a sequence step by step through one or more recurrent layers; a linear layer on what `pooling`
    says of their outputs (or on the output of each step) gives the prediction. It is trained by backpropagation through
    time. X and y need no scaling: see `standardize`.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    loss_ : float
        Loss of the last epoch, in the unit of `loss_curve_`.
    best_loss_ : float or None
        Least loss of an epoch; None with `early_stopping`.
    loss_curve_ : list of float
        Loss of each epoch. It is the parameter `loss`, the mean over the sequences, or the steps, of the epoch as the
        parameters were before each update; weighted by `sample_weight`, without the penalty. With `standardize` it is
        of y in its units, (y − `y_mean_`) / `y_scale_`: half the squared error of the best constant is then 0.5. With
        ``standardize="sequence"`` it is of y in those of each sequence.
    penalty_curve_ : list of float
        The mean penalty of each epoch, in the same unit; 0 with the solver "adamw". Training minimizes the sum of both.
    validation_loss_curve_ : list of float or None
        Loss of what is held out after each epoch, in the same unit and weighted in the same way, without dropout; with
        `early_stopping`.
    validation_scores_ : list of float or None
        Score of what is held out after each epoch, with `early_stopping`; the greater the better. With
        ``scoring="loss"`` it is the negative of `validation_loss_curve_`, as in HistGradientBoostingRegressor; else
        what the scorer returned.
    best_validation_score_ : float or None
        The best of them.
    best_iter_ : int
        The epoch whose parameters were kept, the first being 1: with `early_stopping` that of the best score, else the
        last one.
    grad_norm_curve_ : list of float
        Mean gradient norm of each epoch, before clipping.
    n_clipped_ : int
        Updates whose gradient was clipped.
    n_iter_ : int
        Epochs.
    max_iter_ : int
        What `max_iter` was in the last training, as a number also where it is "auto".
    t_ : int
        Sequences seen in training.
    n_outputs_ : int
        Targets of a sequence or step.
    out_activation_ : str
        "identity", "logistic", or "exp" for the losses "poisson" and "negative_binomial".
    parameters_ : mapping of str to array
        The fitted weights by name; what is assigned to a name is checked and set, as by `set_parameters`.
    embeddings_ : dict of str to array of shape (n_categories, dim)
        What is learned of each categorical feature, by its name.
    categories_ : dict of str to array of shape (n_categories,)
        What the rows of `embeddings_` stand for; the last is "unseen".
    X_mean_, X_scale_ : array of shape (n_features,), or None
        With `standardize`, what is subtracted from each feature of a step, and what it is then divided by; a constant
        feature has the scale 1. The time (`times`) is left out. None for steps that are categories.
    static_mean_, static_scale_ : array of shape (n_static_numbers,), or None
        With `standardize`, the same of the static numbers, over the sequences with weight; None where X has none.
    y_mean_, y_scale_ : float or array of shape (`n_outputs_`,), or None
        With `standardize`, the same of the targets: mean and standard deviation, 1 where they are constant; 0 and the
        mean for the loss "poisson", 0 and 1 for "negative_binomial" and with ``out_activation="logistic"``.
    patch_size_, patch_stride_ : int
        Steps that the network reads at a time, and from one such patch to the next; 1 and 1 where it reads single ones.
    n_features_in_ : int
        Columns of a 2-D X, else features of a step.
    feature_names_in_ : array of shape (`n_features_in_`,)
        Column names, when X was a data frame with string names.

    Notes
    -----
    The computing dtype follows X: float32 stays float32, everything else is float64. The result has the same bits for
    any number of threads, and the prediction of a sequence does not depend on which others are predicted with it.

    ``Ctrl-C`` ends training: `fit` and `partial_fit` raise ``KeyboardInterrupt``, which also ends a search around them.
    The estimator is then fitted as far as it got; with `early_stopping` it has the best parameters so far. Before the
    first update it stays as it was.

    References
    ----------
    {cell_references}

    Kingma & Ba (2015), Adam. Loshchilov & Hutter (2019), Decoupled weight decay (AdamW). Dozat (2016), Incorporating
    Nesterov momentum into Adam. Tieleman & Hinton (2012), RMSprop. Liu & Nocedal (1989), On the limited memory BFGS
    method. Loshchilov & Hutter (2017), SGDR (cosine). Goyal et al. (2017), Accurate, large minibatch SGD (warm-up).
    Smith & Topin (2018), Super-convergence (one cycle). Izmailov et al. (2018), Averaging weights leads to wider optima
    and better generalization. Pascanu, Mikolov & Bengio (2013), On the difficulty of training recurrent neural
    networks. Gal & Ghahramani (2016), A theoretically grounded application of dropout in recurrent neural networks.

    Huber, P. J. (1964). Robust estimation of a location parameter. Annals of Mathematical Statistics 35(1), 73-101.

    Koenker, R. and Bassett, G. (1978). Regression quantiles. Econometrica 46(1), 33-50.

    Nix, D. A. and Weigend, A. S. (1994). Estimating the mean and variance of the target probability distribution. IEEE
    International Conference on Neural Networks, 55-60. The loss "gaussian".

    Lange, K. L., Little, R. J. A. and Taylor, J. M. G. (1989). Robust statistical modeling using the t distribution.
    Journal of the American Statistical Association 84, 881-896. The loss "student_t".

    Examples
    --------
    The mean of each sequence, from sequences of different lengths:

    >>> import numpy as np
    >>> from skrnn import RNNRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(steps, 1)) for steps in rng.integers(5, 10, size=60)]
    >>> y = [x.mean() for x in X]
    >>> net = RNNRegressor(8, random_state=0)
    >>> round(net.fit(X, y).score(X, y), 1)
    1.0
    """

    _targets_type = NumberTargets

    def __init__(
        self,
        hidden_size=32,
        *,
        cell="gru",
        activation="tanh",
        reset_after=True,
        bidirectional=False,
        return_sequences=False,
        pooling="last_mean_max",
        static_to="both",
        n_steps=None,
        patch_size="auto",
        patch_stride=None,
        embedding_dim=None,
        n_categories=None,
        categorical_features="from_dtype",
        missing="error",
        times=None,
        standardize=True,
        dropout=0.0,
        recurrent_dropout=0.0,
        solver="adam",
        alpha=1e-2,
        batch_size="auto",
        learning_rate="auto",
        learning_rate_init=3e-3,
        power_t=0.5,
        max_iter="auto",
        average=0.0,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        scoring="loss",
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-4,
        n_iter_no_change="auto",
        max_fun=15000,
        max_grad_norm=None,
        truncated_bptt_steps=None,
        loss="squared_error",
        quantile=0.5,
        huber_delta=1.0,
        out_activation="identity",
    ):
        super().__init__(
            hidden_size=hidden_size, cell=cell, activation=activation, reset_after=reset_after,
            bidirectional=bidirectional, return_sequences=return_sequences, pooling=pooling, static_to=static_to,
            n_steps=n_steps, patch_size=patch_size, patch_stride=patch_stride, embedding_dim=embedding_dim,
            n_categories=n_categories, categorical_features=categorical_features, missing=missing, times=times,
            standardize=standardize, dropout=dropout, recurrent_dropout=recurrent_dropout, solver=solver, alpha=alpha,
            batch_size=batch_size, learning_rate=learning_rate, learning_rate_init=learning_rate_init, power_t=power_t,
            max_iter=max_iter, average=average, shuffle=shuffle, random_state=random_state, tol=tol, verbose=verbose,
            warm_start=warm_start, momentum=momentum, nesterovs_momentum=nesterovs_momentum,
            early_stopping=early_stopping, scoring=scoring, validation_fraction=validation_fraction, beta_1=beta_1,
            beta_2=beta_2, epsilon=epsilon, n_iter_no_change=n_iter_no_change, max_fun=max_fun,
            max_grad_norm=max_grad_norm, truncated_bptt_steps=truncated_bptt_steps,
        )
        self.loss = loss
        self.quantile = quantile
        self.huber_delta = huber_delta
        self.out_activation = out_activation

    @available_if(in_epochs)
    @checks_parameters
    def partial_fit(self, X, y, sample_weight=None):
        """One epoch over these sequences, from where the last call, or `fit`, left.

        The first call decides what later calls keep: the units of X and y with `standardize`, and the size of patches.
        So it should have more than a few sequences.

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
        >>> net = RNNRegressor(8, learning_rate_init=0.02, random_state=0)
        >>> for _ in range(20):
        ...     for part in (slice(30), slice(30, 60)):
        ...         net = net.partial_fit(X[part], X[part, :, 0].mean(axis=1))
        >>> net.n_iter_, bool(net.score(X, X[:, :, 0].mean(axis=1)) > 0.9)
        (40, True)
        """
        return self._partial_fit(X, y, sample_weight)

    def _check_parameters(self):
        super()._check_parameters()
        loss = REGRESSION_LOSSES[self.loss]
        reason = loss.why_not_logistic
        if np.ndim(self.quantile):
            check_quantiles(self.quantile)
            if loss.parameter_name == "quantile":
                reason = "where each of several quantiles adds to the one below it, without a bound"
        if self.out_activation == "logistic" and reason:
            raise ValueError(
                f"out_activation={self.out_activation!r} does not go with loss={self.loss!r}, {reason}; leave it at "
                "'identity'"
            )

    def set_parameters(self, parameters, *, X_units=None, y_units=None):
        """Give the net parameters that come from elsewhere, or that were changed.

        Parameters
        ----------
        parameters : dict of arrays, or any mapping
            By name, in the shapes of `parameters_`: some of those of a net that is fitted, all of those of one that is
            not. Such a net learns from their shapes how many features and outputs there are. It computes in float32 if
            all of them are, else in float64.
        X_units : pair of array-likes of shape (n_features,), optional
            Of a net that is not fitted, with `standardize`: the mean and the scale of each feature, ``X_mean_`` and
            ``X_scale_``. None: 0 and 1.
        y_units : pair of floats or of array-likes of shape (n_outputs,), optional
            The same of y, ``y_mean_`` and ``y_scale_``.

        Returns
        -------
        self : object
            With other parameters, but what else it has learned, and the state of the solver, as before. A net that was
            not fitted is so now: it predicts, and `partial_fit` and `warm_start` go on from here. Its ``n_iter_`` is 0.

        Raises
        ------
        ValueError, TypeError
            When a name, a shape or a value does not fit, naming it. The estimator then stays as it was.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNRegressor
        >>> rng = np.random.default_rng(0)
        >>> shapes = {"layer0.W": (2, 12), "layer0.U": (3, 12), "layer0.b": (1, 12), "head.V": (3, 1), "head.c": (1,)}
        >>> parameters = {name: rng.normal(size=shape) for name, shape in shapes.items()}
        >>> net = RNNRegressor(3, cell="lstm", pooling="last").set_parameters(parameters)
        >>> X = rng.normal(size=(4, 6, 2))
        >>> before = net.predict(X)
        >>> net.parameters_["head.c"] = net.parameters_["head.c"] + 1
        >>> bool(np.allclose(net.predict(X), before + 1))
        True
        """
        return self._set_parameters(parameters, X_units=X_units, y_units=y_units)

    def _known_targets(self, n_scores, y_units):
        loss = self._make_loss(None)
        n, rest = divmod(n_scores, loss.width)
        if rest:
            raise ValueError(
                f"parameters['head.V'] has {n_scores} columns, expected {loss.width} for each output with "
                f"loss={self.loss!r}"
            )
        units = units_of_targets(y_units, n, self.standardize, loss)
        return NumberTargets(() if n == 1 else (n,), *(units or ()))

    def _make_loss(self, targets):
        return REGRESSION_LOSSES[self.loss].make(vars(self), self.out_activation == "logistic")

    def score(self, X, y, sample_weight=None):
        """Coefficient of determination R² over sequences, or with `return_sequences` over all steps with a target.

        Of several quantiles it is the mean over them of D², the explained fraction of the pinball loss; 0 is as good as
        the quantiles of y. How good the distribution of a likelihood is says `skrnn.metrics.mean_log_likelihood`.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`. Where some of several outputs are missing it is the mean over outputs of R² of each, over the
            rows of which it is known; an output with less than two of them is left out.

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
        >>> net = RNNRegressor(4, random_state=0).fit(X, y)
        >>> bool(net.score(X, y) == r2_score(y, net.predict(X)))
        True
        """
        fitted = self._get_fitted()
        loss = fitted.model.loss
        several = loss.knows_quantiles and not loss.is_likelihood
        return self._score(fitted, loss.score if several else r2_score, X, y, sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
