"""RNNSurvival."""

from numbers import Integral

import numpy as np
from sklearn.utils.metaestimators import available_if

from skrnn._estimators.base import BaseRNN, in_epochs
from skrnn._estimators.concordance import concordance_index
from skrnn._estimators.regressor import RNNRegressor
from skrnn._estimators.shared_parameters import Parameter, shared_init, with_parameters
from skrnn._estimators.step_function import StepFunction
from skrnn._estimators.survival_targets import SurvivalTargets, cumulative_hazard, given_edges
from skrnn._pickling import stored_estimator
from skrnn._sklearn import Interval, checks_parameters
from skrnn._training.losses import MultilabelLogLoss


@stored_estimator
@with_parameters(
    intervals=Parameter(
        [Interval(Integral, 1, None, closed="left"), "array-like"], "int or array-like of float",
        "The intervals of time that have a hazard each: their number, between quantiles of the times of the events, so "
        "that all have as many events (fewer intervals where times repeat); or their ends, increasing times. Of what "
        "comes after the last one the net says nothing.",
    ),
)
class RNNSurvival(BaseRNN):
    """Recurrent neural network that predicts from a sequence when an event comes, from data that are right-censored.

    A sequence is the history up to now, and y the time from now to the event, or to the last look at what had none yet.
    Time is split into intervals; a linear layer on what `pooling` says of the outputs of the recurrent layers gives the
    log odds of the hazard of each: the probability of the event in this interval for those who had none before. The
    loss is the negative log-likelihood, −Σ log(1 − h) over the intervals survived − log h of the interval of the event.
    Hazards need not be proportional: sequences may differ early and not late. X needs no scaling, and the unit of time
    makes no difference.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    unique_times_ : array of shape (`n_outputs_` + 1,)
        0 and the ends of the intervals: where survival functions have steps.
    loss_ : float
        Loss of the last epoch, in the unit of `loss_curve_`.
    best_loss_ : float or None
        Least loss of an epoch; None with `early_stopping`.
    loss_curve_ : list of float
        Loss of each epoch: the negative log-likelihood of an interval that is known, in nats, the mean over all of them
        in the epoch as the parameters were before each update, times the number of intervals; weighted by
        `sample_weight`, without the penalty.
    penalty_curve_ : list of float
        The mean penalty of each epoch, in the same unit; 0 with the solver "adamw". Training minimizes the sum of both.
    validation_loss_curve_ : list of float or None
        Loss of what is held out after each epoch, in the same unit and weighted in the same way, without dropout; with
        `early_stopping`.
    validation_scores_ : list of float or None
        Score of what is held out after each epoch, with `early_stopping`; the greater the better. With
        ``scoring="loss"`` it is the negative of `validation_loss_curve_`, with ``scoring=None`` the concordance index.
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
        Intervals.
    out_activation_ : str
        "logistic".
    parameters_ : mapping of str to array
        The fitted weights by name; what is assigned to a name is checked and set, as by `set_parameters`.
    X_mean_, X_scale_ : array of shape (n_features,), or None
        With `standardize`, what is subtracted from each feature of a step, and what it is then divided by; a constant
        feature has the scale 1. None for steps that are categories.
    static_mean_, static_scale_ : array of shape (n_static_numbers,), or None
        With `standardize`, the same of the static numbers, over the sequences with weight; None where X has none.
    embeddings_ : dict
        The embedding of each categorical feature, by its name.
    categories_ : dict
        What the rows of `embeddings_` stand for, by the name of the feature.
    patch_size_, patch_stride_ : int
        Steps that the network reads at a time, and from one such patch to the next; 1 and 1 where it reads single ones.
    n_features_in_ : int
        Columns of a 2-D X, else features of a step.
    feature_names_in_ : array of shape (`n_features_in_`,)
        Column names, when X was a data frame with string names.

    See Also
    --------
    RNNClassifier : With ``return_sequences=True``, a hazard for every step of a sequence; see the guide on survival.

    Notes
    -----
    Who is censored in an interval has survived it if that was in its second half. Who is censored in the first half of
    the first interval says nothing, and is left out of training. Events after the last interval count as survival of
    all.

    The computing dtype follows X: float32 stays float32, everything else is float64. The result has the same bits for
    any number of threads, and the prediction of a sequence does not depend on which others are predicted with it.

    References
    ----------
    Gensheimer, M. F. and Narasimhan, B. (2019). A scalable discrete-time survival model for neural networks. PeerJ 7,
    e6257.

    Tutz, G. and Schmid, M. (2016). Modeling discrete time-to-event data. Springer.

    {cell_references}

    Examples
    --------
    Machines of which only a part failed up to now, the sooner the stronger they vibrated:

    >>> import numpy as np
    >>> from skrnn import RNNSurvival
    >>> rng = np.random.default_rng(0)
    >>> strength = rng.uniform(0.5, 2, size=200)
    >>> X = strength[:, np.newaxis] * rng.normal(size=(200, 30))
    >>> time = rng.exponential(100 / strength**2)
    >>> y = np.array([(t < 90, min(t, 90)) for t in time], dtype=[("event", bool), ("time", float)])
    >>> net = RNNSurvival(8, random_state=0).fit(X, y)
    >>> bool(net.score(X, y) > 0.65)                         # concordance index
    True
    >>> survival = net.predict_survival_function(X[:1])[0]
    >>> survival(0), bool(survival(50) > survival(80))
    (1.0, True)
    """

    _targets_type = SurvivalTargets
    return_sequences = False

    __init__ = shared_init(RNNRegressor, intervals=20)

    @checks_parameters
    def fit(self, X, y, sample_weight=None, X_val=None, y_val=None, groups=None):
        """Fit the network to sequences and what came after them.

        Parameters
        ----------
        X : array-like of shape (n, columns) or (n, steps, features), or a collection of n arrays (steps, features)
            A sample is a sequence.
        y : structured array of shape (n,), or array-like or data frame of shape (n, 2)
            Whether the event was seen (bool), and the time to it, or to the last look: the two fields of a structured
            array, as in scikit-survival, or two columns in this order.
        sample_weight : array-like of shape (n,), optional
            Weights of the samples; the loss is divided by their sum.
        X_val, y_val : like X and y, optional
            For `early_stopping`: what to validate on, in the place of a part of X and y.
        groups : array-like of shape (n,), optional
            Labels of the groups that sequences belong to, such as the patient of each: `early_stopping` holds out whole
            groups.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            When an argument cannot be used, naming it and the sequence; when no sequence with weight has an event; when
            training diverges. The estimator then stays as it was.
        KeyboardInterrupt
            After Ctrl-C. The estimator is then fitted as far as it got; before the first update it stays as it was.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNSurvival
        >>> X = np.random.default_rng(0).normal(size=(60, 8, 2))
        >>> y = np.column_stack([X[:, 0, 0] > -1, np.exp(X[:, -1, 0])])
        >>> net = RNNSurvival(8, intervals=[0.5, 1, 2, 4], random_state=0).fit(X, y)
        >>> net.unique_times_.tolist()
        [0.0, 0.5, 1.0, 2.0, 4.0]
        """
        return super().fit(X, y, sample_weight, X_val, y_val, groups)

    @available_if(in_epochs)
    @checks_parameters
    def partial_fit(self, X, y, sample_weight=None):
        """One epoch over these sequences, from where the last call, or `fit`, left.

        The first call decides what later calls keep: the intervals of time, the units of X with `standardize`, and the
        size of patches. So it should have more than a few events.

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
        >>> from skrnn import RNNSurvival
        >>> X = np.random.default_rng(0).normal(size=(60, 8, 2))
        >>> y = np.column_stack([X[:, 0, 0] > -1, np.exp(X[:, -1, 0])])
        >>> net = RNNSurvival(8, intervals=5, random_state=0)
        >>> for _ in range(3):
        ...     for part in (slice(30), slice(30, 60)):
        ...         net = net.partial_fit(X[part], y[part])
        >>> net.n_iter_
        6
        """
        return self._partial_fit(X, y, sample_weight)

    def _read_data(self, X, y, sample_weight, resume, whole=True):
        if resume:
            intervals = self.intervals
            if not isinstance(intervals, Integral):
                intervals = tuple(given_edges(intervals).tolist())
            if intervals != resume.targets.intervals:
                raise self._cannot_continue("other intervals, which are what its outputs are of")
        return super()._read_data(X, y, sample_weight, resume, whole)

    def _learn_targets(self, rows):
        return SurvivalTargets.learn(rows, self.intervals)

    def set_parameters(self, parameters, *, unique_times=None, X_units=None):
        """Give the net parameters that come from elsewhere, or that were changed.

        Parameters
        ----------
        parameters : dict of arrays, or any mapping
            By name, in the shapes of `parameters_`: some of those of a net that is fitted, all of those of one that is
            not. Such a net learns from their shapes how many features and outputs there are. It computes in float32 if
            all of them are, else in float64.
        unique_times : array-like of shape (`n_outputs_` + 1,), optional
            Of a net that is not fitted: 0 and the ends of the intervals, as ``unique_times_``; where `intervals` has
            these, it may be left out.
        X_units : pair of array-likes of shape (n_features,), optional
            Of a net that is not fitted, with `standardize`: the mean and the scale of each feature, ``X_mean_`` and
            ``X_scale_``. None: 0 and 1.

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
        >>> from skrnn import RNNSurvival
        >>> rng = np.random.default_rng(0)
        >>> shapes = {"layer0.W": (2, 9), "layer0.U": (3, 9), "layer0.b": (2, 9), "head.V": (3, 2), "head.c": (2,)}
        >>> parameters = {name: rng.normal(size=shape) for name, shape in shapes.items()}
        >>> net = RNNSurvival(3, pooling="last", intervals=[1, 2]).set_parameters(parameters)
        >>> net.predict_survival_function(np.zeros((1, 4, 2)), return_array=True).shape
        (1, 3)
        """
        return self._set_parameters(parameters, unique_times=unique_times, X_units=X_units)

    def _known_targets(self, n_scores, unique_times):
        return SurvivalTargets.known(n_scores, self.intervals, unique_times)

    def _make_loss(self, targets):
        return MultilabelLogLoss()

    def predict(self, X, *, initial_state=None, return_state=False):
        """The risk of each sequence: the greater, the sooner the event is expected.

        It is the sum over the ends of the intervals of the cumulative hazard, as the number of events that
        scikit-survival's RandomSurvivalForest predicts.

        Parameters
        ----------
        X : as in `fit`
        initial_state : array-like of shape (n, width), optional
            States to continue from, as in :meth:`RNNRegressor.predict`.
        return_state : bool, default=False
            Also return the states after the last steps.

        Returns
        -------
        risk : array of shape (n,)
        state : array of shape (n, width)
            Only with `return_state`.

        Raises
        ------
        ValueError, TypeError
            When X or the states cannot be used, naming the sequence.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNSurvival
        >>> X = np.random.default_rng(0).normal(size=(60, 8, 2))
        >>> y = np.column_stack([X[:, 0, 0] > -1, np.exp(X[:, -1, 0])])
        >>> RNNSurvival(8, random_state=0).fit(X, y).predict(X).shape
        (60,)
        """
        return super().predict(X, initial_state=initial_state, return_state=return_state)

    def predict_cumulative_hazard_function(self, X, *, return_array=False):
        """The cumulative hazard of each sequence: −log of its survival function.

        Parameters
        ----------
        X : as in `fit`
        return_array : bool, default=False
            Return values at `unique_times_` in the place of functions.

        Returns
        -------
        hazards : object array of n step functions, or array of shape (n, `n_outputs_` + 1)
            As `predict_survival_function` returns them.

        Raises
        ------
        ValueError, TypeError
            When X cannot be used, naming the sequence.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNSurvival
        >>> X = np.random.default_rng(0).normal(size=(60, 8, 2))
        >>> y = np.column_stack([X[:, 0, 0] > -1, np.exp(X[:, -1, 0])])
        >>> net = RNNSurvival(8, random_state=0).fit(X, y)
        >>> H = net.predict_cumulative_hazard_function(X, return_array=True)
        >>> bool(np.allclose(np.exp(-H), net.predict_survival_function(X, return_array=True)))
        True
        """
        return self._predict_functions(X, return_array, lambda _, scores: cumulative_hazard(scores))

    def predict_survival_function(self, X, *, return_array=False):
        """The probability that the event of each sequence comes later, as a function of time.

        Parameters
        ----------
        X : as in `fit`
        return_array : bool, default=False
            Return values at `unique_times_` in the place of functions.

        Returns
        -------
        survival : object array of n step functions, or array of shape (n, `n_outputs_` + 1)
            Functions are called with a time or an array of times, from 0 to the last of `unique_times_`; they have
            ``x``, these times, and ``y``, their values from each of them on, 1 at first.

        Raises
        ------
        ValueError, TypeError
            When X cannot be used, naming the sequence.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNSurvival
        >>> X = np.random.default_rng(0).normal(size=(60, 8, 2))
        >>> y = np.column_stack([X[:, 0, 0] > -1, np.exp(X[:, -1, 0])])
        >>> net = RNNSurvival(8, random_state=0).fit(X, y)
        >>> survival = net.predict_survival_function(X)
        >>> survival[0]([0.0, 0.5, 1.0]).shape
        (3,)
        >>> net.predict_survival_function(X, return_array=True).shape
        (60, 21)
        """
        return self._predict_functions(X, return_array, lambda _, scores: np.exp(-cumulative_hazard(scores)))

    def _predict_functions(self, X, return_array, decode):
        """Values (n, K + 1) at the edges of the intervals for raw scores, or functions of time with these."""
        fitted = self._get_fitted()
        _, values = self._predict_rows(fitted, X, decode)
        if return_array:
            return values
        functions = np.empty(len(values), dtype=object)
        for i, y in enumerate(values):
            functions[i] = StepFunction(fitted.targets.edges, y)
        return functions

    def score(self, X, y, sample_weight=None):
        """Harrell's concordance index: the fraction of pairs in which who has the event first has the greater risk.

        Of the pairs that can be compared: those in which one has an event, and the other none up to this time. Equal
        risks count half; 0.5 is chance.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`. A pair has the product of the weights.

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
        >>> from skrnn import RNNSurvival
        >>> X = np.random.default_rng(0).normal(size=(60, 8, 2))
        >>> y = np.column_stack([X[:, 0, 0] > -1, np.exp(X[:, -1, 0])])
        >>> bool(RNNSurvival(8, random_state=0).fit(X, y).score(X, y) > 0.8)
        True
        """
        return self._score(self._get_fitted(), concordance_index, X, y, sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags
