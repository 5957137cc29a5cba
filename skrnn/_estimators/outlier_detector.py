"""RNNOutlierDetector."""

from numbers import Real
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin

from skrnn._data.reading import set_attributes
from skrnn._data.weights import as_weights
from skrnn._estimators.callbacks import watch_for_callbacks
from skrnn._estimators.error_scale import ErrorScale
from skrnn._estimators.next_step import NextStepRegressor
from skrnn._estimators.regressor import RNNRegressor
from skrnn._estimators.shared_parameters import SHARED, Parameter, choice, shared_init, summaries, with_parameters
from skrnn._parameters import CheckedParametersMixin
from skrnn._pickling import StoredMixin, stored_estimator
from skrnn._plain import plain
from skrnn._sklearn import (
    CallbackSupportMixin,
    DiagramMixin,
    Interval,
    StrOptions,
    checks_parameters,
    fitted_of,
    under_callbacks,
)
from skrnn._training.losses import LOSSES
from skrnn._training.target_statistics import weighted_quantile

OF_THE_CENTER = {name: LOSSES[name] for name in ("squared_error", "absolute_error", "log_cosh")}
# A forecast from steps to come would be no forecast, and one of categories no number
NOT_OF_FORECASTS = (
    "bidirectional", "pooling", "patch_size", "patch_stride", "embedding_dim", "n_categories", "standardize",
    "warm_start", "scoring",
)
# So many distances of the quartiles above the upper one an error is unusual: of normal ones 2 to 4 in a hundred are
FENCE = 1.0


@plain
class FittedDetector(NamedTuple):
    """What `fit` has learned."""

    scale: ErrorScale
    reduction: str
    offset: float
    step_offset: float


@stored_estimator
@with_parameters(
    contamination=Parameter(
        [StrOptions({"auto"}), Interval(Real, 0, 0.5, closed="right")], '"auto" or float in (0, 0.5]',
        "The fraction of outliers among the sequences of `fit`, which `offset_` separates, and among their steps, for "
        '`step_offset_`. "auto": those whose error lies above the upper quartile by more than the distance of the '
        "quartiles, as in a box plot with short whiskers; of normal errors that is 2 to 4 in a hundred.",
    ),
    reduction=choice(
        ("mean", "max"),
        "What the score of a sequence is of the scores of its steps: the root of their mean square, for sequences that "
        "are unusual as a whole, or the worst of them, for unusual moments in long sequences.",
    ),
    loss=choice(OF_THE_CENTER, f"What the forecasts minimize: {summaries(OF_THE_CENTER)}."),
)
class RNNOutlierDetector(
    CallbackSupportMixin, OutlierMixin, StoredMixin, CheckedParametersMixin, DiagramMixin, BaseEstimator
):
    """Finds sequences, and moments in them, that do not go on as those of the training data do.

    A recurrent network predicts the numbers of the next step of a sequence from all features of the steps before. Its
    error, in units of how large the errors of each feature are in the training data, is the score of this step; what is
    unusual for its context is found also where each value by itself is not. The first step is compared with the net's
    ``X_mean_``, in units of ``X_scale_``. X needs no scaling.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    offset_ : float
        Sequences with a lower score, `score_samples`, are outliers.
    step_offset_ : float
        Steps with a lower score, `score_steps`, are outliers.
    error_scale_ : array of shape (n_predicted,)
        The root of the mean square of the errors of each feature that is a number, but for `times`, in its unit.
    forecaster_ : RNNRegressor
        The net that predicts the next step, with its ``loss_curve_`` and other attributes.
    n_iter_ : int
        Epochs of the net.
    n_features_in_ : int
        Columns of a 2-D X, else features of a step.
    feature_names_in_ : array of shape (`n_features_in_`,)
        Column names, when X was a data frame with string names.

    See Also
    --------
    RNNRegressor : Its parameters are those of the forecasts.

    Notes
    -----
    Missing values have no error; they are read as `missing` says. A step of which nothing is known has the score 0.
    Errors are those of training data, which a large net may have learned by heart: with few of them set
    `early_stopping`, or a greater `alpha`. `fit` holds the steps to predict in memory, as many as X has. After Ctrl-C
    the estimator stays as it was.

    References
    ----------
    Malhotra, P., Vig, L., Shroff, G. and Agarwal, P. (2015). Long short term memory networks for anomaly detection in
    time series. ESANN.

    {cell_references}

    Examples
    --------
    One of the oscillations stops for a moment:

    >>> import numpy as np
    >>> from skrnn import RNNOutlierDetector
    >>> begins = np.random.default_rng(0).uniform(0, 6, size=(100, 1))
    >>> X = np.sin(begins + 0.5 * np.arange(40))
    >>> X[7, 20:23] = X[7, 20]
    >>> detector = RNNOutlierDetector(8, random_state=0).fit(X)
    >>> int(detector.score_samples(X).argmin())
    7
    >>> int(detector.score_steps(X)[7].argmin()) in (21, 22, 23)
    True
    """

    __init__ = shared_init(
        RNNRegressor, without=NOT_OF_FORECASTS, contamination="auto", reduction="mean", loss="squared_error"
    )

    @checks_parameters
    def fit(self, X, y=None, sample_weight=None, X_val=None, groups=None):
        """Fit the net to predict the next steps of sequences, and learn how large its errors are.

        Parameters
        ----------
        X : array-like of shape (n, columns) or (n, steps, features), or a collection of n arrays (steps, features)
            A sample is a sequence.
        y : object
            Not used; for pipelines.
        sample_weight : array-like of shape (n,), optional
            Weights of the samples.
        X_val : like X, optional
            For `early_stopping`: what to validate on, in the place of a part of X.
        groups : array-like of shape (n,), optional
            Labels of the groups that sequences belong to: `early_stopping` holds out whole groups.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            When an argument cannot be used, naming it and the sequence; when no sequence has a next step, or a feature
            is missing everywhere; when training diverges. The estimator then stays as it was.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNOutlierDetector
        >>> X = np.random.default_rng(0).normal(size=(50, 20, 2)).cumsum(axis=1)
        >>> RNNOutlierDetector(8, random_state=0).fit(X).error_scale_.shape
        (2,)
        """
        parameters = {name: value for name, value in vars(self).items() if name in SHARED or name == "loss"}
        net = NextStepRegressor(return_sequences=True, **parameters)

        def watch_of(fitted):
            return watch_for_callbacks(
                self, X, y, sample_weight, lambda model: attributes_of(self._detector_of(
                    net.with_fitted(fitted._replace(model=model)), X, sample_weight
                ))
            )

        under_callbacks(self, lambda: net.fit(X, sample_weight, X_val, groups, watch_of))
        self._set_fitted(self._detector_of(net, X, sample_weight))
        return self

    def _detector_of(self, net, X, sample_weight):
        """What is learned of the errors of a net on X, with the net."""
        sequences = net.sequences_of(X, self)
        weights = as_weights(sample_weight, sequences, per_step=False)
        weights = np.ones(len(sequences)) if weights is None else weights
        scale = ErrorScale.learn(net, sequences, np.repeat(weights, sequences.lengths))
        offsets = self._offsets(scale.scores(sequences), sequences, weights)
        return FittedDetector(scale, self.reduction, *offsets)

    def _set_fitted(self, fitted):
        set_attributes(self, attributes_of(fitted))

    def _summary(self):
        return self._get_fitted().scale.net._summary()

    def _offsets(self, steps, sequences, weights):
        """The score below which a sequence, and a step, is an outlier, learned from the scores of steps, NaN or not."""
        samples = reduced(steps, sequences, self.reduction)
        return [
            offset(values[known], of_values[known], self.contamination)
            for values, of_values in ((samples, weights), (steps, np.repeat(weights, sequences.lengths)))
            for known in [(of_values > 0) & ~np.isnan(values)]
        ]

    def score_samples(self, X):
        """The score of each sequence, the lower the more unusual: around −1 for those like the training data.

        Parameters
        ----------
        X : as in `fit`

        Returns
        -------
        scores : array of shape (n,)
            The negative error of its steps in units of the errors in training, see `reduction`.

        Raises
        ------
        ValueError, TypeError
            When X cannot be used, naming the sequence.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNOutlierDetector
        >>> X = np.random.default_rng(0).normal(size=(50, 20, 2)).cumsum(axis=1)
        >>> detector = RNNOutlierDetector(8, random_state=0).fit(X)
        >>> scores = detector.score_samples([X[0], 3 * X[0]])
        >>> bool(scores[0] > scores[1])
        True
        """
        return self._score_samples(self._get_fitted(), X)

    def _score_samples(self, fitted, X):
        sequences = fitted.scale.net.sequences_of(X, self)
        return np.nan_to_num(reduced(fitted.scale.scores(sequences), sequences, fitted.reduction))

    def decision_function(self, X):
        """The score of each sequence minus `offset_`: negative for outliers.

        Parameters
        ----------
        X : as in `fit`

        Returns
        -------
        scores : array of shape (n,)

        Raises
        ------
        ValueError, TypeError
            When X cannot be used, naming the sequence.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNOutlierDetector
        >>> X = np.random.default_rng(0).normal(size=(50, 20, 2)).cumsum(axis=1)
        >>> detector = RNNOutlierDetector(8, random_state=0).fit(X)
        >>> bool((detector.decision_function(X) == detector.score_samples(X) - detector.offset_).all())
        True
        """
        fitted = self._get_fitted()
        return self._score_samples(fitted, X) - fitted.offset

    def predict(self, X):
        """Whether each sequence is an outlier.

        Parameters
        ----------
        X : as in `fit`

        Returns
        -------
        labels : int array of shape (n,)
            −1 for outliers, 1 for others.

        Raises
        ------
        ValueError, TypeError
            When X cannot be used, naming the sequence.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNOutlierDetector
        >>> X = np.random.default_rng(0).normal(size=(50, 20, 2)).cumsum(axis=1)
        >>> detector = RNNOutlierDetector(8, contamination=0.1, random_state=0).fit(X)
        >>> int((detector.predict(X) == -1).sum())
        5
        """
        return np.where(self.decision_function(X) >= 0, 1, -1)

    def score_steps(self, X):
        """The score of each step of each sequence, the lower the more unusual; 0 where nothing is known of a step.

        Parameters
        ----------
        X : as in `fit`

        Returns
        -------
        scores : array of shape (n, steps), or for a collection an object array of n arrays (steps,)
            The negative root of the mean over features of the squared errors, in units of those in training. Padding
            repeats the last one.

        Raises
        ------
        ValueError, TypeError
            When X cannot be used, naming the sequence.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNOutlierDetector
        >>> X = np.random.default_rng(0).normal(size=(50, 20, 2)).cumsum(axis=1)
        >>> X[3, 12] += 20
        >>> detector = RNNOutlierDetector(8, random_state=0).fit(X)
        >>> scores = detector.score_steps(X)
        >>> scores.shape, bool(scores[3, 12] < detector.step_offset_)
        ((50, 20), True)
        """
        scale = self._get_fitted().scale
        sequences = scale.net.sequences_of(X, self)
        return sequences.split(np.nan_to_num(scale.scores(sequences)))

    def initial_state(self, n_sequences=None, static=None):
        """The state of streams before their first step, for `score_step`.

        Parameters
        ----------
        n_sequences : int, optional
            How many. None: as many as `static` has rows, without it 1.
        static : array-like or data frame of shape (n_sequences, static features), optional
            What stands beside the steps of each, where `fit` had it.

        Returns
        -------
        state : array of shape (n_sequences, width)
            A row holds the state of the net and what it expects next, NaN for nothing. Rows may be selected and put
            together like samples.

        Raises
        ------
        ValueError
            When the number is not positive or too large for the memory, or static features lack.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNOutlierDetector
        >>> X = np.random.default_rng(0).normal(size=(50, 20, 2)).cumsum(axis=1)
        >>> RNNOutlierDetector(8, random_state=0).fit(X).initial_state(3).shape
        (3, 10)
        """
        return self._get_fitted().scale.initial_state(n_sequences, static)

    def score_step(self, x, state):
        """The score of one more step of each of some streams; the same bits as `score_steps` of the steps so far.

        Parameters
        ----------
        x : array-like of shape (features,) or (n, features)
            The step of one stream, or of n.
        state : array-like of shape (n, width), or None
            From `initial_state`, which None stands for, or from the step before.

        Returns
        -------
        score : float, or array of n of them
            Below `step_offset_` for outliers.
        state : array of shape (n, width)
            For the next step.

        Raises
        ------
        ValueError, TypeError
            When x or the state do not fit the net.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNOutlierDetector
        >>> X = np.random.default_rng(0).normal(size=(50, 20, 2)).cumsum(axis=1)
        >>> detector = RNNOutlierDetector(8, random_state=0).fit(X)
        >>> state = detector.initial_state()
        >>> for x in X[0]:
        ...     score, state = detector.score_step(x, state)
        >>> bool(score == detector.score_steps(X[:1])[0, -1])
        True
        """
        scores, state, one = self._get_fitted().scale.score_step(x, state)
        scores = np.nan_to_num(scores)
        return (float(scores[0]) if one else scores), state

    _get_fitted = fitted_of

    @property
    def forecaster_(self):
        """The net that predicts the next step, with its ``loss_curve_`` and other attributes."""
        return self._get_fitted().scale.net

    @property
    def n_iter_(self):
        """Epochs of the net."""
        return self.forecaster_.n_iter_

    @property
    def error_scale_(self):
        """The root of the mean square of the errors of each feature."""
        return self._get_fitted().scale.of_errors

    @property
    def offset_(self):
        """The score of sequences below which they are outliers."""
        return self._get_fitted().offset

    @property
    def step_offset_(self):
        """The score of steps below which they are outliers."""
        return self._get_fitted().step_offset

    def __sklearn_is_fitted__(self):
        return "_fitted" in self.__dict__

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = self.missing != "error"
        return tags


def attributes_of(fitted):
    """The attributes by name, private and public, of a detector that has learned this."""
    return fitted.scale.net._get_fitted().reading.attributes() | {"_fitted": fitted}


def reduced(steps, sequences, reduction):
    """Scores (n,) of sequences from those of their steps (total,), of which NaN are left out; NaN where all are."""
    known = ~np.isnan(steps)
    any_known = np.logical_or.reduceat(known, sequences.starts)
    errors = np.where(known, -steps, 0.0)
    if reduction == "max":
        worst = np.maximum.reduceat(errors, sequences.starts)
    else:
        counts = np.maximum(np.add.reduceat(known, sequences.starts, dtype=np.intp), 1)
        worst = np.sqrt(np.add.reduceat(np.square(errors), sequences.starts) / counts)
    return np.where(any_known, -worst, np.nan)


def offset(scores, weights, contamination):
    """The score below which is a fraction of the scores (m,), or "auto" those outside of the fence of a box plot."""
    column = scores[:, np.newaxis]
    if contamination != "auto":
        return float(weighted_quantile(column, weights, contamination)[0])
    low, high = (float(weighted_quantile(column, weights, q)[0]) for q in (0.25, 0.75))
    return low - FENCE * (high - low)
